"""What the record can hold can be typed in: history, tests, imaging, vaccines, checks. Not known is not no."""

from __future__ import annotations

import json
import uuid
from importlib.resources import files

import pytest
from django.urls import reverse
from django.utils import timezone

from ranvier.protection.checks import checks
from ranvier_web.audit.models import Entry
from ranvier_web.clinic.actions import add_fact
from ranvier_web.clinic.fact_forms import FORMS
from ranvier_web.clinic.knowledge import knowledge
from ranvier_web.clinic.models import Fact, Kind
from ranvier_web.clinic.record import LISTS, RECORD_KINDS, in_force, record_of

SCHEMA = json.loads(files("ranvier.record").joinpath("record.schema.json").read_text("utf-8"))
TODAY = timezone.localdate().isoformat()
NOT_TYPED_HERE = {Kind.EXAMINATION, Kind.CONDUCTION}  # these have pages of their own
MAY = {"neurologist", "nurse", "pharmacist"}


def send(browser, patient, kind, **typed):
    return browser.post(reverse("fact_new", args=[patient.pk, kind]), {"key": str(uuid.uuid4()), **typed})


def bodies(patient, kind):
    return [f.body for f in in_force(patient).filter(kind=kind).order_by("id")]


def test_every_kind_of_fact_that_a_program_may_send_can_be_typed_by_a_person():
    assert set(RECORD_KINDS) - set(FORMS) == NOT_TYPED_HERE


@pytest.mark.parametrize("role", ["neurologist", "nurse", "pharmacist", "patient", "researcher", "administrator"])
def test_clinicians_open_every_form_and_nobody_else_any(clinic, signed_in, role):
    browser = signed_in(role)
    addresses = [reverse("fact_new", args=[clinic.heron.pk, kind]) for kind in FORMS]
    for address in [*addresses, reverse("asked", args=[clinic.heron.pk])]:
        assert browser.get(address).status_code == (200 if role in MAY else 403), address


WHOLE = {
    Kind.INFUSION: {
        "product": "privigen", "dose": {"value": 40, "unit": "g"}, "start": "2026-01-05T09:00", "stop": "2026-01-05T13:00",
        "route": "IV", "lot": "L1", "course": "c1", "reactions": [{"what": "rash", "grade": 1}, {"what": "fever"}],
        "note": "x", "day_checked": True,
    },
    Kind.WEIGHT: {"on": "2026-01-05", "value": 70.5, "unit": "kg"},
    Kind.IGG: {"at": "2026-01-05", "value": 12.5, "unit": "g/L", "timing": "before", "below": True},
    Kind.DRUG: {"name": "prednisolone", "code": "ATC H02AB06", "start": "2026-01-01", "stop": "2026-01-09",
                "for_what": "asthma", "route": "oral"},
    Kind.BLOOD_TEST: {"at": "2026-01-05T08:30", "what": "haemoglobin", "value": 141, "unit": "g/L"},
    Kind.CONDITION: {"what": "migraine", "present": False, "since": "2020-01-01", "code": "ICD-10 G43"},
    Kind.ALLERGY: {"to": "penicillin", "reaction": "rash", "severity": "mild", "on": "2019-06-02", "code": "ATC J01CA04"},
    Kind.IMMUNISATION: {"vaccine": "influenza", "on": "2025-10-02", "code": "ATC J07BB02", "lot": "F1", "given": False,
                        "note": "x"},
    Kind.ADVERSE: {"what": "rash", "on": "2026-01-05", "grade": 2, "until": "2026-01-06", "product": "privigen",
                   "lot": "L1", "note": "x"},
    Kind.SAFETY: {"check": "kidney", "on": "2026-01-05", "result": "clear", "again": "2027-01-05", "note": "x"},
    Kind.EVENT: {"on": "2026-01-05", "until": "2026-01-09", "what": "illness", "happened": False, "note": "x"},
    Kind.INVESTIGATION: {"what": "anti_gm1_igm", "positive": True, "on": "2026-01-05", "note": "x"},
    Kind.IMAGING: {
        "on": "2026-01-05", "kind": "ultrasound", "note": "x",
        "findings": [{"structure": "median nerve, forearm", "side": "left", "what": "enlarged",
                      "size": {"value": 12, "unit": "mm2"}}],
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(WHOLE))
def test_a_correction_that_changes_nothing_loses_nothing(clinic, signed_in, kind):
    """Also what the form has no field for: the second reaction, the code of a vaccine, the name of a course."""
    properties = SCHEMA["properties"]["person"]["properties"]["weights"]["items"] if kind == Kind.WEIGHT else None
    shape = properties or SCHEMA["properties"][LISTS[kind]]["items"]
    assert set(WHOLE[kind]) == set(shape["properties"]), "the example is not whole"
    fact = add_fact(clinic.heron, kind, timezone.localdate(), WHOLE[kind], clinic.by)
    browser = signed_in("nurse")
    address = reverse("fact_correct", args=[clinic.heron.pk, fact.pk])
    shown = browser.get(address).context["form"]
    typed = {b.html_name: b.value() for b in shown if b.value() not in (None, "", False)}
    answer = browser.post(address, {**typed, "key": str(uuid.uuid4())})
    assert answer.status_code == 302, answer.context["form"].errors
    assert bodies(clinic.heron, kind) == [WHOLE[kind]]


def test_an_interval_in_weeks_is_shown_in_days_and_never_taken_for_days(clinic, signed_in):
    body = {"kind": "regimen", "product": "privigen", "dose": {"value": 60, "unit": "g"}, "route": "IV",
            "interval": {"value": 4, "unit": "wk"}, "since": "2020-01-01"}  # fmt: skip
    add_fact(clinic.heron, Kind.BEFORE, timezone.localdate(), body, clinic.by)
    shown = signed_in("nurse").get(reverse("fact_new", args=[clinic.heron.pk, "before"])).context["form"]
    assert shown["interval"].value() == "28"


def test_a_history_keeps_what_nobody_asked_as_not_known(clinic, signed_in):
    browser = signed_in("neurologist")
    typed = {"onset": "2019-05", "f-slowly_progressive": "yes", "f-upper_motor_neuron_signs": "no"}
    assert send(browser, clinic.heron, "history", **typed).status_code == 302
    assert bodies(clinic.heron, Kind.HISTORY) == [
        {"onset": "2019-05", "present": ["slowly_progressive"], "absent": ["upper_motor_neuron_signs"]}
    ]
    record, _, _ = record_of(clinic.heron)
    assert {s.what: s.present for s in record.history.signs} == {
        "slowly_progressive": True,
        "upper_motor_neuron_signs": False,
    }


def test_a_finding_with_its_day_keeps_it_when_the_history_is_written_again(clinic, signed_in):
    dated = {"what": "sensory_loss", "present": False, "on": "2025-03-14", "note": "tested twice"}
    old = add_fact(clinic.heron, Kind.HISTORY, timezone.localdate(), {"findings": [dated]}, clinic.by)
    browser = signed_in("neurologist")
    page = browser.get(reverse("fact_new", args=[clinic.heron.pk, "history"]))
    assert page.context["form"]["f-sensory_loss"].value() == "no"
    sent = {"replaces": old.pk, "f-sensory_loss": "no", "f-family_history": "no"}
    assert send(browser, clinic.heron, "history", **sent).status_code == 302
    assert bodies(clinic.heron, Kind.HISTORY) == [{"findings": [dated], "absent": ["family_history"]}]


@pytest.mark.parametrize("onset", ["05/2019", "19", "2019-13", "soon"])
def test_an_onset_that_is_no_year_month_or_day_is_refused_with_an_example(clinic, signed_in, onset):
    answer = send(signed_in("neurologist"), clinic.heron, "history", onset=onset)
    assert answer.status_code == 422
    assert "2019-05" in answer.content.decode()
    assert not Fact.objects.filter(patient=clinic.heron).exists()


def test_results_of_one_day_become_one_fact_each_and_a_double_click_makes_no_more(clinic, signed_in):
    browser = signed_in("neurologist")
    sent = {"key": str(uuid.uuid4()), "day": TODAY, "f-anti_gm1_igm": "yes", "f-als_gene": "no", "note": "laboratory A"}
    for _ in range(2):
        assert browser.post(reverse("fact_new", args=[clinic.heron.pk, "investigation"]), sent).status_code == 302
    assert sorted((b["what"], b["positive"], b["note"]) for b in bodies(clinic.heron, Kind.INVESTIGATION)) == [
        ("als_gene", False, "laboratory A"),
        ("anti_gm1_igm", True, "laboratory A"),
    ]
    assert Entry.objects.filter(action="fact.added", who="neurologist").count() == 2


def test_blood_values_are_taken_with_their_unit_and_a_row_without_one_is_refused(clinic, signed_in):
    browser = signed_in("nurse")
    typed = {"day": TODAY, "what-0": "haemoglobin", "value-0": "14,1", "unit-0": "g/dL", "what-1": "creatinine"}
    answer = send(browser, clinic.heron, "blood_test", **typed)
    assert answer.status_code == 422
    assert "Row 2" in answer.content.decode()
    assert not Fact.objects.filter(patient=clinic.heron).exists()
    typed |= {"value-1": "82", "unit-1": "umol/L"}
    assert send(browser, clinic.heron, "blood_test", **typed).status_code == 302
    assert [(b["what"], b["value"], b["unit"]) for b in bodies(clinic.heron, Kind.BLOOD_TEST)] == [
        ("haemoglobin", 14.1, "g/dL"),
        ("creatinine", 82.0, "umol/L"),
    ]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"what-0": "IgG", "value-0": "9", "unit-0": "g/L"}, "IgG has a list of its own"),
        ({"what-0": "creatinine", "value-0": "82", "unit-0": "mikromol"}, "mikromol"),
        ({"what-0": "creatinine", "value-0": "about 80", "unit-0": "umol/L"}, "Write a number"),
    ],
)
def test_a_blood_value_that_cannot_be_read_is_refused_and_nothing_is_guessed(clinic, signed_in, row, said):
    answer = send(signed_in("nurse"), clinic.heron, "blood_test", day=TODAY, **row)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Fact.objects.filter(patient=clinic.heron).exists()


def test_the_size_of_a_nerve_on_ultrasound_reaches_the_diagnosis(clinic, signed_in):
    typed = {"day": TODAY, "method": "ultrasound", "structure-0": "median nerve, upper arm", "side-0": "left",
             "seen-0": "enlarged", "size-0": "21,5"}  # fmt: skip
    assert send(signed_in("neurologist"), clinic.heron, "imaging", **typed).status_code == 302
    [image] = bodies(clinic.heron, Kind.IMAGING)
    assert image["findings"][0]["size"] == {"value": 21.5, "unit": "mm2"}
    record, _, _ = record_of(clinic.heron)
    from ranvier.decision.diagnose import diagnose

    found = diagnose(record, knowledge(), at=timezone.localdate())
    assert found.judgement.facts["ultrasound_enlarged"].truth.value == "met"


def test_conditions_are_asked_one_by_one_and_only_answers_that_changed_become_facts(clinic, signed_in):
    names = [one.name for one in knowledge().asked]
    browser, address = signed_in("pharmacist"), reverse("asked", args=[clinic.heron.pk])
    kidney, stroke = names.index("chronic kidney disease"), names.index("stroke or transient ischaemic attack")
    sent = {"key": str(uuid.uuid4()), f"c-{kidney}": "yes", f"c-{stroke}": "no"}
    for _ in range(2):  # a double click
        assert browser.post(address, sent).status_code in (302, 409)
    assert bodies(clinic.heron, Kind.CONDITION) == [
        {"what": names[stroke], "present": False},
        {"what": names[kidney], "present": True},
    ]
    record, _, _ = record_of(clinic.heron)
    states = {c.id: c.state for c in checks(record, knowledge(), timezone.localdate())}
    assert states["kidney"] == "risk"
    assert states["thrombosis"] == "open"  # no stroke is not no thrombosis
    facts = {f.body["what"]: f.pk for f in in_force(clinic.heron)}
    again = {"key": str(uuid.uuid4()), f"seen-{kidney}": facts[names[kidney]], f"seen-{stroke}": facts[names[stroke]]}
    assert browser.post(address, {**again, f"c-{kidney}": "no", f"c-{stroke}": ""}).status_code == 302
    assert bodies(clinic.heron, Kind.CONDITION) == [{"what": names[kidney], "present": False}]


def test_what_somebody_else_answered_meanwhile_is_shown_and_nothing_is_overwritten(clinic, signed_in):
    names = [one.name for one in knowledge().asked]
    n, address = names.index("migraine"), reverse("asked", args=[clinic.heron.pk])
    assert signed_in("nurse").post(address, {"key": str(uuid.uuid4()), f"c-{n}": "yes"}).status_code == 302
    answer = signed_in("pharmacist").post(address, {"key": str(uuid.uuid4()), f"c-{n}": "no", "c-0": "yes"})
    assert answer.status_code == 409
    assert "migraine" in answer.content.decode()
    assert bodies(clinic.heron, Kind.CONDITION) == [{"what": "migraine", "present": True}]
    rows = [row for _, group, _ in answer.context["groups"] for row in group]
    assert (rows[0]["now"], next(r for r in rows if r["n"] == n)["now"]) == ("yes", "yes")


def test_each_new_kind_is_said_in_the_list_of_facts(clinic, signed_in):
    for kind in (Kind.HISTORY, Kind.IMAGING, Kind.IMMUNISATION, Kind.SAFETY, Kind.INVESTIGATION):
        add_fact(clinic.heron, kind, timezone.localdate(), WHOLE.get(kind, {"onset": "2019"}), clinic.by)
    page = signed_in("nurse").get(reverse("facts", args=[clinic.heron.pk])).content.decode()
    for told in (
        "began 2019",
        "ultrasound; median nerve",
        "influenza (offered, not given)",
        "Kidney: clear",
        "antibodies to GM1: yes",
    ):
        assert told in page, told


def test_an_onset_that_has_not_come_and_a_nerve_without_size_are_refused(clinic, signed_in):
    browser = signed_in("neurologist")
    answer = send(browser, clinic.heron, "history", onset=str(timezone.localdate().year + 1))
    assert answer.status_code == 422
    assert "has not come yet" in answer.content.decode()
    row = {"structure-0": "C5 root", "seen-0": "enlarged", "size-0": "-2"}
    answer = send(browser, clinic.heron, "imaging", day=TODAY, method="ultrasound", **row)
    assert answer.status_code == 422
    assert not Fact.objects.filter(patient=clinic.heron).exists()


def test_digits_of_another_script_are_not_taken_for_ours(clinic, signed_in):
    sent = {"day": TODAY, "value": "\N{ARABIC-INDIC DIGIT SEVEN}\N{ARABIC-INDIC DIGIT ONE}", "unit": "kg"}
    assert send(signed_in("nurse"), clinic.heron, "weight", **sent).status_code == 422
