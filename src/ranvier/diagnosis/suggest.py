"""The examinations and tests that would tell most next: expected information, less their cost and harm."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from ranvier.diagnosis import criteria, differential
from ranvier.diagnosis.differential import Evidence
from ranvier.diagnosis.nouns import Book, CriteriaSet, Facts, Outcome, Pattern, Procedure, Setting, Suggestion
from ranvier.ground.findings import Finding
from ranvier.ground.truth import Truth


def suggest(book: Book, setting: Setting, facts: Facts, pattern: Pattern | None) -> tuple[Suggestion, ...]:
    """The best few procedures, best first.

    The information of a procedure is that of its most informative unknown finding: a lower bound, because its findings are
    not independent. A procedure that could change the class of the leading criteria is worth a fixed amount on top.
    """
    items, _ = differential.evidence_of(book, facts, pattern)
    now = differential.posterior(book, setting, items)
    leads = next((s for s in book.sets if s.leads), book.sets[0])
    offers = [o for p in book.procedures if (o := _offer(book, setting, facts, items, now, leads, p)) is not None]
    worth = [
        (
            offer.bits
            + (book.numbers["class_bits"].value if offer.class_could_become else 0.0)
            - book.numbers["cost_bits"].value * offer.cost
            - book.numbers["harm_bits"].value * offer.harm,
            offer,
        )
        for offer in offers
        if offer.bits >= book.numbers["least_bits"].value or offer.class_could_become
    ]
    ranked = sorted(worth, key=lambda each: (-round(each[0], 9), each[1].test))
    return tuple(offer for _, offer in ranked[: int(book.numbers["suggestions"].value)])


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
    best_bits, outcomes = 0.0, ()
    for name in asked:
        if name not in book.likelihoods:
            continue
        bits, both = _information(book, setting, facts, items, now, name)
        if bits > best_bits:
            best_bits, outcomes = bits, both
    becomes = _class_change(book, facts, leads, asked)
    if not asked or (best_bits <= 0 and becomes is None):
        return None
    facts_ = {
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
        then = differential.posterior(book, setting, _with(book, facts, items, name, truth))
        after += chance * entropy(then)
        leading = max(then, key=lambda c: (then[c], c))
        outcomes.append(Outcome(name, truth is Truth.MET, chance, leading, then[leading]))
    return max(0.0, entropy(now) - after), tuple(outcomes)


def _with(
    book: Book, facts: Facts, items: tuple[Evidence, ...], name: str, truth: Truth
) -> tuple[Evidence, ...]:  # fmt: skip
    """The items in use if `name` were answered: it takes its group's place where it separates more than what is there."""
    item = differential.item_of(book, {**facts, name: replace(facts[name], truth=truth)}, name)
    if item is None:
        return items
    there = next((i for i in items if i.group == item.group), None)
    if there is not None and there.separates >= item.separates:
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
