"""From text to plain data with a line for everything. YAML 1.2 scalars; JSON is read by the same road.

Read event by event, so that nothing hostile is built before it is judged: size, depth and number of things are bounded,
anchors, tags, duplicate keys and numbers that are not finite are refused, and a time stays the text that was written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from ranvier.ground.notes import InputError, Problem

LARGEST_TEXT = 8_000_000  # characters; twenty years of two daily hands are a tenth of it
DEEPEST = 24
MOST_THINGS = 600_000

Path = tuple[str | int, ...]

_NUMBER = re.compile(r"[-+]?(0|[1-9]\d*)(\.\d*)?([eE][-+]?\d{1,3})?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)|[-+]?(Infinity|inf)|NaN|nan")
_TWO_ESCAPES = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_ODD = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_WORDS: Mapping[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip


@dataclass(slots=True)
class _Open:
    """A container still being filled, with the line of each of its things."""

    data: Any  # dict or list
    lines: Any  # dict or list of line numbers, as `data`
    line: int
    key: str | None = None
    key_line: int = 0


class Document:
    """Plain data and the line on which each part of it stands."""

    def __init__(self, data: Any, lines: Mapping[int, Any]) -> None:
        self.data = data
        self._lines = lines  # id of a container → lines of its things; the ids live as long as `data`

    def line(self, path: Sequence[str | int]) -> int | None:
        """The line (from 1) of what stands at `path`, or of the nearest thing above it."""
        here, found = self.data, 1
        for step in path:
            lines = self._lines.get(id(here))
            try:
                found, here = lines[step], here[step]  # type: ignore[index]
            except (KeyError, IndexError, TypeError):
                break
        return found


def place(path: Sequence[str | int]) -> str:
    """``('infusions', 5, 'dose')`` → ``infusions[5].dose``; the root is called ``record``."""
    words = ""
    for step in path:
        words += f"[{step}]" if isinstance(step, int) else f".{step}" if words else step
    return words or "record"


def refuse(name: str, problems: Sequence[Problem]) -> InputError:
    """The error for an input that cannot be used."""
    return InputError(f"{name} cannot be used yet.", tuple(problems))


def parse(
    text: str, name: str, always_text: frozenset[str], number: Callable[[str], Any] = float
) -> tuple[Document, list[Problem]]:
    """`text` as plain data, with the problems of its scalars and keys.

    always_text : keys whose value is text even where it looks like a number (a lot number keeps its zeros)
    number : makes a number of the digits of one with a point

    Raises InputError where the text cannot be read at all.
    """
    if len(text) > LARGEST_TEXT:
        what = f"{len(text)} characters are more than one person's record can need"
        raise refuse(name, [Problem("record", what, f"Keep one person per file, below {LARGEST_TEXT} characters.")])
    if text.startswith("\ufeff"):
        text = text[1:]
    if text.lstrip()[:1] == "{":
        # What is plain JSON but trips YAML: tabs between tokens, letters written as two escapes, odd line breaks in text.
        text = _TWO_ESCAPES.sub(lambda m: json.loads(f'"{m[0]}"'), text.replace("\t", " "))
        text = _ODD.sub(lambda m: f"\\u{ord(m[0]):04x}", text)
    try:
        return _build(text, name, always_text, number)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark is not None else None
        what = f"this is not readable as YAML or JSON: {error.problem or error.context}"
        remedy = "Indent with blanks, put a blank after each colon, close each quote and bracket."
        raise refuse(name, [Problem("record", what, remedy, line=line)]) from None
    except (yaml.YAMLError, UnicodeError, ValueError) as error:
        what = f"this is not readable as text: {str(error).splitlines()[0]}"
        raise refuse(name, [Problem("record", what, "Save the file as plain text in UTF-8.")]) from None


def _build(
    text: str, name: str, always_text: frozenset[str], number: Callable[[str], Any]
) -> tuple[Document, list[Problem]]:
    """Follow the parser's events; `stack` holds the open containers, innermost last."""
    problems: list[Problem] = []
    lines: dict[int, Any] = {}
    stack: list[_Open] = []
    root: Any = None
    documents = things = 0

    def path() -> Path:
        steps = [o.key if isinstance(o.data, dict) else len(o.data) for o in stack]
        return tuple("?" if s is None else s for s in steps)

    def stop(what: str, remedy: str, line: int) -> InputError:
        return refuse(name, [*problems, Problem(place(path()), what, remedy, line=line)])

    event: Any
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        kind = type(event)
        if kind is yaml.ScalarEvent or kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            line = event.start_mark.line + 1
            things += 1
            if event.anchor is not None or event.tag is not None:
                mark = f"&{event.anchor}" if event.anchor is not None else str(event.tag)
                raise stop(f"'{mark[:40]}' is an anchor or tag; a record has none", "Write the value itself.", line)
            if things > MOST_THINGS:
                raise stop(
                    "there are more entries than one person's record can need", "Keep one person per file.", line
                )
            top = stack[-1] if stack else None
            if kind is not yaml.ScalarEvent:
                if len(stack) >= DEEPEST:
                    raise stop(f"nested deeper than {DEEPEST} levels", "Follow `ranvier schema record`.", line)
                if top is not None and isinstance(top.data, dict) and top.key is None:
                    raise stop("a list or a map stands where a key is expected", "Write a word as key.", line)
                is_map = kind is yaml.MappingStartEvent
                stack.append(_Open({} if is_map else [], {} if is_map else [], line))
                continue
            if top is not None and isinstance(top.data, dict) and top.key is None:
                top.key, top.key_line = event.value, line
                if top.key in top.data:
                    what = f"'{top.key[:60]}' is written twice (first on line {top.lines[top.key]})"
                    problems.append(Problem(place(path()), what, "Keep one of them.", line=line))
                continue
            value: Any = event.value
            if event.implicit[0]:  # plain: no quotes
                value = _scalar(value, top is not None and top.key in always_text, number)
                if (isinstance(value, float) and value in (float("inf"), float("-inf"))) or value is _BAD:
                    what = f"'{event.value[:40]}' is not a number that can be measured"
                    remedy = "Leave out what is not known; never write a stand-in."
                    problems.append(Problem(place(path()), what, remedy, line=line))
                    value = None
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            done = stack.pop()
            value, line = done.data, done.line
            lines[id(done.data)] = done.lines
            top = stack[-1] if stack else None
        elif kind is yaml.AliasEvent:
            what = f"'*{event.anchor[:40]}' refers to another place; a record has no references"
            raise stop(what, "Write the value itself.", event.start_mark.line + 1)
        else:
            if kind is yaml.DocumentStartEvent:
                documents += 1
                if documents > 1:
                    raise stop("a second document begins", "Keep one person per file.", event.start_mark.line + 1)
            continue
        if top is None:
            root = value
        elif isinstance(top.data, list):
            top.data.append(value)
            top.lines.append(line)
        else:
            assert top.key is not None
            if top.key not in top.data:
                top.data[top.key] = value
                top.lines[top.key] = top.key_line
            top.key = None
    return Document(root, lines), problems


_BAD: Any = object()


def _scalar(raw: str, keep_text: bool, number: Callable[[str], Any]) -> Any:
    """A plain scalar by YAML 1.2: null, true, false, a number, else text. `yes`, `12:30` and dates stay text."""
    if raw in _WORDS:
        value = _WORDS[raw]
        return raw if keep_text and value is not None else value
    if keep_text:
        return raw
    if len(raw) <= 40 and _NUMBER.fullmatch(raw):
        return int(raw) if raw.lstrip("+-").isdigit() else number(raw)
    return _BAD if _NOT_FINITE.fullmatch(raw) else raw
