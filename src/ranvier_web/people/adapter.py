"""How allauth behaves here: accounts are made by administrators, never by oneself."""

from __future__ import annotations

import time
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]
    """No signing up; no chatter."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody may make an account for themselves."""
        return False

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Whoever signed in a few minutes ago need not type the password again: the first second factor comes right after."""
        records = get_authentication_records(self.request, self.request.user)
        typed = [r["at"] for r in records if r["method"] == "password"]
        if typed and time.time() - typed[-1] < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT:
            return False
        return bool(super().is_reauthentication_required(app=app, **kwargs))

    def add_message(self, request: HttpRequest, level: int, *args: object, **kwargs: object) -> None:
        """Only what went wrong is worth a message."""
        if level >= messages.WARNING:
            super().add_message(request, level, *args, **kwargs)


class SecondFactor(DefaultMFAAdapter):  # type: ignore[misc]
    """Secrets of second factors are encrypted in the database."""

    def encrypt(self, text: str) -> str:
        """Before it is kept."""
        from ranvier_web.clinic.fields import seal

        return seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        """As it was."""
        from ranvier_web.clinic.fields import unseal

        return unseal(encrypted_text)
