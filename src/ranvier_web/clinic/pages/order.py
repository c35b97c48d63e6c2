"""Checking an order before it is written; and the evidence behind all that is said."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from ranvier.ground.notes import InputError
from ranvier.protection import Order, check_order
from ranvier_web.clinic.knowledge import knowledge
from ranvier_web.clinic.pages.common import actor, the_patient, tree
from ranvier_web.clinic.record import read_without_strength
from ranvier_web.words.load import words


class OrderForm(forms.Form):
    """What is about to be ordered."""

    drug = forms.CharField(max_length=120)
    route = forms.CharField(max_length=40, required=False)
    for_what = forms.CharField(max_length=200, required=False)


@require_safe
def order(request: HttpRequest, patient: Any) -> HttpResponse:
    """What speaks against this order for this person, why, and what instead."""
    seen = the_patient(request)
    asked = bool(request.GET.get("drug"))
    form = OrderForm(request.GET if asked else None)
    context: dict[str, Any] = {"patient": seen, "form": form}
    if asked and form.is_valid():
        d = form.cleaned_data
        try:
            record = read_without_strength(seen)
        except InputError as error:
            return render(request, "clinic/order.html", context | {"problems": error.problems}, status=422)
        w = words()
        wanted = Order(d["drug"], route=d["route"] or None, for_what=d["for_what"] or None)
        found = check_order(record, wanted, knowledge(), timezone.localdate())
        actor(request).wrote("order.checked", seen, drug=d["drug"], alerts=[a.id for a in found.alerts])
        context |= {
            "found": found,
            "alerts": [{"alert": a, "because": [tree(f, w) for f in a.because]} for a in found.alerts],
        }
    return render(request, "clinic/order.html", context)


@require_safe
def evidence(request: HttpRequest) -> HttpResponse:
    """Every source, and what stands on it."""
    sources = sorted(knowledge().sources.values(), key=lambda s: s.id)
    wanted = request.GET.get("q", "").strip().casefold()[:60]
    shown = [s for s in sources if wanted in f"{s.id} {s.citation}".casefold()]
    return render(request, "clinic/evidence.html", {"sources": shown, "q": wanted, "all": len(sources)})


@require_safe
def source(request: HttpRequest, source: str) -> HttpResponse:
    """One source: citation, and the claims for and against."""
    found = knowledge().sources.get(source)
    if found is None:
        raise Http404
    own = [c for c in knowledge().claims.values() if source in c.sources]
    return render(request, "clinic/source.html", {"source": found, "claims": own})
