"""CDS Hooks: what a call did not send is asked of the hospital's FHIR server, with the token that the call brought along.

The server is Medplum, the token comes from oidc-provider and opens one patient; see tests/peers.
"""

from __future__ import annotations

import json
import time

import pytest
from django.test import Client
from tests.connect.calls import call, order
from tests.connect.test_callers import BASE, EHR, KEY, public, token
from tests.network.served import Reply, served

from ranvier_web.connect import fetching
from ranvier_web.connect.models import Caller, Elsewhere

PATH = "/cds-services/mmn-order-sign"


@pytest.fixture
def caller(clinic, settings, hospital):
    settings.DEMO, settings.ADDRESS = False, BASE
    return Caller.objects.create(
        site=clinic.here, name="EHR", issuer=EHR, keys=public(KEY), origins=[EHR], servers=[hospital.base]
    )


@pytest.fixture
def ask(caller, hospital):
    def post(patient, *, bearer=None, server=None, prefetch=None, path=PATH, audience=None):
        body = call("order-sign", order("o1", "prednisone 5 mg tablet"))
        body["context"]["patientId"] = patient
        body["prefetch"] = prefetch or {}
        body["fhirServer"] = server or hospital.base
        body["fhirAuthorization"] = {
            "access_token": bearer or hospital.token(patient), "token_type": "Bearer", "expires_in": 300,
            "scope": "patient/*.rs", "subject": "cds-service",
        }  # fmt: skip
        signed = token(path, **({"aud": audience + path} if audience else {}))
        browser = Client(headers={"Authorization": f"Bearer {signed}"})
        answer = browser.post(path, json.dumps(body), content_type="application/json")
        return answer.status_code, answer.json()

    return post


def test_without_any_prefetch_the_conditions_are_read_there_to_the_last_page(ask):
    status, told = ask("p3")
    assert status == 200
    (card,) = told["cards"]
    assert card["indicator"] == "critical"
    assert "Corticosteroids" in card["summary"]


def test_somebody_there_who_has_not_the_disease_gets_no_card(ask):
    assert ask("p1") == (200, {"cards": []})


def test_one_of_ours_is_found_by_the_link_and_judged_by_our_record_too(ask, clinic, hospital):
    Elsewhere.objects.create(patient=clinic.heron, server=hospital.base, name="p1")
    _, told = ask("p1")
    assert [card["indicator"] for card in told["cards"]] == ["critical"]
    assert told["cards"][0]["links"][0]["url"].endswith(f"/patients/{clinic.heron.pk}/")


def test_where_the_hospital_may_launch_us_the_card_opens_the_page_by_a_launch(ask, clinic, hospital, server):
    from ranvier_web.smart import dealing

    Elsewhere.objects.create(patient=clinic.heron, server=hospital.base, name="p1")
    _, told = ask("p1", audience="http://127.0.0.1:8000")
    assert told["cards"][0]["links"] == [{"label": "Open in ranvier", "url": dealing.launch_address(), "type": "smart"}]


def test_with_the_token_of_another_patient_too_little_is_known_and_that_is_said(ask, hospital):
    status, told = ask("p3", bearer=hospital.token("p1"))
    assert status == 412
    assert "conditions" in told["issue"][0]["diagnostics"]


def test_what_was_sent_is_not_asked_again(ask, hospital, monkeypatch):
    asked = []
    monkeypatch.setattr(fetching, "_answers", lambda c, b, t, query, e: asked.append(query))
    sent = call("order-sign")["prefetch"]
    ask("p1", prefetch={"patient": sent["patient"], "conditions": sent["conditions"]})
    assert not any(query.startswith(("Patient/", "Condition")) for query in asked)
    assert len(asked) == 4


def test_a_server_that_is_configured_for_somebody_else_is_not_asked(ask, caller, hospital):
    caller.servers = ["https://other.invalid/fhir"]
    caller.save()
    assert ask("p3")[0] == 412


def test_a_disease_of_somebody_else_in_an_answer_is_nobodys_here(ask, caller):
    """A server that gives another person's data, whatever was asked."""
    strange = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": {
        "resourceType": "Condition", "id": "c", "subject": {"reference": "https://x.invalid/fhir/Patient/other"},
        "code": {"text": "Multifocal motor neuropathy"}}}]}  # fmt: skip
    who = {"resourceType": "Patient", "id": "p1"}
    with served(lambda q: Reply(json.dumps(who if "/Patient/" in q.path else strange).encode())) as there:
        caller.servers = [f"{there.url}/fhir"]
        caller.save()
        status, told = ask("p1", server=f"{there.url}/fhir", bearer="t")
    assert (status, told) == (200, {"cards": []})


@pytest.mark.parametrize("how", ["slow", "html", "deep", "huge", "elsewhere", "circle"])
def test_a_server_that_answers_badly_costs_a_moment_and_opens_nothing(how, ask, caller, monkeypatch):
    monkeypatch.setattr(fetching, "PATIENCE", 0.5)

    def answer(question):
        if how == "slow":
            time.sleep(2)
        here = f"http://{question.headers['host']}{question.path}"
        to = {"elsewhere": "https://stranger.invalid/next", "circle": here + "?patient=p1"}.get(how, "")
        page = {"resourceType": "Bundle", "type": "searchset", "link": [{"relation": "next", "url": to}] if to else []}
        bodies = {"html": b"<html>", "deep": b"[" * 90_000, "huge": b" " * 3_000_000}
        return Reply(bodies.get(how) or json.dumps(page).encode())

    with served(answer) as there:
        caller.servers = [f"{there.url}/fhir"]
        caller.save()
        begun = time.monotonic()
        status, _ = ask("p1", server=f"{there.url}/fhir", bearer="t")
        assert time.monotonic() - begun < 2.5
        assert status == 412
        assert all(question.path.startswith("/fhir/") for question in there.asked)
