"""Conditions asked one by one before immunoglobulin is given: there, excluded, or not known."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from ranvier.ground.notes import InputError
from ranvier_web.clinic import actions
from ranvier_web.clinic.knowledge import knowledge
from ranvier_web.clinic.models import Fact, Kind
from ranvier_web.clinic.pages.common import actor, the_patient
from ranvier_web.clinic.record import Bare, check, in_force
from ranvier_web.words.load import say
from ranvier_web.words.remedies import here

ANSWERS = {"yes": True, "no": False, "": None}


@require_http_methods(["GET", "POST"])
def asked(request: HttpRequest, patient: Any) -> HttpResponse:
    """The list, as it was answered so far. Only what was answered anew becomes a fact."""
    seen = the_patient(request)
    known = _known(seen)
    if request.method == "POST":
        return _taken(request, known)
    return render(request, "clinic/asked.html", _context(request, known, {}))


def _known(patient: Any) -> dict[str, Fact]:
    """What is in force of each condition that is asked for, by its name."""
    names = {one.name.casefold() for one in knowledge().asked}
    rows = in_force(patient).filter(kind=Kind.CONDITION).order_by("id")
    return {str(f.body["what"]).casefold(): f for f in rows if str(f.body["what"]).casefold() in names}


def _context(request: HttpRequest, known: dict[str, Fact], typed: dict[int, str]) -> dict[str, Any]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for n, one in enumerate(knowledge().asked):
        fact = known.get(one.name.casefold())
        now = "" if fact is None else "yes" if fact.body.get("present", True) else "no"
        row = {"n": n, "name": one.name, "now": typed.get(n, now), "fact": fact}
        groups.setdefault(one.group, []).append(row)
    told = [(say(f"asked.group_{group}"), rows, sum(1 for r in rows if r["now"])) for group, rows in groups.items()]
    return {
        "patient": the_patient(request),
        "groups": told,
        "open": sum(1 for _, rows, _ in told for row in rows if not row["now"]),
        "key": uuid.uuid4(),
        "answers": [(code, say(f"asked.{code or 'unknown'}")) for code in ANSWERS],
    }


def _taken(request: HttpRequest, known: dict[str, Fact]) -> HttpResponse:
    """Answers that differ from what is known become facts; all or none."""
    seen, today = the_patient(request), timezone.localdate()
    try:
        key = uuid.UUID(request.POST.get("key", ""))
    except ValueError:
        return HttpResponse(status=422)
    typed = {n: request.POST.get(f"c-{n}", "") for n in range(len(knowledge().asked))}
    if not set(typed.values()) <= set(ANSWERS):
        return HttpResponse(status=422)
    changed: list[tuple[int, dict[str, Any], Fact | None]] = []
    meanwhile: dict[int, str] = {}
    for n, one in enumerate(knowledge().asked):
        fact, answer = known.get(one.name.casefold()), ANSWERS[typed[n]]
        if answer is (None if fact is None else bool(fact.body.get("present", True))):
            continue
        if request.POST.get(f"seen-{n}", "") != str(fact.pk if fact else ""):  # somebody else answered meanwhile
            meanwhile[n] = one.name
            continue
        body = {**(fact.body if fact else {}), "what": one.name}
        if answer is not None:
            body["present"] = answer
        if answer is False:
            body.pop("since", None)
        changed.append((n, body, fact))
    if meanwhile:
        return _again(request, known, typed, meanwhile)
    try:
        with transaction.atomic():
            for n, body, fact in changed:
                gone = ANSWERS[typed[n]] is None
                if not gone:
                    check(seen, [Bare(Kind.CONDITION, body)], without=fact.pk if fact else None)
                actions.add_fact(
                    seen, Kind.CONDITION, today, body, actor(request), key=uuid.uuid5(key, str(n)), checked=True,
                    replaces=fact.pk if fact else None, withdrawn=gone, why=say("asked.unknown") if gone else "",
                )  # fmt: skip
    except InputError as error:
        problems = [f"{p.what[:1].upper()}{p.what[1:]}. {here(p.remedy)}" for p in error.problems]
        context = _context(request, known, typed) | {"problems": problems}
        return render(request, "clinic/asked.html", context, status=422)
    except actions.ConflictError as error:
        names = {n: one.name for n, one in enumerate(knowledge().asked) if one.name == error.theirs.body["what"]}
        return _again(request, _known(seen), typed, names)
    return redirect("safety", patient=seen.pk)


def _again(
    request: HttpRequest, known: dict[str, Fact], typed: dict[int, str], meanwhile: dict[int, str]
) -> HttpResponse:
    """Somebody else was quicker: their answers are shown, the other answers are still as they were typed."""
    mine = {n: answer for n, answer in typed.items() if n not in meanwhile}
    context = _context(request, known, mine) | {"meanwhile": list(meanwhile.values())}
    return render(request, "clinic/asked.html", context, status=409)
