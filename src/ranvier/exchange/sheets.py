"""Tables as files: CSV with a dictionary, one spreadsheet, or Parquet. The same tables, the same bytes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping

from ranvier.exchange.share import Cell, Column, Table, Tables, dictionary

_RISKY = ("=", "+", "-", "@", "\t", "\r")


def csv_text(columns: Iterable[Column], rows: Iterable[Iterable[Cell]]) -> str:
    """A table as CSV: comma, point, UTF-8, nothing for what is not known.

    Words that a spreadsheet would take for a formula get an apostrophe in front.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([c.name for c in columns])
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "'" + value if value.startswith(_RISKY) else value
    return repr(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))


def about_text(title: str, about: Iterable[str]) -> str:
    """The page that goes with the tables."""
    lines = [title, "=" * len(title), "", *(f"- {sentence}" for sentence in about), ""]
    return "\n".join(lines)


def as_csv(found: Tables) -> dict[str, bytes]:
    """One file for each table that has rows, their dictionary, and what must be known about them."""
    files = {
        f"{t.name}.csv": csv_text(t.columns, t.rows).encode()
        for t in (*found.tables.values(), dictionary(found))
        if t.rows
    }
    return {**files, "ABOUT.txt": about_text("What is in these tables", found.about).encode()}


def as_xlsx(found: Tables) -> bytes:
    """One spreadsheet: what must be known first, then a sheet for each table, then the dictionary."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    first = book.create_sheet("about")
    for sentence in found.about:
        first.append([sentence])
    for table in (*found.tables.values(), dictionary(found)):
        if not table.rows:
            continue
        sheet = book.create_sheet(table.name[:31])
        sheet.append([c.name for c in table.columns])
        for row in table.rows:
            cells = []
            for value in row:
                cell = WriteOnlyCell(sheet, value=value)
                if isinstance(value, str):
                    cell.data_type = "s"  # words stay words: no formula is ever made of them
                cells.append(cell)
            sheet.append(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def as_parquet(found: Tables) -> dict[str, bytes]:
    """One Parquet file for each table; each column says in its metadata what it is and in which unit.

    The file's metadata hold `ranvier` (what must be known) and `columns` (name → what it says), as in tables of cohorts.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {"text": pa.string(), "number": pa.float64(), "whole": pa.int64(), "yes_no": pa.bool_()}
    files = {}
    for table in found.tables.values():
        if not table.rows:
            continue
        fields = [
            pa.field(c.name, kinds[c.kind], metadata={"says": c.says} | ({"unit": c.unit} if c.unit else {}))
            for c in table.columns
        ]
        says = {c.name: c.says for c in table.columns}
        metadata = {"ranvier": json.dumps({"table": table.name, "about": found.about}), "columns": json.dumps(says)}
        schema = pa.schema(fields, metadata=metadata)
        columns = [pa.array([_typed(row[i], f.type) for row in table.rows], f.type) for i, f in enumerate(fields)]
        sink = io.BytesIO()
        pq.write_table(pa.Table.from_arrays(columns, schema=schema), sink, compression="zstd")
        files[f"{table.name}.parquet"] = sink.getvalue()
    return files


def _typed(value: Cell, kind: object) -> Cell:
    return float(value) if isinstance(value, int) and not isinstance(value, bool) and str(kind) == "double" else value


def tables_of(files: Mapping[str, bytes]) -> dict[str, list[dict[str, str]]]:
    """The CSV tables as rows of words, for reading back."""
    return {
        name.removesuffix(".csv"): list(csv.DictReader(io.StringIO(data.decode())))
        for name, data in files.items()
        if name.endswith(".csv")
    }


def of_rows(name: str, says: str, columns: tuple[Column, ...], rows: Iterable[tuple[Cell, ...]]) -> Table:
    """A table from its rows."""
    return Table(name, says, columns, list(rows))
