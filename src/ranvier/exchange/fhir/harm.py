"""What must not be given again, vaccines, and adverse events that belong to no single infusion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ranvier.exchange.fhir import codes
from ranvier.exchange.fhir.build import Writer, concept, extension, notes
from ranvier.exchange.fhir.draft import Draft, LeftError, SkipError, name_of
from ranvier.exchange.fhir.drugs import best_code, coded, medication
from ranvier.exchange.fhir.node import Node

CLINICAL = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
SEVERITIES = ("mild", "moderate", "severe")
UNTOLD = "words left out"


# ---- writing


def write(w: Writer, document: Mapping[str, Any]) -> None:
    """Allergies, vaccines, adverse events."""
    for one in document.get("allergies", ()):
        told = w.free("words on allergies", one.get("reaction"))
        severity = one.get("severity")
        reaction: dict[str, Any] | None = {"manifestation": [{"text": told}]} if told else None
        if reaction is not None and severity is not None:
            reaction["severity"] = "severe" if severity == "anaphylaxis" else severity
        w.add(
            "AllergyIntolerance",
            extension=[extension("severity", valueCode=severity)] if severity else None,
            clinicalStatus=concept([{"system": CLINICAL, "code": "active"}]),
            verificationStatus=concept([{"system": VERIFICATION, "code": "confirmed"}]),
            criticality="high" if severity == "anaphylaxis" else None,
            code=coded(one["to"], one.get("code")),
            onsetDateTime=one.get("on"),
            reaction=[reaction] if reaction else None,
        )
    for one in document.get("immunisations", ()):
        w.add(
            "Immunization",
            status="completed" if one.get("given", True) else "not-done",
            vaccineCode=coded(one["vaccine"], one.get("code")),
            occurrenceDateTime=one["on"],
            lotNumber=one.get("lot"),
            note=notes(w.free("notes on vaccines", one.get("note"))),
        )
    for one in document.get("adverse_events", ()):
        _write_event(w, one)


def _write_event(w: Writer, one: Mapping[str, Any]) -> None:
    vial: dict[str, Any] = {"resourceType": "Medication", "id": "vial"}
    if "product" in one:
        vial["code"] = {"text": one["product"]}
    if "lot" in one:
        vial["batch"] = {"lotNumber": one["lot"]}
    known = len(vial) > 2
    extensions = [extension("grade", valueInteger=one["grade"])] if "grade" in one else []
    extensions += [extension("until", valueDate=one["until"])] if "until" in one else []
    told = w.free("notes on adverse events", one.get("note"))
    extensions += [extension("note", valueString=told)] if told else []
    w.add(
        "AdverseEvent",
        contained=[vial] if known else None,
        extension=extensions or None,
        actuality="actual",
        event={"text": w.free("words on adverse events", one["what"]) or UNTOLD},
        date=one["on"],
        suspectEntity=[{"instance": {"reference": "#vial"}}] if known else None,
    )


# ---- reading


def _status(node: Node, key: str) -> str | None:
    return next((c for _, c, _ in node.codings(key)), None)


def read_allergy(d: Draft, node: Node) -> None:
    """An allergy or intolerance that is held to be true now."""
    clinical, verified = _status(node, "clinicalStatus"), _status(node, "verificationStatus")
    if verified == "entered-in-error":
        raise SkipError("it was entered in error")
    if verified == "refuted" or clinical in ("inactive", "resolved"):
        raise LeftError(f"it is {'refuted' if verified == 'refuted' else clinical}")
    if verified in ("unconfirmed", "presumed"):
        node.look("verificationStatus", f"the allergy is {verified}", "Kept as an allergy, to be safe.")
    node.mark("type", "category")
    concept_node = node.child("code")
    if concept_node is None:
        raise LeftError("it does not say to what")
    concept_node.mark("text")
    code = best_code(d, concept_node, "atc", "rxnorm", "snomed")
    to = name_of(concept_node.raw) or code
    if to is None:
        raise LeftError("it does not say to what")
    if any(word in to.lower() for word in ("no known", "none known", "nka")):
        raise LeftError("it says that no allergy is known: what is not listed is unknown here")
    on = next((d.when(node, k, whole_day=True) for k in ("onsetDateTime", "recordedDate") if node.has(k)), None)
    node.mark("recordedDate")
    severity = node.extended(codes.extension("severity"), "valueCode")
    told: list[str] = []
    for reaction in node.children("reaction"):
        for manifestation in reaction.children("manifestation"):
            manifestation.mark("text")
            manifestation.own_codings()
            told += [t for t in [name_of(manifestation.raw)] if t]
        grade = reaction.text("severity")
        if grade is not None and severity is None:
            severity = grade if grade in SEVERITIES else None
    node.text("criticality")
    entry = {"to": to[:200], "reaction": ", ".join(told)[:1000] or None, "severity": severity, "on": on, "code": code}
    d.add("allergies", entry, node)
    said = d.notes_of(node)
    if said:
        d.note(node, f"Allergy to {to}: {said}")


def read_immunization(d: Draft, node: Node) -> None:
    """A vaccine that was given, or offered and not given."""
    status = node.text("status")
    if status == "entered-in-error":
        raise SkipError("it was entered in error")
    concept_node = node.child("vaccineCode")
    if concept_node is None:
        raise LeftError("it does not say which vaccine")
    concept_node.mark("text")
    code = best_code(d, concept_node, "atc", "cvx", "snomed")
    name = name_of(concept_node.raw) or code
    on = d.when(node, "occurrenceDateTime", whole_day=True)
    if on is None and not node.has("occurrenceDateTime"):
        raise LeftError("a vaccine without its day")
    if on is None or name is None:
        return
    entry: dict[str, Any] = {"vaccine": name[:200], "on": on, "code": code, "lot": node.text("lotNumber")}
    entry |= {"given": False} if status == "not-done" else {}
    d.add("immunisations", {**entry, "note": d.notes_of(node)}, node)


def read_event(d: Draft, node: Node, what: str, grade: Any) -> None:
    """An adverse event of its own."""
    on = d.when(node, "date", whole_day=True)
    if on is None and not node.has("date"):
        raise LeftError("an adverse event without its day, which belongs to no infusion sent with it")
    product = lot = None
    for suspect in node.children("suspectEntity"):
        instance = suspect.child("instance")
        target = instance.text("reference") if instance is not None else None
        found = d.find(node, target) if target else None
        if found is None or found.kind not in ("Medication", "MedicationAdministration", "MedicationStatement"):
            suspect.look("instance", "what is held responsible was not sent, or is no drug", "Not kept.")
            continue
        concept_node = found.child("code") if found.kind == "Medication" else medication(d, found)[0]
        if concept_node is not None:
            concept_node.mark("text")
            product = name_of(concept_node.raw)
        batch = found.child("batch") if found.kind == "Medication" else None
        lot = batch.text("lotNumber") if batch is not None else None
    entry = {
        "what": what[:1000], "on": on, "grade": grade, "product": product, "lot": lot,
        "until": node.extended(codes.extension("until"), "valueDate"),
        "note": node.extended(codes.extension("note"), "valueString"),
    }  # fmt: skip
    if on is not None:
        d.add("adverse_events", entry, node)
