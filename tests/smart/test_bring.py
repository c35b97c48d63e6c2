"""What the hospital's system has about the person who is open there: looked at first, then written; of nobody else."""

from __future__ import annotations

import json
import re
import time
from datetime import date

import pytest
from django.urls import reverse

from ranvier_web.audit.models import Entry
from ranvier_web.clinic.fields import seal, unseal
from ranvier_web.clinic.models import Fact, Patient
from ranvier_web.clinic.record import in_force
from ranvier_web.connect.models import Elsewhere
from ranvier_web.smart import held


@pytest.fixture
def opened(begin, client, clinic):
    """The neurologist has launched for the hospital's p1, who is our heron."""
    clinic.heron.number = "MRN-0815"
    clinic.heron.save()

    def go(**more):
        client.get(begin(**more))
        answer = client.get(reverse("smart_open"))
        assert answer.status_code == 302, answer.content.decode()
        return clinic.heron

    return go


def changed(client, **more):
    """The launch in the session of this browser, with some of it changed."""
    session = client.session
    found = json.loads(unseal(session[held.HELD]))
    session[held.HELD] = seal(json.dumps(found | more))
    session.save()


def kept(client):
    return held.Held(**json.loads(unseal(client.session[held.HELD])))


def test_what_the_hospital_has_is_shown_first_and_written_when_somebody_says_so(opened, client):
    heron = opened()
    page = client.post(reverse("smart_bring", args=[heron.pk]))
    text = page.content.decode()
    assert page.status_code == 200, text
    assert "Nothing is written yet" in text
    assert "12.1 g/L" in text.replace("\N{NO-BREAK SPACE}", " "), "each new fact is shown with its value"
    assert "2025-03-14" in text
    assert "99999-9" in text, "a code that nobody knows is shown, not dropped"
    assert "told who" in text or "what tells who somebody is" in text
    assert not Fact.objects.filter(patient=heron).exists()
    sent = re.search(r'name="sent" value="([^"]+)"', text)[1]
    answer = client.post(reverse("import", args=[heron.pk]), {"sent": sent, "write": "1"})
    assert answer["Location"] == reverse("patient", args=[heron.pk])
    found = {f.kind: f for f in in_force(heron)}
    assert found["infusion"].body["lot"] == "P77"
    assert found["igg"].body["value"] == 12.1
    assert found["person"].body["birth_year"] == 1968
    assert {f.origin for f in found.values()} == {"fhir"}
    assert not any("Nobody" in json.dumps(f.body) for f in found.values()), "names stay in their own, encrypted column"
    again = client.post(reverse("smart_bring", args=[heron.pk])).content.decode()
    assert "already holds all of this" in again


def test_what_is_added_to_the_person_is_kept_and_taken_back_with_its_import(opened, client, clinic):
    from ranvier_web.clinic.actions import add_fact

    heron = opened()
    add_fact(heron, "person", date(1900, 1, 1), {"dominant_hand": "left"}, clinic.by)
    text = client.post(reverse("smart_bring", args=[heron.pk])).content.decode()
    sent = re.search(r'name="sent" value="([^"]+)"', text)[1]
    client.post(reverse("import", args=[heron.pk]), {"sent": sent, "write": "1"})
    fact = in_force(heron).get(kind="person")
    assert fact.body == {"dominant_hand": "left", "birth_year": 1968, "sex": "female"}
    client.post(reverse("import_take_back", args=[heron.pk]), {"batch": str(fact.batch)})
    assert in_force(heron).get().body == {"dominant_hand": "left"}


def test_a_kind_that_the_hospital_does_not_give_is_named(opened, client, hospital):
    heron = opened()
    hospital.close("AllergyIntolerance", "Goal")
    text = client.post(reverse("smart_bring", args=[heron.pk])).content.decode()
    assert "Not given there: AllergyIntolerance" in text
    assert "Not given there: Goal" in text
    assert set(Entry.objects.get(action="smart.brought").details["closed"]) == {"AllergyIntolerance", "Goal"}


def test_while_another_person_is_open_there_nothing_is_brought(opened, client, clinic):
    heron = opened()
    changed(client, patient="p2")
    answer = client.post(reverse("smart_bring", args=[heron.pk]))
    assert answer.status_code == 409
    assert "Another person is open" in answer.content.decode()


def test_a_server_that_answers_with_somebody_else_opens_and_brings_nobody(opened, client, server, hospital):
    heron = opened()
    # The token is of p1: what the FHIR server does with it, asked for another person, is refuse.
    changed(client, patient="p2")
    Elsewhere.objects.filter(patient=heron).update(name="p2")
    assert client.get(reverse("smart_open")).status_code == 502
    answer = client.post(reverse("smart_bring", args=[heron.pk]))
    assert answer.status_code == 502
    assert not Fact.objects.exists()


def test_data_of_somebody_born_in_another_year_cannot_be_written(opened, client, clinic):
    from ranvier_web.clinic.actions import add_fact

    heron = opened()
    add_fact(heron, "person", date(1900, 1, 1), {"birth_year": 1970}, clinic.by)
    page = client.post(reverse("smart_bring", args=[heron.pk]))
    assert page.status_code == 422
    text = page.content.decode()
    assert "is this the same person?" in text
    assert 'name="write"' not in text
    sent = re.search(r'name="sent" value="([^"]+)"', text)[1]
    forced = client.post(reverse("import", args=[heron.pk]), {"sent": sent, "write": "1"})
    assert forced.status_code == 422
    assert Fact.objects.filter(patient=heron).count() == 1


def test_when_the_permission_is_over_a_new_launch_is_offered(opened, client, server):
    heron = opened()
    changed(client, until=time.time() - 1)
    answer = client.post(reverse("smart_bring", args=[heron.pk]))
    assert answer.status_code == 403
    assert reverse("smart_begin", args=[server.pk]) in answer.content.decode()


def test_a_token_that_the_hospital_took_back_is_over_too(opened, client):
    heron = opened()
    changed(client, token="x")
    assert client.post(reverse("smart_bring", args=[heron.pk])).status_code == 403


@pytest.mark.parametrize("ended", [{"until": 0.0}, {"token": "x"}])
def test_with_a_refresh_token_it_is_renewed_without_a_word(ended, opened, client, server):
    server.scopes = ["patient/*.rs", "online_access"]
    server.save()
    heron = opened()
    before = kept(client)
    assert before.refresh
    changed(client, **ended)
    assert client.post(reverse("smart_bring", args=[heron.pk])).status_code == 200
    after = kept(client)
    assert after.token not in (before.token, "x")
    assert after.until > time.time() + 200


def test_without_asking_for_it_there_is_no_refresh_token(opened, client):
    opened()
    assert kept(client).refresh == ""


def test_a_renewed_token_for_another_person_is_refused(opened, client, server, hospital):
    server.scopes = ["patient/*.rs", "online_access"]
    server.save()
    heron = opened()
    changed(client, until=0.0)
    hospital.spoil(patient="p2")
    assert client.post(reverse("smart_bring", args=[heron.pk])).status_code == 403


def test_signing_out_ends_it(opened, client):
    heron = opened()
    client.post(reverse("account_logout"))
    assert held.HELD not in client.session
    assert "/sign-in/" in client.post(reverse("smart_bring", args=[heron.pk]))["Location"]


def test_more_than_can_be_taken_at_once_is_refused_whole(opened, client, monkeypatch):
    from ranvier_web.smart import opening

    heron = opened()
    monkeypatch.setattr(opening, "LARGEST", 2000)
    answer = client.post(reverse("smart_bring", args=[heron.pk]))
    assert answer.status_code == 502
    assert "larger than" in answer.content.decode()
    assert not Fact.objects.filter(patient=heron).exists()


def test_a_new_patient_gets_the_data_after_the_look(begin, client, clinic):
    client.get(begin())
    client.get(reverse("smart_open"))
    client.post(reverse("smart_open"), {"do": "new", "pseudonym": "newcomer", "name": "", "number": "MRN-0815"})
    made = Patient.objects.get(pseudonym="newcomer")
    text = client.post(reverse("smart_bring", args=[made.pk])).content.decode()
    sent = re.search(r'name="sent" value="([^"]+)"', text)[1]
    assert client.post(reverse("import", args=[made.pk]), {"sent": sent, "write": "1"}).status_code == 302
    assert in_force(made).filter(kind="infusion").count() == 1
