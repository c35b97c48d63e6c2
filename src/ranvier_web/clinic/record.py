"""From facts to the same `Record` that the command line reads."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from typing import Any

from django.db.models import Exists, OuterRef

from ranvier.ground.notes import InputError, Problem
from ranvier.record import read_text, structure
from ranvier.record.nouns import Record
from ranvier_web.clinic.models import Decision, Fact, Kind, Patient

LISTS = {
    Kind.INFUSION: "infusions",
    Kind.IGG: "igg",
    Kind.DRUG: "drugs",
    Kind.BLOOD_TEST: "blood_tests",
    Kind.CONDITION: "conditions",
    Kind.INVESTIGATION: "investigations",
    Kind.EXAMINATION: "examinations",
    Kind.CONDUCTION: "conduction_studies",
    Kind.IMAGING: "imaging",
    Kind.ALLERGY: "allergies",
    Kind.IMMUNISATION: "immunisations",
    Kind.ADVERSE: "adverse_events",
    Kind.SAFETY: "safety_checks",
    Kind.EVENT: "events",
}
RECORD_KINDS = (
    *LISTS, Kind.PERSON, Kind.WEIGHT, Kind.BEFORE, Kind.SERIES, Kind.STRENGTH, Kind.GOALS, Kind.HISTORY, Kind.NOTE,
)  # fmt: skip


KEPT = 32  # records that one process keeps: reading ten years of days again takes half a second
_kept: OrderedDict[tuple[Any, int, str], tuple[Record, tuple[Problem, ...]]] = OrderedDict()
_lock = Lock()


@dataclass(frozen=True, slots=True)
class Bare:
    """A fact that is not in the database yet."""

    kind: str
    body: Any


def in_force(patient: Patient) -> Any:
    """The facts that nobody corrected or took back."""
    # Not `replaced_by=None`: of that join PostgreSQL expects one row, and then plans as if a diary had one day.
    replaced = Fact.objects.filter(replaces=OuterRef("pk"))
    return Fact.objects.filter(~Exists(replaced), patient=patient, withdrawn=False)


def assemble(patient: Patient, facts: Iterable[Any]) -> dict[str, Any]:
    """The facts in the layout of a record file. Each fact has `kind` and `body`."""
    record: dict[str, Any] = {"ranvier_record": 1}
    if patient.invented:
        record["invented"] = True
    person: dict[str, Any] = {"pseudonym": patient.pseudonym}
    record |= {"person": person, "timezone": patient.timezone}
    series: dict[str, dict[str, Any]] = {}
    strength: list[dict[str, Any]] = []
    for fact in facts:
        kind, body = fact.kind, fact.body
        if kind == Kind.PERSON:
            person |= body
        elif kind == Kind.WEIGHT:
            person.setdefault("weights", []).append(body)
        elif kind in (Kind.BEFORE, Kind.GOALS, Kind.HISTORY):
            record[kind] = body
        elif kind == Kind.SERIES:
            series[body["id"]] = {**body, "values": []}
        elif kind == Kind.STRENGTH:
            strength.append(body)
        elif kind == Kind.NOTE:
            record.setdefault("notes", []).append(body["text"])
        elif kind in LISTS:
            record.setdefault(LISTS[Kind(kind)], []).append(body)
    for session in strength:
        for name, value in session["readings"].items():
            if name in series:
                row = {"at": session["at"], **value} if isinstance(value, dict) else [session["at"], value]
                series[name]["values"].append(row)
    if series:
        record["strength"] = list(series.values())
    decided = decisions(patient)
    if decided:
        record["decisions"] = decided
    return record


def without_strength(patient: Patient) -> dict[str, Any]:
    """All but strength and what was agreed about it: an order or a lot is not judged by a diary of ten years."""
    facts = in_force(patient).filter(kind__in=RECORD_KINDS).exclude(kind__in=(Kind.STRENGTH, Kind.SERIES, Kind.GOALS))
    return assemble(patient, facts.order_by("day", "id").only("kind", "body"))


def read_without_strength(patient: Patient) -> Record:
    """The record for what strength has no part in. Raises InputError."""
    return read_text(json.dumps(without_strength(patient)), f"the record of {patient.pseudonym}")[0]


def decisions(patient: Patient) -> list[dict[str, Any]]:
    """What was decided, as a record keeps it, with what came of it; of several on one day the last."""
    rows = Decision.objects.filter(patient=patient, withdraws=None, withdrawn_by=None).exclude(entry=None)
    found: dict[str, dict[str, Any]] = {}
    for row in rows.select_related("outcome").order_by("id"):
        entry: dict[str, Any] = dict(row.entry or {})
        outcome = getattr(row, "outcome", None)
        if outcome is not None:
            entry["outcome"] = {"on": outcome.on.isoformat(), "result": outcome.result}
            if outcome.note:
                entry["outcome"]["note"] = outcome.note
        found[entry["on"]] = entry
    return list(found.values())


def record_of(patient: Patient) -> tuple[Record, tuple[Problem, ...], int]:
    """The record of a patient, what deserves a look, and the id of the last fact it knows.

    Raises
    ------
    InputError : the facts together do not make a record; with each place and remedy
    """
    last = Fact.objects.filter(patient=patient).order_by("-id").values_list("id", flat=True).first() or 0
    about = json.dumps([patient.pseudonym, patient.timezone, patient.invented, decisions(patient)], default=str)
    key = (patient.pk, last, about)  # facts are never changed: the same last one, the same facts
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return *_kept[key], last
    facts = in_force(patient).filter(kind__in=RECORD_KINDS, id__lte=last).order_by("day", "id").only("kind", "body")
    found = read(patient, list(facts))
    with _lock:
        _kept[key] = found
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    return *found, last


def read(patient: Patient, facts: Iterable[Any]) -> tuple[Record, tuple[Problem, ...]]:
    """The facts as a record. Raises InputError."""
    return read_text(json.dumps(assemble(patient, facts)), f"the record of {patient.pseudonym}")


def check(patient: Patient, new: Sequence[Bare], *, without: int | None = None) -> tuple[Problem, ...]:
    """Whether new facts fit the record; what deserves a look. `without` leaves out the fact that is corrected.

    Of long diaries only the definition of the series takes part: what is asked is whether the new facts can stand.

    Raises
    ------
    InputError : they cannot; the problems are only those that the new facts bring
    """
    known = in_force(patient).filter(kind__in=RECORD_KINDS).exclude(kind=Kind.STRENGTH).order_by("day", "id")
    _shaped(known, new)
    facts: list[Any] = list(known.exclude(pk=without).only("kind", "body") if without else known.only("kind", "body"))
    with suppress(InputError):
        if not read(patient, [*facts, *new])[1]:
            return ()  # nothing to say: what there was before need not be read
    try:
        before: set[tuple[str, str]] = {(p.what, p.remedy) for p in read(patient, facts)[1]}
    except InputError as error:
        before = {(p.what, p.remedy) for p in error.problems}
    try:
        _, problems = read(patient, [*facts, *new])
    except InputError as error:
        found = tuple(p for p in error.problems if (p.what, p.remedy) not in before)
        if found:
            raise InputError(error.title, found) from None
        return ()
    return tuple(p for p in problems if (p.what, p.remedy) not in before)


def _shaped(known: Any, new: Sequence[Bare]) -> None:
    """Kinds that `assemble` takes apart have the shape that it takes apart; what it would pass over is refused.

    Raises
    ------
    InputError : with what is missing, and which series there are
    """
    found: list[Problem] = []
    series = {body.get("id") for body in known.filter(kind=Kind.SERIES).values_list("body", flat=True)}
    series |= {one.body.get("id") for one in new if one.kind == Kind.SERIES and isinstance(one.body, dict)}
    for one in new:
        body = one.body if isinstance(one.body, dict) else {}
        told = structure.without_nothing(body)
        if not told:
            found.append(Problem(one.kind, "it says nothing", "Send what was seen, measured or given."))
        elif one.kind == Kind.SERIES and not isinstance(body.get("id"), str):
            found.append(Problem("series.id", "the series has no name", "Send id, a short name."))
        elif one.kind == Kind.NOTE and not isinstance(body.get("text"), str):
            found.append(Problem("note.text", "the note has no words", "Send text."))
        elif one.kind == Kind.PERSON and {"pseudonym", "weights"} & body.keys():
            what = "the pseudonym and weights are no part of it"
            found.append(Problem("person", what, "The pseudonym stays; a weight is a fact of its own."))
        elif one.kind == Kind.STRENGTH:
            found += _session(body, series)
    if found:
        raise InputError("this fact has no shape", tuple(found))


def _session(body: dict[str, Any], series: set[Any]) -> list[Problem]:
    readings = body.get("readings")
    if not isinstance(body.get("at"), str):
        return [Problem("strength.at", "it is not said when it was measured", "Send at, a day or a time.")]
    if not isinstance(readings, dict) or not readings:
        return [Problem("strength.readings", "there is no value", "Send readings: series to value.")]
    known = ", ".join(sorted(str(one) for one in series)) or "none yet; send a fact of the kind series first"
    return [
        Problem(f"strength.readings.{name}", "there is no such series", f"Series: {known}.")
        for name in readings
        if name not in series
    ]


def facts_of(data: dict[str, Any]) -> list[tuple[str, str, Any]]:
    """A record file taken apart: kind, day (ISO) and body of each fact. The way back of `assemble`."""
    found: list[tuple[str, str, Any]] = []
    person = dict(data.get("person", {}))
    weights = person.pop("weights", [])
    person.pop("pseudonym", None)
    first = "1900-01-01"
    if person:
        found.append((Kind.PERSON, first, person))
    found += [(Kind.WEIGHT, str(w["on"])[:10], w) for w in weights]
    for kind in (Kind.BEFORE, Kind.GOALS, Kind.HISTORY):
        if data.get(kind):
            found.append((kind, first, data[kind]))
    sessions: dict[str, dict[str, Any]] = {}
    for one in data.get("strength", []):
        about = {k: v for k, v in one.items() if k != "values"}
        about.setdefault("id", "-".join(str(about[k]) for k in ("measure", "side") if about.get(k)).replace("_", "-"))
        found.append((Kind.SERIES, first, about))
        for row in one["values"]:
            at, value = (row["at"], {k: v for k, v in row.items() if k != "at"}) if isinstance(row, dict) else row[:2]
            sessions.setdefault(str(at), {})[about["id"]] = value
    found += [(Kind.STRENGTH, at[:10], {"at": at, "readings": readings}) for at, readings in sessions.items()]
    for kind, name in LISTS.items():
        for body in data.get(name, []):
            found.append((kind, day_of(body) or first, body))
    found += [(Kind.NOTE, first, {"text": text}) for text in data.get("notes", [])]
    return found


def day_of(body: dict[str, Any]) -> str:
    """The day a part of a record is about, as ISO; empty where it names none."""
    found = next((body[key] for key in ("start", "at", "on", "since") if body.get(key)), "")
    return str(found)[:10]
