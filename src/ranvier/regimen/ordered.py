"""An order of immunoglobulin held against the guardrails: the same limits that bound our own proposals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ranvier.estimation.courses import InForce, in_force
from ranvier.evidence.nouns import Knowledge
from ranvier.ground.findings import Finding
from ranvier.record.nouns import Record
from ranvier.regimen.candidates import Candidate
from ranvier.regimen.guard import HOW_TO_GIVE, STEPS, judge, person_of
from ranvier.regimen.nouns import Regimen

NEEDS_INTERVAL = ("grams_per_kg_week", "grams_per_kg_month", "interval", "sc_ratio", "hold_cycles", *STEPS)
"""Quantities that an order without an interval says nothing about."""


@dataclass(frozen=True, slots=True)
class Ordered:
    """Immunoglobulin as somebody is about to order it.

    grams : of one infusion day [g]; per_kg : the same by body weight [g/kg]. One of them may be None
    days : infusion days of one course
    interval_days : from the start of one course to the start of the next [d]; None: a single course, or not said
    route : IV, SC or fSCIg; None: not said
    """

    product: str
    grams: float | None
    per_kg: float | None
    days: int
    interval_days: float | None
    route: str | None


def exceeded(record: Record, ordered: Ordered, knowledge: Knowledge, at: date) -> tuple[Finding, ...]:
    """Every guardrail that the order exceeds or that cannot be checked, absolute ones first.

    Nothing is repaired: without grams, or without a weight for grams per kilogram, one finding says what is missing.
    """
    if ordered.route is None:
        return (Finding("order.no_route", {}),)
    person = person_of(record, knowledge, at)
    grams = ordered.grams
    if grams is None:
        if ordered.per_kg is None:
            return (Finding("order.no_dose", {}),)
        if person.weight is None:
            return (Finding("order.no_weight", {"per_kg": ordered.per_kg}),)
        grams = ordered.per_kg * person.weight
    present = in_force(record, knowledge, at)
    current = present if isinstance(present, InForce) else None
    interval = ordered.interval_days
    skipped = set(HOW_TO_GIVE) | (set(NEEDS_INTERVAL) if interval is None else set())
    regimen = Regimen(
        product=ordered.product,
        route=ordered.route,
        grams=grams * ordered.days,
        vials=(),
        days=ordered.days,
        interval_days=max(1, round(interval)) if interval is not None else 1,
    )
    switched = current is not None and current.route != ordered.route
    action = "switch_route" if switched else "order"
    candidate = Candidate(action, action, regimen, (grams,) * ordered.days)
    found = judge(candidate, current, knowledge, person, smallest=False).findings
    kept = [finding for finding in found if finding.facts.get("what") not in skipped]
    return tuple(sorted(kept, key=lambda finding: finding.name != "limit.absolute"))
