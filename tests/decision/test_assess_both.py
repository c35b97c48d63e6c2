"""Both wings: a trial that brought nothing opens the diagnosis again by itself, also long after it has ended."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ranvier import evidence, record
from ranvier.decision.both import assess_both
from ranvier.ground.truth import Truth

CASE = Path(__file__).parents[2] / "cases" / "non-responder.yaml"


@pytest.mark.parametrize("at", [date(2025, 7, 20), date(2025, 11, 3)])
def test_no_gain_after_an_adequate_trial_opens_the_diagnosis_again(at: date) -> None:
    """Grip the same before and after the courses; in November nobody has been treated for five months."""
    told, _ = record.read(CASE)
    found = assess_both(told, evidence.load(), at=at, seed=1).diagnosis
    assert found is not None
    assert found.judgement.facts["no_response_to_adequate_trial"].truth is Truth.MET
    assert found.judgement.plan.kind == "think_again"
    assert "no_response_to_adequate_trial" in {f.finding for f in found.judgement.red_flags if f.grade == "stop"}
