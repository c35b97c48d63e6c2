"""Infusions from rows: product, dose, route, times and lots, however they are spread over columns and words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from ranvier.exchange import dates, words
from ranvier.exchange.doses import DoseText, name_without_dose, read_dose
from ranvier.exchange.found import Fact, day
from ranvier.exchange.rows import Dated, Reading
from ranvier.exchange.strength import doubt, is_number, to_number
from ranvier.exchange.tables import Row

ROUTES = ("IV", "SC", "fSCIg")


@dataclass(frozen=True, slots=True)
class _Drug:
    """The drug of a row. kind: ``immunoglobulin``, ``another drug``, ``leave out`` or ``open``."""

    name: str
    kind: str
    product: words.Product | None


class Infusions:
    """The infusions of one table."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        layout = reading.layout
        self.product, self.dose, self.volume = layout.first("product"), layout.first("dose"), layout.first("volume")
        self.size = layout.first("vial_size")
        self.quantity, self.unit, self.lot = layout.first("quantity"), layout.first("unit"), layout.first("lot")
        self.exists = bool(layout.of("product", "dose", "volume", "quantity")) and layout.kind in (
            "infusion list",
            "day unit sheet",
        )
        self.found: list[Fact] = []
        self.drugs: list[Fact] = []

    def take(self, dated: Dated, note: str) -> bool:
        """Turn a row into an infusion. Whether the row said anything about one."""
        row = dated.row
        columns = [c for c in (self.product, self.dose, self.volume, self.quantity) if c is not None]
        if not self.exists or all(words.is_missing(row.text(c.index)) for c in columns):
            return False
        text = row.text(self.product.index) if self.product else ""
        said = read_dose(text, self.reading.decimal)
        if self.size is not None and said.grams is None:
            said = read_dose(f"{text} {row.text(self.size.index)} {self.size.unit or ''}", self.reading.decimal)
        drug = self._drug(row, text, said)
        if drug.kind == "open":
            self.reading.sheet.end(row.line, "open", f"what {drug.name} is must be answered")
            return True
        if drug.kind == "leave out":
            self.reading.sheet.end(row.line, "left out", f"{drug.name}: by answer")
            return True
        if drug.kind == "another drug":
            place = self.reading.table.place(row.line)
            self.drugs.append(Fact("drug", dated.when, {"name": drug.name}, (row.line,), place))
            self.reading.sheet.end(row.line, "used")
            return True
        grams = self._grams(row, said, drug)
        if grams is None:
            return True
        when = self._given(dated)
        if when is None:
            self.reading.sheet.end(row.line, "left out", "handed out, not given: by answer")
            return True
        self._add(dated, when, drug, grams, said, note)
        return True

    # ---- the drug

    def _drug(self, row: Row, text: str, said: DoseText) -> _Drug:
        if words.is_missing(text):
            kept = f"{self.reading.table.name}: product"  # another file of this shape may be of another product
            answer = self.reading.ask("product", "Which product was given?", (), "no column names it", remember=kept)
            name = answer or "?"
            product = words.product_in(name)
            return _Drug(product.name if product else name, "immunoglobulin", product)
        product = words.product_in(text, said.g_per_l)
        if product is not None:
            return _Drug(product.name, "immunoglobulin", product)
        name = name_without_dose(text)
        if words.is_generic_immunoglobulin(text):
            return _Drug(name, "immunoglobulin", None)
        answer = self.reading.ask(
            f"product.{words.plain(name)}",
            f"What is '{name}'?",
            ("immunoglobulin", "another drug", "leave out"),
            "no product file has this name; it is kept as written",
        )
        return _Drug(name, answer or "open", None)

    # ---- the dose

    def _grams(self, row: Row, said: DoseText, drug: _Drug) -> dict[str, Any] | None:
        """The dose as value and unit; None while it must be answered, or where the answer leaves the row out."""
        found, why = self._stated(row, said, drug)
        if found is not None:
            volume = self._volume(row)
            strength = said.g_per_l or (drug.product.g_per_l if drug.product else None)
            in_grams = float(found["value"]) * {"g": 1.0, "mg": 0.001, "kg": 1000.0}[found["unit"]]
            if volume and strength and abs(volume * strength / 1000 - in_grams) > 0.02 * in_grams:
                why = f"{in_grams:g} g and {volume:g} mL do not belong together at {strength / 10:g} %"
            elif not 0 < in_grams < 1000:
                why = f"{in_grams:g} g cannot be one dose"
            else:
                return found
        usable = f"{found['value']:g}" if found is not None else None
        choices = (*(("keep",) if usable and float(usable) > 0 else ()), "leave out", "<grams>")
        answer = self.reading.ask_row(row, "dose", "How many grams were given?", choices, why, accept=is_number)
        if answer is None:
            self.reading.sheet.end(row.line, "open", "its dose must be answered")
            return None
        if answer == "leave out":
            self.reading.leave_out(row, "dose")
            return None
        return found if answer == "keep" else {"value": to_number(answer), "unit": "g"}

    def _stated(self, row: Row, said: DoseText, drug: _Drug) -> tuple[dict[str, Any] | None, str]:
        """The dose that the row states, or why none can be read."""
        if self.dose is not None and not words.is_missing(row.text(self.dose.index)):
            return self._from_dose_column(row, drug)
        if said.per_kg:
            return None, "the dose is written per kg of body weight"
        if said.several:
            return None, f"several amounts in '{row.text(self.product.index) if self.product else ''}'"
        if self.quantity is not None and not words.is_missing(row.text(self.quantity.index)):
            return self._from_quantity(row, said, drug)
        if said.grams is not None:
            return {"value": said.grams, "unit": "g"}, ""
        return self._from_volume(self._volume(row) or said.volume, said, drug)

    def _from_dose_column(self, row: Row, drug: _Drug) -> tuple[dict[str, Any] | None, str]:
        assert self.dose is not None
        text = row.text(self.dose.index)
        read = read_dose(text, self.reading.decimal)
        if read.per_kg or read.several:
            return None, f"'{text.strip()}' is not one amount in grams"
        if read.grams is not None:
            return {"value": read.grams, "unit": "g"}, ""
        if read.volume is not None:
            return self._from_volume(
                read.volume,
                read if read.g_per_l else read_dose(row.text(self.product.index) if self.product else ""),
                drug,
            )
        number = self.reading.number(row, self.dose.index)
        if number is None or number.rest or number.below or number.above:
            return None, f"'{text.strip()}' is not a plain amount"
        unit = self.dose.unit or (words.unit("mass", row.text(self.unit.index)) if self.unit else None)
        if unit is None and self.unit is not None and words.unit("volume", row.text(self.unit.index)) == "mL":
            unit = "mL"
        if unit is None:
            unit = (
                self.reading.ask(
                    "dose_unit",
                    f"In which unit is '{self.dose.heading}'?",
                    ("g", "mg", "mL"),
                    f"the heading names none; the first value is '{text.strip()}'",
                )
                or "g"
            )
        if unit == "mL":
            return self._from_volume(
                number.value, read_dose(row.text(self.product.index) if self.product else ""), drug
            )
        return {"value": number.value, "unit": unit}, ""

    def _volume(self, row: Row) -> float | None:
        """Millilitres, from a column of volumes or beside the dose."""
        if self.volume is not None:
            number = self.reading.number(row, self.volume.index)
            if number is not None:
                behind = words.unit("volume", number.rest) or self.volume.unit or "mL"
                return number.value * (1000.0 if behind == "L" else 1.0)
        return read_dose(row.text(self.dose.index), self.reading.decimal).volume if self.dose is not None else None

    def _from_volume(self, volume: float | None, said: DoseText, drug: _Drug) -> tuple[dict[str, Any] | None, str]:
        """Grams from millilitres, only with a concentration that the row or the product's file names."""
        strength = said.g_per_l or (drug.product.g_per_l if drug.product else None)
        if volume is None:
            return None, "no amount is written"
        if strength is None:
            return None, f"{volume:g} mL of a product whose concentration is not known"
        grams = round(volume * strength / 1000, 6)
        self._say(f"grams were worked out from millilitres and {strength / 10:g} %")
        return {"value": grams, "unit": "g"}, ""

    def _from_quantity(self, row: Row, said: DoseText, drug: _Drug) -> tuple[dict[str, Any] | None, str]:
        """Grams from a number of vials, grams or millilitres."""
        assert self.quantity is not None
        number = self.reading.number(row, self.quantity.index)
        written = row.text(self.quantity.index).strip()
        if number is None or number.below or number.above:
            return None, f"'{written}' is not a number"
        if number.value <= 0:
            return None, f"a quantity of {written}: was something given back?"
        unit_text = number.rest or (row.text(self.unit.index) if self.unit else "") or self.quantity.heading
        if words.unit("mass", unit_text) in ("g", "mg"):
            return {"value": number.value, "unit": words.unit("mass", unit_text)}, ""
        if words.unit("volume", unit_text):
            return self._from_volume(number.value * (1000 if words.unit("volume", unit_text) == "L" else 1), said, drug)
        if words.meaning("quantity_units", unit_text) != "vials":
            answer = self.reading.ask(
                "quantity_unit",
                f"What does '{self.quantity.heading}' count?",
                ("vials", "grams", "mL"),
                f"'{written} {'' if unit_text == self.quantity.heading else unit_text}'".replace(" '", "'")
                + " names no unit that is known",
            )
            if answer == "grams":
                return {"value": number.value, "unit": "g"}, ""
            if answer == "mL":
                return self._from_volume(number.value, said, drug)
        if said.grams is not None:
            return {"value": round(number.value * said.grams, 6), "unit": "g"}, ""
        if said.perhaps is not None:
            shown = row.text(self.product.index).strip() if self.product else drug.name
            answer = self.reading.ask(
                f"vial.{words.plain(drug.name)}.{said.perhaps:g}",
                f"Does one vial of '{shown}' hold {said.perhaps:g} g?",
                ("yes", "no"),
                "the text may name the vial or only the concentration",
            )
            if answer != "no":
                return {"value": round(number.value * said.perhaps, 6), "unit": "g"}, ""
        if said.volume is not None:
            return self._from_volume(number.value * said.volume, said, drug)
        return None, f"{written} vials of unknown size"

    # ---- the time

    def _given(self, dated: Dated) -> date | datetime | None:
        """When it was given. The day a pharmacy handed something out is that day only if a person says so."""
        column = self.reading.layout.first("date_given", "date", "date_time", "date_issued", "start")
        issued = column is not None and column.role == "date_issued"
        pharmacy = self.quantity is not None and column is not None and column.role in ("date", "date_time")
        if not (issued or pharmacy):
            return dated.when
        timed = dated.clock is not None
        choices = (*(("yes, day and time",) if timed else ()), "yes, the day" if timed else "yes", "no")
        answer = self.reading.ask(
            "issued_is_given",
            f"Is '{column.heading if column else ''}' also the day of the infusion?",
            choices,
            "a list of vials handed out; they may have been given on another day",
        )
        if answer == "no":
            return None
        return dated.day if answer == "yes, the day" else dated.when

    def _stop(self, dated: Dated, when: date | datetime, said: DoseText) -> tuple[datetime | None, str]:
        """The end of an infusion, and words to keep where it has none that fits."""
        column, length = self.reading.layout.first("stop"), self.reading.layout.first("duration")
        hours = said.hours
        note = f"over {said.hours:g} h" if said.hours else ""
        if length is not None and not words.is_missing(dated.row.text(length.index)):
            hours, note = self._hours(dated.row, length.index, length.heading)
        if column is not None and not words.is_missing(dated.row.text(column.index)):
            return self._written_stop(dated, when, dated.row.text(column.index))
        if hours is not None and isinstance(when, datetime):
            return when + timedelta(seconds=round(hours * 3600)), ""
        return None, note

    def _hours(self, row: Row, index: int, heading: str) -> tuple[float | None, str]:
        text = row.text(index).strip()
        clock = dates.read_clock(text) if ":" in text else None
        if clock is not None:
            return clock.at.hour + clock.at.minute / 60 + clock.at.second / 3600, f"over {text}"
        said = read_dose(text).hours
        if said is not None:
            return said, f"over {said:g} h"
        number = self.reading.number(row, index)
        if number is not None and not number.rest:
            in_minutes = any(
                w in words.plain(heading).split() or f"({w})" in words.plain(heading) for w in words.listed("minutes")
            )
            in_hours = any(
                f"({w})" in words.plain(heading) or f"[{w}]" in words.plain(heading) or f" {w}" in words.plain(heading)
                for w in words.listed("hours")
            )
            unit = "minutes" if in_minutes else "hours" if in_hours else None
            unit = unit or self.reading.ask(
                "duration_unit",
                f"Is '{heading}' in hours or minutes?",
                ("hours", "minutes"),
                f"the first value is {text}",
            )
            return number.value / (60 if unit == "minutes" else 1), f"over {text} {unit or ''}".strip()
        return None, f"{heading}: {text}"

    def _written_stop(self, dated: Dated, when: date | datetime, text: str) -> tuple[datetime | None, str]:
        with_day = dates.read_date(text)
        if with_day.clock is not None:
            resolved = dates.resolve(
                with_day, order=dates.Order.DAY_FIRST if with_day.form is dates.Form.KNOWN else None, century=None
            )
            if resolved is not None:
                return datetime.combine(
                    resolved, with_day.clock, dated.when.tzinfo if isinstance(dated.when, datetime) else None
                ), ""
        clock = dates.read_clock(text)
        if clock is None or not isinstance(when, datetime):
            return None, f"stop {text.strip()}"
        stop = datetime.combine(when.date(), clock.at, when.tzinfo)
        if stop <= when:
            answer = self.reading.ask(
                "overnight",
                "Infusions that stop before they start: did they run past midnight?",
                ("yes", "no"),
                f"first at {self.reading.table.place(dated.row.line)}: {when:%H:%M} to {text.strip()}",
            )
            if answer == "no":
                return None, f"stop {text.strip()}"
            stop += timedelta(days=1)
        return stop, ""

    # ---- the rest

    def _route(self, row: Row, drug: _Drug) -> str:
        column = self.reading.layout.first("route")
        written = row.text(column.index) if column else ""
        stated = words.meaning("routes", written) or next(iter(words.mentioned("routes", written)), None)
        if stated:
            return stated
        around = " ".join(row.text(c.index) for c in (self.product, self.dose) if c is not None)
        around += " " + " ".join(c.heading for c in (self.dose, self.product) if c is not None)
        said = words.mentioned("routes", around)
        if len(said) == 1:
            return said[0]
        if "fSCIg" in said:
            return "fSCIg"
        if drug.product is not None and len(drug.product.routes) == 1:
            self._say(f"route {drug.product.routes[0]}: {drug.product.name} has no other in its product file")
            return drug.product.routes[0]
        answer = self.reading.ask(
            f"route.{words.plain(drug.name)}",
            f"By which route was {drug.name} given?",
            ROUTES,
            "neither the table nor a product file says it",
        )
        return answer or "IV"

    def _say(self, words_: str) -> None:
        if words_ not in self.reading.sheet.said:
            self.reading.sheet.said.append(words_)

    def _add(
        self, dated: Dated, when: date | datetime, drug: _Drug, dose: dict[str, Any], said: DoseText, note: str
    ) -> None:
        row, layout = dated.row, self.reading.layout
        inner = read_dose(row.text(self.dose.index), self.reading.decimal) if self.dose else DoseText()
        stop, words_ = self._stop(dated, when, said if said.hours else inner)
        data: dict[str, Any] = {"product": drug.name, "dose": dose}
        if stop is not None:
            data["stop"] = stop
        data["route"] = self._route(row, drug)
        for role in ("lot", "course"):
            column = layout.first(role)
            if column is not None and not words.is_missing(row.text(column.index)):
                data[role] = row.text(column.index).strip()[:60]
        reactions = [
            row.text(c.index).strip() for c in layout.of("reaction") if not words.is_missing(row.text(c.index))
        ]
        if reactions:
            data["reactions"] = [{"what": text[:1000]} for text in reactions]
        if not isinstance(when, datetime) and dated.clock is not None:
            words_ = f"handed out at {dated.clock:%H:%M}; {words_}".strip("; ")
        full = "; ".join(w for w in (words_, note) if w)
        if full:
            data["note"] = full
        self.found.append(Fact("infusion", when, data, (row.line,), self.reading.table.place(row.line)))
        self.reading.sheet.end(row.line, "used")

    def finish(self, rows: Sequence[Dated]) -> list[Fact]:
        """The infusions, vials of one day and time summed, doses far from the others asked about."""
        by_line = {d.row.line: d.row for d in rows}
        return [*self._doubted(self._summed(rows), by_line), *self.drugs]

    def _doubted(self, facts: list[Fact], rows: dict[int, Row]) -> list[Fact]:
        """Doses that look like a slip of the pen among the others are asked about."""
        kept = []
        ordered = sorted(facts, key=lambda f: (day(f.when or date.min), f.lines))
        grams = [_grams_of(f) for f in ordered]
        for i, fact in enumerate(ordered):
            why = doubt(grams[i], grams[max(0, i - 5) : i] + grams[i + 1 : i + 6])
            if why is None:
                kept.append(fact)
                continue
            row = rows[fact.lines[0]]
            choices = ("keep", "leave out", "<grams>")
            answer = self.reading.ask_row(
                row, "dose", "How many grams were given?", choices, f"a dose of {why} g", accept=is_number
            )
            if answer == "leave out":
                for line in fact.lines:
                    self.reading.leave_out(rows[line], "dose")
            elif answer in (None, "keep"):
                kept.append(fact)
            else:
                note = "; ".join(
                    [
                        f"dose written as {grams[i]:g} g, corrected on import",
                        *([fact.data["note"]] if "note" in fact.data else []),
                    ]
                )
                dose = {"value": to_number(str(answer)), "unit": "g"}
                kept.append(replace(fact, data={**fact.data, "dose": dose, "note": note}))
        return kept

    def _summed(self, rows: Sequence[Dated]) -> list[Fact]:
        groups: dict[tuple[object, ...], list[Fact]] = {}
        for fact in self.found:
            groups.setdefault((fact.when, fact.data["product"], fact.data["route"]), []).append(fact)
        result, sums = [], 0
        for group in groups.values():
            if len(group) == 1:
                result.append(group[0])
                continue
            together = self.quantity is not None and self.dose is None
            if not together:
                timed = isinstance(group[0].when, datetime)
                answer = self.reading.ask(
                    "same_day",
                    f"Several rows of one product {'at one time' if timed else 'on one day'}: one infusion, or several?",
                    ("one infusion", "several"),
                    f"first on lines {', '.join(str(f.lines[0]) for f in group)} of {self.reading.table.name}",
                )
                together = answer == "one infusion"
            if together:
                result.append(_sum(group))
                sums += 1
            else:
                result += group
        if sums:
            self._say(
                f"vials of one day and product were added up to one infusion ({sums} of them); their lots are listed"
            )
        return result


def _sum(group: list[Fact]) -> Fact:
    """Several vials as one infusion: grams added, lots listed."""
    first = group[0]
    grams = [
        float(f.data["dose"]["value"]) * {"g": 1.0, "mg": 0.001, "kg": 1000.0}[f.data["dose"]["unit"]] for f in group
    ]
    lots = list(dict.fromkeys(f.data["lot"] for f in group if "lot" in f.data))
    notes = list(dict.fromkeys(f.data["note"] for f in group if "note" in f.data))
    parts = " + ".join(f"{g:g} g" for g in grams)
    listed = ", ".join(lots)
    if len(listed) > 60:
        notes.append(f"lots {listed}")
        listed = ""
    data = {**first.data, "dose": {"value": round(sum(grams), 6), "unit": "g"}}
    data.pop("lot", None)
    if listed:
        data["lot"] = listed
    stops = [f.data["stop"] for f in group if "stop" in f.data]
    if stops:
        data["stop"] = max(stops)
    reactions = [r for f in group for r in f.data.get("reactions", ())]
    if reactions:
        data["reactions"] = [dict(t) for t in dict.fromkeys(tuple(r.items()) for r in reactions)]
    data["note"] = "; ".join([f"vials {parts}", *notes])
    return replace(first, data=data, lines=tuple(line for f in group for line in f.lines))


def _grams_of(fact: Fact) -> float:
    dose = fact.data["dose"]
    return float(dose["value"]) * {"g": 1.0, "mg": 0.001, "kg": 1000.0}[dose["unit"]]
