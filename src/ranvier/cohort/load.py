"""From `ranvier/knowledge/cohort` to numbers, once per process."""

from __future__ import annotations

import functools
import importlib.resources
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Any

import yaml

from ranvier.evidence.nouns import Number
from ranvier.ground.notes import InputError, Problem

FILES = ("people", "truths", "policies", "anchors")


@dataclass(frozen=True, slots=True)
class Book:
    """What is assumed of virtual people. numbers: by ``group.name``; devices: resolution [kg] and share by name.

    truths, policies : id → what it says and its numbers by name; anchors : what trials saw
    """

    numbers: Mapping[str, Number]
    devices: Mapping[str, tuple[float, float]]
    product: str
    truths: Mapping[str, Described]
    policies: Mapping[str, Described]
    anchors: Mapping[str, Number]

    def __getitem__(self, name: str) -> float:
        return self.numbers[name].value


@dataclass(frozen=True, slots=True)
class Described:
    """A truth or a policy: one sentence and its numbers."""

    id: str
    says: str
    numbers: Mapping[str, Number]

    def __getitem__(self, name: str) -> float:
        return self.numbers[name].value


@functools.cache
def load() -> Book:
    """Everything in `ranvier/knowledge/cohort`, read once. Raises InputError naming every file that cannot be read."""
    return read(importlib.resources.files("ranvier.knowledge") / "cohort")


def read(folder: Traversable) -> Book:
    """The book from a folder laid out like `ranvier/knowledge/cohort`.

    Raises
    ------
    InputError : a file is missing or not laid out as it should be; carries all problems
    """
    data: dict[str, Any] = {}
    problems: list[Problem] = []
    for name in FILES:
        try:
            data[name] = yaml.load((folder / f"{name}.yaml").read_bytes(), yaml.CSafeLoader)
        except (OSError, yaml.YAMLError) as error:
            problems.append(_unreadable(name, f"cannot be read: {' '.join(str(error).split())}"))
    try:
        if not problems:
            return _book(data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        problems.append(_unreadable("*", f"is not laid out as it should be: {error!r}"))
    raise InputError("The knowledge of virtual people cannot be used.", tuple(problems))


def _book(data: Mapping[str, Any]) -> Book:
    people = data["people"]
    numbers = {
        f"{group}.{name}": _number(value)
        for group in ("body", "living", "floor", "start", "judged")
        for name, value in people[group].items()
        if isinstance(value, Mapping)
    }
    return Book(
        numbers=numbers,
        devices={
            name: (float(device["share"]), _number(device["resolution"]).value)
            for name, device in people["devices"].items()
        },
        product=str(people["start"]["product"]),
        truths=_described(data["truths"]["truths"]),
        policies=_described(data["policies"]["policies"]),
        anchors={name: _number(value) for name, value in data["anchors"]["anchors"].items()},
    )


def _described(data: Mapping[str, Any]) -> dict[str, Described]:
    return {
        id: Described(id, str(one["says"]), {k: _number(v) for k, v in one.items() if k != "says"})
        for id, one in data.items()
    }


def _number(data: Mapping[str, Any]) -> Number:
    return Number(float(data["value"]), data["unit"], data["source"], data["where"], data["status"])


def _unreadable(name: str, why: str) -> Problem:
    return Problem(f"knowledge/cohort/{name}.yaml", f"The file {why}", "Run: make knowledge. It says what to mend.")
