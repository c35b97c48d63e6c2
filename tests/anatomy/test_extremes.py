"""Examinations that are weak everywhere: nothing overflows, nothing becomes "not a number", and the answer makes sense."""

import math

import pytest
from tests.anatomy.build import anatomy, first

from ranvier.anatomy import localise
from ranvier.anatomy.nouns import GRADES, Examination, StrengthFinding

SIDES = ("left", "right")


def everywhere(grade: str) -> Examination:
    return Examination(tuple(StrengthFinding(m, side, grade) for m in anatomy().muscles for side in SIDES))


@pytest.mark.parametrize("grade", [g for g in GRADES if g != "5"])
def test_paralysed_alike_in_all_158_muscles_is_no_multiple_mononeuropathy(grade):
    """A man in intensive care, every muscle the same: a polyneuropathy, not fifty nerves at once."""
    found = localise(everywhere(grade), anatomy())
    assert first(found) == "symmetric_polyneuropathy"
    numbers = [e.probability for e in found.explanations] + [s.probability for s in found.sites]
    numbers += [n.probability for n in found.nerves] + [found.log_evidence]
    assert all(map(math.isfinite, numbers))
    assert sum(e.probability for e in found.explanations) == pytest.approx(1.0)


def test_grades_thrown_at_random_still_give_an_answer():
    grades = list(GRADES)
    findings = [
        StrengthFinding(m, side, grades[(7 * i + 5 * j) % len(grades)])
        for i, m in enumerate(anatomy().muscles)
        for j, side in enumerate(SIDES)
    ]
    found = localise(Examination(tuple(findings)), anatomy())
    assert all(math.isfinite(e.probability) and e.bayes_factor >= 0 for e in found.explanations)
