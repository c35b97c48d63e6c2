"""Tables into facts: what was understood is shown first, questions are asked, and an import can be taken back whole."""

from __future__ import annotations

import base64
import json
import uuid
import zlib
from collections.abc import Sequence
from typing import Any

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from ranvier.exchange.importing import Imported
from ranvier.ground.notes import must_mend
from ranvier_web.clinic import actions, imports
from ranvier_web.clinic.models import Patient
from ranvier_web.clinic.pages import presenter
from ranvier_web.clinic.pages.common import actor, the_patient
from ranvier_web.clinic.record import in_force
from ranvier_web.words import remedies
from ranvier_web.words.load import say

SALT = "import"
OLDEST = 3600  # [s] a preview may be
SHOWN = 200  # facts of a preview
ALWAYS = "1900-01-01"  # the day of a fact that has none


@require_http_methods(["GET", "POST"])
def importing(request: HttpRequest, patient: Any) -> HttpResponse:
    """Choose files, answer questions, look, and only then write."""
    seen = the_patient(request)
    if request.method == "GET":
        return render(request, "clinic/import.html", {"patient": seen, "batches": _batches(seen)})
    if request.FILES:
        sent = request.FILES.getlist("files")[: imports.FILES]
        if sum(f.size or 0 for f in sent) > imports.LARGEST:
            return render(request, "clinic/import.html", {"patient": seen, "too_large": True}, status=413)
        files: imports.Files = [(str(f.name)[:120], f.read()) for f in sent]
    else:
        try:
            files = _opened(request.POST.get("sent", ""))
        except signing.BadSignature:
            return render(request, "clinic/import.html", {"patient": seen, "too_old": True}, status=422)
    answers = {k.removeprefix("a:"): str(v) for k, v in request.POST.items() if k.startswith("a:") and str(v).strip()}
    return preview(request, seen, files, answers, write=request.POST.get("write") == "1")


def preview(
    request: HttpRequest,
    seen: Patient,
    files: imports.Files,
    answers: dict[str, str],
    *,
    write: bool = False,
    beside: Sequence[str] = (),
) -> HttpResponse:
    """What files would add, with the questions to answer first; or, if that is settled and wanted, the facts.

    beside : sentences about where the files come from
    """
    found = imports.understand(seen, files, answers)
    ready = imports.is_ready(found)
    if ready and write:
        imports.keep(seen, found, actor(request), origin=imports.origin_of(files))
        return redirect("patient", patient=seen.pk)
    new = imports.fresh(seen, found) if ready else []
    shown = [
        {"kind": say(f"facts.kind_{kind}"), "day": "" if day == ALWAYS else day, "says": presenter.says(kind, body)}
        for kind, day, body in new[:SHOWN]
    ]
    told = _asked_by_remedies(found, answers)
    context = {
        "patient": seen,
        "found": found,
        "new": shown,
        "more": len(new) - len(shown),
        "rows": _rows(found),
        "sent": _closed(files),
        "answers": {key: text for key, text in answers.items() if key not in {k for k, _, _ in told}},
        "ready": ready and not found.nothing_new,
        "mend": must_mend(found.problems),
        "told": told,
        "added": sorted(found.added.items()),
        "already": sum(found.already.values()),
        "beside": beside,
    }
    return render(request, "clinic/import_preview.html", context, status=200 if ready else 422)


@require_POST
def take_back(request: HttpRequest, patient: Any) -> HttpResponse:
    """Take back everything of one import."""
    seen = the_patient(request)
    try:
        batch = uuid.UUID(request.POST.get("batch", ""))
    except ValueError:
        return HttpResponse(status=422)
    why = request.POST.get("why", "").strip()[:400] or "import taken back"
    actions.take_back(seen, batch, actor(request), why)
    return redirect("import", patient=seen.pk)


def _asked_by_remedies(found: Imported, answers: dict[str, str]) -> list[tuple[str, str, str]]:
    """What a remedy asks to be said, beyond the questions: key, example, and what was said."""
    asked = {q.key for q in found.questions}
    keys = {key: text for p in found.problems for key, text in remedies.answers(p.remedy) if key not in asked}
    return [(key, example, answers.get(key, "")) for key, example in keys.items()]


def _rows(found: Imported) -> list[dict[str, Any]]:
    """Per table: what its columns were taken for, how many rows became facts, and what became of the others."""
    return [
        {
            "name": sheet.name,
            "facts": len(sheet.facts),
            "columns": sheet.columns,
            "left": [f for f in sheet.fates.values() if f.end not in ("used", "note", "blank", "heading")][:30],
        }
        for sheet in found.sheets
    ]


def _closed(files: imports.Files) -> str:
    """The files, signed, so that nothing is kept on the server between preview and writing."""
    plain = json.dumps([[name, base64.b64encode(data).decode()] for name, data in files])
    return signing.dumps(base64.b64encode(zlib.compress(plain.encode())).decode(), salt=SALT)


def _opened(text: str) -> imports.Files:
    packed = signing.loads(text, salt=SALT, max_age=OLDEST)
    plain = json.loads(zlib.decompress(base64.b64decode(packed)))
    return [(str(name), base64.b64decode(data)) for name, data in plain]


def _batches(seen: Patient) -> list[dict[str, Any]]:
    """Imports of this patient that can be taken back, the newest first."""
    found: dict[uuid.UUID, dict[str, Any]] = {}
    rows = in_force(seen).exclude(batch=None).order_by("-id").select_related("by")
    for fact in rows.only("batch", "at", "by")[:20000]:
        assert fact.batch is not None
        one = found.setdefault(fact.batch, {"batch": fact.batch, "n": 0, "at": fact.at, "by": fact.by})
        one["n"] += 1
    return list(found.values())[:20]
