"""The server killed while people save: nothing acknowledged is lost, nothing half-written. `make torture`: 100 times."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_a_server_killed_twice_while_people_save_loses_nothing():
    done = subprocess.run(
        [sys.executable, "-m", "tests.web.torture", "--times", "2", "--seed", "3"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert "faults: none" in done.stdout, done.stdout + done.stderr
    assert " 2 times, 0 saved" not in done.stdout
