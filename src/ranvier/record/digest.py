"""The fingerprint of a record: the same facts give the same digest, whatever their order, units or file format."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from typing import Any

from ranvier.ground.units import nine_digits
from ranvier.record.nouns import Record, When


def when_key(when: When) -> tuple[str, str]:
    """Sorting by local day, plain dates before times of the same day."""
    if isinstance(when, datetime):
        return when.date().isoformat(), when.isoformat()
    return when.isoformat(), ""


def canonical(record: Record) -> dict[str, Any]:
    """The facts of `record` as plain data: canonical units, numbers to nine digits, times with offset, no order.

    Neither the digest itself nor the zone's name is a fact: each time carries the offset that the zone gave it.
    """
    plain = _plain(record)
    assert isinstance(plain, dict)
    del plain["digest"], plain["timezone"]
    for key, empty in (
        ("history", {"onset": None, "signs": []}),
        ("investigations", []),
        ("events", []),
        ("decisions", []),
    ):
        if plain[key] == empty:  # a record that says nothing here keeps the digest it had before these parts existed
            del plain[key]
    for key, value in plain.items():
        if key in ("examinations", "conduction_studies", "imaging"):
            plain[key] = _unordered(value)
        elif isinstance(value, list) and key != "notes":
            plain[key] = sorted(value, key=_text)
    return plain


def digest(record: Record) -> str:
    """SHA-256 of the canonical form, in hexadecimal."""
    return hashlib.sha256(_text(canonical(record)).encode()).hexdigest()


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"), allow_nan=False)


def _plain(value: Any) -> Any:
    kind = type(value)
    if kind is float or kind is int:
        return nine_digits(value)
    if kind is str or kind is bool or value is None:
        return value
    if isinstance(value, date):  # a datetime is one too
        return value.isoformat()
    if is_dataclass(value):
        every = ((f, getattr(value, f.name)) for f in fields(value))
        # A field that came later and says nothing is left out, so that older records keep their digest.
        return {f.name: _plain(v) for f, v in every if not f.metadata or v not in (None, ())}
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value]


def _unordered(value: Any) -> Any:
    """Lists of things sorted at every depth; lists of numbers or words keep their order."""
    if isinstance(value, dict):
        return {k: _unordered(v) for k, v in value.items()}
    if isinstance(value, list):
        inner = [_unordered(v) for v in value]
        return sorted(inner, key=_text) if all(isinstance(v, dict) for v in inner) else inner
    return value
