"""Pareto smoothing of importance weights: the largest weights are replaced by what a generalised Pareto tail expects.

A library has this (`arviz_stats`, against which the tests hold it), but importing it takes longer than the whole rest of a
plan; see docs/adr.
"""

from __future__ import annotations

import numpy as np

from ranvier.estimation.nouns import FloatArray

FEWEST_TAIL = 5  # a tail of fewer weights is left as it is, and its shape called unknown


def smooth(log_weight: FloatArray) -> tuple[FloatArray, float]:
    """Normalised weights (sum 1) with a smoothed tail, and the shape k of that tail.

    Parameters
    ----------
    log_weight : N log importance ratios, unnormalised; -inf is an impossible draw and keeps the weight 0 [log]

    Returns
    -------
    Weights, shape N, and k: trusted below 0.7; infinite where there are too few possible draws to tell.

    References
    ----------
    Vehtari A et al. Pareto smoothed importance sampling. J Mach Learn Res 2024;25:1-58 (algorithm 1).
    """
    possible = np.isfinite(log_weight)
    weight = np.zeros(log_weight.size)
    if not possible.any():
        return weight, float("inf")
    ratio = log_weight[possible] - np.max(log_weight[possible])
    n = ratio.size
    tail = int(min(0.2 * n, 3.0 * np.sqrt(n)))
    k = float("inf")
    if tail >= FEWEST_TAIL and n > tail:
        order = np.argsort(ratio, kind="stable")
        largest = order[n - tail :]
        cutoff = max(ratio[order[n - tail - 1]], np.log(np.finfo(np.float64).tiny))
        above = np.exp(ratio[largest]) - np.exp(cutoff)
        if above[0] > 0:
            k, scale = fit_tail(above)
            if np.isfinite(k):
                expected = np.exp(cutoff) + quantile((np.arange(tail) + 0.5) / tail, k, scale)
                ratio[largest] = np.minimum(np.log(expected), 0.0)  # never above the largest raw weight
    weight[possible] = np.exp(ratio)
    return weight / weight.sum(), k


def fit_tail(excess: FloatArray) -> tuple[float, float]:
    """Shape and scale of a generalised Pareto distribution from M increasing, positive exceedances.

    The estimate is the posterior mean of Zhang and Stephens over a grid; the shape is drawn slightly towards 0.5, with the
    weight of ten observations.

    References
    ----------
    Zhang J, Stephens MA. A new and efficient estimation method for the generalized Pareto distribution.
    Technometrics 2009;51:316-25. doi:10.1198/tech.2009.08017
    """
    m = excess.size
    points = 30 + int(np.sqrt(m))
    quartile = excess[int(m / 4 + 0.5) - 1]
    grid = 1.0 / excess[-1] + (1.0 - np.sqrt(points / (np.arange(points) + 0.5))) / (3.0 * quartile)
    shape = np.mean(np.log1p(-grid[:, None] * excess), axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        fit = m * (np.log(-grid / shape) - shape - 1.0)
    fit = np.where(np.isfinite(fit), fit, -np.inf)
    belief = np.exp(fit - fit.max())
    b = float(np.sum(grid * belief) / np.sum(belief))
    k = float(np.mean(np.log1p(-b * excess)))
    scale = -k / b
    return (m * k + 10.0 * 0.5) / (m + 10.0), scale


def quantile(p: FloatArray, k: float, scale: float) -> FloatArray:
    """Quantiles of the generalised Pareto distribution of shape k and given scale, at probabilities p [1]."""
    if abs(k) < 1e-12:
        return np.asarray(-scale * np.log1p(-p))
    return np.asarray(scale * np.expm1(-k * np.log1p(-p)) / k)
