"""From a verdict to a decision that is kept, and that the record keeps: the same for the page and for programs."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from ranvier.decision.log import Choice, as_agreed, decide, exceeded
from ranvier.decision.nouns import Option
from ranvier.decision.what_if import what_if
from ranvier.ground.notes import InputError, Problem
from ranvier.record import structure
from ranvier.record.decisions import as_data
from ranvier.record.nouns import Override
from ranvier.report import steps
from ranvier.report.answer import chosen
from ranvier.report.replay import answered
from ranvier.report.words import Words
from ranvier_web.clinic import actions
from ranvier_web.clinic.assessing import Kept, kept
from ranvier_web.clinic.knowledge import knowledge
from ranvier_web.clinic.models import Assessment, Decision, Outcome, Patient, State
from ranvier_web.clinic.record import record_of

OTHER = "other"  # the code of a reason that is only in words


class StaleError(Exception):
    """The facts changed since this assessment: look again before deciding."""


@cache
def codes() -> tuple[str, ...]:
    """Coded reasons, as a record file knows them."""
    entry = structure.schema()["properties"]["decisions"]["items"]["properties"]
    return tuple(entry["reason"]["enum"])


@cache
def results() -> tuple[str, ...]:
    """What can come of a decision."""
    entry = structure.schema()["properties"]["decisions"]["items"]["properties"]
    return tuple(entry["outcome"]["properties"]["result"]["enum"])


def limits_of(patient: Patient, found: Kept, one: Option) -> tuple[str, ...]:
    """Limits that this option exceeds: each needs a coded reason before it can be decided for."""
    wanted = as_agreed(one.regimen)
    return () if wanted is None else exceeded(wanted, found.answered, record_of(patient)[0], knowledge())


def conclude(
    patient: Patient,
    assessment: int,
    verdict: str,
    by: actions.Actor,
    *,
    key: uuid.UUID,
    asked: Mapping[str, Any] | None = None,
    reason: str = "",
    code: str = "",
    overrides: Mapping[str, str] | None = None,
) -> Decision:
    """Accept what was proposed, change it to what is asked (product, route, grams, interval), or refuse it.

    code : the reason as a record codes it; words alone count as `other`
    overrides : limits that are knowingly exceeded, each with the code of its reason

    Raises
    ------
    Assessment.DoesNotExist : this person has no such assessment
    StaleError : the facts changed meanwhile
    ValueError : nothing was proposed, or nothing usable was asked for
    InputError : a reason is missing, or a limit is exceeded without one
    ConflictError : somebody decided meanwhile
    """
    made = Assessment.objects.get(pk=assessment, patient=patient)
    known = Decision.objects.filter(key=key, patient=patient).first()
    if known is not None:
        return known
    state = State.objects.get(patient=patient)
    found = kept(made.pk)
    if state.assessment_id != made.pk or state.since is not None or found is None:
        raise StaleError
    best = chosen(found.answered.treatment.proposal)
    taken: Option | None = None
    if verdict == "accepted":
        if best is None:
            raise ValueError("nothing was proposed that could be accepted")
        taken = best
    elif verdict == "changed":
        if found.ready is None or asked is None:
            raise ValueError("it is not said to what the proposal is changed")
        taken = what_if(
            found.ready, product=asked["product"], route=asked["route"], grams=asked["grams"],
            interval_days=asked["interval"],
        )  # fmt: skip
    entry = _entry(patient, found, verdict, taken, by, reason.strip(), code, overrides or {})
    decided, outlook = _plain(taken) if taken is not None else (None, None)
    return actions.decide(
        patient, made, verdict, by, key=key, proposed=_plain(best)[0] if best else None, decided=decided,
        outlook=outlook, reason=reason.strip(), code=entry.get("reason", ""), entry=entry,
    )  # fmt: skip


def _entry(
    patient: Patient, found: Kept, verdict: str, taken: Option | None, by: actions.Actor, reason: str, code: str,
    overrides: Mapping[str, str],
) -> dict[str, Any]:  # fmt: skip
    """The decision as the record keeps it: held against limits, with what was fixed beforehand and what it stood on."""
    unknown = sorted({code, *overrides.values()} - {"", *codes()})
    if unknown:
        what = f"there is no reason '{unknown[0]}'"
        raise InputError("no such reason", (Problem("code", what, f"One of: {', '.join(codes())}."),))
    words = Words(knowledge(), "en", found.answered)
    shown = steps.shown(found.answered, words)
    choice = Choice(
        verdict,
        as_agreed(taken.regimen) if taken is not None and verdict == "changed" else None,
        None if verdict == "accepted" else code or (OTHER if reason else None),
        tuple(Override(limit, why) for limit, why in sorted(overrides.items()) if why),
        by.role or None,
        reason or None,
    )
    kept_as = decide(
        found.answered, choice, knowledge(), record=record_of(patient)[0], answer=answered(found.answered, knowledge()),
        criteria={step.id: (step.success, step.stop) for step in shown.steps},
    )  # fmt: skip
    found_as: dict[str, Any] = structure.without_nothing(json.loads(json.dumps(as_data(kept_as), default=str)))
    return found_as


@transaction.atomic
def judge(decision: Decision, result: str, note: str, by: actions.Actor) -> Outcome:
    """What came of it. Raises ValueError for no such result, ConflictError where it was judged already."""
    assert by.user is not None
    if result not in results() or decision.entry is None:
        raise ValueError(f"there is no result '{result}'")
    try:
        with transaction.atomic():
            made = Outcome.objects.create(
                decision=decision, on=timezone.localdate(), result=result, note=note.strip()[:400], by=by.user
            )
    except IntegrityError:
        raise actions.ConflictError(decision) from None
    by.wrote("decision.judged", decision.patient, decision=decision.pk, result=result)
    return made


def _plain(option: Option) -> tuple[dict[str, Any], dict[str, Any]]:
    """Regimen and outlook of an option, as they are kept."""
    outlook = {
        "trough": option.trough,
        "trough_q05": option.trough_q05,
        "trough_q95": option.trough_q95,
        "p_above_floor": option.p_above_floor,
        "grams_per_week": option.grams_per_week,
        "limits": [f.name for f in option.limited_by],
    }
    return asdict(option.regimen), outlook
