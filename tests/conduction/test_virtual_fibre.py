"""A virtual fibre conducts as the published one does, and lesions slow or stop it as they should."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranvier.conduction import virtual, virtual_nerve, virtual_twin
from ranvier.conduction.virtual import Lesion

DIAMETERS = st.floats(5.7, 16.0)


def passes(kind: str, left: float, nodes: int) -> bool:
    """Whether a 10 um fibre conducts through so many nodes with so much of their sodium conductance left."""
    return virtual_nerve.passage(kind, 10.0, Lesion(sodium=1.0 - left), nodes) is not None


def test_the_fibre_of_mcintyre_conducts_as_other_programs_found():
    """NEURON with the published file: 51.1 m/s at 10 um with backward Euler steps of 0.005 ms (nerve notes, section 6.2)."""
    assert virtual.velocity("mrg", 10.0, method="backward_euler") == pytest.approx(51.1, rel=0.01)


@pytest.mark.parametrize(("kind", "rest"), [("mrg", -80.0), ("motor", -85.94), ("sensory", -79.36)])
def test_each_kind_rests_where_its_authors_start_it(kind, rest):
    inside, under = virtual._resting_stretch(kind, 10.0, None, 37.0)
    assert inside[0] - under[0] == pytest.approx(rest, abs=0.1)


@pytest.mark.parametrize(("kind", "diameter"), [("mrg", 10.0), ("motor", 8.7), ("sensory", 14.0)])
def test_the_velocities_kept_as_data_are_those_of_the_model(kind, diameter):
    kept = virtual_nerve.tabulated_velocity(kind, np.array([diameter]))[0]
    assert virtual.velocity(kind, diameter, step=0.001) == pytest.approx(kept, rel=2e-4)


def test_the_usual_step_is_within_two_per_cent_of_a_five_times_finer_one():
    fine = virtual.velocity("motor", 11.5, step=0.001)
    assert virtual.velocity("motor", 11.5) == pytest.approx(fine, rel=0.02)


@pytest.mark.parametrize(("kind", "nodes"), [("mrg", 3), ("sensory", 2)])
def test_two_roads_to_one_action_potential(kind, nodes):
    """The compiled solver against SciPy's, which knows nothing of compartments; halving the step quarters the difference."""
    lesions = {1: Lesion(sodium=0.3, seal=2.0, polarisation=0.2)}
    how = {"nodes": nodes, "lesions": lesions, "amplitude": 1.5, "duration": 0.5, "traces": True}
    coarse, fine = (virtual.run(kind, 10.0, step=step, **how).traces for step in (0.002, 0.001))
    times = 0.001 * np.arange(fine.shape[0] + 1)
    exact = virtual_twin.node_potentials(kind, 10.0, nodes, times, lesions=lesions, amplitude=1.5)[1:]
    assert exact.max() > 20.0, "it fires"
    assert np.abs(fine - exact).max() < 0.5
    assert np.abs(coarse - exact[1::2]).max() > 2.5 * np.abs(fine - exact).max()


@settings(max_examples=15, deadline=None)
@given(st.floats(5.7, 16.0 / 1.1), st.sampled_from(virtual.KINDS))
def test_a_fibre_a_tenth_thicker_is_faster(diameter, kind):
    quick = {"step": 0.01, "parts": 1}
    assert virtual.velocity(kind, 1.1 * diameter, **quick) > virtual.velocity(kind, diameter, **quick)


@settings(max_examples=10, deadline=None)
@given(DIAMETERS)
def test_a_longer_fibre_conducts_no_faster_and_no_slower(diameter):
    quick = {"step": 0.01, "parts": 1}
    assert virtual.velocity("motor", diameter, nodes=41, **quick) == pytest.approx(
        virtual.velocity("motor", diameter, nodes=25, **quick), rel=0.01
    )


def test_one_compartment_per_internode_will_do():
    assert virtual.velocity("motor", 10.0, parts=1) == pytest.approx(virtual.velocity("motor", 10.0), rel=0.005)


def test_a_cold_fibre_is_slow():
    assert virtual.velocity("motor", 10.0, temperature=27.0) < 0.8 * virtual.velocity("motor", 10.0)


def test_watching_the_nodes_changes_nothing():
    watched, unwatched = (virtual.run("motor", 10.0, traces=t, duration=2.0).spikes for t in (True, False))
    seen = np.isfinite(unwatched)
    assert np.array_equal(watched[seen], unwatched[seen])


def test_sodium_loss_blocks_where_it_did_in_the_first_trials():
    """Nerve notes, section 6.3: this fibre jumps one dead node but not three; five nodes need a fifth of their sodium."""
    assert passes("mrg", 0.0, 1)
    assert not passes("mrg", 0.0, 3)
    assert passes("mrg", 0.05, 3)
    assert passes("mrg", 0.20, 5)
    assert not passes("mrg", 0.15, 5)


def test_there_is_a_narrow_window_in_which_only_the_motor_fibre_stops():
    """Three nodes with 15 % of their sodium: motor stops, sensory conducts; at 20 % both conduct, at 10 % neither."""
    assert passes("motor", 0.20, 3)
    assert passes("sensory", 0.20, 3)
    assert not passes("motor", 0.15, 3)
    assert passes("sensory", 0.15, 3)
    assert not passes("motor", 0.10, 3)
    assert not passes("sensory", 0.10, 3)


@pytest.mark.parametrize("what", ["sodium", "seal", "myelin", "hyperpolarisation"])
def test_the_worse_the_lesion_the_later_the_spike_until_it_stops(what):
    worst = virtual_nerve.knowledge()["lesions"][what]["worst"]
    delays = [
        virtual_nerve.passage("motor", 10.0, virtual_nerve.lesion_of(what, worst * s), 3) for s in (0, 0.3, 0.5, 1.0)
    ]
    assert delays[0] < delays[1] < delays[2]
    assert delays[-1] is None


def test_depolarisation_first_helps_and_then_blocks():
    sound, little, much = (
        virtual_nerve.passage("motor", 10.0, Lesion(polarisation=p), 5, step=0.005) for p in (0.0, 0.5, 8.0)
    )
    assert little < sound
    assert much is None


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"kind": "autonomic"}, "use one of mrg, motor, sensory"),
        ({"diameter": 3.0}, "5.7 to 16 um"),
        ({"nodes": 1}, "at least 2 nodes"),
        ({"stimulate": 30}, "at least 2 nodes"),
        ({"method": "explicit"}, "backward_euler"),
        ({"lesions": {99: Lesion()}}, "nodes are 0 to 20"),
    ],
)
def test_what_no_fibre_can_be_is_refused_with_what_to_write(wrong, says):
    with pytest.raises(ValueError, match=says):
        virtual.run(**{"kind": "motor", "diameter": 10.0, **wrong})


@pytest.mark.parametrize(
    "wrong", [{"sodium": 1.2}, {"sodium": -0.1}, {"seal": 0.5}, {"myelin": 1.0}, {"polarisation": np.nan}]
)
def test_what_no_lesion_can_be_is_refused(wrong):
    with pytest.raises(ValueError, match=r"use|must"):
        Lesion(**wrong)
