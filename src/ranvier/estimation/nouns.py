"""What estimation hands up: this person's posterior, on what it stands, and how well it fits."""

from __future__ import annotations

import enum
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ranvier.ground.findings import Finding

FloatArray = npt.NDArray[np.float64]


class Basis(enum.Enum):
    """On what a prediction stands."""

    POPULATION = "population"  # typical adult of the study
    COVARIATES = "covariates"  # adjusted for this person's weight
    MEASURED = "measured"  # fitted to this person's own measurements


@dataclass(frozen=True, slots=True)
class Parameter:
    """Posterior of one parameter beside its prior. information = 1 - posterior variance / prior variance (estimation scale)."""

    name: str
    unit: str
    median: float
    q05: float
    q95: float
    prior_median: float
    information: float


@dataclass(frozen=True, slots=True)
class Measure:
    """One strength series as the model sees it.

    sign, top : capacity = value (sign +1) or top - value (sign -1, scales where more is worse); ceiling = best possible value
    """

    id: str
    measure: str
    side: str | None
    device: str | None
    unit: str
    n: int
    sign: int = 1
    top: float | None = None
    floor: float | None = None  # the person's own, in the series' unit


@dataclass(frozen=True, slots=True)
class Series:
    """Points of one series against days from the first fact; `used` marks those the fit used."""

    id: str
    unit: str
    days: FloatArray
    values: FloatArray
    used: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """How the computation went. Nothing here is hidden from the reader.

    effective : how many independent draws the weighted draws are worth; errors of simulation follow from it
    """

    pareto_k: float
    optima: int  # distinct local optima found (by objective) over all starts
    converged: bool
    sampler: str  # psis | nuts
    starts: int
    findings: tuple[Finding, ...] = ()
    effective: float = 1000.0


@dataclass(frozen=True, slots=True)
class ModelWeight:
    """One candidate explanation and its posterior probability."""

    population: str  # id in knowledge/populations
    responds: bool
    probability: float
    log_evidence: float
    pareto_k: float


@dataclass(frozen=True, slots=True)
class Draws:
    """Posterior draws, one row each, ready for forecasting. Equal weights; rows come from all candidate models.

    Shapes: n draws, m measures, K = 3 disposition modes (unused ones are zero).

    Attributes
    ----------
    rate : mode rates lambda_k [1/d], n × 3
    coefficient : contribution of each mode to IgG excess per gram, by input channel (IV, SC, fSCIg) [1/L], n × 3 × 3
    modes : mode amplitudes of the IgG excess at `at` [g/L], n × 3
    c50 : IgG excess for half of the largest effect [g/L], n
    kout : rate of response [1/d], n
    decline : slow irreversible decline [1/d], n
    imax : largest inhibition of loss by measure, n × m; 0 where the person does not respond
    level : untreated capacity of each measure at `at`, in its unit, n × m
    relative : capacity relative to `level` at `at`, n × m
    sd : proportional residual SD by measure, n × m
    add : additive residual SD by measure, in its unit, n × m (fixed by the measure's kind)
    persistence : autocorrelation of daily residuals, n × m
    endogenous : own IgG [g/L], n (NaN where no IgG was measured)
    responds : whether the draw comes from a model with a response, n
    population : index into `Posterior.models`, n
    """

    rate: FloatArray
    coefficient: FloatArray
    modes: FloatArray
    c50: FloatArray
    kout: FloatArray
    decline: FloatArray
    imax: FloatArray
    level: FloatArray
    relative: FloatArray
    sd: FloatArray
    add: FloatArray
    persistence: FloatArray
    endogenous: FloatArray
    responds: npt.NDArray[np.bool_]
    population: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class FittedSeries:
    """Fit of one measure (or of IgG) at given days: quantiles over draws of the underlying value, without session noise."""

    id: str
    unit: str
    days: FloatArray
    q05: FloatArray
    q25: FloatArray
    median: FloatArray
    q75: FloatArray
    q95: FloatArray


@dataclass(frozen=True, slots=True)
class Posterior:
    """All we know about this person's kinetics and response at day `at_day`.

    Days count from `origin` (the first fact, local wall-clock time). `primary` indexes the measure that decides.
    """

    basis: Basis
    origin: str  # ISO date of day 0
    at_day: float
    has_igg: bool
    measures: tuple[Measure, ...]
    primary: int
    parameters: tuple[Parameter, ...]
    models: tuple[ModelWeight, ...]
    draws: Draws
    observed: tuple[Series, ...]
    fitted: tuple[FittedSeries, ...]
    diagnostics: Diagnostics
    findings: tuple[Finding, ...]  # what was assumed, left out, or lies outside a model's domain
    prior: Draws | None = (
        None  # as many draws from the prior, brought to the same day: what was believed before measuring
    )


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why no posterior can be given; a refusal is an answer too."""

    findings: tuple[Finding, ...]
