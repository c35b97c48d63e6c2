"""Checks of a model against data: what they say of a right model, and of a wrong one."""

import numpy as np
import pytest
from scipy import stats

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


def people_with_their_own_scatter(rng, n, values=40):
    """People whose level and session error differ by factors: level log SD 0.75, error log SD 0.3, as in our own prior."""
    level = np.exp(0.75 * rng.standard_normal(n))[:, None]
    sd = 0.08 * np.exp(0.3 * rng.standard_normal(n))[:, None]
    return level * (1.0 + sd * rng.standard_normal((n, values)))


def test_one_person_s_npde_scatter_less_or_more_than_one_though_the_model_is_right():
    """Uncorrelated is not independent: who scatters less than the root mean square of all does so throughout."""
    rng = np.random.default_rng(7)
    replicates = people_with_their_own_scatter(rng, 1000)
    found = [checks.of_one_person(y, replicates) for y in people_with_their_own_scatter(rng, 60)]
    variances = np.array([summary.variance for _, summary in found])
    assert np.quantile(variances, 0.2) < 0.6
    assert np.quantile(variances, 0.8) > 1.4
    each = np.array([np.mean(errors**2) for errors, _ in found])
    assert abs(each.mean() - 1.0) < 3.0 * each.std() / np.sqrt(each.size)  # over people it is 1
    # Against independent normal numbers nearly everybody would be found wrong; against other people p is uniform.
    naive = np.mean([checks.of_errors(errors).p_variance < 0.1 for errors, _ in found])
    assert naive > 0.6
    for name in ("p_mean", "p_variance", "p_normal"):
        p = np.array([getattr(summary, name) for _, summary in found])
        assert stats.kstest(p, "uniform").pvalue > 0.001


def test_where_people_differ_in_nothing_both_references_agree():
    rng = np.random.default_rng(8)
    errors, summary = checks.of_one_person(rng.standard_normal(40), rng.standard_normal((2000, 40)))
    plain = checks.of_errors(errors)
    assert summary.usual == pytest.approx(stats.chi2.ppf([0.05, 0.95], 39) / 39, rel=0.07)
    assert summary.p_variance == pytest.approx(plain.p_variance, abs=0.06)
    assert summary.p_mean == pytest.approx(2.0 * stats.norm.sf(abs(summary.mean) * np.sqrt(40)), abs=0.06)


def test_one_person_unlike_the_population_is_found():
    rng = np.random.default_rng(9)
    replicates = people_with_their_own_scatter(rng, 1000)
    wild = 1.0 + 3.0 * rng.standard_normal(40)
    assert checks.of_one_person(wild, replicates)[1].p_variance < 0.01


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
