"""Read one person's file: shape by the schema, units and times at the door, then plausibility. All problems at once."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path as FilePath
from typing import Any
from zoneinfo import ZoneInfo

from ranvier.ground import units
from ranvier.ground.notes import Problem, Severity, must_mend
from ranvier.record import nouns as n
from ranvier.record import sense, structure
from ranvier.record.digest import digest, when_key
from ranvier.record.plausible import Bounds, MeasureRule, plausibility
from ranvier.record.text import LARGEST_TEXT, Document, Path, parse, place, refuse

ROUTES = ("IV", "SC", "fSCIg")
SELF = "(itself)"


def read(path: str | os.PathLike[str]) -> tuple[n.Record, tuple[Problem, ...]]:
    """The record in the file at `path` (YAML or JSON), and what deserves a look.

    Raises InputError with every problem if at least one must be mended; FileNotFoundError if there is no such file.
    """
    file = FilePath(path)
    if file.is_dir():
        raise refuse(file.name, [Problem("record", "this is a folder", "Name one file: one person, one file.")])
    with file.open("rb") as stream:
        raw = stream.read(4 * LARGEST_TEXT + 1)  # a letter has at most four bytes
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        if raw[:2] == b"PK":
            what, remedy = (
                "this is a spreadsheet, not a record",
                f"Turn it into a record first: ranvier import {file.name}",
            )
        else:
            what, remedy = "this text is not in UTF-8", "Save it as UTF-8; for a table, use `ranvier import`."
        raise refuse(file.name, [Problem("record", what, remedy)]) from None
    return read_text(text, file.name)


def read_text(text: str, name: str) -> tuple[n.Record, tuple[Problem, ...]]:
    """As `read`, from text; `name` is what the text is called in an error."""
    document, problems = parse(text, name, structure.text_keys())
    if not isinstance(document.data, dict):
        what = "this is not a record: a record is a group of keys"
        remedy = "Begin with 'ranvier_record: 1'; for a table (CSV, XLSX), use `ranvier import`."
        raise refuse(name, [*problems, Problem("record", what, remedy, line=1)])
    reading = _Reading(document, problems)
    record = reading.record()
    found = tuple(
        sorted(reading.problems, key=lambda p: (p.severity is not Severity.MEND, p.line or 0, p.place, p.what))
    )
    if record is None or must_mend(found):
        raise refuse(name, found)
    return record, found


class _Reading:
    """One pass over one file. Facts that cannot be made are left out, so that the rest is still looked at."""

    def __init__(self, document: Document, problems: Sequence[Problem]) -> None:
        self.document = document
        self.problems = list(problems)
        self.data: dict[str, Any] = structure.without_nothing(document.data)
        self.rules = plausibility()
        self.zone: ZoneInfo | None = None
        self.zoneless: list[Path] = []
        already = {p.place for p in problems}
        # For each place with something wrong in it, the steps that lead further down to it; SELF where it is itself wrong.
        self.spoilt: dict[Path, set[str | int | None]] = {}
        for path, problem in structure.check(document, self.data):
            for depth in range(len(path) + 1):
                self.spoilt.setdefault(path[:depth], set()).add(path[depth] if depth < len(path) else SELF)
            if problem.place not in already:
                self.problems.append(problem)

    # ---- saying

    def say(self, path: Path, what: str, remedy: str, severity: Severity = Severity.MEND) -> None:
        self.problems.append(Problem(place(path), what, remedy, severity, self.document.line(path)))

    def look(self, path: Path, what: str, remedy: str) -> None:
        self.say(path, what, remedy, Severity.LOOK)

    def sound(self, path: Path, but: str | None = None) -> bool:
        """Whether the shape of what stands at `path` is as it must be, apart from what is below its key `but`."""
        return self.spoilt.get(path, set()) <= {but}

    def each(self, *keys: str, but: str | None = None) -> list[tuple[Path, dict[str, Any]]]:
        """The well-shaped entries of the list at `keys`, with their paths in the file."""
        entries: Any = self.data
        for key in keys:
            entries = entries.get(key, []) if isinstance(entries, dict) else []
        if not isinstance(entries, list):
            return []
        return [((*keys, i), e) for i, e in enumerate(entries) if self.sound((*keys, i), but)]

    # ---- reading single things

    def bounded(self, path: Path, value: float, bounds: Bounds, what: str, remedy: str = "") -> bool:
        """Hold `value` against its bounds. False if it must be mended."""
        unit = "" if bounds.unit in ("1", "{score}", "a") else f" {bounds.unit}"
        if not bounds.hard_low <= value <= bounds.hard_high:
            limit, side = (bounds.hard_low, "less") if value < bounds.hard_low else (bounds.hard_high, "more")
            self.say(
                path,
                f"{what} {value:g}{unit} cannot be: {side} than {limit:g}{unit}",
                remedy or "Check number and unit.",
            )
            return False
        if not bounds.soft_low <= value <= bounds.soft_high:
            limit, side = (bounds.soft_low, "less") if value < bounds.soft_low else (bounds.soft_high, "more")
            self.look(
                path, f"{what} {value:g}{unit} is unusual: {side} than {limit:g}{unit}", "Kept. Check number and unit."
            )
        return True

    def quantity(self, path: Path, given: Mapping[str, Any], as_: str) -> float | None:
        """A number with its unit, in the canonical unit; None, with a problem, if the unit does not fit."""
        return self.number(path, given["value"], given["unit"], as_)

    def number(self, path: Path, value: float, unit: str, as_: str) -> float | None:
        try:
            return units.enter(value, unit, as_=as_)
        except units.UnitError as error:
            meant = f"Write {error.meant}" if error.meant else f"Use one of: {', '.join(error.accepted)}"
            remedy = f"{meant}; nothing is converted by guess."
            if as_ == "g" and unit.lower() in ("ml", "l"):
                remedy = "Write grams: millilitres times the concentration of the product on the chart."
            self.say((*path, "unit"), f"'{unit[:40]}' cannot be read as {as_}", remedy)
        except (ValueError, OverflowError):
            self.say((*path, "value"), f"{value} is not a number that can be measured", "Leave out what is not known.")
        return None

    def when(self, path: Path, text: str) -> n.When | None:
        """A plain date, or a time with its zone; None, with a problem, if it is neither."""
        try:
            if len(text) == 10:
                return self.year(path, date.fromisoformat(text))
            moment = datetime.fromisoformat(text.replace(" ", "T"))
        except ValueError:
            self.say(path, f"there is no such day or time as {text}", "Check day, month, hour and minute.")
            return None
        try:
            if moment.tzinfo is None:
                if self.zone is None:
                    self.zoneless.append(path)
                    return None
                return self.year(path, self.local(path, moment))
            return self.year(path, moment.astimezone(self.zone) if self.zone else moment)
        except OverflowError:
            self.say(path, f"{text} cannot be: the year is out of range", "Check the year.")
            return None

    def local(self, path: Path, moment: datetime) -> datetime:
        """A wall-clock time in the file's zone; the two odd hours of a year are pointed out."""
        here = moment.replace(tzinfo=self.zone)
        other = here.replace(fold=1)
        if here.utcoffset() != other.utcoffset():
            if here.utcoffset() < other.utcoffset():  # type: ignore[operator]
                self.say(
                    path, f"{moment} did not exist: the clocks went forward", "Check date and time, or add the offset."
                )
            else:
                self.look(
                    path,
                    f"{moment} came twice: the clocks went back",
                    "Taken as the first; add the offset to say which.",
                )
        return here

    def year(self, path: Path, found: n.When) -> n.When | None:
        bounds = self.rules.limits["year"]
        if not bounds.hard_low <= found.year <= bounds.hard_high:
            self.say(path, f"the year {found.year} cannot be", "Check the year; it is never guessed.")
            return None
        return found

    def day(self, path: Path, text: str | None) -> date | None:
        return None if text is None else self.when(path, text)

    # ---- the whole

    def record(self) -> n.Record | None:
        """Every part, then what only shows when the parts are together."""
        self.read_zone()
        person = self.person()
        infusions = self.infusions()
        before = self.before()
        igg = self.igg()
        strength = self.strength()
        drugs, tests, conditions = self.drugs(), self.blood_tests(), self.conditions()
        goals = self.goals({s.id: s for _, s in strength})
        kept = {key: self.kept(key) for key in ("examinations", "conduction_studies", "imaging")}
        if self.zoneless:
            where, count = self.zoneless[0], len(self.zoneless)
            more = f" (and {count - 1} more)" if count > 1 else ""
            what = f"the time at {place(where)}{more} has no offset, and the file names no timezone"
            self.say(where, what, "Write, for instance: timezone: Europe/Amsterdam")
        sense.infusions(self, infusions, person)
        igg = sense.igg(self, igg, infusions)
        sense.person(self, person)
        sense.before(self, before, [i for _, i in infusions])
        sense.dates(self, person, infusions, igg, strength)
        if person is None or before is None:
            return None
        whole = n.Record(
            person=person,
            before=before,
            infusions=tuple(sorted((i for _, i in infusions), key=lambda i: (when_key(i.start), repr(i)))),
            igg=tuple(sorted((g for _, g in igg), key=lambda g: (when_key(g.at), g.g_per_l, repr(g)))),
            strength=tuple(sorted((s for _, s in strength), key=lambda s: s.id)),
            digest="",
            timezone=self.data.get("timezone"),
            invented=self.data.get("invented", False) is True,
            drugs=tuple(sorted(drugs, key=repr)),
            blood_tests=tuple(sorted(tests, key=lambda t: (when_key(t.at), repr(t)))),
            conditions=tuple(sorted(conditions, key=repr)),
            goals=goals,
            **kept,
            notes=tuple(self.data["notes"]) if "notes" in self.data and self.sound(("notes",)) else (),
        )
        return replace(whole, digest=digest(whole))

    def read_zone(self) -> None:
        name = self.data.get("timezone")
        if not isinstance(name, str):
            return
        try:
            self.zone = ZoneInfo(name)
        except (ValueError, OSError, LookupError):  # not a name, a folder of names, or no such name
            self.say(("timezone",), f"'{name[:60]}' is not a time zone", "Write its IANA name, as in Europe/Amsterdam.")
            self.zone = ZoneInfo("UTC")  # only so that the times can be looked at; the record is refused

    def person(self) -> n.Person | None:
        raw = self.data.get("person")
        if not isinstance(raw, dict) or not self.sound(("person",), but="weights"):
            return None
        year, height = raw.get("birth_year"), None
        if year is not None and not (1880 <= year <= 2100):
            self.say(("person", "birth_year"), f"{year} cannot be a year of birth here", "Write four digits.")
            year = None
        if "height" in raw:
            height = self.quantity(("person", "height"), raw["height"], "cm")
            bounds = self.rules.limits["height"]
            if height is not None and not self.bounded(("person", "height"), height, bounds, "a height of"):
                height = None
        weights = []
        for path, entry in self.each("person", "weights"):
            on, kg = self.day((*path, "on"), entry["on"]), self.number(path, entry["value"], entry["unit"], "kg")
            fits = kg is not None and self.bounded(path, kg, self.rules.limits["weight"], "a weight of")
            if on is not None and kg is not None and fits:
                weights.append((path, n.Weight(on, kg)))
        weights = sense.weights(self, weights)
        return n.Person(
            raw["pseudonym"], year, raw.get("sex"), height, tuple(w for _, w in weights), raw.get("dominant_hand")
        )

    def infusions(self) -> list[tuple[Path, n.Infusion]]:
        found = []
        for path, raw in self.each("infusions"):
            start = self.when((*path, "start"), raw["start"])
            stop = self.when((*path, "stop"), raw["stop"]) if "stop" in raw else None
            grams = self.quantity((*path, "dose"), raw["dose"], "g")
            if grams is not None and grams < self.rules.limits["infusion_grams"].hard_low:
                self.say((*path, "dose"), f"a dose of {grams:g} g is none", "Remove the entry if nothing was given.")
                grams = None
            if start is None or grams is None:
                continue
            reactions = [n.Reaction(r["what"], r.get("grade")) for r in raw.get("reactions", ())]
            found.append(
                (
                    path,
                    n.Infusion(
                        product=raw["product"],
                        grams=grams,
                        start=start,
                        stop=stop if isinstance(stop, datetime) else None,
                        route=raw["route"],
                        lot=raw.get("lot"),
                        course=raw.get("course"),
                        reactions=tuple(sorted(reactions, key=repr)),
                        note=raw.get("note"),
                    ),
                )
            )
        return found

    def before(self) -> n.Before | None:
        raw = self.data.get("before")
        if raw is None:
            what = "what was given before the first infusion is not said"
            self.look(("before",), what, "Taken as unknown. Write 'before: {kind: none}' or the regimen.")
            return n.Before("unknown")
        if not isinstance(raw, dict) or not self.sound(("before",)):
            return None
        grams = interval = None
        if "dose" in raw:
            grams = self.quantity(("before", "dose"), raw["dose"], "g")
            if grams is not None:
                self.bounded(("before", "dose"), grams, self.rules.limits["infusion_grams"], "a dose of")
        if "interval" in raw:
            interval = self.quantity(("before", "interval"), raw["interval"], "d")
            if interval is not None:
                self.bounded(("before", "interval"), interval, self.rules.limits["interval"], "an interval of")
        if raw["kind"] == "regimen":
            for key in ("product", "dose", "interval", "route"):
                if key not in raw:
                    what = f"a regimen before the record needs its {key}"
                    self.say(("before",), what, f"Add {key}, or write kind: unknown.")
        elif extra := [k for k in raw if k != "kind"]:
            what = f"kind is {raw['kind']}, yet {', '.join(extra)} is given"
            self.say(("before",), what, "Write kind: regimen, or leave the rest out.")
        return n.Before(
            kind=raw["kind"],
            product=raw.get("product"),
            grams=grams,
            interval_days=interval,
            route=raw.get("route"),
            since=self.day(("before", "since"), raw.get("since")),
            last=self.day(("before", "last"), raw.get("last")),
        )

    def igg(self) -> list[tuple[Path, n.IgGLevel]]:
        found = []
        bounds = self.rules.limits["igg"]
        for path, raw in self.each("igg"):
            at, level = self.when((*path, "at"), raw["at"]), self.number(path, raw["value"], raw["unit"], "g/L")
            if level is not None:
                # The reader names the unit that would fit; it never applies it.
                fits = [
                    u
                    for u in units.ACCEPTED["g/L"]
                    if bounds.soft_low <= units.enter(raw["value"], u, as_="g/L") <= bounds.soft_high
                    and u != raw["unit"]
                ]
                remedy = (
                    f"It looks like {raw['value']:g} {fits[0]}: check the unit." if fits else "Check number and unit."
                )
                if not self.bounded(path, level, bounds, "an IgG of", remedy):
                    level = None
            if at is not None and level is not None:
                found.append((path, n.IgGLevel(at, level, raw.get("timing"), raw.get("below", False))))
        return found

    def strength(self) -> list[tuple[Path, n.StrengthSeries]]:
        found: list[tuple[Path, n.StrengthSeries]] = []
        names: dict[str, Path] = {}
        for path, raw in self.each("strength", but="values"):
            rule = self.rules.measures[raw["measure"]]
            name = raw.get("id") or "-".join(
                [raw["measure"], *("-".join(raw[k].lower().split()) for k in ("side", "muscle", "variant") if k in raw)]
            )
            if name in names:
                what = f"the name '{name}' is that of {place(names[name])} too"
                self.say(path, what, "Give each series its own id, as in id: grip-right-home.")
            names.setdefault(name, path)
            device, unit, bounds = self.series_head(path, raw, rule)
            if unit is None or bounds is None:
                continue
            series = n.StrengthSeries(
                id=name,
                measure=raw["measure"],
                unit=unit,
                values=(),
                side=raw.get("side"),
                device=device,
                muscle=raw.get("muscle"),
                variant=raw.get("variant"),
                place=raw.get("place"),
            )
            values = self.values((*path, "values"), raw["values"], raw["unit"], bounds)
            if raw["values"] == []:
                self.look((*path, "values"), f"{name} has no value", "Kept. Add values or remove the series.")
            found.append((path, replace(series, values=tuple(sense.values(self, series, values)))))
        return found

    def series_head(
        self, path: Path, raw: Mapping[str, Any], rule: MeasureRule
    ) -> tuple[str | None, str | None, Bounds | None]:
        """Device, canonical unit and bounds of a series; unit None, with problems, if they do not go together."""
        device = rule.device(raw["device"]) if "device" in raw else None
        for key in rule.needs:
            if key in raw:
                continue
            if key == "device":
                known = ", ".join(f"{d.id} ({'/'.join(d.units)})" for d in rule.devices)
                self.say(
                    path, f"{rule.name} without its device: which one?", f"Write device: one of {known}, or unknown."
                )
            elif key == "variant":
                known = ", ".join(rule.variants)
                what = f"{rule.name} without its variant: which muscles, which range?"
                self.say(path, what, f"Write variant: one of {known}.")
            else:
                self.say(path, f"{rule.name} without its {key}", f"Write, for instance: {key}: {EXAMPLES[key]}")
        unit = units.canonical(raw["unit"], rule.bounds)
        if unit is None:
            accepted = ", ".join(u for c in rule.bounds for u in units.ACCEPTED[c])
            meant = units.SPOKEN.get(raw["unit"].strip())
            remedy = f"Write {meant}." if meant and meant in accepted else f"Use one of: {accepted}."
            self.say((*path, "unit"), f"'{raw['unit'][:40]}' is not a unit of {rule.name}", remedy)
            return None, None, None
        bounds = rule.bounds[unit]
        if "device" in raw and raw["device"].strip().lower() == "unknown":
            what = "nobody knows the device; values of two devices cannot be told apart"
            self.look((*path, "device"), what, "Kept. Find out before the next visit.")
        elif "device" in raw and device is None and rule.devices:
            known = ", ".join(d.id for d in rule.devices)
            self.say(
                (*path, "device"), f"'{raw['device']}' is not a device known here", f"Write one of {known}, or unknown."
            )
        elif device is not None and unit not in device.units:
            what = f"a {device.name} reads {' or '.join(device.units)}, yet the unit is {raw['unit']}"
            self.say((*path, "unit"), what, "Check device and unit; kg and kPa are never converted into each other.")
            return None, None, None
        if device is not None:
            bounds = replace(
                bounds,
                hard_high=min(bounds.hard_high, device.hard_high),
                soft_high=min(bounds.soft_high, device.hard_high),
            )
        if "variant" in raw:
            known_variant = rule.variants.get(raw["variant"])
            if known_variant is not None:
                bounds = replace(bounds, hard_high=known_variant[1], soft_high=known_variant[1])
            elif rule.variants:
                what = f"'{raw['variant']}' is not a variant of {rule.name} known here"
                self.say((*path, "variant"), what, f"Write one of: {', '.join(rule.variants)}.")
        return device.id if device else None, unit, bounds

    def values(self, path: Path, rows: Any, unit: str, bounds: Bounds) -> list[tuple[Path, n.Strength]]:
        """The well-shaped rows of a series, in its canonical unit."""
        if not isinstance(rows, list):
            return []
        bad = self.spoilt.get(path, set())
        found = []
        for i, row in enumerate(rows):
            if i in bad:
                continue
            here: Path = (*path, i)
            plain = isinstance(row, list)
            at = self.when(here, row[0] if plain else row["at"])
            value = self.number(here, row[1] if plain else row["value"], unit, bounds.unit)
            if value is None or at is None or not self.bounded(here, value, bounds, "a value of"):
                continue
            if plain:
                found.append((here, n.Strength(at, value)))
                continue
            tries = [self.number((*here, "tries"), t, unit, bounds.unit) for t in row.get("tries", ())]
            kept = tuple(t for t in tries if t is not None)
            if kept and not min(kept) <= value <= max(kept):
                what = f"the value {value:g} lies outside its own tries ({', '.join(f'{t:g}' for t in kept)})"
                self.say(here, what, "Check value and tries.")
            found.append((here, n.Strength(at, value, kept, row.get("below", False), row.get("note"))))
        return found

    def drugs(self) -> list[n.OtherDrug]:
        found = []
        for path, raw in self.each("drugs"):
            start, stop = (self.when((*path, k), raw[k]) if k in raw else None for k in ("start", "stop"))
            if start is not None and stop is not None and when_key(stop)[0] < when_key(start)[0]:
                self.say((*path, "stop"), f"{raw['name']} stops before it starts", "Check both days.")
            found.append(n.OtherDrug(raw["name"], raw.get("code"), start, stop, raw.get("for_what")))
        return found

    def blood_tests(self) -> list[n.BloodTest]:
        found = []
        for path, raw in self.each("blood_tests"):
            at = self.when((*path, "at"), raw["at"])
            if not units.known(raw["unit"]):
                meant = units.SPOKEN.get(raw["unit"].strip())
                remedy = f"Write {meant}." if meant else "Write it as UCUM, as in g/dL, 10*9/L, umol/L, U/L, mm/h."
                self.say((*path, "unit"), f"'{raw['unit'][:40]}' is not a UCUM unit", remedy)
            if raw["what"].strip().lower() in ("igg", "total igg", "immunoglobulin g"):
                self.say(path, "IgG has a list of its own", "Move it to igg: {at: ..., value: ..., unit: ...}.")
            if at is not None:
                found.append(n.BloodTest(at, raw["what"], units.nine_digits(raw["value"]), raw["unit"]))
        return found

    def conditions(self) -> list[n.Condition]:
        return [
            n.Condition(
                raw["what"], raw.get("present", True), self.day((*path, "since"), raw.get("since")), raw.get("code")
            )
            for path, raw in self.each("conditions")
        ]

    def goals(self, series: Mapping[str, n.StrengthSeries]) -> n.Goals:
        raw = self.data.get("goals", {})
        if not isinstance(raw, dict) or not self.sound(("goals",)):
            return n.Goals()
        entries = self.data.get("strength")
        spoilt = {str(e.get("id")) for e in entries if isinstance(e, dict)} if isinstance(entries, list) else set()
        named = set(series) | (spoilt - {"None"})
        floors = []
        for i, floor in enumerate(raw.get("floors", ())):
            path: Path = ("goals", "floors", i)
            one = series.get(floor["series"])
            if one is None:
                if floor["series"] not in named:  # a spoilt series is already complained about
                    known = ", ".join(sorted(named)) or "none yet"
                    self.say(
                        (*path, "series"),
                        f"there is no strength series '{floor['series']}'",
                        f"Series here are: {known}.",
                    )
                continue
            value = self.number(path, floor["value"], floor["unit"], one.unit)
            if value is not None and self.bounded(
                path, value, self.rules.measures[one.measure].bounds[one.unit], "a floor of"
            ):
                floors.append(n.Floor(one.id, value))
        if len({f.series for f in floors}) < len(floors):
            self.say(("goals", "floors"), "one series has two floors", "Keep the one that the person agreed to last.")
        visits = raw.get("max_visits_per_year")
        if visits is not None and self.bounded(
            ("goals", "max_visits_per_year"), visits, self.rules.limits["visits"], "visits of"
        ):
            visits = units.nine_digits(visits)
        routes = tuple(r for r in ROUTES if r in raw["routes"]) if "routes" in raw else None
        return n.Goals(tuple(sorted(floors, key=lambda f: f.series)), routes, visits, raw.get("note"))

    def kept(self, key: str) -> tuple[dict[str, Any], ...]:
        """Parts for later rooms: shape, days and units are checked, the rest stays as written."""
        found = []
        for path, raw in self.each(key):
            self.day((*path, "on"), raw["on"])
            self.ucum(path, raw)
            found.append(raw)
        return tuple(sorted(found, key=lambda e: (e["on"], structure.show(e))))

    def ucum(self, path: Path, value: Any) -> None:
        if isinstance(value, dict):
            for key, below in value.items():
                if key == "unit" and not units.known(below):
                    self.say(
                        (*path, key),
                        f"'{below[:40]}' is not a UCUM unit",
                        "Write it as UCUM, as in mV, mV.ms, ms, m/s.",
                    )
                self.ucum((*path, key), below)
        elif isinstance(value, list):
            for i, below in enumerate(value):
                self.ucum((*path, i), below)


EXAMPLES = {"side": "right", "muscle": "wrist extensors"}
