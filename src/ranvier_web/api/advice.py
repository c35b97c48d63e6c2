"""Operations: what is advised and why, what was decided, checks, letters, the research export."""

from __future__ import annotations

import uuid
from typing import Any, Literal

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router, Status
from ninja.params.functions import Header, Query

from ranvier.decision import examine
from ranvier.decision.diagnose import diagnose
from ranvier.decision.starting import start
from ranvier.decision.what_if import choices, what_if
from ranvier.protection import Order, check_order
from ranvier.protection import plain as order_plain
from ranvier.protection.checks import checks
from ranvier.protection.events import events, plain_lot
from ranvier.report.as_json import option_json
from ranvier.report.diagnosis_json import to_json
from ranvier.report.plain import plain
from ranvier.report.words import Words
from ranvier_web.api import shapes
from ranvier_web.api.door import RefusedError, actor, enter
from ranvier_web.api.facts import own_key
from ranvier_web.clinic import actions, deciding, pseudonymised
from ranvier_web.clinic import models as m
from ranvier_web.clinic.assessing import kept
from ranvier_web.clinic.knowledge import knowledge
from ranvier_web.clinic.pages.lots import trace
from ranvier_web.clinic.record import record_of
from ranvier_web.letters import make as letters
from ranvier_web.words.load import languages

router = Router(tags=["advice"])
JSON = dict[str, Any]


@router.get("/patients/{uuid:patient}/assessment", url_name="assessment", response=JSON, summary="The latest answer")
def assessment(request: HttpRequest, patient: uuid.UUID) -> Any:
    """As `ranvier assess --json` writes it, with the id to decide on. waiting: facts came since, a new one is being made."""
    seen = enter(request, "reasons", "advice.read", patient)
    state = m.State.objects.select_related("assessment").get(patient=seen)
    made = state.assessment
    actor(request).wrote("patient.seen", seen, what="assessment")
    if made is None:
        what = "the facts do not make a record" if state.trouble else "nothing was assessed yet"
        raise RefusedError(404, what, "See `problems`, or ask again in a moment.", problems=state.trouble)
    answer = {k: v for k, v in made.answer.items() if k != "page"}
    return {"id": made.pk, "made_at": made.made_at, "waiting": state.since is not None, "answer": answer}


@router.post(
    "/patients/{uuid:patient}/what-if", url_name="what_if", response=JSON, summary="What would this regimen do?"
)
def what_if_(request: HttpRequest, patient: uuid.UUID, sent: shapes.Regimen) -> Any:
    """From the draws of the latest assessment; nothing is kept."""
    seen = enter(request, "what_if", "advice.read", patient)
    state = m.State.objects.get(patient=seen)
    found = kept(state.assessment_id) if state.assessment_id else None
    if found is None or found.ready is None or found.bench is None:
        raise RefusedError(409, "there is nothing to forecast from", "See GET …/assessment for what is missing.")
    if sent.product not in knowledge().products:
        raise RefusedError(
            422, f"there is no product '{sent.product}'", f"There are {', '.join(sorted(knowledge().products))}."
        )
    try:
        one = what_if(
            found.ready, product=sent.product, route=sent.route, grams=sent.grams, interval_days=sent.interval_days
        )
    except ValueError as error:
        raise RefusedError(422, str(error), "Ask for a regimen that this product and route allow.") from None
    can = choices(found.bench, knowledge(), sent.product, sent.route, sent.interval_days)
    return {
        "assessment": state.assessment_id,
        "waiting": state.since is not None,
        "option": option_json(one, Words(knowledge(), "en", found.answered)),
        "grams": list(can.grams),
        "intervals": list(can.intervals),
    }


def _decision(one: m.Decision) -> JSON:
    return {
        "id": one.pk, "assessment": one.assessment_id, "verdict": one.verdict, "proposed": one.proposed,
        "decided": one.decided, "outlook": one.outlook, "reason": one.reason, "code": one.code, "by": one.by.username,
        "at": one.at, "judge_on": (one.entry or {}).get("judge_on"),
        "outcome": one.outcome.result if hasattr(one, "outcome") else None,
    }  # fmt: skip


@router.get("/patients/{uuid:patient}/decisions", url_name="decisions", response=JSON, summary="What was decided")
def decisions(request: HttpRequest, patient: uuid.UUID, limit: int = Query(50, ge=1, le=200)) -> Any:
    """The newest first, with what was proposed, why it was changed or refused, and by whom."""
    seen = enter(request, "decisions", "advice.read", patient)
    rows = m.Decision.objects.filter(patient=seen).select_related("by", "outcome")[:limit]
    return {"decisions": [_decision(one) for one in rows]}


@router.post("/patients/{uuid:patient}/decisions", response={201: JSON}, summary="Accept, change or refuse")
def decide(
    request: HttpRequest, patient: uuid.UUID, sent: shapes.Decide, idempotency_key: str | None = Header(None, max_length=64)
) -> Any:  # fmt: skip
    """409: the facts changed since this assessment, or somebody decided meanwhile; look again."""
    seen = enter(request, "decide", "decisions.write", patient)
    if sent.verdict != "accepted" and not sent.reason.strip() and sent.code in ("", deciding.OTHER):
        raise RefusedError(422, "changing and refusing need a reason", "Send `reason`.")
    asked = None
    if sent.regimen is not None:
        r = sent.regimen
        asked = {"product": r.product, "route": r.route, "grams": r.grams, "interval": r.interval_days}
    try:
        made = deciding.conclude(
            seen, sent.assessment, sent.verdict, actor(request), key=own_key(idempotency_key), asked=asked,
            reason=sent.reason, code=sent.code, overrides=sent.overrides,
        )  # fmt: skip
    except m.Assessment.DoesNotExist:
        raise RefusedError(404, "this person has no such assessment", "Ask GET …/assessment.") from None
    except deciding.StaleError:
        raise RefusedError(
            409, "the facts changed since this assessment", "Ask GET …/assessment and decide anew."
        ) from None
    except ValueError as error:
        raise RefusedError(422, str(error), "Send a regimen that this product and route allow.") from None
    return Status(201, _decision(made))


@router.post(
    "/patients/{uuid:patient}/decisions/{int:decision}/outcome", response={204: None}, url_name="decision_outcome",
    summary="What came of it",
)  # fmt: skip
def outcome(request: HttpRequest, patient: uuid.UUID, decision: int, sent: shapes.Outcome) -> Any:
    """Once; 409 where it was judged already."""
    seen = enter(request, "decision_outcome", "decisions.write", patient)
    row = m.Decision.objects.filter(pk=decision, patient=seen).first() if decision < 2**62 else None
    if row is None or row.entry is None:
        raise RefusedError(404, "this person has no such decision", "Ask GET …/decisions for the ids.")
    deciding.judge(row, sent.result, sent.note, actor(request))
    return Status(204, None)


@router.get("/patients/{uuid:patient}/diagnosis", url_name="diagnosis", response=JSON, summary="Is it MMN, what else?")
def diagnosis(request: HttpRequest, patient: uuid.UUID) -> Any:
    """As `ranvier diagnose --json` writes it."""
    seen = enter(request, "diagnosis", "advice.read", patient)
    record, _, _ = record_of(seen)
    return to_json(diagnose(record, knowledge(), at=timezone.localdate()), knowledge())


@router.post("/patients/{uuid:patient}/examination", url_name="examination", response=JSON, summary="Which nerves?")
def examination(request: HttpRequest, patient: uuid.UUID, sent: shapes.Grades) -> Any:
    """The nerves that these grades point to, and what to test next; nothing is kept (POST …/facts keeps an examination)."""
    enter(request, "examination_seen", "advice.read", patient)
    return {"found": plain(examine.grade(sent.findings, sent.on).found)}


@router.post("/patients/{uuid:patient}/conduction", url_name="conduction", response=JSON, summary="Is there block?")
def conduction(request: HttpRequest, patient: uuid.UUID, sent: shapes.Study) -> Any:
    """Each segment under every rule; nothing is kept (POST …/facts keeps a study)."""
    enter(request, "conduction_judged", "advice.read", patient)
    study = {"on": sent.on.isoformat(), "nerves": sent.nerves}
    return examine.study_as_data(examine.judge_study(study, age=sent.age))


@router.post("/patients/{uuid:patient}/order", url_name="order", response=JSON, summary="Check an order")
def order(request: HttpRequest, patient: uuid.UUID, sent: shapes.Order) -> Any:
    """As `ranvier check-order --json` writes it."""
    seen = enter(request, "order", "advice.read", patient)
    record, _, _ = record_of(seen)
    found = check_order(
        record, Order(sent.drug, route=sent.route, for_what=sent.for_what), knowledge(), timezone.localdate()
    )
    actor(request).wrote("order.checked", seen, drug=sent.drug, alerts=[a.id for a in found.alerts])
    return order_plain.order_check(found, knowledge())


@router.get("/patients/{uuid:patient}/safety", url_name="safety", response=JSON, summary="Checks and adverse events")
def safety(request: HttpRequest, patient: uuid.UUID) -> Any:
    """What is open, due, at risk or clear; and what adverse events ask for."""
    seen = enter(request, "safety", "advice.read", patient)
    record, _, _ = record_of(seen)
    return {
        "checks": plain(checks(record, knowledge(), timezone.localdate())),
        "events": plain(events(record, knowledge())),
    }


@router.post("/patients/{uuid:patient}/safety", response={201: JSON}, summary="A check was done")
def safety_done(
    request: HttpRequest, patient: uuid.UUID, sent: shapes.Check, idempotency_key: str | None = Header(None, max_length=64)
) -> Any:  # fmt: skip
    """Recorded as of today."""
    seen = enter(request, "safety", "facts.write", patient)
    if sent.check not in knowledge().checks:
        raise RefusedError(
            422, f"there is no check '{sent.check}'", f"There are {', '.join(sorted(knowledge().checks))}."
        )
    today = timezone.localdate()
    body = {
        "check": sent.check,
        "on": today.isoformat(),
        "result": sent.result,
        **({"note": sent.note} if sent.note else {}),
    }
    made = actions.add_fact(
        seen, m.Kind.SAFETY, today, body, actor(request), key=own_key(idempotency_key), origin="api"
    )
    return Status(201, {"fact": made.pk})


@router.get(
    "/patients/{uuid:patient}/start", url_name="start", response=JSON, summary="Starting, and what to check before"
)
def starting(
    request: HttpRequest,
    patient: uuid.UUID,
    product: str = Query(max_length=60),
    policy: str = Query("ontario", max_length=40),
    days: int | None = Query(None, ge=1, le=5),
) -> Any:
    """As `ranvier start --json` writes it. policy : which weight doses stand on."""
    seen = enter(request, "start", "advice.read", patient)
    record, _, _ = record_of(seen)
    try:
        found = start(record, knowledge(), at=timezone.localdate(), product=product, policy=policy, days=days)
    except KeyError:
        raise RefusedError(
            422, f"there is no policy '{policy}'", f"There are {', '.join(knowledge().starting.policies)}."
        ) from None  # fmt: skip
    return {"format": "ranvier-start/1", **plain(found)}


@router.get("/lots/{lot}", url_name="lot", response=JSON, summary="Where has a lot been?")
def lot(request: HttpRequest, lot: str) -> Any:
    """Every infusion of a lot at this site, with what happened after it; closed records are counted, not shown."""
    enter(request, "lots", "facts.read")
    if not plain_lot(lot) or len(lot) > 60:
        raise RefusedError(422, "this is no lot", "A lot has letters or digits.")
    told = trace(request.user, lot)
    actor(request).wrote("lot.traced", None, lot=lot[:60], n=len(told["found"].uses))
    more = {"records": told["looked"], "unread": told["unread"], "closed": told["hidden"]}
    return {"format": "ranvier-lot/1", **plain(told["found"]), **more}


@router.get("/evidence", url_name="evidence", response=JSON, summary="Sources and claims")
def evidence(request: HttpRequest, q: str = Query("", max_length=60)) -> Any:
    """Every source whose id or citation holds `q`, and the claims that stand on it."""
    enter(request, "evidence", "advice.read")
    wanted = q.strip().casefold()
    shown = [s for s in knowledge().sources.values() if wanted in f"{s.id} {s.citation}".casefold()]
    ids = {s.id for s in shown}
    claims = [c for c in knowledge().claims.values() if ids & set(c.sources)]
    return {"sources": plain(sorted(shown, key=lambda s: s.id)), "claims": plain(claims)}


@router.get("/patients/{uuid:patient}/letters/{slug:kind}", url_name="letter", summary="A letter")
def letter(
    request: HttpRequest,
    patient: uuid.UUID,
    kind: str,
    language: str = Query("en", max_length=8),
    form: Literal["html", "pdf"] = "html",
    funder: str = Query("", max_length=40),
    which: str = Query("", max_length=40),
) -> HttpResponse:
    """clinic, infusion, patient or commissioning (with `funder` and `which`), as a piece of HTML or as PDF."""
    seen = enter(request, "letter", "letters.read", patient)
    if language not in dict(languages()):
        raise RefusedError(422, f"there is no language '{language}'", f"There are {', '.join(dict(languages()))}.")
    try:
        made = letters.make(kind, seen, language, writer=request.user.username, form=(funder, which))
    except KeyError:
        raise RefusedError(404, "there is no such letter", f"There are {', '.join(letters.KINDS)}.") from None
    actor(request).wrote("letter.made", seen, kind=kind, language=language, form=form)
    return letters.as_pdf(made, kind) if form == "pdf" else HttpResponse(made.body)


@router.get("/research", url_name="research", response=JSON, summary="The pseudonymised export")
def research(request: HttpRequest) -> Any:
    """Only people who agreed, dates shifted, nobody who can be told apart; who was left out is counted by reason."""
    enter(request, "research_export", "research.read")
    made = pseudonymised.export(request.user.site)  # type: ignore[union-attr]
    actor(request).wrote("research.exported", None, people=len(made.people), left_out=made.left_out, k=made.k)
    return {"people": list(made.people), "left_out": made.left_out, "k": made.k}
