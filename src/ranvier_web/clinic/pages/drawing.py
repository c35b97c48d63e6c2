"""The picture of a what-if, drawn in a few milliseconds: measured points, fit, today, and what would follow.

The report's charts are drawn by Vega, which takes a tenth of a second and more; a drag cannot wait for that. Rules and
roles of colour are the same: one unit per axis, dashed beyond today, direct labels. Shapes carry classes, so that light
and dark come from the page's style.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape

import numpy as np
from django.utils.safestring import SafeString, mark_safe

from ranvier.decision.nouns import Assessment, FloatArray, Forecast, Option
from ranvier.report.charts import decimals_of, floor_of
from ranvier.report.words import Words

BACK, AHEAD = 84, 126  # [d] shown before and after today
STEPS = 2  # [d] between points of a curve
LINES = ("one", "two", "three", "four")  # how the compared ones are dashed


@dataclass(frozen=True, slots=True)
class Room:
    """Where things stand in the drawing [px]."""

    css: str
    width: int
    height: int
    left: int
    right: int
    top: int = 26
    bottom: int = 46

    @property
    def across(self) -> int:
        """Width of the panel."""
        return self.width - self.left - self.right

    @property
    def down(self) -> int:
        """Height of the panel."""
        return self.height - self.top - self.bottom


ROOMS = (Room("wide", 760, 320, 40, 116), Room("narrow", 340, 270, 34, 8))


def what_if(
    assessment: Assessment, one: Option, now: Option | None, compared: Sequence[tuple[str, Option]], words: Words
) -> list[SafeString]:
    """The drawing for a desk and the one for a phone."""
    return [mark_safe(_draw(assessment, one, now, compared, words, room)) for room in ROOMS]


def _draw(
    assessment: Assessment,
    one: Option,
    now: Option | None,
    compared: Sequence[tuple[str, Option]],
    words: Words,
    room: Room,
) -> str:
    posterior = assessment.treatment.posterior
    assert posterior is not None
    measure = posterior.measures[posterior.primary]
    seen = next((s for s in posterior.observed if s.id == measure.id), None)
    fit = next((s for s in posterior.fitted if s.id == measure.id), None)
    floor = floor_of(assessment, measure)
    shown = [("now", now)] if now is not None and now.id != one.id else []
    pairs = [
        (name, f) for name, o in (*shown, ("asked", one)) if o is not None for f in [_forecast(o, measure.id)] if f
    ]
    others = [(label, f) for label, o in compared if o.id != one.id for f in [_forecast(o, measure.id)] if f]
    back = BACK if room.css == "wide" else BACK // 2
    begin = -float(min(back, posterior.at_day))
    heights: list[float] = [floor] if floor is not None else []
    points: list[tuple[float, float]] = []
    if seen is not None and len(seen.days):
        days = seen.days - posterior.at_day
        inside = days >= begin
        points = list(zip(days[inside].tolist(), seen.values[inside].tolist(), strict=True))
        heights += [v for _, v in points]
    # The axis must not jump while one drags: it holds what is measured, what was fitted, and every option on file.
    proposal = assessment.treatment.proposal
    for o in proposal.options if proposal else ():
        f = _forecast(o, measure.id)
        if f is not None:
            heights += [float(f.q05.min()), float(f.q95.max())]
    for _, f in (*pairs, *others):
        heights += [float(f.q05[: AHEAD + 1].min()), float(f.q95[: AHEAD + 1].max())]
    low, high = (min(heights), max(heights)) if heights else (0.0, 1.0)
    air = 0.06 * max(high - low, 0.2 * abs(high), 0.5)
    low, high = max(0.0, low - air) if low >= 0 else low - air, high + air

    def x(day: float) -> float:
        return room.left + (day - begin) / (AHEAD - begin) * room.across

    def y(value: float) -> float:
        return room.top + (high - value) / (high - low) * room.down

    out: list[str] = []
    unit = words.strength_unit(measure.unit)
    title = f"{words.measure(measure).capitalize()}, {unit}"
    out.append(f'<text class="head" x="0" y="14">{escape(title)}</text>')
    for tick in _ticks(low, high):
        out.append(f'<path class="grid" d="M{room.left} {y(tick):.1f}h{room.across}"/>')
        out.append(f'<text class="quiet end" x="{room.left - 6}" y="{y(tick) + 4:.1f}">{tick:g}</text>')
    for day, label in _months(assessment.at, begin):
        out.append(f'<path class="grid" d="M{x(day):.1f} {room.top}v{room.down}"/>')
        out.append(f'<text class="quiet" x="{x(day):.1f}" y="{room.height - 6}">{escape(label)}</text>')
    if fit is not None:
        days = fit.days - posterior.at_day
        keep = np.flatnonzero((days >= begin) & (days <= 0))[:: 1 if room.css == "wide" else 2]
        at = days[keep]
        out.append(f'<path class="band fit" d="{_area(at, fit.q05[keep], fit.q95[keep], x, y)}"/>')
        out.append(f'<path class="line fit" d="{_path(at, fit.median[keep], x, y)}"/>')
    dots = "".join(f"M{x(d):.1f} {y(v):.1f}h0" for d, v in points)
    if dots:
        out.append(f'<path class="dots" d="{dots}"/>')
    out.append(f'<path class="today" d="M{x(0):.1f} {room.top - 8}v{room.down + 8}"/>')
    out.append(f'<text class="quiet" x="{x(0) + 5:.1f}" y="{room.top - 2}">{escape(words.date(assessment.at))}</text>')
    if floor is not None:
        said = words.text("charts", "floor", floor=words.strength(floor, measure.unit, decimals_of(floor)))
        out.append(f'<path class="floor" d="M{room.left} {y(floor):.1f}h{room.across}"/>')
        if room.right > 50:
            out.append(
                f'<text class="warn" x="{room.left + room.across + 6}" y="{y(floor) + 4:.1f}">{escape(said)}</text>'
            )
        else:
            out.append(
                f'<text class="warn end" x="{room.left + room.across}" y="{y(floor) + 14:.1f}">{escape(said)}</text>'
            )
    ends: list[tuple[float, str, str]] = []
    for name, f in pairs:
        keep_to = f.days <= AHEAD
        at, parts = f.days[keep_to][::STEPS], [q[keep_to][::STEPS] for q in (f.q05, f.q25, f.median, f.q75, f.q95)]
        if name == "asked":
            out.append(f'<path class="band {name}" d="{_area(at, parts[0], parts[4], x, y)}"/>')
            out.append(f'<path class="band {name}" d="{_area(at, parts[1], parts[3], x, y)}"/>')
        out.append(f'<path class="line {name}" d="{_path(at, parts[2], x, y)}"/>')
        said = words.text("charts", "as_now") if name == "now" else _short(one, words)
        ends.append((y(float(parts[2][-1])), said, name))
    for n, (label, f) in enumerate(others):
        at, middle = f.days[f.days <= AHEAD][::STEPS], f.median[f.days <= AHEAD][::STEPS]
        out.append(f'<path class="line other {LINES[n]}" d="{_path(at, middle, x, y)}"/>')
        ends.append((y(float(middle[-1])), label, "other"))
    if room.right > 50:
        taken = [y(floor)] if floor is not None else []
        for height, text, name in _apart(ends, taken, 15.0):
            out.append(
                f'<text class="label {name}" x="{room.left + room.across + 6}" y="{height + 4:.1f}">{escape(text)}</text>'
            )
    out.append(_doses(one, assessment, x, room))
    described = escape(f"{title}. {_short(one, words)}.")
    return (
        f'<svg class="whatif {room.css}" role="img" aria-label="{described}" viewBox="0 0 {room.width} {room.height}" '
        f'width="{room.width}" height="{room.height}">{"".join(out)}</svg>'
    )


def _short(one: Option, words: Words) -> str:
    return f"{words.grams(one.regimen.grams)} / {one.regimen.interval_days} d"


def _forecast(one: Option, measure: str) -> Forecast | None:
    return next((f for f in one.forecasts if f.measure == measure), None)


def _path(days: FloatArray, values: FloatArray, x: object, y: object) -> str:
    assert callable(x)
    assert callable(y)
    return "M" + "L".join(f"{x(d):.1f} {y(v):.1f}" for d, v in zip(days.tolist(), values.tolist(), strict=True))


def _area(days: FloatArray, low: FloatArray, high: FloatArray, x: object, y: object) -> str:
    return _path(days, high, x, y) + "L" + _path(days[::-1], low[::-1], x, y)[1:] + "Z"


def _doses(one: Option, assessment: Assessment, x: object, room: Room) -> str:
    """Infusions to come, as marks below the axis."""
    assert callable(x)
    watch = assessment.treatment.watch
    every = one.regimen.interval_days
    if one.regimen.grams <= 0:
        return ""
    first = 0
    if watch is not None and watch.last is not None:
        first = max((watch.last + timedelta(days=every) - assessment.at).days, 0)
    y = room.top + room.down
    marks = "".join(f"M{x(d):.1f} {y + 4}v10" for d in range(first, AHEAD + 1, every))
    return f'<path class="dose" d="{marks}"/>'


def _ticks(low: float, high: float) -> list[float]:
    span = high - low
    step = next((s for s in (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500) if span / s <= 6), 1000)
    first = np.ceil(low / step) * step
    return [float(t) for t in np.arange(first, high, step)]


def _months(at: date, begin: float) -> list[tuple[float, str]]:
    from ranvier_web.words.load import words

    names = words().texts["calendar"]["months"]
    found: list[tuple[float, str]] = []
    day = (at + timedelta(days=begin)).replace(day=1)
    while True:
        day = (day + timedelta(days=32)).replace(day=1)
        away = (day - at).days
        if away > AHEAD - 8:
            return found
        if away >= begin:
            found.append((float(away), str(names[day.month - 1])))


def _apart(
    ends: Sequence[tuple[float, str, str]], taken: Sequence[float], distance: float
) -> list[tuple[float, str, str]]:
    placed: list[tuple[float, str, str]] = []
    used = list(taken)
    for value, text, name in sorted(ends):
        tries = [value] + [value + sign * distance * n / 4 for n in range(1, 25) for sign in (1, -1)]
        at = next((t for t in tries if all(abs(t - u) >= distance for u in used)), value)
        used.append(at)
        placed.append((at, text, name))
    return placed
