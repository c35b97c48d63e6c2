"""A record file as stable, readable YAML: keys in the format's order, one row per value, small things on one line."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from ranvier.ground.units import nine_digits
from ranvier.record import structure

_WIDTH = 110
_PLAIN = re.compile(r"[A-Za-zÀ-ɏ][A-Za-zÀ-ɏ0-9_./+()%-]*( [A-Za-zÀ-ɏ0-9_./+()%-]+)*")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?")
_MEANS_ELSE = {"null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf", "infinity"}


def dump(record: Mapping[str, Any]) -> str:
    """`record` (a plain dict in the file format) as YAML text that `read_text` accepts. Same facts, same text.

    Nothing is checked here: what does not fit the format is written as it is, and `read_text` says so. Keys holding
    None are left out. Dates and datetimes are written in ISO form, a Decimal with its own digits.
    Raises TypeError for things that are no plain data.
    """
    plain = _plain(dict(record))
    lines: list[str] = []
    _block(plain, structure.schema(), "", lines)
    return "\n".join(lines) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items() if v is not None}
    if isinstance(value, bool | str) or value is None:
        return value
    if isinstance(value, datetime):
        seconds = "minutes" if not (value.second or value.microsecond) else "auto"
        return value.isoformat(timespec=seconds)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Sequence):
        return [_plain(v) for v in value]
    if isinstance(value, int | Decimal):
        return value
    if isinstance(value, float):
        number = nine_digits(value)
        return int(number) if number.is_integer() and abs(number) < 1e9 else number
    raise TypeError(f"{type(value).__name__} cannot be written into a record")


def _ordered(value: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    known = [k for k in schema.get("properties", {}) if k in value]
    return known + [k for k in value if k not in known]


def _below(schema: Mapping[str, Any], key: str | None) -> Mapping[str, Any]:
    node = schema.get("items") if key is None else schema.get("properties", {}).get(key)
    full = structure.resolve(node)
    return structure.resolve(full["else"]) if "else" in full else full


def _block(value: Any, schema: Mapping[str, Any], indent: str, lines: list[str]) -> None:
    """Write a map key by key, a list item by item."""
    if isinstance(value, dict):
        for key in _ordered(value, schema):
            _entry(f"{indent}{_key(key)}:", value[key], _below(schema, key), indent, lines)
    else:
        for item in value:
            inner = _below(schema, None)
            flow = _flow(item, inner)
            if (
                not isinstance(item, dict | list)
                or not item
                or (len(indent) + len(flow) + 2 <= _WIDTH and _small(item))
            ):
                lines.append(f"{indent}- {flow}")
                continue
            begin = len(lines)
            _block(item, inner, indent + "  ", lines)
            lines[begin] = f"{indent}- {lines[begin][len(indent) + 2 :]}"


def _entry(head: str, value: Any, schema: Mapping[str, Any], indent: str, lines: list[str]) -> None:
    flow = _flow(value, schema)
    simple = not isinstance(value, dict | list) or not value
    if simple or (
        _small(value) and len(head) + len(flow) + 1 <= _WIDTH and (isinstance(value, dict) or _scalars(value))
    ):
        lines.append(f"{head} {flow}")
        return
    lines.append(head)
    _block(value, schema, indent + "  ", lines)


def _scalars(value: Any) -> bool:
    return isinstance(value, list) and not any(isinstance(v, dict | list) for v in value)


def _small(value: Any) -> bool:
    """Quantities, rows and short entries of single things fit on one line."""
    if isinstance(value, dict):
        return len(value) <= 5 and all(not isinstance(v, dict | list) or _scalars(v) for v in value.values())
    return _scalars(value)


def _flow(value: Any, schema: Mapping[str, Any]) -> str:
    if isinstance(value, dict):
        return (
            "{" + ", ".join(f"{_key(k)}: {_flow(value[k], _below(schema, k))}" for k in _ordered(value, schema)) + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(_flow(v, _below(schema, None)) for v in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _word(value)
    return "null" if value is None else str(value)


def _key(text: str) -> str:
    return text if re.fullmatch("[a-z_]+", text) else _word(text)


def _word(text: str) -> str:
    if (_PLAIN.fullmatch(text) and text.lower() not in _MEANS_ELSE) or _DATE.fullmatch(text):
        return text
    return '"' + "".join(_letter(c) for c in text) + '"'


def _letter(c: str) -> str:
    if c in '"\\':
        return "\\" + c
    if c.isprintable():
        return c
    code = ord(c)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
