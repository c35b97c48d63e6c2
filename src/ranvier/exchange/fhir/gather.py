"""Everything a server has about one person, as one bundle. Who opens the connection is the door's business."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ranvier.exchange.fhir import asks, wire
from ranvier.exchange.fhir.build import Json
from ranvier.ground.notes import InputError, Problem

MOST_REFERRED = 500  # Medication and Device that facts refer to, asked one by one


class Answered(Protocol):
    """An answer, whatever its status."""

    @property
    def url(self) -> str: ...  # noqa: D102
    @property
    def status(self) -> int: ...  # noqa: D102
    @property
    def ok(self) -> bool: ...  # noqa: D102
    @property
    def body(self) -> bytes: ...  # noqa: D102


class Source(Protocol):
    """A FHIR server that can be asked."""

    base: str

    def read(self, kind: str, name: str) -> Answered:
        """One resource."""

    def search(self, kind: str, params: Mapping[str, str]) -> Iterator[Any]:
        """The pages of a search."""


class NotGivenError(Exception):
    """The server answers, but not with this person. Carries what happened and what a person can do about it."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what} {remedy}")
        self.what = what
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Gathered:
    """What was brought. closed : types, or Type/id, that the server did not give, and what it said"""

    bundle: Json
    closed: dict[str, str] = field(default_factory=dict)


def gather(
    there: Source,
    patient: str,
    *,
    told: Callable[[str, int], None] | None = None,
    borne: tuple[type[Exception], ...] = (),
) -> Gathered | None:
    """Everything about one person; None where there is no such person.

    told : hears each type and how many there are of it
    borne : errors of a search after which the next one is asked all the same; each is kept in `closed`

    Raises
    ------
    ValueError : `patient` is no FHIR id
    InputError : an answer that is no FHIR, or that is of another person
    NotGivenError : the person may not be read
    """
    questions = list(asks.searches(patient))
    person = there.read("Patient", patient)
    if person.status in (404, 410):
        return None
    if not person.ok:
        what = f"{person.url} answers with status {person.status}."
        raise NotGivenError(what, "Check client id, key and scopes, and that this person may be read.")
    first = parsed(person)
    if first.get("resourceType") != "Patient" or first.get("id") != patient:
        said = f"{str(first.get('resourceType'))[:40]}/{str(first.get('id'))[:64]}"
        problem = Problem(person.url, f"the answer is {said}", "Nothing was taken over. Report it to the operator.")
        raise InputError("The server answers with somebody else.", (problem,))
    resources, closed = [first], {}
    for kind, params in questions:
        before = len(resources)
        try:
            for answer in there.search(kind, params):
                resources += _listed(parsed(answer))
        except borne as error:
            closed[kind] = str(getattr(error, "what", error))[:300]
        if told is not None:
            told(kind, len(resources) - before)
    wanted = asks.referred(resources)
    for kind, name in wanted[:MOST_REFERRED]:
        answer = there.read(kind, name)
        if answer.ok:
            resources.append(parsed(answer))
        else:
            closed[f"{kind}/{name}"] = f"status {answer.status}"
    if len(wanted) > MOST_REFERRED:
        closed["Medication and Device"] = f"only the first {MOST_REFERRED} of {len(wanted)} were asked for"
    return Gathered(asks.together(resources, there.base), closed)


def parsed(answer: Answered) -> Json:
    """A resource. Raises InputError for what is none."""
    found = wire.loads(answer.body, answer.url)
    if not isinstance(found, dict) or "resourceType" not in found:
        problem = Problem(answer.url, "the answer is no FHIR resource", "Check the server's address.")
        raise InputError(f"{answer.url} cannot be used.", (problem,))
    return found


def _listed(page: Json) -> list[Json]:
    entries = page.get("entry")
    return [
        e["resource"]
        for e in (entries if isinstance(entries, list) else ())
        if isinstance(e, dict)
        and isinstance(e.get("resource"), dict)
        and e["resource"].get("resourceType") != "OperationOutcome"
    ]
