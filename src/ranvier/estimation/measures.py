"""Strength as capacity, which always grows as strength grows, and what of it a bounded scale can show."""

from __future__ import annotations

import numpy as np

from ranvier.estimation.nouns import FloatArray, Measure


def visible(measure: Measure, capacity: FloatArray) -> FloatArray:
    """Capacity as far as the measure can show it: a scale ends at its best value."""
    return capacity if measure.top is None else np.minimum(capacity, measure.top)


def as_capacity(measure: Measure, value: float) -> float:
    """The other way round of `predict.as_value`: a value as people write it down to capacity."""
    return value if measure.sign > 0 or measure.top is None else measure.top - value
