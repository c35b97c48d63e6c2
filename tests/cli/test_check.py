"""The command line as a user meets it: the answer first, problems with remedies, an exit code by kind."""

import json
import subprocess
import sys

import pytest

from ranvier.cli.main import COMMANDS, run
from ranvier.ground.notes import ExitCode
from ranvier.record.structure import schema_text

SOUND = """ranvier_record: 1
invented: true
person: {pseudonym: heron, birth_year: 1968, weights: [{on: 2025-03-01, value: 75, unit: kg}]}
before: {kind: none}
infusions:
  - {product: Kiovig, dose: {value: 30, unit: g}, start: 2025-03-14, route: IV}
  - {product: Kiovig, dose: {value: 30, unit: g}, start: 2025-04-11, route: IV}
strength:
  - {id: grip-right, measure: grip, side: right, device: jamar, unit: kg, values: [[2025-03-10, 14.2], [2025-04-20, 15.0]]}
"""


@pytest.fixture
def sound(tmp_path):
    file = tmp_path / "heron.yaml"
    file.write_text(SOUND)
    return str(file)


@pytest.fixture
def broken(tmp_path):
    file = tmp_path / "broken.yaml"
    file.write_text(SOUND.replace("value: 30, unit: g", "value: 400, unit: g", 1).replace("side: right, ", ""))
    return str(file)


def test_a_sound_record_is_told_back(sound, capsys):
    assert run(["check", sound]) == ExitCode.OK
    out = capsys.readouterr().out
    assert out.startswith("This record can be used.")
    assert "2 in 2 courses, 2025-03-14 to 2025-04-11, about every 28 days" in out
    assert "grip right, jamar [kg], 2 values" in out
    assert "No IgG level." in out
    assert max(map(len, out.splitlines())) <= 80


def test_a_broken_record_lists_what_to_mend_on_stderr(broken, capsys):
    assert run(["check", broken]) == ExitCode.INPUT
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("broken.yaml cannot be used yet. 2 things to mend.")
    assert "infusions[0].dose (line 6)" in said.err
    assert "side: right" in said.err


def test_machines_get_the_same_as_json(sound, broken, capsys):
    assert run(["check", sound, "--json"]) == ExitCode.OK
    answer = json.loads(capsys.readouterr().out)
    assert (answer["usable"], answer["understood"]["infusions"]["n"], answer["problems"]) == (True, 2, [])
    assert run(["check", broken, "--json"]) == ExitCode.INPUT
    answer = json.loads(capsys.readouterr().out)
    assert (answer["usable"], answer["exit_code"]) == (False, 3)
    assert {p["severity"] for p in answer["problems"]} == {"mend"}


def test_a_file_that_is_not_there(capsys):
    assert run(["check", "nobody.yaml"]) == ExitCode.NOT_FOUND
    assert "nobody.yaml" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        (["chek", "x"], "Did you mean 'check'?"),
        (["heron.yaml"], "ranvier check heron.yaml"),
        (["check"], "Missing argument"),
    ],
)
def test_a_slip_on_the_command_line(line, hint, capsys):
    assert run(line) == ExitCode.USAGE
    assert hint in capsys.readouterr().err


def test_a_fault_of_ours_is_said_politely_and_traced_on_demand(sound, capsys, monkeypatch):
    def fail(*_):
        raise RuntimeError("out of order")

    monkeypatch.setattr("ranvier.record.read", fail)
    assert run(["check", sound]) == ExitCode.FAILED
    err = capsys.readouterr().err
    assert "a fault of the program, not of your file" in err
    assert "Traceback" not in err
    monkeypatch.setenv("RANVIER_DEBUG", "1")
    run(["check", sound])
    assert "Traceback" in capsys.readouterr().err


def test_the_schemas_are_printed_as_they_are_shipped(capsys):
    assert run(["schema", "record"]) == ExitCode.OK
    assert capsys.readouterr().out == schema_text()
    assert run(["schema", "assessment"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["$schema"].endswith("2020-12/schema")


def test_help_names_every_command_and_wakes_none():
    code = (
        "import sys; from ranvier.cli.main import run; run(['--help']); "
        "sys.exit(any(m in sys.modules for m in ('yaml', 'numpy', 'numba', 'jsonschema')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert all(f"\n  {name} " in done.stdout for name in COMMANDS)


def test_a_hostile_file_does_not_reach_the_screen(tmp_path, capsys):
    file = tmp_path / "x.yaml"
    file.write_text('ranvier_record: 1\nperson: {pseudonym: "\\e[2J\\a"}\n')
    run(["check", str(file)])
    assert "\x1b" not in capsys.readouterr().out


def test_examinations_and_nerve_studies_are_checked_as_well(tmp_path, capsys):
    """A muscle, a nerve and an amplitude that cannot be: told by check, not first by diagnose, and all at once."""
    file = tmp_path / "record.yaml"
    file.write_text(
        """
ranvier_record: 1
invented: true
person: {pseudonym: heron, birth_year: 1970}
before: {kind: unknown}
examinations:
  - {on: 2025-01-05, findings: [{muscle: nonsense, side: left, mrc: 3}]}
conduction_studies:
  - on: 2025-01-06
    limb_temperature: {value: 330, unit: Cel}
    nerves:
      - {nerve: vagus, side: left, kind: motor, sites: [{site: wrist, amplitude: {value: 8, unit: mV}}]}
      - nerve: median
        side: left
        kind: motor
        muscle: APB
        sites:
          - {site: wrist, amplitude: {value: 8000, unit: mV}}
          - {site: elbow, amplitude: {value: 7, unit: mV}}
""",
        "utf-8",
    )
    assert run(["check", str(file)]) == ExitCode.INPUT
    said = " ".join(capsys.readouterr().err.split())
    assert "'nonsense'" in said
    assert "'vagus'" in said
    assert "8000 mV cannot be" in said
    assert said.count("330 Cel cannot be") == 1
