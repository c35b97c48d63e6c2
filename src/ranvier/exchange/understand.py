"""What the columns of a table mean: headings to roles, and which row holds the headings."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from ranvier.exchange import dates, numbers, words
from ranvier.exchange.desk import About, Desk
from ranvier.exchange.tables import Row, Table

DATE_ROLES = ("date_given", "date", "date_time", "date_issued")
FACT_ROLES = ("grip", "blood_test", "product", "dose", "igg", "value", "weight", "volume", "quantity")
ROLES_TO_TELL = (
    "date",
    "time",
    "start",
    "stop",
    "duration",
    "hand",
    "grip right",
    "grip left",
    "grip",
    "product",
    "dose",
    "volume",
    "quantity",
    "unit",
    "lot",
    "route",
    "reaction",
    "course",
    "igg",
    "test",
    "value",
    "weight",
    "note",
    "patient",
    "leave out",
)


@dataclass(frozen=True, slots=True)
class Column:
    """One column and what it means.

    role : a role of knowledge/exchange/headers.yaml, ``leave out``, or None where it is not understood
    side, unit, device, attempt, summary, timing, daytime : what the heading says besides
    """

    index: int
    heading: str
    role: str | None
    side: str | None = None
    unit: str | None = None
    device: str | None = None
    attempt: int | None = None
    summary: str | None = None
    timing: str | None = None
    daytime: str | None = None

    @property
    def meaning(self) -> str:
        """The meaning in words, for the person who confirms it."""
        if self.role is None:
            return "not understood"
        parts = [self.role.replace("_", " ")]
        parts += [self.side or "", f"try {self.attempt}" if self.attempt else "", self.summary or ""]
        parts += [
            self.timing or "",
            self.daytime or "",
            f"[{_unit_in_words(self.unit)}]" if self.unit else "",
            self.device or "",
        ]
        return " ".join(p for p in parts if p)


def _unit_in_words(unit: str) -> str:
    return "lb" if unit == "[lb_av]" else unit


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table is built: the row of headings (None: there is none), its columns, the rows above it."""

    kind: str
    head: int | None
    columns: tuple[Column, ...]
    titles: tuple[Row, ...]
    shape: str

    def of(self, *roles: str) -> tuple[Column, ...]:
        """The columns of these roles, in their order."""
        return tuple(c for c in self.columns if c.role in roles)

    def first(self, *roles: str) -> Column | None:
        """The first column of the first of these roles that exists."""
        return next((c for role in roles for c in self.columns if c.role == role), None)


@lru_cache(maxsize=5_000)
def column(index: int, heading: str) -> Column:
    """What one heading says.

    >>> column(3, "Try 2 (lb)").meaning
    'grip try 2 [lb]'
    """
    whole = _exact(heading)
    if whole is not None and whole not in ("grip", "value"):
        unit = words.unit("mass", heading) if whole == "dose" else None
        return Column(index, heading, whole, unit=unit)
    level, rest = words.unit_within("concentration", heading)
    if level is not None:
        return _level(index, heading, level, rest)
    for kind, role, allowed in (
        ("mass", "vial_size", ("vial_size",)),
        ("mass", "dose", ("dose", "quantity")),
        ("volume", "volume", ("volume", "dose", "quantity")),
        ("body_weight", "weight", ("weight",)),
    ):
        unit, rest = words.unit_within(kind, heading)
        unit, rest = (unit, rest) if unit else _last_word_unit(kind, heading)
        if unit is not None and (_role(rest) in allowed or (not rest and kind == "volume")):
            return Column(index, heading, role, unit=unit)
    return _grip(index, heading) or _other(index, heading)


def _level(index: int, heading: str, unit: str, rest: str) -> Column:
    """A heading with a concentration: IgG, or the value of some test."""
    timing = _one("timing", rest)
    role = _role(rest) or _role(_without(rest, "timing"))
    if role in ("igg", "value", "reference", "product"):
        return Column(index, heading, role, unit=unit, timing=timing)
    named = role is None and rest and unit != "%"
    return Column(index, heading, "blood_test" if named else None, unit=unit)


def _last_word_unit(kind: str, heading: str) -> tuple[str | None, str]:
    """A unit as the last word, for those too short to be one anywhere else: "dose g"."""
    head, _, last = words.plain(heading).rpartition(" ")
    unit = words.unit(kind, last) if head else None
    return unit, head if unit else words.plain(heading)


def _grip(index: int, heading: str) -> Column | None:
    """A heading of grip values: it names a hand, a device, a try, or grip itself, and nothing else."""
    unit, rest = words.unit_within("grip", heading)
    side, device, summary = _one("hands", rest), _one("devices", rest), _one("summary", rest)
    daytime = _one("daytime", rest)
    core = rest
    for kind in ("hands", "devices", "summary", "daytime"):
        core = _without(core, kind)
    if summary:
        core = re.sub(r"\b(of|von|aus|de|van|di) [2-9]\b", "", core).strip()
    numbered = re.search(r"\b([1-9])\b", core)
    attempt = int(numbered[1]) if numbered else None
    core = re.sub(r"\b[1-9]\b", "", core).strip()
    role = _exact(core) or _role(core)
    says_grip = core in ("kg",) or role == "grip"
    is_try = attempt is not None and (not core or core in words.headings()["try"])
    is_hand = (side or device or summary) and (not core or role in ("hand", "value") or core in words.headings()["try"])
    is_pressure = unit in ("kPa", "N") and not core
    if says_grip or is_try or is_hand or is_pressure:
        return Column(index, heading, "grip", side, unit, device, attempt, summary, daytime=daytime)
    return None


def _other(index: int, heading: str) -> Column:
    """A heading of anything else."""
    role = _role(heading)
    timing = _one("timing", heading)
    if role is None and timing:
        role = _role(_without(heading, "timing"))
    return Column(index, heading, role, timing=timing if role == "igg" else None)


def _one(kind: str, text: str) -> str | None:
    """The one meaning of this kind in the text; None if there is none or several."""
    found = words.mentioned(kind, text)
    return found[0] if len(found) == 1 else None


@lru_cache(maxsize=5_000)
def _exact(text: str) -> str | None:
    """The role whose words are the whole heading."""
    bare = words.plain(text)
    joined = " ".join(words.tokens(bare))
    for role, spellings in words.headings().items():
        if role == "try":  # means something only with a number beside it
            continue
        if bare and (bare in spellings or (joined and any(joined == " ".join(words.tokens(s)) for s in spellings))):
            return role
    return None


def _without(text: str, kind: str) -> str:
    """The text without the words of a kind."""
    padded = f" {' '.join(words.tokens(words.plain(text)))} "
    spellings = {" ".join(words.tokens(w)) for ws in words.vocabulary(kind).values() for w in ws}
    for spelling in sorted((s for s in spellings if s), key=len, reverse=True):
        padded = padded.replace(f" {spelling} ", "  ")
    return " ".join(padded.split())


@lru_cache(maxsize=5_000)
def _role(text: str) -> str | None:
    """The role of a heading: by all of it, else by the longest words that make up at least half of it."""
    whole = _exact(text)
    joined = " ".join(words.tokens(words.plain(text)))
    if whole is not None or not joined:
        return whole
    best: tuple[int, str] | None = None
    count = len(joined.split())
    for role, spellings in words.headings().items():
        for spelling in () if role == "try" else spellings:
            if spelling.startswith("*"):
                hit = count == 1 and joined.endswith(spelling[1:])
                size = len(spelling)
            else:
                core = " ".join(words.tokens(spelling))
                hit = len(core) > 2 and f" {core} " in f" {joined} " and len(core.split()) * 2 >= count
                size = len(core)
            if hit and (best is None or size > best[0]):
                best = (size, role)
    return best[1] if best else None


def _understood(row: Row) -> int:
    """How many headings a row holds that are understood; none where a cell is a date or a number."""
    filled = [c for c in row.cells if c.text.strip()]
    if any(c.kind != "text" for c in filled):
        return 0
    for cell in filled:
        form = dates.read_date(cell.text).form
        if form in (dates.Form.KNOWN, dates.Form.NUMBERS) or isinstance(numbers.read(cell.text), numbers.Number):
            return 0 if not re.match(r"^\d\.? ?[A-Za-z]", cell.text.strip()) else 1
    return sum(1 for c in filled if column(0, c.text).role is not None)


def find_head(rows: Sequence[Row]) -> int | None:
    """The index of the row of headings: of the first forty rows the one with most headings understood.

    At least two, and a row with a heading of dates goes before one without.
    """
    best: tuple[bool, int, int] | None = None
    for index, row in enumerate(rows[:40]):
        score = _understood(row)
        dated = any(column(0, c.text).role in (*DATE_ROLES, "start") for c in row.cells)
        if score > 1 and (best is None or (dated, score) > best[:2]):
            best = (dated, score, index)
    return best[2] if best else None


def score(rows: Sequence[Row]) -> float:
    """How well a table's headings are understood; chooses between delimiters."""
    best = 0
    for row in rows[:40]:
        names = {words.plain(c.text) for c in row.cells}
        best = max(best, _understood(row), len(names & {"time", "dv", "amt", "id", "evid", "mdv", "dvid"}))
    return float(best)


def signature(headings: Sequence[str]) -> str:
    """Twelve letters that stand for a row of headings."""
    joined = "\n".join(words.plain(h) for h in headings).strip()
    return hashlib.sha256(joined.encode("utf-8")).hexdigest()[:12]


def is_nonmem(row: Row) -> bool:
    """Whether a row holds the headings of a NONMEM data set."""
    names = {c.text.strip().upper().lstrip("#") for c in row.cells}
    return "TIME" in names and "DV" in names and bool(names & {"AMT", "EVID", "MDV"})


def lay_out(table: Table, desk: Desk) -> Layout:
    """How the table is built, with what a person told about single columns. Asks about columns nobody understands."""
    for index, row in enumerate(table.rows[:40]):
        if is_nonmem(row):
            plain_columns = tuple(
                Column(i, c.text.strip(), c.text.strip().upper().lstrip("#")) for i, c in enumerate(row.cells)
            )
            shape = signature([c.text for c in row.cells])
            return Layout("NONMEM", index, plain_columns, table.rows[:index], shape)
    head = find_head(table.rows)
    told_without_head = head is None and any(k.startswith((f"{table.name}.column.", "column.")) for k in desk.given)
    width = max((len(r.cells) for r in table.rows), default=0)
    if head is None:
        first = next((i for i, r in enumerate(table.rows) if not r.blank), 0)
        headed = told_without_head and not _has_data(table.rows[first])
        head = first if headed else None
        headings = [c.text.strip() for c in table.rows[first].cells] if headed else [""] * width
    else:
        headings = [c.text.strip() for c in table.rows[head].cells]
    headings += [""] * (width - len(headings))
    shape = signature(headings if head is not None else [f"no heading, {width} columns"])
    columns = tuple(column(i, h) for i, h in enumerate(headings))
    columns = _told(table, columns, shape, desk)
    columns = _one_date(columns)
    if head is not None or told_without_head:
        columns = _ask_about(table, columns, head, shape, desk)
    titles = tuple(r for r in table.rows[: head or 0])
    return Layout(_kind(columns), head, columns, titles, shape)


def _has_data(row: Row) -> bool:
    return any(dates.read_date(c.text).form in (dates.Form.KNOWN, dates.Form.NUMBERS) for c in row.cells)


def _names(found: Column) -> tuple[str, ...]:
    """How a person may name a column in an answer: by its heading or its number."""
    return (*((found.heading,) if found.heading else ()), str(found.index + 1))


def _told(table: Table, columns: tuple[Column, ...], shape: str, desk: Desk) -> tuple[Column, ...]:
    """The columns with the meanings that were told, now or at an earlier import."""
    result = []
    for found in columns:
        for name in _names(found):
            key = f"column.{name}"
            remembered = desk.past.shapes.get(shape, {}).get(key)
            if remembered is None and key not in desk.given and f"{table.name}.{key}" not in desk.given:
                continue
            answer = desk.ask(
                key,
                About(table.name, shape),
                place=f"{table.name}, column {name}",
                ask=f"What does column '{name}' hold?",
                choices=(*ROLES_TO_TELL, "<one of these with hand, unit or try, e.g. grip right kg>"),
                accept=lambda a: _from_words(0, "", a) is not None,
            )
            told = _from_words(found.index, found.heading, answer) if answer else None
            found = told or found
        result.append(found)
    return tuple(result)


def _from_words(index: int, heading: str, answer: str) -> Column | None:
    """A column told in words: "grip right kg", "date", "leave out"."""
    bare = words.plain(answer)
    if bare in ("leave out", "nothing", "ignore", "skip"):
        return Column(index, heading, "leave out")
    if bare.replace(" ", "_") in words.headings():
        return Column(index, heading, bare.replace(" ", "_"))
    found = column(index, answer)
    return replace(found, heading=heading) if found.role is not None else None


def _one_date(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    """Keep one date column as the day of the fact: the day of giving before a plain date before a day of issue.

    The other date columns become notes, so that nothing written in them is lost.
    """
    dated = [c for role in DATE_ROLES for c in columns if c.role == role]
    if not dated:
        return (
            tuple(
                replace(c, role="date_time")
                if c.role == "start" and not any(d.role == "start" for d in columns[: c.index])
                else c
                for c in columns
            )
            if not any(c.role == "time" for c in columns)
            else columns
        )
    return tuple(replace(c, role="note") if c.role in DATE_ROLES and c is not dated[0] else c for c in columns)


def _ask_about(
    table: Table, columns: tuple[Column, ...], head: int | None, shape: str, desk: Desk
) -> tuple[Column, ...]:
    """Ask what a column holds that nobody understands and that is not empty; its text counts as a note meanwhile."""
    result = []
    body = table.rows[(head + 1 if head is not None else 0) :]
    last = max((c.index for c in columns if c.heading), default=len(columns))
    overflow: list[Row] = []
    for found in columns:
        texts = [r.text(found.index) for r in body]
        if found.role is None and head is not None and found.index > last:
            overflow += [r for r in body if not words.is_missing(r.text(found.index))]
            found = replace(found, role="note" if columns[last].role == "note" else "leave out")
        elif found.role is None and any(not words.is_missing(t) for t in texts):
            name = found.heading or str(found.index + 1)
            example = next(t for t in texts if not words.is_missing(t))
            answer = desk.ask(
                f"column.{name}",
                About(table.name, shape),
                place=f"{table.name}, column {found.index + 1}",
                ask=f"What does column '{name}' hold?",
                choices=("note", "leave out", "<a meaning, e.g. grip right kg, igg, dose, date, time>"),
                because=f"the heading is not understood; its first entry is '{example[:40]}'",
                accept=lambda a: _from_words(0, "", a) is not None,
            )
            told = _from_words(found.index, found.heading, answer) if answer else None
            found = told or replace(found, role="note")
        elif found.role is None:
            found = replace(found, role="leave out")
        result.append(found)
    if overflow and columns[last].role != "note":
        desk.mend(
            table.place(overflow[0].line),
            f"{len({r.line for r in overflow})} rows have more cells than there are headings",
            "If numbers are written with a decimal comma, export with semicolons; else put texts with commas in quotes.",
            overflow[0].line,
        )
    return tuple(result)


def _kind(columns: tuple[Column, ...]) -> str:
    """What kind of table the columns make."""
    roles = {c.role for c in columns}
    dated = bool(roles & {*DATE_ROLES, "start"})
    grip, infusion = (
        "grip" in roles,
        bool(roles & {"product", "dose"} or {"quantity", "lot"} <= roles or {"volume", "lot"} <= roles),
    )
    level = bool(roles & {"igg", "blood_test"})
    if not dated:
        return "unknown"
    if (grip or level) and infusion:
        return "day unit sheet"
    if grip:
        return "grip diary"
    if "test" in roles and "value" in roles:
        return "laboratory list"
    if infusion:
        return "infusion list"
    if level:
        return "laboratory list"
    return "weights" if "weight" in roles else "unknown"
