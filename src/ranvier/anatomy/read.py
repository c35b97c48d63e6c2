"""Read an examination: from a record, from a small YAML or JSON file, or from a table (CSV). All problems at once."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from ranvier.anatomy.load import load
from ranvier.anatomy.names import Names
from ranvier.anatomy.nouns import GRADES, Anatomy, Examination, StrengthFinding
from ranvier.ground.notes import InputError, Problem, Severity, must_mend
from ranvier.record.text import parse, place

SIDES: Mapping[str, tuple[str, ...]] = {
    "left": ("left",), "l": ("left",), "right": ("right",), "r": ("right",),
    "both": ("left", "right"), "bilateral": ("left", "right"), "l/r": ("left", "right"), "r/l": ("left", "right"),
    "links": ("left",), "rechts": ("right",), "li": ("left",), "re": ("right",), "gauche": ("left",), "g": ("left",),
    "droite": ("right",), "droit": ("right",), "d": ("right",), "beidseits": ("left", "right"),
}  # fmt: skip
NOT_TESTED = frozenset(("", "nt", "not tested", "n/a", "na", "-", "?", "."))
LARGEST = 400_000  # characters; two thousand grades are a tenth of it
MUSCLE_KEYS = ("muscle", "movement", "group")
GRADE_KEYS = ("mrc", "grade", "strength")
# What the same columns are called in German, Dutch and French tables; muscles themselves have Latin names everywhere.
MUSCLE_HEADS = (*MUSCLE_KEYS, "muscles", "muskel", "spier")
GRADE_HEADS = (*GRADE_KEYS, "mrc grade", "kraft", "kraftgrad", "kracht", "force")
SIDE_HEADS = ("side", "seite", "zijde", "kant", "côté", "cote")
HOW = "Write each grade as muscle, side and MRC, as in: {muscle: FDI, side: right, mrc: 4-}"


@dataclass(frozen=True)
class _Entry:
    """One grade as written, with its place."""

    place: str
    line: int | None
    muscle: Any
    side: Any
    grade: Any


def read_text(text: str, name: str, anatomy: Anatomy | None = None) -> tuple[Examination, tuple[Problem, ...]]:
    """An examination from the text of a small file, and what deserves a look.

    A table has the columns muscle, side and MRC, or muscle, left and right. A YAML or JSON file is a list of
    ``{muscle, side, mrc}``, or has it under ``findings``, or has ``left`` and ``right`` with muscle: grade below.

    Raises InputError with every problem if one must be mended.
    """
    anatomy = anatomy or load()
    if len(text) > LARGEST:
        raise _refusal(name, [Problem("file", "is too long for one examination", "Give one examination per file.")])
    problems: list[Problem] = []
    on: date | None = None
    if name.lower().endswith((".csv", ".tsv", ".txt")):
        entries = list(_table(text, problems))
    else:
        document, found = parse(text, name, frozenset(("muscle", "side", "mrc", "grade", "on", "date")))
        problems += found
        entries, on = _plain(document.data, document.line, problems)
    if not entries and not problems:
        problems.append(Problem("file", "holds no grade", HOW))
    return _examination(entries, on, anatomy, problems, name)


def read_findings(
    data: Mapping[str, Any], anatomy: Anatomy | None = None, *, at: str = "examination"
) -> tuple[Examination, tuple[Problem, ...]]:
    """One entry of a record's `examinations` (already of the right shape); raises and returns as `read_text`."""
    entries = [
        _Entry(f"{at}.findings[{i}]", None, f.get("muscle"), f.get("side"), f.get("mrc"))
        for i, f in enumerate(data.get("findings") or ())
    ]
    on = date.fromisoformat(str(data["on"])[:10]) if data.get("on") else None
    return _examination(entries, on, anatomy or load(), [], at)


def _refusal(name: str, problems: Sequence[Problem]) -> InputError:
    """All problems in the order of the file."""
    return InputError(f"{name} cannot be used yet.", tuple(sorted(problems, key=lambda p: p.line or 0)))


def _table(text: str, problems: list[Problem]) -> Iterator[_Entry]:
    if not text.strip("\ufeff \r\n\t"):
        problems.append(
            Problem("file", "is empty", "Write a line of headings (muscle, side, mrc), then one grade per line.")
        )
        return
    first = text.lstrip("\ufeff").split("\n", 1)[0]
    separator = max(",;\t", key=first.count)
    if "\x00" in text:
        problems.append(Problem("file", "is not a text table", "Save it as CSV in UTF-8."))
        return
    try:
        rows = list(csv.reader(io.StringIO(text.lstrip("\ufeff")), delimiter=separator, strict=True))
    except csv.Error as error:
        problems.append(Problem("file", f"is not a table: {error}", "Save it as CSV: muscle,side,mrc."))
        return
    head = [cell.strip().lower() for cell in rows[0]] if rows else []
    muscle = next((head.index(k) for k in MUSCLE_HEADS if k in head), None)
    grade = next((head.index(k) for k in GRADE_HEADS if k in head), None)
    side = next((head.index(k) for k in SIDE_HEADS if k in head), None)
    wide = [(i, SIDES[cell][0]) for i, cell in enumerate(head) if len(SIDES.get(cell, ())) == 1]
    if muscle is None or not ((grade is not None and side is not None) or wide):
        shown = ", ".join(head)[:80] or "nothing"
        problems.append(
            Problem(
                "line 1", f"the columns are {shown}", "Name them muscle, side, mrc; or muscle, left, right.", line=1
            )
        )
        return
    for number, row in enumerate(rows[1:], start=2):
        cells = [c.strip() for c in row]
        if not any(cells):
            continue
        if len(cells) != len(head):
            problems.append(
                Problem(
                    f"line {number}",
                    f"has {len(cells)} cells, the first line {len(head)}",
                    "Fill in what is missing, or leave the cell empty.",
                    line=number,
                )
            )
            continue
        if wide:
            for column, which in wide:
                yield _Entry(f"line {number}, {which}", number, cells[muscle], which, cells[column])
        elif grade is not None and side is not None:
            yield _Entry(f"line {number}", number, cells[muscle], cells[side], cells[grade])


def _plain(data: Any, line: Any, problems: list[Problem]) -> tuple[list[_Entry], date | None]:
    """Entries of a YAML or JSON file, and its day."""
    on: date | None = None
    path: tuple[str | int, ...] = ()
    if isinstance(data, Mapping) and isinstance(data.get("examination"), Mapping | list):
        data, path = data["examination"], ("examination",)
    if isinstance(data, Mapping):
        told = data.get("on", data.get("date"))
        if told is not None:
            try:
                on = date.fromisoformat(str(told))
            except ValueError:
                problems.append(
                    Problem(
                        place((*path, "on")),
                        f"'{str(told)[:40]}' is not a day",
                        "Write year-month-day, as in 2026-03-14.",
                    )
                )
    entries: list[_Entry] = []

    def listed(items: Any, at: tuple[str | int, ...]) -> None:
        for i, item in enumerate(items):
            here = (*at, i)
            if not isinstance(item, Mapping):
                problems.append(Problem(place(here), "is no grade", HOW, line=line(here)))
                continue
            strange = sorted(str(k) for k in item if k not in (*MUSCLE_KEYS, *GRADE_KEYS, "side", "note"))
            if strange:
                problems.append(Problem(place(here), f"'{strange[0][:40]}' is not known here", HOW, line=line(here)))
            entries.append(
                _Entry(
                    place(here),
                    line(here),
                    next((item[k] for k in MUSCLE_KEYS if k in item), None),
                    item.get("side"),
                    next((item[k] for k in GRADE_KEYS if k in item), _MISSING),
                )
            )

    if isinstance(data, list):
        listed(data, path)
    elif isinstance(data, Mapping):
        if isinstance(data.get("findings"), list):
            listed(data["findings"], (*path, "findings"))
        for key, below in data.items():
            sides = SIDES.get(str(key).strip().lower())
            if sides and isinstance(below, Mapping):
                for muscle, grade in below.items():
                    here = (*path, str(key), str(muscle))
                    entries += [_Entry(place(here), line(here), muscle, str(key), grade)]
            elif key not in ("on", "date", "by", "findings", "note", "invented"):
                problems.append(
                    Problem(
                        place((*path, str(key))),
                        f"'{str(key)[:40]}' is not known here",
                        HOW,
                        line=line((*path, str(key))),
                    )
                )
    else:
        problems.append(Problem("file", "is no list of grades", HOW, line=1))
    return entries, on


_MISSING: Any = object()


def _examination(
    entries: Iterable[_Entry], on: date | None, anatomy: Anatomy, problems: list[Problem], name: str
) -> tuple[Examination, tuple[Problem, ...]]:
    names = Names(anatomy)
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for entry in entries:
        muscle = _muscle(entry, names, problems)
        sides = _sides(entry, problems)
        grade = _grade(entry, problems)
        if muscle is None or sides is None or grade is None:
            continue
        for side in sides:
            before = found.get((muscle, side))
            if before is None:
                found[muscle, side] = (grade, entry.place)
            elif before[0] != grade:
                problems.append(
                    Problem(
                        entry.place,
                        f"{names.name(muscle)} on the {side} is {grade} here and {before[0]} at {before[1]}",
                        "Keep the one that was found.",
                        line=entry.line,
                    )
                )
            else:
                problems.append(
                    Problem(
                        entry.place,
                        f"{names.name(muscle)} on the {side} is given twice, both {grade}",
                        "Kept once.",
                        Severity.LOOK,
                        entry.line,
                    )
                )
    if must_mend(tuple(problems)):
        raise _refusal(name, problems)
    order = {id: i for i, id in enumerate((*anatomy.muscles, *anatomy.groups))}
    findings = tuple(
        StrengthFinding(muscle, side, grade)
        for (muscle, side), (grade, _) in sorted(found.items(), key=lambda item: (order[item[0][0]], item[0][1]))
    )
    return Examination(findings, on), tuple(problems)


def _muscle(entry: _Entry, names: Names, problems: list[Problem]) -> str | None:
    text = entry.muscle
    if not isinstance(text, str) or not text.strip():
        problems.append(Problem(entry.place, "names no muscle", HOW, line=entry.line))
        return None
    id = names.find(text)
    if id is None:
        near = names.near(text)
        remedy = f"Did you mean {' or '.join(near)}?" if near else "`ranvier localise --muscles` lists all names."
        problems.append(Problem(entry.place, f"no muscle or movement is called '{text[:60]}'", remedy, line=entry.line))
    return id


def _sides(entry: _Entry, problems: list[Problem]) -> tuple[str, ...] | None:
    sides = SIDES.get(entry.side.strip().lower()) if isinstance(entry.side, str) else None
    if sides is None:
        shown = "no side is given" if entry.side in (None, "") else f"'{str(entry.side)[:40]}' is not a side"
        problems.append(Problem(entry.place, shown, "Write left, right or both.", line=entry.line))
    return sides


def _grade(entry: _Entry, problems: list[Problem]) -> str | None:
    """The grade; None where it was not tested, or cannot be read (then with a problem)."""
    if entry.grade is _MISSING:
        problems.append(Problem(entry.place, "has no grade", HOW, line=entry.line))
        return None
    if entry.grade is None:
        return None
    text = (
        entry.grade
        if isinstance(entry.grade, str)
        else f"{entry.grade:g}"
        if isinstance(entry.grade, int | float) and not isinstance(entry.grade, bool)
        else str(entry.grade)
    )
    text = text.strip().lower().translate({0x2212: "-", 0x2013: "-", 0xFF0B: "+"})
    if text in NOT_TESTED:
        return None
    text = re.sub(r"^(m|mrc)\s*(?=[0-5])", "", text)
    text = re.sub(r"\s*/\s*5$", "", text).replace(" ", "")
    if text in GRADES:
        return text
    remedy = "Write 0 to 5, or 4-, 4, 4+, 5-; leave out what was not tested."
    if re.fullmatch(r"[0-4][.,]\d+", text):
        whole = text[0]
        remedy = f"Halves are not MRC grades: write {whole}+ or {int(whole) + 1}-, as the examiner meant it."
    elif text == "5+":
        remedy = "The highest grade is 5."
    elif re.fullmatch(r"-?\d+", text):
        remedy = "MRC grades run from 0 (nothing) to 5 (full). Another scale cannot be turned into them."
    problems.append(Problem(entry.place, f"'{str(entry.grade)[:40]}' is not an MRC grade", remedy, line=entry.line))
    return None
