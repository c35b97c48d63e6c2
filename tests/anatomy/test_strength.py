"""From fibres to grades."""

import numpy as np
import pytest
from tests.anatomy.build import anatomy

from ranvier.anatomy.nouns import GRADES
from ranvier.anatomy.strength import GRADE_INDEX, GRID, WHOLE, curve, grades_at_loss, loss_of, own_branch

LIKELIHOOD = anatomy().likelihood
ROWS = [GRADE_INDEX[g] for g in WHOLE]


def test_the_table_is_met_where_it_was_given():
    for left, grades in LIKELIHOOD.emission:
        found = grades_at_loss(LIKELIHOOD, loss_of(np.array(left)))[ROWS]
        lapse = LIKELIHOOD.numbers["lapse"]
        wanted = (1 - lapse) * np.array(grades) / sum(grades) + lapse / 6
        assert found == pytest.approx(wanted, abs=2e-3), left


def test_whole_grades_sum_to_one_everywhere():
    assert grades_at_loss(LIKELIHOOD, GRID)[ROWS].sum(axis=0) == pytest.approx(np.ones(len(GRID)))


def test_more_loss_is_never_a_better_grade():
    at_most = np.cumsum(grades_at_loss(LIKELIHOOD, GRID)[ROWS], axis=0)
    assert (np.diff(at_most, axis=1) >= -1e-12).all()


def test_finer_grades_follow_their_number():
    """The weaker the grade as written, the more loss it speaks of."""
    table = grades_at_loss(LIKELIHOOD, GRID)
    mean = {
        g: float(table[GRADE_INDEX[g]] @ GRID / table[GRADE_INDEX[g]].sum())
        for g in ("5", "4+", "4", "4-", "3", "2", "1")
    }
    assert list(mean.values()) == sorted(mean.values())
    assert set(mean) <= set(GRADES)


def test_scatter_and_branches_keep_the_sum():
    for name in LIKELIHOOD.scatter:
        assert curve(LIKELIHOOD, name)[ROWS].sum(axis=0) == pytest.approx(np.ones(len(GRID)))
    without, with_own = own_branch(LIKELIHOOD, 0.05)
    assert (without + with_own).sum(axis=1) == pytest.approx(np.ones(len(LIKELIHOOD.levels)))
