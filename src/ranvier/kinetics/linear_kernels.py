"""Compiled linear kinetics of the general family: one to three compartments, absorption, transit, an effect site.

Everything linear is a sum of exponentials. Mode k decays with `rate[k]`; a unit bolus into channel c contributes
``coef[out, c, k] * exp(-rate[k] t)`` to output `out` (0 the concentration, 1 what drives the response: the same, or the
effect site). Channels: 0 central, 1 depot (the first compartment of the absorption chain), 2 what was there at the start,
as a concentration. Modes 0-2: disposition, 3 absorption, 4 transit, 5 effect site.

The natural parameters of the whole family live in one vector of `SLOTS` places; the names stand in `SLOT_NAMES`.
The readable twin is `family.py`.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ranvier.ground.compiled import borrower

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

SLOT_NAMES = (
    "clearance", "central_volume", "intercompartmental_clearance", "peripheral_volume",
    "intercompartmental_clearance_2", "peripheral_volume_2", "absorption_rate", "transit_rate", "effect_rate",
    "bioavailability_central", "bioavailability", "lag_time_central", "lag_time", "duration_central", "duration",
    "rate_central", "rate", "initial", "endogenous", "vmax", "km", "rescue", "rescue_half",
    "baseline", "emax", "ec50", "kout", "hill",
    "additive", "proportional", "response_additive", "response_proportional",
)  # fmt: skip
SLOTS = 32
CL, V1, Q2, V2, Q3, V3, KA, KTR, KE0 = 0, 1, 2, 3, 4, 5, 6, 7, 8
F, LAG, DURATION, RATE = 9, 11, 13, 15  # first of two: central, depot
INITIAL, ENDOGENOUS, VMAX, KM, RESCUE, RESCUE_HALF = 17, 18, 19, 20, 21, 22
BASELINE, EMAX, EC50, KOUT, HILL = 23, 24, 25, 26, 27
ADDITIVE, PROPORTIONAL = 28, 29  # of the concentration; two further on: of the response
KINETIC = 9  # slots that shape the modes

NO_ABSORPTION, FIRST_ORDER, TRANSIT = 0, 1, 2
LINEAR, MICHAELIS_MENTEN, FCRN = 0, 1, 2
NO_RESPONSE, DIRECT, DIRECT_INHIBITION = 0, 1, 2
INHIBIT_PRODUCTION, INHIBIT_LOSS, STIMULATE_PRODUCTION, STIMULATE_LOSS = 3, 4, 5, 6

CHANNELS, MODES, OUTPUTS = 3, 6, 2
CENTRAL, DEPOT, START = 0, 1, 2
NEAR = 5e-3  # rates nearer than this fraction of their sum: the closed form loses digits, the solver takes over


class Structure(NamedTuple):
    """Which member of the family.

    compartments 1-3; absorption, elimination, response: the constants above; by_rate 1: slot 0 is the elimination rate
    [1/time] instead of the clearance; effect_site 1: the response follows an effect compartment; scale: concentration =
    scale · amount / volume.
    """

    compartments: int
    absorption: int
    elimination: int
    by_rate: int
    response: int
    effect_site: int
    scale: float


class Modes(NamedTuple):
    """Room for the modes of one structure; what it does not have stays zero.

    rate 6, d_rate 6 × 9, coef 2 × 3 × 6, d_coef 2 × 3 × 6 × 9 (derivatives by the first 9 slots).
    """

    rate: FloatArray
    d_rate: FloatArray
    coef: FloatArray
    d_coef: FloatArray


@borrower
def _extend(
    rate: FloatArray, d_rate: FloatArray, coef: FloatArray, d_coef: FloatArray, into: FloatArray, d_into: FloatArray,
    mode: int,
) -> bool:  # fmt: skip
    """Modes of what follows `coef` through one more first-order step, whose rate is that of `mode`. False: rates too near."""
    b = rate[mode]
    into[mode] = 0.0
    d_into[mode, :] = 0.0
    fine = True
    for k in range(MODES):
        if coef[k] == 0.0 or k == mode:
            continue
        gap = b - rate[k]
        if abs(gap) < NEAR * (b + rate[k]):
            fine = False
        share = b / gap
        by_b, by_rate = -rate[k] / gap**2, b / gap**2
        into[k] = coef[k] * share
        into[mode] -= into[k]
        for p in range(KINETIC):
            change = d_coef[k, p] * share + coef[k] * (by_b * d_rate[mode, p] + by_rate * d_rate[k, p])
            d_into[k, p] = change
            d_into[mode, p] -= change
    return fine


@borrower
def fill_modes(s: Structure, theta: FloatArray, m: Modes) -> bool:
    """Modes of the structure at the natural parameters `theta` (SLOTS), with derivatives. False: use the solver instead.

    Without an effect site, output 1 is output 0 and not filled.
    """
    rate, d_rate, coef, d_coef = m.rate, m.d_rate, m.coef, m.d_coef
    n = s.compartments
    v1 = theta[V1]
    k10 = theta[CL] if s.by_rate == 1 else theta[CL] / v1
    by_v1 = 0.0 if s.by_rate == 1 else -k10 / v1
    fine = True
    if n == 1:
        rate[0] = k10
        d_rate[0, CL] = 1.0 if s.by_rate == 1 else 1.0 / v1
        d_rate[0, V1] = by_v1
    else:
        k12, k21 = theta[Q2] / v1, theta[Q2] / theta[V2]
        k13, k31 = 0.0, 1.0
        if n == 2:
            total = k10 + k12 + k21
            root = np.sqrt(total * total - 4.0 * k10 * k21)
            rate[0] = 0.5 * (total + root)
            rate[1] = k10 * k21 / rate[0]  # not (total - root) / 2, which cancels
        else:
            k13, k31 = theta[Q3] / v1, theta[Q3] / theta[V3]
            a = k10 + k12 + k13 + k21 + k31
            b = k10 * k21 + k10 * k31 + k12 * k31 + k13 * k21 + k21 * k31
            c = k10 * k21 * k31
            p = b - a * a / 3.0
            q = -2.0 * a**3 / 27.0 + a * b / 3.0 - c
            angle = np.arccos(min(max(1.5 * q / p * np.sqrt(-3.0 / p), -1.0), 1.0)) / 3.0
            for k in range(2):
                x = a / 3.0 + 2.0 * np.sqrt(-p / 3.0) * np.cos(angle - 2.0 * np.pi * k / 3.0)
                for _ in range(2):
                    x -= (((x - a) * x + b) * x - c) / ((3.0 * x - 2.0 * a) * x + b)
                rate[k] = x
            rate[2] = c / (rate[0] * rate[1])
            for _ in range(2):
                x = rate[2]
                rate[2] = x - (((x - a) * x + b) * x - c) / ((3.0 * x - 2.0 * a) * x + b)
        # Each rate solves k10 - x - sum over the peripheral compartments of k1i x / (ki1 - x) = 0.
        for k in range(n):
            x = rate[k]
            g2 = k21 - x
            slope = -1.0 - k12 * k21 / (g2 * g2)
            by12, by21 = -x / g2, k12 * x / (g2 * g2)
            if abs(g2) < 1e-9 * k21:
                fine = False
            d_rate[k, Q2] = -(by12 / v1 + by21 / theta[V2])
            d_rate[k, V2] = by21 * k21 / theta[V2]
            v_part = by_v1 - by12 * k12 / v1
            if n == 3:
                g3 = k31 - x
                slope -= k13 * k31 / (g3 * g3)
                by13, by31 = -x / g3, k13 * x / (g3 * g3)
                if abs(g3) < 1e-9 * k31:
                    fine = False
                d_rate[k, Q3] = -(by13 / v1 + by31 / theta[V3])
                d_rate[k, V3] = by31 * k31 / theta[V3]
                v_part -= by13 * k13 / v1
            d_rate[k, CL] = -(1.0 if s.by_rate == 1 else 1.0 / v1)
            d_rate[k, V1] = -v_part
            for p in range(V3 + 1):
                d_rate[k, p] /= slope
        for k in range(n):
            c = s.scale / v1
            for j in range(n):
                if j != k:
                    if abs(rate[j] - rate[k]) < NEAR * (rate[j] + rate[k]):
                        fine = False
                    c /= rate[j] - rate[k]
            c *= k21 - rate[k]
            if n == 3:
                c *= k31 - rate[k]
            coef[0, CENTRAL, k] = c
            for p in range(V3 + 1):
                relative = -1.0 / v1 if p == V1 else 0.0
                d21 = 1.0 / theta[V2] if p == Q2 else (-k21 / theta[V2] if p == V2 else 0.0)
                relative += (d21 - d_rate[k, p]) / (k21 - rate[k])
                if n == 3:
                    d31 = 1.0 / theta[V3] if p == Q3 else (-k31 / theta[V3] if p == V3 else 0.0)
                    relative += (d31 - d_rate[k, p]) / (k31 - rate[k])
                for j in range(n):
                    if j != k:
                        relative -= (d_rate[j, p] - d_rate[k, p]) / (rate[j] - rate[k])
                d_coef[0, CENTRAL, k, p] = c * relative
    if n == 1:
        coef[0, CENTRAL, 0] = s.scale / v1
        d_coef[0, CENTRAL, 0, V1] = -s.scale / v1**2
    per_unit = v1 / s.scale
    for k in range(n):
        coef[0, START, k] = coef[0, CENTRAL, k] * per_unit
        for p in range(KINETIC):
            d_coef[0, START, k, p] = d_coef[0, CENTRAL, k, p] * per_unit
        d_coef[0, START, k, V1] += coef[0, CENTRAL, k] / s.scale
    if s.absorption >= FIRST_ORDER:
        rate[3] = theta[KA]
        d_rate[3, KA] = 1.0
        fine = _extend(rate, d_rate, coef[0, CENTRAL], d_coef[0, CENTRAL], coef[0, DEPOT], d_coef[0, DEPOT], 3) and fine
        if s.absorption == TRANSIT:
            rate[4] = theta[KTR]
            d_rate[4, KTR] = 1.0
            for k in range(MODES):
                coef[1, DEPOT, k] = coef[0, DEPOT, k]
                for p in range(KINETIC):
                    d_coef[1, DEPOT, k, p] = d_coef[0, DEPOT, k, p]
            fine = _extend(rate, d_rate, coef[1, DEPOT], d_coef[1, DEPOT], coef[0, DEPOT], d_coef[0, DEPOT], 4) and fine
    if s.effect_site == 1:
        rate[5] = theta[KE0]
        d_rate[5, KE0] = 1.0
        for channel in range(CHANNELS):
            fine = (
                _extend(rate, d_rate, coef[0, channel], d_coef[0, channel], coef[1, channel], d_coef[1, channel], 5)
                and fine
            )
    return fine
