"""Checks before and during treatment, and what followed adverse events; each check is recorded here with one click."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from ranvier.ground.notes import InputError
from ranvier.protection.checks import checks
from ranvier.protection.events import events
from ranvier_web.clinic import actions
from ranvier_web.clinic.knowledge import knowledge
from ranvier_web.clinic.models import Kind
from ranvier_web.clinic.pages.common import actor, the_patient
from ranvier_web.clinic.record import read_without_strength

RESULTS = ("clear", "risk", "pending")
WAITS = ("open", "due", "pending", "risk")


@require_http_methods(["GET", "POST"])
def safety(request: HttpRequest, patient: Any) -> HttpResponse:
    """What is open first; what was never looked at is not known, which is not the same as clear."""
    seen = the_patient(request)
    today = timezone.localdate()
    if request.method == "POST":
        return _recorded(request, today)
    try:
        record = read_without_strength(seen)
    except InputError as error:
        return render(request, "clinic/safety.html", {"patient": seen, "problems": error.problems}, status=422)
    found = checks(record, knowledge(), today)
    context = {
        "patient": seen,
        "open": [(c, uuid.uuid4()) for c in found if c.state in WAITS],
        "clear": [(c, uuid.uuid4()) for c in found if c.state not in WAITS],
        "events": events(record, knowledge()),
        "results": RESULTS,
    }
    return render(request, "clinic/safety.html", context)


def _recorded(request: HttpRequest, today: Any) -> HttpResponse:
    """One check of today."""
    seen = the_patient(request)
    check, result = request.POST.get("check", ""), request.POST.get("result", "")
    try:
        key = uuid.UUID(request.POST.get("key", ""))
    except ValueError:
        return HttpResponse(status=422)
    if check not in knowledge().checks or result not in RESULTS:
        return HttpResponse(status=422)
    body = {"check": check, "on": today.isoformat(), "result": result}
    note = request.POST.get("note", "").strip()[:400]
    if note:
        body["note"] = note
    try:
        actions.add_fact(seen, Kind.SAFETY, today, body, actor(request), key=key)
    except InputError:
        return HttpResponse(status=422)
    return redirect("safety", patient=seen.pk)
