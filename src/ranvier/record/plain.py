"""A record back as plain data in the file format, so that others can be given what was read: in canonical units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import date, datetime
from typing import Any

from ranvier.record import nouns as n
from ranvier.record.decisions import as_data
from ranvier.record.plausible import plausibility


def plain(record: n.Record) -> dict[str, Any]:
    """The facts of `record` in the file format: canonical units, times with their offset; nothing that is not known.

    Read back, it gives the same digest.
    """
    whole = {
        "ranvier_record": 1,
        "invented": record.invented or None,
        "person": _person(record.person),
        "timezone": record.timezone,
        "before": _before(record.before),
        "infusions": [_infusion(i) for i in record.infusions],
        "igg": [
            _some(at=_when(g.at), value=g.g_per_l, unit="g/L", timing=g.timing, below=g.below or None)
            for g in record.igg
        ],
        "strength": [_series(s) for s in record.strength],
        "drugs": [
            _some(name=d.name, code=d.code, start=_when(d.start), stop=_when(d.stop), for_what=d.for_what)
            for d in record.drugs
        ],
        "blood_tests": [
            {"at": _when(t.at), "what": t.what, "value": t.value, "unit": t.unit} for t in record.blood_tests
        ],
        "conditions": [
            _some(what=c.what, present=c.present, since=_when(c.since), code=c.code) for c in record.conditions
        ],
        "goals": _goals(record),
        "history": _some(onset=record.history.onset, findings=_signs(record.history.signs, "present")),
        "events": [
            _some(on=_when(e.on), until=_when(e.until), what=e.what, happened=e.happened, note=e.note)
            for e in record.events
        ],
        "allergies": [_same_names(one) for one in record.allergies],
        "immunisations": [_same_names(one) for one in record.immunisations],
        "adverse_events": [_same_names(one) for one in record.adverse_events],
        "safety_checks": [_same_names(one) for one in record.safety_checks],
        "decisions": [_known(as_data(decision)) for decision in record.decisions],
        "investigations": _signs(record.investigations, "positive"),
        "examinations": list(record.examinations),
        "conduction_studies": list(record.conduction_studies),
        "imaging": list(record.imaging),
        "notes": list(record.notes),
    }
    return {key: value for key, value in whole.items() if value not in (None, [], {})}


def _some(**fields: Any) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value is not None and value != []}


def _same_names(fact: Any) -> dict[str, Any]:
    """A fact whose fields are called in the file as they are here."""
    found: dict[str, Any] = _known({f.name: getattr(fact, f.name) for f in fields(fact)})
    return found


def _known(value: Any) -> Any:
    """Without keys that hold nothing; days as text."""
    if isinstance(value, Mapping):
        return {key: _known(below) for key, below in value.items() if below is not None}
    if isinstance(value, list | tuple):
        return [_known(below) for below in value]
    return value.isoformat() if isinstance(value, date) else value


def _when(when: date | datetime | None) -> str | None:
    return None if when is None else when.isoformat()


def _of(value: float | None, unit: str) -> dict[str, Any] | None:
    return None if value is None else {"value": value, "unit": unit}


def _person(who: n.Person) -> dict[str, Any]:
    return _some(
        pseudonym=who.pseudonym,
        birth_year=who.birth_year,
        sex=who.sex,
        height=_of(who.height_cm, "cm"),
        weights=[{"on": w.on.isoformat(), "value": w.kg, "unit": "kg"} for w in who.weights],
        dominant_hand=who.dominant_hand,
    )


def _before(was: n.Before) -> dict[str, Any]:
    return _some(
        kind=was.kind,
        product=was.product,
        dose=_of(was.grams, "g"),
        interval=_of(was.interval_days, "d"),
        route=was.route,
        since=_when(was.since),
        last=_when(was.last),
    )


def _infusion(one: n.Infusion) -> dict[str, Any]:
    return _some(
        product=one.product,
        dose=_of(one.grams, "g"),
        start=_when(one.start),
        stop=_when(one.stop),
        route=one.route,
        lot=one.lot,
        course=one.course,
        reactions=[_some(what=r.what, grade=r.grade) for r in one.reactions],
        note=one.note,
        day_checked=one.day_checked or None,
    )


def _series(series: n.StrengthSeries) -> dict[str, Any]:
    asked = "device" in plausibility().measures[series.measure].needs
    return {
        **_some(
            id=series.id,
            measure=series.measure,
            side=series.side,
            device=series.device or ("unknown" if asked else None),
            muscle=series.muscle,
            variant=series.variant,
            unit=series.unit,
            place=series.place,
        ),
        "values": [
            _some(at=_when(v.at), value=v.value, tries=list(v.tries), below=v.below or None, note=v.note)
            for v in series.values
        ],
    }


def _goals(record: n.Record) -> dict[str, Any]:
    units: Mapping[str, str] = {s.id: s.unit for s in record.strength}
    goals = record.goals
    found = _some(
        floors=[{"series": f.series, "value": f.value, "unit": units[f.series]} for f in goals.floors],
        max_visits_per_year=goals.max_visits_per_year,
        note=goals.note,
    )
    return found if goals.routes is None else {**found, "routes": list(goals.routes)}


def _signs(signs: Iterable[n.Sign], key: str) -> list[dict[str, Any]]:
    return [{"what": s.what, key: s.present, **_some(on=_when(s.on), note=s.note)} for s in signs]
