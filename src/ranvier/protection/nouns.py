"""What an order check takes and gives: frozen, without formats."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ranvier.ground.findings import Finding
from ranvier.ground.notes import Question


@dataclass(frozen=True, slots=True)
class Order:
    """A drug or treatment that somebody is about to order.

    drug : its name or code as written; codes : further codes with the name of their system, e.g. ``ATC H02AB06``
    route : oral, inhaled, topical, intra-articular, … as in the record's schema; None: not said
    for_what : the reason in words; for_codes : ICD-10 codes of the reason; start : first day; None: the day of the check
    """

    drug: str
    codes: tuple[str, ...] = ()
    route: str | None = None
    for_what: str | None = None
    for_codes: tuple[str, ...] = ()
    start: date | None = None


@dataclass(frozen=True, slots=True)
class Drug:
    """What an order was understood to mean. atc : present code, None for what has none; route : if the name says it.

    was : the former ATC code that was written instead of the present one
    """

    name: str
    atc: str | None
    route: str | None = None
    was: str | None = None


@dataclass(frozen=True, slots=True)
class Support:
    """A claim that an alert stands on, with its certainty and the sources for and against it."""

    claim: str
    says: str
    certainty: str
    why: str
    supports: tuple[str, ...]
    against: tuple[str, ...]
    unverified: bool


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing to be said of an order.

    id : group and case, e.g. ``corticosteroids.other_illness``; it names the same alert in every version
    tier : danger (interrupts), warning (stands beside), information (waits)
    summary : one sentence of less than 140 characters; why, do, instead : sentences; do_not_stop : for a drug already taken
    because : what in this record and order led here; unless : exceptions that would change it
    support : the claims behind it; sources : exactly the ids it stands on; taken_since : if the record shows it is taken
    """

    id: str
    tier: str
    summary: str
    why: str
    do: str
    instead: str
    do_not_stop: str
    because: tuple[Finding, ...]
    unless: tuple[str, ...]
    support: tuple[Support, ...]
    sources: tuple[str, ...]
    unverified: tuple[str, ...]
    taken: bool = False


@dataclass(frozen=True, slots=True)
class OrderCheck:
    """The answer to one order: alerts, loudest first; or a question where it is not clear what is meant.

    quiet : why nothing is said where a rule was looked at and set aside; unknown : what the record does not say
    """

    order: Order
    at: date
    record: str
    knowledge: str
    drug: Drug | None
    alerts: tuple[Alert, ...] = ()
    question: Question | None = None
    quiet: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def sources(self) -> tuple[str, ...]:
        """Exactly the sources that the alerts used, sorted."""
        return tuple(sorted({source for alert in self.alerts for source in alert.sources}))
