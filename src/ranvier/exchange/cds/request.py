"""A call of a CDS Hooks client: strict in what decides, patient with what real clients get wrong (category as object, …)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ranvier.ground.notes import Problem

PATIENT_ID = re.compile(r"(?:Patient/)?([A-Za-z0-9\-.]{1,64})")
MOST_PREFETCH = 5_000  # resources of one call


class CallError(Exception):
    """A call that cannot be answered, with the HTTP status and every reason."""

    def __init__(self, status: int, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(f"{p.place}: {p.what}" for p in problems))
        self.status = status
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Hooked:
    """One call.

    instance : of the hook, as sent; user : who looks at the screen, e.g. ``Practitioner/1``
    patient : the person's id on the client's FHIR server; context, prefetch : as sent
    server, token : where more could be asked, and with what; None where the client offers nothing
    """

    hook: str
    instance: str
    user: str | None
    patient: str
    context: Mapping[str, Any]
    prefetch: Mapping[str, Any]
    server: str | None
    token: str | None


def read_call(raw: Any, hook: str) -> Hooked:
    """The call as one noun. All that is wrong is said at once.

    Raises
    ------
    CallError : 400, with each place and remedy
    """
    if not isinstance(raw, Mapping):
        raise CallError(400, (Problem("$", "this is no JSON object", "Send the request of CDS Hooks 2.0."),))
    problems: list[Problem] = []

    def wrong(place: str, what: str, remedy: str) -> None:
        problems.append(Problem(place, what, remedy))

    if raw.get("hook") != hook:
        wrong("hook", f"it is {_shown(raw.get('hook'))}, and this service answers {hook}", f"Send hook: {hook}.")
    instance = raw.get("hookInstance")
    if not isinstance(instance, str) or not _is_uuid(instance):
        wrong("hookInstance", "it is no UUID", "Send a new UUID with each call.")
    context = raw.get("context")
    if not isinstance(context, Mapping):
        wrong("context", "it is missing", "Send the context of the hook.")
        context = {}
    found = PATIENT_ID.fullmatch(context["patientId"]) if isinstance(context.get("patientId"), str) else None
    if isinstance(raw.get("context"), Mapping) and found is None:
        wrong("context.patientId", "it is no FHIR id", "Send the id of the patient on your server.")
    user = context.get("userId")
    if user is not None and not isinstance(user, str):
        wrong("context.userId", "it is no text", "Send it as Practitioner/123.")
    if hook in ("order-select", "order-sign") and not isinstance(context.get("draftOrders"), Mapping):
        wrong("context.draftOrders", "it is missing", "Send a Bundle of the orders that are not signed yet.")
    if hook == "order-select":
        chosen = context.get("selections")
        if not isinstance(chosen, list) or not all(isinstance(one, str) for one in chosen):
            wrong("context.selections", "it is no list of references", "Send e.g. ['MedicationRequest/1'].")
    prefetch = raw.get("prefetch") or {}
    if not isinstance(prefetch, Mapping):
        wrong("prefetch", "it is no object", "Send one resource or Bundle for each key of the discovery.")
        prefetch = {}
    server, access = raw.get("fhirServer"), raw.get("fhirAuthorization")
    if server is not None and not isinstance(server, str):
        wrong("fhirServer", "it is no address", "Send the base address of your FHIR server.")
    if access is not None:
        if not isinstance(access, Mapping) or not isinstance(access.get("access_token"), str):
            wrong("fhirAuthorization", "access_token is missing", "Send it, or leave fhirAuthorization out.")
        if server is None:
            wrong("fhirServer", "it is missing although fhirAuthorization is sent", "Send both or neither.")
    if problems:
        raise CallError(400, tuple(problems))
    assert found is not None
    assert isinstance(instance, str)
    return Hooked(
        hook=hook,
        instance=instance,
        user=user,
        patient=found.group(1),
        context=context,
        prefetch=prefetch,
        server=server,
        token=access["access_token"] if isinstance(access, Mapping) else None,
    )


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def _shown(value: Any) -> str:
    return "missing" if value is None else repr(value)[:60]
