"""If people came from our own model, would our intervals tell the truth? A little here; many with CALIBRATION_PEOPLE=2000.

Truth is drawn from the prior, a person is simulated, fitted, and the truth's place among the weighted draws noted. If the
intervals are honest these places are uniform: for parameters, and for the quantities that decide.
"""

import os

import numpy as np
import pytest
from scipy import stats
from tests.estimation.people import AT, someone

from ranvier.estimation import history, kernels, model
from ranvier.estimation.objective import natural_values, predicted
from ranvier.estimation.posterior import Explained, bring_to_now
from ranvier.estimation.predict import FutureDoses, cycle
from ranvier.estimation.sampling import importance
from ranvier.estimation.search import search
from ranvier.evidence import load

PEOPLE = int(os.environ.get("CALIBRATION_PEOPLE", "30"))
DESIGNS = {
    "IgG and daily grip": {"days": 60, "n_igg": 3},
    "grip only, as K-PD": {"days": 60, "n_igg": 0},
    "twice a week": {"days": 120, "n_igg": 2, "every": 3},
}


def simulate(x, line, belief, rng):
    """Observations of a person with parameters x, by the model's own residuals."""
    theta = natural_values(x, belief)
    f = predicted(x, line, belief)
    when = np.repeat(line.at, np.diff(line.pointer))
    y, last, e = np.empty_like(f), None, 0.0

    def innovation(tail):
        return rng.standard_t(tail) * np.sqrt((tail - 2.0) / tail) if tail else rng.standard_normal()

    for o, kind in enumerate(line.kind):
        if kind < 0:
            y[o] = f[o] + np.hypot(belief.igg_proportional * f[o], belief.igg_add) * innovation(belief.igg_tail)
            continue
        sigma, phi = theta[kernels.FIRST_MEASURE + 2], theta[kernels.FIRST_MEASURE + 3]
        rho = 0.0 if last is None else phi ** (when[o] - last)
        e = rho * e + np.sqrt(1.0 - rho**2) * innovation(belief.tail)
        y[o] = f[o] + np.hypot(sigma * f[o], belief.add[0]) * e
        last = when[o]
    return y


def decisive(rows, past, candidate):
    """What decides, for each row of parameters: trough and swing of the steady cycle of 40 g every 21 days."""
    only = (Explained(candidate, None, None, 1.0),)
    draws, _ = bring_to_now(past, only, [rows], np.arange(len(rows)), np.empty(0), bool(past.igg.used.any()))
    capacity = cycle(draws, FutureDoses.of(0.0, 40.0), 21.0, np.arange(0.0, 21.5, 0.5)).capacity[0]
    trough, peak = capacity[:, -1], capacity.max(axis=1)
    return np.column_stack([trough, 1.0 - trough / peak])


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("kinetics", [0, 2], ids=["li2024b", "tortorici2021"])
def test_intervals_tell_the_truth(design, kinetics):
    knowledge = load()
    record = someone(**DESIGNS[design])
    past = history.build(record, knowledge, AT)
    candidate = model.candidates(past, knowledge, model.body_of(record, knowledge.composite, AT))[kinetics]
    belief, free = candidate.belief, candidate.belief.free
    line = model.timeline(past)
    rng = np.random.default_rng(2026)
    places, trusted = [], 0
    for person in range(PEOPLE):
        truth = belief.centre.copy()
        truth[free] += candidate.chol @ rng.standard_normal(free.size)
        data = simulate(truth, line, belief, rng)
        if np.any(data <= 0):  # a residual of ten SD: not a force
            continue
        seen = line._replace(value=data)
        sample = importance(candidate, seen, search(candidate, seen), np.random.default_rng(person))
        trusted += sample.pareto_k < 0.7
        below = sample.x[:, free] < truth[free]
        decides = decisive(sample.x, past, candidate) < decisive(truth[None], past, candidate)
        places.append(sample.weight @ np.column_stack([below, decides]))
    ranks = np.array(places)
    names = [candidate.names[p] for p in free] + ["trough", "swing"]
    unlikely = {n: p for n, r in zip(names, ranks.T, strict=True) if (p := stats.kstest(r, "uniform").pvalue) < 0.001}
    assert not unlikely
    inside = np.mean((ranks > 0.05) & (ranks < 0.95))
    error = np.sqrt(0.9 * 0.1 / ranks.shape[0])  # as if all parameters of a person were one
    assert inside == pytest.approx(0.9, abs=4 * error)
    assert trusted >= 0.85 * len(places)
