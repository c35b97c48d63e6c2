"""What to ask a FHIR server for, to get everything about one person that a record can hold; and one bundle of all answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ranvier.exchange.fhir.build import WITH_SUBJECT, Json

PAGE = "100"
IDENTIFIER = re.compile(r"[A-Za-z0-9\-.]{1,64}")
TYPES = (
    "Condition", "Observation", "MedicationAdministration", "MedicationRequest", "MedicationStatement", "Immunization",
    "AllergyIntolerance", "DiagnosticReport", "QuestionnaireResponse", "AdverseEvent", "Goal", "Basic",
)  # fmt: skip
# What the facts refer to and a search by patient does not bring.
REFERRED = ("Medication", "Device")


def searches(patient: str) -> Iterator[tuple[str, dict[str, str]]]:
    """(type, parameters) of each search for one person. Raises ValueError for what is no FHIR id."""
    if not IDENTIFIER.fullmatch(patient):
        raise ValueError(f"'{patient[:80]}' is no FHIR id: letters, digits, dash and dot, at most 64")
    for kind in TYPES:
        key = "subject" if kind in ("AdverseEvent", "Basic") else "patient"
        assert WITH_SUBJECT[kind] in ("subject", "patient")
        yield kind, {key: f"Patient/{patient}", "_count": PAGE}


def referred(resources: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """(type, id) of what is referred to and not yet there, each once, in order."""
    listed = list(resources)
    there = {f"{r.get('resourceType')}/{r.get('id')}" for r in listed}
    found: dict[tuple[str, str], None] = {}
    for resource in listed:
        for key in ("medicationReference", "device"):
            reference = resource.get(key)
            target = reference.get("reference") if isinstance(reference, Mapping) else None
            parts = target.split("/") if isinstance(target, str) else []
            if len(parts) == 2 and parts[0] in REFERRED and IDENTIFIER.fullmatch(parts[1]) and target not in there:
                found.setdefault((parts[0], parts[1]))
    return list(found)


def together(resources: Iterable[Json], base: str) -> Json:
    """One collection of all that was brought, each resource once by its address on that server."""
    entries: dict[str, Json] = {}
    for resource in resources:
        address = f"{base.rstrip('/')}/{resource.get('resourceType')}/{resource.get('id')}"
        entries.setdefault(address, {"fullUrl": address, "resource": resource})
    return {"resourceType": "Bundle", "type": "collection", "entry": list(entries.values())}
