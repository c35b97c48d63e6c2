"""The terminal summary: the answer first, eighty columns, nothing lost without colour."""

from dataclasses import replace
from datetime import date

import pytest
from tests.report import fake

from ranvier.ground.findings import Finding
from ranvier.report import text
from ranvier.report.plot import Canvas, nice_ticks
from ranvier.report.words import Words

CASES = (fake.assessment, fake.crowded, fake.refused, fake.not_proposed)


@pytest.mark.parametrize("case", CASES)
def test_no_line_is_wider_than_eighty_columns(case):
    assert max(map(len, text.render(case(), fake.knowledge()).splitlines())) <= 80


def test_the_first_sentence_is_the_answer():
    shown = text.render(fake.assessment(), fake.knowledge())
    third = " ".join(shown.splitlines()[2:5])
    assert third.startswith(
        "Strength probably wears off: right grip falls below the floor of 8 kg from about day 26 of 28;"
    )
    assert "60 g every 21 days (shorter interval) would keep right grip above the floor all cycle" in third
    assert "about 8 in 10" in third


def test_what_is_proposed_and_what_ties_is_marked_without_colour():
    shown = text.render(fake.assessment(), fake.knowledge())
    assert [line for line in shown.splitlines() if line.startswith("► 6")] == [
        "► 60 g every 21 days   0.75  20.0    17  8.2  9.1  9.8  about 8 in 10 (80–87 %)"
    ]
    assert sum(line.startswith("= 50 g") for line in shown.splitlines()) == 1


def test_an_invented_case_is_marked_and_the_notice_is_always_there():
    for case in CASES:
        shown = text.render(case(), fake.knowledge())
        assert "Invented case, not a real person" in shown
        assert "not a medical device" in " ".join(shown.split())


def test_colour_only_where_it_is_asked_for():
    assert "\x1b[" not in text.render(fake.assessment(), fake.knowledge())
    assert "\x1b[" in text.render(fake.assessment(), fake.knowledge(), colour=True)


def test_a_name_cannot_steer_the_terminal():
    shown = text.render(fake.assessment(pseudonym="A\x1b[2J\x07"), fake.knowledge())
    assert "\x1b" not in shown
    assert "\x07" not in shown


def test_a_refusal_says_what_to_mend_and_draws_nothing():
    shown = text.render(fake.refused(), fake.knowledge())
    assert "No plan can be made from this record yet." in shown
    assert "Measure grip of both hands weekly" in " ".join(shown.split())
    assert "today" not in shown


def test_without_a_basis_no_option_is_marked_as_proposed():
    shown = text.render(fake.not_proposed(), fake.knowledge())
    assert "►" not in shown
    assert "Test: population only (measure an IgG level one hour after the next infusion)" in " ".join(shown.split())


def test_a_rising_line_climbs_the_canvas():
    canvas = Canvas(4, 2, (0.0, 4.0), (0.0, 1.0))
    canvas.dot(0.1, 0.05, "")
    canvas.dot(3.9, 0.95, "")
    top, bottom = ("".join(c for c, _ in row) for row in canvas.rows())
    assert (top, bottom) == ("   ⠈", "⡀   ")


def test_ticks_are_round_and_inside():
    assert nice_ticks(7.3, 11.8) == [8.0, 9.0, 10.0, 11.0]
    assert nice_ticks(3.0, 3.0) == [3.0]


def with_watch(**changes):
    case = fake.assessment()
    return replace(case, treatment=replace(case.treatment, watch=replace(case.treatment.watch, **changes)))


def flat(case):
    return " ".join(text.render(case, fake.knowledge()).split())


def test_the_nurse_reads_the_next_infusion_with_its_weekday_and_the_day_of_the_cycle():
    """Last course on Monday 16 February, every 28 days; proposed: 60 g every 21 days."""
    said = flat(with_watch(last=date(2026, 2, 16)))
    assert "The last course began Mon 16 Feb 2026, 14 days ago; the cycle has 28 days." in said
    assert "Proposed next: Kiovig IV 60 g on Mon 9 Mar 2026" in said


def test_an_infusion_overdue_is_due_today():
    assert "on Mon 2 Mar 2026" in flat(with_watch(last=date(2026, 1, 5)))


def test_a_trend_that_is_other_peoples_is_not_given_as_this_persons():
    case = fake.assessment()
    trend = Finding(
        "trend.decline.unlikely", {"per_year": -0.02}, (Finding("trend.mostly_prior", {"information": 0.1}),)
    )
    said = flat(with_watch(findings=(*case.treatment.watch.findings, trend)))
    assert "A slow trend cannot be told from this record yet." in said
    assert "Slow trend −" not in said


def test_what_waits_for_a_body_weight_is_said_once():
    limit = {"at_most": True, "bound": 2.0, "unit": "g/kg", "why": "Because.", "value": None}
    unchecked = tuple(
        Finding("limit.cannot_be_checked", {**limit, "what": what})
        for what in ("grams_per_kg_course", "grams_per_kg_day")
    )
    twice = (Finding("limit.how_to_give", {**limit, "what": "ml_per_kg_hour", "limit": id_}) for id_ in ("a", "b"))
    case = fake.assessment()
    some = replace(case.treatment.proposal.options[0], limited_by=(*unchecked, *twice))
    said = text.limits(some, Words(fake.knowledge()))
    assert len(said) == 2
    assert said[1] == (
        "Not checked, because the body weight is not recorded: dose of one course (at most 2 g/kg); "
        "dose in one day (at most 2 g/kg). Record a weight."
    )


def test_a_floor_that_nobody_agreed_is_called_assumed_in_the_first_sentence_and_below():
    """Twelve point four is our guess from the plateau: nobody asked her which strength matters."""
    floor = replace(fake.assessment().treatment.watch.floor, agreed=False)
    guess = Finding(
        "floor.assumed", {"measure": "grip-right", "unit": "kg", "value": 8.0, "plateau": 9.0, "threshold": 0.1}
    )
    told = Finding("wearing_off.likely", {"swing": 0.2}, (guess,))
    first = flat(with_watch(floor=floor, findings=(told,)))
    assert "the floor of 8 kg (assumed)" in first
    assert "above the assumed floor all cycle" in first
    assert "No floor was agreed. 8 kg on right grip is assumed" in first
    assert "assumed floor" not in flat(fake.assessment())
