"""The regimen in force, read from the infusions as really given.

A course is what is given in one go: the days that share a `course` name, or days of the same route close together. Skin
doses given several times a week count by the week. What cannot be read is said, never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from statistics import median

import numpy as np

from ranvier.estimation.history import Clock
from ranvier.estimation.predict import FutureDoses
from ranvier.evidence.nouns import Composite, Knowledge, Number
from ranvier.ground.findings import Fact, Finding
from ranvier.record.nouns import Before, Infusion, Record
from ranvier.record.until import day_of

WEEK = 7
BEFORE_HELD = 2  # cycles that a regimen told from before the record counts as held
MOST_GAPS = 6  # a median of more gaps would look too far back
INTRAVENOUS = "IV"


@dataclass(frozen=True, slots=True)
class Course:
    """One course as given: `daily` grams on its successive infusion days."""

    first: date
    last: date
    product: str
    route: str
    daily: tuple[float, ...]

    @property
    def grams(self) -> float:
        """Grams of the whole course."""
        return sum(self.daily)


@dataclass(frozen=True, slots=True)
class Earlier:
    """A regimen of more grams per week that was really given before the one in force: `daily` grams of each course."""

    product: str
    route: str
    daily: tuple[float, ...]
    interval_days: float

    @property
    def grams_per_week(self) -> float:
        """Grams per week [g/wk]."""
        return sum(self.daily) / self.interval_days * WEEK


@dataclass(frozen=True, slots=True)
class InForce:
    """The regimen in force on a day.

    grams, daily : of one course, and by infusion day [g]
    interval_days : from the start of one course to the start of the next [d]
    last : first day of the last course
    length : usual length of one infusion [d]; None where no stop was ever recorded
    given : single-day amounts that were really given of this product [g], sorted
    used_to : most grams in one infusion day that the person is used to [g], see `used_to`; None: the largest of `daily`
    courses : courses with immunoglobulin in the record, of any route
    held : full cycles since dose or interval last changed
    earlier : what was given before, if that was more; the latest such regimen
    findings : what was irregular or assumed on the way
    """

    product: str
    route: str
    daily: tuple[float, ...]
    interval_days: float
    last: date
    length: float | None
    given: tuple[float, ...]
    courses: int
    held: int
    findings: tuple[Finding, ...] = ()
    earlier: Earlier | None = None
    used_to: float | None = None

    @property
    def grams(self) -> float:
        """Grams of one course."""
        return sum(self.daily)

    @property
    def usual_day(self) -> float:
        """Most grams in one infusion day that the person is used to [g]."""
        return max(self.daily) if self.used_to is None else self.used_to

    @property
    def grams_per_week(self) -> float:
        """Grams per week [g/wk]."""
        return self.grams / self.interval_days * WEEK


def courses_of(record: Record, rules: Mapping[str, Number]) -> tuple[Course, ...]:
    """All courses in order of their first day.

    rules : `course_gap` [d], the longest pause between infusion days of one course, and `course_span` [d], the longest
        course; both only where the record does not name the course
    """
    gap, span = rules["course_gap"].value, rules["course_span"].value
    bundles: list[list[Infusion]] = []
    for infusion in sorted(record.infusions, key=_when):
        together = bundles and _together(bundles[-1], infusion, gap, span)
        if together:
            bundles[-1].append(infusion)
        else:
            bundles.append([infusion])
    return tuple(_course(bundle) for bundle in bundles)


def in_force(record: Record, knowledge: Knowledge, at: date) -> InForce | tuple[Finding, ...]:
    """The regimen in force on `at`, or the findings that say why none can be read.

    The interval is the median of the newest gaps that agree with the last one (at most six); where the last gap stands
    alone, the median of up to six gaps, and the regimen is called irregular. The dose is that of the last course,
    unless that course was cut short.
    """
    rules = knowledge.monitoring
    courses = courses_of(record, rules)
    if not courses:
        return _from_before(record.before, knowledge, at)
    route = _leading_route(courses, rules["stale_after"].value)
    own = _by_week([c for c in courses if c.route == route])
    notes: list[Finding] = []
    if route != courses[-1].route:
        notes.append(
            _note("regimen.other_route_given", route=courses[-1].route, on=courses[-1].first.isoformat(), kept=route)
        )
    gaps = [float((b.first - a.first).days) for a, b in pairwise(own)]
    if not gaps:
        gap = _gap_before(record.before, own[0])
        if gap is None:
            facts: dict[str, Fact] = {"on": own[0].first.isoformat(), "grams": own[0].grams, "product": own[0].product}
            return (_note("regimen.single_course", **facts),)
        gaps = [gap]
        notes.append(_note("regimen.interval_from_before", interval=gap))
    interval = _interval(gaps, rules["gap_tolerance"], notes)
    since = (at - own[-1].first).days
    stale = rules["stale_after"]
    if since > stale.value * interval:
        facts = {"on": own[-1].first.isoformat(), "days": since, "interval": interval, "limit": stale.value}
        return (Finding("regimen.stale", facts, status=stale.status),)
    daily = _dose(own, notes)
    per_week = sum(daily) / interval * WEEK
    given = sorted({i.grams for i in record.infusions if i.product == own[-1].product})
    return InForce(
        product=own[-1].product,
        route=route,
        daily=daily,
        interval_days=interval,
        last=own[-1].first,
        length=_length(record.infusions, route),
        given=tuple(given),
        courses=len(courses),
        held=_held(own, gaps, rules["gap_tolerance"].value, record.before),
        findings=tuple(notes),
        earlier=_earlier(courses, own, interval, per_week, rules["gap_tolerance"].value, record.before),
        used_to=used_to([*(c.daily for c in own[:-1]), daily]),
    )


def used_to(courses: Sequence[Sequence[float]]) -> float:
    """Most grams in one infusion day that a person is used to [g].

    A larger course is often spread over more days than the one before, and then each day has less. What the person had in
    a day before still counts: else each small step up would add a day. It counts no more once a course that was not larger
    took more days, for then somebody spread it on purpose.

    Parameters
    ----------
    courses : grams of each infusion day of each course [g], oldest first; at least one
    """
    most = max(courses[-1])
    for index in range(len(courses) - 2, -1, -1):
        grams, days = sum(courses[index]), len(courses[index])
        if any(sum(later) <= grams and len(later) > days for later in courses[index + 1 :]):
            break
        most = max(most, *courses[index])
    return most


def dose_days(record: Record, composite: Composite) -> tuple[tuple[float, Infusion], ...]:
    """Every recorded dose with its day on the posterior's time axis [d from its origin], in order."""
    if not record.infusions:
        return ()
    clock = Clock(record, composite)
    timed = [(clock.day(infusion.start, hour=clock.infused), infusion) for infusion in record.infusions]
    return tuple(sorted(timed, key=lambda one: one[0]))


def planned(
    daily: Sequence[float], interval: float, route: str, *, first: float, until: float, length: float | None
) -> FutureDoses:
    """Doses of a course repeated every `interval` days from day `first` on, as long as a course begins before `until`.

    Infusion days follow each other; skin doses are spread evenly over the interval. Without a known length the dose is
    given at once, which strength, lagging by days, cannot tell from hours.
    """
    offsets = [float(day) if route == INTRAVENOUS else day * interval / len(daily) for day in range(len(daily))]
    courses = np.arange(first, until, interval)
    starts = (courses[:, None] + np.array(offsets)).ravel()
    grams = np.tile(np.array(daily, dtype=np.float64), courses.size)
    return FutureDoses.of(starts, grams, length=length or 0.0, route=route)


def _note(name: str, **facts: Fact) -> Finding:
    return Finding(name, facts)


def _when(infusion: Infusion) -> tuple[date, str]:
    # Dates and aware times cannot be compared directly; within a day the written time orders well enough.
    return day_of(infusion.start), infusion.start.isoformat()


def _together(bundle: Sequence[Infusion], infusion: Infusion, gap: float, span: float) -> bool:
    first, previous = bundle[0], bundle[-1]
    if first.course is not None or infusion.course is not None:
        return first.course == infusion.course
    if day_of(previous.start) == day_of(infusion.start) and previous.route == infusion.route:
        return True
    if infusion.route != INTRAVENOUS or previous.route != INTRAVENOUS:
        return False
    pause = (day_of(infusion.start) - day_of(previous.start)).days
    return pause <= gap and (day_of(infusion.start) - day_of(first.start)).days < span


def _course(bundle: Sequence[Infusion]) -> Course:
    by_day: dict[date, float] = {}
    for infusion in bundle:
        day = day_of(infusion.start)
        by_day[day] = by_day.get(day, 0.0) + infusion.grams
    return Course(min(by_day), max(by_day), bundle[-1].product, bundle[-1].route, tuple(by_day.values()))


def _by_week(courses: Sequence[Course]) -> list[Course]:
    """Skin doses several times a week, bundled into weeks that end with the last dose; everything else as it is."""
    gaps = [(b.first - a.first).days for a, b in pairwise(courses)]
    if courses[-1].route == INTRAVENOUS or not gaps or median(gaps) >= WEEK - 1:
        return list(courses)
    end = courses[-1].last
    weeks: dict[int, list[Course]] = {}
    for course in courses:
        weeks.setdefault((end - course.first).days // WEEK, []).append(course)
    oldest = max(weeks)
    # The oldest week may have begun before the record did: it counts only if it is the only one.
    return [
        Course(end - timedelta(days=WEEK * (back + 1) - 1), week[-1].last, week[-1].product, week[-1].route,
               tuple(c.grams for c in week))
        for back, week in sorted(weeks.items(), reverse=True)
        if back < oldest or len(weeks) == 1
    ]  # fmt: skip


def _leading_route(courses: Sequence[Course], stale: float) -> str:
    """The route of the last course, unless that is a single rescue beside another route that still runs."""
    last = courses[-1]
    if sum(c.route == last.route for c in courses) > 1:
        return last.route
    for route in dict.fromkeys(c.route for c in reversed(courses[:-1])):
        own = [c for c in courses if c.route == route]
        gaps = [(b.first - a.first).days for a, b in pairwise(own)]
        running = gaps and (last.first - own[-1].first).days <= stale * median(gaps[-MOST_GAPS:])
        # A single infusion among skin doses is a rescue; a first skin dose after infusions is a switch.
        if running and last.route == INTRAVENOUS and route != INTRAVENOUS:
            return route
    return last.route


def _interval(gaps: Sequence[float], tolerance: Number, notes: list[Finding]) -> float:
    newest = list(reversed(gaps))[:MOST_GAPS]
    allowed = max(2.0, tolerance.value * newest[0])
    agreeing = [newest[0]]
    for gap in newest[1:]:
        if abs(gap - newest[0]) > allowed:
            break
        agreeing.append(gap)
    if len(newest) == 1:
        notes.append(_note("regimen.interval_from_one_gap", interval=newest[0]))
        return newest[0]
    if len(agreeing) > 1:
        return float(median(agreeing))
    middle = float(median(newest))
    facts = {"shortest": min(newest), "longest": max(newest), "last": newest[0], "taken": middle, "n": len(newest)}
    notes.append(_note("regimen.irregular", **facts))
    return middle


def _dose(own: Sequence[Course], notes: list[Finding]) -> tuple[float, ...]:
    last, earlier = own[-1], own[-MOST_GAPS:-1]
    if not earlier:
        return last.daily
    usual = float(median(c.grams for c in earlier))
    if last.grams < usual / 2:  # less than half: an infusion that was stopped, not a new dose
        whole = min(earlier, key=lambda c: (abs(c.grams - usual), -c.first.toordinal()))
        notes.append(_note("regimen.last_course_cut_short", grams=last.grams, usual=usual, taken=whole.grams))
        return whole.daily
    if last.grams != earlier[-1].grams and last.grams != usual:
        notes.append(_note("regimen.dose_just_changed", grams=last.grams, before=earlier[-1].grams))
    return last.daily


def _held(own: Sequence[Course], gaps: Sequence[float], tolerance: float, before: Before) -> int:
    """Full cycles that dose and interval have been what they are."""
    cycles = 0
    for course, gap in zip(reversed(own[:-1]), reversed(gaps), strict=False):
        same_dose = abs(course.grams - own[-1].grams) <= tolerance * own[-1].grams
        if not same_dose or abs(gap - gaps[-1]) > max(2.0, tolerance * gaps[-1]):
            return cycles
        cycles += 1
    return cycles + (BEFORE_HELD if before.kind == "regimen" else 0)


def _earlier(
    courses: Sequence[Course],
    own: Sequence[Course],
    interval: float,
    per_week: float,
    tolerance: float,
    before: Before,
) -> Earlier | None:
    """The latest run of at least two like courses with more grams per week than now; else what the record begins with."""
    others = [c for c in courses if c.route != own[-1].route and c.first < own[-1].first]
    line = sorted([*others, *own], key=lambda c: c.first)
    gaps = [*(float((b.first - a.first).days) for a, b in pairwise(line)), interval]
    runs: list[list[tuple[Course, float]]] = []
    for course, gap in zip(line, gaps, strict=True):
        first = runs[-1][0] if runs else None
        if first is not None and _alike(first, (course, gap), tolerance):
            runs[-1].append((course, gap))
        else:
            runs.append([(course, gap)])
    for run in reversed(runs[:-1]):
        last = run[-1][0]
        found = Earlier(last.product, last.route, last.daily, float(median(gap for _, gap in run)))
        if len(run) > 1 and found.interval_days >= WEEK and found.grams_per_week > (1.0 + tolerance) * per_week:
            return found
    product, grams, every, route = before.product, before.grams, before.interval_days, before.route
    if before.kind == "regimen" and product and grams and every and route:
        told = Earlier(product, route, (grams,), every)
        if told.grams_per_week > (1.0 + tolerance) * per_week:
            return told
    return None


def _alike(a: tuple[Course, float], b: tuple[Course, float], tolerance: float) -> bool:
    same_gap = abs(a[1] - b[1]) <= max(2.0, tolerance * a[1])
    return a[0].route == b[0].route and same_gap and abs(a[0].grams - b[0].grams) <= tolerance * a[0].grams


def _gap_before(before: Before, first: Course) -> float | None:
    """The gap between what was given before the record and its first course, where both are of one route."""
    if before.kind != "regimen" or before.route not in (None, first.route):
        return None
    if before.last is not None and before.last < first.first:
        return float((first.first - before.last).days)
    return before.interval_days


def _from_before(before: Before, knowledge: Knowledge, at: date) -> InForce | tuple[Finding, ...]:
    if before.kind == "none":
        return (Finding("regimen.never_treated"),)
    if before.kind != "regimen":
        return (Finding("regimen.past_unknown"),)
    product, grams, interval, route, last = (
        before.product,
        before.grams,
        before.interval_days,
        before.route,
        before.last,
    )
    if product is None or grams is None or interval is None or route is None or last is None:
        told = {"product": product, "grams": grams, "interval": interval, "route": route, "last": last}
        missing = ", ".join(name for name, value in told.items() if value is None)
        return (_note("regimen.before_incomplete", missing=missing),)
    stale = knowledge.monitoring["stale_after"]
    since = (at - last).days
    if since > stale.value * interval:
        facts: dict[str, Fact] = {"on": last.isoformat(), "days": since, "interval": interval, "limit": stale.value}
        return (Finding("regimen.stale", facts, status=stale.status),)
    said = (_note("regimen.from_before_the_record", grams=grams, interval=interval),)
    return InForce(product, route, (grams,), float(interval), last, None, (grams,), 0, BEFORE_HELD, said)


def _length(infusions: Sequence[Infusion], route: str) -> float | None:
    lengths = [
        (i.stop - i.start).total_seconds() / 86400.0
        for i in infusions
        if i.route == route and i.stop is not None and isinstance(i.start, datetime)
    ]
    return float(median(lengths)) if lengths else None
