"""Compiled kinetics: modes of disposition and how they move. The readable twins are in `disposition.py`.

Everything linear is written in modes: the IgG excess is a sum over channels c and modes k of
``coefficient[c, k] * u[c, k]``, where ``u[c, k]`` is what a unit input into channel c leaves of mode k:
``du/dt = -rate[k] * u + input[c]``. Channels: 0 IV, 1 SC, 2 fSCIg, 3 what was there before the record began.
Modes: 0 fast (or the only one), 1 slow, 2 absorption.
"""

import numpy as np
import numpy.typing as npt

from ranvier.ground.compiled import borrower, kernel

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

CHANNELS = 4
MODES = 3
PK = 8  # kinetic parameters: 0-3 disposition, 4 ka, 5 F SC, 6 F fSCIg, 7 excess at the start
IV, SC, FSC, PAST = 0, 1, 2, 3


@borrower
def one_compartment(
    theta: FloatArray,
    rate: FloatArray,
    coefficient: FloatArray,
    d_rate: FloatArray,
    d_coefficient: FloatArray,
) -> None:
    """Modes of one compartment from theta = (kel [1/d], V [L], -, -, ka, F SC, F fSCIg, excess at start [g/L]).

    Fills rate (3), coefficient (4 × 3) and their derivatives by the natural parameters: d_rate (3 × 8),
    d_coefficient (4 × 3 × 8).
    """
    k, volume, ka = theta[0], theta[1], theta[4]
    if (
        abs(ka - k) < 1e-7 * k
    ):  # the two exponentials coincide; a hair's breadth apart they do not, and the sum is the same
        ka = k * (1.0 + 1e-7)
    rate[:] = 0.0
    coefficient[:] = 0.0
    d_rate[:] = 0.0
    d_coefficient[:] = 0.0
    rate[0], rate[2] = k, ka
    d_rate[0, 0] = 1.0
    d_rate[2, 4] = 1.0

    coefficient[IV, 0] = 1.0 / volume
    d_coefficient[IV, 0, 1] = -1.0 / volume**2

    gap = ka - k
    b = ka / (volume * gap)
    db_dk = b / gap
    db_dka = 1.0 / (volume * gap) - b / gap
    for channel, which in ((SC, 5), (FSC, 6)):
        f = theta[which]
        for mode, sign in ((0, 1.0), (2, -1.0)):
            coefficient[channel, mode] = sign * f * b
            d_coefficient[channel, mode, 0] = sign * f * db_dk
            d_coefficient[channel, mode, 1] = -sign * f * b / volume
            d_coefficient[channel, mode, 4] = sign * f * db_dka
            d_coefficient[channel, mode, which] = sign * b

    coefficient[PAST, 0] = theta[7]
    d_coefficient[PAST, 0, 7] = 1.0


@kernel
def two_compartments(
    theta: FloatArray,
    rate: FloatArray,
    coefficient: FloatArray,
    d_rate: FloatArray,
    d_coefficient: FloatArray,
) -> None:
    """Modes of two compartments from theta = (CL [L/d], V1 [L], Q [L/d], V2 [L], ka, F SC, F fSCIg, excess at start).

    Fills the same arrays as `one_compartment`.
    """
    cl, v1, q, v2, ka = theta[0], theta[1], theta[2], theta[3], theta[4]
    rate[:] = 0.0
    coefficient[:] = 0.0
    d_rate[:] = 0.0
    d_coefficient[:] = 0.0

    k10, k12, k21 = cl / v1, q / v1, q / v2
    total = k10 + k12 + k21
    root = np.sqrt(total**2 - 4.0 * k10 * k21)
    alpha = 0.5 * (total + root)
    beta = k10 * k21 / alpha  # not (total - root) / 2, which cancels
    if abs(ka - alpha) < 1e-7 * alpha:
        ka = alpha * (1.0 + 1e-7)
    if abs(ka - beta) < 1e-7 * beta:
        ka = beta * (1.0 + 1e-7)
    rate[0], rate[1], rate[2] = alpha, beta, ka

    # Derivatives of k21, alpha and beta by CL, V1, Q, V2: alpha and beta solve x^2 - total x + k10 k21 = 0.
    dk21 = np.zeros(4)
    dk21[2], dk21[3] = 1.0 / v2, -k21 / v2
    d_total = np.zeros(4)
    d_total[0] = 1.0 / v1
    d_total[1] = -(k10 + k12) / v1
    d_total[2] = 1.0 / v1 + 1.0 / v2
    d_total[3] = -k21 / v2
    d_product = np.zeros(4)
    d_product[0] = k21 / v1
    d_product[1] = -k10 * k21 / v1
    d_product[2] = k10 / v2
    d_product[3] = -k10 * k21 / v2
    for p in range(4):
        d_rate[0, p] = (alpha * d_total[p] - d_product[p]) / root
        d_rate[1, p] = (d_product[p] - beta * d_total[p]) / root
    d_rate[2, 4] = 1.0

    gap = alpha - beta
    a = (alpha - k21) / gap
    b = (k21 - beta) / gap
    coefficient[IV, 0] = a / v1
    coefficient[IV, 1] = b / v1
    for p in range(4):
        d_gap = d_rate[0, p] - d_rate[1, p]
        da = (d_rate[0, p] - dk21[p] - a * d_gap) / gap
        db = (dk21[p] - d_rate[1, p] - b * d_gap) / gap
        dv1 = 1.0 if p == 1 else 0.0
        d_coefficient[IV, 0, p] = (da - a / v1 * dv1) / v1
        d_coefficient[IV, 1, p] = (db - b / v1 * dv1) / v1

    # Absorption: mode k of the disposition seen through a first-order input is coefficient * ka / (ka - rate[k]);
    # the absorption mode takes away what the two give at time zero.
    for channel, which in ((SC, 5), (FSC, 6)):
        f = theta[which]
        for mode in range(2):
            share = ka / (ka - rate[mode])
            c = f * coefficient[IV, mode] * share
            coefficient[channel, mode] = c
            coefficient[channel, 2] -= c
            for p in range(4):
                d = f * d_coefficient[IV, mode, p] * share + c / (ka - rate[mode]) * d_rate[mode, p]
                d_coefficient[channel, mode, p] = d
                d_coefficient[channel, 2, p] -= d
            d_ka = c * (1.0 / ka - 1.0 / (ka - rate[mode]))
            d_coefficient[channel, mode, 4] = d_ka
            d_coefficient[channel, 2, 4] -= d_ka
            d_coefficient[channel, mode, which] = c / f
            d_coefficient[channel, 2, which] -= c / f

    coefficient[PAST, 1] = theta[7]  # long after earlier doses only the slow mode is left
    d_coefficient[PAST, 1, 7] = 1.0


@borrower
def disposition(
    compartments: int,
    theta: FloatArray,
    rate: FloatArray,
    coefficient: FloatArray,
    d_rate: FloatArray,
    d_coefficient: FloatArray,
) -> None:
    """Modes of one or two compartments."""
    if compartments == 1:
        one_compartment(theta, rate, coefficient, d_rate, d_coefficient)
    else:
        two_compartments(theta, rate, coefficient, d_rate, d_coefficient)


@borrower
def excess_at(
    times: FloatArray,
    channel: IntArray,
    start: FloatArray,
    stop: FloatArray,
    grams: FloatArray,
    rate: FloatArray,
    coefficient: FloatArray,
    out: FloatArray,
) -> None:
    """IgG excess [g/L] at any times [d] after any dosing history, by superposition; start == stop is a bolus.

    Shapes: times, out: T; channel, start, stop, grams: N; rate: 3; coefficient: 4 × 3.
    """
    out[:] = 0.0
    for i in range(times.size):
        for j in range(start.size):
            since = times[i] - start[j]
            if since < 0.0:
                continue
            length = stop[j] - start[j]
            for k in range(MODES):
                c = coefficient[channel[j], k]
                if c == 0.0:
                    continue
                if length <= 0.0:
                    out[i] += grams[j] * c * np.exp(-rate[k] * since)
                elif since < length:
                    out[i] += grams[j] / length * c * -np.expm1(-rate[k] * since) / rate[k]
                else:
                    full = -np.expm1(-rate[k] * length) / rate[k]
                    out[i] += grams[j] / length * c * full * np.exp(-rate[k] * (since - length))
