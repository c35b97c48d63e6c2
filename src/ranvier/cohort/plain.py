"""The readable twin of `kernels.live`: one person, by the differential equations, solved numerically. Slow and obvious."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ranvier.estimation.nouns import FloatArray


def live_plainly(
    grams: FloatArray,
    *,
    clearance_rate: float,
    volume: float,
    own: float,
    c50: float,
    kout: float,
    imax: float,
    decline: float = 0.0,
    slow: float = 1.0,
    share: float = 0.0,
    gamma: float = 0.0,
    c0: float = 12.0,
    wave: tuple[float, float, float, float] | None = None,
    pause: float = 2 / 24,
    lasting: float = 5 / 24,
) -> tuple[FloatArray, FloatArray]:
    r"""Relative strength and IgG excess at each day's measurement, under intravenous `grams` by day (D).

    One compartment, whose fractional loss grows with total IgG (gamma 0: linear), and two phases of response:

    .. math::
        \dot C = k_0 \left[(B/C_0)^\gamma B - (C/C_0)^\gamma C\right] + r/V, \quad X = C - B, \quad E = I_{max} X / (C_{50} + X)

        \dot r_j = k_j \left[e^{-\delta t} - (1 - E)\, r_j\right], \quad r = (1 - w)\, r_1 + w\, r_2

    Parameters
    ----------
    grams : given on each day, D [g]
    clearance_rate : fractional loss at C0, k_0 [1/d]
    volume : V [L]
    own : IgG without treatment, B [g/L]
    c50 : excess at half of the largest effect [g/L]
    kout : rate of the fast phase, k_1 [1/d]
    imax : largest inhibition of loss [1]
    decline : slow irreversible loss, delta [1/d]
    slow : rate of the slow phase, k_2 [1/d]
    share : of the slow phase, w [1]
    gamma : how strongly loss grows with IgG [1]
    c0 : IgG at which the fractional loss is k_0 [g/L]
    wave : mean excess [g/L], amplitude [1], period [d], phase [1] that strength follows instead of IgG
    pause : from measurement to dose [d]
    lasting : length of the infusion [d]
    """
    from scipy.integrate import solve_ivp  # slow to import, and only this road needs it

    def loss(c: float) -> float:
        return float(clearance_rate * (c / c0) ** gamma * c)

    def driver(t: float, x: float) -> float:
        if wave is None:
            return x
        mean, amplitude, period, phase = wave
        return float(mean * (1.0 + amplitude * np.sin(2.0 * np.pi * (t / period + phase))))

    def slope(t: float, y: FloatArray, flow: float) -> FloatArray:
        x = driver(t, y[0])
        inhibited = imax * x / (c50 + x)
        left = np.exp(-decline * t)
        rates = np.array([kout, slow])
        return np.concatenate(
            [[flow / volume + loss(own) - loss(own + max(y[0], 0.0))], rates * (left - (1.0 - inhibited) * y[1:])]
        )

    y = np.array([0.0, 1.0, 1.0])
    strength, excess = np.empty(len(grams)), np.empty(len(grams))
    for day, dose in enumerate(grams):
        strength[day], excess[day] = (1.0 - share) * y[1] + share * y[2], y[0]
        edges = [0.0, pause, pause + lasting, 1.0] if dose > 0 else [0.0, 1.0]
        for i, (a, b) in enumerate(pairwise(edges)):
            flow = dose / lasting if dose > 0 and i == 1 else 0.0
            y = solve_ivp(slope, (day + a, day + b), y, args=(flow,), method="DOP853", rtol=1e-11, atol=1e-13).y[:, -1]
    return strength, excess
