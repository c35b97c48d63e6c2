"""What a patient sends, read strictly, and made into facts.

An entry carries a key that the phone made. The keys of its facts are computed from the patient and that key, so that an entry
that is sent twice is kept once, and nobody can meet the key of somebody else.
"""

from __future__ import annotations

import math
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ranvier.evidence.nouns import Scale
from ranvier_web.clinic.models import Kind, Patient
from ranvier_web.diary import needs

WEAR_OFF = {"yes": True, "no": False, "unsure": None}
_NUMBER = re.compile(r"[0-9]{1,4}(?:[.,][0-9]{1,2})?")
_SHOWN = 40  # letters of what was typed that are said back


class RefusedError(Exception):
    """An entry that cannot be kept. `word` names the sentence that says why, `facts` fill it."""

    def __init__(self, word: str, **facts: Any) -> None:
        super().__init__(word)
        self.word = word
        self.facts = facts


@dataclass(frozen=True, slots=True)
class Series:
    """A series that the patient may add to: its id, hand, scale and unit."""

    id: str
    measure: str
    side: str | None
    unit: str
    scale: Scale


@dataclass(frozen=True, slots=True)
class Wanted:
    """A fact as it would be kept. part : names it within its entry."""

    part: str
    kind: str
    day: date
    body: Mapping[str, Any]


def the_key(entry: Any) -> uuid.UUID:
    """The key of an entry. Raises RefusedError where there is none."""
    if not isinstance(entry, Mapping):
        raise RefusedError("shape")
    try:
        return uuid.UUID(str(entry.get("key", ""))[:_SHOWN])
    except ValueError:
        raise RefusedError("key") from None


def fact_key(patient: Patient, key: uuid.UUID, part: str) -> uuid.UUID:
    """The key of one fact of an entry: the same for the same patient, entry and part."""
    return uuid.uuid5(patient.pk, f"{key}/{part}")


def grip(entry: Mapping[str, Any], series: Mapping[str, Series], patient: Patient, now: datetime) -> list[Wanted]:
    """One session of the hands. Raises RefusedError."""
    at = _moment(entry.get("at"), patient, now)
    given = entry.get("readings")
    if not isinstance(given, Mapping) or len(given) > len(series):
        raise RefusedError("shape")
    readings: dict[str, float] = {}
    for id, typed in given.items():
        if typed is None or typed == "":
            continue
        if id not in series:
            raise RefusedError("series")
        readings[id] = _number(typed, series[id])
    if not readings:
        raise RefusedError("nothing")
    return [Wanted("grip", Kind.STRENGTH, at.date(), {"at": at.isoformat(), "readings": readings})]


def how(entry: Mapping[str, Any], series: Mapping[str, Series], patient: Patient, now: datetime) -> list[Wanted]:
    """How it is going: wearing-off, what else happened, a score, a note. Raises RefusedError.

    What was not ticked stays unknown; only "none of these" says that nothing of what was asked happened.
    """
    at = _moment(entry.get("at"), patient, now)
    on = at.date().isoformat()
    found: list[Wanted] = []
    felt = entry.get("wear_off")
    if felt not in (None, ""):
        if not isinstance(felt, str) or felt not in WEAR_OFF:
            raise RefusedError("event")
        if WEAR_OFF[felt] is not None:
            found.append(_event(at.date(), "wearing_off_felt", WEAR_OFF[felt] is True))
    events = entry.get("events") or []
    if not isinstance(events, list) or not all(isinstance(e, str) and e in needs.asked() for e in events):
        raise RefusedError("event")
    none = entry.get("none") is True
    if none and events:
        raise RefusedError("event")
    found += [_event(at.date(), what, not none) for what in (needs.asked() if none else dict.fromkeys(events))]
    note = entry.get("note") or ""
    if not isinstance(note, str) or "\x00" in note:
        raise RefusedError("shape")
    if len(note) > needs.numbers()["note_length"]:
        raise RefusedError("long", n=int(needs.numbers()["note_length"]))
    scores = entry.get("readings") or {}
    if not isinstance(scores, Mapping) or len(scores) > len(series):
        raise RefusedError("shape")
    values = {}
    for id, typed in scores.items():
        if typed in (None, ""):
            continue
        if id not in series:
            raise RefusedError("series")
        values[id] = _number(typed, series[id])
    if values:
        found.append(Wanted("score", Kind.STRENGTH, at.date(), {"at": at.isoformat(), "readings": values}))
    said = {"on": on, "text": note.strip()}
    if felt:
        said["wear_off"] = felt
    if not found and not note.strip() and not felt:
        raise RefusedError("nothing")
    found.append(Wanted("how", Kind.DIARY, at.date(), said))
    return found


def device(entry: Mapping[str, Any]) -> list[Wanted]:
    """The two series of a device that the patient squeezes at home. Raises RefusedError."""
    scale = needs.devices().get(str(entry.get("device", ""))[:_SHOWN])
    if scale is None:
        raise RefusedError("device")
    return [
        Wanted(
            side,
            Kind.SERIES,
            date(1900, 1, 1),
            {
                "id": f"grip-{side}-{scale.id.replace('_', '-')}",
                "measure": "grip",
                "side": side,
                "device": scale.id,
                "unit": scale.unit,
                "place": "home",
            },
        )
        for side in ("right", "left")
    ]


def _event(on: date, what: str, happened: bool) -> Wanted:
    return Wanted(what, Kind.EVENT, on, {"on": on.isoformat(), "what": what, "happened": happened})


def _moment(text: Any, patient: Patient, now: datetime) -> datetime:
    """A time with its offset from the phone, in the patient's zone; neither in the future nor too long ago."""
    if not isinstance(text, str) or len(text) > _SHOWN:
        raise RefusedError("time")
    try:
        given = datetime.fromisoformat(text)
        zone = ZoneInfo(patient.timezone)
        at = (given if given.tzinfo else given.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise RefusedError("time") from None
    n = needs.numbers()
    if at > now + timedelta(minutes=n["ahead_minutes"]):
        raise RefusedError("future", day=at.date())
    if at < now - timedelta(days=n["late_days"]):
        raise RefusedError("old", day=at.date())
    return at.astimezone(zone).replace(microsecond=0)


def _number(typed: Any, series: Series) -> float:
    """A reading in the unit of its device: digits with point or comma, nothing else."""
    if isinstance(typed, bool) or not isinstance(typed, str | int | float):
        raise RefusedError("number", value=str(typed)[:_SHOWN])
    text = typed.strip() if isinstance(typed, str) else repr(typed)
    if not _NUMBER.fullmatch(text):
        raise RefusedError("number", value=text[:_SHOWN])
    value = float(text.replace(",", "."))
    low, high = series.scale.low, series.scale.high
    if (low is not None and value < low) or (high is not None and value > high) or not math.isfinite(value):
        raise RefusedError(
            "range", value=text, device=series.scale.name, low=_plain(low), high=_plain(high), unit=series.unit
        )
    return value


def _plain(bound: float | None) -> str:
    return "" if bound is None else f"{bound:g}"
