"""Policies that virtual trials compare. Each is a frozen value and a pure function of what a clinic has seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

import numpy as np

from ranvier.cohort.climb import Climb
from ranvier.cohort.load import Book, Described
from ranvier.cohort.nouns import Order, Policy, Seen, none
from ranvier.cohort.people import nearest, stream
from ranvier.estimation.courses import InForce, courses_of, in_force, used_to
from ranvier.estimation.history import EARLIER, RUN_IN, UNMEASURED, History, Points
from ranvier.estimation.model import Body
from ranvier.estimation.nouns import FloatArray, Measure, Refusal
from ranvier.estimation.posterior import estimate
from ranvier.estimation.quick import estimate_quickly
from ranvier.evidence.nouns import Knowledge
from ranvier.kinetics.disposition import CHANNEL, Doses
from ranvier.monitoring.change import attend, with_trend
from ranvier.monitoring.watch import aim_of, watch
from ranvier.record.nouns import (
    Before,
    Floor,
    Goals,
    IgGLevel,
    Infusion,
    Person,
    Record,
    Strength,
    StrengthSeries,
    Weight,
)
from ranvier.regimen.candidates import pack_of
from ranvier.regimen.nouns import Aim, Limits, Proposal, Regimen
from ranvier.regimen.propose import propose

BEGIN = date(2025, 1, 1)  # day 0 of virtual people's calendar; any day would do
SERIES = "grip"
LIMITS = Limits(bare=True)
FEWEST = 5  # values for a mean of days to be looked at
POLICY = 3  # stream of random numbers


@dataclass(frozen=True, slots=True)
class Fixed:
    """The label's dose for ever: what each person came with."""

    id: str = "fixed"
    steady: bool = True

    def decide(self, seen: Seen, day: float) -> Order:
        """No change."""
        return Order(seen.before)


@dataclass(frozen=True, slots=True)
class NoTreatment:
    """None at all. every [d] : between the decisions it would have taken."""

    every: float
    id: str = "none"
    steady: bool = True

    def decide(self, seen: Seen, day: float) -> Order:
        """Stop."""
        return Order(none(self.every), why="stop")


@dataclass(frozen=True, slots=True)
class Ladder:
    """A clinician without a model: wearing-off or below the floor, more; long quiet, less. Numbers in policies.yaml."""

    numbers: Described
    sizes: tuple[float, ...]
    id: str = "ladder"
    steady: bool = False

    def decide(self, seen: Seen, day: float) -> Order:
        """Sooner first, then more; after a quiet time a longer interval first, then less."""
        now, n = seen.in_force, self.numbers
        if now.grams == 0:
            return Order(now)
        late, middle = self._late_and_middle(seen, day)
        if late is None or middle is None:
            return Order(now, why="too few values", memo=0)
        quiet = seen.orders[-1][1].memo if seen.orders else 0
        if late < seen.floor or late < (1.0 - n["fall"]) * middle:
            return Order(self._more(now, seen.weight), why="wears off", memo=0)
        if quiet + 1 >= n["quiet"]:
            return Order(self._less(now, seen.weight), why="quiet", memo=0)
        return Order(now, why="holds", memo=quiet + 1)

    def _late_and_middle(self, seen: Seen, day: float) -> tuple[float | None, float | None]:
        """Mean strength of the last days, and of the best days in the middle of the cycle."""
        days, values = seen.strength_days, seen.strength
        last = values[days > day - self.numbers["days"]]
        from_ = day - seen.in_force.interval_days
        middle = values[(days > from_) & (days <= from_ + self.numbers["best_days"])]
        enough = min(FEWEST, max(round(self.numbers["days"] / 2), 1))
        return _mean(last, enough), _mean(middle, enough)

    def _more(self, now: Regimen, weight: float) -> Regimen:
        n = self.numbers
        if now.interval_days - n["shorter"] >= n["shortest"]:
            return replace(now, interval_days=round(now.interval_days - n["shorter"]))
        return _dosed(now, min(now.grams * (1.0 + n["dose_step"]), n["most"] * weight), weight, self.sizes)

    def _less(self, now: Regimen, weight: float) -> Regimen:
        n = self.numbers
        if now.interval_days + n["shorter"] <= n["longest"]:
            return replace(now, interval_days=round(now.interval_days + n["shorter"]))
        return _dosed(now, max(now.grams * (1.0 - n["dose_step"]), n["least"] * weight), weight, self.sizes)


@dataclass(frozen=True, slots=True)
class Taper:
    """Less by steps as long as strength holds; back once, and no further, when it does not. Then none at all."""

    numbers: Described
    sizes: tuple[float, ...]
    id: str = "taper"
    steady: bool = False

    def decide(self, seen: Seen, day: float) -> Order:
        """A step, a step back, or nothing."""
        n, now = self.numbers, seen.in_force
        before = [(at, order) for at, order in seen.orders if order.why in ("step", "back", "off")]
        start = before[0][0] if before else day
        held = seen.strength[seen.strength_days < start]
        since = seen.strength[seen.strength_days > day - now.interval_days]
        usual, late = _mean(held, FEWEST), _mean(since, FEWEST)
        done = any(order.why == "back" for _, order in before)
        if done or usual is None or late is None:
            return Order(now, why="waits")
        if before and (late < (1.0 - n["fall"]) * usual or late < seen.floor):
            return Order(before[-1][1].memo, why="back")
        if before and day - before[-1][0] < n["every"]:
            return Order(now, why="waits")
        if now.grams == 0:
            return Order(now, why="waits")
        less = now.grams * (1.0 - n["step"])
        if less < n["least"] * seen.weight:
            return Order(none(now.interval_days), why="off", memo=now)
        lower = _dosed(now, less, seen.weight, self.sizes)
        if lower.grams >= now.grams:
            lower = none(now.interval_days)
        return Order(lower, why="step", memo=now)


@dataclass(frozen=True, slots=True)
class Model:
    """The engine's proposal (`regimen.propose`) from a quick posterior. Where it proposes nothing, it abstains.

    careful : with what a plan does besides: recorded days held against strength, the chart, widening by past errors
    """

    knowledge: Knowledge
    draws: int
    careful: bool = False
    id: str = "model"
    steady: bool = False

    def decide(self, seen: Seen, day: float) -> Order:
        """Fit, look at the options, take the one proposed."""
        knowledge = self.knowledge
        body = Body(seen.weight, seen.lean, seen.age)
        history = history_of(seen, knowledge)
        rng = stream(int(day), seen.number, POLICY)
        starts = seen.orders[-1][1].memo if seen.orders else None
        quick = estimate_quickly(
            history, knowledge, body, draws=self.draws, rng=rng, starts=starts, careful=self.careful
        )
        posterior = quick.posterior
        silent = 1.0 - float(np.mean(posterior.draws.responds))
        at = BEGIN + timedelta(days=int(day))
        current = in_force_of(seen, at)
        falling = False
        if self.careful:
            chart = attend(record_of(seen, knowledge), current, knowledge, at=at, causes=False)
            falling = chart.verdict == "decline"
        aim = Aim(seen.floor, True, silent, falling=falling)
        proposal = propose(posterior, current, light_record(seen), knowledge, aim, at=at, limits=LIMITS)
        return _ordered(proposal, seen, quick.ends)


@dataclass(frozen=True, slots=True)
class Advice:
    """The engine's whole advice: the record as a clinic would write it, `estimate`, `watch`, `propose`. Slow."""

    knowledge: Knowledge
    id: str = "advice"
    steady: bool = False

    def decide(self, seen: Seen, day: float) -> Order:
        """As a plan would."""
        knowledge, at = self.knowledge, BEGIN + timedelta(days=int(day))
        record = record_of(seen, knowledge)
        posterior = estimate(record, knowledge, at=at, seed=seen.number)
        if isinstance(posterior, Refusal):
            return Order(seen.in_force, abstains=True, why=posterior.findings[0].name)
        current = in_force(record, knowledge, at)
        watched = watch(posterior, current, knowledge, courses=courses_of(record, knowledge.monitoring))
        change = attend(record, current, knowledge, at=at, causes=False)
        watched = replace(watched, change=with_trend(change, watched.trend, watched.findings, knowledge.monitoring))
        proposal = propose(posterior, current, record, knowledge, Aim(*aim_of(watched)), at=at, limits=LIMITS)
        return _ordered(proposal, seen, None)


def _ordered(proposal: Proposal, seen: Seen, memo: object) -> Order:
    chosen = next((option for option in proposal.options if option.proposed), None)
    if chosen is None:
        why = proposal.refusal[0].name if proposal.refusal else "nothing proposed"
        return Order(seen.in_force, abstains=True, why=why, memo=memo)
    if chosen.action == "no_change":
        return Order(seen.in_force, why=chosen.action, memo=memo)
    return Order(chosen.regimen, why=chosen.action, memo=memo)


def _mean(values: FloatArray, fewest: int) -> float | None:
    return float(np.mean(values)) if values.size >= fewest else None


def _dosed(now: Regimen, grams: float, weight: float, sizes: tuple[float, ...]) -> Regimen:
    """The same interval with other grams, in whole vials, over as many days as keep each at 1 g/kg or about."""
    whole = nearest(grams, sizes)
    days = max(1, int(np.ceil(whole / weight - LITTLE_MORE)))
    return replace(now, grams=whole, days=days, vials=())


LITTLE_MORE = 0.1  # [g/kg] in one day beyond 1 before a course is spread over one day more


def history_of(seen: Seen, knowledge: Knowledge) -> History:
    """What was seen, as estimation reads it. The same as `estimation.history.build` makes of `record_of` (tested)."""
    c = knowledge.composite.constants
    morning, noon = c["hour_of_measurement"].value / 24.0, c["hour_of_infusion"].value / 24.0
    lasting = c["hours_of_infusion"].value / 24.0
    channel = np.array([CHANNEL[route] for route in seen.routes], dtype=np.int64)
    start = seen.dose_days + noon
    stop = start + np.where(channel == CHANNEL["IV"], lasting, 0.0)
    first = min([*start, *(seen.igg_days + morning), *(seen.strength_days + morning)], default=0.0)
    begin = float(first) - RUN_IN
    before = seen.before
    last = (float(start[0]) if start.size else float(first)) - before.interval_days
    count = int(EARLIER // before.interval_days) + 1
    earlier = last - before.interval_days * np.arange(count)[::-1]
    run_in = earlier >= begin
    code = CHANNEL[before.route]
    doses = Doses(
        np.concatenate([earlier[run_in], start]),
        np.concatenate([earlier[run_in], stop]),
        np.concatenate([np.full(int(run_in.sum()), before.grams), seen.grams]),
        np.concatenate([np.full(int(run_in.sum()), code, dtype=np.int64), channel]),
    )
    early = Doses.of(earlier[~run_in], before.grams, route=before.route)
    used = seen.strength > 0
    points = Points(seen.strength_days + morning, seen.strength, used)
    measured = used.sum() >= c["fewest_values"].value
    measure = Measure(SERIES, "grip", "right", seen.device, "kg", int(seen.strength.size), floor=seen.floor)
    return History(
        origin=BEGIN,
        at_day=float(seen.day + morning),
        begin=begin,
        doses=doses,
        early=early,
        past="regimen",
        igg=Points(seen.igg_days + morning, seen.igg, np.ones(seen.igg.size, dtype=np.bool_)),
        measures=(measure,) if measured else (UNMEASURED,),
        variants=(None,),
        points=(points,) if measured else (Points(np.empty(0), np.empty(0), np.empty(0, dtype=np.bool_)),),
        primary=0,
        findings=(),
        unseen=int(run_in.sum()),
    )


def in_force_of(seen: Seen, at: date) -> InForce:
    """The regimen in force, as a clinic knows it: what was last ordered, and since when."""
    now = seen.in_force
    if now.grams == 0:
        raise ValueError("no regimen is in force")
    changed = [day for (day, order), old in zip(seen.orders, [seen.before, *(o.regimen for _, o in seen.orders)], strict=False)
               if order.regimen != old]  # fmt: skip
    held = int((seen.day - changed[-1]) // now.interval_days) if changed else 99
    days = seen.dose_days[seen.dose_days < seen.day]
    starts = (
        days[np.flatnonzero(np.diff(days, prepend=-9.0) > 1)] if days.size else np.array([seen.day - now.interval_days])
    )
    daily = (now.grams / now.days,) * now.days
    given = [one for one in (seen.before, *(o.regimen for _, o in seen.orders)) if one.route == now.route and one.days]
    return InForce(
        product=now.product,
        route=now.route,
        daily=daily,
        interval_days=float(now.interval_days),
        last=BEGIN + timedelta(days=int(starts[-1])),
        length=0.0,  # at once: strength, lagging by days, cannot tell it from hours
        given=tuple(sorted({float(g) for g in seen.grams})),
        courses=int(starts.size),
        held=held,
        used_to=used_to([*((one.grams / one.days,) * one.days for one in given), daily]),
    )


def light_record(seen: Seen) -> Record:
    """What a proposal reads of a record: weight, goals, the last infusion."""
    now = seen.in_force
    return Record(
        person=_person(seen),
        before=_before(seen),
        infusions=(Infusion(now.product, now.grams / max(now.days, 1), BEGIN, None, now.route),),
        igg=(),
        strength=(),
        digest=f"virtual-{seen.number}",
        invented=True,
        goals=_goals(seen),
    )


def record_of(seen: Seen, knowledge: Knowledge) -> Record:
    """What was seen, as the record that a clinic would have written: an invented person."""
    c = knowledge.composite.constants
    morning, noon = (time(round(c[name].value), tzinfo=UTC) for name in ("hour_of_measurement", "hour_of_infusion"))
    lasting = timedelta(hours=c["hours_of_infusion"].value)

    def on(day: float, at: time) -> datetime:
        return datetime.combine(BEGIN + timedelta(days=int(day)), at)

    infusions = tuple(
        Infusion(
            _product_on(seen, day),
            float(grams),
            on(day, noon),
            on(day, noon) + lasting if route == "IV" else None,
            route,
        )
        for day, grams, route in zip(seen.dose_days, seen.grams, seen.routes, strict=True)
    )
    values = tuple(
        Strength(on(day, morning), float(v)) for day, v in zip(seen.strength_days, seen.strength, strict=True)
    )
    series = StrengthSeries(SERIES, "grip", "kg", values, side="right", device=seen.device, place="home")
    return Record(
        person=_person(seen),
        before=_before(seen),
        infusions=infusions,
        igg=tuple(IgGLevel(on(day, morning), float(v)) for day, v in zip(seen.igg_days, seen.igg, strict=True)),
        strength=(series,) if values else (),
        digest=f"virtual-{seen.number}-{seen.day:g}",
        timezone="UTC",
        invented=True,
        goals=_goals(seen),
    )


def _product_on(seen: Seen, day: float) -> str:
    ordered = [order.regimen.product for at, order in seen.orders if at <= day and order.regimen.grams > 0]
    return ordered[-1] if ordered else seen.before.product


def _person(seen: Seen) -> Person:
    return Person(
        f"virtual-{seen.number}",
        BEGIN.year - round(seen.age),
        "male" if seen.man else "female",
        seen.height,
        (Weight(BEGIN, seen.weight),),
    )


def _before(seen: Seen) -> Before:
    b = seen.before
    return Before("regimen", b.product, b.grams, float(b.interval_days), b.route)


def _goals(seen: Seen) -> Goals:
    return Goals((Floor(SERIES, seen.floor),), ("IV",))


def make(name: str, knowledge: Knowledge, book: Book) -> Policy:
    """The policy of that id. Raises ValueError with those there are."""
    if name not in POLICIES:
        raise ValueError(f"there is no policy '{name}'; there are {', '.join(POLICIES)}")
    return POLICIES[name](knowledge, book)


def _sizes(knowledge: Knowledge, book: Book) -> tuple[float, ...]:
    return pack_of(book.product, (), knowledge).sizes


def _model(knowledge: Knowledge, book: Book, *, careful: bool = False) -> Policy:
    numbers = book.policies["model"]
    nearer = replace(knowledge.monitoring["horizon"], value=numbers["horizon"])
    known = replace(knowledge, monitoring={**knowledge.monitoring, "horizon": nearer})
    return Model(known, round(numbers["draws"]), careful, "careful" if careful else "model")


def _climb(knowledge: Knowledge, book: Book) -> Policy:
    n = book.policies["ladder"]
    return Climb(knowledge, _sizes(knowledge, book), n["shortest"], n["least"], n["most"])


POLICIES: Mapping[str, Callable[[Knowledge, Book], Policy]] = {
    "fixed": lambda k, b: Fixed(),
    "none": lambda k, b: NoTreatment(b["start.decide_every"]),
    "ladder": lambda k, b: Ladder(b.policies["ladder"], _sizes(k, b)),
    "climb": _climb,
    "taper": lambda k, b: Taper(b.policies["taper"], _sizes(k, b)),
    "model": _model,
    "careful": lambda k, b: _model(k, b, careful=True),
    "advice": lambda k, b: Advice(k),
}
"""Policies by id: what each makes of knowledge and book. `adjust` may add its own with the same two arguments."""
