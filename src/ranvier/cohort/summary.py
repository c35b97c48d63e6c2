"""Outcomes of a cohort in figures that a stream of people adds up to: mean, its Monte-Carlo error, spread."""

from __future__ import annotations

import math

import numpy as np

from ranvier.ground.work import Result

NOT_SHOWN = ("person", "weight", "level", "floor")


class Running:
    """Means and spreads of columns, added up as the rows come (Chan's update); nothing is kept of the rows."""

    def __init__(self) -> None:
        self.n = 0
        self.mean: dict[str, float] = {}
        self.square: dict[str, float] = {}

    def add(self, rows: Result) -> None:
        """Some more people."""
        count = len(next(iter(rows.values())))
        for name, values in rows.items():
            x = np.asarray(values, dtype=np.float64)
            mean, square = float(x.mean()), float(((x - x.mean()) ** 2).sum())
            old, before = self.mean.get(name, 0.0), self.square.get(name, 0.0)
            apart = mean - old
            self.mean[name] = old + apart * count / (self.n + count)
            self.square[name] = before + square + apart**2 * self.n * count / (self.n + count)
        self.n += count

    def done(self) -> dict[str, dict[str, float]]:
        """Mean, standard error of the mean, SD between people, by outcome."""
        return {
            name: {
                "mean": self.mean[name],
                "se": math.sqrt(self.square[name] / max(self.n - 1, 1) / self.n),
                "sd": math.sqrt(self.square[name] / max(self.n - 1, 1)),
            }
            for name in self.mean
            if name not in NOT_SHOWN
        }
