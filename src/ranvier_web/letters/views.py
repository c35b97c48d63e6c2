"""Letters of a patient, and the leaflet: as a page or as PDF, in the language that is asked for."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from ranvier.decision.forms import editions
from ranvier.report.letter_words import say
from ranvier_web.clinic.models import State
from ranvier_web.clinic.pages.common import actor, the_patient
from ranvier_web.letters import make
from ranvier_web.words.load import languages


def _language(request: HttpRequest, default: str) -> str:
    wanted = request.GET.get("language", default)
    return wanted if wanted in dict(languages()) else default


def _own_language(request: HttpRequest) -> str:
    return str(getattr(request.user, "language", "en"))


@require_safe
def choose(request: HttpRequest, patient: Any) -> HttpResponse:
    """Which letter, in which language."""
    seen = the_patient(request)
    state = State.objects.filter(patient=seen).first()
    theirs = getattr(getattr(seen, "account", None), "language", None)
    rows = [
        {"kind": kind, "name": say(code, f"kinds.{kind}"), "language": language, "code": code}
        for kind in make.KINDS
        if kind != "commissioning"
        for code, language in languages()
    ]
    code = _own_language(request)
    forms = [
        {
            "funder": one.id,
            "title": one.title,
            "which": [(name, say(code, f"commissioning.{name}")) for name in one.forms],
        }
        for one in editions().values()
    ]
    context = {
        "patient": seen,
        "waits": bool(state and state.since),
        "none": state is None or state.assessment_id is None,
        "rows": rows,
        "forms": forms,
        "code": code,
        "theirs": theirs,
        "all": languages(),
    }
    return render(request, "letters/choose.html", context)


@require_safe
def letter(request: HttpRequest, patient: Any, kind: str) -> HttpResponse:
    """One letter; `?form=pdf` gives the file."""
    seen = the_patient(request)
    language = _language(request, _own_language(request))
    form = (request.GET.get("funder", ""), request.GET.get("which", ""))
    try:
        made = make.make(kind, seen, language, writer=str(request.user), form=form)
    except KeyError:
        raise Http404 from None
    pdf = request.GET.get("form") == "pdf"
    actor(request).wrote("letter.made", seen, kind=kind, language=language, form="pdf" if pdf else "page")
    if pdf:
        return make.as_pdf(made, kind)
    query = request.GET.copy()
    query["form"], query["language"] = "pdf", language
    context = {"patient": seen, "letter": made, "kind": kind, "pdf": query.urlencode()}
    return render(request, "letters/letter.html", context)


@require_safe
def leaflet(request: HttpRequest) -> HttpResponse:
    """What MMN is, for patients and families."""
    code = _language(request, _own_language(request))
    context = {"letter": make.the_leaflet(code), "code": code, "all": languages(), "tab": "leaflet"}
    return render(request, "letters/leaflet.html", context)


@require_safe
def leaflet_pdf(request: HttpRequest) -> HttpResponse:
    """The leaflet to print."""
    answer = HttpResponse(
        make.the_leaflet_pdf(_language(request, _own_language(request))), content_type="application/pdf"
    )
    answer.headers["Content-Disposition"] = 'inline; filename="mmn.pdf"'
    return answer
