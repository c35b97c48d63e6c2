"""How far this person's strength has strayed from what the model foretold, and how far it may stray again.

No model holds everything that moves a hand. So the model is set back to earlier days of the person's own record, foretells
what came next, and is held against it. Its errors beyond what it had allowed for are a short series; the next one is drawn
from what that series says, and moves every forecast as a whole:

    e(k) = d(k) + noise(k),   d(k) = rho d(k-1) + sqrt(1 - rho^2) tau z(k),   log strength = model + d

noise(k) has the variance that the model itself foretold; tau and rho are averaged over their posterior.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ranvier.estimation import kernels as K
from ranvier.estimation.history import History
from ranvier.estimation.model import Candidate
from ranvier.estimation.nouns import FloatArray
from ranvier.estimation.replicate import replicate
from ranvier.estimation.sampling import importance, resample
from ranvier.estimation.search import search

SHORTEST, LONGEST = 14.0, 42.0  # [d] of a window that is foretold
MOST = 6  # windows looked back
BEFORE = 28.0  # [d] of strength that must lie before a window
FEWEST = 5  # values of the measure that must lie before it
ROWS = 300  # draws that foretell
SIZES = (300, 700)  # proposals for them
FAINT = 0.02  # of the median; a value below it counts as that, for its logarithm
TAU = np.concatenate([[0.0], np.geomspace(0.005, 0.6, 29)])
RHO = np.array([0.0, 0.3, 0.6, 0.9])


@dataclass(frozen=True, slots=True)
class Errors:
    """Errors of one measure's past forecasts, oldest first: mean log of seen over foretold, and the variance foretold."""

    error: FloatArray
    variance: FloatArray


def until(line: K.Timeline, day: float) -> K.Timeline:
    """The time line with the observations up to and including `day` only."""
    times = int(np.searchsorted(line.at, day, side="right"))
    steps = int(np.flatnonzero(line.slot == times - 1)[0]) + 1 if times else 0
    seen = int(line.pointer[times])
    return line._replace(
        length=line.length[:steps],
        inflow=line.inflow[:steps],
        bolus=line.bolus[:steps],
        slot=line.slot[:steps],
        at=line.at[:times],
        pointer=line.pointer[: times + 1],
        kind=line.kind[:seen],
        value=line.value[:seen],
    )


def window(history: History) -> float:
    """Days that are foretold at a time: the usual time between courses, within bounds."""
    starts = np.unique(np.floor(history.doses.start))
    gaps = np.diff(starts)
    gaps = gaps[gaps > 4.0]
    return float(np.clip(np.median(gaps), SHORTEST, LONGEST)) if gaps.size else 28.0


Fit = Callable[[K.Timeline, np.random.Generator], FloatArray]


def fitted(candidate: Candidate) -> Fit:
    """A fit of this explanation by search and importance sampling: ROWS equally weighted rows of parameters."""

    def fit(line: K.Timeline, rng: np.random.Generator) -> FloatArray:
        optimum = search(candidate, line, curvature=False)
        return resample(importance(candidate, line, optimum, rng, sizes=SIZES), ROWS, rng)

    return fit


def look_back(
    history: History, candidate: Candidate, line: K.Timeline, seed: int, *, fit: Fit | None = None
) -> tuple[Errors, ...]:
    """Errors of the forecasts that this explanation would have made for the last windows, for each measure.

    fit : how rows of parameters come from what was known at a time; `fitted(candidate)` unless given
    """
    fit = fit or fitted(candidate)
    length = window(history)
    when = np.repeat(line.at, np.diff(line.pointer))
    ends = history.at_day - length * np.arange(MOST)[::-1]
    found: list[list[tuple[float, float]]] = [[] for _ in history.measures]
    for end in ends:
        begin = end - length
        strength = when[line.kind >= 0]
        if not strength.size or begin - strength[0] < BEFORE:
            continue
        able = [
            m
            for m in range(len(history.measures))
            if candidate.belief.proportional[m]
            and np.sum((line.kind == m) & (when <= begin)) >= FEWEST
            and np.any((line.kind == m) & (when > begin) & (when <= end))
        ]
        if not able:
            continue
        before, after = until(line, begin), until(line, end)
        rng = np.random.default_rng([seed, 7, round(begin)])
        foretold = replicate(fit(before, rng), after, candidate.belief, rng)
        for m in able:
            mine = np.flatnonzero((after.kind == m) & (when[: after.kind.size] > begin))
            least = FAINT * float(np.median(after.value[after.kind == m]))
            each = np.log(np.maximum(foretold[:, mine], least)).mean(axis=1)
            seen = float(np.log(np.maximum(after.value[mine], least)).mean())
            found[m].append((seen - float(each.mean()), float(each.var())))
    return tuple(Errors(*(np.array([row[i] for row in rows_]) for i in (0, 1))) for rows_ in found)


def next_error(errors: Errors, scale: float, n: int, rng: np.random.Generator) -> FloatArray:
    """`n` draws of the log discrepancy of the forecast to come; zeros where nothing can be said (no errors).

    scale : scale of the half-Cauchy prior of tau [1]: half of all people are thought to lie below it, few far above
    """
    if not errors.error.size:
        return np.zeros(n)
    tau, rho = (g.ravel() for g in np.meshgrid(TAU, RHO))
    log = -np.log1p((tau / scale) ** 2) + np.log(np.gradient(TAU))[np.searchsorted(TAU, tau)]
    mean, variance = np.zeros(tau.size), tau**2
    for e, v in zip(errors.error, errors.variance, strict=True):
        total = variance + v
        log = log - 0.5 * (e - mean) ** 2 / total - 0.5 * np.log(total)
        gain = variance / total
        mean, variance = mean + gain * (e - mean), (1.0 - gain) * variance
        mean, variance = rho * mean, rho**2 * variance + (1.0 - rho**2) * tau**2
    weight = np.exp(log - log.max())
    chosen = rng.choice(tau.size, size=n, p=weight / weight.sum())
    return np.asarray(mean[chosen] + np.sqrt(variance[chosen]) * rng.standard_normal(n))
