"""What can be done to accounts."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import timedelta
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from ranvier_web.clinic.actions import Actor
from ranvier_web.people.models import BreakGlass, Invitation, Role, User

INVITED_FOR = timedelta(days=7)
GLASS_FOR = timedelta(hours=4)


@transaction.atomic
def invite(username: str, role: str, site: Any, by: Actor, *, patient: Any = None, **names: str) -> tuple[User, str]:
    """A new account without a password, and the secret of its invitation.

    Raises
    ------
    ValueError : a patient's account without a patient, or the other way round
    """
    if (role == Role.PATIENT) != (patient is not None):
        raise ValueError("An account of the role 'patient' belongs to one patient, every other to none.")
    user = User(username=username, role=role, site=site, patient=patient, **names)
    user.set_unusable_password()
    user.save()
    by.wrote("account.invited", patient, account=username, as_role=role)
    return user, renew(user, by)


@transaction.atomic
def renew(user: User, by: Actor) -> str:
    """A new invitation; earlier ones no longer open, and devices that were signed in are so no longer."""
    assert by.user is not None
    now = timezone.now()
    end_sessions(user)
    user.invitations.filter(used_at=None, revoked_at=None).update(revoked_at=now)
    secret = secrets.token_urlsafe(32)
    made = Invitation.objects.create(user=user, digest=digest_of(secret), made_by=by.user, until=now + INVITED_FOR)
    by.wrote("account.invitation", user.patient, account=user.username)
    return f"{made.pk}/{secret}"


def open_invitation(id: Any, secret: str) -> Invitation | None:
    """The invitation of this link, if it still opens."""
    found = Invitation.objects.select_related("user").filter(pk=id, used_at=None, revoked_at=None).first()
    if found is None or found.until < timezone.now() or not found.user.is_active:
        return None
    return found if hmac.compare_digest(found.digest, digest_of(secret)) else None


@transaction.atomic
def accept(found: Invitation, password: str) -> User:
    """Set the password; the link is used up. Raises ValidationError for a weak password."""
    validate_password(password, found.user)
    used = Invitation.objects.filter(pk=found.pk, used_at=None).update(used_at=timezone.now())
    user = found.user
    if used:
        user.set_password(password)
        user.save()
        Actor(user, user.username, user.role, str(user.site or "")).wrote("account.opened", user.patient)
    return user


@transaction.atomic
def switch(user: User, on: bool, by: Actor) -> None:
    """Let somebody in or keep them out; open sessions end at the next click, and stay ended when the door opens again."""
    user.is_active = on
    user.save(update_fields=["is_active"])
    if not on:
        end_sessions(user)
        user.invitations.filter(used_at=None, revoked_at=None).update(revoked_at=timezone.now())
    by.wrote("account.switched_on" if on else "account.switched_off", user.patient, account=user.username)


def end_sessions(user: User) -> None:
    """Sign somebody out everywhere: a phone that was lost, too."""
    User.objects.filter(pk=user.pk).update(epoch=F("epoch") + 1)
    user.refresh_from_db(fields=["epoch"])


@transaction.atomic
def break_glass(user: User, patient: Any, reason: str) -> BreakGlass:
    """Open a closed record for some hours."""
    made = BreakGlass.objects.create(user=user, patient=patient, reason=reason, until=timezone.now() + GLASS_FOR)
    Actor.of(user).wrote("glass.broken", patient, reason=reason, until=made.until)
    return made


@transaction.atomic
def saw(row: BreakGlass, by: Actor) -> None:
    """An administrator has seen that a closed record was opened."""
    row.seen_by = by.user
    row.save(update_fields=["seen_by"])
    by.wrote("glass.seen", row.patient, glass=row.pk)


def digest_of(secret: str) -> str:
    """What is kept of a secret of 256 random bits: nobody can try them all, so it needs no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()
