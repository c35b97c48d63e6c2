"""From the files of `ranvier/knowledge/anatomy` to frozen nouns, once per process; every fault of the files at once."""

from __future__ import annotations

import csv
import functools
import hashlib
import importlib.resources
import io
import math
from collections.abc import Callable, Mapping
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any, TypeVar

import yaml

from ranvier.anatomy.nouns import (
    Anatomy,
    Dependence,
    Group,
    Likelihood,
    Muscle,
    Nerve,
    PlexusElement,
    Severity,
    Site,
    Study,
    Variant,
)
from ranvier.ground.notes import InputError, Problem

TABLES = (
    "muscles", "innervation", "roots", "segments", "nerves", "variants", "groups", "studies", "dependences", "profiles",
    "plexus",
)  # fmt: skip
STATUSES = ("read", "read-2nd", "memory", "computed", "assumed", "design")
ROOTS = ("XI", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "T1", "L1", "L2", "L3", "L4", "L5", "S1", "S2")

Row = Mapping[str, str]
T = TypeVar("T")


@functools.cache
def load() -> Anatomy:
    """The innervation map and its numbers, read once. Raises InputError naming every fault of the files."""
    return read(importlib.resources.files("ranvier.knowledge") / "anatomy")


def read(folder: Traversable) -> Anatomy:
    """The innervation map from a folder laid out like `ranvier/knowledge/anatomy`.

    Raises
    ------
    InputError : a file is missing, a row cannot be read, or rows do not fit each other; carries all problems
    """
    sha = hashlib.sha256()
    problems: list[Problem] = []
    tables: dict[str, list[Row]] = {}
    for name in TABLES:
        content = _content(folder, f"{name}.csv", sha, problems)
        tables[name] = list(csv.DictReader(io.StringIO(content))) if content else []
    content = _content(folder, "likelihood.yaml", sha, problems)
    data: dict[str, Any] = {}
    try:
        data = yaml.load(content, yaml.CSafeLoader) or {}
    except yaml.YAMLError as error:
        problems.append(_fault("likelihood.yaml", f"is not YAML: {' '.join(str(error).split())}"))
    if problems:
        raise InputError("The innervation map cannot be read.", tuple(problems))

    book = _Book(problems)
    for name, rows in tables.items():
        for number, row in enumerate(rows, start=2):
            book.status_of(name, number, row)
    roots = _nested(tables["roots"], "muscle", "root", "weight", book, "roots.csv")
    members = _nested(tables["groups"], "id", "muscle", "share", book, "groups.csv")
    place = {row["muscle"]: row for row in tables["innervation"]}

    sites = book.each("segments.csv", [r for r in tables["segments"] if r["kind"] == "nerve"], _site)
    muscles = book.each("muscles.csv", tables["muscles"], lambda r: _muscle(r, place[r["id"]], roots[r["id"]]))
    nerves = book.each("nerves.csv", tables["nerves"], _nerve)
    variants = book.each("variants.csv", tables["variants"], _variant)
    first_rows = {row["id"]: row for row in reversed(tables["groups"])}
    groups = book.each("groups.csv", list(reversed(first_rows.values())), lambda r: _group(r, members[r["id"]]))
    studies = book.each("studies.csv", tables["studies"], _study)
    dependences = [d for r in tables["dependences"] if (d := book.one("dependences.csv", r, _dependence))]
    likelihood = book.one("likelihood.yaml", data, _likelihood)
    explanations = book.one(
        "likelihood.yaml",
        data,
        lambda d: {k: (v["title"], float(v["weight"])) for k, v in d["explanations"]["rows"].items()},
    )
    for name in ("emission", "levels", "severities", "scatter", "explanations"):
        book.status[f"likelihood.{name}"] = str(data.get(name, {}).get("status"))
    for name, number_ in data.get("numbers", {}).items():
        book.status[f"numbers.{name}"] = str(number_.get("status"))
    _fit(book, muscles, sites, nerves, variants, groups, studies, roots, members)
    if problems or likelihood is None or explanations is None:
        raise InputError("The innervation map does not fit together.", tuple(problems))
    return Anatomy(
        version=sha.hexdigest()[:16],
        muscles=MappingProxyType(muscles),
        sites=MappingProxyType(sites),
        nerves=MappingProxyType(nerves),
        variants=MappingProxyType(variants),
        groups=MappingProxyType(groups),
        studies=MappingProxyType(studies),
        dependences=tuple(dependences),
        explanations=MappingProxyType(explanations),
        profiles=MappingProxyType(_nested(tables["profiles"], "profile", "muscle", "value", book, "profiles.csv")),
        plexus=MappingProxyType(_plexus(tables["plexus"])),
        likelihood=likelihood,
        status=MappingProxyType(book.status),
    )


def _content(folder: Traversable, name: str, sha: Any, problems: list[Problem]) -> str:
    try:
        content = (folder / name).read_bytes()
    except OSError:
        problems.append(_fault(name, "is missing or cannot be read"))
        return ""
    sha.update(name.encode() + content)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        problems.append(_fault(name, "is not UTF-8 text"))
        return ""


def _fault(place: str, what: str) -> Problem:
    return Problem(f"knowledge/anatomy/{place}", what, "Put back the file of this version, or mend the row.")


class _Book:
    """Makes nouns of rows; a row that cannot be read becomes a problem, and the others are still read."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        self.status: dict[str, str] = {}

    def fault(self, place: str, what: str) -> None:
        self.problems.append(_fault(place, what))

    def one(self, file: str, row: Any, make: Callable[[Any], T]) -> T | None:
        try:
            return make(row)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            name = row.get("id") or row.get("driver") or "" if isinstance(row, Mapping) else ""
            self.fault(f"{file}: {name}", f"cannot be read: {error!r}")
            return None

    def each(self, file: str, rows: list[Row], make: Callable[[Row], T]) -> dict[str, T]:
        made: dict[str, T] = {}
        for row in rows:
            if row["id"] in made:
                self.fault(f"{file}: {row['id']}", "stands there twice")
            elif (noun := self.one(file, row, make)) is not None:
                made[row["id"]] = noun
        return made

    def status_of(self, table: str, line: int, row: Row) -> None:
        """Keep the row's status under its name; a row without a known status is a fault."""
        name = (
            row.get("id")
            or row.get("muscle")
            or row.get("driver")
            or row.get("profile")
            or row.get("element")
            or str(line)
        )
        status = row.get("status", "")
        if status not in STATUSES:
            self.fault(f"{table}.csv line {line}", f"'{status}' is not a status; one of {', '.join(STATUSES)}")
        # Of several rows under one name (the roots of a muscle) the least certain counts.
        before = self.status.get(f"{table}.{name}")
        if before is None or STATUSES.index(before) < (STATUSES.index(status) if status in STATUSES else 0):
            self.status[f"{table}.{name}"] = status


def _nested(rows: list[Row], outer: str, inner: str, value: str, book: _Book, file: str) -> dict[str, dict[str, float]]:
    """{outer: {inner: value}}."""
    found: dict[str, dict[str, float]] = {}
    for row in rows:
        try:
            number = float(row[value])
        except (KeyError, TypeError, ValueError):
            book.fault(f"{file}: {row.get(outer)}", f"'{row.get(value)}' is not a number")
            continue
        found.setdefault(row[outer], {})[row[inner]] = number
    return found


def _plexus(rows: list[Row]) -> dict[str, PlexusElement]:
    """The trunks, cords and plexuses, each with the nerves, and the roots of them, that run through it."""
    nerves: dict[str, dict[str, tuple[str, ...]]] = {}
    for row in rows:
        nerves.setdefault(row["element"], {})[row["nerve"]] = () if row["roots"] == "all" else _list(row["roots"])
    named = {row["element"]: (row["name"], row["limb"]) for row in rows}
    return {id: PlexusElement(id, *named[id], MappingProxyType(through)) for id, through in nerves.items()}


def _list(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split("|") if part.strip())


def _fraction(text: str) -> float:
    number = float(text)
    if not 0.0 <= number <= 1.0:
        raise ValueError(f"{text} is not between 0 and 1")
    return number


def _site(row: Row) -> Site:
    length = float(row["length_cm"])
    if not (math.isfinite(length) and length > 0):
        raise ValueError(f"length_cm {row['length_cm']} is not a length")
    return Site(
        id=row["id"], name=row["name"], nerve=row["nerve"], limb=row["limb"], parent=row["parent"] or None,
        length_cm=length, entrapment=float(row["entrapment"]), source=row["source"] or None, status=row["status"],
    )  # fmt: skip


def _muscle(row: Row, place: Row, roots: Mapping[str, float]) -> Muscle:
    return Muscle(
        id=row["id"], name=row["name"], aliases=_list(row["aliases"]), movement=row["movement"], limb=row["limb"],
        tier=int(row["tier"]), nerve=place["nerve"], site=place["site"], order=int(place["order"]),
        roots=MappingProxyType(dict(roots)), uberon=row["uberon"], fma=row["fma"],
        source=row["source"] or None, status=row["status"],
    )  # fmt: skip


def _nerve(row: Row) -> Nerve:
    either = _fraction(row["affected_either_side"])
    # Sides are taken as independent, so P(either) = 1 - (1 - P(one))^2.
    return Nerve(
        id=row["id"], name=row["name"], limb=row["limb"], affected=1.0 - math.sqrt(1.0 - either),
        source=row["source"] or None, status=row["status"],
    )  # fmt: skip


def _variant(row: Row) -> Variant:
    moves = dict(part.split(":") for part in row["moves"].split(";"))
    shift = int(moves.pop("roots", "0"))
    crossing = _list(row["crossing"])
    if crossing and len(crossing) != 2:
        raise ValueError("a crossing names two sites")
    return Variant(
        id=row["id"], name=row["name"], frequency=_fraction(row["frequency"]), dominance=_fraction(row["dominance"]),
        moves=MappingProxyType(moves), crossing=(crossing[0], crossing[1]) if crossing else None, shift=shift,
        used={"yes": True, "no": False}[row["used"]], says=row["says"], source=row["source"] or None,
        status=row["status"],
    )  # fmt: skip


def _group(row: Row, members: Mapping[str, float]) -> Group:
    return Group(
        id=row["id"], name=row["name"], aliases=_list(row["aliases"]), members=MappingProxyType(dict(members)),
        source=row["source"] or None, status=row["status"],
    )  # fmt: skip


def _study(row: Row) -> Study:
    return Study(
        id=row["id"], nerve=row["nerve"], distal=row["distal"], proximal=row["proximal"], sites=_list(row["sites"]),
        source=row["source"] or None, status=row["status"],
    )  # fmt: skip


def _dependence(row: Row) -> Dependence:
    return Dependence(
        driver=row["driver"], dependent=row["dependent"], left=_fraction(row["left"]),
        source=row["source"] or None, status=row["status"],
    )  # fmt: skip


def _likelihood(data: Mapping[str, Any]) -> Likelihood:
    emission = tuple((float(r["left"]), tuple(float(p) for p in r["grades"])) for r in data["emission"]["rows"])
    levels = tuple(float(v) for v in data["levels"]["left"])
    severities = tuple(Severity(r["name"], int(r["level"]), float(r["share"])) for r in data["severities"]["rows"])
    scatter = {
        name: tuple((float(factor), float(weight)) for factor, weight in rows)
        for name, rows in data["scatter"]["rows"].items()
    }
    for _, grades in emission:
        if len(grades) != 6 or abs(sum(grades) - 1.0) > 0.02:
            raise ValueError("a row of emission needs six probabilities that sum to 1")
    for what, shares in (
        ("severities", [s.share for s in severities]),
        *((k, [w for _, w in v]) for k, v in scatter.items()),
    ):
        if abs(sum(shares) - 1.0) > 1e-9:
            raise ValueError(f"the shares of {what} sum to {sum(shares):g}, not to 1")
    if list(levels) != sorted(levels, reverse=True) or levels[0] != 1.0 or levels[-1] != 0.0:
        raise ValueError("levels fall from 1 to 0")
    if any(not 0 <= s.level < len(levels) for s in severities):
        raise ValueError("a severity adds a level that does not exist")
    return Likelihood(
        emission=emission, levels=levels, severities=severities, scatter=MappingProxyType(scatter),
        numbers=MappingProxyType({name: float(n["value"]) for name, n in data["numbers"].items()}),
    )  # fmt: skip


def _fit(
    book: _Book,
    muscles: Mapping[str, Muscle],
    sites: Mapping[str, Site],
    nerves: Mapping[str, Nerve],
    variants: Mapping[str, Variant],
    groups: Mapping[str, Group],
    studies: Mapping[str, Study],
    roots: Mapping[str, Mapping[str, float]],
    members: Mapping[str, Mapping[str, float]],
) -> None:
    """Whether rows that name each other exist, and shares sum to 1."""
    seen: set[str] = set()
    for site in sites.values():
        if site.parent is not None and site.parent not in seen:
            book.fault(f"segments.csv: {site.id}", f"its parent '{site.parent}' does not stand above it")
        if site.nerve not in nerves:
            book.fault(f"segments.csv: {site.id}", f"no nerve '{site.nerve}'")
        seen.add(site.id)
    for muscle in muscles.values():
        if muscle.site not in sites:
            book.fault(f"innervation.csv: {muscle.id}", f"no site '{muscle.site}'")
        elif sites[muscle.site].nerve != muscle.nerve:
            book.fault(f"innervation.csv: {muscle.id}", f"{muscle.site} is no part of the {muscle.nerve}")
    for name, shares in (
        *((f"roots.csv: {k}", v) for k, v in roots.items()),
        *((f"groups.csv: {k}", v) for k, v in members.items()),
    ):
        if abs(sum(shares.values()) - 1.0) > 1e-6:
            book.fault(name, f"shares sum to {sum(shares.values()):g}, not to 1")
    for name in (r for v in roots.values() for r in v):
        if name not in ROOTS:
            book.fault("roots.csv", f"no root '{name}'")
    for group in groups.values():
        for name in group.members:
            if name not in muscles:
                book.fault(f"groups.csv: {group.id}", f"no muscle '{name}'")
    for variant in variants.values():
        for name, to in variant.moves.items():
            if name not in muscles or to not in (*sites, "crossing"):
                book.fault(f"variants.csv: {variant.id}", f"cannot move '{name}' to '{to}'")
    for study in studies.values():
        for name in study.sites:
            if name not in sites:
                book.fault(f"studies.csv: {study.id}", f"no site '{name}'")
