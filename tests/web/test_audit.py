"""The audit log: nobody acts unnamed, and nobody changes what was done without it showing."""

from __future__ import annotations

from copy import deepcopy

import pytest
from django.db import transaction
from django.urls import reverse

from ranvier_web.audit import chain
from ranvier_web.audit.models import Entry
from ranvier_web.clinic.models import Fact

from .conftest import infusion


def _rows():
    return [deepcopy(e) for e in Entry.objects.order_by("id")]


def test_the_chain_holds_after_ordinary_work(clinic, signed_in):
    infusion(clinic.heron, clinic.by)
    signed_in("nurse").get(reverse("patient", args=[clinic.heron.pk]))
    rows, last, broken = chain.verify()
    assert broken is None
    assert rows == Entry.objects.count() > 5
    assert chain.verify(ends_with=last)[2] is None


@pytest.mark.parametrize("field", ["who", "role", "site", "action", "patient", "details", "at", "previous", "hash"])
def test_any_changed_field_shows_at_its_row(clinic, field):
    rows = _rows()
    victim = rows[2]
    was = getattr(victim, field)
    changed = {"details": {"x": 1}}.get(field, was.replace(year=2020) if field == "at" else f"{was}x"[1:] or "x")
    setattr(victim, field, changed)
    assert chain.verify(rows)[2].id in (victim.id, victim.id + 1)


@pytest.mark.parametrize("which", [0, 1])
def test_a_missing_row_shows(clinic, which):
    rows = _rows()
    del rows[which]
    assert "missing" in chain.verify(rows)[2].why


def test_rows_cut_off_at_the_end_show_against_a_hash_that_was_noted(clinic):
    rows = _rows()
    assert chain.verify(rows[:-2])[2] is None
    assert "gone" in chain.verify(rows[:-2], ends_with=rows[-1].hash)[2].why


def test_nobody_acts_unnamed(db):
    with pytest.raises(ValueError, match="unnamed"):
        chain.write("", "fact.added")


def test_what_is_rolled_back_leaves_neither_fact_nor_row(clinic):
    before = Entry.objects.count()
    with transaction.atomic():
        infusion(clinic.heron, clinic.by)
        transaction.set_rollback(True)
    assert Entry.objects.count() == before
    assert not Fact.objects.exists()


def test_looking_at_a_patient_is_kept_too(clinic, signed_in):
    signed_in("pharmacist").get(reverse("patient", args=[clinic.heron.pk]))
    seen = Entry.objects.get(action="patient.seen")
    assert (seen.who, seen.role, seen.patient) == ("pharmacist", "pharmacist", str(clinic.heron.pk))


def test_a_wrong_password_is_kept_and_the_fifth_closes_the_account(clinic, client):
    for _ in range(6):
        answer = client.post(reverse("account_login"), {"login": "nurse", "password": "wrong"})
    assert answer.status_code == 429
    assert Entry.objects.filter(action="signed.refused").count() >= 5
    right = client.post(reverse("account_login"), {"login": "nurse", "password": "only for these tests"})
    assert right.status_code == 429
