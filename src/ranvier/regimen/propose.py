"""What could we do, and what would it do? All options side by side; one is proposed, or it is said why none is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import numpy.typing as npt

from ranvier.estimation.courses import InForce
from ranvier.estimation.nouns import Basis, FloatArray, Posterior
from ranvier.estimation.predict import as_value
from ranvier.evidence.cautions import cautions
from ranvier.evidence.nouns import Knowledge
from ranvier.ground.findings import Fact, Finding
from ranvier.record.nouns import Record
from ranvier.regimen.candidates import Candidate, candidates, starts
from ranvier.regimen.guard import Person, Verdict, harmful, judge, largest_day, person_of
from ranvier.regimen.nouns import Aim, Limits, Option, Proposal
from ranvier.regimen.outcome import HOME, Outcome, forecasts, laid_out, outcome, run, step_sizes

ERRORS = 2.0  # Monte-Carlo standard errors of a paired difference within which two options are ties
FEW_DRAWS = 50  # a model with fewer draws is not asked for its own choice
HOURS = 24.0
ADVICE = ("limit.how_to_give", "limit.sites")
"""What stands beside an option without limiting it."""
ORDER = (
    "no_change",
    "reduce",
    "longer_interval",
    "spread",
    "start_course",
    "start_dose",
    "increase",
    "shorter_interval",
    "switch_SC",
    "switch_fSCIg",
    "switch_IV",
    "shorter_same_total",
    "longer_same_total",
    "more",
    "less",
)
"""Kinds of options in the order in which the best of each is shown."""

Facts = dict[str, Fact]


@dataclass(frozen=True, slots=True)
class _Looked:
    """A candidate after everything about it was looked at.

    eligible : it may be proposed; allowed : the guardrails alone would allow it
    """

    candidate: Candidate
    result: Outcome
    eligible: bool
    allowed: bool
    limited_by: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class _Ranking:
    """best: least expected loss among the eligible; ties: not distinguishable from it; chosen: the tie preferred."""

    best: int
    ties: frozenset[int]
    chosen: int


def propose(
    posterior: Posterior,
    current: InForce | tuple[Finding, ...],
    record: Record,
    knowledge: Knowledge,
    aim: Aim,
    *,
    at: date,
    limits: Limits | None = None,
) -> Proposal:
    """Options with forecast, grams, limits and reasons; exactly one is proposed unless `refusal` says why none.

    Options are ranked by posterior expected loss, with common draws. Differences within the Monte-Carlo error are ties;
    among ties no change comes first, then fewer grams. No change, less and a longer interval are always among them.

    Raises
    ------
    ValueError : a weight or a limit names a quantity that is not known.
    """
    limits = limits or Limits()
    in_force = current if isinstance(current, InForce) else None
    person = person_of(record, knowledge, at)
    weights = {name: number.value for name, number in knowledge.loss.items()} | dict(limits.weights)
    found, said = _found(in_force, record, knowledge, person)
    judged = _worth_a_look(found, in_force, knowledge, person)
    outcomes = _outcomes(
        posterior, [candidate for candidate, _ in judged], in_force, knowledge, person, aim, weights, at
    )
    looked = _looked_at(judged, outcomes, in_force, record, knowledge, aim)
    refusal = _refusal(posterior, current, record, knowledge, aim, looked)
    rank = _rank(looked, _distinct(posterior), slice(None)) if not refusal else None
    shown = _shown(looked, rank, limits.shown)
    now = outcomes[0]
    options = tuple(_option(posterior, looked[i], now, rank, i, knowledge, aim, person) for i in shown)
    findings = _findings(posterior, looked, rank, in_force, knowledge, aim, person, limits, said)
    findings += harmful(record, knowledge, at)
    regimen = found[0].regimen if in_force is not None else None
    return Proposal(regimen, options, refusal, tuple(sorted(weights.items())), findings)


def _found(
    current: InForce | None, record: Record, knowledge: Knowledge, person: Person
) -> tuple[tuple[Candidate, ...], tuple[Finding, ...]]:
    used = list(dict.fromkeys(infusion.product for infusion in reversed(record.infusions)))
    most = largest_day(knowledge.limits, person, "IV")
    if current is None:
        return starts(person.weight, knowledge, used=used, largest_day=most)
    routes = record.goals.routes
    return candidates(current, knowledge, routes=routes, used=used, limits=knowledge.limits, largest_day=most)


def _outcomes(
    posterior: Posterior,
    found: Sequence[Candidate],
    current: InForce | None,
    knowledge: Knowledge,
    person: Person,
    aim: Aim,
    weights: Mapping[str, float],
    at: date,
) -> list[Outcome]:
    horizon = round(knowledge.monitoring["horizon"].value)
    burden = knowledge.monitoring["single_course"].value
    length = _length(current, knowledge)
    made = []
    for candidate in found:
        plan = laid_out(candidate, current, at, horizon)
        per_kg = None if person.weight is None else candidate.regimen.grams / person.weight
        made.append(
            outcome(
                posterior,
                plan,
                run(posterior, plan, length),
                floor=aim.floor,
                weights=weights,
                course_per_kg=per_kg,
                burden_from=burden,
                steps=step_sizes(candidate, current),
                other_route=candidate.action == "switch_route",
            )
        )
    return made


def _length(current: InForce | None, knowledge: Knowledge) -> float:
    if current is not None and current.length is not None:
        return current.length
    return knowledge.composite.constants["hours_of_infusion"].value / HOURS


def _worth_a_look(
    found: Sequence[Candidate], current: InForce | None, knowledge: Knowledge, person: Person
) -> list[tuple[Candidate, Verdict]]:
    """What the guardrails let through, and the first of each kind even where they do not: it is shown with its limit."""
    first = {candidate.kind: candidate for candidate in reversed(found)}
    judged = []
    for candidate in found:
        smallest = candidate.kind in ("reduce", "increase") and candidate is first[candidate.kind]
        verdict = judge(candidate, current, knowledge, person, smallest=smallest)
        if verdict.proposable or candidate is first[candidate.kind]:
            judged.append((candidate, verdict))
    return judged


def _looked_at(
    judged: Sequence[tuple[Candidate, Verdict]],
    outcomes: Sequence[Outcome],
    current: InForce | None,
    record: Record,
    knowledge: Knowledge,
    aim: Aim,
) -> list[_Looked]:
    looked = []
    for (candidate, verdict), result in zip(judged, outcomes, strict=True):
        own = _own_limits(candidate, result, outcomes[0], current, record, knowledge, aim)
        eligible = verdict.proposable and not own
        looked.append(_Looked(candidate, result, eligible, verdict.proposable, (*own, *verdict.findings)))
    return looked


def _own_limits(
    candidate: Candidate,
    result: Outcome,
    now: Outcome,
    current: InForce | None,
    record: Record,
    knowledge: Knowledge,
    aim: Aim,
) -> tuple[Finding, ...]:
    """What keeps this candidate from being proposed to this person, beyond the guardrails."""
    rules, found = knowledge.monitoring, []
    goals, regimen = record.goals, candidate.regimen
    if current is None:
        return ()
    if goals.routes is not None and regimen.route not in goals.routes:
        found.append(Finding("goal.route", {"route": regimen.route, "accepted": ", ".join(goals.routes)}))
    if candidate.action == "no_change":
        return tuple(found)
    if not candidate.fits:
        found.append(Finding("vials.do_not_fit", {"grams": regimen.grams, "product": regimen.product}))
    most = goals.max_visits_per_year
    if most is not None and result.visits > max(most, now.visits) + 1e-9:
        found.append(Finding("goal.visits", {"visits": result.visits, "bound": most}))
    less = candidate.grams_per_week < now.plan.candidate.grams_per_week - 1e-9
    longer = regimen.route == current.route and regimen.interval_days > now.plan.candidate.regimen.interval_days
    if less or longer:
        found += _unsafe(result, now, knowledge, aim)
    if longer:
        found += [
            Finding("option.timing_is_prior", {"interval": regimen.interval_days}, (prior,), status=prior.status)
            for prior in aim.prior
            if prior.name == "timing.mostly_prior"
        ]
    doubtful = rules["response_doubtful"]
    if candidate.grams_per_week > now.plan.candidate.grams_per_week + 1e-9 and aim.no_response >= doubtful.value:
        facts: Facts = {"probability": aim.no_response, "bound": doubtful.value}
        found.append(Finding("option.response_doubtful", facts, status=doubtful.status))
    return tuple(found)


def _unsafe(result: Outcome, now: Outcome, knowledge: Knowledge, aim: Aim) -> list[Finding]:
    """Less treatment needs a good chance to hold the floor; an assumed floor must not be crossed more often than now."""
    if aim.floor is None:
        return [Finding("option.no_floor_to_hold")]
    needed, tolerance = knowledge.monitoring["step_down_floor"], knowledge.monitoring["step_down_tolerance"]
    p, p_now = _above(result), _above(now)
    facts: Facts = {"probability": p, "now": p_now, "needed": needed.value, "tolerance": tolerance.value}
    if p < needed.value:
        return [Finding("option.floor_not_held", facts, status=needed.status)]
    if not aim.agreed and p < p_now - tolerance.value:
        return [Finding("option.floor_held_less", facts, status=tolerance.status)]
    return []


def _above(result: Outcome) -> float:
    return float(np.mean(~result.below))


def _refusal(
    posterior: Posterior,
    current: InForce | tuple[Finding, ...],
    record: Record,
    knowledge: Knowledge,
    aim: Aim,
    looked: Sequence[_Looked],
) -> tuple[Finding, ...]:
    """Why nothing is proposed, all reasons at once, each with what would change it."""
    rules, why = knowledge.monitoring, []
    helps = _would_help(posterior, rules["daily_gap"].value)
    if not isinstance(current, InForce):
        never = any(finding.name == "regimen.never_treated" for finding in current)
        because = (*current, Finding("help.first_course", status="design")) if never else current
        why.append(Finding("refusal.never_treated" if never else "refusal.no_regimen", because=because))
    if posterior.basis is not Basis.MEASURED:
        bound = next((limit for limit in knowledge.limits if limit.what == "measured_basis"), None)
        status = None if bound is None else bound.number.status
        why.append(Finding("refusal.population_basis", {"basis": posterior.basis.value}, helps, status=status))
    elif isinstance(current, InForce):
        fair = rules["fair_trial"]
        silent = rules["no_response"]
        if aim.no_response >= silent.value:
            tried = current.courses >= fair.value or record.before.kind == "regimen"
            name = "refusal.no_response" if tried else "refusal.trial_incomplete"
            facts: Facts = {"probability": aim.no_response, "courses": current.courses, "fair": fair.value}
            why.append(Finding(name, facts, source=fair.source, status=fair.status))
        prior = tuple(finding for finding in aim.prior if finding.name == "swing.mostly_prior")
        if prior and not why:
            why.append(Finding("refusal.mostly_prior", because=(*prior, *helps)))
    if not posterior.diagnostics.converged:
        why.append(Finding("refusal.not_converged", because=posterior.diagnostics.findings))
    if not why and not any(one.eligible for one in looked):
        why.append(
            Finding("refusal.nothing_within_limits", because=tuple(f for one in looked[:1] for f in one.limited_by))
        )
    return tuple(why)


def _would_help(posterior: Posterior, daily_gap: float) -> tuple[Finding, ...]:
    """Measurements that teach most about size and timing of the swing, by the design study of the fit."""
    measure = posterior.measures[posterior.primary]
    days = next((np.unique(s.days) for s in posterior.observed if s.id == measure.id), np.empty(0))
    daily = days.size > 1 and float(np.median(np.diff(days))) <= daily_gap
    found = []
    if not measure.n:
        found.append(Finding("help.daily_grip", status="computed"))
    elif not daily:
        found.append(Finding("help.daily_strength", {"measure": measure.id}, status="computed"))
    found.append(Finding("help.igg_after_infusion", {"has_igg": posterior.has_igg}, status="computed"))
    found.append(Finding("help.one_planned_change", status="computed"))
    return tuple(found)


def _distinct(posterior: Posterior) -> int:
    """Draws that differ: resampled draws repeat themselves and must not count twice in an error."""
    draws = posterior.draws
    return max(len(np.unique(np.column_stack([draws.c50, draws.kout, draws.level]), axis=0)), 2)


def _rank(looked: Sequence[_Looked], distinct: int, rows: slice | npt.NDArray[np.bool_]) -> _Ranking | None:
    """The eligible candidates ranked by mean loss over `rows` of the draws; None where none is eligible."""
    able = [i for i, one in enumerate(looked) if one.eligible]
    if not able:
        return None
    loss: dict[int, FloatArray] = {i: looked[i].result.loss[rows] for i in able}
    # Equal losses are told apart by name, so that the order of the candidates has no say.
    best = min(able, key=lambda i: (float(np.mean(loss[i])), looked[i].candidate.id))
    ties = frozenset(i for i in able if _tied(loss[i], loss[best], distinct))
    chosen = min(
        ties,
        key=lambda i: (
            looked[i].candidate.action != "no_change",
            looked[i].candidate.grams_per_week,
            looked[i].candidate.id,
        ),
    )
    return _Ranking(best, ties, chosen)


def _difference(a: FloatArray, b: FloatArray, distinct: int) -> tuple[float, float]:
    """Mean of the paired difference and its Monte-Carlo standard error."""
    difference = a - b
    return float(np.mean(difference)), _error(difference, min(distinct, difference.size))


def _error(values: FloatArray, distinct: int) -> float:
    """Monte-Carlo standard error of a mean; none where the values differ by rounding only."""
    spread = float(np.std(values))
    return 0.0 if spread < 1e-12 else spread / float(np.sqrt(distinct))


def _tied(a: FloatArray, b: FloatArray, distinct: int) -> bool:
    mean, error = _difference(a, b, distinct)
    return mean <= ERRORS * error


def _shown(looked: Sequence[_Looked], rank: _Ranking | None, most: int) -> list[int]:
    """Indices of the options laid side by side: no change, less, longer; the proposed one; then the best of each kind."""
    picked: dict[str, int] = {}
    for kind in ORDER:
        of_kind = [i for i, one in enumerate(looked) if one.candidate.kind == kind]
        if of_kind:
            picked[kind] = _best_of_kind(looked, of_kind)
    always = [i for kind, i in picked.items() if kind in ORDER[:3]]
    proposed = [] if rank is None else [rank.chosen, rank.best]
    wanted = list(dict.fromkeys([*always, *proposed, *picked.values()]))
    room = wanted[: max(most, len(set(always + proposed)))]
    return sorted(room, key=lambda i: (i != 0, ORDER.index(looked[i].candidate.kind), i))


def _best_of_kind(looked: Sequence[_Looked], of_kind: Sequence[int]) -> int:
    """The best that may be proposed; else the largest step the guardrails allow in dose, the nearest in time."""
    able = [i for i in of_kind if looked[i].eligible]
    if able:
        return min(able, key=lambda i: (_mean_loss(looked[i]), looked[i].candidate.id))
    allowed = [i for i in of_kind if looked[i].allowed] or of_kind[:1]
    return allowed[-1] if looked[allowed[0]].candidate.kind in ("reduce", "increase") else allowed[0]


def _mean_loss(one: _Looked) -> float:
    return float(np.mean(one.result.loss))


def _option(
    posterior: Posterior,
    one: _Looked,
    now: Outcome,
    rank: _Ranking | None,
    index: int,
    knowledge: Knowledge,
    aim: Aim,
    person: Person,
) -> Option:
    measure = posterior.measures[posterior.primary]
    result, candidate = one.result, one.candidate
    distinct = _distinct(posterior)

    def figures(capacity: FloatArray) -> tuple[float, float, float]:
        middle, low, high = (float(q) for q in np.quantile(as_value(measure, capacity), (0.5, 0.05, 0.95)))
        return middle, low, high

    trough, mean, peak = figures(result.trough), figures(result.mean), figures(result.peak)
    grams = candidate.regimen.grams
    option = Option(
        id=candidate.id,
        action=candidate.action,
        regimen=candidate.regimen,
        grams_per_week=candidate.grams_per_week,
        grams_per_kg=None if person.weight is None else grams / person.weight,
        visits_per_year=result.visits,
        trough=trough[0],
        trough_q05=trough[1],
        trough_q95=trough[2],
        mean=mean[0],
        mean_q05=mean[1],
        mean_q95=mean[2],
        peak=peak[0],
        peak_q05=peak[1],
        peak_q95=peak[2],
        p_above_floor=None if aim.floor is None else _above(result),
        loss=_mean_loss(one),
        loss_se=_error(result.loss, distinct),
        tie=rank is not None and index in rank.ties,
        proposed=rank is not None and index == rank.chosen,
        because=(),
        limited_by=one.limited_by,
        forecasts=forecasts(posterior, result.capacity, result.plan.horizon),
    )
    return replace(option, because=_because(option, one, now, rank, index, knowledge, aim, distinct, measure.unit))


def _because(
    option: Option,
    one: _Looked,
    now: Outcome,
    rank: _Ranking | None,
    index: int,
    knowledge: Knowledge,
    aim: Aim,
    distinct: int,
    unit: str,
) -> tuple[Finding, ...]:
    """Why an option is proposed or not: what it does, what it costs beside no change, what must be said aloud."""
    found = []
    if rank is not None:
        name = "option.tie" if option.tie else "option.not_best"
        if option.proposed:
            name = "option.proposed" if index == rank.best else "option.proposed_tie"
        if not one.eligible:
            name = "option.not_eligible"
        found.append(Finding(name, {"loss": option.loss, "se": option.loss_se}))
    outlook: Facts = {
        "trough": option.trough,
        "mean": option.mean,
        "peak": option.peak,
        "unit": unit,
        "p_above_floor": option.p_above_floor,
        "floor": aim.floor,
    }
    found.append(Finding("option.outlook" if aim.floor is not None else "option.outlook_no_floor", outlook))
    if one.result is not now:
        found.append(_compared(option, one.result, now, distinct))
    parts: Facts = {name: float(np.mean(values)) for name, values in one.result.parts.items()}
    found.append(Finding("option.loss", {**parts, "loss": option.loss}, status="design"))
    if option.action == "start":
        found.append(Finding("option.start_is_population", status="assumed"))
    if option.regimen.route in HOME:
        found.append(Finding("option.at_home", {"route": option.regimen.route}))
    regimen, present = option.regimen, now.plan.candidate
    shorter = 0 < regimen.interval_days < present.regimen.interval_days and regimen.route == present.regimen.route
    tolerance = knowledge.monitoring["same_weekly_grams"].value
    if shorter and abs(option.grams_per_week / present.grams_per_week - 1.0) <= tolerance:
        found.append(Finding("option.same_total_more_often", {"grams_per_week": option.grams_per_week}))
    said = cautions(knowledge, f"option.{option.action}")
    if shorter and option.action != "shorter_interval":
        said += cautions(knowledge, "option.shorter_interval")
    return (*found, *said)


def _compared(option: Option, result: Outcome, now: Outcome, distinct: int) -> Finding:
    difference, error = _difference(result.loss, now.loss, distinct)
    facts: Facts = {
        "loss": difference,
        "se": error,
        "grams_per_week": option.grams_per_week - now.plan.candidate.grams_per_week,
        "visits_per_year": option.visits_per_year - now.visits,
        "p_above_floor": None if option.p_above_floor is None else option.p_above_floor - _above(now),
    }
    return Finding("option.compared", facts)


def _findings(
    posterior: Posterior,
    looked: Sequence[_Looked],
    rank: _Ranking | None,
    current: InForce | None,
    knowledge: Knowledge,
    aim: Aim,
    person: Person,
    limits: Limits,
    said: tuple[Finding, ...],
) -> tuple[Finding, ...]:
    found: list[Finding] = []
    if rank is not None:
        found.append(_proposed(looked, rank, knowledge, _distinct(posterior)))
        found += _model_choice(posterior, looked, rank)
        found += _best_of_all(looked, rank, knowledge)
        if looked[rank.chosen].candidate.action != "no_change":
            for limit in knowledge.limits:
                if limit.what == "hold_cycles":
                    facts: Facts = {"cycles": limit.number.value, "why": limit.why}
                    found.append(
                        Finding("proposal.hold", facts, source=limit.number.source, status=limit.number.status)
                    )
        if aim.floor is not None and max(_above(one.result) for one in looked) < 0.5:
            found.append(Finding("proposal.floor_out_of_reach", {"floor": aim.floor, "agreed": aim.agreed}))
    if person.weight is None:
        found.append(Finding("proposal.weight_unknown"))
    changed = sorted(limits.weights)
    if changed:
        found.append(Finding("proposal.weights_changed", {"names": ", ".join(changed)}))
    timing = tuple(finding for finding in aim.prior if finding.name == "timing.mostly_prior")
    notes = current.findings if current is not None else ()
    return (*found, *timing, *person.risks, *said, *notes)


def _regimen_facts(candidate: Candidate) -> Facts:
    r = candidate.regimen
    return {
        "option": candidate.id,
        "action": candidate.action,
        "product": r.product,
        "route": r.route,
        "grams": r.grams,
        "days": r.days,
        "interval": r.interval_days,
        "grams_per_week": candidate.grams_per_week,
    }


def _proposed(looked: Sequence[_Looked], rank: _Ranking, knowledge: Knowledge, distinct: int) -> Finding:
    one, now = looked[rank.chosen], looked[0]
    difference, error = _difference(one.result.loss, now.result.loss, distinct)
    facts = _regimen_facts(one.candidate) | {
        "p_above_floor": _above(one.result),
        "p_above_floor_now": _above(now.result),
        "saved_per_week": now.candidate.grams_per_week - one.candidate.grams_per_week,
        "loss": difference,
        "se": error,
    }
    because: list[Finding] = []
    if len(rank.ties) > 1:
        others = ", ".join(looked[i].candidate.id for i in sorted(rank.ties) if i != rank.chosen)
        because.append(Finding("proposal.ties", {"n": len(rank.ties), "others": others}))
    if one.candidate.action == "no_change":
        return Finding("proposal.no_change", facts, tuple(because))
    shorter = one.candidate.regimen.interval_days < now.candidate.regimen.interval_days
    name = "option.shorter_interval" if shorter else f"option.{one.candidate.action}"
    because += cautions(knowledge, name)
    because += one.limited_by
    return Finding("proposal.change", facts, tuple(because))


def _best_of_all(looked: Sequence[_Looked], rank: _Ranking, knowledge: Knowledge) -> list[Finding]:
    """Said where the model alone would rank something first that may not be proposed."""
    overall = min(range(len(looked)), key=lambda i: (_mean_loss(looked[i]), looked[i].candidate.id))
    one, best = looked[overall], looked[rank.best]
    if one.eligible or _mean_loss(one) >= _mean_loss(best):
        return []
    because = [finding for finding in one.limited_by if finding.name not in ADVICE]
    if 0 < one.candidate.regimen.interval_days < looked[0].candidate.regimen.interval_days:
        because += cautions(knowledge, "option.shorter_interval")
    return [Finding("proposal.model_would_prefer", _regimen_facts(one.candidate), tuple(because))]


def _model_choice(posterior: Posterior, looked: Sequence[_Looked], rank: _Ranking) -> list[Finding]:
    """Whether the candidate kinetics, each asked alone, would choose the same."""
    populations = np.array([model.population for model in posterior.models])
    of_draw = populations[posterior.draws.population]
    told, choices = [], set()
    for population in dict.fromkeys(populations):
        rows = of_draw == population
        if rows.sum() < FEW_DRAWS:
            continue
        own = _rank(looked, _distinct(posterior), rows)
        if own is None:
            continue
        choices.add(own.chosen)
        chance = float(sum(m.probability for m in posterior.models if m.population == population))
        facts = {**_regimen_facts(looked[own.chosen].candidate), "population": str(population), "probability": chance}
        told.append(Finding("proposal.model_choice", facts))
    if len(told) < 2:
        return []
    name = "proposal.models_agree" if len(choices) == 1 else "proposal.models_differ"
    return [Finding(name, {"models": len(told), "chosen": looked[rank.chosen].candidate.id}, tuple(told))]
