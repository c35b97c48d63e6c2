"""From a record to what the kernels read: days from the first fact, doses, observations; what was left out, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from ranvier.estimation.nouns import FloatArray, Measure
from ranvier.evidence.nouns import Composite, Knowledge
from ranvier.ground.findings import Finding
from ranvier.kinetics.disposition import CHANNEL, Doses
from ranvier.record.nouns import Infusion, Record, StrengthSeries, When

HOURS = 24.0
RUN_IN = 60.0  # [d] of the earlier regimen that strength is followed through before the record begins
EARLIER = 365.0  # [d] of the earlier regimen whose doses are counted: 30 half-lives of IgG above the own level
FORCES = ("grip", "pinch", "dynamometry", "relative")

UNMEASURED = Measure("relative", "relative", None, None, "1", 0)
"""Stands in where no strength was measured: strength relative to its untreated level, from the prior alone."""


@dataclass(frozen=True, slots=True)
class Points:
    """Values [unit of the series] at days; `used` says which the fit reads."""

    days: FloatArray
    values: FloatArray
    used: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class History:
    """One person's record on one time axis.

    origin : day 0, midnight of the date of the first fact; begin : where the model starts [d], before 0 in a run-in
    doses : recorded infusions and earlier ones from `begin` on, the first `unseen` of them; early : still earlier ones
    checked : rows of doses whose day somebody has held against the infusion chart
    past : ``none`` | ``regimen`` | ``unknown`` (a latent starting amount)
    measures and points run in parallel; igg : measured levels [g/L]
    """

    origin: date
    at_day: float
    begin: float
    doses: Doses
    early: Doses
    past: str
    igg: Points
    measures: tuple[Measure, ...]
    variants: tuple[str | None, ...]  # named variant of each measure's scale
    points: tuple[Points, ...]
    primary: int
    findings: tuple[Finding, ...]
    unseen: int = 0
    checked: tuple[int, ...] = ()


class Clock:
    """Local wall-clock days from a fixed midnight. Facts with a clock time are brought to the record's time zone first."""

    def __init__(self, record: Record, composite: Composite) -> None:
        moments = _moments(record)
        zone = ZoneInfo(record.timezone) if record.timezone else None
        if zone is None:
            aware = [m for m in moments if isinstance(m, datetime)]
            self.zone = min(aware, key=lambda m: m.astimezone(UTC)).tzinfo if aware else UTC
        else:
            self.zone = zone
        self.origin = min((self._local(m).date() if isinstance(m, datetime) else m) for m in moments)
        self.measured = composite.constants["hour_of_measurement"].value / HOURS
        self.infused = composite.constants["hour_of_infusion"].value / HOURS

    def _local(self, moment: datetime) -> datetime:
        return moment.astimezone(self.zone)

    def date_of(self, when: When) -> date:
        """The local date of a fact."""
        return self._local(when).date() if isinstance(when, datetime) else when

    def day(self, when: When, *, hour: float) -> float:
        """Days from the origin; a plain date counts at the given part of the day."""
        if isinstance(when, datetime):
            wall = self._local(when).replace(tzinfo=None)
            return (wall - datetime.combine(self.origin, time())) / timedelta(days=1)
        return (when - self.origin).days + hour


def _moments(record: Record) -> list[When]:
    moments: list[When] = [i.start for i in record.infusions]
    moments += [level.at for level in record.igg]
    moments += [v.at for series in record.strength for v in series.values]
    return moments


def build(record: Record, knowledge: Knowledge, at: date) -> History | Finding:
    """The history up to and including `at`, or why there is none. Expects a record without later facts."""
    composite = knowledge.composite
    if not _moments(record):
        return Finding("history.empty")
    clock = Clock(record, composite)
    findings: list[Finding] = []

    doses, assumed_times, checked = _doses(record, clock, composite)
    if assumed_times:
        findings.append(
            Finding(
                "history.infusion_times_assumed",
                {
                    "n": assumed_times,
                    "hour": composite.constants["hour_of_infusion"].value,
                    "hours": composite.constants["hours_of_infusion"].value,
                },
                status="assumed",
            )
        )
    igg = _igg(record, clock, findings)
    measures, variants, points = _strength(record, knowledge, clock, findings)
    if not (measures or doses.start.size or igg.days.size):  # the first days of a diary, and nothing else
        return next(f for f in findings if f.name in ("history.series_too_short", "history.series_all_equal"))
    if not measures:
        measures, variants, points = (UNMEASURED,), (None,), (_points([], [], []),)
    at_day = _at_day(at, clock, doses, igg, points)

    first = min([*doses.start, *igg.days, *(d for p in points for d in p.days)])
    past, begin, unseen = record.before.kind, float(first), 0
    early = Doses.of([], [])
    if past == "regimen":
        begin = float(first) - RUN_IN
        earlier = _earlier(record, clock, float(doses.start[0]) if doses.start.size else float(first))
        if earlier is None:
            past, begin = "unknown", float(first)
            findings.append(Finding("history.before_incomplete", status="assumed"))
        else:
            run_in = earlier.start >= begin
            early = _some(earlier, ~run_in)
            doses, unseen = _joined(_some(earlier, run_in), doses), int(run_in.sum())
            findings.append(
                Finding(
                    "history.before_regimen",
                    {
                        "grams": record.before.grams,
                        "interval": record.before.interval_days,
                        "n": int(earlier.start.size),
                    },
                )
            )
    elif past == "unknown":
        findings.append(Finding("history.before_unknown", status="assumed"))
    return History(
        clock.origin,
        at_day,
        begin,
        doses,
        early,
        past,
        igg,
        measures,
        variants,
        points,
        _primary(measures, points),
        tuple(findings),
        unseen,
        tuple(unseen + row for row in checked),
    )


def _doses(record: Record, clock: Clock, composite: Composite) -> tuple[Doses, int, list[int]]:
    """Doses in time order, how many times of day were assumed, and which days were checked."""
    start, stop, grams, channel, checked = [], [], [], [], []
    assumed = 0
    lasting = composite.constants["hours_of_infusion"].value / HOURS
    for infusion in sorted(record.infusions, key=lambda i: clock.day(i.start, hour=clock.infused)):
        begin = clock.day(infusion.start, hour=clock.infused)
        if infusion.route != "IV":
            end = begin  # into a depot under the skin: its absorption takes days, the pump hours
        elif infusion.stop is not None and isinstance(infusion.start, datetime):
            end = begin + (infusion.stop - infusion.start) / timedelta(days=1)
        else:
            end = begin + lasting
            assumed += 1
        start.append(begin)
        stop.append(end)
        grams.append(infusion.grams)
        channel.append(CHANNEL[infusion.route])
        if infusion.day_checked:
            checked.append(len(channel) - 1)
    return _arrays(start, stop, grams, channel), assumed, checked


def _arrays(start: list[float], stop: list[float], grams: list[float], channel: list[int]) -> Doses:
    return Doses(
        np.array(start, dtype=np.float64),
        np.array(stop, dtype=np.float64),
        np.array(grams, dtype=np.float64),
        np.array(channel, dtype=np.int64),
    )


def _some(doses: Doses, which: npt.NDArray[np.bool_]) -> Doses:
    return Doses(doses.start[which], doses.stop[which], doses.grams[which], doses.channel[which])


def _joined(a: Doses, b: Doses) -> Doses:
    return Doses(
        np.concatenate([a.start, b.start]),
        np.concatenate([a.stop, b.stop]),
        np.concatenate([a.grams, b.grams]),
        np.concatenate([a.channel, b.channel]),
    )


def _earlier(record: Record, clock: Clock, first_dose: float) -> Doses | None:
    """Doses of the regimen before the record, as boluses; None where it is not told completely."""
    before = record.before
    if not before.grams or not before.interval_days or before.route not in CHANNEL:
        return None
    last = clock.day(before.last, hour=clock.infused) if before.last else first_dose - before.interval_days
    from_ = last - EARLIER
    if before.since:
        from_ = max(from_, clock.day(before.since, hour=0.0))
    n = max(int((last - from_) // before.interval_days) + 1, 0)
    when = last - before.interval_days * np.arange(n)[::-1]
    return Doses.of(when, before.grams, route=before.route)


def _igg(record: Record, clock: Clock, findings: list[Finding]) -> Points:
    """Levels in time order. A level with a date only is placed before or after that day's infusion if the record says so."""
    by_date: dict[date, list[Infusion]] = {}
    for infusion in record.infusions:
        by_date.setdefault(clock.date_of(infusion.start), []).append(infusion)
    days, values, used = [], [], []
    unplaced = censored = 0
    for level in record.igg:
        day = clock.day(level.at, hour=clock.measured)
        same_day = by_date.get(clock.date_of(level.at), [])
        usable = True
        if level.below:
            censored += 1
            usable = False
        elif not isinstance(level.at, datetime) and same_day:
            starts = [clock.day(i.start, hour=clock.infused) for i in same_day]
            if level.timing == "before":
                day = min(day, min(starts) - 1.0 / HOURS)
            elif level.timing == "after":
                day = max(starts) + 8.0 / HOURS
            else:
                unplaced += 1
                usable = False
        days.append(day)
        values.append(level.g_per_l)
        used.append(usable)
    if unplaced:
        findings.append(Finding("history.igg_unplaced", {"n": unplaced}))
    if censored:
        findings.append(Finding("history.igg_below", {"n": censored}))
    return _points(days, values, used)


def _points(days: list[float], values: list[float], used: list[bool]) -> Points:
    order = np.argsort(np.array(days, dtype=np.float64), kind="stable")
    return Points(
        np.array(days, dtype=np.float64)[order],
        np.array(values, dtype=np.float64)[order],
        np.array(used, dtype=np.bool_)[order],
    )


def _strength(
    record: Record, knowledge: Knowledge, clock: Clock, findings: list[Finding]
) -> tuple[tuple[Measure, ...], tuple[str | None, ...], tuple[Points, ...]]:
    fewest = knowledge.composite.constants["fewest_values"].value
    most_equal = knowledge.composite.constants["most_equal"].value
    measures, variants, points = [], [], []
    floors = {floor.series: floor.value for floor in record.goals.floors}
    for series in record.strength:
        sign, top = _direction(series, knowledge)
        days, values, used = [], [], []
        left_out = 0
        for v in series.values:
            capacity = v.value if sign > 0 else (top or 0.0) - v.value
            usable = not v.below and capacity > 0
            left_out += not usable
            days.append(clock.day(v.at, hour=clock.measured))
            values.append(v.value)
            used.append(usable)
        if left_out:
            findings.append(Finding("history.values_not_fitted", {"series": series.id, "n": left_out}))
        drawn = _points(days, values, used)
        if drawn.used.sum() < fewest:
            findings.append(
                Finding("history.series_too_short", {"series": series.id, "n": int(drawn.used.sum()), "needed": fewest})
            )
            continue
        seen = drawn.values[drawn.used]
        if series.measure in FORCES and seen.size >= most_equal and np.all(seen == seen[0]):
            findings.append(
                Finding(
                    "history.series_all_equal",
                    {"series": series.id, "n": int(seen.size), "value": float(seen[0]), "unit": series.unit},
                    status=knowledge.composite.constants["most_equal"].status,
                )
            )
            continue
        measures.append(
            Measure(
                series.id,
                series.measure,
                series.side,
                series.device,
                series.unit,
                len(values),
                sign,
                top,
                floors.get(series.id),
            )
        )
        variants.append(series.variant)
        points.append(drawn)
    return tuple(measures), tuple(variants), tuple(points)


def _direction(series: StrengthSeries, knowledge: Knowledge) -> tuple[int, float | None]:
    """Sign and best or worst possible value of a bounded scale; forces have no bound."""
    if series.measure in FORCES:
        return 1, None
    for key in (series.variant, series.measure, series.device):
        if key is not None and key in knowledge.scales:
            scale = knowledge.scales[key]
            return scale.sign, scale.high
    return 1, None


def _at_day(at: date, clock: Clock, doses: Doses, igg: Points, points: tuple[Points, ...]) -> float:
    """The moment of `at` that the answer stands on: the hour of measurement, or later if that day's facts are later."""
    moment = clock.day(at, hour=clock.measured)
    known = [*doses.stop, *igg.days, *(p.days[-1] for p in points if p.days.size)]
    return float(max([moment, *(d for d in known if d <= moment + 1.0)]))


def _primary(measures: tuple[Measure, ...], points: tuple[Points, ...]) -> int:
    """The measure that decides: the one with the person's floor, else the weaker well-measured hand, else the fullest series."""

    def rank(i: int) -> tuple[float, ...]:
        m, values = measures[i], points[i].values[points[i].used]
        rich = values.size >= 0.25 * max(p.used.sum() for p in points)
        kind = {"grip": 0, "dynamometry": 1, "pinch": 2, "mmn_rods": 3, "mrc_sum": 4, "onls": 5, "relative": 6}[
            m.measure
        ]
        same = [j for j, other in enumerate(measures) if (other.measure, other.unit) == (m.measure, m.unit)]
        weaker = float(np.median(values)) if len(same) > 1 else 0.0
        return (m.floor is None, not rich, kind, weaker, -values.size, i)

    return min(range(len(measures)), key=rank) if measures else 0
