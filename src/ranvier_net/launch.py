"""SMART App Launch: a browser goes to an authorization server and comes back with a code; the code becomes a token.

Only what happens between machines is here: addresses, forms, signatures. Who may do what with it is not known here. Nothing
is believed because an answer says it: issuer, client and hosts are those that a person configured.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import jwt

from ranvier_net.client import Client, NetworkError, NotUnderstoodError
from ranvier_net.smart import Key, NoAccessError, Token, ask, configuration, granted, proof

SIGNED_BY = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512")
"""What an identity may be signed by: never 'none', never a shared secret."""
LEEWAY = 60  # [s] by which clocks may differ
LONGEST_TOKEN = 20_000  # [letters]
MOST_KEYS = 50


class NotTrustedError(NetworkError):
    """What says who somebody is does not hold. unknown_key : it may be signed by a key that is new there"""

    def __init__(self, what: str, remedy: str, *, unknown_key: bool = False) -> None:
        super().__init__(what, remedy)
        self.unknown_key = unknown_key


@dataclass(frozen=True, slots=True)
class Registration:
    """How this program is registered at an authorization server. All of it was configured by a person.

    base : the FHIR server's address, without a slash at its end; issuer : `iss` of its identities, letter by letter
    secret, key : at most one of them; a public client has neither
    """

    base: str
    issuer: str
    client_id: str
    secret: str = field(default="", repr=False)
    key: Key | None = None


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the authorization server's doors are, each on a configured host. told : its own words"""

    authorize: str
    token: str
    keys: str
    told: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Secrets:
    """What one launch keeps to itself until its answer comes back."""

    state: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48), repr=False)


@dataclass(frozen=True, slots=True)
class Granted:
    """What a code, or a refresh token, became. patient : id of the Patient that is open there; None where nobody is"""

    token: Token
    refresh: str = field(repr=False)
    identity: str = field(repr=False)
    patient: str | None


@dataclass(frozen=True, slots=True)
class Identity:
    """Who signed in there. subject : `sub`; fhir_user : below the configured base without it, else as it was sent"""

    subject: str
    fhir_user: str | None


def discover(client: Client, registration: Registration) -> Endpoints:
    """The doors of the server, from its ``.well-known/smart-configuration``.

    Raises
    ------
    NetworkError : it cannot be had; NotAllowedError where a door is on a host that nobody configured
    NotUnderstoodError : a door is missing, or it does not do PKCE with S256
    """
    told = configuration(client, registration.base)
    methods = told.get("code_challenge_methods_supported")
    if isinstance(methods, list) and "S256" not in methods:
        raise NotUnderstoodError(
            f"{registration.base} does not support PKCE with S256.", "Ask its operator; without it no launch is safe."
        )
    keys = told.get("jwks_uri")
    if keys is None:  # allowed where identities are described by OpenID Connect alone
        client.permits(registration.issuer)
        answer = client.get(f"{registration.issuer.rstrip('/')}/.well-known/openid-configuration")
        found = answer.json() if answer.ok else None
        keys = found.get("jwks_uri") if isinstance(found, dict) else None
    named = {"authorization_endpoint": told.get("authorization_endpoint"), "token_endpoint": told["token_endpoint"]}
    named["jwks_uri"] = keys
    for name, address in named.items():
        if not isinstance(address, str) or len(address) > 2000:
            raise NotUnderstoodError(f"{registration.base} names no {name}.", "Report it to the server's operator.")
        client.permits(address)
    return Endpoints(str(named["authorization_endpoint"]), str(named["token_endpoint"]), str(keys), told)


def address(
    there: Endpoints, registration: Registration, kept: Secrets, *, redirect: str, scope: str, launch: str | None
) -> str:
    """Where the browser is sent. launch : the word with which an EHR began it; None where it begins here"""
    asked = {
        "response_type": "code",
        "client_id": registration.client_id,
        "redirect_uri": redirect,
        "scope": scope,
        "state": kept.state,
        "nonce": kept.nonce,
        "aud": registration.base,
        "code_challenge": challenge(kept.verifier),
        "code_challenge_method": "S256",
    }
    if launch is not None:
        asked["launch"] = launch
    joint = "&" if urlsplit(there.authorize).query else "?"
    return f"{there.authorize}{joint}{urlencode(asked, quote_via=quote)}"


def challenge(verifier: str) -> str:
    """RFC 7636, S256.

    >>> challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
    """
    return _letters(hashlib.sha256(verifier.encode("ascii")).digest())


def redeem(
    client: Client,
    there: Endpoints,
    registration: Registration,
    *,
    code: str,
    verifier: str,
    redirect: str,
    scope: str,
    clock: Callable[[], float] = time.time,
) -> Granted:
    """The token for a code. Raises NoAccessError where the server refuses, NetworkError where it cannot be had."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect,
        "code_verifier": verifier,
    }
    return _granted(client, there, registration, form, scope, clock)


def refresh(
    client: Client,
    there: Endpoints,
    registration: Registration,
    *,
    token: str,
    scope: str,
    clock: Callable[[], float] = time.time,
) -> Granted:
    """A fresh token for a refresh token. Raises as `redeem` does."""
    form = {"grant_type": "refresh_token", "refresh_token": token}
    return _granted(client, there, registration, form, scope, clock)


def _granted(
    client: Client,
    there: Endpoints,
    registration: Registration,
    form: Mapping[str, str],
    scope: str,
    clock: Callable[[], float],
) -> Granted:
    fields, headers = dict(form), {}
    if registration.key is not None:
        # The id is sent as well: some servers look for it in the form before they open the assertion.
        fields["client_id"] = registration.client_id
        fields |= proof(there.told, registration.client_id, registration.key, there.token, clock())
    elif registration.secret:
        pair = f"{quote(registration.client_id, safe='')}:{quote(registration.secret, safe='')}"  # RFC 6749, 2.3.1
        headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    else:
        fields["client_id"] = registration.client_id
    found = ask(client, there.token, fields, headers)
    if str(found.get("token_type", "")).lower() != "bearer":
        raise NoAccessError(f"{there.token} gives a token that is no bearer token.", "Report it to its operator.")
    patient = found.get("patient")
    return Granted(
        granted(found, scope, clock()),
        _text(found.get("refresh_token")),
        _text(found.get("id_token")),
        patient if isinstance(patient, str) and patient else None,
    )


def keys(client: Client, there: Endpoints) -> dict[str, Any]:
    """The public keys of the authorization server. Raises NotUnderstoodError where there are none."""
    answer = client.get(there.keys, headers={"accept": "application/json"})
    found = answer.json() if answer.ok else None
    listed = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(listed, list) or not 0 < len(listed) <= MOST_KEYS or not all(isinstance(k, dict) for k in listed):
        raise NotUnderstoodError(
            f"{there.keys} gives no set of keys (status {answer.status}).", "Report it to the server's operator."
        )
    return {"keys": listed}


def identify(
    text: str, known: Mapping[str, Any], registration: Registration, *, nonce: str, token: str, now: float | None = None
) -> Identity:
    """Who signed in, from a signed identity (`id_token`).

    known : the server's keys; nonce : of this launch; token : the access token that came along; now : [s since 1970]

    Raises
    ------
    NotTrustedError : it is missing, not signed by a known key, of another issuer, for another program, of another launch, or over
    """
    remedy = "Launch again; if it comes back, the administrators of both systems must compare what is configured."
    if not text or len(text) > LONGEST_TOKEN:
        raise NotTrustedError("The hospital's system did not say who signed in (no id_token).", remedy)
    try:
        header = jwt.get_unverified_header(text)
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise NotTrustedError("The identity that was sent cannot be read.", remedy) from None
    algorithm, kid = header.get("alg"), header.get("kid")
    if algorithm not in SIGNED_BY:
        raise NotTrustedError(f"The identity is signed by '{str(algorithm)[:20]}', which proves nothing here.", remedy)
    at = time.time() if now is None else now
    try:
        claims = jwt.decode(
            text,
            _key(known, algorithm, kid, remedy),
            algorithms=[algorithm],
            audience=registration.client_id,
            issuer=registration.issuer,
            leeway=LEEWAY,
            options={"require": ["iss", "sub", "aud", "exp", "iat"], "verify_exp": False, "verify_iat": False},
        )
        ends, made = float(claims["exp"]), float(claims["iat"])
    except jwt.InvalidIssuerError:
        said = jwt.decode(text, options={"verify_signature": False}).get("iss")
        what = f"The identity is of the issuer '{str(said)[:200]}', and '{registration.issuer}' is configured."
        raise NotTrustedError(what, remedy) from None
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise NotTrustedError(f"The identity does not hold: {error}.", remedy) from None
    if ends < at - LEEWAY:
        raise NotTrustedError("The identity has ended.", "Launch again; check that both clocks are right.")
    if made > at + LEEWAY:
        raise NotTrustedError("The identity is of the future.", "Check that both clocks are right.")
    if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and claims.get("azp") != registration.client_id:
        raise NotTrustedError("The identity was made for several programs, and not for this one first.", remedy)
    if not hmac.compare_digest(_text(claims.get("nonce")).encode(), nonce.encode()):
        raise NotTrustedError("The identity belongs to another launch (nonce).", remedy)
    _same_token(claims.get("at_hash"), token, algorithm, remedy)
    if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= 255:
        raise NotTrustedError("The identity has no subject.", remedy)
    return Identity(claims["sub"], _fhir_user(claims.get("fhirUser"), registration.base))


def _key(known: Mapping[str, Any], algorithm: str, kid: Any, remedy: str) -> Any:
    """The one key that may have signed this."""
    fitting = []
    for one in known["keys"]:
        if one.get("use", "sig") != "sig" or one.get("kty") == "oct" or one.get("alg", algorithm) != algorithm:
            continue
        if kid is not None and one.get("kid") != kid:
            continue
        try:
            fitting.append(jwt.PyJWK.from_dict(dict(one), algorithm=algorithm).key)
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError, KeyError):
            continue
    if len(fitting) != 1:
        what = f"The identity is signed by a key that the server does not show ({str(kid)[:60]})."
        raise NotTrustedError(what, remedy, unknown_key=True)
    return fitting[0]


def _same_token(said: Any, token: str, algorithm: str, remedy: str) -> None:
    """The identity and the token came together, where the server says so (OpenID Connect Core, 3.1.3.6)."""
    if said is None:
        return
    digest = hashlib.new(f"sha{algorithm[2:]}", token.encode()).digest()
    if not hmac.compare_digest(_text(said).encode(), _letters(digest[: len(digest) // 2]).encode()):
        raise NotTrustedError("The identity came with another token (at_hash).", remedy)


def _fhir_user(said: Any, base: str) -> str | None:
    if not isinstance(said, str) or not 0 < len(said) <= 400:
        return None
    return said.removeprefix(f"{base}/")


def _letters(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
