"""Problems of an input: all at once, each with its place, why, and what to write instead."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class ExitCode(enum.IntEnum):
    """What a command ended with, by kind, so that a script can tell them apart."""

    OK = 0
    FAILED = 1  # a fault of ours
    USAGE = 2  # the command line itself
    INPUT = 3  # the file has problems to mend
    QUESTION = 4  # something must be answered by a person first
    NOT_FOUND = 5  # no such file
    REFUSED = 6  # the input is sound, but the question cannot be answered from it


class Severity(enum.Enum):
    """Hard limits refuse; soft limits warn."""

    MEND = "mend"
    LOOK = "look at"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with an input.

    Attributes
    ----------
    place : where, as a path into the data, e.g. ``infusions[5].dose``
    what : what is wrong and why, one sentence
    remedy : what to write or do instead, one sentence
    severity : MEND refuses the input; LOOK keeps it and warns
    line : line of the file (from 1), where known
    """

    place: str
    what: str
    remedy: str
    severity: Severity = Severity.MEND
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """Something that only a person can answer; nothing is guessed.

    Attributes
    ----------
    key : stable name of the answer, e.g. ``date_order``
    place : where it arose
    ask : the question in words
    choices : allowed answers; empty if free
    because : what in the input made it ambiguous
    """

    key: str
    place: str
    ask: str
    choices: tuple[str, ...] = ()
    because: str = ""


class InputError(Exception):
    """An input that cannot be used; carries all its problems."""

    def __init__(self, title: str, problems: tuple[Problem, ...]) -> None:
        super().__init__(title)
        self.title = title
        self.problems = problems


def must_mend(problems: tuple[Problem, ...]) -> bool:
    """Whether at least one of the problems refuses the input."""
    return any(p.severity is Severity.MEND for p in problems)
