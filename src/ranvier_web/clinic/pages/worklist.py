"""The work list: who needs somebody today, and why. And the list of all patients."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.paginator import Paginator
from django.db import IntegrityError
from django.db.models import Count, Exists, OuterRef, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ranvier_web.clinic import actions, forms
from ranvier_web.clinic import models as m
from ranvier_web.clinic.knowledge import numbers
from ranvier_web.clinic.pages.common import actor, the_patient
from ranvier_web.words.load import say, words

SORTS = {"weight": ("-weight", "due"), "due": ("due", "-weight"), "patient": ("patient__pseudonym",)}
PAGE = 50
MOST = 500  # lines of the work list, where all are asked for
REST_AT_MOST = timedelta(days=366)


@require_safe
def worklist(request: HttpRequest) -> HttpResponse:
    """Not more than the day's work: the rest is counted, and one click away."""
    assert request.user.is_authenticated
    today = timezone.localdate()
    sort = request.GET.get("sort", "weight")
    resting = m.Aside.objects.filter(patient=OuterRef("patient"), kind=OuterRef("kind"), until__gt=today)
    due = visible(m.Task.objects.filter(site=request.user.site, since__lte=today), request.user, resting)
    kind = request.GET.get("kind", "")
    counts = dict.fromkeys(("trouble", "wearing_off", "decline", "infusion", "blood_test", "review", "diary"), 0)
    counts |= dict(due.order_by().values_list("kind").annotate(n=Count("pk")))
    shown = due.filter(kind=kind) if kind in counts else due
    most = MOST if request.GET.get("all") == "1" else int(numbers()["days_work"])
    rows = shown.select_related("patient", "patient__state").order_by(*SORTS.get(sort, SORTS["weight"]), "pk")
    lines = [_line(task, today) for task in rows[: min(most, MOST)]]
    context = {
        "lines": lines,
        "counts": [(name, n) for name, n in counts.items() if n],
        "all": sum(counts.values()),
        "rest": max(0, sum(n for name, n in counts.items() if kind in ("", name)) - len(lines)),
        "kind": kind if kind in counts else "",
        "sort": sort if sort in SORTS else "weight",
        "today": today,
        "patients": m.Patient.objects.filter(site=request.user.site, erased_at=None).count(),
    }
    return render(request, "clinic/worklist.html", context)


def visible(tasks: Any, user: Any, resting: Any) -> Any:
    """Without those that rest, and those of closed records that this person may not open."""
    from ranvier_web.people.models import Care

    team = Care.objects.filter(user=user, patient=OuterRef("patient"))
    return tasks.filter(~Exists(resting)).filter(Q(patient__closed=False) | Exists(team))


def _line(task: m.Task, today: Any) -> dict[str, Any]:
    facts = dict(task.facts)
    spoken = {k: words().date(_day(v)) if k in ("day", "last") and v else v for k, v in facts.items()}
    if "chance" in spoken:
        spoken["chance"] = words().chance(float(spoken["chance"]))
    if "last" in spoken and not spoken["last"]:
        spoken["last"] = say("worklist.never")
    late = (today - task.due).days if task.due else None
    return {
        "task": task,
        "patient": task.patient,
        "state": task.patient.state,
        "what": say(f"worklist.kind_{task.kind}"),
        "why": say(f"worklist.why_{task.kind}", **spoken),
        "when": _when(late),
        "late": late is not None and late > 0,
        "urgent": task.kind in ("trouble", "wearing_off", "decline"),
    }


def _when(late: int | None) -> str:
    """How far away the day is."""
    if late is None:
        return ""
    named = {0: "today", 1: "yesterday", -1: "tomorrow"}.get(late)
    if named:
        return say(f"worklist.{named}")
    return say("worklist.late" if late > 0 else "worklist.in_days", n=abs(late))


def _day(text: str) -> Any:
    from datetime import date

    return date.fromisoformat(text[:10])


@require_safe
def patients(request: HttpRequest) -> HttpResponse:
    """Everybody of this site, by pseudonym; a search as one types."""
    assert request.user.is_authenticated
    found = m.Patient.objects.filter(site=request.user.site, erased_at=None).select_related("state")
    wanted = request.GET.get("q", "").strip()[:60]
    if wanted:
        found = found.filter(pseudonym__icontains=wanted)
    page = Paginator(found.order_by("pseudonym"), PAGE).get_page(request.GET.get("page"))
    template = "clinic/patients_rows.html" if request.headers.get("HX-Request") else "clinic/patients.html"
    return render(request, template, {"page": page, "q": wanted})


@require_http_methods(["GET", "POST"])
def patient_new(request: HttpRequest) -> HttpResponse:
    """Somebody new."""
    assert request.user.is_authenticated
    form = forms.NewPatient(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.add_patient(site=request.user.site, by=actor(request), **form.cleaned_data)
        except IntegrityError:
            form.add_error("pseudonym", say("forms.pseudonym_taken"))
        else:
            return redirect("patient", patient=made.pk)
    return render(request, "clinic/patient_new.html", {"form": form})


@require_POST
def aside(request: HttpRequest, patient: Any) -> HttpResponse:
    """Dealt with: it rests until a day, with the reason."""
    assert request.user.is_authenticated
    seen = the_patient(request)
    form = forms.Aside(request.POST)
    if not form.is_valid():
        return HttpResponse(status=422)
    d = form.cleaned_data
    until = min(d["until"], timezone.localdate() + REST_AT_MOST)
    m.Aside.objects.create(patient=seen, kind=d["kind"], until=until, reason=d["reason"], by=request.user)
    actor(request).wrote("task.aside", seen, kind=d["kind"], until=until, reason=d["reason"])
    return redirect("worklist")
