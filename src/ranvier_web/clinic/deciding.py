"""From a verdict to a decision that is kept: the same for the page and for programs."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ranvier.decision.nouns import Option
from ranvier.decision.what_if import what_if
from ranvier.report.answer import chosen
from ranvier_web.clinic import actions
from ranvier_web.clinic.assessing import kept
from ranvier_web.clinic.models import Assessment, Decision, Patient, State


class StaleError(Exception):
    """The facts changed since this assessment: look again before deciding."""


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
) -> Decision:
    """Accept what was proposed, change it to what is asked (product, route, grams, interval), or refuse it.

    Raises
    ------
    Assessment.DoesNotExist : this person has no such assessment
    StaleError : the facts changed meanwhile
    ValueError : nothing was proposed, or nothing usable was asked for
    ConflictError : somebody decided meanwhile
    """
    made = Assessment.objects.get(pk=assessment, patient=patient)
    known = Decision.objects.filter(key=key, patient=patient).first()
    if known is not None:
        return known
    state = State.objects.get(patient=patient)
    if state.assessment_id != made.pk or state.since is not None:
        raise StaleError
    found = kept(made.pk)
    best = chosen(found.answered.treatment.proposal) if found else None
    decided, outlook = None, None
    if verdict == "accepted":
        if best is None:
            raise ValueError("nothing was proposed that could be accepted")
        decided, outlook = _plain(best)
    elif verdict == "changed":
        if found is None or found.ready is None or asked is None:
            raise ValueError("it is not said to what the proposal is changed")
        one = what_if(
            found.ready, product=asked["product"], route=asked["route"], grams=asked["grams"],
            interval_days=asked["interval"],
        )  # fmt: skip
        decided, outlook = _plain(one)
    return actions.decide(
        patient, made, verdict, by, key=key, proposed=_plain(best)[0] if best else None, decided=decided,
        outlook=outlook, reason=reason.strip(), code=code,
    )  # fmt: skip


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
