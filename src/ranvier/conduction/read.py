"""Read a conduction study: a laboratory's table (CSV, XLSX), YAML, or what the record keeps. All problems at once."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeGuard

import yaml

from ranvier.conduction import numbers, words
from ranvier.conduction.build import Builder, Row
from ranvier.conduction.nouns import KINDS, SIDES, StudySet
from ranvier.conduction.tables import LARGEST, TITLE, Table, refuse, tables
from ranvier.conduction.tables import Row as TableRow
from ranvier.conduction.words import QUANTITIES, Heading
from ranvier.ground.notes import InputError, Problem
from ranvier.record.nouns import Record

MEASURED = (
    "latency",
    "f_latency",
    "peak_latency",
    "amplitude",
    "area",
    "duration",
    "distance",
    "velocity",
    "persistence",
)
TEXT_ENDS = (".yaml", ".yml", ".json")


def read(path: str | os.PathLike[str]) -> StudySet:
    """The studies in a file: YAML by its name, else a table.

    Raises InputError with every problem if at least one must be mended; FileNotFoundError if there is no such file.
    """
    file = Path(path)
    if file.is_dir():
        raise refuse(file.name, "this is a folder", "Name one file.")
    with file.open("rb") as stream:
        data = stream.read(LARGEST + 1)
    return read_bytes(data, file.name)


def read_bytes(data: bytes, name: str) -> StudySet:
    """As `read`, from bytes; `name` is what the file is called in a problem."""
    if name.casefold().endswith(TEXT_ENDS):
        return from_data(parsed(data, name), name)
    builder = Builder()
    for table in tables(name, data, _score):
        _Reading(table, builder).walk()
    return builder.studies()


def parsed(data: bytes, name: str) -> Any:
    """Plain data of a YAML or JSON file. Raises InputError where it is neither."""
    if len(data) > LARGEST:
        raise refuse(name, "the file is larger than a conduction study can be", "Name one person's study.")
    try:
        return yaml.load(data, _Plain)
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        what = f"this is not YAML: {getattr(error, 'problem', None) or str(error)[:120] or type(error).__name__}"
        problem = Problem(
            name, what, "Compare with the example in docs/conduction.md.", line=mark.line + 1 if mark else None
        )
        raise InputError("This conduction study cannot be used yet.", (problem,)) from None


class _Plain(yaml.SafeLoader):
    """YAML without aliases, so that a small file stays small, and in which the key `on` is a word and not a truth value."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError("references (*name) are not used here")
        return super().compose_node(parent, index)


_BOOL = "tag:yaml.org,2002:bool"
_Plain.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOL]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Plain.add_implicit_resolver(_BOOL, re.compile("^(?:true|True|false|False)$"), list("tTfF"))


def from_record(record: Record) -> tuple[StudySet, ...]:
    """The studies of a record, one set per day, oldest first.

    Age comes from the year of birth (the age reached in the year of the study). Raises InputError with every problem.
    """
    found: list[StudySet] = []
    problems: list[Problem] = []
    for index, data in enumerate(record.conduction_studies):
        builder = Builder()
        _Facts(builder, f"conduction_studies[{index}]").study(data)
        if builder.on is not None and record.person.birth_year is not None:
            builder.age = float(builder.on.year - record.person.birth_year)
        try:
            found.append(builder.studies())
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(TITLE, tuple(problems))
    return tuple(sorted(found, key=lambda s: (s.on is not None, s.on or date.min)))


def from_data(data: Any, name: str) -> StudySet:
    """A study from plain data: the keys of one entry of a record's `conduction_studies`, with `age` and `height` if known."""
    builder = Builder()
    if not isinstance(data, Mapping):
        raise refuse(name, "this is no conduction study", "Write nerves: with a list; see docs/conduction.md.")
    _Facts(builder, name).study(data)
    return builder.studies()


# ---- tables -------------------------------------------------------------------------------------------------------


def _headings(row: TableRow) -> tuple[Heading, ...] | None:
    """The row as a row of headings; None if it is none: two headings or more, and no cell that begins with a number."""
    cells = row.filled
    if len(cells) < 2 or any(numbers.read(c, None) is not None for c in cells):
        return None
    found = tuple(words.heading(c) if c.strip() else Heading(None, None, None, "") for c in row.cells)
    known = [h for h in found if h.role is not None]
    measured = [h for h in known if h.role in MEASURED]
    if len(known) < 2 or not measured or len(known) < len(cells) / 2:
        return None
    return found


def _score(rows: Sequence[TableRow]) -> float:
    """The most headings understood in any row."""
    best = 0
    for row in rows[:200]:
        found = _headings(row)
        if found:
            best = max(best, sum(h.role is not None for h in found))
    return float(best)


class _Reading:
    """One walk down one table. A title row, a nerve or a side holds until the next one."""

    def __init__(self, table: Table, builder: Builder) -> None:
        self.table, self.builder = table, builder
        self.columns: tuple[Heading, ...] | None = None
        self.kind: str | None = None
        self.nerve: str | None = None
        self.side: str | None = None
        self.title_side: str | None = None  # of a title such as "Left arm"
        self.muscle: str | None = None
        self.temperature: tuple[float, str | None] | None = None
        self.comma = self._decimal_comma()

    def _decimal_comma(self) -> bool | None:
        shown = {numbers.shows_comma(c) for row in self.table.rows for c in row.cells} - {None}
        return next(iter(shown)) if len(shown) == 1 else None

    def place(self, row: TableRow, what: str = "") -> str:
        """``study.csv row 7, amplitude``."""
        return f"{self.table.name} row {row.line}" + (f", {what}" if what else "")

    def walk(self) -> None:
        """Read every row."""
        for row in self.table.rows:
            cells = row.filled
            if not cells:
                continue
            if (found := _headings(row)) is not None:
                self._columns(row, found)
            elif (self.columns is not None and self._units(row)) or self._title(row):
                continue
            elif self.columns is not None:
                self._facts(row)
        if self.columns is None:
            self.builder.mend(
                self.table.name, "no row of headings was understood",
                "Name them: nerve, side, site, latency (ms), amplitude (mV), area (mV.ms), duration (ms), distance (mm).",
            )  # fmt: skip

    def _columns(self, row: TableRow, found: tuple[Heading, ...]) -> None:
        self.columns = found
        seen: dict[tuple[str, str | None], Heading] = {}
        for h in found:
            if h.role is None and h.text.strip():
                self.builder.look(
                    self.place(row),
                    f"the column '{h.text.strip()}' is not understood",
                    "Left out. Rename it if it matters.",
                    row.line,
                )
            if h.role in (*MEASURED, "site", "nerve", "side"):
                key = (str(h.role), h.site)
                before = seen.setdefault(key, h)
                # Motor in mV and sensory in µV, each in a column of its own, is how some laboratories print it.
                by_unit = None not in (h.unit, before.unit) and h.unit != before.unit
                if before is not h and not by_unit:
                    self.builder.mend(
                        self.place(row),
                        f"two columns hold {str(h.role).replace('_', ' ')}: '{before.text.strip()}' and '{h.text.strip()}'",
                        "Keep one of them, or name them apart.", row.line,
                    )  # fmt: skip

    def _units(self, row: TableRow) -> bool:
        """A row of units below the headings: every filled cell is a unit of its column."""
        assert self.columns is not None
        new = list(self.columns)
        for i, cell in enumerate(row.cells):
            if not cell.strip():
                continue
            role = self.columns[i].role if i < len(self.columns) else None
            unit = words.unit_of(role, cell) if role in QUANTITIES else None
            if unit is None:
                return False
            new[i] = Heading(role, unit, new[i].site, new[i].text)
        self.columns = tuple(new)
        return True

    def _numeric(self, row: TableRow) -> bool:
        """Whether any measuring column holds a number or says that the response was absent."""
        if self.columns is None:
            return False
        for h, cell in zip(self.columns, row.cells, strict=False):
            if (
                h.role in MEASURED
                and cell.strip()
                and (numbers.read(cell, self.comma) is not None or words.is_absent(cell))
            ):
                return True
        return False

    def _title(self, row: TableRow) -> bool:
        """A row that says what follows: a nerve, a kind of study, a temperature, an age."""
        if self._numeric(row):
            return False
        cells = row.filled
        text = " ".join(cells[:3])
        if self._person(row, cells):
            return True
        said = words.phrase(text)
        kind = said.kind or words.whole("kinds", cells[0])
        if said.nerve is None and kind is None and said.side is None:
            return self.columns is None or len(cells) == 1
        site = self._text(row, "site")
        if self.columns is not None and said.sites and site and words.phrase(site).nerve is None and len(cells) > 1:
            return False  # a site that was listed and not measured
        if (warm := re.search(r"(\d+(?:[.,]\d+)?)\s*°\s*C", " ".join(cells))) is not None:
            self.temperature = (float(warm.group(1).replace(",", ".")), "Cel")
        if kind is not None:
            self.kind = kind
            if said.nerve is None:  # "F waves": what follows names its nerve anew
                self.nerve, self.side, self.muscle = None, self.title_side, None
        if said.nerve is not None:
            self.nerve, self.side, self.muscle = said.nerve, said.side, said.muscle
        if said.side is not None:
            self.side = said.side
            self.title_side = said.side if said.nerve is None else None
        return True

    def _person(self, row: TableRow, cells: tuple[str, ...]) -> bool:
        """Temperature, age or height, written above the table as 'Temp: 33 °C'."""
        head, _, tail = cells[0].partition(":")
        value = tail.strip() or (cells[1] if len(cells) > 1 else "")
        role = words.heading(head).role if head else None
        if role not in ("temperature", "age", "height") or not value:
            return False
        found = numbers.read(value, True)
        unit = words.heading(head).unit
        if not isinstance(found, numbers.Number):
            return False
        unit = words.unit_of(role, found.rest) if found.rest else unit
        if role == "temperature":
            self.temperature = (found.value, unit)
            return True
        entered = self.builder.number(role, found.value, unit, self.place(row, role), row.line)
        if role == "age":
            self.builder.age = entered
        else:
            self.builder.height = entered
        return True

    # ---- one row of numbers

    def _text(self, row: TableRow, role: str) -> str:
        cells = [c.strip() for h, c in zip(self.columns or (), row.cells, strict=False) if h.role == role and c.strip()]
        return " - ".join(cells) if role == "segment" else next(iter(cells), "")

    def _facts(self, row: TableRow) -> None:
        self._who(row)
        kind = self._kind(row)
        by_site: dict[str | None, Row] = {}
        assert self.columns is not None
        default, segment = self._sites(row)
        for h, cell in zip(self.columns, row.cells, strict=False):
            if h.role not in MEASURED or words.is_missing(cell):
                continue
            site = h.site or default
            if h.role in ("distance", "velocity") and h.site is None and segment is not None:
                site = segment
            fact = by_site.setdefault(site, self._new(row, site, kind))
            if words.is_absent(cell):
                if h.role not in ("distance", "velocity"):
                    fact.absent = True
                continue
            if h.role in fact.values:
                self.builder.mend(
                    self.place(row, h.role.replace("_", " ")), f"'{cell.strip()}' is a second one in this row",
                    "Fill one of the two columns.", row.line,
                )  # fmt: skip
                continue
            self._value(row, h, cell, fact)
        if words.is_absent(self._text(row, "absent")):
            by_site.setdefault(default, self._new(row, default, kind)).absent = True
        for fact in by_site.values():
            self._keep(fact)

    def _keep(self, fact: Row) -> None:
        """The row; an F latency that stands in a motor row becomes an F-wave study of its own."""
        if "f_latency" in fact.values and fact.kind == "motor":
            late = Row(fact.place, fact.line, fact.nerve, fact.side, "f_wave", fact.muscle, fact.site)
            late.values = {k: v for k, v in fact.values.items() if k in ("f_latency", "persistence")}
            fact.values = {k: v for k, v in fact.values.items() if k not in late.values}
            late.temperature = fact.temperature
            self.builder.rows.append(late)
        if fact.values or fact.absent:
            self.builder.rows.append(fact)

    def _new(self, row: TableRow, site: str | None, kind: str | None) -> Row:
        said = self._text(row, "supramaximal")
        known = (
            True
            if words.plain(said) in words.listed("affirmed")
            else False
            if words.plain(said) in words.listed("denied")
            else None
        )
        return Row(
            self.place(row), row.line, self.nerve, self.side, kind, self.muscle, site,
            supramaximal=known if said else None, temperature=self._warmth(row),
        )  # fmt: skip

    def _warmth(self, row: TableRow) -> tuple[float, str | None] | None:
        for h, cell in zip(self.columns or (), row.cells, strict=False):
            if h.role == "temperature" and not words.is_missing(cell):
                found = numbers.read(cell, self.comma)
                if isinstance(found, numbers.Number):
                    return found.value, words.unit_of("temperature", found.rest) if found.rest else h.unit
                self.builder.mend(
                    self.place(row, "temperature"), f"'{cell.strip()}' is no number", "Write e.g. 33.5.", row.line
                )
        return self.temperature

    def _who(self, row: TableRow) -> None:
        """Nerve, side and muscle of the row; what is not written holds on from the row above."""
        nerve, side, muscle = self._text(row, "nerve"), self._text(row, "side"), self._text(row, "muscle")
        if nerve:
            said = words.phrase(nerve)
            found = said.nerve or words.whole("nerves", nerve)
            if found is None:
                self.builder.complained.add((self.place(row), "nerve"))
                known = ", ".join(self.builder.knowledge.nerves)
                self.builder.mend(
                    self.place(row, "nerve"), f"'{nerve}' is no nerve known here", f"Write one of: {known}.", row.line
                )
            if found != self.nerve:  # a new nerve begins: the side of the one above is not its side
                self.side, self.muscle = self.title_side, None
            if said.side is not None and said.side != self.side:
                self.side, self.muscle = said.side, None
            self.nerve = found
            self.muscle = said.muscle or self.muscle
        if side:
            found_side = words.whole("sides", side)
            if found_side is None:
                self.builder.complained.add((self.place(row), "side"))
                self.builder.mend(self.place(row, "side"), f"'{side}' is no side", "Write left or right.", row.line)
            if found_side != self.side:
                self.muscle = None
            self.side = found_side
        if muscle:
            self.muscle = words.whole("muscles", muscle) or words.phrase(muscle).muscle or words.tokens(muscle)

    def _kind(self, row: TableRow) -> str | None:
        """Motor, sensory or F wave: as written, as the title above says, or as the unit of the amplitude shows."""
        written = self._text(row, "kind")
        if written:
            found = words.whole("kinds", written) or words.phrase(written).kind
            if found is None:
                self.builder.complained.add((self.place(row), "kind"))
                self.builder.mend(
                    self.place(row, "kind"),
                    f"'{written}' is no kind of study",
                    f"Write one of: {', '.join(KINDS)}.",
                    row.line,
                )
            return found
        said = words.phrase(self._text(row, "nerve")).kind
        if said is not None or self.kind is not None:
            return said or self.kind
        units, roles = set(), set()
        for h, cell in zip(self.columns or (), row.cells, strict=False):
            if h.role in MEASURED and not words.is_missing(cell):
                roles.add(h.role)
                if h.role == "amplitude":
                    found_number = numbers.read(cell, self.comma)
                    rest = found_number.rest if isinstance(found_number, numbers.Number) else ""
                    units.add(words.unit_of("amplitude", rest) or h.unit)
        if roles and roles <= {"f_latency", "persistence"}:
            return "f_wave"
        return {"mV": "motor", "uV": "sensory"}.get(next(iter(units)) or "") if len(units) == 1 else None

    def _sites(self, row: TableRow) -> tuple[str | None, str | None]:
        """The site of the row, and the site at the proximal end of the segment that its distance and velocity belong to."""
        written, section = self._text(row, "site"), self._text(row, "segment")
        site, segment = None, None
        if written:
            found = words.phrase(written).sites or tuple(s for s in [words.whole("sites", written)] if s)
            if len(found) > 1:
                segment, site = self._proximal(found), self._proximal(found)
            elif found:
                site = found[0]
            else:
                limb = self.builder.knowledge.nerves[self.nerve].limb if self.nerve else "arm"
                known = ", ".join(self.builder.knowledge.sites[limb]).replace("_", " ")
                self.builder.complained.add((self.place(row), "site"))
                self.builder.mend(
                    self.place(row, "site"), f"'{written}' is no site known here", f"Write one of: {known}.", row.line
                )
        if section:
            found = words.phrase(section).sites
            if found:
                segment = self._proximal(found)
                site = site or segment
        return site, segment

    def _proximal(self, sites: tuple[str, ...]) -> str:
        placed = [
            (p.at, s) for s in sites if self.nerve and (p := self.builder.knowledge.place(self.nerve, s)) is not None
        ]
        return max(placed)[1] if placed else sites[0]

    def _value(self, row: TableRow, h: Heading, cell: str, fact: Row) -> None:
        role = str(h.role)
        found = numbers.read(cell, self.comma)
        place = self.place(row, role.replace("_", " "))
        if isinstance(found, numbers.TwoWays):
            remedy = f"Write {found.as_decimal:g} or {found.as_thousands:g} without the comma."
            self.builder.mend(
                place, f"'{cell.strip()}' is {found.as_decimal:g} or {found.as_thousands:g}", remedy, row.line
            )
            return
        if found is None:
            self.builder.mend(
                place,
                f"'{cell.strip()}' is no number",
                "Write a number; NR for no response; nothing if not measured.",
                row.line,
            )
            return
        unit = h.unit
        if found.rest:
            unit = words.unit_of(role, found.rest)
            if unit is None:
                choices = ", ".join(words.units_for(role))
                self.builder.mend(
                    place,
                    f"'{found.rest}' in '{cell.strip()}' is no unit of {role.replace('_', ' ')}",
                    f"Use one of: {choices}.",
                    row.line,
                )
                return
        fact.values[role] = (found.value, unit)


def _finite(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e12  # NaN is not smaller


# ---- plain data ---------------------------------------------------------------------------------------------------

STUDY_KEYS = ("on", "laboratory", "limb_temperature", "nerves", "note", "age", "height")
NERVE_KEYS = ("nerve", "side", "kind", "muscle", "sites", "note", "temperature")
SITE_KEYS = (
    "site",
    "latency",
    "peak_latency",
    "amplitude",
    "area",
    "duration",
    "distance",
    "velocity",
    "persistence",
    "absent",
    "supramaximal",
)


class _Facts:
    """One study as plain data, as the record keeps it; quantities as {value, unit} or as text ("3.6 ms")."""

    def __init__(self, builder: Builder, name: str) -> None:
        self.builder, self.name = builder, name

    def study(self, data: Mapping[Any, Any]) -> None:
        """Read all of it into the builder."""
        builder = self.builder
        self._keys(data, STUDY_KEYS, self.name)
        builder.on = self._day(data.get("on"))
        if isinstance(data.get("laboratory"), str):
            builder.laboratory = data["laboratory"]
        for what in ("age", "height"):
            if (
                data.get(what) is not None
                and (pair := self._quantity(data[what], what, f"{self.name}.{what}")) is not None
            ):
                value = builder.number(what, *pair, f"{self.name}.{what}", None)
                if what == "age":
                    builder.age = value
                else:
                    builder.height = value
        warmth = None
        if data.get("limb_temperature") is not None:
            warmth = self._quantity(data["limb_temperature"], "temperature", f"{self.name}.limb_temperature")
        nerves = data.get("nerves")
        if not isinstance(nerves, list) or not nerves:
            builder.mend(
                f"{self.name}.nerves", "is no list of nerves", "Write one entry per nerve: nerve, side, kind, sites."
            )
            return
        for index, nerve in enumerate(nerves):
            self._nerve(nerve, f"{self.name}.nerves[{index}]", warmth)

    def _keys(self, data: Mapping[Any, Any], known: tuple[str, ...], place: str) -> None:
        for key in data:
            if key not in known:
                self.builder.mend(f"{place}.{key}", "is not known here", f"Use one of: {', '.join(known)}.")

    def _day(self, value: Any) -> date | None:
        if value is None or isinstance(value, date):
            return value.date() if isinstance(value, datetime) else value
        try:
            return date.fromisoformat(str(value)[:10])
        except ValueError:
            self.builder.mend(f"{self.name}.on", f"{value!r} is no day", "Write 2025-03-14.")
            return None

    def _nerve(self, data: Any, place: str, warmth: tuple[float, str | None] | None) -> None:
        if not isinstance(data, Mapping):
            self.builder.mend(place, "is no nerve", "Write nerve, side, kind and sites.")
            return
        self._keys(data, NERVE_KEYS, place)
        nerve, side, kind = (self._word(data, k, place) for k in ("nerve", "side", "kind"))
        found = {
            "nerve": words.whole("nerves", nerve) or words.phrase(nerve).nerve if nerve else None,
            "side": side if side in SIDES else words.whole("sides", side) if side else None,
            "kind": kind if kind in KINDS else words.whole("kinds", kind) if kind else None,
        }
        for key, written in (("nerve", nerve), ("side", side), ("kind", kind)):
            if written and found[key] is None:
                choices = {"nerve": tuple(self.builder.knowledge.nerves), "side": SIDES, "kind": KINDS}[key]
                self.builder.mend(
                    f"{place}.{key}", f"'{written}' is not known here", f"Write one of: {', '.join(choices)}."
                )
        if any(w and found[k] is None for k, w in (("nerve", nerve), ("side", side), ("kind", kind))):
            return
        muscle = self._word(data, "muscle", place)
        known = (
            (words.whole("muscles", muscle) or words.phrase(muscle).muscle or words.tokens(muscle)) if muscle else None
        )
        if data.get("temperature") is not None:
            warmth = self._quantity(data["temperature"], "temperature", f"{place}.temperature")
        sites = data.get("sites")
        if not isinstance(sites, list) or not sites:
            self.builder.mend(
                f"{place}.sites", "is no list of sites", "Write one entry per stimulation site, distal first."
            )
            return
        for index, site in enumerate(sites):
            row = Row(
                f"{place}.sites[{index}]", None, found["nerve"], found["side"], found["kind"], known, temperature=warmth
            )
            self._site(site, row)

    def _word(self, data: Mapping[Any, Any], key: str, place: str) -> str | None:
        value = data.get(key)
        if value is None or isinstance(value, str):
            return value
        self.builder.mend(f"{place}.{key}", f"{value!r} is no word", "Put it in quotes.")
        return None

    def _site(self, data: Any, row: Row) -> None:
        if not isinstance(data, Mapping):
            self.builder.mend(row.place, "is no site", "Write site, latency, amplitude, area, duration, distance.")
            return
        self._keys(data, SITE_KEYS, row.place)
        written = self._word(data, "site", row.place)
        if written:
            found = words.phrase(written).sites
            row.site = (
                found[0]
                if len(found) == 1
                else words.whole("sites", written) or written.strip().casefold().replace(" ", "_")
            )
        for key in ("absent", "supramaximal"):
            value = data.get(key)
            if value is not None and not isinstance(value, bool):
                self.builder.mend(f"{row.place}.{key}", f"{value!r} is neither true nor false", "Write true or false.")
        row.absent = data.get("absent") is True
        row.supramaximal = data["supramaximal"] if isinstance(data.get("supramaximal"), bool) else None
        for key in ("latency", "peak_latency", "amplitude", "area", "duration", "distance", "velocity", "persistence"):
            value = data.get(key)
            if value is None:
                continue
            if isinstance(value, str) and words.is_absent(value):
                row.absent = True
            elif not (isinstance(value, str) and words.is_missing(value)):
                pair = self._quantity(value, key, f"{row.place}.{key}")
                if pair is not None:
                    row.values[key] = pair
        if row.values or row.absent:
            self.builder.rows.append(row)

    def _quantity(self, value: Any, quantity: str, place: str) -> tuple[float, str | None] | None:
        if isinstance(value, Mapping):
            number, unit = value.get("value"), value.get("unit")
            if _finite(number) and isinstance(unit, str):
                return float(number), words.unit_of(quantity, unit) or unit
        elif _finite(value):
            return float(value), None
        elif isinstance(value, str):
            found = numbers.read(value, None)
            if isinstance(found, numbers.Number):
                return found.value, (words.unit_of(quantity, found.rest) or found.rest) if found.rest else None
        example = words.canonical(quantity)
        self.builder.mend(
            place, f"{value!r} is no quantity", f'Write {{value: 3.6, unit: {example}}} or "3.6 {example}".'
        )
        return None
