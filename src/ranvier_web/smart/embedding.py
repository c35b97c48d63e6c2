"""Being shown in a frame of the hospital's system: only where an administrator named its origin, only for sessions begun there.

A session that began in such a frame has cookies of its own: SameSite=None, Secure and Partitioned, so that the browser keeps
them apart for each site that embeds us and sends them nowhere else. Every other session keeps Lax and Strict, and is never
shown in a frame. A browser that knows no partitions sends such a cookie from every site; forms are then still guarded by
their token and by the Origin header.
"""

from __future__ import annotations

from collections.abc import Callable
from http import cookies

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from ranvier_web.smart.models import Server
from ranvier_web.smart.views import EMBEDDED

Respond = Callable[[HttpRequest], HttpResponse]
# Python's own cookies learn this word in 3.14.
cookies.Morsel._reserved.setdefault("partitioned", "Partitioned")  # type: ignore[attr-defined]
cookies.Morsel._flags.add("partitioned")  # type: ignore[attr-defined]


def embedding(respond: Respond) -> Respond:
    """Lies around the session, so that it sees the cookies that are set; inside the content security policy."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = respond(request)
        session = getattr(request, "session", None)
        key = session.get(EMBEDDED) if session is not None and request.COOKIES | response.cookies else None
        server = Server.objects.filter(pk=key, active=True).first() if key else None
        if server is None or not server.embeds:
            return response
        response.headers.pop("X-Frame-Options", None)
        response._csp_replace = {"frame-ancestors": list(server.embeds)}  # type: ignore[attr-defined]
        for name in (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME):
            if name in response.cookies:
                response.cookies[name]["samesite"] = "None"
                response.cookies[name]["secure"] = True
                response.cookies[name]["partitioned"] = True
        return response

    return middleware


def staying(respond: Respond) -> Respond:
    """Lies inside the session: whoever is signed out in a frame, or was idle too long, is told so in that frame."""

    def middleware(request: HttpRequest) -> HttpResponse:
        known = settings.SESSION_COOKIE_NAME in request.COOKIES
        before = request.session.get(EMBEDDED) if known else None
        response = respond(request)
        if before and EMBEDDED not in request.session:
            request.session[EMBEDDED] = before
        return response

    return middleware
