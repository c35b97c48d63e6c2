"""Which situation is this? One word for what the watch found, so that the ladder can be looked up."""

from __future__ import annotations

from ranvier.evidence.nouns import Knowledge
from ranvier.monitoring.nouns import Watch


def situation_of(watched: Watch, knowledge: Knowledge, *, courses: int) -> str:
    """no_response | too_little | decline | wearing_off | stable | noise | not_enough.

    courses : with immunoglobulin in the record; before a fair trial nobody is called a non-responder

    In this order: whether treatment works at all comes before how it is given; a fall on all days before one within the cycle.
    """
    rules, change, off = knowledge.monitoring, watched.change, watched.wearing_off
    silent = dict(watched.response.all).get("none", 0.0)
    if silent >= rules["no_response"].value and courses >= rules["fair_trial"].value:
        return "no_response"
    if change is not None and change.verdict == "decline":
        return "decline"
    if watched.idle >= rules["no_response"].value and silent < rules["response_doubtful"].value:
        return "too_little"
    prior = any(f.name in ("swing.mostly_prior", "timing.mostly_prior") for f in watched.findings)
    charted = change is not None and change.wearing_off
    if charted or (off is not None and off.probability >= rules["wearing_off_likely"].value and not prior):
        return "wearing_off"
    if change is None or change.verdict == "not_enough":
        return "not_enough"
    holds = off is not None and 1.0 - off.p_crosses >= rules["step_down_floor"].value
    if holds and off is not None and off.probability <= rules["more_needs_wearing_off"].value:
        return "stable"
    return "noise"
