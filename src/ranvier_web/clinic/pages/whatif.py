"""What if: dose, interval, product and route on sliders; the forecast follows while one drags."""

from __future__ import annotations

import uuid
from itertools import pairwise
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from ranvier.decision.nouns import Option
from ranvier.decision.what_if import choices, what_if
from ranvier.report.answer import chosen, draws_of
from ranvier.report.words import Words
from ranvier_web.clinic import forms
from ranvier_web.clinic import models as m
from ranvier_web.clinic.assessing import Kept, kept
from ranvier_web.clinic.knowledge import knowledge
from ranvier_web.clinic.pages import drawing, presenter
from ranvier_web.clinic.pages.common import the_patient
from ranvier_web.words.load import language

MOST_COMPARED = 4


@require_safe
def page(request: HttpRequest, patient: Any) -> HttpResponse:
    """The whole page: sliders, picture, comparison."""
    seen, made, found = _found(request)
    if found is None or found.ready is None or made is None:
        return render(request, "clinic/what_if_none.html", {"patient": seen, "made": made})
    asked = _asked(request, found)
    context = _context(request, seen, made, found, asked)
    template = "clinic/what_if_panel.html" if request.headers.get("HX-Request") else "clinic/what_if.html"
    return render(request, template, context)


@require_safe
def drawn(request: HttpRequest, patient: Any) -> HttpResponse:
    """Picture and numbers only: what a drag redraws."""
    seen, made, found = _found(request)
    if found is None or found.ready is None or made is None:
        return redirect("what_if", patient=seen.pk)
    return render(request, "clinic/what_if_drawn.html", _drawn(request, seen, made, found, _asked(request, found)))


def _found(request: HttpRequest) -> tuple[m.Patient, m.Assessment | None, Kept | None]:
    seen = the_patient(request)
    made = m.Assessment.objects.filter(state_of__patient=seen).defer("answer").first()
    return seen, made, kept(made.pk) if made else None


def _asked(request: HttpRequest, found: Kept) -> dict[str, Any]:
    """What the sliders say; at the beginning what is proposed, else what is given now."""
    form = forms.Ask(request.GET)
    assert found.bench is not None
    if form.is_valid():
        return dict(form.cleaned_data)
    best = chosen(found.answered.treatment.proposal)
    if best is not None and best.regimen.grams > 0:
        r = best.regimen
        return {"product": r.product, "route": r.route, "grams": r.grams, "interval": r.interval_days}
    now = found.bench.current
    if now is not None:
        return {"product": now.product, "route": now.route, "grams": now.grams, "interval": round(now.interval_days)}
    first = next(p for p in sorted(knowledge().products.values(), key=lambda p: p.id) if "IV" in p.routes)
    per = choices(found.bench, knowledge(), first.id, "IV", 28).grams
    return {"product": first.id, "route": "IV", "grams": per[len(per) // 3], "interval": 28}


def _context(
    request: HttpRequest, seen: m.Patient, made: m.Assessment, found: Kept, asked: dict[str, Any]
) -> dict[str, Any]:
    assert found.bench is not None
    known = knowledge()
    products = sorted(known.products.values(), key=lambda p: p.name)
    product = known.products.get(asked["product"])
    if product is None or asked["route"] not in product.routes:
        fits = [p for p in products if asked["route"] in p.routes]
        product = fits[0] if fits else products[0]
        asked = {**asked, "product": product.id, "route": asked["route"] if fits else product.routes[0]}
    can = choices(found.bench, known, product.id, asked["route"], asked["interval"])
    step = round(min(b - a for a, b in pairwise(can.grams)), 2) if len(can.grams) > 1 else 1
    if asked["interval"] > max(can.intervals):
        asked = {**asked, "interval": max(can.intervals)}
    grams = min(can.grams, key=lambda g: abs(g - asked["grams"]))
    controls = {
        "products": products,
        "routes": forms.ROUTES,
        "grams": {"min": min(can.grams), "max": max(can.grams), "step": step},
        "interval": {"min": min(can.intervals), "max": max(can.intervals)},
        "key": uuid.uuid4(),
    }
    return controls | _drawn(request, seen, made, found, {**asked, "grams": grams})


def _drawn(
    request: HttpRequest, seen: m.Patient, made: m.Assessment, found: Kept, asked: dict[str, Any]
) -> dict[str, Any]:
    """The answer to what is asked, and to what was kept for comparison."""
    assert found.ready is not None
    posterior = found.answered.treatment.posterior
    assert posterior is not None
    w = Words(knowledge(), language(), found.answered)
    draws = draws_of(posterior)
    problem, one = "", None
    try:
        one = _answer(found, asked)
    except ValueError as error:
        problem = str(error)
    compared = []
    for text in request.GET.getlist("c")[:MOST_COMPARED]:
        other = _parsed(text)
        if other is not None:
            try:
                compared.append((text, _answer(found, other)))
            except ValueError:
                continue
    now = (
        next((o for o in found.answered.treatment.proposal.options if o.action == "no_change"), None)
        if found.answered.treatment.proposal
        else None
    )
    curves = [(presenter.short(o, w), o) for _, o in compared]
    return {
        "patient": seen,
        "made": made,
        "asked": asked,
        "asked_text": "|".join(str(asked[k]) for k in ("product", "route", "grams", "interval")),
        "problem": problem,
        "one": presenter.option(one, w, draws, now=now) if one else None,
        "compared": [(text, presenter.option(o, w, draws, now=now)) for text, o in compared],
        "full": len(compared) >= MOST_COMPARED,
        "pictures": drawing.what_if(found.answered, one, now, curves, w) if one else [],
        "measure": w.measure(posterior.measures[posterior.primary]),
    }


def _answer(found: Kept, asked: dict[str, Any]) -> Option:
    assert found.ready is not None
    return what_if(
        found.ready,
        product=asked["product"],
        route=asked["route"],
        grams=float(asked["grams"]),
        interval_days=int(asked["interval"]),
    )


def _parsed(text: str) -> dict[str, Any] | None:
    """One that was kept for comparison: product|route|grams|interval."""
    parts = text.split("|")
    if len(parts) != 4:
        return None
    form = forms.Ask(dict(zip(("product", "route", "grams", "interval"), parts, strict=True)))
    return dict(form.cleaned_data) if form.is_valid() else None
