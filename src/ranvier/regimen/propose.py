"""What could we do, and what would it do? All options side by side; one is proposed, or it is said why none is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

import numpy as np

from ranvier.estimation.courses import INTRAVENOUS, InForce, courses_of
from ranvier.estimation.measures import as_capacity, visible
from ranvier.estimation.nouns import Basis, FloatArray, Measure, Posterior
from ranvier.evidence.nouns import Knowledge
from ranvier.ground.findings import Fact, Finding
from ranvier.record.nouns import Record
from ranvier.regimen.candidates import Candidate, candidates, starts
from ranvier.regimen.fallback import contradictions, fall_back
from ranvier.regimen.guard import Verdict, guardrails, harmful, judge, largest_day, person_of
from ranvier.regimen.nouns import Aim, Limits, Proposal
from ranvier.regimen.outcome import Outcome, laid_out, outcome, run, step_sizes
from ranvier.regimen.ranking import Asked, Looked, distinct_draws, ranking, shown
from ranvier.regimen.telling import findings, option
from ranvier.regimen.worth import worth

HOURS = 24.0
HALF = 0.5  # more likely than not

Facts = dict[str, Fact]


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
    in_force, missing = (current, ()) if isinstance(current, InForce) else (None, current)
    asked = asked_of(posterior, in_force, record, knowledge, aim, at=at, limits=limits)
    weights = {name: number.value for name, number in knowledge.loss.items()} | dict(asked.limits.weights)
    found, said = _found(asked)
    judged = _worth_a_look(asked, found)
    looked = _looked_at(asked, judged, [_outcome(asked, candidate, weights) for candidate, _ in judged])
    refusal = _refusal(asked, missing, looked)
    rank = None if refusal else ranking(looked, asked.distinct)
    if asked.limits.bare:
        best = () if rank is None else (option(asked, looked, rank.chosen, rank),)
        return Proposal(
            None if in_force is None else found[0].regimen, best, refusal, tuple(sorted(weights.items())), said
        )
    options = tuple(option(asked, looked, i, rank) for i in shown(looked, rank, asked.limits.shown))
    notes = () if in_force is None else in_force.findings
    told = (*findings(asked, looked, rank), *said, *notes, *harmful(record, knowledge, at))
    present = None if in_force is None else found[0].regimen
    measure_next, gained = worth(asked, looked, rank)
    rails = guardrails(looked[0 if rank is None else rank.chosen].candidate, in_force, knowledge, asked.person, options)
    holds = fall_back(record, in_force, missing, refusal, at) if refusal else None
    weighed = tuple(sorted(weights.items()))
    return Proposal(present, options, refusal, weighed, told, measure_next, gained, rails, holds)


def asked_of(
    posterior: Posterior,
    current: InForce | None,
    record: Record,
    knowledge: Knowledge,
    aim: Aim,
    *,
    at: date,
    limits: Limits | None = None,
) -> Asked:
    """The question, with what guardrails need to know of the person. current : None where no regimen is in force."""
    person = person_of(record, knowledge, at)
    return Asked(posterior, current, record, knowledge, person, aim, limits or Limits(), at, distinct_draws(posterior))


def _found(asked: Asked) -> tuple[tuple[Candidate, ...], tuple[Finding, ...]]:
    record, knowledge, person = asked.record, asked.knowledge, asked.person
    used = list(dict.fromkeys(infusion.product for infusion in reversed(record.infusions)))
    most, strictly = largest_day(knowledge.limits, person, INTRAVENOUS)
    if asked.current is None:
        return starts(person.weight, knowledge, used=used, largest_day=most)
    return candidates(
        asked.current,
        knowledge,
        routes=record.goals.routes,
        used=used,
        limits=knowledge.limits,
        largest_day=most,
        strictly=strictly,
    )


def _worth_a_look(asked: Asked, found: Sequence[Candidate]) -> list[tuple[Candidate, Verdict]]:
    """What the guardrails let through, and the first of each kind even where they do not: it is shown with its limit."""
    first = {candidate.kind: candidate for candidate in reversed(found)}
    judged = []
    for candidate in found:
        smallest = candidate.kind in ("reduce", "increase") and candidate is first[candidate.kind]
        verdict = judge(candidate, asked.current, asked.knowledge, asked.person, smallest=smallest)
        if verdict.proposable or candidate is first[candidate.kind]:
            judged.append((candidate, verdict))
    return judged


def _outcome(asked: Asked, candidate: Candidate, weights: Mapping[str, float]) -> Outcome:
    rules, current, weight = asked.knowledge.monitoring, asked.current, asked.person.weight
    plan = laid_out(candidate, current, asked.at, round(rules["horizon"].value))
    length = None if current is None else current.length
    if length is None:
        length = asked.knowledge.composite.constants["hours_of_infusion"].value / HOURS
    return outcome(
        asked.posterior,
        plan,
        run(asked.posterior, plan, length),
        floor=asked.aim.floor,
        weights=weights,
        course_per_kg=None if weight is None else candidate.regimen.grams / weight,
        burden_from=rules["single_course"].value,
        steps=step_sizes(candidate, current),
        other_route=candidate.action == "switch_route",
    )


def _looked_at(
    asked: Asked, judged: Sequence[tuple[Candidate, Verdict]], outcomes: Sequence[Outcome]
) -> tuple[Looked, ...]:
    """Guardrails and this person's own limits together; the first is no change, which the others are compared with."""
    looked: list[Looked] = []
    for (candidate, verdict), result in zip(judged, outcomes, strict=True):
        bare = Looked(candidate, result, verdict.proposable, verdict.proposable, verdict.findings)
        own = _own_limits(asked, bare, looked[0] if looked else bare)
        eligible = verdict.proposable and not own
        looked.append(Looked(candidate, result, eligible, verdict.proposable, (*own, *verdict.findings)))
    return _tried_route_first(asked, looked)


def _tried_route_first(asked: Asked, looked: Sequence[Looked]) -> tuple[Looked, ...]:
    """A route this person never had waits while an option by the present one holds the floor well enough.

    How much such a route would deliver is taken from other people, however sure the forecast looks.
    """
    needed = asked.knowledge.monitoring["step_down_floor"]
    known = {infusion.route for infusion in asked.record.infusions}
    holds = [o.p_above for o in looked if o.eligible and o.candidate.regimen.route in known]
    if asked.aim.floor is None or max(holds, default=0.0) < needed.value:
        return tuple(looked)
    facts: Facts = {"probability": max(holds), "needed": needed.value}
    told = []
    for one in looked:
        if (
            one.candidate.action == "switch_route"
            and not one.candidate.known
            and one.candidate.regimen.route not in known
        ):
            untried = Finding(
                "option.route_untried", facts | {"route": one.candidate.regimen.route}, status=needed.status
            )
            one = replace(one, eligible=False, limited_by=(untried, *one.limited_by))
        told.append(one)
    return tuple(told)


def _own_limits(asked: Asked, one: Looked, now: Looked) -> tuple[Finding, ...]:
    """What keeps a candidate from being proposed to this person, beyond the guardrails."""
    current, goals, regimen = asked.current, asked.record.goals, one.candidate.regimen
    found: list[Finding] = []
    if current is None:
        return ()
    if goals.routes is not None and regimen.route not in goals.routes:
        found.append(Finding("goal.route", {"route": regimen.route, "accepted": ", ".join(goals.routes)}))
    if one.candidate.action == "no_change":
        return tuple(found)
    as_given = one.candidate.known or abs(regimen.grams - current.grams) < 1e-9
    if not one.candidate.fits and not as_given:  # what is really given, somebody can supply
        found.append(Finding("vials.do_not_fit", {"grams": regimen.grams, "product": regimen.product}))
    most = goals.max_visits_per_year
    if most is not None and one.result.visits > max(most, now.result.visits) + 1e-9:
        found.append(Finding("goal.visits", {"visits": one.result.visits, "bound": most}))
    change = one.candidate.grams_per_week - now.candidate.grams_per_week
    longer = regimen.route == current.route and regimen.interval_days > now.candidate.regimen.interval_days
    if change < -1e-9 or longer:
        found += _unsafe(asked, one, now)
        found += [Finding("option.strength_falls")] if asked.aim.falling else []
        found += _doubtful_day(asked)
    if longer:
        found += [
            Finding("option.timing_is_prior", {"interval": regimen.interval_days}, (prior,), status=prior.status)
            for prior in asked.aim.prior
            if prior.name == "timing.mostly_prior"
        ]
    found += _needless(asked, one, now)
    doubtful = asked.knowledge.monitoring["response_doubtful"]
    if change > 1e-9 and asked.aim.no_response >= doubtful.value:
        facts: Facts = {"probability": asked.aim.no_response, "bound": doubtful.value}
        found.append(Finding("option.response_doubtful", facts, status=doubtful.status))
    return tuple(found)


def _doubtful_day(asked: Asked) -> list[Finding]:
    """A course that seems to have been given on another day than recorded: look it up before less is tried."""
    doubts = (f for f in asked.posterior.findings if f.name == "history.day_in_doubt")
    return [Finding("option.day_in_doubt", {"recorded": f.facts["recorded"]}, status=f.status) for f in doubts][:1]


def _unsafe(asked: Asked, one: Looked, now: Looked) -> list[Finding]:
    """Less treatment needs a good chance to hold the floor; an assumed floor must not be crossed more often than now."""
    if asked.aim.floor is None:
        return [Finding("option.no_floor_to_hold")]
    lost = _lost(asked, one, now)
    if lost:
        return lost
    rules = asked.knowledge.monitoring
    needed, tolerance = rules["step_down_floor"], rules["step_down_tolerance"]
    facts: Facts = {
        "probability": one.p_above,
        "now": now.p_above,
        "needed": needed.value,
        "tolerance": tolerance.value,
    }
    if one.p_above < needed.value:
        return [Finding("option.floor_not_held", facts, status=needed.status)]
    if not asked.aim.agreed and one.p_above < now.p_above - tolerance.value:
        return [Finding("option.floor_held_less", facts, status=tolerance.status)]
    return []


def _lost(asked: Asked, one: Looked, now: Looked) -> list[Finding]:
    """Strength on the weakest day that less treatment would cost: on every hand, not only on the one that decides.

    A floor that the person named says for its measure what matters; elsewhere it is the smallest change that counts.
    """
    rules = asked.knowledge.monitoring
    needed, bound = rules["step_down_floor"], rules["swing"]
    found = []
    for i, measure in enumerate(asked.posterior.measures):
        if not measure.n:
            continue
        trough, trough_now = _weakest(one, i, measure), _weakest(now, i, measure)
        if measure.floor is not None:
            p_above = float(np.mean(trough >= as_capacity(measure, measure.floor)))
            if i != asked.posterior.primary and p_above < needed.value:
                floored: Facts = {"measure": measure.id, "probability": p_above, "needed": needed.value}
                found.append(Finding("option.other_floor_not_held", floored, status=needed.status))
            continue
        fall = 1.0 - float(np.median(trough / np.maximum(trough_now, 1e-9)))
        if fall > bound.value:
            facts: Facts = {"measure": measure.id, "fall": fall, "bound": bound.value}
            found.append(Finding("option.strength_lost", facts, status=bound.status))
    return found


def _weakest(one: Looked, index: int, measure: Measure) -> FloatArray:
    """Capacity of the measure on the weakest day of the cycle that is judged, by draw."""
    plan = one.result.plan
    judged = visible(measure, one.result.capacity[index])[:, plan.cycle_from : plan.cycle_to + 1]
    return np.asarray(judged.min(axis=1))


def _needless(asked: Asked, one: Looked, now: Looked) -> list[Finding]:
    """More is not proposed for the sake of a floor that nobody agreed, unless strength wears off."""
    needed = asked.knowledge.monitoring["more_needs_wearing_off"]
    slack = 1.0 + asked.knowledge.monitoring["same_weekly_grams"].value
    more = one.candidate.grams_per_week > slack * now.candidate.grams_per_week
    more |= one.candidate.action in ("increase", "shorter_interval")
    if asked.aim.agreed or not more or asked.aim.wearing_off >= needed.value:
        return []
    facts: Facts = {"probability": asked.aim.wearing_off, "needed": needed.value}
    return [Finding("option.no_need_shown", facts, status=needed.status)]


def _refusal(asked: Asked, missing: tuple[Finding, ...], looked: Sequence[Looked]) -> tuple[Finding, ...]:
    """Why nothing is proposed, all reasons at once, each with what would change it. missing : why no regimen is in force."""
    why: list[Finding] = []
    helps = _would_help(asked)
    if asked.current is None:
        if any(finding.name == "regimen.never_treated" for finding in missing):
            first = Finding("help.first_course", status="design")
            why.append(Finding("refusal.never_treated", because=(*missing, first)))
        else:
            why.append(Finding("refusal.no_regimen", because=missing))
    if asked.posterior.basis is not Basis.MEASURED:
        facts: Facts = {"basis": asked.posterior.basis.value}
        why.append(Finding("refusal.population_basis", facts, helps, status="design"))
    elif asked.current is None:
        why += _no_effect(asked, len(courses_of(asked.record, asked.knowledge.monitoring)))  # a trial that has ended
    else:
        why += _no_effect(asked, asked.current.courses) or _too_little(asked)
        prior = tuple(finding for finding in asked.aim.prior if finding.name == "swing.mostly_prior")
        if prior and not why:
            why.append(Finding("refusal.mostly_prior", because=(*prior, *helps)))
    why += contradictions(asked.record, asked.current, asked.knowledge, asked.at)
    why += _stale(asked)
    if not asked.posterior.diagnostics.converged:
        why.append(Finding("refusal.not_converged", because=asked.posterior.diagnostics.findings))
    if not why and not any(one.eligible for one in looked):
        why.append(Finding("refusal.nothing_within_limits", because=looked[0].limited_by))
    return tuple(why)


def _stale(asked: Asked) -> list[Finding]:
    """What was measured is too old to answer for today."""
    limit = asked.knowledge.monitoring["strength_old"]
    measure = asked.posterior.measures[asked.posterior.primary]
    days = next((s.days for s in asked.posterior.observed if s.id == measure.id), np.empty(0))
    if asked.current is None or not days.size or asked.posterior.at_day - float(days.max()) <= limit.value:
        return []
    facts: Facts = {"measure": measure.id, "days": float(asked.posterior.at_day - days.max()), "bound": limit.value}
    return [Finding("refusal.stale", facts, (Finding("help.daily_grip", status="computed"),), status=limit.status)]


def _no_effect(asked: Asked, courses: int) -> list[Finding]:
    """No effect that can be measured: after a fair trial the question is no longer the dose."""
    rules = asked.knowledge.monitoring
    fair = rules["fair_trial"]
    if asked.aim.no_response < rules["no_response"].value:
        return []
    tried = courses >= fair.value or asked.record.before.kind == "regimen"
    facts: Facts = {"probability": asked.aim.no_response, "courses": courses, "fair": fair.value}
    name = "refusal.no_response" if tried else "refusal.trial_incomplete"
    return [Finding(name, facts, source=fair.source, status=fair.status)]


def _too_little(asked: Asked) -> list[Finding]:
    """More would help, yet the present regimen keeps hardly anything: without an agreed floor, more or none is not ours."""
    bound = asked.knowledge.monitoring["no_response"]
    if asked.aim.agreed or asked.aim.idle < bound.value or asked.aim.no_response >= HALF:
        return []
    help_ = Finding("help.agree_floor", status="design")
    return [Finding("refusal.too_little", {"probability": asked.aim.idle}, (help_,), status=bound.status)]


def _would_help(asked: Asked) -> tuple[Finding, ...]:
    """Measurements that teach most about size and timing of the swing, by the design study of the fit."""
    posterior = asked.posterior
    measure = posterior.measures[posterior.primary]
    days = next((np.unique(s.days) for s in posterior.observed if s.id == measure.id), np.empty(0))
    daily = days.size > 1 and float(np.median(np.diff(days))) <= asked.knowledge.monitoring["daily_gap"].value
    found = []
    if not measure.n:
        found.append(Finding("help.daily_grip", status="computed"))
    elif not daily:
        found.append(Finding("help.daily_strength", {"measure": measure.id}, status="computed"))
    found.append(Finding("help.igg_after_infusion", {"has_igg": posterior.has_igg}, status="computed"))
    found.append(Finding("help.one_planned_change", status="computed"))
    return tuple(found)
