"""Accept, change or refuse what was proposed; the log of that; and the sheet for the infusion."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import date
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ranvier.decision.what_if import what_if
from ranvier.ground.notes import InputError
from ranvier.report.answer import chosen, draws_of
from ranvier.report.words import Words
from ranvier_web.clinic import actions, deciding, forms
from ranvier_web.clinic import models as m
from ranvier_web.clinic.assessing import kept
from ranvier_web.clinic.knowledge import knowledge
from ranvier_web.clinic.pages import presenter
from ranvier_web.clinic.pages.common import actor, the_patient
from ranvier_web.connect.told import reactions
from ranvier_web.words.load import language, words


@require_http_methods(["GET", "POST"])
def decide(request: HttpRequest, patient: Any) -> HttpResponse:
    """What is done with the proposal of one assessment; asked for by the sliders, or taken as it was proposed."""
    seen = the_patient(request)
    if request.method == "GET":
        return _confirm(request, seen)
    form = forms.Decide(request.POST)
    if not form.is_valid():
        return render(request, "clinic/decide_again.html", {"patient": seen, "form": form}, status=422)
    d = form.cleaned_data
    asked = {k: d[k] for k in ("product", "route", "grams", "interval")} if d["grams"] and d["interval"] else None
    try:
        decision = deciding.conclude(
            seen, d["assessment"], d["verdict"], actor(request), key=d["key"], asked=asked, reason=d["reason"],
            code=d["code"], overrides=_overrides(request),
        )  # fmt: skip
    except m.Assessment.DoesNotExist:
        raise Http404 from None
    except deciding.StaleError:
        context = {"patient": seen, "changed": True, "form": form}
        return render(request, "clinic/decide_again.html", context, status=409)
    except InputError as error:
        context = {"patient": seen, "problems": error.problems}
        return render(request, "clinic/decide_again.html", context, status=422)
    except ValueError:
        return HttpResponse(status=422)
    except actions.ConflictError as error:
        return render(request, "clinic/decided.html", {"patient": seen, "theirs": error.theirs}, status=409)
    if decision.decided:
        return redirect("sheet", patient=seen.pk, decision=decision.pk)
    return redirect("patient", patient=seen.pk)


def _overrides(request: HttpRequest) -> dict[str, str]:
    """Limits that are knowingly exceeded, each with its coded reason."""
    start = "override-"
    return {k.removeprefix(start): str(v)[:40] for k, v in request.POST.items() if k.startswith(start) and v}


def _confirm(request: HttpRequest, seen: m.Patient) -> HttpResponse:
    """Once more what is decided, its outlook, and the reason where it is not what was proposed."""
    asked = forms.Ask(request.GET)
    state = m.State.objects.get(patient=seen)
    found = kept(state.assessment_id) if state.assessment_id else None
    if not asked.is_valid() or found is None or found.ready is None or found.answered.treatment.posterior is None:
        return redirect("what_if", patient=seen.pk)
    d = asked.cleaned_data
    try:
        one = what_if(
            found.ready, product=d["product"], route=d["route"], grams=d["grams"], interval_days=d["interval"]
        )
    except ValueError:
        return redirect("what_if", patient=seen.pk)
    best = chosen(found.answered.treatment.proposal)
    same = best is not None and best.id == one.id
    w = Words(knowledge(), language(), found.answered)
    draws = draws_of(found.answered.treatment.posterior)
    context = {
        "patient": seen,
        "asked": d,
        "made": state.assessment_id,
        "one": presenter.option(one, w, draws),
        "best": presenter.option(best, w, draws) if best else None,
        "same": same,
        "waits": state.since is not None,
        "key": uuid.uuid4(),
        "codes": deciding.codes(),
        "exceeded": [] if same else _named(deciding.limits_of(seen, found, one), w),
    }
    return render(request, "clinic/decide.html", context)


def _named(limits: Iterable[str], w: Words) -> list[tuple[str, str]]:
    """Limits by id, each with what it bounds, in words."""
    known = {limit.id: limit for limit in knowledge().limits}
    return [(name, w.word("limit", known[name].what)) for name in limits]


@require_safe
def log(request: HttpRequest, patient: Any) -> HttpResponse:
    """What was proposed and decided, by whom, why, the newest first."""
    seen = the_patient(request)
    rows = m.Decision.objects.filter(patient=seen).select_related("by", "assessment", "outcome")[:200]
    today = timezone.localdate()
    lines = [
        {
            "row": r,
            "proposed": spoken(r.proposed),
            "decided": spoken(r.decided),
            "judge_on": date.fromisoformat(r.entry["judge_on"]) if r.entry and r.entry.get("judge_on") else None,
            "may_judge": r.entry is not None and r.decided is not None and r.at.date() <= today,
        }
        for r in rows
    ]
    context = {"patient": seen, "lines": lines, "told": reactions(seen), "results": deciding.results()}
    return render(request, "clinic/decisions.html", context)


@require_POST
def judge(request: HttpRequest, patient: Any, decision: int) -> HttpResponse:
    """What came of a decision."""
    row = get_object_or_404(m.Decision, pk=decision, patient=the_patient(request))
    try:
        deciding.judge(row, request.POST.get("result", ""), request.POST.get("note", ""), actor(request))
    except ValueError:
        return HttpResponse(status=422)
    except actions.ConflictError:
        return HttpResponse(status=409)
    return redirect("decisions", patient=row.patient_id)


def spoken(regimen: dict[str, Any] | None) -> str:
    """A kept regimen in words."""
    if not regimen:
        return ""
    if regimen["grams"] <= 0:
        return words().texts["ui"]["no_treatment"]  # type: ignore[no-any-return]
    w = words()
    over = f" {w.text('ui', 'over_days', days=regimen['days'])}" if regimen["days"] > 1 else ""
    product = f"{w.product(regimen['product'])} {regimen['route']}"
    return f"{w.grams(regimen['grams'])}{over} {w.every(regimen['interval_days'])}, {product}"


@require_safe
def sheet(request: HttpRequest, patient: Any, decision: int) -> HttpResponse:
    """To the infusion sheet of what holds now; a sheet of a decision that was overtaken must not be given from."""
    row = get_object_or_404(m.Decision, pk=decision, patient=the_patient(request))
    if not row.decided:
        return redirect("decisions", patient=row.patient_id)
    return redirect("letter", patient=row.patient_id, kind="infusion")
