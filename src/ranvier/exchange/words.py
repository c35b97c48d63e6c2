"""The vocabulary of other people's tables, read from knowledge/exchange: headings, units, hands, products."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any

import yaml

_LETTERS = {"ß": "ss", "œ": "oe", "æ": "ae", "ø": "o", "’": "'", "`": "'", "´": "'", "\u00a0": " ", "\u202f": " "}


@lru_cache(maxsize=20_000)
def plain(text: str) -> str:
    """The text without case, accents and needless space, for comparing words.

    >>> plain("  Größe\u00a0 (kg) ")
    'grosse (kg)'
    """
    folded = text.casefold().strip()
    for letter, instead in _LETTERS.items():
        folded = folded.replace(letter, instead)
    apart = unicodedata.normalize("NFD", folded)
    bare = "".join(c for c in apart if not unicodedata.combining(c))
    return re.sub(r"\s+", " ", bare).strip()


@lru_cache(maxsize=20_000)
def tokens(text: str) -> tuple[str, ...]:
    """Words and numbers of a plain text: "r1" gives "r", "1"; signs fall away.

    >>> tokens("try 1 / r2")
    ('try', '1', 'r', '2')
    """
    return tuple(re.findall(r"[^\W\d_]+|\d+", text))


def _file(folder: str, name: str) -> Any:
    text = resources.files("ranvier.knowledge").joinpath(folder, name).read_text(encoding="utf-8")
    return yaml.safe_load(text)


@cache
def headings() -> dict[str, tuple[str, ...]]:
    """Role of a column → its words in all languages, plain."""
    roles = _file("exchange", "headers.yaml")["roles"]
    return {
        role: tuple(dict.fromkeys(plain(word) for words in by_language.values() for word in words))
        for role, by_language in roles.items()
    }


@cache
def _words() -> dict[str, Any]:
    loaded: dict[str, Any] = _file("exchange", "words.yaml")
    return loaded


@cache
def vocabulary(kind: str) -> dict[str, frozenset[str]]:
    """A kind of words by meaning, e.g. ``hands`` → right and left."""
    return {str(meaning): frozenset(plain(str(w)) for w in words) for meaning, words in _words()[kind].items()}


@cache
def listed(kind: str) -> frozenset[str]:
    """A flat list of words, e.g. ``missing``."""
    return frozenset(plain(str(w)) for w in _words()[kind])


def meaning(kind: str, text: str) -> str | None:
    """What the whole text means among the words of this kind, or None."""
    wanted = plain(text)
    return next((m for m, words in vocabulary(kind).items() if wanted in words), None)


def mentioned(kind: str, text: str) -> tuple[str, ...]:
    """All meanings of this kind whose words occur in the text as whole words."""
    padded = f" {' '.join(tokens(plain(text)))} "
    found = []
    for name, words in vocabulary(kind).items():
        if any(f" {' '.join(tokens(w))} " in padded for w in words if tokens(w)):
            found.append(name)
    return tuple(found)


def is_missing(text: str) -> bool:
    """Whether the cell says that nothing was measured: blank, "n/a", "not done", a dash."""
    bare = plain(text)
    return not bare or bare in listed("missing")


@cache
def units(kind: str) -> dict[str, str]:
    """Spelling (plain) → UCUM, for one kind of quantity."""
    table = _file("exchange", "units.yaml")[kind]
    return {plain(str(s)): str(ucum) for ucum, spellings in table.items() for s in [ucum, *spellings]}


@cache
def _loose_units() -> frozenset[str]:
    return frozenset(plain(str(s)) for s in _file("exchange", "units.yaml")["loose"])


def unit(kind: str, text: str) -> str | None:
    """The UCUM unit that the whole text spells, or None."""
    bare = plain(text).strip("[]() ").rstrip(".")
    table = units(kind)
    return table.get(bare) or table.get(bare.replace(" ", "")) or table.get(f"[{bare}]")


def unit_within(kind: str, text: str) -> tuple[str | None, str]:
    """A unit named in a heading, and the heading without it: in brackets first, else as a clear word.

    >>> unit_within("grip", "rechts (kg)")
    ('kg', 'rechts')
    """
    bare = plain(text)
    for found in re.finditer(r"[(\[{<]([^()\[\]{}<>]*)[)\]}>]", bare):
        code = unit(kind, re.sub(r"^(in|en) ", "", found.group(1)))
        if code:
            return code, (bare[: found.start()] + " " + bare[found.end() :]).strip(" ,;:-")
    table = units(kind)
    for spelling in sorted(table, key=len, reverse=True):
        pattern = rf"(?<![\w/]){re.escape(spelling)}(?![\w/])"
        if spelling.isdigit():
            continue
        if spelling in _loose_units():
            pattern = rf"(?<= in ){re.escape(spelling)}$"
        hit = re.search(pattern, bare)
        if hit:
            rest = (bare[: hit.start()] + " " + bare[hit.end() :]).strip(" ,;:-")
            return table[spelling], re.sub(r"(^| )(in|en)$", "", rest).strip()
    return None, bare


@dataclass(frozen=True, slots=True)
class Product:
    """What the importer needs of a product file: id, how it is written, and its routes if the file names them."""

    id: str
    name: str
    aliases: tuple[str, ...]
    routes: tuple[str, ...]
    g_per_l: float | None


@cache
def products() -> tuple[Product, ...]:
    """All products of knowledge/products with their spellings; longest spelling wins on matching."""
    folder = resources.files("ranvier.knowledge").joinpath("products")
    if not folder.is_dir():
        return ()
    found = []
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        if not entry.name.endswith(".yaml"):
            continue
        body = yaml.safe_load(entry.read_text(encoding="utf-8"))
        if not isinstance(body, dict) or "id" not in body:
            continue
        names = [body["id"], body.get("name"), *(body.get("aliases") or ())]
        aliases = tuple(dict.fromkeys(" ".join(tokens(plain(str(n)))) for n in names if n))
        routes = tuple(str(r) for r in body.get("routes") or ())
        strength = (body.get("concentration") or {}).get("value")
        found.append(Product(str(body["id"]), str(body.get("name") or body["id"]), aliases, routes, strength))
    return tuple(found)


def product_in(text: str, g_per_l: float | None = None) -> Product | None:
    """The product whose longest spelling occurs in the text as whole words; None if none or if two tie.

    g_per_l : concentration that the text names [g/L]; another one than the product's makes it another product
    """
    padded = f" {' '.join(tokens(plain(text)))} "
    if any(f" {' '.join(tokens(w))} " in padded for w in listed("other_variants") if not w.endswith("%")):
        return None
    hits = [(len(alias), p) for p in products() for alias in p.aliases if f" {alias} " in padded]
    if not hits:
        return None
    longest = max(length for length, _ in hits)
    best = {p.id: p for length, p in hits if length == longest}
    only = next(iter(best.values())) if len(best) == 1 else None
    if only is not None and g_per_l is not None and only.g_per_l is not None and abs(only.g_per_l - g_per_l) > 0.5:
        return None
    return only


def is_generic_immunoglobulin(text: str) -> bool:
    """Whether the text says immunoglobulin without naming a brand."""
    padded = f" {' '.join(tokens(plain(text)))} "
    return any(f" {' '.join(tokens(w))} " in padded for w in listed("generic_immunoglobulin"))


def says_infusion(note: str) -> bool:
    """Whether a diary's note says that an infusion was given that day."""
    padded = f" {' '.join(tokens(plain(note)))} "
    negated = _words()["infusion_notes"]["not"]
    if any(f" {' '.join(tokens(plain(w)))} " in padded for w in negated):
        return False
    return any(f" {' '.join(tokens(plain(w)))} " in padded for w in _words()["infusion_notes"]["words"])
