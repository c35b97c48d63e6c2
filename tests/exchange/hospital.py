"""An invented hospital's resources, as other programs write them: nothing in here is ours."""

from __future__ import annotations

import copy

LOINC, UCUM, SCT = "http://loinc.org", "http://unitsofmeasure.org", "http://snomed.info/sct"
PATIENT = {
    "resourceType": "Patient",
    "id": "p1",
    "identifier": [{"system": "urn:oid:1.2.3", "value": "MRN-0815"}],
    "name": [{"family": "Invented", "given": ["Nobody"]}],
    "gender": "female",
    "birthDate": "1968-05-12",
}
ME = {"reference": "Patient/p1"}


def q(value, unit):
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def lab(loinc, value, unit, at="2025-03-14T08:00:00+01:00", ident=None, **more):
    found = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": loinc}]},
        "subject": ME,
        "effectiveDateTime": at,
        "valueQuantity": q(value, unit),
        **more,
    }
    return found | ({"id": ident} if ident else {})


def infusion(**more):
    return {
        "resourceType": "MedicationAdministration",
        "id": "a1",
        "status": "completed",
        "contained": [
            {
                "resourceType": "Medication",
                "id": "m",
                "code": {
                    "coding": [{"system": "http://www.whocc.no/atc", "code": "J06BA02"}],
                    "text": "Kiovig 100 mg/ml",
                },
                "batch": {"lotNumber": "LE12X041", "expirationDate": "2026-12-31"},
            }
        ],
        "medicationReference": {"reference": "#m"},
        "subject": ME,
        "effectivePeriod": {"start": "2025-03-14T09:30:00+01:00", "end": "2025-03-14T13:30:00+01:00"},
        "dosage": {
            "route": {"coding": [{"system": SCT, "code": "47625008"}]},
            "dose": q(40, "g"),
            "rateQuantity": q(2.4, "mL/kg/h"),
        },
        **more,
    }


def bundle(*resources, kind="collection", patient=PATIENT):
    every = ([copy.deepcopy(patient)] if patient else []) + [copy.deepcopy(r) for r in resources]
    return {"resourceType": "Bundle", "type": kind, "entry": [{"resource": r} for r in every]}


def without(resource, *keys):
    return {k: v for k, v in resource.items() if k not in keys}
