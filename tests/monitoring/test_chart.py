"""A detector whose false alarms are known: the chart on each hand's own values."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.monitoring.chart_twin import step_statistics
from tests.monitoring.drawn_diary import K, chart, diary

from ranvier.monitoring import kernels as C

HANDS = 2
RUNS = 40  # years of one hand here; `make detector` simulates thousands


def falls(raised):
    return int((raised == C.FALL).sum())


def test_the_compiled_search_for_a_change_agrees_with_whole_matrices():
    """Sums from the end against a fit for each candidate: the same t, the same day, the same size and error."""
    rng = np.random.default_rng(3)
    day, log, shape, _ = diary(rng, days=70, phi=0.4, swing=0.15, fall=0.15, at=50)
    z = np.column_stack([np.ones_like(log), shape, -np.exp(-np.arange(log.size) / 10)])
    scale = np.array([np.inf, 0.25, 0.15])
    found = np.empty(10)
    C.change(day, log, z, 0, log.size, 0.4, 0.08, 5.6, scale, 14, 3, 84.0, found)
    twin = step_statistics(day, log, z, 0.4, 0.08, 5.6, scale, 14, 3, 84.0)
    at = min(twin, key=lambda i: twin[i][0])
    assert int(found[1]) == at
    assert found[0] == pytest.approx(-twin[at][0], rel=1e-6)
    assert found[2:4] == pytest.approx(twin[at][1:], rel=1e-6)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), phi=st.floats(0, 0.7), factor=st.floats(0.01, 100))
def test_the_unit_of_the_device_changes_nothing(seed, phi, factor):
    """Kilograms, pounds or kilopascals: only ratios count."""
    day, log, shape, cycle = diary(np.random.default_rng(seed), days=150, phi=phi)
    a, b = chart((day, log, shape, cycle)), chart((day, log + np.log(factor), shape, cycle))
    assert (a[1] == b[1]).all()
    assert a[0][:, 4:9] == pytest.approx(b[0][:, 4:9], abs=1e-6)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), cut=st.integers(30, 200))
def test_an_alarm_of_a_day_uses_only_values_up_to_that_day(seed, cut):
    """The diary grows: what was said on a day is what would have been said had the rest never been written."""
    whole = diary(np.random.default_rng(seed), days=240, phi=0.5, fall=0.2, at=150)
    early = tuple(part[:cut] for part in whole)
    a, b = chart(whole), chart(early)
    assert (a[1][:cut] == b[1]).all()
    assert np.allclose(a[0][:cut], b[0], atol=1e-9)


@pytest.mark.parametrize("phi", [0.0, 0.3, 0.5])
def test_two_hands_measured_daily_give_at_most_one_false_alarm_a_year(phi):
    """Persistence is estimated, not known; each day is looked at anew as the diary grows; tails are heavy."""
    rng = np.random.default_rng(round(11 + 10 * phi))
    years = sum(falls(chart(diary(rng, phi=phi))[1]) for _ in range(RUNS))
    # A Poisson count of one in a year of two hands, with two standard errors of this short simulation.
    expected = RUNS / HANDS
    assert years <= expected + 2 * np.sqrt(expected)
    if phi < 0.5:
        assert years <= 0.5 * expected


def test_a_swing_that_is_not_there_is_never_taken_for_wearing_off():
    rng = np.random.default_rng(5)
    seen = [chart(diary(rng, phi=0.5))[0][:, 6].max() for _ in range(RUNS)]
    assert np.mean(np.array(seen) >= K.monitoring["chart_wearing_off"].value) <= 0.05


@pytest.mark.parametrize(("fall", "days"), [(0.1, 40), (0.2, 8), (0.3, 5)])
def test_a_fall_is_seen_within_days_to_weeks_by_its_size(fall, days):
    rng = np.random.default_rng(8)
    delays = []
    for _ in range(RUNS):
        at = int(rng.integers(120, 150))
        drawn = diary(rng, days=300, phi=0.3, fall=fall, at=at)
        raised = drawn[0][(chart(drawn)[1] == C.FALL) & (drawn[0] >= at)]
        delays.append(raised[0] - at if raised.size else np.inf)
    assert np.median(delays) <= days


def test_wearing_off_of_a_quarter_is_said_after_a_few_cycles_and_is_no_fall_of_the_level():
    rng = np.random.default_rng(9)
    first, alarms = [], 0
    for _ in range(20):
        drawn = diary(rng, phi=0.3, swing=0.25)
        state, raised = chart(drawn)
        sure = np.flatnonzero(state[:, 6] >= 0.95)
        first.append(drawn[0][sure[0]] if sure.size else np.inf)
        alarms += falls(raised)
    assert np.median(first) <= 4 * 28
    assert alarms <= 20


def test_a_flu_week_is_taken_back_when_strength_returns():
    """Strength falls by a quarter for eight days: an alarm, and its withdrawal, and no new level."""
    rng = np.random.default_rng(2)
    day, log, shape, cycle = diary(rng, days=220, phi=0.2, sd=0.05)
    log = log - 0.3 * ((day >= 120) & (day < 128))
    _, raised = chart((day, log, shape, cycle))
    assert falls(raised) >= 1
    assert (raised == C.BACK).sum() == falls(raised)
    assert not (raised == C.SETTLED).any()


def test_one_or_two_bad_days_never_raise_an_alarm():
    rng = np.random.default_rng(4)
    day, log, shape, cycle = diary(rng, days=120, phi=0.0, sd=0.05)
    for bad in (1, 2):
        worse = log.copy()
        worse[-bad:] -= 1.0
        assert chart((day, worse, shape, cycle))[1][-2:].max() == 0


def test_persistence_and_noise_are_those_of_this_person():
    rng = np.random.default_rng(6)
    low = [chart(diary(rng, phi=0.0, sd=0.05))[0][-1] for _ in range(8)]
    high = [chart(diary(rng, phi=0.6, sd=0.12))[0][-1] for _ in range(8)]
    assert np.mean([s[7] for s in low]) < 0.2
    assert np.mean([s[7] for s in high]) > 0.5
    assert 0.04 < np.mean([s[8] for s in low]) < 0.06
    assert 0.09 < np.mean([s[8] for s in high]) < 0.14


def test_a_shape_that_is_not_the_models_does_not_raise_the_rate_of_false_alarms():
    """The truth falls in a straight line from day 2 on, the chart believes in the published cycle."""
    rng = np.random.default_rng(12)
    saw = -np.maximum(np.arange(0, 60, 0.5) - 2.0, 0.0) / 26.0
    count = sum(falls(chart(diary(rng, phi=0.3, swing=0.2, shape=saw))[1]) for _ in range(RUNS))
    assert count <= RUNS / HANDS + 2 * np.sqrt(RUNS / HANDS)
