"""Simulation-based calibration: if people came from our own models, would our intervals tell the truth?

A person's explanation and parameters are drawn from the prior, measurements are simulated, everything is fitted as for a
real person, and the place of the truth among the posterior draws is noted. If the posterior is right these places are
uniform between 0 and 1, for parameters and for any quantity computed from them, and a stated chance of 70 % comes true in
70 of 100 (Talts et al. 2018; Modrák et al. 2023).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from ranvier.estimation import kernels as K
from ranvier.estimation import model
from ranvier.estimation.courses import InForce
from ranvier.estimation.history import UNMEASURED, History, Points
from ranvier.estimation.model import Body, Candidate
from ranvier.estimation.nouns import FloatArray, Measure
from ranvier.estimation.posterior import DRAWS, Explained, bring_to_now, explain, share
from ranvier.estimation.replicate import replicate
from ranvier.estimation.sampling import Sample, importance, nuts, resample
from ranvier.estimation.search import search
from ranvier.evidence.nouns import Knowledge
from ranvier.kinetics.disposition import Doses
from ranvier.monitoring.watch import decisive

ORIGIN = date(2025, 1, 1)
MORNING, INFUSED, LASTING = 8.0 / 24.0, 10.0 / 24.0, 5.0 / 24.0  # [d]
BODY = Body(weight=80.0, lean_mass=58.0, age=55.0)
FLOOR = 0.92  # of the median of a person's last values; or a fixed one where strength was not measured
FLOOR_UNMEASURED = 1.2
GRAMS = 40.0
TUNE, KEEP, ACCEPT = 200, 600, 0.8
"""Of each of four chains: a short warm-up does, on parameters that the optimum's curvature has whitened already."""


@dataclass(frozen=True, slots=True)
class Design:
    """How a simulated person was followed.

    days : length of the record [d]; igg, grip : days of levels and of grip values
    interval : from infusion to infusion of 40 g, the first on day 10 [d]
    """

    days: int
    igg: tuple[float, ...]
    grip: tuple[float, ...]
    interval: float = 21.0


DESIGNS: Mapping[str, Design] = {
    "pk": Design(100, (12.0, 20.5, 31.0, 45.0, 62.5, 83.5), ()),
    "joint": Design(63, (20.5, 32.0, 41.5), tuple(float(d) for d in range(63))),
    "k-pd": Design(63, (), tuple(float(d) for d in range(63))),
    "visits": Design(178, (31.0, 52.0, 73.0), tuple(float(d) for d in range(10, 178, 21))),
}
"""IgG alone; IgG and daily strength; strength alone, where volumes cannot be known (K-PD); both on infusion days only."""


@dataclass(frozen=True, slots=True)
class Case:
    """One simulated person: the whole history with values, the true explanation and parameters, regimen and floor."""

    history: History
    line: K.Timeline
    explanations: tuple[Candidate, ...]
    truth: int
    x: FloatArray
    regimen: InForce
    floor: float


@dataclass(frozen=True, slots=True)
class Places:
    """Where the truth lies among the draws, 0 to 1, by name; and the stated chance beside what was true.

    parameters : under the true explanation; decisions : under the mixture of all explanations
    p_above, above : chance that the trough stays above the floor, and whether it does
    p_responds, responds : the same of the response; sampler, pareto_k : of the true explanation
    """

    parameters: Mapping[str, float]
    decisions: Mapping[str, float]
    p_above: float
    above: bool
    p_responds: float
    responds: bool
    sampler: str
    pareto_k: float
    seconds: float
    rhat: float | None = None
    divergences: int | None = None


def history_of(design: Design) -> History:
    """The history of a design, with values still to be filled in (1 each)."""

    def points(days: FloatArray) -> Points:
        return Points(days, np.ones(days.size), np.ones(days.size, dtype=np.bool_))

    igg = points(np.array(design.igg, dtype=np.float64) + MORNING)
    starts = np.arange(10.0, design.days, design.interval) + INFUSED
    measures: tuple[Measure, ...] = (UNMEASURED,)
    values = points(np.empty(0))
    if design.grip:
        values = points(np.array(design.grip) + MORNING)
        measures = (Measure("right", "grip", "right", "digital_grip", "kg", values.days.size),)
    return History(
        origin=ORIGIN,
        at_day=design.days + MORNING,
        begin=min(float(d) for d in (*igg.days, *starts, *values.days)),
        doses=Doses.of(starts, GRAMS, length=LASTING),
        early=Doses.of([], []),
        past="none",
        igg=igg,
        measures=measures,
        variants=(None,),
        points=(values,),
        primary=0,
        findings=(),
    )


def draw_case(design: Design, knowledge: Knowledge, rng: np.random.Generator) -> Case:
    """A person drawn from the prior over explanations and their parameters, measured as the design says."""
    history = history_of(design)
    explanations = model.candidates(history, knowledge, BODY)
    chance = np.array([c.prior_probability for c in explanations])
    truth = int(rng.choice(chance.size, p=chance / chance.sum()))
    candidate = explanations[truth]
    belief = candidate.belief
    x = belief.centre.copy()
    x[belief.free] += candidate.chol @ rng.standard_normal(belief.free.size)
    empty = model.timeline(history)
    line = empty._replace(value=replicate(x[None], empty, belief, rng)[0])
    grip = line.value[line.kind == 0]
    regimen = InForce(
        product="privigen",
        route="IV",
        daily=(GRAMS,),
        interval_days=design.interval,
        last=ORIGIN + timedelta(days=design.days - 1),
        length=LASTING,
        given=(GRAMS,),
        courses=1,
        held=2,
    )
    floor = FLOOR_UNMEASURED if not grip.size else FLOOR * float(np.median(grip[-21:]))
    return Case(history, line, explanations, truth, x, regimen, floor)


def places(case: Case, knowledge: Knowledge, seed: int) -> Places:
    """Fit as for a real person: all explanations, importance sampling, NUTS where its weights cannot be trusted."""
    begin = time.perf_counter()
    explained = explain(case.history, case.explanations, knowledge, seed, line=case.line)
    rng = np.random.default_rng([seed, 2])
    counts = share([e.probability for e in explained], DRAWS)
    kept = [
        (e, resample(e.sample, n, rng)) for e, n in zip(explained, counts, strict=True) if e.sample is not None and n
    ]
    own = explained[case.truth]
    sample = own.sample
    if sample is None:  # the truth is negligible by the data: it happens, rarely, and must be counted
        sample = importance(own.candidate, case.line, own.optimum, np.random.default_rng([seed, 5]))
    seconds = time.perf_counter() - begin
    p_responds = sum(e.probability for e in explained if e.candidate.responds)
    return _placed(case, knowledge, sample, kept, p_responds, seconds, seed)


def places_by_nuts(case: Case, knowledge: Knowledge, seed: int) -> Places:
    """The same under the true explanation alone, all draws by the No-U-Turn sampler, thinned to DRAWS."""
    begin = time.perf_counter()
    candidate = case.explanations[case.truth]
    optimum = search(candidate, case.line)
    sample = nuts(candidate, case.line, optimum, DRAWS, seed, k=float("nan"), tune=TUNE, keep=KEEP, accept=ACCEPT)
    own = Explained(candidate, optimum, sample, 1.0)
    return _placed(
        case,
        knowledge,
        sample,
        [(own, sample.x)],
        float(candidate.responds),
        time.perf_counter() - begin,
        seed,
    )


def _placed(
    case: Case,
    knowledge: Knowledge,
    sample: Sample,
    kept: list[tuple[Explained, FloatArray]],
    p_responds: float,
    seconds: float,
    seed: int,
) -> Places:
    candidate = case.explanations[case.truth]
    free = candidate.belief.free
    rng = np.random.default_rng([seed, 6])
    below = sample.weight @ (sample.x[:, free] < case.x[free])
    history, measure = case.history, case.history.measures[0]
    has_igg = bool(history.igg.used.any())

    def decided(explained: tuple[Explained, ...], rows: list[FloatArray]) -> FloatArray:
        order = np.arange(sum(len(r) for r in rows))
        draws, _ = bring_to_now(history, explained, rows, order, np.empty(0), has_igg)
        d = decisive(draws, 0, measure, case.regimen, case.floor, knowledge.monitoring)
        return np.column_stack([d.trough, d.swing, d.day_below, draws.modes.sum(axis=1)])

    all_of_them = decided(tuple(e for e, _ in kept), [r for _, r in kept])
    true = decided((Explained(candidate, kept[0][0].optimum, None, 1.0),), [case.x[None]])
    # where draws equal the truth (never below the floor, no swing) its place is drawn among them
    place = np.mean(all_of_them < true, axis=0) + rng.random(true.shape[1]) * np.mean(all_of_them == true, axis=0)
    return Places(
        parameters={candidate.names[p]: float(b) for p, b in zip(free, below, strict=True)},
        decisions=dict(
            zip(("trough", "swing", "day below the floor", "IgG excess today"), place.tolist(), strict=True)
        ),
        p_above=float(np.mean(all_of_them[:, 0] >= case.floor)),
        above=bool(true[0, 0] >= case.floor),
        p_responds=float(p_responds),
        responds=candidate.responds,
        sampler=sample.sampler,
        pareto_k=float(sample.pareto_k),
        seconds=seconds,
        rhat=sample.rhat,
        divergences=sample.divergences,
    )
