"""Plans for a whole folder: one row per record, resumable, the same bytes, in memory that does not grow."""

import gc
import gzip
import json
import shutil
import tracemalloc
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml

from ranvier.cli.main import run
from ranvier.decision import many
from ranvier.evidence import load
from ranvier.ground.notes import ExitCode

CASE = Path(__file__).resolve().parents[2] / "cases" / "nothing-measured-yet.yaml"


@pytest.fixture
def folder(tmp_path):
    records = tmp_path / "records"
    records.mkdir()
    shutil.copy(CASE, records / "wren.yaml")
    (records / "rubbish.yaml").write_text("infusions: [", encoding="utf-8")
    (records / "notes.txt").write_text("not a record", encoding="utf-8")
    return records


def light(monkeypatch):
    """A plan that costs nothing but a row as large as a real one: what is tested here is the streaming."""
    calls = []

    def row(name, text, at, seed):
        calls.append(name)
        return {c: (name if c == "file" else "planned" if c in many.WORDS else 1.0) for c in many.COLUMNS}

    monkeypatch.setattr(many, "row", row)
    return calls


def test_every_record_has_its_row_also_the_one_that_cannot_be_read(folder, tmp_path, capsys):
    out = tmp_path / "plans.parquet"
    command = ["cohort", "plan", str(folder), "--at", "2025-04-15", "--out", str(out), "--workers", "1", "--json"]
    assert run(command) == ExitCode.OK
    said = json.loads(capsys.readouterr().out)
    assert said["status"] == {"cannot be read": 1, "nothing proposed": 1}
    bad, wren = pq.read_table(out).to_pylist()
    assert bad["file"] == "rubbish.yaml"
    assert "not readable" in bad["why"]
    assert wren["pseudonym"] == "wren"
    assert "refusal.population_basis" in wren["why"]
    assert wren["at"] == "2025-04-15"
    assert json.loads(pq.read_table(out).schema.metadata[b"ranvier"])["knowledge"] == load().version


def test_a_row_says_what_the_plan_says():
    from datetime import date

    from ranvier import record
    from ranvier.decision import assess

    case = CASE.parent / "wears-off-at-four-weeks.yaml"
    told = many.row(case.name, case.read_text(encoding="utf-8"), "2025-11-09", 1)
    found, _ = record.read(case)
    proposal = assess(found, load(), at=date(2025, 11, 9), seed=1).treatment.proposal
    best = next(o for o in proposal.options if o.proposed)
    assert (told["action"], told["grams"], told["interval"]) == (
        best.action,
        best.regimen.grams,
        best.regimen.interval_days,
    )
    assert (told["loss"], told["p_above_floor"]) == (best.loss, best.p_above_floor)
    assert told["status"] == "planned"


def test_each_person_can_be_planned_for_the_day_of_their_own_last_fact():
    told = many.row("wren", CASE.read_text(encoding="utf-8"), many.LAST, 1)
    last = max(str(i["start"])[:10] for i in yaml.safe_load(CASE.read_text(encoding="utf-8"))["infusions"])
    assert told["at"] == last


def test_records_in_lines_are_read_also_when_packed(folder, tmp_path, monkeypatch):
    light(monkeypatch)
    record = json.dumps({"a": 1})
    plain, packed = tmp_path / "clinic.jsonl", tmp_path / "clinic.jsonl.gz"
    plain.write_text(f"{record}\n\n{record}\n", encoding="utf-8")
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    for source in (plain, packed):
        assert many.count(source) == 2
        out = tmp_path / "plans.parquet"
        command = ["cohort", "plan", str(source), "--at", "2026-01-01", "--out", str(out), "--workers", "1"]
        assert run(command) == ExitCode.OK
        assert pq.read_table(out)["file"].to_pylist() == [f"{source.name}:1", f"{source.name}:3"]


def test_a_run_that_was_stopped_goes_on_and_ends_with_the_same_file(tmp_path, monkeypatch, capsys):
    source = tmp_path / "clinic.jsonl"
    source.write_text("".join(f'{{"n": {i}}}\n' for i in range(40)), encoding="utf-8")
    calls = light(monkeypatch)
    row = many.row

    def stops(name, text, at, seed):
        if len(calls) == 17:
            raise KeyboardInterrupt
        return row(name, text, at, seed)

    def plan(out):
        return run(["cohort", "plan", str(source), "--at", "2026-01-01", "--out", str(out), "--workers", "1"])

    monkeypatch.setattr(many, "row", stops)
    out = tmp_path / "plans.parquet"
    assert plan(out) == ExitCode.FAILED
    assert "goes on from there" in capsys.readouterr().err
    assert not out.exists()
    monkeypatch.setattr(many, "row", row)
    assert plan(out) == ExitCode.OK
    assert len(calls) == 40 + 1, "only the unit in which it was stopped was done again"
    assert plan(tmp_path / "again.parquet") == ExitCode.OK
    assert out.read_bytes() == (tmp_path / "again.parquet").read_bytes()
    assert pq.read_table(out).num_rows == 40


def test_memory_does_not_grow_with_the_number_of_people(tmp_path, monkeypatch):
    """Ten times the people, the same peak of memory: 200 against 2000 with a plan that costs nothing.

    Rows wait in groups before they are written; both runs are longer than a group.
    """
    from ranvier.cli import tables

    light(monkeypatch)
    monkeypatch.setattr(tables, "GROUP", 64)

    def peak(people):
        source = tmp_path / f"{people}.jsonl"
        with source.open("w", encoding="utf-8") as file:
            for i in range(people):
                file.write(json.dumps({"n": i, "padding": "x" * 4_000}) + "\n")
        gc.collect()
        tracemalloc.start()
        command = [
            "cohort",
            "plan",
            str(source),
            "--at",
            "2026-01-01",
            "--out",
            str(tmp_path / "p.parquet"),
            "--workers",
            "1",
        ]
        assert run(command) == ExitCode.OK
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(40)  # imports
    few, many_people = peak(200), peak(2000)
    assert many_people < 1.3 * few + 200_000, (few, many_people)


@pytest.mark.parametrize(
    ("source", "code", "says"),
    [("nowhere", ExitCode.NOT_FOUND, "There is no file"), ("table.csv", ExitCode.INPUT, "neither a folder of records"),
     ("empty", ExitCode.USAGE, "holds no records")],
)  # fmt: skip
def test_what_is_no_source_is_said_with_what_would_be(source, code, says, tmp_path, capsys):
    (tmp_path / "table.csv").write_text("a,b\n", encoding="utf-8")
    (tmp_path / "empty").mkdir()
    out = str(tmp_path / "plans.parquet")
    assert run(["cohort", "plan", str(tmp_path / source), "--at", "2026-01-01", "--out", out]) == code
    assert says in " ".join(capsys.readouterr().err.split())


def test_a_unit_knows_what_its_rows_depend_on(tmp_path):
    source = tmp_path / "clinic.jsonl"
    source.write_text('{"n": 1}\n', encoding="utf-8")
    ids = {
        next(many.units(source, at, seed)).id for at, seed in (("2026-01-01", 1), ("2026-01-02", 1), ("2026-01-01", 2))
    }
    source.write_text('{"n": 2}\n', encoding="utf-8")
    ids.add(next(many.units(source, "2026-01-01", 1)).id)
    assert len(ids) == 4
    assert np.isnan(many.NUMBER)
