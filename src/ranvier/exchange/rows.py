"""From rows to dated rows: which rows hold facts, on which day and at what time. Shared by all kinds of tables."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, time, timedelta

from ranvier.exchange import dates, numbers, words
from ranvier.exchange.dates import DateText, Form, Order
from ranvier.exchange.desk import About, Desk
from ranvier.exchange.found import Fact, Sheet, When
from ranvier.exchange.tables import Row, Table
from ranvier.exchange.understand import DATE_ROLES, FACT_ROLES, Layout

SILENT_ROLES = (
    "hand",
    "counter",
    "unit",
    "reference",
    "leave out",
    "time",
    "test",
    "course",
    "patient",
    "device",
    "timing",
    "duration",
    *DATE_ROLES,
)


@dataclass(frozen=True, slots=True)
class Dated:
    """A row with its day, and its time of day if one was read. `extra`: words in time columns that are no time."""

    row: Row
    day: date
    clock: time | None
    offset: timedelta | None
    extra: str = ""

    @property
    def when(self) -> When:
        """Day and clock as one."""
        return dates.together(self.day, self.clock, self.offset)


def digest(text: str) -> str:
    """Sixteen letters that stand for a text which must not be kept."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


class Reading:
    """A table on its way to facts: the questions it shares and the fate of its rows."""

    def __init__(self, table: Table, layout: Layout, desk: Desk) -> None:
        self.table, self.layout, self.desk = table, layout, desk
        self.about = About(table.name, layout.shape)
        columns = tuple(
            (c.heading or f"column {c.index + 1}", c.meaning)
            for c in layout.columns
            if c.heading or c.role != "leave out"
        )
        self.sheet = Sheet(table.name, layout.kind, table.encoding, table.delimiter, columns, said=list(table.said))
        self.decimal: numbers.Decimal | None = None
        self.undated: set[int] = set()  # rows whose day is still asked: walked for further questions, but no facts

    # ---- asking

    def ask(self, name: str, ask: str, choices: tuple[str, ...], because: str = "", **more: object) -> str | None:
        """Ask once for the whole table."""
        place = str(more.pop("place", self.table.name))
        return self.desk.ask(name, self.about, place=place, ask=ask, choices=choices, because=because, **more)  # type: ignore[arg-type]

    def ask_row(
        self, row: Row, what: str, ask: str, choices: tuple[str, ...], because: str = "", **more: object
    ) -> str | None:
        """Ask about one row."""
        about = About(self.table.name, self.layout.shape, digest(row.key))
        place = self.table.place(row.line, what)
        name = f"line{row.line}.{what}"
        return self.desk.ask(name, about, place=place, ask=ask, choices=choices, because=because, remember=what, **more)  # type: ignore[arg-type]

    # ---- rows

    def body(self) -> list[Row]:
        """The rows that can hold facts. Titles, headings, blank rows, totals, comments and copies get their fate here."""
        layout, sheet = self.layout, self.sheet
        start = 0 if layout.head is None else layout.head + 1
        heading = self.table.rows[layout.head].key if layout.head is not None else None
        for row in self.table.rows[:start]:
            sheet.end(row.line, "blank" if row.blank else "heading" if row.key == heading else "title", row.key)
        kept = []
        for row in self.table.rows[start:]:
            if row.blank:
                sheet.end(row.line, "blank")
            elif heading is not None and row.key == heading:
                sheet.end(row.line, "heading", "repeated")
            elif self._is_total(row):
                sheet.end(row.line, "total", row.key)
            elif self._is_comment(row):
                self.keep_note(row, None)
            else:
                kept.append(row)
        return self._without_copies(self._of_one_person(kept))

    def _is_total(self, row: Row) -> bool:
        dated = self.layout.first(*DATE_ROLES, "start")
        if dated is not None and dates.read_date(row.text(dated.index)).form not in (Form.BLANK, Form.UNREADABLE):
            return False
        first = next((c.text for c in row.cells if c.text.strip()), "")
        bare = words.plain(first).rstrip(": ")
        return bare in words.listed("total") or bare.split(" ")[0].rstrip(":") in words.listed("total") - {
            "n",
            "sd",
            "min",
            "max",
            "media",
        }

    def _is_comment(self, row: Row) -> bool:
        filled = [c.text for c in row.cells if c.text.strip()]
        if filled[0].lstrip().startswith("#") and dates.read_date(filled[0]).form is Form.UNREADABLE:
            return True
        if len(filled) != 1 or not self.layout.of(*FACT_ROLES):
            return False
        return dates.read_date(filled[0]).form is Form.UNREADABLE and numbers.read(filled[0]) is None

    def keep_note(self, row: Row, day: date | None) -> None:
        """Keep a row that is only words as a note of the record."""
        private = {c.index for c in self.layout.of("patient")}
        text = " ".join(c.text.strip() for i, c in enumerate(row.cells) if c.text.strip() and i not in private)
        if day is not None:
            noted = [
                row.text(c.index).strip()
                for c in self.layout.of("note", "reaction")
                if not words.is_missing(row.text(c.index))
            ]
            text = f"{day.isoformat()}: {'; '.join(noted)}" if noted else text
        self.sheet.facts.append(Fact("note", day, {"text": text[:4000]}, (row.line,), self.table.place(row.line)))
        self.sheet.end(row.line, "note", text)

    def leave_out(self, row: Row, name: str) -> None:
        """Leave out a value or a row as answered; what stood there is kept in the record's notes.

        The words hold no line number, so that the same row of a longer export says the same.
        """
        private = {c.index for c in self.layout.of("patient")}
        text = " | ".join(c.text.strip() for i, c in enumerate(row.cells) if c.text.strip() and i not in private)
        note = f"left out on import from {self.table.name}: {name} in '{text[:3000]}'"
        self.sheet.facts.append(Fact("note", None, {"text": note}, (row.line,), self.table.place(row.line)))
        self.sheet.end(row.line, "left out", f"{name}: by answer")

    def _of_one_person(self, rows: list[Row]) -> list[Row]:
        """The rows of one person. Asks whose record this is where a table lists several."""
        columns = self.layout.of("patient")
        if not columns:
            return rows
        who = {r.line: " ".join(r.text(c.index).strip() for c in columns).strip() for r in rows}
        names = sorted({w for w in who.values() if w})
        if len(names) < 2:
            return rows
        by_digest = {digest(name): name for name in names}
        answer = self.ask(
            "patient",
            "The table lists several people. Whose record is this?",
            tuple(names[:50]),
            f"{len(names)} different people in the column",
            accept=lambda a: a in names or a in by_digest,
        )
        if answer is not None:  # a name is remembered by its digest only
            answer = by_digest.get(answer, answer)
            self.desk.memory.shapes[self.layout.shape]["patient"] = digest(answer)
        chosen = answer or names[0]
        for row in rows:
            if who[row.line] != chosen:
                self.sheet.end(
                    row.line,
                    "other person" if who[row.line] else "open",
                    "no person named" if not who[row.line] else "",
                )
                if not who[row.line]:
                    self.desk.look(
                        self.table.place(row.line),
                        "the row names no person; it was not taken over",
                        "Add whose row it is, or remove it.",
                    )
        return [r for r in rows if who[r.line] == chosen]

    def _without_copies(self, rows: list[Row]) -> list[Row]:
        """Rows without exact copies, if the person says so."""
        first: dict[str, int] = {}
        copies = []
        for row in rows:
            if row.key in first:
                copies.append(row)
            else:
                first[row.key] = row.line
        if not copies:
            return rows
        lines = ", ".join(str(r.line) for r in copies[:12]) + (", …" if len(copies) > 12 else "")
        lots = any(not words.is_missing(r.text(c.index)) for r in copies for c in self.layout.of("lot"))
        because = f"{len(copies)} rows are written twice, letter by letter (lines {lines})" + (
            ", lot included" if lots else ""
        )
        answer = self.ask(
            "duplicates",
            "Rows that are exact copies of earlier rows: count them once, or was each one real?",
            ("once", "each"),
            because,
        )
        if answer == "each":
            return rows
        dropped = {r.line for r in copies}
        for row in copies:
            self.sheet.end(row.line, "copy", f"same as line {first[row.key]}")
        return [r for r in rows if r.line not in dropped]

    # ---- numbers

    def settle_decimals(self, rows: list[Row]) -> None:
        """Which sign stands before the decimals, by proof in the table; asks only if a number can be read in two ways."""
        columns = self.layout.of("grip", "dose", "igg", "value", "weight", "volume", "quantity")
        texts = [
            r.cells[c.index].text
            for r in rows
            for c in columns
            if c.index < len(r.cells) and r.cells[c.index].kind == "text"
        ]
        proved, unclear = numbers.decimal_proved(t for t in texts if t.strip())
        if len(proved) == 1:
            self.decimal = next(iter(proved))
        if not unclear or len(proved) == 1:
            return
        because = f"'{unclear[0]}' can be read in two ways" + (", and both signs occur in the table" if proved else "")
        answer = self.ask(
            "decimal",
            f"Is the sign in '{unclear[0]}' before decimals a comma or a point?",
            ("decimal comma", "decimal point"),
            because,
        )
        self.decimal = numbers.Decimal.POINT if answer == "decimal point" else numbers.Decimal.COMMA

    def number(self, row: Row, index: int) -> numbers.Number | None:
        """The number a cell begins with; None where it begins with none."""
        cell = row.cells[index] if index < len(row.cells) else None
        if cell is None or cell.kind in ("date", "time", "unknown formula"):
            return None
        found = numbers.read(cell.text, numbers.Decimal.POINT if cell.kind == "number" else self.decimal)
        return numbers.Number(found.as_decimal) if isinstance(found, numbers.TwoWays) else found

    # ---- dates

    def dated(self, rows: list[Row]) -> list[Dated]:
        """The rows with their days. Rows whose day nobody can know are open questions; rows that hold no fact are blank."""
        column = self.layout.first(*DATE_ROLES, "start")
        if column is None:
            return []
        texts = {r.line: self._date_text(r, column.index) for r in rows}
        useful = [r for r in rows if self._holds_something(r)]
        for row in rows:
            if row not in useful:
                self.sheet.end(row.line, "blank", "a day without values")
        bad = [r for r in useful if texts[r.line].form is Form.UNREADABLE]
        if len(bad) > 10 and 2 * len(bad) > len(useful):
            example = bad[0].text(column.index).strip()[:40]
            self.desk.mend(
                self.table.place(bad[0].line, column.heading),
                f"{len(bad)} of {len(useful)} cells of this column are no dates, first '{example}'",
                "Write full dates (YYYY-MM-DD) in one column, or say which column holds them.",
            )
            for row in useful:
                self.sheet.end(row.line, "open", "the column of dates must be mended")
            return []
        return _Dating(self, texts).run(useful, column.index)

    def _date_text(self, row: Row, index: int) -> DateText:
        cell = row.cells[index] if index < len(row.cells) else None
        if cell is None or not cell.text.strip():
            return DateText(Form.BLANK)
        return dates.read_date(cell.text)

    def _holds_something(self, row: Row) -> bool:
        """Whether any cell besides day, time, hand and the like says something."""
        silent = {c.index for c in self.layout.columns if c.role in SILENT_ROLES}
        if self.layout.first("date", "date_given", "date_time", "date_issued") is None:
            silent |= {c.index for c in self.layout.of("start")}
        beyond = [c.text for i, c in enumerate(row.cells) if i not in silent]
        return any(not words.is_missing(t) for t in beyond)


class _Dating:
    """The days of a table's rows: order, century, missing years, blanks, each settled by proof or by asking."""

    def __init__(self, reading: Reading, texts: dict[int, DateText]) -> None:
        self.reading, self.texts = reading, texts
        self.halved: dict[int, bool] = {}
        self.order = self._order()
        self.century = self._century()

    def _example(self, *forms: Form, short: bool = False) -> str:
        column = self.reading.layout.first(*DATE_ROLES, "start")
        assert column is not None
        for row in self.reading.table.rows:
            text = self.texts.get(row.line)
            if text is None or text.form not in forms or (short and not text.short_year):
                continue
            if forms == (Form.NUMBERS, Form.NUMBERS_NO_YEAR) and (
                max(text.parts[:2]) > 12 or text.parts[0] == text.parts[1]
            ):
                continue
            return row.text(column.index).strip()
        return ""

    def _order(self) -> Order:
        in_numbers = [t for t in self.texts.values() if t.form in (Form.NUMBERS, Form.NUMBERS_NO_YEAR)]
        possible, day_proofs, month_proofs = dates.orders_possible(in_numbers)
        if len(possible) == 1:
            order = next(iter(possible))
            said = "day" if order is Order.DAY_FIRST else "month"
            self.reading.sheet.said.append(
                f"dates are {said} first: {max(day_proofs, month_proofs)} of them allow nothing else"
            )
            return order
        unclear = [t for t in in_numbers if max(t.parts[:2]) <= 12 and t.parts[0] != t.parts[1]]
        if not unclear:
            return Order.DAY_FIRST  # every date is clear by itself
        example = self._example(Form.NUMBERS, Form.NUMBERS_NO_YEAR)
        why = (
            "some dates allow only day first, others only month first"
            if day_proofs
            else "no date has a number above 12 in day or month"
        )
        choices = tuple(o.value for o in Order if o is not Order.YEAR_FIRST or all(t.short_year for t in in_numbers))
        answer = self.reading.ask(
            "date_order",
            f"Is '{example}' written with the day or the month first?",
            choices,
            f"{len(unclear)} dates can be read in two ways; {why}",
        )
        return Order(answer) if answer else Order.DAY_FIRST

    def _century(self) -> int:
        short = [t for t in self.texts.values() if t.short_year]
        if not short:
            return 2000
        example = self._example(Form.KNOWN, Form.NUMBERS, short=True)
        read = next(
            (
                dates.resolve(t, order=self.order, century=2000)
                for t in short
                if dates.resolve(t, order=self.order, century=2000)
            ),
            None,
        )
        full = [t.parts[0] for t in self.texts.values() if t.form is Form.KNOWN and not t.short_year]
        beside = f"; dates with full years in the table are of {min(full)} to {max(full)}" if full else ""
        answer = self.reading.ask(
            "two_digit_year",
            f"Years of two digits: does '{example}' mean {read or 'a day after 2000'}?",
            ("20xx", "19xx"),
            f"{len(short)} dates have a year of two digits{beside}",
        )
        return 1900 if answer == "19xx" else 2000

    def run(self, rows: list[Row], index: int) -> list[Dated]:
        years = self._years(rows)
        swapped = self._swapped_by_spreadsheet(rows, index)
        found: list[Dated] = []
        previous: date | None = None
        for row in rows:
            text = self.texts[row.line]
            day = self._day(row, text, years.get(row.line), previous, swapped)
            if day == "left out":
                self.reading.leave_out(row, "date")
                continue
            if not isinstance(day, date):
                self.reading.undated.add(row.line)
                found.append(Dated(row, date(1900, 1, 1), self._clock(row, text)[0], text.offset))
                continue
            previous = day
            if text.weekday is not None and text.weekday != day.isoweekday():
                self.reading.desk.look(
                    self.reading.table.place(row.line),
                    f"'{row.text(index).strip()}' names another weekday than that of {day.isoformat()} ({day:%A})",
                    "Kept. Check the date, above all its year.",
                    row.line,
                )
            clock, extra = self._clock(row, text)
            found.append(Dated(row, day, clock, text.offset, extra))
        return found

    def _day(
        self, row: Row, text: DateText, year: int | None, previous: date | None, swapped: bool
    ) -> date | str | None:
        """The day of a row, "left out", or None while it is open."""
        if text.form is Form.DITTO:
            return previous
        if text.form is Form.BLANK:
            answer = self.reading.ask(
                "blank_dates",
                "Rows with values but without a day: do they belong to the row above?",
                ("as the row above", "ask for each"),
                f"first at {self.reading.table.place(row.line)}",
            )
            if previous is not None and answer != "ask for each":
                return previous
        elif text.form is Form.SERIAL:
            day = dates.serial_day(text.parts[0], since_1904=self.reading.table.since_1904)
            answer = self.reading.ask(
                "day_numbers",
                f"Is {text.parts[0]} a spreadsheet's day number, {day.isoformat()}?",
                ("yes", "no"),
                "numbers stand where days are expected",
            )
            if answer != "no":
                return day
        else:
            resolved = dates.resolve(text, order=self.order, century=self.century, year=year)
            if resolved is not None:
                cell = row.cells[
                    next(
                        c.index
                        for c in self.reading.layout.columns
                        if c is self.reading.layout.first(*DATE_ROLES, "start")
                    )
                ]
                if swapped and cell.kind == "date" and resolved.day <= 12:
                    return date(resolved.year, resolved.day, resolved.month)
                return resolved
        return self._ask_day(row)

    def _ask_day(self, row: Row) -> date | str | None:
        column = self.reading.layout.first(*DATE_ROLES, "start")
        assert column is not None
        written = row.text(column.index).strip()
        around = self._around(row)
        answer = self.reading.ask_row(
            row,
            "date",
            f"Which day is '{written}'?" if written else "Which day is this row of?",
            ("leave out", "<day as YYYY-MM-DD>"),
            f"it is no day of the calendar as it stands; the rows around it are of {around}"
            if around
            else "it is no day of the calendar as it stands",
            accept=lambda a: (
                dates.read_date(a).form is Form.KNOWN
                and dates.resolve(dates.read_date(a), order=None, century=None) is not None
            ),
        )
        if answer is None or answer == "leave out":
            return answer
        return dates.resolve(dates.read_date(answer), order=None, century=None)

    def _around(self, row: Row) -> str:
        lines = sorted(self.texts)
        at = lines.index(row.line)
        before = next((d for i in range(at - 1, -1, -1) if (d := self._plain(lines[i]))), None)
        after = next((d for i in range(at + 1, len(lines)) if (d := self._plain(lines[i]))), None)
        return " and ".join(d.isoformat() for d in (before, after) if d)

    def _plain(self, line: int) -> date | None:
        return dates.resolve(self.texts[line], order=self.order, century=self.century)

    def _years(self, rows: list[Row]) -> dict[int, int]:
        """The year of each row whose date has none: asked once for each run of rows within one year."""
        lacking = [r for r in rows if self.texts[r.line].form in (Form.NO_YEAR, Form.NUMBERS_NO_YEAR)]
        blocks: list[list[Row]] = []
        last: date | None = None
        for row in lacking:
            day = dates.resolve(self.texts[row.line], order=self.order, century=self.century, year=2024)
            if not blocks or (last is not None and day is not None and (last - day).days > 60):
                blocks.append([])
            blocks[-1].append(row)
            last = day or last
        years: dict[int, int] = {}
        for block in blocks:
            first, end = block[0], block[-1]
            column = self.reading.layout.first(*DATE_ROLES, "start")
            assert column is not None
            answer = self.reading.ask_row(
                first,
                "year",
                f"Which year are '{first.text(column.index).strip()}' to '{end.text(column.index).strip()}' of?",
                ("<year, e.g. 2025>",),
                f"{len(block)} dates are written without a year",
                accept=lambda a: a.isdigit() and 1900 <= int(a) <= 2100,
            )
            for row in block:
                years[row.line] = int(answer) if answer else 2024
        return years

    def _swapped_by_spreadsheet(self, rows: list[Row], index: int) -> bool:
        """A spreadsheet of the wrong country turns 03/04 into a date with day and month exchanged and leaves 13/04 as text."""
        real = [r for r in rows if index < len(r.cells) and r.cells[index].kind == "date"]
        texts = [self.texts[r.line] for r in rows if r not in real and self.texts[r.line].form is Form.NUMBERS]
        days = [d for r in real if (d := self._plain(r.line))]
        if (
            len(real) < 2
            or len(texts) < 2
            or any(d.day > 12 for d in days)
            or any(max(t.parts[:2]) <= 12 for t in texts)
        ):
            return False
        answer = self.reading.ask(
            "exchanged_dates",
            f"Is {days[0].isoformat()} right, or are day and month exchanged in the cells that are real dates?",
            ("right", "exchanged"),
            "the real dates have days up to 12, those that stayed text days above 12, as a spreadsheet of another country does",
        )
        return answer == "exchanged"

    def _clock(self, row: Row, text: DateText) -> tuple[time | None, str]:
        """The time of day of a row, from its date cell, a start or a time column; words that are no time are kept."""
        if text.clock is not None:
            return text.clock, ""
        extra = ""
        for column in self.reading.layout.of("start", "time"):
            written = row.text(column.index)
            if words.is_missing(written) or dates.read_date(written).form in (Form.KNOWN, Form.NUMBERS):
                inner = dates.read_date(written) if not words.is_missing(written) else None
                if inner is not None and inner.clock is not None:
                    return inner.clock, extra
                continue
            clock = dates.read_clock(written)
            if clock is None:
                extra = (extra + " " + written.strip()).strip()
                continue
            if not clock.half and 1 <= clock.at.hour <= 12 and self._halves(column.index):
                answer = self.reading.ask(
                    "clock",
                    f"Is '{written.strip()}' written by the 24-hour clock? Other rows say AM or PM.",
                    ("24-hour clock", "not known"),
                    f"first at {self.reading.table.place(row.line)}",
                )
                if answer == "not known":
                    extra = (extra + " " + written.strip()).strip()
                    continue
            return clock.at, extra
        return None, extra

    def _halves(self, index: int) -> bool:
        """Whether any row of a column of times says AM or PM."""
        if index not in self.halved:
            clocks = (dates.read_clock(r.text(index)) for r in self.reading.table.rows)
            self.halved[index] = any(c is not None and c.half for c in clocks)
        return self.halved[index]
