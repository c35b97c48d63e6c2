"""Typing facts in, correcting them, taking them back; and the list of all facts with who changed what."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ranvier.ground.notes import InputError
from ranvier_web.clinic import actions
from ranvier_web.clinic.fact_forms import FORMS
from ranvier_web.clinic.forms import FactForm
from ranvier_web.clinic.models import ONE_EACH, Fact, Kind
from ranvier_web.clinic.pages import presenter
from ranvier_web.clinic.pages.common import actor, series_of, the_patient
from ranvier_web.clinic.record import Bare, check, in_force
from ranvier_web.words.load import say

PAGE = 60


@require_safe
def facts(request: HttpRequest, patient: Any) -> HttpResponse:
    """Every fact, also those that were corrected, with who and when."""
    seen = the_patient(request)
    rows = Fact.objects.filter(patient=seen).select_related("by", "replaces", "replaced_by", "replaced_by__by")
    kind = request.GET.get("kind", "")
    if kind in Kind.values:
        rows = rows.filter(kind=kind)
    page = Paginator(rows.order_by("-day", "-id"), PAGE).get_page(request.GET.get("page"))
    context = {
        "patient": seen,
        "page": page,
        "lines": presenter.facts(page.object_list),
        "kinds": [(k, say(f"facts.kind_{k}")) for k in Kind.values],
        "kind": kind,
        "correctable": list(FORMS),
    }
    return render(request, "clinic/facts.html", context)


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest, patient: Any, kind: str) -> HttpResponse:
    """One new fact. Of kinds of which one is in force, the form holds what is there."""
    seen = the_patient(request)
    if kind not in FORMS:
        raise Http404
    series = series_of(seen)
    there = in_force(seen).filter(kind=kind).first() if kind in ONE_EACH else None
    was = there.body if there is not None else None
    if request.method == "POST":
        return _take(request, FORMS[kind](request.POST, series=series, was=was), kind, there)
    today = {"day": timezone.localdate()} if "day" in FORMS[kind].base_fields else {}
    initial = today | _last_product(seen, kind)
    if there is not None:
        initial = {**FORMS[kind].of(there.body), "replaces": there.pk}
    return _form(request, FORMS[kind](initial=initial, series=series, was=was), kind, there)


def _last_product(patient: Any, kind: str) -> dict[str, Any]:
    """What was given last, so that only what differs must be typed."""
    if kind != Kind.INFUSION:
        return {}
    last = in_force(patient).filter(kind=kind).order_by("-day", "-id").first()
    if last is None:
        return {}
    keep = ("product", "grams", "route")
    return {k: v for k, v in FORMS[Kind.INFUSION].of(last.body).items() if k in keep}


@require_http_methods(["GET", "POST"])
def correct(request: HttpRequest, patient: Any, fact: int) -> HttpResponse:
    """A new fact in the place of one that was wrong; the old one stays to be seen."""
    seen = the_patient(request)
    old = get_object_or_404(Fact, pk=fact, patient=seen)
    if old.kind not in FORMS:
        raise Http404
    series = series_of(seen)
    if request.method == "POST":
        return _take(request, FORMS[old.kind](request.POST, series=series, was=old.body), old.kind, old)
    other = Fact.objects.filter(replaces=old).select_related("by").first()
    if other is not None:
        return _conflict(request, old, other)
    initial = {"day": old.day, **FORMS[old.kind].of(old.body), "replaces": old.pk}
    form = FORMS[old.kind](initial=initial, series=series, was=old.body)
    return _form(request, form, old.kind, old)


@require_POST
def withdraw(request: HttpRequest, patient: Any, fact: int) -> HttpResponse:
    """Take back a fact that never was."""
    seen = the_patient(request)
    old = get_object_or_404(Fact, pk=fact, patient=seen)
    why = request.POST.get("why", "").strip()[:400]
    if not why:
        return HttpResponse(status=422)
    try:
        actions.add_fact(seen, old.kind, old.day, old.body, actor(request), replaces=old.pk, withdrawn=True, why=why)
    except actions.ConflictError as error:
        return _conflict(request, old, error.theirs)
    return redirect("facts", patient=seen.pk)


def _take(request: HttpRequest, form: FactForm, kind: str, old: Fact | None) -> HttpResponse:
    """What was typed becomes facts, or the form comes back with all that is wrong."""
    seen = the_patient(request)
    if not form.is_valid():
        return _form(request, form, kind, old, status=422)
    key: uuid.UUID = form.cleaned_data["key"]
    replaces = form.cleaned_data.get("replaces")
    if replaces is not None and not Fact.objects.filter(pk=replaces, patient=seen, kind=kind).exists():
        return HttpResponse(status=422)
    found = form.whole()
    try:
        if not Fact.objects.filter(key=key, patient=seen).exists():  # before anybody has to wait for us
            check(seen, [Bare(what, body) for what, _, body in found], without=replaces)
        with transaction.atomic():
            for n, (what, day, body) in enumerate(found):
                own, of = (key, replaces) if n == 0 else (uuid.uuid5(key, str(n)), None)
                actions.add_fact(seen, what, day, body, actor(request), key=own, replaces=of, checked=True)
    except InputError as error:
        form.complain(error)
        return _form(request, form, kind, old, status=422)
    except actions.ConflictError as error:
        return _conflict(request, old or error.theirs, error.theirs, mine=form)
    return redirect("patient", patient=seen.pk)


def _form(request: HttpRequest, form: FactForm, kind: str, old: Fact | None, *, status: int = 200) -> HttpResponse:
    context = {"patient": the_patient(request), "form": form, "kind": kind, "old": old}
    return render(request, "clinic/entry.html", context, status=status)


def _conflict(request: HttpRequest, old: Fact, theirs: Fact, *, mine: FactForm | None = None) -> HttpResponse:
    """Somebody else was quicker: both are shown, and nothing was lost."""
    typed = [(n, d, presenter.says(n, b)) for n, d, b in mine.whole()] if mine is not None else []
    context = {
        "patient": the_patient(request),
        "old": presenter.facts([old])[0],
        "theirs": presenter.facts([theirs])[0],
        "mine": typed,
        "form": mine,
        "kind": theirs.kind,
    }
    return render(request, "clinic/conflict.html", context, status=409)
