"""Checks of a model against data: what they say of a right model, and of a wrong one."""

import numpy as np
import pytest

from ranvier.estimation import checks

PEOPLE, EACH, REPLICATES = 60, 5, 400


def decay(rng, *, rate=0.2, spread=0.3, error=0.1):
    """Concentrations of people after a dose of 5 or 50: person, time, typical value, one data set."""
    who = np.repeat(np.arange(PEOPLE), EACH)
    dose = np.where(who % 2 == 0, 5.0, 50.0)
    time = np.tile([0.5, 2.0, 4.0, 8.0, 12.0], PEOPLE)
    k = rate * np.exp(spread * rng.standard_normal(PEOPLE))[who]
    y = dose * np.exp(-k * time) * (1.0 + error * rng.standard_normal(who.size))
    return who, time, dose * np.exp(-rate * time), y


@pytest.fixture(scope="module")
def replicates():
    rng = np.random.default_rng(1)
    return np.array([decay(rng)[3] for _ in range(REPLICATES)])


def test_npde_of_the_right_model_are_standard_normal(replicates):
    who, _, _, y = decay(np.random.default_rng(2))
    errors = checks.npde(who, y, replicates)
    summary = checks.of_errors(errors)
    assert summary.n == PEOPLE * EACH
    assert summary.p > 0.01
    pairs = errors.reshape(PEOPLE, EACH)
    assert abs(np.corrcoef(pairs[:, 3], pairs[:, 4])[0, 1]) < 0.3  # decorrelated within a person


def test_npde_of_a_wrong_model_are_not(replicates):
    who, _, _, y = decay(np.random.default_rng(2), rate=0.3)
    assert checks.of_errors(checks.npde(who, y, replicates)).p < 1e-4


def test_correction_takes_the_dose_out_of_a_predictive_check(replicates):
    """Two doses ten times apart: uncorrected bands are as wide as the doses, corrected ones as the people."""
    _, time, typical, y = decay(np.random.default_rng(3))
    plain = checks.predictive_check(time, y, replicates)
    corrected = checks.predictive_check(time, y, replicates, typical=typical)
    assert corrected.corrected
    assert not plain.corrected
    width = [np.mean((c.high[2] - c.low[0]) / c.seen[1]) for c in (plain, corrected)]
    assert width[1] < 0.6 * width[0]
    assert corrected.outside < 0.3
    assert corrected.n.sum() == y.size


def test_a_predictive_check_shows_a_wrong_rate(replicates):
    _, time, typical, y = decay(np.random.default_rng(3), rate=0.3)
    assert checks.predictive_check(time, y, replicates, typical=typical).outside > 0.4


def test_bins_keep_equal_times_together():
    x = np.repeat(np.arange(30.0), np.arange(1, 31))
    which = checks.bins(x, 8)
    assert which.max() + 1 <= 8
    assert all(np.unique(which[x == v]).size == 1 for v in np.unique(x))
    assert np.all(np.diff(which) >= 0)
    assert np.array_equal(checks.bins(np.array([3.0, 1.0, 3.0])), [1, 0, 1])


def test_shrinkage_is_none_for_effects_as_wide_as_the_population_and_whole_for_none():
    rng = np.random.default_rng(4)
    effects = np.column_stack([0.3 * rng.standard_normal(4000), np.zeros(4000)])
    assert checks.shrinkage(effects, np.array([0.3, 0.3])) == pytest.approx([0.0, 1.0], abs=0.03)
    assert checks.residual_shrinkage(rng.standard_normal(4000)) == pytest.approx(0.0, abs=0.03)


def test_posterior_predictive_check_finds_a_trend_that_replicates_lack():
    rng = np.random.default_rng(5)
    replicated = rng.standard_normal((500, 60))
    calm = checks.posterior_predictive(rng.standard_normal(60), replicated)
    rising = checks.posterior_predictive(rng.standard_normal(60) + np.linspace(-1, 1, 60), replicated)
    name = "trend, last third against first"
    assert 0.01 < calm[name][3] < 0.99
    assert rising[name][3] > 0.99
    assert rising[name][1] < 0 < rising[name][2]


def test_mixing_tells_good_chains_from_stuck_ones():
    rng = np.random.default_rng(6)
    good = rng.standard_normal((4, 500, 2))
    stuck = good + np.array([0.0, 3.0, 0.0, 3.0])[:, None, None] * np.array([1.0, 0.0])
    assert np.all(checks.mixing(good).rhat < 1.01)
    assert np.all(checks.mixing(good).bulk > 1000)
    assert checks.mixing(stuck).rhat[0] > 1.5
    assert checks.mixing(stuck).bulk[0] < 100
    assert checks.mixing(good).error == pytest.approx([1 / np.sqrt(2000)] * 2, rel=0.3)
