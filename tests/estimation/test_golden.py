"""Other programs' estimates on public data: ours agree to the stated tolerance, by an engine that knows nothing of them."""

import functools
import importlib.util

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


def test_the_page_tells_what_a_fresh_run_finds():
    spec = importlib.util.spec_from_file_location("agreement", golden.ROOT / "tools" / "agreement.py")
    agreement = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(agreement)
    assert not agreement.outdated(compared(), agreement.PAGE.read_text("utf-8"))
