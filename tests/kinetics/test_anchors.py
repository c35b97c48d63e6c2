"""Numbers that another program and a quadrature printed before this one was written (facts/pkpd.md 1.3)."""

import numpy as np
import pytest

from ranvier.kinetics.disposition import Doses, modes, steady

CIDP = {
    "clearance": 0.435,
    "central_volume": 4.69,
    "intercompartmental_clearance": 0.50,
    "peripheral_volume": 1.87,
    "absorption_rate": 0.439,
    "bioavailability_sc": 0.824,
}  # 82 kg, Tortorici 2021


def test_the_two_rates_of_cidp():
    assert modes(2, CIDP).rate[:2] == pytest.approx([0.40560, 0.06114], abs=5e-6)


@pytest.mark.parametrize(
    ("interval", "peak", "day_7", "trough"), [(21.0, 21.4946, 9.8468, 4.0105), (28.0, 19.7898, 8.7364, 2.3058)]
)
def test_82_g_at_once_in_the_steady_cycle(interval, peak, day_7, trough):
    seen = steady(np.array([0.0, 7.0, interval]), Doses.of(0.0, 82.0), interval, modes(2, CIDP))
    # The value at the end of a cycle counts the next dose as not yet given: only a bolus at 0 has been.
    assert seen == pytest.approx([peak, day_7, trough], abs=5e-5)


def test_16_4_g_a_week_under_the_skin():
    at = np.linspace(0.0, 7.0, 70_001)
    seen = steady(at, Doses.of(0.0, 16.4, route="SC"), 7.0, modes(2, CIDP))
    assert seen.min() == pytest.approx(3.8611, abs=5e-5)
    assert seen.max() == pytest.approx(4.7803, abs=5e-5)
    assert at[seen.argmax()] == pytest.approx(2.32, abs=5e-3)
    assert np.trapezoid(seen, at) / 7.0 == pytest.approx(4.4380, abs=5e-5)
