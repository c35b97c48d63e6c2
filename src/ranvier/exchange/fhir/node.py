"""Walking a resource: every element that is asked for is marked, so that in the end it can be said what nobody read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from ranvier.ground.notes import Problem, Severity

_CHOICES = (
    "value", "effective", "onset", "abatement", "medication", "occurrence", "performed", "rate", "dose", "deceased",
    "multipleBirth", "timing", "reported", "asNeeded", "product", "detail", "due", "start", "serviced", "allowed",
)  # fmt: skip
_TYPES = (
    "Quantity|Period|DateTime|String|CodeableConcept|Boolean|Integer|Decimal|Age|Range|Ratio|SampledData|Reference|Date|"
    "Timing|Code|Coding|Uri|Url|Canonical|Markdown|Time|Instant|Duration|PositiveInt|UnsignedInt|Identifier|Attachment"
)
_CHOICE = re.compile(rf"({'|'.join(_CHOICES)})({_TYPES})")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
LARGEST_EXPONENT = 15
UNREAD_BY_DESIGN = frozenset(["resourceType", "id", "meta", "language", "contained"])


def step(key: str) -> str:
    """An element as FHIRPath names it: ``valueQuantity`` is ``value``.

    >>> step("valueQuantity"), step("effectiveDateTime"), step("bodySite")
    ('value', 'effective', 'bodySite')
    """
    hit = _CHOICE.fullmatch(key)
    if hit:
        return hit[1]
    return key if _WORD.fullmatch(key) else f"`{key[:60]}`"


EXACT = "https://ranvier.example/fhir/StructureDefinition/exact-text"
"""Beside a text in which letters had to be shown as others: the text itself, its letters beyond ASCII as JSON escapes."""


def exact_text(raw: Mapping[str, Any], key: str) -> Any:
    """The text under `key`, as it was before letters that FHIR does not allow were shown as others."""
    beside = raw.get("_" + key)
    listed = beside.get("extension") if isinstance(beside, dict) else None
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, dict) and one.get("url") == EXACT and isinstance(one.get("valueString"), str):
            try:
                found = json.loads(f'"{one["valueString"]}"')
            except ValueError:
                continue
            return found if isinstance(found, str) else raw.get(key)
    return raw.get(key)


class Node:
    """One element with parts, where it stands, and which of its parts were read.

    problems : where everything that is wrong is noted, with its FHIRPath
    """

    __slots__ = ("_children", "_read", "_told", "path", "problems", "raw")

    def __init__(self, raw: dict[str, Any], path: str, problems: list[Problem]) -> None:
        self.raw, self.path, self.problems = raw, path, problems
        self._read: set[str] = set()
        self._children: dict[int, Node] = {}  # by the identity of what they stand for, which lives as long as `raw`
        self._told: set[tuple[str, int]] = set()

    # ---- saying

    def at(self, *keys: str | int) -> str:
        """The FHIRPath of a part."""
        path = self.path
        for key in keys:
            path += f"[{key}]" if isinstance(key, int) else f".{step(key)}"
        return path

    def mend(self, key: str | None, what: str, remedy: str) -> None:
        """Note something that refuses the input."""
        self.problems.append(Problem(self.at(key) if key else self.path, what, remedy))

    def look(self, key: str | None, what: str, remedy: str) -> None:
        """Note something to look at."""
        self.problems.append(Problem(self.at(key) if key else self.path, what, remedy, Severity.LOOK))

    # ---- reading

    @property
    def kind(self) -> str:
        """The type of a resource."""
        return str(self.raw.get("resourceType", ""))

    def has(self, key: str) -> bool:
        """Whether the part is there."""
        return self.raw.get(key) is not None

    def mark(self, *keys: str) -> None:
        """Count parts as read."""
        for key in keys:
            self._read.update((key, "_" + key))

    def text(self, key: str) -> str | None:
        """A text; None where there is none, or with a problem where it is none."""
        self._read.update((key, "_" + key))
        value = exact_text(self.raw, key)
        if value is None:
            return None
        if isinstance(value, str) and value.strip():
            return value
        self.mend(key, f"{_shown(value)} is no text", "Send a text that is not empty.")
        return None

    def number(self, key: str) -> int | Decimal | None:
        """A number with the digits it came with; a number written as text is not one."""
        self._read.add(key)
        value = self.raw.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            what = f"{_shown(value)} is no number" + (": it is written as text" if isinstance(value, str) else "")
            self.mend(key, what, "Send it as a JSON number, without quotes.")
            return None
        if value and (abs(Decimal(value).adjusted()) > LARGEST_EXPONENT or len(str(value)) > 40):
            self.mend(key, "this number is no measurement", "Check what sent it.")
            return None
        return value

    def boolean(self, key: str) -> bool | None:
        """True or false."""
        self._read.add(key)
        value = self.raw.get(key)
        if value is None or isinstance(value, bool):
            return value
        self.mend(key, f"{_shown(value)} is neither true nor false", "Send true or false, without quotes.")
        return None

    def child(self, key: str) -> Node | None:
        """A part that has parts."""
        self._read.add(key)
        value = self.raw.get(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.mend(key, f"{_shown(value)} stands where an element with parts is expected", "Send FHIR R4.")
            return None
        return self.part(value, key)

    def children(self, key: str) -> list[Node]:
        """A list of parts that have parts."""
        self._read.add(key)
        value = self.raw.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self.mend(key, f"{_shown(value)} stands where a list is expected", "Send FHIR R4: a list, even of one.")
            return []
        found = []
        for i, one in enumerate(value):
            if isinstance(one, dict):
                found.append(self.part(one, key, i))
            elif (key, i) not in self._told:
                self._told.add((key, i))
                what = f"{_shown(one)} stands where an element with parts is expected"
                self.problems.append(Problem(self.at(key, i), what, "Send FHIR R4."))
        return found

    def part(self, raw: dict[str, Any], key: str, index: int | None = None) -> Node:
        """The node of a part, the same one each time it is asked for."""
        known = self._children.get(id(raw))
        if known is None:
            known = Node(raw, self.at(key) if index is None else self.at(key, index), self.problems)
            self._children[id(raw)] = known
        return known

    def all_read(self) -> None:
        """Count everything in here as read: it is kept as it is, or stands elsewhere."""
        self._read.update(self.raw)
        self._children.clear()

    def unread(self) -> Iterator[str]:
        """The FHIRPath of every part that nobody asked for."""
        for key in self.raw:
            if key == "extension" and key not in self._read and isinstance(self.raw[key], list):
                for i, one in enumerate(self.raw[key]):
                    if id(one) not in self._children:
                        yield self.at(key, i)
            elif key not in self._read and not (key in UNREAD_BY_DESIGN and "resourceType" in self.raw):
                yield self.at(key)
        for child in self._children.values():
            yield from child.unread()

    # ---- what occurs everywhere

    def codings(self, key: str) -> list[tuple[str | None, str, str | None]]:
        """(system, code, display) of a CodeableConcept."""
        concept = self.child(key)
        return [] if concept is None else concept.own_codings()

    def own_codings(self) -> list[tuple[str | None, str, str | None]]:
        """(system, code, display) of this CodeableConcept."""
        found = []
        for coding in self.children("coding"):
            code = coding.text("code")
            system, display = coding.text("system"), coding.text("display")
            coding.mark("version", "userSelected")
            if code is not None:
                found.append((system, code, display))
        return found

    def extension(self, url: str) -> Node | None:
        """The extension of that address; the others stay unread."""
        listed = self.raw.get("extension")
        for i, one in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(one, dict) and one.get("url") == url:
                known = self.part(one, "extension", i)
                known.mark("url")
                return known
        return None

    def extended(self, url: str, key: str) -> str | None:
        """The text in an extension."""
        found = self.extension(url)
        return None if found is None else found.text(key)


def _shown(value: Any) -> str:
    text = f"'{value}'" if isinstance(value, str) else "a list" if isinstance(value, list) else str(value)
    text = "a group of keys" if isinstance(value, dict) else text
    return text if len(text) <= 60 else text[:57] + "..."
