"""Operations: who there is, the work list, accounts, the audit log."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.paginator import Paginator
from django.db import IntegrityError, transaction
from django.db.models import OuterRef
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from ninja import Router, Status
from ninja.params.functions import Query

from ranvier_web.api import shapes
from ranvier_web.api.door import RefusedError, actor, enter
from ranvier_web.audit import chain
from ranvier_web.audit.models import Entry
from ranvier_web.clinic import actions
from ranvier_web.clinic import models as m
from ranvier_web.clinic.pages.worklist import REST_AT_MOST, visible
from ranvier_web.clinic.record import in_force
from ranvier_web.people import actions as accounts
from ranvier_web.people.models import BreakGlass, User
from ranvier_web.words.load import languages

router = Router(tags=["people"])
MOST = 200


def patient_out(one: m.Patient) -> shapes.PatientOut:
    """A person as they are told here."""
    s = one.state
    return shapes.PatientOut(
        id=one.pk, pseudonym=one.pseudonym, timezone=one.timezone, invented=one.invented, closed=one.closed,
        waiting=s.since is not None, headline=s.headline, regimen=s.regimen, last_infusion=s.last_infusion,
        next_infusion=s.next_infusion, last_diary=s.last_diary, wearing_off=s.wearing_off, decline=s.decline,
        assessment=s.assessment_id,
    )  # fmt: skip


@router.get("/patients", response=shapes.PatientsOut, url_name="patients", summary="Everybody of this site")
def patients(
    request: HttpRequest,
    q: str = Query("", max_length=60),
    limit: int = Query(50, ge=1, le=MOST),
    offset: int = Query(0, ge=0, le=10**9),
) -> Any:
    """By pseudonym. q : a part of the pseudonym."""
    enter(request, "patients", "patients.read")
    found = m.Patient.objects.filter(site=request.user.site, erased_at=None).select_related("state")  # type: ignore[union-attr]
    if q.strip():
        found = found.filter(pseudonym__icontains=q.strip())
    rows = list(found.order_by("pseudonym")[offset : offset + limit + 1])
    more = offset + limit if len(rows) > limit else None
    shown = [patient_out(one) for one in rows[:limit]]
    for one in shown:
        if one.closed:  # as in the list of the browser: who there is, not how they are
            one.headline, one.regimen, one.wearing_off, one.decline = "", "", None, None
            one.last_infusion, one.next_infusion, one.last_diary, one.assessment = None, None, None, None
    return shapes.PatientsOut(patients=shown, next=more)


@router.post("/patients", response={201: shapes.PatientOut}, summary="Somebody new")
def patient_new(request: HttpRequest, sent: shapes.NewPatient) -> Any:
    """A person with nothing known yet."""
    enter(request, "patient_new", "patients.write")
    try:
        made = actions.add_patient(
            sent.pseudonym, request.user.site, actor(request), name=sent.name, number=sent.number  # type: ignore[union-attr]
        )  # fmt: skip
    except IntegrityError:
        raise RefusedError(409, "this pseudonym is taken", "Choose another one.") from None
    return Status(201, patient_out(m.Patient.objects.select_related("state").get(pk=made.pk)))


@router.get("/patients/{uuid:patient}", response=shapes.PatientOut, url_name="patient", summary="One person")
def patient(request: HttpRequest, patient: uuid.UUID) -> Any:
    """Where this person stands."""
    seen = enter(request, "patient", "patients.read", patient)
    actor(request).wrote("patient.seen", seen)
    return patient_out(m.Patient.objects.select_related("state").get(pk=seen.pk))


@router.get("/work", url_name="work", response=dict[str, Any], summary="The work list")
def work(request: HttpRequest, limit: int = Query(50, ge=1, le=500)) -> Any:
    """Who needs somebody today, and why; the heaviest first."""
    enter(request, "worklist", "patients.read")
    today = timezone.localdate()
    resting = m.Aside.objects.filter(patient=OuterRef("patient"), kind=OuterRef("kind"), until__gt=today)
    due = visible(m.Task.objects.filter(site=request.user.site, since__lte=today), request.user, resting)  # type: ignore[union-attr]
    rows = due.select_related("patient").order_by("-weight", "due", "pk")
    lines = [
        {
            "patient": str(t.patient_id), "pseudonym": t.patient.pseudonym, "kind": t.kind, "since": t.since.isoformat(),
            "due": t.due and t.due.isoformat(), "weight": t.weight, "facts": t.facts,
        }
        for t in rows[:limit]
    ]  # fmt: skip
    return {"today": today.isoformat(), "all": due.count(), "lines": lines}


@router.post("/patients/{uuid:patient}/aside", url_name="aside", response={204: None}, summary="A line was dealt with")
def aside(request: HttpRequest, patient: uuid.UUID, sent: shapes.AsideIn) -> Any:
    """It rests until a day, with the reason."""
    seen = enter(request, "aside", "patients.write", patient)
    until = min(sent.until, timezone.localdate() + REST_AT_MOST)
    m.Aside.objects.create(patient=seen, kind=sent.kind, until=until, reason=sent.reason, by=request.user)  # type: ignore[misc]
    actor(request).wrote("task.aside", seen, kind=sent.kind, until=until, reason=sent.reason)
    return Status(204, None)


@router.post(
    "/patients/{uuid:patient}/consent", url_name="consent", response={204: None}, summary="Consent to research"
)
def consent(request: HttpRequest, patient: uuid.UUID, sent: shapes.Consent) -> Any:
    """Yes or no; what was said before is replaced, and stays to be seen."""
    seen = enter(request, "consent", "patients.write", patient)
    there = in_force(seen).filter(kind=m.Kind.CONSENT).first()
    today = timezone.localdate()
    body = {"on": today.isoformat(), "research": sent.given}
    actions.add_fact(
        seen, m.Kind.CONSENT, today, body, actor(request), replaces=there.pk if there else None, origin="api", checked=True
    )  # fmt: skip
    return Status(204, None)


@router.get("/audit", url_name="audit", response=dict[str, Any], summary="Who did what")
def audit(
    request: HttpRequest, limit: int = Query(50, ge=1, le=MOST), before: int = Query(2**62, ge=1, le=2**62)
) -> Any:
    """The newest first. before : id of the last row that was seen."""
    enter(request, "audit_log", "audit.read")
    rows = Entry.objects.filter(site__in=(str(request.user.site), ""), id__lt=before).order_by("-id")[:limit]  # type: ignore[union-attr]
    told = [
        {"id": r.id, "at": r.at, "who": r.who, "role": r.role, "action": r.action, "patient": r.patient, "details": r.details,
         "hash": r.hash}
        for r in rows
    ]  # fmt: skip
    return {"rows": told, "next": told[-1]["id"] if len(told) == limit else None}


@router.get("/audit/check", url_name="audit_check", response=dict[str, Any], summary="Does the chain hold?")
def audit_check(request: HttpRequest, ends_with: str = Query("", pattern="^[0-9a-f]{0,64}$")) -> Any:
    """From the first row to the last. ends_with : a hash that is known to have been written."""
    enter(request, "audit_log", "audit.read")
    n, last, broken = chain.verify(ends_with=ends_with)
    return {
        "rows": n,
        "hash": last,
        "holds": broken is None,
        "broken": broken and {"row": broken.id, "why": broken.why},
    }


@router.get("/accounts", url_name="accounts", response=dict[str, Any], summary="Who works here")
def accounts_known(request: HttpRequest, page: int = Query(1, ge=1, le=10**6)) -> Any:
    """By name."""
    enter(request, "accounts", "accounts.write")
    found = Paginator(User.objects.filter(site=request.user.site).order_by("username"), MOST).get_page(page)  # type: ignore[union-attr]
    rows = [
        {"id": u.pk, "username": u.username, "role": u.role, "on": u.is_active, "patient": u.patient_id} for u in found
    ]
    return {"accounts": rows, "pages": found.paginator.num_pages}


@router.post("/accounts", response={201: dict[str, Any]}, summary="Invite somebody")
def invite(request: HttpRequest, sent: shapes.Invite) -> Any:
    """A link with which the person chooses a password, once; it is not kept and not shown again."""
    own = sent.role == "patient"
    if own != (sent.patient is not None):
        raise RefusedError(
            422, "the role patient belongs to one patient, every other to none", "Send `patient`, or leave it out."
        )
    seen = enter(request, "patient_invite" if own else "account_new", "accounts.write", sent.patient)
    try:
        user, secret = accounts.invite(
            sent.username, sent.role, request.user.site, actor(request), patient=seen if own else None  # type: ignore[union-attr]
        )  # fmt: skip
    except IntegrityError:
        raise RefusedError(409, "this name is taken, or this person has an account", "Choose another name.") from None
    link = request.build_absolute_uri(reverse("invitation", args=secret.split("/")))
    return Status(201, {"id": user.pk, "username": user.username, "link": link})


@router.post(
    "/patients/{uuid:patient}/own-page", url_name="own_page", response=dict[str, Any], summary="A patient's own page"
)
def own_page(request: HttpRequest, patient: uuid.UUID, sent: shapes.OwnPage) -> Any:
    """The link is told once; whoever has it chooses a password with it."""
    seen = enter(request, "diary_access", "patients.write", patient)
    there = User.objects.filter(patient=seen).first()
    if (there is None) != (sent.do == "make"):
        what = "this person has no own page yet" if there is None else "this person has an own page already"
        raise RefusedError(409, what, "Send make for the first one; renew, close or open afterwards.")
    link = ""
    if there is None:
        if not sent.username or sent.language not in dict(languages()):
            raise RefusedError(422, "a name or the language is missing", f"Languages: {', '.join(dict(languages()))}.")
        try:
            with transaction.atomic():
                there, link = accounts.invite(
                    sent.username, "patient", seen.site, actor(request), patient=seen, language=sent.language
                )
        except IntegrityError:
            raise RefusedError(409, "this name is taken", "Choose another name.") from None
    elif sent.do == "renew":
        link = accounts.renew(there, actor(request))
    else:
        accounts.switch(there, sent.do == "open", actor(request))
    told = request.build_absolute_uri(reverse("invitation", args=link.split("/"))) if link else None
    return {"username": there.username, "on": there.is_active, "link": told}


@router.get("/glass", url_name="glass", response=dict[str, Any], summary="Closed records that were opened")
def glass(request: HttpRequest) -> Any:
    """With the reason, by whom, until when, and whether an administrator has seen it."""
    enter(request, "glass_log", "audit.read")
    rows = BreakGlass.objects.filter(patient__site=request.user.site).select_related("user", "patient", "seen_by")  # type: ignore[union-attr]
    told = [
        {"id": r.pk, "patient": r.patient.pseudonym, "by": r.user.username, "reason": r.reason, "until": r.until,
         "seen_by": r.seen_by and r.seen_by.username}
        for r in rows.order_by("-id")[:MOST]
    ]  # fmt: skip
    return {"rows": told}


@router.post(
    "/glass/{int:row}/seen", url_name="glass_seen", response={204: None}, summary="An administrator has seen it"
)
def glass_seen(request: HttpRequest, row: int) -> Any:
    """Kept with the name of the account."""
    enter(request, "glass_log", "accounts.write")
    found = BreakGlass.objects.filter(pk=row, patient__site=request.user.site).first() if row < 2**62 else None  # type: ignore[union-attr]
    if found is None:
        raise RefusedError(404, "there is no such row", "Ask GET /glass.")
    accounts.saw(found, actor(request))
    return Status(204, None)


@router.post(
    "/accounts/{int:account}/switch", url_name="account_switch", response={204: None}, summary="Let in or keep out"
)
def switch(request: HttpRequest, account: int, sent: shapes.Switch) -> Any:
    """Open sessions and keys of the account end at once."""
    enter(request, "account_switch", "accounts.write")
    user = User.objects.filter(pk=account, site=request.user.site).first() if account < 2**62 else None  # type: ignore[union-attr]
    if user is None:
        raise RefusedError(404, "there is no such account", "Ask GET /accounts.")
    if user.pk == request.user.pk:
        raise RefusedError(409, "nobody locks themselves out", "Another administrator can do this.")
    accounts.switch(user, sent.on, actor(request))
    return Status(204, None)


@router.post("/patients/{uuid:patient}/erase", url_name="erase", response={204: None}, summary="Forget a person")
def erase(request: HttpRequest, patient: uuid.UUID, sent: shapes.Forget) -> Any:
    """Facts, answers and account go; that it was done stays, without a name. Only where keeping is not a duty."""
    seen = enter(request, "erase", "accounts.write", patient)
    if sent.pseudonym != seen.pseudonym:
        raise RefusedError(422, "the pseudonym is not this person's", "Send the pseudonym of the person you mean.")
    actions.erase(seen, actor(request), sent.reason)
    return Status(204, None)
