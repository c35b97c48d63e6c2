"""What could be done: doses in whole vials of a real product, intervals in whole weeks, routes that are accepted."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from ranvier.estimation.courses import INTRAVENOUS, WEEK, InForce
from ranvier.evidence.find import find_product
from ranvier.evidence.nouns import Knowledge, Limit, Product
from ranvier.ground.findings import Finding
from ranvier.regimen.nouns import Regimen

SMALLEST = 10  # amounts are counted in tenths of a gram: the smallest vial on the market holds 0.5 g
FINE = 0.1  # a step of dose is the largest vial of at most this part of the course, so that a course needs few vials
NEAR = 3  # [d] an interval this close to the present one is not a different one
FAR = 28  # [d] intervals further away from the present one are not looked at
DOWN, UP = 0.7, 1.5  # doses beyond these parts of the present one are not looked at
LESS = 0.8  # part of the dose shown as a reduction where no vials make up a smaller one
MOST_DOSES = 6  # in each direction


@dataclass(frozen=True, slots=True)
class Candidate:
    """A regimen to look at.

    action : as in `Option`. kind: what the reader wants to see the best of; finer than the action
    daily : grams by infusion day
    fits : whether whole vials add up to the dose
    known : going back to what was given before: not bound to one step at a time
    """

    action: str
    kind: str
    regimen: Regimen
    daily: tuple[float, ...]
    fits: bool = True
    known: bool = False

    @property
    def id(self) -> str:
        """Stable name: what is given and how often."""
        r = self.regimen
        if r.grams == 0:
            return "untreated"
        return f"{r.product}-{r.route}-{r.grams:g}g-{r.days}d-every-{r.interval_days}d".lower().replace(" ", "_")

    @property
    def grams_per_week(self) -> float:
        """Grams per week [g/wk]."""
        return 0.0 if self.regimen.grams == 0 else self.regimen.grams / self.regimen.interval_days * WEEK


@dataclass(frozen=True, slots=True)
class Pack:
    """A product's sizes [g] as far as they are known, and what was said on the way."""

    product: str
    sizes: tuple[float, ...]
    findings: tuple[Finding, ...] = ()


def pack_of(name: str, given: Sequence[float], knowledge: Knowledge) -> Pack:
    """The vials of a product, and whether amounts were given that no vials add up to.

    An unknown product has only the amounts that were really given.
    """
    seen = tuple(sorted(set(given)))
    product = find_product(name, knowledge)
    if product is None or not product.vials:
        return Pack(name, seen, (Finding("vials.unknown_product", {"product": name, "given": _list(seen)}),))
    sizes = tuple(sorted(vial.value for vial in product.vials))
    odd = tuple(grams for grams in seen if vials(grams, sizes) is None)
    if not odd:
        return Pack(name, sizes)
    facts = {"product": product.name, "given": _list(odd), "vials": _list(sizes)}
    return Pack(name, sizes, (Finding("vials.as_given", facts),))


@functools.lru_cache(maxsize=4096)
def vials(grams: float, sizes: tuple[float, ...]) -> tuple[tuple[float, int], ...] | None:
    """The fewest vials that add up to `grams` exactly, largest first; None where none do."""
    total, parts = round(grams * SMALLEST), [round(size * SMALLEST) for size in sizes]
    unit = math.gcd(total, *parts)
    if total <= 0 or not parts or abs(total / SMALLEST - grams) > 1e-9:
        return None
    total, parts = total // unit, [part // unit for part in parts]
    fewest: list[int | None] = [0] + [None] * total
    last = [0] * (total + 1)
    for amount in range(1, total + 1):
        for part in sorted(parts, reverse=True):
            before = fewest[amount - part] if part <= amount else None
            best = fewest[amount]
            if before is not None and (best is None or before + 1 < best):
                fewest[amount], last[amount] = before + 1, part
    if fewest[total] is None:
        return None
    count: dict[int, int] = {}
    while total:
        count[last[total]] = count.get(last[total], 0) + 1
        total -= last[total]
    return tuple((part * unit / SMALLEST, n) for part, n in sorted(count.items(), reverse=True))


def shared(grams: float, days: int, sizes: tuple[float, ...]) -> tuple[float, ...]:
    """The grams of a course by day: whole vials each day, as even as they can be, larger days first.

    Equal parts where no vials add up.

    Examples
    --------
    >>> shared(75.0, 2, (5.0, 10.0, 20.0, 40.0))
    (40.0, 35.0)
    """
    if days == 1 or vials(grams, sizes) is None or vials(grams / days, sizes) is not None:
        return (grams / days,) * days
    step = math.gcd(*(round(size * SMALLEST) for size in sizes))
    rest, daily = round(grams * SMALLEST), []
    for left in range(days, 0, -1):
        least = math.ceil(rest / left / step) * step
        fits = (n for n in range(least, rest + 1, step) if vials(n / SMALLEST, sizes) is not None)
        amount = next((n for n in fits if n == rest or vials((rest - n) / SMALLEST, sizes) is not None), None)
        if amount is None or (left > 1 and amount == rest):
            return (grams / days,) * days
        daily.append(amount / SMALLEST)
        rest -= amount
    return tuple(sorted(daily, reverse=True))


@functools.lru_cache(maxsize=4096)
def amounts(grams: float, sizes: tuple[float, ...]) -> tuple[float, ...]:
    """Practical amounts around `grams` [g] that whole vials add up to.

    Multiples of a vial of at most a tenth of it; where no vial is so small, every sum of vials up to twice the dose.
    """
    fine = [size for size in sizes if size <= FINE * grams]
    if fine:
        step = max(fine)
        first, last = math.ceil(DOWN * grams / step - 1e-9), math.floor(UP * grams / step + 1e-9)
        return tuple(round(n * step, 1) for n in range(max(first, 1), last + 1))
    top = round(2 * max(grams, max(sizes, default=0.0)) * SMALLEST)
    reached = [True] + [False] * top
    for amount in range(1, top + 1):
        reached[amount] = any(
            part <= amount and reached[amount - part] for part in (round(z * SMALLEST) for z in sizes)
        )
    return tuple(amount / SMALLEST for amount in range(1, top + 1) if reached[amount])


def candidates(
    current: InForce,
    knowledge: Knowledge,
    *,
    routes: tuple[str, ...] | None,
    used: Sequence[str],
    limits: Sequence[Limit],
    largest_day: float,
    strictly: bool,
) -> tuple[tuple[Candidate, ...], tuple[Finding, ...]]:
    """All regimens worth looking at, the present one first, and what was said on the way.

    routes : those the person accepts; None: not asked, then only the present one
    used : products in the record, latest first; preferred where another route is looked at
    limits : guardrails; those on the interval say how often another route is given
    largest_day : most that is given in one infusion day [g]; more is spread over consecutive days
    strictly : whether that holds for the present daily dose too; else a person keeps the daily dose they are used to
    """
    pack = pack_of(current.product, current.given, knowledge)
    interval = max(round(current.interval_days), 1)
    found = [_candidate("no_change", "no_change", current.route, current.grams, interval, pack, daily=current.daily)]
    usual_day = current.usual_day
    most_day = largest_day if strictly else max(usual_day, largest_day)

    def add(action: str, kind: str, grams: float, every: int) -> None:
        days = len(current.daily)
        if current.route == INTRAVENOUS:
            # As many grams a day as the person is used to, about; never more than is allowed.
            days = max(1, math.floor(grams / usual_day + 0.5), math.ceil(grams / most_day - 1e-9))
        daily = _spread(grams, days, most_day, pack)
        found.append(_candidate(action, kind, current.route, grams, every, pack, daily=daily))

    found += _back(current, interval, routes, pack, knowledge)
    spread_over = max(1, math.ceil(current.grams / largest_day - 1e-9))
    if current.route == INTRAVENOUS and spread_over > len(current.daily):
        daily = _spread(current.grams, spread_over, largest_day, pack)
        found.append(_candidate("spread", "spread", current.route, current.grams, interval, pack, daily=daily))
    possible = amounts(current.grams, pack.sizes)
    lower = [grams for grams in reversed(possible) if grams < current.grams][:MOST_DOSES]
    higher = [grams for grams in possible if grams > current.grams][:MOST_DOSES]
    for grams in lower or [round(LESS * current.grams, 1)]:
        add("reduce", "reduce", grams, interval)
    for grams in higher:
        add("increase", "increase", grams, interval)
    shorter, longer = _intervals(interval)
    for every in longer:
        add("longer_interval", "longer_interval", current.grams, every)
    for every in shorter:
        add("shorter_interval", "shorter_interval", current.grams, every)
    for every in (*shorter, *longer):
        scaled = _nearest(current.grams * every / interval, pack.sizes)
        if scaled is not None and scaled != current.grams:
            add("change_both", "shorter_same_total" if every < interval else "longer_same_total", scaled, every)
    for grams, every in ((g, e) for g in lower[:2] for e in longer[:1]):
        add("change_both", "less", grams, every)
    for grams, every in ((g, e) for g in higher[:2] for e in shorter[:1]):
        add("change_both", "more", grams, every)
    switched, said = _switches(current, routes, used, limits, knowledge)
    unique: dict[str, Candidate] = {}
    for candidate in (*found, *switched):
        unique.setdefault(candidate.id, candidate)
    return tuple(unique.values()), (*pack.findings, *said)


def starts(
    weight: float | None, knowledge: Knowledge, *, used: Sequence[str], largest_day: float
) -> tuple[tuple[Candidate, ...], tuple[Finding, ...]]:
    """Without a regimen in force: no treatment, the first course, and maintenance, as guidelines give them."""
    rules = knowledge.monitoring
    every = round(rules["start_interval"].value)
    none = Candidate("no_change", "no_change", Regimen("none", "none", 0.0, (), 0, every), ())
    product, said = _product_for(INTRAVENOUS, used, knowledge)
    if product is None or weight is None:
        return (none,), ()
    pack = pack_of(product.id, (), knowledge)
    found = [none]
    for dose, again in (("start_course", "start_course_again"), ("start_dose", "start_interval")):
        grams = _nearest(rules[dose].value * weight, pack.sizes, upper=rules[dose].value * weight)
        if grams is not None:
            days = max(1, math.ceil(grams / largest_day - 1e-9))
            daily = _spread(grams, days, largest_day, pack)
            found.append(_candidate("start", dose, INTRAVENOUS, grams, round(rules[again].value), pack, daily=daily))
    return tuple(found), tuple(said)


def _spread(grams: float, days: int, most: float, pack: Pack) -> tuple[float, ...]:
    """By day in whole vials; over a day more where that alone keeps every day within `most` [g]."""
    daily = shared(grams, days, pack.sizes)
    if max(daily) <= most + 1e-9:
        return daily
    longer = shared(grams, days + 1, pack.sizes)
    return longer if max(longer) <= most + 1e-9 else daily


def _candidate(
    action: str,
    kind: str,
    route: str,
    grams: float,
    interval: int,
    pack: Pack,
    *,
    daily: tuple[float, ...],
    known: bool = False,
) -> Candidate:
    parts = _vials_of_days(daily, pack.sizes)
    regimen = Regimen(pack.product, route, grams, parts or (), len(daily), interval)
    return Candidate(action, kind, regimen, daily, fits=parts is not None, known=known)


def _vials_of_days(daily: Sequence[float], sizes: tuple[float, ...]) -> tuple[tuple[float, int], ...] | None:
    """The vials of a course, largest first: no vial is opened on one day and finished on the next."""
    count: dict[float, int] = {}
    for grams in daily:
        parts = vials(grams, sizes)
        if parts is None:
            return None
        for size, n in parts:
            count[size] = count.get(size, 0) + n
    return tuple(sorted(count.items(), reverse=True))


def _back(
    current: InForce, interval: int, routes: tuple[str, ...] | None, pack: Pack, knowledge: Knowledge
) -> list[Candidate]:
    """Back to the regimen before, and to its grams per week by the present route, where that was more."""
    earlier = current.earlier
    if earlier is None:
        return []
    found = []
    every, grams = max(round(earlier.interval_days), 1), sum(earlier.daily)
    if earlier.route == current.route or (routes is not None and earlier.route in routes):
        action = "switch_route" if earlier.route != current.route else "change_both"
        if action == "change_both" and every == interval:
            action = "increase"
        elif action == "change_both" and abs(grams - current.grams) < 1e-9:
            action = "shorter_interval"
        own = pack_of(earlier.product, earlier.daily, knowledge)
        found.append(_candidate(action, "earlier", earlier.route, grams, every, own, daily=earlier.daily, known=True))
    same = earlier.grams_per_week * interval / WEEK
    scaled = _nearest(same, pack.sizes, lower=same)
    if earlier.route != current.route and scaled is not None:
        days = len(current.daily)
        daily = shared(scaled, days, pack.sizes)
        found.append(
            _candidate("increase", "earlier_grams", current.route, scaled, interval, pack, daily=daily, known=True)
        )
    return found


def _intervals(interval: int) -> tuple[list[int], list[int]]:
    """Whole weeks shorter and longer than the present interval, nearest first; always one longer."""
    weeks = [every for every in range(WEEK, interval + FAR + 1, WEEK) if abs(every - interval) <= FAR]
    shorter = [every for every in reversed(weeks) if every <= interval - NEAR]
    return shorter, [every for every in weeks if every >= interval + NEAR]


def _nearest(grams: float, sizes: tuple[float, ...], *, lower: float = 0.0, upper: float = math.inf) -> float | None:
    """The practical amount nearest to `grams`, within bounds [g]."""
    possible = [a for a in amounts(grams, sizes) if lower - 1e-9 <= a <= upper + 1e-9]
    return min(possible, key=lambda a: (abs(a - grams), a), default=None)


def _switches(
    current: InForce,
    routes: tuple[str, ...] | None,
    used: Sequence[str],
    limits: Sequence[Limit],
    knowledge: Knowledge,
) -> tuple[list[Candidate], list[Finding]]:
    """The other routes that the person accepts, gram for gram."""
    if routes is None:
        return [], [Finding("route.not_asked", {"route": current.route})]
    found, said = [], []
    for route in routes:
        product, notes = _product_for(route, used, knowledge)
        if route == current.route or product is None:
            continue
        said += notes
        pack = pack_of(product.id, (), knowledge)
        for every in _route_intervals(route, limits, round(knowledge.monitoring["start_interval"].value)):
            same = current.grams_per_week * every / WEEK
            grams = _nearest(same, pack.sizes, lower=same)
            if grams is not None:
                daily = (grams,)
                found.append(_candidate("switch_route", f"switch_{route}", route, grams, every, pack, daily=daily))
    return found, said


def _route_intervals(route: str, limits: Sequence[Limit], usual: int) -> range:
    """Whole weeks between the bounds of knowledge/limits for the route; into a vein up to the usual interval."""
    own = [limit for limit in limits if limit.what == "interval" and limit.applies.get("route", route) == route]
    low = max((limit.number.value for limit in own if not limit.upper), default=float(WEEK))
    high = min((limit.number.value for limit in own if limit.upper), default=float(usual))
    if route == INTRAVENOUS:
        low, high = max(low, 2.0 * WEEK), min(high, float(usual))
    return range(math.ceil(low / WEEK) * WEEK, math.floor(high) + 1, WEEK)


def _product_for(route: str, used: Sequence[str], knowledge: Knowledge) -> tuple[Product | None, list[Finding]]:
    """A product of the route: one the person has had, else the first of the list, named as an example."""
    for name in used:
        product = find_product(name, knowledge)
        if product is not None and route in product.routes:
            return product, []
    of_route = [product for _, product in sorted(knowledge.products.items()) if route in product.routes]
    of_route.sort(key=lambda product: "yes" not in product.labels.values())  # those with MMN on a label first
    if not of_route:
        return None, []
    others = ", ".join(product.name for product in of_route[1:]) or None
    facts = {"product": of_route[0].name, "route": route, "others": others}
    return of_route[0], [Finding("route.example_product", facts)]


def _list(sizes: Sequence[float]) -> str:
    return ", ".join(f"{size:g}" for size in sizes)
