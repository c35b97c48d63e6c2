"""From virtual people and a policy to outcomes: doses, strength, what the clinic saw, what was ordered, what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ranvier.cohort import kernels as C
from ranvier.cohort.load import Book
from ranvier.cohort.nouns import OUTCOMES, IntArray, Order, Outcomes, People, Policy, Seen, none, per_week
from ranvier.cohort.people import LIFE, stream
from ranvier.estimation.kernels import YEAR
from ranvier.estimation.nouns import FloatArray
from ranvier.evidence.nouns import Composite, Knowledge
from ranvier.kinetics.disposition import CHANNEL
from ranvier.regimen.nouns import Regimen

HOURS = 24.0
SAME = 1e-3  # grams per week that differ by less are the same
HALF_VIAL = 2.5  # [g] by which a rounded dose may exceed the grams per kg that count as large
ROUTES = {code: route for route, code in CHANNEL.items()}
WEEK = 7
BLOCK = 28  # [d] in which it is asked whether strength touched the floor
GRID_GRAMS = (0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0)  # [g/kg] and
GRID_WEEKS = (2, 3, 4, 5, 6, 8)  # intervals of the constant regimens that regret is measured against


@dataclass(frozen=True, slots=True)
class Setting:
    """Where treatment happens, apart from the people: days, hours, habits. See knowledge/cohort/people.yaml.

    before, run_in, judged [d] : treated unseen; measured under the first regimen; under the policy
    pause [d] : from measurement to infusion; lasting [d] : of an infusion; every [d] : between grip values
    """

    before: int
    run_in: int
    judged: int
    decide_every: int
    interval: int
    product: str
    pause: float
    lasting: float
    every: int
    missing: float
    missing_run: float
    delay: float
    skipped: float
    igg_every: int
    igg_peak: float
    shock_tail: float
    devices: tuple[str, ...]
    wrong_part: float = 0.0
    wrong_error: float = 0.0

    @property
    def days(self) -> int:
        """All days."""
        return self.before + self.run_in + self.judged

    @property
    def courses(self) -> int:
        """More than anybody can have: every person has random numbers for so many."""
        return self.days // WEEK + WEEK

    @property
    def first_decision(self) -> int:
        """Index of the first judged day."""
        return self.before + self.run_in


def setting(
    book: Book, composite: Composite, *, years: float = 1.0, truth: str = "model", every: int | None = None
) -> Setting:
    """The usual setting: `years` judged, and infusions written down on wrong days where that is the truth."""
    c = composite.constants
    wrong = book.truths["wrong_day"] if truth == "wrong_day" else None
    return Setting(
        before=round(book["start.before"]),
        run_in=round(book["start.run_in"]),
        judged=max(round(years * YEAR), BLOCK),
        decide_every=round(book["start.decide_every"]),
        interval=round(book["start.interval"]),
        product=book.product,
        pause=(c["hour_of_infusion"].value - c["hour_of_measurement"].value) / HOURS,
        lasting=c["hours_of_infusion"].value / HOURS,
        every=every or round(book["living.every"]),
        missing=book["living.missing"],
        missing_run=book["living.missing_run"],
        delay=book["living.delay"],
        skipped=book["living.skipped"],
        igg_every=round(book["living.igg_every"]),
        igg_peak=book["living.igg_peak"],
        shock_tail=book["living.shock_tail"],
        devices=tuple(book.devices),
        wrong_part=wrong["part"] if wrong else 0.0,
        wrong_error=wrong["error"] if wrong else 0.0,
    )


class Lives:
    """n people living day by day: the doses they get, the strength that follows, and what is written down of both.

    Indices of days count from the beginning of all; the first recorded day has index `setting.before`. `position` n: the day
    to which each person has lived (their state is that of its measurement).
    """

    def __init__(self, people: People, setting: Setting, seed: int, composite: Composite, book: Book) -> None:
        n, days = people.n, setting.days + round(2 * HOURS)  # an infusion course may begin on the last day
        self.people, self.setting, self.composite = people, setting, composite
        self.grams = np.zeros((n, days))
        self.channel = np.zeros((n, days), dtype=np.int64)
        self.z, self.v, self.s = np.zeros((n, 3)), np.zeros((n, 2)), np.ones(n)
        self.relative, self.excess, self.peak = np.full((n, days), np.nan), np.full((n, days), np.nan), np.zeros(n)
        self.position = np.zeros(n, dtype=np.int64)
        self.delay, self.skip = np.empty((n, setting.courses)), np.empty((n, setting.courses), dtype=np.bool_)
        self.start = np.empty(n, dtype=np.int64)
        self.due, self.course = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)  # the next course, its number
        self.rng = [stream(seed, int(number), LIFE) for number in people.numbers]
        for i, rng in enumerate(self.rng):
            self.delay[i] = rng.standard_normal(setting.courses)
            self.skip[i] = rng.random(setting.courses) < setting.skipped
            self.start[i] = rng.integers(0, setting.interval)
        self.delay = np.round(np.clip(self.delay, -3.0, 3.0) * setting.delay)
        self.high_excess, self.large_day = book["judged.high_excess"], book["judged.large_day"]
        self.well = self._wellness()
        self._diary: _Diary | None = None

    def _wellness(self) -> FloatArray:
        """What weakness of another cause leaves of strength (n × D). Its first day was drawn as a part of the judged time."""
        dip, where = self.people.dip, self.setting
        well = np.ones(self.relative.shape)
        if not np.any(dip[:, 2] > 0):
            return well
        days = np.arange(well.shape[1])
        begins = where.first_decision + np.floor(dip[:, 0] * np.maximum(where.judged - dip[:, 1], 1.0))
        inside = (days >= begins[:, None]) & (days < (begins + dip[:, 1])[:, None])
        return np.asarray(np.where(inside, 1.0 - dip[:, 2][:, None], well))

    def live(self, first: int, last: int, until: int) -> None:
        """People first to last - 1 (all at one day) to the measurement of day `until`."""
        p, s = self.people, self.setting
        begin = int(self.position[first])
        C.live(
            p.kind, p.rate, p.coefficient, p.own, p.k0, p.c0, p.gamma, p.volume, p.c50, p.kout, p.slow, p.share, p.decline,
            p.imax, p.wave, self.grams, self.channel, s.pause, s.lasting, self.z, self.v, self.s, first, last, begin, until,
            self.relative, self.excess, self.peak,
        )  # fmt: skip
        self.position[first:last] = until

    def ahead(self, i: int, regimen: Regimen, days: int) -> FloatArray:
        """Underlying strength of person i on the next `days` days if this regimen began today [kg]; changes nothing."""
        p, s = self.people, self.setting
        grams, channel = np.zeros((1, days)), np.zeros((1, days), dtype=np.int64)
        if regimen.grams > 0:
            for day in range(0, days, regimen.interval_days):
                stop = min(day + regimen.days, days)
                grams[0, day:stop] = regimen.grams / regimen.days
                channel[0, day:stop] = CHANNEL[regimen.route]
        relative, excess = np.empty((1, days)), np.empty((1, days))
        one = slice(i, i + 1)
        wave = p.wave[one].copy()
        wave[0, 3] += self.position[i] / wave[0, 2] if wave[0, 2] > 0 else 0.0
        C.live(
            p.kind[one], p.rate[one], p.coefficient[one], p.own[one], p.k0[one], p.c0, p.gamma, p.volume[one], p.c50[one],
            p.kout[one], p.slow[one], p.share[one], p.decline[one], p.imax[one], wave, grams, channel, s.pause, s.lasting,
            self.z[one].copy(), self.v[one].copy(), self.s[one].copy(), 0, 1, 0, days, relative, excess, np.zeros(1),
        )  # fmt: skip
        return np.asarray(relative[0] * p.level[i])

    def give(self, i: int, day: int, regimen: Regimen) -> None:
        """A course of person i from index `day` on: equal parts on consecutive days."""
        stop = min(day + regimen.days, self.grams.shape[1])
        self.grams[i, day:stop] = regimen.grams / regimen.days
        self.channel[i, day:stop] = CHANNEL[regimen.route]

    def strength(self, begin: int, end: int) -> FloatArray:
        """Underlying strength by day, causes other than IgG included (n × days) [kg]."""
        return np.asarray(self.relative[:, begin:end] * self.people.level[:, None] * self.well[:, begin:end])

    @property
    def diary(self) -> _Diary:
        """What will be written down; made when it is first asked for."""
        if self._diary is None:
            self._diary = _Diary(self)
        return self._diary

    def written(self, i: int, begin: int, end: int) -> FloatArray:
        """Values of person i as read from the device; NaN where none was written down [kg]."""
        p, diary = self.people, self.diary
        true = self.relative[i, begin:end] * p.level[i] * self.well[i, begin:end]
        read = true * (1.0 + p.sd[i] * diary.error[i, begin:end]) * diary.reads[i, begin:end]
        read = np.maximum(np.round(read / p.resolution[i]) * p.resolution[i], 0.0)
        return np.where(diary.there[i, begin:end], read, np.nan)


class _Diary:
    """Errors and habits by person and day (n × D): drawn once, whatever is ordered."""

    def __init__(self, lives: Lives) -> None:
        p, s = lives.people, lives.setting
        shape, tail = lives.relative.shape, s.shock_tail
        days = np.arange(shape[1])
        self.error, self.there = np.empty(shape), np.empty(shape, dtype=np.bool_)
        self.igg_error, self.wrong = np.empty((p.n, s.courses, 2)), np.zeros((p.n, s.courses))
        self.draws_peak = np.empty(p.n, dtype=np.bool_)
        away = np.empty(shape[1], dtype=np.bool_)
        for i, rng in enumerate(lives.rng):
            shocks = rng.standard_t(tail, shape[1]) * np.sqrt((tail - 2.0) / tail)
            C.chained(shocks, p.persistence[i], self.error[i])
            C.gaps(rng.random(shape[1]), s.missing, s.missing_run, away)
            self.there[i] = ~away & ((days - s.before) % s.every == 0)
            self.igg_error[i] = rng.standard_normal((s.courses, 2))
            odd, by = rng.random(s.courses) < s.wrong_part, rng.standard_normal(s.courses)
            self.wrong[i] = np.where(odd, np.round(by * s.wrong_error), 0.0)
            self.draws_peak[i] = rng.random() < s.igg_peak
        breaks = s.first_decision + np.where(np.isfinite(p.reads_from), p.reads_from * s.judged, np.inf)
        self.reads = np.where(days >= breaks[:, None], p.reads[:, None], 1.0)


def simulate(
    people: People,
    policy: Policy,
    knowledge: Knowledge,
    book: Book,
    where: Setting,
    *,
    seed: int,
    series: bool = False,
    regret: bool = False,
) -> Outcomes:
    """What comes of these people under a policy.

    series : keep strength and IgG by day; regret : find each person's best constant regimen, knowing the truth
    """
    lives, floors, log = lived(people, policy, knowledge, book, where, seed=seed)
    found = outcomes(lives, floors, log, knowledge)
    table = dict(found)
    if regret:
        table["regret"] = found["loss"] - best_constant(people, knowledge, book, where, seed)
    now, end = where.first_decision, where.days
    kept = (lives.strength(now, end), lives.excess[:, now:end]) if series else (None, None)
    return Outcomes(where.judged, table, *kept)


def lived(
    people: People, policy: Policy, knowledge: Knowledge, book: Book, where: Setting, *, seed: int
) -> tuple[Lives, FloatArray, list[Log]]:
    """Everybody's life under the policy to the end: lives, floors [kg], what was ordered."""
    lives, floors, first = begin(people, knowledge, book, where, seed)
    if policy.steady:
        return lives, floors, _steadily(lives, policy, floors, first, book)
    logs = [_one_by_one(lives, policy, i, float(floors[i]), first[i], book) for i in range(people.n)]
    return lives, floors, logs


@dataclass(slots=True)
class Log:
    """What was ordered for one person: changes, and how the truth judged them."""

    orders: int = 0
    changes: int = 0
    false_up: int = 0
    false_down: int = 0
    abstained: int = 0


def begin(
    people: People, knowledge: Knowledge, book: Book, where: Setting, seed: int
) -> tuple[Lives, FloatArray, list[Regimen]]:
    """Everybody on the first regimen, lived up to the first decision: lives, floors [kg], the first regimens."""
    lives = Lives(people, where, seed, knowledge.composite, book)
    first = first_regimens(people, where, book)
    for i, regimen in enumerate(first):
        day, k = _actual(lives, i, float(lives.start[i]), 0, -1), 0
        while day < where.first_decision:
            if not lives.skip[i, k]:
                lives.give(i, day, regimen)
            day, k = _actual(lives, i, float(day + regimen.interval_days), k + 1, day), k + 1
        lives.due[i], lives.course[i] = day, k
    lives.live(0, people.n, where.first_decision)
    return lives, _floors(lives, book), first


def first_regimens(people: People, where: Setting, book: Book) -> list[Regimen]:
    """The regimen each person comes with: the label's maintenance dose in whole vials."""
    return [Regimen(where.product, "IV", float(g), (), 1, where.interval) for g in people.grams]


def _floors(lives: Lives, book: Book) -> FloatArray:
    """A little below untreated strength plus half of the mean gain of the run-in."""
    where, p = lives.setting, lives.people
    mean = p.level * lives.relative[:, where.before : where.first_decision].mean(axis=1)
    usual = p.level + book["floor.share"] * (mean - p.level)
    return np.asarray((1.0 - book["floor.slack"]) * usual)


def _steadily(lives: Lives, policy: Policy, floors: FloatArray, first: Sequence[Regimen], book: Book) -> list[Log]:
    """A policy that always orders what it ordered first: asked once, at the first course after the run-in."""
    where, n = lives.setting, lives.people.n
    logs = []
    for i in range(n):
        day, k, log = int(lives.due[i]), int(lives.course[i]), Log(orders=1)
        order = policy.decide(seen(lives, i, floors[i], day, first[i], first[i], ()), float(day - where.before))
        _count(lives, i, floors[i], first[i], order, log, book, at=day)
        regimen = order.regimen
        while day < where.days:
            if regimen.grams > 0 and not lives.skip[i, k]:
                lives.give(i, day, regimen)
            day, k = _actual(lives, i, float(day + regimen.interval_days), k + 1, day), k + 1
        logs.append(log)
    _together(lives, where.days)
    return logs


def _actual(lives: Lives, i: int, due: float, k: int, previous: int) -> int:
    """The day of course k, which is due on a day but may be early or late; never before the last one."""
    return max(int(due + lives.delay[i, min(k, lives.setting.courses - 1)]), previous + 1, 0)


def _one_by_one(lives: Lives, policy: Policy, i: int, floor: float, first: Regimen, book: Book) -> Log:
    """One person from decision to decision."""
    where, log = lives.setting, Log()
    day, k = int(lives.due[i]), int(lives.course[i])
    regimen, asked = first, day
    orders: list[tuple[float, Order]] = []
    while day < where.days:
        if day - asked >= where.decide_every or not orders:
            lives.live(i, i + 1, day)
            view = seen(lives, i, floor, day, regimen, first, tuple(orders))
            order = policy.decide(view, view.day)
            log.orders += 1
            log.abstained += order.abstains
            _count(lives, i, floor, regimen, order, log, book, at=day)
            orders.append((view.day, order))
            regimen, asked = order.regimen, day
        if regimen.grams > 0 and not lives.skip[i, min(k, where.courses - 1)]:
            lives.give(i, day, regimen)
        day, k = _actual(lives, i, float(day + regimen.interval_days), k + 1, day), k + 1
    lives.live(i, i + 1, where.days)
    return log


def _count(lives: Lives, i: int, floor: float, old: Regimen, order: Order, log: Log, book: Book, *, at: int) -> None:
    """Count a change, and whether the truth of the next weeks bears it out."""
    new = order.regimen
    if old.grams == new.grams and (old.grams == 0 or (old.interval_days, old.route) == (new.interval_days, new.route)):
        return
    log.changes += 1
    if lives.position[i] != at:
        lives.live(i, i + 1, at)
    days, matters = round(book["judged.ahead"]), book["judged.days_matter"]
    now = float(np.mean(lives.ahead(i, old, days) < floor))
    then = float(np.mean(lives.ahead(i, new, days) < floor))
    if per_week(new) > (1.0 + SAME) * per_week(old):
        log.false_up += now - then < matters
    else:
        log.false_down += then - now >= matters


def seen(
    lives: Lives,
    i: int,
    floor: float,
    day: int,
    in_force: Regimen,
    before: Regimen,
    orders: tuple[tuple[float, Order], ...],
) -> Seen:
    """What the clinic knows of person i in the morning of index `day`."""
    where, p, diary = lives.setting, lives.people, lives.diary
    given = np.flatnonzero(lives.grams[i, where.before : day] > 0) + where.before
    starts = given[np.flatnonzero(np.diff(given, prepend=-WEEK) > 1)]
    number = np.searchsorted(starts, given, side="right") - 1
    written = np.clip(given + diary.wrong[i, number], where.before, day)
    known = min(int(lives.position[i]), day)  # the value of this very morning is written down once the day has begun
    strength = lives.written(i, where.before, known + 1) if known >= where.before else np.empty(0)
    there = np.flatnonzero(~np.isnan(strength))
    igg_days, igg = _levels(lives, i, starts, day)
    return Seen(
        number=int(p.numbers[i]),
        man=bool(p.men[i]),
        age=float(p.age[i]),
        height=float(p.height[i]),
        weight=float(p.weight[i]),
        lean=float(p.lean[i]),
        device=where.devices[int(p.device[i])],
        resolution=float(p.resolution[i]),
        floor=floor,
        day=float(day - where.before),
        dose_days=np.sort(written).astype(np.float64) - where.before,
        grams=lives.grams[i, given],
        routes=tuple(ROUTES[int(c)] for c in lives.channel[i, given]),
        strength_days=there.astype(np.float64),
        strength=strength[there],
        igg_days=igg_days,
        igg=igg,
        in_force=in_force,
        before=before,
        orders=orders,
    )


def _levels(lives: Lives, i: int, starts: IntArray, day: int) -> tuple[FloatArray, FloatArray]:
    """IgG drawn so far: before every few courses, and in some people once, two days after the first recorded infusion."""
    where, p, diary, c = lives.setting, lives.people, lives.diary, lives.composite.constants
    numbers = np.arange(0, starts.size, where.igg_every)
    at, error = starts[numbers], diary.igg_error[i, numbers, 0]
    if diary.draws_peak[i] and starts.size and starts[0] + 2 < day:
        at, error = np.append(at, starts[0] + 2), np.append(error, diary.igg_error[i, 0, 1])
        order = np.argsort(at, kind="stable")
        at, error = at[order], error[order]
    true = p.own[i] + lives.excess[i, at]
    sd = np.sqrt((c["igg_proportional"].value * true) ** 2 + c["igg_additive"].value ** 2)
    return at.astype(np.float64) - where.before, np.maximum(np.round(true + sd * error, 1), 0.1)


def _together(lives: Lives, until: int) -> None:
    """Everybody to the same day; in one go where all are at the same."""
    if np.all(lives.position == lives.position[0]):
        lives.live(0, lives.people.n, until)
        return
    for i in range(lives.people.n):
        lives.live(i, i + 1, until)


def outcomes(
    lives: Lives, floors: FloatArray, logs: Sequence[Log], knowledge: Knowledge
) -> dict[str, npt.NDArray[Any]]:
    """The judged days in figures; names and units in `nouns.OUTCOMES`."""
    where, p = lives.setting, lives.people
    years = where.judged / YEAR
    seen_here = figures(lives, floors, where.first_decision, where.days, knowledge)
    counted = {
        "changes": np.array([log.changes for log in logs]) / years,
        "false_up": np.array([log.false_up for log in logs]) / years,
        "false_down": np.array([log.false_down for log in logs]) / years,
        "abstained": np.array([log.abstained / max(log.orders, 1) for log in logs]),
        "peak": lives.peak,
    }
    who = {
        "person": p.numbers,
        "weight": p.weight,
        "level": p.level,
        "floor": floors,
        "responds": p.imax > 0,
    }
    every = {**who, **seen_here, **counted}
    return {name: every[name] for name in OUTCOMES if name in every}


def figures(
    lives: Lives, floors: FloatArray, begin: int, end: int, knowledge: Knowledge
) -> dict[str, npt.NDArray[Any]]:
    """What the days with indices begin to end - 1 were like (n each); names and units in `nouns.OUTCOMES`."""
    p, days = lives.people, end - begin
    years = days / YEAR
    strength = lives.strength(begin, end)
    grams, channel = lives.grams[:, begin:end], lives.channel[:, begin:end]
    blocks = strength[:, : days // BLOCK * BLOCK].reshape(p.n, -1, BLOCK)
    low, high = blocks.min(axis=2), blocks.max(axis=2)
    under = strength < floors[:, None]
    found = {
        "strength": strength.mean(axis=1),
        "gain": strength.mean(axis=1) / p.level - 1.0,
        "swing": ((high - low) / high).mean(axis=1),
        "below": under.mean(axis=1) * YEAR,
        "blocks_below": (low < floors[:, None]).mean(axis=1),
        "shortfall": (np.maximum(floors[:, None] - strength, 0.0).mean(axis=1)) / floors,
        "grams": WEEK * grams.sum(axis=1) / days,
        "visits": ((grams > 0) & (channel == CHANNEL["IV"])).sum(axis=1) / years,
        "high_days": (lives.excess[:, begin:end] > lives.high_excess).mean(axis=1) * YEAR,
        "large_days": (grams > lives.large_day * p.weight[:, None] + HALF_VIAL).sum(axis=1) / years,
    }
    return {**found, "loss": _loss(found, _largest_course(grams, p.weight), knowledge)}


def _largest_course(grams: FloatArray, weight: FloatArray) -> FloatArray:
    """Mean over the courses of a person of grams per kg in one course: consecutive days are one course (n)."""
    given = grams > 0
    starts = given.copy()
    starts[:, 1:] &= ~given[:, :-1]
    return np.asarray(grams.sum(axis=1) / np.maximum(starts.sum(axis=1), 1) / weight)


def _loss(figures: Mapping[str, npt.NDArray[Any]], course: FloatArray, knowledge: Knowledge) -> FloatArray:
    """What was lived through, by the weights of a plan: grams, blocks and time below the floor, depth, visits, large courses.

    What a step itself weighs is left out: it is there to choose among equals, not to judge a year.
    """
    w = {name: number.value for name, number in knowledge.loss.items()}
    above = np.maximum(course - knowledge.monitoring["single_course"].value, 0.0)
    return np.asarray(
        w["grams_per_week"] * figures["grams"]
        + w["below_floor"] * figures["blocks_below"]
        + w["time_below"] * figures["below"] / YEAR
        + w["shortfall"] * figures["shortfall"]
        + w["visits_per_year"] * figures["visits"]
        + w["peak"] * above
    )


def best_constant(people: People, knowledge: Knowledge, book: Book, where: Setting, seed: int) -> FloatArray:
    """Loss of each person's best constant regimen, found by trying them on the truth itself (n): what nobody can beat by much.

    Tried are no treatment and GRID_GRAMS × GRID_WEEKS by vein, in equal parts of at most the large day's grams a day.
    """
    best = np.full(people.n, np.inf)
    for per_kg, weeks in [(0.0, BLOCK // WEEK), *((g, w) for g in GRID_GRAMS for w in GRID_WEEKS)]:
        days = max(int(np.ceil(per_kg / book["judged.large_day"] - 1e-9)), 1)

        def regimen(grams: float, days: int = days, weeks: int = weeks) -> Regimen:
            return Regimen(where.product, "IV", grams, (), days, weeks * WEEK) if grams > 0 else none(weeks * WEEK)

        each = zip(people.numbers, people.weight, strict=True)
        trial = _Constant({int(number): regimen(float(per_kg * w)) for number, w in each})
        best = np.minimum(best, simulate(people, trial, knowledge, book, where, seed=seed).table["loss"])
    return best


@dataclass(frozen=True, slots=True)
class _Constant:
    """A regimen for each person, whatever happens."""

    regimens: Mapping[int, Regimen]
    id: str = "constant"
    steady: bool = True

    def decide(self, seen: Seen, day: float) -> Order:
        return Order(self.regimens[seen.number])
