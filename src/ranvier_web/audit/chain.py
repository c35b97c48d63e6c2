"""The chain: written in the transaction of what it tells of, checked from the first row to the last."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from ranvier_web.audit.models import Entry

BEGIN = "0" * 64
_LOCK = 728211  # any number of our own: writers of the chain wait for each other


@dataclass(frozen=True, slots=True)
class Broken:
    """Where the chain does not hold, and why."""

    id: int
    why: str


def write(who: str, action: str, *, role: str = "", site: str = "", patient: object = "", **details: Any) -> Entry:
    """Add a row, in the transaction in force; without one it gets its own.

    Raises
    ------
    ValueError : nobody is named
    """
    if not who:
        raise ValueError("Nobody acts unnamed.")
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        last = Entry.objects.order_by("-id").values_list("id", "hash").first()
        entry = Entry(
            id=1 + (last[0] if last else 0),
            at=timezone.now(),
            who=who[:150],
            role=role,
            site=site,
            action=action,
            patient=str(patient or ""),
            details=json.loads(json.dumps(details, default=str)),
            previous=last[1] if last else BEGIN,
        )
        entry.hash = hash_of(entry)
        entry.save(force_insert=True)
    return entry


def hash_of(entry: Entry) -> str:
    """SHA-256 over the row and the hash before it."""
    row: Mapping[str, Any] = {
        "id": entry.id,
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "who": entry.who,
        "role": entry.role,
        "site": entry.site,
        "action": entry.action,
        "patient": entry.patient,
        "details": entry.details,
        "previous": entry.previous,
    }
    text = json.dumps(row, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def verify(entries: Iterable[Entry] | None = None, *, ends_with: str = "") -> tuple[int, str, Broken | None]:
    """How many rows were checked, the hash of the last one, and the first place where the chain does not hold.

    ends_with : the hash of a row that is known to have been written (from a backup, or noted elsewhere): rows cut off
        at the end break no link, only this shows them
    """
    before, expected, seen, found = BEGIN, 1, 0, not ends_with
    for entry in Entry.objects.order_by("id").iterator(5000) if entries is None else entries:
        if entry.id != expected:
            return seen, before, Broken(expected, f"row {expected} is missing: the next one is {entry.id}")
        if entry.previous != before:
            return seen, before, Broken(entry.id, "it does not follow from the row before")
        if hash_of(entry) != entry.hash:
            return seen, before, Broken(entry.id, "its content was changed after it was written")
        before, expected, seen = entry.hash, expected + 1, seen + 1
        found |= entry.hash == ends_with
    if not found:
        return seen, before, Broken(expected, f"no row has the hash {ends_with[:12]}…: rows at the end are gone")
    return seen, before, None


def since(moment: datetime, *, patient: object = "") -> Iterable[Entry]:
    """Rows from a moment on, the newest first."""
    rows = Entry.objects.filter(at__gte=moment).order_by("-id")
    return rows.filter(patient=str(patient)) if patient else rows
