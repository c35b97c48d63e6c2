"""Does the record make sense? What single facts cannot show: order, duplicates, doses per kilogram, slips of the pen.

Every function takes the reading (to say what it found, with the place in the file) and the facts with their paths, and
gives back the facts that stay. Only an exact copy of a fact is ever dropped, and that is said.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from math import log
from statistics import median
from typing import TYPE_CHECKING

from ranvier.ground.units import enter
from ranvier.record import nouns as n
from ranvier.record.digest import when_key
from ranvier.record.text import Path, place
from ranvier.record.until import day_of

if TYPE_CHECKING:
    from ranvier.record.reading import Reading

Infusions = Sequence[tuple[Path, n.Infusion]]
Levels = Sequence[tuple[Path, n.IgGLevel]]


def said(when: n.When) -> str:
    """A day or time as one reads it."""
    return when.strftime("%Y-%m-%d %H:%M") if isinstance(when, datetime) else when.isoformat()


def weights(r: Reading, found: list[tuple[Path, n.Weight]]) -> list[tuple[Path, n.Weight]]:
    """Sorted by day. One weight per day; a leap between neighbours is pointed out."""
    found = sorted(found, key=lambda w: (w[1].on, w[1].kg))
    kept: list[tuple[Path, n.Weight]] = []
    change, window = r.rules.limits["weight_change"], r.rules.limits["weight_change_window"]
    for path, weight in found:
        if kept and kept[-1][1].on == weight.on:
            other = kept[-1][1]
            if other.kg == weight.kg:
                r.look(path, f"the weight of {weight.on} is written twice", "Counted once; remove one.")
                continue
            what = f"two weights on {weight.on}: {other.kg:g} and {weight.kg:g} kg"
            r.say(path, what, "Keep the one that was measured.")
        elif kept:
            other = kept[-1][1]
            size = max(weight.kg, other.kg) / min(weight.kg, other.kg) - 1
            what = f"weight goes from {other.kg:g} to {weight.kg:g} kg between {other.on} and {weight.on}"
            if size > change.hard_high:
                r.say(path, what, "Is one of them in pounds? Then write unit: '[lb_av]'.")
            elif size > change.soft_high and (weight.on - other.on).days <= window.soft_high:
                r.look(path, what, "Kept. Check number and unit.")
        kept.append((path, weight))
    return kept


def person(r: Reading, who: n.Person | None) -> None:
    """Nothing but height against weight, for now: a weight that cannot belong to the height is a slip."""
    if who is None or who.height_cm is None:
        return
    for weight in who.weights:
        index = weight.kg / (who.height_cm / 100) ** 2
        if not r.rules.limits["bmi"].soft_low <= index <= r.rules.limits["bmi"].soft_high:
            what = f"{weight.kg:g} kg at {who.height_cm:g} cm is a body-mass index of {index:.0f}"
            r.look(("person", "height"), what, "Kept. Check height and weight with their units.")
            return


def weight_at(who: n.Person | None, day: date) -> n.Weight | None:
    """The last weight on or before `day`, else the first after it."""
    if who is None or not who.weights:
        return None
    earlier = [w for w in who.weights if w.on <= day]
    return earlier[-1] if earlier else who.weights[0]


def infusions(r: Reading, found: Infusions, who: n.Person | None) -> None:
    """No copy counted twice, and no dose that nobody can have received."""
    _copies(r, found)
    _per_kilogram(r, found, who)


def duration(r: Reading, path: Path, start: n.When | None, stop: n.When | None, route: str, grams: float) -> None:
    """Start before stop, and a length that an infusion may have. grams : 0 where the dose is not known"""
    if start is None or not isinstance(stop, datetime):
        return
    if not isinstance(start, datetime):
        r.say(
            (*path, "start"), "the end has a time, the start has none", "Add the time of the start, or leave out stop."
        )
        return
    hours = (stop - start).total_seconds() / 3600
    bounds = r.rules.limits["infusion_hours"]
    if hours <= bounds.hard_low:
        what = f"the infusion stops {said(stop)}, not after it starts {said(start)}"
        r.say((*path, "stop"), what, "Check both times; after midnight the stop has the next day's date.")
    elif hours > bounds.hard_high:
        what = f"the infusion lasts {hours:.0f} hours, more than {bounds.hard_high:g}"
        r.say((*path, "stop"), what, "Write one entry per day of a course, or check the date of the stop.")
    elif not bounds.soft_low <= hours <= bounds.soft_high:
        r.look((*path, "stop"), f"the infusion lasts {hours:.1f} hours, which is unusual", "Kept. Check both times.")
    elif route == "IV" and grams / hours > r.rules.limits["grams_per_hour"].soft_high:
        what = f"{grams:g} g in {hours:.1f} hours is fast for a vein: {grams / hours:.0f} g/h"
        r.look((*path, "stop"), what, "Kept. Check both times and the dose.")


def _copies(r: Reading, found: Infusions) -> None:
    first: dict[tuple[str, float, n.When, str | None], Path] = {}
    for path, one in found:
        key = (one.product.lower(), one.grams, one.start, one.lot)
        if key not in first:
            first[key] = path
            continue
        lot = f", lot {one.lot}" if one.lot else ", no lot written"
        what = f"the same infusion as {place(first[key])}: {one.product} {one.grams:g} g on {said(one.start)}{lot}"
        if isinstance(one.start, datetime):
            r.say(path, what, "Remove one; if both were given, write their lots or times.")
        else:
            r.look(
                path, what, "Kept, and counted twice. If only one was given, remove the other; else add lots or times."
            )


def _per_kilogram(r: Reading, found: Infusions, who: n.Person | None) -> None:
    by_day: dict[date, float] = {}
    last_of: dict[date, Path] = {}
    for path, one in sorted(found, key=lambda f: when_key(f[1].start)):
        day = day_of(one.start)
        by_day[day] = by_day.get(day, 0.0) + one.grams
        last_of[day] = path
    days, told = list(by_day), date.min
    for i, day in enumerate(days):
        weight = weight_at(who, day)
        if weight is None:
            remedy = "Check grams and millilitres; a weight would tell more."
            r.bounded(
                (*last_of[day], "dose"), by_day[day], r.rules.limits["infusion_grams"], f"on {day} a dose of", remedy
            )
            continue
        for name, grams, span in (
            ("grams_per_kg_day", by_day[day], "one day"),
            ("grams_per_kg_week", _week_until(days, by_day, i), "seven days"),
        ):
            if name == "grams_per_kg_week" and day - told < timedelta(7):
                continue  # a course is told once, not on each of its days
            bounds, rate = r.rules.limits[name], grams / weight.kg
            what = f"{grams:g} g until {day} is {rate:.1f} g per kg in {span} ({weight.kg:g} kg on {weight.on})"
            path = (*last_of[day], "dose")
            if rate > bounds.hard_high:
                tenth = f" Is the dose {by_day[day] / 10:g} g?" if by_day[day] / 10 / weight.kg <= 1.3 else ""
                r.say(
                    path, f"{what}; more than {bounds.hard_high:g} cannot be", f"Check doses, dates and weight.{tenth}"
                )
                told = day
                break
            if rate > bounds.soft_high:
                r.look(
                    path, f"{what}; more than {bounds.soft_high:g} is unusual", "Kept. Check doses, dates and weight."
                )
                told = day
                break


def _week_until(days: Sequence[date], by_day: dict[date, float], last: int) -> float:
    total, i = 0.0, last
    while i >= 0 and (days[last] - days[i]).days < 7:
        total += by_day[days[i]]
        i -= 1
    return total


def before(r: Reading, what_was: n.Before, given: Infusions) -> None:
    """The past lies before the first infusion, in order."""
    first = min((day_of(i.start) for _, i in given), default=None)
    if what_was.last is not None and first is not None and what_was.last >= first:
        what = f"the last dose before the record ({what_was.last}) is not before its first infusion ({first})"
        r.say(("before", "last"), what, "Check the day; doses from the first infusion on belong to infusions.")
    if what_was.since is not None and what_was.last is not None and what_was.since > what_was.last:
        r.say(("before", "since"), "the regimen begins after its last dose", "Check both days.")
    elif what_was.since is not None and first is not None and what_was.since >= first:
        r.say(("before", "since"), f"the regimen before the record begins on or after {first}", "Check the day.")


def igg(r: Reading, found: Levels, given: Infusions) -> list[tuple[Path, n.IgGLevel]]:
    """A level on the day of an infusion must say on which side of it it lies."""
    kept: list[tuple[Path, n.IgGLevel]] = []
    on_day: dict[date, list[n.Infusion]] = {}
    for _, one in given:
        on_day.setdefault(day_of(one.start), []).append(one)
    for path, level in sorted(found, key=lambda f: (when_key(f[1].at), f[1].g_per_l)):
        if kept and kept[-1][1] == level:
            r.look(path, f"the IgG of {said(level.at)} is written twice", "Counted once; remove one.")
            continue
        if kept and kept[-1][1].at == level.at and kept[-1][1].timing == level.timing:
            what = f"two IgG levels at {said(level.at)}: {kept[-1][1].g_per_l:g} and {level.g_per_l:g} g/L"
            r.look(path, what, "Kept. Write timing: before or timing: after, or the times of drawing.")
        kept.append((path, level))
        for one in on_day.get(day_of(level.at), ()):
            if not (isinstance(level.at, datetime) and isinstance(one.start, datetime)):
                if level.timing is None:
                    what = f"IgG on {said(level.at)}, the day of an infusion: before or after it?"
                    r.look(path, what, "Write timing: before or timing: after; not used in the fit until then.")
                    break
            elif (level.timing == "before" and level.at > one.start) or (
                level.timing == "after" and level.at < one.start and len(on_day[day_of(level.at)]) == 1
            ):
                what = f"timing says {level.timing}, yet it was drawn {said(level.at)}, the infusion {said(one.start)}"
                r.say(path, what, "Check the times or the timing.")
                break
    return kept


def values(r: Reading, series: n.StrengthSeries, found: list[tuple[Path, n.Strength]], unit: str) -> list[n.Strength]:
    """Sorted by time, copies dropped with a remark, contradictions refused, slips of the decimal point pointed out.

    unit : in which the file gives the values, for the words
    """
    one_unit = enter(1.0, unit, as_=series.unit)

    def written(value: float) -> str:
        return f"{value / one_unit:.4g} {unit}"

    found = sorted(found, key=lambda f: (when_key(f[1].at), f[1].value, f[1].tries, f[1].below, f[1].note or ""))
    kept: list[tuple[Path, n.Strength]] = []
    for path, one in found:
        if kept and kept[-1][1].at == one.at:
            other = kept[-1][1]
            if other == one:
                r.look(path, f"{written(one.value)} at {said(one.at)} is written twice", "Counted once; remove one.")
                continue
            what = f"{series.id} has {written(other.value)} and {written(one.value)} at {said(one.at)}"
            if isinstance(one.at, datetime):
                r.say(path, what, "Write one value with its tries: {at: ..., value: ..., tries: [..., ...]}.")
            else:
                r.look(path, what, "Kept as two values of the day. Add times if they are two sessions.")
        kept.append((path, one))
    if f"neighbour_{series.unit}" in r.rules.limits:
        _slips(r, series, kept, written)
    return [one for _, one in kept]


def _slips(
    r: Reading,
    series: n.StrengthSeries,
    kept: Sequence[tuple[Path, n.Strength]],
    written: Callable[[float], str],
) -> None:
    """Values far from the median of up to four neighbours on each side, by the series' own robust spread."""
    numbers = [one.value for _, one in kept]
    if len(numbers) < 5:
        return
    factor = r.rules.limits["neighbour_factor"].soft_high
    sds = r.rules.limits["neighbour_sds"].soft_high
    far = r.rules.limits[f"neighbour_{series.unit}"].soft_high
    middles = [median(numbers[max(0, i - 4) : i] + numbers[i + 1 : i + 5]) for i in range(len(numbers))]
    ratios = [log(v / m) if v > 0 and m > 0 else None for v, m in zip(numbers, middles, strict=True)]
    spread = 1.4826 * median([abs(x) for x in ratios if x is not None] or [0.0])
    for (path, one), middle, ratio in zip(kept, middles, ratios, strict=True):
        if abs(one.value - middle) <= far or one.below:
            continue
        if ratio is None:
            if one.value == 0:
                what = f"{written(0.0)} at {said(one.at)} among values of about {written(middle)}"
                r.look(path, what, "Kept as no strength at all. If nothing was measured, remove the row.")
        elif abs(ratio) > max(log(factor), sds * spread):
            other = one.value / 10 if ratio > 0 else one.value * 10
            slip = f" Was {written(other)} meant?" if 1 / factor < other / middle < factor else ""
            what = f"{written(one.value)} at {said(one.at)} among values of about {written(middle)}"
            r.look(path, what, f"Kept as written.{slip} Check it.")


def dates(
    r: Reading,
    who: n.Person | None,
    given: Infusions,
    levels: Levels,
    series: Sequence[tuple[Path, n.StrengthSeries]],
) -> None:
    """No fact before birth or before there was such a drug; a date far from all others is pointed out."""
    facts: list[tuple[date, Path]] = [(day_of(i.start), p) for p, i in given] + [(day_of(g.at), p) for p, g in levels]
    for path, one in series:
        facts += [(day_of(v.at), (*path, "values")) for v in one.values]
    facts.sort(key=lambda f: f[0])
    told: set[Path] = set()
    for day, path in facts:
        if day.year < r.rules.limits["year"].soft_low and path not in told:
            told.add(path)
            n = sum(d.year < r.rules.limits["year"].soft_low and p == path for d, p in facts)
            more = f", and {n - 1} more here" if n > 1 else ""
            what = f"{day}{more}: earlier than treatment with immunoglobulin"
            r.say(path, what, "Check the year; it is never guessed.")
    if not facts:
        return
    if who is not None and who.birth_year is not None:
        first, last = facts[0], facts[-1]
        age = first[0].year - who.birth_year
        bounds = r.rules.limits["age"]
        if age < bounds.hard_low or last[0].year - who.birth_year > bounds.hard_high:
            what = f"born {who.birth_year}, yet there is a fact of {first[0] if age < bounds.hard_low else last[0]}"
            r.say(("person", "birth_year"), what, "Check the year of birth and the date.")
        elif not bounds.soft_low <= age or last[0].year - who.birth_year > bounds.soft_high:
            what = f"the record runs from about {age} to {last[0].year - who.birth_year} years of age"
            r.look(("person", "birth_year"), what, "Kept. Check the year of birth.")
    alone = r.rules.limits["alone"].soft_high
    if len(facts) >= 4:
        for before, after in pairwise(facts):
            gap = (after[0] - before[0]).days
            if gap > alone and not told:
                what = f"{gap / 365.25:.0f} years without a fact, from {before[0]} to {after[0]}"
                r.look(before[1] if before is facts[0] else after[1], what, "Kept. Check the year.")
