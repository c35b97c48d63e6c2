"""What a table gave: facts with their places, and the fate of every row. Nothing read is lost without a name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

When = date | datetime


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact in the record's file format (times still as dates), with the rows it came from.

    kind : ``infusion``, ``igg``, ``strength``, ``weight``, ``blood_test``, ``drug`` or ``note``
    series : side, device, unit and place of a strength value
    """

    kind: str
    when: When | None
    data: dict[str, Any]
    lines: tuple[int, ...]
    place: str
    series: tuple[str | None, str | None, str, str | None] | None = None


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one row.

    end : ``used``, ``note``, ``blank``, ``title``, ``heading``, ``total``, ``copy``, ``left out``, ``other person`` or ``open``
    """

    line: int
    end: str
    why: str = ""


@dataclass(slots=True)
class Sheet:
    """All that one table (or one bundle) gave."""

    name: str
    kind: str
    encoding: str
    delimiter: str
    columns: tuple[tuple[str, str], ...]
    facts: list[Fact] = field(default_factory=list)
    fates: dict[int, Fate] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    infusion_notes: list[tuple[date, int, str]] = field(default_factory=list)
    rest: Mapping[str, Any] = field(default_factory=dict)  # parts of a record that no table holds, in its file format
    rest_at: str = ""

    def end(self, line: int, end: str, why: str = "") -> None:
        """Note what became of a row. A row that gave a fact stays used."""
        if line in self.fates and self.fates[line].end in ("used", "note") and end in ("blank", "used"):
            return
        self.fates[line] = Fate(line, end, why)

    def count(self, *ends: str) -> int:
        """How many rows ended so."""
        return sum(1 for f in self.fates.values() if f.end in ends)


def day(when: When) -> date:
    """The calendar day."""
    return when.date() if isinstance(when, datetime) else when
