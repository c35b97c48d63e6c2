"""Where nothing can be proposed: the last agreed regimen, or no advice, with the reason. Never a cruder formula."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from ranvier.estimation.courses import InForce, courses_of, in_force
from ranvier.evidence.nouns import Knowledge
from ranvier.ground.findings import Fact, Finding
from ranvier.record.decisions import last_agreed
from ranvier.record.nouns import Agreed, Record
from ranvier.regimen.nouns import Fallback, Regimen

DAYS = 3.0  # [d] an interval this close to the agreed one is the agreed one: weekends and holidays
NO_ADVICE = ("refusal.contradiction", "refusal.no_response", "refusal.never_treated")
"""Refusals after which even the last regimen is not advised: what holds is unknown, or what was given does not help."""


def contradictions(record: Record, current: InForce | None, knowledge: Knowledge, at: date) -> list[Finding]:
    """Where what was agreed and what was given do not agree, so that nobody can say which regimen is in force."""
    found = last_agreed(record)
    if found is None or current is None:
        return []
    decision, agreed = found
    rules = knowledge.monitoring
    # A decision takes effect with the next course; one course may still be the old one.
    since = [c for c in courses_of(record, rules) if decision.on < c.first <= at]
    if len(since) < int(rules["agreed_after"].value):
        return []
    grams = abs(current.grams - agreed.grams) > rules["same_weekly_grams"].value * agreed.grams
    tolerance = max(DAYS, rules["gap_tolerance"].value * agreed.interval_days)
    interval = abs(current.interval_days - agreed.interval_days) > tolerance
    if not (grams or interval or agreed.route != current.route):
        return []
    facts: dict[str, Fact] = {
        "agreed": _said(agreed),
        "on": decision.on.isoformat(),
        "given": f"{current.grams:g} g {current.route} / {current.interval_days:g} d",
        "n": len(since),
    }
    return [Finding("refusal.contradiction", facts, (Finding("help.say_which", status="design"),), status="design")]


def fall_back(
    record: Record,
    current: InForce | None,
    missing: Sequence[Finding],
    refusal: Sequence[Finding],
    at: date,
) -> Fallback:
    """What holds when nothing is proposed: as agreed last; else as really given; else no advice."""
    names = {finding.name for finding in refusal}
    why = tuple(Finding(f.name, f.facts, (), f.source, f.status) for f in refusal)
    stopped = tuple(finding for finding in missing if finding.name == "regimen.stale")
    if names & set(NO_ADVICE) or stopped:
        return Fallback(None, None, (Finding("fallback.no_advice", because=(*why, *stopped), status="design"),))
    found = last_agreed(record)
    if found is not None and found[0].on <= at:
        decision, agreed = found
        told: dict[str, Fact] = {"on": decision.on.isoformat(), "agreed": _said(agreed)}
        said = Finding("fallback.last_agreed", told, why, status="design")
        return Fallback(_regimen(agreed), decision.on, (said,))
    if current is not None:
        given = f"{current.grams:g} g {current.route} / {current.interval_days:g} d"
        said = Finding("fallback.as_given", {"given": given}, why, status="design")
        days = len(current.daily)
        regimen = Regimen(current.product, current.route, current.grams, (), days, max(round(current.interval_days), 1))
        return Fallback(regimen, None, (said,))
    return Fallback(None, None, (Finding("fallback.no_advice", because=why, status="design"),))


def _regimen(agreed: Agreed) -> Regimen:
    return Regimen(
        agreed.product, agreed.route, agreed.grams, (), agreed.days or 1, max(round(agreed.interval_days), 1)
    )


def _said(agreed: Agreed) -> str:
    return f"{agreed.grams:g} g {agreed.route} / {agreed.interval_days:g} d"


def fallback_without_fit(record: Record, knowledge: Knowledge, refusal: Sequence[Finding], at: date) -> Fallback:
    """The same where not even a fit was possible."""
    current = in_force(record, knowledge, at)
    if isinstance(current, InForce):
        return fall_back(record, current, (), refusal, at)
    return fall_back(record, None, current, refusal, at)
