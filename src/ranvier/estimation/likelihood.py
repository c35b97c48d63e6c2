"""The probability of the data under a population: -2 log likelihood by the approximations that other programs use.

All values leave out the constant n ln 2 pi, as NONMEM's objective does; `constant` gives it, for programs that count it.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Literal

import numpy as np
import numpy.typing as npt

from ranvier.estimation.cohort import Problem
from ranvier.estimation.individual import Bench, Fits, fit

FloatArray = npt.NDArray[np.float64]
Method = Literal["fo", "foce", "focei", "laplace", "linearised", "exact"]


def without_interaction(problem: Problem) -> Problem:
    """The same problem with the residual variance of the typical person (FOCE)."""
    return replace(
        problem,
        population=replace(problem.population, interaction=False),
        variability=problem.variability._replace(interaction=0),
    )


def constant(problem: Problem) -> float:
    """The part n ln 2 pi, over the values that count."""
    return float(np.sum(problem.typical.skip == 0) * np.log(2.0 * np.pi))


def contributions(problem: Problem, method: Method, *, nodes: int = 21, fits: Fits | None = None) -> FloatArray:
    r"""-2 log likelihood of each person, N.

    Parameters
    ----------
    problem : data and population
    method : fo (linear in eta at 0), foce (at the most probable eta, residual variance of the typical person), focei (with
        interaction), laplace (observed second derivatives), linearised (Monolix: the marginal normal distribution of the
        model made linear at the mode), exact (adaptive Gauss-Hermite quadrature)
    nodes : of the quadrature, in each direction
    fits : most probable etas, where they are known already

    Notes
    -----
    FOCEI: objective + ln|Omega| + ln|H|. The quadrature places nodes^D points; with more than four etas use importance
    sampling instead.

    References
    ----------
    Wang Y. Derivation of various NONMEM estimation methods. J Pharmacokinet Pharmacodyn 2007;34:575-93.
    """
    if method == "foce":
        problem = without_interaction(problem)
        fits = None
    bench = Bench(problem)
    if method != "fo" and fits is None:
        fits = fit(problem)
    out = np.empty(len(problem))
    for i in range(len(problem)):
        n = problem.etas(i)
        omega = bench.omega(i)
        if method == "fo":
            look = bench.look(i, np.zeros(n))
            out[i] = _normal(look.y[look.used], look.f[look.used], look.a[look.used], look.v[look.used], omega)
            continue
        assert fits is not None
        eta = fits.eta[i, :n]
        look = bench.look(i, eta)
        if method == "linearised":
            centre = look.f - look.a @ eta
            out[i] = _normal(look.y[look.used], centre[look.used], look.a[look.used], look.v[look.used], omega)
        elif method in ("foce", "focei"):
            out[i] = look.objective + _log_det(omega) + _log_det(look.curvature)
        else:
            half = _observed(bench, i, eta)
            if method == "laplace":
                out[i] = look.objective + _log_det(omega) + _log_det(half)
            else:
                out[i] = _quadrature(bench, i, eta, half, omega, nodes)
    return out


def _log_det(a: FloatArray) -> float:
    return float(np.linalg.slogdet(a)[1]) if a.size else 0.0


def _normal(y: FloatArray, centre: FloatArray, a: FloatArray, v: FloatArray, omega: FloatArray) -> float:
    """-2 log density of y under a normal distribution with covariance a Omega a' + diag v, without constants."""
    covariance = a @ omega @ a.T + np.diag(v)
    r = y - centre
    return float(r @ np.linalg.solve(covariance, r) + np.linalg.slogdet(covariance)[1])


def _observed(bench: Bench, i: int, eta: FloatArray) -> FloatArray:
    """Half of the second derivatives of the objective, by central differences of its exact gradient."""
    n = eta.size
    table = np.empty((n, n))
    scale = np.sqrt(np.diag(bench.omega(i)))
    for d in range(n):
        step = np.zeros(n)
        step[d] = 1e-4 * scale[d]
        table[d] = (bench.look(i, eta + step).gradient - bench.look(i, eta - step).gradient) / (4.0 * step[d])
    return np.asarray(0.5 * (table + table.T))


def _quadrature(bench: Bench, i: int, eta: FloatArray, half: FloatArray, omega: FloatArray, nodes: int) -> float:
    """-2 log of the integral over eta of exp(-objective / 2) / sqrt(|2 pi Omega|), by Gauss-Hermite around the mode."""
    n = eta.size
    x, w = np.polynomial.hermite_e.hermegauss(nodes)
    spread = np.linalg.cholesky(np.linalg.inv(half))
    logs = []
    for which in product(range(nodes), repeat=n):
        z = x[list(which)]
        value = bench.look(i, eta + spread @ z).objective
        logs.append(float(np.sum(np.log(w[list(which)]) + 0.5 * z * z)) - 0.5 * value)
    log_integral = float(np.logaddexp.reduce(logs)) + float(np.sum(np.log(np.diag(spread))))
    return -2.0 * log_integral + n * float(np.log(2.0 * np.pi)) + _log_det(omega)
