"""A population held against people's data: predictive checks, NPDE, shrinkage, individual fits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ranvier.estimation import checks
from ranvier.estimation import individual_kernels as K
from ranvier.estimation.cohort import Problem
from ranvier.estimation.individual import Bench, fit

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class OutputCheck:
    """One output (concentration or response): its n values and what the population makes of them.

    person, time, seen : n; typical (PRED), fitted (IPRED), weighted (IWRES), npde : n; check : the predictive check, with
    prediction correction where all typical values are positive; predictive : statistic → seen, 5 %, 95 %, place
    """

    output: str
    person: IntArray
    time: FloatArray
    seen: FloatArray
    typical: FloatArray
    fitted: FloatArray
    weighted: FloatArray
    npde: FloatArray
    of_errors: checks.OfErrors
    check: checks.PredictiveCheck
    predictive: dict[str, tuple[float, float, float, float]]


@dataclass(frozen=True, slots=True)
class PopulationChecks:
    """All checks of a population. shrinkage : by parameter; residual_shrinkage : of all weighted residuals together.

    not_arrived : people whose search did not arrive; several : people with more than one minimum; left_out : values that
    could not take part (censored, or without meaning under the error)
    """

    people: tuple[str, ...]
    replicates: int
    outputs: tuple[OutputCheck, ...]
    shrinkage: dict[str, float]
    residual_shrinkage: float
    not_arrived: int
    several: int
    left_out: int


def check_population(problem: Problem, *, replicates: int = 300, seed: int = 1) -> PopulationChecks:
    """Fit every person, simulate the whole data set `replicates` times, and compare.

    Censored values are left out of the comparison, and counted.

    Raises
    ------
    ValueError : no value is left to compare.
    """
    bench, fits = Bench(problem), fit(problem)
    rng = np.random.default_rng(seed)
    cohort, error = problem.cohort, problem.variability.error
    total = int(cohort.obs_ptr[-1])
    columns = {name: np.full(total, np.nan) for name in ("seen", "typical", "fitted", "weighted", "time")}
    simulated = np.full((replicates, total), np.nan)
    person = np.zeros(total, dtype=np.int64)
    for i in range(len(problem)):
        rows = slice(int(cohort.obs_ptr[i]), int(cohort.obs_ptr[i + 1]))
        if rows.stop == rows.start:
            continue
        n = problem.etas(i)
        log = error[cohort.o_kind[rows]] == K.LOG_ERROR

        def natural(f: FloatArray, log: npt.NDArray[np.bool_] = log) -> FloatArray:
            return np.where(log, np.exp(np.where(log, f, 0.0)), f)

        own = bench.look(i, fits.eta[i, :n])
        used = own.used & (cohort.o_censored[rows] == 0)
        person[rows] = i
        columns["time"][rows] = cohort.o_time[rows]
        columns["seen"][rows] = np.where(used, natural(own.y), np.nan)
        columns["fitted"][rows] = natural(own.f)
        columns["weighted"][rows] = (own.y - own.f) / np.sqrt(own.v)
        columns["typical"][rows] = natural(bench.look(i, np.zeros(n)).f)
        omega = bench.omega(i)
        root = np.linalg.cholesky(omega) if n else omega
        for r in range(replicates):
            look = bench.look(i, root @ rng.standard_normal(n)) if n else own
            simulated[r, rows] = natural(look.f + np.sqrt(look.v) * rng.standard_normal(look.f.size))
    made = []
    valid = np.isfinite(columns["seen"]) & np.all(np.isfinite(simulated), axis=0)
    for k, output in enumerate(("concentration", "response")):
        mine = valid & (cohort.o_kind == k)
        if mine.sum() < 3:
            continue
        seen, sim = columns["seen"][mine], simulated[:, mine]
        errors = checks.npde(person[mine], seen, sim)
        made.append(
            OutputCheck(
                output, person[mine], columns["time"][mine], seen, columns["typical"][mine], columns["fitted"][mine],
                columns["weighted"][mine], errors, checks.of_errors(errors),
                checks.predictive_check(columns["time"][mine], seen, sim, typical=columns["typical"][mine]),
                checks.posterior_predictive(seen, sim),
            )
        )  # fmt: skip
    if not made:
        raise ValueError("no value is left to compare")
    names = problem.population.subject_names
    sd = np.sqrt(np.diag(problem.population.omega))
    shrunk = checks.shrinkage(fits.eta[:, : len(names)], sd) if names and len(problem) > 1 else np.empty(0)
    weighted = np.concatenate([one.weighted for one in made])
    return PopulationChecks(
        people=problem.data.people,
        replicates=replicates,
        outputs=tuple(made),
        shrinkage={name: float(s) for name, s in zip(names, shrunk, strict=False)},
        residual_shrinkage=checks.residual_shrinkage(weighted),
        not_arrived=int(np.sum(~fits.arrived)),
        several=int(np.sum(fits.minima > 1)),
        left_out=int(total - valid.sum()),
    )
