"""Adverse events: what they are, what made them likelier, what to test when; and where a lot of immunoglobulin has been."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from ranvier.estimation.courses import Course, courses_of
from ranvier.evidence.find import find_product
from ranvier.evidence.nouns import EventRule, Knowledge
from ranvier.ground.findings import Fact, Finding
from ranvier.ground.truth import Truth
from ranvier.protection.checks import checks
from ranvier.protection.event_nouns import DueTest, EventView, LotTrace, LotUse
from ranvier.protection.orders import support_of
from ranvier.record.nouns import AdverseEvent, Infusion, Record
from ranvier.record.signs import named
from ranvier.record.until import day_of

SERIOUS = 3  # CTCAE grades from here on are serious


def events(record: Record, knowledge: Knowledge) -> tuple[EventView, ...]:
    """Every adverse event and every reaction of an infusion in a record, earliest first."""
    views = [view(record, event, knowledge) for event in record.adverse_events]
    for one in record.infusions:
        for reaction in one.reactions:
            day = day_of(one.start)
            event = AdverseEvent(reaction.what, day, reaction.grade, None, one.product, one.lot)
            views.append(view(record, event, knowledge))
    return tuple(sorted(views, key=lambda v: (v.on, v.what)))


def view(record: Record, event: AdverseEvent, knowledge: Knowledge) -> EventView:
    """One event as it is understood: kind, grade in words, the infusion before it, triggers, tests with their days.

    A grade that nobody wrote is not guessed. Of several kinds that the words fit, the first of the file leads and the others
    are named.
    """
    fitting = [rule for rule in knowledge.events.values() if named(event.what, rule.words)]
    rule = fitting[0] if fitting else None
    before = _before(record, event)
    related = "unknown"
    if before is not None:
        days = (event.on - day_of(before.start)).days
        related = "possible" if rule is None or days <= rule.window.value else "unlikely"
    triggers = _triggers(record, event, rule, before, knowledge) if rule is not None else ()
    support = tuple(support_of(claim, knowledge) for claim in (rule.claims if rule else ()))
    cited = {s for s in (rule.source if rule else None, *(f.source for f in triggers)) if s}
    cited |= {s for one in support for s in (*one.supports, *one.against)}
    if rule is not None and rule.window.source:
        cited.add(rule.window.source)
    unread = [f"{rule.name}: {rule.status}"] if rule is not None and rule.status not in ("read", "computed") else []
    return EventView(
        what=event.what,
        on=event.on,
        kind=None if rule is None else rule.id,
        name=event.what if rule is None else rule.name,
        also=tuple(other.id for other in fitting[1:]),
        grade=event.grade,
        grade_means=None if rule is None or event.grade is None else rule.grades[event.grade - 1],
        serious=(event.grade is not None and event.grade >= SERIOUS) or (rule is not None and rule.report),
        related=related,
        product=event.product or (before.product if before and related != "unlikely" else None),
        lot=event.lot or (before.lot if before and related != "unlikely" else None),
        given_on=None if before is None else day_of(before.start),
        triggers=triggers,
        tests=tuple(DueTest(what, event.on + timedelta(days=after)) for what, after in (rule.tests if rule else ())),
        do=rule.do if rule is not None else (),
        support=support,
        sources=tuple(sorted(cited)),
        unverified=tuple(unread + [f"{s.claim}: part of its evidence" for s in support if s.unverified]),
    )


def _before(record: Record, event: AdverseEvent) -> Infusion | None:
    """The infusion held responsible: the one of the written lot or product, else the last before the event."""
    earlier = [i for i in record.infusions if day_of(i.start) <= event.on]
    for same in (
        [i for i in earlier if event.lot and i.lot and plain_lot(i.lot) == plain_lot(event.lot)],
        [i for i in earlier if event.product and i.product.casefold() == event.product.casefold()],
        earlier,
    ):
        if same:
            return max(same, key=lambda i: (day_of(i.start), str(i.start)))
    return None


def _triggers(
    record: Record, event: AdverseEvent, rule: EventRule, before: Infusion | None, knowledge: Knowledge
) -> tuple[Finding, ...]:
    """What in product, dose or person made it likelier, as far as the record shows it."""
    found: list[Finding] = []
    courses = [c for c in courses_of(record, knowledge.monitoring) if c.first <= event.on]
    course = courses[-1] if courses else None
    weights = [w for w in sorted(record.person.weights, key=lambda w: w.on) if w.on <= event.on]
    kg = weights[-1].kg if weights else (record.person.weights[0].kg if record.person.weights else None)
    for trigger in rule.triggers:
        one = _trigger(trigger, rule, record, event, course, courses, kg, before, knowledge)
        found += [one] if one is not None else []
    if before is not None:
        product = find_product(before.product, knowledge)
        notes = product.notes if product is not None else ()
        words = {"haemolysis": "haemoly", "kidney_injury": "sucrose"}
        said = [note for note in notes if words.get(rule.id, "\0") in note.casefold()]
        found += [Finding("event.product", {"product": before.product, "note": note}) for note in said]
    return tuple(found)


def _trigger(
    name: str,
    rule: EventRule,
    record: Record,
    event: AdverseEvent,
    course: Course | None,
    courses: Sequence[Course],
    kg: float | None,
    before: Infusion | None,
    knowledge: Knowledge,
) -> Finding | None:
    numbers = knowledge.event_numbers
    if name == "first_course":
        first = record.before.kind == "none" and len(courses) == 1
        if not first:
            return None
        if rule.id != "thrombosis":
            return Finding("event.first_of_all")
        share = numbers["first_course"]
        return Finding("event.first_course", {"share": share.value}, source=share.source, status=share.status)
    if course is None:
        return None
    limits: dict[str, tuple[float | None, str]] = {
        "large_day": (max(course.daily), "g"),
        "large_course": (None if kg is None else course.grams / kg, "g/kg"),
        "fast_day": (None if kg is None else max(course.daily) / kg, "g/kg"),
    }
    if name in limits:
        value, unit = limits[name]
        bound = numbers[name]
        if value is None or value < bound.value - 1e-9:
            return None
        facts: dict[str, Fact] = {"what": name, "value": value, "unit": unit, "bound": bound.value}
        return Finding("event.dose", facts, source=bound.source, status=bound.status)
    by_check = {
        "thrombosis_risk": "thrombosis",
        "kidney_risk": "kidney",
        "blood_group": "haemolysis",
        "migraine": "headache",
        "iga": "iga",
        "heart": "heart",
    }
    if name in by_check:
        # As it was known the day before: the event is no risk of itself.
        day = event.on - timedelta(days=1)
        check = next(c for c in checks(record, knowledge, day) if c.id == by_check[name])
        if check.risk is not Truth.MET or not check.because:
            return None
        return Finding(
            "event.risk", {"risk": check.name}, check.because, source=check.sources[0] if check.sources else None
        )
    return _too_fast(before, kg, knowledge) if name == "rate" else None


def _too_fast(before: Infusion | None, kg: float | None, knowledge: Knowledge) -> Finding | None:
    """Whether the infusion before ran, on average, faster than the label's top rate."""
    if before is None or kg is None or before.stop is None or not isinstance(before.start, datetime):
        return None
    product = find_product(before.product, knowledge)
    hours = (before.stop - before.start).total_seconds() / 3600.0
    if product is None or product.top_rate is None or hours <= 0:
        return None
    rate = before.grams / product.concentration.value * 1000.0 / hours / kg
    if rate <= product.top_rate.value:
        return None
    facts: dict[str, Fact] = {"rate": rate, "top": product.top_rate.value}
    return Finding("event.rate", facts, source=product.top_rate.source, status=product.top_rate.status)


def plain_lot(lot: str) -> str:
    """A lot without spaces, hyphens and case: "le 12-x041" is "LE12X041". Letters are never taken for digits."""
    return "".join(c for c in lot.upper() if c.isalnum())


def trace_lot(lot: str, records: Sequence[Record], knowledge: Knowledge) -> LotTrace:
    """Every infusion of a lot in many records, with the adverse events after it. Near misses are named, never merged."""
    wanted = plain_lot(lot)
    uses: list[LotUse] = []
    near: set[str] = set()
    for record in records:
        seen = None
        for one in record.infusions:
            if one.lot is None:
                continue
            if plain_lot(one.lot) == wanted:
                seen = events(record, knowledge) if seen is None else seen
                day = day_of(one.start)
                after = tuple(
                    e for e in seen if (e.lot and plain_lot(e.lot) == wanted and e.given_on == day)
                    or (e.lot is None and e.given_on == day and e.related == "possible")
                )  # fmt: skip
                uses.append(LotUse(record.person.pseudonym, record.digest, day, one.product, one.grams, one.lot, after))
            elif _one_off(plain_lot(one.lot), wanted):
                near.add(one.lot)
    products = tuple(sorted({use.product for use in uses}))
    blank = sum(
        one.lot is None and one.product in products for record in records for one in record.infusions
    )  # fmt: skip
    uses.sort(key=lambda use: (use.on, use.pseudonym))
    return LotTrace(
        lot=lot,
        uses=tuple(uses),
        people=len({(use.pseudonym, use.record) for use in uses}),
        grams=sum(use.grams for use in uses),
        products=products,
        near=tuple(sorted(near)),
        without_lot=blank,
    )


def resembles(one: str, lot: str) -> bool:
    """Whether two written lots are the same, or so near that a trace names them."""
    return plain_lot(one) == plain_lot(lot) or _one_off(plain_lot(one), plain_lot(lot))


def _one_off(one: str, other: str) -> bool:
    """Whether two lots differ in one letter: changed, missing or too many, or two neighbours swapped."""
    if one == other or abs(len(one) - len(other)) > 1 or not one or not other:
        return False
    if len(one) == len(other):
        apart = [i for i, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
        swapped = (
            len(apart) == 2
            and apart[1] == apart[0] + 1
            and one[apart[0]] == other[apart[1]]
            and one[apart[1]] == other[apart[0]]
        )
        return len(apart) == 1 or swapped
    short, long = sorted((one, other), key=len)
    return any(long[:i] + long[i + 1 :] == short for i in range(len(long)))


def lots(records: Sequence[Record]) -> dict[str, int]:
    """Every lot written in the records, with the number of its infusions."""
    found: dict[str, int] = {}
    for record in records:
        for one in record.infusions:
            if one.lot:
                found[one.lot] = found.get(one.lot, 0) + 1
    return dict(sorted(found.items()))


def reported_by(day: date, views: Sequence[EventView]) -> tuple[EventView, ...]:
    """Serious events up to a day: what has to be reported to the manufacturer or the authority."""
    return tuple(v for v in views if v.serious and v.on <= day)
