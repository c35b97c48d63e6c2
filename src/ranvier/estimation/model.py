"""From populations and a history to what the kernels read: the prior of one candidate explanation, and the time line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from ranvier.estimation import kernels as K
from ranvier.estimation.history import FORCES, History
from ranvier.estimation.nouns import FloatArray
from ranvier.evidence.nouns import Composite, Domain, Knowledge, Number, Population, Prior
from ranvier.ground.findings import Finding
from ranvier.kinetics.disposition import ORDER
from ranvier.record.nouns import Record
from ranvier.response.turnover import schedule

COMPARTMENTS = {"one_compartment": 1, "two_compartment": 2}
SCALES = {"log": K.LOG, "logit": K.LOGIT, "normal": K.PLAIN}
VOLUMES = ("central_volume", "intercompartmental_clearance", "peripheral_volume")
PER_MEASURE = ("level", "imax", "session_sd", "persistence")


@dataclass(frozen=True, slots=True)
class Body:
    """What kinetics may depend on. None is unknown. lean_mass_assumed: from weight alone."""

    weight: float | None
    lean_mass: float | None
    age: float | None
    lean_mass_assumed: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """One explanation of a person's measurements: a population's kinetics, with or without a response.

    names : of all parameters in the kernels' order; chol : lower triangle with chol chol' = prior covariance of the free ones
    used : the numbers from knowledge that took part
    """

    population: Population
    responds: bool
    belief: K.Belief
    names: tuple[str, ...]
    chol: FloatArray
    prior_probability: float
    used: tuple[tuple[str, Number], ...]


def body_of(record: Record, composite: Composite, at: date) -> Body:
    """Weight nearest before `at` (else the first), lean mass, age at the end of the birth year's doubt.

    Lean mass by Janmahasatian (2005) from weight, height and sex; where height or sex is unknown it is estimated from
    weight at a body-mass index of 25, as the mean of the two sexes, and marked as assumed.
    """
    weights = sorted(record.person.weights, key=lambda w: w.on)
    past = [w for w in weights if w.on <= at]
    weight = past[-1].kg if past else (weights[0].kg if weights else None)
    age = float(at.year - record.person.birth_year) if record.person.birth_year else None
    if weight is None:
        return Body(None, None, age)
    c = {k: n.value for k, n in composite.constants.items()}
    height, sex = record.person.height_cm, record.person.sex
    bmi = weight / (height / 100.0) ** 2 if height else 25.0
    lean = {
        s: c["lean_mass_numerator"] * weight / (c[f"lean_mass_{s}_offset"] + c[f"lean_mass_{s}_slope"] * bmi)
        for s in ("male", "female")
    }
    if height and sex in lean:
        return Body(weight, lean[sex], age)
    return Body(weight, lean[sex] if sex in lean else 0.5 * (lean["male"] + lean["female"]), age, True)


def outside(population: Population, body: Body) -> tuple[tuple[Domain, float], ...]:
    """Where the person leaves the model's domain: (domain, the person's value)."""
    known = {"weight": body.weight, "lean_mass": body.lean_mass, "age": body.age}
    left = []
    for domain in population.covers:
        value = known.get(domain.what)
        if value is not None and not (
            (domain.low is None or value >= domain.low) and (domain.high is None or value <= domain.high)
        ):
            left.append((domain, value))
    return tuple(left)


def typical(prior: Prior, body: Body) -> float:
    """The typical value for this body; where the covariate is unknown, that of the study's reference."""
    covariate = prior.covariate
    if covariate is None:
        return prior.typical.value
    value = {"weight": body.weight, "lean_mass": body.lean_mass}[covariate.what]
    if value is None:
        return prior.typical.value
    return prior.typical.value * float((value / covariate.reference.value) ** covariate.exponent.value)


def _to_scale(value: float, scale: int) -> float:
    if scale == K.LOG:
        return float(np.log(value))
    return float(np.log(value / (1.0 - value))) if scale == K.LOGIT else value


def candidates(history: History, knowledge: Knowledge, body: Body) -> tuple[Candidate, ...]:
    """All explanations to be weighed: each population with and without a response."""
    composite = knowledge.composite
    treated = "_on_treatment" if history.past == "regimen" else ""
    chance = composite.constants[f"response_probability{treated}"].value
    share = 1.0 / len(composite.kinetics)
    return tuple(
        candidate(population, history, knowledge, body, responds=responds, probability=share * p)
        for population in composite.kinetics
        for responds, p in ((True, chance), (False, 1.0 - chance))
    )


def candidate(
    population: Population, history: History, knowledge: Knowledge, body: Body, *, responds: bool, probability: float
) -> Candidate:
    """The prior of one explanation for this history.

    Free are: the disposition (in K-PD form, where no IgG was measured, only the rate: volumes stay at their typical value,
    for nothing in the data can tell them from C50); absorption and bioavailability of the routes really used; the own IgG
    where it was measured; the latent starting amount where the past is unknown; C50 and kout where there is a response;
    decline; and per measure level, ceiling (where there is a response), residual SD and persistence.
    """
    composite = knowledge.composite
    compartments = COMPARTMENTS[population.structure]
    has_igg = bool(history.igg.used.any())
    channels = {int(c) for c in history.doses.channel} | {int(c) for c in history.early.channel}
    n_measures = len(history.measures)
    size = K.FIRST_MEASURE + K.PER_MEASURE * n_measures
    scale = np.full(size, K.PLAIN, dtype=np.int64)
    centre, spread = np.zeros(size), np.ones(size)
    free = np.zeros(size, dtype=np.bool_)
    names = [""] * size
    used: list[tuple[str, Number]] = []

    def place(index: int, name: str, prior: Prior, value: float, *, is_free: bool, sd: float | None = None) -> None:
        names[index] = name
        scale[index] = SCALES[prior.scale]
        centre[index] = _to_scale(value, scale[index])
        width = sd if sd is not None else (prior.spread.value if prior.spread else None)
        free[index] = is_free and width is not None
        spread[index] = width if width is not None else 1.0
        used.append((f"{population.id}.{name}" if index < K.OWN else name, prior.typical))
        if prior.spread is not None and free[index] and sd is None:
            used.append((f"{population.id}.{name}.spread" if index < K.OWN else f"{name}.spread", prior.spread))

    for index, name in enumerate(ORDER[compartments]):
        if name in population.parameters:
            prior = population.parameters[name]
            by_channel = {
                "absorption_rate": bool(channels & {1, 2}),
                "bioavailability_sc": 1 in channels,
                "bioavailability_fsc": 2 in channels,
            }
            wanted = by_channel.get(name, has_igg or name not in VOLUMES)
            place(index, name, prior, typical(prior, body), is_free=wanted)
            if prior.covariate is not None:
                used.append((f"{population.id}.{name}.exponent", prior.covariate.exponent))
    if history.past == "unknown":
        prior = composite.parameters["unknown_excess"]
        place(7, "unknown_excess", prior, prior.typical.value, is_free=True)
    own = composite.parameters["endogenous"]
    place(K.OWN, "endogenous", own, own.typical.value, is_free=has_igg)
    for index, name in ((K.C50, "c50"), (K.KOUT, "kout"), (K.DECLINE, "decline")):
        prior = composite.parameters[name]
        place(index, name, prior, prior.typical.value, is_free=n_measures > 0 and (responds or name == "decline"))

    proportional = np.ones(n_measures, dtype=np.int64)
    add = np.zeros(n_measures)
    constants = composite.constants
    for m, (measure, points) in enumerate(zip(history.measures, history.points, strict=True)):
        first = K.FIRST_MEASURE + K.PER_MEASURE * m
        level, ceiling, noise, phi = (composite.parameters[name] for name in PER_MEASURE)
        seen = points.values[points.used]
        capacity = seen if measure.sign > 0 else (measure.top or 0.0) - seen
        if measure.measure == "relative":
            place(first, f"level[{measure.id}]", level, 1.0, is_free=False)
        elif measure.measure == "grip" and measure.unit == "kg" and m == history.primary:
            place(first, f"level[{measure.id}]", level, level.typical.value, is_free=True)
        else:
            place(
                first,
                f"level[{measure.id}]",
                level,
                float(np.median(capacity)),
                is_free=True,
                sd=constants["level_spread"].value,
            )
        wide = None if m == history.primary else constants["imax_spread"].value
        place(first + 1, f"imax[{measure.id}]", ceiling, ceiling.typical.value, is_free=responds, sd=wide)
        error = _error(measure.measure, measure.device, history, m, knowledge)
        if measure.measure in FORCES:
            place(first + 2, f"session_sd[{measure.id}]", noise, noise.typical.value, is_free=True)
            add[m] = error
        else:
            proportional[m] = 0
            place(
                first + 2,
                f"session_sd[{measure.id}]",
                noise,
                error,
                is_free=True,
                sd=constants["score_error_spread"].value,
            )
        place(first + 3, f"persistence[{measure.id}]", phi, phi.typical.value, is_free=True)

    covariance = np.diag(spread**2)
    for a, b, number in population.correlations:
        i, j = names.index(a), names.index(b)
        if free[i] and free[j]:
            covariance[i, j] = covariance[j, i] = number.value * spread[i] * spread[j]
            used.append((f"{population.id}.correlation {a}, {b}", number))
    which = np.flatnonzero(free)
    belief = K.Belief(
        compartments,
        int(responds),
        scale,
        centre,
        np.asarray(np.linalg.inv(covariance), dtype=np.float64),
        which,
        proportional,
        add,
        float(constants["igg_proportional"].value),
        float(constants["igg_additive"].value),
        float(constants["tail"].value),
        float(constants["igg_tail"].value),
    )
    chol = np.asarray(np.linalg.cholesky(covariance[np.ix_(which, which)]), dtype=np.float64)
    return Candidate(population, responds, belief, tuple(names), chol, probability, tuple(used))


def _error(kind: str, device: str | None, history: History, m: int, knowledge: Knowledge) -> float:
    """Additive error of one value: of the device or scale, if its file states one; for a score, else the assumed one."""
    variant = history.variants[m]
    for key in (variant, device, kind):
        if key and key in knowledge.scales:
            error = knowledge.scales[key].error
            if error is not None:
                return error.value
    return 0.0 if kind in FORCES else knowledge.composite.constants["score_error"].value


def timeline(history: History) -> K.Timeline:
    """Steps and observations for the kernels."""
    when: list[npt.NDArray[np.float64]] = []
    kind: list[npt.NDArray[np.int64]] = []
    value: list[npt.NDArray[np.float64]] = []
    for index, points in [(-1, history.igg), *enumerate(history.points)]:
        days, seen = points.days[points.used], points.values[points.used]
        if index >= 0 and history.measures[index].sign < 0:
            seen = (history.measures[index].top or 0.0) - seen
        when.append(days)
        kind.append(np.full(days.size, index, dtype=np.int64))
        value.append(seen)
    days = np.concatenate(when)
    order = np.lexsort((np.concatenate(kind), days))
    times, counts = np.unique(days, return_counts=True)
    steps = schedule(history.doses, times, begin=history.begin)
    return K.Timeline(
        history.begin,
        steps.length,
        steps.inflow,
        steps.bolus,
        steps.slot,
        times,
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        np.concatenate(kind)[order],
        np.concatenate(value)[order],
        history.early.start,
        history.early.grams,
        history.early.channel,
    )


def domain_findings(knowledge: Knowledge, body: Body) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """(refusals, warnings) from the domains of the candidate populations, and what is unknown of the body."""
    refuse: list[Finding] = []
    warn: list[Finding] = []
    for population in knowledge.composite.kinetics:
        for domain, value in outside(population, body):
            finding = Finding(
                "domain.outside_hard" if domain.hard else "domain.outside_soft",
                {
                    "what": domain.what,
                    "value": round(value, 1),
                    "low": domain.low,
                    "high": domain.high,
                    "unit": domain.unit,
                    "population": population.id,
                    "why": domain.why,
                },
                source=population.source,
            )
            (refuse if domain.hard else warn).append(finding)
    if body.weight is None:
        warn.append(Finding("domain.weight_unknown", status="assumed"))
    elif body.lean_mass_assumed:
        warn.append(
            Finding("domain.lean_mass_assumed", {"lean_mass": round(body.lean_mass or 0.0, 1)}, status="assumed")
        )
    if body.age is None:
        warn.append(Finding("domain.age_unknown"))
    return tuple(refuse), tuple(warn)
