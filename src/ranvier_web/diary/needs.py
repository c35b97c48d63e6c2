"""What the patient's page needs of `knowledge`: its numbers, the questions, the devices one can squeeze at home."""

from __future__ import annotations

import importlib.resources
from functools import cache
from typing import Any

import yaml

from ranvier import evidence
from ranvier.evidence.nouns import Scale


@cache
def _file() -> dict[str, Any]:
    file = importlib.resources.files("ranvier.knowledge").joinpath("clinic", "diary.yaml")
    data: dict[str, Any] = yaml.load(file.read_bytes(), yaml.CSafeLoader)
    return data


@cache
def numbers() -> dict[str, float]:
    """Numbers of the page by name; units as in knowledge/clinic/diary.yaml."""
    return {name: float(number["value"]) for name, number in _file()["numbers"].items()}


def asked() -> tuple[str, ...]:
    """Events that are asked beside wearing-off, by the record's names."""
    return tuple(_file()["asked"])


@cache
def devices() -> dict[str, Scale]:
    """Devices that measure grip, by id."""
    return {id: scale for id, scale in evidence.load().scales.items() if scale.measure == "grip"}
