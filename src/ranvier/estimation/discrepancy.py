"""How far this person's strength has strayed from what the model foretold, and how far it may stray again.

No model holds everything that moves a hand. So the model is set back to earlier days of the person's own record, foretells
what came next, and is held against it, week by week:

    log(seen / foretold) = d(t) + noise,   d: mean 0, SD tau, correlation exp(-|t - t'| / L) between two days

noise has the covariance that the model itself foretold. tau and L are averaged over their posterior. Two forecasts of d are
made with them, each for half of the draws: from the errors of the past forecasts, and from what the present fit leaves of the
last weeks. Each draw takes d of one random day of the window to come, and moves the forecast as a whole by it.

Session errors that hang together over weeks cannot be told from strength that wanders. The session error is therefore given the
persistence that is usual for it, and the size that its changes from day to day show; what hangs together beyond that is d.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ranvier.estimation import kernels as K
from ranvier.estimation.history import History
from ranvier.estimation.model import Candidate
from ranvier.estimation.nouns import FloatArray
from ranvier.estimation.replicate import expected
from ranvier.estimation.sampling import importance, resample
from ranvier.estimation.search import search

SHORTEST, LONGEST = 14.0, 42.0  # [d] of a window that is foretold
MOST = 6  # windows looked back
BEFORE = 28.0  # [d] of strength that must lie before a window
FEWEST = 5  # values of the measure that must lie before it
WEEK = 7.0  # [d] over which values are averaged, about
LAST = 84.0  # [d] of which what the present fit leaves is looked at
ROWS = 300  # draws that foretell
SIZES = (300, 700)  # proposals for them
FAINT = 0.02  # of the median; a value below it counts as that, for its logarithm
TAU = np.concatenate([[0.0], np.geomspace(0.005, 0.6, 24)])
LENGTH = np.array([7.0, 20.0, 60.0, 200.0])  # [d]


@dataclass(frozen=True, slots=True)
class Errors:
    """Weekly means of log(seen / foretold) of one measure, W of them, from past forecasts, oldest first.

    day : W [d]; error : W; covariance : W × W, what the model allowed for; forecasts : how many these were
    """

    day: FloatArray
    error: FloatArray
    covariance: FloatArray
    forecasts: int


@dataclass(frozen=True, slots=True)
class Left:
    """Weekly means of log(seen / fitted) of one measure, W of them, for each of n draws of the present fit.

    day : W [d]; error : n × W; covariance : W × W, of the session error
    """

    day: FloatArray
    error: FloatArray
    covariance: FloatArray


NO_ERRORS = Errors(np.empty(0), np.empty(0), np.empty((0, 0)), 0)


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
    found: list[list[tuple[FloatArray, FloatArray, FloatArray]]] = [[] for _ in history.measures]
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
        rows = fit(before, np.random.default_rng([seed, 7, round(begin)]))
        foretold = expected(rows, after, candidate.belief)
        for m in able:
            mine = np.flatnonzero((after.kind == m) & (when[: after.kind.size] > begin))
            days, weeks = when[mine], _weeks(when[mine])
            told = np.log(foretold[:, mine])
            noise, bias = _session(rows, days, candidate.belief, m)
            error = _log(after.value, after.kind == m)[mine] - told.mean(axis=0) + bias
            parameters = np.atleast_2d(np.cov(told @ weeks.T, rowvar=False))
            found[m].append((weeks @ days, weeks @ error, parameters + weeks @ noise @ weeks.T))
    return tuple(_together(parts) for parts in found)


def _together(parts: list[tuple[FloatArray, FloatArray, FloatArray]]) -> Errors:
    """Windows one after the other; what the model foretold for one is taken as independent of what it foretold for another."""
    if not parts:
        return NO_ERRORS
    day, error = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
    covariance, first = np.zeros((day.size, day.size)), 0
    for _, _, own in parts:
        covariance[first : first + len(own), first : first + len(own)] = own
        first += len(own)
    return Errors(day, error, covariance, len(parts))


def left_over(
    line: K.Timeline,
    fits: Sequence[tuple[FloatArray, K.Belief]],
    order: K.IntArray,
    measures: Sequence[int],
    at_day: float,
) -> dict[int, Left]:
    """What the present fit leaves of the last weeks of each of these measures.

    fits : rows of parameters and belief of each explanation; order : of all their rows, as the draws have it
    """
    when = np.repeat(line.at, np.diff(line.pointer))
    some = [(rows, belief) for rows, belief in fits if len(rows)]
    late = when > at_day - LAST
    foretold = [expected(rows, line, belief)[:, late] for rows, belief in some]
    found = {}
    for measure in measures:
        mine = np.flatnonzero((line.kind == measure) & late)
        if not mine.size:
            found[measure] = Left(np.empty(0), np.empty((order.size, 0)), np.empty((0, 0)))
            continue
        days, weeks = when[mine], _weeks(when[mine])
        told = np.concatenate([np.log(f[:, line.kind[late] == measure]) for f in foretold])[order]
        noise, bias = _session(np.concatenate([rows for rows, _ in some]), days, some[0][1], measure)
        error = _log(line.value, line.kind == measure)[mine] - told + bias
        found[measure] = Left(weeks @ days, error @ weeks.T, weeks @ noise @ weeks.T)
    return found


def _log(value: FloatArray, mine: np.typing.NDArray[np.bool_]) -> FloatArray:
    return np.log(np.maximum(value, FAINT * float(np.median(value[mine]))))


def _weeks(days: FloatArray) -> FloatArray:
    """W × T: which average of values on T days makes each of W means over about a week."""
    span = days[-1] - days[0] + 1.0
    count = max(round(span / WEEK), 1)
    which = np.minimum(((days - days[0]) / span * count).astype(np.int64), count - 1)
    return np.array([(which == w) / np.sum(which == w) for w in np.unique(which)])


def _session(rows: FloatArray, days: FloatArray, belief: K.Belief, measure: int) -> tuple[FloatArray, float]:
    """Covariance T × T of the log session error on these days, and by how much its mean lies below 0.

    Its persistence is the usual one; its size leaves variance (1 - persistence), that of changes from day to day, as fitted.
    """
    first = K.FIRST_MEASURE + K.PER_MEASURE * measure
    usual = 1.0 / (1.0 + np.exp(-belief.centre[first + 3]))
    persistence = 1.0 / (1.0 + np.exp(-rows[:, first + 3]))
    variance = float(np.mean(np.exp(2.0 * rows[:, first + 2]) * (1.0 - persistence)) / (1.0 - usual))
    return variance * usual ** np.abs(days[:, None] - days[None, :]), 0.5 * variance


def _shape(day: FloatArray, covariance: FloatArray) -> FloatArray:
    """Covariance of weekly means for each tau and L, (tau · L) × W × W."""
    apart = np.abs(day[:, None] - day[None, :])
    wander = TAU[:, None, None, None] ** 2 * np.exp(-apart / LENGTH[:, None, None])
    return np.asarray(
        (wander + covariance + 1e-8 * np.eye(day.size)).reshape(TAU.size * LENGTH.size, *covariance.shape)
    )


def next_error(errors: Errors, left: Left, scale: float, days: FloatArray, rng: np.random.Generator) -> FloatArray:
    """For each draw (n) the log discrepancy on a day to come; zeros where nothing can be said (no errors).

    scale : scale of the half-Cauchy prior of tau [1]: half of all people are thought to lie below it, few far above
    days : n, the day to come of each draw [d]
    """
    n = days.size
    if not errors.forecasts:
        return np.zeros(n)
    shape = _shape(errors.day, errors.covariance)
    root = np.linalg.cholesky(shape)
    white = np.linalg.solve(root, np.broadcast_to(errors.error[:, None], (len(root), errors.day.size, 1)))[:, :, 0]
    log = -0.5 * np.sum(white**2, axis=1) - np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1)
    prior = -np.log1p((TAU / scale) ** 2) + np.log(np.gradient(TAU))
    log += np.repeat(prior, LENGTH.size)
    weight = np.exp(log - log.max())
    chosen = rng.choice(log.size, size=n, p=weight / weight.sum())
    from_past = rng.random(n) < 0.5
    out = np.empty(n)
    now = _shape(left.day, left.covariance)
    for which in np.unique(chosen):
        tau, length = TAU[which // LENGTH.size], LENGTH[which % LENGTH.size]
        for past in (True, False):
            rows = np.flatnonzero((chosen == which) & (from_past == past))
            day, covariance = (errors.day, shape[which]) if past else (left.day, now[which])
            known = errors.error[:, None] if past else left.error[rows].T
            reach = tau**2 * np.exp(-np.abs(days[rows][None, :] - day[:, None]) / length)  # W × rows
            weights = np.linalg.solve(covariance, reach)
            variance = np.maximum(tau**2 - np.sum(weights * reach, axis=0), 0.0)
            out[rows] = np.sum(weights * known, axis=0) + np.sqrt(variance) * rng.standard_normal(rows.size)
    return out
