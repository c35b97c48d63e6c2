"""Bricks of what we write: references, codings, quantities, and a writer that gives every resource its own lasting name."""

from __future__ import annotations

import json
import re
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from ranvier.exchange.fhir import codes, times, wire
from ranvier.exchange.fhir.node import EXACT

Json = dict[str, Any]

CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
DATA_ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
TIMEZONE = "http://hl7.org/fhir/StructureDefinition/timezone"
PSEUDONYM = f"{codes.BASE}/pseudonym"


def concept(codings: Iterable[Mapping[str, str]] = (), text: str | None = None) -> Json:
    """A CodeableConcept."""
    listed = [dict(c) for c in codings]
    return some(coding=listed or None, text=text)


def ours(system: str, code: str, display: str | None = None) -> dict[str, str]:
    """A coding of one of our own code systems."""
    return some(system=codes.own(system), code=code, display=display)


def some(**parts: Any) -> Json:
    """The parts that are there."""
    return {key: value for key, value in parts.items() if value is not None}


def quantity(value: float | Decimal, unit: str, *, below: bool = False) -> Json:
    """A Quantity with its UCUM unit. below : the laboratory wrote "less than"."""
    found: Json = {"value": wire.exact(value)}
    if below:
        found["comparator"] = "<"
    return {**found, "unit": unit, "system": codes.uri("ucum"), "code": unit}


def extension(name: str, **value: Any) -> Json:
    """One of our own extensions."""
    return {"url": codes.extension(name), **value}


def category(*names: str) -> list[Json]:
    """Categories of an Observation."""
    return [concept([{"system": CATEGORY, "code": name}]) for name in names]


def notes(text: str | None) -> list[Json] | None:
    """A note as annotations."""
    return None if text is None else [{"text": text}]


class Writer:
    """Collects the resources of one person.

    who : what tells this person from others; every resource's id is made from it and from what the resource says, so that
        the same fact has the same id tomorrow
    free_text : whether words that somebody wrote freely are written out
    """

    def __init__(self, who: str, zone: ZoneInfo | None, *, free_text: bool) -> None:
        self.zone, self.free_text = zone, free_text
        self._space = uuid.uuid5(uuid.NAMESPACE_URL, f"{codes.BASE}/{who}")
        self._seen: Counter[str] = Counter()
        self.resources: list[Json] = []
        self.left_out: Counter[str] = Counter()
        self.changed: Counter[str] = Counter()
        self.patient = ""

    def add(self, kind: str, **parts: Any) -> str:
        """Add a resource; gives back how others refer to it. Parts that are None are left out."""
        body = self._sound(some(**parts))
        if self.patient and kind in WITH_SUBJECT:
            body = {WITH_SUBJECT[kind]: {"reference": self.patient}, **body}
        text = f"{kind} {wire.dumps(body, indent=None)}"
        self._seen[text] += 1
        name = str(uuid.uuid5(self._space, f"{text} {self._seen[text]}"))
        self.resources.append({"resourceType": kind, "id": name, **body})
        return f"{kind}/{name}"

    def when(self, text: str | None) -> str | None:
        """A day or time of the record as FHIR dateTime."""
        return None if text is None else times.to_wire(text, self.zone)

    def free(self, what: str, text: str | None) -> str | None:
        """Words written freely: as they are, or left out and counted."""
        if text is None or self.free_text:
            return text
        self.left_out[what] += 1
        return None

    def _sound(self, value: Any) -> Any:
        """Without letters that FHIR does not allow (control characters, unusual spaces): others are shown for them, the text
        itself stands beside it in an extension, and it is counted.
        """
        if isinstance(value, dict):
            found: Json = {}
            for key, below in value.items():
                found[key] = self._sound(below)
                if isinstance(below, str) and found[key] != below:
                    beside = {"url": EXACT, "valueString": json.dumps(below)[1:-1]}
                    found["_" + key] = {"extension": [beside]}
            return found
        if isinstance(value, list):
            return [self._sound(v) for v in value]
        if isinstance(value, str) and _NOT_ALLOWED.search(value):
            self.changed["texts with letters that FHIR does not allow, shown as others"] += 1
            return _NOT_ALLOWED.sub(lambda hit: " " if hit[0].isspace() else chr(0x2400 + ord(hit[0]) % 32), value)
        return value


_NOT_ALLOWED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufeff]|[^\\S \t\r\n]")

WITH_SUBJECT = {
    "AdverseEvent": "subject",
    "AllergyIntolerance": "patient",
    "Basic": "subject",
    "CarePlan": "subject",
    "Condition": "subject",
    "DetectedIssue": "patient",
    "DiagnosticReport": "subject",
    "Goal": "subject",
    "GuidanceResponse": "subject",
    "Immunization": "patient",
    "MedicationAdministration": "subject",
    "MedicationRequest": "subject",
    "MedicationStatement": "subject",
    "Observation": "subject",
    "QuestionnaireResponse": "subject",
    "RequestGroup": "subject",
    "RiskAssessment": "subject",
}
"""Where each type says whose it is."""
