"""Numbers as laboratories write them: decimal commas, a unit behind, a mark for abnormal. Nothing ambiguous is decided."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from ranvier.conduction.words import MARKS

_NUMBER = re.compile(r"^(?P<sign>[+\-\u2212\u2013]?)\s*(?P<body>\d[\d.,]*|[.,]\d+)\s*(?P<rest>.*)$", re.DOTALL)
_FLAG = re.compile(r"^\(?[HLhl]\)?$")


@dataclass(frozen=True, slots=True)
class Number:
    """A number and the text behind it (a unit, or nothing)."""

    value: float
    rest: str


@dataclass(frozen=True, slots=True)
class TwoWays:
    """A number that can be read in two ways: 1,250 is 1.25 or 1250."""

    as_decimal: float
    as_thousands: float


def read(text: str, comma: bool | None) -> Number | TwoWays | None:
    """The number a cell holds; None if it holds none.

    comma : whether the table uses the decimal comma; None: not known

    >>> read("4,2 mV", None)
    Number(value=4.2, rest='mV')
    >>> read("1,250", None)
    TwoWays(as_decimal=1.25, as_thousands=1250.0)
    """
    stripped = text.strip().strip(MARKS).strip()
    hit = _NUMBER.match(stripped)
    if not hit:
        return None
    body, rest = hit["body"], hit["rest"].strip().strip(MARKS).strip()
    while body and body[-1] in ".,":
        body = body[:-1]
    if _FLAG.match(rest):
        rest = ""
    value = _value(body, comma)
    if value is None or isinstance(value, TwoWays):
        return value
    if not math.isfinite(value):
        return None
    return Number(-value if hit["sign"] in ("-", "\u2212", "\u2013") else value, rest)


def _value(body: str, comma: bool | None) -> float | TwoWays | None:
    points, commas = body.count("."), body.count(",")
    if not points and not commas:
        return float(body)
    if points and commas:
        last, other = (".", ",") if body.rfind(".") > body.rfind(",") else (",", ".")
        whole, _, part = body.rpartition(last)
        if body.count(last) > 1 or not re.fullmatch(rf"\d{{1,3}}(?:{re.escape(other)}\d{{3}})+", whole):
            return None
        return float(f"{whole.replace(other, '')}.{part}")
    if points + commas > 1:
        return None
    sign = "." if points else ","
    whole, part = body.split(sign)
    as_decimal = float(f"{whole or '0'}.{part}")
    if sign == "," and len(part) == 3 and 1 <= len(whole) <= 3 and whole != "0":
        if comma is None:
            return TwoWays(as_decimal, float(whole + part))
        return as_decimal if comma else float(whole + part)
    return as_decimal


def shows_comma(text: str) -> bool | None:
    """Whether the text proves a decimal comma (True), a decimal point (False), or nothing (None)."""
    hit = _NUMBER.match(text.strip())
    if not hit:
        return None
    body = hit["body"].rstrip(".,")
    if body.count(",") == 1 and "." not in body and len(body.split(",")[1]) != 3:
        return True
    return False if body.count(".") == 1 and "," not in body else None
