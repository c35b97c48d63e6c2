"""Other programs' estimates on public data: ours agree to the stated tolerance, by an engine that knows nothing of them."""

import functools
import importlib.util

import numpy as np
import pytest
from tests.estimation import golden

pytestmark = pytest.mark.skipif(not golden.GOLDEN.exists(), reason="../shared/golden is not here")


@functools.cache
def compared():
    return golden.rows()


@pytest.mark.parametrize(
    "which", ["theophylline", "warfarin-pk", "warfarin-turnover", "phenobarbital", "wang2007", "dosing"]
)
def test_every_number_of_the_set_agrees(which):
    mine = [r for r in compared() if r.set == which]
    assert mine
    assert not [f"{r.quantity}: {r.ours} for {r.theirs}" for r in mine if not r.agrees]


def test_every_search_arrives():
    assert golden.fit(golden.warfarin_turnover()).arrived.all()


@pytest.mark.parametrize("subject", [3, 15])
def test_a_second_optimum_far_out_is_found_by_looking_and_not_taken(subject):
    """Absorption a hundred times slower in a volume ten prior SD smaller. Every optimum besides the best one is of that kind."""
    problem = golden.warfarin_turnover()
    best, *others = golden.optima(problem, subject - 1)
    assert others
    for value, z in others:
        assert value > best[0] + 50.0
        assert np.abs(z).max() > 5.0
    theirs = golden.phi(golden.GOLDEN / "warfarin-turnover" / "individual.phi")[subject - 1]
    eta = np.sqrt([0.55813, 0.558402, 0.0785849, 0.0508227, 5e-5, 0.184268, 0.00836315, 0.00274562]) * best[1]
    np.testing.assert_allclose(eta, [theirs[f"ETA({k})"] for k in range(1, 9)], atol=1e-3)
    assert golden.fit(problem).objective[subject - 1] <= best[0] + 1e-6


def test_the_page_tells_what_a_fresh_run_finds():
    spec = importlib.util.spec_from_file_location("agreement", golden.ROOT / "tools" / "agreement.py")
    agreement = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(agreement)
    assert not agreement.outdated(compared(), agreement.PAGE.read_text("utf-8"))
