"""Invented diaries with a truth we know: noise with persistence, a swing within the cycle, a fall on a day."""

from datetime import date

import numpy as np

from ranvier.estimation.courses import InForce
from ranvier.evidence import load
from ranvier.monitoring.change import followed, shape_of

K = load()
AUGUST = date(2025, 8, 4)


def in_force(interval=28.0, grams=80.0):
    """A steady intravenous regimen."""
    return InForce("Kiovig", "IV", (grams,), interval, AUGUST, None, (grams,), 12, 6)


def residuals(rng, n, phi, sd, tail=5):
    """AR(1) residuals with Student's t innovations of variance 1 (tail 0: Gaussian)."""
    z = rng.standard_t(tail, n) / np.sqrt(tail / (tail - 2)) if tail else rng.standard_normal(n)
    e = np.empty(n)
    e[0] = z[0]
    for i in range(1, n):
        e[i] = phi * e[i - 1] + np.sqrt(1 - phi**2) * z[i]
    return sd * e


def diary(rng, *, days=365, phi=0.3, sd=0.08, swing=0.0, fall=0.0, at=None, missed=0.1, interval=28, learning=0.05,
          decline=0.02, tail=5, shape=None):  # fmt: skip
    """Days, logarithms, shape of the cycle and course number of one hand; a fall of `fall` from day `at` on."""
    day = np.arange(float(days))
    truth = shape_of(in_force(float(interval)), K) if shape is None else shape
    within = np.interp(day % interval, np.arange(truth.size) / 2, truth)
    log = np.log(20.0) - np.log1p(-swing) * within - learning * np.exp(-day / 10) - decline * day / 365
    log += residuals(rng, days, phi, sd, tail)
    if at is not None:
        log += np.log1p(-fall) * (day >= at)
    kept = rng.random(days) >= missed
    known = shape_of(in_force(float(interval)), K)
    column = np.interp(day % interval, np.arange(known.size) / 2, known)
    return day[kept], log[kept], column[kept], (day[kept] // interval).astype(np.int64)


def chart(days_logs_shapes_cycles):
    """The chart's states and alarms for a diary."""
    return followed(*days_logs_shapes_cycles, K)
