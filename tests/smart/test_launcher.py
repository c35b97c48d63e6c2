"""The SMART Launcher (smart-launcher-v2), replayed from reading its public source: it is in no package registry.

What is taken from there: how its launch word is made, where its doors are below `/v/r4`, what its description says, that its
`sub` is a digest, that its identity is of another issuer than its description (`.../auth/fhir`), that its key has no `use`, that
the answer of its token service carries more than SMART asks for, and how it complains. The code below is ours.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.cache import cache
from django.urls import reverse
from tests.exchange.hospital import PATIENT
from tests.network.served import Reply, served
from tests.smart.hospital import OURS, asked

from ranvier_net.launch import challenge
from ranvier_web.audit.models import Entry
from ranvier_web.smart.models import Known, Server

KEY = rsa.generate_private_key(65537, 2048)
KID = "launcher"


def word(patient="p1", provider="17", *, launch_type=0, pkce=1, auth_error=""):
    """A launch word: a list as base64url of JSON, in the launcher's order."""
    listed = [launch_type, patient, provider, "NONE", 1, 1, 0, "", "", "", "", auth_error, "", "", 0, pkce, ""]
    return base64.urlsafe_b64encode(json.dumps(listed, separators=(",", ":")).encode()).rstrip(b"=").decode()


class Launcher:
    """Answers as the launcher does; keeps what the browser was sent with."""

    def __init__(self):
        self.sent = {}

    def __call__(self, question):
        here = f"http://{question.headers['host']}"
        prefix = f"{here}/v/r4"
        path = question.path
        if path == "/v/r4/fhir/.well-known/smart-configuration":
            return reply({
                "issuer": f"{prefix}/fhir", "jwks_uri": f"{here}/keys", "authorization_endpoint": f"{prefix}/auth/authorize",
                "token_endpoint": f"{prefix}/auth/token", "introspection_endpoint": f"{prefix}/auth/introspect",
                "grant_types_supported": ["authorization_code", "client_credentials"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "private_key_jwt"],
                "code_challenge_methods_supported": ["S256"], "response_types_supported": ["code", "token", "id_token"],
                "capabilities": ["launch-ehr", "launch-standalone", "client-public", "sso-openid-connect", "permission-v2"],
            })  # fmt: skip
        if path == "/keys":
            return reply({"keys": [{**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key())), "kid": KID}]})
        if path == "/v/r4/auth/token":
            return self.token(question, prefix)
        if path == "/v/r4/fhir/Patient/p1":
            good = question.headers.get("authorization") == "Bearer opaque.access.token"
            return reply(PATIENT) if good else Reply(b"", 401)
        return Reply(b"<html>", 404, {"content-type": "text/html"})

    def token(self, question, prefix):
        form = asked("http://x/?" + question.body.decode())
        if question.headers["content-type"] != "application/x-www-form-urlencoded":
            return reply({"error": "invalid_request"}, 401)
        if form["redirect_uri"] != self.sent["redirect_uri"]:
            return reply({"error": "invalid_request", "error_description": "Invalid redirect_uri parameter"}, 401)
        if challenge(form["code_verifier"]) != self.sent["code_challenge"]:
            return reply({"error": "invalid_grant", "error_description": "Invalid PKCE Verifier"}, 401)
        user = "Practitioner/17"
        claims = {
            "profile": user, "fhirUser": user, "aud": form["client_id"], "sub": hashlib.sha256(user.encode()).hexdigest(),
            "iss": f"{prefix}/auth/fhir", "nonce": self.sent["nonce"], "iat": int(time.time()), "exp": int(time.time()) + 3600,
        }  # fmt: skip
        return reply({
            "need_patient_banner": True, "smart_style_url": f"{prefix}/smart-style.json", "patient": "p1",
            "access_token": "opaque.access.token", "token_type": "Bearer", "expires_in": 3600, "scope": self.sent["scope"],
            "id_token": jwt.encode(claims, KEY, "RS256", {"kid": KID}),
        })  # fmt: skip


def reply(data, status=200):
    return Reply(json.dumps(data).encode(), status, {"content-type": "application/json; charset=utf-8"})


@pytest.fixture
def launcher(clinic, settings):
    cache.clear()
    settings.ADDRESS, settings.DEMO = OURS, False
    clinic.heron.number = "MRN-0815"
    clinic.heron.save()
    answers = Launcher()
    with served(answers) as there:
        base = f"{there.url}/v/r4/fhir"
        made = Server.objects.create(
            site=clinic.here, name="SMART Launcher", base=base, issuer=f"{there.url}/v/r4/auth/fhir", client_id="whatever",
            private=True, identifiers=["urn:oid:1.2.3"], vouches=True,
        )  # fmt: skip
        Known.objects.create(server=made, who="fhirUser:Practitioner/17", user=clinic.people["neurologist"])
        yield made, answers


def launched(client, made, answers):
    sent = client.get(f"/smart/launch?iss={made.base}&launch={word()}")  # as the launcher writes it: iss not encoded
    answers.sent = asked(sent["Location"])
    return client.get("/smart/callback", {"code": "a.signed.code", "state": answers.sent["state"]})


def test_the_launcher_launches_us(launcher, client, clinic):
    made, answers = launcher
    back = launched(client, made, answers)
    assert answers.sent["launch"] == word()
    assert answers.sent["aud"] == made.base
    assert back["Location"] == reverse("smart_open"), back.content.decode()
    assert client.get(back["Location"])["Location"] == reverse("patient", args=[clinic.heron.pk])


def test_its_identity_is_of_another_issuer_than_its_description_and_the_refusal_says_which(launcher, client):
    made, answers = launcher
    right, made.issuer = made.issuer, made.base
    made.save()
    back = launched(client, made, answers)
    assert back.status_code == 403
    assert right in Entry.objects.filter(action="smart.refused").first().details["told"]


def test_errors_that_it_simulates_are_told(launcher, client):
    made, answers = launcher
    sent = client.get("/smart/launch", {"iss": made.base, "launch": word(auth_error="token_invalid_token")})
    answers.sent = asked(sent["Location"]) | {"code_challenge": "x"}
    back = client.get("/smart/callback", {"code": "c", "state": answers.sent["state"]})
    assert back.status_code == 403
    assert "Invalid PKCE Verifier" in back.content.decode()
