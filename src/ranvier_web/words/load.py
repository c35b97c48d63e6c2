"""The words of the pages: one folder per language, one file per area, merged."""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.resources.abc import Traversable
from typing import Any

import yaml

from ranvier import evidence
from ranvier.report.words import Words

FOLDER = ("languages", "web")
_speaking: ContextVar[str] = ContextVar("language", default="en")


def language() -> str:
    """The language of whoever is being answered now; English where nobody is."""
    return _speaking.get()


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Within this block, sentences are said in this language unless another is asked for."""
    before = _speaking.set(code)
    try:
        yield
    finally:
        _speaking.reset(before)


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


def words(code: str | None = None) -> Words:
    """The words of dates, doses, chances: those of the report."""
    return _words(code or language())


@cache
def _words(code: str) -> Words:
    return Words(evidence.load(), code)


@cache
def languages() -> tuple[tuple[str, str], ...]:
    """Languages that pages and letters have: code and own name."""
    found = tuple(sorted(folder.name for folder in _root().iterdir() if folder.is_dir()))
    return tuple((code, str(texts(code)["diary"]["language_name"])) for code in found)


def say(key: str, /, code: str | None = None, **facts: Any) -> str:
    """The sentence of that name with its blanks filled; where `n` is 1 and there is a sentence `<name>_one`, that one.

    Raises
    ------
    KeyError : no such sentence
    """
    area, _, name = key.partition(".")
    sentences = texts(code or language())[area]
    sentence = sentences[name]
    if str(facts.get("n")) == "1":
        sentence = sentences.get(f"{name}_one", sentence)
    return str(sentence).format(**facts) if facts else str(sentence)


def choice(code: str) -> str:
    """The word of a code that a fact holds; the code itself, made readable, where there is none."""
    return str(texts(language())["choices"].get(code, code.replace("_", " ")))


def series(id: str) -> str:
    """The name of a series from its parts: "grip-right" is "grip right", "Griffkraft rechts"."""
    return " ".join(
        choice(part) for part in id.replace("mmn-rods", "mmn_rods").replace("mrc-sum", "mrc_sum").split("-")
    )
