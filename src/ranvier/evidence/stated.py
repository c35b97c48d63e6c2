"""Everything that knowledge states with a status, file by file: for whoever wants to verify, or asks what stands where."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Any

import yaml

from ranvier.evidence.load import files

VERIFIED = ("read", "computed")


@dataclass(frozen=True, slots=True)
class Stated:
    """One statement with its place: `file` and `place` in knowledge, value and unit where it is a number."""

    file: str
    place: str
    status: str
    source: str | None
    says: str
    value: float | None = None
    unit: str | None = None


def stated(root: Traversable) -> tuple[Stated, ...]:
    """All statements with a status in YAML and CSV files below `root`, in the order of the files."""
    found: list[Stated] = []
    for path, data in data_files(root):
        for place, item in mappings_with(data, "status"):
            source = item.get("source")
            value = item.get("value")
            says = next(
                (str(item[key]) for key in ("where", "why", "says", "note", "notes", "name") if item.get(key)), ""
            )
            number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
            unit = str(item["unit"]) if number is not None and item.get("unit") else None
            named = str(source) if source else None
            if item["status"]:
                found.append(Stated(path, place, str(item["status"]), named, says, number, unit))
    return tuple(found)


def standing_on(root: Traversable) -> dict[str, tuple[str, ...]]:
    """Source → the files that stand on it, everywhere in knowledge."""
    used: dict[str, set[str]] = {}
    for path, data in data_files(root):
        if path == "evidence/sources.yaml":
            continue
        for key in ("source", "sources"):
            for _, item in mappings_with(data, key):
                for name in re.findall(r"\w+", str(item[key])):
                    used.setdefault(name, set()).add(path)
    return {name: tuple(sorted(paths)) for name, paths in used.items()}


def data_files(root: Traversable) -> Iterator[tuple[str, Any]]:
    """(path, content) of every YAML and CSV file; a row of a CSV file is a mapping, its place its line."""
    for path, file in files(root):
        if path.endswith(".yaml"):
            yield path, yaml.load(file.read_bytes(), yaml.CSafeLoader)
        elif path.endswith(".csv"):
            lines = (line for line in file.read_text("utf-8").splitlines() if line.strip() and not line.startswith("#"))
            yield path, list(csv.DictReader(lines))


def mappings_with(data: Any, key: str, place: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every mapping that has `key`, with its place; a list's entries are named by their id, where they have one."""
    if isinstance(data, Mapping):
        if key in data:
            yield place, data
        for name, value in data.items():
            yield from mappings_with(value, key, f"{place}.{name}" if place else str(name))
    elif isinstance(data, list):
        for i, value in enumerate(data):
            name = value["id"] if isinstance(value, Mapping) and "id" in value else i
            yield from mappings_with(value, key, f"{place}[{name}]")
