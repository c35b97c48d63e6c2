"""Read one person's file: shape by the schema, units and times at the door, then plausibility. All problems at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path as FilePath
from typing import Any
from zoneinfo import ZoneInfo

from ranvier.ground import units
from ranvier.ground.notes import Problem, Severity, must_mend
from ranvier.record import nouns as n
from ranvier.record import safety, sense, structure
from ranvier.record.decisions import decisions, events
from ranvier.record.digest import digest, when_key
from ranvier.record.history import history, investigations
from ranvier.record.reading import Reading
from ranvier.record.series import read_series
from ranvier.record.text import LARGEST_TEXT, Path, parse, place, refuse

ROUTES = ("IV", "SC", "fSCIg")
KEPT = ("examinations", "conduction_studies", "imaging")  # for later rooms


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
        what, remedy = "this text is not in UTF-8", "Save it as UTF-8; for a table, use `ranvier import`."
        if raw[:2] == b"PK":
            what = "this is a spreadsheet, not a record"
            remedy = f"Turn it into a record first: ranvier import {file.name}"
        raise refuse(file.name, [Problem("record", what, remedy)]) from None
    return read_text(text, file.name)


def read_text(text: str, name: str) -> tuple[n.Record, tuple[Problem, ...]]:
    """As `read`, from text; `name` is what the text is called in an error."""
    document, problems = parse(text, name, structure.text_keys())
    if not isinstance(document.data, dict):
        what = "this is not a record: a record is a group of keys"
        remedy = "Begin with 'ranvier_record: 1'; for a table (CSV, XLSX), use `ranvier import`."
        raise refuse(name, [*problems, Problem("record", what, remedy, line=1)])
    reading = Reading(document, problems)
    record = _record(reading)
    found = tuple(sorted(reading.problems, key=_mend_first))
    if record is None or must_mend(found):
        raise refuse(name, found)
    return record, found


def _mend_first(problem: Problem) -> tuple[bool, int, str, str]:
    return problem.severity is not Severity.MEND, problem.line or 0, problem.place, problem.what


def _record(r: Reading) -> n.Record | None:
    """Every part, then what only shows when the parts are together. None if the person cannot be made out."""
    r.zone = _zone(r)
    person, before = _person(r), _before(r)
    infusions, igg, strength = _infusions(r), _igg(r), read_series(r)
    sense.infusions(r, infusions, person)
    igg = sense.igg(r, igg, infusions)
    sense.before(r, before, infusions)
    sense.person(r, person)
    sense.dates(r, person, infusions, igg, strength)
    drugs, tests, conditions = _drugs(r), _blood_tests(r), _conditions(r)
    goals = _goals(r, {s.id: s for _, s in strength})
    kept = {key: _kept(r, key) for key in KEPT}
    if r.zoneless:
        where, more = r.zoneless[0], len(r.zoneless) - 1
        also = f" (and {more} more)" if more else ""
        what = f"the time at {place(where)}{also} has no offset, and the file names no timezone"
        r.say(where, what, "Write, for instance: timezone: Europe/Amsterdam")
    if person is None:
        return None
    whole = n.Record(
        person=person,
        before=before,
        infusions=tuple(sorted((i for _, i in infusions), key=lambda i: (when_key(i.start), repr(i)))),
        igg=tuple(sorted((g for _, g in igg), key=lambda g: (when_key(g.at), g.g_per_l, repr(g)))),
        strength=tuple(sorted((s for _, s in strength), key=lambda s: s.id)),
        digest="",
        timezone=r.fields().get("timezone"),
        invented=r.fields().get("invented", False),
        drugs=tuple(sorted(drugs, key=repr)),
        blood_tests=tuple(sorted(tests, key=lambda t: (when_key(t.at), repr(t)))),
        conditions=tuple(sorted(conditions, key=repr)),
        goals=goals,
        history=history(r),
        investigations=investigations(r),
        events=events(r),
        decisions=decisions(r),
        allergies=safety.allergies(r),
        immunisations=safety.immunisations(r),
        adverse_events=safety.adverse_events(r),
        safety_checks=safety.safety_checks(r),
        examinations=kept["examinations"],
        conduction_studies=kept["conduction_studies"],
        imaging=kept["imaging"],
        notes=tuple(r.fields().get("notes", ())),
    )
    return replace(whole, digest=digest(whole))


def _zone(r: Reading) -> ZoneInfo | None:
    name = r.fields().get("timezone")
    if name is None:
        # A zone whose shape is wrong has been complained about; the times are then read as if it were there.
        return None if r.missing((), "timezone") else ZoneInfo("UTC")
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):  # not a name, a folder of names, or no such name
        r.say(("timezone",), f"'{name[:60]}' is not a time zone", "Write its IANA name, as in Europe/Amsterdam.")
        return ZoneInfo("UTC")


def _person(r: Reading) -> n.Person | None:
    raw = r.fields("person")
    year = raw.get("birth_year")
    if year is not None and not r.rules.limits["year"].hard_low - 20 <= year <= r.rules.limits["year"].hard_high:
        r.say(("person", "birth_year"), f"{year} cannot be a year of birth here", "Write its four digits.")
        year = None
    height = r.quantity(("person", "height"), raw.get("height"), "cm")
    if height is not None and not r.bounded(("person", "height"), height, r.rules.limits["height"], "a height of"):
        height = None
    weights: list[tuple[Path, n.Weight]] = []
    for path, entry in r.each("person", "weights"):
        on = r.day((*path, "on"), entry.get("on"))
        kg = r.number(path, entry.get("value"), entry.get("unit"), "kg")
        if kg is not None and r.bounded(path, kg, r.rules.limits["weight"], "a weight of") and on is not None:
            weights.append((path, n.Weight(on, kg)))
    kept = tuple(w for _, w in sense.weights(r, weights))
    if "pseudonym" not in raw:
        return None
    return n.Person(
        raw["pseudonym"], year, raw.get("sex"), height, kept, raw.get("dominant_hand"), raw.get("blood_group")
    )


def _before(r: Reading) -> n.Before:
    if r.missing((), "before"):
        what = "what was given before the first infusion is not said"
        r.look(("before",), what, "Taken as unknown. Write 'before: {kind: none}', or the regimen.")
        return n.Before("unknown")
    path: Path = ("before",)
    raw = r.fields("before")
    kind = raw.get("kind", "unknown")
    grams = r.quantity((*path, "dose"), raw.get("dose"), "g")
    if grams is not None:
        r.bounded((*path, "dose"), grams, r.rules.limits["course_grams"], "a dose per course of")
    interval = r.quantity((*path, "interval"), raw.get("interval"), "d")
    if interval is not None:
        r.bounded((*path, "interval"), interval, r.rules.limits["interval"], "an interval of")
    if kind == "regimen":
        for key in ("product", "dose", "interval", "route"):
            if r.missing(path, key):
                r.say(path, f"a regimen before the record needs its {key}", f"Add {key}, or write kind: unknown.")
    elif "kind" in raw and len(raw) > 1:
        what = f"kind is {kind}, yet {', '.join(k for k in raw if k != 'kind')} is given"
        r.say(path, what, "Write kind: regimen, or leave the rest out.")
    return n.Before(
        kind=kind,
        product=raw.get("product"),
        grams=grams,
        interval_days=interval,
        route=raw.get("route"),
        since=r.day((*path, "since"), raw.get("since")),
        last=r.day((*path, "last"), raw.get("last")),
    )


def _infusions(r: Reading) -> list[tuple[Path, n.Infusion]]:
    found = []
    for path, raw in r.each("infusions"):
        start = r.when((*path, "start"), raw.get("start"))
        stop = r.when((*path, "stop"), raw.get("stop"))
        grams = r.quantity((*path, "dose"), raw.get("dose"), "g")
        sense.duration(r, path, start, stop, raw.get("route", ""), grams or 0.0)
        if grams is not None and grams < r.rules.limits["infusion_grams"].hard_low:
            r.say((*path, "dose"), f"a dose of {grams:g} g is none", "Remove the entry if nothing was given.")
            continue
        if start is None or grams is None or "product" not in raw or "route" not in raw:
            continue
        one = n.Infusion(
            product=raw["product"],
            grams=grams,
            start=start,
            stop=stop if isinstance(stop, datetime) else None,
            route=raw["route"],
            lot=raw.get("lot"),
            course=raw.get("course"),
            reactions=tuple(
                sorted((n.Reaction(x["what"], x.get("grade")) for x in raw.get("reactions", ())), key=repr)
            ),
            note=raw.get("note"),
            day_checked=raw.get("day_checked", False),
        )
        found.append((path, one))
    return found


def _igg(r: Reading) -> list[tuple[Path, n.IgGLevel]]:
    found = []
    bounds = r.rules.limits["igg"]
    for path, raw in r.each("igg"):
        at = r.when((*path, "at"), raw.get("at"))
        level = r.number(path, raw.get("value"), raw.get("unit"), "g/L")
        if level is None:
            continue
        fitting = []
        if not bounds.soft_low <= level <= bounds.soft_high:
            # The reader names the unit that would fit; it never applies it.
            others = (u for u in units.ACCEPTED["g/L"] if u != raw["unit"])
            fitting = [u for u in others if _fits(raw["value"], u, bounds.soft_low, bounds.soft_high)]
        remedy = f"It looks like {raw['value']:g} {fitting[0]}: check the unit." if fitting else ""
        if r.bounded(path, level, bounds, "an IgG of", remedy) and at is not None:
            found.append((path, n.IgGLevel(at, level, raw.get("timing"), raw.get("below", False))))
    return found


def _fits(value: float, unit: str, low: float, high: float) -> bool:
    return low <= units.enter(value, unit, as_="g/L") <= high


def _drugs(r: Reading) -> list[n.OtherDrug]:
    found = []
    for path, raw in r.each("drugs"):
        start, stop = r.when((*path, "start"), raw.get("start")), r.when((*path, "stop"), raw.get("stop"))
        if start is not None and stop is not None and when_key(stop)[0] < when_key(start)[0]:
            r.say((*path, "stop"), "the drug stops before it starts", "Check both days.")
        if "name" in raw:
            found.append(n.OtherDrug(raw["name"], raw.get("code"), start, stop, raw.get("for_what"), raw.get("route")))
    return found


def _blood_tests(r: Reading) -> list[n.BloodTest]:
    found = []
    for path, raw in r.each("blood_tests"):
        at = r.when((*path, "at"), raw.get("at"))
        if "unit" in raw:
            r.ucum(path, raw["unit"])
        if raw.get("what", "").strip().lower() in ("igg", "total igg", "immunoglobulin g"):
            r.say(path, "IgG has a list of its own", "Move it to igg: {at: ..., value: ..., unit: ...}.")
        if at is not None and raw.keys() >= {"what", "value", "unit"}:
            found.append(n.BloodTest(at, raw["what"], units.nine_digits(raw["value"]), raw["unit"]))
    return found


def _conditions(r: Reading) -> list[n.Condition]:
    found = []
    for path, raw in r.each("conditions"):
        since = r.day((*path, "since"), raw.get("since"))
        if "what" in raw:
            found.append(n.Condition(raw["what"], raw.get("present", True), since, raw.get("code")))
    stated: dict[str, bool] = {}
    for i, one in enumerate(found):
        if stated.setdefault(one.what.lower(), one.present) != one.present:
            r.say(("conditions", i), f"{one.what} is both present and excluded", "Keep what is true now.")
    return found


def _goals(r: Reading, series: Mapping[str, n.StrengthSeries]) -> n.Goals:
    raw = r.fields("goals")
    floors: list[n.Floor] = []
    # A series that could not be read has a name too: its floor is not complained about.
    names = {str(s["id"]) for _, s in r.each("strength") if "id" in s} | set(series)
    for path, floor in r.each("goals", "floors"):
        one = series.get(floor.get("series", ""))
        if one is None:
            if "series" in floor and floor["series"] not in names:
                what = f"there is no strength series '{floor['series']}'"
                r.say((*path, "series"), what, f"Series here are: {', '.join(sorted(names)) or 'none yet'}.")
            continue
        value = r.number(path, floor.get("value"), floor.get("unit"), one.unit)
        bounds = r.rules.measures[one.measure].bounds[one.unit]
        if value is not None and r.bounded(path, value, bounds, "a floor of"):
            if any(f.series == one.id for f in floors):
                r.say(path, f"{one.id} has a floor already", "Keep the one that the person agreed to last.")
            floors.append(n.Floor(one.id, value))
    visits = raw.get("max_visits_per_year")
    if visits is not None:
        r.bounded(("goals", "max_visits_per_year"), visits, r.rules.limits["visits"], "visits per year:")
        visits = units.nine_digits(visits)
    routes = tuple(route for route in ROUTES if route in raw["routes"]) if "routes" in raw else None
    return n.Goals(tuple(sorted(floors, key=lambda f: f.series)), routes, visits, raw.get("note"))


def _kept(r: Reading, key: str) -> tuple[dict[str, Any], ...]:
    """Parts for later rooms: shape, days and units are checked, the rest stays as written."""
    found = []
    for path, raw in r.each(key):
        if r.day((*path, "on"), raw.get("on")) is not None:
            _all_ucum(r, path, raw)
            found.append(raw)
    return tuple(sorted(found, key=lambda e: (e["on"], structure.show(e))))


def _all_ucum(r: Reading, path: Path, value: Any) -> None:
    if isinstance(value, dict):
        if isinstance(value.get("unit"), str):
            r.ucum(path, value["unit"])
        for key, below in value.items():
            _all_ucum(r, (*path, key), below)
    elif isinstance(value, list):
        for i, below in enumerate(value):
            _all_ucum(r, (*path, i), below)
