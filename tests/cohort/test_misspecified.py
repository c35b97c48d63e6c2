"""Truths that no model of ours holds: are they what they say, and are forecasts held against them fairly?"""

import numpy as np
import pytest
from scipy import stats

from ranvier.cohort import misspecified
from ranvier.cohort.calibration import BODY
from ranvier.cohort.misspecified import TRUTHS, WRONG_DAY, crps, draw_nature, follow, judged
from ranvier.estimation.discrepancy import Errors, next_error
from ranvier.evidence import load
from ranvier.kinetics.disposition import Doses

KNOWLEDGE = load()
GRID = np.arange(0.0, 200.0, misspecified.FINE)
DOSES = Doses.of(np.arange(10.4, 190.0, 21.0), 60.0, length=0.2)


def rng(*seed):
    return np.random.default_rng(seed)


def truth(name, seed=1):
    nature = draw_nature(KNOWLEDGE, BODY, rng(seed))
    return nature, TRUTHS[name](DOSES, GRID, nature, rng(seed, 2))


def test_two_phases_rise_at_first_alike_and_later_more_slowly():
    nature, two = truth("two-phase response")
    _, one = truth("as believed")
    early = (GRID > 10.4) & (GRID < 25.0)
    assert np.all(two.strength[early] <= one.strength[early] + 1e-9)
    assert two.strength[-1] > 1.0
    assert nature.imax < 1.0


def test_saturable_kinetics_keep_the_own_level_where_nothing_is_given():
    nature = draw_nature(KNOWLEDGE, BODY, rng(4))
    alone = misspecified.saturable(Doses.of([], []), GRID, nature, rng(1))
    assert alone.excess == pytest.approx(np.zeros(GRID.size), abs=1e-9)
    assert alone.strength == pytest.approx(np.ones(GRID.size))


def test_without_relation_to_igg_infusions_leave_no_trace():
    nature = draw_nature(KNOWLEDGE, BODY, rng(4))
    with_, without = (misspecified.no_relation(d, GRID, nature, rng(1)) for d in (DOSES, Doses.of([], [])))
    assert np.array_equal(with_.strength, without.strength)


@pytest.mark.parametrize(("name", "factor"), [("a tired month", 0.8), ("a broken dynamometer", 0.85)])
def test_a_month_or_a_device_takes_its_part_and_nothing_else(name, factor):
    _, changed = truth(name)
    _, plain = truth("as believed")
    ratio = changed.strength / plain.strength
    assert set(np.round(np.unique(ratio), 9)) == {factor, 1.0}
    assert np.all(ratio[GRID < 60.0] == 1.0)


def test_only_the_truth_of_wrong_days_records_infusions_on_other_days():
    for name in ("as believed", WRONG_DAY):
        person = follow(name, KNOWLEDGE, rng(3))
        beside = person.recorded.start - person.given.start
        assert np.all(np.abs(beside) <= 3)
        assert np.any(beside != 0) == (name == WRONG_DAY)


def test_the_score_of_an_ensemble_is_that_of_its_distribution():
    """A standard normal against its closed form: z (2 Phi - 1) + 2 phi - 1 / sqrt(pi)."""
    draws = np.repeat(stats.norm.ppf((np.arange(2000) + 0.5) / 2000)[:, None], 3, axis=1)
    seen = np.array([0.0, 1.0, -2.5])
    exact = seen * (2 * stats.norm.cdf(seen) - 1) + 2 * stats.norm.pdf(seen) - 1 / np.sqrt(np.pi)
    assert crps(draws, seen) == pytest.approx(exact, abs=1e-3)
    assert crps(np.array([[2.0]]), np.array([5.0])) == pytest.approx([3.0])


def test_without_past_errors_nothing_is_widened():
    none = Errors(np.empty(0), np.empty(0))
    assert np.all(next_error(none, 0.02, 100, rng(1)) == 0.0)


def test_errors_as_small_as_foretold_widen_little_and_large_ones_much():
    variance = np.full(6, 0.02**2)
    small = next_error(Errors(0.02 * np.array([1.0, -0.5, 0.8, -1.2, 0.3, 0.1]), variance), 0.02, 4000, rng(1))
    large = next_error(Errors(0.15 * np.array([1.0, -0.5, 0.8, -1.2, 0.3, 0.1]), variance), 0.02, 4000, rng(1))
    assert np.quantile(np.abs(small), 0.9) < 0.04
    assert np.quantile(np.abs(large), 0.9) > 0.12
    assert abs(np.median(small)) < 0.01


def test_errors_that_all_point_one_way_shift_the_forecast():
    """A device that reads 15 % too little since three cycles."""
    low = Errors(np.array([0.0, 0.01, -0.15, -0.16, -0.14]), np.full(5, 0.02**2))
    assert -0.16 < np.median(next_error(low, 0.02, 4000, rng(1))) < -0.05


def test_a_broken_device_is_foretold_better_with_the_person_s_own_errors():
    """The large table is made by `make misspecification`; here two people."""
    rows = judged("a broken dynamometer", 0, 2, 5)
    assert rows["plain"].shape == rows["widened"].shape == (10, 5)
    plain, widened = rows["plain"].mean(axis=0), rows["widened"].mean(axis=0)
    assert widened[1] > plain[1] + 0.1  # strength within its 90 % interval
    assert widened[4] < plain[4] < rows["last"].mean()
