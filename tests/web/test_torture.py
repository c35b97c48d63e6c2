"""Killed in the middle of a write: nothing acknowledged is lost, nothing is half-written. `make torture` does it 100 times."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_a_writer_killed_four_times_loses_nothing():
    done = subprocess.run(
        [sys.executable, "-m", "tests.web.torture", "--times", "4", "--seed", "3"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert "faults: none" in done.stdout, done.stdout + done.stderr
    assert " 4 times, 0 writes" not in done.stdout
