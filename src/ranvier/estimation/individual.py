"""Each person's most probable parameters under a population: maximum a posteriori, with covariance, predictions, residuals."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ranvier.estimation import individual_kernels as K
from ranvier.estimation.cohort import Problem

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

MOST_EVALUATIONS = 300
EXTRA_STARTS = 4
CHUNK = 16


@dataclass(frozen=True, slots=True)
class Fits:
    """Most probable etas of N people, D etas each at most (unused places are 0; of `covariance`, too).

    objective : N, sum of (y - f)² / v + ln v over the observations, and eta' Omega^-1 eta
    log_det : N, ln |H|; H^-1 is `covariance` (N × D × D)
    evaluations, arrived, minima, starts : N; minima counts distinct ones over all starts; road : 0 closed form, 1 solver, -1 none
    """

    eta: FloatArray
    covariance: FloatArray
    objective: FloatArray
    log_det: FloatArray
    evaluations: IntArray
    arrived: npt.NDArray[np.bool_]
    minima: IntArray
    starts: IntArray
    road: IntArray


def start_points(directions: int) -> FloatArray:
    """Where else to begin, in whitened coordinates: one and a half prior SD along each axis, and a Halton net of the prior."""
    from scipy.special import ndtri

    axes = np.concatenate([1.5 * np.eye(directions), -1.5 * np.eye(directions)])
    primes = [p for p in range(2, 400) if all(p % q for q in range(2, p))]
    count = 8 + 4 * directions
    net = np.empty((count, directions))
    for d in range(directions):
        base = primes[d % len(primes)]
        for k in range(count):
            n, step, value = k + 1 + 37 * (d // len(primes)), 1.0, 0.0
            while n:
                step /= base
                value += step * (n % base)
                n //= base
            net[k, d] = value
    return np.ascontiguousarray(np.concatenate([axes, 1.3 * ndtri(net)]))


def fit(
    problem: Problem,
    *,
    extra: int = EXTRA_STARTS,
    threads: int | None = None,
    tell: Callable[[int], object] | None = None,
) -> Fits:
    """The most probable etas of everybody, on all cores. `extra`: starts besides the middle of the prior.

    tell : called with the number of people done
    """
    n, size = len(problem), max(problem.most_etas, 1)
    points = start_points(size)
    eta, covariance = np.zeros((n, size)), np.zeros((n, size, size))
    value, count = np.zeros((n, 2)), np.zeros((n, 5), dtype=np.int64)
    workers = threads or os.cpu_count() or 1
    chunk = max(1, min(CHUNK, n // workers or 1))
    desks = [problem.desk() for _ in range(workers)]
    free = list(range(workers))

    def part(first: int) -> int:
        mine = free.pop()
        try:
            last = min(first + chunk, n)
            K.fit_range(
                problem.structure, problem.cohort, problem.variability, problem.typical, first, last, problem.moving, points, extra,
                MOST_EVALUATIONS, desks[mine], eta, covariance, value, count,
            )  # fmt: skip
            return last - first
        finally:
            free.append(mine)

    done = 0
    with ThreadPoolExecutor(workers) as pool:
        for some in pool.map(part, range(0, n, chunk)):
            done += some
            if tell is not None:
                tell(done)
    return Fits(
        eta, covariance, value[:, 0], value[:, 1], count[:, 0], count[:, 1] == 1, count[:, 2], count[:, 3], count[:, 4]
    )
