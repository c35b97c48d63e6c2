"""What a candidate would do: strength from today on by draw, its last full cycle, and the loss."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from ranvier.estimation.courses import InForce, planned
from ranvier.estimation.measures import as_capacity, visible
from ranvier.estimation.nouns import FloatArray, Posterior
from ranvier.estimation.predict import Prediction, as_value, predict
from ranvier.regimen.candidates import Candidate
from ranvier.regimen.nouns import Forecast

YEAR = 365.25  # [d]
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
HOME = ("SC", "fSCIg")  # given at home: no visit


@dataclass(frozen=True, slots=True)
class Plan:
    """A candidate laid on the calendar, in days from today: its first dose, and the cycle that is judged."""

    candidate: Candidate
    first: int
    cycle_from: int
    cycle_to: int
    horizon: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """Capacity of the primary measure in the cycle that is judged, by draw (n).

    capacity : of all measures, by draw and day from today (m × n × T); excess : of IgG, by draw and day (n × T) [g/L]
    below : whether it touches the floor
    visits : infusion days a year that need a visit; loss : n
    """

    plan: Plan
    capacity: FloatArray
    excess: FloatArray
    trough: FloatArray
    mean: FloatArray
    peak: FloatArray
    below: npt.NDArray[np.bool_]
    visits: float
    parts: Mapping[str, FloatArray]
    loss: FloatArray


def laid_out(candidate: Candidate, current: InForce | None, at: date, horizon: int) -> Plan:
    """The next course comes one new interval after the last one, or today if that day has passed."""
    every = candidate.regimen.interval_days
    first = 0
    if current is not None:
        due = current.last + timedelta(days=every)
        first = max((due - at).days, 0)
    whole = max((horizon - first) // every, 1)
    end = first + whole * every
    return Plan(candidate, first, end - every, end, horizon)


def run(posterior: Posterior, plan: Plan, length: float | None) -> Prediction:
    """Strength by day from today, as far as the horizon and the cycle that is judged."""
    regimen, daily = plan.candidate.regimen, plan.candidate.daily
    days = np.arange(0.0, max(plan.horizon, plan.cycle_to) + 1.0)
    until = days[-1] if daily else 0.0
    each = daily if daily else (0.0,)
    route = regimen.route if daily else "IV"
    interval = float(regimen.interval_days)
    doses = planned(each, interval, route, first=float(plan.first), until=until, length=length)
    return predict(posterior.draws, doses, days)


def outcome(
    posterior: Posterior,
    plan: Plan,
    prediction: Prediction,
    *,
    floor: float | None,
    weights: Mapping[str, float],
    course_per_kg: float | None,
    burden_from: float,
    steps: tuple[float, float],
    other_route: bool,
) -> Outcome:
    """The judged cycle and the expected loss.

    floor : on the primary measure, in its unit; course_per_kg : grams per kg of one course, None without a weight
    burden_from : grams per kg beyond which a single course is a burden; steps : |ln| of the ratios of dose and interval
    other_route : whether the route changes; weights : loss per unit of each quantity

    Raises
    ------
    ValueError : a weight names no quantity.
    """
    measure = posterior.measures[posterior.primary]
    capacity = visible(measure, prediction.capacity[posterior.primary])[:, plan.cycle_from : plan.cycle_to + 1]
    trough, mean, peak = capacity.min(axis=1), capacity.mean(axis=1), capacity.max(axis=1)
    level = None if floor is None else as_capacity(measure, floor)
    if level is None:
        below, time_below, shortfall = (
            np.zeros(trough.size, dtype=np.bool_),
            np.zeros(trough.size),
            np.zeros(trough.size),
        )
    else:
        below, time_below = trough < level, (capacity < level).mean(axis=1)
        shortfall = np.maximum(level - capacity, 0.0).mean(axis=1) / max(abs(level), 1e-9)
    visits = visits_per_year(plan.candidate)
    n = np.ones(trough.size)
    quantities = {
        "grams_per_week": plan.candidate.grams_per_week * n,
        "below_floor": below.astype(np.float64),
        "time_below": time_below,
        "shortfall": shortfall,
        "visits_per_year": visits * n,
        "step": sum(steps) * n,
        "route": float(other_route) * n,
        "peak": max((course_per_kg or 0.0) - burden_from, 0.0) * n,
    }
    unknown = weights.keys() - quantities.keys()
    if unknown:
        raise ValueError(f"no quantity for the weights {sorted(unknown)}; there are {sorted(quantities)}")
    parts = {name: weights[name] * quantities[name] for name in quantities if name in weights}
    return Outcome(
        plan,
        prediction.capacity,
        prediction.excess,
        trough,
        mean,
        peak,
        below,
        visits,
        parts,
        np.sum(list(parts.values()), axis=0),
    )


def step_sizes(candidate: Candidate, current: InForce | None) -> tuple[float, float]:
    """|ln| of the ratios of dose and of interval to the present ones; of weekly grams alone where the route changes."""
    regimen = candidate.regimen
    if current is None or regimen.grams == 0:
        return (0.0, 0.0)
    if regimen.route != current.route:
        return (abs(math.log(candidate.grams_per_week / current.grams_per_week)), 0.0)
    interval = max(round(current.interval_days), 1)
    return (abs(math.log(regimen.grams / current.grams)), abs(math.log(regimen.interval_days / interval)))


def visits_per_year(candidate: Candidate) -> float:
    """Infusion days a year; none where the dose is given at home."""
    regimen = candidate.regimen
    if regimen.grams == 0 or regimen.route in HOME:
        return 0.0
    return regimen.days * YEAR / regimen.interval_days


def forecasts(posterior: Posterior, capacity: FloatArray, horizon: int) -> tuple[Forecast, ...]:
    """Quantiles by day over the draws, for each measure, the primary one first."""
    order = sorted(range(len(posterior.measures)), key=lambda i: i != posterior.primary)
    days = np.arange(0.0, horizon + 1.0)
    made = []
    for i in order:
        measure = posterior.measures[i]
        values = as_value(measure, capacity[i][:, : days.size])
        q05, q25, median, q75, q95 = quantiles(values)
        made.append(Forecast(measure.id, measure.unit, days, q05, q25, median, q75, q95))
    return tuple(made)


def quantiles(values: FloatArray) -> FloatArray:
    """The five quantiles over the draws (rows) for each column: 5 × columns, linearly interpolated order statistics."""
    ordered = np.sort(np.ascontiguousarray(values.T), axis=1)
    place = np.array(QUANTILES) * (ordered.shape[1] - 1)
    low = np.floor(place).astype(np.int64)
    high = np.minimum(low + 1, ordered.shape[1] - 1)
    part = place - low
    return np.ascontiguousarray((ordered[:, low] * (1.0 - part) + ordered[:, high] * part).T)
