"""What could we do? Stories of invented people whose truth we know."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.regimen.made import AT, KNOWLEDGE, draws, names, option, plan, posterior, proposed, record

from ranvier.estimation.nouns import Basis, ModelWeight
from ranvier.estimation.predict import FutureDoses, predict
from ranvier.ground.findings import Finding
from ranvier.record.nouns import Before, Goals, Infusion
from ranvier.regimen import propose as room
from ranvier.regimen.nouns import Limits
from ranvier.regimen.outcome import quantiles

ALWAYS = {"no_change", "reduce", "longer_interval"}


def test_strength_wears_off_on_day_twenty_of_twenty_eight_so_infusions_come_sooner():
    laid_out = plan()
    chosen = proposed(laid_out)
    assert chosen.action == "shorter_interval"
    assert chosen.regimen.interval_days == 21
    assert chosen.p_above_floor > option(laid_out, "no_change").p_above_floor + 0.3
    assert "proposal.change" in names(laid_out.findings)


def test_the_caution_of_the_drip_trial_stands_wherever_a_shorter_interval_is_preferred():
    laid_out = plan()
    told = [f for top in laid_out.findings for f in top.walk() if f.name == "caution"]
    assert "kuitwaard2021_drip" in {f.source for f in told}
    for o in laid_out.options:
        if o.regimen.interval_days < 28 and o.regimen.route == "IV":
            assert "kuitwaard2021_drip" in {f.source for f in o.because}


def test_half_the_dose_at_half_the_interval_is_shown_with_its_caution_but_changes_two_things_at_once():
    split = [o for o in plan().options if "option.same_total_more_often" in names(o.because)]
    assert split
    for o in split:
        assert "limit.one_step" in names(o.limited_by)
        assert not o.proposed


def over_treated(**more):
    """Saturated: so sensitive to IgG that a fifth less changes nothing that can be measured."""
    return posterior(draws(c50=0.8, half_life=25.0, spread=0.01, **more))


def test_stable_and_over_treated_gets_less():
    laid_out = plan(over_treated())
    chosen = proposed(laid_out)
    assert chosen.grams_per_week < 20.0
    assert chosen.action in ("reduce", "longer_interval")
    assert chosen.p_above_floor > 0.95
    assert "hahn2013" in {f.source for f in option(laid_out, "reduce").because}


def test_less_is_never_proposed_where_it_would_let_strength_fall_below_the_floor():
    laid_out = plan()
    for action in ("reduce", "longer_interval"):
        assert {"option.floor_not_held", "option.floor_held_less"} & names(option(laid_out, action).limited_by)


@settings(max_examples=12, deadline=None)
@given(
    half_life=st.floats(6, 30),
    c50=st.floats(0.5, 20),
    kout=st.floats(0.2, 2),
    agreed=st.sampled_from([None, 10.5, 12.0, 14.0]),
)
def test_whatever_the_person_less_treatment_is_proposed_only_if_the_floor_is_held(half_life, c50, kout, agreed):
    laid_out = plan(posterior(draws(n=200, half_life=half_life, c50=c50, kout=kout), floors=(agreed,)))
    chosen, now = proposed(laid_out), option(laid_out, "no_change")
    if chosen is not None and (chosen.grams_per_week < now.grams_per_week - 1e-9 or chosen.regimen.interval_days > 28):
        assert chosen.p_above_floor >= 0.8
        assert agreed is not None or chosen.p_above_floor >= now.p_above_floor - 0.05


def test_no_change_less_and_a_longer_interval_are_always_there():
    for fit, case in (
        (None, None),
        (posterior(draws(responders=0.0)), None),
        (posterior(basis=Basis.COVARIATES), None),
        (posterior(draws(dose=20.0, interval=7.0)), record(grams=20.0, every=7, n=20, product="hizentra", route="SC")),
        (None, record(every=84, n=4)),
        (None, record(product="Globulin Nova")),
    ):
        actions = [o.action for o in plan(fit, case).options]
        assert set(actions) >= ALWAYS
        assert actions[0] == "no_change"
        assert len(actions) <= 8


def test_without_wearing_off_more_is_not_proposed_for_the_sake_of_a_floor_that_nobody_agreed():
    """The swing is as small as the person's own noise; only the assumed floor would ask for more."""
    laid_out = plan(posterior(draws(sd=0.13, spread=0.15)))
    assert "option.no_need_shown" in names(option(laid_out, "shorter_interval").limited_by)
    assert "option.no_need_shown" in names(option(laid_out, "increase").limited_by)
    assert proposed(laid_out).grams_per_week <= 20.0
    agreed = plan(posterior(draws(sd=0.13, spread=0.15), floors=(14.0,)))
    assert "option.no_need_shown" not in names(option(agreed, "shorter_interval").limited_by)


def switched_to_half():
    """84 g every four weeks by vein for half a year, then 10 g a week under the skin, half of it."""
    by_vein = [AT - timedelta(days=70 + 28 * k) for k in reversed(range(6))]
    weekly = [AT - timedelta(days=7 * k) for k in reversed(range(1, 10))]
    return record(
        infusions=(
            *(Infusion("privigen", 84.0, day, None, "IV") for day in by_vein),
            *(Infusion("hizentra", 10.0, day, None, "SC") for day in weekly),
        ),
        goals=Goals(routes=("SC", "IV")),
    )


def test_a_step_that_failed_is_taken_back_at_once():
    laid_out = plan(posterior(draws(dose=10.0, interval=7.0), floors=(12.5,)), switched_to_half())
    chosen = proposed(laid_out)
    assert "option.given_before" in names(chosen.because)
    assert chosen.grams_per_week >= 21.0
    back = {(o.regimen.route, o.regimen.grams) for o in laid_out.options if "option.given_before" in names(o.because)}
    assert back == {("IV", 84.0), ("SC", 22.0)}  # whole vials, not less than before


def test_someone_without_response_is_refused_after_a_fair_trial_and_no_increase_is_proposed():
    laid_out = plan(posterior(draws(responders=0.05)))
    assert [f.name for f in laid_out.refusal] == ["refusal.no_response"]
    assert proposed(laid_out) is None
    assert "option.response_doubtful" in names(option(laid_out, "increase").limited_by)


def test_after_two_courses_without_effect_the_trial_is_not_complete():
    laid_out = plan(posterior(draws(responders=0.05)), record(n=2))
    assert [f.name for f in laid_out.refusal] == ["refusal.trial_incomplete"]


@pytest.mark.parametrize("basis", [Basis.POPULATION, Basis.COVARIATES])
def test_on_a_population_basis_nothing_is_proposed_and_it_is_said_what_to_measure(basis):
    laid_out = plan(posterior(basis=basis))
    assert proposed(laid_out) is None
    assert "refusal.population_basis" in names(laid_out.refusal)
    assert {"help.igg_after_infusion", "help.one_planned_change"} <= names(laid_out.refusal)
    assert len(laid_out.options) >= 3  # still laid side by side


def test_where_the_swing_is_mostly_prior_nothing_is_proposed():
    wide = draws(spread=0.3, seed=8)
    laid_out = plan(posterior(draws(spread=0.3, seed=9), prior=wide, daily=False))
    assert [f.name for f in laid_out.refusal] == ["refusal.mostly_prior"]
    assert "help.daily_strength" in names(laid_out.refusal)


def test_daily_values_are_not_asked_of_someone_who_takes_them_already():
    wide = draws(spread=0.3, seed=8)
    laid_out = plan(posterior(draws(spread=0.3, seed=9), prior=wide, daily=True))
    assert "help.daily_strength" not in names(laid_out.refusal)


def test_a_longer_interval_is_not_proposed_where_its_length_rests_on_the_prior():
    timing = Finding("timing.mostly_prior", {"information": 0.1, "needed": 0.2})
    fit, case = over_treated(), record()
    current = room.InForce("kiovig", "IV", (80.0,), 28.0, AT.replace(day=2, month=2), None, (80.0,), 8, 7)
    aim = room.Aim(12.0, True, 0.0, 1.0, (timing,))
    laid_out = room.propose(fit, current, case, KNOWLEDGE, aim, at=AT)
    assert "option.timing_is_prior" in names(option(laid_out, "longer_interval").limited_by)
    assert proposed(laid_out).action == "reduce"


def test_a_fit_that_did_not_converge_carries_no_proposal():
    laid_out = plan(posterior(converged=False))
    assert "refusal.not_converged" in names(laid_out.refusal)
    assert proposed(laid_out) is None


def test_a_person_never_treated_sees_what_is_typical_and_no_proposal():
    laid_out = plan(case=record(infusions=()))
    assert laid_out.current is None
    assert "refusal.never_treated" in names(laid_out.refusal)
    assert [o.action for o in laid_out.options] == ["no_change", "start", "start"]
    untreated, first_course = laid_out.options[:2]
    assert untreated.grams_per_week == 0.0
    assert first_course.grams_per_kg == pytest.approx(2.0)
    assert first_course.regimen.days >= 2
    assert "option.start_is_population" in names(first_course.because)


def test_a_treatment_that_has_stopped_gets_no_proposal():
    laid_out = plan(case=record(last=100))
    assert "regimen.stale" in names(laid_out.refusal)
    assert proposed(laid_out) is None


def test_options_that_differ_by_simulation_error_only_are_ties_and_no_change_wins():
    """With all weights at nothing every option is as good as any other."""
    nothing = dict.fromkeys(KNOWLEDGE.loss, 0.0)
    laid_out = plan(limits=Limits(weights=nothing))
    assert proposed(laid_out).action == "no_change"
    assert "proposal.ties" in names(laid_out.findings)
    able = [o for o in laid_out.options if o.tie]
    assert len(able) > 1


def test_among_ties_without_no_change_the_fewest_grams_win():
    nothing = dict.fromkeys(KNOWLEDGE.loss, 0.0)
    laid_out = plan(over_treated(dose=170.0), record(grams=170.0, days=5), limits=Limits(weights=nothing))
    assert not option(laid_out, "no_change").tie  # more than 2 g/kg in a course: not to be proposed
    chosen = proposed(laid_out)
    assert chosen.grams_per_week == min(o.grams_per_week for o in laid_out.options if o.tie)


def stuck(floor=13.5):
    """75 g every three weeks hold 13.5 kg too seldom; the same every two weeks would, but that is half as much again."""
    own = draws(n=200, half_life=18.0, spread=0.1, dose=75.0, interval=21.0)
    return plan(posterior(own, floors=(floor,)), record(grams=75.0, every=21, n=10, weight=75.6))


def test_a_better_regimen_more_than_one_step_away_is_gone_towards_by_the_step_that_cannot_be_told_from_no_change():
    laid_out = stuck()
    chosen, now, far = proposed(laid_out), option(laid_out, "no_change"), option(laid_out, "shorter_interval")
    assert far.regimen.interval_days == 14
    assert names(far.limited_by) == {"limit.one_step"}
    assert far.loss < now.loss - 0.05
    assert now.tie
    assert chosen.action == "increase"
    assert chosen.tie
    said = next(f for f in chosen.because if f.name == "option.proposed_step")
    assert said.facts["option"] == far.id
    assert said.facts["loss"] == pytest.approx(far.loss)


def test_where_nothing_clearly_better_lies_further_on_no_change_still_wins_among_ties():
    laid_out = stuck(floor=13.0)
    chosen = proposed(laid_out)
    assert chosen.action == "no_change"
    assert option(laid_out, "increase").tie


def test_what_another_limit_forbids_is_not_gone_towards():
    """Two weeks' interval would be above the labelled grams of a month: no step leads there."""
    own = draws(n=200, half_life=18.0, spread=0.1, dose=75.0, interval=21.0)
    laid_out = plan(posterior(own, floors=(13.5,)), record(grams=75.0, every=21, n=10, weight=60.0))
    far = option(laid_out, "shorter_interval")
    assert "limit.recommended" in names(far.limited_by)
    assert not [o for o in laid_out.options if "option.proposed_step" in names(o.because)]


def test_a_dose_that_was_spread_because_it_grew_does_not_add_a_day_with_each_further_step():
    """65 g in a day, then 75 g in two: a further step asks what the person had in a day, 65 g, and stays at two days."""
    first = [AT - timedelta(days=28 * k) for k in range(8, 3, -1)]
    then = [AT - timedelta(days=28 * k) for k in range(3, 0, -1)]
    infusions = [Infusion("kiovig", 65.0, day, None, "IV") for day in first]
    infusions += [
        Infusion("kiovig", g, day + timedelta(days=n), None, "IV") for day in then for n, g in enumerate((40.0, 35.0))
    ]
    laid_out = plan(posterior(draws(dose=75.0)), record(infusions=infusions, weight=65.0))
    assert option(laid_out, "increase").regimen.grams > 75.0
    assert option(laid_out, "increase").regimen.days == 2


def test_weights_are_shown_and_changing_them_changes_the_choice():
    usual = plan()
    frugal = plan(limits=Limits(weights={"grams_per_week": 1.0}))
    assert dict(usual.weights)["grams_per_week"] == KNOWLEDGE.loss["grams_per_week"].value
    assert dict(frugal.weights)["grams_per_week"] == 1.0
    assert proposed(usual).grams_per_week > proposed(frugal).grams_per_week
    assert "proposal.weights_changed" in names(frugal.findings)


def test_a_weight_on_nothing_we_compute_is_refused():
    with pytest.raises(ValueError, match="colour"):
        plan(limits=Limits(weights={"colour": 1.0}))


def test_the_loss_is_the_sum_of_its_parts_and_its_error_is_small():
    for o in plan().options:
        parts = next(f for f in o.because if f.name == "option.loss").facts
        assert sum(v for k, v in parts.items() if k != "loss") == pytest.approx(o.loss)
        assert 0 <= o.loss_se < 0.1


@settings(max_examples=8, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_in_which_options_are_looked_at_has_no_say(random):
    fit, case = posterior(draws(n=100)), record()
    usual = plan(fit, case)
    plain = room.candidates

    def shuffled(*args, **kwargs):
        found, said = plain(*args, **kwargs)
        rest = list(found[1:])
        random.shuffle(rest)
        return (found[0], *rest), said

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "candidates", shuffled)
        mixed = plan(fit, case)
    assert proposed(mixed).id == proposed(usual).id
    assert {o.id for o in mixed.options if o.tie} == {o.id for o in usual.options if o.tie}


@settings(max_examples=15, deadline=None)
@given(
    grams=st.floats(20, 150),
    more=st.floats(1, 80),
    every=st.sampled_from([7.0, 21.0, 28.0, 56.0]),
    seed=st.integers(0, 99),
)
def test_more_grams_never_lower_strength_on_any_day(grams, more, every, seed):
    own = draws(n=30, spread=0.4, seed=seed)
    days = np.arange(0.0, 183.0)
    starts = np.arange(3.0, 180.0, every)
    less, larger = (predict(own, FutureDoses.of(starts, g), days).capacity for g in (grams, grams + more))
    assert np.all(larger >= less - 1e-9)


def test_figures_are_those_of_the_last_full_cycle_within_twenty_six_weeks():
    """The next infusion is due today; six cycles of 28 days fit into 182 days, the last from day 140 to day 168."""
    own = draws(n=50)
    now = option(plan(posterior(own)), "no_change")
    days = np.arange(0.0, 169.0)
    strength = predict(own, FutureDoses.of(28.0 * np.arange(6), 80.0, length=5 / 24), days).capacity[0][:, 140:]
    assert now.trough == pytest.approx(float(np.median(strength.min(axis=1))))
    assert now.peak == pytest.approx(float(np.median(strength.max(axis=1))))


def test_the_next_infusion_comes_one_interval_after_the_last_or_today_if_it_is_overdue():
    def first_rise(case):
        fit = posterior(draws(n=50))
        median = option(plan(fit, case), "no_change").forecasts[0].median
        return int(np.argmax(np.diff(median) > 0))

    assert first_rise(record(last=18)) in (9, 10, 11)  # due in ten days; strength turns within a day of it
    assert first_rise(record(last=35)) == 0


def test_forecasts_cover_all_measures_the_deciding_one_first_and_their_quantiles_are_in_order():
    fit = posterior(draws(level=(8.0, 30.0)), floors=(None, None))
    for o in plan(fit).options:
        assert [f.measure for f in o.forecasts] == ["grip-0", "grip-1"]
        for f in o.forecasts:
            assert f.days[0] == 0.0
            assert f.days[-1] == 182.0
            bands = np.array([f.q05, f.q25, f.median, f.q75, f.q95])
            assert np.all(np.diff(bands, axis=0) >= 0)


def test_quantiles_agree_with_numpy():
    values = np.random.default_rng(1).standard_normal((37, 11))
    assert np.allclose(quantiles(values), np.quantile(values, (0.05, 0.25, 0.5, 0.75, 0.95), axis=0))


def test_a_switch_to_the_skin_is_gram_for_gram_at_home_and_with_its_cautions():
    laid_out = plan(case=record(goals=Goals(routes=("IV", "SC", "fSCIg"))))
    switches = [o for o in laid_out.options if o.action == "switch_route"]
    assert {o.regimen.route for o in switches} == {"SC", "fSCIg"}
    for o in switches:
        assert o.grams_per_week == pytest.approx(20.0, rel=0.1)
        assert o.grams_per_week >= 20.0 - 1e-9
        assert o.visits_per_year == 0
        assert "option.at_home" in names(o.because)
        assert {"eftimov2009", "gingele2026"} <= {f.source for f in o.because}


def test_routes_nobody_asked_about_are_not_offered_and_that_is_said():
    laid_out = plan()
    assert "switch_route" not in [o.action for o in laid_out.options]
    assert "route.not_asked" in names(laid_out.findings)


def test_kinetics_that_would_choose_differently_are_named():
    """Half of the draws lose IgG in a week, the other half hardly at all."""
    models = tuple(ModelWeight(p, True, 0.5, 0.0, 0.2) for p in ("li2024b", "tortorici2021"))
    fast = draws(half_life=10.0, spread=0.01, seed=1)
    slow = draws(c50=0.8, half_life=40.0, spread=0.01, seed=2)
    both = {
        name: np.concatenate([getattr(fast, name)[:200], getattr(slow, name)[:200]]) for name in type(fast).__slots__
    }
    both["population"] = np.repeat([0, 1], 200)
    laid_out = plan(posterior(type(fast)(**both), models=models, floors=(13.5,)))
    differ = next(f for f in laid_out.findings if f.name == "proposal.models_differ")
    assert {f.facts["population"] for f in differ.because} == {"li2024b", "tortorici2021"}
    assert len({f.facts["option"] for f in differ.because}) == 2


def test_kinetics_that_would_choose_the_same_are_said_to_agree():
    models = tuple(ModelWeight(p, True, 0.5, 0.0, 0.2) for p in ("li2024b", "tortorici2021"))
    laid_out = plan(posterior(draws(populations=2), models=models))
    assert "proposal.models_agree" in names(laid_out.findings)


def test_a_floor_far_above_what_any_step_can_reach_still_moves_towards_it_and_says_so():
    laid_out = plan(posterior(floors=(15.0,)))
    assert "proposal.floor_out_of_reach" in names(laid_out.findings)
    assert proposed(laid_out).grams_per_week > 20.0


def test_a_regimen_told_from_before_counts_as_a_fair_trial():
    told = Before("regimen", "kiovig", 80.0, 28.0, "IV")
    laid_out = plan(posterior(draws(responders=0.05)), record(n=2, before=told))
    assert [f.name for f in laid_out.refusal] == ["refusal.no_response"]


def test_the_same_question_gets_the_same_answer():
    first, second = plan(), plan()
    assert [replace(o, forecasts=()) for o in first.options] == [replace(o, forecasts=()) for o in second.options]
    assert first.findings == second.findings


def test_less_treatment_waits_while_the_day_of_a_course_is_in_doubt():
    """A person who holds the floor with room to spare gets less; with a day in doubt, not before somebody looked it up."""
    fit = posterior(floors=(9.0,))
    assert proposed(plan(fit)).grams_per_week < option(plan(fit), "no_change").grams_per_week
    facts = {"recorded": "2026-01-09", "likely": "2026-01-05", "probability": 0.97}
    doubted = plan(replace(fit, findings=(Finding("history.day_in_doubt", facts, status="assumed"),)))
    for action in ("reduce", "longer_interval"):
        assert "option.day_in_doubt" in names(option(doubted, action).limited_by)
    assert proposed(doubted).action == "no_change"
