"""Secrets for programs that read: made once, shown once, kept as a digest, limited in time and in what they open."""

from __future__ import annotations

import re
import secrets
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from ranvier_web.clinic.actions import Actor
from ranvier_web.connect.models import Ticket
from ranvier_web.people.actions import digest_of
from ranvier_web.people.models import Site

SCOPE = re.compile(r"system/(\*|[A-Z][A-Za-z]{1,40})\.(r|s|rs)")
LONGEST = timedelta(days=366)


@transaction.atomic
def make(name: str, site: Site, scopes: list[str], days: int, by: Actor) -> tuple[Ticket, str]:
    """A new ticket and its secret, which is not kept.

    Raises
    ------
    ValueError : a scope that is none, or a time longer than a year
    """
    bad = [one for one in scopes if not SCOPE.fullmatch(one)]
    if bad or not scopes:
        raise ValueError(f"no scope: {', '.join(bad) or 'none given'}; write system/*.rs or system/Observation.rs")
    if not 1 <= days <= LONGEST.days:
        raise ValueError(f"a ticket holds 1 to {LONGEST.days} days")
    secret = secrets.token_urlsafe(32)
    until = timezone.now() + timedelta(days=days)
    made = Ticket.objects.create(name=name, site=site, scopes=scopes, digest=digest_of(secret), until=until)
    by.wrote("ticket.made", None, ticket=made.pk, called=name, scopes=scopes)
    return made, secret


def of(header: str) -> Ticket | None:
    """The ticket of an Authorization header; None where there is none that holds."""
    kind, _, secret = header.partition(" ")
    if kind.lower() != "bearer" or not secret.strip():
        return None
    found = Ticket.objects.select_related("site").filter(digest=digest_of(secret.strip())).first()
    return found if found is not None and found.revoked_at is None and found.until > timezone.now() else None


def opens(ticket: Any, kind: str, verb: str) -> bool:
    """Whether a ticket opens resources of a kind for reading (r) or searching (s)."""
    for scope in ticket.scopes:
        found = SCOPE.fullmatch(scope)
        if found is not None and found[1] in ("*", kind) and verb in found[2]:
            return True
    return False
