"""What to measure next: the worth of a measurement is what it would spare this person, not how much it would teach."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

from ranvier import record
from ranvier.decision import assess
from ranvier.evidence import load
from ranvier.record.nouns import Record
from ranvier.regimen.worth import gain_of

CASES = Path(__file__).resolve().parents[2] / "cases"


def gain(theta, spread, loss, now=0, seed=1, points=1):
    rng = np.random.default_rng(seed)
    middle = np.repeat(theta[:, None], points, axis=1)
    picked = rng.choice(theta.size, min(600, theta.size), replace=False)
    return gain_of(middle, np.full(points, spread), loss, now, picked, rng)


@pytest.mark.parametrize(("spread", "points"), [(0.5, 1), (1.0, 1), (3.0, 1), (1.0, 4)])
def test_the_worth_of_a_measurement_agrees_with_the_textbook(spread, points):
    """Two options, one of them losing a normal quantity: the expected gain has a closed form (Raiffa and Schlaifer 1961)."""
    theta = np.random.default_rng(3).standard_normal(2000)
    loss = np.column_stack([np.zeros(theta.size), theta + 0.3])
    found, error, changes = gain(theta, spread, loss, points=points)
    known = 1.0 / np.sqrt(1.0 + spread**2 / points)  # SD of what the posterior mean will be
    wanted = known * (norm.pdf(0.3 / known) - 0.3 / known * norm.sf(0.3 / known))
    assert found == pytest.approx(wanted, abs=4.0 * error + 0.02)
    assert error < 0.02
    assert changes == pytest.approx(norm.cdf(-0.3 / known), abs=0.06)


def test_a_measurement_that_says_nothing_is_worth_nothing():
    theta = np.random.default_rng(4).standard_normal(1000)
    loss = np.column_stack([np.zeros(1000), theta + 0.3])
    found, error, _ = gain(theta, 1e4, loss)
    assert abs(found) < max(3 * error, 0.01)


def test_what_cannot_change_the_choice_is_worth_nothing_however_much_it_teaches():
    theta = np.random.default_rng(5).standard_normal(1000)
    loss = np.column_stack([np.zeros(1000), 10.0 + theta])
    found, _, changes = gain(theta, 0.01, loss)
    assert found == pytest.approx(0.0, abs=1e-9)
    assert changes == 0.0


def test_a_sharper_measurement_is_never_worth_less():
    theta = np.random.default_rng(6).standard_normal(1500)
    loss = np.column_stack([np.zeros(1500), theta + 0.2, 0.5 * theta**2 - 0.2])
    worths = [gain(theta, spread, loss)[0] for spread in (0.2, 1.0, 5.0)]
    assert worths[0] > worths[1] > worths[2] > -0.01


@pytest.fixture(scope="module")
def over_treated():
    found, _ = record.read(CASES / "over-treated-and-stable.yaml")
    return assess(found, load(), at=date(2025, 9, 17), seed=1).treatment.proposal


def test_for_someone_who_may_get_too_much_one_longer_interval_teaches_most(over_treated):
    best = over_treated.measure_next[0]
    assert best.what == "longer_interval"
    assert best.gain > 2 * best.gain_se > 0
    assert 0 < best.share <= 1
    assert best.every_days == 1


def test_at_most_three_are_named_the_best_first_and_each_beyond_the_simulation_s_error(over_treated):
    gains = [m.gain for m in over_treated.measure_next]
    assert len(gains) <= 3
    assert gains == sorted(gains, reverse=True)
    assert all(m.gain > 2 * m.gain_se for m in over_treated.measure_next)


def test_the_same_question_has_the_same_answer(over_treated):
    found, _ = record.read(CASES / "over-treated-and-stable.yaml")
    again = assess(found, load(), at=date(2025, 9, 17), seed=1).treatment.proposal
    assert again.measure_next == over_treated.measure_next


def test_where_the_choice_is_clear_it_is_said_that_measuring_would_not_change_it():
    found, _ = record.read(CASES / "wears-off-at-four-weeks.yaml")
    proposal = assess(found, load(), at=date(2025, 11, 9), seed=1).treatment.proposal
    assert proposal.measure_next == ()
    assert [f.name for f in proposal.worth] == ["worth.settled"]


def test_without_a_regimen_in_force_nothing_is_said_about_measuring():
    found, _ = record.read(CASES / "over-treated-and-stable.yaml")
    assert isinstance(found, Record)
    untreated = replace(found, infusions=(), before=replace(found.before, kind="none"))
    proposal = assess(untreated, load(), at=date(2025, 9, 17), seed=1).treatment.proposal
    assert proposal.worth == ()
