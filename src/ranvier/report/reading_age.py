"""From what age a text can be read, by a published formula of its language (knowledge/languages/reading.yaml).

English: Flesch-Kincaid grade level. German: first Wiener Sachtextformel. Syllables are counted by rules of spelling, as all
programs of this kind do; names and numbers count as words. A formula measures length of words and sentences, not whether a
text is understood.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_END = re.compile(r"[.!?:](?:\s|$)|\n")
_VOWELS_EN = re.compile(r"[aeiouy]+")
_VOWELS_DE = re.compile(r"(?:i(?=ent)|aa|ai|au|äu|ee|ei|eu|ie|oo|[aeiouäöüy])")
_SILENT_EN = (
    r"[^l]e$(?<!ee)(?<!ye)",
    r"[aeiouy]le$",
    r"[^td]ed$",
    r"(?:[^cgsxzl]|[aeiouy]l)es$(?<!ches)(?<!shes)",
)  # an e not spoken
_APART_EN = re.compile(r"ia|io(?!u?n|us)|iu|uou|ual|dea$|eing|scie|quie|lion")  # two vowels spoken apart, as in diary
LONG = 7  # letters of a long word in the Wiener Sachtextformel
MANY = 3  # syllables of a word that counts as one of many


@dataclass(frozen=True, slots=True)
class ReadingAge:
    """year : school year; age : [a]; formula : its name; source : id; words, sentences : how many were counted"""

    year: float
    age: float
    formula: str
    source: str
    words: int
    sentences: int


@cache
def rules() -> Mapping[str, Any]:
    """knowledge/languages/reading.yaml."""
    text = files("ranvier.knowledge").joinpath("languages", "reading.yaml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return loaded


def goal() -> float:
    """The age that texts for patients aim at [a]."""
    return float(rules()["goal"]["value"])


def reading_age(text: str, language: str) -> ReadingAge:
    """The age from which the text can be read.

    Raises
    ------
    KeyError : no formula for the language; ValueError : no word in the text
    """
    rule = rules()[language]
    n = {name: float(number["value"]) for name, number in rule["numbers"].items()}
    words = _WORD.findall(text)
    if not words:
        raise ValueError("there is no word in the text")
    sentences = max(1, sum(1 for part in _END.split(text) if _WORD.search(part)))
    counts = [syllables(word, language) for word in words]
    per_sentence = len(words) / sentences
    if language == "en":
        year = n["sentence"] * per_sentence + n["syllables"] * sum(counts) / len(words) + n["constant"]
    else:
        share = 100.0 / len(words)
        many = share * sum(c >= MANY for c in counts)
        long = share * sum(len(word) >= LONG for word in words)
        one = share * sum(c == 1 for c in counts)
        year = n["three"] * many + n["sentence"] * per_sentence + n["long"] * long + n["one"] * one + n["constant"]
    year = max(year, n.get("lowest", year))
    return ReadingAge(year, year + n["age"], rule["formula"], rule["source"], len(words), sentences)


def syllables(word: str, language: str) -> int:
    """Syllables of a word, at least one: groups of vowels, in English without a silent e at the end."""
    small = word.lower()
    if language != "en":
        return max(1, len(_VOWELS_DE.findall(small)))
    total = sum(_syllables_en(part) for part in re.split(r"['’-]", small) if part)
    return max(1, total)


def _syllables_en(word: str) -> int:
    count = len(_VOWELS_EN.findall(word))
    silent = any(re.search(end, word) for end in _SILENT_EN) and count > 1
    return max(1, count - silent + len(_APART_EN.findall(word)))
