"""What can be done to a patient's facts. Every action names who acts, and writes the audit log in the same transaction."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from ranvier_web.audit import chain
from ranvier_web.clinic.models import ONE_EACH, Assessment, Decision, Erasure, Fact, Patient, State
from ranvier_web.clinic.record import Bare, check, in_force
from ranvier_web.people.models import User


class ConflictError(Exception):
    """Somebody else was quicker; nothing was written."""

    def __init__(self, theirs: Any) -> None:
        super().__init__("somebody else changed this meanwhile")
        self.theirs = theirs


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a user, or a command by its name."""

    user: User | None
    name: str
    role: str = ""
    site: str = ""

    @classmethod
    def of(cls, user: Any) -> Actor:
        """The one who is signed in. Raises ValueError for nobody."""
        if not user.is_authenticated:
            raise ValueError("Nobody acts unnamed.")
        return cls(user, user.username, user.role, str(user.site or ""))

    @classmethod
    def command(cls, name: str) -> Actor:
        """A command of this program."""
        return cls(None, f"command {name}")

    def wrote(self, action: str, patient: Patient | None, **details: Any) -> None:
        """Into the audit log."""
        chain.write(self.name, action, role=self.role, site=self.site, patient=patient.pk if patient else "", **details)


@transaction.atomic
def add_patient(pseudonym: str, site: Any, by: Actor, **more: Any) -> Patient:
    """A new patient, with nothing known yet."""
    patient = Patient.objects.create(pseudonym=pseudonym, site=site, **more)
    State.objects.create(patient=patient)
    by.wrote("patient.added", patient)
    return patient


def add_fact(
    patient: Patient,
    kind: str,
    day: date,
    body: Any,
    by: Actor,
    *,
    key: uuid.UUID | None = None,
    origin: str = "form",
    replaces: int | None = None,
    withdrawn: bool = False,
    why: str = "",
    checked: bool = False,
    batch: uuid.UUID | None = None,
) -> Fact:
    """One fact. Sent twice with one key, it is kept once, and the first is given back.

    replaces : id of the fact that it corrects, or, of kinds of which one is in force, the one that was seen
    withdrawn : it takes back what it replaces
    checked : the facts were held against the record already
    batch : of an import, so that it can be taken back whole

    Raises
    ------
    InputError : it does not fit the record
    ConflictError : what it replaces was replaced meanwhile
    """
    key = key or uuid.uuid4()
    known = Fact.objects.filter(key=key, patient=patient).first()
    if known is not None:
        return known
    if not (checked or withdrawn):
        check(patient, [Bare(kind, body)], without=replaces)
    try:
        with transaction.atomic():
            in_turn(patient)
            if kind in ONE_EACH:
                there = in_force(patient).filter(kind=kind).first()
                if there is not None and there.pk != replaces:
                    raise ConflictError(there)
            fact = Fact.objects.create(
                key=key, patient=patient, kind=kind, day=day, body=body, replaces_id=replaces, withdrawn=withdrawn,
                why=why, origin=origin, by=by.user, batch=batch,
            )  # fmt: skip
            touch(patient, fact.pk)
            verb = "withdrawn" if withdrawn else "corrected" if replaces else "added"
            by.wrote(f"fact.{verb}", patient, kind=kind, fact=fact.pk, replaces=replaces, origin=origin)
            return fact
    except IntegrityError:
        same = Fact.objects.filter(key=key, patient=patient).first()
        if same is not None:  # the double click was quicker than we
            return same
        other = Fact.objects.filter(replaces_id=replaces).first()
        if other is None:
            raise
        raise ConflictError(other) from None


@transaction.atomic
def add_many(
    patient: Patient, facts: Iterable[tuple[str, str, Any]], by: Actor, *, origin: str, batch: uuid.UUID | None = None
) -> int:
    """Facts of one import or one case: kind, ISO day, body. All or none; how many."""
    rows = [
        Fact(key=uuid.uuid4(), patient=patient, kind=kind, day=date.fromisoformat(day), body=body, origin=origin,
             batch=batch, by=by.user)
        for kind, day, body in facts
    ]  # fmt: skip
    in_turn(patient)
    Fact.objects.bulk_create(rows, batch_size=500)
    last = Fact.objects.filter(patient=patient).order_by("-id").values_list("id", flat=True).first()
    touch(patient, last or 0)
    by.wrote("fact.added", patient, n=len(rows), origin=origin, batch=batch)
    return len(rows)


@transaction.atomic
def take_back(patient: Patient, batch: uuid.UUID, by: Actor, why: str) -> int:
    """Take back everything of one import that nobody corrected since; how many facts. What it added to is as it was."""
    in_turn(patient)
    rows = list(in_force(patient).filter(batch=batch).select_related("replaces"))
    Fact.objects.bulk_create(
        [
            Fact(key=uuid.uuid4(), patient=patient, kind=f.kind, day=f.day, body=f.replaces.body if f.replaces else f.body,
                 replaces=f, withdrawn=f.replaces is None, why=why, origin="undo", by=by.user)
            for f in rows
        ],
        batch_size=500,
    )  # fmt: skip
    last = Fact.objects.filter(patient=patient).order_by("-id").values_list("id", flat=True).first()
    touch(patient, last or 0)
    by.wrote("import.taken_back", patient, n=len(rows), batch=batch)
    return len(rows)


def in_turn(patient: Patient) -> None:
    """Whoever writes facts of this person waits here for whoever began before: the larger id is then always the later fact.

    Without it a fact whose id was given out earlier, and which came later, would never be assessed.
    """
    State.objects.select_for_update().filter(patient=patient).first()


def touch(patient: Patient, fact: int) -> None:
    """Say that there is work to do."""
    State.objects.update_or_create(patient=patient, defaults={"upto": fact, "since": timezone.now()})


@transaction.atomic
def decide(
    patient: Patient,
    assessment: Assessment,
    verdict: str,
    by: Actor,
    *,
    key: uuid.UUID,
    proposed: Mapping[str, Any] | None,
    decided: Mapping[str, Any] | None,
    outlook: Mapping[str, Any] | None = None,
    reason: str = "",
    code: str = "",
    entry: Mapping[str, Any] | None = None,
) -> Decision:
    """Accept, change or refuse what was proposed.

    Raises
    ------
    ConflictError : somebody decided on this assessment meanwhile
    """
    assert by.user is not None
    known = Decision.objects.filter(key=key, patient=patient).first()
    if known is not None:
        return known
    State.objects.select_for_update().get(patient=patient)  # two people deciding wait for each other
    other = Decision.objects.filter(assessment=assessment, withdrawn_by=None, withdraws=None).first()
    if other is not None:
        raise ConflictError(other)
    made = Decision.objects.create(
        key=key, patient=patient, assessment=assessment, verdict=verdict, proposed=proposed, decided=decided,
        outlook=outlook, reason=reason, code=code, entry=entry, by=by.user,
    )  # fmt: skip
    by.wrote(f"decision.{verdict}", patient, decision=made.pk, assessment=assessment.pk)
    return made


@transaction.atomic
def erase(patient: Patient, by: Actor, reason: str) -> None:
    """Forget a person: facts, answers and account go; that it was done stays, without a name."""
    assert by.user is not None
    Erasure.objects.create(patient_id=patient.pk, reason=reason, by=by.user)
    by.wrote("patient.erased", patient)
    patient.facts.all().delete()
    patient.decisions.all().delete()
    patient.delete()  # and with it the account
