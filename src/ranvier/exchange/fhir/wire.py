"""JSON as it travels: read within bounds and with exact decimals, written with the digits that were measured."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

from ranvier.ground.notes import InputError, Problem

LARGEST = 40_000_000  # bytes of one bundle; twenty years of two daily hands are about a quarter
MOST_THINGS = 4_000_000  # values, keys and brackets of one bundle, counted before anything is built
_QUOTED = re.compile(
    rb'"(?:[^"\\]+|\\.)*+(?:"|\\?\Z)', re.DOTALL
)  # a text that never ends is one too: linear in any case
_NO_BRACKET = bytes(set(range(256)) - set(b"{}[]"))

DEEPEST = 60  # the specification itself nests extensions, contained resources and actions less than half as deep


def loads(text: bytes | str, name: str) -> Any:
    """The JSON in `text`; numbers with a point stay `Decimal`.

    Raises InputError where it is too large, too deep, no JSON, or names a key twice.
    """
    if isinstance(text, str):
        text = text.encode("utf-8", "surrogatepass")
    text = text.removeprefix(b"\xef\xbb\xbf")
    if len(text) > LARGEST:
        raise _refused(name, f"{len(text)} bytes are more than {LARGEST}", "Ask for one patient, or in smaller pages.")
    if sum(text.count(sign) for sign in (b",", b"{", b"[", b"}", b"]")) > MOST_THINGS:
        raise _refused(name, f"it holds more than {MOST_THINGS} things", "Ask for one patient, or in smaller pages.")
    if _depth(text) > DEEPEST:
        raise _refused(name, f"it is nested deeper than {DEEPEST} levels", "No FHIR resource is; check what sent it.")
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_once)
    except (ValueError, RecursionError, ArithmeticError) as error:
        what = f"this is no JSON that can be trusted: {str(error)[:200]}"
        raise _refused(name, what, "Send it again as FHIR JSON in UTF-8; XML and Turtle are not read.") from None


def _depth(text: bytes) -> int:
    """How deep brackets are nested, not counting those within texts."""
    depth = deepest = 0
    for sign in _QUOTED.sub(b"", text).translate(None, _NO_BRACKET):
        depth += 1 if sign in b"{[" else -1
        deepest = max(deepest, depth)
    return deepest


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key '{twice[:60]}' stands twice in one place")
    return found


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is no number")


def _refused(name: str, what: str, remedy: str) -> InputError:
    return InputError(f"{name} cannot be read.", (Problem(name, what, remedy),))


def exact(value: float | int | Decimal) -> int | Decimal:
    """A number with the digits it was written with; a whole float becomes a whole number."""
    if isinstance(value, float):
        value = Decimal(repr(value))
        return int(value) if value == value.to_integral_value() and abs(value) < 10**15 else value
    return value


def dumps(value: Any, *, indent: int | None = 1) -> str:
    """`value` as JSON, `Decimal` with its own digits. Same value, same text."""
    pieces: list[str] = []
    _write(value, pieces, indent, 0)
    return "".join(pieces)


def _write(value: Any, pieces: list[str], indent: int | None, depth: int) -> None:
    if isinstance(value, dict | list):
        is_map = isinstance(value, dict)
        left, right = "{}" if is_map else "[]"
        if not value:
            pieces.append(left + right)
            return
        gap = "" if indent is None else "\n" + " " * indent * (depth + 1)
        pieces.append(left)
        for i, key in enumerate(value):
            pieces.append((", " if indent is None else ",") * (i > 0) + gap)
            if is_map:
                pieces.append(json.dumps(key, ensure_ascii=False) + ": ")
            _write(value[key] if is_map else key, pieces, indent, depth + 1)
        pieces.append(("" if indent is None else "\n" + " " * indent * depth) + right)
    elif isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"{value} is no number that can be sent")
        pieces.append(str(value))
    elif isinstance(value, float):
        pieces.append(str(exact(value)))
    else:
        pieces.append(json.dumps(value, ensure_ascii=False))
