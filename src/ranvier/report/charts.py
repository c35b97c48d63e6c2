"""Charts as declarative Vega-Lite specifications: functions from an assessment to plain dicts, with the data inside.

The same specifications serve the HTML page (drawn to SVG by `ranvier.report.svg`) and a web application. Colours are
the light palette; a door that offers a dark one replaces them by role (`PALETTE`). Rules held everywhere: one unit per
axis, n and basis in the title, what has not happened is dashed beyond "today", direct labels instead of legends.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import numpy as np

from ranvier.decision.nouns import (
    Assessment,
    Dose,
    FittedSeries,
    FloatArray,
    Forecast,
    Measure,
    Option,
    Posterior,
    Proposal,
    Series,
)
from ranvier.report.answer import as_now, chosen, primary, ranked
from ranvier.report.words import Words, number

Spec = dict[str, Any]
Box = tuple[float, float, float, float]  # left, top, right, bottom

# One meaning each; no two roles share a value, so that a role can be found again in the drawing.
PALETTE: Mapping[str, str] = {
    "ink": "#1b2a33",
    "quiet": "#586973",
    "grid": "#e3e8eb",
    "accent": "#0b6a8a",
    "warn": "#8a5200",
    "paper": "#fffffe",
}
INK, QUIET, GRID = PALETTE["ink"], PALETTE["quiet"], PALETTE["grid"]
ACCENT, WARN, PAPER = PALETTE["accent"], PALETTE["warn"], PALETTE["paper"]

RECENT_WEEKS = 22  # of history in the main picture
RECENT_WEEKS_PHONE = 12
AHEAD_WEEKS = 13  # of forecast beside it
CROWD = 300  # dots in one panel
MOST_STEPS = 420  # points of a drawn curve: more cannot be seen
MOST_PANELS = 9  # small multiples
LEFT = 46  # width kept for the axis, so that all panels share one time axis
DAY_MS = 86_400_000
NOW_DASH, BEST_DASH = [2, 3], [7, 3]


@dataclass(frozen=True, slots=True)
class Size:
    """Inner width of a drawing [px], whether labels stand to the right of the lines, and how wide that margin is."""

    width: int
    right: int

    @property
    def narrow(self) -> bool:
        """A phone: labels go above the lines instead of beside them."""
        return self.right == 0


WIDE = Size(width=650, right=130)
NARROW = Size(width=300, right=0)


# ---- the time line ---------------------------------------------------------------------------------------------------


def timeline(assessment: Assessment, words: Words, size: Size, *, whole: bool = False) -> Spec:
    """Infusions, IgG and each strength measure over one shared time axis, with the forecast beyond today.

    Parameters
    ----------
    whole : the whole record instead of the last months
    """
    posterior = assessment.treatment.posterior
    assert posterior is not None
    clock = _Clock(date.fromisoformat(posterior.origin))
    first, last = window(assessment, whole=whole, narrow=size.narrow)
    ends = [clock.ms(first), clock.ms(last)]
    x = _time_axis(ends, words.texts["calendar"]["months"], labelled=False)
    panels = [_doses(assessment, words, size, clock, first, x)]
    igg = next((s for s in posterior.observed if s.id == "igg"), None)
    if igg is not None and len(igg.days):
        panels.append(_igg(posterior, igg, words, size, clock, (first, last), x))
    order = [posterior.primary, *(i for i in range(len(posterior.measures)) if i != posterior.primary)]
    panels += [_strength(assessment, posterior.measures[i], words, size, clock, (first, last), x) for i in order]
    below = _time_axis(ends, words.texts["calendar"]["months"], labelled=True)
    for layer in panels[-1]["layer"]:
        if "x" in layer.get("encoding", {}):
            layer["encoding"]["x"] |= below
    return top({"vconcat": panels, "spacing": 14})


def window(assessment: Assessment, *, whole: bool, narrow: bool = False) -> tuple[float, float]:
    """First and last day of a time line, counted from the first fact."""
    treatment = assessment.treatment
    posterior = treatment.posterior
    assert posterior is not None
    begin = min(
        [0.0, *(float(s.days.min()) for s in posterior.observed if len(s.days)), *(d.day for d in treatment.doses)]
    )
    first = begin if whole else max(begin, posterior.at_day - 7.0 * (RECENT_WEEKS_PHONE if narrow else RECENT_WEEKS))
    options = treatment.proposal.options if treatment.proposal else ()
    ahead = max((float(f.days[-1]) for option in options for f in option.forecasts), default=14.0)
    ahead = ahead if whole else min(ahead, 7.0 * AHEAD_WEEKS)
    return first - 2, posterior.at_day + ahead


def is_long(assessment: Assessment) -> bool:
    """Whether the record is so long that a second picture of the whole of it is needed."""
    return window(assessment, whole=True)[0] < window(assessment, whole=False)[0] - 84


def _doses(assessment: Assessment, words: Words, size: Size, clock: _Clock, first: float, x: Spec) -> Spec:
    posterior = assessment.treatment.posterior
    assert posterior is not None
    given = [d for d in assessment.treatment.doses if d.day >= first]
    rows = [{"t": clock.ms(d.day), "g": d.grams} for d in given]
    labels = [
        {"t": clock.ms(c[0].day), "g": max(d.grams for d in c), "label": _course_label([d.grams for d in c])}
        for c in _courses(given)
    ]
    top = max((d.grams for d in given), default=1.0)
    y = _y_axis([0.0, top * 1.9], "g", ticks=2)
    layers: list[Spec] = [
        _today(
            clock.ms(posterior.at_day), size, words, label=words.text("charts", "today", date=words.date(assessment.at))
        ),
        {
            "data": {"values": rows},
            "mark": {"type": "rule", "strokeWidth": 3, "color": INK},
            "encoding": {"x": {**x, "field": "t"}, "y": {**y, "field": "g"}, "y2": {"datum": 0}},
        },
    ]
    if 0 < len(labels) * 46 <= size.width:
        layers.append(
            {
                "data": {"values": labels},
                "mark": {"type": "text", "dy": -7, "color": QUIET, "fontSize": 11},
                "encoding": {"x": {**x, "field": "t"}, "y": {**y, "field": "g"}, "text": {"field": "label"}},
            }
        )
    title = words.text("charts", "doses", n=_of_all(len(given), len(assessment.treatment.doses), words))
    return _panel(title, layers, size, 52)


def _courses(doses: Sequence[Dose]) -> list[list[Dose]]:
    """Doses on days that follow each other, together."""
    courses: list[list[Dose]] = []
    for dose in sorted(doses, key=lambda d: d.day):
        if courses and dose.day - courses[-1][-1].day < 1.75:
            courses[-1].append(dose)
        else:
            courses.append([dose])
    return courses


def _course_label(grams: Sequence[float]) -> str:
    """Like "2 × 45": days and grams; unequal days as their sum."""
    if len(grams) == 1:
        return number(grams[0])
    return f"{len(grams)} × {number(grams[0])}" if len(set(grams)) == 1 else number(sum(grams))


def _igg(
    posterior: Posterior,
    igg: Series,
    words: Words,
    size: Size,
    clock: _Clock,
    days: tuple[float, float],
    x: Spec,
) -> Spec:
    fit = next((s for s in posterior.fitted if s.id == "igg"), None)
    inside = (igg.days >= days[0]) & (igg.days <= days[1])
    heights = [igg.values[inside]]
    if fit is not None:
        seen = (fit.days >= days[0]) & (fit.days <= days[1])
        heights += [fit.q05[seen], fit.q95[seen]]
    y = _y_axis(_domain(heights), igg.unit, ticks=3)
    layers = [_today(clock.ms(posterior.at_day), size, words)]
    if fit is not None:
        layers += _fit(fit, clock, days, x, y)
    layers += _points(igg, clock, days, x, y, big=True)
    title = words.text(
        "charts",
        "series",
        measure=_capital(words.word("measure", "igg")),
        unit=words.unit(igg.unit),
        n=_of_all(int(inside.sum()), len(inside), words),
        basis=words.text("charts", f"basis_{posterior.basis.value}"),
    )
    return _panel(title, layers, size, 84)


def _strength(
    assessment: Assessment,
    measure: Measure,
    words: Words,
    size: Size,
    clock: _Clock,
    days: tuple[float, float],
    x: Spec,
) -> Spec:
    treatment = assessment.treatment
    posterior = treatment.posterior
    assert posterior is not None
    series = next((s for s in posterior.observed if s.id == measure.id), None)
    fit = next((s for s in posterior.fitted if s.id == measure.id), None)
    floor = floor_of(assessment, measure)
    curves = _compared(treatment.proposal, measure.id)
    heights: list[FloatArray] = []
    inside = np.zeros(0, dtype=bool)
    if series is not None:
        inside = (series.days >= days[0]) & (series.days <= days[1])
        heights.append(series.values[inside])
    if fit is not None:
        seen = (fit.days >= days[0]) & (fit.days <= posterior.at_day)
        heights += [fit.q05[seen], fit.q95[seen]]
    for _, forecast, _ in curves:
        heights += [forecast.q05, forecast.q95]
    if floor is not None:
        heights.append(np.array([floor]))
    domain = _domain(heights)
    height = 150 if measure.id == primary(posterior).id else 112
    y = _y_axis(domain, measure.unit, ticks=4)
    layers = [_today(clock.ms(posterior.at_day), size, words)]
    if floor is not None:
        text = words.text("charts", "floor", floor=words.strength(floor, measure.unit, decimals_of(floor)))
        layers += _floor(floor, text, y, size)
    if series is not None:
        layers += _points(series, clock, days, x, y)
    if fit is not None:
        layers += _fit(fit, clock, (days[0], posterior.at_day), x, y)
    ahead = [(option, _until(forecast, days[1] - posterior.at_day), role) for option, forecast, role in curves]
    layers += _forecast(ahead, posterior.at_day, clock, x, y, words, size, domain, height, floor)
    title = words.text(
        "charts",
        "series",
        measure=_capital(words.measure(measure)),
        unit=words.strength_unit(measure.unit),
        n=_of_all(int(inside.sum()), len(inside), words),
        basis=words.text("charts", f"basis_{posterior.basis.value}"),
    )
    return _panel(title, layers, size, height)


def floor_of(assessment: Assessment, measure: Measure) -> float | None:
    """The floor on this measure: the one that was judged, else the person's own."""
    watch = assessment.treatment.watch
    if watch and watch.floor and watch.floor.measure == measure.id:
        return watch.floor.value
    return measure.floor


def _compared(proposal: Proposal | None, measure_id: str) -> list[tuple[Option, Forecast, str]]:
    """Forecasts drawn on the time line: as now, and what is proposed; with the role of each."""
    now, best = as_now(proposal), chosen(proposal)
    pairs: list[tuple[Option | None, str]] = [(best, "best")]
    if now is not None and (best is None or now.id != best.id):
        pairs.insert(0, (now, "now"))
    drawn: list[tuple[Option, Forecast, str]] = []
    for option, role in pairs:
        forecast = _forecast_of(option, measure_id) if option else None
        if option is not None and forecast is not None:
            drawn.append((option, forecast, role))
    return drawn


def _until(forecast: Forecast, last: float) -> Forecast:
    """The part of a forecast up to a day."""
    keep = forecast.days <= last + 1e-9
    parts = (forecast.days, forecast.q05, forecast.q25, forecast.median, forecast.q75, forecast.q95)
    return Forecast(forecast.measure, forecast.unit, *(part[keep] for part in parts))


def _forecast_of(option: Option, measure_id: str) -> Forecast | None:
    return next((forecast for forecast in option.forecasts if forecast.measure == measure_id), None)


def _fit(fit: FittedSeries, clock: _Clock, days: tuple[float, float], x: Spec, y: Spec) -> list[Spec]:
    keep = np.flatnonzero((fit.days >= days[0]) & (fit.days <= days[1]))
    rows = _rows(clock, fit.days, _thin(keep), fit)
    return [*_bands(rows, x, y, INK), _line(rows, x, y, INK, width=1.6)]


def _bands(rows: Sequence[Spec], x: Spec, y: Spec, colour: str) -> list[Spec]:
    return [
        {
            "data": {"values": rows},
            "mark": {"type": "area", "color": colour, "opacity": opacity, "line": False},
            "encoding": {"x": {**x, "field": "t"}, "y": {**y, "field": low}, "y2": {"field": high}},
        }
        for low, high, opacity in (("q05", "q95", 0.11), ("q25", "q75", 0.17))
    ]


def _line(rows: Sequence[Spec], x: Spec, y: Spec, colour: str, *, width: float, dash: Sequence[int] = ()) -> Spec:
    mark: Spec = {"type": "line", "color": colour, "strokeWidth": width}
    if dash:
        mark["strokeDash"] = list(dash)
    return {
        "data": {"values": rows},
        "mark": mark,
        "encoding": {"x": {**x, "field": "t"}, "y": {**y, "field": "median"}},
    }


def _points(
    series: Series, clock: _Clock, days: tuple[float, float], x: Spec, y: Spec, *, big: bool = False
) -> list[Spec]:
    """Measured values: full where the fit used them, hollow where it did not."""
    inside = (series.days >= days[0]) & (series.days <= days[1])
    layers: list[Spec] = []
    for used, name in ((True, "points"), (False, "unused")):
        at = np.flatnonzero(inside & (series.used == used))
        if len(at) == 0:
            continue
        rows = [{"t": clock.ms(float(series.days[i])), "v": float(series.values[i])} for i in at]
        crowd = len(at) > CROWD  # so many that they would hide the fit
        mark: Spec = {"type": "point", "filled": used, "color": QUIET if crowd else INK, "opacity": 1}
        mark["size"] = 26 if big else (4 if crowd else 9)
        if not used:
            mark |= {"strokeWidth": 1, "size": 14}
        layers.append(
            {
                "name": f"{name}_{series.id.replace('-', '_')}",
                "data": {"values": rows},
                "mark": mark,
                "encoding": {"x": {**x, "field": "t"}, "y": {**y, "field": "v"}},
            }
        )
    return layers


def _forecast(
    curves: Sequence[tuple[Option, Forecast, str]],
    at_day: float,
    clock: _Clock,
    x: Spec,
    y: Spec,
    words: Words,
    size: Size,
    domain: tuple[float, float],
    height: int,
    floor: float | None,
) -> list[Spec]:
    layers: list[Spec] = []
    ends: list[tuple[float, str, str]] = []
    for option, forecast, role in curves:
        colour = ACCENT if role == "best" else INK
        rows = _rows(clock, forecast.days + at_day, _thin(np.arange(len(forecast.days))), forecast)
        if role == "best" or len(curves) == 1:
            layers += _bands(rows, x, y, colour)
        dash = BEST_DASH if role == "best" else NOW_DASH
        layers.append(_line(rows, x, y, colour, width=2.0 if role == "best" else 1.6, dash=dash))
        ends.append((float(forecast.median[-1]), label(option, words), colour))
    if size.narrow:
        return layers
    per_px = (domain[1] - domain[0]) / height
    taken = [floor] if floor is not None else []
    for value, text, colour in _apart(ends, taken, 15 * per_px):
        layers.append(_right_label(value, text, y, colour, size))
    return layers


def label(option: Option, words: Words) -> str:
    """The short name of an option on a chart."""
    if option.action == "no_change":
        return words.text("charts", "as_now")
    if option.regimen.route == "none":
        return str(words.texts["ui"]["no_treatment"])
    return words.text(
        "charts", "option", dose=words.grams(option.regimen.grams), interval=f"{option.regimen.interval_days:g}"
    )


# ---- the cycle -------------------------------------------------------------------------------------------------------

CYCLES = 6  # last recorded cycles folded onto each other


def cycle(assessment: Assessment, words: Words, size: Size) -> Spec | None:
    """Measured strength of the last cycles by day since the infusion, with the day on which the floor is crossed.

    None where no regimen is in force, or nothing was measured within these cycles.
    """
    treatment = assessment.treatment
    posterior, watch = treatment.posterior, treatment.watch
    if posterior is None or watch is None or not watch.interval_days or watch.interval_days < 7:
        return None
    interval = watch.interval_days
    measure = primary(posterior)
    series = next((s for s in posterior.observed if s.id == measure.id), None)
    starts = course_starts([d.day for d in treatment.doses if d.day <= posterior.at_day], interval)
    if series is None or not starts:
        return None
    starts = starts[-CYCLES:]
    ends = [*starts[1:], posterior.at_day + 1e-6]
    rows: list[Spec] = []
    for begin, end in zip(starts, ends, strict=True):
        end = min(end, begin + 1.25 * interval)
        for i in np.flatnonzero((series.days >= begin) & (series.days < end) & series.used):
            rows.append({"t": round(float(series.days[i]) - begin, 2), "v": float(series.values[i])})
    if len(rows) < 4:
        return None
    fit = next((s for s in posterior.fitted if s.id == measure.id), None)
    curve: list[Spec] = []
    whole = [(b, e) for b, e in zip(starts, ends, strict=True) if abs(e - b - interval) <= 0.15 * interval]
    if fit is not None and whole:
        begin, end = whole[-1]
        at = np.flatnonzero((fit.days >= begin) & (fit.days <= end))
        curve = [
            {
                "t": round(float(fit.days[i]) - begin, 2),
                **{q: _short_number(getattr(fit, q)[i]) for q in ("q05", "q25", "median", "q75", "q95")},
            }
            for i in at
        ]
    floor = floor_of(assessment, measure)
    heights = [np.array([r["v"] for r in rows]), np.array([r[q] for r in curve for q in ("q05", "q95")])]
    if floor is not None:
        heights.append(np.array([floor]))
    domain = _domain(heights)
    y = _y_axis(domain, measure.unit, ticks=4)
    last = max(interval, max(r["t"] for r in rows))
    x: Spec = {
        "type": "quantitative",
        "scale": {"domain": [0, last], "nice": False},
        "axis": {
            "title": words.text("charts", "since_infusion"),
            "values": list(range(0, int(last) + 1, 7 if last <= 42 else 14)),
            "grid": True,
        },
    }
    layers: list[Spec] = []
    off = watch.wearing_off
    if off is not None and off.day is not None and floor is not None:
        low = off.day_q05 if off.day_q05 is not None else off.day
        high = off.day_q95 if off.day_q95 is not None else last
        layers.append(
            {
                "data": {"values": [{"t": low, "u": min(high, last)}]},
                "mark": {"type": "rect", "color": WARN, "opacity": 0.13},
                "encoding": {"x": {**x, "field": "t"}, "x2": {"field": "u"}},
            }
        )
        layers.append(
            {
                "data": {"values": [{"t": off.day}]},
                "mark": {"type": "rule", "color": WARN, "strokeWidth": 1.5},
                "encoding": {"x": {**x, "field": "t"}},
            }
        )
        side = "right" if off.day > last / 2 else "left"
        layers.append(
            {
                "data": {"values": [{"t": off.day}]},
                "mark": {
                    "type": "text",
                    "text": words.text("charts", "crossing", day=f"{off.day:.0f}"),
                    "align": side,
                    "dx": -6 if side == "right" else 6,
                    "baseline": "top",
                    "color": WARN,
                    "fontWeight": 600,
                    "fontSize": 12,
                },
                "encoding": {"x": {**x, "field": "t"}, "y": {"value": 4}},
            }
        )
    if floor is not None:
        text = words.text("charts", "floor", floor=words.strength(floor, measure.unit, decimals_of(floor)))
        layers += _floor(floor, text, y, size)
    if curve:
        layers += _bands(curve, x, y, INK)
        layers.append(_line(curve, x, y, INK, width=1.8))
    layers.append(
        {
            "name": "points_cycle",
            "data": {"values": rows},
            "mark": {"type": "point", "filled": True, "color": INK, "opacity": 1, "size": 12},
            "encoding": {"x": {**x, "field": "t"}, "y": {**y, "field": "v"}},
        }
    )
    title = words.text(
        "charts",
        "cycle",
        measure=_capital(words.measure(measure)),
        unit=words.strength_unit(measure.unit),
        n=len(rows),
        cycles=len(starts),
    )
    return top(_panel(title, layers, size, 190))


def course_starts(days: Sequence[float], interval: float) -> list[float]:
    """First day of each course: a dose that follows the one before by more than half an interval."""
    starts: list[float] = []
    before = -math.inf
    for day in sorted(days):
        if day - before > 0.5 * interval:
            starts.append(day)
        before = day
    return starts


# ---- the options -----------------------------------------------------------------------------------------------------


def options(assessment: Assessment, words: Words, size: Size, *, most: int = MOST_PANELS) -> Spec | None:
    """Small multiples: what each option would do to the primary measure, with the present regimen as a dotted line."""
    treatment = assessment.treatment
    posterior, proposal = treatment.posterior, treatment.proposal
    if posterior is None or proposal is None or not proposal.options:
        return None
    measure = primary(posterior)
    drawn = [(o, f) for o in ranked(proposal)[:most] for f in (_forecast_of(o, measure.id),) if f is not None]
    if not drawn:
        return None
    floor = floor_of(assessment, measure)
    heights = [h for _, f in drawn for h in (f.q05, f.q95)] + ([np.array([floor])] if floor is not None else [])
    domain = _domain(heights)
    last = max(float(f.days[-1]) for _, f in drawn)
    now = as_now(proposal)
    reference = _forecast_of(now, measure.id) if now else None
    columns = 1 if size.narrow else 3
    whole = size.width + size.right + (0 if size.narrow else LEFT)
    width = size.width if size.narrow else (whole - columns * LEFT - (columns - 1) * 12) // columns
    panels: list[Spec] = []
    for option, forecast in drawn:
        x: Spec = {
            "type": "quantitative",
            "scale": {"domain": [0, last / 7], "nice": False},
            "axis": {"title": words.text("charts", "weeks"), "tickMinStep": 2, "tickCount": 6, "grid": True},
        }
        y = _y_axis(domain, measure.unit, ticks=3)
        colour = ACCENT if option.proposed else INK
        rows = _weeks(forecast)
        layers: list[Spec] = []
        if floor is not None:
            layers += _floor(floor, None, y, size)
        layers += _bands(rows, x, y, colour)
        if reference is not None and now is not None and option.id != now.id:
            layers.append(_line(_weeks(reference), x, y, INK, width=1.1, dash=NOW_DASH))
        layers.append(_line(rows, x, y, colour, width=1.8, dash=BEST_DASH if option.proposed else ()))
        name = label(option, words) if option.action != "no_change" else words.word("action", "no_change")
        if option.proposed:
            name += words.text("charts", "proposed")
        panels.append({**_panel(name, layers, Size(width, 0), 92), "width": width})
    return top({"concat": panels, "columns": columns, "spacing": 12})


def trade_off(assessment: Assessment, words: Words, size: Size, *, most: int = 12) -> Spec | None:
    """What each option costs in grams per week, and how strong the person is at the weakest day of its cycle."""
    treatment = assessment.treatment
    posterior, proposal = treatment.posterior, treatment.proposal
    if posterior is None or proposal is None or len(proposal.options) < 2:
        return None
    shown = ranked(proposal)[:most]
    measure = primary(posterior)
    floor = floor_of(assessment, measure)
    grams = [o.grams_per_week for o in shown]
    span = (max(grams) - min(grams)) or 2.0
    across = (min(grams) - 0.12 * span, max(grams) + 0.12 * span)
    x: Spec = {
        "type": "quantitative",
        "scale": {"domain": list(across), "nice": False, "zero": False},
        "axis": {"title": words.text("charts", "grams_per_week"), "grid": True, "tickCount": 6},
    }
    ends = np.array([(o.trough_q05, o.trough_q95) for o in shown]).ravel()
    domain = _domain([ends, *([np.array([floor])] if floor is not None else [])])
    height = 230
    y = _y_axis(domain, measure.unit, ticks=4)
    rows: list[Spec] = [
        {
            "g": _short_number(o.grams_per_week),
            "v": _short_number(o.trough),
            "low": _short_number(o.trough_q05),
            "high": _short_number(o.trough_q95),
            "label": label(o, words),
            "role": "best" if o.proposed else "other",
        }
        for o in shown
    ]
    layers: list[Spec] = []
    if floor is not None:
        text = words.text("charts", "floor", floor=words.strength(floor, measure.unit, decimals_of(floor)))
        layers += _floor(floor, text, y, size)
    for role, colour, shape, area in (("other", INK, "circle", 60), ("best", ACCENT, "diamond", 150)):
        own = [r for r in rows if r["role"] == role]
        layers.append(
            {
                "data": {"values": own},
                "mark": {"type": "rule", "color": colour, "strokeWidth": 1.2, "opacity": 0.7},
                "encoding": {"x": {**x, "field": "g"}, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
            }
        )
        layers.append(
            {
                "data": {"values": own},
                "mark": {"type": "point", "filled": True, "color": colour, "shape": shape, "size": area, "opacity": 1},
                "encoding": {"x": {**x, "field": "g"}, "y": {**y, "field": "v"}},
            }
        )
    scale = (size.width / (across[1] - across[0]), height / (domain[1] - domain[0]))
    points = [((r["g"] - across[0]) * scale[0], (domain[1] - r["v"]) * scale[1]) for r in rows]
    room = (size.width + (100 if size.right else 0), height)
    for row, (dx, dy, align) in zip(rows, _label_places(points, [r["label"] for r in rows], room), strict=True):
        best = row["role"] == "best"
        mark = {"type": "text", "text": row["label"], "dx": dx, "dy": dy, "align": align, "baseline": "middle"}
        mark |= {"color": ACCENT if best else INK, "fontWeight": 600 if best else 400, "fontSize": 12}
        layers.append(
            {
                "data": {"values": [row]},
                "mark": mark,
                "encoding": {"x": {**x, "field": "g"}, "y": {**y, "field": "v"}},
            }
        )
    title = words.text(
        "charts",
        "trade_off",
        measure=words.measure(measure),
        unit=words.strength_unit(measure.unit),
        draws=len(posterior.draws.c50),
    )
    return top(_panel(title, layers, size, height))


def _label_places(
    points: Sequence[tuple[float, float]], labels: Sequence[str], room: tuple[float, float]
) -> list[tuple[int, int, str]]:
    """Where each label stands beside its point so that none covers another: offsets [px] and alignment.

    points : centres [px] from the upper left; room : width and height that labels may use [px]
    """
    boxes: list[Box] = [(px - 7, py - 7, px + 7, py + 7) for px, py in points]
    places: list[tuple[int, int, str]] = []
    tries = [(dx, dy, align) for dy in (0, *_EITHER_WAY) for dx, align in ((10, "left"), (-10, "right"))]
    for point, text in zip(points, labels, strict=True):
        options = [(_label_box(point, text, place), place) for place in tries]
        others = [b for b in boxes if b != (point[0] - 7, point[1] - 7, point[0] + 7, point[1] + 7)]
        box, best = min(options, key=lambda option: _cost(option[0], others, room) + 2 * abs(option[1][1]))
        places.append(best)
        boxes.append(box)
    return places


_EITHER_WAY = tuple(sign * step for step in (14, 26, 38, 50) for sign in (-1, 1))


def _label_box(point: tuple[float, float], text: str, place: tuple[int, int, str]) -> Box:
    dx, dy, align = place
    wide = 7.0 * len(text)
    left = point[0] + dx if align == "left" else point[0] + dx - wide
    return left, point[1] + dy - 7, left + wide, point[1] + dy + 7


def _cost(box: Box, others: Sequence[Box], room: tuple[float, float]) -> float:
    """How badly a label lies: what it covers of others, and far more what sticks out."""
    outside = max(0.0, -box[0]) + max(0.0, box[2] - room[0]) + max(0.0, -box[1]) + max(0.0, box[3] - room[1])
    covered = sum(
        max(0.0, min(box[2], b[2]) - max(box[0], b[0])) * max(0.0, min(box[3], b[3]) - max(box[1], b[1]))
        for b in others
    )
    return 20 * outside + covered


# ---- what the data changed -------------------------------------------------------------------------------------------


def learned(assessment: Assessment, words: Words, size: Size) -> Spec | None:
    """How much of each parameter's uncertainty this person's own data removed."""
    posterior = assessment.treatment.posterior
    if posterior is None or not posterior.parameters:
        return None
    rows = [
        {
            "name": words.parameter(parameter.name),
            "information": max(0.0, min(1.0, parameter.information)) if math.isfinite(parameter.information) else 0.0,
            "said": words.percent(max(0.0, parameter.information)) if math.isfinite(parameter.information) else "",
        }
        for parameter in posterior.parameters
    ]
    names = [row["name"] for row in rows]
    x: Spec = {
        "type": "quantitative",
        "scale": {"domain": [0, 1], "nice": False},
        "axis": {
            "title": words.text("charts", "information"),
            "format": ".0%",
            "values": [0, 0.25, 0.5, 0.75, 1],
            "grid": True,
        },
    }
    y: Spec = {
        "type": "nominal",
        "sort": names,
        "axis": None,
        "field": "name",
        "scale": {"domain": names},
    }
    layers: list[Spec] = [
        {
            "data": {"values": rows},
            "mark": {"type": "bar", "color": GRID, "height": 6, "yOffset": 8},
            "encoding": {"x": {**x, "datum": 1}, "y": y},
        },
        {
            "data": {"values": rows},
            "mark": {"type": "bar", "color": INK, "height": 6, "yOffset": 8},
            "encoding": {"x": {**x, "field": "information"}, "y": y},
        },
        {
            "data": {"values": rows},
            "mark": {"type": "text", "align": "left", "baseline": "middle", "dy": -7, "color": INK, "fontSize": 12},
            "encoding": {"x": {"value": 0}, "y": y, "text": {"field": "name"}},
        },
        {
            "data": {"values": rows},
            "mark": {"type": "text", "align": "right", "baseline": "middle", "dy": -7, "color": QUIET, "fontSize": 12},
            "encoding": {"x": {"value": size.width}, "y": y, "text": {"field": "said"}},
        },
    ]
    title = words.text("charts", "learned")
    return top({**_panel(title, layers, size, 34), "height": {"step": 36}})


# ---- shared pieces ---------------------------------------------------------------------------------------------------


class _Clock:
    """Days counted from the first fact, as milliseconds of the time axis (UTC throughout: a day is a day)."""

    def __init__(self, origin: date) -> None:
        self.origin = origin

    def ms(self, day: float) -> int:
        start = datetime(self.origin.year, self.origin.month, self.origin.day, tzinfo=UTC)
        return round(start.timestamp() * 1000 + day * DAY_MS)


def top(spec: Spec) -> Spec:
    """What every chart shares."""
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "background": None,
        "padding": {"left": 2, "right": 4, "top": 2, "bottom": 2},
        **spec,
        "config": {
            "aria": False,
            "font": "sans-serif",
            "view": {"stroke": None},
            "concat": {"spacing": 12},
            "title": {
                "anchor": "start",
                "fontSize": 13,
                "fontWeight": 600,
                "color": INK,
                "offset": 6,
                "frame": "group",
            },
            "axis": {
                "labelColor": QUIET,
                "titleColor": QUIET,
                "labelFontSize": 12,
                "titleFontSize": 12,
                "titleFontWeight": "normal",
                "gridColor": GRID,
                "domain": False,
                "ticks": False,
                "labelPadding": 6,
            },
            "line": {"strokeJoin": "round"},
            "area": {"line": False},
        },
    }


def _panel(title: str, layers: list[Spec], size: Size, height: int) -> Spec:
    """A panel; a title written as "what | n and basis" takes two lines on a phone and one on a desk."""
    head, _, rest = (part.strip() for part in title.partition("|"))
    text: Spec = {"text": head}
    if rest and size.narrow:
        text |= {"subtitle": rest, "subtitleColor": QUIET, "subtitleFontSize": 12, "subtitlePadding": 2}
    elif rest:
        text = {"text": f"{head}, {rest}"}
    return {"title": text, "width": size.width, "height": height, "layer": layers}


def _time_axis(ends: Sequence[int], months: Sequence[str], *, labelled: bool) -> Spec:
    ticks = _month_ticks(ends[0], ends[1])
    axis: Spec = {"title": None, "values": ticks, "grid": True, "labels": labelled}
    if labelled and ticks:
        month = f"{json.dumps(list(months), ensure_ascii=False)}[utcmonth(datum.value)]"
        axis["labelExpr"] = (
            f"utcmonth(datum.value) == 0 || datum.value == {ticks[0]} "
            f"? [{month}, utcFormat(datum.value, '%Y')] : {month}"
        )
        axis["labelOverlap"] = True
    return {"type": "temporal", "scale": {"type": "utc", "domain": list(ends), "nice": False}, "axis": axis}


def _month_ticks(low: int, high: int) -> list[int]:
    """First days of months between two instants: every month, third, sixth or twelfth, as many as fit."""
    begin = datetime.fromtimestamp(low / 1000, tz=UTC).date()
    end = datetime.fromtimestamp(high / 1000, tz=UTC).date()
    months = (end.year - begin.year) * 12 + end.month - begin.month
    step = next((s for s in (1, 3, 6, 12, 24, 60) if months / s <= 10), 120)
    ticks: list[int] = []
    for index in range(begin.year * 12 + begin.month - 1, end.year * 12 + end.month):
        day = datetime(index // 12, index % 12 + 1, 1, tzinfo=UTC)
        stamp = int(day.timestamp() * 1000)
        if index % 12 % step == 0 and low <= stamp <= high:
            ticks.append(stamp)
    return ticks


def _y_axis(domain: tuple[float, float] | list[float], unit: str, *, ticks: int) -> Spec:
    return {
        "type": "quantitative",
        "scale": {"domain": list(domain), "nice": False, "zero": False},
        "axis": {"title": None, "tickCount": ticks, "grid": True, "minExtent": LEFT - 8, "maxExtent": LEFT - 8},
    }


def _today(at_ms: int, size: Size, words: Words, label: str | None = None) -> Spec:
    x: Spec = {"field": "t", "type": "temporal", "scale": {"type": "utc"}}
    rule: Spec = {"mark": {"type": "rule", "color": QUIET, "strokeWidth": 1}, "encoding": {"x": x}}
    layers = [rule]
    if label:
        layers.append(
            {
                "mark": {
                    "type": "text",
                    "text": label,
                    "align": "left",
                    "dx": 4,
                    "baseline": "top",
                    "fontSize": 12,
                    "color": QUIET,
                },
                "encoding": {"x": x, "y": {"value": 2}},
            }
        )
    return {"data": {"values": [{"t": at_ms}]}, "layer": layers}


def _floor(value: float, text: str | None, y: Spec, size: Size) -> list[Spec]:
    layers: list[Spec] = [
        {
            "data": {"values": [{"v": value}]},
            "mark": {"type": "rule", "color": WARN, "strokeWidth": 1.2},
            "encoding": {"y": {**y, "field": "v"}},
        }
    ]
    if text is None:
        return layers
    if size.narrow:
        layers += [_inner_label(value, text, y, size, halo=halo) for halo in (True, False)]
    else:
        layers.append(_right_label(value, text, y, WARN, size))
    return layers


def _right_label(value: float, text: str, y: Spec, colour: str, size: Size) -> Spec:
    return {
        "data": {"values": [{"v": value}]},
        "mark": {
            "type": "text",
            "text": text,
            "align": "left",
            "baseline": "middle",
            "dx": 6,
            "color": colour,
            "fontSize": 12,
            "clip": False,
        },
        "encoding": {"x": {"value": size.width}, "y": {**y, "field": "v"}},
    }


def _inner_label(value: float, text: str, y: Spec, size: Size, *, halo: bool) -> Spec:
    """A label on the line itself, at its right end; the halo keeps it readable over dots."""
    mark: Spec = {"type": "text", "text": text, "align": "right", "baseline": "top", "dy": 4, "fontSize": 12}
    mark |= {"stroke": PAPER, "strokeWidth": 4, "color": PAPER} if halo else {"color": WARN}
    return {
        "data": {"values": [{"v": value}]},
        "mark": mark,
        "encoding": {"x": {"value": size.width}, "y": {**y, "field": "v"}},
    }


def _apart(
    ends: Sequence[tuple[float, str, str]], taken: Sequence[float], distance: float
) -> list[tuple[float, str, str]]:
    """Labels moved up or down until none stands closer than `distance` to another or to what is taken."""
    placed: list[tuple[float, str, str]] = []
    used = list(taken)
    for value, text, colour in sorted(ends, key=lambda end: -end[0]):
        tries = [value] + [value + sign * distance * step / 4 for step in range(1, 25) for sign in (1, -1)]
        at = next((t for t in tries if all(abs(t - u) >= distance for u in used)), value)
        used.append(at)
        placed.append((at, text, colour))
    return placed


def _rows(clock: _Clock, days: FloatArray, at: Sequence[int], curve: FittedSeries | Forecast) -> list[Spec]:
    return [
        {
            "t": clock.ms(float(days[i])),
            **{q: _short_number(getattr(curve, q)[i]) for q in ("q05", "q25", "median", "q75", "q95")},
        }
        for i in at
    ]


def _weeks(forecast: Forecast) -> list[Spec]:
    return [
        {
            "t": _short_number(forecast.days[i] / 7),
            **{q: _short_number(getattr(forecast, q)[i]) for q in ("q05", "q25", "median", "q75", "q95")},
        }
        for i in _thin(np.arange(len(forecast.days)))
    ]


def _thin(at: Any) -> list[int]:
    """At most `MOST_STEPS` of the indices, evenly, the last always kept."""
    indices = [int(i) for i in at]
    step = max(1, math.ceil(len(indices) / MOST_STEPS))
    kept = indices[::step]
    if indices and kept[-1] != indices[-1]:
        kept.append(indices[-1])
    return kept


def _domain(heights: Sequence[FloatArray]) -> tuple[float, float]:
    """Axis range: all that is drawn, a little air, and never so narrow that noise looks like a fall."""
    values = np.concatenate([np.asarray(h, dtype=float) for h in heights] or [np.array([0.0, 1.0])])
    values = values[np.isfinite(values)]
    if len(values) == 0:
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    least = 0.4 * max(abs(low), abs(high)) or 1.0
    if high - low < least:
        middle = (low + high) / 2
        low, high = middle - least / 2, middle + least / 2
    air = 0.06 * (high - low)
    bottom = max(0.0, low - air) if low >= 0 else low - air
    return _short_number(bottom), _short_number(high + air)


def _short_number(value: Any) -> float:
    return float(f"{float(value):.4g}")


def _of_all(shown: int, there_are: int, words: Words) -> str:
    return str(shown) if shown == there_are else words.text("charts", "of_all", shown=shown, all=there_are)


def decimals_of(value: float) -> int:
    """Decimals of a number that somebody stated: none if it is whole."""
    return 0 if value == round(value) else 1


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
