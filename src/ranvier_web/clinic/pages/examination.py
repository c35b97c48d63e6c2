"""Examining strength: by keyboard or by clicking a body; the nerves light up as the grades come in."""

from __future__ import annotations

import re
import uuid
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods, require_POST

from ranvier.decision import examine
from ranvier.ground.notes import InputError
from ranvier_web.clinic import actions
from ranvier_web.clinic.models import Kind
from ranvier_web.clinic.pages.common import actor, the_patient
from ranvier_web.clinic.record import in_force
from ranvier_web.words.load import say, words
from ranvier_web.words.remedies import here

SIDES = ("right", "left")
GRADES = ("0", "1", "2", "3", "4-", "4", "4+", "5")
_STYLE = re.compile(r"<style>.*?</style>", re.DOTALL)
SHOWN = 0.1  # a nerve less likely than this is not listed
LISTED = 6


@require_http_methods(["GET", "POST"])
def examination(request: HttpRequest, patient: Any) -> HttpResponse:
    """The sheet: one row per muscle, right and left; and the body beside it."""
    seen = the_patient(request)
    typed = _typed(request.POST)
    on = _on(request.POST)
    context: dict[str, Any] = {}
    status = 200
    if request.method == "POST":
        try:
            key = uuid.UUID(request.POST.get("key", ""))
        except ValueError:
            return HttpResponse(status=422)
        try:
            if not typed:
                raise _nothing()
            examine.grade(_findings(typed), on)
            body: dict[str, Any] = {"on": on.isoformat(), "by": str(actor(request).role), "findings": _findings(typed)}
            if request.POST.get("note", "").strip():
                body["note"] = request.POST["note"].strip()[:2000]
            actions.add_fact(seen, Kind.EXAMINATION, on, body, actor(request), key=key)
            return redirect("diagnosis", patient=seen.pk)
        except InputError as error:
            context["problems"] = [f"{p.what[:1].upper()}{p.what[1:]}. {here(p.remedy)}" for p in error.problems]
            status = 422
    rows: list[dict[str, Any]] = [
        {"muscle": m, "cells": [(side, f"g-{m.id}-{side}", typed.get((m.id, side), "")) for side in SIDES]}
        for m in _muscles()
    ]
    context |= {
        "patient": seen,
        "core": [(limb, [r for r in rows if r["muscle"].core and r["muscle"].limb == limb]) for limb in ("arm", "leg")],
        "more": [r for r in rows if not r["muscle"].core],
        "grades": GRADES,
        "key": request.POST.get("key") or uuid.uuid4(),
        "day": on.isoformat(),
        "last": in_force(seen).filter(kind=Kind.EXAMINATION).order_by("-day").values_list("day", flat=True).first(),
        **_seen(typed, on),
    }
    return render(request, "clinic/examination.html", context, status=status)


@require_POST
def seen(request: HttpRequest, patient: Any) -> HttpResponse:
    """The body, the nerves and what to test next, for the grades so far."""
    typed = _typed(request.POST)
    return render(
        request, "clinic/examination_seen.html", {"patient": the_patient(request), **_seen(typed, _on(request.POST))}
    )


@cache
def _muscles() -> tuple[examine.Gradable, ...]:
    return examine.gradable()


def _nothing() -> InputError:
    from ranvier.ground.notes import Problem

    return InputError("nothing", (Problem("findings", say("examination.nothing"), say("examination.nothing_do")),))


def _typed(data: QueryDict) -> dict[tuple[str, str], str]:
    """Grades by muscle and side, as typed."""
    found = {}
    for muscle in _muscles():
        for side in SIDES:
            text = data.get(f"g-{muscle.id}-{side}", "").strip()[:4]
            if text:
                found[muscle.id, side] = text
    return found


def _findings(typed: dict[tuple[str, str], str]) -> list[dict[str, Any]]:
    return [
        {"muscle": muscle, "side": side, "mrc": int(text) if text.isdecimal() else text}
        for (muscle, side), text in typed.items()
    ]


def _on(data: QueryDict) -> Any:
    from datetime import date

    try:
        return date.fromisoformat(data.get("day", ""))
    except ValueError:
        return timezone.localdate()


def _seen(typed: dict[tuple[str, str], str], on: Any) -> dict[str, Any]:
    """What the grades say; grades that are none are named and left out."""
    good = {key: text for key, text in typed.items() if text in GRADES or text == "5-"}
    bad = [f"{m} {side}: {text}" for (m, side), text in typed.items() if (m, side) not in good]
    graded = examine.grade(_findings(good), on)
    desk, phone = examine.pictures(graded)
    names = {m.id: m.name for m in _muscles()}
    context: dict[str, Any] = {
        "pictures": [("wide", _bare(desk)), ("narrow", _bare(phone))],
        "bad": bad,
        "n": len(good),
    }
    found = graded.found
    if found is None:
        return context
    w = words()
    nerves = [n for n in found.nerves if n.muscles_for and n.probability >= SHOWN][:LISTED]
    return context | {
        "leads": found.explanations[0].title,
        "chance": w.chance(found.explanations[0].probability),
        "nerves": [
            {
                "name": f"{w.word('side', n.side)} {n.name}",
                "chance": w.odds(n.probability),
                "bar": round(100 * n.probability),
                "weak": ", ".join(names.get(m, m) for m in n.muscles_for),
            }
            for n in nerves
        ],
        "next": [
            {
                "name": t.name,
                "side": w.word("side", t.side),
                "study": t.kind == "conduction",
                "field": f"g-{t.target}-{t.side}",
            }
            for t in found.next
        ],
    }


def _bare(svg: str) -> SafeString:
    """The picture without its own style: that comes as a file, as no page may carry styles."""
    return SafeString(_STYLE.sub("", svg))
