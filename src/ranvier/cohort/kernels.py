"""Compiled lives of virtual people: from doses by day to strength by day, each person with own kinetics and own doses.

One day runs from one measurement to the next: measured in the morning, infused later the same day. The scheme for strength is
that of `response.kernels` (three Gauss nodes per step, gain form), and the steps are those that `response.turnover.schedule`
would cut, so that a person who follows the engine's model gets the engine's numbers. Beyond the engine's model there are a
second, slow phase of response, kinetics that saturate, and strength that follows a wave instead of IgG. The readable twin is
`plain.py`.

Shapes: n people, D days. State: z n × 3 (IgG by mode; of a person with saturable kinetics z[:, 0] is the IgG excess itself),
v n × 2 (gain over untreated strength, fast and slow phase), s n (what decline has left of it).
"""

import numpy as np
import numpy.typing as npt

from ranvier.ground.compiled import borrower, kernel
from ranvier.response.kernels import (
    LONGEST_STEP,
    LONGEST_STEP_OF_INFUSION,
    M00,
    M01,
    M02,
    M10,
    M11,
    M12,
    M20,
    M21,
    M22,
    N0,
    N1,
    W0,
    W1,
    W2,
    decays,
)

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

LINEAR, SATURABLE = 0, 1
YEAR = 365.25
IV = 0


@borrower
def lost(total: float, own: float, k0: float, c0: float, gamma: float) -> float:
    """Net loss of IgG excess [g/L/d] where the fractional loss is k0 (C/c0)^gamma and production balances it at `own`."""
    return float(k0 * ((total / c0) ** gamma * total - (own / c0) ** gamma * own))


@borrower
def saturable(x: float, h: float, inflow: float, own: float, k0: float, c0: float, gamma: float) -> float:
    """IgG excess after `h` days of constant `inflow` [g/L/d], by one Runge-Kutta step of fourth order."""
    a = inflow - lost(own + x, own, k0, c0, gamma)
    b = inflow - lost(own + max(x + 0.5 * h * a, 0.0), own, k0, c0, gamma)
    c = inflow - lost(own + max(x + 0.5 * h * b, 0.0), own, k0, c0, gamma)
    d = inflow - lost(own + max(x + h * c, 0.0), own, k0, c0, gamma)
    return float(max(x + h / 6.0 * (a + 2.0 * b + 2.0 * c + d), 0.0))


@kernel
def live(
    kind: IntArray,
    rate: FloatArray,
    coefficient: FloatArray,
    own: FloatArray,
    k0: FloatArray,
    c0: float,
    gamma: float,
    volume: FloatArray,
    c50: FloatArray,
    kout: FloatArray,
    slow: FloatArray,
    share: FloatArray,
    decline: FloatArray,
    imax: FloatArray,
    wave: FloatArray,
    grams: FloatArray,
    channel: IntArray,
    pause: float,
    lasting: float,
    z: FloatArray,
    v: FloatArray,
    s: FloatArray,
    first: int,
    last: int,
    day0: int,
    day1: int,
    strength: FloatArray,
    excess: FloatArray,
    peak: FloatArray,
) -> None:
    """People first to last - 1 through days day0 to day1 - 1, from the state at the measurement of day0 to that of day1.

    kind n: LINEAR or SATURABLE; rate n × 3 [1/d]; coefficient n × 3 × 3 (channel, mode) [1/L]; own n [g/L]; k0 n [1/d],
    c0 [g/L], gamma: see `lost`; volume n [L]; c50 n [g/L]; kout, slow n [1/d]; share n: of the slow phase; decline n [1/d];
    imax n; wave n × 4: mean excess [g/L] (0: strength follows IgG), amplitude [1], period [d], phase [1];
    grams, channel n × D: dose of each day and its route (0 IV, 1 SC, 2 fSCIg); pause: from measurement to dose [d];
    lasting: length of an intravenous infusion [d].
    Fills relative strength and IgG excess at each day's measurement (n × D), and raises `peak` (n) to the largest excess [g/L].
    """
    e = np.empty(4)
    d = np.ones((3, 3))
    f = np.zeros((3, 3))
    dh = np.ones(3)
    fh = np.zeros(3)
    flow = np.zeros(3)
    x = np.empty(3)
    for n in range(first, last):
        previous = -1.0
        s0n = s1n = s2n = ds = 1.0
        for day in range(day0, day1):
            strength[n, day] = 1.0 + (1.0 - share[n]) * v[n, 0] + share[n] * v[n, 1]
            excess[n, day] = z[n, 0] + z[n, 1] + z[n, 2] if kind[n] == LINEAR else z[n, 0]
            dose, c = grams[n, day], channel[n, day]
            time = float(day)
            for part in range(3):  # before the dose, the infusion, after it
                whole, going = 1.0, False
                if dose > 0.0:
                    if part == 0:
                        whole = pause
                    elif part == 1:
                        whole, going = (lasting, True) if c == IV else (0.0, False)
                    else:
                        whole = 1.0 - pause - (lasting if c == IV else 0.0)
                    if part == 1 and c != IV:
                        if kind[n] == LINEAR:
                            for k in range(3):
                                z[n, k] += dose * coefficient[n, c, k]
                        else:
                            z[n, 0] += dose * coefficient[n, c, 0]
                elif part > 0:
                    break
                if whole <= 0.0:
                    continue
                pieces = int(max(np.ceil(whole / (LONGEST_STEP_OF_INFUSION if going else LONGEST_STEP) - 1e-9), 1.0))
                h = whole / pieces
                if h != previous:
                    previous = h
                    if kind[n] == LINEAR:
                        for k in range(3):
                            lam = rate[n, k]
                            if lam > 0.0:
                                decays(lam, h, e)
                                d[0, k], d[1, k], d[2, k], dh[k] = e[0], e[1], e[2], e[3]
                                fh[k] = (1.0 - e[3]) / lam
                                for q in range(3):
                                    f[q, k] = (1.0 - e[q]) / lam
                            else:
                                d[0, k] = d[1, k] = d[2, k] = dh[k] = 1.0
                                f[0, k] = f[1, k] = f[2, k] = fh[k] = 0.0
                    decays(decline[n], h, e)
                    s0n, s1n, s2n, ds = e[0], e[1], e[2], e[3]
                into = 0.0
                for k in range(3):
                    flow[k] = dose / lasting * coefficient[n, IV, k] if going else 0.0
                if going:
                    into = dose / lasting / volume[n]
                for _ in range(pieces):
                    if kind[n] == LINEAR:
                        for q in range(3):
                            x[q] = z[n, 0] * d[q, 0] + z[n, 1] * d[q, 1] + z[n, 2] * d[q, 2]
                            if going:
                                x[q] += flow[0] * f[q, 0] + flow[1] * f[q, 1] + flow[2] * f[q, 2]
                        for k in range(3):
                            z[n, k] = z[n, k] * dh[k] + flow[k] * fh[k]
                        end = z[n, 0] + z[n, 1] + z[n, 2]
                    else:
                        x[0] = saturable(z[n, 0], N0 * h, into, own[n], k0[n], c0, gamma)
                        x[1] = saturable(x[0], (N1 - N0) * h, into, own[n], k0[n], c0, gamma)
                        x[2] = saturable(x[1], (N1 - N0) * h, into, own[n], k0[n], c0, gamma)
                        z[n, 0] = saturable(x[2], N0 * h, into, own[n], k0[n], c0, gamma)
                        end = z[n, 0]
                    peak[n] = max(peak[n], end)
                    if wave[n, 0] > 0.0:
                        for q in range(3):
                            at = time + (N0 if q == 0 else N1 if q == 1 else 1.0 - N0) * h
                            x[q] = wave[n, 0] * (
                                1.0 + wave[n, 1] * np.sin(2.0 * np.pi * (at / wave[n, 2] + wave[n, 3]))
                            )
                    half, i = c50[n], imax[n]
                    g0, g1, g2 = i * x[0] / (half + x[0]), i * x[1] / (half + x[1]), i * x[2] / (half + x[2])
                    p0, p1, p2 = s[n] * s0n - 1.0 + g0, s[n] * s1n - 1.0 + g1, s[n] * s2n - 1.0 + g2
                    for phase in range(2 if share[n] > 0.0 else 1):
                        kh = (kout[n] if phase == 0 else slow[n]) * h
                        a0, a1, a2 = kh * (1.0 - g0), kh * (1.0 - g1), kh * (1.0 - g2)
                        total = W0 * a0 + W1 * a1 + W2 * a2
                        e0 = np.exp(M00 * a0 + M01 * a1 + M02 * a2 - total)
                        e1 = np.exp(M10 * a0 + M11 * a1 + M12 * a2 - total)
                        e2 = np.exp(M20 * a0 + M21 * a1 + M22 * a2 - total)
                        v[n, phase] = np.exp(-total) * v[n, phase] + kh * (W0 * e0 * p0 + W1 * e1 * p1 + W2 * e2 * p2)
                    s[n] *= ds
                    time += h


@borrower
def chained(shocks: FloatArray, persistence: float, out: FloatArray) -> None:
    """Residuals with the given correlation from one day to the next and spread 1, from independent shocks of spread 1 (D)."""
    rest = np.sqrt(1.0 - persistence**2)
    out[0] = shocks[0]
    for i in range(1, shocks.size):
        out[i] = persistence * out[i - 1] + rest * shocks[i]


@borrower
def gaps(uniform: FloatArray, missing: float, lasting: float, out: npt.NDArray[np.bool_]) -> None:
    """Days without a value (D), in runs: in the long run the part `missing`, a run lasting `lasting` days on average."""
    end = 1.0 / lasting
    begin = min(missing * end / max(1.0 - missing, 1e-9), 1.0)
    away = uniform[0] < missing
    out[0] = away
    for i in range(1, uniform.size):
        away = uniform[i] >= end if away else uniform[i] < begin
        out[i] = away
