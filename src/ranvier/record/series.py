"""Strength over time: each series by its measure, device and variant; each value in the series' canonical unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ranvier.ground import units
from ranvier.record import nouns as n
from ranvier.record import sense
from ranvier.record.plausible import Bounds, Device, MeasureRule
from ranvier.record.reading import Reading
from ranvier.record.text import Path, place

EXAMPLES = {"side": "right", "muscle": "wrist extensors"}


def read_series(r: Reading) -> list[tuple[Path, n.StrengthSeries]]:
    """The series of the file that can be made out, with their places."""
    found: list[tuple[Path, n.StrengthSeries]] = []
    names: dict[str, Path] = {}
    for path, raw in r.each("strength"):
        if "measure" not in raw:
            continue
        rule = r.rules.measures[raw["measure"]]
        name = series_name(raw)
        if name in names:
            what = f"the name '{name}' is that of {place(names[name])} too"
            r.say(path, what, "Give each series its own id, as in id: grip-right-home.")
        names.setdefault(name, path)
        _needs(r, path, raw, rule)
        device = _device(r, path, raw, rule)
        unit = _unit(r, path, raw, rule, device)
        if unit is None:
            continue
        series = n.StrengthSeries(
            id=name,
            measure=raw["measure"],
            unit=unit,
            values=(),
            side=raw.get("side"),
            device=device.id if device else None,
            muscle=raw.get("muscle"),
            variant=raw.get("variant"),
            place=raw.get("place"),
        )
        bounds = _bounds(r, path, raw, rule, device, unit)
        values = _values(r, (*path, "values"), raw["unit"], bounds)
        if raw.get("values") == []:
            r.look((*path, "values"), f"{name} has no value", "Kept. Add values or remove the series.")
        found.append((path, replace(series, values=tuple(sense.values(r, series, values, raw["unit"])))))
    return found


def series_name(raw: Mapping[str, Any]) -> str:
    """The id, or one made of what was measured and where."""
    if "id" in raw:
        return str(raw["id"])
    parts = [raw["measure"], *(raw[k] for k in ("side", "muscle", "variant", "place") if k in raw)]
    return "-".join("-".join(part.lower().split()) for part in parts)


def _needs(r: Reading, path: Path, raw: Mapping[str, Any], rule: MeasureRule) -> None:
    """Ask for what this measure cannot be read without."""
    for key in rule.needs:
        if not r.missing(path, key):
            continue
        if key == "device":
            known = ", ".join(f"{d.id} ({'/'.join(d.units)})" for d in rule.devices)
            what, remedy = f"{rule.name} without its device: which one?", f"Write device: one of {known}, or unknown."
        elif key == "variant":
            what = f"{rule.name} without its variant: which muscles, which range?"
            remedy = f"Write variant: one of {', '.join(rule.variants)}."
        else:
            what, remedy = f"{rule.name} without its {key}", f"Write, for instance: {key}: {EXAMPLES[key]}"
        r.say(path, what, remedy)


def _device(r: Reading, path: Path, raw: Mapping[str, Any], rule: MeasureRule) -> Device | None:
    """The device by its id or another name of its kind; None if unknown."""
    word = raw.get("device")
    if word is None or not rule.devices:
        return None
    if word.strip().lower() == "unknown":
        what = "nobody knows the device; values of two devices cannot be told apart"
        r.look((*path, "device"), what, "Kept. Find out before the next visit.")
        return None
    device = rule.device(word)
    if device is None:
        known = ", ".join(d.id for d in rule.devices)
        r.say((*path, "device"), f"'{word}' is not a device known here", f"Write one of {known}, or unknown.")
    return device


def _unit(r: Reading, path: Path, raw: Mapping[str, Any], rule: MeasureRule, device: Device | None) -> str | None:
    """The canonical unit of the values; None, with a problem, if measure, device and unit do not go together."""
    word = raw.get("unit")
    if word is None:
        return None
    unit = units.canonical(word, rule.bounds)
    if unit is None:
        accepted = [u for c in rule.bounds for u in units.ACCEPTED[c]]
        meant = units.SPOKEN.get(word.strip())
        remedy = f"Write {meant}." if meant in accepted else f"Use one of: {', '.join(accepted)}."
        r.say((*path, "unit"), f"'{word[:40]}' is not a unit of {rule.name}", remedy)
    elif device is not None and unit not in device.units:
        what = f"a {device.name} reads {' or '.join(device.units)}, yet the unit is {word}"
        r.say((*path, "unit"), what, "Check device and unit; kg and kPa are never converted into each other.")
        return None
    return unit


def _bounds(
    r: Reading, path: Path, raw: Mapping[str, Any], rule: MeasureRule, device: Device | None, unit: str
) -> Bounds:
    """What a value may be: by the measure, and at most what the device or the variant can show."""
    bounds = rule.bounds[unit]
    high = device.hard_high if device is not None else bounds.hard_high
    if "variant" in raw and rule.variants:
        if raw["variant"] in rule.variants:
            high = min(high, rule.variants[raw["variant"]][1])
        else:
            what = f"'{raw['variant']}' is not a variant of {rule.name} known here"
            r.say((*path, "variant"), what, f"Write one of: {', '.join(rule.variants)}.")
    return replace(bounds, hard_high=min(bounds.hard_high, high), soft_high=min(bounds.soft_high, high))


def _values(r: Reading, path: Path, unit: str, bounds: Bounds) -> list[tuple[Path, n.Strength]]:
    """The well-shaped rows of a series, in its canonical unit."""
    rows, spoilt = r.at(path), r.spoilt.get(path, set())
    found = []
    for i, row in enumerate(rows if isinstance(rows, list) else ()):
        if i in spoilt:
            continue
        here: Path = (*path, i)
        plain = isinstance(row, list)
        at = r.when(here, row[0] if plain else row["at"])
        raw = row[1] if plain else row["value"]
        value = r.number(here, raw, unit, bounds.unit)
        if value is None:
            continue
        what = "a value of" if unit == bounds.unit else f"a value of {raw:g} {unit} ="
        if not r.bounded(here, value, bounds, what) or at is None:
            continue
        if plain:
            found.append((here, n.Strength(at, value)))
            continue
        tries = tuple(t for x in row.get("tries", ()) if (t := r.number(here, x, unit, bounds.unit)) is not None)
        if tries and not min(tries) <= value <= max(tries):
            shown = ", ".join(f"{x:g}" for x in row["tries"])
            r.say(here, f"the value {raw:g} lies outside its own tries ({shown})", "Check value and tries.")
        found.append((here, n.Strength(at, value, tries, row.get("below", False), row.get("note"))))
    return found
