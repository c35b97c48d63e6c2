"""From the fraction of a muscle's fibres that still work to the grade that an examiner writes down.

The table of likelihood.yaml gives P(grade) at a few fractions. Between them, the probit of P(grade >= g) is a straight
line in the log of the fraction; between whole grades, the probit is a straight line too. So 4-, 4 and 4+ come from one
scale, and an examiner who writes only whole grades is read as meaning the whole grade.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from ranvier.anatomy.nouns import GRADES, Likelihood

Floats = NDArray[np.float64]

# From where to where each way of writing reaches on the scale of grades; 6 stands for "no upper end".
BANDS: Mapping[str, tuple[float, float]] = {
    "0": (0, 1), "0+": (0.5, 1), "1-": (0.67, 1.33), "1": (1, 2), "1+": (1.5, 2), "2-": (1.67, 2.33), "2": (2, 3),
    "2+": (2.5, 3), "3-": (2.67, 3.33), "3": (3, 4), "3+": (3.5, 4), "4-": (3.75, 4.33), "4": (4, 5), "4+": (4.5, 5),
    "5-": (4.75, 5), "5": (5, 6),
}  # fmt: skip
WHOLE = ("0", "1", "2", "3", "4", "5")
BARELY = 0.15  # share of full grades that a more careful examiner would have called 5-
CERTAIN = 1e-4  # a probability of the table is kept this far from 0 and 1
NOTHING_LEFT = math.log(1e-3)  # where on the log scale total loss stands
GRID = np.linspace(0.0, -NOTHING_LEFT, 181)  # loss, -log fraction, finer than any grade can tell

GRADE_INDEX: Mapping[str, int] = {grade: i for i, grade in enumerate(GRADES)}


def loss_of(fraction: Floats) -> Floats:
    """-log of the surviving fraction [nat]; total loss stands at the end of the grid."""
    return np.asarray(-np.log(np.maximum(fraction, 1e-3)))


def grades_at_loss(likelihood: Likelihood, loss: Floats) -> Floats:
    """P(grade as written | loss), for every way of writing: shape (16 grades, *loss.shape).

    Whole grades sum to 1. Finer grades overlap with them, since it is not known who writes how finely; only ratios
    between losses count. A share `lapse` of grades is a slip and says nothing.
    """
    rows = sorted(likelihood.emission, reverse=True)
    at = np.array([-math.log(left) if left > 0 else -NOTHING_LEFT for left, _ in rows])
    table = np.array([grades for _, grades in rows])
    table = table / table.sum(axis=1, keepdims=True)
    at_least = np.clip(np.cumsum(table[:, ::-1], axis=1)[:, ::-1], CERTAIN, 1 - CERTAIN)
    probits = np.stack([np.interp(loss, at, ndtri(at_least[:, g])) for g in range(6)])

    def above(grade: float) -> Floats:
        """P(strength >= `grade`) on the continuous scale."""
        if grade <= 0:
            return np.ones_like(loss)
        if grade >= 6:
            return np.zeros_like(loss)
        low = int(grade)
        low_probit = probits[low] if low > 0 else np.full_like(loss, ndtri(1 - CERTAIN))
        if grade == low:
            return np.asarray(ndtr(low_probit))
        return np.asarray(ndtr(low_probit + (grade - low) * (probits[low + 1] - low_probit)))

    lapse = likelihood.numbers["lapse"]
    found = []
    for grade in GRADES:
        low, high = BANDS[grade]
        share = np.maximum(above(low) - above(high), 0.0)
        if grade == "5-":
            share = share + BARELY * above(5)
        found.append((1 - lapse) * share + lapse * (high - low) / 6)
    return np.stack(found)


def level_grades(likelihood: Likelihood) -> Floats:
    """P(grade as written | level of loss): shape (16 grades, levels)."""
    return grades_at_loss(likelihood, loss_of(np.array(likelihood.levels)))


def curve(likelihood: Likelihood, explanation: str) -> Floats:
    """P(grade as written | loss that the explanation foresees), scatter summed out: shape (16 grades, GRID)."""
    pairs = likelihood.scatter[explanation]
    return np.asarray(
        sum(weight * grades_at_loss(likelihood, np.minimum(GRID * factor, GRID[-1])) for factor, weight in pairs)
    )


def on_grid(loss: Floats) -> NDArray[np.intp]:
    """Index of the nearest point of GRID."""
    step = GRID[1] - GRID[0]
    return np.asarray(np.clip(np.rint(loss / step), 0, len(GRID) - 1).astype(np.intp))


def own_branch(likelihood: Likelihood, own: float) -> tuple[Floats, Floats]:
    """P(level of the muscle | level of the nerve above it): without, and jointly with, a lesion of its own branch.

    Both have shape (levels, levels), rows are the nerve; their sum has rows that sum to 1. A muscle may escape a
    lesion above it, or be one level weaker or stronger; with probability `own`, its own branch is lesioned in addition.
    """
    n, numbers = len(likelihood.levels), likelihood.numbers
    spared, neighbour = numbers["spared_fascicle"], numbers["neighbour_level"]
    scatter = np.eye(n)
    for level in range(1, n):
        scatter[level] = 0.0
        scatter[level, level] += 1 - spared - 2 * neighbour
        scatter[level, 0] += spared
        scatter[level, level - 1] += neighbour
        scatter[level, min(level + 1, n - 1)] += neighbour
    lesion = sum(s.share * np.eye(n)[np.minimum(np.arange(n) + s.level, n - 1)] for s in likelihood.severities)
    return (1 - own) * scatter, own * (scatter @ lesion)
