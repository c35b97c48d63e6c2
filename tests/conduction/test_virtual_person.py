"""Simulated people: strength and waves come from the same fibres, and the truth is known."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from ranvier.conduction import virtual_person as person
from ranvier.conduction.find import find_blocks

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("virtual_validation", ROOT / "tools" / "virtual_validation.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["virtual_validation"] = module
    spec.loader.exec_module(module)
    return module


def test_a_median_block_in_the_left_forearm_is_felt_and_measured(tool):
    """The left thumb cannot be lifted off the palm, the index spreads well; the median wave shrinks in that forearm only."""
    lesion = person.NerveLesion("median_forearm", "left", "sodium", 0.95, sensory=0.25)
    examination, studies, truth = tool.simulate_person(1, lesions=[lesion])
    assert examination.grade("apb", "left") in ("0", "1", "2", "3")
    assert examination.grade("fdi", "left") == examination.grade("apb", "right") == "5"
    assert truth.nerves == truth.weak_nerves == {("median", "left")}
    assert truth.blocked["median", "left", "elbow"] > 0.8
    found = find_blocks(studies)
    assert {s.name for s in found.blocks("efns2010")} == {"left median, wrist to elbow"}
    sensory = next(s for s in studies.studies if (s.nerve, s.side, s.kind) == ("median", "left", "sensory"))
    assert not sensory.sites[0].absent


def test_lost_axons_make_weakness_without_block(tool):
    lesion = person.NerveLesion("ulnar_arm", "right", "sodium", 0.0, axon_loss=0.9)
    examination, studies, truth = tool.simulate_person(2, lesions=[lesion])
    assert examination.grade("fdi", "right") != "5"
    assert not find_blocks(studies).blocks("efns2010")
    assert truth.blocked["ulnar", "right", "axilla"] == 0.0


def test_a_lesion_beyond_the_wrist_is_no_segment_of_the_study(tool):
    lesion = person.NerveLesion("median_recurrent", "right", "sodium", 1.0)
    examination, studies, truth = tool.simulate_person(3, lesions=[lesion])
    assert examination.grade("apb", "right") in ("0", "1", "2")
    assert not truth.blocked
    assert not find_blocks(studies).blocks("efns2010")


@pytest.mark.parametrize("condition", person.CONDITIONS)
def test_every_condition_can_be_examined(tool, condition):
    examination, studies, truth = tool.simulate_person(4, condition=condition)
    weak = [f for f in examination.findings if f.grade != "5"]
    assert bool(truth.lesions) == condition.endswith("mononeuropathy")
    assert len(examination.findings) == 2 * 43
    assert {s.nerve for s in studies.studies} == {"median", "ulnar", "fibular", "tibial"}
    assert all(0.0 <= x <= 1.0 for x in person.fractions(truth))
    if condition == "no_weakness":
        assert len(weak) <= 3
    if condition == "motor_neuron_disease":
        assert weak
        assert not truth.blocked


def test_the_same_seed_gives_the_same_person(tool):
    assert tool.simulate_person(7) == tool.simulate_person(7)
    assert tool.simulate_person(7)[0] != tool.simulate_person(8)[0]


def test_what_cannot_be_simulated_is_refused(tool):
    with pytest.raises(ValueError, match="use one of multiple_mononeuropathy"):
        tool.simulate_person(1, condition="stroke")
    with pytest.raises(ValueError, match="no site 'neck'"):
        tool.simulate_person(1, lesions=[person.NerveLesion("neck", "left", "sodium", 0.5)])


def test_validation_holds_answers_against_truth(tool):
    """Few people, so only what must hold: shares are shares, the healthy are left alone, published figures stand beside."""
    rows = tool.validation(1, 1)
    assert all(r["value"] is None or 0.0 <= r["value"] <= 1.0 for r in rows)
    healthy = {r["name"]: r["value"] for r in rows if r["what"] == "explanation of no_weakness"}
    assert healthy == {"no_weakness": 1.0}
    efns = {r["name"]: r for r in rows if r["what"] == "efns2010, definite"}
    assert efns["sensitivity"]["beside"] == 0.47
    assert efns["specificity"]["value"] == 1.0
    assert next(r["name"] for r in rows if r["what"] == "localiser") == "precision of nerves"
