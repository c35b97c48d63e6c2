"""FHIR dates and times, and those of a record. Nothing is completed: a year stays a year."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_PART = re.compile(r"\d{4}(-(0[1-9]|1[0-2]))?")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})")
_NO_OFFSET = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?")


class TimeError(ValueError):
    """A text that is no date or time; says why and what to write."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.what, self.remedy = what, remedy


def to_wire(text: str, zone: ZoneInfo | None) -> str:
    """A record's day or time as FHIR dateTime: a day stays a day, a time gets seconds and its offset."""
    if len(text) == 10:
        return text
    moment = datetime.fromisoformat(text.replace(" ", "T"))
    if moment.tzinfo is None:
        if zone is None:
            raise TimeError(f"{text} has no offset", "Write the record's timezone.")
        moment = moment.replace(tzinfo=zone)
    offset = moment.utcoffset()
    assert offset is not None
    if offset.seconds % 60 or abs(offset) >= timedelta(hours=14):
        moment = moment.astimezone(UTC)  # offsets of the past, to the second, cannot travel
    return moment.isoformat()


def is_part(text: str) -> bool:
    """Whether the text is a year, or a year and a month."""
    return bool(_PART.fullmatch(text))


def from_wire(text: str, zone: ZoneInfo | None) -> str:
    """A FHIR date or dateTime in the record's form; local, without offset, where the zone is known and it is clear.

    Raises TimeError for a partial date, a time without offset, and what is no day at all.
    """
    if is_part(text):
        raise TimeError(f"'{text}' is only a part of a date", "The day is needed here; it is never guessed.")
    if _DAY.fullmatch(text):
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError:
            raise TimeError(f"there is no such day as {text}", "Check year, month and day.") from None
    if _NO_OFFSET.fullmatch(text):
        raise TimeError(f"the time '{text}' has no offset", "FHIR times name it, as in 2025-03-14T09:30:00+01:00.")
    if not _TIME.fullmatch(text):
        raise TimeError(f"'{text[:60]}' is no FHIR date or time", "Write 2025-03-14 or 2025-03-14T09:30:00+01:00.")
    try:
        moment = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    except ValueError:
        raise TimeError(f"there is no such time as {text}", "Check day, hour, minute and offset.") from None
    if zone is not None:
        local = moment.astimezone(zone).replace(tzinfo=None)
        if local.replace(tzinfo=zone).astimezone(UTC) == moment.astimezone(UTC):
            return _short(local)
        moment = moment.astimezone(zone)  # the hour that the clock shows twice keeps its offset
    return _short(moment)


def _short(moment: datetime) -> str:
    return moment.isoformat(timespec="auto" if moment.second or moment.microsecond else "minutes")
