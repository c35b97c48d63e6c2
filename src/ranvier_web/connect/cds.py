"""The CDS Hooks service: discovery, calls, feedback. A thin door: what a call means is said by `exchange.cds`."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from ranvier.decision.ordering import judge_order
from ranvier.exchange import cds
from ranvier.exchange.fhir import wire
from ranvier.ground.notes import InputError
from ranvier_web.audit import chain
from ranvier_web.clinic.knowledge import knowledge
from ranvier_web.clinic.models import Patient, Task
from ranvier_web.clinic.pages import worklist
from ranvier_web.connect import fetching
from ranvier_web.connect.models import Caller, Card, Feedback
from ranvier_web.connect.people import Person, person
from ranvier_web.connect.tokens import Known, NotKnownError, caller
from ranvier_web.smart.dealing import launch_address
from ranvier_web.smart.models import Server as Launching
from ranvier_web.words.load import say

LARGEST = 4 * 1024 * 1024  # [bytes] of one call
View = Callable[..., HttpResponse]


def _door(*methods: str) -> Callable[[View], View]:
    """For other programs: their methods, the rules of browsers for other origins, and who calls."""

    def wrap(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def opened(request: HttpRequest, **names: Any) -> HttpResponse:
            if request.method == "OPTIONS":
                answer = HttpResponse(status=204)
            elif request.method not in methods:
                answer = _told(405, "This address takes " + " and ".join(methods) + ".")
            else:
                try:
                    answer = view(request, caller(request), **names)
                except NotKnownError as error:
                    answer = _told(401, str(error))
                    answer["WWW-Authenticate"] = "Bearer"
                except cds.CallError as error:
                    answer = _problems(error)
            return _cors(request, answer, methods)

        return opened

    return wrap


@_door("GET")
def services(request: HttpRequest, known: Known) -> HttpResponse:
    """Which services there are."""
    return JsonResponse(cds.discovery())


@_door("POST")
def called(request: HttpRequest, known: Known, service: str) -> HttpResponse:
    """One call of one service; its cards."""
    one = cds.service(service)
    if one is None:
        return _told(404, "There is no such service; GET /cds-services lists them.")
    call = cds.read_call(_json(request), one.hook)
    resources = cds.resources_of(call)
    missing = {key: query for key, query in one.prefetch.items() if call.prefetch.get(key) is None}
    if missing and call.server is not None and call.token is not None and known.caller is not None:
        for key, more in fetching.fetch(known.caller, call, missing).items():
            del missing[key]
            resources += more
    resources, strange = cds.about(resources, call.patient)
    who = person(known.site, call.server, call.patient, resources, strange)
    if who.patient is None and (not resources or (one.hook != "patient-view" and "conditions" in missing)):
        told = "Too little was sent about the person, and nobody with that id is known here. Send the prefetch"
        told += f": {', '.join(sorted(missing))}." if missing else "."
        return _told(412, told)
    made = _waiting(who, call) if one.hook == "patient-view" else _ordered(who, call)
    _shown(known, who.patient, one.id, call, made)
    return JsonResponse({"cards": made})


def _waiting(who: Person, call: cds.Hooked) -> list[dict[str, Any]]:
    """What waits for a person of ours: the lines of the work list that are due."""
    if who.patient is None:
        return []
    today = timezone.localdate()
    found = []
    for task in Task.objects.filter(patient=who.patient, since__lte=today).order_by("-weight")[:4]:
        line = worklist._line(task, today)
        summary = f"{line['what']}: {line['why']}"
        indicator = "warning" if line["urgent"] else "info"
        found.append(
            cds.card(
                f"waiting|{task.kind}",
                summary,
                indicator,
                [summary, line["when"]],
                call.instance,
                link=_link(who, call),
            )
        )
    return found


def _ordered(who: Person, call: cds.Hooked) -> list[dict[str, Any]]:
    """Cards on the draft orders of a person who has the disease; of nobody else."""
    if not who.concerned:
        return []
    if who.record is None:  # silence would look like "nothing speaks against it"
        summary = say("connect.unchecked")
        return [
            cds.card(
                "unchecked", summary, "warning", [say("connect.unchecked_do")], call.instance, link=_link(who, call)
            )
        ]
    at, known = timezone.localdate(), knowledge()
    return [
        card
        for draft in cds.drafts(call)
        for card in cds.order_cards(
            draft,
            judge_order(who.record, draft.order, draft.dose, known, at=at),
            call.instance,
            known,
            _link(who, call),
            who.left,
        )
    ]


@_door("POST")
def feedback(request: HttpRequest, known: Known, service: str) -> HttpResponse:
    """What became of cards; it stands in the log of decisions."""
    if cds.service(service) is None:
        return _told(404, "There is no such service; GET /cds-services lists them.")
    told = cds.read_feedback(_json(request))
    cards = {str(card.pk): card for card in Card.objects.filter(pk__in=[t.card for t in told], site=known.site)}
    strange = [t.card for t in told if t.card not in cards]
    if strange:
        return _told(404, f"No card of ours has the uuid {', '.join(strange[:5])}.")
    for one in told:
        try:
            with transaction.atomic():
                card = cards[one.card]
                row = Feedback.objects.create(
                    card=card,
                    outcome=one.outcome,
                    reason=one.reason or "",
                    comment=one.comment or "",
                    suggestions=list(one.suggestions),
                    told_at=one.at,
                )
                patient = card.patient_id or ""
                chain.write(
                    known.name, f"card.{one.outcome}", site=str(known.site), patient=patient, feedback=row.pk,
                    card=one.card, reason=one.reason or "",
                )  # fmt: skip
        except IntegrityError:
            continue  # told twice
    return HttpResponse(status=200)


@transaction.atomic
def _shown(known: Known, patient: Patient | None, service: str, call: cds.Hooked, made: list[dict[str, Any]]) -> None:
    """Which cards were shown to whom; an answer may follow."""
    for card in made:
        Card.objects.get_or_create(
            pk=card["uuid"],
            defaults={
                "site": known.site,
                "patient": patient,
                "service": service,
                "summary": card["summary"],
                "indicator": card["indicator"],
                "user": (call.user or "")[:120],
            },
        )
    if patient is not None:
        chain.write(
            known.name, "cards.shown", site=str(known.site), patient=patient.pk, service=service, n=len(made),
            user=(call.user or "")[:120],
        )  # fmt: skip


def _link(who: Person, call: cds.Hooked) -> dict[str, str] | None:
    """To the person's page; as a launch, without a second sign-in, where the caller's server may launch us."""
    if who.patient is None:
        return None
    base = (call.server or "").rstrip("/")
    if base and Launching.objects.filter(base=base, site=who.patient.site_id, active=True).exists():
        return {"label": say("connect.open"), "url": launch_address(), "type": "smart"}
    there = settings.ADDRESS.rstrip("/") + reverse("patient", kwargs={"patient": who.patient.pk})
    return {"label": say("connect.open"), "url": there, "type": "absolute"}


def _json(request: HttpRequest) -> Any:
    if int(request.headers.get("Content-Length") or 0) > LARGEST:
        raise cds.CallError(413, ())
    body = request.body
    if len(body) > LARGEST:
        raise cds.CallError(413, ())
    try:
        wire.loads(body, "the call")  # depth, size and doubled names are bounded there
        return json.loads(body)
    except InputError as error:
        raise cds.CallError(400, error.problems) from None


def _told(status: int, words: str) -> JsonResponse:
    issue = {"severity": "error", "code": "processing", "diagnostics": words}
    return JsonResponse({"resourceType": "OperationOutcome", "issue": [issue]}, status=status)


def _problems(error: cds.CallError) -> JsonResponse:
    issues = [
        {
            "severity": "error",
            "code": "invalid",
            "diagnostics": f"{p.place}: {p.what}. {p.remedy}",
            "expression": [p.place],
        }
        for p in error.problems
    ] or [{"severity": "error", "code": "too-long", "diagnostics": f"A call has at most {LARGEST} bytes."}]
    return JsonResponse({"resourceType": "OperationOutcome", "issue": issues}, status=error.status)


def _cors(request: HttpRequest, answer: HttpResponse, methods: tuple[str, ...]) -> HttpResponse:
    """Browsers of configured origins may call; in the demo, any."""
    origin = request.headers.get("Origin", "")
    answer["Vary"] = "Origin"
    if not origin or urlsplit(origin).scheme not in ("http", "https"):
        return answer
    allowed = settings.DEMO or any(origin in one.origins for one in Caller.objects.filter(active=True))
    if allowed:
        answer["Access-Control-Allow-Origin"] = origin
        answer["Access-Control-Allow-Methods"] = ", ".join((*methods, "OPTIONS"))
        answer["Access-Control-Allow-Headers"] = "Authorization, Content-Type, Accept"
        answer["Access-Control-Expose-Headers"] = "Origin, Location, Content-Type"
        answer["Access-Control-Max-Age"] = "600"
        answer["Cross-Origin-Resource-Policy"] = "cross-origin"
    return answer
