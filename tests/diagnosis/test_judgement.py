"""Red flags, next steps, and whether to treat or to watch."""

from __future__ import annotations

from datetime import date

import pytest
from tests.diagnosis.confusion import answers
from tests.diagnosis.made import AT, BOOK, CLEAN, TYPICAL, history, judged, record

SURE = f"{TYPICAL} definite_block_2_nerves weakness_exceeds_wasting upper_limb_onset"


@pytest.mark.parametrize("flag", BOOK.flags, ids=lambda f: f.finding)
def test_every_red_flag_goes_up_and_says_what_to_do(flag) -> None:
    told = history(flag.finding) if flag.met else history("", flag.finding)
    up = {f.finding: f for f in judged(told).red_flags}
    assert up[flag.finding].do
    assert up[flag.finding].think_of


def test_flags_that_stop_come_before_those_that_slow() -> None:
    found = judged(history("severe_pain_at_onset fatigable_weakness upper_motor_neuron_signs")).red_flags
    assert [f.grade for f in found] == ["stop", "slow", "slow"]


def test_no_flag_is_up_where_nothing_is_known() -> None:
    assert judged(record()).red_flags == ()


def test_a_flag_stops_the_trial_even_where_the_blocks_are_definite() -> None:
    """Blocks in two nerves, and a stiff leg with clonus."""
    told = history(f"{SURE} upper_motor_neuron_signs", CLEAN.replace("upper_motor_neuron_signs ", ""))
    found = judged(told)
    assert found.plan.kind in ("settle", "other")
    assert found.criteria[0].class_ == "not met"


def test_the_trial_has_dates_and_a_success_agreed_beforehand() -> None:
    found = judged(history(SURE, CLEAN)).plan
    assert found.kind == "trial"
    assert found.steps[0].on is None
    assert [s.on for s in found.steps[1:]] == [date(2025, 3, 24), date(2025, 6, 2)]
    assert len(found.success) == 3
    assert all(f.source for f in found.success)


def test_mild_and_still_is_watched_with_dates() -> None:
    found = judged(history(f"{SURE} disability_mild", f"{CLEAN} progressive_now")).plan
    assert found.kind == "watch"
    assert [s.on for s in found.steps] == [date(2025, 6, 2), date(2025, 12, 1)]
    assert len(found.would_change) >= 4


def test_mild_but_getting_worse_is_treated() -> None:
    assert judged(history(f"{SURE} disability_mild progressive_now", CLEAN)).plan.kind == "trial"


def test_very_old_and_without_change_is_watched() -> None:
    found = judged(history(f"{SURE} stable_for_2_years", CLEAN, "2005"))
    assert found.plan.kind == "watch"
    assert any(f.name == "diagnosis.little_to_gain" for f in found.plan.because)


def test_a_trial_does_not_come_before_the_tests_that_could_give_the_class() -> None:
    found = answers()["mmn_called_als"].judgement
    assert found.differential[0].condition == "mmn"
    assert found.plan.kind == "settle"
    assert found.next[0].test == "conduction_to_erb"


def test_nothing_that_is_known_is_asked_again() -> None:
    for name, found in answers().items():
        for suggestion in found.judgement.next:
            for asked in suggestion.answers:
                assert found.judgement.facts[asked].truth.value == "unknown", name


def test_a_suggestion_says_what_either_result_would_mean() -> None:
    found = judged(history("slowly_progressive weakness_two_nerves", "sensory_loss")).next
    assert 1 <= len(found) <= 3
    for one in found:
        assert one.bits > 0
        if one.outcomes:
            assert [o.met for o in one.outcomes] == [True, False]
            assert sum(o.probability for o in one.outcomes) == pytest.approx(1.0)


def test_information_is_never_negative_and_falls_when_more_is_known() -> None:
    little = judged(record()).next[0].bits
    much = judged(history(f"{SURE} weaker_in_the_cold", CLEAN)).next
    assert all(s.bits >= 0 for s in much)
    assert max((s.bits for s in much), default=0.0) < little


def test_the_bedside_leaves_a_place_for_a_test() -> None:
    found = judged(record()).next
    assert sum(s.cost == 0 and s.harm == 0 for s in found) <= 2


def test_another_condition_that_leads_is_followed_not_treated_as_mmn() -> None:
    found = answers()["cmt"].judgement.plan
    assert found.kind == "other"
    assert found.says.startswith("Charcot-Marie-Tooth")


def test_where_hardly_anything_is_recorded_that_is_said_before_any_name() -> None:
    assert judged(record()).thin
    assert not judged(history(SURE, CLEAN)).thin


def test_dates_count_from_the_day_of_the_question() -> None:
    early, late = (judged(history(SURE, CLEAN), at).plan.steps[1].on for at in (AT, date(2025, 4, 3)))
    assert (late - early).days == 31
