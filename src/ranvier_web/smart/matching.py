"""Who somebody of the hospital is here. A link is made where one number says so exactly, or where a person says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction

from ranvier.exchange.fhir.people import own_pseudonym
from ranvier_web.clinic.actions import Actor
from ranvier_web.clinic.models import Kind, Patient
from ranvier_web.clinic.record import in_force
from ranvier_web.connect.models import Elsewhere
from ranvier_web.people.rules import Answer, may
from ranvier_web.smart.models import Server

MOST = 20  # candidates shown


@dataclass(frozen=True, slots=True)
class Shown:
    """What the hospital's Patient says of a person, to compare. born : as sent; numbers : (system, value)"""

    id: str
    name: str
    born: str
    sex: str
    numbers: tuple[tuple[str, str], ...]

    @property
    def year(self) -> int | None:
        """Of birth."""
        return int(self.born[:4]) if self.born[:4].isdigit() and len(self.born[:4]) == 4 else None


@dataclass(frozen=True, slots=True)
class Match:
    """Our patient, if exactly one fits; else why none does: nobody | several | differs.

    how : linked | number | pseudonym; differs : what speaks against it
    """

    patient: Patient | None
    how: str = ""
    why: str = ""
    differs: tuple[str, ...] = ()


def shown(resource: Mapping[str, Any]) -> Shown:
    """The few things of a Patient that people are told apart by. Bears whatever was sent."""
    names = resource.get("name")
    name = next((n for n in names if isinstance(n, dict)), {}) if isinstance(names, list) else {}
    parts = [*(g for g in name.get("given", ()) if isinstance(g, str))] if isinstance(name.get("given"), list) else []
    whole = " ".join([*parts, *([name["family"]] if isinstance(name.get("family"), str) else [])])
    if not whole and isinstance(name.get("text"), str):
        whole = name["text"]
    listed = resource.get("identifier")
    numbers = tuple(
        (one["system"][:400], one["value"].strip()[:80])
        for one in (listed if isinstance(listed, list) else ())
        if isinstance(one, dict)
        and isinstance(one.get("system"), str)
        and isinstance(one.get("value"), str)
        and one["value"].strip()
        and one.get("use") != "old"
    )
    born, sex = resource.get("birthDate"), resource.get("gender")
    return Shown(
        str(resource.get("id")),
        whole[:120],
        born[:10] if isinstance(born, str) else "",
        sex[:20] if isinstance(sex, str) else "",
        numbers[:20],
    )


def number(server: Server, person: Shown) -> str:
    """The hospital number, by the systems that were configured; empty where there is none, or more than one."""
    found = {value for system, value in person.numbers if system in server.identifiers}
    return found.pop() if len(found) == 1 else ""


def find(server: Server, resource: Mapping[str, Any]) -> Match:
    """Our patient for a Patient of that server: linked before, by hospital number, or by the pseudonym that we wrote."""
    person = shown(resource)
    here = Patient.objects.filter(site=server.site, erased_at=None)
    linked = list(here.filter(elsewhere__server=server.base, elsewhere__name=person.id).distinct()[:2])
    if linked:
        return _checked(linked, "linked", person)
    values = {value for system, value in person.numbers if system in server.identifiers}
    found = {p.pk: p for p in here.exclude(number="") if p.number.strip() in values} if values else {}
    how = "number"
    ours = own_pseudonym(resource)
    if ours is not None:
        named = here.filter(pseudonym=ours).first()
        if named is not None:
            how = how if found else "pseudonym"
            found[named.pk] = named
    return _checked(list(found.values()), how, person)


def _checked(found: list[Patient], how: str, person: Shown) -> Match:
    if not found:
        return Match(None, why="nobody")
    if len(found) > 1:
        return Match(None, why="several")
    against = differs(found[0], person)
    return Match(None, how, "differs", against) if against else Match(found[0], how)


def differs(patient: Patient, person: Shown) -> tuple[str, ...]:
    """What the record here says otherwise: birth, sex. Empty where nothing contradicts, or where nothing is known."""
    fact = in_force(patient).filter(kind=Kind.PERSON).first()
    body = fact.body if fact is not None and isinstance(fact.body, dict) else {}
    against = []
    if person.year is not None and body.get("birth_year") not in (None, person.year):
        against.append("birth")
    if person.sex in ("female", "male") and body.get("sex") not in (None, person.sex):
        against.append("sex")
    return tuple(against)


def candidates(server: Server, user: Any, person: Shown, wanted: str) -> list[dict[str, Any]]:
    """Patients whom this user may open, by a part of the pseudonym or the whole number; each with what speaks against it."""
    here = Patient.objects.filter(site=server.site, erased_at=None).order_by("pseudonym")
    named = list(here.filter(pseudonym__icontains=wanted)[: 5 * MOST])
    named += [p for p in here.exclude(number="") if p.number.strip() == wanted and p not in named]
    rows = []
    for one in named:
        if may(user, "patient", one) is not Answer.YES:
            continue
        fact = in_force(one).filter(kind=Kind.PERSON).first()
        body = fact.body if fact is not None and isinstance(fact.body, dict) else {}
        rows.append({"patient": one, "body": body, "differs": differs(one, person)})
    return rows[:MOST]


class TakenError(Exception):
    """The id there belongs to another person here."""


@transaction.atomic
def link(server: Server, name: str, patient: Patient, by: Actor, how: str) -> None:
    """Keep who somebody is there. Raises TakenError."""
    there = Elsewhere.objects.filter(server=server.base, name=name, patient__site=server.site)
    if there.exclude(patient=patient).exists():
        raise TakenError
    try:
        with transaction.atomic():
            _, made = Elsewhere.objects.get_or_create(patient=patient, server=server.base, name=name)
    except IntegrityError:  # somebody else was quicker with the same
        return
    if made:
        by.wrote("patient.linked", patient, server=server.base, name=name, how=how)
