"""Invented units of work for the tests of the executor: importable by workers, with a log of what was really done."""

import os
import signal
import time
from pathlib import Path

import numpy as np


def squares(first, last, log=None, pause=0.0):
    """Squares of a range of seeds; each call leaves one line in `log`."""
    time.sleep(pause)
    if log is not None:
        with open(log, "a", encoding="utf-8") as file:
            file.write(f"{first}\n")
    seeds = np.arange(first, last)
    return {"seed": seeds, "square": seeds**2, "file": np.array(["any name, any text: ä"])}


def die_once(first, last, flag):
    """Kill this very worker the first time, as a lack of memory would."""
    if not Path(flag).exists():
        Path(flag).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return squares(first, last)


def die_always():
    """Kill the worker each time."""
    os.kill(os.getpid(), signal.SIGKILL)


def objects():
    return {"bad": np.array([object()])}
