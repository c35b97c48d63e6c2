"""Patient: a pseudonym, a year of birth, a sex. Names and addresses stay where they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ranvier.exchange.fhir import codes
from ranvier.exchange.fhir.build import PSEUDONYM, TIMEZONE, Writer, extension, some
from ranvier.exchange.fhir.draft import Draft
from ranvier.exchange.fhir.node import Node

TEST_DATA = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason",
    "code": "HTEST",
    "display": "test health data",
}
# What tells who somebody is: never taken over, and said once.
IDENTIFYING = (
    "identifier", "name", "telecom", "address", "photo", "contact", "communication", "generalPractitioner",
    "managingOrganization", "link", "maritalStatus", "multipleBirthBoolean", "multipleBirthInteger",
)  # fmt: skip


def write(w: Writer, document: Mapping[str, Any]) -> None:
    """The Patient; everything else refers to it."""
    who = document["person"]
    extensions = []
    if document.get("timezone"):
        extensions.append({"url": TIMEZONE, "valueCode": document["timezone"]})
    if who.get("dominant_hand"):
        extensions.append(extension("dominant-hand", valueCode=who["dominant_hand"]))
    year = who.get("birth_year")
    w.patient = w.add(
        "Patient",
        meta={"security": [TEST_DATA]} if document.get("invented") else None,
        extension=extensions or None,
        identifier=[{"system": PSEUDONYM, "value": who["pseudonym"]}],
        gender=who.get("sex"),
        birthDate=None if year is None else f"{year:04d}",
    )


def read(d: Draft, node: Node, pseudonym: str | None) -> None:
    """The person of a record."""
    given = pseudonym or own_pseudonym(node.raw)
    person: dict[str, Any] = some(pseudonym=given)
    meta = node.raw.get("meta")
    labels = meta.get("security") if isinstance(meta, dict) else None
    if any(
        isinstance(tag, dict) and tag.get("code") == "HTEST" for tag in (labels if isinstance(labels, list) else ())
    ):
        d.document["invented"] = True
    gender = node.text("gender")
    if gender in ("female", "male"):
        person["sex"] = gender
    elif gender is not None:
        d.look(node, "gender", f"gender is '{gender}'", "Sex, for reference values, stays unknown.")
    born = node.text("birthDate")
    if born is not None:
        if born[:4].isdigit() and (len(born) == 4 or born[4] == "-"):
            person["birth_year"] = int(born[:4])
        else:
            node.mend("birthDate", f"'{born[:40]}' is no date", "Send it as 1968-05-12, or the year alone.")
    person |= some(dominant_hand=node.extended(codes.extension("dominant-hand"), "valueCode"))
    zone = node.extended(TIMEZONE, "valueCode")
    if zone is not None and d.zone is not None:
        d.document["timezone"] = str(d.zone)
    for key in ("deceasedBoolean", "deceasedDateTime"):
        if node.raw.get(key) not in (None, False):
            d.look(node, key, "the person is said to have died", "Check that this is the right person.")
    node.mark("deceasedBoolean", "deceasedDateTime", "active")
    if node.raw.get("active") is False:
        d.look(node, "active", "this record of the person is said not to be in use", "Check that it is the right one.")
    known = isinstance(node.raw.get("identifier"), list) and own_pseudonym(node.raw) is not None
    told = [k for k in IDENTIFYING if node.has(k) and not (k == "identifier" and known and len(node.raw[k]) == 1)]
    if told:
        d.look(
            node,
            None,
            f"what tells who somebody is was sent ({', '.join(told)})",
            "Left out on purpose: a record is pseudonymous.",
        )
    node.mark(*IDENTIFYING)
    d.document["person"] = person | d.document.get("person", {})


def own_pseudonym(raw: Mapping[str, Any]) -> str | None:
    """The pseudonym that we once wrote into a Patient."""
    listed = raw.get("identifier")
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, dict) and one.get("system") == PSEUDONYM and isinstance(one.get("value"), str):
            return str(one["value"])
    return None
