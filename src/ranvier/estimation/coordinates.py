"""Directions in which the posterior is nearly Gaussian.

Data pin down how much strength the person's usual IgG buys, not C50 and the ceiling one by one: along a line on which C50 and
ceiling rise together nothing measurable changes, and in those coordinates the posterior is a banana. Seen as (usual effect,
usual strength) it is nearly an ellipse. So proposals are drawn there:

    X* = grams per day / clearance           the person's average IgG excess
    E* = imax X* / (C50 + X*)                the usual effect, in place of imax (as logit)
    G* = level / (1 - E*)                    the usual strength, in place of level (as log)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ranvier.estimation import kernels as K
from ranvier.estimation.nouns import FloatArray


@dataclass(frozen=True, slots=True)
class Coordinates:
    """The change of coordinates for one person and explanation. grams_per_day 0, or nothing to turn: none is made."""

    compartments: int
    grams_per_day: float
    ceilings: tuple[int, ...]  # indices of the free imax; level stands before each

    @classmethod
    def of(cls, timeline: K.Timeline, belief: K.Belief) -> Coordinates:
        """For this history: average dose over its span, and the ceilings that are estimated."""
        grams = float(np.sum(timeline.inflow * timeline.length[:, None]) + np.sum(timeline.bolus))
        span = float(np.sum(timeline.length))
        free = set(belief.free.tolist())
        ceilings = tuple(i for i in range(K.FIRST_MEASURE + 1, belief.centre.size, K.PER_MEASURE) if i in free)
        return cls(belief.compartments, grams / span if span > 0 else 0.0, ceilings)

    def _share(self, x: FloatArray) -> FloatArray:
        """X* / (C50 + X*) per row; it reads only coordinates that do not change."""
        clearance = np.exp(x[:, 0] + x[:, 1]) if self.compartments == 1 else np.exp(x[:, 0])
        usual = self.grams_per_day / clearance
        return np.asarray(usual / (np.exp(x[:, K.C50]) + usual))

    def forward(self, x: FloatArray) -> FloatArray:
        """Parameters (N × P) to coordinates."""
        y = x.copy()
        if self.grams_per_day > 0:
            share = self._share(x)
            for i in self.ceilings:
                effect = share / (1.0 + np.exp(-x[:, i]))
                y[:, i] = np.log(effect / (1.0 - effect))
                y[:, i - 1] = x[:, i - 1] - np.log1p(-effect)
        return y

    def backward(self, y: FloatArray) -> tuple[FloatArray, FloatArray, npt.NDArray[np.bool_]]:
        """Coordinates (N × P) to parameters, the log of the volume change d y / d x, and which rows have any parameters.

        An effect that even imax = 1 could not give belongs to no parameters.
        """
        x = y.copy()
        log_change = np.zeros(len(y))
        possible = np.ones(len(y), dtype=np.bool_)
        if self.grams_per_day > 0:
            share = self._share(y)
            for i in self.ceilings:
                effect = 1.0 / (1.0 + np.exp(-y[:, i]))
                imax = effect / share
                fine = imax < 1.0 - 1e-9
                possible &= fine
                imax = np.where(fine, imax, 0.5)
                x[:, i] = np.log(imax / (1.0 - imax))
                x[:, i - 1] = y[:, i - 1] + np.log1p(-np.minimum(effect, 1.0 - 1e-12))
                log_change += np.log1p(-imax) - np.log1p(-np.minimum(effect, 1.0 - 1e-12))
        return x, log_change, possible

    def slope(self, x: FloatArray, free: npt.NDArray[np.int64]) -> FloatArray:
        """D y / d x over the free parameters at one x (P), F × F, by central differences."""
        steps = np.zeros((free.size, x.size))
        steps[np.arange(free.size), free] = 1e-6
        return np.asarray((self.forward(x + steps) - self.forward(x - steps))[:, free].T / 2e-6)
