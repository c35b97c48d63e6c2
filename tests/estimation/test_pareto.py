"""Pareto smoothing against the library that has it, and where it must not be trusted."""

import numpy as np
import pytest
from arviz_stats.base import array_stats
from scipy import stats

from ranvier.estimation.pareto import fit_tail, quantile, smooth

RATIOS = {
    "light tail": stats.norm(scale=0.5),
    "like ours": stats.norm(scale=1.2),
    "heavy tail": stats.t(df=2),
    "bounded": stats.uniform(loc=-3, scale=3),
}


@pytest.mark.parametrize("kind", RATIOS)
@pytest.mark.parametrize("n", [200, 1400])
def test_the_same_weights_as_the_library(kind, n):
    ratios = RATIOS[kind].rvs(size=n, random_state=np.random.default_rng(n))
    weight, k = smooth(ratios)
    theirs, their_k = array_stats.psislw(-ratios)
    assert k == pytest.approx(float(their_k), abs=1e-9)
    assert np.log(weight) == pytest.approx(theirs - np.logaddexp.reduce(theirs), abs=1e-8)
    assert weight.sum() == pytest.approx(1.0)


def test_impossible_draws_keep_no_weight():
    ratios = np.concatenate([np.random.default_rng(1).standard_normal(500), np.full(100, -np.inf)])
    weight, k = smooth(ratios)
    assert not weight[500:].any()
    assert weight.sum() == pytest.approx(1.0)
    assert k < 0.7


def test_nothing_possible_is_no_weight_at_all_and_not_trusted():
    weight, k = smooth(np.full(50, -np.inf))
    assert not weight.any()
    assert k == np.inf


def test_too_few_draws_are_not_trusted():
    _, k = smooth(np.array([0.0, -1.0, -2.0]))
    assert k == np.inf


@pytest.mark.parametrize("shape", [-0.3, 0.2, 0.6, 1.1])
def test_a_known_tail_is_found(shape):
    """k is drawn a little towards 0.5; with 4000 exceedances it hardly shows."""
    drawn = np.sort(stats.genpareto(shape, scale=2.0).rvs(size=4000, random_state=np.random.default_rng(3)))
    k, scale = fit_tail(drawn)
    assert k == pytest.approx(shape, abs=0.06)
    assert scale == pytest.approx(2.0, rel=0.08)
    p = np.array([0.1, 0.5, 0.99])
    assert quantile(p, shape, 2.0) == pytest.approx(stats.genpareto(shape, scale=2.0).ppf(p))
