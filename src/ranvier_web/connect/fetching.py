"""What a call did not send, asked of its FHIR server: only of servers configured for that caller, and only for a moment."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from ranvier.exchange import cds
from ranvier_net.client import Client, NetworkError, Policy, hosts_of
from ranvier_net.fhir import ACCEPT
from ranvier_web.connect.models import Caller

log = logging.getLogger(__name__)
PATIENCE = 3.0  # [s] for all questions of one call together; whoever waits looks at a screen
LARGEST = 2 * 1024 * 1024  # [bytes] of one answer


def fetch(caller: Caller, call: cds.Hooked, missing: Mapping[str, str]) -> list[dict[str, Any]]:
    """The resources of the missing queries; what does not come in time is left out."""
    assert call.server is not None
    base = call.server.rstrip("/")
    if base not in [str(one).rstrip("/") for one in caller.servers]:
        return []
    found: list[dict[str, Any]] = []
    policy = Policy(hosts=hosts_of([base]), timeout=PATIENCE, deadline=PATIENCE, tries=1, redirects=0, largest=LARGEST)
    headers = {**ACCEPT, "authorization": f"Bearer {call.token}"}
    with Client(policy, headers) as client:
        for query in missing.values():
            path = query.replace("{{context.patientId}}", call.patient)
            try:
                answer = client.get(f"{base}/{path}")
                value = answer.json() if answer.status == 200 else None
            except NetworkError as error:
                log.warning("a FHIR server did not answer a call: %s", error)
                return found
            found += cds.resources_of(_only(value))
    return found


def _only(value: Any) -> cds.Hooked:
    return cds.Hooked("", "", None, "", {}, {"answer": value}, None, None)
