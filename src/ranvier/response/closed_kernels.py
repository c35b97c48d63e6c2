"""Compiled course of one person in closed form: concentration by sums of exponentials, response by exponential steps.

Used where kinetics are linear and their parameters do not change with time; everything else goes to `solver_kernels.py`,
and tests hold one against the other. One pass along the events carries what is left of each mode (u), its derivative by
the mode's rate (w), and the derivatives by bioavailability and modelled rate or duration (q).

A turnover response R = baseline · (1 + v) follows v' = kout ((p - l) - (1 + l) v) with p = ±emax g on production or l on
loss, g = X^hill / (ec50^hill + X^hill). Over a step the loss rate is the parabola through three Gauss nodes, its integral
and the integral of the production by the same nodes (as in `kernels.py`). Steps are as long as the fastest living part
allows: `LONGEST` of 1 / rate, of 1 / kout, and of the time in which ec50 + X changes by itself
(with a hill other than 1: in which X does, once it has left zero).
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ranvier.ground.compiled import borrower
from ranvier.kinetics.linear_kernels import (
    ADDITIVE,
    BASELINE,
    CENTRAL,
    CHANNELS,
    DEPOT,
    DIRECT,
    DIRECT_INHIBITION,
    DURATION,
    EC50,
    EMAX,
    ENDOGENOUS,
    HILL,
    INHIBIT_LOSS,
    INHIBIT_PRODUCTION,
    INITIAL,
    KINETIC,
    KOUT,
    LAG,
    MODES,
    NO_RESPONSE,
    RATE,
    SLOTS,
    START,
    STIMULATE_LOSS,
    F,
    Modes,
    Structure,
    fill_modes,
)
from ranvier.response.events_kernels import (
    BOLUS,
    OBSERVE,
    OFF,
    ON,
    RESET,
    STEADY,
    Cohort,
    Line,
    dose_of,
)
from ranvier.response.kernels import M00, M01, M02, M10, M11, M12, M20, M21, M22, N0, N1, N2, W0, W1, W2

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

LONGEST = 0.5  # of a time constant, one step of the response; with it the solver's road agrees to 1e-7 (tested)
DEAD = 1e-9  # a mode below this fraction of ec50 + X no longer bounds the step
PAIRS = CHANNELS * MODES


class Room(NamedTuple):
    """Scratch of the closed form, so that nothing is allocated while fitting."""

    modes: Modes
    pair_c: IntArray  # 18
    pair_k: IntArray
    u: FloatArray  # 18
    w: FloatArray
    q: FloatArray  # 18 × 4: by F, duration and rate (of the pair's own channel)
    weight: FloatArray  # 2 × 18
    by_u: FloatArray  # 2 × 18 × SLOTS
    by_w: FloatArray
    ex: FloatArray  # 2 × 4 × 6, of the last two lengths of a step: decay to the three nodes and the end
    f1: FloatArray  # what a constant input of one leaves by then
    f2: FloatArray  # its derivative by the rate
    dx: FloatArray  # 4 × SLOTS: of the driver at the nodes (3: of the concentration)
    sv: FloatArray  # SLOTS: derivatives of v
    flow: FloatArray  # 3
    d_flow: FloatArray  # 3 × 4
    active: IntArray  # SLOTS: slots that move the driver
    moved: IntArray  # SLOTS: all slots by which derivatives are wanted
    present: IntArray  # 6: modes in use
    used: IntArray  # 3: channels in use


def new_room() -> Room:
    """Room for one thread."""
    modes = Modes(
        np.zeros(MODES),
        np.zeros((MODES, KINETIC)),
        np.zeros((2, CHANNELS, MODES)),
        np.zeros((2, CHANNELS, MODES, KINETIC)),
    )
    return Room(
        modes,
        np.zeros(PAIRS, dtype=np.int64),
        np.zeros(PAIRS, dtype=np.int64),
        np.zeros(PAIRS),
        np.zeros(PAIRS),
        np.zeros((PAIRS, 4)),
        np.zeros((2, PAIRS)),
        np.zeros((2, PAIRS, SLOTS)),
        np.zeros((2, PAIRS, SLOTS)),
        np.zeros((2, 4, MODES)),
        np.zeros((2, 4, MODES)),
        np.zeros((2, 4, MODES)),
        np.zeros((4, SLOTS)),
        np.zeros(SLOTS),
        np.zeros(CHANNELS),
        np.zeros((CHANNELS, 4)),
        np.zeros(SLOTS, dtype=np.int64),
        np.zeros(SLOTS, dtype=np.int64),
        np.zeros(MODES, dtype=np.int64),
        np.zeros(CHANNELS, dtype=np.int64),
    )


@borrower
def _saturation(x: float, ec50: float, hill: float) -> tuple[float, float]:
    """Value g and slope dg/dX; a driver at or below zero has no effect."""
    if hill == 1.0:
        part = 1.0 / (ec50 + x)
        return x * part, ec50 * part * part
    if x <= 0.0:
        return 0.0, 0.0
    g = 1.0 / (1.0 + (ec50 / x) ** hill)
    return g, hill * g * (1.0 - g) / x


@borrower
def direct(response: int, own: FloatArray, x: float, out: FloatArray) -> float:
    """A direct response to the driver x; `out` SLOTS gets its derivatives by the response's slots, out[0] by x."""
    e0, emax, ec50, hill = own[BASELINE], own[EMAX], own[EC50], own[HILL]
    g, dg = _saturation(x, ec50, hill)
    value = e0 + emax * g
    if response == DIRECT:
        out[BASELINE], out[EMAX] = 1.0, g
        by_g = emax
    else:
        out[BASELINE], out[EMAX] = 1.0 - emax * g, -e0 * g
        by_g = -e0 * emax
        value = e0 * (1.0 - emax * g)
    out[0] = by_g * dg
    out[EC50] = by_g * (-dg * x / ec50)
    out[HILL] = by_g * g * (1.0 - g) * np.log(x / ec50) if x > 0.0 else 0.0
    return float(value)


@borrower
def closed(
    s: Structure, c: Cohort, i: int, theta: FloatArray, moves: IntArray, derivatives: bool, line: Line, room: Room,
    f: FloatArray, g: FloatArray,
) -> bool:  # fmt: skip
    """Predictions f (O) of person i and their derivatives g (O × SLOTS) by the natural parameters of set 0.

    `moves` SLOTS: 1 where a derivative is wanted (other columns of g mean nothing). False: not for this road (rates too
    near each other, or steady states that need the solver).
    """
    own = theta[0]
    if not fill_modes(s, own, room.modes):
        return False
    m = room.modes
    rate = m.rate
    # Which slots move the driver, and which of them need the states q.
    na = moving = special = 0
    active, moved, used, present = room.active, room.moved, room.used, room.present
    any_q = False
    if derivatives:
        for p in range(ADDITIVE):
            if moves[p] == 1:
                moved[moving] = p
                moving += 1
                if p <= INITIAL:
                    active[na] = p
                    na += 1
                    if p >= KINETIC and p != INITIAL:
                        special += 1
                    if (F <= p < LAG) or (DURATION <= p < INITIAL):
                        any_q = True
    used[CENTRAL] = used[DEPOT] = 0
    used[START] = 1 if own[INITIAL] != 0.0 or moves[INITIAL] == 1 else 0
    for j in range(c.dose_ptr[i], c.dose_ptr[i + 1]):
        used[c.d_channel[j]] = 1
        if c.d_steady[j] > 0 and (any_q or s.response > DIRECT_INHIBITION):
            return False
    modes = 0
    for k in range(MODES):
        if rate[k] > 0.0:
            present[modes] = k
            modes += 1
    pairs = 0
    outs = 2 if s.effect_site == 1 else 1
    pair_c, pair_k, u, w, q = room.pair_c, room.pair_k, room.u, room.w, room.q
    weight, by_u, by_w = room.weight, room.by_u, room.by_w
    for channel in range(CHANNELS):
        if used[channel] == 0:
            continue
        for k in range(MODES):
            if m.coef[outs - 1, channel, k] != 0.0:
                pair_c[pairs], pair_k[pairs] = channel, k
                u[pairs] = 1.0 if channel == START else 0.0  # of START: one unit; its size is in the weight
                w[pairs] = 0.0
                size = own[INITIAL] if channel == START else 1.0
                q[pairs, :] = 0.0
                for out in range(outs):
                    weight[out, pairs] = size * m.coef[out, channel, k]
                    for a in range(na):
                        p = active[a]
                        if p < KINETIC:
                            by_u[out, pairs, a] = size * m.d_coef[out, channel, k, p]
                            by_w[out, pairs, a] = size * m.coef[out, channel, k] * m.d_rate[k, p]
                        else:
                            by_u[out, pairs, a] = 0.0
                            by_w[out, pairs, a] = 0.0
                            if p == LAG + channel and channel < START:
                                by_u[out, pairs, a] = m.coef[out, channel, k] * rate[k]
                            if p == INITIAL and channel == START:
                                by_u[out, pairs, a] = m.coef[out, channel, k]
                pairs += 1
    flow, d_flow = room.flow, room.d_flow
    flow[:] = 0.0
    d_flow[:, :] = 0.0
    ex, f1, f2, dx, sv = room.ex, room.f1, room.f2, room.dx, room.sv
    driver = outs - 1
    turnover = s.response > DIRECT_INHIBITION
    e0, emax, ec50, kout, hill = own[BASELINE], own[EMAX], own[EC50], own[KOUT], own[HILL]
    sign_p = sign_l = 0.0
    if s.response == INHIBIT_PRODUCTION:
        sign_p = -1.0
    elif s.response == INHIBIT_LOSS:
        sign_l = -1.0
    elif s.response == STIMULATE_LOSS:
        sign_l = 1.0
    elif turnover:
        sign_p = 1.0
    v = 0.0
    sv[:] = 0.0
    t = c.begin[i]
    known_0 = known_1 = -1.0  # lengths whose decays are in ex[0] and ex[1]: infusions alternate between two
    now = 0
    kept0 = kept1 = kept2 = kept3 = kept_for = -1.0
    begin = c.obs_ptr[i]
    # Arrays of named tuples, taken out once: inside the loop each would be counted anew.
    events = line.size[0]
    when, kinds, which, amounts, edges = line.time, line.kind, line.which, line.amount, line.edge
    o_kind, d_channel, d_rate, d_amount = c.o_kind, c.d_channel, c.d_rate, c.d_amount
    for e in range(events):
        gap = when[e] - t
        while gap > 0.0:
            h = gap
            if turnover:
                x = slope = 0.0
                for n in range(pairs):
                    x += weight[driver, n] * u[n]
                    slope += weight[driver, n] * (flow[pair_c[n]] - rate[pair_k[n]] * u[n])
                size = ec50 + abs(x)
                fastest = max(kout, abs(slope) / (size if hill == 1.0 else max(abs(x), 0.02 * ec50)))
                for n in range(pairs):
                    lam = rate[pair_k[n]]
                    if lam > fastest and abs(weight[driver, n] * (u[n] - flow[pair_c[n]] / lam)) > DEAD * size:
                        fastest = lam
                h = min(h, LONGEST / fastest)
                if h < gap:
                    h = gap / np.ceil(gap / h)
            if h != (known_0 if now == 0 else known_1):
                now = 1 - now
                if h != (known_0 if now == 0 else known_1):
                    if now == 0:
                        known_0 = h
                    else:
                        known_1 = h
                    for z in range(modes):
                        k = present[z]
                        lam = rate[k]
                        inverse = 1.0 / lam
                        if turnover:
                            first, half = np.exp(-lam * N0 * h), np.exp(-0.5 * lam * h)
                            end = half * half
                            third = end / first if first > 0.0 else 0.0
                            ex[now, 0, k], ex[now, 1, k], ex[now, 2, k] = first, half, third
                            f1[now, 0, k], f1[now, 1, k] = (1.0 - first) * inverse, (1.0 - half) * inverse
                            f1[now, 2, k] = (1.0 - third) * inverse
                            f2[now, 0, k] = (N0 * h * first - f1[now, 0, k]) * inverse
                            f2[now, 1, k] = (N1 * h * half - f1[now, 1, k]) * inverse
                            f2[now, 2, k] = (N2 * h * third - f1[now, 2, k]) * inverse
                        else:
                            end = np.exp(-lam * h)
                        ex[now, 3, k] = end
                        f1[now, 3, k] = (1.0 - end) * inverse
                        f2[now, 3, k] = (h * end - f1[now, 3, k]) * inverse
            if turnover and h != kept_for:
                kept_for = h
                kept0, kept1 = np.exp(-kout * h * (1.0 - N0)), np.exp(-0.5 * kout * h)
                kept3 = kept1 * kept1
                kept2 = kept3 / kept0
            if turnover:
                x0 = x1 = x2 = 0.0
                for a in range(na):
                    dx[0, a] = 0.0
                    dx[1, a] = 0.0
                    dx[2, a] = 0.0
                for n in range(pairs):
                    k = pair_k[n]
                    channel = pair_c[n]
                    flowing = flow[channel]
                    u0, w0, weighs = u[n], w[n], weight[driver, n]
                    v0 = u0 * ex[now, 0, k] + flowing * f1[now, 0, k]
                    v1 = u0 * ex[now, 1, k] + flowing * f1[now, 1, k]
                    v2 = u0 * ex[now, 2, k] + flowing * f1[now, 2, k]
                    x0 += weighs * v0
                    x1 += weighs * v1
                    x2 += weighs * v2
                    if na > 0:
                        y0 = ex[now, 0, k] * (w0 - N0 * h * u0) + flowing * f2[now, 0, k]
                        y1 = ex[now, 1, k] * (w0 - N1 * h * u0) + flowing * f2[now, 1, k]
                        y2 = ex[now, 2, k] * (w0 - N2 * h * u0) + flowing * f2[now, 2, k]
                        for a in range(na):
                            bu, bw = by_u[driver, n, a], by_w[driver, n, a]
                            dx[0, a] += bu * v0 + bw * y0
                            dx[1, a] += bu * v1 + bw * y1
                            dx[2, a] += bu * v2 + bw * y2
                        if special > 0:
                            for a in range(na):
                                p = active[a]
                                add0 = add1 = add2 = 0.0
                                if p == LAG + channel and channel < START:
                                    add0 = add1 = add2 = -flowing
                                else:
                                    z = which_q(p, channel)
                                    if z >= 0:
                                        dq = d_flow[channel, z]
                                        add0 = q[n, z] * ex[now, 0, k] + dq * f1[now, 0, k]
                                        add1 = q[n, z] * ex[now, 1, k] + dq * f1[now, 1, k]
                                        add2 = q[n, z] * ex[now, 2, k] + dq * f1[now, 2, k]
                                dx[0, a] += weighs * add0
                                dx[1, a] += weighs * add1
                                dx[2, a] += weighs * add2
                g0, d0 = _saturation(x0, ec50, hill)
                g1, d1 = _saturation(x1, ec50, hill)
                g2, d2 = _saturation(x2, ec50, hill)
                kh = kout * h
                p0, p1, p2 = emax * g0, emax * g1, emax * g2
                if sign_l == 0.0:
                    # loss at the constant rate kout: the integral of the production only
                    b0, b1, b2 = W0 * kept0 * kh, W1 * kept1 * kh, W2 * kept2 * kh
                    gain = sign_p * (b0 * p0 + b1 * p1 + b2 * p2)
                    if derivatives:
                        j0, j1, j2 = sign_p * emax * b0 * d0, sign_p * emax * b1 * d1, sign_p * emax * b2 * d2
                        for a in range(na):
                            sv[active[a]] = kept3 * sv[active[a]] + j0 * dx[0, a] + j1 * dx[1, a] + j2 * dx[2, a]
                        sv[EMAX] = kept3 * sv[EMAX] + sign_p * (b0 * g0 + b1 * g1 + b2 * g2)
                        sv[EC50] = kept3 * sv[EC50] - (j0 * x0 + j1 * x1 + j2 * x2) / ec50
                        sv[KOUT] = (
                            kept3 * sv[KOUT]
                            + gain / kout
                            - h * kept3 * v
                            - sign_p * h * (b0 * p0 * (1.0 - N0) + b1 * p1 * (1.0 - N1) + b2 * p2 * (1.0 - N2))
                        )
                        if moves[HILL] == 1:
                            sv[HILL] = kept3 * sv[HILL] + sign_p * emax * (
                                b0 * by_hill(g0, x0, ec50) + b1 * by_hill(g1, x1, ec50) + b2 * by_hill(g2, x2, ec50)
                            )
                    v = kept3 * v + gain
                else:
                    a0, a1, a2 = kh * (1.0 + sign_l * p0), kh * (1.0 + sign_l * p1), kh * (1.0 + sign_l * p2)
                    loss = W0 * a0 + W1 * a1 + W2 * a2
                    e_0 = W0 * np.exp(M00 * a0 + M01 * a1 + M02 * a2 - loss)
                    e_1 = W1 * np.exp(M10 * a0 + M11 * a1 + M12 * a2 - loss)
                    e_2 = W2 * np.exp(M20 * a0 + M21 * a1 + M22 * a2 - loss)
                    q0, q1, q2 = -e_0 * kh * sign_l * p0, -e_1 * kh * sign_l * p1, -e_2 * kh * sign_l * p2
                    base = np.exp(-loss)
                    gain = q0 + q1 + q2
                    new = base * v + gain
                    if derivatives:
                        r0 = q0 * M00 + q1 * M10 + q2 * M20 - W0 * new  # derivative of the new v by a0, a1, a2
                        r1 = q0 * M01 + q1 * M11 + q2 * M21 - W1 * new
                        r2 = q0 * M02 + q1 * M12 + q2 * M22 - W2 * new
                        j0, j1, j2 = sign_l * kh * (r0 - e_0), sign_l * kh * (r1 - e_1), sign_l * kh * (r2 - e_2)
                        k0, k1, k2 = emax * j0 * d0, emax * j1 * d1, emax * j2 * d2
                        for a in range(na):
                            sv[active[a]] = base * sv[active[a]] + k0 * dx[0, a] + k1 * dx[1, a] + k2 * dx[2, a]
                        sv[EMAX] = base * sv[EMAX] + j0 * g0 + j1 * g1 + j2 * g2
                        sv[EC50] = base * sv[EC50] - (k0 * x0 + k1 * x1 + k2 * x2) / ec50
                        sv[KOUT] = base * sv[KOUT] + (r0 * a0 + r1 * a1 + r2 * a2 + gain) / kout
                        if moves[HILL] == 1:
                            sv[HILL] = base * sv[HILL] + emax * (
                                j0 * by_hill(g0, x0, ec50) + j1 * by_hill(g1, x1, ec50) + j2 * by_hill(g2, x2, ec50)
                            )
                    v = new
            for n in range(pairs):
                k = pair_k[n]
                channel = pair_c[n]
                flowing = flow[channel]
                u0 = u[n]
                u[n] = u0 * ex[now, 3, k] + flowing * f1[now, 3, k]
                if na > 0:
                    w[n] = ex[now, 3, k] * (w[n] - h * u0) + flowing * f2[now, 3, k]
                    if any_q:
                        for z in range(3):
                            q[n, z] = q[n, z] * ex[now, 3, k] + d_flow[channel, z] * f1[now, 3, k]
            gap -= h
            if gap < 1e-12 * h:
                gap = 0.0
        t = when[e]
        kind, index = kinds[e], which[e]
        if kind == OBSERVE:
            response = o_kind[index] == 1
            out = driver if response else 0
            x = 0.0
            for n in range(pairs):
                x += weight[out, n] * u[n]
            row = g[index - begin]
            if derivatives:
                for n in range(moving):
                    row[moved[n]] = 0.0
                if not (response and turnover):
                    for a in range(na):
                        p = active[a]
                        total = 0.0
                        for n in range(pairs):
                            total += by_u[out, n, a] * u[n] + by_w[out, n, a] * w[n]
                            if p >= KINETIC:
                                channel = pair_c[n]
                                if p == LAG + channel and channel < START:
                                    total -= weight[out, n] * flow[channel]
                                else:
                                    z = which_q(p, channel)
                                    if z >= 0:
                                        total += weight[out, n] * q[n, z]
                        dx[3, a] = total
            if not response:
                f[index - begin] = x + own[ENDOGENOUS]
                if derivatives:
                    for a in range(na):
                        row[active[a]] = dx[3, a]
                    row[ENDOGENOUS] = 1.0
            elif s.response == NO_RESPONSE:
                f[index - begin] = np.nan
            elif turnover:
                f[index - begin] = e0 * (1.0 + v)
                if derivatives:
                    for a in range(na):
                        row[active[a]] = e0 * sv[active[a]]
                    row[BASELINE] = 1.0 + v
                    row[EMAX], row[EC50], row[KOUT], row[HILL] = (
                        e0 * sv[EMAX],
                        e0 * sv[EC50],
                        e0 * sv[KOUT],
                        e0 * sv[HILL],
                    )
            else:
                f[index - begin] = direct(s.response, own, x, dx[0])
                if derivatives:
                    by_x = dx[0, 0]
                    for a in range(na):
                        row[active[a]] = by_x * dx[3, a]
                    for p in (BASELINE, EMAX, EC50, HILL):
                        row[p] = dx[0, p]
        elif kind == BOLUS:
            channel = d_channel[index]
            amount = amounts[e]
            if turnover and derivatives and moves[LAG + channel] == 1:
                x = after = 0.0
                for n in range(pairs):
                    x += weight[driver, n] * u[n]
                    if pair_c[n] == channel:
                        after += weight[driver, n] * amount
                g0, _ = _saturation(x, ec50, hill)
                g1, _ = _saturation(x + after, ec50, hill)
                sv[LAG + channel] += kout * emax * (g0 - g1) * (sign_p - sign_l * (1.0 + v))
            for n in range(pairs):
                if pair_c[n] == channel:
                    u[n] += amount
                    q[n, 0] += d_amount[index]
        elif kind == ON:
            channel = d_channel[index]
            flow[channel] += amounts[e]
            if d_rate[index] == -2.0:
                d_flow[channel, 0] += d_amount[index] / own[DURATION + channel]
                d_flow[channel, 1] -= amounts[e] / own[DURATION + channel]
            elif d_rate[index] == -1.0:
                d_flow[channel, 2] += 1.0
        elif kind == OFF:
            channel = d_channel[index]
            flow[channel] -= amounts[e]
            if abs(flow[channel]) < 1e-12 * amounts[e]:
                flow[channel] = 0.0
            if d_rate[index] == -2.0:
                d_flow[channel, 0] -= d_amount[index] / own[DURATION + channel]
                d_flow[channel, 1] += amounts[e] / own[DURATION + channel]
            elif d_rate[index] == -1.0:
                d_flow[channel, 2] -= 1.0
            if any_q and edges[e] == 1:  # the end itself moves
                for n in range(pairs):
                    if pair_c[n] == channel:
                        if d_rate[index] == -2.0:
                            q[n, 1] += amounts[e]
                        else:
                            q[n, 0] += d_amount[index]
                            if d_rate[index] == -1.0:
                                q[n, 2] -= d_amount[index] * own[F + channel] / amounts[e]
        elif kind == RESET:
            flow[:] = 0.0
            d_flow[:, :] = 0.0
            v = 0.0
            sv[:] = 0.0
            for n in range(pairs):
                u[n] = 1.0 if pair_c[n] == START else 0.0
                w[n] = 0.0
                q[n, :] = 0.0
        elif kind == STEADY:
            if c.d_steady[index] == 1:
                flow[:] = 0.0
                for n in range(pairs):
                    u[n] = 0.0
                    w[n] = 0.0
            start, length, given, bolus = dose_of(c, index, theta)
            for n in range(pairs):
                if pair_c[n] == d_channel[index]:
                    left, by_rate = steady(rate[pair_k[n]], start - t, length, given, bolus, c.d_interval[index])
                    u[n] += left
                    w[n] += by_rate
    return True


@borrower
def which_q(p: int, channel: int) -> int:
    """Place of slot p among the states q of a channel, or -1."""
    if channel > DEPOT:
        return -1
    if p == F + channel:
        return 0
    if p == DURATION + channel:
        return 1
    if p == RATE + channel:
        return 2
    return -1


@borrower
def by_hill(g: float, x: float, ec50: float) -> float:
    """dg/dhill."""
    return g * (1.0 - g) * np.log(x / ec50) if x > 0.0 else 0.0


@borrower
def steady(
    rate: float, lag: float, length: float, flow: float, bolus: float, every: float
) -> tuple[float, float]:  # fmt: skip
    """What an endless past of doses, each `every`, has left of a mode at the record, and the derivative by the mode's rate.

    The next dose comes `lag` after the record. Doses of the past that still run at the record count up to it; those that
    have not begun yet do not count.
    """
    if every == 0.0:  # a constant infusion
        return flow / rate, -flow / rate**2
    total = slope = 0.0
    before = 1
    while before * every - lag < length or before * every - lag < 0.0:
        since = before * every - lag
        if since > 0.0:
            kept = np.exp(-rate * since)
            part = (1.0 - kept) / rate
            total += flow * part
            slope += flow * (since * kept - part) / rate
        before += 1
    since = before * every - lag - length  # since the end of the last one that has ended
    kept, cycle = np.exp(-rate * since), np.exp(-rate * every)
    sum_, d_sum = 1.0 / (1.0 - cycle), -every * cycle / (1.0 - cycle) ** 2
    if length > 0.0:
        full = np.exp(-rate * length)
        whole = flow * (1.0 - full) / rate
        d_whole = flow * (length * full - (1.0 - full) / rate) / rate
    else:
        whole, d_whole = bolus, 0.0
    total += whole * kept * sum_
    slope += d_whole * kept * sum_ - since * whole * kept * sum_ + whole * kept * d_sum
    return total, slope
