"""Dates and times as people write them. A date that can be read in two ways stays open; no year is guessed."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, timezone

from ranvier.exchange import words


class Order(enum.Enum):
    """The order of the parts of a date written in numbers."""

    DAY_FIRST = "day first"
    MONTH_FIRST = "month first"
    YEAR_FIRST = "year first"


class Form(enum.Enum):
    """What a date cell holds."""

    KNOWN = "known"  # day, month and year are clear
    NUMBERS = "numbers"  # three numbers whose order is open; year is the last (or, if short, may be the first)
    NO_YEAR = "no year"  # day and month are clear, the year is missing
    NUMBERS_NO_YEAR = "numbers, no year"
    SERIAL = "serial"  # a spreadsheet's day number
    RELATIVE = "relative"  # "yesterday"
    DITTO = "ditto"
    BLANK = "blank"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class DateText:
    """A date cell taken apart.

    parts : (year, month, day) for KNOWN; the numbers as written for NUMBERS; (month, day) for NO_YEAR
    short_year : the year was written with two digits
    clock : time of day in the same cell; offset : its distance from UTC, if written
    weekday : the weekday written before the date, Monday 1
    """

    form: Form
    parts: tuple[int, ...] = ()
    short_year: bool = False
    clock: time | None = None
    offset: timedelta | None = None
    weekday: int | None = None


_CLOCK = re.compile(
    r"^(?:um |at |a |kl )?(?P<h>\d{1,2})(?:\s*[:.h\u2236]\s*(?P<m>\d{2})(?:[:.](?P<s>\d{2})(?:[.,]\d+)?)?|(?P<bare>h)?)"
    r"\s*(?P<word>[a-z.][a-z. ]*)?$"
)


@dataclass(frozen=True, slots=True)
class ClockText:
    """A time of day; `half` says whether morning or afternoon was written."""

    at: time
    half: bool


def read_clock(text: str) -> ClockText | None:
    """A time of day: "9:40", "9.40 Uhr", "9h40", "9:30 PM", "0930"; None if the text is not one.

    >>> read_clock("9:30 PM").at.isoformat()
    '21:30:00'
    """
    bare = words.plain(text)
    if re.fullmatch(r"([01]\d|2[0-3])[0-5]\d", bare):
        return ClockText(time(int(bare[:2]), int(bare[2:])), False)
    hit = _CLOCK.match(bare)
    if not hit:
        return None
    hour, minute, second = int(hit["h"]), int(hit["m"] or 0), int(hit["s"] or 0)
    word = (hit["word"] or "").strip()
    afternoon, morning = word in words.listed("afternoon"), word in words.listed("morning")
    if hit["m"] is None and not (word or hit["bare"]):
        return None  # a lone number is no time
    if word and not (afternoon or morning or word in words.listed("clock_words")):
        return None
    if afternoon or morning:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if afternoon else 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    return ClockText(time(hour, minute, second), afternoon or morning)


_ISO = re.compile(r"^(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?!\d)(.*)$")
_COMPACT = re.compile(r"^(19\d{2}|20\d{2})(\d{2})(\d{2})$")
_NUMBERS = re.compile(r"^(\d{1,2})\s*([-/. ])\s*(\d{1,2})\s*[-/. ]\s*(\d{4}|\d{2})(?!\d)(.*)$")
_NO_YEAR = re.compile(r"^(\d{1,2})\s*[-/.]\s*(\d{1,2})\s*\.?$")
_NAMED = re.compile(
    r"^(\d{1,2})(?:st|nd|rd|th|er|\.|º|o)?\s*(?:de |di )?[-/. ]?\s*([a-z]+)"
    r"\.?\s*(?:de |del )?[-/., ]*\s*(\d{4}|'?\d{2})?(?!\d)(.*)$"
)
_NAMED_FIRST = re.compile(
    r"^([a-z]+)\.?\s*[-/ ]?\s*(\d{1,2})(?:st|nd|rd|th)?(?:\s*[,/ -]\s*(\d{4}|'\d{2}|\d{2}))?(?![\d:])(.*)$"
)
_OFFSET = re.compile(r"^(.*?)\s*(z|utc|[+-]\d{2}:?\d{2})$")


def _month(word: str) -> int | None:
    named = words.meaning("months", word)
    return int(named) if named else None


def _without_weekday(bare: str) -> tuple[int | None, str]:
    """The weekday written before a date, if it is clear, and the rest."""
    hit = re.match(r"^([a-z]+)[.,]*\s+(.*)$", bare)
    if not hit or (_month(hit[1]) is not None and hit[1] not in words.listed("weekdays_unclear")):
        return None, bare
    named = words.meaning("weekdays", hit[1])
    if named is None and (hit[1] not in words.listed("weekdays_unclear") or not hit[2][:1].isdigit()):
        return None, bare
    if _month(hit[1]) is not None and not re.match(r"\d{1,4}[-/. ]\s*(\d|[a-z])", hit[2]):
        return None, bare
    return (int(named) if named else None), hit[2]


def _tail(text: str) -> tuple[bool, time | None, timedelta | None]:
    """What stands behind a date: nothing, or a time with or without its distance from UTC. False: something else."""
    rest = text.strip(" ,;")
    rest = re.sub(r"^t(?=\d)", "", rest)
    if not rest:
        return True, None, None
    offset = None
    hit = _OFFSET.match(rest)
    if hit:
        rest, code = hit[1], hit[2]
        if code in ("z", "utc"):
            offset = timedelta(0)
        else:
            hours, minutes = int(code[1:3]), int(code[-2:])
            if hours > 14 or minutes > 59:
                return False, None, None
            offset = (-1 if code[0] == "-" else 1) * timedelta(hours=hours, minutes=minutes)
    clock = read_clock(rest)
    return (True, clock.at, offset) if clock else (False, None, None)


def read_date(text: str) -> DateText:
    """Take a date cell apart without deciding what is open.

    >>> read_date("03/04/2025").form
    <Form.NUMBERS: 'numbers'>
    """
    weekday, bare = _without_weekday(words.plain(text).replace("\u2013", "-"))
    return replace(_read_bare(bare), weekday=weekday)


def _read_bare(bare: str) -> DateText:
    """A date without a weekday before it."""
    if bare in words.listed("ditto"):
        return DateText(Form.DITTO)
    if words.is_missing(bare):
        return DateText(Form.BLANK)
    if bare in words.listed("today"):
        return DateText(Form.RELATIVE)
    hit = _ISO.match(bare)
    if hit:
        return _finished(Form.KNOWN, (int(hit[1]), int(hit[3]), int(hit[4])), hit[5])
    hit = _COMPACT.match(bare)
    if hit and _date(int(hit[1]), int(hit[2]), int(hit[3])):
        return DateText(Form.KNOWN, (int(hit[1]), int(hit[2]), int(hit[3])))
    if re.fullmatch(r"[34]\d{4}(\.0+)?", bare):
        return DateText(Form.SERIAL, (int(float(bare)),))
    hit = _NUMBERS.match(bare)
    if hit:
        parts = (int(hit[1]), int(hit[3]), int(hit[4]))
        return _finished(Form.NUMBERS, parts, hit[5], short_year=len(hit[4]) == 2)
    hit = _NO_YEAR.match(bare)
    if hit:
        return DateText(Form.NUMBERS_NO_YEAR, (int(hit[1]), int(hit[2])))
    return _named(bare)


def _named(bare: str) -> DateText:
    """A date with the month in words."""
    for pattern, day_at, month_at in ((_NAMED, 1, 2), (_NAMED_FIRST, 2, 1)):
        hit = pattern.match(bare)
        month = _month(hit[month_at]) if hit else None
        if hit is None or month is None:
            continue
        day, year = int(hit[day_at]), hit[3]
        if year is None:
            return _finished(Form.NO_YEAR, (month, day), hit[4])
        digits = year.lstrip("'")
        return _finished(Form.KNOWN, (int(digits), month, day), hit[4], short_year=len(digits) == 2)
    return DateText(Form.UNREADABLE)


def _finished(form: Form, parts: tuple[int, ...], tail: str, *, short_year: bool = False) -> DateText:
    fine, clock, offset = _tail(tail)
    return DateText(form, parts, short_year, clock, offset) if fine else DateText(Form.UNREADABLE)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def orders_possible(texts: Iterable[DateText]) -> tuple[set[Order], int, int]:
    """Which orders the dates in numbers allow all over, and how many prove day first and month first.

    A part above 12 cannot be a month; a weekday beside the date may fit one order only. One proof is enough if nothing
    contradicts it.
    """
    day_proofs = month_proofs = 0
    for text in texts:
        if text.form not in (Form.NUMBERS, Form.NUMBERS_NO_YEAR):
            continue
        first, second = text.parts[0], text.parts[1]
        if first > 12 and second <= 12 and not (text.short_year and first > 31):
            day_proofs += 1
        elif second > 12 and first <= 12:
            month_proofs += 1
        elif text.weekday is not None and text.form is Form.NUMBERS and first != second:
            fits = {o for o in (Order.DAY_FIRST, Order.MONTH_FIRST) if _fits_weekday(text, o)}
            day_proofs += fits == {Order.DAY_FIRST}
            month_proofs += fits == {Order.MONTH_FIRST}
    possible = {Order.DAY_FIRST, Order.MONTH_FIRST}
    if day_proofs and not month_proofs:
        possible = {Order.DAY_FIRST}
    elif month_proofs and not day_proofs:
        possible = {Order.MONTH_FIRST}
    return possible, day_proofs, month_proofs


def _fits_weekday(text: DateText, order: Order) -> bool:
    day = resolve(text, order=order, century=2000)
    return day is not None and day.isoweekday() == text.weekday


def resolve(text: DateText, *, order: Order | None, century: int | None, year: int | None = None) -> date | None:
    """The day, once what was open has been answered; None if it is still open or there is no such day."""
    if text.form is Form.KNOWN:
        full = _year(text.parts[0], text.short_year, century)
        return _date(full, text.parts[1], text.parts[2]) if full is not None else None
    if text.form is Form.NO_YEAR:
        return _date(year, *text.parts) if year is not None else None
    if text.form in (Form.NUMBERS, Form.NUMBERS_NO_YEAR):
        first, second = text.parts[0], text.parts[1]
        if text.form is Form.NUMBERS_NO_YEAR:
            full = year
        elif order is Order.YEAR_FIRST and text.short_year:
            full = _year(first, True, century)
            return _date(full, second, text.parts[2]) if full is not None else None
        else:
            full = _year(text.parts[2], text.short_year, century)
        if full is None:
            return None
        if first > 12 or (order is Order.DAY_FIRST and second <= 12):
            return _date(full, second, first)
        if second > 12 or order is Order.MONTH_FIRST:
            return _date(full, first, second)
        return None
    return None


def _year(written: int, short: bool, century: int | None) -> int | None:
    if not short:
        return written
    return None if century is None else century + written


def serial_day(number: int, *, since_1904: bool = False) -> date:
    """The day of a spreadsheet's day number (1900 system unless the file counts from 1904)."""
    return (date(1904, 1, 1) if since_1904 else date(1899, 12, 30)) + timedelta(days=number)


def together(day: date, clock: time | None, offset: timedelta | None = None) -> date | datetime:
    """Day and clock as one; aware if the distance from UTC was written."""
    if clock is None:
        return day
    moment = datetime.combine(day, clock)
    return moment.replace(tzinfo=timezone(offset)) if offset is not None else moment


def written(when: date | datetime) -> str:
    """As the record writes it: a plain date, or a time to the minute (to the second where needed)."""
    if isinstance(when, datetime):
        return when.isoformat(timespec="auto" if when.second or when.microsecond else "minutes")
    return when.isoformat()
