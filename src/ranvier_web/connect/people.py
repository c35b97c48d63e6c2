"""Who somebody else's patient is here, and their record together with what was sent about them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ranvier.exchange import fhir
from ranvier.exchange.cds import has_disease
from ranvier.exchange.fhir.people import own_pseudonym
from ranvier.ground.notes import InputError
from ranvier.record import read_text
from ranvier.record.nouns import Record
from ranvier_web.clinic.models import Patient
from ranvier_web.clinic.record import without_strength
from ranvier_web.connect.models import Elsewhere
from ranvier_web.people.models import Site

ADDED = ("drugs", "conditions", "allergies", "immunisations")
"""What the hospital knows of a person that may not stand in our record."""


@dataclass(frozen=True, slots=True)
class Person:
    """One person of a call. patient : ours, if known; record : None where nothing usable is known

    concerned : whether they have the disease that our rules are about
    left : how many things that were sent could not be used
    """

    patient: Patient | None
    record: Record | None
    concerned: bool
    left: int


def find(site: Site, server: str | None, name: str, resources: Sequence[dict[str, Any]]) -> Patient | None:
    """Our patient: linked to that server's id, or with the pseudonym that we once wrote into their Patient resource."""
    if server is not None:
        linked = Elsewhere.objects.filter(server=server.rstrip("/"), name=name, patient__site=site)
        found = linked.filter(patient__erased_at=None).select_related("patient").first()
        if found is not None:
            return found.patient
    told = next((own_pseudonym(r) for r in resources if r.get("resourceType") == "Patient"), None)
    if told is None:
        return None
    return Patient.objects.filter(site=site, pseudonym=told, erased_at=None).first()


def person(site: Site, server: str | None, name: str, resources: list[dict[str, Any]], strange: int = 0) -> Person:
    """The person of a call, with our record and what was sent, as one record. strange : what was about somebody else"""
    ours = find(site, server, name, resources)
    sent, left = _sent(resources, ours.pseudonym if ours else "patient")
    left += strange
    concerned = ours is not None or has_disease(resources)
    if ours is None:
        return Person(None, _read(sent) if sent else None, concerned, left)
    own = without_strength(ours)
    together = dict(own)
    for key in ADDED:
        more = [one for one in (sent or {}).get(key, ()) if one not in own.get(key, ())]
        if more:
            together[key] = [*own.get(key, ()), *more]
    record = _read(together)
    if record is None:
        record, left = _read(own), left + 1
    return Person(ours, record, concerned, left)


def _sent(resources: list[dict[str, Any]], pseudonym: str) -> tuple[dict[str, Any] | None, int]:
    """What was sent as a record document; a resource that cannot be used is counted and left out."""
    if not resources:
        return None, 0
    usable, left = list(resources), 0
    for _ in range(2):
        bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in usable]}
        try:
            found = fhir.read_bundle(bundle, pseudonym=pseudonym, strict=False, name="prefetch")
        except InputError:
            return None, len(resources)
        if found.usable:
            return found.document, left
        bad = {i for i in range(len(usable)) if any(f"entry[{i}]." in p.place for p in found.problems if _hard(p))}
        left += len(bad)
        if not bad:
            return None, len(resources)
        usable = [r for i, r in enumerate(usable) if i not in bad]
    return None, len(resources)


def _hard(problem: Any) -> bool:
    from ranvier.ground.notes import Severity

    return problem.severity is Severity.MEND


def _read(document: dict[str, Any]) -> Record | None:
    try:
        return read_text(json.dumps(document, default=float), "the record of this call")[0]
    except InputError:
        return None
