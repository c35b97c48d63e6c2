"""An invented hospital: a real authorization server and a real FHIR server of other people, and a browser that goes between."""

from __future__ import annotations

import json
import re
from contextlib import ExitStack
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import httpx
import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.exchange import peers
from tests.exchange.hospital import PATIENT, infusion, lab, without

OURS = "http://127.0.0.1:8000"
SYSTEM = "urn:oid:1.2.3"  # of hospital numbers
SECRET = "a secret: with signs / that + must & be % encoded"
USERS = {"dr-noor": {"fhirUser": "Practitioner/17"}, "nurse-niels": {"fhirUser": "Practitioner/18"}, "stranger": {}}
PATIENTS = {"p1": "Nobody Invented", "p2": "Somebody Else", "p3": "Third Invented"}


def pair():
    """A key of ours: PEM of the private half, the public half as JWK."""
    private = ec.generate_private_key(ec.SECP384R1())
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    return pem, json.loads(jwt.algorithms.ECAlgorithm.to_jwk(private.public_key()))


@dataclass
class Hospital:
    """login : address of the authorization server; base : of the FHIR server; key : of the client `keyed`, PEM"""

    login: str
    base: str
    key: str
    issuer: str
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=20, trust_env=False))

    def open(self, user="dr-noor", patient="p1", **more):
        """Somebody has a patient open there; the word of the launch."""
        return self.http.post(f"{self.login}/open", json={"user": user, "patient": patient, **more}).json()["launch"]

    def spoil(self, **how):
        self.http.post(f"{self.login}/spoil", json=how)

    def rotate(self):
        self.http.post(f"{self.login}/rotate")

    def close(self, *kinds):
        """Types that the FHIR server no longer gives to launches."""
        self.http.get(f"{self.base.removesuffix('/fhir')}/close?{urlencode([('type', k) for k in kinds])}")

    def token(self, patient):
        """A token that opens one patient, as the hospital's system hands it to a service that it calls."""
        from ranvier_net.client import Client, Policy
        from ranvier_net.launch import Registration, Secrets, address, discover, redeem

        made, redirect = Secrets(), f"{OURS}/smart/callback"
        own = Registration(self.base, self.issuer, "open")
        with Client(Policy(hosts=(self.base, self.issuer))) as client:
            there = discover(client, own)
            to = address(
                there,
                own,
                made,
                redirect=redirect,
                scope="launch patient/*.rs openid",
                launch=self.open(patient=patient),
            )
            code = asked(self.walk(to))["code"]
            found = redeem(client, there, own, code=code, verifier=made.verifier, redirect=redirect, scope="")
        return found.token.value

    def walk(self, address, **chosen):
        """A browser sent to `address`: until it is sent back to us; the path there. A form is filled as `chosen` says."""
        self.http.cookies.clear()
        for _ in range(12):
            answer = self.http.get(address)
            if answer.status_code == 200 and "<form" in answer.text:
                answer = self.http.post(address, data=chosen or {"user": "dr-noor", "patient": "p1", "do": "allow"})
            assert answer.is_redirect, answer.text[:1500]
            address = urljoin(address, answer.headers["location"])
            if address.startswith(f"{OURS}/smart/callback"):
                return address.removeprefix(OURS)
        raise AssertionError("round in circles")


def started(stack: ExitStack, *, host: str = "127.0.0.1", ours: str = OURS, lasts: int = 300) -> Hospital:
    """Both servers, with two invented patients."""
    pem, public = pair()
    redirect = [f"{ours}/smart/callback"]
    from ranvier_web.smart.own_keys import thumbprint

    public |= {"kid": thumbprint(public), "alg": "ES384", "use": "sig"}
    clients = [
        {"client_id": "open", "auth": "none", "redirect_uris": redirect},
        {"client_id": "secret one", "auth": "client_secret_basic", "secret": SECRET, "redirect_uris": redirect},
        {"client_id": "keyed", "auth": "private_key_jwt", "jwks": {"keys": [public]}, "redirect_uris": redirect},
    ]
    setup = {"host": host, "clients": clients, "users": USERS, "patients": PATIENTS, "lasts": lasts}
    login = stack.enter_context(peers.started("hospital.mjs", json.dumps(setup), quiet=True))
    issuer = login.replace("127.0.0.1", host)
    base = stack.enter_context(peers.started("server.mjs", issuer, "self", json.dumps(records()), quiet=True))
    return Hospital(login, base, pem, issuer)


def records():
    """What the FHIR server holds from the beginning."""
    vial = {"resourceType": "Medication", "id": "m1", "code": {"text": "Privigen"}, "batch": {"lotNumber": "P77"}}
    given = without(infusion(), "contained") | {"medicationReference": {"reference": "Medication/m1"}}
    other = PATIENT | {
        "id": "p2",
        "identifier": [{"system": SYSTEM, "value": "MRN-0999"}],
        "birthDate": "1970-02-03",
        "name": [{"family": "Else", "given": ["Somebody"]}],
    }
    theirs = lab("2465-3", 9.9, "g/L", ident="i2") | {"subject": {"reference": "Patient/p2"}}
    third = PATIENT | {"id": "p3", "identifier": []}
    listed = [condition("p3", n, f"Old trouble {n}") for n in range(30)]
    listed.append(condition("p3", 30, "Multifocal motor neuropathy"))  # on the second page of a search
    odd = lab("99999-9", 4.2, "mg/L", ident="x1")  # a code that nobody knows
    igg = lab("2465-3", 12.1, "g/L", ident="i1", at="2025-03-10")
    return [PATIENT, other, vial, given, igg, odd, theirs, third, *listed]


def condition(patient, number, text):
    return {
        "resourceType": "Condition",
        "id": f"{patient}-{number}",
        "subject": {"reference": f"Patient/{patient}"},
        "code": {"text": text},
    }


def asked(address):
    """The parameters of an address, each once."""
    return {k: v[0] for k, v in parse_qs(urlsplit(address).query).items()}


def state_of(path):
    return re.search(r"state=([^&]+)", path)[1]
