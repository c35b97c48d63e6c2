"""One table of the usual kinds to facts: every row is walked once and asked what it holds."""

from __future__ import annotations

from ranvier.exchange import dates, words
from ranvier.exchange.desk import Desk
from ranvier.exchange.found import Sheet
from ranvier.exchange.infusions import Infusions
from ranvier.exchange.laboratory import Laboratory
from ranvier.exchange.rows import Dated, Reading
from ranvier.exchange.strength import Strength
from ranvier.exchange.tables import Table
from ranvier.exchange.understand import Layout, column


def read_sheet(table: Table, layout: Layout, desk: Desk) -> Sheet:
    """The facts of a table, the fate of its rows, and (at the desk) what must be asked."""
    reading = Reading(table, layout, desk)
    rows = reading.body()
    reading.settle_decimals(rows)
    dated = reading.dated(rows)
    strength, infusions, laboratory = Strength(reading, dated), Infusions(reading), Laboratory(reading)
    for one in dated:
        note = _note(reading, one)
        infused = infusions.take(one, note)
        measured = laboratory.take(one, note)
        kept = "" if infused else _with_reaction(reading, one, note)
        gripped = strength.take(one, kept)
        if words.says_infusion(note):
            reading.sheet.infusion_notes.append((one.day, one.row.line, note))
        if not (infused or measured or gripped) or (measured and not infused and not gripped and note):
            reading.keep_note(one.row, one.day)
    sheet = reading.sheet
    for found in (infusions.found, infusions.drugs, laboratory.found, strength.found, sheet.facts):
        found[:] = [f for f in found if not reading.undated.intersection(f.lines)]
    sheet.infusion_notes = [n for n in sheet.infusion_notes if n[1] not in reading.undated]
    for line in reading.undated:
        sheet.fates.pop(line, None)
        sheet.end(line, "open", "its day must be answered")
    sheet.facts += infusions.finish(dated) + laboratory.finish(dated) + strength.finish(dated)
    for row in rows:  # whatever has no fate yet said nothing
        if row.line not in sheet.fates:
            sheet.end(row.line, "blank", "nothing but missing values")
    return sheet


def _note(reading: Reading, one: Dated) -> str:
    """The words of a row: its notes, and what stood in the column of times but is no time."""
    columns = [c for c in reading.layout.of("note") if not words.is_missing(one.row.text(c.index))]
    several = len(reading.layout.of("note")) > 1
    parts = []
    for found in columns:
        text = one.row.text(found.index).strip()
        bare = not found.heading or (not several and column(0, found.heading).role == "note")
        parts.append(text if bare else f"{found.heading}: {text}")
    if one.extra:
        parts.append(f"time: {one.extra}")
    return "; ".join(parts)[:3900]


def _with_reaction(reading: Reading, one: Dated, note: str) -> str:
    """Words of infusion columns in a row without infusion belong to the note."""
    loose = [c for c in reading.layout.of("reaction", "lot") if not words.is_missing(one.row.text(c.index))]
    return "; ".join([*(f"{c.heading}: {one.row.text(c.index).strip()}" for c in loose), *([note] if note else [])])


def is_day(text: str) -> bool:
    """Whether an answer is a full day, with or without a time."""
    found = dates.read_date(text)
    return (
        found.form is dates.Form.KNOWN
        and not found.short_year
        and dates.resolve(found, order=None, century=None) is not None
    )
