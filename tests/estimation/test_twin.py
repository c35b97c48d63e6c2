"""The compiled misfit against its readable twin, and its derivatives against differences."""

import dataclasses

import numpy as np
import pytest
from tests.estimation.people import AT, Truth, someone

from ranvier.estimation import history, kernels, model
from ranvier.estimation.objective import misfit_readably
from ranvier.evidence import load
from ranvier.record.nouns import Before


def explanations(record):
    knowledge = load()
    past = history.build(record, knowledge, AT)
    body = model.body_of(record, knowledge.composite, AT)
    return model.timeline(past), model.candidates(past, knowledge, body)


def away_from(candidate, *, seed):
    """A point some way off the prior's centre, in the free parameters."""
    free = candidate.belief.free
    x = candidate.belief.centre.copy()
    x[free] += 0.5 * candidate.chol @ np.random.default_rng(seed).standard_normal(free.size)
    return x


REGIMEN = Before("regimen", product="privigen", grams=30.0, interval_days=28.0, route="IV")
STORIES = {
    "two hands and IgG": someone(Truth(levels=(10.0, 25.0), imax=(0.6, 0.1)), days=60, n_igg=3),
    "no IgG ever": someone(days=60, n_igg=0),
    "measured weekly": someone(days=120, every=7),
    "earlier regimen known": dataclasses.replace(someone(days=50), before=REGIMEN),
    "earlier regimen unknown": someone(days=50, before="unknown"),
    "under the skin": dataclasses.replace(
        someone(days=50),
        infusions=tuple(dataclasses.replace(i, route="SC") for i in someone(days=50, interval=7.0).infusions),
    ),
}


@pytest.mark.parametrize("story", STORIES)
def test_kernel_and_paper_give_one_number(story):
    line, candidates = explanations(STORIES[story])
    for seed, candidate in enumerate(candidates):
        x = away_from(candidate, seed=seed)
        size = x.size
        fast = kernels.misfit(x, line, candidate.belief, True, np.empty(size), np.empty((size, size)))
        lean = kernels.misfit(x, line, candidate.belief, False, np.empty(0), np.empty((0, 0)))
        assert fast == pytest.approx(misfit_readably(x, line, candidate.belief), rel=1e-8)
        assert lean == pytest.approx(fast, rel=1e-12)


@pytest.mark.parametrize("story", STORIES)
def test_the_gradient_is_exact(story):
    line, candidates = explanations(STORIES[story])
    for seed, candidate in enumerate(candidates):
        x = away_from(candidate, seed=seed)
        size = x.size
        gradient, hessian = np.empty(size), np.empty((size, size))
        nothing, none = np.empty(0), np.empty((0, 0))
        kernels.misfit(x, line, candidate.belief, True, gradient, hessian)
        for p in candidate.belief.free:
            step = np.zeros(size)
            step[p] = 1e-5
            up = kernels.misfit(x + step, line, candidate.belief, False, nothing, none)
            down = kernels.misfit(x - step, line, candidate.belief, False, nothing, none)
            assert gradient[p] == pytest.approx((up - down) / 2e-5, rel=1e-5, abs=1e-5), candidate.names[p]
        free = np.ix_(candidate.belief.free, candidate.belief.free)
        assert np.all(np.linalg.eigvalsh(hessian[free]) > 0)


def test_the_expected_curvature_is_the_average_of_the_observed():
    """Fisher's information is the mean of the second derivative over data from the model: here over 200 people, Gaussian."""
    line, candidates = explanations(someone(days=40, n_igg=2))
    candidate = candidates[2]
    belief = candidate.belief._replace(tail=0.0, igg_tail=0.0, precision=1e-12 * np.eye(candidate.belief.centre.size))
    x, free = belief.centre, belief.free
    size = x.size
    gradient, expected = np.empty(size), np.empty((size, size))
    kernels.misfit(x, line, belief, True, gradient, expected)
    from ranvier.estimation.objective import predicted

    f = predicted(x, line, belief)
    rng = np.random.default_rng(5)
    theta = np.exp(x)
    scores = []
    for _ in range(400):
        y, e = np.empty_like(f), None
        for o, kind in enumerate(line.kind):
            if kind < 0:
                y[o] = f[o] + np.hypot(belief.igg_proportional * f[o], belief.igg_add) * rng.standard_normal()
                continue
            z = rng.standard_normal()
            rho = 1.0 / (1.0 + np.exp(-x[15]))  # one day apart
            e = z if e is None else rho * e + np.sqrt(1.0 - rho**2) * z
            y[o] = f[o] + np.hypot(theta[14] * f[o], belief.add[0]) * e
        kernels.misfit(x, line._replace(value=y), belief, True, gradient, np.empty((size, size)))
        scores.append(gradient[free])
    covariance = np.cov(np.array(scores).T)
    ratio = np.diag(covariance) / np.diag(expected)[free]
    assert ratio == pytest.approx(np.ones(free.size), abs=0.25)  # SE of a variance from 400 people: 7 %
