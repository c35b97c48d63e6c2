"""The assessment: everything we can say about one person on one day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ranvier.estimation.nouns import Posterior
from ranvier.ground.findings import Finding
from ranvier.monitoring.nouns import Watch
from ranvier.regimen.nouns import Proposal


@dataclass(frozen=True, slots=True)
class Dose:
    """A recorded infusion on the report's time line; days from `Posterior.origin`."""

    day: float
    grams: float
    product: str
    route: str


@dataclass(frozen=True, slots=True)
class Treatment:
    """What helps: the fit, the watch and the options. refusal: why no fit was possible (then the rest is None)."""

    posterior: Posterior | None
    watch: Watch | None
    proposal: Proposal | None
    doses: tuple[Dose, ...]
    refusal: tuple[Finding, ...] = ()


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
