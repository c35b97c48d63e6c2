"""If people came from our own model, would our intervals tell the truth? A little here; many with `make calibration`.

Truth is drawn from the prior, a person is simulated, fitted, and the truth's place among the draws noted. If the intervals
are honest these places are uniform: for parameters, and for the quantities that decide.
"""

import dataclasses

import numpy as np
import pytest
from scipy import stats

from ranvier.cohort.calibration import DESIGNS, draw_case, places, places_by_nuts
from ranvier.estimation.objective import predicted
from ranvier.estimation.replicate import expected, replicate
from ranvier.evidence import load

KNOWLEDGE = load()
PEOPLE, BY_NUTS = 25, 3


def rng(*seed):
    return np.random.default_rng([2026, *seed])


@pytest.mark.parametrize("design", DESIGNS)
def test_intervals_tell_the_truth(design):
    """All four explanations are fitted and mixed, as for a real person."""
    found = [places(draw_case(DESIGNS[design], KNOWLEDGE, rng(i)), KNOWLEDGE, i) for i in range(PEOPLE)]
    by_name = {}
    for one in found:
        for name, place in (one.parameters | one.decisions).items():
            by_name.setdefault(name, []).append(place)
    unlikely = {n: p for n, r in by_name.items() if (p := stats.kstest(r, "uniform").pvalue) < 0.001}
    assert not unlikely
    inside = np.mean([0.05 < place < 0.95 for r in by_name.values() for place in r])
    assert inside == pytest.approx(0.9, abs=4 * np.sqrt(0.9 * 0.1 / PEOPLE))  # as if all of a person were one
    stated = np.array([(o.p_above, o.above) for o in found]).T
    error = np.sqrt(np.sum(stated[0] * (1 - stated[0])))
    assert abs(np.sum(stated[1] - stated[0])) < 3.5 * error + 1e-9
    assert np.mean([one.pareto_k < 0.7 for one in found]) >= 0.85


def test_intervals_by_nuts_tell_the_truth():
    found = [places_by_nuts(draw_case(DESIGNS["joint"], KNOWLEDGE, rng(i)), KNOWLEDGE, i) for i in range(BY_NUTS)]
    inside = np.array([place for one in found for place in (one.parameters | one.decisions).values()])
    assert np.mean((inside > 0.05) & (inside < 0.95)) > 0.75
    assert all(one.rhat < 1.05 and one.divergences == 0 for one in found)


def test_a_person_drawn_with_the_same_seed_is_the_same():
    one, other = (draw_case(DESIGNS["joint"], KNOWLEDGE, rng(3)) for _ in range(2))
    assert np.array_equal(one.line.value, other.line.value)
    first, second = (dataclasses.asdict(places(one, KNOWLEDGE, 3)) for _ in range(2))
    assert {k: v for k, v in first.items() if k != "seconds"} == {k: v for k, v in second.items() if k != "seconds"}


@pytest.mark.parametrize("design", DESIGNS)
def test_expected_values_of_many_rows_are_those_of_the_readable_model(design):
    case = draw_case(DESIGNS[design], KNOWLEDGE, rng(1))
    belief = case.explanations[case.truth].belief
    rows = np.vstack([case.x, belief.centre])
    fast = expected(rows, case.line, belief)
    for row, f in zip(rows, fast, strict=True):
        assert f == pytest.approx(predicted(row, case.line, belief), rel=2e-6)


def test_replicated_values_scatter_as_the_model_says():
    """Over many replicates: mean, SD and correlation from day to day."""
    case = draw_case(DESIGNS["joint"], KNOWLEDGE, rng(2))
    belief = case.explanations[case.truth].belief
    rows = np.tile(belief.centre, (4000, 1))
    values = replicate(rows, case.line, belief, rng(4))
    f = expected(rows[:1], case.line, belief)[0]
    grip = np.flatnonzero(case.line.kind == 0)
    z = (values[:, grip] - f[grip]) / (0.08 * f[grip])
    assert z.mean() == pytest.approx(0.0, abs=0.02)
    assert z.std() == pytest.approx(1.0, abs=0.03)
    assert np.mean(z[:, 1:] * z[:, :-1]) == pytest.approx(0.3, abs=0.03)
