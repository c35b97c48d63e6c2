"""What else it could be: priors, one item per kind of test, unknown is neutral, no probability is ever 0 or 1."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ranvier.diagnosis.nouns import Book, Candidate, Facts, Pattern, Setting, Weight
from ranvier.ground.findings import Finding
from ranvier.ground.truth import Truth

PATTERN = "pattern"  # the group of what the examination by muscles says


@dataclass(frozen=True, slots=True)
class Evidence:
    """One item that may take part: for each condition the log-likelihood of what was found [nat]."""

    finding: str
    group: str
    truth: Truth
    log: Mapping[str, float]
    because: Finding
    decisive: bool = False

    def moves(self, beliefs: Mapping[str, float]) -> float:
        """How far it moves these beliefs: divergence of what they become from what they were [nat]."""
        likelihood = {c: math.exp(log) for c, log in self.log.items()}
        total = math.fsum(p * likelihood[c] for c, p in beliefs.items())
        return math.fsum(p * likelihood[c] / total * math.log(likelihood[c] / total) for c, p in beliefs.items())


Chosen = tuple[tuple[Evidence, ...], tuple[Evidence, ...]]


def evidence_of(book: Book, setting: Setting, facts: Facts, pattern: Pattern | None) -> Chosen:
    """What takes part, and what is known but stands behind a stronger item of its group.

    Of each group the item counts that moves beliefs most: first those of the setting, then once more what all the other
    groups have left of them.
    """
    groups: dict[str, list[Evidence]] = {}
    for name in book.likelihoods:
        if (item := item_of(book, facts, name)) is not None:
            groups.setdefault(item.group, []).append(item)
    if pattern is not None:
        groups.setdefault(PATTERN, []).append(pattern_item(book, pattern))
    priors = {name: cell.value for name, cell in setting.priors.items()}
    first = {group: _strongest(items, priors) for group, items in groups.items()}
    used = {}
    for group, items in groups.items():
        others = tuple(item for other, item in first.items() if other != group)
        used[group] = _strongest(items, posterior(book, setting, others))
    behind = tuple(item for group, items in groups.items() for item in items if item is not used[group])
    return tuple(used.values()), behind


def _strongest(items: list[Evidence], beliefs: Mapping[str, float]) -> Evidence:
    return max(items, key=lambda item: (round(item.moves(beliefs), 9), item.finding))


def item_of(book: Book, facts: Facts, name: str) -> Evidence | None:
    """The evidence in one finding; None where it is unknown, silenced, or its absence says nothing."""
    likelihood, stated = book.likelihoods[name], facts[name]
    if likelihood.silenced_by is not None and facts[likelihood.silenced_by].truth is Truth.MET:
        return None
    if stated.truth is Truth.UNKNOWN or (stated.truth is Truth.NOT_MET and likelihood.weak_absence):
        return None
    if stated.truth is Truth.NOT_MET and _entailed(book, facts, name):
        return None
    shares = {c: likelihood.of(c).value for c in book.diseases}
    log = {c: math.log(p if stated.truth is Truth.MET else 1 - p) for c, p in shares.items()}
    cap = book.numbers["decisive_cap" if likelihood.decisive else "ratio_cap"].value
    return Evidence(
        name, book.questions[name].group, stated.truth, _capped(log, cap), stated.because, likelihood.decisive
    )


def _entailed(book: Book, facts: Facts, absent: str) -> bool:
    """Whether this absence only follows from something found that has a likelihood of its own: that says it all.

    P(several sites slow and not one alone | c) is P(several sites slow | c); the absence by itself would count the
    same observation as if it were the opposite one.
    """
    return any(
        facts[name].truth is Truth.MET and absent in book.questions[name].excludes
        for name in book.likelihoods
        if name in facts
    ) or any(
        facts[name].truth is Truth.MET
        for name in book.questions[absent].excludes
        if name in book.likelihoods and name in facts
    )


def pattern_item(book: Book, pattern: Pattern) -> Evidence:
    """The examination as one item: for each condition, the mean of the explanations' evidence by its shares."""
    floor = book.numbers["unnamed_pattern"].value
    log = {}
    for name, disease in book.diseases.items():
        unnamed = [e for e in pattern.evidence if e not in disease.patterns]
        left = max(0.0, 1 - sum(disease.patterns.get(e, 0.0) for e in pattern.evidence))
        shares = {e: max(floor, disease.patterns.get(e, left / max(1, len(unnamed)))) for e in pattern.evidence}
        total = sum(shares.values())
        log[name] = math.log(sum(share / total * pattern.evidence[e] for e, share in shares.items()))
    return Evidence(
        "pattern_of_weakness", PATTERN, Truth.MET, _capped(log, book.numbers["ratio_cap"].value), pattern.because
    )


def _capped(log: Mapping[str, float], cap: float) -> dict[str, float]:
    """No condition further behind the best than the cap: one item never decides alone."""
    best = max(log.values())
    return {name: max(value, best - math.log(cap)) for name, value in log.items()}


def posterior(book: Book, setting: Setting, items: tuple[Evidence, ...]) -> dict[str, float]:
    """P(condition | items), with a share of the answer left at the priors."""
    power = book.numbers["independence"].value
    powers = [1.0 if item.decisive else power for item in items]
    log = {
        c: math.log(setting.priors[c].value) + math.fsum(p * i.log[c] for p, i in zip(powers, items, strict=True))
        for c in book.diseases
    }
    top = max(log.values())
    raw = {c: math.exp(value - top) for c, value in log.items()}
    total, doubt = math.fsum(raw.values()), book.numbers["wrong_model"].value
    return {c: (1 - doubt) * raw[c] / total + doubt * setting.priors[c].value for c in raw}


def rank(book: Book, setting: Setting, items: tuple[Evidence, ...]) -> tuple[Candidate, ...]:
    """Every condition with its probability and what speaks for and against it, likeliest first."""
    probabilities = posterior(book, setting, items)
    candidates = []
    for name, disease in book.diseases.items():
        weights = [_weight(book, item, name, probabilities) for item in items]
        speaks = math.log(book.numbers["speaks"].value)
        for_ = sorted((w for w in weights if math.log(w.ratio) >= speaks), key=lambda w: (-w.ratio, w.finding))
        against = sorted((w for w in weights if math.log(w.ratio) <= -speaks), key=lambda w: (w.ratio, w.finding))
        candidates.append(
            Candidate(name, disease.name, setting.priors[name].value, probabilities[name], tuple(for_), tuple(against))
        )
    return tuple(sorted(candidates, key=lambda c: (-c.probability, c.condition)))


def _weight(book: Book, item: Evidence, condition: str, probabilities: Mapping[str, float]) -> Weight:
    """How many times likelier the item is in this condition than in the others, weighed by how probable those are now."""
    others = [c for c in item.log if c != condition]
    total = math.fsum(probabilities[c] for c in others)
    mean = math.fsum(probabilities[c] / total * math.exp(item.log[c]) for c in others)
    ratio = math.exp(item.log[condition]) / mean
    question = book.questions.get(item.finding)
    facts: dict[str, str | float | int | bool | None] = {
        "finding": item.finding,
        "says": question.says if question else "Pattern of weakness, muscle by muscle",
        "value": item.truth.value,
        "condition": condition,
        "ratio": ratio,
    }
    source = status = None
    if question:
        backing = book.likelihoods[item.finding].of(condition).backing
        source, status = backing.source, backing.status
        facts["where"] = backing.where
    else:
        backing = book.diseases[condition].patterns_backing
        source, status = backing.source, backing.status
        facts["where"] = backing.where
    says = str(facts["says"])
    because = Finding("diagnosis.weight", facts, (item.because,), source, status)
    return Weight(item.finding, says, item.truth, ratio, because)
