"""`ranvier fit` and `ranvier model` as a pharmacometrician meets them."""

import json

import pytest

from ranvier.cli.main import run
from ranvier.ground.notes import ExitCode

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
