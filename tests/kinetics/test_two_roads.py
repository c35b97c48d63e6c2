"""Each concentration is reached on two roads: closed form and differential equation; kernel and paper."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranvier.kinetics import kernels
from ranvier.kinetics.disposition import Doses, expose, expose_by_ode, expose_readably, modes, steady

rates = st.floats(0.2, 5.0)
people = st.fixed_dictionaries(
    {
        "clearance": st.floats(0.05, 2.0),
        "central_volume": st.floats(1.0, 15.0),
        "intercompartmental_clearance": st.floats(0.05, 2.0),
        "peripheral_volume": st.floats(0.5, 10.0),
        "absorption_rate": st.floats(0.1, 1.5),
        "bioavailability_sc": st.floats(0.4, 1.0),
        "bioavailability_fsc": st.floats(0.4, 1.0),
    }
)
one = {"elimination_rate": 0.0583, "central_volume": 6.48, "absorption_rate": 0.44, "bioavailability_sc": 0.8}


def histories(routes=("IV", "SC", "fSCIg")):
    """Up to six doses at any time, each a bolus or lasting up to two days."""
    channel = {"IV": 0, "SC": 1, "fSCIg": 2}
    dose = st.tuples(
        st.floats(0.0, 60.0), st.sampled_from([0.0, 0.2, 2.0]), st.floats(1.0, 160.0), st.sampled_from(routes)
    )
    return st.lists(dose, min_size=1, max_size=6).map(
        lambda rows: Doses(
            np.array([r[0] for r in rows]),
            np.array([r[0] + r[1] for r in rows]),
            np.array([r[2] for r in rows]),
            np.array([channel[r[3]] for r in rows], dtype=np.int64),
        )
    )


@settings(max_examples=25, deadline=None)
@given(people, histories())
def test_two_compartments_by_formula_and_by_equation(person, doses):
    times = np.linspace(0.5, 90.0, 37)
    by_formula = expose(times, doses, modes(2, person))
    by_equation = expose_by_ode(times, doses, 2, person, rtol=1e-10)
    assert by_formula == pytest.approx(by_equation, rel=1e-6, abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(histories(("IV", "SC")))
def test_one_compartment_by_formula_and_by_equation(doses):
    times = np.linspace(0.5, 90.0, 37)
    assert expose(times, doses, modes(1, one)) == pytest.approx(
        expose_by_ode(times, doses, 1, one, rtol=1e-10), rel=1e-6, abs=1e-9
    )


@settings(max_examples=50, deadline=None)
@given(people, histories())
def test_the_kernel_and_the_sum_on_paper_are_one(person, doses):
    times = np.linspace(0.0, 90.0, 91)
    disposition = modes(2, person)
    assert expose(times, doses, disposition) == pytest.approx(
        expose_readably(times, doses, disposition), rel=1e-12, abs=1e-12
    )


@settings(max_examples=25, deadline=None)
@given(people, st.floats(5.0, 70.0), st.sampled_from(["IV", "SC", "fSCIg"]), st.sampled_from([0.0, 0.2]))
def test_what_goes_in_is_what_is_cleared(person, interval, route, length):
    """AUC over a steady cycle × clearance = bioavailable dose, whatever the person, route and interval."""
    grams = 60.0
    at = np.concatenate([np.linspace(0.0, interval, 20_001)])
    seen = steady(at, Doses.of(0.0, grams, length=length, route=route), interval, modes(2, person))
    available = {"IV": 1.0, "SC": person["bioavailability_sc"], "fSCIg": person["bioavailability_fsc"]}[route]
    assert np.trapezoid(seen, at) * person["clearance"] == pytest.approx(available * grams, rel=2e-4)


@settings(max_examples=25, deadline=None)
@given(people, histories(), st.floats(-400.0, 400.0))
def test_shifting_all_dates_changes_nothing(person, doses, shift):
    times = np.linspace(0.5, 90.0, 19)
    later = Doses(doses.start + shift, doses.stop + shift, doses.grams, doses.channel)
    disposition = modes(2, person)
    assert expose(times + shift, later, disposition) == pytest.approx(
        expose(times, doses, disposition), rel=1e-7, abs=1e-9
    )


@settings(max_examples=25, deadline=None)
@given(people, histories(("IV",)), rates)
def test_twice_the_dose_into_twice_the_volumes_is_the_same_concentration(person, doses, factor):
    bigger = person | {
        name: person[name] * factor
        for name in ("clearance", "central_volume", "intercompartmental_clearance", "peripheral_volume")
    }
    more = Doses(doses.start, doses.stop, doses.grams * factor, doses.channel)
    times = np.linspace(0.0, 90.0, 19)
    assert expose(times, more, modes(2, bigger)) == pytest.approx(
        expose(times, doses, modes(2, person)), rel=1e-9, abs=1e-12
    )


def test_the_steady_cycle_is_where_many_cycles_lead():
    disposition = modes(2, {"clearance": 0.43, "central_volume": 4.6, "intercompartmental_clearance": 0.5,
                            "peripheral_volume": 1.9})  # fmt: skip
    at = np.array([0.1, 3.0, 20.9])
    cycles = 60
    long_history = Doses.of(21.0 * np.arange(cycles), 60.0, length=0.2)
    assert steady(at, Doses.of(0.0, 60.0, length=0.2), 21.0, disposition) == pytest.approx(
        expose(at + 21.0 * (cycles - 1), long_history, disposition), rel=1e-9
    )


def test_absorption_as_fast_as_disposition_is_no_hole():
    """At ka = alpha the formula has 0/0; on both sides of it and at it, the concentration is the same."""
    person = {
        "clearance": 0.435,
        "central_volume": 4.69,
        "intercompartmental_clearance": 0.5,
        "peripheral_volume": 1.87,
    }
    alpha = float(modes(2, person).rate[0])
    times = np.array([1.0, 5.0, 20.0])
    weekly = Doses.of(0.0, 16.0, route="SC")
    beside, at_it = (
        expose(times, weekly, modes(2, person | {"absorption_rate": ka})) for ka in (alpha * (1 + 1e-5), alpha)
    )
    assert at_it == pytest.approx(beside, rel=1e-4)


@pytest.mark.parametrize(("compartments", "theta"), [
    (1, [0.058, 6.5, 0.0, 0.0, 0.44, 0.8, 0.85, 3.0]),
    (2, [0.435, 4.69, 0.5, 1.87, 0.439, 0.824, 0.9, 3.0]),
])  # fmt: skip
def test_derivatives_of_the_modes_are_exact(compartments, theta):
    def modes_of(values):
        rate, coefficient = np.empty(3), np.empty((4, 3))
        d_rate, d_coefficient = np.empty((3, 8)), np.empty((4, 3, 8))
        kernels.disposition(compartments, values, rate, coefficient, d_rate, d_coefficient)
        return np.concatenate([rate, coefficient.ravel()]), np.concatenate([d_rate, d_coefficient.reshape(12, 8)])

    centre = np.array(theta)
    _, exact = modes_of(centre)
    for p in np.flatnonzero(centre):
        step = np.zeros(8)
        step[p] = 1e-6 * centre[p]
        numeric = (modes_of(centre + step)[0] - modes_of(centre - step)[0]) / (2 * step[p])
        assert exact[:, p] == pytest.approx(numeric, rel=1e-6, abs=1e-7)


def test_impossible_parameters_are_refused():
    with pytest.raises(ValueError, match="positive clearance"):
        modes(2, {"clearance": -0.4, "central_volume": 4.0, "intercompartmental_clearance": 1, "peripheral_volume": 1})


def test_a_dose_that_ends_before_it_starts_is_refused():
    with pytest.raises(ValueError, match="stop >= start"):
        Doses(np.array([3.0]), np.array([2.0]), np.array([40.0]), np.array([0]))
