"""The commands `population fit` and `diagnostics`, with invented people."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from click.testing import CliRunner
from tests.estimation.populations import MODEL, data_text

from ranvier.cli.diagnostics import command as diagnostics
from ranvier.cli.population import command as population
from ranvier.evidence.models import read_population
from ranvier.ground.notes import InputError


@pytest.fixture
def files(tmp_path):
    data, model = tmp_path / "clinic.csv", tmp_path / "start.yaml"
    data.write_text(data_text())
    model.write_text(yaml.safe_dump(MODEL))
    return tmp_path, data, model


def run(command, *arguments):
    return CliRunner().invoke(command, [str(a) for a in arguments], catch_exceptions=False, standalone_mode=False)


def test_a_fit_says_the_objective_first_and_writes_a_population_that_fit_reads(files):
    folder, data, model = files
    out = folder / "clinic.yaml"
    result = run(population, "fit", data, "--model", model, "--out", out)
    assert result.return_value == 0
    first = result.output.splitlines()[0]
    assert first.startswith("Objective ")
    assert "converged" in first
    assert max(len(line) for line in result.output.splitlines() if str(folder) not in line) <= 80
    made = read_population(out)
    assert made.id == "igg_fitted"
    assert made.provenance["people"] == 24
    assert made.provenance["data_digest"]
    told = json.loads(run(population, "fit", data, "--model", model, "--json").output)
    estimates = {row["name"]: row["value"] for row in told["numbers"]}
    assert made.parameters["clearance"].typical == pytest.approx(estimates["clearance"], rel=1e-6)
    assert told["condition_number"] > 1


def test_all_draws_of_a_learnt_population_are_kept_beside_it(files, monkeypatch):
    monkeypatch.setattr("ranvier.estimation.population_bayes.TUNE", 60)
    monkeypatch.setattr("ranvier.estimation.population_bayes.CHAINS", 2)
    folder, data, model = files
    out = folder / "clinic.yaml"
    data.write_text(data_text(people=4))
    result = run(population, "fit", data, "--model", model, "--method", "bayes", "--draws", 50, "--out", out)
    assert "All draws: " in result.output
    kept = folder / "clinic.draws.parquet"
    rows = pq.read_table(kept)
    assert rows.num_rows == 100
    assert set(rows.column("chain").to_pylist()) == {0, 1}
    made = read_population(out).provenance
    assert made["draws_file"] == kept.name
    assert made["draws_digest"] == hashlib.sha256(kept.read_bytes()).hexdigest()[:16]
    told = {row["name"]: row["value"] for row in made["numbers"]}
    assert np.median(rows.column("clearance").to_numpy()) == pytest.approx(told["clearance"])


def test_a_fitted_population_passes_its_own_diagnostics_and_a_wrong_one_does_not(files):
    folder, data, model = files
    out, html = folder / "clinic.yaml", folder / "checks.html"
    run(population, "fit", data, "--model", model, "--out", out, "--no-errors")
    good = run(diagnostics, data, "--population", out, "--html", html, "--replicates", 200)
    assert good.output.startswith("Concentration: nothing speaks against the population")
    text = html.read_text("utf-8")
    assert text.count("<svg") == 4
    assert "prediction-corrected predictive check, n = 144" in text
    wrong = json.loads(run(diagnostics, data, "--population", model, "--json", "--replicates", 200).output)
    assert wrong["outputs"][0]["npde_p"] < 0.001
    assert wrong["outputs"][0]["vpc_outside"] > 0.3


def test_a_fit_that_is_killed_goes_on_where_it_was(files):
    """A real process, really killed; its second life ends where an undisturbed one does."""
    folder, data, model = files
    kept = folder / "fit.checkpoint"
    asked = ["fit", str(data), "--model", str(model), "--starts", "12", "--no-errors", "--json"]
    line = [str(Path(sys.executable).parent / "ranvier"), "population", *asked, "--checkpoint", str(kept)]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment) as process:
        for _ in range(1200):
            if kept.exists() or process.poll() is not None:
                break
            time.sleep(0.02)
        killed = process.poll() is None
        process.send_signal(signal.SIGKILL)
    assert killed
    assert kept.exists()
    resumed = json.loads(run(population, *line[2:]).output)
    undisturbed = json.loads(run(population, *asked).output)
    assert resumed["objective"] == pytest.approx(undisturbed["objective"], abs=1e-6)
    assert resumed["starts"] == pytest.approx(undisturbed["starts"], abs=1e-3)


def test_what_cannot_be_fitted_is_refused_with_a_remedy(files):
    folder, data, model = files
    with pytest.raises(InputError) as refused:
        run(population, "fit", data, "--model", model, "--fix", "nobody")
    assert "no such number to fix: nobody" in refused.value.problems[0].what
    alone = folder / "alone.csv"
    alone.write_text("\n".join(line for line in data_text().splitlines() if line.split(",")[0] in ("ID", "1")) + "\n")
    with pytest.raises(InputError, match="cannot teach"):
        run(population, "fit", alone, "--model", model)
