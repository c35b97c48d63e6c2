"""The assessment: everything we can say about one person on one day.

The nouns it is made of are handed on from here, so that the report and the doors need to know no other room.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from ranvier.estimation.nouns import (
    Basis,
    FittedSeries,
    FloatArray,
    Measure,
    ModelWeight,
    Parameter,
    Posterior,
    Series,
)
from ranvier.ground.findings import Finding
from ranvier.monitoring.nouns import Alarm, Cause, Change, Charted, Floor, Response, Trend, Watch, WearingOff
from ranvier.regimen.ladder import Ladder, Rung
from ranvier.regimen.nouns import Fallback, Forecast, Guardrail, Measurement, Option, Proposal, Regimen

if TYPE_CHECKING:  # the left wing is imported only by whoever asks it
    from ranvier.decision.diagnosed import Diagnosis

__all__ = [
    "Alarm",
    "Assessment",
    "Basis",
    "Cause",
    "Change",
    "Charted",
    "Dose",
    "Fallback",
    "FittedSeries",
    "FloatArray",
    "Floor",
    "Forecast",
    "Guardrail",
    "Ladder",
    "Measure",
    "Measurement",
    "ModelWeight",
    "Option",
    "Parameter",
    "Posterior",
    "Proposal",
    "Regimen",
    "Response",
    "Rung",
    "Series",
    "Treatment",
    "Trend",
    "Watch",
    "WearingOff",
]


@dataclass(frozen=True, slots=True)
class Dose:
    """A recorded infusion on the report's time line; days from `Posterior.origin`."""

    day: float
    grams: float
    product: str
    route: str


@dataclass(frozen=True, slots=True)
class Treatment:
    """What helps: the fit, the watch and the options.

    refusal : why no fit was possible (then the rest is None)
    ladder : the situation and what to do in it, one step at a time; None where nothing could be fitted
    fallback : what holds where nothing is proposed
    """

    posterior: Posterior | None
    watch: Watch | None
    proposal: Proposal | None
    doses: tuple[Dose, ...]
    refusal: tuple[Finding, ...] = ()
    ladder: Ladder | None = None
    fallback: Fallback | None = None


@dataclass(frozen=True, slots=True)
class Assessment:
    """One record, one knowledge version, one day, one seed, one software version: one answer."""

    at: date
    seed: int
    pseudonym: str
    invented: bool
    record_digest: str
    knowledge_version: str
    software_version: str
    treatment: Treatment
    because: tuple[Finding, ...]
    sources: tuple[str, ...]
    unverified: tuple[Finding, ...]
    diagnosis: Diagnosis | None = None  # where both wings were asked
