"""What is told of each fitted person: parameters, predictions and residuals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ranvier.estimation.cohort import Problem
from ranvier.estimation.individual import Bench, Fits

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PersonResult:
    """One person.

    names : of the etas; those of an occasion end in @1, @2, …
    eta, covariance : at the mode, and H^-1; parameters : natural, at the person's last record
    rows : of the data set, one per value that the model explains; left_out : those that say nothing (see cohort.py)
    pred, ipred : predictions of the typical person and of this one (on the log scale where the error is)
    res, ires : y minus these; iwres : ires / SD; wres : residuals of the typical person, whitened by the covariance of the
    model made linear at eta 0; cwres : the same, made linear at the mode
    """

    id: str
    names: tuple[str, ...]
    eta: FloatArray
    covariance: FloatArray
    parameters: Mapping[str, float]
    objective: float
    arrived: bool
    minima: int
    starts: int
    rows: npt.NDArray[np.int64]
    left_out: npt.NDArray[np.bool_]
    y: FloatArray
    pred: FloatArray
    ipred: FloatArray
    res: FloatArray
    ires: FloatArray
    iwres: FloatArray
    wres: FloatArray
    cwres: FloatArray


def eta_names(problem: Problem, i: int) -> tuple[str, ...]:
    """Names of person i's etas, in their order."""
    p = problem.population
    many = int(problem.typical.occasions[i])
    return (*p.subject_names, *(f"{n}@{o + 1}" for o in range(many) for n in p.occasion_names))


def person(problem: Problem, bench: Bench, fits: Fits, i: int) -> PersonResult:
    """Everything about person i."""
    n = problem.etas(i)
    eta = fits.eta[i, :n]
    typical = bench.look(i, np.zeros(n))
    own = bench.look(i, eta)
    omega = bench.omega(i)
    used = own.used
    bench.look(i, eta)
    rows = slice(int(problem.cohort.obs_ptr[i]), int(problem.cohort.obs_ptr[i + 1]))
    last = _last_set(problem, i)
    parameters = {name: float(bench.desk.theta[last, slot]) for name, slot in problem.slots.items()}
    wres, cwres = np.full(used.size, np.nan), np.full(used.size, np.nan)
    wres[used] = _whitened(typical.y[used] - typical.f[used], typical.a[used], typical.v[used], omega)
    centre = own.f - own.a @ eta
    cwres[used] = _whitened(own.y[used] - centre[used], own.a[used], own.v[used], omega)
    with np.errstate(all="ignore"):
        iwres = np.where(used, (own.y - own.f) / np.sqrt(own.v), np.nan)
    return PersonResult(
        problem.data.people[i], eta_names(problem, i), eta, fits.covariance[i, :n, :n], parameters, float(fits.objective[i]),
        bool(fits.arrived[i]), int(fits.minima[i]), int(fits.starts[i]), problem.observations[rows], ~used, own.y, typical.f, own.f,
        typical.y - typical.f, own.y - own.f, iwres, wres, cwres,
    )  # fmt: skip


def _last_set(problem: Problem, i: int) -> int:
    """Row of parameters (within the person) at the last record."""
    c = problem.cohort
    if c.record_ptr[i + 1] > c.record_ptr[i]:
        return int(c.c_set[c.record_ptr[i + 1] - 1])
    return 0


def _whitened(r: FloatArray, a: FloatArray, v: FloatArray, omega: FloatArray) -> FloatArray:
    """R times the symmetric inverse root of a Omega a' + diag v."""
    if r.size == 0 or not np.all(np.isfinite(r)):
        return np.full(r.size, np.nan)
    values, vectors = np.linalg.eigh(a @ omega @ a.T + np.diag(v))
    return np.asarray(vectors @ ((vectors.T @ r) / np.sqrt(np.maximum(values, 1e-300))))


def natural_draws(problem: Problem, i: int, eta: FloatArray) -> dict[str, FloatArray]:
    """Parameters with variability between people, for each row of eta (N × D), at the person's last record."""
    first = int(problem.cohort.set_ptr[i]) + _last_set(problem, i)
    b, typical = problem.variability, problem.typical
    out = {}
    for name, slot in problem.slots.items():
        j, k = int(b.subject[slot]), int(b.occasion[slot])
        if j < 0 and k < 0:
            continue
        x = np.full(len(eta), typical.x[first, slot])
        if j >= 0:
            x = x + eta[:, j]
        if k >= 0:
            x = x + eta[:, b.n_subject + b.n_occasion * int(typical.set_occasion[first]) + k]
        scale = problem.population.parameters[name].scale
        out[name] = np.exp(x) if scale == "log" else (1.0 / (1.0 + np.exp(-x)) if scale == "logit" else x)
    return out
