"""check-order, start, events, lot and evidence on the command line: answers, exit codes, JSON, and every kind of rubbish."""

import json
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from ranvier.cli.main import run
from ranvier.cli.schema import FILES

CASE = str(Path(__file__).parents[2] / "cases" / "naive-responder.yaml")
DAY = ["--at", "2025-11-03"]


def schema(name):
    package, file = FILES[name]
    return json.loads((files(package) / file).read_text("utf-8"))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["check-order", CASE, "prednisolone", *DAY], 0),
        (["check-order", CASE, "prednislone", *DAY], 4),
        (["check-order", "nowhere.yaml", "prednisolone", *DAY], 5),
        (["check-order", CASE, "prednisolone", "--route", "sideways", *DAY], 2),
        (["check-order", CASE, "prednisolone", "--at", "soon"], 2),
        (["start", CASE, "--product", "Kiovig", *DAY], 0),
        (["start", CASE, "--product", "Sugar water", *DAY], 6),
        (["start", CASE, "--product", "Kiovig", "--vials", "7", *DAY], 6),
        (["start", CASE, "--product", "Kiovig", "--vials", "many", *DAY], 2),
        (["start", CASE, "--product", "Kiovig", "--policy", "mine", *DAY], 2),
        (["events", CASE, *DAY], 0),
        (["lot", "trace", "INVENTED001", CASE], 0),
        (["lot", "trace", "---", CASE], 2),
        (["lot", "list", CASE], 0),
        (["evidence", "show", "treatments"], 0),
        (["evidence", "show", "hahn2013"], 0),
        (["evidence", "show", "hahn"], 2),
        (["evidence", "list", "contradictions"], 0),
        (["evidence", "unverified", "safety/"], 0),
        (["evidence", "unverified", "nowhere/"], 2),
    ],
)
def test_each_command_ends_with_the_code_of_its_kind_and_in_80_columns(arguments, code, capsys):
    assert run(arguments) == code
    told = capsys.readouterr()
    assert all(len(line) <= 80 for line in told.out.splitlines())
    assert "Traceback" not in told.err
    if code not in (0, 4, 6):
        assert told.err.strip()


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("order-check", ["check-order", CASE, "prednisolone", *DAY, "--json"]),
        ("order-check", ["check-order", CASE, "prednislone", *DAY, "--json"]),
        ("start", ["start", CASE, "--product", "Kiovig", *DAY, "--json"]),
        ("start", ["start", CASE, "--product", "nothing", *DAY, "--json"]),
        ("start", ["start", CASE, "--product", "Hizentra", *DAY, "--json"]),
        ("events", ["events", CASE, *DAY, "--json"]),
        ("lot", ["lot", "trace", "INVENTED001", CASE, "--json"]),
    ],
)
def test_json_keeps_to_its_published_schema(name, arguments, capsys):
    run(arguments)
    jsonschema.validate(json.loads(capsys.readouterr().out), schema(name))


def test_the_sheet_for_the_nurse_needs_no_network_and_has_room_for_lots_and_a_signature(tmp_path, capsys):
    sheet = tmp_path / "sheet.html"
    assert run(["start", CASE, "--product", "Gammagard Liquid", "--sheet", str(sheet), *DAY]) == 0
    page = sheet.read_text("utf-8")
    assert "http" not in page.replace("http-equiv", "")
    assert "<script" not in page
    assert page.count("Signature") == page.count("Lot numbers") >= 2
    assert "@media print" in page
    assert "Invented case" in page


def test_a_name_with_angle_brackets_cannot_break_the_sheet(tmp_path, capsys):
    record = tmp_path / "x.yaml"
    record.write_text(
        'ranvier_record: 1\nperson: {pseudonym: "<script>alert(1)</script>", weights: [{on: 2025-01-01, value: 80, unit: kg}]}\n'
        "before: {kind: none}\n",
        "utf-8",
    )
    sheet = tmp_path / "sheet.html"
    run(["start", str(record), "--product", "Kiovig", "--sheet", str(sheet), *DAY])
    assert "<script>" not in sheet.read_text("utf-8")


def test_the_sheet_never_lands_on_the_record(tmp_path, capsys):
    record = tmp_path / "x.yaml"
    record.write_text("ranvier_record: 1\nperson: {pseudonym: x}\n", "utf-8")
    assert run(["start", str(record), "--product", "Kiovig", "--sheet", str(record), *DAY]) == 2
    assert record.read_text("utf-8").startswith("ranvier_record")


def test_a_record_that_cannot_be_read_does_not_stop_a_trace(tmp_path, capsys):
    (tmp_path / "bad.yaml").write_text("not a record", "utf-8")
    (tmp_path / "good.yaml").write_text(Path(CASE).read_text("utf-8"), "utf-8")
    assert run(["lot", "trace", "INVENTED001", str(tmp_path), "--json"]) == 3
    told = capsys.readouterr()
    answer = json.loads(told.out)
    assert answer["records"] == 1
    assert answer["unread"] == [str(tmp_path / "bad.yaml")]
    assert "bad.yaml" in told.err


def test_every_claim_treatment_contradiction_and_source_can_be_shown(capsys):
    for kind in ("claims", "treatments", "contradictions", "searches", "sources"):
        assert run(["evidence", "list", kind, "--json"]) == 0
        for entry in json.loads(capsys.readouterr().out)[:4]:
            assert run(["evidence", "show", entry["id"]]) == 0
            assert capsys.readouterr().out.strip()
