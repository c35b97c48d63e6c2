"""Strength of the typical person of Li 2024b, as an independent ODE and a quadrature printed it (facts/pkpd.md 2.1)."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from ranvier.estimation.nouns import Draws
from ranvier.estimation.predict import FutureDoses, cycle, predict

LI = {"kel": 0.05832, "volume": 6.48, "c50": 9.41, "kout": 0.552, "imax": 0.6066, "level": 10.6}


@pytest.fixture
def typical():
    one = np.ones(1)
    coefficient = np.zeros((1, 3, 3))
    coefficient[0, 0, 0] = 1.0 / LI["volume"]
    return Draws(
        rate=np.array([[LI["kel"], 0.0, 0.0]]),
        coefficient=coefficient,
        modes=np.zeros((1, 3)),
        c50=LI["c50"] * one,
        kout=LI["kout"] * one,
        decline=0.0 * one,
        imax=np.array([[LI["imax"]]]),
        level=np.array([[LI["level"]]]),
        relative=np.array([[1.0]]),
        sd=np.array([[0.06]]),
        add=np.array([[0.0]]),
        persistence=np.array([[0.3]]),
        endogenous=np.nan * one,
        responds=np.array([True]),
        population=np.array([0]),
    )


@pytest.mark.parametrize(
    ("grams", "interval", "igg_peak", "igg_trough", "peak", "peak_day", "trough", "mean"),
    [
        (83.5, 28.0, 16.0142, 3.1284, 15.8413, 5.99, 12.7248, 14.4452),
        (83.5, 21.0, 18.2477, 5.3619, 16.4123, 5.55, 13.9627, 15.4160),
        (41.75, 14.0, 11.5461, 5.1032, 15.0651, 4.29, 13.8209, 14.5896),
        (133.6, 28.0, 25.6227, 5.0054, 17.4926, 6.59, 13.7795, 15.9076),
    ],
)
def test_steady_cycles(typical, grams, interval, igg_peak, igg_trough, peak, peak_day, trough, mean):
    days = np.linspace(0.0, interval, int(interval * 100) + 1)
    seen = cycle(typical, FutureDoses.of(0.0, grams), interval, days)
    strength, igg = seen.capacity[0, 0], seen.excess[0]
    assert igg[1:].max() == pytest.approx(igg_peak * np.exp(-LI["kel"] * 0.01), abs=5e-5)  # 15 minutes after the bolus
    assert igg[-1] == pytest.approx(igg_trough, abs=5e-5)
    assert strength.max() == pytest.approx(peak, abs=5e-5)
    assert days[strength.argmax()] == pytest.approx(peak_day, abs=1.01e-2)
    assert strength[-1] == pytest.approx(trough, abs=5e-5)
    # The mean was printed as the average of grid points; the integral lies up to 6e-5 above (15.41606 for 15.4160): the ODE
    # road below agrees with the integral.
    assert np.trapezoid(strength, days) / interval == pytest.approx(mean, abs=6e-5)
    assert np.trapezoid(strength, days) / interval == pytest.approx(mean_by_ode(grams, interval), rel=1e-6)


def mean_by_ode(grams, interval):
    """Mean strength of the steady cycle from the differential equation with its integral as a third state."""

    def slope(_, state):
        x, g, _ = state
        effect = LI["imax"] * x / (LI["c50"] + x)
        return [-LI["kel"] * x, LI["kout"] * (LI["level"] - (1 - effect) * g), g]

    peak = grams / LI["volume"] / -np.expm1(-LI["kel"] * interval)
    start = LI["level"]
    for _ in range(12):  # strength forgets its start within a few cycles
        end = solve_ivp(slope, (0, interval), [peak, start, 0.0], method="DOP853", rtol=1e-11, atol=1e-12).y[:, -1]
        start = end[1]
    return end[2] / interval


def test_a_first_course_of_2_g_per_kg(typical):
    """167 g over 5 days: half of the gain by day 3.5, +6.7 kg at day 10, half of it gone by day 29.5, 90 % by day 59.9."""
    days = np.linspace(0.0, 90.0, 9001)
    gain = predict(typical, FutureDoses.of(0.0, 167.0, length=5.0), days).capacity[0, 0] - LI["level"]
    top = gain.argmax()
    assert gain[top] == pytest.approx(6.7, abs=0.05)
    assert days[top] == pytest.approx(10.0, abs=0.05)
    assert days[np.argmax(gain >= gain[top] / 2)] == pytest.approx(3.5, abs=0.05)
    assert days[top + np.argmax(gain[top:] <= gain[top] / 2)] == pytest.approx(29.5, abs=0.05)
    assert days[top + np.argmax(gain[top:] <= gain[top] / 10)] == pytest.approx(59.9, abs=0.05)
