"""What regimen hands up: the options side by side."""

from __future__ import annotations

from dataclasses import dataclass

from ranvier.estimation.nouns import FloatArray
from ranvier.ground.findings import Finding


@dataclass(frozen=True, slots=True)
class Regimen:
    """A repeated course: `grams` in whole `vials` ((size [g], count), …), over `days` consecutive days, each `interval_days`."""

    product: str
    route: str
    grams: float
    vials: tuple[tuple[float, int], ...]
    days: int
    interval_days: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """Quantiles over draws of underlying strength; days from `at`."""

    measure: str
    unit: str
    days: FloatArray
    q05: FloatArray
    q25: FloatArray
    median: FloatArray
    q75: FloatArray
    q95: FloatArray


@dataclass(frozen=True, slots=True)
class Option:
    """One thing we could do, and what it would do.

    Strength figures are of the last full cycle within the horizon, on the primary measure, in its unit. `p_above_floor` is
    P(underlying strength stays above the floor all that cycle), None without a floor.
    action : no_change | reduce | longer_interval | increase | shorter_interval | change_both | switch_route
    loss, loss_se : posterior expected loss and its Monte-Carlo standard error
    tie : within Monte-Carlo error of the best
    """

    id: str
    action: str
    regimen: Regimen
    grams_per_week: float
    grams_per_kg: float | None
    visits_per_year: float
    trough: float
    trough_q05: float
    trough_q95: float
    mean: float
    mean_q05: float
    mean_q95: float
    peak: float
    peak_q05: float
    peak_q95: float
    p_above_floor: float | None
    loss: float
    loss_se: float
    tie: bool
    proposed: bool
    because: tuple[Finding, ...]
    limited_by: tuple[Finding, ...]
    forecasts: tuple[Forecast, ...]  # one per measure, primary first


@dataclass(frozen=True, slots=True)
class Proposal:
    """All options laid side by side. refusal: why nothing is proposed, if so."""

    current: Regimen | None
    options: tuple[Option, ...]
    refusal: tuple[Finding, ...]
    weights: tuple[tuple[str, float], ...]  # of the expected loss, as used
    findings: tuple[Finding, ...]
