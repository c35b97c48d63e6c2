"""What the clinic's pages need of `knowledge`."""

from __future__ import annotations

import importlib.resources
from functools import cache

import yaml

from ranvier import evidence
from ranvier.evidence.nouns import Knowledge


@cache
def numbers() -> dict[str, float]:
    """Numbers of the work list by name: days, lines, and weights as ``weight.name``."""
    file = importlib.resources.files("ranvier.knowledge").joinpath("clinic", "worklist.yaml")
    data = yaml.load(file.read_bytes(), yaml.CSafeLoader)
    found = {name: float(number["value"]) for name, number in data["numbers"].items()}
    return found | {f"weight.{name}": float(number["value"]) for name, number in data["weights"].items()}


def knowledge() -> Knowledge:
    """All that is believed."""
    return evidence.load()
