"""What a patient does: an entry is kept, or taken back. Everything goes through the actions of the clinic."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from ranvier.ground.notes import InputError
from ranvier_web.clinic.actions import Actor, ConflictError, add_fact
from ranvier_web.clinic.knowledge import knowledge
from ranvier_web.clinic.models import Fact, Kind, Patient
from ranvier_web.clinic.pages.common import series_of
from ranvier_web.clinic.record import Bare, check, in_force
from ranvier_web.diary import entries, needs
from ranvier_web.diary.entries import RefusedError, Series, Wanted, fact_key

ORIGIN = "diary"
LOOK_BACK = 60  # facts of strength among which the device that was used last is looked for


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of an entry. state : kept | known | refused; word and facts say why it was refused."""

    key: str
    state: str
    word: str = ""
    facts: Mapping[str, Any] | None = None


def own_series(patient: Patient) -> dict[str, Series]:
    """Series a patient may add to: grip with a known device, and sums of questionnaires; by id."""
    scales = knowledge().scales
    found = {}
    for body in series_of(patient):
        measure, device = body.get("measure"), body.get("device")
        if measure == "grip" and device in needs.devices() and body.get("side") in ("left", "right"):
            scale = needs.devices()[str(device)]
        elif measure == "mmn_rods" and "mmn_rods" in scales:
            scale = scales["mmn_rods"]
        else:
            continue
        if body.get("unit") != scale.unit:  # another unit than the device shows: only the clinic may sort that out
            continue
        found[str(body["id"])] = Series(str(body["id"]), str(measure), body.get("side"), scale.unit, scale)
    return found


def of_today(series: Mapping[str, Series], patient: Patient, wished: str | None = None) -> dict[str, Series]:
    """The hands of the device in use, right hand first: the one wished for, else the one that was used last."""
    hands = {id: one for id, one in series.items() if one.measure == "grip"}
    if not hands:
        return {}
    device = wished if any(one.scale.id == wished for one in hands.values()) else _last_device(hands, patient)
    chosen: dict[str, Series] = {}
    for side in ("right", "left"):
        fits = [id for id, one in hands.items() if one.side == side and one.scale.id == device]
        if fits:
            chosen[fits[-1]] = hands[fits[-1]]
    return chosen


def _last_device(hands: Mapping[str, Series], patient: Patient) -> str:
    rows = in_force(patient).filter(kind__in=(Kind.STRENGTH, Kind.SERIES)).order_by("-id")[:LOOK_BACK]
    for kind, body in rows.values_list("kind", "body"):
        ids = [body["id"]] if kind == Kind.SERIES else list(body["readings"])
        used = next((hands[id].scale.id for id in ids if id in hands), None)
        if used is not None:
            return used
    return list(hands.values())[-1].scale.id


def take(patient: Patient, sent: Iterable[Any], by: Actor, now: datetime | None = None) -> list[Kept]:
    """Keep entries in the order in which they came; each for itself. Never raises for what was sent."""
    now = now or timezone.now()
    return [_one(patient, entry, by, now) for entry in sent]


def _one(patient: Patient, entry: Any, by: Actor, now: datetime) -> Kept:
    key = ""
    try:
        found = entries.the_key(entry)
        key = str(found)
        kind = entry.get("kind")
        if kind == "undo":
            return Kept(key, "kept" if _undo(patient, entry, by, now) else "known")
        if kind == "grip":
            wanted = entries.grip(entry, own_series(patient), patient, now)
        elif kind == "how":
            wanted = entries.how(entry, own_series(patient), patient, now)
        elif kind == "device":
            there = own_series(patient)
            wanted = [w for w in entries.device(entry) if w.body["id"] not in there]
        else:
            raise RefusedError("shape")
        return Kept(key, "kept" if _keep(patient, found, wanted, by) else "known")
    except RefusedError as refused:
        return Kept(key, "refused", f"diary.refused_{refused.word}", refused.facts)
    except InputError:
        return Kept(key, "refused", "diary.refused_record", {})


def _keep(patient: Patient, key: uuid.UUID, wanted: list[Wanted], by: Actor) -> bool:
    """All facts of an entry or none; False if they were there already. Raises InputError."""
    keys = {fact_key(patient, key, one.part): one for one in wanted}
    there = set(Fact.objects.filter(key__in=keys).values_list("key", flat=True))
    new = {own: one for own, one in keys.items() if own not in there}
    if not new:
        return False
    check(patient, [Bare(one.kind, dict(one.body)) for one in new.values()])  # before anybody has to wait for us
    with transaction.atomic():
        for own, one in new.items():
            add_fact(patient, one.kind, one.day, dict(one.body), by, key=own, origin=ORIGIN, checked=True)
    return True


@transaction.atomic
def _undo(patient: Patient, entry: Mapping[str, Any], by: Actor, now: datetime) -> bool:
    """Take back all facts of one own entry (`of`), or one own fact (`fact`); False if that was done already."""
    own = Fact.objects.filter(patient=patient, origin=ORIGIN, withdrawn=False).exclude(kind=Kind.SERIES)
    fact = entry.get("fact")
    if isinstance(fact, int) and not isinstance(fact, bool) and 0 < fact < 2**62:
        rows = list(own.filter(pk=fact))
    else:
        try:
            of = uuid.UUID(str(entry.get("of", ""))[:40])
        except ValueError:
            raise RefusedError("undo") from None
        parts = ("grip", "score", "how", "wearing_off_felt", *needs.asked())
        rows = list(own.filter(key__in=[fact_key(patient, of, part) for part in parts]))
    if not rows or min(f.at for f in rows) < now - timedelta(days=needs.numbers()["undo_days"]):
        raise RefusedError("undo")
    new = False
    for row in rows:
        if Fact.objects.filter(replaces=row).exists():
            continue
        try:
            add_fact(
                patient, row.kind, row.day, row.body, by, key=uuid.uuid5(row.key, "undo"), origin=ORIGIN, replaces=row.pk,
                withdrawn=True, why="taken back by the patient",
            )  # fmt: skip
        except ConflictError:  # the clinic corrected it meanwhile: nothing is left to take back
            continue
        new = True
    return new
