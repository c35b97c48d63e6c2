"""The most probable parameters of one explanation, and how sure: several starts, exact curvature, honest report."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ranvier.estimation import kernels as K
from ranvier.estimation.model import Candidate
from ranvier.estimation.nouns import FloatArray

MOST_EVALUATIONS = 200
REACH = 8.0  # prior SD around the centre within which the search stays
SAME = 1e-3  # optima whose misfits differ by less are one
STARTS = ((0.0, 0.0), (1.2, 0.0), (-1.2, 0.0), (0.0, 1.2), (0.0, -1.2))
"""Starts, in prior SD of (C50 and ceiling together, rate of response): the two directions in which optima can differ."""


@dataclass(frozen=True, slots=True)
class Optimum:
    """The best local optimum found.

    x : all parameters, on the estimation scale; misfit : negative log posterior there, without constants
    curvature : observed (F × F over the free ones), from differences of the exact gradient; expected where that is not
        positive definite
    optima : distinct local optima over all starts; agreed : starts that ended in the best one; converged : of the best
    evaluations : of all starts together
    """

    x: FloatArray
    misfit: float
    curvature: FloatArray
    optima: int
    agreed: int
    starts: int
    converged: bool
    evaluations: int


def starts(candidate: Candidate) -> list[FloatArray]:
    """Starting points: the prior's centre, and corners in the two directions that can hold further optima."""
    belief = candidate.belief
    free = set(belief.free.tolist())
    sd = 1.0 / np.sqrt(np.diag(belief.precision))
    ceilings = range(K.FIRST_MEASURE + 1, belief.centre.size, K.PER_MEASURE)
    points = []
    for effect, speed in STARTS if K.KOUT in free else STARTS[:1]:
        x = belief.centre.copy()
        x[K.C50] += effect * sd[K.C50]
        x[K.KOUT] += speed * sd[K.KOUT]
        for index in ceilings:
            if index in free:
                x[index] += effect * sd[index]
        points.append(x)
    return points


def search(candidate: Candidate, timeline: K.Timeline, *, curvature: bool = True) -> Optimum:
    """Descend from every start and keep the best; count what else was found. `curvature` False skips the observed one."""
    belief = candidate.belief
    size = belief.centre.size
    found: list[tuple[float, bool, FloatArray, FloatArray]] = []
    evaluations = 0
    for x in starts(candidate):
        gradient, hessian = np.empty(size), np.empty((size, size))
        misfit, spent, converged = K.descend(x, timeline, belief, MOST_EVALUATIONS, REACH, gradient, hessian)
        evaluations += spent
        if np.isfinite(misfit):
            found.append((misfit, converged, x, hessian))
    found.sort(key=lambda f: f[0])
    misfit, converged, x, expected = found[0]
    distinct: list[float] = []
    for other, settled, _, _ in found:
        if settled and not any(abs(other - d) < SAME for d in distinct):
            distinct.append(other)
    agreed = sum(abs(other - misfit) < SAME for other, *_ in found)
    block = expected[np.ix_(belief.free, belief.free)]
    if curvature:
        observed = observed_curvature(x, timeline, belief)
        if np.all(np.linalg.eigvalsh(observed) > 0):
            block = observed
    return Optimum(x, misfit, block, max(len(distinct), 1), agreed, len(found), bool(converged), evaluations)


def observed_curvature(x: FloatArray, timeline: K.Timeline, belief: K.Belief) -> FloatArray:
    """Second derivatives of the misfit by the free parameters: central differences of the exact gradient."""
    free = belief.free
    table = np.empty((free.size, free.size))
    up, down = np.empty(x.size), np.empty(x.size)
    nothing = np.empty((x.size, x.size))
    for row, p in enumerate(free):
        step = 1e-4 / np.sqrt(belief.precision[p, p])
        there = x.copy()
        there[p] = x[p] + step
        K.misfit(there, timeline, belief, True, up, nothing)
        there[p] = x[p] - step
        K.misfit(there, timeline, belief, True, down, nothing)
        table[row] = (up[free] - down[free]) / (2.0 * step)
    return 0.5 * (table + table.T)
