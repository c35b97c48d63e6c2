"""What several pages need."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from ranvier.ground.findings import Finding
from ranvier.report.words import Words
from ranvier_web.clinic.actions import Actor
from ranvier_web.clinic.models import Kind, Patient
from ranvier_web.clinic.record import in_force

DOUBTFUL = ("assumed", "memory", "read-2nd")


def the_patient(request: HttpRequest) -> Patient:
    """The patient of the address; the policy has been asked already."""
    found: Patient = request.patient  # type: ignore[attr-defined]
    return found


def actor(request: HttpRequest) -> Actor:
    """Who acts."""
    return Actor.of(request.user)


def series_of(patient: Patient) -> list[dict[str, Any]]:
    """The measures that this person repeats."""
    bodies = in_force(patient).filter(kind=Kind.SERIES).order_by("id").values_list("body", flat=True)
    return list(bodies)


def tree(finding: Finding, words: Words) -> dict[str, Any]:
    """A finding as a sentence with its source and what it was made from."""
    return {
        "says": words.say(finding),
        "source": finding.source,
        "status": words.word("status", finding.status) if finding.status in DOUBTFUL else None,
        "because": [tree(below, words) for below in finding.because],
    }
