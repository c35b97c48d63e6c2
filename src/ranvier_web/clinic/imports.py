"""Files into facts: what was understood, and what of it is new. The same for the page and for programs."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db import transaction

from ranvier.exchange.bundles import is_fhir
from ranvier.exchange.importing import Imported, import_files
from ranvier.ground.notes import must_mend
from ranvier.record import structure
from ranvier.record.text import parse
from ranvier_web.clinic import actions
from ranvier_web.clinic.models import ONE_EACH, Patient
from ranvier_web.clinic.record import assemble, facts_of, in_force

LARGEST = 5 * 1024 * 1024  # [bytes] of all files of one import
FILES = 10
Files = list[tuple[str, bytes]]


def understand(seen: Patient, files: Files, answers: Mapping[str, str]) -> Imported:
    """What the files say beside what is known of this person; nothing is kept."""
    existing = assemble(seen, in_force(seen).order_by("day", "id"))
    return import_files(files, answers=answers, existing=existing, name=seen.pseudonym)


def is_ready(found: Imported) -> bool:
    """Whether nothing is left to answer or to mend."""
    return found.text is not None and not found.questions and not must_mend(found.problems)


def origin_of(files: Files) -> str:
    """What is written beside the facts: where they came from."""
    return "fhir" if any(is_fhir(data) for _, data in files) else "import"


def fresh(seen: Patient, found: Imported) -> list[tuple[str, str, Any]]:
    """The facts of the merged record that are not there yet: kind, ISO day, body. Of kinds of which one is in force: the whole.

    Raises ValueError if something is left to answer or to mend.
    """
    if not is_ready(found):
        raise ValueError("questions are open, or something must be mended")
    existing = assemble(seen, in_force(seen).order_by("day", "id"))
    document, _ = parse(str(found.text), seen.pseudonym, structure.text_keys())
    merged = facts_of(dict(structure.without_nothing(document.data)))
    known = {_same(kind, body) for kind, _, body in facts_of(json.loads(json.dumps(existing)))}
    new = []
    for kind, day, body in merged:
        body = json.loads(json.dumps(body, default=str))
        if _same(kind, body) in known:
            continue
        if kind == "strength":
            body = _unknown_readings(body, existing)
            if not body["readings"]:
                continue
        new.append((kind, day, body))
    return new


def keep(seen: Patient, found: Imported, by: actions.Actor, *, origin: str = "import") -> tuple[uuid.UUID, int]:
    """Keep what is new as one batch: its id, and how many facts there were. Raises ValueError as `fresh` does."""
    new, batch = fresh(seen, found), uuid.uuid4()
    there = {fact.kind: fact for fact in in_force(seen).filter(kind__in=ONE_EACH)}
    with transaction.atomic():
        for kind, day, body in new:
            if kind in there:
                actions.add_fact(
                    seen, kind, date.fromisoformat(day), body, by,
                    origin=origin, replaces=there[kind].pk, checked=True, batch=batch,
                )  # fmt: skip
        actions.add_many(seen, [one for one in new if one[0] not in there], by, origin=origin, batch=batch)
    return batch, len(new)


def _unknown_readings(body: dict[str, Any], existing: dict[str, Any]) -> dict[str, Any]:
    """Of a session, the values that are new."""
    there = set()
    for series in existing.get("strength", []):
        for row in series["values"]:
            there.add((series["id"], str(row["at"] if isinstance(row, dict) else row[0])))
    kept = {id: value for id, value in body["readings"].items() if (id, str(body["at"])) not in there}
    return {**body, "readings": kept}


def _same(kind: str, body: Any) -> str:
    return kind + json.dumps(body, sort_keys=True, default=str)
