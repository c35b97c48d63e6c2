"""Keys: made once, shown once, kept as a digest, limited in time and in what they open."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from ranvier_web.api.models import Key
from ranvier_web.api.scopes import SCOPES
from ranvier_web.clinic.actions import Actor
from ranvier_web.people.actions import digest_of
from ranvier_web.people.models import User

LONGEST = timedelta(days=366)


@transaction.atomic
def make(user: User, name: str, scopes: Sequence[str], days: int, by: Actor) -> tuple[Key, str]:
    """A new key of an account and its secret, which is not kept.

    Raises
    ------
    ValueError : a scope that is none, a time longer than a year, a name that is taken
    """
    bad = sorted(set(scopes) - SCOPES.keys())
    if bad or not scopes:
        raise ValueError(f"no scope: {', '.join(bad) or 'none given'}; there are {', '.join(SCOPES)}")
    if not 1 <= days <= LONGEST.days:
        raise ValueError(f"a key holds 1 to {LONGEST.days} days")
    if Key.objects.filter(user=user, name=name).exists():
        raise ValueError(f"{user.username} has a key of that name already")
    secret = secrets.token_urlsafe(32)
    until = timezone.now() + timedelta(days=days)
    made = Key.objects.create(user=user, name=name, scopes=sorted(set(scopes)), digest=digest_of(secret), until=until)
    by.wrote("key.made", None, key=made.pk, called=name, account=user.username, scopes=made.scopes)
    return made, secret


def of(secret: str) -> Key | None:
    """The key with this secret; None where there is none that holds, or its account is kept out."""
    found = Key.objects.select_related("user__site").filter(digest=digest_of(secret.strip())).first()
    if found is None or found.revoked_at is not None or found.until <= timezone.now() or not found.user.is_active:
        return None
    return found


def revoke(name: str, username: str, by: Actor) -> int:
    """End a key; how many were in force."""
    rows = Key.objects.filter(name=name, user__username=username, revoked_at=None)
    n = rows.update(revoked_at=timezone.now())
    if n:
        by.wrote("key.revoked", None, called=name, account=username)
    return n
