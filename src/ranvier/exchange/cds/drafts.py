"""Draft orders of a client as our orders; and what else it sent about the person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from ranvier.decision.ordering import Ordered
from ranvier.exchange import words
from ranvier.exchange.cds.request import MOST_PREFETCH, Hooked
from ranvier.exchange.fhir import codes
from ranvier.exchange.fhir.draft import name_of
from ranvier.ground.units import enter
from ranvier.protection import Order

ORDERS = ("MedicationRequest", "MedicationOrder", "MedicationStatement", "ImmunizationRecommendation")
MOST_DAYS = 7  # several times within a shorter period are single infusions, not one course over days
DISEASE = "multifocal motor neuropathy"


@dataclass(frozen=True, slots=True)
class Draft:
    """One order that is not signed yet.

    reference : ``MedicationRequest/1``, or the place in the bundle where it has no id; name : as shown on screen
    order : for the safety rules; dose : where it is immunoglobulin; None: of every other drug
    """

    reference: str
    name: str
    order: Order
    dose: Ordered | None


def drafts(call: Hooked) -> tuple[Draft, ...]:
    """The draft orders of a call; in order-select only those that were chosen.

    Where what was chosen is none of the drafts (clients send drafts without ids), all are looked at: better a card on a draft
    that nobody chose than silence on the one that somebody did.
    """
    chosen = call.context.get("selections") if call.hook == "order-select" else None
    listed = []
    for number, resource in enumerate(_entries(call.context.get("draftOrders"))):
        if resource.get("resourceType") in ORDERS:
            key = resource.get("id")
            name = f"{resource['resourceType']}/{key}" if isinstance(key, str) and key else f"draft {number + 1}"
            listed.append((name, key, resource))
    wanted = [one for one in listed if chosen is None or one[0] in chosen or one[1] in chosen] or listed
    made = (_draft(name, resource, call) for name, _, resource in wanted)
    return tuple(one for one in made if one is not None)


def resources_of(call: Hooked) -> list[dict[str, Any]]:
    """Everything that was sent ahead about the person, each resource once; not the drafts."""
    found: dict[str, dict[str, Any]] = {}
    for value in call.prefetch.values():
        for resource in _entries(value):
            if resource.get("resourceType") == "OperationOutcome" or len(found) >= MOST_PREFETCH:
                continue
            key = f"{resource.get('resourceType')}/{resource.get('id', len(found))}"
            found.setdefault(key, dict(resource))
    return list(found.values())


def about(resources: list[dict[str, Any]], patient: str) -> tuple[list[dict[str, Any]], int]:
    """What is about the person of the call, or does not say about whom; and how many things are about somebody else."""
    kept = [one for one in resources if _whose(one) in (None, patient)]
    return kept, len(resources) - len(kept)


def _whose(resource: Mapping[str, Any]) -> str | None:
    """The id of the Patient that a resource is, or is about; None where it does not say."""
    if resource.get("resourceType") == "Patient":
        name = resource.get("id")
        return name if isinstance(name, str) else None
    for key in ("subject", "patient"):
        reference = resource.get(key)
        text = reference.get("reference") if isinstance(reference, Mapping) else None
        if isinstance(text, str) and "Patient/" in text:
            return text.rpartition("Patient/")[2].partition("/")[0]
    return None


def has_disease(resources: list[dict[str, Any]]) -> bool:
    """Whether a Condition that was sent names multifocal motor neuropathy and was not refuted."""
    for resource in resources:
        if resource.get("resourceType") != "Condition":
            continue
        verified = {code for _, code in _codings(resource.get("verificationStatus"))}
        if verified & {"refuted", "entered-in-error"}:
            continue
        concept = resource.get("code")
        listed = codes.condition_codes()
        named = [listed.get((system or "", code)) for system, code in _codings(concept)]
        if any(row is not None and row["what"] == DISEASE and row["write"] == "yes" for row in named):
            return True
        if DISEASE in (name_of(concept) or "").casefold():
            return True
    return False


def _entries(value: Any) -> Iterator[Mapping[str, Any]]:
    """The resources of a Bundle (which real clients send without its type), or the one resource itself."""
    if not isinstance(value, Mapping):
        return
    if value.get("resourceType", "Bundle") != "Bundle":
        yield value
        return
    listed = value.get("entry")
    for entry in listed if isinstance(listed, list) else ():
        resource = entry.get("resource") if isinstance(entry, Mapping) else None
        if isinstance(resource, Mapping):
            yield resource


def _codings(concept: Any) -> list[tuple[str | None, str]]:
    """(system, code) of a CodeableConcept, or of a list of them, or of an object where a list belongs."""
    listed = concept if isinstance(concept, list) else [concept]
    found: list[tuple[str | None, str]] = []
    for one in listed:
        codings = one.get("coding") if isinstance(one, Mapping) else None
        for coding in codings if isinstance(codings, list) else ():
            if isinstance(coding, Mapping) and isinstance(coding.get("code"), str):
                system = coding.get("system")
                found.append((system if isinstance(system, str) else None, coding["code"]))
    return found


def _first(value: Any) -> Mapping[str, Any]:
    one = value[0] if isinstance(value, list) and value else value
    return one if isinstance(one, Mapping) else {}


def _draft(name: str, resource: Mapping[str, Any], call: Hooked) -> Draft | None:
    concept = resource.get("medicationCodeableConcept")
    if not isinstance(concept, Mapping):
        concept = _medication(resource)
    codings = _codings(concept)
    text = name_of(concept) or (codes.written(*codings[0]) if codings else None)
    if text is None:
        return None
    dosage = _first(resource.get("dosageInstruction") or resource.get("dosage"))
    said = [t for one in _all(resource.get("reasonCode")) if (t := name_of(one)) is not None]
    reason_codes = [code for one in _all(resource.get("reasonCode")) for _, code in _codings(one)]
    for condition in _referred(resource, call):
        said += [t for t in (name_of(condition.get("code")),) if t is not None]
        reason_codes += [code for _, code in _codings(condition.get("code"))]
    order = Order(
        drug=text[:300],
        codes=tuple(codes.written(system, code) for system, code in codings),
        route=_route(dosage),
        for_what="; ".join(said)[:1000] or None,
        for_codes=tuple(dict.fromkeys(reason_codes)),
        start=_day(_first(_first(dosage.get("timing")).get("repeat")).get("boundsPeriod")),
    )
    return Draft(name, text[:120], order, _dose(text, codings, dosage))


def _all(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _medication(resource: Mapping[str, Any]) -> Any:
    """The code of a contained Medication that the order refers to."""
    target = _first(resource.get("medicationReference")).get("reference")
    for one in _all(resource.get("contained")):
        if isinstance(one, Mapping) and isinstance(target, str) and target == f"#{one.get('id')}":
            return one.get("code")
    return {"text": shown} if (shown := _first(resource.get("medicationReference")).get("display")) else None


def _referred(resource: Mapping[str, Any], call: Hooked) -> list[dict[str, Any]]:
    wanted = {_first(one).get("reference") for one in _all(resource.get("reasonReference"))}
    return [r for r in resources_of(call) if f"{r.get('resourceType')}/{r.get('id')}" in wanted]


def _route(dosage: Mapping[str, Any]) -> str | None:
    """The way of giving as the record's schema names it; None where it is not said or not known here."""
    way = dosage.get("route")
    found = codes.meaning("route", _codings(way))
    if found is None:
        found = words.meaning("routes", name_of(way) or "")
    if found is None:
        found = codes.meaning("drug_route", _codings(way)) or words.meaning("drug_routes", name_of(way) or "")
    return {"fSCIg": "SC"}.get(found, found) if found else None


def _day(period: Any) -> date | None:
    start = _first(period).get("start")
    try:
        return date.fromisoformat(start[:10]) if isinstance(start, str) else None
    except ValueError:
        return None


def _dose(text: str, codings: list[tuple[str | None, str]], dosage: Mapping[str, Any]) -> Ordered | None:
    """The dose of an order of immunoglobulin. A dose whose unit is not understood stays missing: nothing is guessed."""
    coded = [row for system, code in codings if (row := codes.drug_codes().get((system or "", code)))]
    product = words.product_in(text)
    if not any(row.immunoglobulin for row in coded) and product is None and not words.is_generic_immunoglobulin(text):
        return None
    quantity = _first(_first(dosage.get("doseAndRate")).get("doseQuantity"))
    unit = quantity.get("code") or quantity.get("unit")
    grams, per_kg = _entered(quantity.get("value"), unit, "g"), _entered(quantity.get("value"), unit, "g/kg")
    repeat = _first(_first(dosage.get("timing")).get("repeat"))
    every, times = _interval(repeat)
    route = _route(dosage)
    if route is None and product is not None and len(product.routes) == 1:
        route = product.routes[0]
    name = product.id if product is not None else "immunoglobulin"
    return Ordered(name, grams, per_kg, times, every, route if route in ("IV", "SC") else None)


def _entered(value: Any, unit: Any, as_: str) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not isinstance(unit, str) or value <= 0:
        return None
    try:
        return enter(float(value), unit, as_=as_)
    except ValueError:
        return None


def _interval(repeat: Mapping[str, Any]) -> tuple[float | None, int]:
    """(days between courses, infusion days of one course) of a FHIR Timing; (None, 1) where it does not say."""
    days, times = _entered(repeat.get("period"), repeat.get("periodUnit"), "d"), repeat.get("frequency", 1)
    n = times if isinstance(times, int) and not isinstance(times, bool) and 1 <= times <= MOST_DAYS else 1
    if days is None:
        return None, 1
    return (days / n, 1) if days < MOST_DAYS else (days, n)
