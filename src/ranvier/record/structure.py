"""The shape of a record file, by the published schema. Messages say what to write, with the schema's own examples."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from ranvier.ground.notes import Problem
from ranvier.record.text import Document, Path, place

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

KINDS = {
    "object": "a group of keys",
    "array": "a list",
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "nothing",
}
_MANY = 20  # choices that are no longer listed in a message


@cache
def schema_text() -> str:
    """The published JSON Schema (2020-12) of a record, as it is shipped."""
    return (files("ranvier.record") / "record.schema.json").read_text(encoding="utf-8")


@cache
def schema() -> Any:
    """The published JSON Schema as plain data. Not to be written to."""
    return json.loads(schema_text())


@cache
def _validator() -> Any:
    from jsonschema import Draft202012Validator  # imported here: a tenth of a second

    return Draft202012Validator(schema())


@cache
def text_keys() -> frozenset[str]:
    """Keys that hold text wherever they stand, so that a lot number keeps its zeros and a note may be a number."""
    text: set[str] = set()
    other: set[str] = set()

    def walk(node: Any) -> None:
        if isinstance(node, Mapping):
            for key, each in node.get("properties", {}).items():
                full = resolve(each)
                (text if full.get("type") == "string" or "enum" in full else other).add(key)
            for below in node.values():
                walk(below)
        elif isinstance(node, list):
            for below in node:
                walk(below)

    walk(schema())
    return frozenset(text - other)


def resolve(node: Any) -> Mapping[str, Any]:
    """`node` with what it refers to; its own words win."""
    if not isinstance(node, Mapping):
        return {}
    if "$ref" not in node:
        return node
    return {**resolve(schema()["$defs"][node["$ref"].rsplit("/", 1)[-1]]), **node}


def _schema_at(path: Path) -> Mapping[str, Any]:
    """What the schema says about the thing at `path`."""
    node = resolve(schema())
    for step in path:
        if "else" in node:  # a row or the longer form
            node = resolve(node["else"] if isinstance(step, str) else node["then"])
        if isinstance(step, str):
            node = resolve(node.get("properties", {}).get(step))
        elif "prefixItems" in node:
            items = node["prefixItems"]
            node = resolve(items[step] if step < len(items) else None)
        else:
            node = resolve(node.get("items"))
    return node


def show(value: Any) -> str:
    """`value` as one would write it in a record, on one line and not too long."""
    if isinstance(value, Mapping):
        words = "{" + ", ".join(f"{k}: {show(v)}" for k, v in value.items()) + "}"
    elif isinstance(value, list):
        words = "[" + ", ".join(show(v) for v in value) + "]"
    elif isinstance(value, bool) or value is None:
        words = {True: "true", False: "false", None: "nothing"}[value]
    else:
        words = str(value)
    return words if len(words) <= 100 else words[:97] + "..."


def without_nothing(value: Any) -> Any:
    """`value` without the keys that hold nothing: an empty key means that the thing is not known."""
    if isinstance(value, dict):
        return {k: without_nothing(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        # Rows of a diary are the bulk of a record and hold no keys.
        return [without_nothing(v) if isinstance(v, dict | list) else v for v in value]
    return value


def check(document: Document, data: Any) -> list[tuple[Path, Problem]]:
    """Every departure of `data` from the schema, each with the path of what it spoils."""
    found: dict[tuple[Path, Problem], None] = {}  # a dict keeps the order and drops what was said before
    for error in _validator().iter_errors(data):
        path: Path = tuple(error.absolute_path)
        for at, what, remedy in _say(error, path):
            found[path, Problem(place(at), what, remedy, line=document.line(at))] = None
    return list(found)


def _examples(path: Path) -> list[Any]:
    """The schema's examples of what stands at `path`; of a list, one with an example of its entries."""
    node = _schema_at(path)
    inner = resolve(node.get("items")).get("examples")
    return list(node.get("examples", [])) or ([inner[:1]] if inner else [])


def _example(path: Path) -> str:
    examples = _examples(path)
    return f"Write, for instance: {show(examples[0])}" if examples else "See `ranvier schema record`."


def _pair(path: Path) -> str:
    """An example with its key in front, where there is a key."""
    examples = _examples(path)
    if examples and path and isinstance(path[-1], str):
        return f"Write, for instance: {path[-1]}: {show(examples[0])}"
    return _example(path)


def _say(error: ValidationError, path: Path) -> Iterator[tuple[Path, str, str]]:
    """One sentence on what is wrong and one on what to write, for each complaint in `error`."""
    value: Any = error.instance
    wanted: Any = error.validator_value
    rule: Any = error.schema
    kind = str(error.validator)
    if kind == "required":
        for key in wanted:
            if key not in value:
                yield path, f"'{key}' is missing", _pair((*path, key))
        return
    if kind == "additionalProperties":
        known = rule["properties"]
        for key in value:
            if key not in known:
                near = get_close_matches(str(key).lower().replace("-", "_"), list(known), n=1, cutoff=0.6)
                remedy = f"Did you mean '{near[0]}'?" if near else f"Keys here are: {', '.join(known)}."
                yield (*path, key), f"'{str(key)[:60]}' is not a key of this format", remedy
        return
    yield _say_value(value, wanted, kind, rule, path)


def _say_value(value: Any, wanted: Any, kind: str, rule: Mapping[str, Any], path: Path) -> tuple[Path, str, str]:
    shown = f"'{show(value)}'" if isinstance(value, str) else show(value)
    if kind == "type":
        kinds = [wanted] if isinstance(wanted, str) else list(wanted)
        if "number" in kinds and isinstance(value, str):
            return path, *_say_number(value, path)
        if _schema_at(path).get("properties", {}).keys() == {"value", "unit"}:
            return path, f"{shown} is not a number with its unit", _pair(path)
        if value is None:
            return path, "nothing stands here", _example(path)
        return path, f"{shown} is not {' or '.join(KINDS[k] for k in kinds)}", _pair(path)
    if kind == "enum":
        near = get_close_matches(show(value).lower(), [str(w).lower() for w in wanted], n=1, cutoff=0.6)
        one = next((str(w) for w in wanted if near and str(w).lower() == near[0]), None)
        ask = f"Did you mean {one}? " if one else ""
        if len(wanted) > _MANY:  # a page of names is no remedy
            return path, f"{shown} is not known here", f"{ask}The {len(wanted)} names stand in `ranvier schema record`."
        return path, f"{shown} is not known here", f"{ask}Write one of: {', '.join(show(w) for w in wanted)}."
    if kind == "pattern":
        return path, *_say_pattern(shown, path)
    if kind == "const":
        return path, f"{shown} is an edition of the format that this program does not read", f"Write {wanted}."
    if kind in ("minItems", "maxItems"):
        if "prefixItems" in rule:
            return (
                path,
                f"{shown} is not a row of two: when, value",
                "Write [2025-03-14T08:00, 21.4], with a decimal point.",
            )
        return path, f"{len(value)} entries are too {'few' if kind == 'minItems' else 'many'}", _example(path)
    if kind in ("minimum", "maximum"):
        return path, f"{shown} is {'below' if kind == 'minimum' else 'above'} {wanted}", _example(path)
    if kind in ("minLength", "maxLength"):
        bound = "empty" if kind == "minLength" else f"longer than {wanted} characters"
        return path, f"this text is {bound}", _pair(path) if path else "Shorten it."
    if kind == "uniqueItems":
        return path, f"{shown} names something twice", "Keep one of them."
    return path, f"{shown} does not fit the format", _example(path)


def _say_number(value: str, path: Path) -> tuple[str, str]:
    text = value.strip()
    shown = f"'{show(value)}'"
    if text.replace(",", ".", 1).lstrip("+-").replace(".", "", 1).isdigit() and "," in text:
        return (
            f"{shown} is not a number for certain: a decimal comma?",
            f"With a decimal point it is {text.replace(',', '.')}.",
        )
    if text[:1] in "<>":
        rest = text[1:].strip()
        return f"{shown} is a bound and not a number", f"Write {{at: ..., value: {rest}, below: true}} for 'less than'."
    return f"{shown} is not a number", f"{_example(path)} (number alone; the unit has its own key)"


def _say_pattern(shown: str, path: Path) -> tuple[str, str]:
    if path[-1] == "id":
        return f"{shown} cannot be a name", "Begin with a letter; use letters, digits, dot, dash and underscore."
    if path[-1] == "mrc":
        return f"{shown} is not an MRC grade", "Write 0 to 5, or 4-, 4+, 5- as text."
    if path[-1] == "stop":
        return f"{shown} is not a date with a time", "Write year-month-dayThour:minute, or leave it out."
    remedy = (
        "Write year-month-day, as in 2025-03-14, or with a time 2025-03-14T09:30; order and year are never guessed."
    )
    return f"{shown} is not a date that can be read for certain", remedy
