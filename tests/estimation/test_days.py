"""Was a course given on the day that was written down?"""

from dataclasses import replace
from datetime import timedelta

import numpy as np
from tests.estimation.people import AT, Truth, someone

from ranvier.estimation import history as past
from ranvier.estimation import kernels as K
from ranvier.estimation.days import _with, misfit_by_day, recorded_courses
from ranvier.estimation.model import body_of, candidates, timeline
from ranvier.estimation.posterior import days_doubted, estimate, told
from ranvier.estimation.search import search
from ranvier.evidence import load
from ranvier.record.nouns import Before

KNOWLEDGE = load()
STRONG = Truth(imax=(0.7,), c50=6.0, sd=0.06, persistence=0.2)


def moved(record, course, days):
    """The same person, one infusion written down on another day."""
    infusions = [
        replace(i, start=i.start + timedelta(days=days), stop=None if i.stop is None else i.stop + timedelta(days=days))
        if k == course
        else i
        for k, i in enumerate(record.infusions)
    ]
    return replace(record, infusions=tuple(infusions))


def doubts_of(record):
    history = past.build(record, KNOWLEDGE, AT)
    explanations = candidates(history, KNOWLEDGE, body_of(record, KNOWLEDGE.composite, AT))
    optima = [search(c, timeline(history)) for c in explanations]
    read, doubts = days_doubted(history, explanations, optima, KNOWLEDGE)
    return history, read, doubts


def test_a_course_written_down_five_days_late_is_found_and_read_about_where_it_was_given():
    history, read, doubts = doubts_of(moved(someone(STRONG, grams=80.0, interval=28.0, seed=3), 3, 5))
    assert [round(d.at - 10.1) for d in doubts] == [3 * 28 + 5], "this course and no other"
    assert -7 <= doubts[0].days <= -3
    assert doubts[0].probability > 0.9
    assert np.sum(read.doses.start != history.doses.start) == 1, "the others stay where they are"
    said = told(doubts, history, KNOWLEDGE)
    assert [f.name for f in said] == ["history.day_in_doubt"]
    assert said[0].facts["recorded"] > said[0].facts["likely"]


def test_where_all_days_are_right_hardly_a_course_is_doubted():
    """Of some hundred courses, and then nothing changes in the history that the fit reads."""
    courses = doubted = 0
    for seed in range(8):
        history, read, doubts = doubts_of(someone(STRONG, grams=80.0, interval=28.0, seed=seed))
        courses += len(recorded_courses(history))
        doubted += len(doubts)
        if not doubts:
            assert read is history
    assert courses > 50
    assert doubted <= 1


def test_moving_a_course_in_one_cut_of_time_is_as_good_as_cutting_time_anew():
    record = someone(STRONG, grams=80.0, interval=28.0, seed=1)
    history = past.build(record, KNOWLEDGE, AT)
    one = next(c for c in candidates(history, KNOWLEDGE, body_of(record, KNOWLEDGE.composite, AT)) if c.responds)
    x = search(one, timeline(history), curvature=False).x
    rows, days = recorded_courses(history)[2], (0, -6, -1, 3, 8)
    plain = [
        K.misfit(x, timeline(_with(history, rows, s)), one.belief, False, np.empty(0), np.empty((0, 0))) for s in days
    ]
    assert np.allclose(misfit_by_day(history, one, x, rows, days), plain, atol=2e-3)


def test_a_dose_before_the_record_and_doses_under_the_skin_have_no_day_to_doubt():
    before = Before("regimen", "privigen", 80.0, 14.0, "IV")
    record = replace(someone(STRONG, grams=80.0, interval=28.0), before=before)
    history = past.build(record, KNOWLEDGE, AT)
    assert history.unseen > 0
    assert sum(rows.size for rows in recorded_courses(history)) == len(record.infusions)
    skin = replace(record, infusions=tuple(replace(i, route="SC") for i in record.infusions))
    assert recorded_courses(past.build(skin, KNOWLEDGE, AT)) == ()


def test_a_day_in_doubt_is_said_in_the_answer():
    record = moved(someone(STRONG, grams=80.0, interval=28.0, seed=3), 3, 5)
    posterior = estimate(record, KNOWLEDGE, at=AT, seed=1)
    assert "history.day_in_doubt" in [f.name for f in posterior.findings]


def test_a_day_that_somebody_has_looked_up_stands_and_is_not_asked_for_again():
    record = moved(someone(STRONG, grams=80.0, interval=28.0, seed=3), 3, 5)
    infusions = tuple(replace(i, day_checked=k == 3) for k, i in enumerate(record.infusions))
    history, read, doubts = doubts_of(replace(record, infusions=infusions))
    assert history.checked == (3,)
    assert doubts == ()
    assert read is history
