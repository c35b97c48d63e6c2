"""The general family of models: closed form and solver tell the same, and both know how they change with each parameter."""

import numpy as np
import pytest
from tests.estimation.general import population, predictions, problem

INTO_THE_VEIN = """ID,TIME,EVID,AMT,RATE,CMT,DVID,DV,II,ADDL
1,0,1,20,40,1,0,.,0,0
1,0.2,0,.,.,.,1,1,.,.
1,0.2,0,.,.,.,2,1,.,.
1,3,1,15,0,1,0,.,4,2
1,3,0,.,.,.,1,1,.,.
1,6.5,0,.,.,.,2,1,.,.
1,9,0,.,.,.,1,1,.,.
1,25,0,.,.,.,1,1,.,.
1,25,0,.,.,.,2,1,.,.
"""
BY_MOUTH = INTO_THE_VEIN.replace("3,1,15,0,1", "3,1,15,0,2").replace("0,1,20,40,1", "0,1,20,0,1")
STEADY = """ID,TIME,EVID,AMT,RATE,CMT,DVID,DV,II,SS
1,0,1,20,10,1,0,.,3,1
1,0.2,0,.,.,.,1,1,.,.
1,4,0,.,.,.,1,1,.,.
1,7,1,5,0,1,0,.,6,2
1,9,0,.,.,.,1,1,.,.
"""
KINETICS = [
    ("one_compartment", INTO_THE_VEIN, ()),
    ("two_compartment", INTO_THE_VEIN, ("initial", "endogenous")),
    ("three_compartment", INTO_THE_VEIN, ()),
    ("one_compartment_oral", BY_MOUTH, ("lag_time", "bioavailability")),
    ("two_compartment_oral", INTO_THE_VEIN, ("lag_time", "bioavailability")),
    ("three_compartment_oral", BY_MOUTH, ()),
    ("two_compartment_transit", BY_MOUTH.replace(",2,0,.,4", ",3,0,.,4"), ("lag_time",)),
    ("one_compartment_zero_order", INTO_THE_VEIN, ("lag_time", "bioavailability")),
    ("two_compartment", STEADY, ()),
    ("one_compartment_oral", STEADY, ("lag_time",)),
]
RESPONSES = [
    None,
    "direct_emax",
    "effect_compartment_emax",
    "turnover_inhibit_production",
    "turnover_inhibit_loss",
    "turnover_stimulate_production",
    "turnover_stimulate_loss",
]
SATURABLE = [
    "one_compartment_michaelis_menten",
    "two_compartment_michaelis_menten",
    "one_compartment_fcrn",
    "two_compartment_fcrn",
]


def somebody(p):
    """An eta away from the middle, the same each time."""
    return 0.25 * np.sin(1.0 + 2.0 * np.arange(p.etas(0)))


def by_differences(p, eta, *, solver=False):
    table = []
    for d in range(eta.size):
        up, down = eta.copy(), eta.copy()
        up[d] += 1e-5
        down[d] -= 1e-5
        table.append((predictions(p, 0, up, solver=solver)[0] - predictions(p, 0, down, solver=solver)[0]) / 2e-5)
    return np.array(table).T


def only_concentrations(text):
    return "\n".join(line for line in text.splitlines() if line.split(",")[6] != "2") + "\n"


@pytest.mark.parametrize("response", RESPONSES)
@pytest.mark.parametrize(("kinetics", "text", "more"), KINETICS)
def test_the_closed_form_and_the_solver_tell_the_same_course(kinetics, text, more, response):
    if response is None:
        text = only_concentrations(text)
    elif "SS" in text.splitlines()[0] and response.startswith("turnover"):
        pytest.skip("steady states of a response always go to the solver")
    p = problem(text, population(kinetics, response, more=more))
    eta = somebody(p)
    closed, by_closed, road = predictions(p, 0, eta)
    solved, by_solved, other = predictions(p, 0, eta, solver=True)
    assert (road, other) == (0, 1)
    assert np.allclose(closed, solved, rtol=2e-7, atol=1e-9)
    assert np.allclose(by_closed, by_solved, rtol=1e-5, atol=2e-6 * np.abs(solved).max())


@pytest.mark.parametrize("response", [None, "turnover_stimulate_loss"])
@pytest.mark.parametrize("kinetics", SATURABLE)
def test_saturable_courses_know_how_they_change_with_each_parameter(kinetics, response):
    text = INTO_THE_VEIN if response else only_concentrations(INTO_THE_VEIN)
    p = problem(text, population(kinetics, response))
    eta = somebody(p)
    f, a, road = predictions(p, 0, eta)
    assert road == 1
    assert np.all(f > 0)
    assert np.allclose(a, by_differences(p, eta), rtol=1e-5, atol=1e-5 * np.abs(f).max())


@pytest.mark.parametrize(("kinetics", "text", "more"), KINETICS)
def test_derivatives_agree_with_differences(kinetics, text, more):
    p = problem(only_concentrations(text), population(kinetics, None, more=more))
    eta = somebody(p)
    f, a, _ = predictions(p, 0, eta)
    assert np.allclose(a, by_differences(p, eta), rtol=1e-5, atol=1e-6 * np.abs(f).max())
