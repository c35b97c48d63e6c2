"""Policies decide from what a clinic sees, and outcomes say what came of it."""

from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import pytest

from ranvier.cohort import OUTCOMES, Order, Policy, draw, load, make, none, record_of, setting, simulate
from ranvier.cohort.policies import BEGIN, POLICIES, history_of
from ranvier.cohort.simulate import begin, seen
from ranvier.estimation import history as past
from ranvier.evidence import load as load_knowledge

KNOWLEDGE, BOOK = load_knowledge(), load()
WHERE = setting(BOOK, KNOWLEDGE.composite)


def year(policy, n=40, truth="model", seed=1, **more):
    people = draw(KNOWLEDGE, BOOK, people=range(n), seed=seed, truth=truth)
    where = setting(BOOK, KNOWLEDGE.composite, truth=truth)
    policy = make(policy, KNOWLEDGE, BOOK) if isinstance(policy, str) else policy
    return simulate(people, policy, KNOWLEDGE, BOOK, where, seed=seed, **more)


def someone(day_more=40, n=3, i=0):
    people = draw(KNOWLEDGE, BOOK, people=range(n), seed=4)
    lives, floors, first = begin(people, KNOWLEDGE, BOOK, WHERE, 4)
    lives.live(0, n, WHERE.first_decision + day_more)
    return seen(lives, i, float(floors[i]), WHERE.first_decision + day_more, first[i], first[i], ())


@dataclass(frozen=True)
class Watching:
    """Orders no change and keeps what it was shown."""

    shown: list
    id: str = "watching"
    steady: bool = False

    def decide(self, view, day):
        self.shown.append((view, day))
        return Order(view.in_force, memo=len(self.shown))


def test_every_shipped_policy_keeps_to_the_interface():
    for name in POLICIES:
        policy = make(name, KNOWLEDGE, BOOK)
        assert isinstance(policy, Policy)
        assert policy.id == name


def test_a_policy_is_asked_about_once_a_month_and_sees_nothing_of_the_future():
    shown = []
    year(Watching(shown), n=3)
    assert 3 * 11 <= len(shown) <= 3 * 15
    for view, day in shown:
        assert view.day == day
        assert np.all(view.strength_days <= day)
        assert np.all(view.dose_days <= day)
        assert np.all(view.igg_days < day)
    own = [view for view, _ in shown if view.number == 0]
    assert [len(view.orders) for view in own] == list(range(len(own)))
    assert own[-1].orders[-1][1].memo == len(own) - 1
    assert np.all(np.diff([view.day for view in own]) >= 24)


def test_what_estimation_reads_of_a_virtual_person_is_what_it_reads_of_the_written_record():
    view = someone()
    quick = history_of(view, KNOWLEDGE)
    built = past.build(record_of(view, KNOWLEDGE), KNOWLEDGE, BEGIN + timedelta(days=int(view.day)))
    assert quick.begin == pytest.approx(built.begin)
    assert quick.at_day == pytest.approx(built.at_day)
    for part in ("doses", "early"):
        for name in ("start", "stop", "grams", "channel"):
            assert np.allclose(getattr(getattr(quick, part), name), getattr(getattr(built, part), name)), (part, name)
    for mine, theirs in ((quick.igg, built.igg), (quick.points[0], built.points[0])):
        assert np.allclose(mine.days, theirs.days)
        assert np.allclose(mine.values, theirs.values)
        assert np.array_equal(mine.used, theirs.used)
    assert quick.measures[0].floor == built.measures[0].floor
    assert quick.past == built.past


def test_the_label_dose_for_ever_is_thirteen_visits_and_a_gram_per_kg():
    found = year("fixed").table
    assert np.mean(found["visits"]) == pytest.approx(13.0, abs=0.3)
    assert np.mean(found["grams"] * 4 / found["weight"]) == pytest.approx(1.0, abs=0.05)
    assert np.all(found["changes"] == 0)
    assert set(found) == set(OUTCOMES) - {"regret"}


def test_stopping_costs_strength_and_is_counted_as_a_change_that_the_truth_did_not_bear_out():
    stopped, fixed = year("none").table, year("fixed").table
    responders = fixed["responds"]
    assert np.mean(stopped["strength"][responders]) < 0.85 * np.mean(fixed["strength"][responders])
    assert np.all(stopped["grams"] == 0)
    assert np.mean(stopped["false_down"][responders] > 0) > 0.9


def test_the_ladder_gives_more_to_those_who_wear_off_and_no_sooner_than_it_may():
    ladder, fixed = year("ladder").table, year("fixed").table
    assert np.mean(ladder["below"]) < 0.7 * np.mean(fixed["below"])
    assert np.mean(ladder["grams"]) > np.mean(fixed["grams"])
    assert ladder["visits"].max() < 365.25 / 14 * 2.2


def test_the_taper_gives_less_and_takes_a_step_back_that_failed():
    taper, fixed = year("taper").table, year("fixed").table
    assert np.mean(taper["grams"]) < 0.85 * np.mean(fixed["grams"])
    assert np.mean(taper["changes"]) > 2


def test_the_model_based_policy_meets_fewer_bad_days_than_the_label_dose_and_loses_less():
    model, fixed = year("model", n=14, seed=6).table, year("fixed", n=14, seed=6).table
    assert np.mean(model["loss"]) < np.mean(fixed["loss"])
    assert np.mean(model["below"]) < np.mean(fixed["below"])


def test_where_immunoglobulin_does_nothing_the_model_based_policy_says_so_and_gives_no_more():
    model, fixed = year("model", n=6, truth="non_responder").table, year("fixed", n=6, truth="non_responder").table
    assert np.mean(model["abstained"]) > 0.5
    assert np.mean(model["grams"]) <= np.mean(fixed["grams"]) * 1.1


def test_the_whole_advice_decides_as_a_plan_would():
    view = someone()
    order = make("advice", KNOWLEDGE, BOOK).decide(view, view.day)
    again = make("advice", KNOWLEDGE, BOOK).decide(view, view.day)
    assert order == again
    assert order.regimen.grams > 0


def test_nobody_beats_the_best_constant_regimen_by_much():
    found = year("fixed", n=15, regret=True).table
    assert np.all(found["regret"] > -0.15)
    assert np.mean(found["regret"]) > 0.05


def test_no_treatment_is_a_regimen_too():
    assert none(28.0).grams == 0
    assert none(28.0).interval_days == 28
    stays = replace(make("fixed", KNOWLEDGE, BOOK), id="other")
    assert np.allclose(year(stays, n=4).table["grams"], year("fixed", n=4).table["grams"])
