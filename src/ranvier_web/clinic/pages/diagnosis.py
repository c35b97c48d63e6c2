"""Is it MMN, what else could it be, what next: the report's own page of it, inside ours."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from ranvier.decision.diagnose import diagnose
from ranvier.ground.notes import InputError
from ranvier.report import diagnosis_html
from ranvier_web.clinic.knowledge import knowledge
from ranvier_web.clinic.pages.common import the_patient
from ranvier_web.clinic.record import record_of
from ranvier_web.words.load import language
from ranvier_web.words.remedies import here

_WIDTH = re.compile(r'style="width:(\d+)%"')
_STYLES = re.compile(r' style="[^"]*"')
_SHEETS = re.compile(r"<style>.*?</style>", re.DOTALL)


@require_safe
def diagnosis(request: HttpRequest, patient: Any) -> HttpResponse:
    """Computed when it is asked for: it takes a few hundred milliseconds."""
    seen = the_patient(request)
    try:
        record, _, _ = record_of(seen)
        found = diagnose(record, knowledge(), at=timezone.localdate())
    except InputError as error:
        return render(request, "clinic/diagnosis.html", {"patient": seen, "problems": error.problems}, status=422)
    found = replace(found, problems=tuple(replace(p, remedy=here(p.remedy)) for p in found.problems))
    text = diagnosis_html.to_body(found, knowledge(), language=language())
    return render(request, "clinic/diagnosis.html", {"patient": seen, "body": styled(text)})


def styled(html: str) -> SafeString:
    """A page of the report without styles of its own: widths become classes, the rest comes from our style sheets."""
    html = _SHEETS.sub("", html)
    html = _WIDTH.sub(r'class="w\1"', html)
    return SafeString(_STYLES.sub("", html))
