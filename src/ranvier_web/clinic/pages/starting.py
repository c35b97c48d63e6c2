"""Before and at the start: checks, courses by weight, days and rates, for the doctor to read and the nurse to print."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from ranvier.decision.starting import start
from ranvier.ground.notes import InputError
from ranvier.report import start_html
from ranvier_web.clinic.knowledge import knowledge
from ranvier_web.clinic.pages.common import actor, the_patient
from ranvier_web.clinic.record import record_of
from ranvier_web.words.load import language, words

MOST_DAYS = 5


def _products() -> list[tuple[str, str]]:
    return sorted(((p.id, p.name) for p in knowledge().products.values()), key=lambda row: row[1])


class StartForm(forms.Form):
    """What is asked: product, which course, which weight doses stand on, over how many days."""

    product = forms.ChoiceField(choices=_products)
    course = forms.ChoiceField(choices=lambda: [(c, c) for c in knowledge().starting.courses])
    policy = forms.ChoiceField(choices=lambda: [(p, p) for p in knowledge().starting.policies])
    days = forms.TypedChoiceField(
        choices=[("", "–"), *((n, str(n)) for n in range(1, MOST_DAYS + 1))],
        coerce=int,
        required=False,
        empty_value=None,
    )


@require_safe
def page(request: HttpRequest, patient: Any) -> HttpResponse:
    """The courses for one product; printed, it is the nurse's sheet of the course that is asked for."""
    seen = the_patient(request)
    form = StartForm(request.GET if request.GET.get("product") else None)
    known = knowledge().starting
    context: dict[str, Any] = {
        "patient": seen,
        "form": form,
        "products": _products(),
        "courses": [(c.id, words().known(c.says)) for c in known.courses.values()],
        "policies": [(name, words().known(one.says)) for name, one in known.policies.items()],
        "days": range(1, MOST_DAYS + 1),
        "asked": form.cleaned_data
        if form.is_bound and form.is_valid()
        else {"product": "", "course": "", "policy": ""},
    }
    if not (form.is_bound and form.is_valid()):
        return render(request, "clinic/start.html", context, status=422 if form.is_bound else 200)
    d = form.cleaned_data
    try:
        record, _, _ = record_of(seen)
    except InputError as error:
        return render(request, "clinic/start.html", context | {"problems": error.problems}, status=422)
    found = start(
        record, knowledge(), at=timezone.localdate(), product=d["product"], policy=d["policy"], days=d["days"]
    )
    actor(request).wrote("start.asked", seen, product=d["product"], course=d["course"])
    context["it"] = start_html.context(found, knowledge(), language(), d["course"])
    context["t"] = words().texts["start"]
    return render(request, "clinic/start.html", context)
