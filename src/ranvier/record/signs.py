"""What a record shows of a thing that is named by words, codes or age: present, excluded, or not said."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from ranvier.ground.truth import Truth
from ranvier.record.nouns import Record, When
from ranvier.record.until import day_of

_NOT_OWN = re.compile(
    r"\b(no|not|without|denies|denied|never|negative for|family history|father|mother|brother|sister"
    r"|kein|keine|keinen|keiner|nicht|ohne|verneint|nie|niemals|familienanamnese|vater|mutter|bruder|schwester)\b"
)
_SENTENCE = re.compile(r"(?<!\b\w)\. |; ")  # "z. n." is no end of a sentence


@dataclass(frozen=True, slots=True)
class Seen:
    """MET with what shows it; NOT_MET where it was looked for and excluded; else UNKNOWN."""

    truth: Truth
    signs: tuple[str, ...] = ()


def bare_code(code: str) -> str:
    """The code itself, without the name of its system: "ATC H02AB06" is "H02AB06"."""
    return code.split()[-1].strip(".") if code.split() else ""


@lru_cache(maxsize=4096)
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(rf"(?<![a-zäöüß]){re.escape(word)}" for word in words))


def named(text: str, words: Sequence[str]) -> bool:
    """Whether one of `words` (lower case) begins somewhere in `text` as a word, and is not denied or a relative's.

    A denial holds to the end of its sentence: "No diabetes. Stroke 2019" names a stroke.
    """
    if not words:
        return False
    plain = " ".join(unicodedata.normalize("NFC", text.casefold()).split())
    pattern = _pattern(tuple(words))
    return any(
        _NOT_OWN.search(sentence[: found.start()]) is None
        for sentence in _SENTENCE.split(plain)
        for found in pattern.finditer(sentence)
    )


def coded(code: str | None, beginnings: Sequence[str]) -> bool:
    """Whether `code` begins with one of `beginnings`."""
    return code is not None and bool(beginnings) and bare_code(code).upper().startswith(tuple(beginnings))


def runs(start: When | None, stop: When | None, at: date) -> bool:
    """Whether something that began and ended so is going on at `at`; a missing end has not come."""
    return (start is None or day_of(start) <= at) and (stop is None or day_of(stop) >= at)


def seen(
    record: Record,
    at: date,
    *,
    words: Sequence[str] = (),
    icd10: Sequence[str] = (),
    atc: Sequence[str] = (),
    age_from: float | None = None,
    asked: Sequence[str] = (),
) -> Seen:
    """What the record shows on `at`: conditions by word or code, adverse events by word, drugs taken by code, age in years.

    The year of birth alone is known: whoever may already have reached the age counts.
    asked : names of conditions that are asked one by one. Where `words` see several of them, each must have been excluded
        before the whole is: no stroke is not no thrombosis.
    """
    signs = [c.what for c in record.conditions if c.present and _is(c.what, c.code, words, icd10)]
    signs += [e.what for e in record.adverse_events if e.on <= at and named(e.what, words)]
    signs += [d.name for d in record.drugs if coded(d.code, atc) and runs(d.start, d.stop, at)]
    if age_from is not None and record.person.birth_year is not None:
        age = at.year - record.person.birth_year
        if age >= age_from:
            signs.append(f"{age} years")
    if signs:
        return Seen(Truth.MET, tuple(dict.fromkeys(signs)))
    excluded = _excluded(c.what for c in record.conditions if not c.present and _is(c.what, c.code, words, icd10))
    own = {name.casefold() for name in asked if named(name, words)}
    if not excluded or (len(own) > 1 and not own <= {name.casefold() for name in excluded}):
        return Seen(Truth.UNKNOWN)
    return Seen(Truth.NOT_MET, excluded)


def _is(what: str, code: str | None, words: Sequence[str], icd10: Sequence[str]) -> bool:
    return named(what, words) or coded(code, icd10)


def _excluded(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
