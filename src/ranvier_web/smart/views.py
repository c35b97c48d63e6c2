"""A launch, step by step: begun by the hospital's system or here, back with a code, somebody signed in, their patient open."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from ranvier.exchange.fhir.asks import IDENTIFIER
from ranvier_net import NetworkError
from ranvier_net.launch import NotTrustedError, Secrets, address, redeem
from ranvier_net.smart import NoAccessError
from ranvier_web.audit import chain
from ranvier_web.clinic.actions import Actor
from ranvier_web.smart import dealing, entering, held, own_keys
from ranvier_web.smart.models import Server
from ranvier_web.words.load import say

WAITING = "smart_waiting"  # launches of this browser that have not come back
EMBEDDED = "smart_embedded"  # the server in whose frame this session lives
MOST_WAITING = 5
HOLDS = 600  # [s] a launch may take, signing in at the hospital included
LONGEST = 4000  # [letters] of a code or a launch word
DENIED = ("access_denied", "consent_required", "login_required", "interaction_required")


@require_safe
def keys(request: HttpRequest) -> HttpResponse:
    """The public halves of the keys with which we prove ourselves; a server's operator registers this address."""
    return JsonResponse({"keys": own_keys.public()})


@require_safe
def choose(request: HttpRequest) -> HttpResponse:
    """A button for each hospital's system."""
    return render(request, "smart/choose.html", {"servers": active()})


@require_safe
def launch(request: HttpRequest) -> HttpResponse:
    """The hospital's system begins: `iss` says where it is, `launch` what it has open."""
    base, word = request.GET.get("iss", "").rstrip("/"), request.GET.get("launch", "")
    server = active().filter(base=base).first() if 0 < len(base) <= 400 else None
    if server is None:
        return refused(request, None, "unknown_server", told=base[:200])
    if not 0 < len(word) <= LONGEST:
        return refused(request, server, "no_launch")
    if request.headers.get("Sec-Fetch-Dest") == "iframe" and server.embeds:
        request.session[EMBEDDED] = str(server.pk)
    return _begin(request, server, word)


@require_safe
def begin(request: HttpRequest, server: Any) -> HttpResponse:
    """It begins here; the hospital's system asks which patient."""
    found = active().filter(pk=server).first()
    if found is None:
        return refused(request, None, "unknown_server", status=404)
    return _begin(request, found, None)


def _begin(request: HttpRequest, server: Server, word: str | None) -> HttpResponse:
    begun = dealing.STANDALONE if word is None else dealing.EHR
    made, scope = Secrets(), dealing.scope(server, begun)
    try:
        there = dealing.endpoints(server)
        to = address(
            there,
            dealing.registration(server),
            made,
            redirect=dealing.redirect_address(),
            scope=scope,
            launch=word,
        )
    except NetworkError as error:
        return refused(request, server, "unreachable", told=error.what, status=502)
    waiting = _waiting(request)
    for old in sorted(waiting, key=lambda s: waiting[s]["at"])[: max(0, len(waiting) - MOST_WAITING + 1)]:
        del waiting[old]
    waiting[made.state] = {
        "server": str(server.pk),
        "nonce": made.nonce,
        "verifier": made.verifier,
        "scope": scope,
        "at": time.time(),
    }
    request.session[WAITING] = waiting
    return HttpResponseRedirect(to)


@require_safe
def callback(request: HttpRequest) -> HttpResponse:
    """Back from the hospital: the code becomes a token, the identity an account, and the account's patient is opened."""
    state, waiting = request.GET.get("state", ""), _waiting(request)
    kept = waiting.pop(state, None)
    request.session[WAITING] = waiting  # each state once, whatever comes of it
    if kept is None:
        return refused(request, None, "state")
    server = active().filter(pk=kept["server"]).first()
    if server is None:
        return refused(request, None, "unknown_server")
    if request.GET.get("iss", server.issuer) != server.issuer:  # RFC 9207
        return refused(request, server, "other_issuer", told=request.GET["iss"][:200])
    error = request.GET.get("error", "")
    if error:
        why = "denied" if error in DENIED else "error"
        said = f"{error[:60]} {request.GET.get('error_description', '')[:200]}".strip()
        return refused(request, server, why, told=said, status=403)
    code = request.GET.get("code", "")
    if not 0 < len(code) <= LONGEST:
        return refused(request, server, "no_code")
    return _come_back(request, server, kept, code)


def _come_back(request: HttpRequest, server: Server, kept: Mapping[str, Any], code: str) -> HttpResponse:
    try:
        there = dealing.endpoints(server)
        with dealing.client(server) as client:
            granted = redeem(
                client,
                there,
                dealing.registration(server),
                code=code,
                verifier=kept["verifier"],
                redirect=dealing.redirect_address(),
                scope=kept["scope"],
            )
        identity = dealing.who(server, there, granted.identity, nonce=kept["nonce"], token=granted.token.value)
    except (NoAccessError, NotTrustedError) as error:
        why = "not_trusted" if isinstance(error, NotTrustedError) else "no_token"
        return refused(request, server, why, told=error.what, status=403)
    except NetworkError as error:
        return refused(request, server, "unreachable", told=error.what, status=502)
    if granted.patient is None or not IDENTIFIER.fullmatch(granted.patient):
        return refused(request, server, "no_patient", told=str(granted.patient or "")[:80])
    try:
        user = entering.account(server, identity)
    except entering.UnknownError as error:
        return refused(request, server, f"who_{error.why}", told=", ".join(entering.names(identity)), status=403)
    opened = held.make(server, user, granted, granted.patient)
    actor = Actor(user, user.username, user.role, str(user.site or ""))
    actor.wrote("smart.launched", None, server=server.base, name=granted.patient, scope=granted.token.scope[:300])
    after = {held.HELD: held.sealed(opened), held.OPEN: ""}
    if request.session.get(EMBEDDED):
        after[EMBEDDED] = request.session[EMBEDDED]
    return entering.enter(request, server, user, after)


def refused(
    request: HttpRequest, server: Server | None, why: str, *, told: str = "", status: int = 400
) -> HttpResponse:
    """A launch that comes to nothing: what happened, what to do; and a row in the audit log."""
    chain.write(
        "SMART launch",
        "smart.refused",
        site=str(server.site) if server else "",
        why=why,
        server=server.base if server else "",
        told=told[:300],
    )
    context = {
        "what": say(f"smart.{why}"),
        "remedy": say(f"smart.{why}_do"),
        "told": told,
        "server": server,
        "again": server is not None and why not in ("unknown_server",),
    }
    return render(request, "smart/refused.html", context, status=status)


def _waiting(request: HttpRequest) -> dict[str, dict[str, Any]]:
    """Launches of this browser that may still come back."""
    since = time.time() - HOLDS
    found = request.session.get(WAITING)
    return {k: v for k, v in found.items() if v["at"] > since} if isinstance(found, dict) else {}


def active() -> Any:
    """The systems that may launch us."""
    return Server.objects.select_related("site").filter(active=True).order_by("name")
