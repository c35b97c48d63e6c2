"""Has strength changed? A chart on each hand's own values: wearing-off, a fall on all days, or noise.

The chart needs no fit and takes milliseconds, so that a list of thousands can be kept every night. It asks two questions of the
series itself. Does strength depend on the time since the infusion, by more than counts (the model's shape of a cycle against
none)? Has the level fallen on all days of the cycle? Persistence, noise and learning are estimated for each person and device.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ranvier.estimation.courses import INTRAVENOUS, Course, InForce, courses_of, planned
from ranvier.estimation.history import FORCES, Clock
from ranvier.estimation.nouns import Draws, FloatArray
from ranvier.estimation.predict import cycle
from ranvier.evidence.nouns import Knowledge, Number
from ranvier.ground.findings import Fact, Finding
from ranvier.monitoring import kernels as C
from ranvier.monitoring.nouns import Alarm, Cause, Change, Charted, Noise, Trend
from ranvier.record.nouns import Event, Record, StrengthSeries
from ranvier.record.until import day_of

Facts = dict[str, Fact]
Rules = Mapping[str, Number]
HALF_DAY = 0.5  # [d], grid of the shape of a cycle
BEYOND = 84.0  # [d], how far the shape is followed when the next course does not come
SMALL_SWING = 0.01  # a typical swing below this has no shape: weekly doses under the skin
GRID = np.linspace(0.02, 0.86, 15)  # persistence
Z90 = 1.645
CYCLIC = 0.2  # part of a swing that the values must have gone through before anything is said about it
LEARNT = 6  # times the sessions of learning: beyond them the level says nothing about it
ASKED = ("cold", "illness", "pain", "injury", "training", "device_change")
"""Causes that only a person can tell; the others can be read from the record as well."""


@dataclass(frozen=True, slots=True)
class Values:
    """One series ready for the chart.

    day n [d from its first value]; dates n; log n; since n: days since the course before, NaN where there is none;
    cycle n: number of that course; vein n: whether it was given into a vein
    """

    series: StrengthSeries
    day: FloatArray
    dates: tuple[date, ...]
    log: FloatArray
    since: FloatArray
    cycle: npt.NDArray[np.int64]
    vein: npt.NDArray[np.bool_]


def attend(
    record: Record, current: InForce | tuple[Finding, ...], knowledge: Knowledge, *, at: date, causes: bool = True
) -> Change:
    """What the chart says on `at` from the facts up to then. Expects a record without later facts.

    current : the regimen in force, or why none can be read; then nothing is said about a cycle
    """
    rules = knowledge.monitoring
    courses = courses_of(record, rules)
    in_force = current if isinstance(current, InForce) else None
    shape = _reference_shape(in_force, courses, knowledge)
    series = [_charted(v, shape, record, knowledge, at) for v in _values(record, courses, knowledge, at)]
    silent = None if not series else min((at - one.last).days for one in series)
    falls = [one.active for one in series if one.active is not None]
    decline = max(falls, key=lambda alarm: (not alarm.answered, alarm.statistic), default=None)
    off = [one for one in series if one.p_wearing_off >= rules["chart_wearing_off"].value]
    if decline is not None:
        verdict = "decline"
    elif off:
        verdict = "wearing_off"
    else:
        verdict = "noise" if series else "not_enough"
    found = () if verdict in ("noise", "not_enough") or not causes else _causes(record, courses, decline, rules, at)
    change = Change(verdict, bool(off), decline, tuple(series), found, silent)
    return replace(change, findings=_findings(change, off, in_force, rules))


def with_trend(change: Change, trend: Trend, findings: Sequence[Finding], rules: Rules) -> Change:
    """The same with what the fit says of the slow trend: a chart sees falls of weeks, the fit a decline over a year."""
    known = not any(b.name == "trend.mostly_prior" for f in findings for b in f.walk())
    slow = known and trend.p_decline >= rules["wearing_off_likely"].value
    if not slow or change.decline is not None:
        return replace(change, slow=slow)
    facts: Facts = {"per_year": trend.per_year, "probability": trend.p_decline}
    said = Finding("change.slow_decline", facts, status=rules["wearing_off_likely"].status)
    kept = tuple(f for f in change.findings if f.name != "change.noise")
    return replace(change, verdict="decline", slow=True, findings=(said, *kept))


# ------------------------------------------------------------------------------------------- values


def _values(record: Record, courses: Sequence[Course], knowledge: Knowledge, at: date) -> list[Values]:
    """The series that can be charted: forces, long enough, the fullest of the last year first."""
    rules = knowledge.monitoring
    if not any(series.values for series in record.strength):
        return []
    clock = Clock(record, knowledge.composite)
    least = int(rules["chart_before"].value + rules["chart_after"].value)
    first = at - timedelta(days=rules["chart_reference"].value)
    starts = np.array([clock.day(course.first, hour=clock.infused) for course in courses])
    vein = np.array([course.route == INTRAVENOUS for course in courses])
    # Strength climbs over the first courses of a life: no level has been reached from which it could fall.
    begun = int(rules["chart_begins"].value) if record.before.kind == "none" and starts.size else 0
    found = []
    for series in record.strength:
        if series.measure not in FORCES:
            continue
        kept = [v for v in series.values if v.value > 0 and not v.below and clock.date_of(v.at) <= at]
        if len(kept) < least:
            continue
        day = np.array([clock.day(v.at, hour=clock.measured) for v in kept])
        number = np.searchsorted(starts, day, side="right") - 1
        since = np.where(number >= 0, day - starts[np.maximum(number, 0)], np.nan) if starts.size else day * np.nan
        used = np.ones(day.size, dtype=np.bool_) if not starts.size else number >= begun
        if used.sum() < least:
            continue
        dates = tuple(d for d, u in zip((clock.date_of(v.at) for v in kept), used, strict=True) if u)
        log = np.log(np.array([v.value for v in kept]))[used]
        given = vein[np.maximum(number, 0)][used] if starts.size else np.zeros(log.size, dtype=np.bool_)
        own = Values(series, (day - day[0])[used], dates, log, since[used], number[used].astype(np.int64), given)
        found.append((sum(d >= first for d in dates), own))
    found.sort(key=lambda one: (-one[0], one[1].series.id))
    return [own for n, own in found[: int(rules["chart_series"].value)] if n >= least]


@lru_cache(maxsize=512)
def _typical_shape(
    kinetics: tuple[float, ...],
    kout: float,
    c50: float,
    imax: float,
    daily: tuple[float, ...],
    interval: float,
    route: str,
) -> tuple[float, ...] | None:
    """Log strength by half day of the typical person's steady cycle, 0 at the peak and -1 at the end of the interval.

    kinetics : rate of loss [1/d], volume [L], rate of absorption [1/d], part absorbed by SC and by fSCIg
    """
    rate, volume, ka, *available = kinetics
    coefficient = np.zeros((1, 3, 3))
    coefficient[0, 0, 0] = 1.0 / volume
    for channel, part in enumerate(available, start=1):
        given = part * ka / (volume * (ka - rate))
        coefficient[0, channel, 0], coefficient[0, channel, 1] = given, -given
    one, zero = np.ones(1), np.zeros(1)
    draws = Draws(
        rate=np.array([[rate, ka, 0.0]]),
        coefficient=coefficient,
        modes=np.zeros((1, 3)),
        c50=c50 * one,
        kout=kout * one,
        decline=zero,
        imax=np.array([[imax]]),
        level=np.ones((1, 1)),
        relative=np.ones((1, 1)),
        sd=np.ones((1, 1)),
        add=np.zeros((1, 1)),
        persistence=np.zeros((1, 1)),
        endogenous=zero,
        responds=np.ones(1, dtype=np.bool_),
        population=np.zeros(1, dtype=np.int64),
    )
    days = np.arange(0.0, interval + BEYOND, HALF_DAY)
    doses = planned(daily, interval, route, first=0.0, until=interval, length=None)
    log = np.log(cycle(draws, doses, interval, days).capacity[0, 0])
    inside = int(interval / HALF_DAY) + 1
    peak, end = float(log[:inside].max()), float(log[inside - 1])
    if peak - end < SMALL_SWING:
        return None
    return tuple((log - peak) / (peak - end))


def shape_of(current: InForce, knowledge: Knowledge) -> FloatArray | None:
    """Shape of a cycle by half day, from the typical person of knowledge/populations; None where there is hardly any swing."""
    composite = knowledge.composite
    one = next((p for p in composite.kinetics if p.structure == "one_compartment"), None)
    if one is None:
        return None
    p = composite.parameters
    daily = tuple(round(grams / 5.0) * 5.0 or 5.0 for grams in current.daily)  # the shape hardly depends on the grams
    names = ("elimination_rate", "central_volume", "absorption_rate", "bioavailability_sc", "bioavailability_fsc")
    found = _typical_shape(
        tuple(one.parameters[name].typical.value for name in names),
        p["kout"].typical.value,
        p["c50"].typical.value,
        p["imax"].typical.value,
        daily,
        float(max(round(current.interval_days), 1)),
        current.route,
    )
    return None if found is None else np.array(found)


def _ends(shape: FloatArray) -> int:
    """How many half days of a shape belong to its interval: up to the first -1 after the peak."""
    after = int(np.argmax(shape)) + int(np.argmax(shape[int(np.argmax(shape)) :] <= -1.0 + 1e-9))
    return after + 1


def _reference_shape(current: InForce | None, courses: Sequence[Course], knowledge: Knowledge) -> FloatArray | None:
    """The shape of a cycle that all values are held against: that of the regimen in force, if it goes into a vein.

    Else that of the last courses that did. A common shape in days keeps a shorter interval comparable with a longer one.
    """
    if current is not None and current.route == INTRAVENOUS:
        return shape_of(current, knowledge)
    own = [c for c in courses if c.route == INTRAVENOUS]
    gaps = [(b.first - a.first).days for a, b in pairwise(own)]
    if not gaps or current is None:
        return None
    last = own[-1]
    then = replace(
        current, product=last.product, route=INTRAVENOUS, daily=last.daily, interval_days=float(np.median(gaps[-6:]))
    )
    return shape_of(then, knowledge)


# ------------------------------------------------------------------------------------------- the chart


def followed(
    day: FloatArray,
    log: FloatArray,
    shape: FloatArray,
    cycle_number: npt.NDArray[np.int64],
    knowledge: Knowledge,
    *,
    sessions: FloatArray | None = None,
) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """The state of the chart after each value, and where an alarm was raised (see `kernels.follow`).

    Parameters
    ----------
    day : increasing [d]; log : natural logarithm of strength; shape : 0 at the peak of a cycle, -1 at its end; n each
    cycle_number : of the course before each value, n
    sessions : number of the session on this device; left out, the values are the first ones, in order
    """
    rules, p = knowledge.monitoring, knowledge.composite.parameters
    number = np.arange(float(log.size)) if sessions is None else sessions
    columns = np.column_stack([np.ones_like(log), shape, -np.exp(-number / rules["chart_learning_sessions"].value)])
    spread_sd = p["session_sd"].spread
    spread_phi = p["persistence"].spread
    sd, phi = p["session_sd"].typical.value, p["persistence"].typical.value
    worth = 0.5 / (0.3 if spread_sd is None else spread_sd.value) ** 2
    width = 0.8 if spread_phi is None else spread_phi.value
    prior = -0.5 * ((np.log(GRID / (1 - GRID)) - math.log(phi / (1 - phi))) / width) ** 2
    state, raised = np.empty((log.size, 10)), np.zeros(log.size, dtype=np.int64)
    scale = np.array([np.inf, rules["chart_swing_spread"].value, rules["chart_learning_spread"].value])
    C.follow(
        np.ascontiguousarray(day, dtype=np.float64),
        np.ascontiguousarray(log),
        np.ascontiguousarray(columns),
        cycle_number,
        scale,
        GRID,
        prior,
        sd,
        worth,
        _numbers(rules),
        state,
        raised,
    )
    return state, raised


def _numbers(rules: Rules) -> FloatArray:
    names = ("threshold", "before", "after", "window", "reference", "guard", "clip")
    numbers = [rules[f"chart_{name}"].value for name in names]
    numbers += [-math.log1p(-rules["swing"].value), rules["chart_cycles"].value]
    numbers += [rules[f"chart_{name}"].value for name in ("caution", "release", "settle", "recovered")]
    return np.array(numbers)


def _charted(values: Values, shape: FloatArray | None, record: Record, knowledge: Knowledge, at: date) -> Charted:
    rules = knowledge.monitoring
    column = np.zeros(values.log.size)
    if shape is not None and np.isfinite(values.since).all():
        places = np.arange(shape.size) * HALF_DAY
        # Doses under the skin keep strength even: about where it is in the middle of a cycle.
        column = np.where(values.vein, np.interp(values.since, places, shape), float(np.mean(shape[: _ends(shape)])))
    state, raised = followed(values.day, values.log, column, values.cycle, knowledge)
    alarms = tuple(_alarm(int(i), values, state, raised, record) for i in np.flatnonzero(raised == C.FALL))
    risen = [values.dates[i] for i in np.flatnonzero(raised == C.RISE)]
    last = state[-1]
    active = None
    if alarms:
        newest = alarms[-1]
        back = newest.withdrawn is not None or any(day > newest.raised for day in risen)
        if not back and (at - newest.raised).days <= rules["chart_stands"].value:
            active = newest
    cyclic = bool(np.ptp(column[int(state[-1, 9]) :]) > CYCLIC)
    swing = -math.expm1(-last[4]) if cyclic else None
    sure = rules["chart_wearing_off"].value
    first = np.flatnonzero(state[:, 6] >= sure)
    series = values.series
    return Charted(
        series=series.id,
        measure=series.measure,
        side=series.side,
        device=series.device,
        unit=series.unit,
        n=values.log.size,
        last=values.dates[-1],
        noise=_noise(values, column, state, knowledge),
        swing=swing,
        swing_se=None if swing is None else float(last[5] * (1.0 - swing)),
        p_wearing_off=float(last[6]) if cyclic else 0.0,
        cycles=int(values.cycle[-1] - values.cycle[int(last[9])]),
        depends=_depends(last[4], last[5], rules["chart_swing_spread"].value) if cyclic else None,
        alarms=alarms,
        active=active,
        first_wearing_off=values.dates[int(first[0])] if cyclic and first.size else None,
    )


def _alarm(i: int, values: Values, state: FloatArray, raised: npt.NDArray[np.int64], record: Record) -> Alarm:
    """The alarm raised at value i, with its size as last seen before it settled or was taken back."""
    ends = [j for j in range(i + 1, raised.size) if raised[j] in (C.BACK, C.SETTLED)]
    end = ends[0] if ends else raised.size - 1
    withdrawn = values.dates[end] if ends and raised[end] == C.BACK else None
    seen = i if withdrawn is not None else end
    size, se = state[seen, 2], state[seen, 3]
    fall, low, high = (-math.expm1(v) for v in (size, size + Z90 * se, size - Z90 * se))
    day = values.dates[i]
    answered = any(d.situation == "decline" and d.on >= day for d in record.decisions)
    since = values.dates[int(state[seen, 1])]
    return Alarm(values.series.id, day, since, fall, low, high, float(state[seen, 0]), answered, withdrawn)


def _noise(values: Values, column: FloatArray, state: FloatArray, knowledge: Knowledge) -> Noise:
    """Persistence and SD as last estimated; learning from all values of the series, for it is over after its first weeks."""
    rules = knowledge.monitoring
    phi, sd = float(state[-1, 7]) or float(GRID[0]), float(state[-1, 8])
    z = np.column_stack(
        [
            np.ones_like(column),
            column,
            -np.exp(-np.arange(column.size) / rules["chart_learning_sessions"].value),
        ]
    )
    scale = np.array([np.inf, rules["chart_swing_spread"].value, rules["chart_learning_spread"].value])
    beta, cover = np.zeros(3), np.zeros((3, 3))
    few = min(column.size, int(LEARNT * rules["chart_learning_sessions"].value))
    C.fitted(values.day[:few], values.log[:few], z[:few], 0, few, phi, (sd / scale) ** 2, beta, cover)
    return Noise(sd, phi, -math.expm1(-float(beta[2])), sd * math.sqrt(max(cover[2, 2], 0.0)))


def _depends(swing: float, error: float, spread: float) -> float:
    """log10 of the Bayes factor for a swing (positive, half-normal before measuring) against none, by Savage and Dickey."""
    if error <= 0:
        return 0.0
    # The fit's prior is the normal one; what is positive of it before and after is a half and P(swing > 0).
    positive = max(0.5 * math.erfc(-swing / (error * math.sqrt(2.0))), 1e-300)
    before = math.log(2.0) - math.log(spread)
    after = -0.5 * (swing / error) ** 2 - math.log(error) - math.log(positive)
    return (before - after) / math.log(10.0)


# ------------------------------------------------------------------------------------------- what else it could be


def _causes(
    record: Record, courses: Sequence[Course], decline: Alarm | None, rules: Rules, at: date
) -> tuple[Cause, ...]:
    """Everything that could explain a change, as recorded, as excluded, or still to be asked."""
    gap = timedelta(days=rules["chart_causes_before"].value)
    from_ = (decline.since if decline is not None else at - timedelta(days=rules["chart_window"].value)) - gap
    near = [e for e in record.events if (e.until or e.on) >= from_]
    found = [*_read(record, courses, from_, rules, at)]
    told = {cause.what for cause in found}
    for what in (*ASKED, "missed_infusion", "product_switch", "pregnancy", "operation", "wearing_off_felt"):
        own = [e for e in near if e.what == what]
        happened = [e for e in own if e.happened]
        if happened:
            found += [Cause(what, "recorded", e.on, e.note) for e in happened]
        elif own:
            found.append(_excluded(what, own))
        elif what in ASKED and what not in told:
            found.append(Cause(what, "ask"))
    order = {"recorded": 0, "ask": 1, "excluded": 2}
    return tuple(sorted(found, key=lambda c: order[c.state]))


def _excluded(what: str, events: Sequence[Event]) -> Cause:
    return Cause(what, "excluded", events[-1].on, events[-1].note)


def _read(record: Record, courses: Sequence[Course], from_: date, rules: Rules, at: date) -> list[Cause]:
    """Causes that infusions and series show by themselves."""
    found = []
    gaps = [(b.first - a.first).days for a, b in pairwise(courses)]
    usual = float(np.median(gaps[-6:])) if gaps else None
    late = max(3.0, rules["gap_tolerance"].value * (usual or 0.0))
    if usual is not None:
        for (_, b), gap in zip(pairwise(courses), gaps, strict=True):
            if b.first >= from_ and gap > usual + late:
                found.append(Cause("late_infusion", "recorded", b.first, f"{gap} / {usual:g}"))
        overdue = (at - courses[-1].first).days
        if overdue > usual + late:
            found.append(Cause("missed_infusion", "recorded", courses[-1].first, f"{overdue} / {usual:g}"))
    for a, b in pairwise(courses):
        if b.first >= from_ and a.product.casefold() != b.product.casefold():
            found.append(Cause("product_switch", "recorded", b.first, f"{a.product} → {b.product}"))
        if b.first >= from_ and b.grams < a.grams * (1.0 - rules["same_weekly_grams"].value):
            found.append(Cause("dose_reduced", "recorded", b.first, f"{a.grams:g} → {b.grams:g} g"))
    for series in record.strength:
        others = [
            s for s in record.strength if (s.measure, s.side) == (series.measure, series.side) and s is not series
        ]
        begins = None if not series.values else day_of(series.values[0].at)
        if begins is not None and begins >= from_ and any(s.values and day_of(s.values[0].at) < begins for s in others):
            found.append(Cause("device_change", "recorded", begins, series.device))
    return found


# ------------------------------------------------------------------------------------------- what is said


def _findings(change: Change, off: Sequence[Charted], current: InForce | None, rules: Rules) -> tuple[Finding, ...]:
    noise = tuple(finding for one in change.series for finding in _of_noise(one))
    causes = tuple(_of_cause(cause) for cause in change.causes)
    found: list[Finding] = []
    if change.decline is not None:
        a = change.decline
        facts: Facts = {
            "measure": a.series,
            "fall": a.fall,
            "q05": a.q05,
            "q95": a.q95,
            "since": a.since.isoformat(),
            "raised": a.raised.isoformat(),
        }
        name = "change.decline_answered" if a.answered else "change.decline"
        found.append(Finding(name, facts, (*causes, *noise), status=rules["chart_threshold"].status))
    for one in off:
        facts = {
            "measure": one.series,
            "swing": one.swing,
            "probability": one.p_wearing_off,
            "cycles": one.cycles,
            "bound": rules["swing"].value,
            "interval": None if current is None else current.interval_days,
        }
        because = () if change.decline is not None else (*causes, *noise)
        found.append(Finding("change.wearing_off", facts, because, status=rules["chart_wearing_off"].status))
    if change.verdict == "noise":
        found.append(Finding("change.noise", {"n": len(change.series)}, noise))
    if change.verdict == "not_enough":
        least = rules["chart_before"].value + rules["chart_after"].value
        found.append(Finding("change.not_enough", {"needed": least}, status=rules["chart_before"].status))
    if change.silent is not None and change.silent > rules["diary_silent"].value:
        facts = {"days": change.silent, "bound": rules["diary_silent"].value}
        found.append(Finding("change.silent", facts, status=rules["diary_silent"].status))
    return tuple(found)


def _of_noise(one: Charted) -> tuple[Finding, ...]:
    facts: Facts = {"measure": one.series, "n": one.n, "sd": one.noise.sd, "persistence": one.noise.persistence}
    found: tuple[Finding, ...] = (Finding("change.own_noise", facts),)
    if one.noise.learning > 2.0 * one.noise.learning_se:
        found += (Finding("change.learning", {"measure": one.series, "learning": one.noise.learning}),)
    return found


def _of_cause(cause: Cause) -> Finding:
    on = None if cause.on is None else cause.on.isoformat()
    note = "_note" if cause.state == "recorded" and cause.note else ""
    return Finding(f"cause.{cause.state}{note}", {"cause": cause.what, "on": on, "note": cause.note})
