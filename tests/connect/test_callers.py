"""Who may call: signed tokens of configured systems, each once; browsers of configured origins."""

from __future__ import annotations

import json
import time
import uuid

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.test import Client
from tests.connect.calls import call, order
from tests.web.conftest import clinic  # noqa: F401

from ranvier_web.connect.models import Caller

BASE = "https://ranvier.hospital.invalid"
EHR = "https://ehr.invalid"
KEY = ec.generate_private_key(ec.SECP384R1())
OTHER = ec.generate_private_key(ec.SECP384R1())


def public(key, kid="k1"):
    found = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key.public_key()))
    return {"keys": [{**found, "kid": kid, "alg": "ES384", "use": "sig"}]}


@pytest.fixture
def known(clinic, settings):  # noqa: F811
    settings.DEMO = False
    settings.ADDRESS = BASE
    return Caller.objects.create(site=clinic.here, name="EHR", issuer=EHR, keys=public(KEY), origins=[EHR])


def token(path="/cds-services", key=KEY, alg="ES384", header=None, **claims):
    now = int(time.time())
    body = {"iss": EHR, "aud": BASE + path, "iat": now, "exp": now + 300, "jti": str(uuid.uuid4()), **claims}
    return jwt.encode({k: v for k, v in body.items() if v is not None}, key, alg, {"kid": "k1", **(header or {})})


def get(text=None, path="/cds-services"):
    headers = {"Authorization": f"Bearer {text}"} if text else {}
    return Client(headers=headers).get(path)


def test_a_signed_token_of_a_configured_system_opens_the_services(known):
    assert get(token()).status_code == 200


def test_without_a_token_nothing_is_told(known):
    answer = get()
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    assert "services" not in answer.json()


def test_a_token_opens_once_only(known):
    once = token()
    assert [get(once).status_code for _ in range(2)] == [200, 401]


@pytest.mark.parametrize(("what", "made"), [
    ("an issuer nobody configured", lambda: token(iss="https://stranger.invalid")),
    ("another key", lambda: token(key=OTHER)),
    ("another address", lambda: token(path="/cds-services/mmn-order-sign")),
    ("a token that ended", lambda: token(exp=int(time.time()) - 120)),
    ("a token without an end", lambda: token(exp=None)),
    ("a token without a name", lambda: token(jti=None)),
    ("a token for a whole day", lambda: token(exp=int(time.time()) + 86_400)),
    ("a key that is not configured", lambda: token(header={"kid": "k2"})),
    ("keys from another place", lambda: token(header={"jku": "https://stranger.invalid/keys"})),
    ("a shared secret", lambda: token(key="x" * 64, alg="HS384")),
    ("no signature", lambda: token(key=None, alg="none")),
    ("an RSA key under the same name", lambda: token(key=rsa.generate_private_key(65537, 2048), alg="RS384")),
    ("rubbish", lambda: "a.b.c"),
    ("a very long text", lambda: "x" * 9000),
])  # fmt: skip
def test_a_token_that_does_not_hold_is_refused(known, what, made):
    assert get(made()).status_code == 401, what


def test_a_system_that_was_stopped_may_call_no_longer(known):
    Caller.objects.update(active=False)
    assert get(token()).status_code == 401


def test_each_of_the_three_doors_wants_its_own_token(known):
    body = json.dumps(call("order-sign", order("o1", "prednisone")))
    path = "/cds-services/mmn-order-sign"
    for there, told in ((path, body), (path + "/feedback", "{}")):
        wrong = Client(headers={"Authorization": f"Bearer {token()}"})
        assert wrong.post(there, told, content_type="application/json").status_code == 401
    right = Client(headers={"Authorization": f"Bearer {token(path)}"})
    assert len(right.post(path, body, content_type="application/json").json()["cards"]) == 1


def test_a_browser_of_a_configured_origin_may_call_and_no_other(known):
    answers = {}
    for origin in (EHR, "https://stranger.invalid", "null"):
        answer = Client(headers={"Origin": origin}).options("/cds-services")
        answers[origin] = (answer.status_code, answer.get("Access-Control-Allow-Origin"))
    assert answers == {EHR: (204, EHR), "https://stranger.invalid": (204, None), "null": (204, None)}


def test_nothing_is_asked_of_a_server_that_is_not_configured_for_the_caller(known, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr("ranvier_net.client.Client.get", refuse)
    path = "/cds-services/mmn-order-sign"
    body = call("order-sign", order("o1", "prednisone"))
    body |= {
        "fhirServer": "http://127.0.0.1:9/fhir",
        "fhirAuthorization": {"access_token": "t", "token_type": "Bearer"},
    }
    answer = Client(headers={"Authorization": f"Bearer {token(path)}"}).post(
        path, json.dumps(body), content_type="application/json"
    )
    assert answer.status_code == 200
