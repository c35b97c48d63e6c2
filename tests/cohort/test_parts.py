"""Cohorts in units of work: the same people and figures however they are cut, in memory that does not grow."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from ranvier.cli.main import run
from ranvier.cohort.load import load as load_book
from ranvier.cohort.nouns import OUTCOMES
from ranvier.cohort.parts import Question, units
from ranvier.cohort.people import draw, from_model
from ranvier.cohort.summary import NOT_SHOWN, Running
from ranvier.evidence import load
from ranvier.evidence.models import read_population
from ranvier.ground.notes import ExitCode
from ranvier.ground.work import Executor
from ranvier.report import cohort_words, lives

KNOWLEDGE = load()


def test_a_cohort_is_the_same_however_it_is_cut():
    def whole(size):
        with Executor(workers=1) as executor:
            found = [r for _, r in executor.run(units(Question("ladder"), 12, size=size))]
        return {name: np.concatenate([r[name] for r in found]) for name in found[0]}

    a, b = whole(12), whole(5)
    assert np.array_equal(a["person"], np.arange(12))
    for name, values in a.items():
        assert np.array_equal(values, b[name]), name


def test_units_of_other_questions_have_other_ids():
    ids = [next(units(q, 10)).id for q in (Question("fixed"), Question("none"), Question("fixed", seed=2),
                                          Question("fixed", truth="decline"), Question("fixed", years=2.0))]  # fmt: skip
    assert len(set(ids)) == len(ids)


def test_running_figures_are_those_of_all_rows_together():
    rng = np.random.default_rng(1)
    rows = rng.lognormal(size=1000)
    running = Running()
    for part in np.array_split(rows, 7):
        running.add({"loss": part})
    found = running.done()["loss"]
    assert found["mean"] == pytest.approx(rows.mean())
    assert found["sd"] == pytest.approx(rows.std(ddof=1))
    assert found["se"] == pytest.approx(rows.std(ddof=1) / np.sqrt(1000))


def test_simulate_writes_one_row_per_person_with_units_and_says_what_came_out(tmp_path, capsys):
    out = tmp_path / "fixed.parquet"
    command = ["cohort", "simulate", "--people", "30", "--policy", "fixed", "--out", str(out), "--workers", "1"]
    assert run(command) == ExitCode.OK
    said = capsys.readouterr().out
    assert "30 virtual people, 1 year, policy fixed" in said
    assert max(map(len, said.splitlines())) <= 80
    table = pq.read_table(out)
    assert table.num_rows == 30
    asked = json.loads(table.schema.metadata[b"ranvier"])
    assert asked["policy"] == "fixed"
    assert asked["knowledge"].startswith("k-")
    assert b"g/wk" in table.schema.field("grams").metadata[b"says"]
    assert not list(tmp_path.glob("*.parts"))
    assert run([*command, "--json"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["outcomes"]["visits"]["mean"] == pytest.approx(13, abs=0.5)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--policy", "oracle"], "there is no policy 'oracle'; there are fixed"),
        (["--policy", "fixed", "--truth", "flat"], "there is no truth 'flat'"),
        (["--policy", "fixed", "--population", "moon"], "there is no population 'moon'"),
        (["--policy", "fixed", "--out", "/nowhere/at/all/x.parquet"], "no folder"),
        (["--policy", "fixed", "--scheduler", "tcp://127.0.0.1:9"], "No Dask scheduler answers"),
    ],
)
def test_what_cannot_be_asked_is_said_with_what_can(more, says, tmp_path, capsys, monkeypatch):
    from ranvier.ground import work

    monkeypatch.setattr(work, "ANSWER_WITHIN", "1s")
    command = ["cohort", "simulate", "--people", "2", "--out", str(tmp_path / "x.parquet"), *more]
    assert run(command) != ExitCode.OK
    assert says in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "x.parquet").exists()


def test_a_cohort_on_a_real_cluster_is_the_cohort_of_this_machine(tmp_path):
    """Scheduler and workers are processes of their own; nothing but the address differs."""
    from tests.ground.test_work import cluster

    def whole(**where):
        with Executor(**where) as executor:
            found = [r for _, r in executor.run(units(Question("ladder"), 9, size=3))]
        return {name: np.concatenate([r[name] for r in found]) for name in found[0]}

    here = whole(workers=1)
    with cluster(tmp_path) as (address, _):
        there = whole(scheduler=address)
    for name, values in here.items():
        assert np.array_equal(values, there[name]), name


def test_a_page_shows_how_people_differ(tmp_path, capsys):
    out, page = tmp_path / "fixed.parquet", tmp_path / "fixed.html"
    command = ["cohort", "simulate", "--people", "40", "--policy", "fixed", "--workers", "1", "--regret"]
    assert run([*command, "--out", str(out), "--html", str(page), "--json"]) == ExitCode.OK
    told, html = json.loads(capsys.readouterr().out), page.read_text(encoding="utf-8")
    assert f"receive {told['outcomes']['grams']['mean']:.1f} (±" in html.replace("\u00a0", " ")
    assert html.count("<svg") == 2 * len(lives.DRAWN)
    assert html.count("n = 40") >= len(lives.DRAWN)
    assert "Simulated people" in html
    assert "http" not in html.replace("http://www.w3.org", "")
    assert run([*command, "--out", str(out), "--html", str(tmp_path / "no" / "x.html")]) == ExitCode.USAGE


def test_every_outcome_and_policy_of_the_page_has_a_word():
    words = cohort_words.words()
    named = {name for name in OUTCOMES if name not in NOT_SHOWN}
    assert named <= set(words["outcomes"])
    assert set(load_book().policies) <= set(words["arms"])
    assert {unit for name, (unit, _) in OUTCOMES.items() if name in named} <= {*words["units"], "kg", "g/L"}


FILE = """id: heavy_losers
title: People who lose IgG fast, invented
source: invented
kinetics: two_compartment
parameters:
  clearance: {typical: 0.9, spread: 0.05, covariates: [{column: WT, form: power, reference: 80, exponent: 0.7}]}
  central_volume: {typical: 4.0, spread: 0.1}
  intercompartmental_clearance: {typical: 0.5}
  peripheral_volume: {typical: 2.0}
  endogenous: {typical: 9.0, spread: 0.1}
correlations: [{of: clearance, with: central_volume, number: 0.5}]
residual:
  concentration: {error: proportional, proportional: 0.1}
"""


def test_people_can_be_drawn_from_a_population_file(tmp_path):
    file = tmp_path / "fast.yaml"
    file.write_text(FILE)
    drawn = from_model(read_population(file), KNOWLEDGE, "fast.yaml")
    people = draw(KNOWLEDGE, load_book(), population=drawn, people=range(800), seed=1)
    # Clearance is one over the area under the curve of one gram: the sum over modes of coefficient / rate.
    area = np.sum(people.coefficient[:, 0, :] / np.where(people.rate > 0, people.rate, np.inf), axis=1)
    z = (np.log(1.0 / area / 0.9) - 0.7 * np.log(people.weight / 80.0)) / 0.05
    assert abs(z.mean()) < 4.0 / np.sqrt(800)
    assert z.std() == pytest.approx(1.0, abs=0.1)
    initial = people.coefficient[:, 0, :].sum(axis=1)  # of one gram into the central volume
    assert np.corrcoef(z, -np.log(initial))[0, 1] == pytest.approx(0.5, abs=0.1)
    assert np.log(people.own).std() == pytest.approx(0.1, abs=0.01)


def test_the_command_takes_a_population_file_and_says_all_that_virtual_people_cannot_follow(tmp_path, capsys):
    file, out = tmp_path / "fast.yaml", tmp_path / "fast.parquet"
    file.write_text(FILE)
    command = [
        "cohort",
        "simulate",
        "--people",
        "20",
        "--policy",
        "fixed",
        "--workers",
        "1",
        "--out",
        str(out),
        "--json",
    ]
    assert run([*command, "--population", str(file)]) == ExitCode.OK
    fast = json.loads(capsys.readouterr().out)
    assert fast["population"] == "heavy_losers"
    assert run(command) == ExitCode.OK
    assert fast["outcomes"]["gain"]["mean"] < json.loads(capsys.readouterr().out)["outcomes"]["gain"]["mean"]
    third = "  intercompartmental_clearance_2: {typical: 0.1}\n  peripheral_volume_2: {typical: 3}\n"
    odd = FILE.replace("kinetics: two_compartment", "kinetics: three_compartment\nscale: 1000")
    odd = odd.replace("  endogenous", f"{third}  endogenous").replace("form: power", "form: linear")
    file.write_text(odd.replace("exponent: 0.7", "effect: 0.01"))
    assert run([*command, "--population", str(file)]) == ExitCode.INPUT
    said = " ".join(capsys.readouterr().err.split())
    for place in ("kinetics", "scale", "parameters.clearance.covariates"):
        assert f"fast.yaml: {place}" in said
