"""Numbers as people write them: decimal commas, thousand signs, "<5", "14.2kg". Nothing ambiguous is decided here."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable
from dataclasses import dataclass

from ranvier.exchange import words

_GROUPED = re.compile(r"^\d{1,3}(?:[ '\u2019\u00a0\u202f]\d{3})+(?:[.,]\d+)?$")
_BODY = r"\d[\d.,]*(?:[ '\u2019\u00a0\u202f]\d{3}(?!\d)[\d.,]*)*|[.,]\d+"
_NUMBER = re.compile(rf"^(?P<sign>[+\-\u2212\u2013]?)(?P<body>{_BODY})\s*(?P<rest>.*)$", re.DOTALL)


class Decimal(enum.Enum):
    """The sign before the decimals."""

    POINT = "."
    COMMA = ","


@dataclass(frozen=True, slots=True)
class Number:
    """One number read: its value, whether it stood behind "less than" or "more than", and the text behind it."""

    value: float
    below: bool = False
    above: bool = False
    rest: str = ""


@dataclass(frozen=True, slots=True)
class TwoWays:
    """A number that can be read in two ways: 1,610 is 1.61 or 1610."""

    as_decimal: float
    as_thousands: float


def _split_bound(text: str) -> tuple[str, str]:
    """The words or sign of "less than"/"more than" before a number, and the remainder."""
    bare = text.strip()
    for kind in ("below", "above"):
        for word in sorted(words.listed(kind), key=len, reverse=True):
            if words.plain(bare).startswith(word):
                remainder = bare[len(word) :].strip()
                if remainder[:1].isdigit() or remainder[:1] in ".,":
                    return kind, remainder
    return "", bare


def _value(body: str, decimal: Decimal | None) -> float | TwoWays | None:
    """The value of digits with separators."""
    if _GROUPED.match(body):
        body = re.sub(r"[ '\u2019\u00a0\u202f]", "", body)
        return float(body.replace(",", "."))
    if re.search(r"[ '\u2019\u00a0\u202f]", body):
        return None
    points, commas = body.count("."), body.count(",")
    if points and commas:
        last = max(body.rfind("."), body.rfind(","))
        sign, other = body[last], "," if body[last] == "." else "."
        whole, part = body[:last], body[last + 1 :]
        if body.count(sign) > 1 or not re.fullmatch(rf"\d{{1,3}}(?:{re.escape(other)}\d{{3}})+", whole) or not part:
            return None
        return float(whole.replace(other, "") + "." + part)
    if not points and not commas:
        return float(body)
    sign = "." if points else ","
    if points + commas > 1:
        return float(body.replace(sign, "")) if re.fullmatch(rf"\d{{1,3}}(?:{re.escape(sign)}\d{{3}})+", body) else None
    whole, part = body.split(sign)
    if not part:
        return None
    as_decimal = float(f"{whole or '0'}.{part}")
    if len(part) != 3 or not 1 <= len(whole) <= 3 or whole.startswith("0"):
        return as_decimal
    if decimal is None:
        return TwoWays(as_decimal, float(whole + part))
    return as_decimal if decimal.value == sign else float(whole + part)


def read(text: str, decimal: Decimal | None = None) -> Number | TwoWays | None:
    """The number that a cell begins with; None if it begins with none.

    >>> read("< 5,0 kg")
    Number(value=5.0, below=True, above=False, rest='kg')
    >>> read("1,610")
    TwoWays(as_decimal=1.61, as_thousands=1610.0)
    """
    bound, remainder = _split_bound(text)
    hit = _NUMBER.match(remainder)
    if not hit:
        return None
    body, rest = hit["body"], hit["rest"].strip()
    while body and body[-1] in ".,":  # a full stop behind a number belongs to the sentence
        body, rest = body[:-1], (rest if rest else "")
    if not body:
        return None
    value = _value(body, decimal)
    if value is None or isinstance(value, TwoWays):
        return value
    if hit["sign"] in ("-", "\u2212", "\u2013"):
        value = -value
    return Number(value, bound == "below", bound == "above", rest)


def decimal_proved(texts: Iterable[str]) -> tuple[set[Decimal], tuple[str, ...]]:
    """Which decimal signs the numbers prove, and those that can be read in two ways.

    "10,8" proves the comma, "1.610,5" too; "1,610" proves nothing.
    """
    proved: set[Decimal] = set()
    unclear: list[str] = []
    for text in texts:
        _, remainder = _split_bound(text)
        hit = _NUMBER.match(remainder)
        if not hit:
            continue
        body = hit["body"].rstrip(".,")
        value = _value(body, None)
        if isinstance(value, TwoWays):
            unclear.append(text)
        elif value is not None and ("." in body or "," in body):
            proved.add(_sign_shown(body))
    return proved, tuple(unclear)


def _sign_shown(body: str) -> Decimal:
    """The decimal sign of an unambiguous number that has a separator."""
    points, commas = body.count("."), body.count(",")
    if points and commas:
        return Decimal.COMMA if body.rfind(",") > body.rfind(".") else Decimal.POINT
    if points + commas > 1:  # several: they group thousands, so the decimal sign is the other one
        return Decimal.COMMA if points else Decimal.POINT
    return Decimal.POINT if points else Decimal.COMMA
