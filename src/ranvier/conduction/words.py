"""The vocabulary of laboratories' tables: nerves, sites, sides, muscles, headings and units as people write them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from string import Formatter

from ranvier.conduction.load import load
from ranvier.ground.findings import Finding

_LETTERS = {
    "ß": "ss",
    "œ": "oe",
    "æ": "ae",
    "ø": "o",
    "’": "'",
    "`": "'",
    "´": "'",
    "μ": "u",
    "µ": "u",
    "·": ".",
    "×": "x",
}
MARKS = "*!↓↑↘↗†‡"  # how machines mark a value as abnormal
LOOSE = frozenset(
    [
        "d",
        "g",
        "m",
        "s",
        "f",
        "o",
        "a",
        "w",
        "ap",
        "op",
        "per",
        "med",
        "sin",
        "der",
        "pin",
        "arm",
        "leg",
        "ep",
        "be",
        "ae",
        "ax",
    ]
)
"""Words too short to be trusted inside a longer text; they count where they are the whole cell."""


@cache
def plain(text: str) -> str:
    """The text without case, accents and needless space.

    >>> plain("  Fläche (µV·ms) ")
    'flache (uv.ms)'
    """
    folded = unicodedata.normalize("NFC", text).casefold().strip()
    for letter, instead in _LETTERS.items():
        folded = folded.replace(letter, instead)
    bare = "".join(c for c in unicodedata.normalize("NFD", folded) if not unicodedata.combining(c))
    return re.sub(r"\s+", " ", bare).strip()


@cache
def tokens(text: str) -> str:
    """Words and numbers of a text, separated by single spaces: "N. medianus, re." gives "n medianus re"."""
    return " ".join(re.findall(r"[^\W_]+|%", plain(text)))


@cache
def vocabulary(kind: str) -> Mapping[str, str]:
    """Spelling → meaning of one kind of words (``nerves``, ``sites``, ``sides``, ``kinds``, ``muscles``, ``headers``)."""
    found: dict[str, str] = {}
    for meaning, spellings in load().words[kind].items():
        for spelling in (meaning.replace("_", " "), *spellings):
            found.setdefault(tokens(str(spelling)), str(meaning))
    return found


def whole(kind: str, text: str) -> str | None:
    """What the whole text means among words of one kind; None if nothing."""
    return vocabulary(kind).get(tokens(text)) if tokens(text) else None


@dataclass(frozen=True, slots=True)
class Phrase:
    """What a text says: each kind of word with its meaning, several sites in their order, and what was not understood."""

    nerve: str | None
    side: str | None
    kind: str | None
    muscle: str | None
    sites: tuple[str, ...]
    rest: str


@cache
def _spellings() -> tuple[tuple[str, str, str], ...]:
    """(spelling, kind, meaning) of all words, longest first; a muscle wins over a nerve of the same spelling."""
    found = []
    for kind in ("sites", "muscles", "nerves", "kinds", "sides"):
        found += [(s, kind, m) for s, m in vocabulary(kind).items() if s and s not in LOOSE]
    return tuple(sorted(found, key=lambda f: -len(f[0])))


@cache
def phrase(text: str) -> Phrase:
    """All that a title or a cell says, the longest words first.

    >>> phrase("N. ulnaris links (ADM), unterhalb Ellenbogen").sites
    ('below_elbow',)
    """
    left = f" {tokens(text)} "
    found: dict[str, str] = {}
    sites: list[tuple[int, str]] = []
    for spelling, kind, meaning in _spellings():
        while (at := left.find(f" {spelling} ")) >= 0:
            if kind == "sites":
                sites.append((at, meaning))
            elif kind in found:
                break
            else:
                found[kind] = meaning
            left = f"{left[: at + 1]}{'_' * len(spelling)}{left[at + 1 + len(spelling) :]}"
    rest = " ".join(
        w
        for w in left.split()
        if set(w) != {"_"} and w not in ("n", "m", "nerve", "nervus", "nerv", "nerf", "s", "and", "to")
    )
    order = tuple(site for _, site in sorted(sites))
    return Phrase(found.get("nerves"), found.get("sides"), found.get("kinds"), found.get("muscles"), order, rest)


@cache
def listed(kind: str) -> frozenset[str]:
    """A flat list of words, e.g. ``absent``."""
    return frozenset(plain(str(w)) for w in load().words[kind])


def is_missing(text: str) -> bool:
    """Whether a cell says that nothing was measured."""
    return plain(text) in listed("missing")


def is_absent(text: str) -> bool:
    """Whether a cell says that no response could be had."""
    bare = plain(text).strip(" .!*()[]")
    return bare in listed("absent") or plain(text) in listed("absent")


@cache
def _units(kind: str) -> Mapping[str, str]:
    return {plain(str(s)): str(u) for u, spellings in load().units["spellings"][kind].items() for s in (u, *spellings)}


@cache
def unit_of(quantity: str, text: str) -> str | None:
    """The UCUM unit that the whole text spells for a quantity; None if it spells none."""
    table = _units(load().units["quantities"][quantity]["kind"])
    bare = plain(text).strip("()[]{} ").rstrip(".")
    return table.get(bare) or table.get(bare.replace(" ", ""))


def units_for(quantity: str) -> tuple[str, ...]:
    """The UCUM units a quantity may be written in."""
    return tuple(load().units["spellings"][load().units["quantities"][quantity]["kind"]])


def canonical(quantity: str) -> str:
    """The canonical unit of a quantity."""
    return str(load().units["quantities"][quantity]["canonical"])


def convert(value: float, unit: str, quantity: str) -> float:
    """`value` [`unit`] in the canonical unit of `quantity`; both of one kind."""
    sizes = load().units["sizes"]
    return float(value * (sizes[unit] / sizes[canonical(quantity)]))


@dataclass(frozen=True, slots=True)
class Heading:
    """One column: its role (None: not understood), the unit it states, and the site it is about where it names one."""

    role: str | None
    unit: str | None
    site: str | None
    text: str


QUANTITIES = (
    "latency",
    "f_latency",
    "peak_latency",
    "amplitude",
    "area",
    "duration",
    "distance",
    "velocity",
    "temperature",
    "persistence",
    "age",
    "height",
)


@cache
def heading(text: str) -> Heading:
    """What a column's heading says.

    >>> heading("Amplitude neg. (mV)")
    Heading(role='amplitude', unit='mV', site=None, text='Amplitude neg. (mV)')
    """
    bare = plain(text)
    for candidate, rest in _unit_candidates(bare):
        role, site = _role(rest)
        if role == "ignored":
            return Heading(role, None, None, text)
        if role in QUANTITIES and (unit := unit_of(role, candidate)) is not None:
            return Heading(role, unit, site, text)
    return Heading(*_roleless(bare), text)


def _roleless(bare: str) -> tuple[str | None, str | None, str | None]:
    role, site = _role(bare)
    return role, None, site


def _unit_candidates(bare: str) -> Iterator[tuple[str, str]]:
    for hit in re.finditer(r"[(\[{]([^()\[\]{}]*)[)\]}]", bare):
        yield hit.group(1), bare[: hit.start()] + " " + bare[hit.end() :]
    for separator in (",", " in ", " ", "/"):
        head, found, tail = bare.rpartition(separator)
        if found:
            yield tail, head
    area = re.search(r"(mv\s?[.*x]?\s?ms(?:ec)?|uv\s?[.*x]?\s?ms)$", bare)
    if area:
        yield area.group(1), bare[: area.start()]


def _role(text: str) -> tuple[str | None, str | None]:
    words = tokens(text)
    if not words:
        return None, None
    known = vocabulary("headers")
    if words in known:
        return known[words], None
    if words.split()[0] in listed("headings_ignored"):
        return "ignored", None  # "Norm Onset": the laboratory's limits beside the numbers
    bare = " ".join(w for w in words.split() if w not in listed("headings_filler"))
    if bare in known and known[bare] in QUANTITIES:
        return known[bare], None
    for spelling, kind, meaning in _spellings():
        if kind != "sites":
            continue
        padded = f" {words} "
        if f" {spelling} " in padded:
            rest = " ".join(padded.replace(f" {spelling} ", " ", 1).split())
            if rest in known and known[rest] in QUANTITIES:
                return known[rest], meaning
    return None, None


def say(mark: Finding) -> tuple[str, str]:
    """A caveat as two sentences: what it says, and what would settle it."""
    known = load().caveats[mark.name]
    facts = {name: _spoken(value) for name, value in mark.facts.items()}
    wanted = {name for _, name, _, _ in Formatter().parse(known.says + known.do) if name}
    facts |= dict.fromkeys(wanted - facts.keys(), "?")
    return known.says.format(**facts), known.do.format(**facts)


def _spoken(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
