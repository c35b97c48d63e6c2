"""Many invented people of each kind that makes searches fail: none may be lost, none may stay in a higher valley.

Data come from the population itself. The search as `ranvier fit` makes it (seven starts) is held against one with thirty.
RANVIER_PEOPLE=1000 takes more people (two minutes).
"""

import os

import numpy as np
import pytest
from tests.estimation.general import population, problem

from ranvier.estimation.individual import Bench, fit
from ranvier.estimation.individual_result import person

PEOPLE = int(os.environ.get("RANVIER_PEOPLE", "150"))
HEAD = "ID,TIME,EVID,AMT,RATE,CMT,SS,II,ADDL,CENS,DVID,DV"


def oral(i):
    """One dose, samples from before the lag on."""
    return [(0, 1, 100, 0, 1, 0, 0, 0, 1)], [(t, 1) for t in (0.1, 0.5, 1, 2, 4, 8, 24, 36)]


def steady(i):
    """At steady state when first seen, then seven doses more."""
    return [(0, 1, 60, 0, 1, 1, 12, 6, 1)], [(t, 1) for t in (1, 3, 11.5, 60, 80, 96, 120)]


def again(i):
    """Emptied (EVID 3) and dosed anew (EVID 4), infusion after that."""
    return [(0, 1, 100, 0, 1, 0, 0, 0, 1), (30, 3, 0, 0, 1, 0, 0, 0, 1), (31, 4, 80, 0, 1, 0, 0, 0, 1),
            (60, 1, 50, 25, 2, 0, 0, 0, 1)], [(t, 1) for t in (1, 6, 20, 33, 45, 61, 75)]  # fmt: skip


def effect(i):
    """Concentration and the effect that follows it by days."""
    return [(0, 1, 100, 0, 1, 0, 0, 0, 1)], [(t, d) for t in (1, 6, 24, 48, 72, 96, 144) for d in (1, 2)]


KINDS = {
    "oral with lag, zero predictions under proportional error": (oral, "proportional", None, 0.0),
    "oral with lag, combined error": (oral, "combined_sum", None, 0.0),
    "a third below quantification": (oral, "additive", None, 2.5),
    "steady state": (steady, "combined_root", None, 0.0),
    "resets and an infusion": (again, "combined_root", None, 0.0),
    "turnover": (effect, "combined_root", "turnover_inhibit_production", 0.0),
}


def simulated(kind, seed=1):
    """A problem of so many people drawn from its own population, values below the limit given as censored."""
    plan, error, response, limit = KINDS[kind]
    more = {} if response is None else {"outputs": {"column": "DVID", "concentration": 1, "response": 2}}
    it = population("one_compartment_oral", response, more=("lag_time",), error=error, **more)

    def text(values):
        lines, k = [HEAD], 0
        for i in range(1, PEOPLE + 1):
            doses, samples = plan(i)
            rows = [(d[0], 0, ",".join(map(str, [i, *d[:8], 0, 1, "."]))) for d in doses]
            for t, which in samples:
                below = which == 1 and values is not None and values[k] < limit
                value = 1.0 if values is None else (limit if below else values[k])
                rows.append((t, 1, f"{i},{t},0,.,.,.,.,.,.,{int(below)},{which},{value:.5g}"))
                k += 1
            lines += [row for _, _, row in sorted(rows, key=lambda r: r[:2])]
        return "\n".join(lines)

    empty, rng = problem(text(None), it), np.random.default_rng(seed)
    bench, values = Bench(empty), []
    for i in range(PEOPLE):
        n = empty.etas(i)
        look = bench.look(i, np.linalg.cholesky(bench.omega(i)) @ rng.standard_normal(n))
        values += (look.f + np.sqrt(look.v) * rng.standard_normal(look.f.size)).tolist()
    return problem(text(values), it)


@pytest.mark.parametrize("kind", KINDS)
def test_of_many_people_none_is_lost_and_none_stays_in_a_higher_valley(kind):
    p = simulated(kind)
    usual, thorough = fit(p), fit(p, extra=29)
    assert usual.arrived.all()
    assert np.all(np.isfinite(usual.objective))
    worse = np.flatnonzero(usual.objective > thorough.objective + 1e-3)
    assert worse.size == 0, f"{worse.size} people: {worse[:5]}"
    bench = Bench(p)
    assert all(np.isfinite(person(p, bench, usual, i).covariance).all() for i in range(0, PEOPLE, 50))
