"""The options as they are shown, and the reasons: what each would do, what it costs, why it is or is not proposed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ranvier.estimation.nouns import FloatArray
from ranvier.estimation.predict import as_value
from ranvier.evidence.cautions import cautions
from ranvier.ground.findings import Fact, Finding
from ranvier.regimen.candidates import Candidate
from ranvier.regimen.nouns import Option
from ranvier.regimen.outcome import HOME, forecasts
from ranvier.regimen.ranking import ADVICE, Asked, Looked, Ranking, difference, ranking, standard_error

FEW_DRAWS = 50  # a model with fewer draws is not asked for its own choice

Facts = dict[str, Fact]


def option(asked: Asked, looked: Sequence[Looked], index: int, rank: Ranking | None) -> Option:
    """The candidate at `index` with its figures, forecast, limits and reasons."""
    measure = asked.posterior.measures[asked.posterior.primary]
    one = looked[index]
    result, regimen = one.result, one.candidate.regimen

    def figures(capacity: FloatArray) -> tuple[float, float, float]:
        middle, low, high = (float(q) for q in np.quantile(as_value(measure, capacity), (0.5, 0.05, 0.95)))
        return middle, low, high

    trough, mean, peak = figures(result.trough), figures(result.mean), figures(result.peak)
    p_above = None if asked.aim.floor is None else one.p_above
    outlook: Facts = {
        "trough": trough[0],
        "mean": mean[0],
        "peak": peak[0],
        "unit": measure.unit,
        "p_above_floor": p_above,
        "floor": asked.aim.floor,
    }
    seen = Finding("option.outlook_no_floor" if p_above is None else "option.outlook", outlook)
    return Option(
        id=one.candidate.id,
        action=one.candidate.action,
        regimen=regimen,
        grams_per_week=one.candidate.grams_per_week,
        grams_per_kg=None if asked.person.weight is None else regimen.grams / asked.person.weight,
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
        p_above_floor=p_above,
        loss=one.loss,
        loss_se=standard_error(result.loss, asked.distinct),
        tie=rank is not None and index in rank.ties,
        proposed=rank is not None and index == rank.chosen,
        because=(*_standing(looked, index, rank), seen, *_costs(asked, one, looked[0]), *_aloud(asked, one, looked[0])),
        limited_by=one.limited_by,
        forecasts=forecasts(asked.posterior, result.capacity, result.plan.horizon),
    )


def _standing(looked: Sequence[Looked], index: int, rank: Ranking | None) -> tuple[Finding, ...]:
    """Whether it is proposed."""
    one = looked[index]
    if rank is None:
        return ()
    if index == rank.chosen and rank.towards is not None and index != rank.best:
        far = looked[rank.towards]
        facts: Facts = {"option": far.candidate.id, "loss": far.loss, "best": looked[rank.best].loss}
        return (Finding("option.proposed_step", facts, status="design"),)
    if index == rank.chosen:
        name = "option.proposed" if index == rank.best else "option.proposed_tie"
    elif not one.eligible:
        name = "option.not_eligible"
    else:
        name = "option.tie" if index in rank.ties else "option.not_best"
    return (Finding(name),)


def _costs(asked: Asked, one: Looked, now: Looked) -> tuple[Finding, ...]:
    """The loss and its parts, and what the option gains and costs beside no change."""
    parts: Facts = {name: float(np.mean(values)) for name, values in one.result.parts.items()}
    loss = Finding("option.loss", {**parts, "loss": one.loss}, status="design")
    if one is now:
        return (loss,)
    mean, error = difference(one.result.loss, now.result.loss, asked.distinct)
    facts: Facts = {
        "loss": mean,
        "se": error,
        "grams_per_week": one.candidate.grams_per_week - now.candidate.grams_per_week,
        "visits_per_year": one.result.visits - now.result.visits,
        "p_above_floor": None if asked.aim.floor is None else one.p_above - now.p_above,
    }
    return Finding("option.compared", facts), loss


def _aloud(asked: Asked, one: Looked, now: Looked) -> tuple[Finding, ...]:
    """What must be said wherever this kind of option is shown."""
    found = []
    candidate, present = one.candidate, now.candidate
    if candidate.action == "start":
        found.append(Finding("option.start_is_population", status="assumed"))
    if candidate.known:
        found.append(Finding("option.given_before"))
    if candidate.regimen.route in HOME:
        found.append(Finding("option.at_home", {"route": candidate.regimen.route}))
    tolerance = asked.knowledge.monitoring["same_weekly_grams"].value
    shorter = _shorter(candidate, present)
    if shorter and abs(candidate.grams_per_week / present.grams_per_week - 1.0) <= tolerance:
        found.append(Finding("option.same_total_more_often", {"grams_per_week": candidate.grams_per_week}))
    return (*found, *_cautions(asked, candidate, present))


def _shorter(candidate: Candidate, present: Candidate) -> bool:
    regimen, now = candidate.regimen, present.regimen
    return candidate.daily != () and regimen.route == now.route and regimen.interval_days < now.interval_days


def _cautions(asked: Asked, candidate: Candidate, present: Candidate) -> tuple[Finding, ...]:
    said = cautions(asked.knowledge, f"option.{candidate.action}")
    if _shorter(candidate, present) and candidate.action != "shorter_interval":
        said += cautions(asked.knowledge, "option.shorter_interval")
    return said


def findings(asked: Asked, looked: Sequence[Looked], rank: Ranking | None) -> tuple[Finding, ...]:
    """What is said of the proposal as a whole."""
    found: list[Finding] = []
    if rank is not None:
        found.append(_proposed(asked, looked, rank))
        found += _model_choice(asked, looked, rank)
        found += _model_would_prefer(asked, looked, rank)
        found += _hold(asked, looked[rank.chosen].candidate)
        if asked.aim.floor is not None and max(one.p_above for one in looked) < 0.5:
            facts: Facts = {"floor": asked.aim.floor, "agreed": asked.aim.agreed}
            found.append(Finding("proposal.floor_out_of_reach", facts))
    if asked.person.weight is None:
        found.append(Finding("proposal.weight_unknown"))
    if asked.limits.weights:
        found.append(Finding("proposal.weights_changed", {"names": ", ".join(sorted(asked.limits.weights))}))
    found += [finding for finding in asked.aim.prior if finding.name == "timing.mostly_prior"]
    return (*found, *asked.person.risks)


def _facts(candidate: Candidate) -> Facts:
    regimen = candidate.regimen
    return {
        "option": candidate.id,
        "action": candidate.action,
        "product": regimen.product,
        "route": regimen.route,
        "grams": regimen.grams,
        "days": regimen.days,
        "interval": regimen.interval_days,
        "grams_per_week": candidate.grams_per_week,
    }


def _proposed(asked: Asked, looked: Sequence[Looked], rank: Ranking) -> Finding:
    one, now = looked[rank.chosen], looked[0]
    mean, error = difference(one.result.loss, now.result.loss, asked.distinct)
    facts = _facts(one.candidate) | {
        "p_above_floor": one.p_above,
        "p_above_floor_now": now.p_above,
        "saved_per_week": now.candidate.grams_per_week - one.candidate.grams_per_week,
        "loss": mean,
        "se": error,
    }
    because: list[Finding] = []
    if len(rank.ties) > 1:
        others = ", ".join(looked[i].candidate.id for i in sorted(rank.ties) if i != rank.chosen)
        because.append(Finding("proposal.ties", {"n": len(rank.ties), "others": others}))
    if one.candidate.action == "no_change":
        return Finding("proposal.no_change", facts, (*because, *one.limited_by))
    because += [*_cautions(asked, one.candidate, now.candidate), *one.limited_by]
    return Finding("proposal.change", facts, tuple(because))


def _model_would_prefer(asked: Asked, looked: Sequence[Looked], rank: Ranking) -> list[Finding]:
    """Said where the model alone would rank something first that may not be proposed."""
    one = min(looked, key=lambda one: (one.loss, one.candidate.id))
    if one.eligible or one.loss >= looked[rank.best].loss:
        return []
    because = [finding for finding in one.limited_by if finding.name not in ADVICE]
    because += _cautions(asked, one.candidate, looked[0].candidate)
    return [Finding("proposal.model_would_prefer", _facts(one.candidate), tuple(because))]


def _hold(asked: Asked, chosen: Candidate) -> list[Finding]:
    """A change is held for some cycles before it is judged."""
    if chosen.action == "no_change":
        return []
    return [
        Finding(
            "proposal.hold",
            {"cycles": limit.number.value, "why": limit.why},
            source=limit.number.source,
            status=limit.number.status,
        )
        for limit in asked.knowledge.limits
        if limit.what == "hold_cycles" and not limit.applies
    ]


def _model_choice(asked: Asked, looked: Sequence[Looked], rank: Ranking) -> list[Finding]:
    """Whether the candidate kinetics, each asked alone, would choose the same."""
    posterior = asked.posterior
    populations = np.array([model.population for model in posterior.models])
    of_draw = populations[posterior.draws.population]
    told, choices = [], set()
    for population in dict.fromkeys(model.population for model in posterior.models):
        rows = of_draw == population
        own = ranking(looked, asked.distinct, rows) if rows.sum() >= FEW_DRAWS else None
        if own is None:
            continue
        choices.add(own.chosen)
        chance = sum(model.probability for model in posterior.models if model.population == population)
        facts = _facts(looked[own.chosen].candidate) | {"population": population, "probability": chance}
        told.append(Finding("proposal.model_choice", facts))
    if len(told) < 2:
        return []
    name = "proposal.models_agree" if len(choices) == 1 else "proposal.models_differ"
    return [Finding(name, {"models": len(told), "chosen": looked[rank.chosen].candidate.id}, tuple(told))]
