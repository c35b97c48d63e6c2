"""Facts are never changed: they are corrected by new ones, and nothing is lost on the way."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from ranvier import record as room
from ranvier.ground.notes import InputError
from ranvier_web.clinic.actions import ConflictError, add_fact, add_many, add_patient, erase, take_back
from ranvier_web.clinic.models import Fact, Kind, Patient
from ranvier_web.clinic.record import assemble, facts_of, in_force, record_of
from ranvier_web.demo import _read, cases

from .conftest import infusion


@pytest.mark.parametrize("case", sorted(f.stem for f in cases().glob("*.yaml")))
def test_a_case_taken_apart_into_facts_and_put_together_is_the_same_record(clinic, case):
    file = cases() / f"{case}.yaml"
    there, _ = room.read(file)
    data = _read(file)
    patient = add_patient(
        data["person"]["pseudonym"] + "-again", clinic.here, clinic.by, invented=True, timezone=data["timezone"]
    )
    Patient.objects.filter(pk=patient.pk).update(pseudonym=data["person"]["pseudonym"] + "-x")
    patient.pseudonym = data["person"]["pseudonym"]
    add_many(patient, facts_of(data), clinic.by, origin="test")
    here, _, _ = record_of(patient)
    assert here.digest == there.digest


@pytest.mark.parametrize("table", ["clinic_fact", "clinic_assessment", "clinic_decision", "audit_entry"])
def test_the_database_itself_refuses_to_change_what_was_written(measured, table):
    from ranvier_web.clinic.assessing import assess_patient

    made = assess_patient(measured)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        if cursor.fetchone()[0] == 0:
            from ranvier_web.clinic.models import Decision
            from ranvier_web.people.models import User

            Decision.objects.create(
                key=uuid.uuid4(), patient=measured, assessment=made, verdict="refused", by=User.objects.first()
            )
    column = {"audit_entry": "who", "clinic_fact": "why", "clinic_assessment": "software_version"}.get(table, "reason")
    for statement in (f"UPDATE {table} SET {column} = 'x'", f"DELETE FROM {table}"):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_a_double_click_makes_one_infusion(clinic):
    key = uuid.uuid4()
    first, second = infusion(clinic.heron, clinic.by, key=key), infusion(clinic.heron, clinic.by, key=key)
    assert first.pk == second.pk
    assert in_force(clinic.heron).filter(kind=Kind.INFUSION).count() == 1


def test_a_form_sent_twice_makes_one_infusion(clinic, signed_in):
    browser = signed_in("nurse")
    sent = {
        "key": str(uuid.uuid4()),
        "day": timezone.localdate().isoformat(),
        "product": "privigen",
        "grams": "40",
        "route": "IV",
    }
    for _ in range(2):
        answer = browser.post(reverse("fact_new", args=[clinic.heron.pk, "infusion"]), sent)
        assert answer.status_code == 302
    assert in_force(clinic.heron).filter(kind=Kind.INFUSION).count() == 1


def test_two_people_who_correct_one_fact_lose_nothing(clinic, signed_in):
    old = infusion(clinic.heron, clinic.by)
    nurse, pharmacist = signed_in("nurse"), signed_in("pharmacist")
    page = reverse("fact_correct", args=[clinic.heron.pk, old.pk])

    def typed(grams):
        return {
            "key": str(uuid.uuid4()), "replaces": old.pk, "day": old.day.isoformat(), "product": "privigen",
            "grams": grams, "route": "IV",
        }  # fmt: skip

    assert nurse.post(page, typed("50")).status_code == 302
    answer = pharmacist.post(page, typed("45"))
    assert answer.status_code == 409
    shown = answer.content.decode()
    assert "50\N{NO-BREAK SPACE}g" in shown
    assert "45\N{NO-BREAK SPACE}g" in shown
    assert [f.body["dose"]["value"] for f in in_force(clinic.heron)] == [50.0]
    theirs = Fact.objects.get(replaces=old)
    assert pharmacist.post(page, typed("45") | {"replaces": theirs.pk}).status_code == 302
    assert [f.body["dose"]["value"] for f in in_force(clinic.heron)] == [45.0]
    assert Fact.objects.filter(patient=clinic.heron, kind=Kind.INFUSION).count() == 3


def test_goals_that_somebody_else_set_meanwhile_are_not_overwritten(clinic):
    add_fact(clinic.heron, Kind.GOALS, timezone.localdate(), {"routes": ["IV"]}, clinic.by)
    with pytest.raises(ConflictError):
        add_fact(clinic.heron, Kind.GOALS, timezone.localdate(), {"routes": ["SC"]}, clinic.by)
    assert assemble(clinic.heron, in_force(clinic.heron))["goals"] == {"routes": ["IV"]}


def test_a_dose_that_cannot_be_is_refused_with_its_remedy_and_nothing_is_written(clinic, signed_in):
    sent = {
        "key": str(uuid.uuid4()), "day": (timezone.localdate() + timedelta(days=400)).isoformat(), "product": "privigen",
        "grams": "4000", "route": "IV",
    }  # fmt: skip
    answer = signed_in("nurse").post(reverse("fact_new", args=[clinic.heron.pk, "infusion"]), sent)
    assert answer.status_code == 422
    assert "4000" in answer.content.decode()
    assert not Fact.objects.filter(patient=clinic.heron).exists()
    body = {"product": "privigen", "dose": {"value": 40, "unit": "mg"}, "start": "2026-01-01", "route": "IV"}
    with pytest.raises(InputError):
        add_fact(clinic.heron, Kind.INFUSION, timezone.localdate(), body, clinic.by)


def test_an_import_is_taken_back_whole_and_stays_to_be_seen(measured, clinic):
    batch = uuid.uuid4()
    days = [(timezone.localdate() - timedelta(days=n)).isoformat() for n in (1, 2, 3)]
    add_many(
        measured, [(Kind.NOTE, d, {"text": f"note of {d}"}) for d in days], clinic.by, origin="import", batch=batch
    )
    before = in_force(measured).count()
    assert take_back(measured, batch, clinic.by, "wrong file") == 3
    assert in_force(measured).count() == before - 3
    assert Fact.objects.filter(patient=measured, batch=batch).count() == 3


def test_the_name_is_encrypted_in_the_database(clinic):
    patient = add_patient("plover", clinic.here, clinic.by, name="Jane Invented")
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM clinic_patient WHERE pseudonym = 'plover'")
        kept = cursor.fetchone()[0]
    assert "Jane" not in kept
    assert Patient.objects.get(pk=patient.pk).name == "Jane Invented"


def test_who_asks_to_be_forgotten_is_and_the_log_still_holds(measured, clinic):
    from ranvier_web.audit import chain
    from ranvier_web.clinic.actions import Actor
    from ranvier_web.clinic.assessing import assess_patient

    assess_patient(measured)
    pk = measured.pk
    erase(measured, Actor.of(clinic.people["administrator"]), "asked in writing")
    assert not Fact.objects.filter(patient_id=pk).exists()
    assert not Patient.objects.filter(pk=pk).exists()
    assert chain.verify()[2] is None


def test_a_pseudonym_is_given_once_per_clinic(clinic):
    with pytest.raises(IntegrityError), transaction.atomic():
        add_patient("heron", clinic.here, clinic.by)
    assert add_patient("heron", clinic.there, clinic.by).pk
