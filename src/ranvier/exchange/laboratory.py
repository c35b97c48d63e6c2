"""Laboratory values from rows: IgG in a column of its own, or one test per row; body weights too."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from ranvier.exchange import words
from ranvier.exchange.found import Fact, When, day
from ranvier.exchange.numbers import Number
from ranvier.exchange.rows import Dated, Reading
from ranvier.exchange.strength import doubt, is_number, to_number
from ranvier.exchange.tables import Row
from ranvier.exchange.understand import Column

IGG_UNITS = ("g/L", "mg/dL", "g/dL", "mg/mL")
ORDERS = ("lower before, higher after", "first row before, second after", "second row before, first after", "not known")


class Laboratory:
    """The laboratory values and weights of one table."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        layout = reading.layout
        self.levels = layout.of("igg")
        self.test, self.result, self.unit = layout.first("test"), layout.first("value"), layout.first("unit")
        self.timing = layout.first("timing")
        self.weights = layout.of("weight")
        self.found: list[Fact] = []

    def take(self, dated: Dated, note: str) -> bool:
        """Turn the laboratory cells and weights of a row into facts. Whether the row had any."""
        said = False
        for column in self.levels:
            if not words.is_missing(dated.row.text(column.index)):
                said = True
                self._igg(dated, column, column.heading)
        for column in self.reading.layout.of("blood_test"):
            if not words.is_missing(dated.row.text(column.index)):
                said = True
                name = re.sub(r"\s*[(\[].*$", "", column.heading).strip() or column.heading
                self._result(dated, name, column, column.unit, "")
        for column in self.weights:
            if not words.is_missing(dated.row.text(column.index)):
                said = True
                self._weight(dated, column)
        if self.test is not None and self.result is not None and not words.is_missing(dated.row.text(self.test.index)):
            said = self._tested(dated, self.test, self.result, note) or said
        return said

    # ---- IgG

    def _igg(self, dated: Dated, column: Column, name: str, unit: str | None = None) -> None:
        row = dated.row
        number = self._plain(row, column, name)
        if number is None:
            return
        unit = unit or column.unit or (words.unit("concentration", number.rest) if number.rest else None)
        if unit is None and self.unit is not None:
            unit = words.unit("concentration", row.text(self.unit.index))
        if unit is None:
            unit = (
                self.reading.ask(
                    "igg_unit",
                    f"In which unit is the IgG of '{name}'?",
                    IGG_UNITS,
                    f"no unit is written; the first value is '{row.text(column.index).strip()}'",
                )
                or "g/L"
            )
        if unit not in IGG_UNITS:
            asked = self.reading.ask(
                f"igg_unit.{unit}",
                f"IgG in {unit}: which of these units is meant?",
                IGG_UNITS,
                "IgG is not kept in that unit; nothing is converted by guess",
            )
            unit = asked or "g/L"
        data: dict[str, Any] = {"value": number.value, "unit": unit}
        timing = (
            column.timing
            or (words.meaning("timing", row.text(self.timing.index)) if self.timing else None)
            or self._by_name(row)
        )
        if timing:
            data["timing"] = timing
        if number.below:
            data["below"] = True
        self._add("igg", dated.when, data, row, name)

    def _by_name(self, row: Row) -> str | None:
        """Before or after, where the name of the test says it: "IgG trough"."""
        if self.test is None:
            return None
        said = words.mentioned("timing", row.text(self.test.index))
        return said[0] if len(said) == 1 else None

    def _plain(self, row: Row, column: Column, name: str) -> Number | None:
        """The number in a cell, or the answer about it."""
        number = self.reading.number(row, column.index)
        plain = number is not None and not number.above and number.value >= 0
        if (
            number is not None
            and plain
            and (not number.rest or words.unit("concentration", number.rest) or _is_flag(number.rest))
        ):
            return replace(number, rest="" if _is_flag(number.rest) else number.rest)
        written = row.text(column.index).strip()
        choices = (*(("keep",) if number is not None and plain else ()), "leave out", "<the right number>")
        answer = self.reading.ask_row(
            row,
            name or "value",
            f"Which value is right for '{name}'?",
            choices,
            f"'{written[:40]}' is not a plain number",
            accept=is_number,
        )
        if answer is None:
            self.reading.sheet.end(row.line, "open", "a value must be answered")
            return None
        if answer == "leave out":
            self.reading.leave_out(row, name)
            return None
        if answer == "keep" and number is not None:
            return replace(number, rest="")
        return Number(to_number(answer))

    def _add(self, kind: str, when: When, data: dict[str, Any], row: Row, name: str) -> None:
        self.found.append(Fact(kind, when, data, (row.line,), self.reading.table.place(row.line, name)))
        self.reading.sheet.end(row.line, "used")

    # ---- other tests, weights

    def _tested(self, dated: Dated, test: Column, result: Column, note: str) -> bool:
        """One test per row."""
        row = dated.row
        name, written = row.text(test.index).strip(), row.text(result.index).strip()
        if words.is_missing(written):
            return False
        if _is_igg(name):
            self._igg(dated, result, name, self._row_unit(row, result))
            return True
        self._result(dated, name, result, self._row_unit(row, result), note)
        return True

    def _result(self, dated: Dated, name: str, result: Column, unit: str | None, note: str) -> None:
        """The result of one other test, a number with its unit; a result in words becomes a note."""
        row = dated.row
        written = row.text(result.index).strip()
        number = self.reading.number(row, result.index)
        if (
            number is None
            or number.below
            or number.above
            or (number.rest and not words.unit("concentration", number.rest) and not _is_flag(number.rest))
        ):
            unit_text = row.text(self.unit.index).strip() if self.unit else (result.unit or "")
            text = " ".join(
                w
                for w in (f"{dated.day.isoformat()}: {name} {written} {unit_text}".strip(), f"({note})" if note else "")
                if w
            )
            self.reading.sheet.facts.append(
                Fact("note", dated.when, {"text": text}, (row.line,), self.reading.table.place(row.line))
            )
            self.reading.sheet.end(row.line, "note", "a result in words is kept as a note")
            return
        if unit is None:
            shown = row.text(self.unit.index).strip() if self.unit else ""
            known = {"%": "%", "": None}.get(shown)
            unit = known or self.reading.ask(
                f"unit.{words.plain(name)}",
                f"Which UCUM unit has {name}{f' ({shown})' if shown else ''}?",
                ("leave out", "<UCUM unit, e.g. g/dL, 10*9/L, U/L, 1>"),
                f"'{shown}' is no unit that is known here" if shown else "no unit is written",
                accept=_is_unit,
            )
            if unit == "leave out":
                self.reading.sheet.end(row.line, "left out", f"{name}: by answer")
                return
            unit = unit or "1"
        self._add("blood_test", dated.when, {"what": name[:200], "value": number.value, "unit": unit}, row, name)

    def _row_unit(self, row: Row, result: Column) -> str | None:
        """The unit of a row: its cell of units, the text behind the value, or the heading."""
        if self.unit is not None and not words.is_missing(row.text(self.unit.index)):
            return words.unit("concentration", row.text(self.unit.index))
        number = self.reading.number(row, result.index)
        behind = words.unit("concentration", number.rest) if number is not None and number.rest else None
        return behind or result.unit

    def _weight(self, dated: Dated, column: Column) -> None:
        row = dated.row
        number = self._plain_weight(row, column)
        if number is None:
            return
        unit = column.unit or (words.unit("body_weight", number.rest) if number.rest else None)
        if unit is None:
            answer = self.reading.ask(
                "weight_unit", f"In which unit is '{column.heading}'?", ("kg", "lb"), "no unit is written"
            )
            unit = "[lb_av]" if answer == "lb" else "kg"
        data = {"value": number.value, "unit": unit}
        if any(f.kind == "weight" and f.when == dated.day and f.data == data for f in self.found):
            self.reading.sheet.end(row.line, "used")
            return
        self._add("weight", dated.day, data, row, column.heading)

    def _plain_weight(self, row: Row, column: Column) -> Number | None:
        number = self.reading.number(row, column.index)
        if (
            number is not None
            and not number.below
            and not number.above
            and (not number.rest or words.unit("body_weight", number.rest))
        ):
            return number
        return self._plain(row, column, column.heading)

    # ---- levels to doubt, and several on one day

    def _doubt_levels(self, rows: dict[int, Row]) -> None:
        """Levels that look like a slip of pen or unit among the others are asked about."""
        levels = sorted(
            (f for f in self.found if f.kind == "igg" and f.when), key=lambda f: (day(f.when or date.min), f.lines)
        )
        numbers = [_gl(f) for f in levels]
        for i, fact in enumerate(levels):
            why = doubt(numbers[i], numbers[max(0, i - 5) : i] + numbers[i + 1 : i + 6])
            if why is None:
                continue
            name = fact.place.rpartition(", ")[2]
            ask = f"Which value is right for '{name}', in {fact.data['unit']}?"
            answer = self.reading.ask_row(
                rows[fact.lines[0]],
                name,
                ask,
                ("keep", "leave out", "<the right number>"),
                f"in g/L: {why}",
                accept=is_number,
            )
            if answer == "leave out":
                self.found.remove(fact)
                self.reading.leave_out(rows[fact.lines[0]], name)
            elif answer not in (None, "keep"):
                changed = replace(fact, data={**fact.data, "value": to_number(str(answer))})
                self.found[self.found.index(fact)] = changed

    def finish(self, rows: Sequence[Dated]) -> list[Fact]:
        """The facts, after asking which of two levels of one day was taken before the infusion."""
        self._doubt_levels({d.row.line: d.row for d in rows})
        by_day: dict[date, list[Fact]] = {}
        for fact in self.found:
            if (
                fact.kind == "igg"
                and "timing" not in fact.data
                and not isinstance(fact.when, datetime)
                and fact.when is not None
            ):
                by_day.setdefault(fact.when, []).append(fact)
        pairs = {d: facts for d, facts in by_day.items() if len(facts) == 2}
        changed: dict[int, Fact] = {}
        if pairs:
            days = ", ".join(d.isoformat() for d in pairs)
            answer = self.reading.ask(
                "igg_order",
                "Two IgG levels on one day: which was taken before the infusion?",
                ORDERS,
                f"no time of day is written on {days}",
            )
            for facts in pairs.values():
                for fact, timing in zip(facts, _timings(answer or ORDERS[-1], facts), strict=True):
                    if timing:
                        changed[id(fact)] = replace(fact, data={**fact.data, "timing": timing})
                    elif answer:
                        changed[id(fact)] = replace(fact, data={**fact.data, "timing": "not known"})
                    else:
                        changed[id(fact)] = replace(fact, data={**fact.data, "timing": "asked"})
        return [changed.get(id(f), f) for f in self.found]


def _gl(fact: Fact) -> float:
    return float(fact.data["value"]) * {"g/L": 1.0, "mg/dL": 0.01, "g/dL": 10.0, "mg/mL": 1.0}[fact.data["unit"]]


def _timings(answer: str, facts: Sequence[Fact]) -> tuple[str | None, str | None]:
    if answer == ORDERS[0]:
        first_is_lower = float(facts[0].data["value"]) <= float(facts[1].data["value"])
        return ("before", "after") if first_is_lower else ("after", "before")
    if answer == ORDERS[1]:
        return "before", "after"
    if answer == ORDERS[2]:
        return "after", "before"
    return None, None


def _is_igg(name: str) -> bool:
    """Whether a test is total IgG, not a subclass and no antibody against something."""
    bare = " ".join(words.tokens(words.plain(name)))
    spellings = {" ".join(words.tokens(w)) for w in words.headings()["igg"]}
    if bare in spellings:
        return True
    core = bare
    for said in ("before", "after", "between"):
        for word in words.vocabulary("timing")[said]:
            core = " ".join(f" {core} ".replace(f" {word} ", " ").split())
    return core in spellings


def _is_flag(rest: str) -> bool:
    """The marks that laboratories put behind values out of range."""
    return rest.strip() in ("H", "L", "+", "-", "*", "++", "--", "HH", "LL", "↑", "↓", "(H)", "(L)", "!")


def _is_unit(answer: str) -> bool:
    return 0 < len(answer) <= 60 and " " not in answer
