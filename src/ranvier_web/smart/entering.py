"""Somebody of the hospital becomes somebody of ours: by the list of an administrator, and by nothing else."""

from __future__ import annotations

from typing import Any

from allauth.account.utils import perform_login
from django.conf import settings
from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from ranvier_net.launch import Identity
from ranvier_web.people.models import User
from ranvier_web.people.rules import STAFF
from ranvier_web.smart.models import Known, Server

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


class UnknownError(Exception):
    """Nobody here. why : unknown | twice | inactive"""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def names(identity: Identity) -> list[str]:
    """How the list of an administrator can call somebody."""
    return [f"sub:{identity.subject}", *([f"fhirUser:{identity.fhir_user}"] if identity.fhir_user else [])]


def account(server: Server, identity: Identity) -> User:
    """The account of somebody who signed in there. Raises UnknownError."""
    found = {
        one.user_id: one.user
        for one in Known.objects.select_related("user", "user__site").filter(server=server, who__in=names(identity))
    }
    if not found:
        raise UnknownError("unknown")
    if len(found) > 1:
        raise UnknownError("twice")
    user: User = next(iter(found.values()))
    if not user.is_active or user.site_id != server.site_id or user.role not in STAFF:
        raise UnknownError("inactive")
    return user


def enter(request: HttpRequest, server: Server, user: User, after: dict[str, Any]) -> HttpResponse:
    """Sign somebody in, and go on to their patient. Somebody else who was signed in in this browser is signed out.

    after : what the session shall hold then

    Where the server does not vouch for a second factor, that of the account is asked for before anything is seen.
    """
    if request.user.is_authenticated and request.user.pk != user.pk:
        logout(request)
    there = reverse("smart_open")
    if request.user.is_authenticated:
        request.session.update(after)
        return redirect(there)
    request.session.update(after)
    if server.vouches or settings.DEMO:
        login(request, user, backend=BACKEND)
        if server.vouches:
            request.session["second"] = True
        return redirect(there)
    answer: HttpResponse = perform_login(request, user, redirect_url=there)
    return answer
