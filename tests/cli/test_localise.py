"""`ranvier localise`, as it is used."""

import json

import pytest

from ranvier.cli.main import run
from ranvier.ground.notes import ExitCode

TABLE = "muscle,left,right\nFDI,3,5\nADM,4,5\nbiceps,3,5\nEDC,5,2\nEPL,5,4\nECRL,5,5\nAPB,5,5\nTA,3,5\nquadriceps,5,5\n"
RECORD = """
ranvier_record: 1
invented: true
person: {pseudonym: test}
examinations:
- on: 2025-01-10
  findings:
  - {muscle: FDI, side: right, mrc: 5}
- on: 2025-03-14
  findings:
  - {muscle: FDI, side: right, mrc: 2}
  - {muscle: ADM, side: right, mrc: "4-"}
"""


@pytest.fixture
def table(tmp_path):
    file = tmp_path / "hand.csv"
    file.write_text(TABLE)
    return file


def test_the_answer_first(table, capsys):
    assert run(["localise", str(table)]) == ExitCode.OK
    out = capsys.readouterr().out
    assert out.startswith("Most likely multiple mononeuropathy")
    assert all(len(line) <= 80 for line in out.splitlines())
    for words in ("Nerves", "Explanations", "Asymmetry", "What would tell most next", "no diagnosis"):
        assert words in out


def test_for_machines_and_as_a_picture(table, tmp_path, capsys):
    svg = tmp_path / "body.svg"
    assert run(["localise", str(table), "--json", "--svg", str(svg)]) == ExitCode.OK
    data = json.loads(capsys.readouterr().out)
    found = data["localisation"]
    assert {"site", "name", "nerve", "side", "probability", "because"} == set(found["sites"][0])
    assert {"name", "probability", "bayes_factor"} <= set(found["explanations"][0])
    assert len(found["next"]) == 3
    assert svg.read_text().startswith("<svg")


def test_the_latest_examination_of_a_record_or_the_one_asked_for(tmp_path, capsys):
    file = tmp_path / "heron.yaml"
    file.write_text(RECORD)
    assert run(["localise", str(file), "--json"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["examination"]["on"] == "2025-03-14"
    assert run(["localise", str(file), "--on", "2025-01-10", "--json"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["examination"]["findings"][0]["mrc"] == "5"
    assert run(["localise", str(file), "--on", "2024-01-01"]) == ExitCode.REFUSED
    assert "2025-01-10, 2025-03-14" in capsys.readouterr().err


def test_faults_are_said_all_at_once(tmp_path, capsys):
    file = tmp_path / "bad.csv"
    file.write_text("muscle,side,mrc\nFDJ,right,4\nADM,up,4\nAPB,left,7\n")
    assert run(["localise", str(file)]) == ExitCode.INPUT
    err = capsys.readouterr().err
    assert "3 things to mend" in err
    assert "Did you mean" in err
    assert run(["localise", str(file), "--json"]) == ExitCode.INPUT
    assert len(json.loads(capsys.readouterr().out)["problems"]) == 3


def test_no_file_no_folder_no_day(tmp_path, capsys):
    assert run(["localise", str(tmp_path / "gone.csv")]) == ExitCode.NOT_FOUND
    assert run(["localise"]) == ExitCode.USAGE
    file = tmp_path / "x.csv"
    file.write_bytes(b"\xff\xfe\x00")
    assert run(["localise", str(file)]) == ExitCode.INPUT
    file.write_text(TABLE)
    assert run(["localise", str(file), "--on", "soon"]) == ExitCode.USAGE
    assert "year-month-day" in capsys.readouterr().err


def test_names_can_be_looked_up(capsys):
    assert run(["localise", "--muscles"]) == ExitCode.OK
    out = capsys.readouterr().out
    assert "FDI" in out
    assert "finger extensors" in out
