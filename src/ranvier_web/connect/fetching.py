"""What a call did not send, asked of its FHIR server: only of servers configured for that caller, and only for a moment."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qsl

from ranvier.exchange import cds
from ranvier.exchange.fhir import wire
from ranvier.ground.notes import InputError
from ranvier_net.client import Client, NetworkError, Policy, hosts_of
from ranvier_net.fhir import Server
from ranvier_net.smart import Token
from ranvier_web.connect.models import Caller

log = logging.getLogger(__name__)
PATIENCE = 3.0  # [s] for all questions of one call together; whoever waits looks at a screen
LARGEST = 2 * 1024 * 1024  # [bytes] of one answer
PAGES = 5  # of one question
AT_ONCE = 6  # questions


def fetch(caller: Caller, call: cds.Hooked, missing: Mapping[str, str]) -> dict[str, list[dict[str, Any]]]:
    """The resources of the missing queries, by key. A key that does not come whole and in time is left out."""
    assert call.server is not None
    assert call.token is not None
    base = call.server.rstrip("/")
    if base not in [str(one).rstrip("/") for one in caller.servers]:
        return {}
    policy = Policy(hosts=hosts_of([base]), timeout=PATIENCE, deadline=PATIENCE, tries=1, redirects=0, largest=LARGEST)
    token = Token(call.token, time.time() + 3600, "")
    end = time.monotonic() + PATIENCE
    with Client(policy) as client, ThreadPoolExecutor(AT_ONCE) as pool:
        asked = {
            key: pool.submit(_answers, client, base, token, query.replace("{{context.patientId}}", call.patient), end)
            for key, query in missing.items()
        }
        found = {key: future.result() for key, future in asked.items()}
    return {key: value for key, value in found.items() if value is not None}


def _answers(client: Client, base: str, token: Token, query: str, end: float) -> list[dict[str, Any]] | None:
    """All pages of one question; None where one of them does not come."""
    there = Server(client, base, lambda: token, most_pages=PAGES)
    path, _, asked = query.partition("?")
    found: list[dict[str, Any]] = []
    try:
        if asked:
            for answer in there.search(path, dict(parse_qsl(asked))):
                if time.monotonic() > end:
                    raise TimeoutError
                found += _read(answer.body, answer.url)
            return found
        kind, _, name = path.partition("/")
        answer = there.read(kind, name)
        if answer.ok:
            return _read(answer.body, answer.url)
        log.warning("a FHIR server did not answer a call: %s gave status %s", answer.url, answer.status)
    except (NetworkError, InputError, TimeoutError) as error:
        log.warning("a FHIR server did not answer a call: %s", error)
    return None


def _read(body: bytes, place: str) -> list[dict[str, Any]]:
    wire.loads(body, place)  # depth, size and doubled names are bounded there
    return cds.resources_of(cds.Hooked("", "", None, "", {}, {"answer": json.loads(body)}, None, None))
