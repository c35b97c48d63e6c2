"""The general family: compiled courses agree with the differential equations as written on paper, solved by SciPy."""

import numpy as np
import pytest
from tests.estimation.general import population, predictions, problem

from ranvier.response.family import Given, course_by_ode

TEXT = """ID,TIME,EVID,AMT,RATE,CMT,DVID,DV
1,0,1,20,40,1,0,.
1,0.2,0,.,.,.,1,1
1,0.2,0,.,.,.,2,1
1,3,0,.,.,.,1,1
1,3,0,.,.,.,2,1
1,3,1,15,0,1,0,.
1,9,0,.,.,.,1,1
1,9,0,.,.,.,2,1
1,25,0,.,.,.,1,1
1,25,0,.,.,.,2,1
"""
TIMES = np.array([0.2, 3.0, 9.0, 25.0])
PAIRS = [
    ("one_compartment", "turnover_inhibit_loss"),
    ("three_compartment", "direct_inhibition"),
    ("two_compartment_oral", "effect_compartment_emax"),
    ("one_compartment_transit", "turnover_stimulate_production"),
    ("one_compartment_oral_michaelis_menten", "turnover_inhibit_production"),
    ("two_compartment_michaelis_menten", "turnover_stimulate_loss"),
    ("two_compartment_fcrn", "turnover_inhibit_loss"),
]


@pytest.mark.parametrize(("kinetics", "response"), PAIRS)
def test_a_compiled_course_is_that_of_the_equations(kinetics, response):
    p = problem(TEXT, population(kinetics, response, more=("hill",)))
    eta = 0.2 * np.sin(3.0 * np.arange(p.etas(0)))
    f, _, _ = predictions(p, 0, eta)
    theta = p.defaults()
    for name, parameter in p.population.parameters.items():
        x = eta[p.population.subject_names.index(name)]
        odds = parameter.typical / (1 - parameter.typical) * np.exp(x)
        theta[p.slots[name]] = odds / (1 + odds) if parameter.scale == "logit" else parameter.typical * np.exp(x)
    depot = p.structure.absorption > 0
    doses = [Given(0.0, 20.0, 0.5, depot), Given(3.0, 15.0, 0.0, depot)]
    concentration, effect = course_by_ode(p.structure, theta, doses, TIMES)
    kind = p.cohort.o_kind
    assert np.allclose(f[kind == 0], concentration, rtol=1e-6)
    assert np.allclose(f[kind == 1], effect, rtol=1e-6)
