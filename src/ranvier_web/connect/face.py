"""A read-only FHIR R4 face of the people of one site: CapabilityStatement, read, and search with paging.

Resources are written by `exchange.fhir` without free words. A Patient has our id; every other resource has an id that says
whose it is, so that it can be read alone.
"""

from __future__ import annotations

import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import wraps
from importlib.metadata import version
from threading import Lock
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from ranvier.exchange.fhir import wire, write
from ranvier.exchange.fhir.build import WITH_SUBJECT
from ranvier_web.audit import chain
from ranvier_web.clinic.assessing import kept
from ranvier_web.clinic.knowledge import knowledge
from ranvier_web.clinic.models import Fact, Patient, State
from ranvier_web.clinic.record import RECORD_KINDS, assemble, in_force
from ranvier_web.connect import tickets
from ranvier_web.people.models import Site

KINDS = ("Patient", *sorted(WITH_SUBJECT), "Device", "Provenance")
PARAMETERS = ("patient", "subject", "_id", "code", "category", "status", "date", "identifier", "_count", "_offset")
MOST, USUAL = 200, 50
KEPT = 16  # people whose resources stay in memory
_kept: OrderedDict[tuple[uuid.UUID, int, int], list[dict[str, Any]]] = OrderedDict()
_lock = Lock()
Json = dict[str, Any]


class RefusedError(Exception):
    """An answer that is no resource: status, FHIR issue type, words."""

    def __init__(self, status: int, code: str, words: str) -> None:
        super().__init__(words)
        self.status, self.code = status, code


def _answered(view: Callable[..., Json]) -> Callable[..., HttpResponse]:
    @csrf_exempt
    @wraps(view)
    def opened(request: HttpRequest, **names: Any) -> HttpResponse:
        try:
            return _reply(view(request, **names))
        except RefusedError as error:
            issue = {"severity": "error", "code": error.code, "diagnostics": str(error)}
            answer = _reply({"resourceType": "OperationOutcome", "issue": [issue]}, error.status)
            if error.status == 401:
                answer["WWW-Authenticate"] = "Bearer"
            return answer

    return opened


def _reply(body: Json, status: int = 200) -> HttpResponse:
    return HttpResponse(wire.dumps(body, indent=None), status=status, content_type="application/fhir+json")


@_answered
def metadata(request: HttpRequest) -> Json:
    """What this face can do; open to everybody, it says nothing of anybody."""
    _only(request, "GET")
    searched = [{"name": name, "type": _type(name)} for name in PARAMETERS if name not in ("_count", "_offset")]
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-11-30",
        "kind": "instance",
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "software": {"name": "ranvier", "version": version("ranvier")},
        "implementation": {"description": "Read-only face of one site", "url": _base(request)},
        "rest": [
            {
                "mode": "server",
                "security": {"cors": False, "description": "Authorization: Bearer with a ticket of the site"},
                "resource": [
                    {
                        "type": kind,
                        "interaction": [{"code": "read"}, {"code": "search-type"}],
                        "searchParam": searched,
                    }
                    for kind in KINDS
                ],
            }
        ],
    }


def _type(name: str) -> str:
    return {"patient": "reference", "subject": "reference", "date": "date"}.get(name, "token")


@_answered
def read(request: HttpRequest, kind: str, name: str) -> Json:
    """One resource."""
    _only(request, "GET")
    site, who = _reader(request, kind, "r")
    patient = _by_id(site, name)
    found = next((r for r in _resources(patient) if r["resourceType"] == kind and r["id"] == name), None)
    if found is None:
        raise RefusedError(404, "not-found", f"There is no {kind}/{name[:64]}.")
    _noted(who, site, patient, kind, 1)
    return found


@_answered
def search(request: HttpRequest, kind: str) -> Json:
    """A search, by GET or by POST to `_search`; always of one person, but for Patient."""
    given = {k: v for k, v in request.GET.items() if isinstance(v, str)}
    if request.method == "POST":
        given |= {k: v for k, v in request.POST.items() if isinstance(v, str)}
    else:
        _only(request, "GET")
    site, who = _reader(request, kind, "s")
    unknown = sorted(set(given) - set(PARAMETERS))
    if unknown:
        known = ", ".join(PARAMETERS)
        raise RefusedError(400, "not-supported", f"Not searched by: {', '.join(unknown)[:200]}. Known are: {known}.")
    count, offset = _number(given, "_count", USUAL, MOST), _number(given, "_offset", 0, 10**9)
    people = _people(site, kind, given)
    found = [r for one in people for r in _resources(one) if r["resourceType"] == kind and _fits(r, given)]
    for one in people:
        _noted(who, site, one, kind, sum(r["resourceType"] == kind for r in found))
    shown = found[offset : offset + count]
    link = [{"relation": "self", "url": _url(request, kind, given)}]
    if offset + count < len(found) and count:
        link.append({"relation": "next", "url": _url(request, kind, {**given, "_offset": str(offset + count)})})
    body: Json = {"resourceType": "Bundle", "type": "searchset", "total": len(found), "link": link}
    if shown:
        body["entry"] = [
            {"fullUrl": f"{_base(request)}/{kind}/{r['id']}", "resource": r, "search": {"mode": "match"}} for r in shown
        ]
    return body


def _only(request: HttpRequest, method: str) -> None:
    if request.method != method:
        raise RefusedError(405, "not-supported", "This face can be read only.")


def _reader(request: HttpRequest, kind: str, verb: str) -> tuple[Site, str]:
    """The site that is read, and who reads, for the audit log."""
    if kind not in KINDS:
        raise RefusedError(404, "not-supported", f"There is no resource type {kind[:40]} here.")
    ticket = tickets.of(request.headers.get("Authorization", ""))
    if ticket is None:
        site = Site.objects.order_by("id").first()
        if settings.DEMO and site is not None and not request.headers.get("Authorization"):
            return site, "FHIR reader of the demo"
        raise RefusedError(401, "login", "Send Authorization: Bearer with a ticket: ranvier ticket add.")
    if not tickets.opens(ticket, kind, verb):
        raise RefusedError(403, "forbidden", f"This ticket does not open {kind}.")
    return ticket.site, f"ticket {ticket.name}"


def _noted(who: str, site: Site, patient: Patient, kind: str, n: int) -> None:
    chain.write(who, "fhir.read", site=str(site), patient=patient.pk, kind=kind, n=n)


def _by_id(site: Site, name: str) -> Patient:
    """Whose resource an id names."""
    try:
        key = uuid.UUID(name if len(name) == 36 else name[:32])
    except ValueError:
        raise RefusedError(404, "not-found", "There is no such resource.") from None
    found: Patient | None = _open(site).filter(pk=key).first()
    if found is None:
        raise RefusedError(404, "not-found", "There is no such resource.")
    return found


def _open(site: Site) -> Any:
    """People whose record is not closed: a program has no reason to give for breaking the glass."""
    return Patient.objects.filter(site=site, erased_at=None, closed=False)


def _people(site: Site, kind: str, given: Mapping[str, str]) -> list[Patient]:
    told = given.get("patient") or given.get("subject") or (given.get("_id") if kind == "Patient" else None)
    if told is not None:
        try:
            return [_by_id(site, told.removeprefix("Patient/"))]
        except RefusedError:
            return []
    if kind == "Patient" and "identifier" in given:
        return list(_open(site).filter(pseudonym=given["identifier"].rpartition("|")[2])[:1])
    if "_id" in given:
        try:
            return [_by_id(site, given["_id"])]
        except RefusedError:
            return []
    what = "identifier or _id" if kind == "Patient" else "patient"
    raise RefusedError(400, "required", f"A search for {kind} says of whom: add {what}.")


def _fits(resource: Json, given: Mapping[str, str]) -> bool:
    if "_id" in given and resource["id"] != given["_id"]:
        return False
    if "status" in given and resource.get("status") != given["status"]:
        return False
    for name in ("code", "category"):
        if name in given and not _coded(resource.get(name), given[name]):
            return False
    return "date" not in given or _dated(resource, given["date"])


def _coded(value: Any, wanted: str) -> bool:
    """Any of the wanted tokens (system|code or code, with commas between) among the codings."""
    codings = [c for one in (value if isinstance(value, list) else [value or {}]) for c in one.get("coding", [])]
    for token in wanted.split(","):
        system, bar, code = token.rpartition("|")
        if any(c.get("code") == code and (not bar or c.get("system", "") == system) for c in codings):
            return True
    return False


def _dated(resource: Json, wanted: str) -> bool:
    """Whether the day of a resource fits, by whole days: ge, gt, le, lt or no prefix."""
    told = next(
        (
            resource[k]
            for k in ("effectiveDateTime", "occurrenceDateTime", "onsetDateTime", "authoredOn", "created", "recorded")
            if k in resource
        ),
        None,
    )
    told = told or resource.get("effectivePeriod", {}).get("start")
    prefix, day = (wanted[:2], wanted[2:12]) if wanted[:2].isalpha() else ("eq", wanted[:10])
    if told is None:
        return False
    here = str(told)[:10]
    tests = {"eq": here == day, "ge": here >= day, "gt": here > day, "le": here <= day, "lt": here < day}
    if prefix not in tests:
        raise RefusedError(400, "value", "A date is searched with ge, gt, le, lt or without: date=ge2026-01-01.")
    return tests[prefix]


def _number(given: Mapping[str, str], name: str, usual: int, most: int) -> int:
    text = given.get(name)
    if text is None:
        return usual
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise RefusedError(400, "value", f"{name} is no whole number.")
    return min(int(text), most)


def _base(request: HttpRequest) -> str:
    return request.build_absolute_uri("/fhir")


def _url(request: HttpRequest, kind: str, given: Mapping[str, str]) -> str:
    return f"{_base(request)}/{kind}?{urlencode(given)}"


def _resources(patient: Patient) -> list[Json]:
    """Everything about one person, with what was advised last; kept in memory until a fact or an assessment is added."""
    last = Fact.objects.filter(patient=patient).aggregate(last=Max("id"))["last"] or 0
    made = State.objects.filter(patient=patient).values_list("assessment_id", flat=True).first() or 0
    key = (patient.pk, last, made)
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    facts = in_force(patient).filter(kind__in=RECORD_KINDS).order_by("day", "id").only("kind", "body")
    advised = kept(made) if made else None
    answered = advised.answered if advised is not None else None
    bundle = write(assemble(patient, facts), answered, knowledge=knowledge()).bundle
    names = {}
    for entry in bundle["entry"]:
        resource = entry["resource"]
        old = f"{resource['resourceType']}/{resource['id']}"
        own = resource["resourceType"] == "Patient"
        names[old] = str(patient.pk) if own else f"{patient.pk.hex}-{resource['id'].replace('-', '')[:24]}"
    stamp = timezone.now().isoformat(timespec="seconds")
    found = []
    for entry in bundle["entry"]:
        resource = _renamed(entry["resource"], names)
        resource["id"] = names[f"{resource['resourceType']}/{resource['id']}"]
        resource["meta"] = {**resource.get("meta", {}), "lastUpdated": stamp}
        found.append(resource)
    with _lock:
        _kept[key] = found
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    return found


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    """The same with every reference to the new id."""
    if isinstance(value, dict):
        found = {k: _renamed(v, names) for k, v in value.items()}
        target = found.get("reference")
        if isinstance(target, str) and target in names:
            found["reference"] = f"{target.partition('/')[0]}/{names[target]}"
        return found
    return [_renamed(v, names) for v in value] if isinstance(value, list) else value
