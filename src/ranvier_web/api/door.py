"""Who stands at the door, and what they may: the key's scopes and the role's rules must both allow it.

The rule is the one of the page that does the same (`people.rules`), so that a program can do nothing that its account
could not do in the browser. A session opens nothing here, so no other site can make a browser write.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.http import HttpRequest
from ninja.parser import Parser
from ninja.security import HttpBearer

from ranvier_web.api import keys
from ranvier_web.api.models import Key
from ranvier_web.clinic.actions import Actor
from ranvier_web.clinic.models import Patient
from ranvier_web.people.rules import Answer, may


class RefusedError(Exception):
    """An answer that is a problem: status, what, remedy; more is added to it as it is."""

    def __init__(self, status: int, what: str, remedy: str, **more: Any) -> None:
        super().__init__(what)
        self.status, self.what, self.remedy, self.more = status, what, remedy, more


class ByKey(HttpBearer):
    """`Authorization: Bearer` and the secret of a key."""

    openapi_name = "key"

    def authenticate(self, request: HttpRequest, token: str) -> Key | None:
        """The key; its account becomes the one who acts."""
        found = keys.of(token)
        if found is not None:
            request.user = found.user
        return found


class Strict(Parser):
    """JSON as RFC 8259 has it: no NaN, no zero bytes, not deeper than a stack."""

    def parse_body(self, request: HttpRequest) -> Any:
        """What was sent. Raises ValueError, which is answered as a problem."""
        body = request.body
        if b"\\u0000" in body or b"\0" in body:
            raise ValueError("no text holds a zero byte")
        try:
            return json.loads(body, parse_constant=_none)
        except RecursionError:
            raise ValueError("it is nested too deeply") from None


def _none(name: str) -> Any:
    raise ValueError(f"{name} is no number in JSON")


def enter(request: HttpRequest, page: str, scope: str, patient: uuid.UUID | None = None) -> Patient:
    """The patient that is asked about, if key, role and person allow it; an empty one where none is asked about.

    page : the address in the browser whose rule holds

    Raises
    ------
    RefusedError : 403 or 404
    """
    key: Key = request.auth  # type: ignore[attr-defined]
    if scope not in key.scopes:
        raise RefusedError(403, f"this key does not open {scope}", f"Make a key with --scope {scope}: ranvier key add.")
    seen = None
    if patient is not None:
        seen = Patient.objects.select_related("site").filter(pk=patient, erased_at=None).first()
    answer = may(request.user, page, seen)
    if answer is Answer.HIDDEN:
        raise RefusedError(404, "there is no such patient", "Ask GET /patients for those of this site.")
    if answer is Answer.GLASS:
        raise RefusedError(
            403, "this record is closed", "Somebody opens it in the browser, with a reason; then the same account may read it."
        )  # fmt: skip
    if answer is not Answer.YES:
        who = getattr(request.user, "role", "nobody")
        raise RefusedError(403, f"the role {who} may not do this", "Use a key of an account whose role may.")
    return seen or Patient()


def actor(request: HttpRequest) -> Actor:
    """Who acts: the account, by the name of its key."""
    key: Key = request.auth  # type: ignore[attr-defined]
    user = key.user
    return Actor(user, f"{user.username} by key {key.name}", user.role, str(user.site or ""))
