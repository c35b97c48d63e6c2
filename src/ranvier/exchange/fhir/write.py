"""A record, and an assessment of it, as a FHIR R4 bundle. Same record, same bundle, to the letter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from ranvier.exchange.fhir import codes, drugs, harm, parts, people, states, studies, values
from ranvier.exchange.fhir.build import Json, Writer
from ranvier.record.nouns import Record
from ranvier.record.plain import plain
from ranvier.record.series import series_name

if TYPE_CHECKING:
    from ranvier.decision.nouns import Assessment
    from ranvier.evidence.nouns import Knowledge


@dataclass(frozen=True, slots=True)
class Written:
    """A bundle, and what is not in it.

    left_out : kinds of free words that were left out, with how many
    changed : what could not travel as it is, with how often
    """

    bundle: Json
    left_out: Mapping[str, int]
    changed: Mapping[str, int]


def write_bundle(
    record: Record | Mapping[str, Any],
    assessment: Assessment | None = None,
    *,
    knowledge: Knowledge | None = None,
    free_text: bool = False,
    kind: str = "collection",
) -> Json:
    """The bundle alone; see `write`."""
    return write(record, assessment, knowledge=knowledge, free_text=free_text, kind=kind).bundle


def write(
    record: Record | Mapping[str, Any],
    assessment: Assessment | None = None,
    *,
    knowledge: Knowledge | None = None,
    free_text: bool = False,
    kind: str = "collection",
) -> Written:
    """A record (and what was advised on it) as a Bundle.

    record : the record, or sound plain data in its file format (then numbers keep the digits they were written with)
    knowledge : gives the assessment its words; needed with one
    free_text : whether words that somebody wrote freely (notes, remarks on reactions) are written out
    kind : ``collection``, or ``transaction`` to send it to a server, which then replaces what it had under the same id

    Numbers in the bundle are int or Decimal: make text of it with `wire.dumps`.
    """
    document = plain(record) if isinstance(record, Record) else dict(record)
    if "strength" in document:  # a file may leave the name of a series to its reader
        document["strength"] = [{"id": series_name(s), **s} for s in document["strength"]]
    zone = document.get("timezone")
    w = Writer(document["person"]["pseudonym"], ZoneInfo(zone) if zone else None, free_text=free_text)
    people.write(w, document)
    states.write(w, document)
    values.write(w, document)
    drugs.write(w, document)
    harm.write(w, document)
    studies.write(w, document)
    parts.write(w, document)
    if assessment is not None:
        if knowledge is None:
            raise ValueError("an assessment is written with the knowledge that it was made from")
        from ranvier.exchange.fhir import advice  # only here: it brings the whole right wing, compiled kernels and all

        advice.write(w, document, assessment, knowledge)
    entries = []
    for resource in w.resources:
        entry: Json = {"fullUrl": f"{codes.BASE}/{resource['resourceType']}/{resource['id']}", "resource": resource}
        if kind == "transaction":
            entry["request"] = {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"}
        entries.append(entry)
    bundle: Json = {"resourceType": "Bundle", "type": kind, "entry": entries}
    return Written(bundle, dict(w.left_out), dict(w.changed))
