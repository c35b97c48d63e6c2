"""Pages of accounts: home, invitations, who works here, the audit log, the broken glass."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ranvier_web.audit import chain
from ranvier_web.audit.models import Entry
from ranvier_web.clinic.actions import Actor
from ranvier_web.people import actions, forms
from ranvier_web.people.models import BreakGlass, User
from ranvier_web.people.rules import table
from ranvier_web.words.load import languages, say

HOMES = {"patient": "diary", "researcher": "research", "administrator": "accounts"}
ROWS = 50


@require_safe
def alive(request: HttpRequest) -> HttpResponse:
    """For whoever watches the server."""
    return HttpResponse("alive", content_type="text/plain")


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """To the page that this role works with."""
    assert request.user.is_authenticated
    page = HOMES.get(request.user.role, "worklist")
    return redirect(page if page in table() else "mfa_index")


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """In which language this person reads; back to the page where they chose."""
    wanted, back = request.POST.get("language", ""), request.POST.get("back", "")
    if wanted in dict(languages()) and request.user.is_authenticated:
        request.user.language = wanted
        request.user.save(update_fields=["language"])
    safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return redirect(back if safe and back.startswith("/") else "home")


@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest, invitation: Any, secret: str) -> HttpResponse:
    """Choose a password, once."""
    found = actions.open_invitation(invitation, secret)
    if found is None:
        return render(request, "people/invitation_over.html", status=404)
    form = forms.Password(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.accept(found, form.cleaned_data["password"])
        except ValidationError as error:
            form.add_error("password", error)
        else:
            return redirect("account_login")
    return render(request, "people/invitation.html", {"form": form, "who": found.user})


@require_safe
def accounts(request: HttpRequest) -> HttpResponse:
    """Who works here, and which patients may see their own page."""
    assert request.user.is_authenticated
    people = User.objects.filter(site=request.user.site).select_related("patient").order_by("role", "username")
    return render(request, "people/accounts.html", {"people": people})


@require_http_methods(["GET", "POST"])
def account_new(request: HttpRequest) -> HttpResponse:
    """Invite somebody."""
    assert request.user.is_authenticated
    form = forms.Account(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user, secret = actions.invite(**form.cleaned_data, site=request.user.site, by=Actor.of(request.user))
        except IntegrityError:
            form.add_error("username", say("people.name_taken"))
        else:
            link = request.build_absolute_uri(reverse("invitation", args=secret.split("/")))
            return render(request, "people/invited.html", {"who": user, "link": link})
    return render(request, "people/account_new.html", {"form": form})


@require_safe
def patients_known(request: HttpRequest) -> HttpResponse:
    """Pseudonyms only: who has an account for the own page; and forgetting whoever asked for it."""
    from ranvier_web.clinic.models import Patient

    assert request.user.is_authenticated
    found = (
        Patient.objects.filter(site=request.user.site, erased_at=None).select_related("account").order_by("pseudonym")
    )
    page = Paginator(found, ROWS).get_page(request.GET.get("page"))
    return render(request, "people/patients.html", {"page": page})


@require_http_methods(["GET", "POST"])
def patient_invite(request: HttpRequest, patient: Any) -> HttpResponse:
    """An account for the patient's own page; a new link where there is one already."""
    assert request.user.is_authenticated
    seen = request.patient  # type: ignore[attr-defined]
    by, there = Actor.of(request.user), User.objects.filter(patient=seen).first()
    form = forms.PatientAccount(request.POST or None)
    if request.method == "POST" and (there is not None or form.is_valid()):
        try:
            if there is not None:
                user, secret = there, actions.renew(there, by)
            else:
                name = form.cleaned_data["username"]
                user, secret = actions.invite(name, "patient", request.user.site, by, patient=seen)
        except IntegrityError:
            form.add_error("username", say("people.name_taken"))
        else:
            link = request.build_absolute_uri(reverse("invitation", args=secret.split("/")))
            return render(request, "people/invited.html", {"who": user, "link": link})
    return render(request, "people/patient_invite.html", {"form": form, "seen": seen, "there": there})


@require_POST
def account_switch(request: HttpRequest, account: int) -> HttpResponse:
    """Let somebody in, or keep them out."""
    assert request.user.is_authenticated
    user = get_object_or_404(User, pk=account, site=request.user.site)
    if user.pk != request.user.pk:  # nobody locks themselves out
        actions.switch(user, request.POST.get("on") == "1", Actor.of(request.user))
    return redirect("accounts")


@require_safe
def audit_log(request: HttpRequest) -> HttpResponse:
    """Who did what, the newest first."""
    assert request.user.is_authenticated
    rows = Entry.objects.filter(site__in=(str(request.user.site), "")).order_by("-id")
    page = Paginator(rows, ROWS).get_page(request.GET.get("page"))
    return render(request, "people/audit.html", {"page": page})


@require_http_methods(["GET", "POST"])
def glass_log(request: HttpRequest) -> HttpResponse:
    """Closed records that were opened, with the reason; seen when the administrator says so."""
    assert request.user.is_authenticated
    rows = BreakGlass.objects.filter(patient__site=request.user.site).select_related("user", "patient", "seen_by")
    if request.method == "POST":
        one = request.POST.get("seen", "")
        row = rows.filter(pk=int(one)).first() if one.isdecimal() and len(one) < 18 else None
        if row is None:
            raise Http404
        actions.saw(row, Actor.of(request.user))
        return redirect("glass_log")
    return render(request, "people/glass.html", {"rows": rows.order_by("-id")[:200]})


@require_http_methods(["GET", "POST"])
def break_glass(request: HttpRequest, patient: Any) -> HttpResponse:
    """Say why a closed record must be opened."""
    from ranvier_web.clinic.models import Patient

    assert request.user.is_authenticated
    closed = get_object_or_404(Patient, pk=patient, site=request.user.site, closed=True)
    form = forms.Reason(request.POST or None)
    if request.method == "POST" and form.is_valid():
        actions.break_glass(request.user, closed, form.cleaned_data["reason"])
        return redirect("patient", patient=closed.pk)
    return render(request, "people/break_glass.html", {"form": form, "closed": closed})


# ---- what went wrong ------------------------------------------------------------------------------------------------


def _error(request: HttpRequest, status: int, name: str) -> HttpResponse:
    return render(request, "error.html", {"title": f"errors.{name}", "what": f"errors.{name}_do"}, status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400."""
    return _error(request, 400, "bad")


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403, and into the audit log."""
    if getattr(request, "user", None) is not None and request.user.is_authenticated:
        Actor.of(request.user).wrote("refused", None, path=request.path[:200])
    return _error(request, 403, "forbidden")


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404."""
    return _error(request, 404, "not_found")


def failed(request: HttpRequest) -> HttpResponse:
    """500: without the database, which may be what failed."""
    from django.template.loader import render_to_string

    return HttpResponse(render_to_string("failed.html"), status=500)


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form was too old, or came from somewhere else."""
    chain.write("form", "refused.csrf", path=request.path[:200])
    return _error(request, 403, "csrf")
