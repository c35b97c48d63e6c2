"""The ladder: one change at a time, what is fixed before it, and what holds where nothing can be proposed."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from tests.regimen.made import AT, KNOWLEDGE, draws, names, option, plan, posterior, proposed, record

from ranvier.estimation.courses import courses_of, in_force
from ranvier.estimation.nouns import Basis, Series
from ranvier.ground.findings import Finding
from ranvier.monitoring.watch import aim_of, watch
from ranvier.record.nouns import Agreed, Decision, Goals, Result
from ranvier.regimen.fallback import fallback_without_fit
from ranvier.regimen.ladder import climb, cycles_held, situations
from ranvier.regimen.nouns import Aim
from ranvier.regimen.propose import propose

FACTS = {"measure": "grip-0", "floor": 13.0, "unit": "kg"}


def ladder(situation, case=None, *, decisions=(), known=(), proposal=None):
    case = case or record()
    current = in_force(case, KNOWLEDGE, AT)
    return climb(situation, proposal or plan(case=case), current, decisions, KNOWLEDGE, facts=FACTS, known=known, at=AT)


def states(found):
    return {rung.step.id: rung.state for rung in found.rungs}


def decided(step, *, on=date(2026, 1, 5), result=None, situation="wearing_off", **more):
    outcome = None if result is None else Result(on + timedelta(days=60), result)
    return Decision(on=on, decided="accepted", situation=situation, step=step, outcome=outcome, **more)


@pytest.mark.parametrize("situation", sorted(situations()))
def test_every_situation_says_what_follows_and_what_it_is_not(situation):
    found = situations()[situation]
    assert found.says
    assert found.means != found.denies
    assert all(step.success and step.stop and step.evidence for step in found.steps)


def test_wearing_off_decline_and_noise_have_three_different_consequences():
    three = [situations()[name] for name in ("wearing_off", "decline", "noise")]
    assert len({one.means for one in three}) == 3
    first = [next((s.options for s in one.steps if s.options), ()) for one in three]
    assert first[0] == ("shorter_interval",)
    assert "shorter_interval" not in first[1]
    assert first[2] == ("no_change",)


def test_only_one_step_is_taken_at_a_time():
    for situation in situations():
        assert sum(state in ("next", "under_way") for state in states(ladder(situation)).values()) <= 1


def test_before_any_change_of_dose_other_causes_are_asked_for_and_then_the_interval_comes_first():
    assert states(ladder("wearing_off"))["exclude_other_causes"] == "next"
    found = ladder("wearing_off", known=("causes_known",))
    assert states(found)["exclude_other_causes"] == "done"
    assert found.rungs[found.now].step.id == "shorten_interval"


def test_a_change_is_held_for_two_to_three_of_its_own_cycles_before_it_is_judged():
    found = ladder("wearing_off", known=("causes_known",))
    rung = found.rungs[found.now]
    assert cycles_held(KNOWLEDGE) == (2, 3)
    chosen = next(o for o in plan().options if o.id == rung.option)
    assert (rung.judge_on - rung.first).days == 2 * chosen.regimen.interval_days
    assert (rung.judge_by - rung.first).days == 3 * chosen.regimen.interval_days
    assert rung.first >= AT


def test_the_way_back_is_fixed_beforehand_and_is_what_was_given():
    rung = next(r for r in ladder("stable").rungs if r.step.id == "reduce_dose")
    assert (rung.rescue.grams, rung.rescue.interval_days) == (80.0, 28)


def test_a_step_that_is_under_way_is_waited_for_until_it_was_judged():
    found = ladder(
        "wearing_off", decisions=[decided("exclude_other_causes", result="success"), decided("shorten_interval")]
    )
    assert states(found)["shorten_interval"] == "under_way"
    assert found.rungs[found.now].step.id == "shorten_interval"
    assert states(found)["raise_dose"] == "later"


def test_a_step_that_failed_leads_to_the_next_one():
    log = [decided("exclude_other_causes", result="success"), decided("shorten_interval", result="failure")]
    found = ladder("wearing_off", decisions=log)
    assert states(found)["shorten_interval"] == "failed"
    assert found.rungs[found.now].step.id == "raise_dose"


def test_a_refused_step_was_not_taken():
    log = [replace(decided("exclude_other_causes"), decided="refused", reason="person_prefers")]
    assert states(ladder("wearing_off", decisions=log))["exclude_other_causes"] == "next"


def test_what_no_option_of_the_plan_can_carry_out_is_not_possible_and_is_not_waited_for():
    found = ladder("wearing_off", record(goals=Goals(routes=("IV",))), known=("causes_known",))
    assert states(found)["switch_route"] == "not_possible"
    assert found.now is not None


def test_a_ladder_names_only_steps_that_the_guardrails_allow():
    proposal = plan()
    for situation in situations():
        for rung in ladder(situation, proposal=proposal).rungs:
            if rung.option is not None:
                chosen = next(o for o in proposal.options if o.id == rung.option)
                assert chosen.proposed or "option.not_eligible" not in names(chosen.because)


def test_less_treatment_is_not_proposed_while_strength_falls():
    """The same person, the same fit: with an open alarm neither a smaller dose nor a longer interval may be chosen."""
    fit, case = posterior(draws(c50=2.0, imax=0.3), floors=(8.0,)), record()
    current = in_force(case, KNOWLEDGE, AT)
    aim = Aim(*aim_of(watch(fit, current, KNOWLEDGE, courses=courses_of(case, KNOWLEDGE.monitoring))))
    calm = propose(fit, current, case, KNOWLEDGE, aim, at=AT)
    falling = propose(fit, current, case, KNOWLEDGE, replace(aim, falling=True), at=AT)
    assert proposed(calm).action in ("reduce", "longer_interval")
    assert proposed(falling).action not in ("reduce", "longer_interval")
    assert "option.strength_falls" in names(option(falling, "reduce").limited_by)


# ---- guardrails


def test_the_lowest_of_several_limits_wins_and_the_others_stand_behind_it():
    """35 g, 0.4 g/kg and 1 g/kg a day all apply to somebody at risk of thrombosis who weighs 60 kg."""
    found = plan(case=record(grams=60.0, days=2, weight=60.0, conditions=("previous thrombosis",))).guardrails
    per_kg = next(g for g in found if g.what == "grams_per_kg_day")
    assert (per_kg.id, per_kg.bound) == ("day_max_thrombosis", 0.4)
    assert per_kg.beside == ("day_max",)
    assert next(g for g in found if g.what == "grams_per_day").bound == 35.0


def test_a_limit_that_binds_is_shown_as_binding_and_one_far_away_is_not():
    found = {g.what: g for g in plan().guardrails}
    assert found["grams_per_kg_day"].binding
    assert found["grams_per_kg_day"].value == pytest.approx(1.0, abs=0.2)
    assert not found["grams_per_kg_course"].binding


def test_the_rate_is_bounded_by_the_label_of_the_product_and_by_the_risk_whichever_is_less():
    usual = next(g for g in plan(case=record(product="gammagard_liquid")).guardrails if g.what == "ml_per_kg_hour")
    risky = record(product="gammagard_liquid", conditions=("previous thrombosis",))
    slow = next(g for g in plan(case=risky).guardrails if g.what == "ml_per_kg_hour")
    assert usual.bound > slow.bound == 2.0
    assert "gammagard_liquid.top_rate" in slow.beside


def test_every_limit_is_in_one_group_and_the_tightest_of_it_leads():
    for rail in plan(case=record(conditions=("previous thrombosis", "renal failure"))).guardrails:
        behind = [limit for limit in KNOWLEDGE.limits if limit.id in rail.beside]
        assert all((b.number.value >= rail.bound) if rail.upper else (b.number.value <= rail.bound) for b in behind)


# ---- stale, missing, contradictory: the last agreed regimen or no advice, never a cruder formula

AGREED = Agreed("kiovig", "IV", 80.0, 28.0)


def log(case, regimen=AGREED, on=AT - timedelta(days=150)):
    return replace(case, decisions=(Decision(on=on, decided="accepted", proposed=regimen),))


def nothing_but(found, regimen):
    """No option is proposed and the fallback is exactly this."""
    assert proposed(found) is None
    held = found.fallback
    got = None if held.regimen is None else (held.regimen.grams, held.regimen.interval_days)
    assert got == regimen
    return names(held.because)


def old(fit):
    observed = tuple(Series(s.id, s.unit, s.days - 120.0, s.values, s.used) for s in fit.observed)
    return replace(fit, observed=observed)


def test_stale_measurements_leave_the_last_agreed_regimen_in_force():
    said = nothing_but(plan(old(posterior()), log(record())), (80.0, 28))
    assert {"fallback.last_agreed", "refusal.stale"} <= said


def test_stale_measurements_without_a_log_leave_what_was_really_given():
    said = nothing_but(plan(old(posterior()), record()), (80.0, 28))
    assert "fallback.as_given" in said


def test_missing_measurements_leave_the_last_agreed_regimen_in_force():
    said = nothing_but(plan(posterior(basis=Basis.COVARIATES), log(record())), (80.0, 28))
    assert {"fallback.last_agreed", "refusal.population_basis"} <= said


def test_a_fit_that_did_not_converge_leaves_the_last_agreed_regimen_in_force():
    said = nothing_but(plan(posterior(converged=False), log(record())), (80.0, 28))
    assert {"fallback.last_agreed", "refusal.not_converged"} <= said


def test_where_something_else_was_given_than_agreed_there_is_no_advice_until_it_is_mended():
    case = log(record(grams=60.0), AGREED)
    said = nothing_but(plan(case=case), None)
    assert {"fallback.no_advice", "refusal.contradiction"} <= said


@pytest.mark.parametrize("agreed", [replace(AGREED, interval_days=21.0), replace(AGREED, route="SC")])
def test_another_interval_or_route_than_agreed_is_a_contradiction_too(agreed):
    assert "refusal.contradiction" in names(plan(case=log(record(), agreed)).refusal)


def test_a_decision_of_last_week_is_not_held_against_courses_given_before_it():
    case = log(record(), replace(AGREED, grams=60.0), on=AT - timedelta(days=5))
    assert "refusal.contradiction" not in names(plan(case=case).refusal)


def test_treatment_that_seems_stopped_gives_no_advice_although_an_older_regimen_is_known():
    said = nothing_but(plan(case=log(record(last=120))), None)
    assert {"fallback.no_advice", "regimen.stale"} <= said


def test_a_person_who_does_not_respond_is_not_advised_to_go_on_as_agreed():
    said = nothing_but(plan(posterior(draws(responders=0.02)), log(record())), None)
    assert {"fallback.no_advice", "refusal.no_response"} <= said


def test_where_not_even_a_fit_is_possible_the_log_still_holds():
    found = fallback_without_fit(log(record()), KNOWLEDGE, (Finding("history.empty"),), AT)
    assert found.regimen.grams == 80.0
    assert found.agreed_on == AT - timedelta(days=150)


def test_nothing_known_at_all_gives_no_advice():
    found = fallback_without_fit(record(infusions=()), KNOWLEDGE, (Finding("history.empty"),), AT)
    assert found.regimen is None


def test_where_an_option_is_proposed_there_is_no_fallback():
    assert plan().fallback is None


def test_a_decision_later_than_the_day_asked_for_is_no_agreement_yet():
    case = log(record(), on=AT + timedelta(days=3))
    assert "fallback.as_given" in nothing_but(plan(old(posterior()), case), (80.0, 28))
