"""This person's posterior: all explanations fitted, weighed and mixed into one set of draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from ranvier.estimation import history as past
from ranvier.estimation import kernels as K
from ranvier.estimation.days import Doubt, in_doubt
from ranvier.estimation.discrepancy import Errors, left_over, look_back, next_error, window
from ranvier.estimation.history import History
from ranvier.estimation.model import Body, Candidate, body_of, candidates, domain_findings, timeline
from ranvier.estimation.nouns import (
    Basis,
    Diagnostics,
    Draws,
    FittedSeries,
    FloatArray,
    ModelWeight,
    Parameter,
    Posterior,
    Refusal,
    Series,
)
from ranvier.estimation.predict import as_value, run
from ranvier.estimation.sampling import (
    SECOND_TRY,
    Sample,
    effective,
    from_prior,
    importance,
    laplace_evidence,
    nuts,
    resample,
)
from ranvier.estimation.search import Optimum, search
from ranvier.estimation.states import at_beginning, joined
from ranvier.evidence.nouns import Knowledge
from ranvier.ground.findings import Fact, Finding
from ranvier.record.nouns import Record
from ranvier.response.turnover import schedule

DRAWS = 1000
FEWEST_EFFECTIVE = 100  # draws that the weights are worth; fewer are not trusted, whatever the tail's shape
DRAWS_FOR_THE_FIT = 400  # enough for the band of a picture
NEGLIGIBLE = 10.0  # an explanation this many nats behind the best (1 in 20,000) gets no draws
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, slots=True)
class Explained:
    """One explanation after fitting. sample: None where it is negligible."""

    candidate: Candidate
    optimum: Optimum
    sample: Sample | None
    probability: float


def estimate(record: Record, knowledge: Knowledge, *, at: date, seed: int) -> Posterior | Refusal:
    """All we can say about this person's kinetics and response on the day `at`, from facts up to then.

    Expects a record without later facts. Same inputs, same draws.
    """
    body = body_of(record, knowledge.composite, at)
    refuse, warn = domain_findings(knowledge, body)
    if refuse:
        return Refusal(refuse)
    history = past.build(record, knowledge, at)
    if isinstance(history, Finding):
        return Refusal((history,))
    history, doubts, explained = explain_as_read(history, body, knowledge, seed)
    rng = np.random.default_rng([seed, 2])
    counts = share([e.probability for e in explained], DRAWS)
    rows = _rows_of(explained, counts, rng)
    priors = [from_prior(e.candidate, n, rng) for e, n in zip(explained, counts, strict=True)]
    measured = history.measures != (past.UNMEASURED,)
    basis = Basis.MEASURED if measured else (Basis.COVARIATES if body.weight is not None else Basis.POPULATION)
    has_igg = bool(history.igg.used.any())
    order = rng.permutation(sum(counts))
    days = _grid(history)
    draws, fitted = bring_to_now(history, explained, rows, order, days, has_igg)
    draws, widened = widen(draws, history, explained, rows, order, knowledge, seed)
    prior, _ = bring_to_now(history, explained, priors, order, days[:0], has_igg)
    return Posterior(
        basis=basis,
        origin=history.origin.isoformat(),
        at_day=history.at_day,
        has_igg=has_igg,
        measures=history.measures,
        primary=history.primary,
        parameters=_parameters(explained, rows, priors, history, has_igg),
        models=tuple(
            ModelWeight(
                e.candidate.population.id,
                e.candidate.responds,
                e.probability,
                e.sample.log_evidence if e.sample else laplace_evidence(e.candidate, e.optimum),
                e.sample.pareto_k if e.sample else float("nan"),
            )
            for e in explained
        ),
        draws=draws,
        observed=_observed(history),
        fitted=fitted,
        diagnostics=_diagnostics(explained, knowledge),
        findings=(
            *history.findings,
            *told(doubts, history, knowledge),
            *warn,
            *widened,
            *_assumptions(explained, has_igg),
        ),
        prior=prior,
    )


def draws_now(history: History, body: Body, knowledge: Knowledge, seed: int) -> tuple[Draws, Draws]:
    """Only the draws of `estimate`, brought to the day of the history: as the models have them, and widened."""
    history, _, explained = explain_as_read(history, body, knowledge, seed)
    rng = np.random.default_rng([seed, 2])
    counts = share([e.probability for e in explained], DRAWS)
    rows = _rows_of(explained, counts, rng)
    order = rng.permutation(sum(counts))
    draws, _ = bring_to_now(history, explained, rows, order, np.empty(0), bool(history.igg.used.any()))
    return draws, widen(draws, history, explained, rows, order, knowledge, seed)[0]


def explain_as_read(
    history: History, body: Body, knowledge: Knowledge, seed: int
) -> tuple[History, tuple[Doubt, ...], tuple[Explained, ...]]:
    """The history as the fit reads it, the days that it doubts, and every explanation fitted to it."""
    explanations = candidates(history, knowledge, body)
    line = timeline(history)
    optima = [search(c, line) for c in explanations]
    read, doubts = days_doubted(history, explanations, optima, knowledge)
    known = optima if read is history else None
    return read, doubts, explain(read, explanations, knowledge, seed, optima=known)


def days_doubted(
    history: History, explanations: Sequence[Candidate], optima: Sequence[Optimum], knowledge: Knowledge
) -> tuple[History, tuple[Doubt, ...]]:
    """The history with the courses whose recorded day does not fit read at their most likely day, and these courses.

    optima : of the explanations, as the days stand
    """
    able = [(o, c) for o, c in zip(optima, explanations, strict=True) if c.responds]
    if history.measures == (past.UNMEASURED,) or not able:
        return history, ()
    optimum, best = min(able, key=lambda one: one[0].misfit - np.log(one[1].prior_probability))
    return in_doubt(history, knowledge, best, optimum.x)


def told(doubts: tuple[Doubt, ...], history: History, knowledge: Knowledge) -> tuple[Finding, ...]:
    """Which days to look up, the most doubtful first."""
    wrong = knowledge.composite.constants["day_wrong"]
    return tuple(
        Finding(
            "history.day_in_doubt",
            {
                "recorded": (history.origin + timedelta(days=int(doubt.at))).isoformat(),
                "likely": (history.origin + timedelta(days=int(doubt.at) + doubt.days)).isoformat(),
                "probability": doubt.probability,
            },
            status=wrong.status,
        )
        for doubt in sorted(doubts, key=lambda doubt: -doubt.probability)
    )


def _rows_of(explained: tuple[Explained, ...], counts: list[int], rng: np.random.Generator) -> list[FloatArray]:
    """So many equally weighted rows of each explanation."""
    return [
        resample(e.sample, n, rng) if e.sample is not None else np.empty((0, e.candidate.belief.centre.size))
        for e, n in zip(explained, counts, strict=True)
    ]


def widen(
    draws: Draws,
    history: History,
    explained: tuple[Explained, ...],
    rows: list[FloatArray],
    order: K.IntArray,
    knowledge: Knowledge,
    seed: int,
) -> tuple[Draws, tuple[Finding, ...]]:
    """Draws whose levels carry the discrepancy of the forecasts to come, of a size that the person's own errors say.

    rows, order : of each explanation, and of all of them in the draws
    """
    best = max((e for e in explained if e.sample is not None), key=lambda e: e.probability)
    scale = knowledge.composite.constants["discrepancy"]
    past_errors = look_back(history, best.candidate, timeline(history), seed)
    fits = [(r, e.candidate.belief) for r, e in zip(rows, explained, strict=True)]
    moved = strayed(draws, history, past_errors, fits, order, scale.value, np.random.default_rng([seed, 8]))
    findings = []
    for m, errors in enumerate(past_errors):
        if not errors.forecasts:
            continue
        log = np.log(moved.level[:, m] / draws.level[:, m])
        facts: dict[str, Fact] = {
            "measure": history.measures[m].id,
            "n": errors.forecasts,
            "days": round(window(history)),
            "typical": float(np.median(np.abs(errors.error))),
            "allowed": float(np.median(np.sqrt(np.diag(errors.covariance)))),
            "sd": float(np.std(log)),
            "shift": float(np.median(log)),
        }
        findings.append(Finding("forecast.widened", facts, status=scale.status))
    return moved, tuple(findings)


def strayed(
    draws: Draws,
    history: History,
    past_errors: tuple[Errors, ...],
    fits: Sequence[tuple[FloatArray, K.Belief]],
    order: K.IntArray,
    scale: float,
    rng: np.random.Generator,
) -> Draws:
    """Draws whose levels are moved as past errors say; each by the discrepancy of one day of the window to come."""
    level = draws.level.copy()
    judged = [m for m, errors in enumerate(past_errors) if errors.forecasts]
    left = left_over(timeline(history), fits, order, judged, history.at_day) if judged else {}
    for m in judged:
        days = history.at_day + window(history) * rng.random(len(level))
        level[:, m] *= np.exp(next_error(past_errors[m], left[m], scale, days, rng))
    return replace(draws, level=level)


def explain(
    history: History,
    explanations: tuple[Candidate, ...],
    knowledge: Knowledge,
    seed: int,
    *,
    line: K.Timeline | None = None,
    optima: Sequence[Optimum] | None = None,
) -> tuple[Explained, ...]:
    """Fit every explanation and give it its posterior probability.

    The probability of the data under an explanation, averaged over its prior, is the product of its one-step-ahead
    predictions: explanations are weighed by how well each would have predicted this person's values as they came.
    `line` takes the place of the history's own time line (simulated values); `optima` that of the search, where it is done.
    """
    line = line or timeline(history)
    optima = optima or [search(c, line) for c in explanations]
    first = [laplace_evidence(c, o) + np.log(c.prior_probability) for c, o in zip(explanations, optima, strict=True)]
    samples: list[Sample | None] = []
    limit = knowledge.composite.constants["pareto_k"].value
    for index, (c, o) in enumerate(zip(explanations, optima, strict=True)):
        samples.append(
            _sample(c, line, o, seed=seed, index=index, limit=limit) if first[index] > max(first) - NEGLIGIBLE else None
        )
    log = np.array(
        [
            s.log_evidence + np.log(c.prior_probability) if s is not None else f
            for s, c, f in zip(samples, explanations, first, strict=True)
        ]
    )
    probability = np.exp(log - log.max())
    probability /= probability.sum()
    return tuple(
        Explained(c, o, s, float(p)) for c, o, s, p in zip(explanations, optima, samples, probability, strict=True)
    )


def _sample(c: Candidate, line: K.Timeline, o: Optimum, *, seed: int, index: int, limit: float) -> Sample:
    """Importance sampling; once more, in finer coordinates, where its weights cannot be trusted; then NUTS."""

    def trusted(s: Sample) -> bool:
        return s.pareto_k <= limit and effective(s.weight) >= FEWEST_EFFECTIVE

    sample = importance(c, line, o, np.random.default_rng([seed, 1, index]))
    if not trusted(sample):
        again = np.random.default_rng([seed, 3, index])
        sample = importance(c, line, o, again, sizes=SECOND_TRY, exactly=True)
    if not trusted(sample):
        sample = nuts(c, line, o, DRAWS, seed, k=sample.pareto_k)
    return sample


def share(probability: list[float], n: int) -> list[int]:
    """`n` draws shared out in proportion, the largest remainders rounded up."""
    exact = np.array(probability) * n
    counts = np.floor(exact).astype(np.int64)
    for i in np.argsort(counts - exact, kind="stable")[: n - counts.sum()]:
        counts[i] += 1
    return [int(c) for c in counts]


def _grid(history: History) -> FloatArray:
    """Daily points from the first fact to now, for the picture of the fit."""
    first = history.begin if history.past != "regimen" else history.begin + past.RUN_IN
    return np.arange(np.floor(first), history.at_day, 1.0)[1:]


def bring_to_now(
    history: History,
    explained: tuple[Explained, ...],
    rows: list[FloatArray],
    order: np.typing.NDArray[np.int64],
    days: FloatArray,
    has_igg: bool,
) -> tuple[Draws, tuple[FittedSeries, ...]]:
    """Draws of all explanations as one set, moved from the beginning of the history to `at`; and the fit on `days`."""
    beliefs = [e.candidate.belief for e in explained]
    at_first = joined(
        [at_beginning(r, b, history.begin, history.early) for r, b in zip(rows, beliefs, strict=True)], order
    )
    population = np.concatenate([np.full(len(r), i, dtype=np.int64) for i, r in enumerate(rows)])[order]
    responds = np.array([e.candidate.responds for e in explained])[population]
    theta, decline = at_first.theta, at_first.decline
    columns = K.FIRST_MEASURE + K.PER_MEASURE * np.arange(len(history.measures))
    proportional = beliefs[0].proportional.astype(np.bool_)
    noise = theta[:, columns + 2]

    def draws_at(day: float, modes: FloatArray, relative: FloatArray) -> Draws:
        return Draws(
            rate=at_first.rate,
            coefficient=at_first.coefficient,
            modes=modes,
            c50=at_first.c50,
            kout=at_first.kout,
            decline=decline,
            imax=at_first.imax,
            level=theta[:, columns] * np.exp(-decline * day)[:, None],
            relative=np.ascontiguousarray(relative),
            sd=np.where(proportional, noise, 0.0),
            add=np.where(proportional, beliefs[0].add, noise),
            persistence=theta[:, columns + 3],
            endogenous=theta[:, K.OWN] if has_igg else np.full(len(theta), np.nan),
            responds=responds,
            population=population,
        )

    begin = draws_at(history.begin, at_first.modes, at_first.relative)
    now = np.array([history.at_day])
    if history.at_day <= history.begin:
        return begin, ()
    steps = schedule(history.doses, now, begin=history.begin)
    _, end = run(begin, steps, 1, modes=begin.modes, relative=begin.relative, decline=decline)
    today = np.exp(-decline * (history.at_day - history.begin))[:, None]
    draws = draws_at(history.at_day, _modes_after(history, begin), end[:, :, 0].T / today)
    if not days.size:
        return draws, ()
    some = slice(0, DRAWS_FOR_THE_FIT)
    few = _rows(begin, some)
    steps = schedule(history.doses, days, begin=history.begin)
    excess, strength = run(few, steps, days.size, modes=few.modes, relative=few.relative, decline=few.decline)
    capacity = strength * few.level.T[:, :, None]
    series = [_band(m.id, m.unit, days, as_value(m, capacity[i])) for i, m in enumerate(history.measures) if m.n > 0]
    if has_igg:
        series.append(_band("igg", "g/L", days, excess + few.endogenous[:, None]))
    return draws, tuple(series)


def _modes_after(history: History, begin: Draws) -> FloatArray:
    """Mode amplitudes at `at`, each mode by itself: decay of what was there, plus each dose since, in closed form."""
    end = history.at_day
    modes = begin.modes * np.exp(-begin.rate * (end - history.begin))
    doses = history.doses
    for start, stop, grams, channel in zip(doses.start, doses.stop, doses.grams, doses.channel, strict=True):
        if start >= end:
            continue
        length = stop - start
        c = begin.coefficient[:, channel, :]
        if length == 0:
            modes += grams * c * np.exp(-begin.rate * (end - start))
        else:
            ran = min(stop, end) - start
            safe = np.where(begin.rate > 0, begin.rate, 1.0)
            given = np.where(begin.rate > 0, -np.expm1(-begin.rate * ran) / safe, ran)
            modes += grams / length * c * given * np.exp(-begin.rate * (end - start - ran))
    return modes


def _rows(draws: Draws, which: slice) -> Draws:
    return Draws(**{name: np.ascontiguousarray(getattr(draws, name)[which]) for name in Draws.__slots__})


def _band(name: str, unit: str, days: FloatArray, values: FloatArray) -> FittedSeries:
    return FittedSeries(name, unit, days, *np.quantile(values, QUANTILES, axis=0))


def _observed(history: History) -> tuple[Series, ...]:
    series = [
        Series(m.id, m.unit, p.days, p.values, p.used) for m, p in zip(history.measures, history.points, strict=True)
    ]
    if history.igg.days.size:
        series.append(Series("igg", "g/L", history.igg.days, history.igg.values, history.igg.used))
    return tuple(s for s in series if s.days.size)


def _parameters(
    explained: tuple[Explained, ...],
    rows: list[FloatArray],
    priors: list[FloatArray],
    history: History,
    has_igg: bool,
) -> tuple[Parameter, ...]:
    """Posterior beside prior. Parameters of the response are those of people who respond.

    Information is 1 - posterior variance / prior variance of the logarithm (logit for fractions), at least 0.
    """

    def column(index: int, rows_: list[FloatArray], *, responders: bool = False) -> FloatArray:
        kept = [
            r[:, index]
            for e, r in zip(explained, rows_, strict=True)
            if (e.candidate.responds or not responders) and len(r)
        ]
        return np.concatenate(kept) if kept else np.empty(0)

    def kinetic(rows_: list[FloatArray], what: str) -> FloatArray:
        """Log of clearance, or of the half-life of the slow mode: both structures have them."""
        values = []
        for e, r in zip(explained, rows_, strict=True):
            two = e.candidate.belief.compartments == 2
            if what == "clearance":
                values.append(r[:, 0] if two else r[:, 0] + r[:, 1])
            elif two:
                k10, k12, k21 = np.exp(r[:, 0] - r[:, 1]), np.exp(r[:, 2] - r[:, 1]), np.exp(r[:, 2] - r[:, 3])
                total = k10 + k12 + k21
                fast = 0.5 * (total + np.sqrt(total**2 - 4.0 * k10 * k21))
                values.append(np.log(np.log(2.0) * fast / (k10 * k21)))
            else:
                values.append(np.log(np.log(2.0)) - r[:, 0])
        return np.concatenate(values)

    logit = {K.FIRST_MEASURE + K.PER_MEASURE * m + k for m in range(len(history.measures)) for k in (1, 3)}
    table: list[tuple[str, str, FloatArray, FloatArray, bool]] = []
    if has_igg:
        table.append(("clearance", "L/d", kinetic(rows, "clearance"), kinetic(priors, "clearance"), False))
        table.append(("central_volume", "L", column(1, rows), column(1, priors), False))
    table.append(("half_life", "d", kinetic(rows, "half_life"), kinetic(priors, "half_life"), False))
    named = [(K.DECLINE, "decline", "1/a", False)]
    if has_igg:
        named.append((K.OWN, "endogenous", "g/L", False))
    named += [(K.C50, "c50", "g/L", True), (K.KOUT, "kout", "1/d", True)]
    if history.past == "unknown":
        named.append((7, "unknown_excess", "g/L", False))
    for m, measure in enumerate(history.measures):
        first = K.FIRST_MEASURE + K.PER_MEASURE * m
        in_unit = measure.measure in past.FORCES
        if measure.n:
            named.append((first, f"level[{measure.id}]", measure.unit, False))
            named.append((first + 2, f"session_sd[{measure.id}]", "1" if in_unit else measure.unit, False))
            named.append((first + 3, f"persistence[{measure.id}]", "1", False))
        named.append((first + 1, f"imax[{measure.id}]", "1", True))
    for index, name, unit, responders in named:
        posterior = column(index, rows, responders=responders)
        table.append((name, unit, posterior, column(index, priors, responders=responders), index in logit))
    return tuple(_parameter(*row) for row in table if row[2].size > 1)


def _parameter(name: str, unit: str, x: FloatArray, prior: FloatArray, logit: bool) -> Parameter:
    low, middle, high = np.quantile(x, (0.05, 0.5, 0.95))
    before = float(np.median(prior))
    if logit:
        low, middle, high, before = (float(1.0 / (1.0 + np.exp(-v))) for v in (low, middle, high, before))
    else:
        low, middle, high, before = (float(np.exp(v)) for v in (low, middle, high, before))
    spread = float(np.var(prior))
    information = max(1.0 - float(np.var(x)) / spread, 0.0) if spread > 0 else 0.0
    return Parameter(name, unit, middle, low, high, before, information)


def _diagnostics(explained: tuple[Explained, ...], knowledge: Knowledge) -> Diagnostics:
    """Of the explanations that matter, the worst of each."""
    kept = [e for e in explained if e.sample is not None and e.probability >= 0.01]
    findings: list[Finding] = []
    for e in kept:
        facts: dict[str, Fact] = {"population": e.candidate.population.id, "responds": e.candidate.responds}
        if not e.optimum.converged:
            findings.append(Finding("fit.not_converged", facts))
        if e.optimum.optima > 1:
            findings.append(
                Finding("fit.several_optima", {**facts, "optima": e.optimum.optima, "starts": e.optimum.starts})
            )
        sample = e.sample
        if sample is not None and sample.sampler == "nuts":
            findings.append(
                Finding(
                    "fit.by_nuts",
                    {**facts, "k": round(sample.pareto_k, 2), "rhat": sample.rhat, "divergences": sample.divergences},
                )
            )
    samples = [e.sample for e in kept if e.sample is not None]
    return Diagnostics(
        pareto_k=max(s.pareto_k for s in samples),
        optima=max(e.optimum.optima for e in kept),
        converged=all(e.optimum.converged for e in kept),
        sampler="nuts" if any(s.sampler == "nuts" for s in samples) else "psis",
        starts=max(e.optimum.starts for e in kept),
        findings=tuple(findings),
        effective=1.0 / sum(e.probability**2 / effective(e.sample.weight) for e in kept if e.sample is not None),
    )


def _assumptions(explained: tuple[Explained, ...], has_igg: bool) -> tuple[Finding, ...]:
    """Every number of the populations that took part, with its place and status; and which form the kinetics took."""
    seen: dict[str, Finding] = {}
    for e in explained:
        if e.sample is None:
            continue
        for name, number in e.candidate.used:
            facts: dict[str, Fact] = {
                "parameter": name,
                "value": number.value,
                "unit": number.unit,
                "where": number.where,
            }
            seen.setdefault(name, Finding("prior.number", facts, source=number.source, status=number.status))
    form = Finding("kinetics.with_igg" if has_igg else "kinetics.without_igg")
    return (form, *(seen[name] for name in sorted(seen)))
