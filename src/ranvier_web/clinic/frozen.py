"""Objects of the library as bytes, and back: plain JSON and arrays, no code. Used for what took long to compute."""

from __future__ import annotations

import dataclasses
import enum
import io
import json
import zipfile
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

_TYPE = "!"


def freeze(thing: Any) -> bytes:
    """A dataclass of `ranvier` with everything below it.

    Raises
    ------
    TypeError : something that is no data
    """
    arrays: list[np.ndarray[Any, Any]] = []
    plain = _plain(thing, arrays)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("plain.json", json.dumps(plain, separators=(",", ":")))
        for index, array in enumerate(arrays):
            one = io.BytesIO()
            np.save(one, array, allow_pickle=False)
            archive.writestr(f"{index}.npy", one.getvalue())
    return out.getvalue()


def thaw(data: bytes) -> Any:
    """What was frozen."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        plain = json.loads(archive.read("plain.json"))
        arrays = [
            np.load(io.BytesIO(archive.read(f"{index}.npy")), allow_pickle=False)
            for index in range(len(archive.namelist()) - 1)
        ]
    return _thing(plain, arrays)


def _plain(thing: Any, arrays: list[np.ndarray[Any, Any]]) -> Any:
    if thing is None or isinstance(thing, bool | str):
        return thing
    if isinstance(thing, enum.Enum):
        return {_TYPE: "enum", "of": _name(type(thing)), "is": thing.name}
    if isinstance(thing, np.generic):
        return _plain(thing.item(), arrays)
    if isinstance(thing, int | float):
        return thing
    if isinstance(thing, datetime):
        return {_TYPE: "datetime", "is": thing.isoformat()}
    if isinstance(thing, date):
        return {_TYPE: "date", "is": thing.isoformat()}
    if isinstance(thing, np.ndarray):
        place = next((i for i, known in enumerate(arrays) if known is thing), None)
        if place is None:
            arrays.append(thing)
            place = len(arrays) - 1
        return {_TYPE: "array", "is": place}
    if isinstance(thing, tuple | list):
        return {_TYPE: "tuple" if isinstance(thing, tuple) else "list", "is": [_plain(t, arrays) for t in thing]}
    if isinstance(thing, Mapping):
        return {_TYPE: "dict", "is": [[_plain(k, arrays), _plain(v, arrays)] for k, v in thing.items()]}
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        parts = {f.name: _plain(getattr(thing, f.name), arrays) for f in dataclasses.fields(thing)}
        return {_TYPE: "data", "of": _name(type(thing)), "is": parts}
    raise TypeError(f"{type(thing).__name__} cannot be kept")


def _name(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


@cache
def _kind(name: str) -> type:
    """The class of that name: a dataclass or enumeration of `ranvier`, nothing else."""
    module, _, qualified = name.partition(":")
    if not module.startswith("ranvier.") or "." in qualified:
        raise ValueError(f"{name} is no noun of ours")
    kind = getattr(import_module(module), qualified)
    if not (dataclasses.is_dataclass(kind) or issubclass(kind, enum.Enum)):
        raise ValueError(f"{name} is no noun")
    assert isinstance(kind, type)
    return kind


def _thing(plain: Any, arrays: list[np.ndarray[Any, Any]]) -> Any:
    if not isinstance(plain, dict):
        return plain
    what, value = plain[_TYPE], plain["is"]
    if what == "array":
        return arrays[value]
    if what == "tuple":
        return tuple(_thing(v, arrays) for v in value)
    if what == "list":
        return [_thing(v, arrays) for v in value]
    if what == "dict":
        return {_thing(k, arrays): _thing(v, arrays) for k, v in value}
    if what == "date":
        return date.fromisoformat(value)
    if what == "datetime":
        return datetime.fromisoformat(value)
    if what == "enum":
        return getattr(_kind(plain["of"]), value)
    return _kind(plain["of"])(**{name: _thing(v, arrays) for name, v in value.items()})
