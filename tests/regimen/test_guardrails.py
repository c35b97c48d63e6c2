"""What bounds a proposal: data in knowledge/limits, held by the code."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.regimen.made import AT, KNOWLEDGE, draws, names, option, plan, posterior, proposed, record

from ranvier.estimation.nouns import Measure
from ranvier.record.nouns import Condition, Goals, Infusion, OtherDrug
from ranvier.regimen.guard import harmful, person_of


def limited(o):
    return {(f.name, f.facts.get("limit")) for f in o.limited_by}


@settings(max_examples=15, deadline=None)
@given(
    grams=st.sampled_from([20.0, 40.0, 60.0, 80.0, 120.0, 160.0, 200.0]),
    every=st.sampled_from([7, 14, 21, 28, 42, 56, 84]),
    weight=st.sampled_from([None, 45.0, 80.0, 120.0]),
    half_life=st.floats(6, 30),
)
def test_no_option_beyond_an_absolute_limit_is_ever_proposed(grams, every, weight, half_life):
    fit = posterior(draws(n=120, half_life=half_life, dose=grams, interval=float(every)))
    chosen = proposed(plan(fit, record(grams=grams, every=every, weight=weight, n=6)))
    if chosen is None:
        return
    assert not {"limit.absolute", "limit.one_step", "vials.do_not_fit"} & names(chosen.limited_by)
    assert 7 <= chosen.regimen.interval_days <= 84
    if weight is not None:
        assert chosen.regimen.grams <= 2 * weight + 1e-9
        assert chosen.regimen.grams / chosen.regimen.days <= max(weight, grams) + 1e-9  # or what they are used to


def test_one_decision_changes_the_dose_by_a_fifth_or_one_vial_and_the_weekly_grams_by_half():
    for o in plan().options:
        per_week = abs(o.grams_per_week / 20.0 - 1)
        if not {"limit.one_step", "limit.absolute"} & names(o.limited_by):
            assert per_week <= 0.5
            assert o.action == "switch_route" or abs(o.regimen.interval_days - 28) <= 14


def test_a_dose_of_two_vials_may_be_halved_by_one_vial_although_that_is_more_than_a_fifth():
    """Thirty grams of a product sold in vials of ten: 20 g is the smallest step down."""
    only_tens = replace(KNOWLEDGE.products["kiovig"], id="tens", vials=KNOWLEDGE.products["kiovig"].vials[3:4])
    knowledge = replace(KNOWLEDGE, products={"tens": only_tens})
    laid_out = plan(case=record(grams=30.0, product="tens"), knowledge=knowledge)
    smaller = option(laid_out, "reduce")
    assert smaller.regimen.grams == 20.0
    assert "limit.one_step" not in names(smaller.limited_by)


def test_a_present_dose_that_is_too_much_for_one_day_is_offered_over_more_days():
    """100 g in one day at 80 kg is more than 1 g/kg, a recommended limit: the same over two days stands beside it."""
    laid_out = plan(posterior(draws(dose=100.0)), record(grams=100.0))
    now, spread = option(laid_out, "no_change"), option(laid_out, "spread")
    assert ("limit.recommended", "day_max") in limited(now)
    assert ("limit.recommended", "day_max") not in limited(spread)
    assert (spread.regimen.grams, spread.regimen.days) == (100.0, 2)
    assert spread.visits_per_year == pytest.approx(2 * now.visits_per_year)


def test_a_person_used_to_a_large_day_is_not_sent_to_hospital_twice_for_each_course():
    laid_out = plan(posterior(draws(dose=100.0)), record(grams=100.0))
    assert option(laid_out, "shorter_interval").regimen.days == 1


def test_at_risk_of_thrombosis_the_daily_dose_is_bounded_and_the_reason_shown():
    laid_out = plan(case=record(conditions=("Deep vein thrombosis, left leg",)))
    assert "risk.present" in names(laid_out.findings)
    assert ("limit.recommended", "grams_day_thrombosis") in limited(option(laid_out, "no_change"))
    for o in laid_out.options:
        if o.action != "no_change":
            assert o.regimen.grams / o.regimen.days <= 32.0 + 1e-9  # 0.4 g/kg a day, and at most 35 g


def test_an_excluded_condition_is_no_risk_and_an_unlisted_one_is_unknown():
    excluded = replace(record(), conditions=(Condition("thrombosis", present=False),))
    assert not person_of(excluded, KNOWLEDGE, AT).has("thrombosis")
    assert not person_of(record(), KNOWLEDGE, AT).has("thrombosis")


def test_age_from_the_birth_year_counts_as_a_risk():
    assert person_of(record(birth_year=1950), KNOWLEDGE, AT).has("thrombosis")
    assert not person_of(record(birth_year=None), KNOWLEDGE, AT).has("thrombosis")


def test_without_a_weight_no_larger_course_is_proposed_because_limits_per_kg_cannot_be_checked():
    laid_out = plan(case=record(weight=None))
    assert "proposal.weight_unknown" in names(laid_out.findings)
    assert all(o.grams_per_kg is None for o in laid_out.options)
    chosen = proposed(laid_out)
    assert chosen.regimen.grams <= 80.0
    assert "limit.cannot_be_checked" in names(option(laid_out, "increase").limited_by)


def test_a_change_made_only_one_course_ago_is_to_be_held_first():
    just_changed = record(grams=60.0, n=5)
    last = replace(just_changed.infusions[-1], grams=80.0)
    laid_out = plan(case=replace(just_changed, infusions=(*just_changed.infusions[:-1], last)))
    assert ("limit.recommended", "hold_cycles") in limited(option(laid_out, "shorter_interval"))
    assert ("limit.recommended", "hold_cycles") not in limited(option(laid_out, "no_change"))
    assert "regimen.dose_just_changed" in names(laid_out.findings)


def test_a_switch_of_route_waits_until_dose_and_interval_have_been_held():
    both = Goals(routes=("IV", "SC"))
    early = plan(case=record(n=3, goals=both))
    later = plan(case=record(n=8, goals=both))
    assert ("limit.absolute", "hold_before_switch") in limited(option(early, "switch_route"))
    assert ("limit.absolute", "hold_before_switch") not in limited(option(later, "switch_route"))


def test_more_visits_than_the_person_accepts_are_not_proposed():
    laid_out = plan(case=record(goals=Goals(max_visits_per_year=14)))
    assert proposed(laid_out).visits_per_year <= 14
    assert "goal.visits" in names(option(laid_out, "shorter_interval").limited_by)


def test_a_route_that_is_no_longer_accepted_is_not_proposed_even_if_it_is_the_present_one():
    laid_out = plan(case=record(goals=Goals(routes=("SC",))))
    assert "goal.route" in names(option(laid_out, "no_change").limited_by)
    assert proposed(laid_out).regimen.route == "SC"


def test_a_limit_on_something_nobody_computes_is_a_fault_and_not_silently_ignored():
    odd = replace(KNOWLEDGE.limits[0], what="phase_of_the_moon")
    with pytest.raises(ValueError, match="phase_of_the_moon"):
        plan(knowledge=replace(KNOWLEDGE, limits=(*KNOWLEDGE.limits, odd)))


def test_corticosteroids_in_the_record_are_refused_with_their_evidence():
    taken = replace(record(), drugs=(OtherDrug("Prednisolone 10 mg"),))
    stopped = replace(record(), drugs=(OtherDrug("Prednisolone", stop=AT.replace(year=2020)),))
    found = harmful(taken, KNOWLEDGE, AT)
    assert [f.name for f in found] == ["drug.refuse"]
    assert found[0].source == "donaghy1994"
    assert harmful(stopped, KNOWLEDGE, AT) == ()


def two_hands(floors=(None, None)):
    """The left hand decides and hardly responds; the right one has gained a half."""
    own = draws(level=(10.0, 20.0), interval=14.0)
    own = replace(own, imax=own.imax * np.array([0.05, 1.0]))
    sides = zip(("left", "right"), floors, strict=True)
    two = tuple(Measure(f"grip-{side}", "grip", side, "jamar", "kg", 180, floor=floor) for side, floor in sides)
    return posterior(own, measures=two)


def test_less_treatment_must_not_cost_the_other_hand_more_than_counts():
    """80 g every 14 days: at 28 days the left hand would notice nothing, and the right one lose an eighth or more."""
    laid_out = plan(two_hands(), record(every=14))
    longest = max((o for o in laid_out.options if o.action == "longer_interval"), key=lambda o: o.regimen.interval_days)
    lost = [f for o in laid_out.options for f in o.limited_by if f.name == "option.strength_lost"]
    assert lost
    assert {f.facts["measure"] for f in lost} == {"grip-right"}
    assert all(f.facts["fall"] > 0.1 for f in lost)
    assert not any(o.proposed for o in laid_out.options if "option.strength_lost" in names(o.limited_by))
    assert longest.regimen.interval_days > 14


def test_a_floor_the_person_named_for_the_other_hand_counts_as_well():
    laid_out = plan(two_hands(floors=(5.0, 33.0)), record(every=14))
    less = [o for o in laid_out.options if "option.other_floor_not_held" in names(o.limited_by)]
    assert less
    assert not any(o.proposed for o in less)


def test_a_regimen_that_keeps_nothing_of_a_known_response_is_neither_cut_nor_called_useless():
    full = [Infusion("kiovig", 40.0, AT - timedelta(days=28 * 9 + 4 - day), None, "IV") for day in range(4)]
    small = [Infusion("kiovig", 5.0, AT - timedelta(days=28 * back), None, "IV") for back in range(8, 0, -1)]
    laid_out = plan(case=record(infusions=(*full, *small)))
    assert [f.name for f in laid_out.refusal] == ["refusal.too_little"]
    assert "help.agree_floor" in names(laid_out.refusal)
    assert proposed(laid_out) is None
    agreed = plan(posterior(floors=(14.0,)), case=record(infusions=(*full, *small)))
    assert agreed.refusal == ()
    assert proposed(agreed).grams_per_week >= 5 / 4


def test_a_route_never_tried_waits_while_the_present_one_holds_the_floor():
    """He accepts infusions at home. A shorter interval would hold as well, and how he absorbs is not known."""
    both = record(every=28, n=8, goals=Goals(routes=("IV", "SC")))
    laid_out = plan(posterior(floors=(12.3,)), both)
    switches = [o for o in laid_out.options if o.action == "switch_route"]
    assert switches
    assert all("option.route_untried" in names(o.limited_by) for o in switches)
    assert proposed(laid_out).regimen.route == "IV"


def test_a_route_never_tried_may_be_proposed_where_nothing_else_holds_the_floor():
    laid_out = plan(posterior(floors=(13.6,)), record(every=28, n=8, goals=Goals(routes=("IV", "SC"))))
    switches = [o for o in laid_out.options if o.action == "switch_route"]
    assert switches
    assert all("option.route_untried" not in names(o.limited_by) for o in switches)
