"""The record as it stood on a day: facts after that day are left out, and counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from typing import TypeVar

from ranvier.ground.findings import Finding
from ranvier.record.digest import digest
from ranvier.record.nouns import Decision, Event, Record, StrengthSeries, When

T = TypeVar("T")


def day_of(when: When) -> date:
    """The calendar day of a time, in the time's own zone."""
    return when.date() if isinstance(when, datetime) else when


def until(record: Record, at: date) -> tuple[Record, tuple[Finding, ...]]:
    """The record with only the facts of `at` and before, and a finding that counts what was left out.

    The digest stays that of the full record, so that the answer still names the file it was made from. A series whose
    every value lies later keeps its place with no values: a floor may be stated on it.
    """
    left_out = dict.fromkeys(("infusions", "igg", "strength", "other"), 0)

    def kept(kind: str, facts: Iterable[tuple[When | None, T]]) -> tuple[T, ...]:
        every = list(facts)
        now = tuple(fact for when, fact in every if when is None or day_of(when) <= at)
        left_out[kind] += len(every) - len(now)
        return now

    def shortened(series: StrengthSeries) -> StrengthSeries:
        return replace(series, values=kept("strength", ((v.at, v) for v in series.values)))

    then = replace(
        record,
        person=replace(record.person, weights=kept("other", ((w.on, w) for w in record.person.weights))),
        infusions=kept("infusions", ((i.start, i) for i in record.infusions)),
        igg=kept("igg", ((level.at, level) for level in record.igg)),
        strength=tuple(shortened(series) for series in record.strength),
        drugs=kept("other", ((d.start, d) for d in record.drugs)),
        blood_tests=kept("other", ((t.at, t) for t in record.blood_tests)),
        conditions=kept("other", ((c.since, c) for c in record.conditions)),
        history=replace(record.history, signs=kept("other", ((s.on, s) for s in record.history.signs))),
        investigations=kept("other", ((s.on, s) for s in record.investigations)),
        events=kept("other", ((e.on, _so_far(e, at)) for e in record.events)),
        decisions=kept("other", ((d.on, _unjudged(d, at)) for d in record.decisions)),
        allergies=kept("other", ((a.on, a) for a in record.allergies)),
        immunisations=kept("other", ((v.on, v) for v in record.immunisations)),
        adverse_events=kept("other", ((e.on, e) for e in record.adverse_events)),
        safety_checks=kept("other", ((c.on, c) for c in record.safety_checks)),
    )
    n = sum(left_out.values())
    if n == 0:
        return then, ()
    return then, (Finding("record.later_facts_ignored", {"at": at.isoformat(), "n": n, **left_out}),)


def before_decision(record: Record, at: date) -> Record:
    """The record as it stood when a decision of `at` was taken: facts up to that day, decisions of earlier days only.

    Its digest is its own: the same facts give the same digest whatever was written down later.
    """
    then, _ = until(record, at)
    then = replace(then, decisions=tuple(d for d in then.decisions if d.on < at))
    return replace(then, digest=digest(then))


def _so_far(event: Event, at: date) -> Event:
    """The end of an event is not known before it came."""
    return event if event.until is None or event.until <= at else replace(event, until=None)


def _unjudged(decision: Decision, at: date) -> Decision:
    """What came of a decision is not known before it was judged."""
    return decision if decision.outcome is None or decision.outcome.on <= at else replace(decision, outcome=None)
