"""What was found, as plain data for machines; names as in the assessment's schema (``diagnosis.conduction``)."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from ranvier.conduction.nouns import (
    Conduction,
    ConductionStudy,
    Criterion,
    OtherFinding,
    Response,
    SegmentFinding,
    Verdict,
)
from ranvier.conduction.words import say
from ranvier.ground.findings import Finding


def as_data(found: Conduction) -> dict[str, Any]:
    """Everything in `found`, without the objects: numbers, words, lists."""
    return {
        "on": found.studies.on.isoformat() if found.studies.on else None,
        "age": found.studies.age,
        "height_cm": found.studies.height,
        "reference": found.reference,
        "rules": list(found.rules),
        "studies": [study(s) for s in found.studies.studies],
        "segments": [segment(s) for s in found.segments],
        "others": [other(o) for o in found.others],
        "tested": {
            "segments": found.tested.segments,
            "evaluable": dict(found.tested.evaluable),
            "comparisons": found.tested.comparisons,
            "chance_of_one_by_chance": found.tested.chance_of_one,
        },
        "unverified": [{"what": w, "source": s, "status": st} for w, s, st in found.unverified],
        "notes": [mark(n) for n in found.notes],
    }


def study(one: ConductionStudy) -> dict[str, Any]:
    """One nerve as it was read, in canonical units."""
    return {
        "nerve": one.nerve,
        "side": one.side,
        "kind": one.kind,
        "muscle": one.muscle,
        "temperature_cel": one.temperature,
        "sites": [{f.name: getattr(r, f.name) for f in fields(Response)} for r in one.sites],
    }


def segment(one: SegmentFinding) -> dict[str, Any]:
    """One segment with its verdicts."""
    check = one.crossing
    return {
        "nerve": one.nerve,
        "side": one.side,
        "muscle": one.muscle,
        "from": one.from_,
        "to": one.to,
        "region": one.region,
        "amplitude_change": one.amplitude_change,
        "area_change": one.area_change,
        "duration_change": one.duration_change,
        "velocity": one.velocity,
        "distance": one.distance,
        "distal_amplitude": one.distal_amplitude,
        "proximal_amplitude": one.proximal_amplitude,
        "proximal_absent": one.proximal_absent,
        "entrapment": one.entrapment,
        "beyond_entrapment": one.beyond_entrapment.value,
        "crossing": None
        if check is None
        else {
            "truth": check.truth.value,
            "hint": check.hint,
            "crossed_amplitude": check.crossed_amplitude,
            "crossed_area": check.crossed_area,
            "amplitude_change": check.amplitude_change,
            "area_change": check.area_change,
        },
        "verdicts": {rule: verdict(v) for rule, v in one.verdicts.items()},
        "caveats": [mark(c) for c in one.caveats],
    }


def verdict(one: Verdict) -> dict[str, Any]:
    """One rule's answer."""
    return {
        "class": one.class_.value,
        "possible": [c.value for c in one.possible],
        "reason": one.reason,
        "provided": list(one.provided),
        "missing": list(one.missing),
        "criteria": [criterion(c) for c in one.criteria],
        "caveats": [mark(c) for c in one.caveats],
    }


def criterion(one: Criterion) -> dict[str, Any]:
    """One condition with its number."""
    return {
        "id": one.id,
        "what": one.what,
        "truth": one.truth.value,
        "value": one.value,
        "comparison": one.comparison,
        "limit": one.limit,
        "unit": one.unit,
        "role": one.role,
        "source": one.source,
        "status": one.status,
        "where": one.where,
        "facts": dict(one.facts),
    }


def other(one: OtherFinding) -> dict[str, Any]:
    """One comparison with a reference value."""
    return {
        "kind": one.kind,
        "nerve": one.nerve,
        "side": one.side,
        "muscle": one.muscle,
        "grade": one.grade,
        "truth": one.truth.value,
        "value": one.value,
        "limit": one.limit,
        "unit": one.unit,
        "from": one.from_,
        "to": one.to,
        "normal": one.normal,
        "set": one.set,
        "source": one.source,
        "status": one.status,
        "where": one.where,
        "caveats": [mark(c) for c in one.caveats],
    }


def mark(one: Finding) -> dict[str, Any]:
    """A caveat with its facts and its words."""
    says, do = say(one)
    return {
        "id": one.name,
        "says": says,
        "do": do,
        "facts": dict(one.facts),
        "source": one.source,
        "status": one.status,
    }
