"""Strength is reached on three roads: the compiled scheme, its readable twin, and the differential equation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranvier.estimation.nouns import Draws
from ranvier.estimation.predict import cycle, predict
from ranvier.kinetics.disposition import Doses, expose, modes
from ranvier.response.turnover import balance, respond, respond_by_ode, schedule

CIDP = {"clearance": 0.435, "central_volume": 4.69, "intercompartmental_clearance": 0.5, "peripheral_volume": 1.87}
HISTORY = Doses.of([0.4, 1.4, 2.4, 21.4, 42.4, 63.4], [35.0, 35.0, 35.0, 83.0, 83.0, 83.0], length=0.2)
DAYS = np.arange(0.0, 85.0)

sd2 = st.floats(-2.0, 2.0)  # of the prior: facts/pkpd.md 7.2
responses = st.builds(
    lambda a, b, c: {
        "c50": 9.4 * np.exp(0.6 * a),
        "kout": 0.55 * np.exp(0.6 * b),
        "imax": 1.0 / (1.0 + np.exp(-0.433 - 0.6 * c)),
    },
    sd2,
    sd2,
    sd2,
)


def draws(response, *, people=CIDP, decline=0.0, level=10.0):
    disposition = modes(2, people)
    return Draws(
        rate=disposition.rate[None],
        coefficient=np.ascontiguousarray(disposition.coefficient[None, :3]),
        modes=np.zeros((1, 3)),
        c50=np.array([response["c50"]]),
        kout=np.array([response["kout"]]),
        decline=np.array([decline]),
        imax=np.array([[response["imax"]]]),
        level=np.array([[level]]),
        relative=np.ones((1, 1)),
        sd=np.array([[0.08]]),
        add=np.zeros((1, 1)),
        persistence=np.array([[0.3]]),
        endogenous=np.array([11.0]),
        responds=np.array([True]),
        population=np.array([0]),
    )


@settings(max_examples=12, deadline=None)
@given(responses, st.floats(0.0, 0.2))
def test_the_scheme_and_the_equation_agree_to_a_millionth(response, per_year):
    decline = per_year / 365.25
    disposition = modes(2, CIDP)
    by_scheme = predict(draws(response, decline=decline), HISTORY, DAYS).capacity[0, 0] / 10.0
    by_equation = respond_by_ode(
        DAYS,
        lambda t: float(expose(np.array([t]), HISTORY, disposition)[0]),
        np.concatenate([HISTORY.start, HISTORY.stop]),
        relative=1.0,
        decline=decline,
        rtol=1e-10,
        **response,
    )
    assert by_scheme == pytest.approx(by_equation, rel=1e-6)


@settings(max_examples=12, deadline=None)
@given(responses)
def test_the_kernel_and_its_twin_are_one(response):
    disposition = modes(2, CIDP)
    steps = schedule(HISTORY, DAYS, begin=0.0)
    twin = respond(
        lambda t: float(expose(np.array([t]), HISTORY, disposition)[0]),
        steps.length.tolist(),
        start=0.0,
        relative=1.0,
        **response,
    )[steps.slot >= 0]
    assert predict(draws(response), HISTORY, DAYS).capacity[0, 0] / 10.0 == pytest.approx(twin, rel=1e-10)


@settings(max_examples=25, deadline=None)
@given(responses, st.floats(1.0, 400.0))
def test_no_dose_lifts_strength_to_its_ceiling(response, grams):
    """1 / (1 - imax) times the untreated strength is out of reach, however much is given; and more is never less."""
    some, more = (
        predict(draws(response), Doses.of(7.0 * np.arange(12), g), DAYS).capacity[0, 0] for g in (grams, 1.3 * grams)
    )
    assert np.all(some < 10.0 * balance(1e12, c50=response["c50"], imax=response["imax"]))
    assert np.all(more >= some - 1e-9)


@given(responses)
@settings(max_examples=10, deadline=None)
def test_undosed_strength_stays(response):
    nothing = Doses.of([], [])
    assert predict(draws(response), nothing, DAYS).capacity[0, 0] == pytest.approx(np.full(85, 10.0), rel=1e-12)


def test_undosed_strength_declines_only_as_told():
    response = {"c50": 9.4, "kout": 2.0, "imax": 0.6}  # strength lags behind its level by half a day
    seen = predict(draws(response, decline=0.1 / 365.25), Doses.of([], []), np.array([0.0, 365.25])).capacity[0, 0]
    assert seen[1] / seen[0] == pytest.approx(np.exp(-0.1), rel=2e-4)


@settings(max_examples=10, deadline=None)
@given(responses, st.sampled_from([7.0, 14.0, 28.0, 45.0]))
def test_the_repeating_cycle_is_where_many_cycles_lead(response, interval):
    repetitions = int(np.ceil(900.0 / interval))
    days = np.linspace(0.0, interval, 15)
    long = Doses.of(interval * np.arange(repetitions), 60.0, length=0.2)
    at_last = predict(draws(response), long, days + interval * (repetitions - 1)).capacity
    assert cycle(draws(response), Doses.of(0.0, 60.0, length=0.2), interval, days).capacity == pytest.approx(
        at_last, rel=1e-6
    )


def test_outputs_out_of_order_are_refused():
    with pytest.raises(ValueError, match="must increase"):
        schedule(HISTORY, np.array([3.0, 2.0]), begin=0.0)
