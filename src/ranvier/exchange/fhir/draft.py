"""What a bundle has given so far: a record in the making, where each part came from, and everything said about it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from ranvier.exchange.fhir import codes, times
from ranvier.exchange.fhir.node import Node, exact_text
from ranvier.ground.notes import Problem

LONGEST_NOTE = 3900


class LeftError(Exception):
    """A resource that cannot be a fact of a record: it is kept as a note. Carries the reason and the element."""

    def __init__(self, why: str, key: str | None = None) -> None:
        super().__init__(why)
        self.why, self.key = why, key


class SkipError(Exception):
    """A resource that says that it is not to be used (entered in error, not done). Carries the reason."""


@dataclass(slots=True)
class Kept:
    """Something with a code that is not known here, kept under its own name. place : FHIRPath"""

    place: str
    code: str
    text: str


@dataclass(slots=True)
class Draft:
    """A record in the making.

    document : plain data in the record's file format, numbers exact
    places : path into the document → FHIRPath of the resource it came from
    find : gives the resource that a reference names, as a node, or None
    """

    zone: ZoneInfo | None
    find: Callable[[Node, str], Node | None]
    problems: list[Problem] = field(default_factory=list)
    document: dict[str, Any] = field(default_factory=dict)
    places: dict[tuple[str | int, ...], str] = field(default_factory=dict)
    kept: list[Kept] = field(default_factory=list)
    ordered_notes: list[tuple[int, str, str]] = field(default_factory=list)
    # What belongs together and is put together at the end.
    series: dict[tuple[Any, ...], list[tuple[Node, dict[str, Any] | None]]] = field(default_factory=dict)
    members: dict[int, tuple[str, Any]] = field(default_factory=dict)
    infusion_of: dict[str, dict[str, Any]] = field(default_factory=dict)
    exam_of: dict[str, dict[str, Any]] = field(default_factory=dict)  # day → examination made of single grades
    in_utc: list[str] = field(default_factory=list)  # places of times in UTC, where the person's zone is not known
    beyond: dict[str, list[str]] = field(default_factory=dict)

    def add(self, part: str, entry: dict[str, Any], node: Node) -> dict[str, Any]:
        """Add an entry to a list of the record."""
        entries = self.document.setdefault(part, [])
        self.places[part, len(entries)] = node.path
        entry = {key: value for key, value in entry.items() if value is not None}
        entries.append(entry)
        return entry

    def note(self, node: Node, text: str, order: int | None = None) -> None:
        """Add a note to the record."""
        self.ordered_notes.append((10**9 + len(self.ordered_notes) if order is None else order, text, node.path))

    def more(self, node: Node, what: str) -> None:
        """Remember an element that has no place in a record; it is said once per kind."""
        self.beyond.setdefault(f"{node.path}", []).append(what)

    # ---- reading what occurs everywhere

    def when(self, node: Node, key: str, *, whole_day: bool = False) -> str | None:
        """A day or time in the record's form. A bad one is complained about; a part of one leaves the resource aside."""
        text = node.text(key)
        if text is None:
            return None
        if times.is_part(text):
            raise LeftError(f"'{text}' is only a part of a date; the day is never guessed", key)
        try:
            found = times.from_wire(text, self.zone)
        except times.TimeError as error:
            node.mend(key, error.what, error.remedy)
            return None
        if self.zone is None and text.endswith(("Z", "+00:00")):
            self.in_utc.append(node.at(key))
        return found[:10] if whole_day else found

    def effective(self, node: Node) -> str | None:
        """When an observation was made: a moment, or the start of a period."""
        for key in ("effectiveDateTime", "effectiveInstant"):
            if node.has(key):
                return self.when(node, key)
        period = node.child("effectivePeriod")
        if period is None:
            return None
        start = self.when(period, "start") or self.when(period, "end")
        if period.has("end") and period.text("end") != period.text("start"):
            self.look(node, "effectivePeriod", "a period is kept as its start", "Check that the start is meant.")
        return start

    def quantity(self, node: Node, key: str) -> tuple[int | Decimal, str, str | None] | None:
        """(value, unit, comparator) of a Quantity. The unit's code counts; without one the unit as written. None with a problem."""
        found = node.child(key)
        if found is None:
            return None
        value, comparator = found.number("value"), found.text("comparator")
        system, code, unit = found.text("system"), found.text("code"), found.text("unit")
        if value is None:
            if not found.has("value"):
                raise LeftError("there is no value in its quantity", key)
            return None
        if code is not None and system not in (None, codes.uri("ucum")):
            found.mend("system", f"the unit is coded in {str(system)[:60]}", "Send the unit as UCUM code.")
            return None
        if (code or unit) is None:
            found.mend(None, f"{value} has no unit", "Send the unit as UCUM code; it is never guessed.")
            return None
        return value, str(code or unit), comparator

    def notes_of(self, node: Node) -> str | None:
        """The annotations of a resource as one text."""
        texts = []
        for one in node.children("note"):
            text = one.text("text")
            if text is not None:
                texts.append(text)
        return "\n".join(texts) or None

    def look(self, node: Node, key: str | None, what: str, remedy: str) -> None:
        """Note something to look at."""
        node.look(key, what, remedy)

    # ---- keeping what is not understood

    def keep(self, node: Node, why: str, key: str | None = None) -> None:
        """Keep a resource as a note with what it says, and say so."""
        text = summary(node.raw)
        self.note(node, f"FHIR {text}"[:LONGEST_NOTE])
        node.look(key, f"{why}: {text[:160]}", "Kept as a note; its other elements are not kept.")
        self.kept.append(Kept(node.path, ", ".join(code_words(node.raw)), text))
        node.all_read()


def name_of(concept: Any) -> str | None:
    """The words of a CodeableConcept: its text, else a display."""
    if not isinstance(concept, Mapping):
        return None
    text = exact_text(concept, "text")
    if isinstance(text, str) and text.strip():
        return text.strip()
    listed = concept.get("coding")
    for coding in listed if isinstance(listed, list) else ():
        if isinstance(coding, Mapping) and isinstance(coding.get("display"), str):
            return str(coding["display"])
    return None


def code_words(raw: Mapping[str, Any]) -> list[str]:
    """The codes of a resource as one writes them."""
    for key in ("code", "medicationCodeableConcept", "vaccineCode", "event"):
        concept = raw.get(key)
        if isinstance(concept, Mapping):
            listed = concept.get("coding")
            return [
                codes.written(c.get("system"), str(c["code"]))
                for c in (listed if isinstance(listed, list) else ())
                if isinstance(c, Mapping) and isinstance(c.get("code"), str)
            ][:5]
    return []


def summary(raw: Mapping[str, Any]) -> str:
    """What a resource says, in one line: type, name, codes, value, day, status."""
    kind = str(raw.get("resourceType", "resource"))
    name = next(
        (
            n
            for k in ("code", "medicationCodeableConcept", "vaccineCode", "event", "type")
            if (n := name_of(raw.get(k)))
        ),
        "",
    )
    coded = ", ".join(code_words(raw))
    parts = [f"{kind}: {name}" + (f" ({coded})" if coded else "")]
    value = _value(raw)
    if value:
        parts.append(value)
    dose = _dose(raw)
    if dose:
        parts.append(dose)
    for key in (
        "effectiveDateTime",
        "onsetDateTime",
        "authoredOn",
        "occurrenceDateTime",
        "recordedDate",
        "date",
        "issued",
    ):
        if isinstance(raw.get(key), str):
            parts.append(str(raw[key]))
            break
    period = raw.get("effectivePeriod")
    if isinstance(period, Mapping):
        parts.append(f"{period.get('start', '?')} to {period.get('end', '?')}")
    if isinstance(raw.get("status"), str):
        parts.append(f"status {raw['status']}")
    return re.sub(r"\s+", " ", "; ".join(parts))[:1000]


def _dose(raw: Mapping[str, Any]) -> str:
    """What a dosage says, in words: its text, else dose and interval."""
    listed = raw.get("dosageInstruction", raw.get("dosage"))
    found = []
    for one in listed if isinstance(listed, list) else [listed]:
        if not isinstance(one, Mapping):
            continue
        if isinstance(one.get("text"), str):
            found.append(one["text"])
            continue
        rates = one.get("doseAndRate")
        doses = (
            [r.get("doseQuantity") for r in rates if isinstance(r, Mapping)]
            if isinstance(rates, list)
            else [one.get("dose")]
        )
        found += [
            f"{d['value']} {d.get('code') or d.get('unit') or ''}"
            for d in doses
            if isinstance(d, Mapping) and "value" in d
        ]
        timing = one.get("timing")
        repeat = timing.get("repeat") if isinstance(timing, Mapping) else None
        if isinstance(repeat, Mapping) and "period" in repeat:
            found.append(f"{repeat.get('frequency', 1)} per {repeat['period']} {repeat.get('periodUnit', '')}")
    return ", ".join(found)[:300]


def _value(raw: Mapping[str, Any]) -> str:
    for key, value in raw.items():
        if not key.startswith("value") or key == "value":
            continue
        if isinstance(value, Mapping) and "value" in value:
            unit = value.get("code") or value.get("unit") or "without unit"
            return f"{value.get('comparator', '')}{value['value']} {unit}"
        return name_of(value) or (str(value) if isinstance(value, str | int | Decimal | bool) else "a value")
    listed = raw.get("component")
    found = []
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, Mapping) and (inner := _value(one)):
            found.append(f"{name_of(one.get('code')) or 'component'} {inner}")
    return ", ".join(found[:20])
