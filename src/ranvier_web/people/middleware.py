"""The policy, asked before every view; and the limits of a session."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation.trans_real import parse_accept_lang_header

from ranvier_web.people.rules import PATIENT, Answer, Scope, may, table
from ranvier_web.words.load import languages, speaking

log = logging.getLogger(__name__)
Respond = Callable[[HttpRequest], HttpResponse]
_SEEN = "seen"  # last click [s since 1970]
_BEGAN = "began"
_GRAIN = 60  # [s] a session is written at most once a minute
KEEP = "keep"  # a patient said at sign-in that this device is their own
WITHOUT_SECOND_FACTOR = ("mfa_activate_totp", "account_reauthenticate", "account_logout", "account_login")


def safe_headers(respond: Respond) -> Respond:
    """Headers for every answer that Django does not set itself."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = respond(request)
        response.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if not request.path.startswith(settings.STATIC_URL):
            response.setdefault("Cache-Control", "no-store")
        return response

    return middleware


def in_their_language(respond: Respond) -> Respond:
    """Each request is answered in the language of the account; before sign-in, in the first that the browser asks for."""

    def middleware(request: HttpRequest) -> HttpResponse:
        code = _their_language(request)
        with speaking(code), translation.override(code):
            response = respond(request)
        response.setdefault("Content-Language", code)
        if not request.user.is_authenticated:
            patch_vary_headers(response, ("Accept-Language",))
        return response

    return middleware


def _their_language(request: HttpRequest) -> str:
    known = dict(languages())
    if request.user.is_authenticated:
        return request.user.language if request.user.language in known else "en"
    for wanted, _ in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        if wanted.partition("-")[0] in known:
            return wanted.partition("-")[0]
    return "en"


class SessionLimits:
    """Ends a session that was idle too long, or lasted too long."""

    def __init__(self, respond: Respond) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Look at the clock before anything else."""
        if request.user.is_authenticated:
            now = int(time.time())
            seen, began = request.session.get(_SEEN, now), request.session.get(_BEGAN, now)
            kept = request.user.role == PATIENT and request.session.get(KEEP)
            idle, longest = settings.SESSION_IDLE, settings.SESSION_COOKIE_AGE
            if kept:
                idle, longest = settings.SESSION_KEPT_IDLE, settings.SESSION_KEPT_LONGEST
            if now - seen > idle or now - began > longest:
                logout(request)
                return redirect(f"{reverse('account_login')}?ended=1")
            if _SEEN not in request.session or now - seen >= _GRAIN:
                request.session[_SEEN], request.session[_BEGAN] = now, began
                if kept:
                    request.session.set_expiry(idle)  # also that of the cookie, which outlives the browser
        return self.respond(request)


class Policy:
    """Asks the table of rules; sets `request.patient` where the address names one."""

    def __init__(self, respond: Respond) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Nothing here: the view must be known first."""
        return self.respond(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: list[Any], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """None lets the view run."""
        if any("\0" in value for data in (request.GET, request.POST) for values in data.lists() for value in values[1]):
            raise BadRequest("no text holds a zero byte")
        match = request.resolver_match
        name = match.view_name if match else ""
        rule = table().get(name)
        if rule is None:
            log.error("no rule for the address %s: closed", name)
            raise PermissionDenied
        seen = None
        if rule.scope is Scope.PATIENT:
            from ranvier_web.clinic.models import Patient

            seen = Patient.objects.select_related("site").filter(pk=kwargs["patient"], erased_at=None).first()
        answer = may(request.user, name, seen)
        if answer is Answer.SIGN_IN:
            if request.headers.get("HX-Request"):
                return HttpResponse(status=204, headers={"HX-Redirect": reverse("account_login")})
            return redirect(f"{reverse('account_login')}?next={request.path}")
        if answer is Answer.GLASS:
            assert seen is not None
            return redirect("break_glass", patient=seen.pk) if name != "break_glass" else None
        if answer is Answer.HIDDEN:
            raise Http404
        if answer is Answer.NO:
            raise PermissionDenied
        if self._needs_second_factor(request, name, rule.scope):
            return redirect("mfa_activate_totp")
        request.patient = seen  # type: ignore[attr-defined]
        return None

    def _needs_second_factor(self, request: HttpRequest, name: str, scope: Scope) -> bool:
        """Professionals need one; people who only see their own page may have one."""
        user = request.user
        if settings.DEMO or scope in (Scope.PUBLIC, Scope.TOKEN) or name in WITHOUT_SECOND_FACTOR:
            return False
        if not user.is_authenticated or user.role == PATIENT or request.session.get("second"):
            return False
        from allauth.mfa.utils import is_mfa_enabled

        if is_mfa_enabled(user):
            request.session["second"] = True
            return False
        return True
