"""The examinations and tests that would tell most next: expected information, less their cost and harm."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from ranvier.diagnosis import criteria, differential
from ranvier.diagnosis.differential import Evidence
from ranvier.diagnosis.nouns import Book, CriteriaSet, Facts, Outcome, Pattern, Procedure, Setting, Suggestion
from ranvier.ground.findings import Fact, Finding
from ranvier.ground.truth import Truth


def suggest(book: Book, setting: Setting, facts: Facts, pattern: Pattern | None) -> tuple[Suggestion, ...]:
    """The best few procedures, best first.

    The information of a procedure is that of its two most informative unknown findings of different groups: a lower bound,
    because it may answer more. A procedure that could change the class of the leading criteria is worth more, the likelier MMN is.
    """
    items, _ = differential.evidence_of(book, setting, facts, pattern)
    now = differential.posterior(book, setting, items)
    leads = next((s for s in book.sets if s.leads), book.sets[0])
    offers = [o for p in book.procedures if (o := _offer(book, setting, facts, items, now, leads, p)) is not None]
    worth = [(_worth(book, offer, now), offer) for offer in offers]
    worth = [each for each in worth if each[0] >= book.numbers["least_bits"].value]
    ranked = sorted(worth, key=lambda each: (-round(each[0], 9), each[1].test))
    return _few(book, [offer for _, offer in ranked])


def _worth(book: Book, offer: Suggestion, now: Mapping[str, float]) -> float:
    """Information and, as far as it may be MMN at all, a change of class; less cost and harm [bit]."""
    n = book.numbers
    change = n["class_bits"].value * now["mmn"] if offer.class_could_become else 0.0
    return offer.bits + change - n["cost_bits"].value * offer.cost - n["harm_bits"].value * offer.harm


def _few(book: Book, ranked: list[Suggestion]) -> tuple[Suggestion, ...]:
    """The best few; where tests are worth doing too, the bedside leaves them a place."""
    most, bedside = int(book.numbers["suggestions"].value), int(book.numbers["bedside"].value)
    free = [s for s in ranked if s.cost == 0 and s.harm == 0]
    tests = [s for s in ranked if s not in free]
    left_out = free[max(bedside, most - len(tests)) :]
    return tuple(s for s in ranked if s not in left_out)[:most]


def entropy(probabilities: Mapping[str, float]) -> float:
    """Uncertainty of a distribution [bit]."""
    return -math.fsum(p * math.log2(p) for p in probabilities.values() if p > 0)


def _offer(
    book: Book,
    setting: Setting,
    facts: Facts,
    items: tuple[Evidence, ...],
    now: Mapping[str, float],
    leads: CriteriaSet,
    procedure: Procedure,
) -> Suggestion | None:
    """What one procedure would tell; None where all that it answers is known."""
    asked = [name for name in procedure.answers if facts[name].truth is Truth.UNKNOWN]
    by_group: dict[str, tuple[float, str, tuple[Outcome, ...]]] = {}
    for name in asked:
        if name in book.likelihoods:
            bits, both = _information(book, setting, facts, items, now, name)
            group = book.questions[name].group
            by_group[group] = max(by_group.get(group, (0.0, "", ())), (bits, name, both), key=lambda each: each[:2])
    ranked = sorted(by_group.values(), key=lambda each: (-each[0], each[1]))
    best_bits, outcomes = (ranked[0][0], ranked[0][2]) if ranked else (0.0, ())
    if len(ranked) > 1:
        best_bits = max(best_bits, _together(book, setting, facts, items, now, ranked[0][1], ranked[1][1]))
    becomes = _class_change(book, facts, leads, asked)
    if not asked or (best_bits <= 0 and becomes is None):
        return None
    facts_: dict[str, Fact] = {
        "test": procedure.id,
        "says": procedure.says,
        "bits": best_bits,
        "cost": procedure.cost,
        "harm": procedure.harm,
        "class": becomes,
    }
    because = Finding("diagnosis.suggestion", facts_, (), procedure.backing.source, procedure.backing.status)
    return Suggestion(
        procedure.id,
        procedure.says,
        best_bits,
        procedure.cost,
        procedure.harm,
        tuple(asked),
        outcomes,
        becomes,
        because,
    )


def _information(
    book: Book,
    setting: Setting,
    facts: Facts,
    items: tuple[Evidence, ...],
    now: Mapping[str, float],
    name: str,
) -> tuple[float, tuple[Outcome, ...]]:
    """Expected fall of uncertainty [bit] if `name` became known, and what either answer would mean."""
    likelihood = book.likelihoods[name]
    p_met = math.fsum(now[c] * likelihood.of(c).value for c in now)
    after, outcomes = 0.0, []
    for truth, chance in ((Truth.MET, p_met), (Truth.NOT_MET, 1 - p_met)):
        then = differential.posterior(book, setting, _with(book, facts, items, now, name, truth))
        after += chance * entropy(then)
        leading = max(then, key=lambda c: (then[c], c))
        outcomes.append(Outcome(name, truth is Truth.MET, chance, leading, then[leading]))
    return max(0.0, entropy(now) - after), tuple(outcomes)


def _together(
    book: Book,
    setting: Setting,
    facts: Facts,
    items: tuple[Evidence, ...],
    now: Mapping[str, float],
    one: str,
    two: str,
) -> float:
    """Expected fall of uncertainty [bit] if two findings of different groups became known."""
    after = 0.0
    for first in (Truth.MET, Truth.NOT_MET):
        for second in (Truth.MET, Truth.NOT_MET):
            chance = math.fsum(p * _share(book, one, first, c) * _share(book, two, second, c) for c, p in now.items())
            both = _with(book, facts, _with(book, facts, items, now, one, first), now, two, second)
            after += chance * entropy(differential.posterior(book, setting, both))
    return max(0.0, entropy(now) - after)


def _share(book: Book, name: str, truth: Truth, condition: str) -> float:
    met = book.likelihoods[name].of(condition).value
    return met if truth is Truth.MET else 1 - met


def _with(
    book: Book, facts: Facts, items: tuple[Evidence, ...], now: Mapping[str, float], name: str, truth: Truth
) -> tuple[Evidence, ...]:
    """The items in use if `name` were answered: it takes its group's place where it moves beliefs more than what is there."""
    item = differential.item_of(book, {**facts, name: replace(facts[name], truth=truth)}, name)
    if item is None:
        return items
    there = next((i for i in items if i.group == item.group), None)
    if there is not None and there.moves(now) >= item.moves(now):
        return items
    return (*(i for i in items if i is not there), item)


def _class_change(book: Book, facts: Facts, leads: CriteriaSet, asked: list[str]) -> str | None:
    """The class that the leading criteria would give if all that is asked came out as it mostly does in MMN; or the other way."""
    truths = {name: stated.truth for name, stated in facts.items()}
    class_ = criteria.class_of(leads, truths)[0]
    in_mmn = {name: book.likelihoods[name].of("mmn").value >= 0.5 for name in asked if name in book.likelihoods}
    favourable = dict(truths)
    for name in asked:
        favourable[name] = Truth.MET if in_mmn.get(name, True) else Truth.NOT_MET
    after = criteria.class_of(leads, criteria.closed(favourable, book.questions))[0]
    if after not in (class_, criteria.UNKNOWN):
        return after
    for name in asked:  # one unfavourable answer may settle it too
        other = Truth.NOT_MET if in_mmn.get(name, True) else Truth.MET
        after = criteria.class_of(leads, criteria.closed({**truths, name: other}, book.questions))[0]
        if after not in (class_, criteria.UNKNOWN):
            return after
    return None
