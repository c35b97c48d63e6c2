"""Consent to research, the pseudonymised export with its check, and being forgotten."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ranvier_web.clinic import actions, pseudonymised
from ranvier_web.clinic.models import Fact, Kind
from ranvier_web.clinic.pages.common import actor, the_patient
from ranvier_web.clinic.record import in_force

SHORTEST = 10  # letters of a reason


@require_safe
def research(request: HttpRequest) -> HttpResponse:
    """What an export would hold, and what it would leave out and why."""
    assert request.user.is_authenticated
    made = pseudonymised.export(request.user.site)
    return render(request, "clinic/research.html", {"made": made})


@require_POST
def export(request: HttpRequest) -> HttpResponse:
    """The file, and a row in the audit log."""
    assert request.user.is_authenticated
    made = pseudonymised.export(request.user.site)
    actor(request).wrote("research.exported", None, people=len(made.people), left_out=made.left_out, k=made.k)
    return HttpResponse(
        made.text,
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="export-{timezone.localdate().isoformat()}.json"'},
    )


@require_POST
def consent(request: HttpRequest, patient: Any) -> HttpResponse:
    """The person said yes or no to research; the form of before is replaced."""
    seen = the_patient(request)
    given = request.POST.get("given")
    if given not in ("yes", "no"):
        return HttpResponse(status=422)
    there = in_force(seen).filter(kind=Kind.CONSENT).first()
    today = timezone.localdate()
    body = {"on": today.isoformat(), "research": given == "yes"}
    try:
        actions.add_fact(
            seen, Kind.CONSENT, today, body, actor(request), replaces=there.pk if there else None, checked=True
        )
    except actions.ConflictError as error:
        assert isinstance(error.theirs, Fact)  # noqa: PT017 - no test
    return redirect("patient", patient=seen.pk)


@require_http_methods(["GET", "POST"])
def erase(request: HttpRequest, patient: Any) -> HttpResponse:
    """Forget a person who asked for it; only where keeping is not a duty. Cannot be undone."""
    seen = the_patient(request)
    wrong = False
    if request.method == "POST":
        reason = request.POST.get("reason", "").strip()
        if request.POST.get("pseudonym", "") == seen.pseudonym and len(reason) >= SHORTEST:
            actions.erase(seen, actor(request), reason[:2000])
            return redirect("accounts")
        wrong = True
    return render(request, "clinic/erase.html", {"patient": seen, "wrong": wrong}, status=422 if wrong else 200)
