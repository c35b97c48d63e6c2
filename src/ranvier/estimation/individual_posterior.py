"""One person's whole posterior under a population: Laplace corrected by Pareto-smoothed importance sampling, or NUTS."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ranvier.estimation import individual_kernels as K
from ranvier.estimation.cohort import Problem
from ranvier.estimation.individual import Bench, Fits
from ranvier.estimation.pareto import smooth

FloatArray = npt.NDArray[np.float64]

TAIL = 10.0  # degrees of freedom of the proposal
FIRST_ROUND = 500
CHAINS, TUNE = 4, 400


@dataclass(frozen=True, slots=True)
class EtaDraws:
    """Draws of one person's etas, equally weighted.

    eta : draws × D; pareto_k : shape of the weights' tail, trusted below 0.7 (importance sampling); effective : draws that the
    weights, or the chains, are worth; rhat, divergences : of NUTS, else None
    """

    eta: FloatArray
    pareto_k: float | None
    effective: float
    rhat: float | None = None
    divergences: int | None = None


def importance(
    problem: Problem, bench: Bench, i: int, fits: Fits, draws: int, seed: int, *, before: int = 0
) -> EtaDraws:
    """Draws by importance sampling: a multivariate t at the mode with the Laplace covariance, then one fitted to its own draws.

    before : people of the whole data set that stand before this part of it, so that parts give the draws of the whole

    References
    ----------
    Vehtari A et al. Pareto smoothed importance sampling. J Mach Learn Res 2024;25:1-58.
    """
    n = problem.etas(i)
    if n == 0:
        return EtaDraws(np.zeros((draws, 0)), None, float(draws))
    rng = np.random.default_rng([seed, before + i])
    middle, laplace = fits.eta[i, :n], fits.covariance[i, :n, :n]
    covariance = laplace
    for size in (FIRST_ROUND, 2 * draws):
        root = np.linalg.cholesky(covariance)
        u = rng.standard_normal((size, n)) * np.sqrt(TAIL / rng.chisquare(TAIL, size))[:, None]
        eta = np.ascontiguousarray(middle + u @ root.T)
        log_weight = -0.5 * objectives(problem, bench, i, eta) + 0.5 * (TAIL + n) * np.log1p(
            np.sum(u**2, axis=1) / TAIL
        )
        log_weight[~np.isfinite(log_weight)] = -np.inf
        weight, k = smooth(log_weight)
        if not weight.sum() > 0:
            return EtaDraws(np.repeat(middle[None], draws, axis=0), math.inf, 0.0)
        effective = 1.0 / float(np.sum(weight**2))
        trust = effective / (effective + 2.0 * n)
        middle = weight @ eta
        away = eta - middle
        covariance = trust * (away.T * weight) @ away + (1.0 - trust) * laplace
    ticks = (np.arange(draws) + rng.random()) / draws
    chosen = np.minimum(np.searchsorted(np.cumsum(weight), ticks * (1.0 - 1e-12)), eta.shape[0] - 1)
    return EtaDraws(eta[rng.permutation(chosen)], float(k), effective)


def objectives(problem: Problem, bench: Bench, i: int, eta: FloatArray) -> FloatArray:
    """Person i's objective at each row of eta (N × D)."""
    p, out = problem, np.empty(len(eta))
    K.look_at_rows(
        p.structure,
        p.cohort,
        i,
        p.variability,
        p.typical,
        eta,
        0,
        len(eta),
        p.moving,
        bench.desk,
        out,
        np.zeros((len(eta), 0)),
    )
    return out


def nuts(problem: Problem, bench: Bench, i: int, fits: Fits, draws: int, seed: int, *, before: int = 0) -> EtaDraws:
    """Draws by the No-U-Turn sampler (nutpie), on etas whitened by the Laplace covariance; four chains. `before`: as above."""
    import nutpie
    from arviz_stats.base import array_stats
    from nutpie.compiled_pyfunc import from_pyfunc

    n = problem.etas(i)
    if n == 0:
        return EtaDraws(np.zeros((draws, 0)), None, float(draws))
    centre = fits.eta[i, :n]
    root = np.linalg.cholesky(fits.covariance[i, :n, :n])

    def logp() -> Callable[[FloatArray], tuple[float, FloatArray]]:
        mine = Bench(problem)

        def value(u: FloatArray) -> tuple[float, FloatArray]:
            look = mine.look(i, centre + root @ u)
            if not np.isfinite(look.objective):  # nothing is possible there; an exception would end the sampler
                return -np.inf, np.zeros(n)
            return -0.5 * look.objective, -0.5 * (root.T @ look.gradient)

        return value

    def expand(*_: object) -> Callable[[FloatArray], dict[str, FloatArray]]:
        return lambda u: {"u": np.asarray(u)}

    model = from_pyfunc(
        n, logp, expand, [np.dtype("float64")], [(n,)], ["u"],
        make_initial_point_fn=lambda s: 0.1 * np.random.default_rng(s).standard_normal(n),
    )  # fmt: skip
    keep = -(-draws // CHAINS)
    trace = nutpie.sample(
        model,
        draws=keep,
        tune=TUNE,
        chains=CHAINS,
        cores=2,
        seed=seed + before + i,
        progress_bar=False,
        target_accept=0.9,
    )
    u = np.asarray(trace.posterior["u"].values)
    rhat = float(max(array_stats.rhat(u[:, :, d], chain_axis=0, draw_axis=1) for d in range(n)))
    ess = float(min(array_stats.ess(u[:, :, d], chain_axis=0, draw_axis=1) for d in range(n)))
    diverging = int(np.asarray(trace.sample_stats["diverging"].values).sum())
    eta = centre + u.reshape(-1, n)[:draws] @ root.T
    return EtaDraws(eta, None, ess, rhat, diverging)
