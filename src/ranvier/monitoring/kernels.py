"""Compiled chart: regression of the logarithm of strength with correlated residuals, and the search for a change.

Values x (log strength) at increasing days follow x = Z beta + e, e(i) = rho e(i-1) + sqrt(1 - rho^2) sd z(i), rho = phi^gap.
Whitened values (x(i) - rho x(i-1)) / sqrt(1 - rho^2) are the one-step innovations, so everything below is least squares on
innovations. A change of level at value t adds a column of zeros before t and ones from t on; its gain and its size follow for
every t at once from sums that run from the end. The readable twin is in tests/monitoring/chart_twin.py.
"""

from math import erf

import numpy as np
import numpy.typing as npt

from ranvier.ground.compiled import borrower, kernel

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

SHORTEST_GAP = 0.04  # [d], as in estimation: two values within an hour count as an hour apart
FALL, RISE, BACK, SETTLED = 1, 2, 3, 4
RELEARN = 7.0  # [d] between two looks at the noise: a week changes little, and looking costs
# Positions in `rules`.
THRESHOLD, BEFORE, AFTER, WINDOW, REFERENCE, GUARD, CLIP, SWING, CYCLES, CAUTION, RELEASE, SETTLE, RECOVERED = range(13)


@borrower
def correlation(day: FloatArray, i: int, phi: float) -> float:
    """Correlation of the residuals of values i - 1 and i."""
    return float(phi ** max(day[i] - day[i - 1], SHORTEST_GAP))


@kernel
def normal_equations(
    day: FloatArray,
    x: FloatArray,
    z: FloatArray,
    first: int,
    last: int,
    phi: float,
    ridge: FloatArray,
    a: FloatArray,
    b: FloatArray,
) -> tuple[float, float]:
    """A = Z'Z + ridge and b = Z'x of the innovations of values first to last - 1; returns x'x and sum log(1 - rho^2)."""
    p = z.shape[1]
    a[:, :] = 0.0
    b[:] = 0.0
    for j in range(p):
        a[j, j] = ridge[j]
    square = 0.0
    logs = 0.0
    u = np.empty(p)
    for i in range(first, last):
        rho = 0.0
        root = 1.0
        value = x[i]
        if i > first:
            rho = correlation(day, i, phi)
            left = 1.0 - rho * rho
            root = np.sqrt(left)
            logs += np.log(left)
            value = (x[i] - rho * x[i - 1]) / root
        for j in range(p):
            u[j] = z[i, j] if i == first else (z[i, j] - rho * z[i - 1, j]) / root
        square += value * value
        for j in range(p):
            b[j] += u[j] * value
            for k in range(p):
                a[j, k] += u[j] * u[k]
    return square, logs


@borrower
def inverse(a: FloatArray, out: FloatArray) -> bool:
    """Inverse of a small symmetric positive definite matrix by Gauss-Jordan; `a` is overwritten."""
    n = a.shape[0]
    out[:, :] = 0.0
    for i in range(n):
        out[i, i] = 1.0
    for i in range(n):
        pivot = a[i, i]
        if not pivot > 1e-14:
            return False
        for k in range(n):
            a[i, k] /= pivot
            out[i, k] /= pivot
        for j in range(n):
            if j != i:
                factor = a[j, i]
                for k in range(n):
                    a[j, k] -= factor * a[i, k]
                    out[j, k] -= factor * out[i, k]
    return True


@kernel
def fitted(
    day: FloatArray,
    x: FloatArray,
    z: FloatArray,
    first: int,
    last: int,
    phi: float,
    ridge: FloatArray,
    beta: FloatArray,
    cover: FloatArray,
) -> tuple[float, float]:
    """Coefficients and their covariance over sd^2; returns the penalised sum of squares and sum log(1 - rho^2)."""
    p = z.shape[1]
    a, b = np.empty((p, p)), np.empty(p)
    square, logs = normal_equations(day, x, z, first, last, phi, ridge, a, b)
    if not inverse(a, cover):
        return np.nan, logs
    for j in range(p):
        beta[j] = 0.0
        for k in range(p):
            beta[j] += cover[j, k] * b[k]
    for j in range(p):
        square -= beta[j] * b[j]
    return max(square, 1e-12), logs


@kernel
def noise(
    day: FloatArray,
    x: FloatArray,
    z: FloatArray,
    first: int,
    last: int,
    grid: FloatArray,
    prior: FloatArray,
    sd: float,
    worth: float,
    scale: FloatArray,
    caution: float,
    beta: FloatArray,
) -> tuple[float, float]:
    """Persistence at the quantile `caution` of its posterior on a grid, and the residual SD; beta of that fit is written.

    A persistence taken for too small raises false alarms, one taken for too large delays true ones.

    prior : log prior of each grid point; sd, worth : prior of the SD, and how many values it is worth
    scale : prior SD of each coefficient, infinity where there is none
    """
    p = z.shape[1]
    n = last - first
    ridge, cover = np.empty(p), np.empty((p, p))
    log, spread = np.full(grid.size, -np.inf), np.full(grid.size, sd)
    for j in range(p):
        ridge[j] = (sd / scale[j]) ** 2
    for g in range(grid.size):
        square, logs = fitted(day, x, z, first, last, grid[g], ridge, beta, cover)
        if not np.isnan(square):
            spread[g] = np.sqrt((worth * sd * sd + square) / (worth + n))
            log[g] = -(n + worth) * np.log(spread[g]) - 0.5 * logs + prior[g]
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    at, total = 0, 0.0
    for g in range(grid.size):
        total += weight[g]
        at = g
        if total >= caution:
            break
    fitted(day, x, z, first, last, grid[at], ridge, beta, cover)
    return float(grid[at]), float(spread[at])


@kernel
def change(
    day: FloatArray,
    x: FloatArray,
    z: FloatArray,
    first: int,
    last: int,
    phi: float,
    sd: float,
    worth: float,
    scale: FloatArray,
    before: int,
    after: int,
    window: float,
    found: FloatArray,
) -> None:
    """The most telling fall and rise of the level between values first and last - 1.

    found : t of the fall, its place, its size, the SE of the size, the same of the rise; beta of the column in place 1
        (the swing) without a change, and its SE. t is 0 where nothing could be looked at.
    """
    p = z.shape[1]
    found[:] = 0.0
    ridge, beta, cover = np.empty(p), np.empty(p), np.empty((p, p))
    for j in range(p):
        ridge[j] = (sd / scale[j]) ** 2
    square, _ = fitted(day, x, z, first, last, phi, ridge, beta, cover)
    if np.isnan(square):
        return
    n = last - first
    found[8] = beta[1] if p > 1 else 0.0
    found[9] = sd * np.sqrt(cover[1, 1]) if p > 1 else 0.0
    sums, own = np.zeros(p), np.empty(p)
    sum_x = sum_q = 0.0
    for i in range(last - 1, first, -1):
        rho = correlation(day, i, phi)
        root = np.sqrt(1.0 - rho * rho)
        value = (x[i] - rho * x[i - 1]) / root
        here, later = 1.0 / root, (1.0 - rho) / root
        # A change at i: what came later enters with `later`, value i itself with `here`.
        if i - first >= before and last - i >= after and day[last - 1] - day[i] <= window:
            dx, dd = sum_x + here * value, sum_q + here * here
            for j in range(p):
                own[j] = sums[j] + here * (z[i, j] - rho * z[i - 1, j]) / root
            top, bottom = dx, dd
            for j in range(p):
                top -= own[j] * beta[j]
                for k in range(p):
                    bottom -= own[j] * cover[j, k] * own[k]
            if bottom > 1e-9:
                gain = top * top / bottom
                spread = np.sqrt((worth * sd * sd + max(square - gain, 0.0)) / (worth + n))
                t = top / np.sqrt(bottom) / spread
                at = 0 if t < 0 else 4
                if abs(t) > found[at]:
                    found[at], found[at + 1] = abs(t), i
                    found[at + 2], found[at + 3] = top / bottom, spread / np.sqrt(bottom)
        sum_x += later * value
        sum_q += later * later
        for j in range(p):
            sums[j] += later * (z[i, j] - rho * z[i - 1, j]) / root


@borrower
def above(mean: float, error: float, bound: float) -> float:
    """P(a normal quantity > bound)."""
    if error <= 0.0:
        return 1.0 if mean > bound else 0.0
    return 0.5 * (1.0 - erf((bound - mean) / (error * np.sqrt(2.0))))


@kernel
def follow(
    day: FloatArray,
    x: FloatArray,
    z: FloatArray,
    cycle: IntArray,
    scale: FloatArray,
    grid: FloatArray,
    prior: FloatArray,
    sd: float,
    worth: float,
    rules: FloatArray,
    state: FloatArray,
    raised: IntArray,
) -> None:
    """The chart as it stands after each value, using only that value and earlier ones.

    cycle : number of the course before each value; z : column 0 ones, column 1 the cycle's shape, then learning
    state n × 10 : t of a fall, since which value, size, SE; swing, its SE, P(swing > SWING), persistence, SD, first value used
    raised n : FALL where the threshold is crossed at that value. The alarm is then on probation: BACK where the change is
        gone again (its t below RELEASE, or a rise within it above RECOVERED), SETTLED where it has held for SETTLE days and
        the chart begins again from the new level. RISE: the level rose, and the chart begins again from there without an
        alarm
    """
    n, p = z.shape
    state[:, :] = 0.0
    raised[:] = 0
    y = x.copy()
    beta, found = np.zeros(p), np.empty(10)
    start = 0
    again = -np.inf
    phi, spread = grid[0], sd
    known = pending = False
    since = 0.0
    lowest = 0
    back = np.empty(10)
    least = int(rules[BEFORE] + rules[AFTER])
    for i in range(n):
        while day[i] - day[start] > rules[REFERENCE]:
            start += 1
        state[i, 9] = start
        if known:
            middle = 0.0
            for j in range(p):
                middle += beta[j] * z[i, j]
            bound = rules[CLIP] * spread
            y[i] = middle + min(max(x[i] - middle, -bound), bound)
        if i - start + 1 < least:
            continue
        if day[i] >= again:
            stop = i + 1
            while stop > start and day[stop - 1] > day[i] - rules[GUARD]:
                stop -= 1
            if stop - start < rules[BEFORE]:
                stop = i + 1
            phi, spread = noise(day, y, z, start, stop, grid, prior, sd, worth, scale, rules[CAUTION], beta)
            known = True
            bound = rules[CLIP] * spread
            for k in range(start, i + 1):
                middle = 0.0
                for j in range(p):
                    middle += beta[j] * z[k, j]
                y[k] = middle + min(max(x[k] - middle, -bound), bound)
            again = day[i] + RELEARN
        change(
            day,
            y,
            z,
            start,
            i + 1,
            phi,
            spread,
            worth,
            scale,
            int(rules[BEFORE]),
            int(rules[AFTER]),
            rules[WINDOW],
            found,
        )
        state[i, 0], state[i, 1], state[i, 2], state[i, 3] = found[0], found[1], found[2], found[3]
        state[i, 4], state[i, 5] = found[8], found[9]
        state[i, 6] = above(found[8], found[9], rules[SWING]) if cycle[i] - cycle[start] >= rules[CYCLES] else 0.0
        state[i, 7], state[i, 8] = phi, spread
        if pending:
            # Back on the old level as a whole, or risen again from the fallen one.
            change(
                day,
                y,
                z,
                lowest,
                i + 1,
                phi,
                spread,
                worth,
                scale,
                int(rules[AFTER]),
                int(rules[AFTER]),
                rules[WINDOW],
                back,
            )
            if found[0] < rules[RELEASE] or back[4] > rules[RECOVERED]:
                raised[i] = BACK
                pending = False
            elif day[i] - since > rules[SETTLE]:
                raised[i] = SETTLED
                pending = False
                start = int(found[1])
                again = -np.inf
        elif found[0] > rules[THRESHOLD]:
            raised[i] = FALL
            pending = True
            since = day[i]
            lowest = int(found[1])
        elif found[4] > rules[THRESHOLD]:
            raised[i] = RISE
            start = int(found[5])
            again = -np.inf
