"""Operations: facts, the record, imports, a patient's own diary."""

from __future__ import annotations

import base64
import binascii
import uuid
from datetime import timedelta
from typing import Any, Literal

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router, Status
from ninja.params.functions import Header, Query

from ranvier.ground.notes import InputError, Problem
from ranvier.report.plain import plain
from ranvier_web.api import shapes
from ranvier_web.api.door import RefusedError, actor, enter
from ranvier_web.clinic import actions, imports
from ranvier_web.clinic.models import Fact, Kind, Patient, State
from ranvier_web.clinic.record import RECORD_KINDS, assemble, day_of, in_force
from ranvier_web.diary import actions as diary
from ranvier_web.diary import needs
from ranvier_web.letters import make as letters
from ranvier_web.words.load import languages

router = Router(tags=["facts"])
MOST = 500
ORIGIN = "api"
Form = Literal["html", "pdf"]
KINDS = RECORD_KINDS
"""What may be sent as a fact. The own diary, consent and reviews have operations of their own."""


def fact_out(one: Fact) -> shapes.FactOut:
    """A fact as it is kept, with who and when."""
    return shapes.FactOut(
        id=one.pk, kind=one.kind, day=one.day, body=one.body, origin=one.origin, at=one.at,
        by=one.by.username if one.by else "", replaces=one.replaces_id,
        replaced_by=getattr(getattr(one, "replaced_by", None), "pk", None), withdrawn=one.withdrawn, why=one.why,
        batch=one.batch,
    )  # fmt: skip


def own_key(text: str | None) -> uuid.UUID:
    """The Idempotency-Key of a request; a new one where none was sent. Raises RefusedError."""
    if text is None:
        return uuid.uuid4()
    try:
        return uuid.UUID(text)
    except ValueError:
        raise RefusedError(422, "the Idempotency-Key is no UUID", "Send a fresh UUID with each new request.") from None


@router.get("/patients/{uuid:patient}/facts", response=shapes.FactsOut, url_name="facts", summary="Facts of a person")
def facts(
    request: HttpRequest,
    patient: uuid.UUID,
    kind: str = Query("", max_length=16),
    every: bool = Query(False, description="also facts that were corrected or taken back"),
    limit: int = Query(100, ge=1, le=MOST),
    before: int = Query(2**62, ge=1, le=2**62),
) -> Any:
    """The newest written first."""
    seen = enter(request, "facts", "facts.read", patient)
    rows = Fact.objects.filter(patient=seen) if every else in_force(seen)
    rows = rows.filter(pk__lt=before).select_related("by", "replaced_by")
    if kind:
        rows = rows.filter(kind=kind)
    shown = [fact_out(one) for one in rows.order_by("-pk")[:limit]]
    actor(request).wrote("patient.seen", seen, what="facts", n=len(shown))
    return shapes.FactsOut(facts=shown, next=shown[-1].id if len(shown) == limit else None)


@router.post("/patients/{uuid:patient}/facts", response={201: shapes.FactOut}, summary="A new fact, or a correction")
def fact_new(
    request: HttpRequest, patient: uuid.UUID, sent: shapes.NewFact, idempotency_key: str | None = Header(None, max_length=64)
) -> Any:  # fmt: skip
    """Checked with all that is known of this person; sent twice with one key it is kept once. 409: somebody was quicker."""
    old = sent.replaces
    seen = enter(request, "fact_new" if old is None else "fact_correct", "facts.write", patient)
    if sent.kind not in KINDS:
        raise RefusedError(422, f"there is no kind of fact '{sent.kind}'", f"There are {', '.join(KINDS)}.")
    if old is not None and not Fact.objects.filter(pk=old, patient=seen, kind=sent.kind).exists():
        raise RefusedError(422, f"this person has no fact {sent.replaces} of this kind", "Ask GET …/facts for the ids.")
    told = day_of(sent.body)
    if told and told != sent.day.isoformat():
        wrong = Problem("day", f"it is {sent.day}, and the fact itself says {told}", "Send the day of the fact.")
        raise InputError("two days", (wrong,))
    made = actions.add_fact(
        seen, sent.kind, sent.day, sent.body, actor(request), key=own_key(idempotency_key), origin=ORIGIN,
        replaces=sent.replaces,
    )  # fmt: skip
    return Status(201, fact_out(made))


@router.post(
    "/patients/{uuid:patient}/facts/{int:fact}/withdraw", response=shapes.FactOut, url_name="fact_withdraw",
    summary="A fact never was",
)  # fmt: skip
def withdraw(request: HttpRequest, patient: uuid.UUID, fact: int, sent: shapes.Withdrawal) -> Any:
    """It is taken back, with the reason; it stays to be seen."""
    seen = enter(request, "fact_withdraw", "facts.write", patient)
    old = Fact.objects.filter(pk=fact, patient=seen).first() if fact < 2**62 else None
    if old is None:
        raise RefusedError(404, "this person has no such fact", "Ask GET …/facts for the ids.")
    made = actions.add_fact(
        seen, old.kind, old.day, old.body, actor(request), replaces=old.pk, withdrawn=True, why=sent.why, origin=ORIGIN
    )  # fmt: skip
    return fact_out(made)


@router.get("/patients/{uuid:patient}/record", url_name="record", response=dict[str, Any], summary="The whole record")
def record(request: HttpRequest, patient: uuid.UUID) -> Any:
    """All facts in force in the layout of a record file, as `ranvier plan` reads it."""
    seen = enter(request, "facts", "facts.read", patient)
    rows = in_force(seen).filter(kind__in=RECORD_KINDS).order_by("day", "id").only("kind", "body")
    actor(request).wrote("patient.seen", seen, what="record")
    return assemble(seen, rows)


@router.post("/patients/{uuid:patient}/import", url_name="import", response=dict[str, Any], summary="Read files")
def import_(request: HttpRequest, patient: uuid.UUID, sent: shapes.Import) -> Any:
    """Tables and FHIR bundles: what was understood, which questions are open. With `write`, what is new is kept."""
    seen = enter(request, "import", "facts.write", patient)
    files = [_file(one) for one in sent.files]
    found = imports.understand(seen, files, sent.answers)
    ready = imports.is_ready(found)
    answer: dict[str, Any] = {
        "ready": ready,
        "added": dict(found.added),
        "already": dict(found.already),
        "questions": plain(found.questions),
        "problems": plain(found.problems),
        "tables": [{"name": s.name, "facts": len(s.facts), "columns": plain(s.columns)} for s in found.sheets],
    }
    if sent.write:
        if not ready:
            raise RefusedError(
                422, "nothing was kept", "Answer the questions and mend what must be mended, then send it again.", **answer
            )  # fmt: skip
        answer["batch"], answer["kept"] = imports.keep(seen, found, actor(request), origin=imports.origin_of(files))
    return answer


def _file(one: shapes.File) -> tuple[str, bytes]:
    if (one.text is None) == (one.base64 is None):
        raise RefusedError(422, f"{one.name}: send either text or base64", "One of the two holds the file.")
    try:
        data = str(one.text).encode() if one.text is not None else base64.b64decode(str(one.base64), validate=True)
    except (binascii.Error, ValueError):
        raise RefusedError(422, f"{one.name}: this is no base64, or no text", "Encode the bytes of the file.") from None
    if len(data) > imports.LARGEST:
        raise RefusedError(413, f"{one.name} is too large", f"At most {imports.LARGEST} bytes.")
    return one.name, data


@router.post(
    "/patients/{uuid:patient}/import/take-back",
    url_name="import_take_back",
    response=dict[str, Any],
    summary="Undo an import",
)
def take_back(request: HttpRequest, patient: uuid.UUID, sent: shapes.TakeBack) -> Any:
    """Everything of one import that nobody corrected since."""
    seen = enter(request, "import_take_back", "facts.write", patient)
    return {"taken_back": actions.take_back(seen, sent.batch, actor(request), sent.why)}


@router.post(
    "/patients/{uuid:patient}/review",
    url_name="review",
    response={201: shapes.FactOut},
    summary="Somebody looked at the whole",
)
def review(request: HttpRequest, patient: uuid.UUID, idempotency_key: str | None = Header(None, max_length=64)) -> Any:
    """The review of today."""
    seen = enter(request, "review", "patients.write", patient)
    today = timezone.localdate()
    made = actions.add_fact(
        seen, Kind.REVIEW, today, {"on": today.isoformat()}, actor(request), key=own_key(idempotency_key), origin=ORIGIN
    )  # fmt: skip
    return Status(201, fact_out(made))


@router.post(
    "/diary", url_name="diary", response={200: dict[str, Any], 422: dict[str, Any]}, summary="Entries of the own diary"
)
def own_diary(request: HttpRequest, sent: shapes.Entries) -> Any:
    """As the phone sends them after it was offline: each is answered by its key. 422: some were refused, the rest is kept."""
    enter(request, "diary_sync", "diary.write")
    most = int(needs.numbers()["entries_at_once"])
    if len(sent.entries) > most:
        raise RefusedError(413, f"more than {most} entries", "Send them in several requests.")
    became = diary.take(request.user.patient, sent.entries, actor(request))  # type: ignore[union-attr,arg-type]
    told = [
        {
            "key": one.key,
            "state": one.state,
            "why": one.word.removeprefix("diary.refused_"),
            "facts": plain(one.facts or {}),
        }
        for one in became
    ]
    return Status(422 if any(one.state == "refused" for one in became) else 200, {"entries": told})


@router.get("/my/curve", url_name="my_curve", response=dict[str, Any], summary="The own values")
def my_curve(request: HttpRequest) -> Any:
    """What a patient wrote down or the clinic measured, by session, with the infusions and the next one; no advice."""
    enter(request, "diary_curve", "diary.read")
    own: Patient = request.user.patient  # type: ignore[union-attr,assignment]
    since = timezone.localdate() - timedelta(days=needs.numbers()["shown_days"])
    rows = in_force(own).filter(day__gte=since).order_by("day", "id")
    state = State.objects.filter(patient=own).first()
    return {
        "sessions": list(rows.filter(kind=Kind.STRENGTH).values_list("body", flat=True)),
        "infusions": [day.isoformat() for day in rows.filter(kind=Kind.INFUSION).values_list("day", flat=True)],
        "next_infusion": state.next_infusion.isoformat() if state and state.next_infusion else None,
    }


@router.get("/my/letter", url_name="my_letter", summary="The own letter")
def my_letter(request: HttpRequest, language: str = Query("en", max_length=8), form: Form = "html") -> HttpResponse:
    """The letter that this person can read, from the latest assessment."""
    enter(request, "diary_letter", "diary.read")
    if language not in dict(languages()):
        raise RefusedError(422, f"there is no language '{language}'", f"There are {', '.join(dict(languages()))}.")
    made = letters.patient_letter(request.user.patient, language)  # type: ignore[union-attr,arg-type]
    return letters.as_pdf(made, "letter") if form == "pdf" else HttpResponse(made.body)
