"""The sentences of letters and of the leaflet, by language; English must have every one, and so must each other language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

_POINT = re.compile(r"(\d)\.(\d)")
FOLDERS = ("letters", "leaflet")


@cache
def load(folder: str, language: str) -> Mapping[str, Any]:
    """knowledge/languages/<folder>/<language>.yaml. Raises KeyError for a language that is not there."""
    file = files("ranvier.knowledge").joinpath("languages", folder, f"{language}.yaml")
    if not re.fullmatch(r"[a-z]{2}", language) or not file.is_file():
        raise KeyError(language)
    loaded: dict[str, Any] = yaml.load(
        file.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    )
    return loaded


@cache
def languages() -> tuple[str, ...]:
    """Languages in which letters can be written."""
    folder = files("ranvier.knowledge").joinpath("languages", "letters")
    return tuple(sorted(f.name.removesuffix(".yaml") for f in folder.iterdir() if f.name.endswith(".yaml")))


def say(language: str, key: str, /, **facts: Any) -> str:
    """The sentence `section.name` with its blanks filled. Raises KeyError where there is none."""
    section, _, name = key.partition(".")
    return str(load("letters", language)[section][name]).format(**facts)


def decimals(language: str, text: str) -> str:
    """Numbers with the decimal sign of the language; for text that holds no dates or addresses."""
    sign = str(load("letters", language)["ui"]["decimal"])
    return text if sign == "." else _POINT.sub(rf"\1{sign}\2", text)
