"""`ranvier conduction` as a neurologist meets it: the answer first, each rule beside the others, what would settle it."""

import json

import pytest

from ranvier.cli.main import run
from ranvier.ground.notes import ExitCode

STUDY = """Temp: 33 °C
nerve,side,muscle,site,latency (ms),amplitude (mV),area (mVms),duration (ms),distance (mm)
median,left,APB,wrist,3.4,8.0,24.0,5.0,70
median,left,APB,elbow,7.8,3.2,9.6,5.5,220
ulnar,left,ADM,wrist,2.8,9.0,27.0,5.0,70
ulnar,left,ADM,below elbow,6.4,2.0,6.0,5.2,210
"""


@pytest.fixture
def study(tmp_path):
    file = tmp_path / "study.csv"
    file.write_text(STUDY)
    return str(file)


def test_the_answer_comes_first(study, capsys):
    assert run(["conduction", study]) == ExitCode.OK
    text = capsys.readouterr().out
    first = text.split("\n\n")[0]
    assert first.startswith("Block by EFNS/PNS 2010: left median, wrist to elbow (definite)")
    words = " ".join(text.split())
    assert "area fall 60 % (≥ 50 %: met)" in words
    assert "AAEM 1999/2003 definite" in words
    assert "if a Martin-Gruber crossing is excluded" in words
    assert "Record from the same muscle (ADM)" in words
    assert "were not read in their source" in words
    assert all(len(line) <= 80 for line in text.splitlines())


def test_for_machines(study, capsys):
    assert run(["conduction", study, "--json"]) == ExitCode.OK
    data = json.loads(capsys.readouterr().out)
    (found,) = data["studies"]
    median = found["segments"][0]
    assert (median["nerve"], median["side"], median["from"], median["to"]) == ("median", "left", "wrist", "elbow")
    assert median["area_change"] == -0.6
    assert median["verdicts"]["efns2010"]["class"] == "definite"
    criteria = {c["id"]: c for c in median["verdicts"]["efns2010"]["criteria"]}
    assert criteria["definite.area_fall"]["value"] == 0.6
    assert criteria["definite.area_fall"]["source"]


def test_a_table_that_cannot_be_used(tmp_path, capsys):
    file = tmp_path / "study.csv"
    file.write_text("nerve,side,site,amplitude,kind\nmedian,left,wrist,8,motor\ntail,left,elbow,3,motor\n")
    assert run(["conduction", str(file)]) == ExitCode.INPUT
    text = capsys.readouterr().err
    assert "3 things to mend" in text
    assert "has no unit" in text
    assert "'tail' is no nerve" in text
    assert run(["conduction", str(file), "--json"]) == ExitCode.INPUT
    assert json.loads(capsys.readouterr().out)["usable"] is False


def test_no_such_file(capsys):
    assert run(["conduction", "nowhere.csv"]) == ExitCode.NOT_FOUND
    assert run(["conduction", "nowhere.yaml"]) == ExitCode.NOT_FOUND
    assert run(["conduction", "nowhere.abf"]) == ExitCode.NOT_FOUND
    assert "nowhere.csv" in capsys.readouterr().err


def test_another_laboratory_s_limits(study, tmp_path, capsys):
    assert run(["conduction", study, "--reference", "jnnd"]) == ExitCode.OK
    assert "jnnd" in capsys.readouterr().out
    assert run(["conduction", "--show-reference"]) == ExitCode.OK
    own = tmp_path / "own.yaml"
    own.write_text(capsys.readouterr().out.replace("id: chen2016", "id: own"))
    assert run(["conduction", study, "--reference", str(own)]) == ExitCode.OK
    assert "own: " in capsys.readouterr().out
    own.write_text("entries: 5")
    assert run(["conduction", study, "--reference", str(own)]) == ExitCode.INPUT


def test_a_picture(study, tmp_path, capsys):
    assert run(["conduction", study, "--svg", str(tmp_path / "nerves.svg")]) == ExitCode.OK
    assert (tmp_path / "nerves.svg").read_text().startswith("<svg")


def test_a_record_with_studies_and_one_without(tmp_path, capsys):
    file = tmp_path / "heron.yaml"
    head = "ranvier_record: 1\nperson: {pseudonym: heron}\nbefore: {kind: none}\n"
    sites = "sites: [{site: wrist, amplitude: {value: 8, unit: mV}}, {site: elbow, amplitude: {value: 3, unit: mV}}]"
    file.write_text(
        head
        + f"conduction_studies:\n  - on: 2025-03-14\n    nerves: [{{nerve: median, side: left, kind: motor, {sites}}}]\n"
    )
    assert run(["conduction", str(file)]) == ExitCode.OK
    text = capsys.readouterr().out
    assert "Study of 2025-03-14" in text
    assert "Only amplitude was reported" in text
    file.write_text(head)
    assert run(["conduction", str(file)]) == ExitCode.REFUSED


def test_every_criterion_on_request(study, capsys):
    run(["conduction", study])
    short = capsys.readouterr().out
    run(["conduction", study, "--all"])
    assert len(capsys.readouterr().out) >= len(short)
