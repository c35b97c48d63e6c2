"""An adverse event as it is understood, and where a lot has been."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ranvier.ground.findings import Finding
from ranvier.protection.nouns import Support


@dataclass(frozen=True, slots=True)
class DueTest:
    """A test after an event and the day on which to take it."""

    what: str
    on: date


@dataclass(frozen=True, slots=True)
class EventView:
    """One adverse event: what it is, how bad, which infusion came before, what made it likelier, what to do.

    kind : id in knowledge/safety/events.yaml, None where the words fit none; also : other kinds that the words fit
    grade : as recorded, None where nobody said; grade_means : its words; serious : grade 3 and more, or always reported
    related : possible (within the window after an infusion), unlikely (outside), unknown (no infusion recorded before it)
    product, lot : of the suspected infusion, as recorded with the event or read from the infusion before it
    """

    what: str
    on: date
    kind: str | None
    name: str
    also: tuple[str, ...]
    grade: int | None
    grade_means: str | None
    serious: bool
    related: str
    product: str | None
    lot: str | None
    given_on: date | None
    triggers: tuple[Finding, ...]
    tests: tuple[DueTest, ...]
    do: tuple[str, ...]
    support: tuple[Support, ...]
    sources: tuple[str, ...]
    unverified: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LotUse:
    """One infusion of a lot: who, when, how much, and what happened after it."""

    pseudonym: str
    record: str
    on: date
    product: str
    grams: float
    written: str
    events: tuple[EventView, ...]


@dataclass(frozen=True, slots=True)
class LotTrace:
    """Where a lot has been. near : lots that differ in one letter only, which may be slips of the pen."""

    lot: str
    uses: tuple[LotUse, ...]
    people: int
    grams: float
    products: tuple[str, ...]
    near: tuple[str, ...]
    without_lot: int  # infusions of the same products in which no lot is written
