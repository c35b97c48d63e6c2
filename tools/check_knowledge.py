"""Checks every file in `ranvier/knowledge` and speaks: place, reason, remedy. Exit code 1 if anything must be mended.

    python tools/check_knowledge.py [--knowledge FOLDER] [--today 2027-01-31]

Two laws: ambiguity is never resolved in silence, and a number is never tuned so that something fits. So this program
changes nothing; it only says.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import math
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry, Resource
from ucumvert import PintUcumRegistry
from ucumvert.parser import InvalidUcumError

from ranvier.evidence.load import completed
from ranvier.evidence.nouns import STATUSES
from ranvier.ground.notes import Problem, Severity

ROOT = Path(__file__).resolve().parent.parent / "src" / "ranvier" / "knowledge"

# Which schema belongs to which file; the first pattern that fits. Other rooms' files
# have none and get the general checks.
KINDS = (
    ("tables.yaml", "tables"),
    ("evidence/sources.yaml", "sources"),
    ("populations/composite.yaml", "composite"),
    ("populations/*.yaml", "population"),
    ("products/*.yaml", "product"),
    ("scales/*.yaml", "scales"),
    ("limits/guardrails.yaml", "guardrails"),
    ("limits/cautions.yaml", "cautions"),
    ("monitoring/watch.yaml", "watch"),
    ("ladder/ladder.yaml", "ladder"),
    ("commissioning/*.yaml", "commissioning"),
    ("hazards/hazards.yaml", "hazards"),
    ("safety/risks.yaml", "risks"),
    ("safety/drugs.yaml", "drugs"),
    ("safety/indications.yaml", "indications"),
    ("safety/checks.yaml", "checks"),
    ("safety/events.yaml", "events"),
    ("limits/starting.yaml", "starting"),
    ("evidence/claims.yaml", "claims"),
    ("evidence/treatments.yaml", "treatments"),
    ("evidence/contradictions.yaml", "contradictions"),
    ("evidence/searches.yaml", "searches"),
    ("record/plausibility.yaml", "plausibility"),
    ("models/family.yaml", "family"),
    ("models/learning.yaml", "learning"),
    ("cohort/people.yaml", "cohort_people"),
    ("cohort/truths.yaml", "cohort_truths"),
    ("cohort/policies.yaml", "cohort_policies"),
    ("cohort/anchors.yaml", "cohort_anchors"),
    ("criteria/*.yaml", "criteria"),
    ("conduction/rules/*.yaml", "block_rule"),
    ("conduction/reference/*.yaml", "conduction_reference"),
    ("anatomy/likelihood.yaml", "anatomy_likelihood"),
    ("differential/flags.yaml", "flags"),
)

# The one unit each parameter is kept in. A published value in another unit is converted when it is written down.
UNITS = {
    "clearance": "L/d",
    "central_volume": "L",
    "intercompartmental_clearance": "L/d",
    "peripheral_volume": "L",
    "elimination_rate": "1/d",
    "absorption_rate": "1/d",
    "bioavailability_sc": "1",
    "bioavailability_fsc": "1",
    "endogenous": "g/L",
    "level": "kg",
    "kout": "1/d",
    "c50": "g/L",
    "imax": "1",
    "decline": "1/a",
    "session_sd": "1",
    "persistence": "1",
    "unknown_excess": "g/L",
}
COVARIATE_UNITS = {"weight": "kg", "lean_mass": "kg"}
# What a structure cannot do without, and what the composite must add to it.
NEEDED = {
    "one_compartment": ("elimination_rate", "central_volume"),
    "two_compartment": ("clearance", "central_volume", "intercompartmental_clearance", "peripheral_volume"),
}
SUBCUTANEOUS = ("absorption_rate", "bioavailability_sc", "bioavailability_fsc")
COMPOSITE_PARAMETERS = (
    "endogenous", "level", "kout", "c50", "imax", "decline", "session_sd", "persistence", "unknown_excess",
)  # fmt: skip
COMPOSITE_CONSTANTS = (
    "response_probability", "tail", "igg_proportional", "igg_additive", "igg_tail", "level_spread", "imax_spread",
)  # fmt: skip
LOSS_WEIGHTS = ("grams_per_week", "below_floor", "visits_per_year", "step", "peak")
UNSOURCED = ("assumed", "design")  # the only kinds of number that may stand without a source
SHORTEST_REASON = 12  # letters; less cannot be a reason


@dataclass
class Book:
    """All files, parsed, and what was found in them so far."""

    today: date
    files: dict[str, Any] = field(default_factory=dict)
    problems: dict[str, list[Problem]] = field(default_factory=dict)

    def mend(self, path: str, place: str, what: str, remedy: str) -> None:
        """Something that must be mended."""
        self.problems.setdefault(path, []).append(Problem(place, what, remedy))

    def look(self, path: str, place: str, what: str, remedy: str) -> None:
        """Something worth knowing that stops nothing."""
        self.problems.setdefault(path, []).append(Problem(place, what, remedy, Severity.LOOK))

    def sound(self, path: str) -> bool:
        """Whether the file is there and nothing in it has to be mended so far."""
        return path in self.files and not any(p.severity is Severity.MEND for p in self.problems.get(path, ()))

    def under(self, kind: str) -> Iterator[tuple[str, Any]]:
        """The sound files of one kind."""
        return ((path, data) for path, data in self.files.items() if kind_of(path) == kind and self.sound(path))


@cache
def kind_of(path: str) -> str | None:
    """Name of the schema of a file, or None."""
    found = (kind for pattern, kind in KINDS if Path(path).match(pattern) and path.count("/") == pattern.count("/"))
    return next(found, None)


def check(root: Path, today: date) -> Book:
    """Everything that is wrong or worth knowing in a knowledge folder, by file."""
    book = Book(today)
    _read(book, root)
    _lay_out(book, root / "schemas")
    sources = _names(book, "evidence/sources.yaml", "sources")
    _tables(book, root, sources)
    for path, data in book.files.items():
        _norway(book, path, data)
        for place, number in _mappings_with(data, "value"):
            # In files without a schema a word may be called "value"; only a figure is a number there.
            if path != "tables.yaml" and (kind_of(path) or isinstance(number["value"], int | float)):
                _number(book, path, place, number)
        _source_names(book, path, data, sources)
        _review(book, path, data)
    _sources(book)
    for path, data in book.under("population"):
        _population(book, path, "", data)
    _composite(book)
    _products(book)
    _scales(book)
    _limits(book)
    _watch(book)
    _plausible(book)
    _claims(book)
    _drugs(book)
    return book


# ---------------------------------------------------------------------------------------------- reading and layout


def _read(book: Book, root: Path) -> None:
    for file in sorted(root.rglob("*.yaml")):
        path = file.relative_to(root).as_posix()
        try:
            data = _parsed(file.read_bytes())
        except yaml.YAMLError as error:
            book.mend(path, "file", f"is not YAML: {' '.join(str(error).split())}", "Mend the line it names.")
            continue
        book.files[path] = data
    for path in (pattern for pattern, _ in KINDS if "*" not in pattern):
        if path not in book.files and path not in book.problems:
            book.mend(path, "file", "is missing", "Put it back; the program cannot start without it.")


@lru_cache(maxsize=1024)
def _parsed(content: bytes) -> Any:
    """The data of a file; the same bytes are read once. Nothing here writes to what it was given."""
    return yaml.load(content, _Strict)


def _tables(book: Book, root: Path, sources: frozenset[str]) -> None:
    """CSV files, where a clinician edits rows: every row as wide as the head; each with source, status, unit, review date."""
    about = book.files.get("tables.yaml")
    listed = about.get("tables") if isinstance(about, Mapping) else None
    known: Mapping[str, Any] = listed if isinstance(listed, Mapping) else {}
    for file in sorted(root.rglob("*.csv")):
        path = file.relative_to(root).as_posix()
        try:
            text = file.read_text("utf-8")
        except UnicodeDecodeError:
            book.mend(path, "file", "is not in UTF-8", "Save it as UTF-8.")
            continue
        lines = (line for line in text.splitlines() if line.strip() and not line.startswith("#"))
        head, *rows = list(csv.reader(lines)) or [[]]
        book.files[path] = rows
        if not head or len(set(head)) < len(head):
            book.mend(path, "head", "is missing or names a column twice", "Name every column once in the first line.")
            continue
        own = known.get(path)
        if not isinstance(own, Mapping):
            entry = f"  {path}: {{reviewed: {{last: {book.today}, again: …}}, units: {{}}, names: []}}"
            book.mend(path, "file", "is not in tables.yaml, so it has no review date", f"Add to tables.yaml:{entry}")
            own = {}
        else:
            _review(book, path, own)
        units = own.get("units") if isinstance(own.get("units"), Mapping) else {}
        _columns(book, path, head, rows, units or {}, own.get("names") or ())
        for index, row in enumerate(rows, start=1):
            if len(row) != len(head):
                book.mend(
                    path,
                    f"row {index}",
                    f"has {len(row)} cells; the head has {len(head)}",
                    "Quote a cell that holds a comma.",
                )
                continue
            _row(book, path, index, dict(zip(head, row, strict=True)), units or {}, sources)
    for path in known:
        if not (root / str(path)).is_file():
            book.mend("tables.yaml", f"tables.{path}", "there is no such table", "Remove the line, or mend the name.")


def _columns(
    book: Book, path: str, head: Sequence[str], rows: Sequence[Sequence[str]], units: Mapping[str, Any], names: Any
) -> None:
    """A column of numbers has a unit in tables.yaml, or is said to hold names; every unit is UCUM and of a column."""
    for name, unit in units.items():
        if name not in head:
            book.mend("tables.yaml", f"tables.{path}.units.{name}", f"{path} has no such column", "Mend the name.")
        if fault := _unit_fault(str(unit)):
            book.mend("tables.yaml", f"tables.{path}.units.{name}", fault, "Write the UCUM code: cm, kg, 1 …")
    for index, name in enumerate(head):
        cells = [row[index].strip() for row in rows if len(row) == len(head) and row[index].strip()]
        numbers = [cell for cell in cells if _is_number(cell)]
        if name in units:
            for cell in cells:
                if not _is_number(cell):
                    book.mend(
                        path, f"column {name}", f"'{cell[:40]}' is not a finite number", "Write a number, or nothing."
                    )
        elif name not in names and cells and len(numbers) * 2 > len(cells):
            book.mend(
                path,
                f"column {name}",
                "holds numbers without a unit",
                f"Add its unit to tables.yaml, units: {{{name}: …}}; or names: [{name}] if the digits are names.",
            )


def _is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False


def _row(
    book: Book, path: str, index: int, cells: Mapping[str, str], units: Mapping[str, Any], sources: frozenset[str]
) -> None:
    """A row has a status; and a source, unless the status says that there is none to be had."""
    named = re.findall(r"[^\s;,+]+", cells.get("source", ""))
    for name in named:
        if name not in sources:
            book.mend(
                path, f"row {index}, source", f"'{name}' is not in evidence/sources.yaml", "Add it there, or mend it."
            )
    status = cells.get("status")
    if status is None or "source" not in cells:
        if any(cells.get(name, "").strip() for name in units):
            remedy = "Add the columns source and status to the table."
            book.mend(path, f"row {index}", "holds a number without source or status", remedy)
        return
    if status not in STATUSES:
        book.mend(path, f"row {index}, status", f"'{status}' is not a status", f"Write one of: {_or(STATUSES)}.")
    elif not named and status not in UNSOURCED:
        book.mend(
            path,
            f"row {index}, source",
            f"is empty, but the row is said to be '{status}'",
            "Name the source, or say status: assumed with the reason in where.",
        )


class _Strict(yaml.CSafeLoader):
    """YAML in which a name given twice is a fault: the second would silently win."""


def _no_duplicates(loader: _Strict, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in seen:
            raise yaml.YAMLError(f"'{key}' stands twice in one place, line {key_node.start_mark.line + 1}")
        seen.add(key)
    return loader.construct_mapping(node, deep=True)


_Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _no_duplicates)


def _lay_out(book: Book, folder: Path) -> None:
    schemas = {file.stem: json.loads(file.read_text("utf-8")) for file in sorted(folder.glob("*.json"))}
    registry: Registry[Any] = Registry().with_resources(
        [(schema["$id"], Resource.from_contents(schema)) for schema in schemas.values()]
    )
    for path, data in book.files.items():
        kind = kind_of(path)
        if kind is None:
            continue
        if kind not in schemas:
            book.mend(path, "file", f"has no schema '{kind}.json'", "Put schemas/ back.")
            continue
        validator = Draft202012Validator(schemas[kind], registry=registry)
        for error in sorted(validator.iter_errors(_plain(data)), key=lambda e: [str(part) for part in e.absolute_path]):
            place, what, remedy = _in_words(error)
            book.mend(path, place, what, remedy)


def _plain(data: Any, key: str = "") -> Any:
    """The data as JSON would hold them. Review dates become text; a bare date anywhere else is a fault, so it stays one."""
    if isinstance(data, Mapping):
        return {str(name): _plain(value, key if key == "reviewed" else str(name)) for name, value in data.items()}
    if isinstance(data, list):
        return [_plain(item) for item in data]
    return data.isoformat() if isinstance(data, date) and key == "reviewed" else data


def _in_words(error: Any) -> tuple[str, str, str]:
    """A schema's complaint as place, reason and remedy."""
    if error.context:
        # "A number or nothing": what is wrong with the number is the message, not that it is not nothing.
        inner = best_match(iter(error.context))
        if inner is not None and inner.absolute_path != error.absolute_path:
            return _in_words(inner)
        for candidate in error.context:
            if candidate.validator in ("required", "additionalProperties"):
                return _in_words(candidate)
    place = _place(error.absolute_path) or "file"
    if error.validator == "required":
        missing = [name for name in error.validator_value if name not in error.instance]
        return (
            place,
            f"{_listed(missing)} missing",
            "Add it; if nobody knows it, say so in the place meant for that (null).",
        )
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {})
        extra = [name for name in error.instance if name not in known]
        return place, f"{_listed(extra)} not known here", f"Use one of: {', '.join(known)}."
    if error.validator == "enum":
        return (
            place,
            f"{error.instance!r} is not one of the words used here",
            f"Write one of: {_or(error.validator_value)}.",
        )
    if error.validator == "type" or error.context:
        needed = (
            error.validator_value if error.validator == "type" else "number with value, unit, source, status, where"
        )
        return place, f"{error.instance!r} is not a {needed}", f"Write a {needed}."
    return place, " ".join(error.message.split()), "Compare with a file of the same kind beside it."


def _place(parts: Sequence[str | int] | Any) -> str:
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names) + (" is" if len(names) == 1 else " are")


def _or(words: Sequence[Any]) -> str:
    return ", ".join(str(word) for word in words)


# ---------------------------------------------------------------------------------------------- each number and source


def _mappings_with(data: Any, key: str, place: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every mapping that has `key`, with its place."""
    if isinstance(data, Mapping):
        if key in data:
            yield place or "file", data
        for name, value in data.items():
            yield from _mappings_with(value, key, f"{place}.{name}" if place else str(name))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from _mappings_with(value, key, f"{place}[{index}]")


@cache
def _units() -> Any:
    return PintUcumRegistry()


@cache
def _unit_fault(unit: str) -> str | None:
    """Why a unit is not UCUM, or None."""
    try:
        _units().from_ucum(unit)
    except InvalidUcumError as error:
        return str(error).splitlines()[0]
    return None


def _norway(book: Book, path: str, data: Any, place: str = "") -> None:
    """YAML reads the bare words on, off, yes and no as true and false: harmless to look at, wrong in the program."""
    if isinstance(data, Mapping):
        for name, value in data.items():
            here = f"{place}.{name}" if place else str(name)
            if isinstance(name, bool):
                book.mend(
                    path, here, "a bare on, off, yes or no stands as a name", "Put it in quotes, or use another word."
                )
            _norway(book, path, value, here)
    elif isinstance(data, list):
        for index, value in enumerate(data):
            _norway(book, path, value, f"{place}[{index}]")


def _number(book: Book, path: str, place: str, number: Mapping[str, Any]) -> None:
    value, unit, status = number["value"], number.get("unit"), number.get("status")
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        book.mend(
            path, f"{place}.value", f"{value!r} is not a finite number", "Write the number as printed, with a point."
        )
    if not isinstance(unit, str):
        book.mend(path, place, "has no unit", 'Add unit: "1" for a fraction, else its UCUM code, such as g/L.')
    elif fault := _unit_fault(unit):
        book.mend(path, f"{place}.unit", fault, "Write the UCUM code: g/L, 1/d, L/d, kg, d, wk, a, 1 …")
    if status not in STATUSES:
        book.mend(path, f"{place}.status", f"{status!r} is not a status", f"Write one of: {_or(STATUSES)}.")
    where = number.get("where")
    reason = where if isinstance(where, str) else ""
    if number.get("source") is None and status in STATUSES and status not in UNSOURCED:
        book.mend(
            path, f"{place}.source", f"is empty, but the number is said to be '{status}'",
            "Name the source, or say status: assumed with the reason in where.",
        )  # fmt: skip
    if not reason.strip():
        book.mend(path, f"{place}.where", "is empty", "Say the place in the source, or why this was assumed.")
    elif status in UNSOURCED and len(reason.strip()) < SHORTEST_REASON:
        book.mend(
            path,
            f"{place}.where",
            f"'{reason}' gives no reason",
            "Say why this value, in a sentence a colleague can judge.",
        )


def _names(book: Book, path: str, key: str) -> frozenset[str]:
    data = book.files.get(path)
    section = data.get(key) if isinstance(data, Mapping) else None
    return frozenset(section) if isinstance(section, Mapping) else frozenset()


def _source_names(book: Book, path: str, data: Any, sources: frozenset[str]) -> None:
    named = [(f"{place}.source", item["source"]) for place, item in _mappings_with(data, "source")]
    lists = _mappings_with(data, "sources") if path != "evidence/sources.yaml" else ()
    named += [
        (f"{place}.sources", name)
        for place, item in lists
        if isinstance(item["sources"], list)
        for name in item["sources"]
    ]
    for place, name in named:
        if isinstance(name, str) and name not in sources:
            near = [known for known in sources if known[:6] == name[:6]]
            hint = f" Is it {_or(sorted(near))}?" if near else ""
            book.mend(
                path,
                place,
                f"'{name}' is not in evidence/sources.yaml",
                f"Add it there, or mend the name.{hint}",
            )


def _review(book: Book, path: str, data: Any) -> None:
    reviewed: Any = data.get("reviewed") if isinstance(data, Mapping) else None
    if reviewed is None:
        if isinstance(data, Mapping) and any(
            item["status"] in STATUSES for _, item in _mappings_with(data, "status") if isinstance(item["status"], str)
        ):
            dates = f"{{last: {book.today}, again: {book.today.replace(year=book.today.year + 2, day=1)}}}"
            book.mend(path, "reviewed", "is missing: nobody knows when this was looked at", f"Write: reviewed: {dates}")
        return
    if not isinstance(reviewed, Mapping):
        book.mend(path, "reviewed", "holds no two dates", "Write: {last: 2026-11-22, again: 2028-11-30}.")
        return
    last, again = reviewed.get("last"), reviewed.get("again")
    if not isinstance(last, date) or not isinstance(again, date):
        book.mend(path, "reviewed", "holds no two dates", "Write: {last: 2026-11-22, again: 2028-11-30}.")
        return
    if again <= last:
        book.mend(
            path, "reviewed", f"the next review, {again}, is not after the last, {last}", "Set again to a later day."
        )
    elif again < book.today:
        book.mend(
            path, "reviewed.again", f"the review was due on {again}; today is {book.today}",
            "Read the sources again, mend what changed, then set both dates.",
        )  # fmt: skip


def _texts(data: Any) -> Iterator[str]:
    """Every text among the values."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, Mapping | list):
        for value in data.values() if isinstance(data, Mapping) else data:
            yield from _texts(value)


def _sources(book: Book) -> None:
    path = "evidence/sources.yaml"
    if not book.sound(path):
        return
    used: set[str] = set()
    for other, data in book.files.items():
        if other != path:
            # A source named only in a reason ("as in azulay1997") is used as well.
            used.update(word for text in _texts(data) for word in re.findall(r"[a-z][a-z0-9_]+", text))
    for name, source in book.files[path]["sources"].items():
        place = f"sources.{name}"
        doi, pmid = source.get("doi"), source.get("pmid")
        if doi is not None and not re.fullmatch(r"10\.\d{4,9}/\S+", doi):
            book.mend(path, f"{place}.doi", f"'{doi}' is not a DOI", "Write it bare: 10.1002/acn3.52107.")
        if pmid is not None and not re.fullmatch(r"[1-9]\d{0,7}", str(pmid)):
            book.mend(
                path,
                f"{place}.pmid",
                f"'{pmid}' is not a PubMed number",
                'Write up to eight digits in quotes: "24725024".',
            )
        if name not in used:
            book.look(path, place, "no file here stands on this source", "Kept. Remove it if nothing will.")


# ---------------------------------------------------------------------------------------------- populations


def _at(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _priors(book: Book, path: str, place: str, parameters: Mapping[str, Any]) -> None:
    """Names, units and ranges of a set of parameters."""
    for name, prior in parameters.items():
        here = _at(place, f"parameters.{name}")
        typical, spread = prior["typical"], prior["spread"]
        if name not in UNITS:
            book.mend(path, here, "is not a parameter the models know", f"Use one of: {_or(tuple(UNITS))}.")
            continue
        if typical["unit"] != UNITS[name]:
            book.mend(
                path, f"{here}.typical.unit", f"is {typical['unit']}, but {name} is kept in {UNITS[name]}",
                f"Convert the value and write unit: {UNITS[name]}; say in where what was printed.",
            )  # fmt: skip
        value, scale = typical["value"], prior["scale"]
        if scale == "log" and value <= 0:
            book.mend(
                path, f"{here}.typical.value", f"{value} has no logarithm", "Give a positive value, or another scale."
            )
        if scale == "logit" and not 0 < value < 1:
            book.mend(
                path, f"{here}.typical.value", f"{value} is not between 0 and 1, but the scale is logit",
                "Give the fraction itself, not its logit or a percentage.",
            )  # fmt: skip
        if spread is not None and (spread["unit"] != "1" or not 0 < spread["value"] < 3):
            book.mend(
                path, f"{here}.spread", f"{spread['value']} {spread['unit']} is not an SD on the {scale} scale",
                'Give the SD between 0 and 3 with unit "1"; from a CV: sqrt(ln(1 + CV^2)), CV as a fraction.',
            )  # fmt: skip
        if covariate := prior.get("covariate"):
            expected = COVARIATE_UNITS[covariate["what"]]
            if covariate["reference"]["unit"] != expected or covariate["exponent"]["unit"] != "1":
                book.mend(
                    path, f"{here}.covariate", f"reference must be in {expected} and the exponent in 1",
                    "Convert the reference; an exponent has no unit.",
                )  # fmt: skip


def _population(book: Book, path: str, place: str, data: Mapping[str, Any]) -> None:
    parameters = data["parameters"]
    if not place and data["id"] != Path(path).stem:
        book.mend(path, "id", f"is '{data['id']}', but the file is {Path(path).name}", "Give both the same name.")
    _priors(book, path, place, parameters)
    missing = [name for name in NEEDED[data["structure"]] if name not in parameters]
    if missing:
        book.mend(
            path, _at(place, "parameters"), f"{_listed(missing)} needed by {data['structure']}",
            "Add the parameter, or name the structure the paper used.",
        )  # fmt: skip
    for name, number in data["residual"].items():
        if "proportional" in name and not 0 < number["value"] < 1:
            book.mend(
                path, _at(place, f"residual.{name}.value"), f"{number['value']:g}, but 'proportional' is a fraction",
                f"Write {number['value'] / 100:g} if this was a percentage.",
            )  # fmt: skip
    for index, item in enumerate(data["correlations"]):
        here = _at(place, f"correlations[{index}]")
        unknown = [item[key] for key in ("of", "with") if item[key] not in parameters]
        if unknown:
            book.mend(path, here, f"{_listed(unknown)} no parameter of this model", "Name two parameters of this file.")
        if not -1 < item["number"]["value"] < 1:
            book.mend(path, here, f"{item['number']['value']} is not a correlation", "Give a value between -1 and 1.")
    for index, domain in enumerate(data["covers"]):
        low, high = domain["low"], domain["high"]
        if low is None and high is None:
            book.mend(path, _at(place, f"covers[{index}]"), "bounds nothing", "Give low, high, or both.")
        elif low is not None and high is not None and low >= high:
            book.mend(path, _at(place, f"covers[{index}]"), f"low {low} is not below high {high}", "Swap them.")
        if fault := _unit_fault(domain["unit"]):
            book.mend(path, _at(place, f"covers[{index}].unit"), fault, "Write the UCUM code: a, kg …")
    if not missing and not place and "half_life" in data.get("stated", {}):
        _half_life(book, path, place, data)


def terminal_half_life(structure: str, parameters: Mapping[str, Any]) -> float:
    """Terminal half-life [d] of the typical patient at the covariates' reference values."""
    value = {name: float(prior["typical"]["value"]) for name, prior in parameters.items()}
    if structure == "one_compartment":
        return math.log(2) / value["elimination_rate"]
    k10 = value["clearance"] / value["central_volume"]
    k12 = value["intercompartmental_clearance"] / value["central_volume"]
    k21 = value["intercompartmental_clearance"] / value["peripheral_volume"]
    total = k10 + k12 + k21
    return math.log(2) / ((total - math.sqrt(total**2 - 4 * k10 * k21)) / 2)


def _half_life(book: Book, path: str, place: str, data: Mapping[str, Any]) -> None:
    if any(data["parameters"][name]["typical"]["value"] <= 0 for name in NEEDED[data["structure"]]):
        return  # already complained about
    stated = data["stated"]["half_life"]["value"]
    computed = terminal_half_life(data["structure"], data["parameters"])
    apart = abs(computed - stated) / stated
    here = _at(place, "stated.half_life")
    says = f"stated {stated:g} d; the parameters give {computed:.1f} d"
    if apart > 0.10:
        book.mend(path, here, says, "A unit or a decimal point is wrong somewhere: compare each value with its source.")
    elif apart > 0.02:
        book.look(path, here, says, "Kept. Sources round.")


def _composite(book: Book) -> None:
    path = "populations/composite.yaml"
    if not book.sound(path):
        return
    data = book.files[path]
    _priors(book, path, "", data["parameters"])
    for name in COMPOSITE_PARAMETERS:
        prior = data["parameters"].get(name)
        if prior is None:
            book.mend(path, "parameters", f"'{name}' is missing", "Add it: no estimate is possible without its prior.")
        elif prior["spread"] is None:
            book.mend(path, f"parameters.{name}.spread", "is empty", "Declare one, status: assumed, and say why.")
    for name in COMPOSITE_CONSTANTS:
        if name not in data["constants"]:
            book.mend(path, "constants", f"'{name}' is missing", "Add it: the estimate needs it.")
    probability = data["constants"].get("response_probability")
    if probability and not 0 < probability["value"] < 1:
        book.mend(
            path,
            "constants.response_probability.value",
            f"{probability['value']:g} is no probability",
            "Write a fraction.",
        )
    bases = {item["id"]: item for _, item in book.under("population")}
    for index, own in enumerate(data["kinetics"]):
        place = f"kinetics[{index}]"
        if own["base"] not in bases:
            book.mend(
                path,
                f"{place}.base",
                f"'{own['base']}' is no sound population file",
                f"Use one of: {_or(sorted(bases))}.",
            )
            continue
        try:
            whole = completed(own, bases[own["base"]])
            _population(book, path, place, whole)
            for name in (*NEEDED[whole["structure"]], *SUBCUTANEOUS):
                prior = whole["parameters"].get(name)
                if prior is None or prior["spread"] is None:
                    book.mend(
                        path, f"{place}.parameters.{name}", "has no spread between people",
                        "Declare one, status: assumed, and say why: without it everybody is typical.",
                    )  # fmt: skip
        except (KeyError, TypeError) as error:
            book.mend(
                path,
                f"{place}.parameters",
                f"cannot be laid over {own['base']}: {error!r}",
                "Compare with the other candidate.",
            )


# ---------------------------------------------------------------------------------------------- the other kinds


def _twice(book: Book, items: Iterator[tuple[str, str, str]], what: str, remedy: str) -> None:
    """Complains of each name that stands for two things. items: (path, place, name)."""
    first: dict[str, tuple[str, str]] = {}
    for path, place, name in items:
        if name in first:
            book.mend(path, place, f"{what} '{name}' also stands at {first[name][0]} {first[name][1]}", remedy)
        first.setdefault(name, (path, place))


def _products(book: Book) -> None:
    products = list(book.under("product"))
    for path, data in products:
        if data["id"] != Path(path).stem:
            book.mend(path, "id", f"is '{data['id']}', but the file is {Path(path).name}", "Give both the same name.")
        _unit_is(book, path, "concentration", data["concentration"], "g/L")
        if not 30 <= data["concentration"]["value"] <= 250:
            book.mend(
                path, "concentration.value", f"{data['concentration']['value']:g} g/L is no immunoglobulin solution",
                "10 % is 100 g/L; 20 % is 200 g/L.",
            )  # fmt: skip
        for index, vial in enumerate(data["vials"]):
            _unit_is(book, path, f"vials[{index}]", vial, "g")
        sizes = [vial["value"] for vial in data["vials"]]
        if sizes != sorted(set(sizes)) or any(size <= 0 for size in sizes):
            book.mend(path, "vials", "sizes are not positive and rising", "List each size once, smallest first.")
        rates = [
            ("start_rate", data["start_rate"]),
            *((f"rates[{i}].rate", step["rate"]) for i, step in enumerate(data.get("rates", ()))),
        ]
        for place, rate in [*rates, ("top_rate", data["top_rate"])]:
            if rate is not None:
                _unit_is(book, path, place, rate, "mL/kg/h")
        steps = [rate["value"] for _, rate in [*rates, ("top_rate", data["top_rate"])] if rate is not None]
        if steps != sorted(steps):
            book.mend(
                path,
                "rates",
                "an infusion rate falls from one step to the next",
                "List the steps from slow to fast, top rate last.",
            )
    _twice(
        book,
        ((path, "aliases", alias.casefold()) for path, data in products for alias in data["aliases"]),
        "the alias",
        "One text must mean one product: keep it in one file.",
    )


def _unit_is(book: Book, path: str, place: str, number: Mapping[str, Any], unit: str) -> None:
    if number["unit"] != unit:
        book.mend(
            path,
            f"{place}.unit",
            f"is {number['unit']}, but must be {unit}",
            f"Convert the value and write unit: {unit}.",
        )


def _scales(book: Book) -> None:
    scales = [
        (path, f"scales[{i}]", item) for path, data in book.under("scales") for i, item in enumerate(data["scales"])
    ]
    for path, place, item in scales:
        low, high, unit = item["range"]["low"], item["range"]["high"], item["unit"]
        if low >= high:
            book.mend(path, f"{place}.range", f"low {low} is not below high {high}", "Swap them.")
        if fault := _unit_fault(unit):
            book.mend(path, f"{place}.unit", fault, "Write the UCUM code: kg, kPa, N, {score}.")
        _unit_is(book, path, f"{place}.resolution", item["resolution"], unit)
        for name, expected in (("session_sd", "1"), ("session_sd_clinic", "1"), ("error", unit)):
            if item[name] is not None:
                _unit_is(book, path, f"{place}.{name}", item[name], expected)
        for index, change in enumerate(item["smallest_change"]):
            if change["unit"] not in (unit, "1"):
                book.mend(
                    path, f"{place}.smallest_change[{index}].unit", f"is {change['unit']}, but the scale is in {unit}",
                    f'Give it in {unit}, or as a fraction with unit "1". kg never becomes kPa.',
                )  # fmt: skip
        if item["session_sd"] is None and item["error"] is None:
            book.mend(
                path,
                place,
                "has neither session_sd nor error",
                "Say how far two sessions differ: assumed, with the reason.",
            )
    _twice(book, ((path, place, item["id"]) for path, place, item in scales), "the id", "Give each scale its own id.")
    _twice(
        book,
        ((path, f"{place}.aliases", alias.casefold()) for path, place, item in scales for alias in item["aliases"]),
        "the alias",
        "One text must mean one scale: keep it in one place.",
    )


def _limits(book: Book) -> None:
    path = "limits/guardrails.yaml"
    if not book.sound(path):
        return
    limits = book.files[path]["limits"]
    risks = _names(book, "safety/risks.yaml", "risks")
    _twice(
        book,
        ((path, f"limits[{i}].id", item["id"]) for i, item in enumerate(limits)),
        "the id",
        "Give each limit its own id.",
    )
    for index, item in enumerate(limits):
        risk = item["applies"].get("risk")
        if risk is not None and risk not in risks:
            book.mend(
                path,
                f"limits[{index}].applies.risk",
                f"'{risk}' is not in safety/risks.yaml",
                f"Use one of: {_or(sorted(risks))}.",
            )
    for one, other in itertools.combinations(limits, 2):
        if one["what"] != other["what"]:
            continue
        if one["number"]["unit"] != other["number"]["unit"]:
            book.mend(
                path,
                f"limits.{other['id']}",
                f"{one['what']} has another unit in {one['id']}",
                "Use one unit for one thing.",
            )
        elif one["applies"] == other["applies"] and one["bound"] != other["bound"]:
            least, most = (one, other) if one["bound"] == "least" else (other, one)
            if least["number"]["value"] > most["number"]["value"]:
                what = f"at least {least['number']['value']:g} and at most {most['number']['value']:g}"
                remedy = f"Nothing can keep both {least['id']} and {most['id']}: compare their sources."
                book.mend(path, f"limits.{least['id']}", what, remedy)


def _claims(book: Book) -> None:
    """Claims that others stand on exist; a claim's certainty fits its domains; treatments and claims name each other."""
    claims, treatments = (_names(book, f"evidence/{name}.yaml", name) for name in ("claims", "treatments"))
    for path in (
        "evidence/treatments.yaml",
        "safety/drugs.yaml",
        "safety/checks.yaml",
        "safety/events.yaml",
        "limits/starting.yaml",
    ):
        for place, item in _mappings_with(book.files.get(path), "claims"):
            for name in item["claims"] if isinstance(item["claims"], list) else ():
                if name not in claims:
                    book.mend(path, f"{place}.claims", f"there is no claim '{name}'", "Add it to evidence/claims.yaml.")
    path = "evidence/claims.yaml"
    if not book.sound(path):
        return
    for key, claim in book.files[path]["claims"].items():
        for name in claim["about"]:
            if name not in treatments:
                remedy = "Add it to evidence/treatments.yaml, or leave it out."
                book.mend(path, f"claims.{key}.about", f"'{name}' is no treatment", remedy)
        sure = claim["certainty"]
        concerns = sum(
            {"none": 0, "unclear": 0, "serious": 1, "very serious": 2}[sure[domain]]
            for domain in ("bias", "inconsistency", "indirectness", "imprecision", "publication")
        )
        if sure["level"] == "high" and concerns:
            book.mend(
                path, f"claims.{key}.certainty.level", "is high, yet a domain gives concern",
                "Lower the level, or say none in the domain, with the reason in why.",
            )  # fmt: skip
        if not any(piece["direction"] == "for" for piece in claim["evidence"]):
            book.mend(
                path, f"claims.{key}.evidence", "nothing speaks for it", "Add what does, or turn the claim round."
            )


def _drugs(book: Book) -> None:
    """Conditions of order rules name what exists; no name and no code stands for two drugs."""
    path = "safety/drugs.yaml"
    known = {
        "risk": _names(book, "safety/risks.yaml", "risks"),
        "recorded": _names(book, "safety/indications.yaml", "indications"),
        "indication": _names(book, "safety/indications.yaml", "indications") | {"nothing", "other"},
    }
    if book.sound(path):
        for key, group in book.files[path]["drugs"].items():
            for index, case in enumerate(group["cases"]):
                for what, names in known.items():
                    for name in case["when"].get(what, ()):
                        if name not in names:
                            place = f"drugs.{key}.cases[{index}].when.{what}"
                            book.mend(path, place, f"'{name}' is not known", f"Use one of: {_or(sorted(names))}.")
    checks = book.files.get("safety/checks.yaml")
    for place, item in _mappings_with(checks, "risk"):
        if item["risk"] is not None and item["risk"] not in known["risk"]:
            book.mend(
                "safety/checks.yaml", f"{place}.risk", f"'{item['risk']}' is not in safety/risks.yaml",
                f"Use one of: {_or(sorted(known['risk']))}.",
            )  # fmt: skip
    table, rows = "safety/ingredients.csv", book.files.get("safety/ingredients.csv") or []
    rows = [row for row in rows if len(row) == 8]
    for column, what in ((0, "the name"), (1, "the ATC code"), (3, "the RxNorm number")):
        items = ((table, f"row {i}", row[column].casefold()) for i, row in enumerate(rows, start=1) if row[column])
        _twice(book, items, what, "One name or code must mean one drug.")
    spoken = (
        (table, f"row {i}", name.strip().casefold())
        for i, row in enumerate(rows, start=1)
        for name in [row[0], *filter(None, row[5].split(";"))]
    )
    _twice(book, spoken, "the name", "One name must mean one drug: keep it in one row.")
    former = (
        (table, f"row {i}", code)
        for i, row in enumerate(rows, start=1)
        for code in [row[1], *row[2].split(";")]
        if code
    )
    _twice(book, former, "the code", "A former code must mean one drug.")


def _watch(book: Book) -> None:
    path = "monitoring/watch.yaml"
    if not book.sound(path):
        return
    data = book.files[path]
    for (index, lower), upper in zip(enumerate(data["classes"]), data["classes"][1:], strict=False):
        if lower["high"] is None or lower["high"]["value"] != upper["low"]["value"]:
            book.mend(
                path, f"classes[{index}].high", f"'{lower['name']}' does not end where '{upper['name']}' begins",
                "Let each class begin where the one before ends, so that every gain has one class.",
            )  # fmt: skip
    if data["classes"][-1]["high"] is not None:
        book.mend(
            path,
            f"classes[{len(data['classes']) - 1}].high",
            "the last class has an end",
            "Write null: no gain is too large.",
        )
    for name in LOSS_WEIGHTS:
        if name not in data["loss"]:
            book.mend(path, "loss", f"'{name}' is missing", "Add the weight; 0 leaves it out of the ranking.")
    for name, weight in data["loss"].items():
        if weight["value"] < 0:
            book.mend(
                path, f"loss.{name}.value", f"{weight['value']:g} would reward it", "A weight of the loss is 0 or more."
            )


def _plausible(book: Book) -> None:
    path = "record/plausibility.yaml"
    if not book.sound(path):
        return
    data = book.files[path]
    for name, limit in data["limits"].items():
        if fault := _unit_fault(limit["unit"]):
            book.mend(path, f"limits.{name}.unit", fault, "Write the UCUM code.")
        soft, hard = limit.get("soft", {}), limit.get("hard", {})
        if soft.get("low", math.inf) < hard.get("low", -math.inf) or soft.get("high", -math.inf) > hard.get(
            "high", math.inf
        ):
            book.mend(path, f"limits.{name}", "the soft bounds reach beyond the hard ones", "Let hard enclose soft.")
    scales = {item["id"]: item for _, group in book.under("scales") for item in group["scales"]}
    for measure, about in data["measures"].items():
        for kind in ("devices", "variants"):
            for name, own in about.get(kind, {}).items():
                place = f"measures.{measure}.{kind}.{name}"
                scale = scales.get(name)
                if scale is None or scale["measure"] != measure:
                    book.mend(path, place, f"is no scale of {measure}", "Add it to scales/, or use the id from there.")
                elif own.get("high", scale["range"]["high"]) != scale["range"]["high"]:
                    book.mend(
                        path,
                        place,
                        f"ends at {own['high']:g}, in scales/ at {scale['range']['high']:g}",
                        "Agree on one.",
                    )


# ---------------------------------------------------------------------------------------------- saying it


def told(book: Book) -> str:
    """All problems as text: file, place and reason, remedy; then the counts."""
    lines: list[str] = []
    errors = notes = 0
    for path in sorted(book.problems):
        lines.append(path)
        for problem in book.problems[path]:
            is_note = problem.severity is Severity.LOOK
            notes, errors = notes + is_note, errors + (not is_note)
            lines += [f"  {'(note) ' if is_note else ''}{problem.place}: {problem.what}", f"      {problem.remedy}"]
    lines.append(f"{_count(errors, 'error')}, {_count(notes, 'note')}, {_count(len(book.files), 'file')}")
    return "\n".join(lines)


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def main(argv: Sequence[str] | None = None, write: Callable[[str], object] = print) -> int:
    parser = argparse.ArgumentParser(description="Check every file in ranvier/knowledge.")
    parser.add_argument("--knowledge", type=Path, default=ROOT, help="folder to check; default: the program's own")
    parser.add_argument("--today", type=date.fromisoformat, default=None, help="judge review dates as of this day")
    options = parser.parse_args(argv)
    if not options.knowledge.is_dir():
        write(f"{options.knowledge}: there is no such folder\n      Name a folder laid out like ranvier/knowledge.")
        return 1
    book = check(options.knowledge, options.today or date.today())
    write(told(book))
    return int(any(p.severity is Severity.MEND for found in book.problems.values() for p in found))


if __name__ == "__main__":
    sys.exit(main())
