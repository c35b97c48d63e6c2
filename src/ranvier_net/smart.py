"""SMART backend services: a program proves itself to an authorization server by a signed assertion and gets a token.

The address of the token service comes from the server's own ``.well-known/smart-configuration``; it is asked only if its
host was configured too.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import jwt

from ranvier_net.client import Client, NetworkError, NotUnderstoodError

ALGORITHMS = ("ES384", "RS384")
LIFE = 240  # seconds an assertion holds; the specification allows at most five minutes
LONGEST = 86_400.0  # [s] a token is believed to hold
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class NoAccessError(NetworkError):
    """The authorization server gives no token, or there is none to ask."""


@dataclass(frozen=True, slots=True)
class Key:
    """A private key that signs assertions. kid : the name under which the server knows its public half"""

    private: Any = field(repr=False)
    algorithm: str
    kid: str | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token, and until when it holds (seconds of `clock`)."""

    value: str = field(repr=False)
    until: float
    scope: str


def read_key(text: str, kid: str | None = None) -> Key:
    """A private key from PEM text, or from a JWK in JSON.

    Raises NoAccessError if it is none, or of a kind that SMART does not use (EC P-384 and RSA are).
    """
    remedy = "Use an EC key on the curve P-384 (ES384) or an RSA key (RS384), as PEM without password or as JWK."
    try:
        if text.lstrip().startswith("{"):
            data = json.loads(text)
            found = jwt.PyJWK.from_dict(data, algorithm="ES384" if data.get("kty") == "EC" else "RS384")
            key, kid = found.key, kid or data.get("kid")
        else:
            from cryptography.hazmat.primitives.serialization import load_pem_private_key

            key = load_pem_private_key(text.encode(), None)
    except Exception:  # the libraries raise many kinds; none may show the key's text
        raise NoAccessError("The key cannot be read.", remedy) from None
    curve = getattr(getattr(key, "curve", None), "name", None)
    if not hasattr(key, "private_numbers"):
        raise NoAccessError("The key is not a private key.", remedy)
    if curve == "secp384r1":
        return Key(key, "ES384", kid)
    if curve is None and getattr(key, "key_size", 0) >= 2048:
        return Key(key, "RS384", kid)
    raise NoAccessError("The key is of a kind that is not used here.", remedy)


def configuration(client: Client, base: str) -> dict[str, Any]:
    """What the FHIR server at `base` says about how it lets programs in. Raises NoAccessError where it says nothing."""
    answer = client.get(f"{base.rstrip('/')}/.well-known/smart-configuration", headers={"accept": "application/json"})
    if not answer.ok:
        what = f"{answer.url} answers with status {answer.status}: the server names no authorization server."
        raise NoAccessError(what, "Ask its operator, or leave out --client-id if it is open.")
    found = answer.json()
    if not isinstance(found, dict) or not isinstance(found.get("token_endpoint"), str):
        raise NotUnderstoodError(f"{answer.url} names no token_endpoint.", "Report it to the server's operator.")
    return found


def assertion(client_id: str, key: Key, audience: str, now: float) -> str:
    """The signed statement by which a program says who it is, for one token service and a few minutes."""
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "iat": int(now),
        "exp": int(now) + LIFE,
        "jti": str(uuid.uuid4()),
    }
    return jwt.encode(claims, key.private, algorithm=key.algorithm, headers={"kid": key.kid} if key.kid else None)


def token(
    client: Client,
    base: str,
    client_id: str,
    key: Key,
    *,
    scope: str = "system/*.rs",
    clock: Callable[[], float] = time.time,
) -> Token:
    """A token for the FHIR server at `base`.

    Raises
    ------
    NoAccessError : the authorization server refuses, or cannot check this kind of key
    NetworkError : see `Client.send`; NotAllowedError where the token service is on a host that nobody configured
    """
    told = configuration(client, base)
    address = str(told["token_endpoint"])
    form = {"grant_type": "client_credentials", "scope": scope, **proof(told, client_id, key, address, clock())}
    return granted(ask(client, address, form), scope, clock())


def proof(told: Mapping[str, Any], client_id: str, key: Key, address: str, now: float) -> dict[str, str]:
    """The fields of a form that prove who asks. Raises NoAccessError where the server cannot check this kind of key."""
    known = told.get("token_endpoint_auth_signing_alg_values_supported")
    if isinstance(known, list) and known and key.algorithm not in known:
        what = f"The server checks {', '.join(map(str, known))}, and the key signs {key.algorithm}."
        raise NoAccessError(what, "Register a key of a kind that the server checks.")
    return {"client_assertion_type": ASSERTION, "client_assertion": assertion(client_id, key, address, now)}


def ask(
    client: Client, address: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """What a token service answers to a form. Raises NoAccessError where it gives no token."""
    answer = client.send(
        "POST",
        address,
        headers={"content-type": "application/x-www-form-urlencoded", "accept": "application/json", **(headers or {})},
        body=urlencode(form).encode(),
    )
    found = answer.json()
    if not answer.ok or not isinstance(found, dict) or not isinstance(found.get("access_token"), str):
        said = found.get("error_description") or found.get("error") if isinstance(found, dict) else None
        what = f"{address} gives no token (status {answer.status}): {str(said or 'no reason given')[:200]}."
        raise NoAccessError(what, "Check client id, key or secret, its registration, and the scopes.")
    return found


def granted(found: Mapping[str, Any], scope: str, now: float) -> Token:
    """The token of an answer; without a stated end it holds for a minute, and none for longer than a day."""
    lasts = found.get("expires_in")
    holds = float(lasts) if isinstance(lasts, int | float) and not isinstance(lasts, bool) else 60.0
    return Token(str(found["access_token"]), now + min(max(holds, 0.0), LONGEST), str(found.get("scope", scope)))
