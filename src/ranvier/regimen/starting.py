"""How treatment is begun: by which weight, how many grams in whole vials, over which days, at which rates; and under the skin.

Every number comes from labels and guidelines in knowledge/limits/starting.yaml and knowledge/products. Nothing is fitted here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from ranvier.evidence.find import find_product
from ranvier.evidence.nouns import Knowledge, Limit, Number, Product, StartCourse
from ranvier.ground.findings import Fact, Finding
from ranvier.ground.truth import Truth
from ranvier.record.nouns import Record
from ranvier.regimen.candidates import shared, vials
from ranvier.regimen.guard import MONTH
from ranvier.regimen.start_nouns import Beginning, Ceiling, GivingDay, SkinPlan, StartPlan, Step, Weights

CM_PER_INCH = 2.54
INCHES = 60.0  # of Devine's formula: so many inches over five feet
ML_PER_L = 1000.0
HOUR = 60.0  # [min]


def begin(
    record: Record,
    product_name: str,
    knowledge: Knowledge,
    at: date,
    *,
    risks: Mapping[str, Truth],
    policy: str = "ontario",
    sizes: Sequence[float] = (),
    days: int | None = None,
    weekly: tuple[float, str] | None = None,
) -> Beginning:
    """First course and maintenance with one product for one person, in whole vials, by day and rate.

    Parameters
    ----------
    risks : thrombosis and kidney as far as known; UNKNOWN is treated like MET and says so
    policy : by which weight, an id of knowledge/limits/starting.yaml
    sizes : vials in stock [g]; empty: all that the product comes in
    days : infusion days of the first course, in place of as few as the limits allow
    weekly : present grams per week and what they are read from, for the switch under the skin

    Raises
    ------
    KeyError : no such policy
    """
    weights = weigh(record, knowledge, at, policy)
    product = find_product(product_name, knowledge)
    if product is None:
        names = ", ".join(sorted(p.name for p in knowledge.products.values()))
        refused = Finding("start.unknown_product", {"product": product_name, "known": names})
        return Beginning(product_name, product_name, math.nan, (), weights, Ceiling(None, ()), refusal=(refused,))
    ceiling = highest_rate(product, knowledge, risks)
    label = tuple((fact.country, fact.mmn, fact.where) for fact in product.label_facts)
    whole = Beginning(product.id, product.name, product.concentration.value, label, weights, ceiling)
    refusal: list[Finding] = []
    if weights.kg is None:
        refusal.append(Finding("start.no_weight", {"used": weights.used}))
    own = tuple(sorted(vial.value for vial in product.vials))
    stocked = tuple(sorted({float(size) for size in sizes})) or own
    strange = [size for size in stocked if size not in own]
    if strange:
        facts = {"vials": ", ".join(f"{x:g}" for x in strange), "product": product.name, "known": _list(own)}
        refusal.append(Finding("start.unknown_vial", facts))
    if refusal or weights.kg is None:
        return replace(whole, refusal=tuple(refusal))
    kg = weights.kg
    if "IV" not in product.routes:
        only = under_the_skin(product, kg, knowledge, weekly, stocked)
        said = (Finding("start.not_into_a_vein", {"product": product.name, "routes": ", ".join(product.routes)}),)
        return replace(whole, skin=only, findings=said)
    plans = []
    for course in knowledge.starting.courses.values():
        asked = days if course.kind == "first" else None
        plan = _plan(course, product, kg, stocked, ceiling, knowledge, risks, asked)
        plans += [plan] if plan is not None else []
    if not plans:
        facts = {"product": product.name, "vials": _list(stocked)}
        return replace(whole, refusal=(Finding("start.no_vials_fit", facts),))
    by_skin = next((p for p in _of_route(knowledge, "SC")), None)
    counted = weekly or _weekly_of(plans)
    skin = None if by_skin is None else under_the_skin(by_skin, kg, knowledge, counted, ())
    return replace(whole, plans=tuple(plans), skin=skin)


# ---- weight ------------------------------------------------------------------------------------------------------


def weigh(record: Record, knowledge: Knowledge, at: date, policy: str) -> Weights:
    """Actual, ideal (Devine) and adjusted weight side by side, and the one that the policy uses.

    ideal = 50 (men) or 45.5 (women) + 2.3 · (height/2.54 − 60); adjusted = ideal + 0.4 · (actual − ideal). Source: ontario_ig.
    """
    rule = knowledge.starting.policies[policy]
    number = {name: each.value for name, each in knowledge.starting.numbers.items()}
    who = record.person
    known = [w for w in sorted(who.weights, key=lambda w: w.on) if w.on <= at] or list(who.weights)[:1]
    actual = known[-1].kg if known else None
    findings: list[Finding] = []
    if known and known[-1].on > at:
        findings.append(Finding("start.weight_later", {"day": known[-1].on.isoformat()}))
    ideal, why = _ideal(who.sex, who.height_cm, number)
    if why is not None:
        findings.append(why)
    bmi = None if actual is None or not who.height_cm else actual / (who.height_cm / 100.0) ** 2
    adjusted = None
    if actual is not None and ideal is not None:
        # Below the ideal weight there is nothing to adjust.
        adjusted = actual if actual <= ideal else ideal + number["weights.adjusted_share"] * (actual - ideal)
    used = rule.uses
    if used == "adjusted_if_obese":
        used = "adjusted" if bmi is not None and bmi > number["weights.obese"] else "actual"
        if bmi is None and actual is not None:
            findings.append(Finding("start.bmi_unknown", {"kg": actual}))
    kg = {"actual": actual, "ideal": ideal, "adjusted": adjusted}[used]
    findings.append(Finding("start.policy", {"says": rule.says, "kg": kg}, source=rule.source, status=rule.status))
    return Weights(actual, ideal, adjusted, bmi, used, kg, policy, rule.says, tuple(findings))


def _ideal(sex: str | None, height: float | None, number: Mapping[str, float]) -> tuple[float | None, Finding | None]:
    if sex is None or height is None:
        missing = " and ".join(name for name, value in (("sex", sex), ("height", height)) if value is None)
        return None, Finding("start.ideal_unknown", {"missing": missing})
    if height < number["weights.shortest"]:
        return None, Finding("start.ideal_too_short", {"height": height, "shortest": number["weights.shortest"]})
    over = height / CM_PER_INCH - INCHES
    return number[f"weights.ideal_{sex}"] + number["weights.per_inch"] * over, None


# ---- rates -------------------------------------------------------------------------------------------------------


def highest_rate(product: Product, knowledge: Knowledge, risks: Mapping[str, Truth]) -> Ceiling:
    """The lowest of the product's top rate and the ceilings for the risks this person has or may have."""
    bounds: list[float] = []
    found: list[Finding] = []
    if product.top_rate is not None:
        bounds.append(product.top_rate.value)
        found.append(_rate("start.top_rate", product.top_rate))
    else:
        found.append(Finding("start.top_rate_unknown", {"product": product.name}))
    for limit in knowledge.limits:
        risk = limit.applies.get("risk")
        if limit.what != "ml_per_kg_hour" or risk is None:
            continue
        truth = risks.get(risk, Truth.UNKNOWN)
        if truth is Truth.NOT_MET:
            continue
        bounds.append(limit.number.value)
        name = "start.ceiling_at_risk" if truth is Truth.MET else "start.ceiling_until_known"
        found.append(_rate(name, limit.number, risk=risk))
    return Ceiling(min(bounds) if bounds else None, tuple(found))


def _rate(name: str, number: Number, **facts: str) -> Finding:
    return Finding(name, {"rate": number.value, **facts}, source=number.source, status=number.status)


def steps(product: Product, kg: float, ml: float, ceiling: float | None) -> tuple[tuple[Step, ...], float | None]:
    """The steps of one infusion and its length [min]; None where the steps are not on file.

    Each step is cut to the ceiling; steps of the same rate are one. The last step lasts until the volume is in.
    """
    if not product.rates:
        return (), None
    rates: list[tuple[float, float | None]] = []
    for step in product.rates:
        rate = step.ml_per_kg_h.value if ceiling is None else min(step.ml_per_kg_h.value, ceiling)
        length = None if step.minutes is None else step.minutes.value
        if rates and rates[-1][0] == rate:
            rates[-1] = (rate, None if length is None else (rates[-1][1] or 0.0) + length)
            continue
        rates.append((rate, length))
    made: list[Step] = []
    begins, left = 0.0, ml
    for index, (rate, length) in enumerate(rates):
        per_hour = rate * kg
        last = index == len(rates) - 1 or length is None
        minutes = left / per_hour * HOUR if last else min(length or math.inf, left / per_hour * HOUR)
        given = per_hour * minutes / HOUR
        made.append(Step(begins, minutes, rate, per_hour, given))
        begins, left = begins + minutes, left - given
        if left <= 1e-9:
            break
    return tuple(made), begins


def _between(product: Product, kg: float, ml: float, ceiling: float | None, first: float) -> tuple[Step, ...]:
    """First and highest rate where the steps between are not on file."""
    if product.start_rate is None:
        return ()
    rate = product.start_rate.value if ceiling is None else min(product.start_rate.value, ceiling)
    minutes = min(first, ml / (rate * kg) * HOUR)
    made = [Step(0.0, minutes, rate, rate * kg, rate * kg * minutes / HOUR)]
    if ceiling is not None and ceiling > rate:
        made.append(Step(minutes, None, ceiling, ceiling * kg, None))
    return tuple(made)


# ---- courses -----------------------------------------------------------------------------------------------------


def _plan(
    course: StartCourse,
    product: Product,
    kg: float,
    sizes: tuple[float, ...],
    ceiling: Ceiling,
    knowledge: Knowledge,
    risks: Mapping[str, Truth],
    asked: int | None,
) -> StartPlan | None:
    numbers = knowledge.starting.numbers
    target = course.grams_per_kg.value * kg
    most, bounds = _most_a_day(knowledge.limits, kg, risks)
    low, high = round(course.days_low.value), round(course.days_high.value)
    chosen = None
    for amounts, by_day in _practical(sizes, numbers["rounding.practical"].value):
        below, above = whole_vials(target, amounts)
        if below is None:
            continue
        daily = _over_days(below, by_day, most, low, high, asked)
        fits = below >= (1.0 - numbers["rounding.small_loss"].value) * target and max(daily) <= most + 1e-9
        if chosen is None or fits:
            chosen = below, above, daily
        if fits:
            break
    if chosen is None:
        return None
    below, above, daily = chosen
    findings: list[Finding] = []
    loss = numbers["rounding.largest_loss"]
    if below < (1.0 - loss.value) * target:
        facts = {"target": target, "grams": below, "share": 1.0 - below / target}
        findings.append(Finding("start.rounding_large", facts, source=loss.source, status=loss.status))
    findings += [f for bound, f in bounds if max(daily) <= most + 1e-9 and bound == most]
    findings += [
        Finding("start.day_beyond", {**f.facts, "grams": max(daily)}, source=f.source, status=f.status)
        for bound, f in bounds
        if max(daily) > bound + 1e-9
    ]
    if asked is not None and not low <= asked <= high:
        findings.append(Finding("start.days_asked", {"asked": asked, "low": low, "high": high}))
    first = knowledge.starting.numbers["giving.first_step_minutes"].value
    made = tuple(_day(index + 1, grams, product, kg, sizes, ceiling.bound, first) for index, grams in enumerate(daily))
    interval = course.interval_low.value, course.interval_high.value
    return StartPlan(
        id=course.id,
        kind=course.kind,
        says=course.says,
        grams_per_kg=course.grams_per_kg.value,
        target=target,
        grams=below,
        next_up=above,
        days=made,
        interval=interval,
        monthly=(below / kg / interval[1] * MONTH, below / kg / interval[0] * MONTH),
        judge=course.judge,
        findings=tuple(findings),
        source=course.grams_per_kg.source,
        status=course.grams_per_kg.status,
    )


def _practical(sizes: tuple[float, ...], step: float) -> tuple[tuple[tuple[float, ...], tuple[float, ...]], ...]:
    """Vials for the course and for its days: multiples of a practical step first, then by day any, then any for both."""
    coarse = tuple(size for size in sizes if math.isclose(size % step, 0.0, abs_tol=1e-9))
    if not coarse or coarse == sizes:
        return ((sizes, sizes),)
    return ((coarse, coarse), (coarse, sizes), (sizes, sizes))


def _over_days(
    grams: float, sizes: tuple[float, ...], most: float, low: int, high: int, asked: int | None
) -> tuple[float, ...]:
    """Grams by day: as few days as the daily limit allows, within the course's own bounds, unless a number is asked for."""
    if asked is not None:
        return shared(grams, max(asked, 1), sizes)
    needed = max(low, math.ceil(grams / most - 1e-9)) if math.isfinite(most) else low
    daily = shared(grams, min(needed, high), sizes)
    while max(daily) > most + 1e-9 and len(daily) < high:
        daily = shared(grams, len(daily) + 1, sizes)
    return daily


def whole_vials(target: float, sizes: tuple[float, ...]) -> tuple[float | None, float | None]:
    """The largest amount of whole vials up to `target` and the smallest above it [g]; None where there is none."""
    step = math.gcd(*(round(size * 10) for size in sizes)) / 10.0
    below = math.floor(target / step + 1e-9)
    down = next((n * step for n in range(below, 0, -1) if vials(n * step, sizes) is not None), None)
    farthest = below + math.ceil(max(sizes) / step) + 1
    up = next((n * step for n in range(below + 1, farthest + 1) if vials(n * step, sizes) is not None), None)
    return down, up


def one_day(product: Product, grams: float, kg: float, knowledge: Knowledge, ceiling: Ceiling) -> GivingDay:
    """So many grams of a product on one day, at the rates of its label below the ceiling; vials empty where they do not add up."""
    first = knowledge.starting.numbers["giving.first_step_minutes"].value
    sizes = tuple(sorted(vial.value for vial in product.vials))
    return _day(1, grams, product, kg, sizes, ceiling.bound, first)


def _day(
    day: int, grams: float, product: Product, kg: float, sizes: tuple[float, ...], ceiling: float | None, first: float
) -> GivingDay:
    ml = grams / product.concentration.value * ML_PER_L
    made, minutes = steps(product, kg, ml, ceiling)
    least = most = None
    if minutes is None:
        made = _between(product, kg, ml, ceiling, first)
        if made:
            most = ml / made[0].ml_per_h * HOUR
            if len(made) > 1:
                rest = ml - (made[0].ml or 0.0)
                least = (made[0].minutes or 0.0) + rest / made[1].ml_per_h * HOUR
    return GivingDay(day, grams, vials(grams, sizes) or (), ml, made, minutes, least, most)


def _most_a_day(
    limits: Sequence[Limit], kg: float, risks: Mapping[str, Truth]
) -> tuple[float, tuple[tuple[float, Finding], ...]]:
    """Most grams a day that every limit for this person allows, and each limit; risks not excluded count."""
    found: list[tuple[float, Finding]] = []
    for limit in limits:
        risk = limit.applies.get("risk")
        if not limit.upper or limit.what not in ("grams_per_day", "grams_per_kg_day"):
            continue
        if limit.applies.get("route", "IV") != "IV" or (risk and risks.get(risk, Truth.UNKNOWN) is Truth.NOT_MET):
            continue
        bound = limit.number.value * (kg if limit.what == "grams_per_kg_day" else 1.0)
        facts: dict[str, Fact] = {"limit": limit.id, "bound": bound, "why": limit.why, "risk": risk}
        found.append((bound, Finding("start.day_limit", facts, source=limit.number.source, status=limit.number.status)))
    return min((bound for bound, _ in found), default=math.inf), tuple(found)


# ---- under the skin ----------------------------------------------------------------------------------------------


def _of_route(knowledge: Knowledge, route: str) -> list[Product]:
    return [product for _, product in sorted(knowledge.products.items()) if route in product.routes]


def _weekly_of(plans: Sequence[StartPlan]) -> tuple[float, str] | None:
    """Grams per week of the first maintenance plan at its longest interval: the least that guidelines keep up."""
    plan = next((p for p in plans if p.kind == "maintenance"), None)
    return None if plan is None else (plan.grams / plan.interval[1] * 7.0, plan.says)


def under_the_skin(
    product: Product,
    kg: float,
    knowledge: Knowledge,
    weekly: tuple[float, str] | None,
    sizes: tuple[float, ...],
) -> SkinPlan:
    """The same grams per week under the skin, once or more a week, with sites and times; never half of it.

    A dose of a week is split where it would need more sites than are used at once.
    """
    number = {name: each.value for name, each in knowledge.starting.numbers.items()}
    own = sizes or tuple(sorted(vial.value for vial in product.vials))
    at_least = knowledge.starting.courses["every_four_weeks"]
    target, what = weekly or (at_least.grams_per_kg.value * kg / at_least.interval_high.value * 7.0, at_least.says)
    asked = target * number["subcutaneous.ratio"]
    most_ml = number["subcutaneous.sites_at_once"] * number["subcutaneous.later_site"]
    doses = max(1, math.ceil(asked / product.concentration.value * ML_PER_L / most_ml - 1e-9))
    _, up = whole_vials(asked / doses - 1e-6, own)  # rounded up: less than gram for gram is not offered
    grams = up if up is not None else asked / doses
    ml = grams / product.concentration.value * ML_PER_L
    first_sites = math.ceil(ml / number["subcutaneous.first_site"] - 1e-9)
    later_sites = math.ceil(ml / number["subcutaneous.later_site"] - 1e-9)
    at_once = round(number["subcutaneous.sites_at_once"])
    half, after = (knowledge.starting.numbers[f"subcutaneous.{name}"] for name in ("half", "start_after"))
    findings = [_told("start.skin_half", half, grams=target * half.value), _told("start.skin_start", after)]
    high = knowledge.starting.numbers["subcutaneous.weekly_high"]
    if grams * doses > high.value * kg + 1e-9:
        findings.append(_told("start.skin_beyond_label", high, grams=grams * doses, bound=high.value * kg))
    return SkinPlan(
        product=product.id,
        name=product.name,
        from_what=what,
        grams_per_week=grams * doses,
        half_grams_per_week=target * number["subcutaneous.half"],
        doses_per_week=doses,
        grams=grams,
        vials=vials(grams, own) or (),
        ml=ml,
        first_sites=first_sites,
        later_sites=later_sites,
        first_minutes=_minutes(ml, first_sites, number["subcutaneous.first_rate"], at_once),
        later_minutes=_minutes(ml, later_sites, number["subcutaneous.later_rate"], at_once),
        start_after_days=number["subcutaneous.start_after"],
        review_days=number["subcutaneous.review"],
        findings=tuple(findings),
    )


def _told(name: str, number: Number, **facts: float) -> Finding:
    return Finding(name, {"value": number.value, **facts}, source=number.source, status=number.status)


def _minutes(ml: float, sites: int, rate: float, at_once: int) -> float:
    """Time of one dose: sites in rounds of so many at once, each at its rate [min]."""
    rounds = math.ceil(sites / at_once)
    return rounds * (ml / sites) / rate * HOUR


def _list(sizes: Sequence[float]) -> str:
    return ", ".join(f"{size:g}" for size in sizes)
