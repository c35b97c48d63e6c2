"""The words of virtual people and trials, from knowledge/languages/cohort."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import yaml


@cache
def words() -> Mapping[str, Mapping[str, str]]:
    """All sentences, by section and name. Not to be written to."""
    file = files("ranvier.knowledge").joinpath("languages", "cohort", "en.yaml")
    found: dict[str, dict[str, str]] = yaml.load(file.read_text(encoding="utf-8"), yaml.CSafeLoader)
    return found


def say(key: str, /, **facts: Any) -> str:
    """The sentence `section.name` with its blanks filled. Raises KeyError where there is none."""
    section, _, name = key.partition(".")
    return words()[section][name].format(**facts)


def named(section: str, name: str) -> str:
    """The word for an arm, an outcome or a unit; the name itself where it has none."""
    return words()[section].get(name, name)


def years(count: float) -> str:
    """Year or years."""
    return say("trial.year" if count == 1 else "trial.years")


def signed(value: float) -> str:
    """A difference, three significant digits."""
    return f"{value:+.3g}".replace("-", "−")
