"""Bytes to rows: encodings, delimiters, spreadsheets. Every cell stays as it was written, every row keeps its line."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import openpyxl

from ranvier.ground.notes import InputError, Problem

LARGEST_FILE = 20_000_000  # bytes; a diary of twenty years is a hundredth of it
LARGEST_UNPACKED = 200_000_000
MOST_ROWS = 200_000
DELIMITERS = {";": "semicolon", "\t": "tab", ",": "comma", "|": "bar"}


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell as text. kind: ``text``, or from a spreadsheet ``number``, ``date``, ``time``, ``unknown formula``."""

    text: str
    kind: str = "text"


@dataclass(frozen=True, slots=True)
class Row:
    """One row and the line (from 1) on which it begins."""

    line: int
    cells: tuple[Cell, ...]

    @property
    def blank(self) -> bool:
        """Whether nothing at all is written in the row."""
        return not any(c.text.strip() for c in self.cells)

    def text(self, column: int) -> str:
        """The text of a column, blank where the row is too short."""
        return self.cells[column].text if column < len(self.cells) else ""

    @property
    def key(self) -> str:
        """The whole row as one text, without the empty cells at its end."""
        return "|".join(c.text.strip() for c in self.cells).rstrip("|")


@dataclass(frozen=True, slots=True)
class Table:
    """One table of one file. `said` holds what the reader noticed while opening it."""

    file: str
    sheet: str | None
    encoding: str
    delimiter: str
    rows: tuple[Row, ...]
    said: tuple[str, ...] = ()
    since_1904: bool = False

    @property
    def name(self) -> str:
        """The file, with the sheet where there are several."""
        return f"{self.file}.{self.sheet}" if self.sheet else self.file

    def place(self, line: int, column: str = "") -> str:
        """A place in words a person finds again: ``grip.csv line 34, right``."""
        kind = "row" if self.delimiter == "spreadsheet" else "line"
        return f"{self.name} {kind} {line}" + (f", {column}" if column else "")


def refuse(file: str, what: str, remedy: str) -> InputError:
    """The error for a file that is no readable table."""
    return InputError(f"{file} cannot be read.", (Problem(file, what, remedy),))


def read_tables(file: str, data: bytes, score: Callable[[Sequence[Row]], float]) -> tuple[Table, ...]:
    """All tables of a file: one for text, one per sheet with content for a spreadsheet.

    score : how well the rows' headings are understood; decides between delimiters

    Raises InputError when the bytes are no table.
    """
    if not data.strip():
        raise refuse(file, "the file is empty", "Export it again, or name the right file.")
    if len(data) > LARGEST_FILE:
        raise refuse(
            file, f"{len(data)} bytes are more than one person's table can need", "Export only this person's rows."
        )
    if data[:4] == b"PK\x03\x04":
        return _workbook(file, data)
    known = {
        b"\xd0\xcf\x11\xe0": "an old spreadsheet (.xls)",
        b"%PDF": "a PDF",
        b"\x89PNG": "a picture",
        b"\xff\xd8\xff\xe0": "a picture",
    }
    for magic, kind in known.items():
        if data.startswith(magic):
            raise refuse(file, f"this is {kind}, not a table that can be read", "Open it and save it as XLSX or CSV.")
    text, encoding, said = decode(file, data)
    head = text.lstrip()[:15].casefold()
    if head.startswith(("<!doctype", "<html", "<?xml", "<table")):
        raise refuse(
            file,
            "this is a web page or XML, whatever its name says",
            "Open it in a spreadsheet and save it as XLSX or CSV.",
        )
    return (_text_table(file, text, encoding, said, score),)


def decode(file: str, data: bytes) -> tuple[str, str, tuple[str, ...]]:
    """The text of the bytes, the encoding, and what had to be assumed. Raises InputError for binary rubbish."""
    for mark, name in (
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe\x00\x00", "utf-32"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if data.startswith(mark):
            return _strict(file, data, name), name, ()
    if b"\x00" in data:
        even, odd = data[0::2].count(0), data[1::2].count(0)
        enough = len(data) / 10  # letters of our languages have a zero in every second byte
        name = "utf-16-le" if odd > max(4 * even, enough) else "utf-16-be" if even > max(4 * odd, enough) else ""
        if not name:
            raise refuse(file, "the file holds bytes that no text has", "Save it as XLSX or CSV.")
        return _strict(file, data, name), name, ()
    try:
        text, name = data.decode("utf-8"), "utf-8"
        said: tuple[str, ...] = ()
    except UnicodeDecodeError:
        text, name, said = _one_byte(data)
    if sum(1 for c in text if ord(c) < 32 and c not in "\t\r\n\f\x1a\x0b") > len(text) / 100:
        raise refuse(file, "the file holds bytes that no text has", "Save it as XLSX or CSV.")
    return text.rstrip("\x1a"), ("ascii" if text.isascii() and name == "utf-8" else name), said


def _strict(file: str, data: bytes, name: str) -> str:
    try:
        return data.decode(name).lstrip("\ufeff")
    except UnicodeDecodeError:
        raise refuse(
            file, f"the file begins as {name} but does not go on so", "Save it again as CSV in UTF-8."
        ) from None


def _one_byte(data: bytes) -> tuple[str, str, tuple[str, ...]]:
    """Text of the one-byte encodings. Letters outside ASCII may be wrong; digits never are."""
    try:
        text, name = data.decode("cp1252"), "cp1252"
    except UnicodeDecodeError:
        text, name = data.decode("cp850"), "cp850"
    return text, name, (f"not UTF-8: read as {name}; look at letters with accents, numbers are not affected",)


def _parse(text: str, delimiter: str) -> tuple[tuple[Row, ...], bool]:
    """The rows for one delimiter. True: a quotation mark was never closed, so quotes were taken as they stand."""
    for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_NONE):
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting)
        rows: list[Row] = []
        swallowed = False
        before = 0
        try:
            for cells in reader:
                rows.append(Row(before + 1, tuple(Cell(c) for c in cells)))
                before = reader.line_num
                swallowed = swallowed or any(c.count("\n") >= 2 and delimiter in c for c in cells)
        except csv.Error:
            swallowed = True
        if not swallowed or quoting == csv.QUOTE_NONE:
            return tuple(rows), quoting == csv.QUOTE_NONE
    return (), True


def _text_table(
    file: str, text: str, encoding: str, said: tuple[str, ...], score: Callable[[Sequence[Row]], float]
) -> Table:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    stated = re.match(r"^\"?sep=(.)\"?\n", text)
    best: tuple[float, float, str, tuple[Row, ...], bool] | None = None
    for delimiter in [stated[1]] if stated else DELIMITERS:
        rows, unclosed = _parse(text, delimiter)
        if stated:
            rows = rows[1:]
        candidate = (score(rows), _evenness(rows), delimiter, rows, unclosed)
        if best is None or candidate[:2] > best[:2]:
            best = candidate
    assert best is not None
    if best[0] < 2 and not stated:  # columns held apart by blanks only
        rows = tuple(
            Row(i, tuple(Cell(c) for c in line.split()))
            for i, line in enumerate(text.split("\n"), start=1)
            if line.strip()
        )
        if score(rows) >= 3 and _evenness(rows) > 0.5:
            return Table(file, None, encoding, "blanks", rows, said)
    _, _, delimiter, rows, unclosed = best
    if len(rows) > MOST_ROWS:
        raise refuse(
            file, f"{len(rows)} rows are more than one person's table can need", "Export only this person's rows."
        )
    if unclosed:
        said = (*said, "a quotation mark is never closed; quotation marks were taken as they stand")
    return Table(file, None, encoding, DELIMITERS.get(delimiter, repr(delimiter)), rows, said)


def _evenness(rows: Sequence[Row]) -> float:
    """Share of rows with the commonest number of cells, zero where that is one."""
    counts = [len(r.cells) for r in rows if not r.blank]
    if not counts:
        return 0.0
    common = max(set(counts), key=lambda n: (counts.count(n), n))
    return counts.count(common) / len(counts) if common > 1 else 0.0


def _workbook(file: str, data: bytes) -> tuple[Table, ...]:
    """The sheets of an XLSX file that hold anything. Formulas count with the value that was last computed."""
    remedy = "Open it in a spreadsheet and save it as XLSX or CSV."
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > LARGEST_UNPACKED:
                raise refuse(
                    file, "the file unpacks to more than one person's table can need", "Export only this person's rows."
                )
        values = openpyxl.load_workbook(io.BytesIO(data), data_only=True)
        formulas = openpyxl.load_workbook(io.BytesIO(data), data_only=False)
    except InputError:
        raise
    except Exception as error:  # openpyxl raises many kinds for damaged files; all mean the same to the user
        raise refuse(
            file, f"this is packed data but no readable spreadsheet ({type(error).__name__})", remedy
        ) from None
    since_1904 = getattr(values.epoch, "year", 1899) == 1904
    sheets = []
    for sheet in values.worksheets:
        if sheet.max_row * sheet.max_column > 5_000_000:
            raise refuse(
                file,
                f"sheet '{sheet.title}' is larger than one person's table can need",
                "Export only this person's rows.",
            )
        twin = formulas[sheet.title]
        rows = []
        for number, (cells, written) in enumerate(zip(sheet.iter_rows(), twin.iter_rows(), strict=False), start=1):
            row = Row(number, tuple(_cell(c.value, w.value) for c, w in zip(cells, written, strict=False)))
            rows.append(row)
        while rows and rows[-1].blank:
            rows.pop()
        if rows:
            hidden = ("the sheet is hidden",) if sheet.sheet_state != "visible" else ()
            sheets.append(Table(file, sheet.title, "xlsx", "spreadsheet", tuple(rows), hidden, since_1904))
    if not sheets:
        raise refuse(file, "the spreadsheet is empty", "Export it again, or name the right file.")
    if len(sheets) == 1:
        only = sheets[0]
        return (Table(file, None, only.encoding, only.delimiter, only.rows, only.said, since_1904),)
    return tuple(sheets)


def _cell(value: Any, written: Any) -> Cell:
    if value is None:
        uncomputed = isinstance(written, str) and written.startswith("=")
        return Cell(written, "unknown formula") if uncomputed else Cell("")
    if isinstance(value, bool):
        return Cell("TRUE" if value else "FALSE")
    if isinstance(value, int | float):
        return Cell(format(value, ".15g"), "number")
    if isinstance(value, datetime):
        if value.time() == time(0):
            return Cell(value.date().isoformat(), "date")
        return Cell(value.isoformat(sep=" ", timespec="seconds"), "date")
    if isinstance(value, date):
        return Cell(value.isoformat(), "date")
    if isinstance(value, time):
        return Cell(value.isoformat(timespec="seconds"), "time")
    if isinstance(value, timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return Cell(f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}", "time")
    return Cell(str(value))
