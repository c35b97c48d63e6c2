"""The regimen in force, read from what was really given."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.regimen.made import AT, record

from ranvier.estimation.courses import InForce, courses_of, in_force, planned, used_to
from ranvier.evidence import load
from ranvier.record.nouns import Before, Infusion

K = load()


def iv(day, grams=80.0, *, route="IV", product="kiovig", course=None, stop=None):
    start = AT - timedelta(days=day)
    return Infusion(product, grams, start, stop, route, course=course)


def reading(*infusions, at=AT, before=None):
    return in_force(record(infusions=infusions, before=before), K, at)


def why(found):
    assert not isinstance(found, InForce)
    return [finding.name for finding in found]


def said(found):
    assert isinstance(found, InForce)
    return [finding.name for finding in found.findings]


def test_eight_courses_four_weeks_apart():
    found = in_force(record(), K, AT)
    assert (found.grams, found.interval_days, found.courses, found.held) == (80.0, 28.0, 8, 7)
    assert found.last == AT - timedelta(days=28)
    assert said(found) == []


def test_five_days_over_a_weekend_are_one_course():
    """Wednesday to Friday, then Monday and Tuesday; again four weeks later."""
    days = (60, 59, 58, 55, 54, 32, 31, 30, 27, 26)
    found = reading(*(iv(d, 30.0) for d in days))
    assert (found.grams, found.daily, found.interval_days) == (150.0, (30.0,) * 5, 28.0)


def test_weekly_infusions_are_courses_of_their_own():
    found = reading(*(iv(7 * k, 20.0) for k in range(1, 9)))
    assert (found.grams, found.interval_days) == (20.0, 7.0)


def test_days_that_share_a_course_name_belong_together_however_far_apart():
    found = reading(*(iv(d, 40.0, course=c) for d, c in ((70, "a"), (61, "a"), (35, "b"), (26, "b"))))
    assert (found.grams, found.interval_days) == (80.0, 35.0)


def test_two_infusions_on_one_day_are_one_day():
    found = reading(*(iv(28 * k, 40.0) for k in (1, 2, 3) for _ in range(2)))
    assert found.daily == (80.0,)


def test_an_interval_shortened_two_courses_ago_is_the_interval_in_force():
    found = reading(*(iv(d) for d in (154, 126, 98, 70, 49, 28)))
    assert found.interval_days == 21.0
    assert found.held == 2


def test_a_single_odd_gap_leaves_the_usual_interval_and_is_called_irregular():
    found = reading(*(iv(d) for d in (133, 105, 77, 49, 7)))
    assert found.interval_days == 28.0
    assert "regimen.irregular" in said(found)


def test_a_new_dose_is_in_force_from_its_first_course_and_the_change_is_said():
    found = reading(*(iv(28 * k, 60.0 if k > 1 else 80.0) for k in range(5, 0, -1)))
    assert found.grams == 80.0
    assert found.held == 0
    assert "regimen.dose_just_changed" in said(found)


def test_a_course_broken_off_after_a_reaction_is_not_a_new_dose():
    found = reading(*(iv(28 * k, 80.0 if k > 1 else 15.0) for k in range(5, 0, -1)))
    assert found.grams == 80.0
    assert "regimen.last_course_cut_short" in said(found)


def test_what_was_given_before_a_reduction_is_remembered():
    found = reading(*(iv(28 * k, 100.0 if k > 3 else 80.0) for k in range(8, 0, -1)))
    assert (found.grams, found.earlier.daily, found.earlier.interval_days) == (80.0, (100.0,), 28.0)


def test_a_first_course_that_was_larger_is_no_earlier_regimen_and_less_is_not_remembered():
    assert reading(*(iv(28 * k, 160.0 if k == 5 else 80.0) for k in range(5, 0, -1))).earlier is None
    assert reading(*(iv(28 * k, 60.0 if k > 3 else 80.0) for k in range(8, 0, -1))).earlier is None


def test_a_larger_regimen_told_from_before_the_record_is_remembered():
    found = in_force(record(before=Before("regimen", "kiovig", 120.0, 28.0, "IV")), K, AT)
    assert found.earlier.grams_per_week == pytest.approx(30.0)


def test_a_treatment_not_given_for_more_than_two_intervals_has_stopped_or_the_record_is_stale():
    assert why(in_force(record(last=57), K, AT)) == ["regimen.stale"]
    assert isinstance(in_force(record(last=56), K, AT), InForce)


def test_one_course_alone_has_no_interval():
    assert why(reading(iv(20))) == ["regimen.single_course"]


def test_one_course_after_a_regimen_told_from_before_takes_its_interval_from_there():
    found = reading(iv(20), before=Before("regimen", "kiovig", 80.0, 21.0, "IV"))
    assert found.interval_days == 21.0
    assert "regimen.interval_from_before" in said(found)


def test_the_gap_from_the_last_dose_before_the_record_is_counted():
    before = Before("regimen", "kiovig", 80.0, 21.0, "IV", last=AT - timedelta(days=50))
    assert reading(iv(20), before=before).interval_days == 30.0


def test_no_infusion_at_all():
    assert why(reading()) == ["regimen.never_treated"]
    assert why(reading(before=Before("unknown"))) == ["regimen.past_unknown"]
    assert why(reading(before=Before("regimen", "kiovig", 80.0))) == ["regimen.before_incomplete"]


def test_a_regimen_told_only_from_before_the_record_is_in_force_if_it_is_recent():
    before = Before("regimen", "kiovig", 80.0, 28.0, "IV", last=AT - timedelta(days=20))
    found = reading(before=before)
    assert (found.grams, found.interval_days) == (80.0, 28.0)


def test_skin_doses_twice_a_week_count_by_the_week():
    found = reading(*(iv(d, 10.0, route="SC", product="hizentra") for k in range(8) for d in (7 * k + 3, 7 * k)))
    assert (found.grams, found.interval_days, found.daily) == (20.0, 7.0, (10.0, 10.0))
    assert found.grams_per_week == pytest.approx(20.0)


def test_one_rescue_infusion_among_skin_doses_does_not_make_an_intravenous_regimen():
    weekly = [iv(7 * k, 20.0, route="SC", product="hizentra") for k in range(1, 12)]
    found = reading(*weekly, iv(3, 80.0))
    assert (found.route, found.grams) == ("SC", 20.0)
    assert "regimen.other_route_given" in said(found)


def test_after_a_switch_only_the_new_route_counts():
    old = [iv(28 * k + 30) for k in range(1, 6)]
    new = [iv(7 * k, 20.0, route="SC", product="hizentra") for k in range(1, 4)]
    found = reading(*old, *new)
    assert (found.route, found.interval_days) == ("SC", 7.0)


def test_the_usual_length_of_an_infusion_is_read_where_it_was_written_down():
    start = datetime(2026, 2, 2, 9, 0, tzinfo=UTC)
    timed = [
        Infusion(
            "kiovig", 80.0, start - timedelta(days=28 * k), start - timedelta(days=28 * k) + timedelta(hours=6), "IV"
        )
        for k in range(3)
    ]
    assert reading(*timed).length == pytest.approx(0.25)
    assert in_force(record(), K, AT).length is None


@settings(max_examples=50, deadline=None)
@given(st.integers(-2000, 2000))
def test_moving_all_dates_moves_nothing_but_the_date_of_the_last_course(shift):
    at = AT + timedelta(days=shift)
    moved, here = in_force(record(at=at), K, at), in_force(record(), K, AT)
    assert moved.last - at == here.last - AT
    assert (moved.grams, moved.interval_days, moved.held) == (here.grams, here.interval_days, here.held)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 700), st.sampled_from([10.0, 40.0, 80.0]), st.sampled_from(["IV", "SC"])), max_size=30
    )
)
def test_whatever_was_given_every_gram_lies_in_exactly_one_course(given_):
    infusions = tuple(iv(day, grams, route=route) for day, grams, route in given_)
    courses = courses_of(record(infusions=infusions), K.monitoring)
    assert sum(c.grams for c in courses) == pytest.approx(sum(i.grams for i in infusions))
    in_force(record(infusions=infusions), K, AT)  # says something, never fails


def test_planned_courses_repeat_and_their_days_follow_each_other():
    doses = planned((30.0, 30.0), 28.0, "IV", first=3.0, until=60.0, length=0.2)
    assert list(doses.start) == [3.0, 4.0, 31.0, 32.0, 59.0, 60.0]
    assert doses.grams.sum() == 180.0


def test_skin_doses_of_a_week_are_spread_over_it():
    doses = planned((10.0, 10.0), 7.0, "SC", first=0.0, until=7.0, length=None)
    assert list(doses.start) == [0.0, 3.5]


@pytest.mark.parametrize(
    ("courses", "usual"),
    [
        ([(65.0,)], 65.0),
        ([(65.0,), (40.0, 35.0), (30.0, 30.0, 25.0)], 65.0),  # spread because it grew
        ([(75.0,), (40.0, 35.0)], 40.0),  # the same grams over more days: somebody spread it on purpose
        ([(75.0,), (40.0, 35.0), (45.0, 40.0)], 45.0),  # and that stays so when it grows later
        ([(65.0,), (40.0, 35.0), (35.0, 30.0)], 40.0),  # back to the old dose, but not in one day: on purpose
        ([(40.0, 40.0), (30.0,), (40.0, 40.0)], 40.0),  # one cut short says nothing
    ],
)
def test_the_grams_of_a_day_that_a_person_is_used_to_outlast_a_step_up(courses, usual):
    assert used_to(courses) == usual
