"""The public CDS Hooks Sandbox, replayed from reading its source (cds-hooks/sandbox): it is in no package registry.

Taken from there: that it is a page of another origin which asks before each call (CORS), its issuer, `jku` and the two kinds of
key that its versions sign with, which headers its calls carry, that its drafts stand in a Bundle without type and without ids,
that older versions write MedicationOrder with `patient`, a category that is no list and a doseQuantity beside the dosage, that it
sends only what it could read ahead, and how it tells what became of a card. Its private key is not used: the keys here are ours.
"""

from __future__ import annotations

import json
import time
import uuid

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client
from tests.connect.calls import MMN, RXNORM, patient
from tests.web.conftest import clinic  # noqa: F401

from ranvier_web.connect.models import Caller, Feedback

SANDBOX = "https://sandbox.cds-hooks.org"
JKU = f"{SANDBOX}/.well-known/jwks.json"
BASE = "https://ranvier.hospital.invalid"
KEYS = {
    "44823f3d-0b01-4a6c-a80e-b9d3e8a7226f": ("ES384", ec.generate_private_key(ec.SECP384R1())),
    "d9cd3c4f-eb08-4304-b973-44f352fd2ca2": ("ES256", ec.generate_private_key(ec.SECP256R1())),
}
PREDNISONE = {
    "text": "predniSONE 5 MG Oral Tablet",
    "coding": [{"display": "predniSONE 5 MG Oral Tablet", "system": RXNORM, "code": "312617"}],
}


@pytest.fixture
def sandbox(clinic, settings):  # noqa: F811
    settings.DEMO, settings.ADDRESS = False, BASE
    keys = [
        json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key.public_key())) | {"kid": kid, "alg": algorithm, "use": "sig"}
        for kid, (algorithm, key) in KEYS.items()
    ]
    return Caller.objects.create(
        site=clinic.here, name="Sandbox", issuer=SANDBOX, jku=JKU, keys={"keys": keys}, origins=[SANDBOX]
    )


def browser(path, kid="44823f3d-0b01-4a6c-a80e-b9d3e8a7226f", **header):
    algorithm, key = KEYS[kid]
    now = int(time.time())
    claims = {
        "iss": SANDBOX,
        "sub": "a client id",
        "aud": BASE + path,
        "exp": now + 300,
        "iat": now,
        "jti": str(uuid.uuid4()),
    }
    text = jwt.encode(claims, key, algorithm, {"kid": kid, "jku": JKU, **header})
    return Client(headers={"Origin": SANDBOX, "Accept": "application/json", "Authorization": f"Bearer {text}"})


def post(path, body, **more):
    return browser(path, **more).post(path, json.dumps(body), content_type="application/json")


def draft(kind="MedicationRequest", **more):
    """An order as its page writes it: no id, a category that is no list."""
    whose = "patient" if kind == "MedicationOrder" else "subject"
    dose = {
        "doseQuantity": {"value": 1, "system": "http://unitsofmeasure.org", "code": "{pill}"},
        "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
    }
    return {
        "resourceType": kind, "status": "draft", whose: {"reference": "Patient/p1"}, "authoredOn": "2026-11-30",
        "category": {"coding": [{"code": "outpatient"}]}, "dosageInstruction": [dose],
        "medicationCodeableConcept": PREDNISONE, **more,
    }  # fmt: skip


def call(hook, *orders, **more):
    context = {"patientId": "p1", "userId": "Practitioner/COREPRACTITIONER1"}
    if hook != "patient-view":
        context["draftOrders"] = {"resourceType": "Bundle", "entry": [{"resource": one} for one in orders]}
    condition = {"resourceType": "Condition", "id": "c1", "subject": {"reference": "Patient/p1"}, "code": MMN}
    prefetch = {"patient": patient(), "conditions": {"resourceType": "Bundle", "entry": [{"resource": condition}]}}
    told = {
        "hookInstance": str(uuid.uuid4()),
        "hook": hook,
        "fhirServer": "https://r4.invalid/fhir",
        "context": context,
    }
    return told | {"prefetch": prefetch} | more


@pytest.mark.parametrize(
    "path", ["/cds-services", "/cds-services/mmn-order-sign", "/cds-services/mmn-order-sign/feedback"]
)
def test_its_browser_asks_first_and_may_send_what_it_wants_to_send(path, sandbox):
    method = "GET" if path == "/cds-services" else "POST"
    asked = {"Origin": SANDBOX, "Access-Control-Request-Method": method,
             "Access-Control-Request-Headers": "authorization,content-type"}  # fmt: skip
    answer = Client(headers=asked).options(path)
    assert answer.status_code == 204
    assert answer["Access-Control-Allow-Origin"] == SANDBOX
    assert method in answer["Access-Control-Allow-Methods"]
    allowed = {one.strip().lower() for one in answer["Access-Control-Allow-Headers"].split(",")}
    assert {"authorization", "content-type", "accept"} <= allowed
    stranger = Client(headers=asked | {"Origin": "https://stranger.invalid"}).options(path)
    assert "Access-Control-Allow-Origin" not in stranger


@pytest.mark.parametrize("kid", KEYS)
def test_each_kind_of_key_that_it_signs_with_opens_and_its_page_may_read_the_answer(kid, sandbox):
    answer = browser("/cds-services", kid).get("/cds-services")
    assert answer.status_code == 200
    assert answer["Access-Control-Allow-Origin"] == SANDBOX
    assert len(answer.json()["services"]) == 3


def test_another_jku_or_none_of_its_keys_does_not_open(sandbox):
    assert browser("/cds-services", jku="https://stranger.invalid/jwks.json").get("/cds-services").status_code == 401
    sandbox.keys = {"keys": sandbox.keys["keys"][1:]}
    sandbox.save()
    assert browser("/cds-services").get("/cds-services").status_code == 401


def test_a_refusal_too_can_be_read_by_its_page(sandbox):
    answer = Client(headers={"Origin": SANDBOX}).get("/cds-services")
    assert answer.status_code == 401
    assert answer["Access-Control-Allow-Origin"] == SANDBOX


@pytest.mark.parametrize("kind", ["MedicationRequest", "MedicationOrder"])
def test_its_draft_without_an_id_is_judged_when_it_is_signed(kind, sandbox):
    answer = post("/cds-services/mmn-order-sign", call("order-sign", draft(kind)))
    (card,) = answer.json()["cards"]
    assert card["indicator"] == "critical"


@pytest.mark.parametrize("selections", [["MedicationRequest/request-123"], ["MedicationRequest/undefined"], []])
def test_its_draft_is_judged_when_it_is_chosen_whatever_the_choice_is_called(selections, sandbox):
    for one in (draft(), draft(id="request-123")):
        body = call("order-select", one)
        body["context"]["selections"] = selections
        answer = post("/cds-services/mmn-order-select", body)
        assert answer.status_code == 200, answer.content
        assert [card["indicator"] for card in answer.json()["cards"]] == ["critical"]


def test_without_the_conditions_it_is_told_that_too_little_was_sent(sandbox):
    body = call("order-sign", draft())
    del body["prefetch"]["conditions"]
    answer = post("/cds-services/mmn-order-sign", body)
    assert answer.status_code == 412
    assert "conditions" in answer.json()["issue"][0]["diagnostics"]
    assert answer["Access-Control-Allow-Origin"] == SANDBOX


def test_looking_at_a_patient_who_is_nobody_here_gives_no_card(sandbox):
    assert post("/cds-services/mmn-patient-view", call("patient-view")).json() == {"cards": []}


@pytest.mark.parametrize("outcome", [
    {"outcome": "accepted"},
    {"outcome": "overridden"},
    {"outcome": "overridden", "overrideReason": {"reason": {"code": "other-indication", "system": "https://ranvier.example/cds/override-reasons"}}},
])  # fmt: skip
def test_what_it_tells_of_a_card_is_kept(outcome, sandbox):
    card = post("/cds-services/mmn-order-sign", call("order-sign", draft(id="o1"))).json()["cards"][0]
    if outcome["outcome"] == "accepted":
        outcome = outcome | {"acceptedSuggestions": [{"id": card["suggestions"][0]["uuid"]}]}
    told = {"feedback": [{"card": card["uuid"], "outcomeTimestamp": "2026-11-30T10:00:00.000Z", **outcome}]}
    answer = post("/cds-services/mmn-order-sign/feedback", told)
    assert answer.status_code == 200
    assert answer["Access-Control-Allow-Origin"] == SANDBOX
    assert Feedback.objects.get().outcome == outcome["outcome"]


def test_a_suggestion_that_takes_the_order_back_has_what_its_page_needs(sandbox):
    card = post("/cds-services/mmn-order-sign", call("order-sign", draft(id="o1"))).json()["cards"][0]
    for action in card["suggestions"][0]["actions"]:
        assert action["type"] == "delete"
        assert action["description"]
        assert action["resourceId"] == "MedicationRequest/o1"
