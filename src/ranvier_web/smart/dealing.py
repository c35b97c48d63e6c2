"""How we talk to one hospital's system: under which limits, as whom, and with what it said before."""

from __future__ import annotations

import logging
import time
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.urls import reverse

from ranvier_net import Client, NetworkError, Policy, hosts_of
from ranvier_net.launch import (
    Endpoints,
    Identity,
    NotTrustedError,
    Registration,
    discover,
    identify,
    keys,
)
from ranvier_net.smart import read_key
from ranvier_web.smart.models import Server

log = logging.getLogger(__name__)
PATIENCE = 5.0  # [s] for a connection, and between two pieces of an answer
DEADLINE = 10.0  # [s] for one answer
LARGEST = 256 * 1024  # [bytes] of a description, of keys, of a token
REMEMBERED = 600  # [s] a description
KEYS_REMEMBERED = 300  # [s]
KEYS_AGAIN = 30  # [s] after which an unknown key is looked for anew
SULKING = 20  # [s] a server that did not answer is left alone
EHR, STANDALONE = "launch", "launch/patient"
WHO = ("openid", "fhirUser")
READ = ("patient/*.rs",)


class QuietError(NetworkError):
    """The server did not answer a moment ago, and is not asked again yet."""


def client(server: Server, *, largest: int = LARGEST, deadline: float = DEADLINE) -> Client:
    """A client that reaches the hosts that were configured for this server, and no other."""
    policy = Policy(
        hosts=hosts_of([server.base, *server.hosts]),
        timeout=PATIENCE,
        deadline=deadline,
        tries=2,
        wait=0.2,
        largest=largest,
        redirects=0,
        private=server.private,
    )
    return Client(policy)


def registration(server: Server) -> Registration:
    """As whom we are known there."""
    key = read_key(server.key, server.kid or None) if server.key else None
    return Registration(server.base, server.issuer, server.client_id, server.secret, key)


def redirect_address() -> str:
    """Where the browser comes back to; registered at the server."""
    return settings.ADDRESS.rstrip("/") + reverse("smart_callback")


def launch_address() -> str:
    """Where an EHR begins a launch; registered at the server."""
    return settings.ADDRESS.rstrip("/") + reverse("smart_launch")


def scope(server: Server, begun: str) -> str:
    """What is asked for. begun : EHR or STANDALONE"""
    return " ".join((begun, *WHO, *(server.scopes or READ)))


def endpoints(server: Server, *, fresh: bool = False) -> Endpoints:
    """The doors of the authorization server, remembered for ten minutes; one that does not answer is left alone a while.

    Raises NetworkError.
    """
    name = _name(server, "doors")
    found = None if fresh else cache.get(name)
    if isinstance(found, str):
        raise QuietError(found, "Try again in half a minute.")
    if found is not None:
        return found  # type: ignore[no-any-return]
    try:
        with client(server) as there:
            made = discover(there, registration(server))
    except NetworkError as error:
        cache.set(name, error.what, SULKING)
        raise
    cache.set(name, made, REMEMBERED)
    return made


def who(server: Server, there: Endpoints, text: str, *, nonce: str, token: str) -> Identity:
    """Who signed in. A key that is not known may be a new one: the keys are then asked for once more.

    Raises NotTrustedError, NetworkError.
    """
    own, asked = registration(server), _name(server, "keys")
    known: Any = cache.get(asked)
    if known is None:
        known = _keys(server, there, asked)
    try:
        return identify(text, known["keys"], own, nonce=nonce, token=token)
    except NotTrustedError as error:
        if not error.unknown_key or time.time() - known["at"] < KEYS_AGAIN:
            raise
    return identify(text, _keys(server, there, asked)["keys"], own, nonce=nonce, token=token)


def _keys(server: Server, there: Endpoints, name: str) -> dict[str, Any]:
    with client(server) as one:
        found = {"keys": keys(one, there), "at": time.time()}
    cache.set(name, found, KEYS_REMEMBERED)
    return found


def _name(server: Server, what: str) -> str:
    return f"smart-{what}-{server.pk}"
