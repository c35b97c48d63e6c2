"""Grip values from rows: hands in columns or in a column of hands, tries, units in headings or cells, values to doubt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from statistics import fmean, median
from typing import Any

from ranvier.exchange import words
from ranvier.exchange.found import Fact, day
from ranvier.exchange.numbers import Number
from ranvier.exchange.rows import Dated, Reading
from ranvier.exchange.tables import Row
from ranvier.exchange.understand import Column

DEVICES = ("jamar", "digital_grip", "vigorimeter", "unknown")
UNITS = ("kg", "lb", "kPa", "N")
MOST_QUESTIONS = 10  # more cells of one column than this are not asked one by one if they are the rule


class Strength:
    """The grip values of one table."""

    def __init__(self, reading: Reading, rows: Sequence[Dated]) -> None:
        self.reading = reading
        self.columns = reading.layout.of("grip")
        self.stated = " ".join([*(r.key for r in reading.layout.titles), *(c.heading for c in self.columns)])
        self.place = self._place()
        self.cell_units = self._cell_units([d.row for d in rows]) if self.columns else set()
        self.hand_column = reading.layout.first("hand")
        self.found: list[Fact] = []
        self.open_lines: set[int] = set()
        self.unreadable = {c.index for c in self.columns if self._mostly_words([d.row for d in rows], c)}

    def _place(self) -> str | None:
        """Home or clinic, if a title or heading says it; else it may be told but is never required."""
        said = words.mentioned("places", " ".join([*(r.key for r in self.reading.layout.titles)]))
        if len(said) == 1:
            return said[0]
        if not self.columns:
            return None
        answer = self.reading.ask(
            "place", "Was this measured at home or in a clinic?", ("home", "clinic", "not known"), must=False
        )
        return answer if answer in ("home", "clinic") else None

    def _cell_units(self, rows: Sequence[Row]) -> set[str | None]:
        """The units written behind the values; None stands for values without one."""
        units: set[str | None] = set()
        for row in rows:
            for column in self.columns:
                number = self.reading.number(row, column.index)
                if number is not None:
                    units.add(words.unit("grip", number.rest) if number.rest else None)
        return units

    def _mostly_words(self, rows: Sequence[Row], column: Column) -> bool:
        """Whether most cells of a column hold no number: then the column is mended, not asked cell by cell."""
        texts = [r for r in rows if not words.is_missing(r.text(column.index))]
        bad = [r for r in texts if self.reading.number(r, column.index) is None]
        if len(bad) <= MOST_QUESTIONS or 2 * len(bad) <= len(texts):
            return False
        example = bad[0].text(column.index).strip()[:40]
        self.reading.desk.mend(
            self.reading.table.place(bad[0].line, column.heading),
            f"{len(bad)} of {len(texts)} cells of this column hold no number, first '{example}'",
            f"Mend the column, or say what it holds: --answer '{self.reading.table.name}.column.{column.heading}=note'.",
        )
        return True

    def unit(self, column: Column, row: Row) -> str:
        """The unit of a value: a column of units, its heading, a title, every single cell, or the answer to a question."""
        told = self.reading.layout.first("unit")
        stated = words.unit("grip", row.text(told.index)) if told else None
        if stated:
            return stated
        if column.unit:
            return column.unit
        others = {c.unit for c in self.columns if c.unit}
        if len(others) == 1:
            return next(iter(others)) or ""
        titled, _ = words.unit_within("grip", " ".join(r.key for r in self.reading.layout.titles))
        if titled:
            return titled
        if len(self.cell_units) == 1 and None not in self.cell_units:
            return next(iter(self.cell_units)) or ""
        some = sorted(str(u) for u in self.cell_units if u)
        device = column.device or self.device_said()
        because = "neither heading nor title names a unit" + (f"; single cells say {', '.join(some)}" if some else "")
        because += f"; the device named is {device}" if device else ""
        answer = self.reading.ask("unit", f"In which unit is '{column.heading}'?", UNITS, because)
        return "[lb_av]" if answer == "lb" else answer or "?"

    def device_said(self) -> str | None:
        """The device that title, heading or a device column names."""
        said = words.mentioned("devices", self.stated)
        return said[0] if len(said) == 1 else None

    def device(self, row: Row, column: Column, unit: str) -> str:
        """The device of a value; asked once if nothing names it."""
        told = self.reading.layout.first("device")
        cell = row.text(told.index) if told else ""
        in_cell = words.mentioned("devices", cell)
        named = column.device or (in_cell[0] if len(in_cell) == 1 else None) or self.device_said()
        if named:
            return named
        name, about = "device", ""
        if not words.is_missing(cell):
            name, about = f"device.{words.plain(cell)}", f", called '{cell.strip()}'"
        choices = {"?": DEVICES, "kPa": ("vigorimeter", "unknown")}.get(unit, ("jamar", "digital_grip", "unknown"))
        if unit == "kPa":
            ask, because = f"Which device measured the grip in kPa{about}?", "no heading or title names the device"
        else:
            ask = f"Which device measured the grip{about}? jamar: hydraulic, with a dial; digital_grip: electronic."
            because = "kg and lb come from several kinds of devices"
        answer = self.reading.ask(name, ask, choices, because)
        return answer or "?"

    def hand(self, row: Row, column: Column) -> str | None:
        """The hand of a value: by heading, by the column of hands, or asked."""
        if column.side:
            return column.side
        if self.hand_column is None:
            answer = self.reading.ask(
                "hand",
                f"Which hand is '{column.heading}'?",
                ("right", "left"),
                "no heading and no column names the hand",
                remember=f"{self.reading.table.name}: hand",  # another file of this shape may be of the other hand
            )
            return answer or "?"
        written = row.text(self.hand_column.index).strip()
        known = words.meaning("hands", written) or words.meaning("hands_in_cells", written)
        if known:
            return known
        named = words.mentioned("hands", written)
        if len(named) == 1:
            return named[0]
        answer = self.reading.ask(
            f"hand.{written or 'blank'}",
            f"Which hand is '{written}'?" if written else "Which hand are rows without a hand of?",
            ("right", "left", "leave out"),
            f"first at {self.reading.table.place(row.line)}",
        )
        return answer or "?"

    # ---- rows to values

    def take(self, dated: Dated, note: str) -> bool:
        """Turn the grip cells of a row into facts. Whether the row said anything about grip."""
        said = False
        groups: dict[tuple[str | None, str | None], list[Column]] = {}
        for column in self.columns:
            if not words.is_missing(dated.row.text(column.index)):
                groups.setdefault((column.side, column.device), []).append(column)
        for columns in groups.values():
            said = True
            side = self.hand(dated.row, columns[0])
            if side == "leave out":
                self.reading.sheet.end(dated.row.line, "left out", "by answer")
                continue
            self._take_hand(dated, side, columns, note)
        return said

    def _take_hand(self, dated: Dated, side: str | None, columns: list[Column], note: str) -> None:
        several = any(c.attempt for c in self.columns if c.side == columns[0].side)
        values = [(c, n) for c in columns if (n := self.value(dated.row, c)) is not None]
        tries = [n for c, n in values if not c.summary]
        summaries = [(c, n) for c, n in values if c.summary]
        if not values:
            return
        column = values[0][0]
        if summaries:
            self._add(dated, side, summaries[0][0], summaries[0][1], [t.value for t in tries], note)
        elif several:
            self._add(dated, side, column, self._of_tries(tries), [t.value for t in tries], note)
        else:
            for one, number in values:
                extra = f"{one.heading}; {note}".strip("; ") if len(values) > 1 or one.daytime else note
                self._add(dated, side, one, number, [], extra)

    def _of_tries(self, tries: list[Number]) -> Number:
        """Mean or best of the tries, as the person says."""
        answer = self.reading.ask(
            "tries",
            "Several tries a day: does the mean or the best of them count?",
            ("mean", "best"),
            "the record keeps every try; one value a day takes part in the fit",
        )
        numbers = [t.value for t in tries]
        value = max(numbers) if answer == "best" else round(fmean(numbers), 3)
        return Number(value, below=all(t.below for t in tries))

    def value(self, row: Row, column: Column) -> Number | None:
        """The number in a cell; what is no plain number in the column's unit is asked, value by value."""
        cell = row.cells[column.index]
        number = self.reading.number(row, column.index)
        unit = self.unit(column, row)
        plain = False
        if number is not None:
            behind = words.unit("grip", number.rest) if number.rest else None
            fits = not number.rest or behind == unit or (behind is not None and unit == "?")
            plain = fits and not number.above and number.value >= 0
        if number is not None and plain:
            return number
        if column.index in self.unreadable:
            self.open_lines.add(row.line)
            return None
        name = column.heading or f"column {column.index + 1}"
        usable = (
            number is not None
            and not number.above
            and number.value >= 0
            and (unit == "?" or words.unit("grip", number.rest) in (None, unit))
        )
        why = (
            "a formula that was never computed"
            if cell.kind == "unknown formula"
            else f"'{cell.text.strip()[:40]}' is not a plain number in {_shown(unit)}"
        )
        if cell.kind == "date":
            why = f"the cell holds the date {cell.text}; spreadsheets make dates of numbers like 10.8"
        return self._asked(row, name, number if usable else None, why)

    def _asked(self, row: Row, name: str, kept: Number | None, why: str) -> Number | None:
        choices = (*(("keep",) if kept is not None else ()), "leave out", "<the right number>")
        answer = self.reading.ask_row(row, name, f"Which value is right for '{name}'?", choices, why, accept=is_number)
        if answer is None:
            self.open_lines.add(row.line)
            return None
        if answer == "leave out":
            self.reading.leave_out(row, name)
            return None
        if answer == "keep" and kept is not None:
            return replace(kept, rest="")
        return Number(to_number(answer))

    def _add(
        self, dated: Dated, side: str | None, column: Column, number: Number, tries: list[float], note: str
    ) -> None:
        unit = self.unit(column, dated.row)
        data: dict[str, Any] = {"value": number.value}
        if len(tries) > 1 or (tries and tries[0] != number.value):
            data["tries"] = tries
        if number.below:
            data["below"] = True
        if note:
            data["note"] = note
        series = (side, self.device(dated.row, column, unit), unit, self.place)
        place = self.reading.table.place(dated.row.line, column.heading)
        self.found.append(Fact("strength", dated.when, data, (dated.row.line,), place, series))
        self.reading.sheet.end(dated.row.line, "used")

    # ---- values to doubt

    def finish(self, rows: Sequence[Dated]) -> list[Fact]:
        """The facts, after asking about values far from their neighbours and about two values at one time."""
        by_line = {d.row.line: d.row for d in rows}
        facts: list[Fact] = []
        for series in dict.fromkeys(f.series for f in self.found):
            facts += self._one_at_a_time(self._doubted([f for f in self.found if f.series == series], by_line), by_line)
        for line in self.open_lines:
            if not any(line in f.lines for f in facts):
                self.reading.sheet.end(line, "open", "a value must be answered")
        return facts

    def _doubted(self, facts: list[Fact], rows: dict[int, Row]) -> list[Fact]:
        ordered = sorted(facts, key=lambda f: (day(f.when or datetime.min), f.lines))
        numbers = [float(f.data["value"]) for f in ordered]
        kept = []
        for i, fact in enumerate(ordered):
            near = numbers[max(0, i - 5) : i] + numbers[i + 1 : i + 6]
            why = doubt(numbers[i], near) if not fact.data.get("below") else None
            if why is None:
                kept.append(fact)
                continue
            row = rows[fact.lines[0]]
            name = fact.place.rpartition(", ")[2]
            was = Number(numbers[i])
            number = self._asked(row, name, was, why)
            if number is None:
                if row.line in self.open_lines:
                    kept.append(fact)  # still open: nothing is written yet
                continue
            data = {**fact.data, "value": number.value}
            if number.value != was.value:
                data = {k: v for k, v in data.items() if k != "tries"}
                data["note"] = f"written as {was.value:g}, corrected on import; {data.get('note', '')}".strip("; ")
            kept.append(replace(fact, data=data))
        return kept

    def _one_at_a_time(self, facts: list[Fact], rows: dict[int, Row]) -> list[Fact]:
        """Two different values of one hand at the same minute: ask what they are."""
        at: dict[datetime, list[Fact]] = {}
        result = []
        for fact in facts:
            if isinstance(fact.when, datetime):
                at.setdefault(fact.when, []).append(fact)
            else:
                result.append(fact)
        for group in at.values():
            distinct = {f.data["value"] for f in group}
            if len(group) == 1:
                result.append(group[0])
                continue
            if len(distinct) == 1:
                result.append(group[0])  # the same value twice says nothing new
                for extra in group[1:]:
                    self.reading.sheet.end(
                        extra.lines[0], "copy", f"the same value at the same time as line {group[0].lines[0]}"
                    )
                continue
            lines = ", ".join(str(f.lines[0]) for f in group)
            answer = self.reading.ask(
                "same_time",
                "Different values of one hand at the same minute: what counts?",
                ("mean", "best", "first", "last"),
                f"first at lines {lines} of {self.reading.table.name}; mean and best keep all as tries",
            )
            numbers = [float(f.data["value"]) for f in group]
            value = {"best": max(numbers), "first": numbers[0], "last": numbers[-1]}.get(
                answer or "mean", round(fmean(numbers), 3)
            )
            notes = "; ".join(dict.fromkeys(f.data["note"] for f in group if "note" in f.data))
            data: dict[str, Any] = {"value": value, "tries": numbers} | ({"note": notes} if notes else {})
            result.append(replace(group[0], data=data, lines=tuple(f.lines[0] for f in group)))
        return result


def doubt(value: float, near: Sequence[float]) -> str | None:
    """Why a value looks wrong among its neighbours in time, or None. A slip of the pen is a factor, not a bad week.

    >>> doubt(142.0, [16.2, 14.0, 19.0, 15.5])
    '142 stands among values of about 15.8; a lost decimal point would make it 14.2'
    """
    if len(near) < 4:
        return None
    middle = median(near)
    if middle <= 0:
        return None
    ratio = value / middle
    low, high = min(near), max(near)
    if value == 0 and low > 0 and low > middle / 3:
        return f"0 stands among values of about {middle:.3g}; was nothing measured?"
    if ratio >= 4 and value > 2 * high:
        slip = f"; a lost decimal point would make it {value / 10:g}" if 0.5 <= ratio / 10 <= 2 else ""
        return f"{value:g} stands among values of about {middle:.3g}{slip}"
    if 0 < ratio <= 0.25 and value < low / 2:
        slip = f"; a decimal point too early would make it {value * 10:g}" if 0.5 <= ratio * 10 <= 2 else ""
        return f"{value:g} stands among values of about {middle:.3g}{slip}"
    return None


def _shown(unit: str) -> str:
    return {"[lb_av]": "lb", "?": "the unit of the column"}.get(unit, unit)


def to_number(answer: str) -> float:
    """The number of an answer; a comma counts as a point."""
    return float(answer.replace(",", "."))


def is_number(answer: str) -> bool:
    """Whether an answer is a number that can be a value."""
    try:
        return 0 <= to_number(answer) < 1e6
    except ValueError:
        return False
