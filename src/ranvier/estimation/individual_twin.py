"""The objective of one person, the readable way: the twin of `individual_kernels.misfit` on given predictions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

FloatArray = npt.NDArray[np.float64]


def residual_variance(error: str, f: FloatArray, additive: float, proportional: float) -> FloatArray:
    r"""Variance of the residual.

    .. math:: a^2; \quad (b f)^2; \quad (a + b |f|)^2; \quad a^2 + (b f)^2

    Parameters
    ----------
    error : additive, proportional, combined_sum, combined_root or log (then of the logarithm) [-]
    f : predictions [unit of the data]
    additive : a, SD [unit of the data; log: 1]
    proportional : b, SD [1]
    """
    if error in ("additive", "log"):
        return np.full_like(f, additive**2)
    if error == "proportional":
        return np.asarray((proportional * f) ** 2)
    if error == "combined_sum":
        return np.asarray((additive + proportional * np.abs(f)) ** 2)
    return np.asarray(additive**2 + (proportional * f) ** 2)


def objective(
    y: FloatArray, f: FloatArray, v: FloatArray, censored: npt.NDArray[np.int64], eta: FloatArray, omega: FloatArray
) -> float:
    r"""NONMEM's objective of one person.

    .. math::
        \sum_{\text{seen}} \left[ \frac{(y - f)^2}{v} + \ln v \right]
        - 2 \sum_{\text{censored}} \ln \Phi\!\left(\pm\frac{y - f}{\sqrt v}\right) + \eta' \Omega^{-1} \eta

    Parameters
    ----------
    y : values; of a censored one the limit [unit of the data]
    f : predictions [unit of the data]
    v : residual variances [unit of the data, squared]
    censored : 1 below y, -1 above it, 0 seen [1]
    eta : deviations from the typical person [scale of each parameter]
    omega : their covariance [scale of each parameter, squared]

    References
    ----------
    Beal SL. Ways to fit a PK model with some data below the quantification limit. J Pharmacokinet Pharmacodyn
    2001;28:481-504 (M3).
    """
    seen = censored == 0
    total = float(np.sum((y[seen] - f[seen]) ** 2 / v[seen] + np.log(v[seen])))
    below = censored[~seen] * (y[~seen] - f[~seen]) / np.sqrt(v[~seen])
    return total - 2.0 * float(np.sum(norm.logcdf(below))) + float(eta @ np.linalg.solve(omega, eta))
