"""Checks before and during treatment with immunoglobulin: what the record shows, what is open, what is due again."""

from __future__ import annotations

from datetime import date

from ranvier.evidence.nouns import CheckRule, Knowledge, LabLimit
from ranvier.ground.findings import Fact, Finding
from ranvier.ground.truth import Truth
from ranvier.protection.check_nouns import Check, Test
from ranvier.protection.orders import months_later, support_of
from ranvier.record.nouns import BloodTest, Record, SafetyCheck
from ranvier.record.signs import Seen, named, seen
from ranvier.record.until import day_of, until

ORDER = {"risk": 0, "open": 1, "pending": 2, "due": 3, "clear": 4}
NON_O = ("A", "B", "AB")


def checks(record: Record, knowledge: Knowledge, at: date) -> tuple[Check, ...]:
    """Every check of knowledge/safety/checks.yaml for one person on one day: risks first, then what is open.

    A recorded check says what was found; without one the record's conditions, drugs, values and blood group may still show
    a risk. What nobody looked at is open: not known is not no.
    """
    then, _ = until(record, at)
    made = [_check(then, rule, knowledge, at) for rule in knowledge.checks.values()]
    return tuple(sorted(made, key=lambda check: ORDER[check.state]))


def risks(record: Record, knowledge: Knowledge, at: date) -> dict[str, Truth]:
    """The risks of knowledge/safety/risks.yaml as the checks leave them, for whoever doses."""
    found = {check.id: check.risk for check in checks(record, knowledge, at)}
    named_by = {rule.risk: rule.id for rule in knowledge.checks.values() if rule.risk is not None}
    return {risk: found[named_by[risk]] for risk in knowledge.risks if risk in named_by}


def due(record: Record, knowledge: Knowledge, until_day: date, at: date) -> tuple[Check, ...]:
    """The checks that are open now or fall due up to a day, soonest first."""
    wanted = [c for c in checks(record, knowledge, at) if c.state in ("open", "pending", "due") or _by(c, until_day)]
    return tuple(sorted(wanted, key=lambda check: check.again or at))


def _by(check: Check, day: date) -> bool:
    return check.again is not None and check.again <= day


def _check(record: Record, rule: CheckRule, knowledge: Knowledge, at: date) -> Check:
    last = max((c for c in record.safety_checks if c.check == rule.id), key=lambda c: c.on, default=None)
    shown = _shown(record, rule, knowledge, at)
    values = _values(record, rule)
    lab = _lab(rule, values)
    because = list(shown[1])
    risk = shown[0]
    if lab is not None:
        risk, because = Truth.MET, [*because, lab]
    again = _again(last, rule)
    state = "open"
    if last is not None:
        facts = {"check": rule.name, "on": last.on.isoformat(), "result": last.result, "note": last.note}
        because.append(Finding("check.noted" if last.note else "check.done", facts))
        newer = any(f.name == "check.lab" and str(f.facts.get("on")) > last.on.isoformat() for f in because)
        if last.result == "risk":
            risk = Truth.MET
        elif last.result == "clear" and not newer and risk is not Truth.MET:
            risk = Truth.NOT_MET
        state = "pending" if last.result == "pending" else "clear"
    if risk is Truth.MET:
        state = "risk" if state != "pending" else "pending"
    elif last is not None and again is not None and again <= at and state != "pending":
        state = "due"
    elif last is None and risk is Truth.NOT_MET:
        state = "clear"
    support = tuple(support_of(claim, knowledge) for claim in rule.claims)
    cited = {s for s in (rule.source, *(f.source for f in because)) if s}
    cited |= {s for one in support for s in (*one.supports, *one.against)}
    if rule.again is not None and rule.again.source:
        cited.add(rule.again.source)
    unread = [f"{rule.name}: {rule.status}"] if rule.status not in ("read", "computed") else []
    return Check(
        id=rule.id,
        name=rule.name,
        state=state,
        risk=risk,
        why=rule.why,
        mitigate=rule.mitigate,
        tests=tuple(_test(what, when, values) for what, when in rule.tests),
        done=None if last is None else last.on,
        again=again,
        because=tuple(because),
        support=support,
        sources=tuple(sorted(cited)),
        unverified=tuple(unread + [f"{s.claim}: part of its evidence" for s in support if s.unverified]),
    )


def _again(last: SafetyCheck | None, rule: CheckRule) -> date | None:
    """When the check is due again: as written in the record, else by the rule's months."""
    if last is None:
        return None
    if last.again is not None:
        return last.again
    return None if rule.again is None else months_later(last.on, round(rule.again.value))


def _shown(record: Record, rule: CheckRule, knowledge: Knowledge, at: date) -> tuple[Truth, tuple[Finding, ...]]:
    """What conditions, drugs, blood group, events and allergies show."""
    found: list[Finding] = []
    asked = tuple(one.name for one in knowledge.asked)
    own = seen(record, at, words=rule.words, icd10=rule.icd10, atc=rule.atc, asked=asked)
    if rule.risk is not None:
        risk = knowledge.risks[rule.risk]
        age = None if risk.age_from is None else risk.age_from.value
        listed = seen(record, at, words=risk.words, icd10=risk.icd10, atc=risk.atc, age_from=age, asked=asked)
        own = _either(own, listed)
        if listed.truth is Truth.MET:
            facts = {"risk": rule.risk, "signs": ", ".join(listed.signs)}
            found.append(Finding("record.risk", facts, source=risk.source, status=risk.status))
    elif own.truth is Truth.MET:
        found.append(Finding("record.condition", {"signs": ", ".join(own.signs), "says": rule.name}))
    extra = _special(record, rule, at)
    if extra:
        return Truth.MET, (*found, *extra)
    if rule.id == "haemolysis" and record.person.blood_group == "O" and own.truth is not Truth.MET:
        return Truth.NOT_MET, (Finding("check.blood_group", {"group": "O"}),)
    return own.truth, tuple(found)


def _either(one: Seen, other: Seen) -> Seen:
    if Truth.MET in (one.truth, other.truth):
        return Seen(Truth.MET, (*one.signs, *other.signs))
    return other if other.truth is Truth.NOT_MET else one


def _special(record: Record, rule: CheckRule, at: date) -> tuple[Finding, ...]:
    """Facts that are no conditions: blood group, pregnancy events, allergies."""
    if rule.id == "haemolysis" and record.person.blood_group in NON_O:
        return (Finding("check.blood_group", {"group": record.person.blood_group}),)
    if rule.id == "pregnancy":
        going = [e for e in record.events if e.what == "pregnancy" and e.happened]
        going = [e for e in going if (at <= e.until if e.until else (at - e.on).days <= 280)]
        return tuple(Finding("check.pregnancy", {"on": e.on.isoformat()}) for e in going)
    if rule.id == "allergy":
        severe = [
            a for a in record.allergies if named(a.to, ("immunoglobulin", "ivig", "scig", "blood product", "albumin"))
        ]
        return tuple(
            Finding("record.allergy", {"to": a.to, "reaction": a.reaction, "severity": a.severity}) for a in severe
        )
    return ()


def _values(record: Record, rule: CheckRule) -> list[BloodTest]:
    """Recorded blood tests that one of the rule's tests or limits names, latest first."""
    words = {w for what, _ in rule.tests for w in _words(what)} | {w for limit in rule.limits for w in limit.what}
    found = [t for t in record.blood_tests if any(t.what.casefold().strip() in (w, f"{w}s") for w in words)]
    return sorted(found, key=lambda t: day_of(t.at), reverse=True)


def _words(what: str) -> list[str]:
    """The names of tests in a line of tests: "creatinine with eGFR, sodium" names three."""
    parts = what.casefold().replace("(", ",").replace(")", ",").replace(" with ", ",").replace(" and ", ",")
    return [part.strip().removeprefix("serum ") for part in parts.replace(";", ",").split(",") if part.strip()]


def _lab(rule: CheckRule, values: list[BloodTest]) -> Finding | None:
    """The latest value that passes a limit in the limit's own unit; other units are shown, never converted by guess."""
    for limit in rule.limits:
        for test in values:
            if test.what.casefold().strip() not in limit.what:
                continue
            found = _passed(limit, test)
            if found is not None or _same_unit(limit, test):
                return found
    return None


def _same_unit(limit: LabLimit, test: BloodTest) -> bool:
    number = limit.below or limit.above
    return number is not None and number.unit == test.unit


def _passed(limit: LabLimit, test: BloodTest) -> Finding | None:
    for number, below in ((limit.below, True), (limit.above, False)):
        if number is None or number.unit != test.unit:
            continue
        if (test.value < number.value) if below else (test.value > number.value):
            facts: dict[str, Fact] = {
                "what": test.what,
                "value": test.value,
                "unit": test.unit,
                "on": day_of(test.at).isoformat(),
                "bound": number.value,
                "below": below,
            }
            return Finding("check.lab", facts, source=number.source, status=number.status)
    return None


def _test(what: str, when: str, values: list[BloodTest]) -> Test:
    names = _words(what)
    mine = [t for t in values if t.what.casefold().strip() in names]
    if not mine:
        return Test(what, when)
    return Test(what, when, day_of(mine[0].at), f"{mine[0].what} {mine[0].value:g} {mine[0].unit}")
