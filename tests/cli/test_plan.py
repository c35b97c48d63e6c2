"""`ranvier plan`, `explain` and `demo` as a person at a terminal meets them: the assessment itself is a made-up one."""

import json
from datetime import date

import jsonschema
import pytest
from tests.report import fake

from ranvier.cli import demo, explain, plan
from ranvier.cli.main import run
from ranvier.ground.notes import ExitCode
from ranvier.report.as_json import schema

RECORD = """
ranvier_record: 1
invented: true
person: {pseudonym: heron}
before: {kind: unknown}
infusions:
  - {product: Kiovig, dose: {value: 60, unit: g}, start: 2026-02-01, route: IV}
strength:
  - id: grip-right
    measure: grip
    side: right
    device: jamar
    unit: kg
    values:
      - [2026-02-20, 19.4]
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "heron.yaml"
    path.write_text(RECORD, encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def made_up(monkeypatch):
    """The commands are thin: what they show is decided elsewhere and is replaced here."""
    answers = {"now": fake.assessment()}
    for module in (plan, explain, demo):
        monkeypatch.setattr(module, "assess", lambda record, at, seed, weights=None: (fake.knowledge(), answers["now"]))
    return answers


def test_the_plan_is_on_the_screen_and_the_exit_code_is_zero(file, capsys):
    assert run(["plan", str(file), "--at", "2026-03-02"]) == ExitCode.OK
    assert "Strength probably wears off" in capsys.readouterr().out


def test_json_alone_prints_valid_json_and_nothing_else(file, capsys):
    assert run(["plan", str(file), "--at", "2026-03-02", "--json"]) == ExitCode.OK
    jsonschema.Draft202012Validator(schema()).validate(json.loads(capsys.readouterr().out))


def test_files_are_written_and_named(file, tmp_path, capsys):
    page, data = tmp_path / "plan.html", tmp_path / "plan.json"
    assert run(["plan", str(file), "--at", "2026-03-02", "--html", str(page), "--json", str(data)]) == ExitCode.OK
    said = capsys.readouterr().err
    assert f"Written: {page}" in said
    assert f"Written: {data}" in said
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert json.loads(data.read_text(encoding="utf-8"))["at"] == "2026-03-02"


def test_without_a_day_the_door_says_which_day_it_took(file, capsys):
    assert run(["plan", str(file)]) == ExitCode.OK
    assert f"planning for today, {date.today().isoformat()}" in capsys.readouterr().err


def test_a_refusal_has_its_own_exit_code(file, made_up, capsys):
    made_up["now"] = fake.refused()
    assert run(["plan", str(file), "--at", "2026-03-02"]) == ExitCode.REFUSED
    assert "No plan can be made" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--at", "2.3.2026"], ExitCode.USAGE, "Write year, month, day"),
        (["--at", "2026-03-02", "--seed", "-1"], ExitCode.USAGE, "seed"),
        (["--at", "2026-03-02", "--html", "no/such/folder/plan.html"], ExitCode.USAGE, "no folder"),
        (["--at", "2026-03-02", "--html", "."], ExitCode.USAGE, "is a folder"),
    ],
)
def test_a_wrong_command_line_is_sent_back_with_a_remedy(file, capsys, arguments, code, said):
    assert run(["plan", str(file), *arguments]) == code
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--json", "--html"])
def test_no_output_ever_lands_on_the_record(file, capsys, option):
    assert run(["plan", str(file), "--at", "2026-03-02", option, str(file)]) == ExitCode.USAGE
    assert "would overwrite the record" in capsys.readouterr().err
    assert file.read_text(encoding="utf-8") == RECORD


def test_a_missing_file_is_said(tmp_path, capsys):
    assert run(["plan", str(tmp_path / "nobody.yaml"), "--at", "2026-03-02"]) == ExitCode.NOT_FOUND
    assert "nobody.yaml" in capsys.readouterr().err


def test_explain_prints_the_tree(file, capsys):
    assert run(["explain", str(file), "wearing_off", "--at", "2026-03-02"]) == ExitCode.OK
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Wearing-off: about 19 in 20")
    assert any(line.startswith("    · ") for line in lines)
    assert max(map(len, lines)) <= 80


def test_explain_lists_what_can_be_explained(file, capsys):
    assert run(["explain", str(file), "--at", "2026-03-02"]) == ExitCode.OK
    assert "shorter-21" in capsys.readouterr().out


def test_explain_of_an_unknown_name_proposes_the_nearest(file, capsys):
    assert run(["explain", str(file), "wearingoff", "--at", "2026-03-02"]) == ExitCode.USAGE
    said = capsys.readouterr().err
    assert "Did you mean wearing_off?" in said
    assert "What can be explained:" in said


def test_the_demo_writes_a_page_for_each_case_and_an_index(file, tmp_path, capsys):
    out = tmp_path / "out"
    assert run(["demo", "--cases", str(tmp_path), "--out", str(out)]) == ExitCode.OK
    assert {p.name for p in out.iterdir()} == {"heron.html", "index.html"}
    said = capsys.readouterr().out
    assert "1/1  heron  (2026-03-02" in said
    assert "index.html" in said


def test_the_demo_without_cases_says_where_they_are(tmp_path, capsys):
    assert run(["demo", "--cases", str(tmp_path)]) == ExitCode.NOT_FOUND
    assert "--cases FOLDER" in capsys.readouterr().err


def test_the_demo_plans_for_the_day_of_the_last_fact(file):
    from ranvier import record

    assert demo.last_day(record.read(file)[0]) == date(2026, 2, 20)
