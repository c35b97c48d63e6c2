"""Truths that no model of ours holds: are they what they say, and are forecasts held against them fairly?"""

import numpy as np
import pytest
from scipy import stats

from ranvier.cohort import kernels as C
from ranvier.cohort import misspecified
from ranvier.cohort.calibration import BODY, INFUSED, LASTING, MORNING
from ranvier.cohort.load import load as load_book
from ranvier.cohort.misspecified import TRUTHS, WRONG_DAY, crps, draw_nature, follow, judged
from ranvier.estimation.discrepancy import NO_ERRORS, Errors, Left, next_error
from ranvier.evidence import load
from ranvier.kinetics.disposition import Doses, modes

KNOWLEDGE, BOOK = load(), load_book()
GRID = np.arange(0.0, 200.0, misspecified.FINE)
DOSES = Doses.of(np.arange(10.0, 190.0, 21.0) + INFUSED, 60.0, length=LASTING)


def rng(*seed):
    return np.random.default_rng(seed)


def truth(name, seed=1):
    nature = draw_nature(KNOWLEDGE, BODY, rng(seed))
    return nature, TRUTHS[name](DOSES, GRID, nature, BOOK.truths[name], rng(seed, 2))


def test_two_phases_rise_at_first_alike_and_later_more_slowly():
    nature, two = truth("two_phase")
    _, one = truth("model")
    early = (GRID > 10.4) & (GRID < 25.0)
    assert np.all(two.strength[early] <= one.strength[early] + 1e-9)
    assert two.strength[-1] > 1.0
    assert nature.imax < 1.0


def test_saturable_kinetics_keep_the_own_level_where_nothing_is_given():
    nature = draw_nature(KNOWLEDGE, BODY, rng(4))
    alone = misspecified.saturable(Doses.of([], []), GRID, nature, BOOK.truths["saturable"], rng(1))
    assert alone.excess == pytest.approx(np.zeros(GRID.size), abs=1e-9)
    assert alone.strength == pytest.approx(np.ones(GRID.size))


@pytest.mark.parametrize("name", ["model", "two_phase", "saturable"])
def test_truths_on_the_fine_grid_are_those_of_virtual_lives(name):
    """Two roads to the same truth: a fine grid here, the compiled lives of policies and trials there."""
    nature, there = truth(name)
    it, z = BOOK.truths[name], rng(1, 2).standard_normal()
    names = ("central_volume", "intercompartmental_clearance", "peripheral_volume")
    linear = modes(2, {"clearance": nature.clearance, **dict(zip(names, nature.volumes, strict=True))})
    days = 190
    grams, one = np.zeros((1, days)), np.ones(1)
    grams[0, DOSES.start.astype(int)] = DOSES.grams
    coefficient, kind, volume = linear.coefficient[None, :3, :].copy(), C.LINEAR, nature.volumes[0] + nature.volumes[2]
    k0, c0, gamma = 0.0, 12.0, 0.0
    if name == "saturable":
        kind, k0, c0, gamma = C.SATURABLE, it["k0"] * np.exp(it["k0_spread"] * z), it["c0"], it["gamma"]
        coefficient = np.zeros_like(coefficient)
        coefficient[0, :, 0] = 1.0 / volume
    share, slow = (it["share"], it["slow"] * np.exp(it["slow_spread"] * z)) if name == "two_phase" else (0.0, 1.0)
    strength, excess = np.empty((1, days)), np.empty((1, days))
    C.live(
        np.array([kind]), linear.rate[None].copy(), coefficient, nature.own * one, k0 * one, c0, gamma, volume * one,
        nature.c50 * one, nature.kout * one, slow * one, share * one, 0.0 * one, nature.imax * one, np.zeros((1, 4)), grams,
        np.zeros((1, days), dtype=np.int64), INFUSED - MORNING, LASTING, np.zeros((1, 3)), np.zeros((1, 2)), one.copy(), 0, 1,
        0, days, strength, excess, np.zeros(1),
    )  # fmt: skip
    at = np.arange(days) + MORNING
    assert np.interp(at, GRID, there.excess) == pytest.approx(excess[0], rel=0.01, abs=0.05)
    assert np.interp(at, GRID, there.strength) == pytest.approx(strength[0], rel=0.005)
    assert strength.max() > 1.05


def test_without_relation_to_igg_infusions_leave_no_trace():
    nature = draw_nature(KNOWLEDGE, BODY, rng(4))
    with_, without = (
        misspecified.no_relation(d, GRID, nature, BOOK.truths["no_relation"], rng(1)) for d in (DOSES, Doses.of([], []))
    )
    assert np.array_equal(with_.strength, without.strength)


@pytest.mark.parametrize(("name", "factor"), [("tired_month", 0.75), ("broken_dynamometer", 0.85)])
def test_a_month_or_a_device_takes_its_part_and_nothing_else(name, factor):
    _, changed = truth(name)
    _, plain = truth("model")
    ratio = changed.strength / plain.strength
    assert set(np.round(np.unique(ratio), 9)) == {factor, 1.0}
    assert np.all(ratio[GRID < 60.0] == 1.0)


def test_only_the_truth_of_wrong_days_records_infusions_on_other_days():
    for name in ("model", WRONG_DAY):
        person = follow(name, KNOWLEDGE, rng(3))
        beside = person.recorded.start - person.given.start
        assert np.all(np.diff(person.recorded.start) > 0)
        assert np.any(beside != 0) == (name == WRONG_DAY)


def test_the_score_of_an_ensemble_is_that_of_its_distribution():
    """A standard normal against its closed form: z (2 Phi - 1) + 2 phi - 1 / sqrt(pi)."""
    draws = np.repeat(stats.norm.ppf((np.arange(2000) + 0.5) / 2000)[:, None], 3, axis=1)
    seen = np.array([0.0, 1.0, -2.5])
    exact = seen * (2 * stats.norm.cdf(seen) - 1) + 2 * stats.norm.pdf(seen) - 1 / np.sqrt(np.pi)
    assert crps(draws, seen) == pytest.approx(exact, abs=1e-3)
    assert crps(np.array([[2.0]]), np.array([5.0])) == pytest.approx([3.0])


WEEKS = 7.0 * np.arange(12)
NOISE = 0.02**2 * np.eye(12)
COMING = np.full(4000, 84.0)


def next_of(error, scale=0.03, left=None, coming=COMING):
    """Draws of the discrepancy after twelve weekly errors; the present fit leaves the same unless `left` says otherwise."""
    errors = Errors(WEEKS, np.asarray(error), NOISE, 4)
    rest = np.tile(error if left is None else left, (coming.size, 1))
    return next_error(errors, Left(WEEKS, rest, NOISE), scale, coming, rng(1))


def test_without_past_errors_nothing_is_widened():
    nothing = Left(np.empty(0), np.empty((100, 0)), np.empty((0, 0)))
    assert np.all(next_error(NO_ERRORS, nothing, 0.03, COMING[:100], rng(1)) == 0.0)


def test_errors_as_small_as_foretold_widen_little_and_large_ones_much():
    signs = np.array([1.0, -0.5, 0.8, -1.2, 0.3, 0.1, -0.9, 1.1, -0.2, 0.6, -1.0, -0.1])
    small, large = next_of(0.02 * signs), next_of(0.15 * signs)
    assert np.quantile(np.abs(small), 0.9) < 0.04
    assert np.quantile(np.abs(large), 0.9) > 0.12
    assert abs(np.median(small)) < 0.01


def test_errors_that_all_point_one_way_shift_the_forecast():
    """A device that reads 15 % too little since six weeks."""
    low = np.where(WEEKS < 42.0, 0.0, -0.15)
    assert -0.16 < np.median(next_of(low)) < -0.05


def test_what_the_present_fit_has_taken_in_already_is_not_counted_twice():
    """Past forecasts missed by 15 %, but the present fit leaves nothing of it: half of the draws say so."""
    low = np.where(WEEKS < 42.0, 0.0, -0.15)
    learnt = next_of(low, left=np.zeros(12))
    assert np.median(next_of(low)) < np.median(learnt) - 0.02
    assert np.mean(np.abs(learnt) < 0.05) > 0.2


def test_the_further_ahead_the_wider_up_to_what_the_past_shows():
    """Of strength that wanders, by Gaussian conditioning written out: variance tau^2 (1 - exp(-2 h / L)) without noise."""
    walk, r = [0.0], np.exp(-7.0 / 30.0)
    z = rng(3).standard_normal(60)
    for step in z:
        walk.append(r * walk[-1] + 0.1 * np.sqrt(1.0 - r**2) * step)
    error = np.array(walk[-12:])
    near, far = (next_of(error, coming=np.full(4000, h)) for h in (78.0, 140.0))
    assert np.std(near) < 0.7 * np.std(far)
    assert 0.04 < np.std(far) < 0.2


def test_a_record_without_values_of_late_leaves_nothing_and_is_widened_by_what_past_forecasts_missed():
    errors = Errors(WEEKS, 0.15 * np.array([1.0, -1.0] * 6), NOISE, 4)
    nothing = Left(np.empty(0), np.empty((4000, 0)), np.empty((0, 0)))
    assert np.std(next_error(errors, nothing, 0.03, COMING, rng(1))) > 0.05


def test_a_broken_device_is_foretold_better_with_the_person_s_own_errors():
    """The large table is made by `make misspecification`; here two people."""
    rows = judged("broken_dynamometer", 0, 2, 5)
    assert rows["plain"].shape == rows["widened"].shape == (10, 5)
    plain, widened = rows["plain"].mean(axis=0), rows["widened"].mean(axis=0)
    assert widened[1] > plain[1] + 0.1  # strength within its 90 % interval
    assert widened[4] < plain[4] < rows["last"].mean()
