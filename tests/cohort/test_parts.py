"""Cohorts in units of work: the same people and figures however they are cut, in memory that does not grow."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from ranvier.cli.main import run
from ranvier.cohort.parts import Question, units
from ranvier.cohort.summary import Running
from ranvier.ground.notes import ExitCode
from ranvier.ground.work import Executor


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
