"""The advice looked back upon: what it would have said on each decision day, beside what was done and seen."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from datetime import date
from typing import Any

from markupsafe import escape

from ranvier.decision.log import Back, proposed
from ranvier.decision.nouns import Regimen
from ranvier.record.nouns import Record
from ranvier.record.until import day_of
from ranvier.report.words import Words, number

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 900, 390, 60, 90, 30, 96
APART = 74.0  # px between two labels of one row


def rows(backs: Sequence[Back], words: Words) -> list[dict[str, Any]]:
    """One row a decision day, as plain data: the same in the table and in JSON."""
    found = []
    for back in backs:
        best = proposed(back.said)
        watch, ladder = back.said.treatment.watch, back.said.treatment.ladder
        proposal = back.said.treatment.proposal
        refused = back.said.treatment.refusal or (proposal.refusal if proposal is not None else ())
        off = None if watch is None else watch.wearing_off
        found.append(
            {
                "on": back.on.isoformat(),
                "advised": None if best is None else _plan(best.regimen),
                "action": None if best is None else best.action,
                "p_above_floor": None if best is None or best.p_above_floor is None else round(best.p_above_floor, 3),
                "not_advised": [words.say(finding) for finding in refused],
                "situation": None if ladder is None else ladder.situation.id,
                "change": None if watch is None or watch.change is None else watch.change.verdict,
                "wearing_off": None if off is None else round(off.probability, 3),
                "logged": None if back.agreed is None else _agreed(back),
                "given": None if back.done is None else _plan(back.done),
                "as_advised": back.kept,
                "unit": back.unit,
                "strength_before": _round(back.strength_before),
                "strength_after": _round(back.strength_after),
                "below_floor": _round(back.below),
                "values_after": back.n,
            }
        )
    return found


def text(backs: Sequence[Back], words: Words) -> str:
    """The table for a terminal, 80 columns."""
    head = f"{'day':<11}{'would have said':<25}{'was given':<20}{'as':>3}{'before':>7}{'after':>7}{'below':>7}"
    lines = [head]
    for row in rows(backs, words):
        said = row["advised"] or "no advice"
        kept = {True: "yes", False: "no", None: "–"}[row["as_advised"]]
        below = "–" if row["below_floor"] is None else f"{100 * row['below_floor']:.0f} %"
        before, after = (_fixed(row[key]) for key in ("strength_before", "strength_after"))
        given = row["given"] or "–"
        lines.append(f"{row['on']:<11}{said:<25.24}{given:<20.19}{kept:>3}{before:>7}{after:>7}{below:>7}")
        why = [f"{row['action'] or 'no advice'}".replace("_", " ")]
        why += [f"situation {str(row['situation']).replace('_', ' ')}"] if row["situation"] else []
        why += [f"logged {row['logged']}"] if row["logged"] else []
        why += row["not_advised"][:1]
        lines += _wrapped(f"  {'; '.join(why)}")
    lines += [
        "",
        *_wrapped(
            "Each line uses only what was known on its day. 'as': whether what was given was about what was advised (grams a "
            "week). before, after: median strength in the cycle before, and in the last cycle until the next line; below: share "
            "of values below the floor. What happened is no proof of what the advice would have done: it was not followed, or "
            "others were."
        ),
    ]
    return "\n".join(lines) + "\n"


def picture(record: Record, backs: Sequence[Back], words: Words) -> str:
    """Strength against days as SVG, with what was given below and, at each decision day, what would have been advised."""
    measured = next(
        (b.said.treatment.posterior for b in reversed(backs) if b.said.treatment.posterior is not None), None
    )
    measure = None if measured is None else measured.measures[measured.primary]
    floor = None if measure is None else measure.floor
    series = next((s for s in record.strength if measure is not None and s.id == measure.id), None)
    points = [] if series is None else [(day_of(v.at), v.value) for v in series.values]
    days = [d for d, _ in points] + [b.on for b in backs] + [day_of(i.start) for i in record.infusions]
    if not days:
        return ""
    first, last = min(days), max(days)
    span = max((last - first).days, 1)
    values = [*(v for _, v in points), *([floor] if floor is not None else [])] or [0.0, 1.0]
    low, high = min(values), max(values)
    room = (high - low) or 1.0
    low, high = low - 0.05 * room, high + 0.15 * room

    def x(day: date) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (day - first).days / span

    def y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low)

    name = "" if measure is None else words.measure(measure)
    unit = "" if measure is None else words.strength_unit(measure.unit)
    title = (
        f"{name}, {unit}; {len(points)} values. Diamonds: the advice of that day, filled where it was a change; ×: none"
    )
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="system-ui, sans-serif" '
        f'font-size="12" color="#1a1a1a" fill="currentColor" style="max-width:100%;height:auto"><title>{escape(title)}</title>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="16">{escape(title)}</text>',
    ]
    for tick in _ticks(low, high):
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" stroke="currentColor" opacity=".12"/>'
        )
        parts.append(f'<text x="{LEFT - 8}" y="{y(tick) + 4:.1f}" text-anchor="end">{number(tick)}</text>')
    parts += [f'<circle cx="{x(d):.1f}" cy="{y(v):.1f}" r="1.8" opacity=".55"/>' for d, v in points]
    if floor is not None:
        at_floor = f"{y(floor):.1f}"
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at_floor}" y2="{at_floor}" stroke="#9a6400"/>')
        label = f"floor {number(floor)} {unit}"
        parts.append(f'<text x="{WIDTH - RIGHT + 6}" y="{y(floor) + 4:.1f}" fill="#7a4f00">{escape(label)}</text>')
    given: list[tuple[float, str]] = []
    for infusion in record.infusions:
        at = x(day_of(infusion.start))
        parts.append(f'<path d="M{at:.1f} {HEIGHT - BOTTOM + 4} l4 8 h-8 z" opacity=".6"/>')
        given.append((at, f"{infusion.grams:g} g"))
    parts += _labels(given, HEIGHT - BOTTOM + 26)
    advised: list[tuple[float, str]] = []
    for back in backs:
        best, at = proposed(back.said), x(back.on)
        line = f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"'
        parts.append(f'{line} stroke="currentColor" opacity=".25" stroke-dasharray="2 3"/>')
        if best is None:
            parts.append(f'<text x="{at:.1f}" y="{HEIGHT - 46}" text-anchor="middle">×</text>')
            continue
        fill = "none" if best.action == "no_change" else "currentColor"
        diamond = f'<path d="M{at:.1f} {HEIGHT - 56} l6 6 l-6 6 l-6 -6 z" fill="{fill}" stroke="currentColor">'
        parts.append(f"{diamond}<title>{escape(_plan(best.regimen))}</title></path>")
        advised.append((at, f"{best.regimen.grams:g} g / {best.regimen.interval_days} d"))
    parts += _labels(advised, HEIGHT - 28)
    parts.append(f'<text x="{LEFT}" y="{HEIGHT - 6}">{first.isoformat()}</text>')
    parts.append(f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 6}" text-anchor="end">{last.isoformat()}</text>')
    parts.append(f'<text x="{LEFT - 8}" y="{HEIGHT - 46}" text-anchor="end">advice</text>')
    parts.append(f'<text x="{LEFT - 8}" y="{HEIGHT - BOTTOM + 13}" text-anchor="end">given</text></svg>')
    return "\n".join(parts) + "\n"


def _labels(found: Sequence[tuple[float, str]], y: float) -> list[str]:
    """A row of labels: each where it says something new, none upon another."""
    parts: list[str] = []
    last, end = "", -math.inf
    for at, says in found:
        if says != last and at >= end:
            parts.append(f'<text x="{at:.1f}" y="{y:.0f}" text-anchor="middle" font-size="11">{escape(says)}</text>')
            last, end = says, at + APART
    return parts


def _ticks(low: float, high: float) -> list[float]:
    step = 10.0 ** math.floor(math.log10((high - low) / 2.5))
    step *= next(m for m in (1, 2, 5, 10) if (high - low) / (m * step) <= 6)
    start = math.ceil(low / step)
    return [k * step for k in range(start, math.floor(high / step) + 1)]


def _plan(regimen: Regimen) -> str:
    if regimen.grams <= 0:
        return "no treatment"
    every = f" every {regimen.interval_days} d" if regimen.interval_days else " (last)"
    return f"{regimen.grams:g} g {regimen.route}{every}"


def _agreed(back: Back) -> str:
    assert back.agreed is not None
    return f"{back.agreed.grams:g} g {back.agreed.route} every {back.agreed.interval_days:g} d"


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _fixed(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _wrapped(sentence: str) -> list[str]:
    return textwrap.wrap(sentence, 80, subsequent_indent="  ", break_on_hyphens=False)
