"""Linear kinetics of infused IgG in closed form, the readable way, and a second road by ODE.

All concentrations are IgG above the person's own level [g/L]; the measured level adds the person's own IgG. Times in days,
amounts in grams, volumes in litres.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ranvier.kinetics import kernels

FloatArray = npt.NDArray[np.float64]

CHANNEL = {"IV": kernels.IV, "SC": kernels.SC, "fSCIg": kernels.FSC}
ORDER = {
    1: (
        "elimination_rate",
        "central_volume",
        "",
        "",
        "absorption_rate",
        "bioavailability_sc",
        "bioavailability_fsc",
        "excess",
    ),
    2: (
        "clearance",
        "central_volume",
        "intercompartmental_clearance",
        "peripheral_volume",
        "absorption_rate",
        "bioavailability_sc",
        "bioavailability_fsc",
        "excess",
    ),
}
"""Order of the kinetic parameters in the kernels, by number of compartments."""

# Inert where no dose is given under the skin: any finite value leaves an intravenous history unchanged.
_DEFAULT = {"absorption_rate": 0.44, "bioavailability_sc": 1.0, "bioavailability_fsc": 1.0, "excess": 0.0}


@dataclass(frozen=True, slots=True)
class Doses:
    """N doses, each from `start` to `stop` [d] (equal: a bolus), of `grams`, into `channel` (0 IV, 1 SC, 2 fSCIg)."""

    start: FloatArray
    stop: FloatArray
    grams: FloatArray
    channel: npt.NDArray[np.int64]

    @classmethod
    def of(cls, start: object, grams: object, *, length: object = 0.0, route: str = "IV") -> Doses:
        """Doses at `start` [d] of `grams`, each lasting `length` [d], all by one route."""
        begin = np.atleast_1d(np.asarray(start, dtype=np.float64))
        amount = np.broadcast_to(np.asarray(grams, dtype=np.float64), begin.shape).copy()
        lasting = np.broadcast_to(np.asarray(length, dtype=np.float64), begin.shape)
        return cls(begin, begin + lasting, amount, np.full(begin.shape, CHANNEL[route], dtype=np.int64))

    def __post_init__(self) -> None:
        if not (self.start.shape == self.stop.shape == self.grams.shape == self.channel.shape):
            raise ValueError("start, stop, grams and channel need one entry per dose each")
        if np.any(self.stop < self.start) or np.any(self.grams < 0) or not np.all(np.isfinite(self.grams)):
            raise ValueError("a dose needs stop >= start and a finite amount of at least 0 g")


@dataclass(frozen=True, slots=True)
class Modes:
    """Disposition as modes: rate (3) [1/d]; coefficient (4 channels × 3 modes) [1/L]; `steady` and `expose` read them."""

    rate: FloatArray
    coefficient: FloatArray


def theta_of(compartments: int, parameters: Mapping[str, float]) -> FloatArray:
    """Parameters in the kernels' order; those that a history does not use may be left out."""
    return np.array([parameters.get(name, _DEFAULT.get(name, 0.0)) for name in ORDER[compartments]], dtype=np.float64)


def modes(compartments: int, parameters: Mapping[str, float]) -> Modes:
    r"""Rates and coefficients of the exponentials that make up the response to a dose.

    .. math:: X(t) = \sum_k c_k e^{-\lambda_k t}

    Parameters
    ----------
    compartments : 1 or 2 [1]
    parameters : by name [see ORDER: clearance L/d, volumes L, elimination_rate and absorption_rate 1/d, bioavailability 1]

    Raises
    ------
    ValueError : if a rate, clearance or volume is not positive.

    References
    ----------
    Gibaldi M, Perrier D. Pharmacokinetics, 2nd ed., 1982, chapter 2 (two compartments, first-order input).
    """
    theta = theta_of(compartments, parameters)
    needed = theta[:2] if compartments == 1 else theta[:4]
    if compartments not in (1, 2) or not np.all(needed > 0) or not theta[4] > 0:
        raise ValueError(f"needs positive {', '.join(n for n in ORDER.get(compartments, ())[:4] if n)}")
    rate, coefficient = np.empty(3), np.empty((4, 3))
    kernels.disposition(compartments, theta, rate, coefficient, np.empty((3, 8)), np.empty((4, 3, 8)))
    return Modes(rate, coefficient)


def expose(times: FloatArray, doses: Doses, disposition: Modes) -> FloatArray:
    """IgG above the person's own level [g/L] at `times` [d] (shape T), by the compiled kernel.

    At the very time of a bolus the dose counts as given.
    """
    at = np.ascontiguousarray(times, dtype=np.float64)
    out = np.empty_like(at)
    kernels.excess_at(
        at,
        doses.channel,
        doses.start,
        doses.stop,
        doses.grams,
        disposition.rate,
        disposition.coefficient,
        out,
    )
    return out


def expose_readably(times: FloatArray, doses: Doses, disposition: Modes) -> FloatArray:
    """The same as `expose`, written the way one would on paper: a sum over doses and exponentials."""
    total = np.zeros(len(times))
    for channel, start, stop, grams in zip(doses.channel, doses.start, doses.stop, doses.grams, strict=True):
        since = np.asarray(times) - start
        length = stop - start
        for rate, c in zip(disposition.rate, disposition.coefficient[channel], strict=True):
            if c == 0:
                continue
            if length == 0:
                part = grams * c * np.exp(-rate * since)
            else:
                during = (1 - np.exp(-rate * np.minimum(since, length))) / rate
                part = grams / length * c * during * np.exp(-rate * np.maximum(since - length, 0))
            total += np.where(since >= 0, part, 0.0)
    return total


def steady(after: FloatArray, cycle: Doses, interval: float, disposition: Modes) -> FloatArray:
    r"""IgG above the person's own level [g/L] in the steady cycle, `after` [d] days from its start (0 <= after <= interval).

    The geometric series over all earlier cycles sums to 1 / (1 - exp(-lambda tau)) for each exponential. The doses of the
    `cycle` start within [0, interval).
    """
    at = np.asarray(after, dtype=np.float64)
    total = expose(at, cycle, disposition)
    earlier = np.zeros_like(at)
    for channel, start, stop, grams in zip(cycle.channel, cycle.start, cycle.stop, cycle.grams, strict=True):
        length = stop - start
        for rate, c in zip(disposition.rate, disposition.coefficient[channel], strict=True):
            if c == 0:
                continue
            given = grams if length == 0 else grams / length * -np.expm1(-rate * length) / rate
            left = np.exp(-rate * (at + interval - stop if length else at + interval - start))
            earlier += c * given * left / -np.expm1(-rate * interval)
    return total + earlier


def expose_by_ode(
    times: FloatArray,
    doses: Doses,
    compartments: int,
    parameters: Mapping[str, float],
    *,
    rtol: float = 1e-11,
) -> FloatArray:
    r"""The second road: the compartments' differential equations, solved numerically from dose to dose.

    .. math::
        \dot A_s = -k_a A_s + F r_{SC}, \quad
        \dot A_1 = k_a A_s - (k_{10} + k_{12}) A_1 + k_{21} A_2 + r_{IV}, \quad
        \dot A_2 = k_{12} A_1 - k_{21} A_2
    """
    from scipy.integrate import solve_ivp  # slow to import, and only this road needs it

    theta = theta_of(compartments, parameters)
    volume, ka = theta[1], theta[4]
    if compartments == 1:
        k10, k12, k21 = theta[0], 0.0, 0.0
    else:
        k10, k12, k21 = theta[0] / volume, theta[2] / volume, theta[2] / theta[3]
    bioavailability = {kernels.SC: theta[5], kernels.FSC: theta[6]}

    def slope(_: float, a: FloatArray, iv: float, depot: float) -> FloatArray:
        absorbed = ka * a[0]
        return np.array(
            [depot - absorbed, absorbed - (k10 + k12) * a[1] + k21 * a[2] + iv, k12 * a[1] - k21 * a[2]],
            dtype=np.float64,
        )

    at = np.asarray(times, dtype=np.float64)
    edges = np.unique(np.concatenate([doses.start, doses.stop, at]))
    amounts = np.array([0.0, theta[7] * volume, 0.0])
    seen: dict[float, float] = {}
    for here, there in zip(edges, np.append(edges[1:], edges[-1]), strict=True):
        iv = depot = 0.0
        for channel, start, stop, grams in zip(doses.channel, doses.start, doses.stop, doses.grams, strict=True):
            effective = grams * bioavailability.get(int(channel), 1.0)
            if start == stop == here:
                amounts[1 if channel == kernels.IV else 0] += effective
            elif start <= here < stop:
                if channel == kernels.IV:
                    iv += effective / (stop - start)
                else:
                    depot += effective / (stop - start)
        seen[float(here)] = amounts[1] / volume
        if there > here:
            solved = solve_ivp(slope, (here, there), amounts, args=(iv, depot), method="DOP853", rtol=rtol, atol=1e-13)
            amounts = solved.y[:, -1]
    return np.array([seen[float(t)] for t in at])
