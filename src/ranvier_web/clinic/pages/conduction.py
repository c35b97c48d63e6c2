"""Nerve conduction studies: a table to fill in, with the verdict of every rule beside each segment."""

from __future__ import annotations

import uuid
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from ranvier.decision import examine
from ranvier.ground.notes import InputError, Problem
from ranvier.report import diagnosis_html
from ranvier_web.clinic import actions
from ranvier_web.clinic.models import Kind, Patient
from ranvier_web.clinic.pages.common import actor, the_patient
from ranvier_web.clinic.record import in_force
from ranvier_web.words.load import say, words
from ranvier_web.words.remedies import here

COLUMNS = (("latency", "ms"), ("amplitude", "mV"), ("duration", "ms"), ("area", "mV.ms"), ("distance", "mm"))
USUAL = {"arm": ("wrist", "below_elbow", "above_elbow", "axilla", "erb"), "leg": ("ankle", "fibular_head", "popliteal")}
FIRST = (("median", "right"), ("ulnar", "right"), ("median", "left"), ("ulnar", "left"))
MOST = 16  # nerves on one sheet
SIDES = ("right", "left")


@require_http_methods(["GET", "POST"])
def conduction(request: HttpRequest, patient: Any) -> HttpResponse:
    """One study on one day."""
    seen = the_patient(request)
    data = request.POST if request.method == "POST" else request.GET
    context: dict[str, Any] = {}
    status = 200
    if request.method == "POST":
        try:
            key = uuid.UUID(request.POST.get("key", ""))
        except ValueError:
            return HttpResponse(status=422)
        try:
            body = _body(data)
            examine.judge_study(body)
            actions.add_fact(seen, Kind.CONDUCTION, _on(data), body, actor(request), key=key)
            return redirect("diagnosis", patient=seen.pk)
        except InputError as error:
            context["problems"] = [f"{p.place}: {p.what}. {here(p.remedy)}" for p in error.problems]
            status = 422
    context |= {
        "patient": seen,
        "blocks": [_block(n, nerve, side, data) for n, (nerve, side) in enumerate(_asked(data))],
        "columns": COLUMNS,
        "nerves": sorted(_nerves()),
        "sides": SIDES,
        "key": data.get("key") or uuid.uuid4(),
        "day": _on(data).isoformat(),
        "asked": [f"{nerve}|{side}" for nerve, side in _asked(data)],
        "full": len(_asked(data)) >= MOST,
        **_judged(seen, data),
    }
    return render(request, "clinic/conduction.html", context, status=status)


@require_POST
def judged(request: HttpRequest, patient: Any) -> HttpResponse:
    """The verdicts for what stands in the table so far."""
    return render(request, "clinic/conduction_judged.html", _judged(the_patient(request), request.POST))


@cache
def _nerves() -> dict[str, tuple[str, tuple[str, ...], str]]:
    return dict(examine.nerves())


def _asked(data: QueryDict) -> list[tuple[str, str]]:
    """The nerves on the sheet; at the beginning those that are studied first."""
    found = []
    for text in [*data.getlist("nerve"), *data.getlist("add")][:MOST]:
        nerve, _, side = text.partition("|")
        if nerve in _nerves() and side in SIDES:
            found.append((nerve, side))
    return found or list(FIRST)


def _block(n: int, nerve: str, side: str, data: QueryDict) -> dict[str, Any]:
    muscle, sites, limb = _nerves()[nerve]
    usual = [s for s in USUAL[limb] if s in sites] or list(sites)
    rows = [
        {
            "site": site,
            "name": site.replace("_", " "),
            "cells": [(f"{n}-{site}-{what}", what, data.get(f"{n}-{site}-{what}", "")) for what, _ in COLUMNS],
            "absent": f"{n}-{site}-absent",
            "is_absent": data.get(f"{n}-{site}-absent") == "1",
        }
        for site in usual
    ]
    return {"nerve": nerve, "side": side, "muscle": data.get(f"{n}-muscle") or muscle, "n": n, "rows": rows}


def _body(data: QueryDict) -> dict[str, Any]:
    """The table as one entry of a record's conduction studies. Raises InputError for what is no number."""
    problems: list[Problem] = []
    nerves = []
    for n, (nerve, side) in enumerate(_asked(data)):
        block = _block(n, nerve, side, data)
        sites = []
        for row in block["rows"]:
            one: dict[str, Any] = {"site": row["site"]}
            for (name, what, text), (_, unit) in zip(row["cells"], COLUMNS, strict=True):
                text = text.strip().replace(",", ".")
                if not text:
                    continue
                try:
                    one[what] = {"value": float(text[:12]), "unit": unit}
                except ValueError:
                    problems.append(
                        Problem(
                            f"{side} {nerve}, {row['name']}, {what}",
                            f"'{text[:12]}' is no number",
                            say("conduction.write"),
                        )
                    )
                assert name
            if row["is_absent"]:
                one["absent"] = True
            if len(one) > 1:
                sites.append(one)
        if sites:
            nerves.append({"nerve": nerve, "side": side, "kind": "motor", "muscle": block["muscle"], "sites": sites})
    if problems:
        raise InputError("not numbers", tuple(problems))
    if not nerves:
        raise InputError("nothing", (Problem("nerves", say("conduction.nothing"), say("conduction.nothing_do")),))
    return {"on": _on(data).isoformat(), "nerves": nerves}


def _on(data: QueryDict) -> Any:
    from datetime import date

    try:
        return date.fromisoformat(data.get("day", ""))
    except ValueError:
        return timezone.localdate()


def _age(patient: Patient, on: Any) -> float | None:
    person = in_force(patient).filter(kind=Kind.PERSON).first()
    year = person.body.get("birth_year") if person else None
    return float(on.year - year) if year else None


def _judged(patient: Patient, data: QueryDict) -> dict[str, Any]:
    """Rules and segments in words; or what is wrong so far."""
    try:
        found = examine.judge_study(_body(data), age=_age(patient, _on(data)))
    except InputError as error:
        return {"waits": [f"{p.what[:1].upper()}{p.what[1:]}. {here(p.remedy)}" for p in error.problems[:3]]}
    return diagnosis_html.segments_of([found], words())
