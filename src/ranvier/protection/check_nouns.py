"""A check before or during treatment, as it stands for one person on one day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ranvier.ground.findings import Finding
from ranvier.ground.truth import Truth
from ranvier.protection.nouns import Support


@dataclass(frozen=True, slots=True)
class Test:
    """A test to take. when : before | after_first; on : day of a recorded value that answers it, None where there is none."""

    what: str
    when: str
    on: date | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One check as it stands.

    state : open (never looked at), pending, clear, risk, due (looked at, and due again)
    risk : whether the risk is there: MET, NOT_MET, or UNKNOWN where nobody looked
    done, again : day of the last check and day on which it is due again
    mitigate : what to do where the risk is there or not excluded
    """

    id: str
    name: str
    state: str
    risk: Truth
    why: str
    mitigate: tuple[str, ...]
    tests: tuple[Test, ...]
    done: date | None
    again: date | None
    because: tuple[Finding, ...]
    support: tuple[Support, ...]
    sources: tuple[str, ...]
    unverified: tuple[str, ...]
