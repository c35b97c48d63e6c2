"""One person's record held against what was made of it: individual fit, residuals, NPDE, predictive check, trust in the draws.

Replicates from the posterior say whether the fit could have made these values; replicates from the prior say whether this
person is like the population at all (NPDE: place of each value among them, decorrelated).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from ranvier.estimation import checks, model
from ranvier.estimation import history as past
from ranvier.estimation.nouns import FloatArray, Refusal
from ranvier.estimation.posterior import DRAWS, explain_as_read, share
from ranvier.estimation.replicate import expected, replicate, spread
from ranvier.estimation.sampling import effective, from_prior, nuts, resample
from ranvier.evidence.nouns import Knowledge
from ranvier.ground.findings import Finding
from ranvier.record.nouns import Record

FEWEST = 3  # values of a series that can be held against anything
KEEP = 600  # of each of four chains


@dataclass(frozen=True, slots=True)
class SeriesCheck:
    """One series of n values: IgG, or strength as the model counts it (more is better).

    day : from the first fact [d]; seen, fitted, low, high : value, median of the fit, 90 % band of replicates [unit]
    weighted : residual of the fit, in SD; npde : against the population; predictive : statistic → seen, 5 %, 95 %, place
    """

    id: str
    unit: str
    day: FloatArray
    seen: FloatArray
    fitted: FloatArray
    low: FloatArray
    high: FloatArray
    weighted: FloatArray
    npde: FloatArray
    of_errors: checks.OfErrors
    predictive: dict[str, tuple[float, float, float, float]]

    @property
    def inside(self) -> float:
        """Share of values within the 90 % band of replicates of the fit."""
        return float(np.mean((self.seen >= self.low) & (self.seen <= self.high)))


@dataclass(frozen=True, slots=True)
class Trust:
    """How far one explanation's draws can be trusted; rhat and divergences where NUTS has drawn, else None."""

    population: str
    responds: bool
    probability: float
    sampler: str
    pareto_k: float
    effective: float
    rhat: float | None
    divergences: int | None


@dataclass(frozen=True, slots=True)
class RecordChecks:
    """All checks of one record. models : the most probable first."""

    series: tuple[SeriesCheck, ...]
    models: tuple[Trust, ...]
    replicates: int


def check_record(
    record: Record, knowledge: Knowledge, *, at: date, seed: int, by_nuts: bool = False
) -> RecordChecks | Refusal:
    """Fit the record as a plan does, simulate it again and again, and compare. Expects a record without later facts.

    by_nuts : draw the most probable explanation by the No-U-Turn sampler as well, for its R-hat
    """
    body = model.body_of(record, knowledge.composite, at)
    refuse, _ = model.domain_findings(knowledge, body)
    if refuse:
        return Refusal(refuse)
    history = past.build(record, knowledge, at)
    if isinstance(history, Finding):
        return Refusal((history,))
    history, _, explained = explain_as_read(history, body, knowledge, seed)
    line = model.timeline(history)
    rng = np.random.default_rng([seed, 11])
    drawn = [e for e in explained if e.sample is not None]
    fits, sds, after, before = [], [], [], []
    for e, n in zip(drawn, share([e.probability for e in drawn], DRAWS), strict=True):
        if n == 0 or e.sample is None:
            continue
        rows, belief = resample(e.sample, n, rng), e.candidate.belief
        fits.append(expected(rows, line, belief))
        sds.append(spread(rows, line, belief, fits[-1]))
        after.append(replicate(rows, line, belief, rng))
        before.append(replicate(from_prior(e.candidate, n, rng), line, belief, rng))
    f, sd, posterior, prior = (np.concatenate(part) for part in (fits, sds, after, before))
    when = np.repeat(line.at, np.diff(line.pointer))
    made = []
    named = [(-1, "igg", "g/L"), *((m, measure.id, measure.unit) for m, measure in enumerate(history.measures))]
    for kind, name, unit in named:
        mine = np.flatnonzero(line.kind == kind)
        if mine.size < FEWEST:
            continue
        seen = line.value[mine]
        errors, summary = checks.of_one_person(seen, prior[:, mine])
        low, high = np.quantile(posterior[:, mine], (0.05, 0.95), axis=0)
        made.append(
            SeriesCheck(
                name, unit, when[mine], seen, np.median(f[:, mine], axis=0), low, high,
                np.mean((seen - f[:, mine]) / sd[:, mine], axis=0), errors, summary,
                checks.posterior_predictive(seen, posterior[:, mine]),
            )
        )  # fmt: skip
    models: list[Trust] = []
    for e in sorted(drawn, key=lambda e: -e.probability):
        sample = e.sample
        assert sample is not None
        k, kept = sample.pareto_k, effective(sample.weight)
        if by_nuts and not models and sample.rhat is None:
            sample = nuts(e.candidate, line, e.optimum, DRAWS, seed, k=k, keep=KEEP)
        it = e.candidate
        models.append(
            Trust(
                it.population.id, it.responds, e.probability, sample.sampler, k, kept, sample.rhat, sample.divergences
            )
        )
    return RecordChecks(tuple(made), tuple(models), len(f))
