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
from ranvier.kinetics import linear_kernels as L

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

MOST_EVALUATIONS = 300
EXTRA_STARTS = 6
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


@dataclass(frozen=True, slots=True)
class Look:
    """One person at one eta.

    objective, and its gradient (D) and curvature H (D × D, half of the second derivative; see golden formulas) by eta
    f, a : predictions (O) and derivatives by eta (O × D), of the logarithm where the error is on the log scale
    v : residual variances (O); y : observations (O), logarithms where the error is on the log scale; used : those that count
    """

    objective: float
    gradient: FloatArray
    curvature: FloatArray
    f: FloatArray
    a: FloatArray
    v: FloatArray
    y: FloatArray
    used: npt.NDArray[np.bool_]


class Bench:
    """One thread's way to look at single persons of a problem."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.desk = problem.desk()

    def look(self, i: int, eta: FloatArray) -> Look:
        """Person i at eta (its D etas)."""
        p, desk = self.problem, self.desk
        eta = np.ascontiguousarray(eta, dtype=np.float64)
        n = K.begin_person(p.structure, p.cohort, i, p.variability, p.typical, desk)
        yes = n >= 0
        gradient, curvature = np.zeros(n), np.zeros((n, n))
        if not p.population.interaction:
            nothing = np.zeros(n)
            K.misfit(
                p.structure,
                p.cohort,
                i,
                p.variability,
                p.typical,
                nothing,
                nothing,
                yes,
                yes,
                desk,
                gradient,
                curvature,
            )
        omega = desk.root[:n, :n] @ desk.root[:n, :n].T
        z = np.asarray(np.linalg.solve(desk.root[:n, :n], eta), dtype=np.float64)
        value = K.misfit(
            p.structure, p.cohort, i, p.variability, p.typical, eta, z, yes, yes, desk, gradient, curvature
        )
        precision = np.linalg.inv(omega)
        rows = slice(int(p.cohort.obs_ptr[i]), int(p.cohort.obs_ptr[i + 1]))
        count = rows.stop - rows.start
        kinds = p.cohort.o_kind[rows]
        f, y = desk.f[:count].copy(), p.cohort.o_value[rows].copy()
        log = p.variability.error[kinds] == K.LOG_ERROR
        with np.errstate(all="ignore"):
            f[log], y[log] = np.log(f[log]), np.log(y[log])
        v = np.empty(count)
        for o in range(count):
            place = L.ADDITIVE + 2 * int(kinds[o])
            own = desk.theta[int(p.cohort.o_set[rows][o])]
            v[o] = K.variance(
                int(p.variability.error[kinds[o]]), float(f[o]), float(own[place]), float(own[place + 1])
            )[0]
        if not p.population.interaction:
            v = desk.v0[:count].copy()
        return Look(
            float(value), gradient + 2.0 * precision @ eta, curvature + precision, f, desk.a[:count, :n].copy(), v, y,
            p.typical.skip[rows] == 0,
        )  # fmt: skip

    def omega(self, i: int) -> FloatArray:
        """Covariance of all of person i's etas, occasions included."""
        p = self.problem
        n = K.begin_person(p.structure, p.cohort, i, p.variability, p.typical, self.desk)
        return np.asarray(self.desk.root[:n, :n] @ self.desk.root[:n, :n].T)
