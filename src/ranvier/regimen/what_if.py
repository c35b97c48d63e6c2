"""What if we gave this instead? One regimen that somebody asks about, forecast and judged like every option."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise

from ranvier.estimation.courses import INTRAVENOUS, WEEK, InForce
from ranvier.estimation.nouns import Posterior
from ranvier.evidence.find import find_product
from ranvier.evidence.nouns import Knowledge
from ranvier.record.nouns import Record
from ranvier.regimen.candidates import Candidate, _candidate, _spread, amounts, pack_of
from ranvier.regimen.guard import Verdict, judge, largest_day
from ranvier.regimen.nouns import Aim, Option, Regimen
from ranvier.regimen.outcome import HOME, Outcome
from ranvier.regimen.propose import _looked_at, _outcome, asked_of
from ranvier.regimen.ranking import Asked
from ranvier.regimen.telling import option

NONE = "none"
MOST = 3.0  # doses beyond this part of the present grams per week are not offered


@dataclass(frozen=True, slots=True)
class Bench:
    """What a what-if needs, kept ready while somebody drags a slider; without the long series."""

    posterior: Posterior
    current: InForce | None
    record: Record
    aim: Aim
    at: date


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be asked for by one product and route: doses that whole vials add up to [g], and intervals [d]."""

    product: str
    route: str
    grams: tuple[float, ...]
    intervals: tuple[int, ...]


def bench(posterior: Posterior, current: InForce | None, record: Record, aim: Aim, *, at: date) -> Bench:
    """Everything a what-if needs; measured values are left out, as the posterior holds what they taught."""
    lean = replace(record, strength=(), examinations=(), conduction_studies=(), imaging=(), notes=())
    return Bench(posterior, current, lean, aim, at)


def choices(on: Bench, knowledge: Knowledge, product: str, route: str, interval_days: int) -> Choices:
    """Doses in whole vials around the present grams per week, and whole weeks between them.

    Raises
    ------
    ValueError : no such product, or it is not given by this route
    """
    found = find_product(product, knowledge)
    if found is None or route not in found.routes:
        raise ValueError(f"{product} is not given as {route}; choose another product or route")
    rules = knowledge.monitoring
    pack = pack_of(found.id, (), knowledge)
    weights = sorted(on.record.person.weights, key=lambda w: w.on)
    if on.current is not None:
        dose = on.current.grams_per_week * interval_days / WEEK
    elif weights:
        dose = rules["start_dose"].value * weights[-1].kg * interval_days / rules["start_interval"].value
    else:  # nobody weighed this person: a few vials, and the guardrails say what they cannot judge
        dose = max(pack.sizes)
    around = amounts(dose, pack.sizes)
    step = min((b - a for a, b in pairwise(around)), default=min(pack.sizes))
    top = MOST * dose
    grams = {round(n * step, 1) for n in range(1, math.floor(top / step) + 1)}
    weeks = 4 if route in HOME else math.floor(rules["look_ahead"].value / WEEK)
    return Choices(found.id, route, tuple(sorted(grams)), tuple(WEEK * n for n in range(1, weeks + 1)))


@dataclass(frozen=True, slots=True)
class Ready:
    """A bench with the present regimen already forecast: every question is compared with it."""

    question: Asked
    present: Candidate
    verdict: Verdict
    result: Outcome


def ready(on: Bench, knowledge: Knowledge) -> Ready:
    """Forecast the present regimen, once for all questions to come."""
    question = asked_of(on.posterior, on.current, on.record, knowledge, on.aim, at=on.at)
    present = _present(question)
    verdict = judge(present, on.current, knowledge, question.person, smallest=False)
    return Ready(question, present, verdict, _outcome(question, present, _weights(knowledge)))


def what_if(at: Ready, *, product: str, route: str, grams: float, interval_days: int) -> Option:
    """What this regimen would do: forecast, chance, limits. No grams: no treatment.

    Raises
    ------
    ValueError : no such product, not by this route, or numbers that are no regimen
    """
    question, knowledge = at.question, at.question.knowledge
    if not (math.isfinite(grams) and grams >= 0 and 1 <= interval_days <= knowledge.monitoring["horizon"].value):
        raise ValueError(f"{grams:g} g every {interval_days} days is no regimen")
    wanted = _wanted(question, product, route, grams, interval_days)
    judged, results = [(at.present, at.verdict)], [at.result]
    if wanted.id != at.present.id:
        judged.append((wanted, judge(wanted, question.current, knowledge, question.person, smallest=False)))
        results.append(_outcome(question, wanted, _weights(knowledge)))
    looked = _looked_at(question, judged, results)
    return option(question, looked, len(looked) - 1, None)


def _weights(knowledge: Knowledge) -> dict[str, float]:
    return {name: number.value for name, number in knowledge.loss.items()}


def _present(question: Asked) -> Candidate:
    """The regimen in force; without one, no treatment."""
    current = question.current
    if current is None:
        every = round(question.knowledge.monitoring["start_interval"].value)
        return Candidate("no_change", "no_change", Regimen(NONE, NONE, 0.0, (), 0, every), ())
    pack = pack_of(current.product, current.given, question.knowledge)
    every = max(round(current.interval_days), 1)
    return _candidate("no_change", "no_change", current.route, current.grams, every, pack, daily=current.daily)


def _wanted(question: Asked, product: str, route: str, grams: float, every: int) -> Candidate:
    current, knowledge = question.current, question.knowledge
    if grams == 0:
        return Candidate("reduce", "reduce", Regimen(NONE, NONE, 0.0, (), 0, every), ())
    found = find_product(product, knowledge)
    if found is None or route not in found.routes:
        raise ValueError(f"{product} is not given as {route}; choose another product or route")
    same = current is not None and route == current.route
    pack = pack_of(found.id, current.given if same and current and product == current.product else (), knowledge)
    most, _ = largest_day(knowledge.limits, question.person, INTRAVENOUS)
    days = 1
    if route == INTRAVENOUS:
        usual = current.usual_day if same and current is not None else most
        usual = usual if math.isfinite(usual) else grams
        most = max(most, usual)
        days = max(1, math.floor(grams / usual + 0.5), math.ceil(grams / most - 1e-9))
    daily = _spread(grams, days, most, pack) if route == INTRAVENOUS else (grams,)
    if same and current is not None and abs(grams - current.grams) < 1e-9:
        daily = current.daily
    action, kind = _action(current, route, grams, every)
    return _candidate(action, kind, route, grams, every, pack, daily=daily)


def _action(current: InForce | None, route: str, grams: float, every: int) -> tuple[str, str]:
    """What kind of step this is, and the kind under which guardrails know it."""
    if current is None:
        return "start", "start_dose"
    if route != current.route:
        return "switch_route", f"switch_{route}"
    more, less = grams > current.grams + 1e-9, grams < current.grams - 1e-9
    now = max(round(current.interval_days), 1)
    if every == now:
        return ("increase", "increase") if more else ("reduce", "reduce") if less else ("no_change", "no_change")
    if more or less:
        return "change_both", "more" if grams / every > current.grams / now else "less"
    return ("longer_interval",) * 2 if every > now else ("shorter_interval",) * 2
