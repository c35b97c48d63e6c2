"""From the files about drugs, and about what is claimed, to frozen nouns."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import date
from typing import Any

from ranvier.evidence.nouns import (
    Asked,
    Certainty,
    CheckRule,
    Claim,
    Contradiction,
    DrugCase,
    DrugGroup,
    Effect,
    EventRule,
    Indication,
    Ingredient,
    LabLimit,
    Number,
    Piece,
    Search,
    Side,
    StartCourse,
    Starting,
    Told,
    TreatmentOption,
    WeightPolicy,
)

Data = Mapping[str, Any]


def group(key: str, data: Data) -> DrugGroup:
    """One group of drugs with its cases."""
    cases = tuple(
        DrugCase(
            id=case["id"],
            tier=case["tier"],
            when={what: tuple(values) for what, values in case["when"].items()},
            says=case["says"],
            do=case.get("do"),
        )
        for case in data["cases"]
    )
    words, atc, claims = (tuple(data[name]) for name in ("words", "atc", "claims"))
    plain = {
        name: data[name] for name in ("name", "plan", "tier", "says", "why", "instead", "stop", "source", "status")
    }
    suppresses = data.get("suppresses", False)
    return DrugGroup(id=key, words=words, atc=atc, claims=claims, cases=cases, suppresses=suppresses, **plain)


def ingredients(text: str) -> tuple[Ingredient, ...]:
    """The table of names and codes; lines that begin with # are remarks."""
    rows = csv.DictReader(line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    return tuple(
        Ingredient(
            name=row["name"],
            atc=row["atc"] or None,
            former=_listed(row["former"]),
            rxnorm=row["rxnorm"] or None,
            also=_listed(row["also"]),
            source=row["source"],
            status=row["status"],
        )
        for row in rows
    )


def asked(text: str) -> tuple[Asked, ...]:
    """The conditions that are asked for one by one; lines that begin with # are remarks."""
    rows = csv.DictReader(line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    return tuple(Asked(row["name"], row["group"], row["source"], row["status"]) for row in rows)


def _listed(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.split(";") if part.strip())


def indication(key: str, data: Data) -> Indication:
    """One reason for which a drug may be given."""
    return Indication(
        id=key,
        says=data["says"],
        words=tuple(data["words"]),
        weak_words=tuple(data.get("weak_words", ())),
        icd10=tuple(data["icd10"]),
        source=data["source"],
        status=data["status"],
    )


def claim(key: str, data: Data) -> Claim:
    """One claim with its evidence."""
    return Claim(
        id=key,
        says=data["says"],
        about=tuple(data["about"]),
        certainty=Certainty(**data["certainty"]),
        evidence=tuple(Piece(**piece) for piece in data["evidence"]),
    )


def contradiction(key: str, data: Data) -> Contradiction:
    """One question with its sides."""
    sides = tuple(Side(side["says"], tuple(side["sources"]), side["status"]) for side in data["sides"])
    return Contradiction(key, data["question"], sides, data["why"], data["here"])


def search(key: str, data: Data) -> Search:
    """One search and what it found."""
    if not isinstance(data["day"], date):
        raise TypeError("day is not a day")
    return Search(key, data["asked"], tuple(data["where"]), data["day"], data["found"], data["here"])


def treatment(key: str, data: Data) -> TreatmentOption:
    """One treatment with its effect, harms and trials."""
    effect = tuple(
        Effect(
            one["says"],
            number(one["with"]),
            None if one["without"] is None else number(one["without"]),
            one.get("people"),
        )
        for one in data["effect"]
    )
    harms, trials = (tuple(Told(**one) for one in data[name]) for name in ("harms", "trials"))
    return TreatmentOption(key, data["name"], data["standing"], effect, harms, trials, tuple(data["claims"]))


def number(data: Data) -> Number:
    """A number with its unit, source, place and status."""
    return Number(float(data["value"]), data["unit"], data["source"], data["where"], data["status"])


def check(key: str, data: Data) -> CheckRule:
    """One check before and during treatment."""
    looks = data["looks_for"]
    limits = tuple(
        LabLimit(
            tuple(one["what"]),
            number(one["below"]) if "below" in one else None,
            number(one["above"]) if "above" in one else None,
        )
        for one in data["limits"]
    )
    return CheckRule(
        id=key,
        name=data["name"],
        why=data["why"],
        words=tuple(looks["words"]),
        icd10=tuple(looks["icd10"]),
        atc=tuple(looks["atc"]),
        risk=looks["risk"],
        limits=limits,
        mitigate=tuple(data["mitigate"]),
        tests=tuple((test["what"], test["when"]) for test in data["tests"]),
        again=None if data["again"] is None else number(data["again"]),
        claims=tuple(data["claims"]),
        source=data["source"],
        status=data["status"],
    )


def starting(data: Data) -> Starting:
    """How treatment is begun and kept up."""
    courses = {}
    for key, one in data["courses"].items():
        counted = ("grams_per_kg", "days_low", "days_high", "interval_low", "interval_high")
        numbers = {name: number(one[name]) for name in counted}
        courses[key] = StartCourse(
            id=key, kind=one["kind"], says=one["says"], route=one["route"], judge=one["judge"], **numbers
        )
    groups = ("weights", "rounding", "giving", "subcutaneous", "monthly_label")
    flat = {
        f"{group}.{name}": number(each)
        for group in groups
        for name, each in data[group].items()
        if isinstance(each, Mapping)
    }
    policies = {
        key: WeightPolicy(key, one["says"], one["uses"], one["source"], one["status"])
        for key, one in data["policies"].items()
    }
    return Starting(courses, policies, flat, tuple(data["subcutaneous"]["claims"]))


def event(key: str, data: Data) -> EventRule:
    """One kind of adverse event."""
    return EventRule(
        id=key,
        name=data["name"],
        words=tuple(data["words"]),
        window=number(data["window"]),
        triggers=tuple(data["triggers"]),
        grades=tuple(data["grades"]),
        tests=tuple((test["what"], int(test["after"])) for test in data["test"]),
        do=tuple(data["do"]),
        report=data["report"],
        claims=tuple(data["claims"]),
        source=data["source"],
        status=data["status"],
    )
