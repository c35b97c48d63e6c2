"""Guardrails: what bounds a proposal, as data in knowledge/limits, applied to one candidate."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from ranvier.estimation.courses import INTRAVENOUS, WEEK, InForce
from ranvier.evidence.cautions import cautions
from ranvier.evidence.find import find_product
from ranvier.evidence.nouns import Knowledge, Limit
from ranvier.ground.findings import Fact, Finding
from ranvier.ground.truth import Truth
from ranvier.record.nouns import Record
from ranvier.record.signs import coded, named, runs, seen
from ranvier.regimen.candidates import Candidate
from ranvier.regimen.nouns import Guardrail, Option

MONTH = 365.25 / 12  # [d]
UNKNOWN = math.nan
STEPS = ("dose_step", "interval_step", "weekly_grams_step", "changes_at_once")
"""Limits on how much one decision may change: options beyond them are shown, not proposed."""


@dataclass(frozen=True, slots=True)
class Person:
    """What guardrails need to know of a person: weight [kg] or None, and the risks found in the record."""

    weight: float | None
    risks: tuple[Finding, ...]

    def has(self, risk: str) -> bool:
        """Whether this risk was found."""
        return any(finding.facts["risk"] == risk for finding in self.risks)


def person_of(record: Record, knowledge: Knowledge, at: date) -> Person:
    """Weight and risks as the record shows them on `at`."""
    weights = sorted(record.person.weights, key=lambda w: w.on)
    found = []
    for risk in knowledge.risks.values():
        age = None if risk.age_from is None else risk.age_from.value
        shown = seen(record, at, words=risk.words, icd10=risk.icd10, atc=risk.atc, age_from=age)
        if shown.truth is Truth.MET:
            facts: dict[str, Fact] = {"risk": risk.id, "signs": ", ".join(shown.signs), "says": risk.says}
            found.append(Finding("risk.present", facts, source=risk.source, status=risk.status))
    return Person(weights[-1].kg if weights else None, tuple(found))


def harmful(record: Record, knowledge: Knowledge, at: date) -> tuple[Finding, ...]:
    """Recorded drugs, still taken on `at`, that harm, do not help or disturb."""
    found = []
    for kind in (group for group in knowledge.drugs.values() if group.plan is not None):
        for drug in record.drugs:
            if (named(drug.name, kind.words) or coded(drug.code, kind.atc)) and runs(drug.start, drug.stop, at):
                facts: dict[str, Fact] = {"drug": drug.name, "why": kind.why, "instead": kind.instead}
                because = cautions(knowledge, f"drug.{kind.id}")
                found.append(Finding(f"drug.{kind.plan}", facts, because, source=kind.source, status=kind.status))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the guardrails say of one candidate.

    proposable : no absolute limit and no limit on one decision is exceeded
    """

    proposable: bool
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class _Case:
    """One candidate beside the present regimen."""

    candidate: Candidate
    current: InForce | None
    person: Person
    smallest: bool  # the smallest change of dose that vials allow


def largest_day(limits: Sequence[Limit], person: Person, route: str) -> tuple[float, bool]:
    """Most grams in one infusion day that all limits for this person allow, infinity where none applies.

    And whether that must hold for what the person is used to as well: an absolute limit, or one for a risk they have.
    """
    bounds, strictly = [math.inf], False
    for limit in limits:
        if limit.upper and _applies(limit, route, None, person):
            if limit.what == "grams_per_day":
                bounds.append(limit.number.value)
            elif limit.what == "grams_per_kg_day" and person.weight is not None:
                bounds.append(limit.number.value * person.weight)
            else:
                continue
            strictly |= limit.absolute or "risk" in limit.applies
    return min(bounds), strictly


def judge(
    candidate: Candidate, current: InForce | None, knowledge: Knowledge, person: Person, *, smallest: bool
) -> Verdict:
    """Every limit that applies to the candidate and is exceeded, cannot be checked, or says how to give it.

    Raises
    ------
    ValueError : knowledge/limits names a quantity that is not known here.
    """
    case = _Case(candidate, current, person, smallest)
    proposable, found = True, []
    for limit in knowledge.limits:
        if limit.what not in QUANTITIES:
            raise ValueError(f"limit {limit.id}: nothing here computes {limit.what!r}")
        if not _applies(limit, candidate.regimen.route, candidate.action, person):
            continue
        if candidate.known and limit.what in (*STEPS, "hold_cycles"):
            continue  # a step that failed may be taken back at once
        if limit.what in HOW_TO_GIVE:
            told = _how_to_give(limit, candidate, knowledge)
            found += [told] if told is not None else []
            continue
        value = QUANTITIES[limit.what](case)
        if value is None:
            continue
        if math.isnan(value):
            found.append(_said("limit.cannot_be_checked", limit, None))
            # Not known is not "within": what would be more than now must wait for the missing number.
            proposable &= not (limit.absolute and _more_than_now(limit.what, case))
        elif (value > limit.number.value + 1e-9) if limit.upper else (value < limit.number.value - 1e-9):
            name = "limit.absolute" if limit.absolute else "limit.recommended"
            if limit.what in STEPS:
                name = "limit.one_step"
            found.append(_said(name, limit, value))
            proposable &= not (limit.absolute or limit.what in STEPS)
    return Verdict(proposable, tuple(found))


def guardrails(
    candidate: Candidate,
    current: InForce | None,
    knowledge: Knowledge,
    person: Person,
    options: Sequence[Option],
) -> tuple[Guardrail, ...]:
    """The tightest limit on each quantity for this person, and whether it binds: the lowest of several wins."""
    case = _Case(candidate, current, person, smallest=False)
    groups: dict[tuple[str, bool], list[Limit]] = {}
    route = candidate.regimen.route
    for limit in knowledge.limits:
        if limit.what != "measured_basis" and _applies(limit, route, candidate.action, person):
            groups.setdefault((limit.what, limit.upper), []).append(limit)
    product = find_product(candidate.regimen.product, knowledge)
    if product is not None and product.top_rate is not None and route == INTRAVENOUS:
        top = Limit(
            f"{product.id}.top_rate", "ml_per_kg_hour", product.top_rate, False, True, {}, product.top_rate.where
        )
        groups.setdefault(("ml_per_kg_hour", True), []).append(top)
    touched = {str(f.facts["limit"]) for option in options for f in option.limited_by if "limit" in f.facts}
    found = []
    for (what, upper), limits in groups.items():
        first, *looser = sorted(limits, key=lambda one: (one.number.value if upper else -one.number.value, one.id))
        value = None if what in HOW_TO_GIVE else QUANTITIES[what](case)
        value = None if value is None or math.isnan(value) else value
        edge = first.number.value
        reached = value is not None and ((value >= edge - 1e-9) if upper else (value <= edge + 1e-9))
        found.append(
            Guardrail(
                what=what,
                id=first.id,
                bound=edge,
                unit=first.number.unit,
                upper=upper,
                absolute=first.absolute,
                value=value,
                binding=reached or any(one.id in touched for one in limits),
                why=first.why,
                beside=tuple(one.id for one in looser),
                source=first.number.source,
                status=first.number.status,
            )
        )
    return tuple(sorted(found, key=lambda one: (not one.binding, not one.absolute, one.what in STEPS, one.what)))


def _applies(limit: Limit, route: str, action: str | None, person: Person) -> bool:
    needed = dict(limit.applies)
    if "route" in needed and needed["route"] != route:
        return False
    if "action" in needed and needed["action"] != action:
        return False
    return "risk" not in needed or person.has(needed["risk"])


def _said(name: str, limit: Limit, value: float | None) -> Finding:
    facts: dict[str, Fact] = {
        "limit": limit.id,
        "what": limit.what,
        "value": value,
        "bound": limit.number.value,
        "unit": limit.number.unit,
        "at_most": limit.upper,
        "why": limit.why,
    }
    return Finding(name, facts, source=limit.number.source, status=limit.number.status)


def _how_to_give(limit: Limit, candidate: Candidate, knowledge: Knowledge) -> Finding | None:
    if limit.what == "ml_per_kg_hour" and candidate.regimen.route != INTRAVENOUS:
        return None
    said = _said("limit.how_to_give", limit, None)
    if limit.what == "ml_per_site":
        product = find_product(candidate.regimen.product, knowledge)
        if product is None or not candidate.daily:
            return said
        volume = max(candidate.daily) / product.concentration.value * 1000.0
        return Finding(
            "limit.sites",
            {**said.facts, "ml": volume, "sites": math.ceil(volume / limit.number.value)},
            source=said.source,
            status=said.status,
        )
    return said


def _per_kg(case: _Case, grams: float) -> float:
    return UNKNOWN if case.person.weight is None else grams / case.person.weight


def _more_than_now(what: str, case: _Case) -> bool:
    """Whether the candidate gives more than the present regimen in the quantity that a limit per kg is about."""
    candidate, current = case.candidate, case.current
    if current is None:
        return True
    now = {"grams_per_kg_course": current.grams, "grams_per_kg_day": max(current.daily)}
    then = {"grams_per_kg_course": candidate.regimen.grams, "grams_per_kg_day": _largest(case)}
    weekly = (candidate.grams_per_week, current.grams_per_week)
    return then.get(what, weekly[0]) > now.get(what, weekly[1]) + 1e-9


def _largest(case: _Case) -> float:
    return max(case.candidate.daily, default=0.0)


def _dose_step(case: _Case) -> float | None:
    """Change of the dose as a fraction; a change of interval alone has its own limit; one vial is always allowed."""
    current, regimen = case.current, case.candidate.regimen
    if current is None or case.smallest or abs(regimen.grams - current.grams) < 1e-9:
        return None
    if case.candidate.action == "switch_route":
        return None
    return abs(regimen.grams / current.grams - 1.0)


def _interval_step(case: _Case) -> float | None:
    if case.current is None or case.candidate.action == "switch_route":
        return None
    return abs(case.candidate.regimen.interval_days - round(case.current.interval_days))


def _weekly_step(case: _Case) -> float | None:
    """Change of the grams per week as a fraction."""
    if case.current is None:
        return None
    return abs(case.candidate.grams_per_week / case.current.grams_per_week - 1.0)


def _changes(case: _Case) -> float | None:
    if case.current is None or case.candidate.action == "switch_route":
        return None
    regimen = case.candidate.regimen
    dose = abs(regimen.grams - case.current.grams) > 1e-9
    return float(dose + (regimen.interval_days != round(case.current.interval_days)))


def _held(case: _Case) -> float | None:
    if case.current is None or case.candidate.action == "no_change":
        return None
    return float(case.current.held)


def _sc_ratio(case: _Case) -> float | None:
    if case.current is None or case.candidate.regimen.route == INTRAVENOUS:
        return None
    return case.candidate.grams_per_week / case.current.grams_per_week


def _interval(case: _Case) -> float | None:
    return None if case.candidate.regimen.grams == 0 else float(case.candidate.regimen.interval_days)


def _treated(quantity: Callable[[_Case], float]) -> Callable[[_Case], float | None]:
    """Limits on doses say nothing about a person without treatment."""
    return lambda case: None if case.candidate.regimen.grams == 0 else quantity(case)


HOW_TO_GIVE = ("ml_per_kg_hour", "ml_per_site", "sc_start")
"""Advice on the giving itself: nothing in a regimen can exceed it."""

QUANTITIES: dict[str, Callable[[_Case], float | None]] = {
    "grams_per_kg_course": _treated(lambda case: _per_kg(case, case.candidate.regimen.grams)),
    "grams_per_kg_week": _treated(lambda case: _per_kg(case, case.candidate.grams_per_week)),
    "grams_per_kg_month": _treated(lambda case: _per_kg(case, case.candidate.grams_per_week * MONTH / WEEK)),
    "grams_per_kg_day": _treated(lambda case: _per_kg(case, _largest(case))),
    "grams_per_day": _treated(_largest),
    "interval": _interval,
    "dose_step": _dose_step,
    "interval_step": _interval_step,
    "weekly_grams_step": _weekly_step,
    "changes_at_once": _changes,
    "hold_cycles": _held,
    "sc_ratio": _sc_ratio,
    "measured_basis": lambda case: None,  # judged for the proposal as a whole
    **dict.fromkeys(HOW_TO_GIVE, lambda case: None),
}
"""What each limit is held against; None: it says nothing about this candidate, not a number: it cannot be known."""
