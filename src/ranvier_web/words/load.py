"""The words of the pages: one folder per language, one file per area, merged."""

from __future__ import annotations

import importlib.resources
from collections.abc import Mapping
from functools import cache
from importlib.resources.abc import Traversable
from typing import Any

import yaml

from ranvier import evidence
from ranvier.report.words import Words

FOLDER = ("languages", "web")


def _root() -> Traversable:
    return importlib.resources.files("ranvier.knowledge").joinpath(*FOLDER)


@cache
def texts(code: str) -> Mapping[str, Any]:
    """Area, name, sentence. A word that a language lacks is taken from English."""
    root = _root().joinpath(code)
    read = {
        file.name.removesuffix(".yaml"): yaml.load(file.read_bytes(), yaml.CSafeLoader)
        for file in sorted(root.iterdir(), key=lambda f: f.name)
        if file.name.endswith(".yaml")
    }
    if code == "en":
        return read
    return {area: {**words, **read.get(area, {})} for area, words in texts("en").items()}


@cache
def words(code: str = "en") -> Words:
    """The words of dates, doses, chances: those of the report."""
    return Words(evidence.load(), code)


@cache
def languages() -> tuple[tuple[str, str], ...]:
    """Languages that the patient's page and the letters have: code and own name."""
    found = tuple(sorted(folder.name for folder in _root().iterdir() if folder.is_dir()))
    return tuple((code, str(texts(code)["diary"]["language_name"])) for code in found)


def say(key: str, /, code: str = "en", **facts: Any) -> str:
    """The sentence of that name with its blanks filled.

    Raises
    ------
    KeyError : no such sentence
    """
    area, _, name = key.partition(".")
    sentence = texts(code)[area][name]
    return str(sentence).format(**facts) if facts else str(sentence)
