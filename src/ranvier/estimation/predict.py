"""From posterior draws to what strength will do under doses to come."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

import numpy as np

from ranvier.estimation import kernels as K
from ranvier.estimation.nouns import Draws, FloatArray, Measure
from ranvier.estimation.states import States, at_beginning
from ranvier.ground.work import threads
from ranvier.kinetics.disposition import Doses
from ranvier.response import kernels
from ranvier.response.turnover import Schedule, schedule

FutureDoses = Doses
"""Doses to come: start and stop in days from `at`, grams, channel (0 IV, 1 SC, 2 fSCIg)."""

_CHUNK = 128  # draws a thread takes at a time

VANISHED = 1e-12  # relative strength that counts as the least there is


@dataclass(frozen=True, slots=True)
class Prediction:
    """Along T times: excess n × T [g/L]; capacity m × n × T, in the unit of each measure, without session noise."""

    excess: FloatArray
    capacity: FloatArray


@cache
def workers() -> ThreadPoolExecutor:
    """Threads for the kernels, one per core (one where units of work share the cores); results do not depend on their number."""
    return ThreadPoolExecutor(max_workers=threads(), thread_name_prefix="ranvier")


def run(
    draws: Draws | States,
    steps: Schedule | K.Timeline,
    n_times: int,
    *,
    modes: FloatArray,
    relative: FloatArray,
    decline: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Move all rows along a schedule, from given mode amplitudes (n × 3) and relative strengths (n × m).

    Returns IgG excess n × T [g/L] and relative strength m × n × T [1].
    """
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

    if n <= _CHUNK:
        part(0)  # handing it to a thread would take longer
    else:
        list(workers().map(part, range(0, n, _CHUNK)))
    return excess, strength


def predict(draws: Draws, doses: FutureDoses, days: FloatArray) -> Prediction:
    """IgG excess and strength from the state at `at`, at increasing `days` (>= 0) after it, under `doses` to come.

    A dose at the very time of an output counts after it: a value on the day of an infusion is the value before it.
    """
    steps = schedule(doses, days, begin=0.0)
    return _with_levels(draws, steps, len(days), draws.modes, draws.relative, draws.decline)


def _with_levels(
    draws: Draws, steps: Schedule, n_times: int, modes: FloatArray, relative: FloatArray, decline: FloatArray
) -> Prediction:
    excess, strength = run(draws, steps, n_times, modes=modes, relative=relative, decline=decline)
    strength *= draws.level.T[:, :, None]  # in place: these arrays are large, and this is done for every option
    return Prediction(excess, strength)


def cycle(draws: Draws, doses: FutureDoses, interval: float, days: FloatArray) -> Prediction:
    """The cycle that repeats itself after many repetitions, at `days` from its start (>= 0); decline is left out.

    Days beyond `interval` show what happens when the next course is missing.

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
    from_zero = run(draws, ends, 1, modes=start, relative=0.0 * ones, decline=none)[1][:, :, 0].T
    from_one = run(draws, ends, 1, modes=start, relative=ones, decline=none)[1][:, :, 0].T
    repeats = from_zero / (1.0 - (from_one - from_zero))
    steps = schedule(doses, days, begin=0.0)
    return _with_levels(draws, steps, len(days), start, repeats, none)


def _over(rate: FloatArray, length: float) -> FloatArray:
    """(1 - exp(-rate length)) / rate, and its limit `length` where a mode is unused."""
    return np.where(rate > 0, -np.expm1(-rate * length) / np.where(rate > 0, rate, 1.0), length)


def mean_log_strength(x: FloatArray, timeline: K.Timeline, belief: K.Belief) -> FloatArray:
    """Mean log relative strength on the days of each measure, for each row of parameters (N × P): N × m.

    The level itself takes no part. Decline counts from day 0. Strength that has all but vanished counts as `VANISHED`: it is
    one plus a gain near -1, and the error of the steps decides on its sign.
    """
    early = Doses(timeline.early_at, timeline.early_at, timeline.early_grams, timeline.early_channel)
    state = at_beginning(x, belief, timeline.begin, early)
    times, measures = timeline.at.size, state.imax.shape[1]
    # `run` counts decline from the beginning, this function from day 0.
    _, strength = run(state, timeline, times, modes=state.modes, relative=state.relative, decline=state.decline)
    already = -state.decline * timeline.begin
    when = np.repeat(np.arange(times), np.diff(timeline.pointer))
    means = np.zeros((len(x), measures))
    for m in range(measures):
        own = when[timeline.kind == m]
        if own.size:
            means[:, m] = np.mean(np.log(np.maximum(strength[m][:, own], VANISHED)), axis=1) + already
    return means


def as_value(measure: Measure, capacity: FloatArray) -> FloatArray:
    """Capacity to the value that people write down: scales where more is worse count down from `top`; bounds hold."""
    if measure.top is None:
        return np.asarray(capacity)
    return np.minimum(capacity, measure.top) if measure.sign > 0 else measure.top - np.minimum(capacity, measure.top)
