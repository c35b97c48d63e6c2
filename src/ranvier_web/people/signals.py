"""Signing in and out goes into the audit log."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver

from ranvier_web.audit import chain
from ranvier_web.clinic.actions import Actor


@receiver(user_logged_in)
def signed_in(sender: Any, request: Any, user: Any, **kwargs: Any) -> None:
    """Somebody came in."""
    Actor(user, user.username, user.role, str(user.site or "")).wrote("signed.in", None)


@receiver(user_logged_out)
def signed_out(sender: Any, request: Any, user: Any, **kwargs: Any) -> None:
    """Somebody left, or was idle too long."""
    if user is not None:
        Actor(user, user.username, user.role, str(user.site or "")).wrote("signed.out", None)


@receiver(user_login_failed)
def failed(sender: Any, credentials: Any, **kwargs: Any) -> None:
    """Somebody was not let in."""
    name = str(credentials.get("username") or "nobody")
    chain.write("sign-in", "signed.refused", account=name[:150])
