"""Tables into facts: what was understood is shown first, questions are asked, and an import can be taken back whole."""

from __future__ import annotations

import base64
import json
import uuid
import zlib
from collections.abc import Sequence
from datetime import date
from typing import Any

from django.core import signing
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from ranvier.exchange.bundles import is_fhir
from ranvier.exchange.importing import Imported, import_files
from ranvier.ground.notes import must_mend
from ranvier.record import structure
from ranvier.record.text import parse
from ranvier_web.clinic import actions
from ranvier_web.clinic.models import ONE_EACH, Patient
from ranvier_web.clinic.pages.common import actor, the_patient
from ranvier_web.clinic.record import assemble, facts_of, in_force

LARGEST = 5 * 1024 * 1024  # [bytes] of all files of one import
FILES = 10
SALT = "import"
OLDEST = 3600  # [s] a preview may be
Files = list[tuple[str, bytes]]


@require_http_methods(["GET", "POST"])
def importing(request: HttpRequest, patient: Any) -> HttpResponse:
    """Choose files, answer questions, look, and only then write."""
    seen = the_patient(request)
    if request.method == "GET":
        return render(request, "clinic/import.html", {"patient": seen, "batches": _batches(seen)})
    if request.FILES:
        sent = request.FILES.getlist("files")[:FILES]
        if sum(f.size or 0 for f in sent) > LARGEST:
            return render(request, "clinic/import.html", {"patient": seen, "too_large": True}, status=413)
        files: Files = [(str(f.name)[:120], f.read()) for f in sent]
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
    files: Files,
    answers: dict[str, str],
    *,
    write: bool = False,
    beside: Sequence[str] = (),
) -> HttpResponse:
    """What files would add, with the questions to answer first; or, if that is settled and wanted, the facts.

    beside : sentences about where the files come from
    """
    existing = assemble(seen, in_force(seen).order_by("day", "id"))
    found = import_files(files, answers=answers, existing=existing, name=seen.pseudonym)
    ready = found.text is not None and not found.questions and not must_mend(found.problems)
    if ready and write:
        assert found.text is not None
        origin = "fhir" if any(is_fhir(data) for _, data in files) else "import"
        return _write(request, seen, existing, found.text, origin)
    context = {
        "patient": seen,
        "found": found,
        "rows": _rows(found),
        "sent": _closed(files),
        "answers": answers,
        "ready": ready and not found.nothing_new,
        "mend": must_mend(found.problems),
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


def _write(request: HttpRequest, seen: Patient, existing: dict[str, Any], text: str, origin: str) -> HttpResponse:
    """The facts of the merged record that are not there yet; of kinds of which one is in force, what was added to it."""
    document, _ = parse(text, seen.pseudonym, structure.text_keys())
    merged = facts_of(dict(structure.without_nothing(document.data)))
    known = {_same(kind, body) for kind, _, body in facts_of(json.loads(json.dumps(existing)))}
    there = {fact.kind: fact for fact in in_force(seen).filter(kind__in=ONE_EACH)}
    batch, new = uuid.uuid4(), []
    with transaction.atomic():
        for kind, day, body in merged:
            body = json.loads(json.dumps(body, default=str))
            if _same(kind, body) in known:
                continue
            if kind in there:
                actions.add_fact(
                    seen, kind, date.fromisoformat(day), body, actor(request),
                    origin=origin, replaces=there[kind].pk, checked=True, batch=batch,
                )  # fmt: skip
                continue
            if kind == "strength":
                body = _unknown_readings(body, existing)
                if not body["readings"]:
                    continue
            new.append((kind, day, body))
        actions.add_many(seen, new, actor(request), origin=origin, batch=batch)
    return redirect("patient", patient=seen.pk)


def _unknown_readings(body: dict[str, Any], existing: dict[str, Any]) -> dict[str, Any]:
    """Of a session, the values that are new."""
    there = set()
    for series in existing.get("strength", []):
        for row in series["values"]:
            there.add((series["id"], str(row["at"] if isinstance(row, dict) else row[0])))
    kept = {id: value for id, value in body["readings"].items() if (id, str(body["at"])) not in there}
    return {**body, "readings": kept}


def _same(kind: str, body: Any) -> str:
    return kind + json.dumps(body, sort_keys=True, default=str)


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


def _closed(files: Files) -> str:
    """The files, signed, so that nothing is kept on the server between preview and writing."""
    plain = json.dumps([[name, base64.b64encode(data).decode()] for name, data in files])
    return signing.dumps(base64.b64encode(zlib.compress(plain.encode())).decode(), salt=SALT)


def _opened(text: str) -> Files:
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
