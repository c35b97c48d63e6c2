"""From rows of parameters to the state a person is in when the model begins, ready to be moved along a schedule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ranvier.estimation import kernels as K
from ranvier.estimation.nouns import FloatArray
from ranvier.estimation.objective import natural_values
from ranvier.kinetics.disposition import Doses
from ranvier.kinetics.kernels import CHANNELS, MODES, PAST, PK, disposition


@dataclass(frozen=True, slots=True)
class States:
    """n rows, m measures. theta n × P: natural parameters; rate n × 3 [1/d]; coefficient n × 3 × 3 (channel, mode) [1/L];
    modes n × 3 [g/L] and relative n × m [1] at the beginning; c50 [g/L], kout [1/d], decline [1/d] n; imax n × m.
    """

    theta: FloatArray
    rate: FloatArray
    coefficient: FloatArray
    modes: FloatArray
    relative: FloatArray
    c50: FloatArray
    kout: FloatArray
    decline: FloatArray
    imax: FloatArray


def at_beginning(x: FloatArray, belief: K.Belief, begin: float, early: Doses) -> States:
    """The state at `begin` [d] for each row of x (n × P): `early` doses still act, strength is in balance with their IgG."""
    theta = natural_values(x, belief)
    n = len(x)
    rate, coefficient = np.empty((n, MODES)), np.empty((n, CHANNELS, MODES))
    d_rate, d_coefficient = np.empty((MODES, PK)), np.empty((CHANNELS, MODES, PK))
    for i in range(n):
        disposition(belief.compartments, theta[i, :PK], rate[i], coefficient[i], d_rate, d_coefficient)
    modes = coefficient[:, PAST, :].copy()
    for at, grams, channel in zip(early.start, early.grams, early.channel, strict=True):
        modes += grams * coefficient[:, channel, :] * np.exp(-rate * (begin - at))
    c50 = theta[:, K.C50]
    imax = theta[:, K.FIRST_MEASURE + 1 :: K.PER_MEASURE] * belief.responds
    excess = modes.sum(axis=1)
    return States(
        theta=theta,
        rate=rate,
        coefficient=np.ascontiguousarray(coefficient[:, :3, :]),
        modes=modes,
        relative=1.0 / (1.0 - imax * (excess / (c50 + excess))[:, None]),
        c50=np.ascontiguousarray(c50),
        kout=np.ascontiguousarray(theta[:, K.KOUT]),
        decline=theta[:, K.DECLINE] / K.YEAR,
        imax=np.ascontiguousarray(imax),
    )


def joined(parts: list[States], order: np.typing.NDArray[np.int64]) -> States:
    """Several sets of rows as one, in the given order."""
    return States(
        **{
            name: np.ascontiguousarray(np.concatenate([getattr(part, name) for part in parts])[order])
            for name in States.__slots__
        }
    )
