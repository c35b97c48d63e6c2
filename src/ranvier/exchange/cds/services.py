"""Which services there are, as data in knowledge/exchange/cds.yaml, and the answer to discovery."""

from __future__ import annotations

import importlib.resources
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any

import yaml

OWN_REASONS = "https://ranvier.example/cds/override-reasons"
"""The system of our override reasons: a name, not a page; `example` can belong to nobody."""


@dataclass(frozen=True, slots=True)
class Service:
    """One service: id in its address, the hook it answers, and what it wants to be sent."""

    id: str
    hook: str
    title: str
    description: str
    prefetch: Mapping[str, str]


@cache
def _data() -> Mapping[str, Any]:
    file = importlib.resources.files("ranvier.knowledge").joinpath("exchange", "cds.yaml")
    data: Mapping[str, Any] = yaml.load(file.read_bytes(), yaml.CSafeLoader)
    return data


def text(name: str, /, **facts: object) -> str:
    """A sentence of the cards. Raises KeyError for one that is not there."""
    return str(_data()["texts"][name]).format(**facts)


@cache
def _services() -> Mapping[str, Service]:
    data = _data()
    return {
        one["id"]: Service(
            one["id"], one["hook"], one["title"], one["description"],
            {key: data["prefetch"][key] for key in one["prefetch"]},
        )
        for one in data["services"]
    }  # fmt: skip


def service(id: str) -> Service | None:
    """The service of that id."""
    return _services().get(id)


def discovery() -> dict[str, Any]:
    """What `GET /cds-services` answers."""
    return {
        "services": [
            {
                "hook": one.hook,
                "id": one.id,
                "title": one.title,
                "description": one.description,
                "prefetch": dict(one.prefetch),
                "usageRequirements": _data()["usage"],
                "version": version("ranvier"),
            }
            for one in _services().values()
        ]
    }


@cache
def reasons() -> Mapping[str, str]:
    """Code and words of each reason that may be given for not following a card."""
    return {one["code"]: one["display"] for one in _data()["override_reasons"]}


def override_codings() -> list[dict[str, str]]:
    """The same as codings."""
    return [{"code": code, "system": OWN_REASONS, "display": display} for code, display in reasons().items()]
