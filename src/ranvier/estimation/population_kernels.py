"""Compiled population likelihood: each person's part of the FOCEI objective, and its exact gradient by the population's numbers.

One person's part is O = sum[(y - f)^2 / v + ln v] + z'z + ln|I + L' G L| at the most probable z, with eta = L z, Omega = L L',
G = sum(a a' / v + c c' / 2). O hangs on the numbers directly and through z, which moves by the implicit function theorem:
dz = -Phi_zz^-1 Phi_z,theta dtheta (Almquist et al. 2015). First derivatives of f are exact; second ones are central
differences of those. What is left is algebra on f and its derivatives, done once along each number's own path.

A fit in the other direction (Bayes) needs only the joint density of data and etas and its gradient: `joint`.
"""

import numpy as np
import numpy.typing as npt

from ranvier.estimation.individual_kernels import (
    LOG,
    LOG_ERROR,
    LOGIT,
    Desk,
    Typical,
    Variability,
    back,
    begin_person,
    descend,
    factor,
    log_phi,
    misfit,
    naturals,
    predict,
    to_eta,
    variance,
)
from ranvier.ground.compiled import borrower, kernel
from ranvier.kinetics.linear_kernels import ADDITIVE, Structure
from ranvier.response.events_kernels import Cohort

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

STEP = 1e-3  # of an eta, for second derivatives by differences of exact first ones
PATH = 1e-4  # along a number's path, where only algebra is done


@borrower
def _look(
    s: Structure, c: Cohort, i: int, b: Variability, typical: Typical, eta: FloatArray, dx: FloatArray, extra: IntArray,
    desk: Desk, f: FloatArray, a: FloatArray, by: FloatArray,
) -> bool:  # fmt: skip
    """Predictions f (n), derivatives a (n × D) by eta and by (n × m) by the numbers `extra` (columns of dx); logs where asked."""
    first = c.set_ptr[i]
    rows = c.set_ptr[i + 1] - first
    size, m = eta.size, extra.size
    naturals(b, typical, first, rows, eta, desk.theta, desk.tangents)
    for r in range(rows):
        for k in range(b.active.size):
            p = b.active[k]
            value = desk.theta[r, p]
            slope = 1.0
            if b.transform[p] == LOG:
                slope = value
            elif b.transform[p] == LOGIT:
                slope = value * (1.0 - value)
            for q in range(m):
                desk.tangents[r, p, size + q] = slope * dx[first + r, p, extra[q]]
    yes = size >= 0
    road = predict(
        s, c, i, typical.varying[i] == 1, b.active, desk.theta, desk.tangents, size + m, yes, desk, desk.f, desk.a
    )
    if road < 0:
        return False
    begin = c.obs_ptr[i]
    for o in range(f.size):
        scale = 1.0
        f[o] = desk.f[o]
        if b.error[c.o_kind[begin + o]] == LOG_ERROR:
            if not f[o] > 0.0:
                if typical.skip[begin + o] == 1:
                    f[o] = 1.0
                else:
                    return False
            scale = 1.0 / f[o]
            f[o] = np.log(f[o])
        for d in range(size):
            a[o, d] = desk.a[o, d] * scale
        for q in range(m):
            by[o, q] = desk.a[o, size + q] * scale
    return True


@borrower
def _parts(
    c: Cohort, i: int, b: Variability, typical: Typical, f: FloatArray, sd: FloatArray, f0: FloatArray, o: int,
) -> tuple[float, float, float, float, float, float]:  # fmt: skip
    """Of observation o: its -2 log likelihood, derivative by f; 1 / v, (dv/df)/v; u and hazard of a censored value (else 0, -1)."""
    at = c.obs_ptr[i] + o
    kind = b.error[c.o_kind[at]]
    add, share = sd[2 * c.o_kind[at]], sd[2 * c.o_kind[at] + 1]
    v, by_f, _, _ = variance(kind, f[o], add, share)
    if b.interaction == 0:
        v, _, _, _ = variance(kind, f0[o], add, share)
        by_f = 0.0
    y = c.o_value[at]
    if kind == LOG_ERROR:
        y = np.log(y)
    if not v > 0.0:
        return np.inf, 0.0, 0.0, 0.0, 0.0, -1.0
    e = y - f[o]
    if c.o_censored[at] == 0:
        return e * e / v + np.log(v), -2.0 * e / v + (1.0 - e * e / v) * by_f / v, 1.0 / v, by_f / v, 0.0, -1.0
    sign = float(c.o_censored[at])
    root = np.sqrt(v)
    u = sign * e / root
    below, hazard = log_phi(u)
    by_u = -sign / root - 0.5 * u * by_f / v  # du / df
    return -2.0 * below, -2.0 * hazard * by_u, 1.0 / v, by_f / v, u, hazard


@borrower
def _slope(
    c: Cohort, i: int, b: Variability, typical: Typical, f: FloatArray, a: FloatArray, sd: FloatArray, f0: FloatArray,
    root: FloatArray, z: FloatArray, out: FloatArray,
) -> None:  # fmt: skip
    """Gradient by z of data and prior: 2 z + L' sum(dl/df a)."""
    n = z.size
    out[:] = 0.0
    for o in range(f.size):
        if typical.skip[c.obs_ptr[i] + o] == 1:
            continue
        _, by_f, _, _, _, _ = _parts(c, i, b, typical, f, sd, f0, o)
        for d in range(n):
            out[d] += by_f * a[o, d]
    for d in range(n):
        total = 2.0 * z[d]
        for k in range(d, n):
            total += root[k, d] * out[k]
        out[d] = total  # places below d are no longer read: L is lower triangular


@borrower
def _part(
    c: Cohort, i: int, b: Variability, typical: Typical, f: FloatArray, a: FloatArray, sd: FloatArray, f0: FloatArray,
    root: FloatArray, z: FloatArray, square: FloatArray, middle: FloatArray,
) -> float:  # fmt: skip
    """The person's part of the objective from predictions and derivatives: data + z'z + ln|I + L' G L|."""
    n = z.size
    total = 0.0
    for d in range(n):
        total += z[d] * z[d]
        for k in range(n):
            middle[d, k] = 0.0
    for o in range(f.size):
        if typical.skip[c.obs_ptr[i] + o] == 1:
            continue
        part, _, weight, share, u, hazard = _parts(c, i, b, typical, f, sd, f0, o)
        total += part
        if hazard < 0.0:
            w = weight + 0.5 * share * share
        else:
            sign = float(c.o_censored[c.obs_ptr[i] + o])
            by_u = -sign * np.sqrt(weight) - 0.5 * u * share
            w = hazard * (u + hazard) * by_u * by_u
        for d in range(n):
            for k in range(d + 1):
                middle[d, k] += w * a[o, d] * a[o, k]
    # I + L' G L; first G L into square, then L' of it
    for d in range(n):
        for k in range(n):
            value = 0.0
            for q in range(k, n):
                g = middle[d, q] if d >= q else middle[q, d]
                value += g * root[q, k]
            square[d, k] = value
    for d in range(n):
        for k in range(d + 1):
            value = 1.0 if d == k else 0.0
            for q in range(d, n):
                value += root[q, d] * square[q, k]
            middle[d, k] = value
    if not factor(middle, n):
        return np.inf
    for d in range(n):
        total += 2.0 * np.log(middle[d, d])
    return total


@kernel
def focei_range(
    s: Structure, c: Cohort, b: Variability, typical: Typical, first: int, last: int, moving: bool, points: FloatArray,
    starts: int, most: int, desk: Desk, dx: FloatArray, alias: IntArray, scale: FloatArray, d_sd: FloatArray,
    d_root: FloatArray, d_root_occasion: FloatArray, derivatives: bool, z: FloatArray, out: FloatArray, gradient: FloatArray,
    moves: FloatArray, roots: FloatArray,
) -> None:  # fmt: skip
    """Parts of the objective (out N) and their gradients (N × P) for persons first to last - 1.

    z N × D: where the search begins and ends, whitened. starts: searches begun besides at z and at 0 (from the best `points`).
    Numbers P: K structural ones (dx: sets × SLOTS × K, d x / d number), then residual SDs (d_sd P × 4), then those of the roots
    (d_root P × n × n, d_root_occasion P × m × m). alias N × K: the eta along which a structural number moves this person, with
    factor `scale`, or -1 where it needs a direction of its own. Infinite where the data are impossible.
    moves N × P × D: how the most probable z moves with each number; roots N × D × D: lower triangle R with R R' = Phi_zz, whose
    half is the curvature of -log posterior.
    """
    structural, numbers = dx.shape[2], gradient.shape[1]
    yes, no = first <= last, first > last
    for i in range(first, last):
        n = begin_person(s, c, i, b, typical, desk)
        begin = c.obs_ptr[i]
        count = c.obs_ptr[i + 1] - begin
        best, eta = z[i, :n].copy(), np.empty(n)
        g, h = np.empty(n), np.empty((n, n))
        if b.interaction == 0:  # the variances of the typical person are kept from the first look
            eta[:] = 0.0
            misfit(s, c, i, b, typical, eta, eta, no, yes, desk, g, h)
        value, _, arrived = descend(s, c, i, b, typical, best, moving, most, desk)
        if not arrived or starts > 0:
            there = np.zeros(n)
            other, _, ok = descend(s, c, i, b, typical, there, moving, most, desk)
            if other < value - 1e-9 or not np.isfinite(value):
                value, arrived = other, ok
                best[:] = there
        if starts > 0 and n > 0 and count > 0:
            score = np.empty(points.shape[0])
            for k in range(points.shape[0]):
                there = points[k, :n].copy()
                to_eta(desk.root, there, eta)
                score[k] = misfit(s, c, i, b, typical, eta, there, no, yes, desk, g, h)
            for _ in range(starts):
                lowest = np.argmin(score)
                if not np.isfinite(score[lowest]):
                    break
                score[lowest] = np.inf
                there = points[lowest, :n].copy()
                other, _, ok = descend(s, c, i, b, typical, there, moving, most, desk)
                if other < value - 1e-9:
                    value = other
                    best[:] = there
        z[i, :n] = best
        out[i] = np.inf
        gradient[i, :] = 0.0
        root = desk.root[:n, :n].copy()
        to_eta(root, best, eta)

        own = 0
        for k in range(structural):
            if alias[i, k] < 0:
                own += 1
        extra = np.empty(own, dtype=np.int64)
        place = np.full(structural, -1, dtype=np.int64)
        own = 0
        for k in range(structural):
            if alias[i, k] < 0:
                extra[own] = k
                place[k] = own
                own += 1
        sd = np.empty(4)
        row = c.set_ptr[i]
        for k in range(4):
            sd[k] = typical.x[row, ADDITIVE + k]
        f, a, by = np.empty(count), np.empty((count, n)), np.empty((count, own))
        f0, a0, by0 = np.empty(count), np.zeros((count, n)), np.zeros((count, own))
        if b.interaction == 0:
            none = np.zeros(n)
            if not _look(s, c, i, b, typical, none, dx, extra, desk, f0, a0, by0):
                continue
        if not _look(s, c, i, b, typical, eta, dx, extra, desk, f, a, by):
            continue
        square, middle = np.empty((n, n)), np.empty((n, n))
        out[i] = _part(c, i, b, typical, f, a, sd, f0, root, best, square, middle)
        if not derivatives or not np.isfinite(out[i]):
            continue

        # second derivatives by each eta: of f by two etas, and by an eta and a number
        second, mixed = np.empty((n, count, n)), np.empty((n, count, own))
        up, down = np.empty(count), np.empty(count)
        a_up, a_down = np.empty((count, n)), np.empty((count, n))
        by_up, by_down = np.empty((count, own)), np.empty((count, own))
        fine = True
        for j in range(n):
            keep = eta[j]
            eta[j] = keep + STEP
            fine = fine and _look(s, c, i, b, typical, eta, dx, extra, desk, up, a_up, by_up)
            eta[j] = keep - STEP
            fine = fine and _look(s, c, i, b, typical, eta, dx, extra, desk, down, a_down, by_down)
            eta[j] = keep
            for o in range(count):
                for d in range(n):
                    second[j, o, d] = (a_up[o, d] - a_down[o, d]) / (2.0 * STEP)
                for q in range(own):
                    mixed[j, o, q] = (by_up[o, q] - by_down[o, q]) / (2.0 * STEP)
        if not fine:
            out[i] = np.inf
            continue

        # curvature of data and prior by z, exact
        full = np.empty((n, n))
        f1, f2, g1, g2 = np.empty(count), np.empty(count), np.empty(n), np.empty(n)
        a1, a2 = np.empty((count, n)), np.empty((count, n))
        z1, z2 = np.empty(n), np.empty(n)
        step = np.empty(n)  # of eta
        for j in range(n):
            for d in range(n):
                step[d] = root[d, j]
            for o in range(count):
                moved = 0.0
                for d in range(n):
                    moved += a[o, d] * step[d]
                f1[o], f2[o] = f[o] + PATH * moved, f[o] - PATH * moved
                for k in range(n):
                    turned = 0.0
                    for d in range(n):
                        turned += second[d, o, k] * step[d]
                    a1[o, k], a2[o, k] = a[o, k] + PATH * turned, a[o, k] - PATH * turned
            z1[:] = best
            z2[:] = best
            z1[j] += PATH
            z2[j] -= PATH
            _slope(c, i, b, typical, f1, a1, sd, f0, root, z1, g1)
            _slope(c, i, b, typical, f2, a2, sd, f0, root, z2, g2)
            for d in range(n):
                full[d, j] = (g1[d] - g2[d]) / (2.0 * PATH)
        for d in range(n):
            for k in range(d):
                full[d, k] = 0.5 * (full[d, k] + full[k, d])
        sound = factor(full, n)
        for d in range(n):
            for k in range(d + 1):
                roots[i, d, k] = full[d, k] if sound else np.nan

        # along each number
        df, da, d0 = np.empty(count), np.empty((count, n)), np.empty(count)
        r1, r2, s1, s2 = np.empty((n, n)), np.empty((n, n)), np.empty(4), np.empty(4)
        v1, v2 = np.empty(count), np.empty(count)
        dz, turn = np.zeros(n), np.empty((n, n))
        for p in range(numbers):
            df[:] = 0.0
            da[:, :] = 0.0
            d0[:] = 0.0
            turn[:, :] = 0.0
            if p < structural:
                j = alias[i, p]
                for o in range(count):
                    if j >= 0:
                        w = scale[i, p]
                        df[o] = w * a[o, j]
                        d0[o] = w * a0[o, j]
                        for d in range(n):
                            da[o, d] = w * second[j, o, d]
                    else:
                        df[o] = by[o, place[p]]
                        d0[o] = by0[o, place[p]]
                        for d in range(n):
                            da[o, d] = mixed[d, o, place[p]]
            else:
                for d in range(b.n_subject):
                    for k in range(d + 1):
                        turn[d, k] = d_root[p, d, k]
                for q in range(typical.occasions[i]):
                    at = b.n_subject + b.n_occasion * q
                    for d in range(b.n_occasion):
                        for k in range(d + 1):
                            turn[at + d, at + k] = d_root_occasion[p, d, k]
                for d in range(n):  # eta moves with the root at fixed z
                    step[d] = 0.0
                    for k in range(d + 1):
                        step[d] += turn[d, k] * best[k]
                for o in range(count):
                    for d in range(n):
                        df[o] += a[o, d] * step[d]
                        for k in range(n):
                            da[o, k] += second[d, o, k] * step[d]
            for k in range(4):
                s1[k], s2[k] = sd[k] + PATH * d_sd[p, k], sd[k] - PATH * d_sd[p, k]
            for d in range(n):
                for k in range(n):
                    r1[d, k], r2[d, k] = root[d, k] + PATH * turn[d, k], root[d, k] - PATH * turn[d, k]
            for o in range(count):
                f1[o], f2[o] = f[o] + PATH * df[o], f[o] - PATH * df[o]
                v1[o], v2[o] = f0[o] + PATH * d0[o], f0[o] - PATH * d0[o]
                for d in range(n):
                    a1[o, d], a2[o, d] = a[o, d] + PATH * da[o, d], a[o, d] - PATH * da[o, d]
            dz[:] = 0.0
            if sound and n > 0:
                _slope(c, i, b, typical, f1, a1, s1, v1, r1, best, g1)
                _slope(c, i, b, typical, f2, a2, s2, v2, r2, best, g2)
                for d in range(n):
                    g1[d] = -(g1[d] - g2[d]) / (2.0 * PATH)
                back(full, g1, n, dz)
            for d in range(n):
                moves[i, p, d] = dz[d]
                step[d] = 0.0
                for k in range(d + 1):
                    step[d] += root[d, k] * dz[k]
                z1[d], z2[d] = best[d] + PATH * dz[d], best[d] - PATH * dz[d]
            for o in range(count):
                more = 0.0
                for d in range(n):
                    more += a[o, d] * step[d]
                f1[o] += PATH * more
                f2[o] -= PATH * more
                for k in range(n):
                    more = 0.0
                    for d in range(n):
                        more += second[d, o, k] * step[d]
                    a1[o, k] += PATH * more
                    a2[o, k] -= PATH * more
            high = _part(c, i, b, typical, f1, a1, s1, v1, r1, z1, square, middle)
            low = _part(c, i, b, typical, f2, a2, s2, v2, r2, z2, square, middle)
            gradient[i, p] = (high - low) / (2.0 * PATH)


@kernel
def joint_range(
    s: Structure, c: Cohort, b: Variability, typical: Typical, first: int, last: int, desk: Desk, dx: FloatArray,
    alias: IntArray, scale: FloatArray, d_sd: FloatArray, d_root: FloatArray, d_root_occasion: FloatArray, z: FloatArray,
    out: FloatArray, by_z: FloatArray, by_number: FloatArray,
) -> None:  # fmt: skip
    """-2 log density of data and etas: sum[(y - f)^2 / v + ln v] + z'z (out N), its gradient by z (N × D) and by the numbers."""
    structural, numbers = dx.shape[2], by_number.shape[1]
    for i in range(first, last):
        n = begin_person(s, c, i, b, typical, desk)
        count = c.obs_ptr[i + 1] - c.obs_ptr[i]
        eta, own_z = np.empty(n), z[i, :n].copy()
        root = desk.root
        to_eta(root, own_z, eta)
        own = 0
        for k in range(structural):
            if alias[i, k] < 0:
                own += 1
        extra = np.empty(own, dtype=np.int64)
        place = np.full(structural, -1, dtype=np.int64)
        own = 0
        for k in range(structural):
            if alias[i, k] < 0:
                extra[own] = k
                place[k] = own
                own += 1
        sd = np.empty(4)
        for k in range(4):
            sd[k] = typical.x[c.set_ptr[i], ADDITIVE + k]
        f, a, by = np.empty(count), np.empty((count, n)), np.empty((count, own))
        out[i] = np.inf
        by_z[i, :] = 0.0
        by_number[i, :] = 0.0
        if not _look(s, c, i, b, typical, eta, dx, extra, desk, f, a, by):
            continue
        total = 0.0
        by_eta = np.zeros(n)
        for o in range(count):
            at = c.obs_ptr[i] + o
            if typical.skip[at] == 1:
                continue
            part, by_f, _, _, u, hazard = _parts(c, i, b, typical, f, sd, f, o)
            total += part
            for d in range(n):
                by_eta[d] += by_f * a[o, d]
            for p in range(structural):
                if alias[i, p] < 0:
                    by_number[i, p] += by_f * by[o, place[p]]
            kind = 2 * c.o_kind[at]
            v, _, by_add, by_share = variance(b.error[c.o_kind[at]], f[o], sd[kind], sd[kind + 1])
            if hazard < 0.0:
                y = c.o_value[at]
                if b.error[c.o_kind[at]] == LOG_ERROR:
                    y = np.log(y)
                e = y - f[o]
                by_v = (1.0 - e * e / v) / v
            else:
                by_v = hazard * u / v
            for p in range(structural, numbers):
                by_number[i, p] += by_v * (by_add * d_sd[p, kind] + by_share * d_sd[p, kind + 1])
        for p in range(structural):
            j = alias[i, p]
            if j >= 0:
                by_number[i, p] += scale[i, p] * by_eta[j]
        for p in range(structural, numbers):
            for d in range(b.n_subject):
                for k in range(d + 1):
                    by_number[i, p] += by_eta[d] * d_root[p, d, k] * own_z[k]
            for q in range(typical.occasions[i]):
                start = b.n_subject + b.n_occasion * q
                for d in range(b.n_occasion):
                    for k in range(d + 1):
                        by_number[i, p] += by_eta[start + d] * d_root_occasion[p, d, k] * own_z[start + k]
        for d in range(n):
            total += own_z[d] * own_z[d]
            by_z[i, d] = 2.0 * own_z[d]
            for k in range(d, n):
                by_z[i, d] += root[k, d] * by_eta[k]
        out[i] = total if not np.isnan(total) else np.inf
