"""What a person with given parameters would have measured: expected values, and values with the model's own errors."""

from __future__ import annotations

import numpy as np

from ranvier.estimation import kernels as K
from ranvier.estimation.nouns import FloatArray
from ranvier.estimation.predict import run
from ranvier.estimation.states import at_beginning
from ranvier.kinetics.disposition import Doses


def expected(x: FloatArray, timeline: K.Timeline, belief: K.Belief) -> FloatArray:
    """What each observation should be, for each row of parameters (N × P): IgG [g/L] or capacity [its unit], N × O."""
    early = Doses(timeline.early_at, timeline.early_at, timeline.early_grams, timeline.early_channel)
    state = at_beginning(x, belief, timeline.begin, early)
    already = np.exp(-state.decline * timeline.begin)  # `run` counts decline from the beginning, the level from day 0
    excess, strength = run(
        state,
        timeline,
        timeline.at.size,
        modes=state.modes,
        relative=state.relative / already[:, None],
        decline=state.decline,
    )
    when = np.repeat(np.arange(timeline.at.size), np.diff(timeline.pointer))
    out = np.empty((len(x), timeline.kind.size))
    own = timeline.kind < 0
    out[:, own] = excess[:, when[own]] + state.theta[:, [K.OWN]]
    for m in range(state.imax.shape[1]):
        mine = timeline.kind == m
        level = state.theta[:, K.FIRST_MEASURE + K.PER_MEASURE * m] * already
        out[:, mine] = level[:, None] * strength[m][:, when[mine]]
    return out


def spread(x: FloatArray, timeline: K.Timeline, belief: K.Belief, f: FloatArray) -> FloatArray:
    """SD of a single value around its expected value f (N × O), for each row of parameters (N × P). [unit of the value]"""
    sd = np.hypot(belief.igg_proportional * f, belief.igg_add)
    for m, proportional in enumerate(belief.proportional):
        mine = timeline.kind == m
        noise = np.exp(x[:, [K.FIRST_MEASURE + K.PER_MEASURE * m + 2]])
        sd[:, mine] = np.hypot(noise * (f[:, mine] if proportional else 1.0), belief.add[m])
    return sd


def links(x: FloatArray, timeline: K.Timeline, belief: K.Belief) -> tuple[np.typing.NDArray[np.int64], FloatArray]:
    """For each observation the one of its series before it (-1: none), and the correlation of the two residuals (N × O).

    Residuals of strength follow each other as in `kernels.misfit`; those of IgG are independent.
    """
    when = np.repeat(timeline.at, np.diff(timeline.pointer))
    before = np.full(timeline.kind.size, -1, dtype=np.int64)
    rho = np.zeros((len(x), timeline.kind.size))
    for m in range(belief.proportional.size):
        mine = np.flatnonzero(timeline.kind == m)
        before[mine[1:]] = mine[:-1]
        gap = np.maximum(np.diff(when[mine]), K.SHORTEST_GAP)
        persistence = 1.0 / (1.0 + np.exp(-x[:, K.FIRST_MEASURE + K.PER_MEASURE * m + 3]))
        rho[:, mine[1:]] = persistence[:, None] ** gap
    return before, rho


def replicate(x: FloatArray, timeline: K.Timeline, belief: K.Belief, rng: np.random.Generator) -> FloatArray:
    """Values that people with the parameters x (N × P) would have measured, by the model's own residuals, N × O.

    A residual of ten SD can make a force negative; the model allows for it, so it is left as it is.
    """
    f = expected(x, timeline, belief)
    before, rho = links(x, timeline, belief)
    e = np.empty_like(f)
    for o, kind in enumerate(timeline.kind):
        z = innovations(belief.igg_tail if kind < 0 else belief.tail, len(x), rng)
        e[:, o] = z if before[o] < 0 else rho[:, o] * e[:, before[o]] + np.sqrt(1.0 - rho[:, o] ** 2) * z
    return f + spread(x, timeline, belief, f) * e


def innovations(tail: float, n: int, rng: np.random.Generator) -> FloatArray:
    """`n` draws of variance 1: Student's t with `tail` degrees of freedom, or Gaussian where `tail` is 0."""
    if tail > 0.0:
        return np.asarray(rng.standard_t(tail, n) * np.sqrt((tail - 2.0) / tail))
    return rng.standard_normal(n)
