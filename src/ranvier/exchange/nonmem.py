"""NONMEM-style data: TIME, AMT, RATE, EVID, DVID, DV. The file says no date, unit, product or route: all are asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from ranvier.exchange import dates, words
from ranvier.exchange.desk import About, Desk
from ranvier.exchange.facts import is_day
from ranvier.exchange.found import Fact, Sheet
from ranvier.exchange.numbers import Decimal, Number, read
from ranvier.exchange.tables import Row, Table
from ranvier.exchange.understand import Layout

MEANINGS = (
    "igg g/L",
    "igg mg/dL",
    "grip right kg",
    "grip left kg",
    "grip right lb",
    "grip left lb",
    "grip right kPa",
    "grip left kPa",
    "leave out",
)
_KNOWN = (
    "C",
    "ID",
    "TIME",
    "AMT",
    "RATE",
    "DUR",
    "EVID",
    "MDV",
    "DVID",
    "CMT",
    "DV",
    "WT",
    "ADDL",
    "II",
    "SS",
    "CENS",
    "BLQ",
    "LLOQ",
    "LIMIT",
)


class _Nonmem:
    """One NONMEM file on its way to facts."""

    def __init__(self, table: Table, layout: Layout, desk: Desk) -> None:
        self.table, self.layout, self.desk = table, layout, desk
        self.about = About(table.name, layout.shape)
        self.at = {c.role: c.index for c in layout.columns if c.role}
        columns = tuple((c.heading, "as in NONMEM" if c.role in _KNOWN else "not taken over") for c in layout.columns)
        self.sheet = Sheet(table.name, "NONMEM", table.encoding, table.delimiter, columns, said=list(table.said))

    def ask(self, name: str, ask: str, choices: tuple[str, ...], because: str = "", **more: Any) -> str | None:
        if name in ("id", "time_zero", "product", "route"):  # true of this file, not of every file of its shape
            more["remember"] = f"{self.table.name}: {name}"
        place = self.table.name
        return self.desk.ask(name, self.about, place=place, ask=ask, choices=choices, because=because, **more)

    def number(self, row: Row, name: str) -> float | None:
        """A number of a column; None where it is a point, blank or no number."""
        index = self.at.get(name)
        if index is None or words.is_missing(row.text(index)):
            return None
        text = row.text(index).strip()
        try:
            return float(text)
        except ValueError:
            found = read(text, Decimal.POINT)
            return found.value if isinstance(found, Number) and not found.rest else None

    def run(self) -> Sheet:
        self._left_columns()
        rows = self._rows()
        doses = [r for r in rows if (self.number(r, "AMT") or 0) > 0 and self.number(r, "EVID") in (None, 1, 4)]
        observed = [r for r in rows if r not in doses and self._observed(r)]
        for row in rows:
            if row not in doses and row not in observed:
                self._other(row)
        origin, unit = self._origin(rows), self._time_unit(rows)
        self.hours = 1.0 if unit == "hours" else 24.0
        self.origin = origin
        if observed:
            self._observations(observed, doses)
        if doses:
            self._doses(doses)
        self._weights(rows)
        return self.sheet

    # ---- which rows

    def _left_columns(self) -> None:
        beyond = [c.heading for c in self.layout.columns if c.heading and c.role not in _KNOWN]
        if beyond:
            self.desk.look(
                self.table.name,
                f"columns {', '.join(beyond)} were not taken over: the record has no place for covariates",
                "Write what matters into the record by hand.",
            )

    def _rows(self) -> list[Row]:
        """The rows of one person that are not commented out."""
        head = self.layout.head or 0
        kept = []
        for i, row in enumerate(self.table.rows):
            first = row.text(0).strip()
            comment = self.at.get("C")
            if i <= head:
                self.sheet.end(row.line, "heading" if i == head else "title", row.key)
            elif row.blank:
                self.sheet.end(row.line, "blank")
            elif comment is not None and not words.is_missing(row.text(comment)):
                self.sheet.end(row.line, "left out", f"commented out in the file ({row.text(comment).strip()})")
            elif first.startswith("#"):
                self.sheet.end(row.line, "left out", "commented out in the file")
            elif self.number(row, "TIME") is None:
                self.desk.mend(
                    self.table.place(row.line, "TIME"),
                    f"'{row.text(self.at['TIME'])[:40]}' is no number of a time",
                    "Write TIME as a number, in days or hours from TIME 0.",
                    row.line,
                )
                self.sheet.end(row.line, "open", "TIME must be mended")
            else:
                kept.append(row)
        people = list(dict.fromkeys(r.text(self.at["ID"]).strip() for r in kept)) if "ID" in self.at else []
        if len(people) > 1:
            answer = self.ask(
                "id",
                "The file holds several people. Whose record is this?",
                tuple(people[:50]),
                f"{len(people)} different ID",
                accept=lambda a: a in people,
            )
            chosen = answer or people[0]
            for row in kept:
                if row.text(self.at["ID"]).strip() != chosen:
                    self.sheet.end(row.line, "other person")
            kept = [r for r in kept if r.text(self.at["ID"]).strip() == chosen]
        return kept

    def _observed(self, row: Row) -> bool:
        return (
            (self.number(row, "EVID") or 0) == 0
            and (self.number(row, "MDV") or 0) == 0
            and self.number(row, "DV") is not None
        )

    def _other(self, row: Row) -> None:
        """A row that is neither dose nor observation: blank for us, or named."""
        event = self.number(row, "EVID")
        if event in (3, 4) or (self.number(row, "SS") or 0) > 0:
            self.desk.look(
                self.table.place(row.line, "EVID"),
                "the row resets the system or states a steady state; a record holds only what was given and seen",
                "Say in the record's 'before' what was given earlier.",
                row.line,
            )
            self.sheet.end(row.line, "left out", "reset or steady state")
        else:
            self.sheet.end(row.line, "blank", "neither a dose nor a value (EVID, MDV)")

    # ---- time

    def _origin(self, rows: Sequence[Row]) -> datetime:
        times = [t for r in rows if (t := self.number(r, "TIME")) is not None]
        span = f"TIME runs from {min(times):g} to {max(times):g}" if times else ""
        answer = self.ask(
            "time_zero",
            "Which day (and time, if not midnight) is TIME 0?",
            ("<YYYY-MM-DD or YYYY-MM-DD HH:MM>",),
            f"the file holds no date; {span}",
            accept=is_day,
        )
        if answer is None:
            self.sheet.said.append("days are shown as if TIME 0 were 2000-01-01, until the real day is told")
            return datetime(2000, 1, 1)
        found = dates.read_date(answer)
        return datetime.combine(
            dates.resolve(found, order=None, century=None) or date(2000, 1, 1), found.clock or time(0)
        )

    def _time_unit(self, rows: Sequence[Row]) -> str:
        rates = [
            (a, r)
            for row in rows
            if (a := self.number(row, "AMT") or 0) > 0 and (r := self.number(row, "RATE") or 0) > 0
        ]
        because = (
            f"AMT / RATE makes the first infusion last {rates[0][0] / rates[0][1]:.3g} of that unit"
            if rates
            else "the file does not say it"
        )
        return self.ask("time_unit", "Is TIME in days or hours?", ("days", "hours"), because) or "days"

    def when(self, units: float) -> datetime:
        """The wall clock at a TIME, to the second."""
        return self.origin + timedelta(seconds=round(units * self.hours * 3600))

    # ---- observations

    def _kind_of(self, row: Row) -> str:
        for name in ("DVID", "CMT"):
            value = self.number(row, name)
            if value is not None:
                return f"{name}.{value:g}"
        return "DV"

    def _observations(self, rows: Sequence[Row], doses: Sequence[Row]) -> None:
        kinds: dict[str, list[Row]] = {}
        for row in rows:
            kinds.setdefault(self._kind_of(row), []).append(row)
        place = self.ask(
            "place", "Was the grip measured at home or in a clinic?", ("home", "clinic", "not known"), must=False
        )
        for kind, group in kinds.items():
            values = [self.number(r, "DV") or 0.0 for r in group]
            answer = self.ask(
                kind.lower(),
                f"What is {kind.replace('.', ' ')}, and in which unit?",
                MEANINGS,
                f"{len(values)} values from {min(values):g} to {max(values):g}",
            )
            if answer == "leave out":
                for row in group:
                    self.sheet.end(row.line, "left out", "by answer")
            elif answer is None:
                device = self._device("kg")
                for row in group:
                    self.sheet.end(row.line, "open", f"{kind} must be answered")
                del device
            elif answer.startswith("igg"):
                self._levels(group, answer.split()[1], doses)
            else:
                _, side, unit = answer.split()
                code = "[lb_av]" if unit == "lb" else unit
                series = (side, self._device(unit), code, place if place in ("home", "clinic") else None)
                for row in group:
                    self._add(row, "strength", {"value": self.number(row, "DV"), **self._below(row)}, kind, series)

    def _device(self, unit: str) -> str:
        if unit == "kPa":
            return (
                self.ask(
                    "device.kpa",
                    "Which device measured the grip in kPa?",
                    ("vigorimeter", "unknown"),
                    "the file does not say it",
                )
                or "vigorimeter"
            )
        return (
            self.ask(
                "device",
                "Which device measured the grip? jamar: hydraulic, with a dial; digital_grip: electronic.",
                ("jamar", "digital_grip", "vigorimeter", "unknown"),
                "the file does not say it",
            )
            or "jamar"
        )

    def _below(self, row: Row) -> dict[str, bool]:
        return {"below": True} if self.number(row, "CENS") == 1 or self.number(row, "BLQ") == 1 else {}

    def _levels(self, rows: Sequence[Row], unit: str, doses: Sequence[Row]) -> None:
        for row in rows:
            at = self.number(row, "TIME") or 0.0
            same_day = [
                t
                for d in doses
                if (t := self.number(d, "TIME")) is not None and self.when(t).date() == self.when(at).date()
            ]
            data: dict[str, Any] = {"value": self.number(row, "DV"), "unit": unit, **self._below(row)}
            if same_day:
                data["timing"] = "before" if at <= min(same_day) else "after"
            self._add(row, "igg", data, "DV")

    def _add(
        self,
        row: Row,
        kind: str,
        data: dict[str, Any],
        column: str,
        series: tuple[str | None, str | None, str, str | None] | None = None,
    ) -> None:
        when = self.when(self.number(row, "TIME") or 0.0)
        self.sheet.facts.append(Fact(kind, when, data, (row.line,), self.table.place(row.line, column), series))
        self.sheet.end(row.line, "used")

    # ---- doses and weights

    def _doses(self, rows: Sequence[Row]) -> None:
        amounts = [self.number(r, "AMT") or 0.0 for r in rows]
        unit = (
            self.ask(
                "dose_unit", "In which unit is AMT?", ("g", "mg"), f"amounts from {min(amounts):g} to {max(amounts):g}"
            )
            or "g"
        )
        written = self.ask("product", "Which product was given?", (), "the file does not name it")
        product = words.product_in(written) if written else None
        name = product.name if product else written or "?"
        if product is not None and len(product.routes) == 1:
            route = product.routes[0]
            self.sheet.said.append(f"route {route}: {name} has no other in its product file")
        else:
            route = (
                self.ask("route", "By which route was it given?", ("IV", "SC", "fSCIg"), "the file does not say it")
                or "IV"
            )
        for row in rows:
            self._dose(row, unit, name, route)

    def _dose(self, row: Row, unit: str, product: str, route: str) -> None:
        amount, rate, length = (
            self.number(row, "AMT") or 0.0,
            self.number(row, "RATE") or 0.0,
            self.number(row, "DUR") or 0.0,
        )
        lasts = amount / rate if rate > 0 else length
        more, apart = int(self.number(row, "ADDL") or 0), self.number(row, "II") or 0.0
        if self.number(row, "SS") or self.number(row, "EVID") == 4:
            self.desk.look(
                self.table.place(row.line, "SS"),
                "the row states a steady state or a reset besides the dose; only the dose was taken over",
                "Say in the record's 'before' what was given earlier.",
                row.line,
            )
        if more > 5000 or (more and apart <= 0):
            self.desk.mend(
                self.table.place(row.line, "ADDL"),
                f"ADDL {more} with II {apart:g} is no list of doses",
                "Write the doses one by one.",
                row.line,
            )
            self.sheet.end(row.line, "open", "ADDL must be mended")
            return
        for i in range(more + 1):
            start = self.when((self.number(row, "TIME") or 0.0) + i * apart)
            data: dict[str, Any] = {"product": product, "dose": {"value": amount, "unit": unit}, "route": route}
            if lasts > 0:
                data["stop"] = start + timedelta(seconds=round(lasts * self.hours * 3600))
            self.sheet.facts.append(Fact("infusion", start, data, (row.line,), self.table.place(row.line, "AMT")))
        self.sheet.end(row.line, "used")

    def _weights(self, rows: Sequence[Row]) -> None:
        """The first body weight and every change of it."""
        changes: list[tuple[float, Row]] = []
        for row in rows:
            weight = self.number(row, "WT")
            if weight is not None and weight > 0 and (not changes or changes[-1][0] != weight):
                changes.append((weight, row))
        if not changes:
            return
        unit = self.ask(
            "weight_unit",
            "In which unit is WT?",
            ("kg", "lb", "leave out"),
            f"weights from {min(w for w, _ in changes):g} to {max(w for w, _ in changes):g}",
        )
        if unit == "leave out":
            return
        for weight, row in changes:
            when = self.when(self.number(row, "TIME") or 0.0).date()
            data = {"value": weight, "unit": "[lb_av]" if unit == "lb" else "kg"}
            self.sheet.facts.append(Fact("weight", when, data, (row.line,), self.table.place(row.line, "WT")))


def read_nonmem(table: Table, layout: Layout, desk: Desk) -> Sheet:
    """The facts of a NONMEM-style table, the fate of its rows, and (at the desk) what must be asked."""
    return _Nonmem(table, layout, desk).run()
