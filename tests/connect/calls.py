"""Calls as a hospital's system makes them. All people are invented."""

from __future__ import annotations

import uuid

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
SNOMED = "http://snomed.info/sct"
MMN = {"coding": [{"system": SNOMED, "code": "230591002"}], "text": "Multifocal motor neuropathy"}


def order(name, text, *, code=None, **more):
    concept = {"text": text}
    if code:
        concept["coding"] = [{"system": RXNORM, "code": code}]
    return {"resourceType": "MedicationRequest", "id": name, "status": "draft", "intent": "order",
            "subject": {"reference": "Patient/p1"}, "medicationCodeableConcept": concept, **more}  # fmt: skip


def ivig(name, value, unit, weeks=4):
    dose = {
        "route": {"coding": [{"system": SNOMED, "code": "47625008"}]},
        "timing": {"repeat": {"frequency": 1, "period": weeks, "periodUnit": "wk"}},
        "doseAndRate": [{"doseQuantity": {"value": value, "unit": unit, "code": unit}}],
    }
    return order(name, "Privigen 10 % solution for infusion", dosageInstruction=[dose])


def condition(concept=None, **more):
    return {
        "resourceType": "Condition",
        "id": "c1",
        "subject": {"reference": "Patient/p1"},
        "code": concept or MMN,
        **more,
    }


def patient(pseudonym=None):
    who = {"resourceType": "Patient", "id": "p1", "gender": "male", "birthDate": "1968"}
    if pseudonym:
        from ranvier.exchange.fhir.build import PSEUDONYM

        who["identifier"] = [{"system": PSEUDONYM, "value": pseudonym}]
    return who


def call(hook, *orders, conditions=None, pseudonym=None, weight=None, **context):
    told = {"userId": "Practitioner/1", "patientId": "p1", **context}
    if hook != "patient-view":
        told["draftOrders"] = {"resourceType": "Bundle", "entry": [{"resource": one} for one in orders]}
    if hook == "order-select":
        told.setdefault("selections", [f"MedicationRequest/{one['id']}" for one in orders])
    listed = [condition()] if conditions is None else conditions
    prefetch = {
        "patient": patient(pseudonym),
        "conditions": {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": one} for one in listed]},
    }
    if weight:
        prefetch["weight"] = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": {
            "resourceType": "Observation", "id": "w1", "status": "final", "subject": {"reference": "Patient/p1"},
            "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]}, "effectiveDateTime": "2026-01-05",
            "valueQuantity": {"value": weight, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"}}}]}  # fmt: skip
    return {"hook": hook, "hookInstance": str(uuid.uuid4()), "context": told, "prefetch": prefetch}
