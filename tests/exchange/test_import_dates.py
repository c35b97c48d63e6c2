"""Days and times as people write them. No year is guessed, no order of day and month without proof."""

from datetime import date, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranvier.exchange import dates
from ranvier.exchange.dates import Form, Order


def resolved(text, order=None, century=None, year=None):
    return dates.resolve(dates.read_date(text), order=order, century=century, year=year)


@pytest.mark.parametrize(
    "text",
    [
        "2025-03-04",
        "2025/3/4",
        "20250304",
        "4 March 2025",
        "4. März 2025",
        "4 mars 2025",
        "4 de marzo de 2025",
        "4 mrt 2025",
        "4-Mar-2025",
        "March 4, 2025",
        "Tue 4 Mar 2025",
        "Di, 4. März 2025",
        "4 marzo 2025",
        "2025-03-04T09:30",
        "2025-03-04 09:30:00",
    ],
)
def test_a_full_date_is_a_day(text):
    assert resolved(text) == date(2025, 3, 4)


def test_day_and_month_in_numbers_wait_for_their_order():
    assert resolved("03/04/2025") is None
    assert resolved("03/04/2025", Order.DAY_FIRST) == date(2025, 4, 3)
    assert resolved("03/04/2025", Order.MONTH_FIRST) == date(2025, 3, 4)
    assert resolved("13/04/2025") == date(2025, 4, 13)
    assert resolved("04/13/2025") == date(2025, 4, 13)


def test_a_year_of_two_digits_waits_for_its_century():
    assert resolved("03 Mar 25") is None
    assert resolved("03 Mar 25", century=2000) == date(2025, 3, 3)
    assert resolved("25/03/04", Order.YEAR_FIRST, 2000) == date(2025, 3, 4)


def test_a_date_without_a_year_waits_for_it():
    assert dates.read_date("3. März").form is Form.NO_YEAR
    assert dates.read_date("03.04.").form is Form.NUMBERS_NO_YEAR
    assert resolved("3. März") is None
    assert resolved("3. März", year=2025) == date(2025, 3, 3)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("yesterday", Form.RELATIVE),
        ("gestern", Form.RELATIVE),
        ('"', Form.DITTO),
        ("", Form.BLANK),
        ("n/a", Form.BLANK),
        ("45719", Form.SERIAL),
        ("spring", Form.UNREADABLE),
        ("13-17.03.2025", Form.UNREADABLE),
        ("2025-03-04 maybe", Form.UNREADABLE),
    ],
)
def test_what_is_no_date_is_said_to_be_none(text, form):
    assert dates.read_date(text).form is form


@pytest.mark.parametrize("text", ["31.02.2025", "2025-13-01", "32 March 2025", "00/00/2025"])
def test_a_day_that_does_not_exist_is_not_mended(text):
    assert resolved(text, Order.DAY_FIRST) is None


def test_one_part_above_twelve_proves_the_order_for_all():
    texts = [dates.read_date(t) for t in ("03/04/2025", "13/04/2025")]
    assert dates.orders_possible(texts) == ({Order.DAY_FIRST}, 1, 0)
    both = [dates.read_date(t) for t in ("04/13/2025", "13/04/2025")]
    assert dates.orders_possible(both)[0] == {Order.DAY_FIRST, Order.MONTH_FIRST}


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("9:40", time(9, 40)),
        ("09.40 Uhr", time(9, 40)),
        ("9h40", time(9, 40)),
        ("9:40 PM", time(21, 40)),
        ("12:05 am", time(0, 5)),
        ("0940", time(9, 40)),
        ("9 AM", time(9)),
        ("9h", time(9)),
        ("21:40:30", time(21, 40, 30)),
        ("12 p.m.", time(12)),
    ],
)
def test_times_of_day(text, at):
    assert dates.read_clock(text).at == at


@pytest.mark.parametrize("text", ["morning", "9", "25:00", "13:00 PM", "9:70", "9 apples"])
def test_what_is_no_time_is_none(text):
    assert dates.read_clock(text) is None


def test_a_written_distance_from_utc_is_kept():
    found = dates.read_date("2025-03-04T09:30:00+01:00")
    assert (found.clock, found.offset) == (time(9, 30), timedelta(hours=1))


def test_a_spreadsheets_day_number():
    assert dates.serial_day(45720) == date(2025, 3, 4)
    assert dates.serial_day(44258, since_1904=True) == date(2025, 3, 4)


@given(
    st.dates(date(1990, 1, 1), date(2060, 12, 31)),
    st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d %B %Y", "%b %d, %Y"]),
)
def test_a_date_written_in_any_usual_way_comes_back(day, style):
    order = Order.MONTH_FIRST if style.startswith("%m") else Order.DAY_FIRST
    assert resolved(day.strftime(style), order) == day


@given(st.text(max_size=40))
def test_any_text_is_taken_apart_without_harm(text):
    found = dates.read_date(text)
    for order in (None, *Order):
        day = dates.resolve(found, order=order, century=2000, year=2025)
        assert day is None or isinstance(day, date)
    dates.read_clock(text)
