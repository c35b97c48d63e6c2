"""One record as a GA4GH Phenopacket, version 2, as plain JSON data; what the packet cannot hold is declared in it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ranvier import __version__
from ranvier.exchange.fhir import codes
from ranvier.exchange.fhir.drugs import ATC_OF
from ranvier.exchange.fhir.states import MMN
from ranvier.exchange.share import age_band, first_day
from ranvier.exchange.words import plain
from ranvier.record.nouns import Record, When

SCHEMA = "2.0"
SEX = {"female": "FEMALE", "male": "MALE"}
PREFIX = {"loinc": "LOINC", "snomed": "SNOMED", "hpo": "HP", "mondo": "MONDO", "atc": "ATC", "ucum": "UCUM"}
RESOURCES = (
    ("hp", "Human Phenotype Ontology", "http://purl.obolibrary.org/obo/hp.owl", "2025-01-16", "HP"),
    ("mondo", "Mondo disease ontology", "http://purl.obolibrary.org/obo/mondo.owl", "2026-08-21", "MONDO"),
    ("loinc", "LOINC", "https://loinc.org", "", "LOINC"),
    ("atc", "WHO ATC classification", "http://www.whocc.no/atc", "2026-04-25", "ATC"),
    ("ucum", "Unified Code for Units of Measure", "https://ucum.org", "", "UCUM"),
    ("ranvier", "names of this program", codes.BASE, __version__, "ranvier"),
)
LOST = (
    "drugs", "immunisations", "allergies", "adverse_events", "safety_checks", "events", "decisions", "examinations",
    "conduction_studies", "imaging", "notes",
)  # fmt: skip


def phenopacket(record: Record, *, name: str, real_days: bool = False) -> dict[str, Any]:
    """The packet of one person.

    name : id of packet and person; real_days : keep moments and the year of birth, else an age only

    The disease is named only where the record says it among its conditions: a packet diagnoses nobody.
    """
    lost = _lost(record, real_days)
    told: dict[str, Any] = {
        "id": name,
        "subject": _subject(record, name, real_days),
        "phenotypicFeatures": _features(record, real_days),
        "measurements": _measurements(record, real_days),
        "diseases": _diseases(record),
        "medicalActions": _actions(record, real_days),
        "metaData": {
            "created": f"{_last(record) if real_days else '2000-01-01'}T00:00:00Z",
            "createdBy": f"ranvier {__version__}",
            "phenopacketSchemaVersion": SCHEMA,
            "resources": [
                {"id": i, "name": n, "url": u, "version": v, "namespacePrefix": p, "iriPrefix": f"{u}#"}
                for i, n, u, v, p in RESOURCES
            ],
            "externalReferences": [{"id": "ranvier:lost", "description": sentence} for sentence in lost],
        },
    }
    return {key: value for key, value in told.items() if value not in ([], {})}


def _last(record: Record) -> str:
    days = [_day(i.start) for i in record.infusions] + [_day(v.at) for s in record.strength for v in s.values]
    return max(days, default=first_day(record).isoformat())


def _day(at: When) -> str:
    return (at.date() if isinstance(at, datetime) else at).isoformat()


def _moment(at: When) -> str:
    return at.isoformat() if isinstance(at, datetime) else f"{at.isoformat()}T12:00:00Z"


def _subject(record: Record, name: str, real: bool) -> dict[str, Any]:
    subject: dict[str, Any] = {"id": name, "taxonomy": {"id": "NCBITaxon:9606", "label": "Homo sapiens"}}
    if record.person.sex in SEX:
        subject["sex"] = SEX[record.person.sex]
    born = record.person.birth_year
    if born is not None and real:
        subject["dateOfBirth"] = f"{born:04d}-01-01T00:00:00Z"
    elif born is not None:
        low = int(age_band(first_day(record).year - born).rstrip("+").split("-")[0])
        low_high = {"start": {"iso8601duration": f"P{low}Y"}, "end": {"iso8601duration": f"P{low + 4}Y"}}
        subject["timeAtLastEncounter"] = {"ageRange": low_high}
    return subject


def _term(system: str, code: str, label: str) -> dict[str, str]:
    prefix = PREFIX.get(system, system)
    return {"id": code if code.upper().startswith(prefix + ":") else f"{prefix}:{code}", "label": label}


def _features(record: Record, real: bool) -> list[dict[str, Any]]:
    """Findings with a term of HPO that says the same, or a broader one (a narrower absence says nothing of the broader)."""
    found = []
    for sign in (*record.history.signs, *record.investigations):
        row = next((r for r in codes.table("phenotypes") if r["finding"] == sign.what), None)
        if row is None or (row["match"] == "broader" and not sign.present):
            continue
        feature: dict[str, Any] = {"type": _term("hpo", row["code"], row["label"])}
        if not sign.present:
            feature["excluded"] = True
        if sign.on is not None and real:
            feature["onset"] = {"timestamp": _moment(sign.on)}
        found.append(feature)
    return found


def _measurement(assay: Mapping[str, str], value: float, unit: str, at: When, real: bool) -> dict[str, Any]:
    quantity = {"unit": {"id": f"UCUM:{unit}", "label": unit}, "value": value}
    found: dict[str, Any] = {"assay": dict(assay), "value": {"quantity": quantity}}
    return {**found, "timeObserved": {"timestamp": _moment(at)}} if real else found


def _measurements(record: Record, real: bool) -> list[dict[str, Any]]:
    found = [_measurement(_term("loinc", "2465-3", "IgG"), g.g_per_l, "g/L", g.at, real) for g in record.igg]
    for test in record.blood_tests:
        known = codes.analyte_for(test.what, test.unit)
        if known is not None:
            found.append(_measurement(_term("loinc", known.code, known.what), test.value, test.unit, test.at, real))
    for series in record.strength:
        row = next(
            (
                r
                for r in codes.strength_codes()
                if r["state"] == "ours" and r["measure"] == series.measure and r["side"] == series.side
                and series.unit in r["units"].split("|")
            ),
            None,
        )  # fmt: skip
        says = " ".join(x for x in (series.measure, series.side, series.device, series.variant) if x)
        assay = (
            _term(row["system"], row["code"], row["display"])
            if row
            else {"id": f"ranvier:{series.measure}", "label": says}
        )
        found += [_measurement(assay, v.value, series.unit, v.at, real) for v in series.values]
    return found


def _diseases(record: Record) -> list[dict[str, Any]]:
    found = []
    for condition in record.conditions:
        rows = [
            r for r in codes.table("conditions") if plain(r["what"]) == plain(condition.what) and r["system"] == "mondo"
        ]
        if not rows:
            continue
        disease: dict[str, Any] = {"term": _term("mondo", rows[0]["code"], rows[0]["display"])}
        if not condition.present:
            disease["excluded"] = True
        onset = record.history.onset
        if condition.what.casefold() == MMN and onset is not None and record.person.birth_year is not None:
            disease["onset"] = {"age": {"iso8601duration": f"P{max(0, int(onset[:4]) - record.person.birth_year)}Y"}}
        found.append(disease)
    return found


def _actions(record: Record, real: bool) -> list[dict[str, Any]]:
    """One treatment for each product and route, with every dose where moments are kept."""
    found = []
    for product, way in sorted({(i.product, i.route) for i in record.infusions}):
        given = [i for i in record.infusions if (i.product, i.route) == (product, way)]
        treatment: dict[str, Any] = {
            "agent": _term("atc", ATC_OF[way], product),
            "routeOfAdministration": {"id": f"ranvier:{way}", "label": way},
        }
        if real:
            treatment["doseIntervals"] = [
                {
                    "quantity": {"unit": {"id": "UCUM:g", "label": "g"}, "value": i.grams},
                    "scheduleFrequency": {"id": "ranvier:once", "label": "once"},
                    "interval": {"start": _moment(i.start), "end": _moment(i.stop or i.start)},
                }
                for i in given
            ]
        else:
            treatment["cumulativeDose"] = {
                "unit": {"id": "UCUM:g", "label": "g"}, "value": round(sum(i.grams for i in given), 6),
            }  # fmt: skip
        found.append({"treatment": treatment})
    return found


def _lost(record: Record, real: bool) -> list[str]:
    """What the packet does not hold, in sentences."""
    said = []
    parts = {part: len(getattr(record, part)) for part in LOST if getattr(record, part)}
    if parts:
        said.append("Not in this packet: " + ", ".join(f"{n} {p.replace('_', ' ')}" for p, n in parts.items()) + ".")
    known = {r["finding"]: r["match"] for r in codes.table("phenotypes")}
    signs = (*record.history.signs, *record.investigations)
    silent = sum(s.what not in known or (known[s.what] == "broader" and not s.present) for s in signs)
    if silent:
        said.append(f"{silent} findings have no term of the ontology that says the same, and are not in it.")
    tests = sum(codes.analyte_for(t.what, t.unit) is None for t in record.blood_tests)
    if tests:
        said.append(f"{tests} blood tests have no code here, and are not in it.")
    other = sum(plain(c.what) not in {plain(r["what"]) for r in codes.table("conditions")} for c in record.conditions)
    if other:
        said.append(f"{other} conditions have no term here, and are not in it.")
    said.append("Lots, reactions, notes, weights, height, goals and what was given before are never in it.")
    if not real:
        said.append(
            "Moments, the order of values and the year of birth were left out so that the person is harder to recognise."
        )
    return said
