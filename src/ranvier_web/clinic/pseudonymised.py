"""The research export: only with consent, dates shifted, and nobody who can be told apart.

MMN is rare: at a site with thirty patients, age, sex and year of onset alone name a person. So every exported person shares
(age band, sex, decade of onset) with at least k - 1 others, or is left out. Each person's dates are moved by a number of
days of their own, kept apart from the data and the same in every export, so that intervals stay true. Free text stays here.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from ranvier_web.clinic.models import Kind, Patient
from ranvier_web.clinic.record import assemble, in_force

K = 5  # people who must share what could tell them apart
BAND = 10  # [a] of an age band
OLDEST = 90  # [a] ages from here on are one band
SHIFT = 182  # [d] dates are moved by at most as much, either way
FREE_TEXT = ("note", "notes", "lot", "for_what", "reactions")


@dataclass(frozen=True, slots=True)
class Export:
    """What would leave the house. left_out : people by reason"""

    people: tuple[dict[str, Any], ...]
    left_out: dict[str, int]
    k: int
    text: str


def export(site: Any, *, k: int = K) -> Export:
    """Everybody of the site who consented and cannot be told apart."""
    today = timezone.localdate()
    left_out: Counter[str] = Counter()
    found: list[tuple[tuple[str, ...], dict[str, Any]]] = []
    for patient in Patient.objects.filter(site=site, erased_at=None).order_by("pk"):
        consent = in_force(patient).filter(kind=Kind.CONSENT).first()
        if consent is None or not consent.body.get("research"):
            left_out["consent"] += 1
            continue
        record = assemble(patient, in_force(patient).order_by("day", "id"))
        found.append((quasi(record, today), pseudonymised(record, patient)))
    sizes = Counter(key for key, _ in found)
    people = []
    for key, record in found:
        if sizes[key] < k:
            left_out["could be told apart"] += 1
        else:
            people.append({**record, "age_band": key[0], "onset_decade": key[2]})
    people.sort(key=lambda p: str(p["person"]["pseudonym"]))
    document = {"made": today.isoformat(), "k": k, "left_out": dict(left_out), "people": people}
    return Export(tuple(people), dict(left_out), k, json.dumps(document, indent=1, sort_keys=True))


def quasi(record: dict[str, Any], today: date) -> tuple[str, ...]:
    """What could tell a person apart: age band, sex, decade of onset."""
    person = record["person"]
    born = person.get("birth_year")
    age = today.year - born if born else None
    band = (
        "unknown"
        if age is None
        else f"{OLDEST}+"
        if age >= OLDEST
        else f"{age // BAND * BAND}-{age // BAND * BAND + 9}"
    )
    onset = str(record.get("history", {}).get("onset", ""))[:3]
    return band, str(person.get("sex", "unknown")), f"{onset}0s" if onset else "unknown"


def pseudonymised(record: dict[str, Any], patient: Patient) -> dict[str, Any]:
    """Without name, year of birth, free text; with a pseudonym of the export's own, and moved dates."""
    shift = shift_of(patient)
    moved = _walk(record, shift)
    assert isinstance(moved, dict)
    person = {k: v for k, v in moved["person"].items() if k in ("sex", "height", "weights", "dominant_hand")}
    person["pseudonym"] = _keyed(patient, "name").hex()[:12]
    moved["person"] = person
    moved.pop("timezone", None)
    if "history" in moved:
        moved["history"].pop("onset", None)
    return moved


def shift_of(patient: Patient) -> timedelta:
    """Days by which this person's dates are moved: the same each time, unknown without the secret of the site."""
    number = int.from_bytes(_keyed(patient, "shift")[:8], "big")
    days = number % (2 * SHIFT + 1) - SHIFT
    return timedelta(days=days or SHIFT)


def _keyed(patient: Patient, what: str) -> bytes:
    return hmac.new(settings.SECRET_KEY.encode(), f"export {what} {patient.pk}".encode(), hashlib.sha256).digest()


def _walk(thing: Any, shift: timedelta) -> Any:
    if isinstance(thing, dict):
        return {k: _walk(v, shift) for k, v in thing.items() if k not in FREE_TEXT}
    if isinstance(thing, list):
        return [_walk(v, shift) for v in thing]
    if isinstance(thing, str) and len(thing) >= 10 and thing[4] == "-" and thing[7] == "-" and thing[:4].isdecimal():
        try:
            return (date.fromisoformat(thing[:10]) + shift).isoformat() + thing[10:]
        except ValueError:
            return None
    return thing
