"""Compiled individual estimation for the general family of models: predictions, their derivatives, the objective, its minimum.

Conventions are NONMEM's. With residual variance v, prediction f, a = df/deta and c = (dv/deta) / v the objective of one
person is ``sum[(y - f)^2 / v + ln v] + eta' Omega^-1 eta`` and the curvature ``H = Omega^-1 + sum(a a' / v + c c' / 2)``;
H^-1 is the posterior covariance of eta. A value below the limit of quantification adds -2 ln Phi((limit - f) / sqrt(v)) (M3).
The readable twin is `individual_twin.py`.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ranvier.ground.compiled import borrower, kernel
from ranvier.kinetics.linear_kernels import ADDITIVE, LINEAR, Structure
from ranvier.response.closed_kernels import Room, closed
from ranvier.response.events_kernels import Cohort, Line, arrange
from ranvier.response.solver_kernels import Solver, solved

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

LOG, LOGIT, NORMAL = 0, 1, 2
ADDED, PROPORTIONAL_ERROR, COMBINED_SUM, COMBINED_ROOT, LOG_ERROR = 0, 1, 2, 3, 4
DONE = 1e-9  # Newton decrement (half the objective that a full step still promises) at which the search has arrived
EDGE = 1e-6  # Newton decrement above which a search has not ended in a valley, but on an edge of the objective
ROUNDS = 3  # searches with each coordinate held, on an edge
CLOSED_ROAD, SOLVER_ROAD = 0, 1


class Variability(NamedTuple):
    """How parameters differ between people and occasions, and the residual error.

    transform SLOTS: of the natural parameter; subject, occasion SLOTS: which eta moves it (-1: none); n_subject, n_occasion:
    number of each; root_subject, root_occasion: lower triangles L with L L' = Omega; error 2: kind for concentration and
    response; interaction 1: the residual variance follows the person's own prediction, 0: that of the typical person.
    active A: the slots in use.
    """

    transform: IntArray
    subject: IntArray
    occasion: IntArray
    n_subject: int
    n_occasion: int
    root_subject: FloatArray
    root_occasion: FloatArray
    error: IntArray
    interaction: int
    active: IntArray


class Typical(NamedTuple):
    """Rows of parameters: x (all sets × SLOTS) on the transformed scale at eta 0; occasion (sets): number within the person.

    occasions N: how many each person has; varying N: 1 where kinetics change with time; skip (observations): 1 where a
    value says nothing (see `cohort.py`).
    """

    x: FloatArray
    set_occasion: IntArray
    occasions: IntArray
    varying: IntArray
    skip: IntArray


class Desk(NamedTuple):
    """Scratch of one thread, as large as the largest person: R sets, D etas, O observations, E events."""

    theta: FloatArray  # R × SLOTS
    tangents: FloatArray  # R × SLOTS × D
    moves: IntArray  # SLOTS
    f: FloatArray  # O
    a: FloatArray  # O × D
    g: FloatArray  # O × SLOTS
    v0: FloatArray  # O: variance of the typical person
    root: FloatArray  # D × D
    square: FloatArray  # D × D
    c: FloatArray  # D
    state: IntArray  # 2: whether v0 is filled; the road of the last prediction
    line: Line
    room: Room
    solver: Solver


@borrower
def naturals(
    b: Variability, typical: Typical, first: int, rows: int, eta: FloatArray, theta: FloatArray, tangents: FloatArray
) -> None:
    """Natural parameters (rows × SLOTS) of the sets from `first`, and their derivatives by eta (rows × SLOTS × D)."""
    size = eta.size
    active, subject, occasion, transform, middle = b.active, b.subject, b.occasion, b.transform, typical.x
    for r in range(rows):
        for n in range(active.size):
            p = active[n]
            x = middle[first + r, p]
            j, k = subject[p], occasion[p]
            if j >= 0:
                x += eta[j]
            if k >= 0:
                k += b.n_subject + b.n_occasion * typical.set_occasion[first + r]
                x += eta[k]
            if transform[p] == LOG:
                value = np.exp(x)
                slope = value
            elif transform[p] == LOGIT:
                value = 1.0 / (1.0 + np.exp(-x))
                slope = value * (1.0 - value)
            else:
                value, slope = x, 1.0
            theta[r, p] = value
            for d in range(size):
                tangents[r, p, d] = 0.0
            if j >= 0:
                tangents[r, p, j] = slope
            if k >= 0:
                tangents[r, p, k] = slope


@borrower
def predict(
    s: Structure, c: Cohort, i: int, varying: bool, active: IntArray, theta: FloatArray, tangents: FloatArray,
    directions: int, fresh: bool, desk: Desk, f: FloatArray, a: FloatArray,
) -> int:  # fmt: skip
    """Predictions f (O) of person i and derivatives a (O × directions) by any directions; returns the road taken, or -1.

    theta R × SLOTS natural parameters of the person's sets; tangents R × SLOTS × directions: dtheta / d(direction), zero
    outside `active`. Directions may be etas, population parameters, or both. `fresh`: the events must be put in order anew
    (always, unless nothing moves in time and the same person was predicted before).
    """
    rows = c.set_ptr[i + 1] - c.set_ptr[i]
    if fresh:
        arrange(c, i, theta, rows > 1, desk.line)
    count = c.obs_ptr[i + 1] - c.obs_ptr[i]
    if s.elimination == LINEAR and not varying:
        moves = desk.moves
        moving = 0
        for n in range(active.size):
            p = active[n]
            moves[p] = 0
            for d in range(directions):
                if tangents[0, p, d] != 0.0:
                    moves[p] = 1
                    moving += 1
                    break
        if closed(s, c, i, theta, moves, moving > 0, desk.line, desk.room, f, desk.g):
            for o in range(count):
                for d in range(directions):
                    a[o, d] = 0.0
            g = desk.g
            if moving > 0:
                for n in range(active.size):
                    p = active[n]
                    if moves[p] == 1 and p < ADDITIVE:
                        for d in range(directions):
                            t = tangents[0, p, d]
                            if t != 0.0:
                                for o in range(count):
                                    a[o, d] += g[o, p] * t
            return CLOSED_ROAD
    if solved(s, c, i, theta, tangents, directions, desk.line, desk.solver, f, a):
        return SOLVER_ROAD
    return -1


@borrower
def log_phi(z: float) -> tuple[float, float]:
    """Logarithm of Phi(z) and phi(z) / Phi(z), also far in the lower tail."""
    log_density = -0.5 * z * z - 0.9189385332046727
    if z > -8.0:
        below = math.log(0.5 * math.erfc(-z / math.sqrt(2.0)))
    else:
        y = 1.0 / (z * z)
        below = log_density - math.log(-z) + math.log(1.0 - y * (1.0 - 3.0 * y * (1.0 - 5.0 * y * (1.0 - 7.0 * y))))
    return below, math.exp(log_density - below)


@borrower
def variance(kind: int, f: float, add: float, share: float) -> tuple[float, float, float, float]:
    """Residual variance and its derivatives by f, by the additive and by the proportional parameter (both SD)."""
    if kind in (ADDED, LOG_ERROR):
        return add * add, 0.0, 2.0 * add, 0.0
    if kind == PROPORTIONAL_ERROR:
        return (share * f) ** 2, 2.0 * share * share * f, 0.0, 2.0 * share * f * f
    if kind == COMBINED_ROOT:
        return add * add + (share * f) ** 2, 2.0 * share * share * f, 2.0 * add, 2.0 * share * f * f
    sd = add + share * abs(f)
    return sd * sd, 2.0 * sd * share * (1.0 if f >= 0.0 else -1.0), 2.0 * sd, 2.0 * sd * abs(f)


@borrower
def misfit(
    s: Structure, c: Cohort, i: int, b: Variability, typical: Typical, eta: FloatArray, z: FloatArray, derivatives: bool,
    fresh: bool, desk: Desk, gradient: FloatArray, curvature: FloatArray,
) -> float:  # fmt: skip
    """The objective of person i at eta (= root z); its gradient and curvature by eta WITHOUT the prior's part.

    Infinite where the data are impossible: a positive value where the model allows none, or no finite prediction.
    """
    first = c.set_ptr[i]
    rows = c.set_ptr[i + 1] - first
    size = eta.size
    naturals(b, typical, first, rows, eta, desk.theta, desk.tangents)
    directions = size if derivatives else 0
    road = predict(
        s, c, i, typical.varying[i] == 1, b.active, desk.theta, desk.tangents, directions, fresh, desk, desk.f, desk.a
    )
    desk.state[1] = road
    if derivatives:
        gradient[:] = 0.0
        curvature[:, :] = 0.0
    if road < 0:
        return np.inf
    total = 0.0
    for j in range(size):
        total += z[j] * z[j]
    # Arrays of named tuples, taken out once: inside the loop each would be counted anew.
    begin = c.obs_ptr[i]
    count = c.obs_ptr[i + 1] - begin
    ca, fs, da, theta, tangents, v0 = desk.c, desk.f, desk.a, desk.theta, desk.tangents, desk.v0
    values, kinds, sets, censored, skip, errors = c.o_value, c.o_kind, c.o_set, c.o_censored, typical.skip, b.error
    first_time = desk.state[0] == 0
    noisy = False  # whether people differ in their residual error
    for place in range(ADDITIVE, ADDITIVE + 4):
        noisy = noisy or b.subject[place] >= 0 or b.occasion[place] >= 0
    for o in range(count):
        if skip[begin + o] == 1:
            continue
        f, y = fs[o], values[begin + o]
        kind = errors[kinds[begin + o]]
        row = sets[begin + o]
        place = ADDITIVE + 2 * kinds[begin + o]
        add, share = theta[row, place], theta[row, place + 1]
        if (kind == LOG_ERROR and not f > 0.0) or (kind == PROPORTIONAL_ERROR and f == 0.0):
            if censored[begin + o] == 1:
                continue  # certainly below the limit
            return np.inf
        by = 1.0
        if kind == LOG_ERROR:
            by = 1.0 / f
            f, y = np.log(f), np.log(y)
        v, by_f, by_add, by_share = variance(kind, f, add, share)
        if b.interaction == 0:
            if first_time:
                v0[o] = v
            v, by_f, by_add, by_share = v0[o], 0.0, 0.0, 0.0
        if not v > 0.0 or not np.isfinite(f) or not np.isfinite(v):
            return np.inf
        e = y - f
        if censored[begin + o] == 0:
            total += e * e / v + np.log(v)
        else:
            sign = float(censored[begin + o])
            sd = np.sqrt(v)
            u = sign * e / sd
            below, hazard = log_phi(u)
            total -= 2.0 * below
        if derivatives:
            if by != 1.0:
                for d in range(size):
                    da[o, d] *= by
            if not noisy and censored[begin + o] == 0:  # c is by_f / v times a
                relative = by_f / v
                slope = -2.0 * e / v + (1.0 - e * e / v) * relative
                weigh = 1.0 / v + 0.5 * relative * relative
                for d in range(size):
                    gradient[d] += slope * da[o, d]
                    scaled = weigh * da[o, d]
                    for k in range(d + 1):
                        curvature[d, k] += scaled * da[o, k]
                continue
            for d in range(size):
                ca[d] = (
                    by_f * da[o, d] + by_add * tangents[row, place, d] + by_share * tangents[row, place + 1, d]
                ) / v
            if censored[begin + o] == 0:
                for d in range(size):
                    gradient[d] += -2.0 * e / v * da[o, d] + (1.0 - e * e / v) * ca[d]
                    for k in range(d + 1):
                        curvature[d, k] += da[o, d] * da[o, k] / v + 0.5 * ca[d] * ca[k]
            else:
                weigh = hazard * (u + hazard)
                for d in range(size):
                    ca[d] = -sign * da[o, d] / sd - 0.5 * u * ca[d]
                for d in range(size):
                    gradient[d] -= 2.0 * hazard * ca[d]
                    for k in range(d + 1):
                        curvature[d, k] += weigh * ca[d] * ca[k]
    desk.state[0] = 1
    if derivatives:
        for d in range(size):
            for k in range(d):
                curvature[k, d] = curvature[d, k]
    return total if not np.isnan(total) else np.inf


@borrower
def factor(a: FloatArray, n: int) -> bool:
    """Cholesky of the leading n × n block in place (lower). False: not positive definite."""
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
    return True


@borrower
def back(a: FloatArray, b: FloatArray, n: int, out: FloatArray) -> None:
    """Solve L L' out = b for the lower triangle a."""
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


@borrower
def begin_person(s: Structure, c: Cohort, i: int, b: Variability, typical: Typical, desk: Desk) -> int:
    """Root of the person's whole Omega into desk.root; the number of etas.

    Without interaction the next `misfit` must be the one at eta 0: it keeps the variances of the typical person.
    """
    n = b.n_subject + b.n_occasion * typical.occasions[i]
    root = desk.root
    for d in range(n):
        for k in range(n):
            root[d, k] = 0.0
    for d in range(b.n_subject):
        for k in range(d + 1):
            root[d, k] = b.root_subject[d, k]
    for o in range(typical.occasions[i]):
        at = b.n_subject + b.n_occasion * o
        for d in range(b.n_occasion):
            for k in range(d + 1):
                root[at + d, at + k] = b.root_occasion[d, k]
    desk.state[0] = 0
    return int(n)


@borrower
def to_eta(root: FloatArray, z: FloatArray, eta: FloatArray) -> None:
    """From whitened coordinates: eta = root z."""
    for d in range(z.size):
        total = 0.0
        for k in range(d + 1):
            total += root[d, k] * z[k]
        eta[d] = total


@kernel
def descend_to(
    s: Structure, c: Cohort, i: int, b: Variability, typical: Typical, z: FloatArray, moving: bool, most: int, desk: Desk,
    g: FloatArray, h: FloatArray, frozen: int,
) -> tuple[float, int, bool]:  # fmt: skip
    """Levenberg-Marquardt in whitened coordinates from z (moved in place) to a local minimum of the objective.

    `frozen`: a coordinate that is held, or -1.

    `moving`: something may move in time (lag, modelled rate or duration), so that events are ordered at every evaluation.
    Returns the objective, the evaluations, and whether it arrived; g (D) and h (D × D) hold gradient and curvature there, as
    `misfit` gives them. The last step is taken without looking once more: it changes the objective by less than `DONE`.
    """
    n = z.size
    root, square = desk.root, desk.square
    g2, h2 = np.empty(n), np.empty((n, n))
    slope, step, eta, z2 = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    middle = np.empty((n, n))
    yes = n >= 0  # a constant would be compiled as a version of its own
    to_eta(root, z, eta)
    here = misfit(s, c, i, b, typical, eta, z, yes, yes, desk, g, h)
    damping = 0.0
    if not np.isfinite(here):
        return here, 1, False
    renew = True
    for evaluation in range(1, most):
        if renew:
            # by z: half the gradient, and I + root' H root
            for d in range(n):
                total = z[d]
                for k in range(d, n):
                    total += 0.5 * root[k, d] * g[k]
                slope[d] = total
            for d in range(n):
                for k in range(n):
                    total = 0.0
                    for q in range(k, n):
                        total += h[d, q] * root[q, k]
                    middle[d, k] = total
            renew = False
        for d in range(n):
            for k in range(d + 1):
                total = 1.0 + damping if d == k else 0.0
                for q in range(d, n):
                    total += root[q, d] * middle[q, k]
                square[d, k] = total
            square[d, d] += damping * (square[d, d] - 1.0 - damping)
        if frozen >= 0:
            slope[frozen] = 0.0
            for k in range(n):
                square[frozen, k] = 0.0
                square[k, frozen] = 0.0
            square[frozen, frozen] = 1.0
        if not factor(square, n):
            damping = max(10.0 * damping, 1e-3)
            continue
        back(square, slope, n, step)
        decrement = longest = 0.0
        for d in range(n):
            decrement += step[d] * slope[d]
            longest = max(longest, abs(step[d]))
        if decrement < DONE and damping <= 1e-2:
            for d in range(n):
                z[d] -= step[d]
            return here, evaluation, True
        shorten = min(1.0, 3.0 / longest)
        for d in range(n):
            z2[d] = z[d] - shorten * step[d]
        to_eta(root, z2, eta)
        there = misfit(s, c, i, b, typical, eta, z2, yes, moving, desk, g2, h2)
        if there < here:
            promised = 2.0 * shorten * decrement
            damping = max(2.0 * damping, 1e-3) if here - there < 0.25 * promised else 0.1 * damping
            if damping < 1e-5:
                damping = 0.0
            arrived = decrement < 1e2 * DONE and abs(here - there) < 1e-12 * (1.0 + abs(here))
            here = there
            z[:] = z2
            g[:] = g2
            h[:, :] = h2
            renew = True
            if arrived:
                return here, evaluation + 1, True
        else:
            if decrement < 1e-9 and abs(there - here) <= 1e-10 * (1.0 + abs(here)):
                return here, evaluation + 1, True  # as exact as the arithmetic allows
            damping = max(10.0 * damping, 1e-3)
            if damping > 1e10:
                return here, evaluation + 1, decrement < 1e-7
    return here, most, False


@kernel
def descend(
    s: Structure, c: Cohort, i: int, b: Variability, typical: Typical, z: FloatArray, moving: bool, most: int, desk: Desk
) -> tuple[float, int, bool]:  # fmt: skip
    """As `descend_to`, where gradient and curvature are not wanted."""
    g, h = np.empty(z.size), np.empty((z.size, z.size))
    frozen = -int(z.size >= 0)  # none; a constant would be compiled as a version of its own
    return descend_to(s, c, i, b, typical, z, moving, most, desk, g, h, frozen)


@borrower
def by_z(root: FloatArray, h: FloatArray, n: int, square: FloatArray) -> None:
    """I + root' h root, its lower triangle."""
    for d in range(n):
        for k in range(d + 1):
            total = 1.0 if d == k else 0.0
            for q in range(d, n):
                inner = 0.0
                for r in range(k, n):
                    inner += h[q, r] * root[r, k]
                total += root[q, d] * inner
            square[d, k] = total


@kernel
def _on_an_edge(
    root: FloatArray, z: FloatArray, g: FloatArray, h: FloatArray, n: int, square: FloatArray, step: FloatArray
) -> bool:  # fmt: skip
    """Whether the slope at z is far from zero: a full step would promise more than `EDGE`."""
    slope = np.empty(n)
    for d in range(n):
        slope[d] = z[d]
        for k in range(d, n):
            slope[d] += 0.5 * root[k, d] * g[k]
    by_z(root, h, n, square)
    if not factor(square, n):
        return True
    back(square, slope, n, step)
    promised = 0.0
    for d in range(n):
        promised += step[d] * slope[d]
    return promised > EDGE


@kernel
def fit_range(
    s: Structure, c: Cohort, b: Variability, typical: Typical, first: int, last: int, moving: bool, points: FloatArray,
    extra: int, most: int, desk: Desk, out_eta: FloatArray, out_covariance: FloatArray, out_value: FloatArray,
    out_count: IntArray,
) -> None:  # fmt: skip
    """The most probable eta of persons first to last - 1, each from several starts.

    points K × D: further starts in whitened coordinates. The search goes down from the middle of the prior, then `extra`
    times from one of the points: in turn from that at which the objective is lowest, and from that at which it is lowest for
    its distance (the first minimum's own parabola would lead higher there: a sign of another valley).

    out_eta N × D, out_covariance N × D × D (H^-1 at the minimum), out_value N × 2 (objective; log determinant of H),
    out_count N × 5: evaluations, arrived, distinct minima, starts, road (0 closed form, 1 solver, -1 none).
    """
    no = first > last
    none = -int(first <= last)
    score = np.empty(points.shape[0])
    minima = np.empty(extra + 1)
    for i in range(first, last):
        n = begin_person(s, c, i, b, typical, desk)
        root, square = desk.root, desk.square
        best, eta, g, h, away = np.zeros(n), np.empty(n), np.empty(n), np.empty((n, n)), np.empty(n)
        best_g, best_h = np.zeros(n), np.zeros((n, n))
        value, arrived, road = np.inf, no, -1
        found = spent = starts = 0
        turns = 1 + (extra if n > 0 and c.obs_ptr[i + 1] > c.obs_ptr[i] else 0)
        held = none
        for turn in range(turns + (ROUNDS * n if moving else 0)):
            z = np.zeros(n)
            if turn >= turns:
                # A value at the very moment when a dose arrives makes an edge in the objective, on which the minimum may lie:
                # then the slope does not vanish, and the other coordinates are searched once more while one is held.
                if turn == turns and not _on_an_edge(root, best, best_g, best_h, n, square, away):
                    break
                held = (turn - turns) % n
                z[:] = best
            elif turn == 1:
                by_z(root, best_h, n, square)
                for k in range(points.shape[0]):
                    z = points[k, :n].copy()
                    to_eta(root, z, eta)
                    score[k] = misfit(s, c, i, b, typical, eta, z, no, moving, desk, g, h)
                spent += points.shape[0]
            if 0 < turn < turns:
                choice, lowest = -1, np.inf
                for k in range(points.shape[0]):
                    height = score[k]
                    if turn % 2 == 0 and np.isfinite(height) and np.isfinite(value):
                        distance = 0.0
                        for d in range(n):
                            away[d] = points[k, d] - best[d]
                            for q in range(d + 1):
                                distance += (1.0 if q == d else 2.0) * square[d, q] * away[d] * away[q]
                        height = (height - value) / (distance + 1e-12)
                    if height < lowest:
                        choice, lowest = k, height
                if choice < 0:
                    continue
                score[choice] = np.inf
                z = points[choice, :n].copy()
            there, more, ok = descend_to(s, c, i, b, typical, z, moving, most, desk, g, h, held)
            spent += more
            starts += 1 if held < 0 else 0
            if ok and held < 0:
                known = no
                for q in range(found):
                    known = known or abs(minima[q] - there) < 1e-4
                if not known:
                    minima[found] = there
                    found += 1
            if there < value - 1e-9 or (ok and not arrived and held < 0 and there < value + 1e-9):
                value, arrived = there, ok
                best[:] = z
                best_g[:] = g
                best_h[:, :] = h
                road = desk.state[1]
        to_eta(root, best, eta)
        out_eta[i, :n] = eta
        out_value[i, 0] = value
        out_value[i, 1] = np.nan
        # H^-1 = root (I + root' H root)^-1 root'
        by_z(root, best_h, n, square)
        if factor(square, n):
            log_det = 0.0
            for d in range(n):
                log_det += 2.0 * np.log(square[d, d]) - 2.0 * np.log(root[d, d])
            out_value[i, 1] = log_det
            for k in range(n):
                for d in range(n):
                    away[d] = root[k, d]
                back(square, away, n, eta)
                for d in range(n):
                    total = 0.0
                    for q in range(d + 1):
                        total += root[d, q] * eta[q]
                    out_covariance[i, d, k] = total
        out_count[i, 0], out_count[i, 1], out_count[i, 2] = spent, 1 if arrived else 0, max(found, 1)
        out_count[i, 3], out_count[i, 4] = starts, road


@kernel
def look_at_rows(
    s: Structure, c: Cohort, i: int, b: Variability, typical: Typical, etas: FloatArray, first: int, last: int, moving: bool,
    desk: Desk, objective: FloatArray, f: FloatArray,
) -> None:  # fmt: skip
    """Objective (N) and predictions (N × O) of person i at each row of etas (N × D), from first to last - 1.

    `f` may be of zero width where the predictions are not wanted, `objective` of no length where it is not.
    """
    no = first > last
    n = begin_person(s, c, i, b, typical, desk)
    z, g, h = np.zeros(n), np.empty(n), np.empty((n, n))
    eta = np.zeros(n)
    rows, varying, directions = c.set_ptr[i + 1] - c.set_ptr[i], typical.varying[i] == 1, 0 * n
    misfit(
        s, c, i, b, typical, eta, z, no, not no, desk, g, h
    )  # puts the events in order; variances without interaction
    for row in range(first, last):
        for d in range(n):
            eta[d] = etas[row, d]
            total = eta[d]
            for k in range(d):
                total -= desk.root[d, k] * z[k]
            z[d] = total / desk.root[d, d]
        if objective.size > 0:
            objective[row] = misfit(s, c, i, b, typical, eta, z, no, moving, desk, g, h)
        else:
            naturals(b, typical, c.set_ptr[i], rows, eta, desk.theta, desk.tangents)
            predict(s, c, i, varying, b.active, desk.theta, desk.tangents, directions, moving, desk, desk.f, desk.a)
        for o in range(f.shape[1]):
            f[row, o] = desk.f[o]
