"""The peer: the same fibre in NEURON, where it is installed and can compile."""

from __future__ import annotations

import pytest

from ranvier.conduction import virtual

from . import virtual_neuron as peer

MISSING = peer.why_not()
pytestmark = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))
DIAMETERS = (5.7, 8.7, 10.0, 11.5, 14.0, 16.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("mechanisms")
    peer.compile_into(made, ("mrg",))
    return made


def test_neuron_finds_the_same_velocities_and_the_same_block(folder):
    """Same fibre, same step: within 2 % over all sizes. And five nodes with a fifth, or 15 %, of their sodium."""
    jobs = [{"kind": "mrg", "diameter": d, "step": 0.005, "duration": 1.5} for d in DIAMETERS]
    jobs += [
        {
            "kind": "mrg",
            "diameter": 10.0,
            "step": 0.005,
            "duration": 5.0,
            "sodium": {str(10 + k): lost for k in range(5)},
        }
        for lost in (0.80, 0.85)
    ]
    *velocities, passes, blocks = peer.ask(folder, jobs)
    for diameter, theirs in zip(DIAMETERS, velocities, strict=True):
        assert virtual.velocity("mrg", diameter, method="backward_euler") == pytest.approx(theirs["velocity"], rel=0.02)
    assert passes["arrived"]
    assert not blocks["arrived"]
