"""Compiled course of one person by an adaptive Runge-Kutta method of order eight, with exact forward sensitivities.

For whatever has no closed form: saturable elimination, parameters that change with time, rates that nearly coincide, steady
states of nonlinear systems. States: depot, transit, central, two peripheral compartments, effect site, response (those that
the structure has). Beside each state its derivatives by the wanted directions are integrated in the same steps, and the
error of all of them is controlled: `TOLERANCE` relative, per step.

Elimination: Michaelis-Menten takes Vmax C / (Km + C) away besides the linear part CL C (CL may be 0). IgG protected by FcRn
(`FCRN`): of what is taken up, CL C, the share rescue · K / (K + C) is returned, so CL C (1 - rescue K / (K + C)) is lost;
K is `rescue_half`. Production keeps the person's own level `endogenous` in balance; the concentration is total IgG.

The tableau is Dormand and Prince's 8(5,3): Hairer E, Norsett SP, Wanner G. Solving Ordinary Differential Equations I, 2nd
ed., 1993, section II.5.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ranvier.ground.compiled import borrower, kernel
from ranvier.kinetics.linear_kernels import (
    BASELINE,
    CL,
    DIRECT_INHIBITION,
    DURATION,
    EC50,
    EMAX,
    ENDOGENOUS,
    FCRN,
    FIRST_ORDER,
    HILL,
    INHIBIT_LOSS,
    INHIBIT_PRODUCTION,
    INITIAL,
    KA,
    KE0,
    KM,
    KOUT,
    KTR,
    LAG,
    MICHAELIS_MENTEN,
    NO_RESPONSE,
    Q2,
    RATE,
    RESCUE,
    RESCUE_HALF,
    STIMULATE_LOSS,
    TRANSIT,
    V1,
    V2,
    VMAX,
    F,
    Structure,
)
from ranvier.response.closed_kernels import _saturation, by_hill, direct
from ranvier.response.events_kernels import BOLUS, OBSERVE, OFF, ON, RESET, SET, STEADY, Cohort, Line, dose_of

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

TOLERANCE = 1e-9  # relative, of each state and of each derivative, in one step
FLOOR = 1e-3  # of the largest value that a state has had or may expect (the largest dose): below, errors are fractions of it
MOST_STEPS = 100_000
STATES = 7
CYCLES = 60

NODES = np.array(
    (
        0.0,
        0.05260015195876773,
        0.0789002279381516,
        0.1183503419072274,
        0.2816496580927726,
        0.3333333333333333,
        0.25,
        0.3076923076923077,
        0.6512820512820513,
        0.6,
        0.8571428571428571,
        1.0,
    )
)
STAGES = np.array(
    (
        (
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
        ),
        (
            0.05260015195876773,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
        ),
        (
            0.0197250569845379,
            0.0591751709536137,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
        ),
        (
            0.02958758547680685,
            0.0,
            0.08876275643042054,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
        ),
        (
            0.2413651341592667,
            0.0,
            -0.8845494793282861,
            0.924834003261792,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
        ),
        (
            0.037037037037037035,
            0.0,
            0.0,
            0.17082860872947386,
            0.12546768756682242,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
        ),
        (
            0.037109375,
            0.0,
            0.0,
            0.17025221101954405,
            0.06021653898045596,
            -0.017578125,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
        ),
        (
            0.03709200011850479,
            0.0,
            0.0,
            0.17038392571223998,
            0.10726203044637328,
            -0.015319437748624402,
            0.008273789163814023,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
        ),
        (
            0.6241109587160757,
            0.0,
            0.0,
            -3.3608926294469414,
            -0.868219346841726,
            27.59209969944671,
            20.154067550477894,
            -43.48988418106996,
            0.0,
            0.0,
            0.0,
            0.0,
        ),
        (
            0.47766253643826434,
            0.0,
            0.0,
            -2.4881146199716677,
            -0.590290826836843,
            21.230051448181193,
            15.279233632882423,
            -33.28821096898486,
            -0.020331201708508627,
            0.0,
            0.0,
            0.0,
        ),
        (
            -0.9371424300859873,
            0.0,
            0.0,
            5.186372428844064,
            1.0914373489967295,
            -8.149787010746927,
            -18.52006565999696,
            22.739487099350505,
            2.4936055526796523,
            -3.0467644718982196,
            0.0,
            0.0,
        ),
        (
            2.273310147516538,
            0.0,
            0.0,
            -10.53449546673725,
            -2.0008720582248625,
            -17.9589318631188,
            27.94888452941996,
            -2.8589982771350235,
            -8.87285693353063,
            12.360567175794303,
            0.6433927460157636,
            0.0,
        ),
    )
)
WEIGHTS = np.array(
    (
        0.054293734116568765,
        0.0,
        0.0,
        0.0,
        0.0,
        4.450312892752409,
        1.8915178993145003,
        -5.801203960010585,
        0.3111643669578199,
        -0.1521609496625161,
        0.20136540080403034,
        0.04471061572777259,
    )
)
ERROR_3 = np.array(
    (
        -0.18980075407240762,
        0.0,
        0.0,
        0.0,
        0.0,
        4.450312892752409,
        1.8915178993145003,
        -5.801203960010585,
        -0.4226823213237919,
        -0.1521609496625161,
        0.20136540080403034,
        0.02265179219836082,
    )
)
ERROR_5 = np.array(
    (
        0.01312004499419488,
        0.0,
        0.0,
        0.0,
        0.0,
        -1.2251564463762044,
        -0.4957589496572502,
        1.6643771824549864,
        -0.35032884874997366,
        0.3341791187130175,
        0.08192320648511571,
        -0.022355307863886294,
    )
)


class Solver(NamedTuple):
    """Scratch for n states with m - 1 directions: y, new, trial n × m; stages 12 × n × m; largest n × m; a few n-vectors."""

    y: FloatArray
    new: FloatArray
    trial: FloatArray
    stages: FloatArray
    largest: FloatArray
    jacobian: FloatArray  # n × n
    forced: FloatArray  # n × m: derivative of the slope by the directions, states held
    flow: FloatArray  # 2
    d_flow: FloatArray  # 2 × m
    step: FloatArray  # 1: the last step that was good
    steps: IntArray  # 1: steps so far


def new_solver(directions: int) -> Solver:
    """Scratch for one thread and up to so many directions (steady states need seven more)."""
    m = 1 + directions + STATES
    return Solver(
        np.zeros((STATES, m)),
        np.zeros((STATES, m)),
        np.zeros((STATES, m)),
        np.zeros((12, STATES, m)),
        np.zeros((STATES, m)),
        np.zeros((STATES, STATES)),
        np.zeros((STATES, m)),
        np.zeros(2),
        np.zeros((2, m)),
        np.zeros(1),
        np.zeros(1, dtype=np.int64),
    )


@borrower
def places(s: Structure) -> tuple[int, int, int, int]:
    """Number of states, and where the central compartment, the effect site and the response are (-1: not there)."""
    central = 0
    if s.absorption >= FIRST_ORDER:
        central = 2 if s.absorption == TRANSIT else 1
    n = central + s.compartments
    site = response = -1
    if s.effect_site == 1:
        site = n
        n += 1
    if s.response > DIRECT_INHIBITION:
        response = n
        n += 1
    return n, central, site, response


@borrower
def _force(forced: FloatArray, i: int, by: float, tangent: FloatArray, slot: int, m: int) -> None:
    for d in range(1, m):
        forced[i, d] += by * tangent[slot, d - 1]


@borrower
def slope(
    s: Structure, own: FloatArray, tangent: FloatArray, flow: FloatArray, d_flow: FloatArray, y: FloatArray, m: int,
    jacobian: FloatArray, forced: FloatArray, out: FloatArray,
) -> None:  # fmt: skip
    """dy/dt of the states (column 0) and of their derivatives (columns 1 to m - 1).

    own SLOTS; tangent SLOTS × (m - 1): derivatives of the natural parameters by the directions.
    """
    n, central, site, response = places(s)
    wanted = m > 1
    for i in range(n):
        for j in range(n):
            jacobian[i, j] = 0.0
        for d in range(1, m):
            forced[i, d] = 0.0
        out[i, 0] = 0.0
    if central > 0:
        ka = own[KA]
        last = central - 1
        if last == 1:
            ktr = own[KTR]
            out[0, 0] = flow[1] - ktr * y[0, 0]
            out[1, 0] = ktr * y[0, 0] - ka * y[1, 0]
            jacobian[0, 0] = -ktr
            jacobian[1, 0], jacobian[1, 1] = ktr, -ka
            if wanted:
                _force(forced, 0, -y[0, 0], tangent, KTR, m)
                _force(forced, 1, y[0, 0], tangent, KTR, m)
        else:
            out[0, 0] = flow[1] - ka * y[0, 0]
            jacobian[0, 0] = -ka
        out[central, 0] += ka * y[last, 0]
        jacobian[central, last] += ka
        if wanted:
            for d in range(1, m):
                forced[0, d] += d_flow[1, d]
            _force(forced, last, -y[last, 0], tangent, KA, m)
            _force(forced, central, y[last, 0], tangent, KA, m)
    v = own[V1]
    amount = y[central, 0]
    x = amount / v
    out[central, 0] += flow[0]
    if wanted:
        for d in range(1, m):
            forced[central, d] += d_flow[0, d]
    # Concentrations in the elimination are in the file's unit: C = scale · amount / volume; amounts leave as C / scale.
    c = s.scale * x
    if s.elimination == FCRN:
        k, rescue = own[RESCUE_HALF], own[RESCUE]
        returned = rescue * k / (k + c)
        lost = own[CL] * x * (1.0 - returned)
        by_c = own[CL] / s.scale * (1.0 - returned * k / (k + c))
        b = own[ENDOGENOUS]
        back = rescue * k / (k + b)
        made = own[CL] * b / s.scale * (1.0 - back)
        out[central, 0] += made - lost
        jacobian[central, central] -= by_c * s.scale / v
        if wanted:
            _force(forced, central, (made - lost) / own[CL], tangent, CL, m)
            _force(forced, central, by_c * c / v, tangent, V1, m)
            _force(forced, central, own[CL] / s.scale * (c * k / (k + c) - b * k / (k + b)), tangent, RESCUE, m)
            by_k = own[CL] / s.scale * rescue * ((c / (k + c)) ** 2 - (b / (k + b)) ** 2)
            _force(forced, central, by_k, tangent, RESCUE_HALF, m)
            _force(forced, central, own[CL] / s.scale * (1.0 - back * k / (k + b)), tangent, ENDOGENOUS, m)
    else:
        if s.by_rate == 1:
            out[central, 0] -= own[CL] * amount
            jacobian[central, central] -= own[CL]
            if wanted:
                _force(forced, central, -amount, tangent, CL, m)
        else:
            out[central, 0] -= own[CL] * x
            jacobian[central, central] -= own[CL] / v
            if wanted:
                _force(forced, central, -x, tangent, CL, m)
                _force(forced, central, own[CL] * x / v, tangent, V1, m)
        if s.elimination == MICHAELIS_MENTEN:
            part = 1.0 / (own[KM] + c)
            out[central, 0] -= own[VMAX] * c * part
            by_c = own[VMAX] * own[KM] * part * part
            jacobian[central, central] -= by_c * s.scale / v
            if wanted:
                _force(forced, central, -c * part, tangent, VMAX, m)
                _force(forced, central, own[VMAX] * c * part * part, tangent, KM, m)
                _force(forced, central, by_c * c / v, tangent, V1, m)
    for side in range(s.compartments - 1):
        q, vp = own[Q2 + 2 * side], own[V2 + 2 * side]
        j = central + 1 + side
        xp = y[j, 0] / vp
        out[central, 0] -= q * (x - xp)
        out[j, 0] += q * (x - xp)
        jacobian[central, central] -= q / v
        jacobian[central, j] += q / vp
        jacobian[j, central] += q / v
        jacobian[j, j] -= q / vp
        if wanted:
            _force(forced, central, xp - x, tangent, Q2 + 2 * side, m)
            _force(forced, j, x - xp, tangent, Q2 + 2 * side, m)
            _force(forced, central, q * x / v, tangent, V1, m)
            _force(forced, j, -q * x / v, tangent, V1, m)
            _force(forced, central, -q * xp / vp, tangent, V2 + 2 * side, m)
            _force(forced, j, q * xp / vp, tangent, V2 + 2 * side, m)
    # what drives the response: the concentration above the own level
    above = c - own[ENDOGENOUS] if s.elimination == FCRN else c
    if site >= 0:
        ke = own[KE0]
        out[site, 0] = ke * (above - y[site, 0])
        jacobian[site, central] = ke * s.scale / v
        jacobian[site, site] = -ke
        if wanted:
            _force(forced, site, above - y[site, 0], tangent, KE0, m)
            _force(forced, site, -ke * c / v, tangent, V1, m)
            if s.elimination == FCRN:
                _force(forced, site, -ke, tangent, ENDOGENOUS, m)
    if response >= 0:
        driver = y[site, 0] if site >= 0 else above
        kout, emax, ec50, hill = own[KOUT], own[EMAX], own[EC50], own[HILL]
        g, dg = _saturation(driver, ec50, hill)
        sign_p = sign_l = 0.0
        if s.response == INHIBIT_PRODUCTION:
            sign_p = -1.0
        elif s.response == INHIBIT_LOSS:
            sign_l = -1.0
        elif s.response == STIMULATE_LOSS:
            sign_l = 1.0
        else:
            sign_p = 1.0
        gain = y[response, 0]
        loss = 1.0 + sign_l * emax * g
        by_g = kout * emax * (sign_p - sign_l * (1.0 + gain))
        out[response, 0] = kout * ((sign_p - sign_l) * emax * g - loss * gain)
        jacobian[response, response] = -kout * loss
        if site >= 0:
            jacobian[response, site] = by_g * dg
        else:
            jacobian[response, central] = by_g * dg * s.scale / v
        if wanted:
            _force(forced, response, out[response, 0] / kout, tangent, KOUT, m)
            _force(forced, response, kout * (sign_p - sign_l * (1.0 + gain)) * g, tangent, EMAX, m)
            _force(forced, response, -by_g * dg * driver / ec50, tangent, EC50, m)
            _force(forced, response, by_g * by_hill(g, driver, ec50), tangent, HILL, m)
            if site < 0:
                _force(forced, response, -by_g * dg * c / v, tangent, V1, m)
                if s.elimination == FCRN:
                    _force(forced, response, -by_g * dg, tangent, ENDOGENOUS, m)
    if wanted:
        for i in range(n):
            for d in range(1, m):
                out[i, d] = forced[i, d]
            for j in range(n):
                by = jacobian[i, j]
                if by != 0.0:
                    for d in range(1, m):
                        out[i, d] += by * y[j, d]


@borrower
def advance(s: Structure, own: FloatArray, tangent: FloatArray, span: float, m: int, room: Solver) -> bool:
    """Move room.y over `span` of time with constant parameters and inflow. False: not finite, or too many steps."""
    n, _, _, _ = places(s)
    y, new, trial, stages, largest = room.y, room.new, room.trial, room.stages, room.largest
    done = 0.0
    h = min(room.step[0], span) if room.step[0] > 0.0 else 0.01 * span
    slope(s, own, tangent, room.flow, room.d_flow, y, m, room.jacobian, room.forced, stages[0])
    for i in range(n):
        for d in range(m):
            largest[i, d] = max(largest[i, d], abs(y[i, d]))
    while done < span:
        last = False
        if done + 1.000001 * h >= span:
            h = span - done
            last = True
        for stage in range(1, 12):
            for i in range(n):
                for d in range(m):
                    trial[i, d] = y[i, d]
            for earlier in range(stage):
                a = h * STAGES[stage, earlier]
                if a != 0.0:
                    for i in range(n):
                        for d in range(m):
                            trial[i, d] += a * stages[earlier, i, d]
            slope(s, own, tangent, room.flow, room.d_flow, trial, m, room.jacobian, room.forced, stages[stage])
        error = 0.0
        finite = True
        for i in range(n):
            for d in range(m):
                total = e3 = e5 = 0.0
                for stage in range(12):
                    k = stages[stage, i, d]
                    total += WEIGHTS[stage] * k
                    e3 += ERROR_3[stage] * k
                    e5 += ERROR_5[stage] * k
                value = y[i, d] + h * total
                new[i, d] = value
                if not np.isfinite(value):
                    finite = False
                    break
                scale = TOLERANCE * max(abs(value), abs(y[i, d]), FLOOR * largest[i, d]) + 1e-250
                e3 /= scale
                e5 /= scale
                if e5 != 0.0:
                    error = max(error, h * e5 * e5 / np.sqrt(e5 * e5 + 0.01 * e3 * e3))
            if not finite:
                break
        room.steps[0] += 1
        if room.steps[0] > MOST_STEPS:
            return False
        if not finite:
            h *= 0.1
            if h < 1e-12 * span:
                return False
            continue
        factor = 6.0 if error < 1e-9 else min(6.0, max(0.2, 0.9 * error ** (-0.125)))
        if error <= 1.0:
            done = span if last else done + h
            for i in range(n):
                for d in range(m):
                    y[i, d] = new[i, d]
                    largest[i, d] = max(largest[i, d], abs(new[i, d]))
            if not last or room.step[0] < h:
                room.step[0] = h * factor
            h *= factor
            if not last:
                slope(s, own, tangent, room.flow, room.d_flow, y, m, room.jacobian, room.forced, stages[0])
        else:
            h *= min(factor, 0.9)
            if h < 1e-14 * span:
                return False
    return True


@borrower
def _invert(a: FloatArray, b: FloatArray, n: int, columns: int) -> bool:
    """Solve a x = b in place for `columns` right-hand sides (Gauss with pivoting); a and b are overwritten."""
    for k in range(n):
        best = k
        for i in range(k + 1, n):
            if abs(a[i, k]) > abs(a[best, k]):
                best = i
        if not abs(a[best, k]) > 0.0:
            return False
        if best != k:
            for j in range(n):
                a[k, j], a[best, j] = a[best, j], a[k, j]
            for j in range(columns):
                b[k, j], b[best, j] = b[best, j], b[k, j]
        for i in range(k + 1, n):
            by = a[i, k] / a[k, k]
            for j in range(k, n):
                a[i, j] -= by * a[k, j]
            for j in range(columns):
                b[i, j] -= by * b[k, j]
    for k in range(n - 1, -1, -1):
        for j in range(columns):
            for i in range(k + 1, n):
                b[k, j] -= a[k, i] * b[i, j]
            b[k, j] /= a[k, k]
    return True


@borrower
def begin_states(s: Structure, own: FloatArray, tangent: FloatArray, m: int, room: Solver) -> None:
    """The system before any dose."""
    n, central, _, _ = places(s)
    y = room.y
    y[:n, :m] = 0.0
    room.flow[:] = 0.0
    room.d_flow[:, :] = 0.0
    start = own[INITIAL] + (own[ENDOGENOUS] if s.elimination == FCRN else 0.0)
    y[central, 0] = start * own[V1] / s.scale
    for d in range(1, m):
        y[central, d] = start * tangent[V1, d - 1] / s.scale + tangent[INITIAL, d - 1] * own[V1] / s.scale
        if s.elimination == FCRN:
            y[central, d] += tangent[ENDOGENOUS, d - 1] * own[V1] / s.scale
    if s.elimination == FCRN:
        for side in range(s.compartments - 1):
            vp = own[V2 + 2 * side]
            y[central + 1 + side, 0] = own[ENDOGENOUS] * vp / s.scale
            for d in range(1, m):
                y[central + 1 + side, d] = (
                    own[ENDOGENOUS] * tangent[V2 + 2 * side, d - 1] + tangent[ENDOGENOUS, d - 1] * vp
                ) / s.scale


@borrower
def _turn(
    c: Cohort, j: int, theta: FloatArray, tangents: FloatArray, m: int, start: FloatArray, length: FloatArray,
    given: FloatArray, bolus: FloatArray,
) -> None:  # fmt: skip
    """Start, length, rate and amount of dose j, each with its derivatives by the directions (vectors of m)."""
    tangent = tangents[c.d_set[j]]
    channel = c.d_channel[j]
    start[0], length[0], given[0], bolus[0] = dose_of(c, j, theta)
    amount = c.d_amount[j]
    for d in range(1, m):
        by_f = amount * tangent[F + channel, d - 1]
        start[d] = tangent[LAG + channel, d - 1]
        length[d] = given[d] = bolus[d] = 0.0
        if length[0] == 0.0 and given[0] == 0.0:
            bolus[d] = by_f
        elif c.d_rate[j] == -2.0:
            length[d] = tangent[DURATION + channel, d - 1]
            given[d] = by_f / length[0] - given[0] * length[d] / length[0]
        elif c.d_rate[j] == -1.0:
            given[d] = tangent[RATE + channel, d - 1]
            length[d] = by_f / given[0] - length[0] * given[d] / given[0]
        else:
            length[d] = by_f / given[0]


@borrower
def _cycle(
    s: Structure, own: FloatArray, tangent: FloatArray, state: int, every: float, until: float, m: int,
    length: FloatArray, given: FloatArray, bolus: FloatArray, room: Solver,
) -> bool:  # fmt: skip
    """From just before a dose of the steady cycle to `until` after it; infusions longer than the cycle overlap."""
    y = room.y
    for d in range(m):
        y[state, d] += bolus[d]
    flow = 0 if state > 0 or s.absorption == 0 else 1
    full = int(np.floor(length[0] / every))
    part = length[0] - full * every
    if length[0] == 0.0:
        return advance(s, own, tangent, until, m, room)
    for leg in range(2):
        running = full + (1 if leg == 0 else 0)
        span = min(part, until) if leg == 0 else max(until - part, 0.0)
        room.flow[flow] = running * given[0]
        for d in range(1, m):
            room.d_flow[flow, d] = running * given[d]
        if span > 0.0 and not advance(s, own, tangent, span, m, room):
            return False
        if leg == 0 and until >= part:  # the end of one infusion moves
            for d in range(1, m):
                y[state, d] += given[0] * length[d]
    room.flow[flow] = 0.0
    for d in range(1, m):
        room.d_flow[flow, d] = 0.0
    return True


@kernel
def _steady(
    s: Structure, c: Cohort, j: int, theta: FloatArray, tangents: FloatArray, row: int, m: int, room: Solver,
    vectors: FloatArray,
) -> bool:  # fmt: skip
    """The steady state of dose j at its record into room.y (columns 0 to m - 1).

    Newton on the map of one cycle, whose derivatives by the starting state are integrated beside those by the directions.
    """
    n, central, _, _ = places(s)
    own, tangent = theta[row], tangents[row]
    start, length, given, bolus = vectors[0], vectors[1], vectors[2], vectors[3]
    _turn(c, j, theta, tangents, m, start, length, given, bolus)
    channel = c.d_channel[j]
    state = central if channel == 0 else 0
    y = room.y
    every = c.d_interval[j]
    alone = min(m, 1)  # states without derivatives; a constant would be compiled as a version of its own
    room.flow[:] = 0.0
    room.d_flow[:, :] = 0.0
    a = np.empty((n, n))
    b = np.empty((n, m))
    begin_states(s, own, tangent, m, room)
    if every == 0.0:
        room.flow[channel] = given[0]
        for d in range(1, m):
            room.d_flow[channel, d] = given[d]
        out = room.stages[0]
        for turn in range(CYCLES):
            slope(s, own, tangent, room.flow, room.d_flow, y, alone, room.jacobian, room.forced, out)
            a[:, :] = room.jacobian[:n, :n]
            for i in range(n):
                b[i, 0] = -out[i, 0]
            if not _invert(a, b, n, 1):
                return False
            change = 0.0
            for i in range(n):
                y[i, 0] += b[i, 0]
                change = max(change, abs(b[i, 0]) / (abs(y[i, 0]) + 1e-250))
            if not np.isfinite(change):
                return False
            if change < 1e-12:
                break
            if turn == CYCLES - 1:
                return False
        for i in range(n):
            for d in range(1, m):
                y[i, d] = 0.0
        slope(s, own, tangent, room.flow, room.d_flow, y, m, room.jacobian, room.forced, out)
        a[:, :] = room.jacobian[:n, :n]
        for i in range(n):
            b[i, 0] = 0.0
            for d in range(1, m):
                b[i, d] = -room.forced[i, d]
        if not _invert(a, b, n, m):
            return False
        for i in range(n):
            if y[i, 0] < 0.0 and i <= central:
                return False  # more comes in than can ever leave
            for d in range(1, m):
                y[i, d] = b[i, d]
        room.flow[:] = 0.0
        room.d_flow[:, :] = 0.0
        return True
    wider = m + n
    held = np.zeros((tangent.shape[0], wider - 1))
    held[:, : m - 1] = tangent[:, : m - 1]
    long_ = np.zeros((3, wider))
    long_[0, :m], long_[1, :m], long_[2, :m] = length[:m], given[:m], bolus[:m]
    before = np.empty((n, m))
    for turn in range(CYCLES):
        for i in range(n):
            for d in range(m):
                before[i, d] = y[i, d]
            for d in range(1, m):
                y[i, d] = 0.0
            for k in range(n):
                y[i, m + k] = 1.0 if i == k else 0.0
        if not _cycle(s, own, held, state, every, every, wider, long_[0], long_[1], long_[2], room):
            return False
        for i in range(n):
            for k in range(n):
                a[i, k] = (1.0 if i == k else 0.0) - y[i, m + k]
            b[i, 0] = y[i, 0] - before[i, 0]
            for d in range(1, m):
                b[i, d] = y[i, d]
        if not _invert(a, b, n, m):
            return False
        change = 0.0
        for i in range(n):
            y[i, 0] = before[i, 0] + b[i, 0]
            if i != n - 1 or s.response <= DIRECT_INHIBITION:
                y[i, 0] = max(y[i, 0], 0.0)
            change = max(change, abs(y[i, 0] - before[i, 0]) / (abs(y[i, 0]) + 1e-6 * room.largest[i, 0] + 1e-250))
            for d in range(1, m):
                y[i, d] = b[i, d]
        if not np.isfinite(change):
            return False
        if change < 1e-9:
            break
        if turn == CYCLES - 1:
            return False
    # From just before the dose of the cycle to where the record stands in it: `lag` before the next dose.
    lag = start[0] - c.d_record[j]
    phase = every - lag % every if lag > 0.0 else every
    if phase < every:
        room.step[0] = 0.0
        if not _cycle(s, own, tangent, state, every, phase, m, length, given, bolus, room):
            return False
        running = 0.0
        full = np.floor(length[0] / every)
        running = full + (1.0 if phase < length[0] - full * every else 0.0)
        room.flow[channel] = running * given[0]
        out = room.stages[0]
        slope(s, own, tangent, room.flow, room.d_flow, y, alone, room.jacobian, room.forced, out)
        for i in range(n):
            for d in range(1, m):
                y[i, d] -= out[i, 0] * start[d]
        room.flow[:] = 0.0
    return True


@kernel
def solved(
    s: Structure, c: Cohort, i: int, theta: FloatArray, tangents: FloatArray, directions: int, line: Line, room: Solver,
    f: FloatArray, a: FloatArray,
) -> bool:  # fmt: skip
    """Predictions f (O) of person i and their derivatives a (O × directions), by the solver.

    theta sets × SLOTS; tangents sets × SLOTS × directions: derivatives of the natural parameters by the directions.
    """
    m = 1 + directions
    alone = min(m, 1)  # states without derivatives; a constant would be compiled as a version of its own
    n, central, site, response = places(s)
    row = c.o_set[c.obs_ptr[i]] if c.record_ptr[i + 1] == c.record_ptr[i] else c.c_set[c.record_ptr[i]]
    own, tangent = theta[row], tangents[row]
    y = room.y
    begin_states(s, own, tangent, m, room)
    room.step[0] = 0.0
    room.steps[0] = 0
    # How large the states may become: without it, what begins at zero would have to be exact relative to nothing.
    size = abs(y[central, 0])
    for j in range(c.dose_ptr[i], c.dose_ptr[i + 1]):
        size = max(size, c.d_amount[j], c.d_rate[j] if c.d_amount[j] == 0.0 else 0.0)
    room.largest[:, :] = size
    if site >= 0:
        room.largest[site, :] = size * s.scale / own[V1]
    if response >= 0:
        room.largest[response, :] = 1.0
    vectors = np.zeros((4, m))
    by_response = np.zeros(own.size)
    before = np.empty(n)
    t = c.begin[i]
    when, kinds, which, edges = line.time, line.kind, line.which, line.edge
    for e in range(line.size[0]):
        gap = when[e] - t
        if gap > 0.0 and not advance(s, own, tangent, gap, m, room):
            return False
        t = when[e]
        kind, index = kinds[e], which[e]
        if kind == OBSERVE:
            at = index - c.obs_ptr[i]
            v = own[V1]
            x = s.scale * y[central, 0] / v
            if c.o_kind[index] == 0:
                f[at] = x if s.elimination == FCRN else x + own[ENDOGENOUS]
                for d in range(directions):
                    a[at, d] = s.scale * y[central, d + 1] / v - x / v * tangent[V1, d]
                    if s.elimination != FCRN:
                        a[at, d] += tangent[ENDOGENOUS, d]
            elif s.response == NO_RESPONSE:
                f[at] = np.nan
            elif response >= 0:
                f[at] = own[BASELINE] * (1.0 + y[response, 0])
                for d in range(directions):
                    a[at, d] = own[BASELINE] * y[response, d + 1] + (1.0 + y[response, 0]) * tangent[BASELINE, d]
            else:
                above = own[ENDOGENOUS] if s.elimination == FCRN else 0.0
                driver = y[site, 0] if site >= 0 else x - above
                f[at] = direct(s.response, own, driver, by_response)
                for d in range(directions):
                    if site >= 0:
                        dx = y[site, d + 1]
                    else:
                        dx = s.scale * y[central, d + 1] / v - x / v * tangent[V1, d]
                        if s.elimination == FCRN:
                            dx -= tangent[ENDOGENOUS, d]
                    a[at, d] = (
                        by_response[0] * dx
                        + by_response[BASELINE] * tangent[BASELINE, d]
                        + by_response[EMAX] * tangent[EMAX, d]
                        + by_response[EC50] * tangent[EC50, d]
                        + by_response[HILL] * tangent[HILL, d]
                    )
        elif kind == SET:
            row = index
            own, tangent = theta[row], tangents[row]
        elif kind == RESET:
            begin_states(s, own, tangent, m, room)
        elif kind == STEADY:
            old = np.zeros((n, m))
            old_flow = room.flow.copy()
            old_d = room.d_flow.copy()
            if c.d_steady[index] == 2:
                old[:, :] = y[:n, :m]
            if not _steady(s, c, index, theta, tangents, row, m, room, vectors):
                return False
            if c.d_steady[index] == 2:
                for k in range(n):
                    for d in range(m):
                        y[k, d] += old[k, d]
                room.flow[:] = old_flow
                room.d_flow[:, :] = old_d
            room.step[0] = 0.0
        else:  # something that may move in time: the states jump by what the slope changes there
            channel = c.d_channel[index]
            state = central if channel == 0 else 0
            start, length, given, bolus = vectors[0], vectors[1], vectors[2], vectors[3]
            _turn(c, index, theta, tangents, m, start, length, given, bolus)
            moving = False
            for d in range(1, m):
                if edges[e] == 2:
                    start[d] = 0.0
                elif kind == OFF and edges[e] == 1:
                    start[d] += length[d]
                moving = moving or start[d] != 0.0
            out = room.stages[0]
            if moving:
                slope(s, own, tangent, room.flow, room.d_flow, y, alone, room.jacobian, room.forced, out)
                for k in range(n):
                    before[k] = out[k, 0]
            if kind == BOLUS:
                for d in range(m):
                    y[state, d] += bolus[d]
            else:
                sign = 1.0 if kind == ON else -1.0
                room.flow[channel] += sign * given[0]
                if abs(room.flow[channel]) < 1e-12 * given[0]:
                    room.flow[channel] = 0.0
                for d in range(1, m):
                    room.d_flow[channel, d] += sign * given[d]
            if moving:
                slope(s, own, tangent, room.flow, room.d_flow, y, alone, room.jacobian, room.forced, out)
                for k in range(n):
                    for d in range(1, m):
                        y[k, d] += (before[k] - out[k, 0]) * start[d]
            room.step[0] = 0.0
    return True
