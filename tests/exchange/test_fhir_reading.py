"""What other programs write is read for what it says; what is not understood is kept and shown, with its FHIRPath."""

import json

import pytest
from fhirpathpy import compile as fhirpath
from fhirpathpy.models import models
from tests.exchange.hospital import LOINC, ME, PATIENT, SCT, bundle, infusion, lab, q, without

from ranvier.exchange.fhir import read_bundle
from ranvier.exchange.fhir.states import VERIFICATION
from ranvier.ground.notes import Severity


def mends(found):
    return [p for p in found.problems if p.severity is Severity.MEND]


def looks(found):
    return [p for p in found.problems if p.severity is Severity.LOOK]


def one_mend(*resources, **more):
    found = mends(read_bundle(bundle(*resources, **more)))
    assert len(found) == 1, found
    return found[0]


def notes(found):
    return found.document.get("notes", [])


# ---- facts


def test_an_infusion_with_product_dose_times_route_and_lot():
    found = read_bundle(bundle(infusion()), timezone="Europe/Amsterdam")
    assert mends(found) == []
    assert found.document["infusions"] == [
        {
            "product": "Kiovig 100 mg/ml", "dose": {"value": 40, "unit": "g"}, "start": "2025-03-14T09:30",
            "stop": "2025-03-14T13:30", "route": "IV", "lot": "LE12X041", "note": "rate 2.4 mL/kg/h",
        }
    ]  # fmt: skip
    assert any("expirationDate" in p.place for p in looks(found))


def test_a_name_never_enters_a_record_and_that_is_said():
    found = read_bundle(bundle())
    assert "Nobody" not in json.dumps(found.document)
    assert "0815" not in json.dumps(found.document)
    assert found.document["person"] == {"pseudonym": "patient", "sex": "female", "birth_year": 1968}
    assert any("tells who somebody is" in p.what for p in looks(found))


def test_times_keep_their_offset_where_the_zone_is_not_known():
    found = read_bundle(bundle(infusion()))
    assert found.document["infusions"][0]["start"] == "2025-03-14T09:30+01:00"


def test_times_in_utc_without_a_zone_are_pointed_out():
    values = [lab("2465-3", 12 + i / 10, "g/L", at=f"2025-03-{10 + i}T23:30:00Z") for i in range(3)]
    said = [p for p in looks(read_bundle(bundle(*values))) if "3 times are in UTC" in p.what]
    assert len(said) == 1
    told = read_bundle(bundle(*values), timezone="Europe/Amsterdam")
    assert told.document["igg"][0]["at"] == "2025-03-11T00:30"
    assert not any("UTC" in p.what for p in looks(told))


def test_laboratory_values_by_their_code():
    found = read_bundle(bundle(lab("2465-3", 1210, "mg/dL"), lab("718-7", 13.2, "g/dL"), lab("2160-0", 0.8, "mg/dL")))
    assert found.record.igg[0].g_per_l == 12.1
    assert [(t.what, t.value, t.unit) for t in found.record.blood_tests] == [
        ("creatinine", 0.8, "mg/dL"),
        ("haemoglobin", 13.2, "g/dL"),
    ]


def test_less_than_is_kept_as_a_bound():
    low = lab("2465-3", 1.5, "g/L", valueQuantity=q(1.5, "g/L") | {"comparator": "<"})
    assert read_bundle(bundle(low)).record.igg[0].below
    high = lab("718-7", 20, "g/dL", valueQuantity=q(20, "g/dL") | {"comparator": ">"})
    found = read_bundle(bundle(high))
    assert found.record.blood_tests == ()
    assert ">20 g/dL" in notes(found)[0]


def test_blood_pressure_is_two_values():
    parts = [
        {"code": {"coding": [{"system": LOINC, "code": c}]}, "valueQuantity": q(v, "mm[Hg]")}
        for c, v in (("8480-6", 128), ("8462-4", 81))
    ]
    pressure = without(lab("85354-9", 1, "1"), "valueQuantity") | {"component": parts}
    assert [t.what for t in read_bundle(bundle(pressure)).record.blood_tests] == [
        "diastolic blood pressure",
        "systolic blood pressure",
    ]


def test_grip_needs_its_device_and_kilopascal_is_never_kilogram():
    martin = {
        "resourceType": "Device", "id": "d", "type": {"text": "Martin Vigorimeter"}, "deviceName": [{"name": "x", "type": "other"}],
    }  # fmt: skip
    ours = {"coding": [{"system": "https://ranvier.example/fhir/CodeSystem/strength", "code": "grip"}], "text": "grip"}
    bulb = lab("0", 62, "kPa", code=ours, device={"reference": "Device/d"}, bodySite={"text": "left hand"})
    dial = lab("83174-3", 31, "kg", device={"display": "Jamar hydraulic"})
    found = read_bundle(bundle(martin, bulb, dial))
    assert mends(found) == []
    assert [(s.side, s.device, s.unit, s.values[0].value) for s in found.record.strength] == [
        ("left", "vigorimeter", "kPa", 62),
        ("right", "jamar", "kg", 31),
    ]


def test_a_dynamometer_code_with_kilopascal_is_refused():
    problem = one_mend(lab("83174-3", 62, "kPa", device={"display": "Jamar"}))
    assert "yet the unit is kPa" in problem.what
    assert problem.place.startswith("Bundle.entry[1].resource")


def test_codes_that_public_code_mistakes_for_grip_are_never_grip():
    found = read_bundle(bundle(lab("83176-8", 31, "kg")))
    assert found.record.strength == ()
    assert any("is not grip" in p.what for p in looks(found))
    assert "83176-8" in notes(found)[0]


def test_unknown_codes_are_kept_with_their_code_and_shown():
    strange = lab("99999-9", 3.2, "mg/L")
    strange["code"]["coding"][0]["display"] = "Marker of nothing"
    found = read_bundle(bundle(strange))
    assert found.record.blood_tests[0].what == "Marker of nothing [LOINC 99999-9]"
    assert any("99999-9" in p.what for p in looks(found))


def test_a_code_and_a_unit_that_do_not_go_together_are_pointed_out():
    found = read_bundle(bundle(lab("2160-0", 80, "umol/L")))
    assert found.record.blood_tests[0].unit == "umol/L"
    assert any("2160-0" in p.what and "umol/L" in p.what for p in looks(found))


def test_the_disease_by_any_of_its_codes():
    for system, code in (
        ("http://hl7.org/fhir/sid/icd-10-cm", "G61.82"), (SCT, "230591002"), ("http://www.orpha.net", "641"),
    ):  # fmt: skip
        condition = {
            "resourceType": "Condition", "subject": ME, "code": {"coding": [{"system": system, "code": code}]},
            "onsetDateTime": "2019-05",
        }  # fmt: skip
        found = read_bundle(bundle(condition))
        assert found.record.conditions[0].what == "multifocal motor neuropathy"
        assert found.record.history.onset == "2019-05"


@pytest.mark.parametrize(
    ("status", "present"), [("confirmed", True), ("refuted", False), ("provisional", None), ("differential", None)]
)
def test_suspected_is_neither_there_nor_excluded(status, present):
    condition = {
        "resourceType": "Condition", "subject": ME, "code": {"text": "migraine"},
        "verificationStatus": {"coding": [{"system": VERIFICATION, "code": status}]},
    }  # fmt: skip
    found = read_bundle(bundle(condition))
    assert [c.present for c in found.record.conditions] == ([] if present is None else [present])
    assert bool(notes(found)) == (present is None)


def test_another_drug_keeps_its_code_and_an_old_code_is_named():
    taken = {
        "resourceType": "MedicationStatement", "status": "active", "subject": ME, "effectivePeriod": {"start": "2024-01-10"},
        "medicationCodeableConcept": {"coding": [{"system": "http://www.whocc.no/atc", "code": "L04AA25"}], "text": "eculizumab"},
    }  # fmt: skip
    found = read_bundle(bundle(taken))
    assert found.record.drugs[0].code == "ATC L04AA25"
    assert any("L04AJ01" in p.what for p in looks(found))


def test_a_sum_of_the_rods_from_its_items():
    answers = [{"linkId": str(i), "answer": [{"valueInteger": 2 if i else 1}]} for i in range(25)]
    response = {
        "resourceType": "QuestionnaireResponse", "status": "completed", "subject": ME, "authored": "2025-03-14",
        "questionnaire": "http://hospital.example/Questionnaire/MMN-RODS", "item": answers,
    }  # fmt: skip
    assert read_bundle(bundle(response)).record.strength[0].values[0].value == 49
    found = read_bundle(bundle(response | {"item": answers[:24]}))
    assert found.record.strength == ()
    assert any("24 of 25" in p.what for p in looks(found))


def test_single_mrc_grades_of_one_day_make_one_examination():
    def grade(muscle, value):
        code = {"coding": [{"system": "https://ranvier.example/fhir/CodeSystem/observation", "code": "mrc-muscle"}]}
        site = {"coding": [{"system": SCT, "code": "7771000"}], "text": muscle}
        return without(lab("0", 1, "1"), "valueQuantity") | {"code": code, "bodySite": site, **value}

    found = read_bundle(
        bundle(grade("FDI", {"valueInteger": 3}), grade("deltoid", {"valueCodeableConcept": {"text": "MRC 4-"}}))
    )
    assert found.document["examinations"] == [
        {
            "on": "2025-03-14",
            "findings": [
                {"muscle": "FDI", "side": "left", "mrc": 3},
                {"muscle": "deltoid", "side": "left", "mrc": "4-"},
            ],
        }
    ]


# ---- what is not taken


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
def test_what_says_that_it_does_not_hold_is_not_used(status):
    found = read_bundle(bundle(lab("2465-3", 12, "g/L") | {"status": status}))
    assert found.record.igg == ()
    assert notes(found) == []
    assert any(f"not used: its status is {status}" in p.what for p in looks(found))


def test_an_infusion_that_was_stopped_is_no_infusion_of_that_dose():
    found = read_bundle(bundle(infusion(status="stopped")))
    assert found.record.infusions == ()
    assert any("stopped" in p.what for p in looks(found))


def test_what_changes_the_meaning_and_is_not_known_is_never_read():
    negated = lab("2465-3", 12, "g/L") | {"modifierExtension": [{"url": "http://x.example/not", "valueBoolean": True}]}
    found = read_bundle(bundle(negated))
    assert found.record.igg == ()
    assert any("modifierExtension" in p.place for p in looks(found))


def test_an_option_of_a_plan_is_no_order():
    option = {
        "resourceType": "MedicationRequest", "status": "draft", "intent": "option", "subject": ME,
        "medicationCodeableConcept": {"text": "Kiovig"},
    }  # fmt: skip
    assert notes(read_bundle(bundle(option))) == []


def ordered(text, **more):
    return {
        "resourceType": "MedicationRequest", "status": "active", "intent": "order", "subject": ME, "authoredOn": "2025-03-01",
        "medicationCodeableConcept": {"text": text}, **more,
    }  # fmt: skip


def test_an_order_of_immunoglobulin_is_a_note_with_its_dose_and_no_infusion():
    dose = [
        {
            "timing": {"repeat": {"frequency": 1, "period": 28, "periodUnit": "d"}},
            "doseAndRate": [{"doseQuantity": q(40, "g")}],
        }
    ]
    found = read_bundle(bundle(ordered("Privigen", dosageInstruction=dose)))
    assert found.record.infusions == ()
    assert "40 g, 1 per 28 d" in notes(found)[0]


def test_an_order_of_another_drug_that_holds_now_is_kept_as_that_drug():
    found = read_bundle(bundle(ordered("prednisone 5 mg"), ordered("metformin", status="stopped")))
    assert [(d.name, str(d.start)) for d in found.record.drugs] == [("prednisone 5 mg", "2025-03-01")]
    assert any("whether it is taken is not said" in p.what for p in looks(found))
    assert "metformin" in notes(found)[0]


def test_allergies_and_vaccines_are_read_and_what_is_refuted_is_not():
    def status(system, code):
        return {
            "coding": [{"system": f"http://terminology.hl7.org/CodeSystem/allergyintolerance-{system}", "code": code}]
        }

    allergy = {
        "resourceType": "AllergyIntolerance", "patient": ME, "code": {"text": "penicillin"}, "onsetDateTime": "2019-06-02",
        "clinicalStatus": status("clinical", "active"), "reaction": [{"manifestation": [{"text": "wheeze"}], "severity": "severe"}],
    }  # fmt: skip
    refuted = allergy | {"code": {"text": "latex"}, "verificationStatus": status("verification", "refuted")}
    vaccine = {
        "resourceType": "Immunization", "patient": ME, "status": "completed", "occurrenceDateTime": "2012-04-17",
        "lotNumber": "MMR7",
        "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "03"}], "text": "MMR"},
    }  # fmt: skip
    found = read_bundle(bundle(allergy, refuted, vaccine))
    assert [(a.to, a.reaction, a.severity) for a in found.record.allergies] == [("penicillin", "wheeze", "severe")]
    assert [(v.vaccine, v.code, v.lot) for v in found.record.immunisations] == [("MMR", "CVX 03", "MMR7")]
    assert "latex" in notes(found)[0]


def test_types_that_cannot_be_read_are_named_once_with_their_number():
    visits = [{"resourceType": "Encounter", "id": f"e{i}", "status": "finished"} for i in range(40)]
    named = [p for p in looks(read_bundle(bundle(*visits))) if "Encounter" in p.what]
    assert len(named) == 1
    assert "40 resources" in named[0].what


def test_elements_without_a_place_are_named_once_per_kind():
    values = [
        lab("2465-3", 12 + i / 10, "g/L", at=f"2025-03-{10 + i}", method={"text": "nephelometry"}) for i in range(9)
    ]
    named = [p for p in looks(read_bundle(bundle(*values))) if "Observation.method" in p.what]
    assert [p.what for p in named] == ["Observation.method (9 times) has no place in a record"]


# ---- what is refused


def test_a_missing_dose_is_never_guessed():
    problem = one_mend(infusion(dosage={"route": {"coding": [{"system": SCT, "code": "47625008"}]}}))
    assert problem.place == "Bundle.entry[1].resource.dosage"
    assert "never guessed" in problem.remedy


def test_millilitres_are_not_grams():
    problem = one_mend(infusion(dosage=infusion()["dosage"] | {"dose": q(400, "mL")}))
    assert "'mL' cannot be read as g" in problem.what


def test_a_pound_that_is_spelt_is_not_converted():
    problem = one_mend(lab("83174-3", 60, "lbs", device={"display": "Jamar"}))
    assert problem.place == "Bundle.entry[1].resource.value"
    assert "[lb_av]" in problem.remedy


def test_a_number_written_as_text_is_refused():
    problem = one_mend(lab("2465-3", "12.1", "g/L"))
    assert problem.place == "Bundle.entry[1].resource.value.value"
    assert "written as text" in problem.what


def test_a_value_without_unit_is_refused():
    problem = one_mend(lab("2465-3", 1, "g/L", valueQuantity={"value": 12.1}))
    assert "no unit" in problem.what


def test_an_implausible_value_is_refused_at_its_own_place():
    problem = one_mend(lab("2465-3", 1210, "g/L"))
    assert problem.place.startswith("Bundle.entry[1].resource")
    assert "mg/dL" in problem.remedy


@pytest.mark.parametrize(
    ("at", "says"),
    [
        ("2025-02-30", "no such day"),
        ("2025-03-14T09:30:00", "no offset"),
        ("2025-03-14T25:30:00Z", "no such time"),
        ("14.3.2025", "no FHIR date"),
        ("20250314", "no FHIR date"),
        ("2025-03-14 09:30", "no FHIR date"),
    ],
)
def test_a_bad_date_is_refused(at, says):
    problem = one_mend(lab("2465-3", 12.1, "g/L", at=at))
    assert problem.place == "Bundle.entry[1].resource.effective"
    assert says in problem.what


def test_a_month_is_no_day_and_the_value_becomes_a_note():
    found = read_bundle(bundle(lab("2465-3", 12.1, "g/L", at="2025-03")))
    assert mends(found) == []
    assert found.record.igg == ()
    assert "12.1 g/L; 2025-03" in notes(found)[0]


def test_somebody_elses_value_is_refused_and_not_read():
    foreign = lab("2465-3", 12.1, "g/L") | {"subject": {"reference": "Patient/p2"}}
    found = read_bundle(bundle(lab("2465-3", 11.0, "g/L", at="2025-03-01"), foreign))
    assert [p.place for p in mends(found)] == ["Bundle.entry[2].resource.subject"]
    assert [g["value"] for g in found.document["igg"]] == [11]


def test_the_same_id_on_another_server_is_somebody_else():
    whole = bundle(lab("2465-3", 12.1, "g/L") | {"subject": {"reference": "https://b.example/fhir/Patient/p1"}})
    whole["entry"][0]["fullUrl"] = "https://a.example/fhir/Patient/p1"
    assert "belongs to" in mends(read_bundle(whole))[0].what


def test_two_persons_in_one_bundle_are_refused():
    problem = one_mend(PATIENT | {"id": "p2"})
    assert "2 persons" in problem.what


def test_mixed_subjects_without_a_patient_are_refused():
    other = lab("2465-3", 12.1, "g/L") | {"subject": {"reference": "Patient/p2"}}
    problem = one_mend(lab("2465-3", 11, "g/L"), other, patient=None)
    assert "others to 'Patient/p1'" in problem.what


def test_what_belongs_to_nobody_is_refused_but_not_at_the_loose_edge():
    nobody = without(lab("2465-3", 12.1, "g/L"), "subject")
    assert "whose it is" in one_mend(nobody).what
    loose = read_bundle(without(bundle(nobody), "type"), strict=False)
    assert loose.record.igg[0].g_per_l == 12.1


def test_an_exact_copy_is_counted_once_and_a_contradiction_refused():
    value = lab("2465-3", 12.1, "g/L", ident="o1")
    found = read_bundle(bundle(value, value))
    assert len(found.record.igg) == 1
    assert any("the same as Bundle.entry[1]" in p.what for p in looks(found))
    assert "says something else" in one_mend(value, value | {"valueQuantity": q(13, "g/L")}).what


def test_a_bundle_must_say_its_type_and_be_no_history():
    assert "type" in mends(read_bundle(without(bundle(), "type")))[0].place
    assert "history" in mends(read_bundle(bundle(kind="history")))[0].what


def test_all_problems_are_told_at_once():
    found = read_bundle(
        bundle(
            lab("2465-3", "12", "g/L"), lab("2465-3", 12, "g/L", at="x"), infusion(dosage={}), PATIENT | {"id": "p2"}
        )
    )
    assert len(mends(found)) >= 4


# ---- places


def test_every_place_is_a_fhirpath_that_finds_something():
    whole = bundle(
        lab("2465-3", "12.1", "g/L"), lab("2465-3", 12, "g/L", at="x"), lab("99999-9", 3, "mg/L", method={"text": "m"}),
        infusion(), infusion(id="a2", dosage=infusion()["dosage"] | {"dose": q(400, "mL")}),
        lab("2465-3", 1210, "g/L", at="2025-01-01"), {"resourceType": "Encounter", "id": "e", "status": "finished"},
    )  # fmt: skip
    places = {p.place for p in read_bundle(whole).problems if p.place.startswith("Bundle")}
    assert len(places) > 8
    for place in places:
        path = place.partition(" (")[0]
        assert fhirpath(path, models["r4"])(whole), path
