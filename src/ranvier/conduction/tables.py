"""Bytes to rows: CSV in any usual encoding and delimiter, or the sheets of an XLSX file. Cells stay as they were written."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ranvier.ground.notes import InputError, Problem

LARGEST = 10_000_000  # bytes; a study is a thousandth of it
LARGEST_UNPACKED = 100_000_000
MOST_ROWS = 20_000
TITLE = "This conduction study cannot be used yet."


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the line (from 1) and its cells as text."""

    line: int
    cells: tuple[str, ...]

    @property
    def filled(self) -> tuple[str, ...]:
        """The cells that hold anything."""
        return tuple(c for c in self.cells if c.strip())


@dataclass(frozen=True, slots=True)
class Table:
    """One table; `name` is the file, with the sheet where there are several."""

    name: str
    rows: tuple[Row, ...]


def refuse(file: str, what: str, remedy: str) -> InputError:
    """The error for a file that is no readable table."""
    return InputError(TITLE, (Problem(file, what, remedy),))


def tables(file: str, data: bytes, score: Callable[[Sequence[Row]], float]) -> tuple[Table, ...]:
    """All tables of a file.

    score : how well the rows' headings are understood; decides between delimiters

    Raises InputError when the bytes are no table.
    """
    if not data.strip():
        raise refuse(file, "the file is empty", "Export it again, or name the right file.")
    if len(data) > LARGEST:
        raise refuse(file, "the file is larger than a conduction study can be", "Export only this person's study.")
    if data[:4] == b"PK\x03\x04":
        return _workbook(file, data)
    for magic, kind in (
        (b"\xd0\xcf\x11\xe0", "an old spreadsheet (.xls) or document"),
        (b"%PDF", "a PDF"),
        (b"\x89PNG", "a picture"),
        (b"\xff\xd8\xff", "a picture"),
        (b"{\\rtf", "a text document (RTF)"),
    ):
        if data.startswith(magic):
            raise refuse(file, f"this is {kind}, not a table", "Open it and save the table as XLSX or CSV.")
    text = decode(file, data)
    if text.lstrip()[:9].casefold().startswith(("<!doctype", "<html", "<?xml", "<table")):
        raise refuse(file, "this is a web page or XML", "Open it in a spreadsheet and save it as XLSX or CSV.")
    if (lines := text.count("\n")) > 2 * MOST_ROWS:  # before the work of cutting it into cells
        raise refuse(file, f"{lines} rows are more than a conduction study has", "Export only this person's study.")
    best: tuple[float, int, tuple[Row, ...]] | None = None
    for delimiter in (";", "\t", ",", "|"):
        rows = _rows(text, delimiter)
        candidate = (score(rows), max((len(r.cells) for r in rows), default=0), rows)
        if best is None or candidate[:2] > best[:2]:
            best = candidate
    assert best is not None
    if len(best[2]) > MOST_ROWS:
        raise refuse(
            file, f"{len(best[2])} rows are more than a conduction study has", "Export only this person's study."
        )
    return (Table(file, best[2]),)


def decode(file: str, data: bytes) -> str:
    """The text of the bytes. Raises InputError for binary rubbish."""
    for mark, name in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            try:
                return data.decode(name)
            except UnicodeDecodeError:
                raise refuse(
                    file, f"the file begins as {name} but does not go on so", "Save it as CSV in UTF-8."
                ) from None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    if sum(ord(c) < 32 and c not in "\t\r\n\f\x0b" for c in text) > len(text) / 100:
        raise refuse(file, "the file holds bytes that no text has", "Save it as XLSX or CSV.")
    return text


def _rows(text: str, delimiter: str) -> tuple[Row, ...]:
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_NONE):
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting)
        rows, before, swallowed = [], 0, False
        try:
            for cells in reader:
                rows.append(Row(before + 1, tuple(cells)))
                before = reader.line_num
                swallowed = swallowed or any(c.count("\n") > 1 for c in cells)
        except csv.Error:
            swallowed = True
        if not swallowed:
            return tuple(rows)
    return tuple(Row(i, (line,)) for i, line in enumerate(text.split("\n"), start=1))


def _workbook(file: str, data: bytes) -> tuple[Table, ...]:
    import openpyxl  # only where a spreadsheet is read: it takes a while to import

    remedy = "Open it in a spreadsheet and save it as XLSX or CSV."
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            size = sum(entry.file_size for entry in packed.infolist())
        if size > LARGEST_UNPACKED:
            raise refuse(file, "the file unpacks to more than a study can need", "Export only this person's study.")
        book = openpyxl.load_workbook(io.BytesIO(data), data_only=True, read_only=True)
        found = []
        for sheet in book.worksheets:
            rows = []
            for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
                if number > MOST_ROWS:
                    raise refuse(file, f"sheet '{sheet.title}' has too many rows", "Export only this person's study.")
                row = Row(number, tuple(_text(c) for c in cells))
                if row.filled:
                    rows.append(row)
            if rows:
                found.append((sheet.title, tuple(rows)))
    except InputError:
        raise
    except Exception as error:  # the library raises many kinds for damaged files; all mean the same to the user
        raise refuse(
            file, f"this is packed data but no readable spreadsheet ({type(error).__name__})", remedy
        ) from None
    if not found:
        raise refuse(file, "the spreadsheet is empty", "Export it again, or name the right file.")
    return tuple(Table(file if len(found) == 1 else f"{file}.{title}", rows) for title, rows in found)


def _text(value: object) -> str:
    if value is None:
        return ""
    return format(value, ".12g") if isinstance(value, float) else str(value)
