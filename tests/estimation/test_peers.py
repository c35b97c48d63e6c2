"""Two other programs' estimates of the same 200 people (../shared/bench): ours must be the same."""

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from ranvier.estimation import kernels
from ranvier.kinetics.disposition import Doses
from ranvier.response.turnover import schedule

BENCH = Path(__file__).resolve().parents[2].parent / "shared" / "bench"
pytestmark = pytest.mark.skipif(not BENCH.exists(), reason="../shared/bench is not here")

ETAS = ("CL", "V1", "Q", "V2")
TYPICAL, VARIANCE = (0.16, 3.2, 0.40, 2.6), (0.09, 0.04, 0.09, 0.0625)


def belief():
    """Two compartments, no strength; residual variance (0.12 f)² + 0.30², Gaussian."""
    size = kernels.FIRST_MEASURE
    scale = np.full(size, kernels.PLAIN)
    scale[:4] = kernels.LOG
    centre, precision = np.zeros(size), np.eye(size)
    centre[:4] = np.log(TYPICAL)
    centre[4:7] = 1.0  # absorption and bioavailability: not used
    precision[range(4), range(4)] = 1.0 / np.array(VARIANCE)
    nobody = np.zeros(0)
    return kernels.Belief(2, 0, scale, centre, precision, np.arange(4), nobody.astype(int), nobody, 0.12, 0.3, 0.0, 0.0)


def people():
    rows = defaultdict(list)
    for row in csv.DictReader((BENCH / "pk.csv").open()):
        rows[row["ID"]].append(row)
    for person, lines in rows.items():
        given = [(float(r["TIME"]), float(r["AMT"]), float(r["RATE"])) for r in lines if r["EVID"] == "1"]
        seen = [(float(r["TIME"]), float(r["DV"])) for r in lines if r["EVID"] == "0"]
        doses = Doses.of([t for t, _, _ in given], [g for _, g, _ in given], length=[g / r for _, g, r in given])
        at, value = (np.array(column) for column in zip(*seen, strict=True))
        steps = schedule(doses, at, begin=0.0, fine=False)
        none = np.zeros(0)
        yield (
            person,
            kernels.Timeline(0.0, steps.length, steps.inflow, steps.bolus, steps.slot, at, np.arange(at.size + 1),
                             np.full(at.size, -1), value, none, none, none.astype(int)),
        )  # fmt: skip


def test_the_same_etas_and_objective():
    reference = {r["ID"]: r for r in csv.DictReader((BENCH / "pk-reference.csv").open())}
    tucuxi = {r["ID"]: r for r in csv.DictReader((BENCH / "pk-tucuxi.csv").open()) if r["NLL"]}
    prior, size = belief(), kernels.FIRST_MEASURE
    compared = 0
    for person, line in people():
        x = prior.centre.copy()
        misfit, _, converged = kernels.descend(x, line, prior, 200, 8.0, np.empty(size), np.empty((size, size)))
        eta = x[:4] - prior.centre[:4]
        assert converged
        assert eta == pytest.approx([float(reference[person][k]) for k in ETAS], abs=2e-5)
        assert 2.0 * misfit == pytest.approx(float(reference[person]["OFV"]), abs=1e-6)
        if person in tucuxi:
            assert eta == pytest.approx([float(tucuxi[person][k]) for k in ETAS], abs=1e-4)
            compared += 1
    assert compared > 150
