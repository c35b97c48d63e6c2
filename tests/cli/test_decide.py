"""`ranvier decide`, `outcome`, `log`, `replay`, `backtest`, `form`, as a person at a terminal meets them."""

import json
from pathlib import Path

import pytest

from ranvier.cli.main import run
from ranvier.ground.notes import ExitCode

CASE = Path(__file__).parents[2] / "cases" / "grip-only-no-igg.yaml"


@pytest.fixture(scope="module")
def answer_day():
    import yaml

    return yaml.safe_load((CASE.parent / "answers" / CASE.name).read_text("utf-8"))["at"].isoformat()


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "heron.yaml"
    path.write_text(CASE.read_text("utf-8"), encoding="utf-8")
    return path


def test_a_decision_goes_into_the_file_and_comes_out_of_the_log_the_replay_and_the_form(file, answer_day, capsys):
    refuse = ["decide", str(file), "refuse", "--at", answer_day, "--reason", "person_prefers", "--by", "neurologist"]
    assert run(refuse) == ExitCode.OK
    assert run([*refuse, "--note", "another"]) == ExitCode.INPUT  # once a day
    assert run(["log", str(file)]) == ExitCode.OK
    assert "refused (person prefers)" in capsys.readouterr().out
    assert run(["replay", str(file), "--json"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)[0]["same"] is True
    assert run(["outcome", str(file), answer_day, "unclear", "--at", "2026-12-01"]) == ExitCode.OK
    assert run(["log", str(file), "--json"]) == ExitCode.OK
    out = capsys.readouterr().out
    assert json.loads(out[out.index("[") :])[0]["outcome"]["result"] == "unclear"


def test_a_change_without_dose_is_refused_and_the_file_is_untouched(file, answer_day, capsys):
    before = file.read_bytes()
    assert run(["decide", str(file), "change", "--at", answer_day, "--reason", "supply"]) == 2
    assert run(["decide", str(file), "change", "--dose", "-5", "--at", answer_day, "--reason", "supply"]) == 2
    assert run(["decide", str(file), "change", "--dose", "nan", "--at", answer_day, "--reason", "supply"]) == 2
    assert run(["decide", str(file), "refuse", "--override", "dose_step", "--reason", "supply"]) == 2
    assert file.read_bytes() == before
    assert "dose_step=urgent" in capsys.readouterr().err


def test_an_outcome_without_its_decision_names_those_there_are(file, capsys):
    assert run(["outcome", str(file), "2025-01-01", "success", "--at", "2025-02-01"]) == 2
    assert "Decisions: none" in capsys.readouterr().err


def test_a_replay_without_a_log_says_so(file, capsys):
    assert run(["replay", str(file)]) == ExitCode.REFUSED
    assert "holds no decision yet" in capsys.readouterr().err


def test_a_look_back_in_json_has_one_entry_a_day_and_a_picture(file, tmp_path, capsys):
    svg = tmp_path / "past.svg"
    assert run(["backtest", str(file), "--every", "4", "--json", "--svg", str(svg)]) == ExitCode.OK
    found = json.loads(capsys.readouterr().out)
    assert [d["on"] for d in found["days"]] == sorted(d["on"] for d in found["days"])
    assert svg.read_text("utf-8").startswith("<svg")


def test_a_look_back_before_the_third_course_is_refused(file, capsys):
    assert run(["backtest", str(file), "--until", "2000-01-01"]) == ExitCode.REFUSED
    assert "No decision day" in capsys.readouterr().err


def test_the_forms_there_are_are_listed_and_a_wrong_name_is_answered_with_them(file, capsys):
    assert run(["form", "list"]) == ExitCode.OK
    assert "nhs_england" in capsys.readouterr().out
    assert run(["form", "nowhere", str(file)]) == 2
    assert "nhs_england" in capsys.readouterr().err


def test_the_reasons_of_the_command_are_those_of_the_record():
    from ranvier.cli.decide import REASONS, RESULTS
    from ranvier.record.structure import schema

    fields = schema()["properties"]["decisions"]["items"]["properties"]
    assert list(REASONS) == fields["reason"]["enum"]
    assert list(RESULTS) == fields["outcome"]["properties"]["result"]["enum"]
