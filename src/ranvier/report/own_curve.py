"""A patient's own curve in plain words: each hand over some weeks, and whether the last days differ from those before.

The difference of two means is called more than chance when it exceeds what the scatter of the device makes in 19 of 20 weeks:
1.96 · sd · mean of all · sqrt(1/n1 + 1/n2), with the proportional sd of one session from knowledge/scales. It says nothing
of doses.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape

Z95 = 1.959963984540054  # standard normal quantile of a two-sided 95 % range
WIDTH, HIGH, LEFT, TOP, LOW = 360.0, 170.0, 34.0, 12.0, 40.0  # [px] of one drawing: size and margins


@dataclass(frozen=True, slots=True)
class Compared:
    """Means of the last days and of those before [unit of the device], how many values, and the verdict.

    verdict : more | less | same | few
    """

    now: float | None
    n_now: int
    before: float | None
    n_before: int
    verdict: str


def compare(
    values: Sequence[tuple[date, float]], today: date, *, recent: int, before: int, least: int, sd: float | None
) -> Compared:
    """Hold the last `recent` days against the `before` days before them.

    Parameters
    ----------
    values : (day, value) of one hand with one device
    recent, before : [d]; least : values needed on each side
    sd : proportional standard deviation of one session [1]; None: nothing can be called more than chance
    """
    edge = today - timedelta(days=recent)
    start = edge - timedelta(days=before)
    late = [v for day, v in values if edge < day <= today]
    early = [v for day, v in values if start < day <= edge]
    a = sum(late) / len(late) if late else None
    b = sum(early) / len(early) if early else None
    if a is None or b is None or sd is None or len(late) < least or len(early) < least:
        return Compared(a, len(late), b, len(early), "few")
    middle = (sum(late) + sum(early)) / (len(late) + len(early))
    chance = Z95 * sd * middle * math.sqrt(1 / len(late) + 1 / len(early))
    verdict = "same" if abs(a - b) <= chance else "more" if a > b else "less"
    return Compared(a, len(late), b, len(early), verdict)


def draw(
    values: Sequence[tuple[date, float]],
    infusions: Sequence[date],
    today: date,
    *,
    days: int,
    key: str,
    title: str,
    unit: str,
    infusion_word: str,
    months: Sequence[str],
) -> str:
    """One hand as inline SVG that takes its colours from the page: dots, infusions as strokes at the bottom.

    Parameters
    ----------
    days : how far back the axis reaches; key : prefix of ids; title : what is told to who cannot see it
    months : names of the months, January first
    """
    first = today - timedelta(days=days)
    shown = [(d, v) for d, v in values if first <= d <= today]
    top = _nice(max((v for _, v in shown), default=1.0))
    wide, tall = WIDTH - LEFT - 10, HIGH - TOP - LOW

    def x(day: date) -> float:
        return LEFT + wide * (day - first).days / days

    def y(value: float) -> float:
        return TOP + tall * (1 - value / top)

    parts = [
        f'<svg class="own" role="img" aria-labelledby="{key}-t" viewBox="0 0 {WIDTH:g} {HIGH:g}" '
        f'width="{WIDTH:g}" height="{HIGH:g}"><title id="{key}-t">{escape(title)}</title>'
    ]
    for step in range(3):
        value = top * step / 2
        parts.append(f'<path class="grid" d="M{LEFT:g} {y(value):.1f}h{wide:g}"/>')
        parts.append(f'<text class="end" x="{LEFT - 5:g}" y="{y(value) + 4:.1f}">{value:g}</text>')
    parts.append(f'<text x="{LEFT:g}" y="{TOP - 2:g}">{escape(unit)}</text>')
    day = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    while day <= today:
        parts.append(f'<path class="tick" d="M{x(day):.1f} {TOP + tall:g}v4"/>')
        parts.append(f'<text x="{x(day) + 2:.1f}" y="{HIGH - 4:g}">{escape(months[day.month - 1])}</text>')
        day = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    given = [d for d in infusions if first <= d <= today]
    for d in given:
        parts.append(f'<path class="dose" d="M{x(d):.1f} {TOP + tall + 8:g}v10"/>')
    if given:
        near = x(given[-1]) + 5
        end = near > WIDTH - 70
        parts.append(
            f'<text class="{"dose end" if end else "dose"}" x="{x(given[-1]) - 5 if end else near:.1f}" '
            f'y="{TOP + tall + 17:g}">{escape(infusion_word)}</text>'
        )
    dots = "".join(f"M{x(d):.1f} {y(v):.1f}h0" for d, v in shown)
    parts.append(f'<path class="dots" d="{dots}"/></svg>' if dots else "</svg>")
    return "".join(parts)


def _nice(most: float) -> float:
    """The end of an axis that begins at 0: an even number of halves of 1, 2 or 5 times a power of ten."""
    if most <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(most))
    return next(step * power for step in (1, 2, 3, 4, 5, 6, 8, 10) if step * power >= most)
