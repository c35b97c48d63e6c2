"""Directions in which the posterior is nearly Gaussian.

Data pin down how much strength the person's usual IgG buys, not C50 and the ceiling one by one: along a line on which C50 and
ceiling rise together nothing measurable changes, and in those coordinates the posterior is a banana. Seen as (usual effect,
usual strength) it is nearly an ellipse. So proposals are drawn there:

    X* = X at the optimum, averaged over the days of a measure, times clearance at the optimum / clearance
    E* = imax X* / (C50 + X*)                the usual effect, in place of imax (as logit)
    G* = level / (1 - E*)                    the usual strength, in place of level (as log)

Where the data say little about the effect (strength always taken at the same point of the cycle), the ceiling keeps its prior's
shape, and only the level is replaced. `Coordinates.choices` gives both; the sampler takes what works better.

X* is a rough stand-in. Where it does not suffice (few precise values, many measures), the level is replaced exactly: by the
mean log strength that the model itself predicts on the days of the measure, at the price of running the model twice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ranvier.estimation import kernels as K
from ranvier.estimation.nouns import FloatArray
from ranvier.estimation.objective import excess_at_observations
from ranvier.estimation.predict import mean_log_strength


@dataclass(frozen=True, slots=True)
class Coordinates:
    """The change of coordinates for one person and explanation.

    ceilings : (index of a free imax, X at the optimum averaged over its measure's days [g/L]); level stands before each
    log_clearance : at the optimum; effects : whether the usual effect takes the place of the ceiling
    exactly : (time line, belief) where the usual strength is the model's own, else None
    """

    compartments: int
    ceilings: tuple[tuple[int, float], ...]
    log_clearance: float
    effects: bool
    exactly: tuple[K.Timeline, K.Belief] | None = None

    @classmethod
    def choices(
        cls, timeline: K.Timeline, belief: K.Belief, optimum: FloatArray, *, exactly: bool = False
    ) -> tuple[Coordinates, ...]:
        """For this history: with the effect, and without; only one where there is nothing to turn."""
        free = set(belief.free.tolist())
        usual = excess_at_observations(optimum, timeline, belief)
        ceilings = []
        for m, i in enumerate(range(K.FIRST_MEASURE + 1, optimum.size, K.PER_MEASURE)):
            seen = usual[timeline.kind == m]
            if i in free and seen.size and seen.mean() > 0:
                ceilings.append((i, float(seen.mean())))
        both = (True, False) if ceilings else (False,)
        clearance = float(log_clearance(optimum[None], belief.compartments)[0])
        model = (timeline, belief) if exactly and ceilings else None
        return tuple(cls(belief.compartments, tuple(ceilings), clearance, e, model) for e in both)

    def _share(self, x: FloatArray, usual: float) -> FloatArray:
        """X* / (C50 + X*) per row; it reads only coordinates that do not change."""
        excess = usual * np.exp(self.log_clearance - log_clearance(x, self.compartments))
        return np.asarray(excess / (np.exp(x[:, K.C50]) + excess))

    def forward(self, x: FloatArray) -> FloatArray:
        """Parameters (N × P) to coordinates."""
        y = x.copy()
        for i, usual in self.ceilings:
            effect = self._share(x, usual) / (1.0 + np.exp(-x[:, i]))
            if self.exactly is None:
                y[:, i - 1] = x[:, i - 1] - np.log1p(-effect)
            if self.effects:
                y[:, i] = np.log(effect / (1.0 - effect))
        if self.exactly is not None:
            for (i, _), usual_log in zip(self.ceilings, self._predicted(x), strict=True):
                y[:, i - 1] = x[:, i - 1] + usual_log
        return y

    def _predicted(self, x: FloatArray) -> list[FloatArray]:
        """Mean log strength relative to the untreated level that the model predicts on each measure's days, per row."""
        assert self.exactly is not None
        timeline, belief = self.exactly
        means = mean_log_strength(x, timeline, belief)
        return [means[:, (i - K.FIRST_MEASURE - 1) // K.PER_MEASURE] for i, _ in self.ceilings]

    def backward(self, y: FloatArray) -> tuple[FloatArray, FloatArray, npt.NDArray[np.bool_]]:
        """Coordinates (N × P) to parameters, the log of the volume change d y / d x, and which rows have any parameters.

        An effect that even imax = 1 could not give belongs to no parameters.
        """
        x = y.copy()
        log_change = np.zeros(len(y))
        possible = np.ones(len(y), dtype=np.bool_)
        for i, usual in self.ceilings:
            share = self._share(y, usual)
            effect = 1.0 / (1.0 + np.exp(-y[:, i]))
            if not self.effects:  # the coordinate is the ceiling itself
                if self.exactly is None:
                    x[:, i - 1] = y[:, i - 1] + np.log1p(-effect * share)
                continue
            imax = effect / share
            fine = imax < 1.0 - 1e-9
            possible &= fine
            imax = np.where(fine, imax, 0.5)
            x[:, i] = np.log(imax / (1.0 - imax))
            if self.exactly is None:
                x[:, i - 1] = y[:, i - 1] + np.log1p(-np.minimum(effect, 1.0 - 1e-12))
            log_change += np.log1p(-imax) - np.log1p(-np.minimum(effect, 1.0 - 1e-12))
        if self.exactly is not None:
            # The level does not enter the relative strength, so it can be left where it is while that is predicted.
            for (i, _), usual_log in zip(self.ceilings, self._predicted(x), strict=True):
                x[:, i - 1] = y[:, i - 1] - usual_log
        return x, log_change, possible

    def slope(self, x: FloatArray, free: npt.NDArray[np.int64]) -> FloatArray:
        """Derivatives of y by x over the free parameters at one x (P), F × F, by central differences."""
        steps = np.zeros((free.size, x.size))
        steps[np.arange(free.size), free] = 1e-6
        return np.asarray((self.forward(x + steps) - self.forward(x - steps))[:, free].T / 2e-6)


def log_clearance(x: FloatArray, compartments: int) -> FloatArray:
    """Log of clearance, or of what is proportional to it, per row of parameters (N × P)."""
    return x[:, 0] + x[:, 1] if compartments == 1 else x[:, 0]
