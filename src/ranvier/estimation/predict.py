"""From posterior draws to what strength will do under doses to come."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

import numpy as np

from ranvier.estimation.nouns import Draws, FloatArray, Measure
from ranvier.kinetics.disposition import Doses
from ranvier.response import kernels
from ranvier.response.turnover import Schedule, schedule

FutureDoses = Doses
"""Doses to come: start and stop in days from `at`, grams, channel (0 IV, 1 SC, 2 fSCIg)."""

_CHUNK = 128  # draws a thread takes at a time


@dataclass(frozen=True, slots=True)
class Prediction:
    """Along T times: excess n × T [g/L]; capacity m × n × T, in the unit of each measure, without session noise."""

    excess: FloatArray
    capacity: FloatArray


@cache
def workers() -> ThreadPoolExecutor:
    """Threads for the kernels, one per core; results do not depend on their number."""
    return ThreadPoolExecutor(max_workers=os.cpu_count() or 1, thread_name_prefix="ranvier")


def run(
    draws: Draws,
    steps: Schedule,
    n_times: int,
    *,
    modes: FloatArray,
    relative: FloatArray,
    decline: FloatArray,
) -> Prediction:
    """Move all draws along a schedule, from given mode amplitudes (n × 3) and relative strengths (n × m)."""
    n, m = draws.imax.shape
    excess, strength = np.empty((n, n_times)), np.empty((m, n, n_times))

    def part(first: int) -> None:
        kernels.paths(
            draws.rate,
            draws.coefficient,
            modes,
            draws.c50,
            draws.kout,
            decline,
            draws.imax,
            relative,
            steps.length,
            steps.inflow,
            steps.bolus,
            steps.slot,
            first,
            min(first + _CHUNK, n),
            excess,
            strength,
        )

    list(workers().map(part, range(0, n, _CHUNK)))
    return Prediction(excess, strength * draws.level.T[:, :, None])


def predict(draws: Draws, doses: FutureDoses, days: FloatArray) -> Prediction:
    """IgG excess and strength from the state at `at`, at increasing `days` (>= 0) after it, under `doses` to come.

    A dose at the very time of an output counts after it: a value on the day of an infusion is the value before it.
    """
    steps = schedule(doses, days, begin=0.0)
    return run(draws, steps, len(days), modes=draws.modes, relative=draws.relative, decline=draws.decline)


def cycle(draws: Draws, doses: FutureDoses, interval: float, days: FloatArray) -> Prediction:
    """The cycle that repeats itself after many repetitions, at `days` within [0, interval]; decline is left out.

    `doses` are those of one cycle, starting within [0, interval). The modes at the start of the cycle are a geometric
    series. Strength at the end of a cycle is a straight line in strength at its start, so the start that repeats
    itself follows from two runs.
    """
    start = np.zeros_like(draws.modes)
    for channel, begin, stop, grams in zip(doses.channel, doses.start, doses.stop, doses.grams, strict=True):
        length = stop - begin
        given = grams if length == 0 else grams / length * _over(draws.rate, length)
        left = np.exp(-draws.rate * (interval - stop))
        repeated = -np.expm1(-draws.rate * interval)
        start += draws.coefficient[:, channel, :] * given * left / np.where(repeated > 0, repeated, 1.0)
    none = np.zeros_like(draws.decline)
    ends = schedule(doses, np.array([interval]), begin=0.0)
    ones = np.ones_like(draws.relative)
    from_zero = run(draws, ends, 1, modes=start, relative=0.0 * ones, decline=none).capacity[:, :, 0].T / draws.level
    from_one = run(draws, ends, 1, modes=start, relative=ones, decline=none).capacity[:, :, 0].T / draws.level
    repeats = from_zero / (1.0 - (from_one - from_zero))
    steps = schedule(doses, days, begin=0.0)
    return run(draws, steps, len(days), modes=start, relative=repeats, decline=none)


def _over(rate: FloatArray, length: float) -> FloatArray:
    """(1 - exp(-rate length)) / rate, and its limit `length` where a mode is unused."""
    return np.where(rate > 0, -np.expm1(-rate * length) / np.where(rate > 0, rate, 1.0), length)


def as_value(measure: Measure, capacity: FloatArray) -> FloatArray:
    """Capacity to the value that people write down: scales where more is worse count down from `top`; bounds hold."""
    if measure.top is None:
        return np.asarray(capacity)
    return np.minimum(capacity, measure.top) if measure.sign > 0 else measure.top - np.minimum(capacity, measure.top)
