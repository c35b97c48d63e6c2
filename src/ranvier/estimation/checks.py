"""How well a model fits and foretells, from plain arrays: whatever engine made them.

Seen values are held against simulated replicates of the same design: visual predictive checks, with prediction correction
where doses and covariates differ; normalised prediction distribution errors; posterior predictive checks; shrinkage; and
how well chains of draws have mixed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from ranvier.estimation.nouns import FloatArray

IntArray = npt.NDArray[np.int64]
QUANTILES = (0.05, 0.5, 0.95)


@dataclass(frozen=True, slots=True)
class PredictiveCheck:
    """A visual predictive check over B bins.

    middle, n : place and number of seen values of each bin; seen : quantiles of what was seen, Q × B
    low, high : ends of the 90 % band of the same quantiles over the replicates, Q × B
    x, y : each seen value as drawn (corrected where `corrected`)
    outside : share of seen quantiles outside their band; about 0.1 where all is well
    """

    quantiles: tuple[float, ...]
    middle: FloatArray
    n: IntArray
    seen: FloatArray
    low: FloatArray
    high: FloatArray
    x: FloatArray
    y: FloatArray
    corrected: bool

    @property
    def outside(self) -> float:
        """Share of seen quantiles outside their simulated band."""
        return float(np.mean((self.seen < self.low) | (self.seen > self.high)))


def bins(x: FloatArray, most: int = 10) -> IntArray:
    """The bin of each x (N): about equally many values in each, equal x together, at most `most` bins."""
    values, counts = np.unique(x, return_counts=True)
    if values.size <= most:
        return np.searchsorted(values, x)
    before = np.cumsum(counts) - counts
    of_value = np.minimum((before + 0.5 * counts) / x.size * most, most - 1).astype(np.int64)
    _, of_value = np.unique(of_value, return_inverse=True)
    return np.asarray(of_value[np.searchsorted(values, x)], dtype=np.int64)


def predictive_check(
    x: FloatArray,
    seen: FloatArray,
    simulated: FloatArray,
    *,
    typical: FloatArray | None = None,
    most: int = 10,
    quantiles: tuple[float, ...] = QUANTILES,
) -> PredictiveCheck:
    r"""Quantiles of seen values by bin of x, over the band of the same quantiles in replicates.

    With `typical`, values are first corrected for what the model predicts for a typical person under the same dose and
    covariates:

    .. math:: pc_{ij} = y_{ij} \, \frac{\widetilde{PRED}_{bin}}{PRED_{ij}}

    Parameters
    ----------
    x : what the bins are made of, N (time, time since dose) [its unit]
    seen : values, N [unit of the observation]
    simulated : R replicates of the whole data set, R × N [unit of the observation]
    typical : population prediction for each value, N [unit of the observation]; None leaves values as they are
    most : bins at most [1]
    quantiles : which are compared [1]

    References
    ----------
    Bergstrand M et al. Prediction-corrected visual predictive checks. AAPS J 2011;13:143-51.
    """
    which = bins(x, most)
    count = int(which.max()) + 1
    y, replicates = seen, simulated
    corrected = typical is not None and bool(np.all(typical > 0))
    if corrected and typical is not None:
        middle_of_bin = np.array([np.median(typical[which == b]) for b in range(count)])
        factor = middle_of_bin[which] / typical
        y, replicates = seen * factor, simulated * factor
    shape = (len(quantiles), count)
    of_seen, low, high = np.empty(shape), np.empty(shape), np.empty(shape)
    for b in range(count):
        mine = which == b
        of_seen[:, b] = np.quantile(y[mine], quantiles)
        each = np.quantile(replicates[:, mine], quantiles, axis=1)
        low[:, b], high[:, b] = np.quantile(each, [0.05, 0.95], axis=1)
    return PredictiveCheck(
        quantiles,
        np.array([np.median(x[which == b]) for b in range(count)]),
        np.bincount(which, minlength=count),
        of_seen,
        low,
        high,
        x,
        y,
        corrected,
    )


def npde(person: IntArray, seen: FloatArray, simulated: FloatArray) -> FloatArray:
    r"""Normalised prediction distribution errors, N: standard normal and independent if the model is right.

    Within each person seen values and replicates are decorrelated by mean and Cholesky factor of the replicates; the place
    of the seen value among the replicates becomes a normal quantile. A value beyond all R replicates counts as 1 / (2 R).

    Parameters
    ----------
    person : whose value, N
    seen : values, N [unit of the observation]
    simulated : R × N [unit of the observation]

    References
    ----------
    Comets E et al. Computing normalised prediction distribution errors. Comput Methods Programs Biomed 2008;90:154-66.
    """
    out = np.empty(seen.size)
    for who in np.unique(person):
        mine = np.flatnonzero(person == who)
        white_seen, white = _decorrelated(seen[mine], simulated[:, mine])
        out[mine] = _normal(np.mean(white < white_seen[:, None], axis=1), len(simulated))
    return out


def _decorrelated(seen: FloatArray, simulated: FloatArray) -> tuple[FloatArray, FloatArray]:
    """One person's values (N) and replicates (R × N, given back N × R), by mean and Cholesky factor of the replicates."""
    mean = simulated.mean(axis=0)
    covariance = np.atleast_2d(np.cov(simulated, rowvar=False))
    ridge = 1e-9 * np.trace(covariance) / seen.size
    root = np.linalg.cholesky(covariance + ridge * np.eye(seen.size))
    return np.linalg.solve(root, seen - mean), np.linalg.solve(root, (simulated - mean).T)


def _normal(place: FloatArray, replicates: int) -> FloatArray:
    """The normal quantile of a place among R replicates; beyond all of them counts as 1 / (2 R)."""
    return np.asarray(ndtri(np.clip(place, 0.5 / replicates, 1.0 - 0.5 / replicates)))


@dataclass(frozen=True, slots=True)
class OfErrors:
    """Summary of NPDE: n, mean, variance, and p of mean 0, variance 1 and normality; `p` is three times the smallest.

    usual : where the variance of 90 % of such sets of errors lies, where that is not near 1 of itself (`of_one_person`)
    """

    n: int
    mean: float
    variance: float
    p_mean: float
    p_variance: float
    p_normal: float
    usual: tuple[float, float] | None = None

    @property
    def p(self) -> float:
        """One p for all three, after Bonferroni."""
        return min(1.0, 3.0 * min(self.p_mean, self.p_variance, self.p_normal))


def of_errors(errors: FloatArray) -> OfErrors:
    """Mean, variance and shape of NPDE against those of a standard normal distribution."""
    from scipy import stats

    n = errors.size
    variance = float(errors.var(ddof=1))
    below = float(stats.chi2.cdf((n - 1) * variance, n - 1))
    return OfErrors(
        n,
        float(errors.mean()),
        variance,
        float(stats.ttest_1samp(errors, 0.0).pvalue),
        2.0 * min(below, 1.0 - below),
        float(stats.shapiro(errors[:4999]).pvalue) if n >= 3 else float("nan"),
    )


SHAPES = 200  # replicates whose shape is looked at


def of_one_person(seen: FloatArray, simulated: FloatArray) -> tuple[FloatArray, OfErrors]:
    """NPDE (N) of one person's values (N) by replicates of people drawn from the population (R × N), and their summary.

    Errors of one person are uncorrelated, but not independent: all of them share that person's own level and session error.
    Who scatters less than the root mean square of all people has errors of a variance below 1 throughout, who scatters more
    above 1, and the model is right all the same. Mean, variance and shape are therefore held against those of the replicates,
    each of which is one person, not against N independent normal numbers.
    """
    from scipy import stats

    white_seen, white = _decorrelated(seen, simulated)
    replicates = len(simulated)
    errors = _normal(np.mean(white < white_seen[:, None], axis=1), replicates)
    others = _normal((np.argsort(np.argsort(white, axis=1), axis=1) + 0.5) / replicates, replicates).T  # R × N

    def p(here: float, there: FloatArray) -> float:
        below = (np.sum(there < here) + 0.5 * np.sum(there == here) + 0.5) / (there.size + 1.0)
        return float(2.0 * min(below, 1.0 - below))

    variances = others.var(axis=1, ddof=1)
    low, high = np.quantile(variances, (0.05, 0.95))
    shape = float("nan")
    if errors.size >= 3:
        few = np.array([stats.shapiro(e[:4999]).statistic for e in others[:SHAPES]])
        shape = float((np.sum(few <= stats.shapiro(errors[:4999]).statistic) + 1.0) / (few.size + 1.0))
    mean, variance = float(errors.mean()), float(errors.var(ddof=1))
    summary = OfErrors(
        errors.size,
        mean,
        variance,
        p(mean, others.mean(axis=1)),
        p(variance, variances),
        shape,
        (float(low), float(high)),
    )
    return errors, summary


def shrinkage(effects: FloatArray, sd: FloatArray) -> FloatArray:
    """1 - SD of the people's effects (N × E) / SD of the population (E): 0 is all data, 1 is all prior."""
    return np.asarray(1.0 - effects.std(axis=0, ddof=1) / sd)


def residual_shrinkage(weighted: FloatArray) -> float:
    """1 - SD of individual weighted residuals: how far the fit follows the noise."""
    return float(1.0 - weighted.std(ddof=1))


STATISTICS: Mapping[str, Callable[[FloatArray], FloatArray]] = {
    "lowest value": lambda y: y.min(axis=-1),
    "highest value": lambda y: y.max(axis=-1),
    "mean": lambda y: y.mean(axis=-1),
    "SD": lambda y: y.std(axis=-1),
    "SD from value to value": lambda y: np.diff(y, axis=-1).std(axis=-1),
    "trend, last third against first": lambda y: (
        y[..., -(y.shape[-1] // 3) :].mean(axis=-1) - y[..., : y.shape[-1] // 3].mean(axis=-1)
    ),
}
"""What a posterior predictive check looks at, of one series of values (last axis)."""


def posterior_predictive(seen: FloatArray, replicated: FloatArray) -> dict[str, tuple[float, float, float, float]]:
    """For each statistic: seen, 5th and 95th centile of the replicates (R × N), and the share of replicates below seen."""
    told = {}
    for name, statistic in STATISTICS.items():
        here, there = float(statistic(seen)), statistic(replicated)
        low, high = np.quantile(there, [0.05, 0.95])
        place = float(np.mean(there < here) + 0.5 * np.mean(there == here))
        told[name] = (here, float(low), float(high), place)
    return told


@dataclass(frozen=True, slots=True)
class Mixing:
    """How well chains mixed, by parameter: rank-normalised split R-hat, effective draws in bulk and tails, MC error."""

    rhat: FloatArray
    bulk: FloatArray
    tail: FloatArray
    error: FloatArray


def mixing(draws: FloatArray) -> Mixing:
    """Of draws, chains × draws × parameters, by arviz_stats."""
    from arviz_stats.base import array_stats

    columns = [np.asarray(draws[:, :, p]) for p in range(draws.shape[2])]
    axes = {"chain_axis": 0, "draw_axis": 1}
    return Mixing(
        np.array([float(array_stats.rhat(c, **axes)) for c in columns]),
        np.array([float(array_stats.ess(c, method="bulk", **axes)) for c in columns]),
        np.array([float(array_stats.ess(c, method="tail", prob=(0.05, 0.95), **axes)) for c in columns]),
        np.array([float(array_stats.mcse(c, **axes)) for c in columns]),
    )
