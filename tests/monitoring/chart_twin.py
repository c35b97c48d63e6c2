"""The readable twin of the chart's kernel: every candidate change fitted by itself, with whole matrices."""

import numpy as np


def correlation_matrix(day, phi):
    """Correlation of the residuals, phi to the power of the days between them."""
    gap = np.maximum(np.abs(day[:, None] - day[None, :]), 0.0)
    return phi**gap


def step_statistics(day, x, z, phi, sd, worth, scale, before, after, window):
    """t, size and SE of a change of level at each value that may be one; generalised least squares, prior on z only."""
    n = x.size
    weight = np.linalg.inv(correlation_matrix(day, phi))
    ridge = np.diag((sd / scale) ** 2)
    plain = _rest(x, z, weight, ridge)
    found = {}
    for at in range(max(before, 1), n - after + 1):
        if day[-1] - day[at] > window:
            continue
        step = (np.arange(n) >= at).astype(float)
        wide = np.column_stack([z, step])
        penalty = np.zeros((z.shape[1] + 1,) * 2)
        penalty[:-1, :-1] = ridge
        a = wide.T @ weight @ wide + penalty
        beta = np.linalg.solve(a, wide.T @ weight @ x)
        variance = np.linalg.inv(a)[-1, -1]
        gain = beta[-1] ** 2 / variance
        spread = np.sqrt((worth * sd**2 + plain - gain) / (worth + n))
        found[at] = (beta[-1] / np.sqrt(variance) / spread, beta[-1], spread * np.sqrt(variance))
    return found


def _rest(x, z, weight, ridge):
    a = z.T @ weight @ z + ridge
    b = z.T @ weight @ x
    return x @ weight @ x - b @ np.linalg.solve(a, b)
