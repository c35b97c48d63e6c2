"""Facts into a record: what is there stays, what is new is added, what contradicts is listed and not added."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from ranvier.exchange.dates import written
from ranvier.exchange.found import Fact, day
from ranvier.ground import units
from ranvier.ground.notes import Problem, Severity

_LISTS = {"infusion": "infusions", "igg": "igg", "blood_test": "blood_tests", "drug": "drugs"}


@dataclass(slots=True)
class Merged:
    """A record with facts added. added and already count facts by kind."""

    record: dict[str, Any]
    added: Counter[str] = field(default_factory=Counter)
    already: Counter[str] = field(default_factory=Counter)
    conflicts: list[Problem] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Overlap:
    """An infusion of a table on a day on which the record has one of that product, with other time or grams."""

    fact: Fact
    there: str


class Merge:
    """One merge into a copy of a record. `zone` is the record's time zone, for comparing times."""

    def __init__(self, record: Mapping[str, Any], zone: str | None) -> None:
        self.record = copy.deepcopy(dict(record))
        self.zone = ZoneInfo(zone) if zone else None
        self.merged = Merged(self.record)

    # ---- comparing

    def moment(self, when: object) -> date | datetime | str:
        """A time in one form: a plain date, or local without zone where the zone is known."""
        if isinstance(when, str):
            try:
                when = date.fromisoformat(when) if len(when) == 10 else datetime.fromisoformat(when.replace(" ", "T"))
            except ValueError:
                return when
        if isinstance(when, datetime):
            if when.tzinfo is not None:
                return when.astimezone(self.zone).replace(tzinfo=None) if self.zone else when
            return when
        return when if isinstance(when, date) else str(when)

    @staticmethod
    def amount(value: object, unit: str, as_: str) -> float | None:
        """A value in a common unit, for comparing only."""
        try:
            return round(units.enter(float(value), unit, as_=as_), 6)  # type: ignore[arg-type]
        except (ValueError, TypeError):
            return None

    # ---- adding

    def add(self, facts: Sequence[Fact]) -> list[Overlap]:
        """Add the facts of one table. Infusions that may be the same as one already there are handed back instead."""
        overlaps: list[Overlap] = []
        infusions = [f for f in facts if f.kind == "infusion"]
        overlaps += self._infusions(infusions)
        for kind in ("igg", "blood_test", "drug"):
            self._plain([f for f in facts if f.kind == kind], kind)
        self._weights([f for f in facts if f.kind == "weight"])
        for series in dict.fromkeys(f.series for f in facts if f.kind == "strength"):
            self._strength([f for f in facts if f.series == series])
        for fact in facts:
            if fact.kind == "note":
                notes = self.record.setdefault("notes", [])
                if fact.data["text"] in notes:
                    self.merged.already["note"] += 1
                else:
                    notes.append(fact.data["text"])
                    self.merged.added["note"] += 1
        return overlaps

    def add_infusion(self, fact: Fact) -> None:
        """Add an infusion without looking for others of that day."""
        entry = {"product": fact.data["product"], "dose": fact.data["dose"], "start": written(fact.when or date.min)}
        entry |= {k: written(v) if k == "stop" else v for k, v in fact.data.items() if k not in entry}
        self.record.setdefault("infusions", []).append(entry)
        self.merged.added["infusion"] += 1

    def _infusions(self, facts: Sequence[Fact]) -> list[Overlap]:
        there = [e for e in self.record.get("infusions", []) if isinstance(e, dict)]
        known = Counter(self._infusion_key(e["product"], e["dose"], e["start"], e.get("lot")) for e in there)
        by_day: dict[tuple[str, date], list[dict[str, Any]]] = {}
        for entry in there:
            start = self.moment(entry["start"])
            if isinstance(start, date):
                by_day.setdefault((entry["product"].casefold(), day(start)), []).append(entry)
        overlaps = []
        for fact in facts:
            assert fact.when is not None
            key = self._infusion_key(fact.data["product"], fact.data["dose"], fact.when, fact.data.get("lot"))
            if known[key] > 0:
                known[key] -= 1
                self.merged.already["infusion"] += 1
                continue
            others = by_day.get((fact.data["product"].casefold(), day(fact.when)), [])
            if others:
                other = others[0]
                overlaps.append(
                    Overlap(fact, f"{other['dose']['value']:g} {other['dose']['unit']} at {other['start']}")
                )
            else:
                self.add_infusion(fact)
        return overlaps

    def _infusion_key(
        self, product: str, dose: Mapping[str, Any], start: object, lot: str | None
    ) -> tuple[object, ...]:
        return product.casefold(), self.amount(dose["value"], dose["unit"], "g"), self.moment(start), lot or ""

    def _plain(self, facts: Sequence[Fact], kind: str) -> None:
        entries = self.record.setdefault(_LISTS[kind], []) if facts else []
        known = Counter(self._key(kind, e) for e in entries if isinstance(e, dict))
        for fact in facts:
            entry: dict[str, Any] = {}
            if fact.when is not None:
                entry["start" if kind == "drug" else "at"] = written(fact.when)
            rest = {k: written(v) if isinstance(v, date) else v for k, v in fact.data.items() if k != "name"}
            entry = {"name": fact.data["name"], **entry, **rest} if kind == "drug" else {**entry, **fact.data}
            key = self._key(kind, entry)
            if known[key] > 0:
                known[key] -= 1
                self.merged.already[kind] += 1
                continue
            if kind == "igg" and self._contradicts(entry, entries, fact):
                continue
            entries.append(entry)
            self.merged.added[kind] += 1

    def _key(self, kind: str, entry: Mapping[str, Any]) -> tuple[object, ...]:
        if kind == "drug":
            return str(entry.get("name")).casefold(), self.moment(entry.get("start"))
        if kind == "igg":
            return self.moment(entry["at"]), self.amount(entry["value"], entry["unit"], "g/L")
        return self.moment(entry["at"]), str(entry["what"]).casefold(), float(entry["value"]), entry["unit"]

    def _contradicts(self, entry: Mapping[str, Any], entries: Sequence[Mapping[str, Any]], fact: Fact) -> bool:
        """Whether another level stands at the same time on the same side of the infusion."""
        at = self.moment(entry["at"])
        for other in entries:
            timed = isinstance(at, datetime) or (
                entry.get("timing") is not None and other.get("timing") == entry.get("timing")
            )
            if self.moment(other["at"]) == at and timed:
                self._conflict(
                    fact,
                    f"IgG {entry['value']:g} {entry['unit']} at {entry['at']}",
                    f"{other['value']:g} {other['unit']}",
                )
                return True
        return False

    def _weights(self, facts: Sequence[Fact]) -> None:
        if not facts:
            return
        weights = self.record.setdefault("person", {}).setdefault("weights", [])
        for fact in facts:
            assert fact.when is not None
            entry = {"on": written(day(fact.when)), **fact.data}
            same = [w for w in weights if w.get("on") == entry["on"]]
            if not same:
                weights.append(entry)
                self.merged.added["weight"] += 1
            elif self.amount(same[0]["value"], same[0]["unit"], "kg") == self.amount(
                entry["value"], entry["unit"], "kg"
            ):
                self.merged.already["weight"] += 1
            else:
                self._conflict(
                    fact,
                    f"weight {entry['value']:g} {entry['unit']} on {entry['on']}",
                    f"{same[0]['value']:g} {same[0]['unit']}",
                )

    def _strength(self, facts: Sequence[Fact]) -> None:
        series = self._series(facts[0])
        there: dict[object, list[float]] = {}
        for value in series["values"]:
            at, number = (value[0], value[1]) if isinstance(value, list) else (value["at"], value["value"])
            there.setdefault(self.moment(at), []).append(float(number))
        left = {at: list(numbers) for at, numbers in there.items()}
        for fact in facts:
            assert fact.when is not None
            at, number = self.moment(fact.when), float(fact.data["value"])
            if any(abs(number - n) < 1e-9 for n in left.get(at, [])):
                left[at].remove(next(n for n in left[at] if abs(number - n) < 1e-9))
                self.merged.already["strength"] += 1
            elif at in there:
                shown = ", ".join(f"{n:g}" for n in there[at])
                self._conflict(fact, f"{series['id']} {number:g} {series['unit']} at {written(fact.when)}", shown)
            else:
                series["values"].append({"at": written(fact.when), **fact.data})
                self.merged.added["strength"] += 1

    def _series(self, fact: Fact) -> dict[str, Any]:
        """The series that a value belongs to, made if there is none."""
        assert fact.series is not None
        side, device, unit, place = fact.series
        every = self.record.setdefault("strength", [])
        alike = [
            s
            for s in every
            if s.get("measure") == "grip"
            and s.get("side") == side
            and str(s.get("device", "")).casefold() == (device or "")
            and s.get("unit") == unit
        ]
        exact = [s for s in alike if s.get("place") == place]
        unplaced = alike if place is None else [s for s in alike if "place" not in s]  # not said is no contradiction
        chosen: dict[str, Any] | None = exact[0] if exact else unplaced[0] if len(unplaced) == 1 else None
        if chosen is not None:
            chosen.setdefault("id", f"grip-{side}")
            return chosen
        taken = {str(s.get("id", "-".join(str(s[k]) for k in ("measure", "side") if k in s))) for s in every}
        parts = ["grip", side or "", device or "", (place or ""), unit.strip("[]").split("_")[0]]
        names = [
            "-".join(p for p in (*parts[:2], *extra) if p)
            for extra in ([], [parts[2]], [parts[2], parts[3]], [parts[2], parts[3], parts[4]])
        ]
        name = next((n for n in names if n not in taken), f"{names[-1]}-{len(every) + 1}")
        new: dict[str, Any] = {
            "id": name,
            "measure": "grip",
            "side": side,
            "device": device,
            "unit": unit,
            "place": place,
            "values": [],
        }
        new = {k: v for k, v in new.items() if v is not None}
        every.append(new)
        return new

    def _conflict(self, fact: Fact, new: str, there: str) -> None:
        what = f"{new}, yet the record has {there} there"
        self.merged.conflicts.append(
            Problem(
                fact.place,
                what,
                "Not added; the record stays as it is. Mend the record by hand if the table is right.",
                Severity.LOOK,
                fact.lines[0],
            )
        )


def in_order(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record with its facts sorted by time; what the file had in another order means the same."""
    result = dict(record)
    for key, at in (("infusions", "start"), ("igg", "at"), ("blood_tests", "at")):
        if key in result:
            result[key] = sorted(result[key], key=lambda e: str(e.get(at, "")))
    if "strength" in result:
        result["strength"] = [
            {**s, "values": sorted(s["values"], key=lambda v: str(v[0] if isinstance(v, list) else v["at"]))}
            for s in result["strength"]
        ]
    person = dict(result.get("person", {}))
    if person.get("weights"):
        result["person"] = {**person, "weights": sorted(person["weights"], key=lambda w: str(w["on"]))}
    return {k: v for k, v in result.items() if v not in ([], None)}
