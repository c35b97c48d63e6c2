"""`diagnostics` of one person's record: does the fit hold, and can its draws be trusted?"""

import json
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner

from ranvier.cli.diagnostics import command
from ranvier.cli.record_diagnostics import text
from ranvier.estimation.checks import OfErrors
from ranvier.estimation.record_checks import RecordChecks, SeriesCheck
from ranvier.ground.notes import InputError

CASES = Path(__file__).resolve().parents[2] / "cases"
RECORD = CASES / "begins-in-the-middle.yaml"


def run(*arguments):
    return CliRunner().invoke(command, [str(a) for a in arguments], catch_exceptions=False, standalone_mode=False)


def test_one_person_s_fit_is_held_against_the_record_in_numbers_and_pictures(tmp_path):
    html = tmp_path / "checks.html"
    result = run(RECORD, "--at", "2025-11-03", "--json", "--html", html)
    assert result.return_value == 0
    found = json.loads(result.stdout)
    by_id = {s["id"]: s for s in found["series"]}
    assert set(by_id) == {"igg", "grip-left", "grip-right"}
    grip = by_id["grip-left"]
    assert len(grip["seen"]) == len(grip["npde"]) == len(grip["weighted_residual"]) == 120
    assert 0.8 < grip["inside_90"] <= 1.0
    assert abs(sum(grip["weighted_residual"])) / 120 < 0.2
    assert all(0.0 < one["place"] < 1.0 for one in grip["predictive"].values())
    assert sum(m["probability"] for m in found["models"]) == pytest.approx(1.0, abs=0.01)
    assert all(m["pareto_k"] < 0.7 and m["effective"] > 50 for m in found["models"] if m["probability"] > 0.1)
    page = html.read_text("utf-8")
    assert page.count("<svg") == 6
    assert "NPDE against the population" in page


def test_what_the_fit_cannot_make_is_named():
    series = np.array([1.0, 2.0, 3.0])
    strange = {"SD": (9.0, 1.0, 2.0, 1.0), "mean": (2.0, 1.0, 3.0, 0.5)}
    one = SeriesCheck("grip", "kg", *([series] * 7), OfErrors(3, 0.0, 1.0, 1.0, 1.0, 1.0), strange)
    said = text(RecordChecks((one,), (), 100)).splitlines()
    assert said[1] == "  the fit does not make: SD."


def test_a_table_needs_a_population_and_an_empty_record_says_what_is_missing(tmp_path):
    table = tmp_path / "clinic.csv"
    table.write_text("ID,TIME,DV\n1,0,1\n")
    with pytest.raises(click.UsageError, match="needs --population"):
        run(table)
    broken = tmp_path / "nobody.yaml"
    broken.write_text("ranvier_record: 1\n")
    with pytest.raises(InputError):
        run(broken, "--at", "2025-11-03")
