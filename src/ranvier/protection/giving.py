"""Immunoglobulin around a day, as far as the record shows it: whether it is given, when last, when next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from statistics import median

from ranvier.estimation.courses import Course, courses_of
from ranvier.evidence.nouns import Knowledge
from ranvier.ground.truth import Truth
from ranvier.record.nouns import Record
from ranvier.record.until import day_of

MOST_GAPS = 6  # a median of more gaps would look too far back


@dataclass(frozen=True, slots=True)
class Giving:
    """Immunoglobulin around a day.

    given : whether the person counts as treated; around : whether the day lies close to an infusion into a vein
    last : last day on which it was given; next : when it is due by its own rhythm, None where no rhythm shows
    grams_per_kg : of the largest course that still matters, None without a weight
    """

    given: Truth
    around: Truth
    last: date | None = None
    next: date | None = None
    route: str | None = None
    grams_per_kg: float | None = None


def giving(record: Record, knowledge: Knowledge, at: date) -> Giving:
    """What the record shows of immunoglobulin on `at`. Infusions planned for later days count as the next one."""
    within = knowledge.drug_numbers["given_within"].value
    window = timedelta(days=knowledge.drug_numbers["around_infusion"].value)
    courses = courses_of(record, knowledge.monitoring)
    past = [course for course in courses if course.first <= at]
    planned = [course for course in courses if course.first > at]
    if not past:
        return _from_before(record, at, within, planned[0].first if planned else None)
    last = past[-1]
    rhythm = _rhythm(past)
    due = planned[0].first if planned else (None if rhythm is None else last.first + timedelta(days=rhythm))
    given = Truth.MET if (at - last.last).days <= max(within, rhythm or 0) else Truth.NOT_MET
    near = [course for course in courses if course.route == "IV"]
    around = any(course.first - window <= at <= course.last + window for course in near)
    if not around and given is Truth.MET and last.route == "IV" and due is not None:
        around = abs(due - at) <= window
    weight = _weight(record, at)
    largest = max((c.grams for c in past if (at - c.last).days <= within), default=last.grams)
    return Giving(
        given=given,
        around=Truth.MET if around else Truth.NOT_MET,
        last=last.last,
        next=due if given is Truth.MET else None,
        route=last.route,
        grams_per_kg=None if weight is None else largest / weight,
    )


def _from_before(record: Record, at: date, within: float, due: date | None) -> Giving:
    """Without an infusion so far: what is told of the time before the record."""
    before = record.before
    if before.kind == "none":
        return Giving(Truth.NOT_MET, Truth.NOT_MET, next=due)
    if before.kind == "unknown":
        return Giving(Truth.UNKNOWN, Truth.UNKNOWN, next=due)
    weight = _weight(record, at)
    per_kg = None if weight is None or before.grams is None else before.grams / weight
    if before.last is None:
        return Giving(Truth.MET, Truth.UNKNOWN, next=due, route=before.route, grams_per_kg=per_kg)
    given = Truth.MET if (at - before.last).days <= within else Truth.NOT_MET
    return Giving(given, Truth.UNKNOWN, before.last, due, before.route, per_kg)


def _rhythm(courses: list[Course]) -> int | None:
    """Median days from one course to the next, of the last ones; None before the second."""
    gaps = [(later.first - earlier.first).days for earlier, later in pairwise(courses)][-MOST_GAPS:]
    return round(median(gaps)) if gaps else None


def _weight(record: Record, at: date) -> float | None:
    """The last weight on or before a day, else the first after it [kg]."""
    weights = sorted(record.person.weights, key=lambda w: w.on)
    earlier = [w for w in weights if w.on <= at]
    return earlier[-1].kg if earlier else weights[0].kg if weights else None


def last_day(record: Record) -> date | None:
    """The last day on which immunoglobulin was given, as recorded."""
    return max((day_of(i.start) for i in record.infusions), default=record.before.last)
