"""What a launch left behind: whose record is open in the hospital's system, and the token to read it.

It lies in the session of the one who signed in, encrypted, and ends with it. The browser never sees a token.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from django.http import HttpRequest

from ranvier_net.launch import Granted, refresh
from ranvier_net.smart import NoAccessError, Token
from ranvier_web.clinic.fields import seal, unseal
from ranvier_web.smart import dealing
from ranvier_web.smart.models import Server

HELD = "smart"
OPEN = "smart_patient"  # our patient, once they are linked; nothing secret
SOON = 20  # [s] before its end at which a token is renewed


@dataclass(slots=True)
class Held:
    """server : its id; user : of the account that the launch belongs to; patient : id of the Patient there

    until : [s since 1970]
    """

    server: str
    user: int
    patient: str
    scope: str
    until: float
    token: str = field(repr=False)
    refresh: str = field(repr=False)

    def of(self) -> Server | None:
        """The server, if it is still configured."""
        return Server.objects.select_related("site").filter(pk=self.server, active=True).first()


def make(server: Server, user: Any, granted: Granted, patient: str) -> Held:
    """What a launch gave."""
    token = granted.token
    return Held(str(server.pk), user.pk, patient, token.scope, token.until, token.value, granted.refresh)


def keep(request: HttpRequest, held: Held) -> None:
    """Into the session, encrypted."""
    request.session[HELD] = sealed(held)


def sealed(held: Held) -> str:
    """Encrypted, for the session."""
    return seal(json.dumps(asdict(held)))


def find(request: HttpRequest) -> Held | None:
    """What the last launch of the one who is signed in left; None where there is none."""
    text = request.session.get(HELD)
    if not text:
        return None
    try:
        found = Held(**json.loads(unseal(text)))
    except (ValueError, TypeError):  # the keys of this site were changed meanwhile
        return None
    return found if request.user.is_authenticated and found.user == request.user.pk else None


def token(request: HttpRequest, held: Held, server: Server, *, spent: bool = False) -> Token:
    """A token that still holds; a fresh one where there is a refresh token.

    spent : the server said that the token no longer holds

    Raises
    ------
    NoAccessError : it has ended and cannot be renewed
    """
    if not spent and held.until - SOON > time.time():
        return Token(held.token, held.until, held.scope)
    if not held.refresh:
        raise NoAccessError("The hospital's system opened the record for a time, and that is over.", "Launch again.")
    with dealing.client(server) as client:
        there = dealing.endpoints(server)
        found = refresh(client, there, dealing.registration(server), token=held.refresh, scope=held.scope)
    if found.patient not in (None, held.patient):
        raise NoAccessError("The renewed token is for another person.", "Launch again.")
    held.token, held.until = found.token.value, found.token.until
    held.refresh = found.refresh or held.refresh
    keep(request, held)
    return found.token
