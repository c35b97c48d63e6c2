"""The front door: what its first page shows can be typed as it stands, and a failing disk is no fault of the program."""

import re
from pathlib import Path

import pytest

from ranvier.cli.main import run

FULL = Path("/dev/full")
CASE = Path(__file__).parents[2] / "cases" / "naive-responder.yaml"


def test_the_first_page_of_help_shows_commands_that_could_be_typed(capsys):
    run(["--help"])
    shown = [
        line.split("  ")[0] for line in re.findall(r"^ +ranvier ((?:\S+ ?)+?)(?:  .*)?$", capsys.readouterr().out, re.M)
    ]
    assert any(line.startswith("import") and "--into" in line for line in shown)


@pytest.mark.skipif(not FULL.exists(), reason="this system has no device that is always full")
def test_a_full_disk_is_named_and_no_fault_of_the_program(capsys):
    """Nothing more can be written: the person is told where, not asked to report a fault."""
    code = run(["plan", str(CASE), "--at", "2025-05-25", "--json", str(FULL)])
    said = capsys.readouterr().err
    assert code == 5
    assert "No space left" in said
    assert "fault of the program" not in said


def test_a_folder_given_as_a_table_is_named(tmp_path, capsys):
    code = run(["import", str(tmp_path), "--into", str(tmp_path / "x.yaml")])
    said = capsys.readouterr().err
    assert code == 3
    assert "Is a directory" in said
    assert "Errno" not in said
