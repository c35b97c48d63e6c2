"""The assessment: everything we can say about one person on one day.

The nouns it is made of are handed on from here, so that the report and the doors need to know no other room.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ranvier.anatomy.nouns import Localisation
from ranvier.conduction.nouns import Conduction
from ranvier.diagnosis.nouns import Candidate, Judgement, Plan, RedFlag, Suggestion, Verdict
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
from ranvier.monitoring.nouns import Floor, Response, Trend, Watch, WearingOff
from ranvier.regimen.nouns import Forecast, Option, Proposal, Regimen

__all__ = [
    "Assessment",
    "Basis",
    "Candidate",
    "Conduction",
    "Diagnosis",
    "Dose",
    "FittedSeries",
    "FloatArray",
    "Floor",
    "Forecast",
    "Judgement",
    "Localisation",
    "Measure",
    "ModelWeight",
    "Option",
    "Parameter",
    "Plan",
    "Posterior",
    "Proposal",
    "RedFlag",
    "Regimen",
    "Response",
    "Series",
    "Suggestion",
    "Treatment",
    "Trend",
    "Verdict",
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
    """

    posterior: Posterior | None
    watch: Watch | None
    proposal: Proposal | None
    doses: tuple[Dose, ...]
    refusal: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What it is: nerves, nerve studies, and the judgement.

    localisation : with the nerve studies on the tree; None where no strength was graded
    conduction : earliest study first; empty where the record holds none
    """

    at: date
    pseudonym: str
    invented: bool
    record_digest: str
    knowledge_version: str
    localisation: Localisation | None
    conduction: tuple[Conduction, ...]
    judgement: Judgement


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
