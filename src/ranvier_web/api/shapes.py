"""What is sent and what is answered, as the OpenAPI description shows it."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any, Literal

from ninja import Schema
from pydantic import ConfigDict, Field

from ranvier_web.clinic.record import RECORD_KINDS

Route = Literal["IV", "SC", "fSCIg"]


class Sent(Schema):
    """What is sent: a field that nobody knows is an error, not a silence."""

    model_config = ConfigDict(extra="forbid")


class Problem(Schema):
    """RFC 9457: what is wrong, where, and what to do. problems: each fault of a record with place and remedy."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    problems: list[dict[str, Any]] = Field(default_factory=list)


class PatientOut(Schema):
    """One person of this site."""

    id: uuid.UUID
    pseudonym: str
    timezone: str
    invented: bool
    closed: bool
    waiting: bool = Field(description="facts wait to be assessed")
    headline: str
    regimen: str
    last_infusion: date | None
    next_infusion: date | None
    last_diary: date | None
    wearing_off: float | None
    decline: float | None
    assessment: int | None


class PatientsOut(Schema):
    """One page of people, by pseudonym. next: where the next page begins."""

    patients: list[PatientOut]
    next: int | None


class NewPatient(Sent):
    """Somebody new. Name and number are kept sealed and never given out here."""

    pseudonym: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9 _-]*$", max_length=40)
    name: str = Field("", max_length=120)
    number: str = Field("", max_length=40)


class FactOut(Schema):
    """One fact, as it is kept."""

    id: int
    kind: str
    day: date
    body: Any
    origin: str
    at: datetime
    by: str
    replaces: int | None
    replaced_by: int | None
    withdrawn: bool
    why: str
    batch: uuid.UUID | None


class FactsOut(Schema):
    """One page of facts, the newest first. next: `before` of the next page."""

    facts: list[FactOut]
    next: int | None


class NewFact(Sent):
    """A fact in the layout of a record file (`ranvier schema record`): an infusion, a session of strength, a blood test ...

    replaces : id of the fact it corrects; of kinds of which one is in force, of the one that was seen
    """

    kind: str = Field(max_length=16, examples=["infusion"], json_schema_extra={"enum": [str(k) for k in RECORD_KINDS]})
    day: date
    body: dict[str, Any] = Field(
        examples=[
            {"product": "privigen", "dose": {"value": 60, "unit": "g"}, "start": "2026-11-30T09:00", "route": "IV"}
        ]
    )
    replaces: int | None = Field(None, ge=1, le=2**62)


class Withdrawal(Sent):
    """Why a fact is taken back."""

    why: str = Field(min_length=1, max_length=400)


class File(Sent):
    """A table or a record: its name, and what it holds as text or as base64."""

    name: str = Field(min_length=1, max_length=120)
    text: str | None = None
    base64: str | None = None


class Import(Sent):
    """Files to read. Without `write` nothing is kept: the answer says what was understood and what must be answered."""

    files: list[File] = Field(min_length=1, max_length=10)
    answers: dict[str, str] = Field(default_factory=dict)
    write: bool = False


class TakeBack(Sent):
    """An import to take back."""

    batch: uuid.UUID
    why: str = Field("import taken back", min_length=1, max_length=400)


class Regimen(Sent):
    """A regimen that somebody asks about."""

    product: str = Field(max_length=60)
    route: Route
    grams: float = Field(ge=0, le=1000, description="of one course")
    interval_days: int = Field(ge=1, le=182)


class Decide(Sent):
    """What is done with the proposal of an assessment. Changing needs a regimen; changing and refusing need a reason.

    code : the reason as a record codes it; words alone count as `other`; overrides : limit → code, for each limit that is exceeded
    """

    assessment: int = Field(ge=1, le=2**62)
    verdict: Literal["accepted", "changed", "refused"]
    regimen: Regimen | None = None
    reason: str = Field("", max_length=2000)
    code: str = Field("", max_length=40)
    overrides: dict[str, str] = Field(default_factory=dict)


class Outcome(Sent):
    """What came of a decision, held against what was fixed beforehand."""

    result: Literal["success", "failure", "unclear", "stopped_early", "not_done"]
    note: str = Field("", max_length=400)


class Order(Sent):
    """What is about to be ordered."""

    drug: str = Field(min_length=1, max_length=120)
    route: str | None = Field(None, max_length=40)
    for_what: str | None = Field(None, max_length=200)


class Grades(Sent):
    """Grades of muscles on a day, as in an examination of a record."""

    on: date
    findings: list[dict[str, Any]] = Field(
        min_length=1, max_length=400, examples=[[{"muscle": "fdi", "side": "right", "mrc": 3}]]
    )


class Study(Sent):
    """A nerve conduction study, as in a record."""

    on: date
    nerves: list[dict[str, Any]] = Field(min_length=1, max_length=40)
    age: float | None = Field(None, ge=0, le=120)


class AsideIn(Sent):
    """A line of the work list that was dealt with."""

    kind: str = Field(max_length=20)
    until: date
    reason: str = Field(min_length=3, max_length=400)


class Consent(Sent):
    """Whether the person agreed to research."""

    given: bool


class Check(Sent):
    """A check of today."""

    check: str = Field(max_length=60)
    result: Literal["clear", "risk", "pending"]
    note: str = Field("", max_length=400)


class Entries(Sent):
    """Entries of the own diary, each with a key of its own; sent twice, each is kept once."""

    entries: list[dict[str, Any]] = Field(min_length=1, max_length=500)


class Invite(Sent):
    """A new account. patient : id, for the role patient only."""

    username: str = Field(pattern=r"^[A-Za-z0-9._-]+$", min_length=2, max_length=60)
    role: Literal["neurologist", "nurse", "pharmacist", "patient", "researcher", "administrator"]
    patient: uuid.UUID | None = None


class OwnPage(Sent):
    """A patient's own page: a link that opens it once, a new one, or the page closed or opened. username : for make"""

    do: Literal["make", "renew", "close", "open"]
    username: str = Field("", pattern=r"^([a-z0-9][a-z0-9-]{2,59})?$")
    language: str = Field("en", max_length=8)


class Switch(Sent):
    """Whether somebody is let in."""

    on: bool


class Forget(Sent):
    """To forget a person who asked for it: the pseudonym once more, and why. Cannot be undone."""

    pseudonym: str = Field(max_length=60)
    reason: str = Field(min_length=10, max_length=2000)
