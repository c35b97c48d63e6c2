"""`ranvier fit` and `ranvier model` as a pharmacometrician meets them."""

import gc
import json
import weakref

import numpy as np
import pyarrow.parquet as pq
import pytest

from ranvier.cli import fit_stream
from ranvier.cli.main import run
from ranvier.exchange.datasets import parts_of, read_dataset
from ranvier.ground.notes import ExitCode, InputError

DATA = """SUBJ\tTIME\tAMT\tCONC\tWT
1\t0\t100\t.\t70
1\t1\t.\t6.1\t70
1\t4\t.\t8.0\t70
1\t12\t.\t4.4\t70
1\t24\t.\t2.1\t70
2\t0\t100\t.\t55
2\t2\t.\t9.7\t55
2\t24\t.\t1.2\t55
"""
POPULATION = """id: clinic
title: Invented clinic
source: invented
kinetics: one_compartment_oral
columns: {ID: SUBJ}
parameters:
  absorption_rate: {typical: 0.8, spread: 0.4}
  clearance: {typical: 0.7, spread: 0.3, covariates: [{column: WT, form: power, reference: 70, exponent: 0.75}]}
  central_volume: {typical: 9.0, spread: 0.2}
residual:
  concentration: {error: combined_root, additive: 0.2, proportional: 0.1}
"""


@pytest.fixture
def files(tmp_path):
    data, population = tmp_path / "levels.txt", tmp_path / "clinic.yaml"
    data.write_text(DATA)
    population.write_text(POPULATION)
    return str(data), str(population)


def test_the_answer_comes_first_and_everything_is_in_the_file(files, tmp_path, capsys):
    out = tmp_path / "fits.json"
    code = run(
        ["fit", files[0], "--population", files[1], "--columns", "DV=CONC", "--json", str(out), "--method", "posterior"]
    )
    text = capsys.readouterr().out
    assert code == ExitCode.OK
    assert text.startswith("2 people, 6 values, under clinic: Invented clinic\nEvery search arrived.")
    assert "largest k-hat" in text
    assert all(len(line) <= 80 for line in text.splitlines() if not line.startswith("Written"))
    found = json.loads(out.read_text())
    first, second = found["people"]
    assert set(first["eta"]) == {"absorption_rate", "clearance", "central_volume"}
    assert first["observations"]["line"] == [3, 4, 5, 6]
    assert len(first["covariance"]["matrix"]) == 3
    for key in ("pred", "ipred", "res", "ires", "wres", "cwres", "iwres"):
        assert all(isinstance(v, float) for v in second["observations"][key])
    own = second["parameters"]["clearance"]
    told = second["posterior"]["parameters"]["clearance"]
    assert told["q05"] < own < told["q95"]


def test_what_is_missing_is_said_with_its_remedy(files, capsys):
    assert run(["fit", files[0], "--population", files[1]]) == ExitCode.INPUT
    said = " ".join(capsys.readouterr().err.split())
    assert "has no column DV" in said
    assert "--columns DV=NAME" in said


def test_an_unknown_population_is_answered_with_the_known_ones(files, capsys):
    assert run(["fit", files[0], "--population", "nobody"]) == ExitCode.USAGE
    assert "tortorici2021" in capsys.readouterr().err


def test_the_family_is_listed_and_each_member_shown(capsys):
    assert run(["model", "list", "--json"]) == ExitCode.OK
    listed = json.loads(capsys.readouterr().out)
    for name in [*listed["kinetics"], *listed["response"], *listed["populations"]]:
        assert run(["model", "show", name]) == ExitCode.OK
        text = capsys.readouterr().out
        assert name in text
        assert all(len(line) <= 80 for line in text.splitlines() if "\\" not in line)  # equations stay in one piece
    assert {"two_compartment", "one_compartment_fcrn"} <= set(listed["kinetics"])


def test_a_template_that_is_shown_can_be_used(tmp_path, capsys):
    assert run(["model", "show", "two_compartment_oral"]) == ExitCode.OK
    template = tmp_path / "mine.yaml"
    template.write_text(capsys.readouterr().out.split("to begin with:\n\n")[1])
    assert run(["model", "check", str(template), "--json"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["sound"] is True


def test_a_faulty_population_is_refused_with_every_fault(tmp_path, capsys):
    bad = tmp_path / "bad.yaml"
    bad.write_text(
        POPULATION.replace("kinetics: one_compartment_oral", "kinetics: three").replace("spread: 0.2", "spread: -1")
    )
    assert run(["model", "check", str(bad), "--json"]) == ExitCode.INPUT
    found = json.loads(capsys.readouterr().out)
    assert found["sound"] is False
    assert len(found["problems"]) >= 2
    assert all(p["remedy"] for p in found["problems"])


# ---- many people, a few at a time


def many(path, people, *, faulty=None):
    """A table of people with one dose and two values each; `faulty` has no time on its second row."""
    rows = ["ID,TIME,AMT,DV,WT"]
    for i in range(people):
        rows += [f"p{i},0,100,.,{50 + i % 40}", f"p{i},{'x' if i == faulty else 2},.,{9 + i % 3},{50 + i % 40}"]
        rows += [f"p{i},24,.,{1.5 + 0.1 * (i % 7)},{50 + i % 40}"]
    path.write_text("\n".join(rows) + "\n")
    return path


def test_a_part_is_read_only_when_the_one_before_has_been_used(tmp_path):
    """Structure, not time: a fault far down is not met before the parts above it have been handed out."""
    parts = parts_of(many(tmp_path / "many.csv", 25, faulty=24), people=10)
    first, second = next(parts)[0], next(parts)[0]
    assert (first.people[0], first.people[-1], len(first.people)) == ("p0", "p9", 10)
    assert (second.people[0], len(second.people)) == ("p10", 10)
    assert second.line[0] == 32  # as in the file
    with pytest.raises(InputError) as caught:
        next(parts)
    assert caught.value.problems[0].line == 75


def test_parts_together_are_the_whole(tmp_path):
    path = many(tmp_path / "many.csv", 23)
    whole, _ = read_dataset(path)
    parts = [table for table, _ in parts_of(path, people=5)]
    assert [len(p.people) for p in parts] == [5, 5, 5, 5, 3]
    assert [who for p in parts for who in p.people] == list(whole.people)
    for name in ("line", "time", "amount", "missing"):
        assert np.array_equal(np.concatenate([getattr(p, name) for p in parts]), getattr(whole, name))


def test_somebody_whose_rows_do_not_stand_together_is_found_across_parts(tmp_path):
    path = many(tmp_path / "many.csv", 12)
    path.write_text(path.read_text() + "p0,48,.,1.0,50\n")
    with pytest.raises(InputError) as caught:
        list(parts_of(path, people=5))
    assert "p0 began further up" in caught.value.problems[0].what


@pytest.mark.parametrize("text", ["", "ID,TIME\n", "TIME,DV\n0,1\n", "# nothing\n\n", "\xff,\x00\n1,2"])
def test_rubbish_in_parts_is_refused_as_in_whole(text, tmp_path):
    path = tmp_path / "rubbish.csv"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(InputError):
        list(parts_of(path, people=5))


def test_no_more_than_a_part_is_held_and_each_person_comes_out_as_in_one_piece(files, tmp_path, monkeypatch, capsys):
    """Every part's data and fits are gone when the next but one is fitted; draws do not depend on the parts."""
    data = many(tmp_path / "many.csv", 17)
    population = tmp_path / "p.yaml"
    population.write_text(POPULATION.replace("columns: {ID: SUBJ}\n", ""))
    alive, kept = [], weakref.WeakSet()
    build = fit_stream.build

    def watched(table, it):
        gc.collect()
        alive.append(len(kept))
        kept.add(made := Held(build(table, it)))
        return made

    class Held:
        """A part's problem that can be watched."""

        def __init__(self, problem):
            self.problem = problem

        def __getattr__(self, name):
            return getattr(self.__dict__["problem"], name)

        def __len__(self):
            return len(self.problem)

    monkeypatch.setattr(fit_stream, "build", watched)
    monkeypatch.setattr(fit_stream, "PART", 4)
    out = tmp_path / "fits.jsonl"
    options = ["--population", str(population), "--method", "posterior", "--draws", "200"]
    assert run(["fit", str(data), *options, "--out", str(out)]) == ExitCode.OK
    assert "17 people, 34 values" in capsys.readouterr().out
    assert len(alive) == 5
    assert max(alive) <= 1
    monkeypatch.undo()
    whole = tmp_path / "whole.json"
    assert run(["fit", str(data), *options, "--json", str(whole)]) == ExitCode.OK
    people = [json.loads(line) for line in out.read_text().splitlines()]
    for one, other in zip(people, json.loads(whole.read_text())["people"], strict=True):
        assert one["id"] == other["id"]
        assert one["objective"] == pytest.approx(other["objective"], rel=1e-9)
        assert one["posterior"]["eta_mean"] == pytest.approx(other["posterior"]["eta_mean"], rel=1e-6, abs=1e-9)
    table = tmp_path / "fits.parquet"
    assert run(["fit", str(data), *options, "--out", str(table)]) == ExitCode.OK
    rows = pq.read_table(table).to_pylist()
    assert [r["id"] for r in rows] == [p["id"] for p in people]
    assert rows[3]["clearance"] == pytest.approx(people[3]["parameters"]["clearance"], rel=1e-9)
    assert rows[3]["sd_clearance"] ** 2 == pytest.approx(people[3]["covariance"]["matrix"][1][1], rel=1e-6)
    assert rows[3]["clearance_q05"] < rows[3]["clearance_q95"]


def test_a_fault_half_way_leaves_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr(fit_stream, "PART", 4)
    population = tmp_path / "p.yaml"
    population.write_text(POPULATION.replace("columns: {ID: SUBJ}\n", ""))
    data = many(tmp_path / "many.csv", 9, faulty=7)
    for name in ("fits.jsonl", "fits.parquet"):
        assert run(["fit", str(data), "--population", str(population), "--out", str(tmp_path / name)]) == ExitCode.INPUT
    assert not list(tmp_path.glob("fits*"))
    assert run(["fit", str(data), "--population", str(population), "--out", str(tmp_path / "x.txt")]) == ExitCode.USAGE
