"""Numbers as people write them. What can be read in two ways is not decided here."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranvier.exchange import numbers
from ranvier.exchange.numbers import Decimal, Number, TwoWays


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10.8", 10.8),
        ("10,8", 10.8),
        (" 14 ", 14.0),
        ("1.610,5", 1610.5),
        ("1,610.5", 1610.5),
        ("1 610", 1610.0),
        ("1'610", 1610.0),
        ("1\u202f610,25", 1610.25),
        ("1.234.567", 1234567.0),
        ("0,350", 0.35),
        ("+3", 3.0),
        ("-3", -3.0),
        (".5", 0.5),
        ("1610.123", 1610.123),
        ("14.", 14.0),
    ],
)
def test_a_clear_number_needs_no_context(text, value):
    assert numbers.read(text) == Number(value)


@pytest.mark.parametrize("text", ["1,610", "1.610", "12.000"])
def test_three_digits_behind_one_sign_can_be_read_in_two_ways(text):
    found = numbers.read(text)
    assert isinstance(found, TwoWays)
    assert found.as_thousands == found.as_decimal * 1000
    assert numbers.read(text, Decimal(text[1] if text[1] in ".," else text[2])).value == found.as_decimal


@pytest.mark.parametrize(
    ("text", "rest"), [("14.2kg", "kg"), ("48 kPa", "kPa"), ("12,4 (tired)", "(tired)"), ("14 2", "2")]
)
def test_what_stands_behind_a_number_is_kept(text, rest):
    assert numbers.read(text).rest == rest


@pytest.mark.parametrize(
    "text", ["<5", "< 5,0", "less than 5", "unter 5", "moins de 5", "minder dan 5", "menos de 5", "meno di 5"]
)
def test_less_than_is_kept_as_less_than(text):
    found = numbers.read(text)
    assert found.below
    assert found.value == 5.0


@pytest.mark.parametrize("text", ["", "abc", "n/a", "1.2.3", "12,34,5", "--", "1.610.5,2,1", "½"])
def test_what_is_no_number_is_none(text):
    assert numbers.read(text) is None


@pytest.mark.parametrize(
    ("column", "proved"),
    [
        (["10,8", "9"], {Decimal.COMMA}),
        (["10.8", "1,610"], {Decimal.POINT}),
        (["1,610"], set()),
        (["10,8", "10.8"], set(Decimal)),
        (["1.234.567"], {Decimal.COMMA}),
    ],
)
def test_a_column_proves_its_decimal_sign(column, proved):
    assert numbers.decimal_proved(column)[0] == proved


@given(st.floats(0, 99999, allow_nan=False).map(lambda x: round(x, 2)), st.sampled_from([".", ","]), st.booleans())
def test_a_number_written_with_either_sign_comes_back(value, sign, grouped):
    other = "," if sign == "." else "."
    text = f"{value:,.2f}" if grouped else f"{value:.2f}"
    text = text.replace(",", "\0").replace(".", sign).replace("\0", other)
    assert numbers.read(text) == Number(value)


@given(st.text(max_size=40))
def test_any_text_is_a_number_or_is_not(text):
    for decimal in (None, *Decimal):
        found = numbers.read(text, decimal)
        assert found is None or isinstance(found, Number | TwoWays)
