"""History and investigations of a record: findings by name, present or absent; not listed is unknown."""

from __future__ import annotations

import calendar
from datetime import date

from ranvier.record import nouns as n
from ranvier.record.reading import Reading
from ranvier.record.text import Path


def history(r: Reading) -> n.History:
    """How it began, symptoms and signs. A finding that is both present and absent on one day must be mended."""
    raw = r.fields("history")
    onset = raw.get("onset")
    if onset is not None and onset_days(onset) is None:
        r.say(("history", "onset"), f"there is no such day as {onset}", "Write a year, a month or a day: 2019-05.")
        onset = None
    signs: list[tuple[Path, n.Sign]] = []
    for key, present in (("present", True), ("absent", False)):
        names = raw.get(key, ())
        signs += [(("history", key, i), n.Sign(what, present)) for i, what in enumerate(names)]
    signs += _dated(r, ("history", "findings"), "present")
    return n.History(onset, _told_once(r, signs))


def investigations(r: Reading) -> tuple[n.Sign, ...]:
    """Tests with a yes-or-no result."""
    return _told_once(r, _dated(r, ("investigations",), "positive"))


def onset_days(text: str) -> tuple[date, date] | None:
    """First and last day that an onset written as a year, a month or a day may mean; None if there is no such day."""
    parts = [int(part) for part in text.split("-")]
    try:
        if len(parts) == 3:
            return date(*parts), date(*parts)
        year, month = parts[0], parts[1] if len(parts) == 2 else None
        last = month or 12
        return date(year, month or 1, 1), date(year, last, calendar.monthrange(year, last)[1])
    except (ValueError, IndexError, calendar.IllegalMonthError):
        return None


def _dated(r: Reading, path: tuple[str, ...], key: str) -> list[tuple[Path, n.Sign]]:
    found: list[tuple[Path, n.Sign]] = []
    for at, raw in r.each(*path):
        on = r.day((*at, "on"), raw.get("on"))
        if "what" in raw and (key in raw or key == "present"):
            found.append((at, n.Sign(raw["what"], raw.get(key, True), on, raw.get("note"))))
    return found


def _told_once(r: Reading, signs: list[tuple[Path, n.Sign]]) -> tuple[n.Sign, ...]:
    """Sorted, each finding once per day. What is said to be both there and not there on one day is complained about."""
    kept: dict[tuple[str, str], n.Sign] = {}
    for path, sign in signs:
        key = sign.what, sign.on.isoformat() if sign.on else ""
        before = kept.setdefault(key, sign)
        if before.present != sign.present:
            r.say(path, f"{sign.what} is both present and absent", "Keep what is true, or give each its day with 'on'.")
    return tuple(kept[key] for key in sorted(kept))
