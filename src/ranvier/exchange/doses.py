"""Doses in words: "25 g (250 mL)", "Octagam 10% 35g IV over 5h", "Privigen 100 mg/ml 30 g", "2 x 10 g"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from ranvier.exchange import numbers, words

_NUM = r"(\d[\d.,]*)"
_CONCENTRATION = re.compile(rf"{_NUM}\s*(?:%|(mg|g)\s*/\s*(100\s*)?(ml|l|dl)\b)")
_PER_VIAL = re.compile(rf"{_NUM}\s*(mg|g)\s*/\s*{_NUM}\s*ml\b")
_PER_VIAL_AS_WRITTEN = re.compile(rf"{_NUM}\s*m?g\s*/\s*(?!1\s*ml|100\s*ml){_NUM}\s*ml\b", re.IGNORECASE)
_PER_KG = re.compile(rf"{_NUM}\s*m?g(?:r|ram|ramm)?\s*(?:/|per |pro )\s*kg\b")
_VOLUME = re.compile(rf"{_NUM}\s*(ml|cc|l)\b")
_GRAMS = re.compile(
    rf"(?:(\d+)\s*[x×*]\s*)?{_NUM}\s*(g|gr|gm|gms|gram|grams|gramm|gramme|grammes|gramos|grammi|mg|kg)\b(?!\s*/)(?:\s*[x×*]\s*(\d+)\b)?"
)


@dataclass(frozen=True, slots=True)
class DoseText:
    """What a text says about a dose; None where it says nothing.

    grams [g], volume [mL], g_per_l: concentration [g/L], hours [h]; per_kg: a dose per body weight was written;
    several: more than one amount without a sign between them; rest: the text without all this
    perhaps: grams of a vial, if "10 g/100 ml" is meant as a vial and not only as a concentration
    """

    grams: float | None = None
    volume: float | None = None
    g_per_l: float | None = None
    hours: float | None = None
    per_kg: bool = False
    several: bool = False
    perhaps: float | None = None
    rest: str = ""


def _number(text: str, decimal: numbers.Decimal | None) -> float | None:
    found = numbers.read(text.rstrip(".,"), decimal)
    return found.value if isinstance(found, numbers.Number) else None


def _duration(bare: str) -> tuple[float | None, str]:
    hours = "|".join(sorted((re.escape(w) for w in words.listed("hours")), key=len, reverse=True))
    minutes = "|".join(sorted((re.escape(w) for w in words.listed("minutes")), key=len, reverse=True))
    total, rest = 0.0, bare
    found = False
    for pattern, factor in ((rf"{_NUM}\s*(?:{hours})(?![a-z])", 1.0), (rf"{_NUM}\s*(?:{minutes})(?![a-z])", 1 / 60)):
        hit = re.search(pattern, rest)
        value = _number(hit[1], None) if hit else None
        if hit is not None and value is not None:
            total, found = total + value * factor, True
            rest = rest[: hit.start()] + " " + rest[hit.end() :]
    rest = re.sub(r"\b(over|uber|in|en|durante|gedurende|sur|su)\b\s*$", " ", rest.strip()) if found else rest
    return (total if found else None), rest


def read_dose(text: str, decimal: numbers.Decimal | None = None) -> DoseText:
    """Take a text apart that may name concentration, grams, volume and duration.

    >>> found = read_dose("Octagam 10% 35g IV over 5h")
    >>> found.grams, found.g_per_l, found.hours
    (35.0, 100.0, 5.0)
    """
    rest = words.plain(text)
    g_per_l, perhaps, vial = None, None, None
    hit = _PER_VIAL.search(rest)
    if hit:
        grams_in, volume_in = _number(hit[1], decimal), _number(hit[3], decimal)
        if grams_in and volume_in:
            grams_in *= 0.001 if hit[2] == "mg" else 1.0
            g_per_l = round(grams_in / volume_in * 1000, 6)
            perhaps, vial = grams_in, None if volume_in in (1.0, 100.0) else grams_in
            rest = rest[: hit.start()] + " " + rest[hit.end() :]
    hit = _CONCENTRATION.search(rest)
    if hit:
        value = _number(hit[1], decimal)
        if value is not None and g_per_l is None:
            g_per_l = value * _factor(hit)
        rest = rest[: hit.start()] + " " + rest[hit.end() :]
    per_kg = _PER_KG.search(rest)
    if per_kg:
        rest = rest[: per_kg.start()] + " " + rest[per_kg.end() :]
    hours, rest = _duration(rest)
    grams, several = vial, False
    hits = list(_GRAMS.finditer(rest))
    if hits:
        amounts = [_amount(h, decimal) for h in hits]
        joined = all(
            re.fullmatch(r"\s*(\+|und|and|et|en|y|e)\s*", rest[a.end() : b.start()]) for a, b in pairwise(hits)
        )
        known = [a for a in amounts if a is not None]
        negative = any(re.search(r"(^|[\s(])[-−]$", rest[: h.start()]) for h in hits)
        several = not joined or negative or len(known) < len(amounts)
        grams = None if several else sum(known)
        rest = _GRAMS.sub(" ", rest)
    volume = None
    hit = _VOLUME.search(rest)
    if hit:
        value = _number(hit[1], decimal)
        volume = None if value is None else value * (1000 if hit[2] == "l" else 1)
        rest = rest[: hit.start()] + " " + rest[hit.end() :]
    rest = " ".join(re.sub(r"[()\[\],;=+]", " ", rest).split())
    return DoseText(grams, volume, g_per_l, hours, per_kg is not None, several, None if hits else perhaps, rest)


def _factor(hit: re.Match[str]) -> float:
    """From the written concentration to g/L."""
    if hit[2] is None:
        return 10.0  # % is g per 100 mL
    per = {"ml": 1000.0, "dl": 10.0, "l": 1.0}[hit[4]] / (100.0 if hit[3] else 1.0)
    return per * (0.001 if hit[2] == "mg" else 1.0)


def _amount(hit: re.Match[str], decimal: numbers.Decimal | None) -> float | None:
    value = _number(hit[2], decimal)
    if value is None:
        return None
    times = int(hit[1] or 1) * int(hit[4] or 1)
    return value * times * {"mg": 0.001, "kg": 1000.0}.get(hit[3], 1.0)


def name_without_dose(text: str, decimal: numbers.Decimal | None = None) -> str:
    """A product's text as written, without amounts, so that two vials of one drug get one name."""
    bare = _PER_VIAL_AS_WRITTEN.sub(" ", text)
    bare = re.sub(r"\d[\d.,]*\s*(?:mg|g|gr|gm|gram|gramm|ml|l)\b(?!\s*/)", " ", bare, flags=re.IGNORECASE)
    return " ".join(re.sub(r"[(\[]\s*[)\]]", " ", bare).split()).strip(" ,;-") or text.strip()
