"""Is strength falling? What `watch` says of invented people whose truth we know."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.regimen.made import AT, draws, posterior, record

from ranvier.estimation.courses import InForce, courses_of, in_force
from ranvier.estimation.nouns import Measure
from ranvier.estimation.predict import FutureDoses, predict
from ranvier.evidence import load
from ranvier.monitoring.watch import difference_bound, watch
from ranvier.record.nouns import Infusion

K = load()
EVERY_28_DAYS = in_force(record(), K, AT)


def names(findings):
    return {f.name for top in findings for f in top.walk()}


def test_a_man_on_80_g_every_four_weeks_whose_grip_swings_by_a_fifth():
    """With the published response, 1 g/kg every 28 days swings by 19 %: his strength wears off, and it is said when."""
    seen = watch(posterior(), EVERY_28_DAYS, K)
    off = seen.wearing_off
    assert off.probability > 0.95
    assert 0.17 < off.swing < 0.22
    assert 14 < off.day < 26
    assert off.day_q05 < off.day < off.day_q95
    assert off.p_crosses > 0.8
    assert {"wearing_off.likely", "wearing_off.crosses", "threshold.means_of_days", "floor.assumed"} <= names(
        seen.findings
    )


def test_the_crossing_day_is_the_day_on_which_the_forecast_really_falls_below_the_floor():
    """A second road: 30 courses simulated one after the other, and the day looked up on a fine grid."""
    own = draws(n=1, spread=0.0, decline=0.0)
    seen = watch(posterior(own, floors=(12.5,)), EVERY_28_DAYS, K)
    doses = FutureDoses.of(28.0 * np.arange(30), 80.0)
    days = 28.0 * 29 + np.arange(0.0, 28.0, 0.01)
    strength = predict(own, doses, days).capacity[0, 0]
    peak = strength.argmax()
    below = days[peak:][strength[peak:] < 12.5][0] - 28.0 * 29
    assert seen.wearing_off.day == pytest.approx(below, abs=0.05)


def test_a_floor_named_by_the_person_is_used_and_called_agreed():
    seen = watch(posterior(floors=(12.0,)), EVERY_28_DAYS, K)
    assert (seen.floor.value, seen.floor.agreed) == (12.0, True)
    assert "floor.assumed" not in names(seen.findings)


def test_without_a_floor_one_is_assumed_one_threshold_below_the_plateau_and_called_assumed():
    seen = watch(posterior(), EVERY_28_DAYS, K)
    assumed = next(f for top in seen.findings for f in top.walk() if f.name == "floor.assumed")
    assert not seen.floor.agreed
    assert assumed.status == "assumed"
    assert seen.floor.value == pytest.approx(assumed.facts["plateau"] * (1 - seen.wearing_off.threshold))


def test_strength_that_never_reaches_the_floor_is_said_to_lie_below_it_all_cycle():
    seen = watch(posterior(floors=(30.0,)), EVERY_28_DAYS, K)
    assert seen.wearing_off.day == 0.0
    assert "floor.below_all_cycle" in names(seen.findings)


def test_a_floor_reached_only_without_the_next_infusion_gives_no_day_but_says_when_it_would_be():
    seen = watch(posterior(floors=(10.8,)), EVERY_28_DAYS, K)
    assert seen.wearing_off.day is None
    assert seen.wearing_off.day_q95 is None
    would = next(f for f in seen.findings if f.name == "wearing_off.would_cross")
    assert 28 < would.facts["day"] < 84


@settings(max_examples=20, deadline=None)
@given(low=st.floats(8, 16), more=st.floats(0.1, 4))
def test_a_higher_floor_is_never_crossed_later_or_less_often(low, more):
    first = watch(posterior(floors=(low,)), EVERY_28_DAYS, K).wearing_off
    second = watch(posterior(floors=(low + more,)), EVERY_28_DAYS, K).wearing_off
    assert second.p_crosses >= first.p_crosses
    assert first.day is None or second.day <= first.day


def test_someone_without_response_swings_not_at_all_and_belongs_to_the_class_none():
    seen = watch(posterior(draws(responders=0.0)), EVERY_28_DAYS, K)
    assert seen.wearing_off.probability == 0.0
    assert seen.wearing_off.swing == pytest.approx(0.0, abs=1e-6)
    assert (seen.response.name, seen.response.probability) == ("none", 1.0)


def test_half_of_the_draws_without_response_make_no_response_half_likely():
    chances = dict(watch(posterior(draws(responders=0.5)), EVERY_28_DAYS, K).response.all)
    assert chances["none"] == pytest.approx(0.5, abs=0.02)
    assert sum(chances.values()) == pytest.approx(1.0)


def test_the_definition_of_the_response_class_is_stated():
    seen = watch(posterior(), EVERY_28_DAYS, K)
    definition = next(f for top in seen.findings for f in top.walk() if f.name == "response.definition")
    assert definition.facts["seen"] == "current_cycle"
    assert definition.facts["low"] <= seen.response.gain < definition.facts["high"]


def test_daily_values_are_judged_by_means_of_three_days_and_monthly_ones_singly():
    daily = watch(posterior(daily=True), EVERY_28_DAYS, K)
    monthly = watch(posterior(daily=False), EVERY_28_DAYS, K)
    assert "threshold.means_of_days" in names(daily.findings)
    assert "threshold.single_values" in names(monthly.findings)
    assert monthly.wearing_off.threshold > daily.wearing_off.threshold


def test_the_noisier_the_person_the_larger_the_threshold_but_never_below_ten_percent():
    quiet = watch(posterior(draws(sd=0.02)), EVERY_28_DAYS, K).wearing_off
    loud = watch(posterior(draws(sd=0.15)), EVERY_28_DAYS, K).wearing_off
    assert quiet.threshold == 0.10
    assert loud.threshold > 0.2
    assert loud.probability < quiet.probability


def test_the_bound_of_a_difference_agrees_with_simulated_noise():
    """One-sided 95 % bound: one in twenty differences of two 3-day means of AR(1) noise exceeds it."""
    rng = np.random.default_rng(5)
    phi, sd, n = 0.4, 0.08, 40_000
    noise = np.empty((2 * n, 3))
    noise[:, 0] = sd * rng.standard_normal(2 * n)
    for day in (1, 2):
        noise[:, day] = phi * noise[:, day - 1] + sd * np.sqrt(1 - phi**2) * rng.standard_normal(2 * n)
    means = noise.mean(axis=1)
    bound = float(difference_bound(np.array(sd), np.array(phi), 1.645, 3))
    assert np.mean(means[:n] - means[n:] > bound) == pytest.approx(0.05, abs=0.005)


def test_a_scale_on_which_more_is_worse_falls_when_its_number_rises():
    """ONLS counts up as strength is lost: the floor is a highest score, and it is crossed upwards."""
    onls = Measure("onls", "onls", None, None, "{score}", 20, sign=-1, top=12.0, floor=5.0)
    own = draws(level=(5.0,), imax=0.5)
    seen = watch(posterior(own, measures=(onls,)), EVERY_28_DAYS, K)
    assert seen.floor.value == 5.0
    worse = watch(posterior(own, measures=(replace(onls, floor=4.5),)), EVERY_28_DAYS, K)
    assert worse.wearing_off.p_crosses >= seen.wearing_off.p_crosses


def test_slow_decline_is_told_as_a_fraction_per_year():
    seen = watch(posterior(draws(decline=0.06)), EVERY_28_DAYS, K)
    assert seen.trend.per_year == pytest.approx(np.expm1(-0.06), rel=0.02)
    assert seen.trend.p_decline > 0.95
    assert "trend.decline.likely" in names(seen.findings)


def test_a_trend_that_nobody_could_learn_from_this_record_is_said_to_be_mostly_prior():
    assert "trend.mostly_prior" in names(watch(posterior(information=0.05), EVERY_28_DAYS, K).findings)
    assert "trend.mostly_prior" not in names(watch(posterior(information=0.8), EVERY_28_DAYS, K).findings)


def test_a_swing_as_uncertain_after_measuring_as_before_is_said_to_be_mostly_prior():
    wide = draws(spread=0.3, seed=2)
    unlearnt = watch(posterior(draws(spread=0.3, seed=3), prior=wide), EVERY_28_DAYS, K)
    learnt = watch(posterior(draws(spread=0.03), prior=wide), EVERY_28_DAYS, K)
    assert "swing.mostly_prior" in names(unlearnt.findings)
    assert unlearnt.wearing_off.swing_information < 0.3
    assert not {"swing.mostly_prior", "timing.mostly_prior"} & names(learnt.findings)
    assert learnt.wearing_off.swing_information > 0.9


def test_without_a_regimen_in_force_nothing_is_said_about_a_cycle_and_response_is_judged_on_the_largest_course():
    stopped = record(last=100)
    seen = watch(posterior(), in_force(stopped, K, AT), K, courses=courses_of(stopped, K.monitoring))
    assert (seen.wearing_off, seen.interval_days) == (None, None)
    assert {"watch.no_regimen", "regimen.stale"} <= names(seen.findings)
    definition = next(f for top in seen.findings for f in top.walk() if f.name == "response.definition")
    assert definition.facts["seen"] == "largest_course"
    assert seen.response.gain > 0.2


def test_a_person_never_treated_has_no_observed_response():
    seen = watch(posterior(), in_force(record(infusions=()), K, AT), K)
    assert seen.response.name == "not_observed"
    assert "regimen.never_treated" in names(seen.findings)


def test_a_very_weak_hand_is_pointed_out_because_percentages_mislead():
    assert "threshold.weak_hand" in names(watch(posterior(draws(level=(1.5,))), EVERY_28_DAYS, K).findings)
    assert "threshold.weak_hand" not in names(watch(posterior(), EVERY_28_DAYS, K).findings)


def test_a_last_value_of_four_months_ago_is_pointed_out():
    assert "watch.strength_old" in names(watch(replace(posterior(), at_day=300.0), EVERY_28_DAYS, K).findings)
    assert "watch.strength_old" not in names(watch(posterior(), EVERY_28_DAYS, K).findings)


def test_the_same_input_gives_the_same_watch():
    assert isinstance(EVERY_28_DAYS, InForce)
    assert watch(posterior(), EVERY_28_DAYS, K) == watch(posterior(), EVERY_28_DAYS, K)


def too_low_after_a_full_course():
    """160 g over four days, then 5 g every four weeks: she clearly gained, and is kept at next to nothing."""
    full = [Infusion("kiovig", 40.0, AT - timedelta(days=28 * 9 + 4 - day), None, "IV") for day in range(4)]
    small = [Infusion("kiovig", 5.0, AT - timedelta(days=28 * back), None, "IV") for back in range(8, 0, -1)]
    return record(infusions=(*full, *small))


def test_a_dose_too_low_to_help_does_not_make_a_non_responder():
    case = too_low_after_a_full_course()
    seen = watch(posterior(), in_force(case, K, AT), K, courses=courses_of(case, K.monitoring))
    assert seen.idle > 0.95
    assert seen.response.name in ("moderate", "large", "very_large")
    told = next(f for f in seen.findings if f.name == "response.not_kept")
    assert told.facts["seen"] in ("largest_course", "earlier_regimen")
    assert told.facts["now"] < 0.1 < told.facts["gain"]


def test_response_is_that_of_the_present_regimen_where_nothing_larger_was_given():
    case = record()
    seen = watch(posterior(), in_force(case, K, AT), K, courses=courses_of(case, K.monitoring))
    assert next(f for f in seen.findings if f.name == "response.class").facts["seen"] == "current_cycle"
    assert seen.idle < 0.05
    assert "response.not_kept" not in names(seen.findings)


def test_a_hand_that_swings_is_named_although_the_other_one_decides():
    """The left hand decides and is spared; the right one loses a fifth in each cycle. Neither may hide the other."""
    own = draws(level=(10.0, 20.0))
    own = replace(own, imax=own.imax * np.array([0.05, 1.0]))
    two = tuple(Measure(f"grip-{side}", "grip", side, "jamar", "kg", 180) for side in ("left", "right"))
    seen = watch(posterior(own, measures=two), EVERY_28_DAYS, K)
    assert seen.wearing_off.probability < 0.05
    other = next(f for f in seen.findings if f.name == "wearing_off.other_measure")
    assert other.facts["measure"] == "grip-right"
    assert other.facts["probability"] > 0.9


def test_the_last_course_is_handed_on_with_its_day():
    assert watch(posterior(), EVERY_28_DAYS, K).last == AT - timedelta(days=28)
