"""Compiled estimation: how badly parameters explain what was measured, with exact derivatives; the search for the best.

Parameters are a vector x on the estimation scale (log, logit or as they are): 0-7 kinetics (order of
`ranvier.kinetics.kernels`), 8 own IgG, 9 C50, 10 kout, 11 decline [1/a], then four for each measure: level, imax, residual
SD, persistence. The readable twin is `objective.py`.

One pass along the time line carries the modes, the gains of strength and all their derivatives (forward sensitivities).
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ranvier.ground.compiled import borrower, kernel
from ranvier.kinetics.kernels import CHANNELS, MODES, PAST, PK, disposition
from ranvier.response.kernels import M00, M01, M02, M10, M11, M12, M20, M21, M22, N0, N1, N2, W0, W1, W2, decays

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

OWN, C50, KOUT, DECLINE, FIRST_MEASURE, PER_MEASURE = 8, 9, 10, 11, 12, 4
LOG, LOGIT, PLAIN = 0, 1, 2
YEAR = 365.25  # days
SHORTEST_GAP = 0.04  # [d]; two values within an hour count as an hour apart, or their correlation would be 1


class Timeline(NamedTuple):
    """What happened to the person. S steps, T observation times, O observations, E doses before the first step, M measures.

    begin [d]; length S [d]; inflow S × 3 [g/d]; bolus S × 3 [g]; slot S: index of the observation time at the end of a step
    or -1; pointer T + 1: observations of each time; kind O: -1 IgG, else the measure; value O; at T [d];
    early_at, early_grams E, early_channel E: doses before `begin`, as boluses.
    """

    begin: float
    length: FloatArray
    inflow: FloatArray
    bolus: FloatArray
    slot: IntArray
    at: FloatArray
    pointer: IntArray
    kind: IntArray
    value: FloatArray
    early_at: FloatArray
    early_grams: FloatArray
    early_channel: IntArray


class Belief(NamedTuple):
    """What we believe before: P parameters, M measures.

    compartments 1 or 2; responds 1 or 0; scale P (LOG, LOGIT, PLAIN); centre P and precision P × P of the normal prior on
    x; free F: indices to estimate, the rest stay at `centre`; proportional M: 1 where the residual SD is a fraction of the
    value, 0 where it is in the measure's unit; add M: SD added in the measure's unit; igg_proportional, igg_add [1], [g/L];
    tail: degrees of freedom (> 2) of the strength residual, 0 for the Gaussian; igg_tail: of the IgG residual.
    """

    compartments: int
    responds: int
    scale: IntArray
    centre: FloatArray
    precision: FloatArray
    free: IntArray
    proportional: IntArray
    add: FloatArray
    igg_proportional: float
    igg_add: float
    tail: float
    igg_tail: float


@borrower
def natural(x: FloatArray, scale: IntArray, theta: FloatArray, slope: FloatArray) -> None:
    """Natural values of x and their derivatives by x."""
    for p in range(x.size):
        if scale[p] == LOG:
            theta[p] = np.exp(x[p])
            slope[p] = theta[p]
        elif scale[p] == LOGIT:
            theta[p] = 1.0 / (1.0 + np.exp(-x[p]))
            slope[p] = theta[p] * (1.0 - theta[p])
        else:
            theta[p] = x[p]
            slope[p] = 1.0


@borrower
def curvatures(tail: float) -> tuple[float, float]:
    """Expected curvature of a residual's location and log scale: t with `tail` degrees of freedom and variance 1, or Gaussian."""
    if tail > 0.0:
        return (tail + 1.0) / (tail + 3.0) * tail / (tail - 2.0), 2.0 * tail / (tail + 3.0)
    return 1.0, 2.0


@kernel
def misfit(
    x: FloatArray, timeline: Timeline, belief: Belief, derivatives: bool, gradient: FloatArray, hessian: FloatArray
) -> float:
    """Negative log posterior density of x without constants that no model changes; optionally its gradient and curvature.

    gradient P and hessian P × P are overwritten. The curvature is the expected one (Fisher's), positive definite by
    construction.

    Residuals of a measure follow e(i) = rho e(i-1) + sqrt(1 - rho^2) z(i), rho = persistence ^ gap, with z of variance 1
    and Student's t tails, so that one wild day does not bend the curve and a bad week is one event, not seven.
    """
    total_p = x.size
    measures = (total_p - FIRST_MEASURE) // PER_MEASURE
    theta, slope = np.empty(total_p), np.empty(total_p)
    natural(x, belief.scale, theta, slope)
    rate, coefficient = np.empty(MODES), np.empty((CHANNELS, MODES))
    d_rate, d_coefficient = np.empty((MODES, PK)), np.empty((CHANNELS, MODES, PK))
    disposition(belief.compartments, theta[:PK], rate, coefficient, d_rate, d_coefficient)

    # Which kinetic parameters are estimated, and which (channel, mode) pairs carry anything.
    is_free = np.zeros(total_p, dtype=np.bool_)
    for p in belief.free:
        is_free[p] = True
    active = np.empty(PK, dtype=np.int64)
    na = 0
    if derivatives:
        for p in range(PK):
            if is_free[p]:
                active[na] = p
                na += 1
    used = np.zeros(CHANNELS, dtype=np.bool_)
    used[PAST] = theta[7] > 0.0
    for j in range(timeline.length.size):
        for c in range(3):
            if timeline.inflow[j, c] != 0.0 or timeline.bolus[j, c] != 0.0:
                used[c] = True
    for j in range(timeline.early_at.size):
        used[timeline.early_channel[j]] = True
    pair_c, pair_k = np.empty(CHANNELS * MODES, dtype=np.int64), np.empty(CHANNELS * MODES, dtype=np.int64)
    pairs = 0
    for c in range(CHANNELS):
        for k in range(MODES):
            if used[c] and coefficient[c, k] != 0.0:
                pair_c[pairs], pair_k[pairs] = c, k
                pairs += 1
    weight = np.empty(pairs)
    by_u, by_w = np.zeros((pairs, PK)), np.zeros((pairs, PK))  # dX = sum over pairs of by_u u + by_w du/drate
    for i in range(pairs):
        c, k = pair_c[i], pair_k[i]
        weight[i] = coefficient[c, k]
        for a in range(na):
            p = active[a]
            by_u[i, a] = d_coefficient[c, k, p] * slope[p]
            by_w[i, a] = coefficient[c, k] * d_rate[k, p] * slope[p]

    u, w = np.zeros(pairs), np.zeros(pairs)
    for i in range(pairs):
        if pair_c[i] == PAST:
            u[i] = 1.0
        for j in range(timeline.early_at.size):
            if timeline.early_channel[j] == pair_c[i]:
                since = timeline.begin - timeline.early_at[j]
                left = timeline.early_grams[j] * np.exp(-rate[pair_k[i]] * since)
                u[i] += left
                w[i] -= since * left

    # Local derivatives of a measure: active kinetics, then C50, kout, decline, imax, level, SD, persistence.
    nl = na + 7
    own = na  # of IgG: active kinetics, then the own level
    c50, kout = theta[C50], theta[KOUT]
    delta = theta[DECLINE] / YEAR
    dx0, dx1, dx2 = np.empty(PK), np.empty(PK), np.empty(PK)
    v = np.empty(measures)  # gain over the untreated strength, relative to it
    s = np.zeros((measures, nl))  # its derivatives
    e_last, t_last = np.zeros(measures), np.full(measures, np.nan)
    log_phi = np.log(theta[FIRST_MEASURE + 3 :: PER_MEASURE])
    de_last = np.zeros((measures, nl))
    de, dz, dl = np.empty(nl), np.empty(nl), np.empty(nl)
    local_g, local_h = np.zeros((measures, nl)), np.zeros((measures, nl, nl))
    igg_g, igg_h = np.zeros(na + 1), np.zeros((na + 1, na + 1))

    # Strength starts in balance with the IgG of that moment.
    excess = 0.0
    dx0[:] = 0.0
    for i in range(pairs):
        excess += weight[i] * u[i]
        for a in range(na):
            dx0[a] += by_u[i, a] * u[i] + by_w[i, a] * w[i]
    g = excess / (c50 + excess)
    for m in range(measures):
        q = FIRST_MEASURE + PER_MEASURE * m
        imax = theta[q + 1] * belief.responds
        balance = 1.0 / (1.0 - imax * g)
        v[m] = balance * imax * g
        if derivatives:
            dg = imax * balance**2 * c50 / (c50 + excess) ** 2
            for a in range(na):
                s[m, a] = dg * dx0[a]
            s[m, na] = -dg * excess
            s[m, na + 3] = balance**2 * g * slope[q + 1] * belief.responds

    # Constants of the step, kept while its length stays the same.
    ex = np.empty((4, MODES))  # decay to the three nodes and the end
    f1 = np.empty((4, MODES))  # what a constant input of 1 leaves by then
    f2 = np.empty((4, MODES))  # its derivative by the rate
    point = np.array([N0, N1, N2, 1.0])
    four = np.empty(4)
    previous = -1.0
    sn0 = sn1 = sn2 = 1.0
    t = timeline.begin
    total = 0.0
    c1, c2 = curvatures(belief.tail)
    i1, i2 = curvatures(belief.igg_tail)

    for j in range(timeline.length.size):
        h = timeline.length[j]
        for i in range(pairs):
            if pair_c[i] != PAST:
                u[i] += timeline.bolus[j, pair_c[i]]
        if h > 0.0:
            if h != previous:
                previous = h
                for k in range(MODES):
                    lam = rate[k]
                    if lam > 0.0:
                        decays(lam, h, four)
                        for q in range(4):
                            ex[q, k] = four[q]
                            f1[q, k] = (1.0 - four[q]) / lam
                            f2[q, k] = (point[q] * h * four[q] - f1[q, k]) / lam
                decays(delta, h, four)
                sn0, sn1, sn2 = four[0], four[1], four[2]
            x0 = x1 = x2 = 0.0
            for a in range(na):
                dx0[a] = 0.0
                dx1[a] = 0.0
                dx2[a] = 0.0
            for i in range(pairs):
                k = pair_k[i]
                flow = 0.0 if pair_c[i] == PAST else timeline.inflow[j, pair_c[i]]
                u0, w0, c = u[i], w[i], weight[i]
                v0 = u0 * ex[0, k] + flow * f1[0, k]
                v1 = u0 * ex[1, k] + flow * f1[1, k]
                v2 = u0 * ex[2, k] + flow * f1[2, k]
                x0 += c * v0
                x1 += c * v1
                x2 += c * v2
                if derivatives:
                    y0 = ex[0, k] * (w0 - point[0] * h * u0) + flow * f2[0, k]
                    y1 = ex[1, k] * (w0 - point[1] * h * u0) + flow * f2[1, k]
                    y2 = ex[2, k] * (w0 - point[2] * h * u0) + flow * f2[2, k]
                    for a in range(na):
                        dx0[a] += by_u[i, a] * v0 + by_w[i, a] * y0
                        dx1[a] += by_u[i, a] * v1 + by_w[i, a] * y1
                        dx2[a] += by_u[i, a] * v2 + by_w[i, a] * y2
                    w[i] = ex[3, k] * (w0 - h * u0) + flow * f2[3, k]
                u[i] = u0 * ex[3, k] + flow * f1[3, k]
            b0, b1, b2 = 1.0 / (c50 + x0), 1.0 / (c50 + x1), 1.0 / (c50 + x2)
            g0, g1, g2 = x0 * b0, x1 * b1, x2 * b2
            kh = kout * h
            left = np.exp(-delta * t)
            p0, p1, p2 = left * sn0, left * sn1, left * sn2  # what decline has left of the level, at the nodes
            for m in range(measures):
                q = FIRST_MEASURE + PER_MEASURE * m
                imax = theta[q + 1] * belief.responds
                a0, a1, a2 = kh * (1.0 - imax * g0), kh * (1.0 - imax * g1), kh * (1.0 - imax * g2)
                loss = W0 * a0 + W1 * a1 + W2 * a2
                e0 = W0 * np.exp(M00 * a0 + M01 * a1 + M02 * a2 - loss)
                e1 = W1 * np.exp(M10 * a0 + M11 * a1 + M12 * a2 - loss)
                e2 = W2 * np.exp(M20 * a0 + M21 * a1 + M22 * a2 - loss)
                q0 = e0 * kh * (p0 - 1.0 + imax * g0)
                q1 = e1 * kh * (p1 - 1.0 + imax * g1)
                q2 = e2 * kh * (p2 - 1.0 + imax * g2)
                base = np.exp(-loss)
                gain = q0 + q1 + q2
                new = base * v[m] + gain
                if derivatives:
                    r0 = q0 * M00 + q1 * M10 + q2 * M20 - W0 * new  # derivative of the new v by a0, a1, a2
                    r1 = q0 * M01 + q1 * M11 + q2 * M21 - W1 * new
                    r2 = q0 * M02 + q1 * M12 + q2 * M22 - W2 * new
                    j0, j1, j2 = kh * (e0 - r0), kh * (e1 - r1), kh * (e2 - r2)  # by the effect at the nodes
                    k0, k1, k2 = imax * c50 * b0 * b0 * j0, imax * c50 * b1 * b1 * j1, imax * c50 * b2 * b2 * j2  # by X
                    for a in range(na):
                        s[m, a] = base * s[m, a] + k0 * dx0[a] + k1 * dx1[a] + k2 * dx2[a]
                    s[m, na] = base * s[m, na] - (k0 * x0 + k1 * x1 + k2 * x2)
                    s[m, na + 1] = base * s[m, na + 1] + r0 * a0 + r1 * a1 + r2 * a2 + gain
                    s[m, na + 2] = base * s[m, na + 2] - delta * kh * (
                        e0 * p0 * (t + N0 * h) + e1 * p1 * (t + N1 * h) + e2 * p2 * (t + N2 * h)
                    )
                    s[m, na + 3] = base * s[m, na + 3] + (j0 * g0 + j1 * g1 + j2 * g2) * slope[q + 1] * belief.responds
                v[m] = new
            t += h
        at_slot = timeline.slot[j]
        if at_slot < 0:
            continue
        now = timeline.at[at_slot]
        for o in range(timeline.pointer[at_slot], timeline.pointer[at_slot + 1]):
            m = timeline.kind[o]
            if m < 0:
                excess = 0.0
                for a in range(na):
                    dx0[a] = 0.0
                for i in range(pairs):
                    excess += weight[i] * u[i]
                    for a in range(na):
                        dx0[a] += by_u[i, a] * u[i] + by_w[i, a] * w[i]
                f = theta[OWN] + excess
                variance = (belief.igg_proportional * f) ** 2 + belief.igg_add**2
                sd = np.sqrt(variance)
                z = (timeline.value[o] - f) / sd
                if belief.igg_tail > 0.0:
                    total += 0.5 * (belief.igg_tail + 1.0) * np.log(1.0 + z * z / (belief.igg_tail - 2.0)) + np.log(sd)
                    psi = (belief.igg_tail + 1.0) * z / (belief.igg_tail - 2.0 + z * z)
                else:
                    total += 0.5 * z * z + np.log(sd)
                    psi = z
                if derivatives:
                    dx0[own] = slope[OWN] if is_free[OWN] else 0.0
                    l_by_f = belief.igg_proportional**2 * f / variance
                    by_f = -psi * (1.0 / sd + z * l_by_f) + l_by_f
                    curvature = i1 / variance + i2 * l_by_f**2
                    for a in range(na + 1):
                        igg_g[a] += by_f * dx0[a]
                        for b in range(a + 1):
                            igg_h[a, b] += curvature * dx0[a] * dx0[b]
                continue
            q = FIRST_MEASURE + PER_MEASURE * m
            level, sigma, phi = theta[q], theta[q + 2], theta[q + 3]
            f = level * (1.0 + v[m])
            add = belief.add[m]
            spread = sigma * f if belief.proportional[m] == 1 else sigma
            variance = spread * spread + add * add
            sd = np.sqrt(variance)
            e = (timeline.value[o] - f) / sd
            rho = 0.0
            d_rho = 0.0
            if not np.isnan(t_last[m]):
                gap = max(now - t_last[m], SHORTEST_GAP)
                rho = np.exp(gap * log_phi[m])
                d_rho = gap * rho / phi * slope[q + 3]
            left = 1.0 - rho * rho
            root = np.sqrt(left)
            z = (e - rho * e_last[m]) / root
            if belief.tail > 0.0:
                total += 0.5 * (belief.tail + 1.0) * np.log(1.0 + z * z / (belief.tail - 2.0)) + np.log(sd * root)
                psi = (belief.tail + 1.0) * z / (belief.tail - 2.0 + z * z)
            else:
                total += 0.5 * z * z + np.log(sd * root)
                psi = z
            if derivatives:
                by_f = spread * spread / (f * variance) if belief.proportional[m] == 1 else 0.0  # of log SD
                e_by_f = -1.0 / sd - e * by_f
                for a in range(na + 4):
                    df = level * s[m, a]
                    de[a] = e_by_f * df
                    dl[a] = by_f * df
                de[na + 4] = e_by_f * f * slope[q] / level
                dl[na + 4] = by_f * f * slope[q] / level
                dl[na + 5] = spread * spread / variance * slope[q + 2] / sigma
                de[na + 5] = -e * dl[na + 5]
                de[na + 6] = 0.0
                dl[na + 6] = -rho * d_rho / left
                for a in range(nl):
                    dz[a] = (de[a] - rho * de_last[m, a]) / root
                dz[na + 6] += -d_rho * e_last[m] / root - z * dl[na + 6]
                for a in range(nl):
                    local_g[m, a] += psi * dz[a] + dl[a]
                    de_last[m, a] = de[a]
                    de[a] = dz[a] + z * dl[a]  # of the location alone
                for a in range(nl):
                    first, second = c1 * de[a], c2 * dl[a]
                    for b in range(a + 1):
                        local_h[m, a, b] += first * de[b] + second * dl[b]
            e_last[m] = e
            t_last[m] = now

    # The prior, then everything into its place.
    for p in range(total_p):
        row = 0.0
        for o in range(total_p):
            row += belief.precision[p, o] * (x[o] - belief.centre[o])
        total += 0.5 * (x[p] - belief.centre[p]) * row
        if derivatives:
            gradient[p] = row
    if derivatives:
        hessian[:, :] = belief.precision
        place = np.empty(nl, dtype=np.int64)
        for a in range(na):
            place[a] = active[a]
        for a in range(na):
            gradient[place[a]] += igg_g[a]
            for b in range(a + 1):
                hessian[place[a], place[b]] += igg_h[a, b]
        gradient[OWN] += igg_g[own]
        for b in range(na):
            hessian[OWN, place[b]] += igg_h[own, b]
        hessian[OWN, OWN] += igg_h[own, own]
        for m in range(measures):
            q = FIRST_MEASURE + PER_MEASURE * m
            # C50, kout and decline are logarithmic or plain; local derivatives by their logarithm or themselves
            place[na], place[na + 1], place[na + 2] = C50, KOUT, DECLINE
            place[na + 3], place[na + 4], place[na + 5], place[na + 6] = q + 1, q, q + 2, q + 3
            for a in range(nl):
                gradient[place[a]] += local_g[m, a]
                for b in range(a + 1):
                    i, o = max(place[a], place[b]), min(place[a], place[b])
                    hessian[i, o] += local_h[m, a, b]
        for p in range(total_p):
            for o in range(p):
                hessian[o, p] = hessian[p, o]
    return total


@borrower
def solve(a: FloatArray, b: FloatArray, out: FloatArray) -> bool:
    """Solve a out = b for a symmetric positive definite `a` by Cholesky (small, in place: `a` is overwritten)."""
    n = b.size
    for i in range(n):
        for j in range(i + 1):
            total = a[i, j]
            for k in range(j):
                total -= a[i, k] * a[j, k]
            if i == j:
                if not total > 0.0:
                    return False
                a[i, i] = np.sqrt(total)
            else:
                a[i, j] = total / a[j, j]
    for i in range(n):
        total = b[i]
        for k in range(i):
            total -= a[i, k] * out[k]
        out[i] = total / a[i, i]
    for i in range(n - 1, -1, -1):
        total = out[i]
        for k in range(i + 1, n):
            total -= a[k, i] * out[k]
        out[i] = total / a[i, i]
    return True


@kernel
def descend(
    x: FloatArray,
    timeline: Timeline,
    belief: Belief,
    most: int,
    reach: float,
    gradient: FloatArray,
    hessian: FloatArray,
) -> tuple[float, int, bool]:
    """Levenberg-Marquardt on the expected curvature, from x (moved in place) to a local optimum.

    Steps are bounded to 2 prior SD in any parameter, x to `reach` prior SD around the centre. Returns the misfit, the number
    of evaluations and whether it converged: Newton decrement (twice the gain a full step promises) below 1e-9.
    """
    n = belief.free.size
    a, b, step = np.empty((n, n)), np.empty(n), np.empty(n)
    sd = np.empty(n)
    for i in range(n):
        sd[i] = 1.0 / np.sqrt(belief.precision[belief.free[i], belief.free[i]])
    here = misfit(x, timeline, belief, True, gradient, hessian)
    g2, h2, x2 = np.empty_like(gradient), np.empty_like(hessian), x.copy()
    damping = 1e-3
    for evaluation in range(1, most):
        for i in range(n):
            b[i] = -gradient[belief.free[i]]
            for k in range(n):
                a[i, k] = hessian[belief.free[i], belief.free[k]]
            a[i, i] += damping * a[i, i]
        if not solve(a, b, step):
            damping = max(10.0 * damping, 1e-6)
            continue
        longest = 0.0
        decrement = 0.0
        for i in range(n):
            longest = max(longest, abs(step[i]) / sd[i])
            decrement += step[i] * b[i]
        if decrement < 1e-9 and damping <= 1e-2:
            return here, evaluation, True
        shorten = min(1.0, 2.0 / longest)
        x2[:] = x
        for i in range(n):
            p = belief.free[i]
            low, high = belief.centre[p] - reach * sd[i], belief.centre[p] + reach * sd[i]
            x2[p] = min(max(x[p] + shorten * step[i], low), high)
        there = misfit(x2, timeline, belief, True, g2, h2)
        if there < here:
            damping = max(damping * (0.1 if here - there > 0.25 * decrement * shorten else 0.5), 1e-12)
            x[:] = x2
            here = there
            gradient[:] = g2
            hessian[:, :] = h2
        else:
            damping = max(10.0 * damping, 1e-6)
            if damping > 1e12:
                return here, evaluation, decrement < 1e-6
    return here, most, False


@kernel
def misfits(x: FloatArray, timeline: Timeline, belief: Belief, first: int, last: int, out: FloatArray) -> None:
    """The misfit of each row of x (N × P) from first to last - 1, without derivatives."""
    nothing, none = np.empty(0), np.empty((0, 0))
    for n in range(first, last):
        out[n] = misfit(x[n], timeline, belief, False, nothing, none)
