"""The page of one patient: the answer, the picture, the proposal; reasons and sources one step further."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_POST, require_safe

from ranvier_web.clinic import actions
from ranvier_web.clinic import models as m
from ranvier_web.clinic.assessing import kept
from ranvier_web.clinic.knowledge import knowledge
from ranvier_web.clinic.pages import presenter
from ranvier_web.clinic.pages.common import actor, the_patient
from ranvier_web.clinic.record import in_force

RECENT = 12


@require_safe
def page(request: HttpRequest, patient: Any) -> HttpResponse:
    """The answer first."""
    seen = the_patient(request)
    state = m.State.objects.select_related("assessment").get(patient=seen)
    made = state.assessment
    drawn = presenter.drawings(made) if made else {}
    context: dict[str, Any] = {
        "patient": seen,
        "state": state,
        "made": made,
        "fresh": state.since is None,
        "answer": presenter.answer(made) if made else None,
        "drawn": {key: mark_safe(svg) for key, svg in drawn.items()},
        "decision": _decision(made),
        "recent": presenter.facts(
            in_force(seen).exclude(kind=m.Kind.SERIES).select_related("by").order_by("-day", "-id")[:RECENT]
        ),
        "consents": _consents(seen),
        "key": uuid.uuid4(),
        "review_key": uuid.uuid4(),
    }
    actor(request).wrote("patient.seen", seen)
    return render(request, "clinic/patient.html", context)


def _consents(seen: m.Patient) -> bool:
    there = in_force(seen).filter(kind=m.Kind.CONSENT).first()
    return bool(there and there.body.get("research"))


def _decision(made: m.Assessment | None) -> m.Decision | None:
    if made is None:
        return None
    return made.decisions.filter(withdrawn_by=None, withdraws=None).select_related("by").first()


@require_safe
def status(request: HttpRequest, patient: Any) -> HttpResponse:
    """Whether the assessment is done; asked by the page while it is not."""
    seen = the_patient(request)
    state = m.State.objects.get(patient=seen)
    if state.since is None:
        return HttpResponse(status=200, headers={"HX-Refresh": "true"})
    waits = m.State.objects.filter(since__lt=state.since).count()
    took = timezone.now() - state.since
    return render(
        request, "clinic/status.html", {"patient": seen, "waits": waits, "seconds": int(took.total_seconds())}
    )


@require_safe
def reasons(request: HttpRequest, patient: Any) -> HttpResponse:
    """Why: the tree of reasons, what was assumed, which numbers were not verified, the sources."""
    seen = the_patient(request)
    state = m.State.objects.select_related("assessment").get(patient=seen)
    found = kept(state.assessment_id) if state.assessment_id else None
    told = presenter.reasons(found.answered, knowledge()) if found else None
    return render(request, "clinic/reasons.html", {"patient": seen, "state": state, "told": told})


@require_POST
def review(request: HttpRequest, patient: Any) -> HttpResponse:
    """Somebody looked at the whole."""
    seen = the_patient(request)
    key = request.POST.get("key", "")
    try:
        known = uuid.UUID(key)
    except ValueError:
        return HttpResponse(status=422)
    today = timezone.localdate()
    actions.add_fact(seen, m.Kind.REVIEW, today, {"on": today.isoformat()}, actor(request), key=known)
    return redirect("patient", patient=seen.pk)
