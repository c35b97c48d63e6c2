"""The patient's own curve: more than chance is said only where it is more than chance."""

from __future__ import annotations

from datetime import date, timedelta

from ranvier.report.own_curve import compare, draw

TODAY = date(2026, 3, 2)
ASKED = {"recent": 7, "before": 28, "least": 2, "sd": 0.08}


def daily(*values):
    return [(TODAY - timedelta(days=n), v) for n, v in enumerate(values)]


def test_a_steady_hand_is_called_the_same():
    assert compare(daily(*[20.0, 21.0] * 14), TODAY, **ASKED).verdict == "same"


def test_a_fall_of_a_quarter_in_a_week_is_called_weaker_and_its_mirror_stronger():
    assert compare(daily(*[15.0] * 7, *[20.0] * 28), TODAY, **ASKED).verdict == "less"
    assert compare(daily(*[20.0] * 7, *[15.0] * 28), TODAY, **ASKED).verdict == "more"


def test_a_small_difference_counts_only_with_enough_values():
    few = compare([(TODAY, 18.0), (TODAY - timedelta(days=1), 18.0), *daily(*[0] * 8, 20.0, 20.0)[8:]], TODAY, **ASKED)
    many = compare(daily(*[18.0] * 7, *[20.0] * 28), TODAY, **ASKED)
    assert (few.verdict, many.verdict) == ("same", "less")


def test_nothing_is_compared_where_there_is_nothing_to_compare():
    assert compare([], TODAY, **ASKED).verdict == "few"
    assert compare(daily(20.0, 20.0, 20.0), TODAY, **ASKED).verdict == "few"
    assert compare(daily(*[15.0] * 7, *[20.0] * 28), TODAY, recent=7, before=28, least=2, sd=None).verdict == "few"


def test_the_picture_holds_each_value_and_each_infusion_of_its_weeks():
    told = {
        "days": 84,
        "key": "k",
        "title": "<hand>",
        "unit": "kg",
        "infusion_word": "infusion",
        "months": [str(m) for m in range(1, 13)],
    }
    svg = draw(daily(*[20.0] * 10), [TODAY - timedelta(days=n) for n in (5, 33, 400)], TODAY, **told)
    assert svg.count("h0") == 10
    assert svg.count('<path class="dose"') == 2
    assert "&lt;hand&gt;" in svg
