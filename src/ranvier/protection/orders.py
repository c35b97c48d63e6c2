"""Is this order harmful for this person? Rules are data; this file only sees whether their conditions hold."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from ranvier.evidence.nouns import TIERS, DrugCase, DrugGroup, Indication, Knowledge
from ranvier.ground.findings import Fact, Finding
from ranvier.ground.notes import Question
from ranvier.ground.truth import Truth
from ranvier.protection.giving import Giving, giving
from ranvier.protection.identify import group_of, identify, known_drug, plain
from ranvier.protection.nouns import Alert, Drug, Order, OrderCheck, Support
from ranvier.record.nouns import Record
from ranvier.record.signs import Seen, coded, named, runs, seen
from ranvier.record.until import day_of, until

DISEASE, NOTHING, OTHER = "this_disease", "nothing", "other"


def check_order(record: Record, order: Order, knowledge: Knowledge, at: date) -> OrderCheck:
    """Alerts about one order for one person on one day; or the question that must be answered first.

    Only facts of `at` and before count, apart from infusions already planned. Nothing is written anywhere.

    Parameters
    ----------
    record : the person
    order : what is about to be ordered
    at : the day of the check; the order begins then unless it says otherwise

    Returns
    -------
    OrderCheck : alerts with danger first; no alert means that no rule here speaks against it, not that it is safe
    """
    answer = OrderCheck(order, at, record.digest, knowledge.version, None)
    drug = identify(order, knowledge)
    if isinstance(drug, Question):
        return _replace(answer, question=drug)
    day = order.start or at
    then, _ = until(record, at)
    case = _Case(then, order, drug, knowledge, day, giving(record, knowledge, day))
    alerts: list[Alert] = []
    quiet: list[str] = []
    allergy = _allergy(case)
    alerts += [allergy] if allergy is not None else []
    for group in group_of(drug, knowledge):
        alert, silent = _judged(case, group)
        alerts += [alert] if alert is not None else []
        quiet += [silent] if silent else []
    alerts.sort(key=lambda alert: TIERS.index(alert.tier))
    unknown = tuple(dict.fromkeys(case.unknown)) if group_of(drug, knowledge) else ()
    return _replace(answer, drug=drug, alerts=tuple(alerts), quiet=tuple(quiet), unknown=unknown)


def _replace(
    answer: OrderCheck,
    *,
    drug: Drug | None = None,
    alerts: tuple[Alert, ...] = (),
    question: Question | None = None,
    quiet: tuple[str, ...] = (),
    unknown: tuple[str, ...] = (),
) -> OrderCheck:
    return OrderCheck(
        answer.order, answer.at, answer.record, answer.knowledge, drug, alerts, question, quiet, unknown
    )  # fmt: skip


class _Case:
    """One order beside one record, with what was not known while it was judged."""

    def __init__(
        self, record: Record, order: Order, drug: Drug, knowledge: Knowledge, day: date, infusions: Giving
    ) -> None:
        self.record, self.order, self.drug, self.knowledge = record, order, drug, knowledge
        self.day, self.infusions = day, infusions
        self.route = order.route or drug.route
        self.unknown: list[str] = []
        self.reason = _reason(order, knowledge)

    def recorded(self, name: str) -> Seen:
        """Whether an indication's words or codes are among the conditions; allergies and pregnancy events count as well."""
        wanted = self.knowledge.indications[name]
        shown = seen(self.record, self.day, words=wanted.words, icd10=wanted.icd10)
        if shown.truth is Truth.MET:
            return shown
        if name == "pregnancy" and (found := self._pregnancy()):
            return Seen(Truth.MET, found)
        if name == "immunoglobulin_anaphylaxis" and (found := self._immunoglobulin_allergy()):
            return Seen(Truth.MET, found)
        return shown

    def _pregnancy(self) -> tuple[str, ...]:
        going = [e for e in self.record.events if e.what == "pregnancy" and e.happened]
        # Forty weeks from its first recorded day, where no end is written.
        return tuple("pregnancy" for e in going if (self.day <= e.until if e.until else (self.day - e.on).days <= 280))

    def _immunoglobulin_allergy(self) -> tuple[str, ...]:
        words = self.knowledge.drugs["immunoglobulin"].words
        products = tuple(plain(a) for p in self.knowledge.products.values() for a in (p.name, *p.aliases))
        return tuple(
            f"allergy to {a.to}"
            for a in self.record.allergies
            if a.severity in ("anaphylaxis", "severe") and (named(a.to, words) or plain(a.to) in products)
        )

    def risk(self, name: str) -> Seen:
        """Whether a risk of knowledge/safety/risks.yaml shows; recorded drugs count by name as well as by code."""
        wanted = self.knowledge.risks[name]
        age = None if wanted.age_from is None else wanted.age_from.value
        asked = tuple(one.name for one in self.knowledge.asked)
        shown = seen(
            self.record, self.day, words=wanted.words, icd10=wanted.icd10, atc=wanted.atc, age_from=age, asked=asked
        )
        if shown.truth is not Truth.MET and wanted.atc:
            taken = [d.name for d, known in self.taken() if known.atc and known.atc.startswith(wanted.atc)]
            if taken:
                return Seen(Truth.MET, tuple(taken))
        return shown

    def taken(self) -> list[tuple[_Taken, Drug]]:
        """Drugs that are being taken on the day and whose meaning is known."""
        found = []
        for d in self.record.drugs:
            if runs(d.start, d.stop, self.day) and (known := known_drug(d.name, d.code, self.knowledge)) is not None:
                since = None if d.start is None else day_of(d.start)
                found.append((_Taken(d.name, since, d.route or known.route), known))
        return found

    def weak_immunity(self) -> Seen:
        """Whether the immune system is suppressed, by a condition or by a drug that is taken."""
        signs = list(self.recorded("immunodeficiency").signs) if self._is_met("immunodeficiency") else []
        for line, known in self.taken():
            groups = [g for g in group_of(known, self.knowledge) if g.suppresses]
            if any(not _stays_local(group, line.route) for group in groups):
                signs.append(line.name)
        return Seen(Truth.MET, tuple(dict.fromkeys(signs))) if signs else Seen(Truth.UNKNOWN)

    def _is_met(self, name: str) -> bool:
        return self.recorded(name).truth is Truth.MET


@dataclass(frozen=True, slots=True)
class _Taken:
    """A recorded drug that is being taken."""

    name: str
    since: date | None
    route: str | None


def _stays_local(group: DrugGroup, route: str | None) -> bool:
    """Whether a drug of this group, given so, acts only where it is given."""
    return any(rule.tier == "none" and route in rule.when.get("route", ()) for rule in group.cases)


def _reason(order: Order, knowledge: Knowledge) -> tuple[str, ...]:
    """Which indications the stated reason may be: ids, or ``nothing`` stated, or ``other`` (stated, not known here)."""
    text = " ".join((order.for_what or "").split())
    if not text and not order.for_codes:
        return (NOTHING,)
    disease = knowledge.indications[DISEASE]
    if named(text, disease.words):
        return (DISEASE,)
    found = [key for key, one in knowledge.indications.items() if key != DISEASE and _fits(one, text, order.for_codes)]
    if found:
        return tuple(found)
    if named(text, disease.weak_words) or any(coded(code, disease.icd10) for code in order.for_codes):
        return (DISEASE,)
    # A code outside the diseases of nerves and muscles is another illness by itself.
    return ("steroid_illness", "immune_illness", OTHER) if order.for_codes else (OTHER,)


def _fits(one: Indication, text: str, codes: Sequence[str]) -> bool:
    return named(text, one.words) or any(coded(code, one.icd10) for code in codes)


def _judged(case: _Case, group: DrugGroup) -> tuple[Alert | None, str | None]:
    """The alert of a group, or why it says nothing."""
    for rule in group.cases:
        because = _holds(case, rule)
        if because is None:
            continue
        if rule.tier == "none":
            return None, f"{group.name}: {rule.says}"
        return _alert(case, group, rule, because), None
    if group.tier == "none":
        return None, None
    return _alert(case, group, None, ()), None


def _holds(case: _Case, rule: DrugCase) -> tuple[Finding, ...] | None:
    """The findings by which every condition of a case holds; None if one does not."""
    because: list[Finding] = []
    for what, values in rule.when.items():
        found = _CONDITIONS[what](case, values)
        if found is None:
            return None
        because += found
    return tuple(because)


def _route(case: _Case, values: Sequence[str]) -> list[Finding] | None:
    if case.route is None:
        case.unknown.append("by which way it is given")
        return None
    return [_found("order.route", route=case.route)] if case.route in values else None


def _indication(case: _Case, values: Sequence[str]) -> list[Finding] | None:
    hit = [reason for reason in case.reason if reason in values]
    if not hit:
        return None
    if hit == [NOTHING]:
        return [_found("order.no_reason")]
    text = case.order.for_what or ", ".join(case.order.for_codes)
    one = case.knowledge.indications[hit[0]]
    return [_found("order.reason", stated=text, says=one.says, source=one.source, status=one.status)]


def _recorded(case: _Case, values: Sequence[str]) -> list[Finding] | None:
    for name in values:
        shown = case.recorded(name)
        if shown.truth is Truth.MET:
            one = case.knowledge.indications[name]
            signs = ", ".join(shown.signs)
            return [_found("record.condition", signs=signs, says=one.says, source=one.source, status=one.status)]
    return None


def _immunoglobulin(case: _Case, values: Sequence[str]) -> list[Finding] | None:
    now = case.infusions
    if now.given is Truth.UNKNOWN:
        # Not known is not no: the warning is given, and says on what it rests.
        case.unknown.append("whether immunoglobulin is given")
        return [_found("immunoglobulin.unknown")] if "around" not in values else None
    if "vaccine_interval" in values:
        free = vaccine_from(now, case.knowledge)
        if now.last is None and now.given is Truth.MET:
            return [_found("immunoglobulin.given")]
        if free is None or case.day >= free[0]:
            return None
        return [
            _found("vaccine.from", last=str(now.last), first=free[0].isoformat(), months=free[1], grams_per_kg=free[2])
        ]
    if "around" in values:
        if now.around is not Truth.MET:
            return None
        return [_found("immunoglobulin.around", last=_said(now.last), next=_said(now.next))]
    if now.given is not Truth.MET:
        return None
    return [_found("immunoglobulin.given", last=_said(now.last))]


def _risk(case: _Case, values: Sequence[str]) -> list[Finding] | None:
    for name in values:
        shown = case.risk(name)
        one = case.knowledge.risks[name]
        if shown.truth is Truth.MET:
            facts = {"risk": name, "signs": ", ".join(shown.signs)}
            return [Finding("record.risk", facts, source=one.source, status=one.status)]
        if shown.truth is Truth.UNKNOWN:
            case.unknown.append(f"whether there is a risk: {name}")
    return None


def _immunity(case: _Case, values: Sequence[str]) -> list[Finding] | None:
    shown = case.weak_immunity()
    return [_found("record.weak_immunity", signs=", ".join(shown.signs))] if shown.truth is Truth.MET else None


def _immunised(case: _Case, values: Sequence[str]) -> list[Finding] | None:
    for one in case.record.immunisations:
        known = known_drug(one.vaccine, one.code, case.knowledge)
        if one.given and known is not None and known.atc is not None and known.atc.startswith(tuple(values)):
            return [_found("record.immunised", vaccine=one.vaccine, day=one.on.isoformat())]
    case.unknown.append("which vaccines were given")
    return None


_CONDITIONS = {
    "route": _route,
    "indication": _indication,
    "recorded": _recorded,
    "immunoglobulin": _immunoglobulin,
    "risk": _risk,
    "immunity": _immunity,
    "immunised": _immunised,
}
"""What the conditions of knowledge/safety/drugs.yaml mean."""


def vaccine_from(now: Giving, knowledge: Knowledge) -> tuple[date, int, float | None] | None:
    """First day for a measles- or varicella-containing vaccine, the months waited, and the dose they stand on [g/kg].

    Without a weight the longest interval holds. None where no immunoglobulin is recorded. Source: cdc_acip_intervals.
    """
    if now.last is None:
        return None
    number = {name: each.value for name, each in knowledge.drug_numbers.items()}
    dose = now.grams_per_kg
    if dose is None or dose > number["live_dose_middle"]:
        months = number["live_vaccine_high"]
    elif dose > number["live_dose_low"]:
        months = number["live_vaccine_middle"]
    else:
        months = number["live_vaccine_low"]
    return months_later(now.last, round(months)), round(months), dose


def months_later(day: date, months: int) -> date:
    """The same day some months later; the last of the month where there is no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _alert(case: _Case, group: DrugGroup, rule: DrugCase | None, because: tuple[Finding, ...]) -> Alert:
    taken = [line for line, known in case.taken() if group in group_of(known, case.knowledge)]
    facts = list(because)
    facts += [_found("drug.taken", drug=t.name, since=_said(t.since)) for t in taken]
    if rule is None and case.reason == (OTHER,):
        facts.append(_found("order.reason_unknown", stated=case.order.for_what or ""))
    support = tuple(support_of(claim, case.knowledge) for claim in group.claims)
    own = (group.source,) if group.source else ()
    found = tuple(s for finding in facts for f in finding.walk() if (s := f.source))
    cited = {*own, *found, *(s for one in support for s in (*one.supports, *one.against))}
    if any(f.name == "vaccine.from" for f in facts):
        cited.add(str(case.knowledge.drug_numbers["live_vaccine_high"].source))
    return Alert(
        id=f"{group.id}.{rule.id}" if rule else group.id,
        tier=rule.tier if rule else group.tier,
        summary=rule.says if rule else group.says,
        why=group.why,
        do=(rule.do if rule and rule.do else group.instead),
        instead=group.instead,
        do_not_stop=group.stop,
        because=tuple(facts),
        unless=_unless(group, rule, case.knowledge),
        support=support,
        sources=tuple(sorted(cited)),
        unverified=_unverified(group, support),
        taken=bool(taken),
    )


def _unless(group: DrugGroup, rule: DrugCase | None, knowledge: Knowledge) -> tuple[str, ...]:
    """The legitimate exceptions of a group in short, for the person who knows more than the record."""
    if rule is not None:
        return ()
    routes = [route for case in group.cases for route in case.when.get("route", ())]
    reasons = [name for case in group.cases for name in case.when.get("indication", ()) if name != NOTHING]
    said = [f"given: {', '.join(dict.fromkeys(routes))}"] if routes else []
    return tuple(said + [f"for {knowledge.indications[name].says}" for name in dict.fromkeys(reasons)])


def support_of(claim: str, knowledge: Knowledge) -> Support:
    """A claim with its certainty and the sources for and against it."""
    one = knowledge.claims[claim]
    return Support(
        claim=claim,
        says=one.says,
        certainty=one.certainty.level,
        why=one.certainty.why,
        supports=tuple(dict.fromkeys(p.source for p in one.evidence if p.direction == "for")),
        against=tuple(dict.fromkeys(p.source for p in one.evidence if p.direction == "against")),
        unverified=any(p.status not in ("read", "computed") for p in one.evidence),
    )


def _unverified(group: DrugGroup, support: Sequence[Support]) -> tuple[str, ...]:
    """What of an alert was not read in its own source."""
    said = [f"{group.name}: {group.status}"] if group.status not in ("read", "computed") else []
    return tuple(said + [f"{one.claim}: part of its evidence" for one in support if one.unverified])


def _allergy(case: _Case) -> Alert | None:
    """A recorded allergy to the very drug that is ordered."""
    for one in case.record.allergies:
        known = known_drug(one.to, one.code, case.knowledge)
        same = known is not None and (known.atc or known.name) == (case.drug.atc or case.drug.name)
        if not same and plain(one.to) != plain(case.drug.name):
            continue
        facts: dict[str, Fact] = {"to": one.to, "reaction": one.reaction, "severity": one.severity}
        return Alert(
            id="allergy",
            tier="danger",
            summary=f"An allergy to {case.drug.name[:60]} is recorded.",
            why=f"Recorded: {one.to}{f', {one.reaction}' if one.reaction else ''}.",
            do="Do not give it before the allergy has been clarified.",
            instead="Another drug for the same purpose.",
            do_not_stop="If it is already being taken and tolerated, the entry may be wrong: ask before stopping.",
            because=(Finding("record.allergy", facts),),
            unless=(),
            support=(),
            sources=(),
            unverified=(),
        )
    return None


def _found(name: str, source: str | None = None, status: str | None = None, **facts: Fact) -> Finding:
    return Finding(name, facts, source=source, status=status)


def _said(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
