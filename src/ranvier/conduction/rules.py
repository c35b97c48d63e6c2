"""One rule, one segment: each criterion in three values, and every class that what was not measured leaves open.

The class is found by asking the rule in all worlds that the known numbers allow: an unmeasured quantity takes a value
below, at, between and above each of its limits. What all worlds agree on is known even where a number is missing: an
area fall of 70 % without durations is at least probable by EFNS/PNS, because either way of its two ways is met.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ranvier.conduction.load import Leaf, Node, Rule, Variant
from ranvier.conduction.nouns import Class, Criterion, Verdict
from ranvier.ground.findings import Fact
from ranvier.ground.truth import Truth

BEYOND = "beyond_entrapment"
WITHIN_BAND = {">=", ">", "<=", "<"}


@dataclass(frozen=True, slots=True)
class Quantities:
    """What is known of a segment, for the rules.

    Attributes
    ----------
    known : quantity → number; None: not measured. Infinite where it lies beyond any limit, e.g. a distance between far sites
    region : the segment's region
    beyond_entrapment : see `SegmentFinding`
    proximal_absent, distal_absent, submaximal : see `Response`
    facts : quantity → further numbers behind it
    most : quantity that was not measured → what it cannot exceed, from what was measured
    """

    known: Mapping[str, float | None]
    region: str
    beyond_entrapment: Truth = Truth.MET
    proximal_absent: bool = False
    distal_absent: bool = False
    submaximal: bool = False
    facts: Mapping[str, Mapping[str, Fact]] = field(default_factory=dict)
    most: Mapping[str, float] = field(default_factory=dict)


def compare(value: float, comparison: str, limit: float) -> bool:
    """``value comparison limit`` for one of >=, >, <=, <."""
    if comparison == ">=":
        return value >= limit
    if comparison == ">":
        return value > limit
    return value <= limit if comparison == "<=" else value < limit


def truth(leaf: Leaf, given: Quantities) -> Truth:
    """Whether one condition is met."""
    if leaf.comparison == "in":
        return Truth.MET if given.region in leaf.among else Truth.NOT_MET
    value = _value(leaf.what, given)
    if value is None:
        most = given.most.get(leaf.what)
        if most is not None and leaf.comparison in (">", ">=") and not compare(most, leaf.comparison, leaf.limit):
            return Truth.NOT_MET
        return Truth.UNKNOWN
    return Truth.MET if compare(value, leaf.comparison, leaf.limit) else Truth.NOT_MET


def _value(what: str, given: Quantities) -> float | None:
    # Nothing comes from the proximal site: there is no duration, and nothing that could have spread.
    if what == "duration_rise" and given.proximal_absent:
        return 0.0
    return given.known.get(what)


def judge(rule: Rule, nerve: str, given: Quantities) -> Verdict:
    """The verdict of `rule` on one segment of `nerve`."""
    variant = next((v for v in rule.variants if v.fits(nerve, given.region)), None)
    if variant is None:
        at_site = given.beyond_entrapment is Truth.NOT_MET
        return _refused(rule, "at_entrapment" if at_site else "not_covered", ())
    criteria = tuple(_criteria(variant, given))
    if given.distal_absent:
        return _refused(rule, "distal_absent", criteria)
    if given.submaximal:
        return _refused(rule, "submaximal", criteria)
    if given.beyond_entrapment is Truth.NOT_MET:
        return _refused(rule, "at_entrapment", criteria)
    samples = _samples(variant, given)
    possible = _possible(variant, given, samples)
    class_ = _summary(possible)
    missing = tuple(q for q in samples if _matters(variant, given, samples, q))
    reason = "distal_too_small" if class_ is Class.NOT_EVALUABLE else None
    return Verdict(rule.id, class_, tuple(c for c in Class if c in possible), criteria, reason, missing=missing)


def _refused(rule: Rule, reason: str, criteria: tuple[Criterion, ...]) -> Verdict:
    return Verdict(rule.id, Class.NOT_EVALUABLE, (Class.NOT_EVALUABLE,), criteria, reason)


def _summary(possible: frozenset[Class]) -> Class:
    if len(possible) == 1:
        return next(iter(possible))
    return Class.PROBABLE if possible <= {Class.DEFINITE, Class.PROBABLE} else Class.UNKNOWN


# ---- worlds -------------------------------------------------------------------------------------------------------


def _leaves(node: Node | Leaf | None) -> Iterator[Leaf]:
    if isinstance(node, Leaf):
        yield node
    elif node is not None:
        for part in node.of:
            yield from _leaves(part)


def _all_leaves(variant: Variant) -> Iterator[Leaf]:
    yield from variant.evaluable
    yield from variant.needed
    yield from _leaves(variant.definite)
    yield from _leaves(variant.probable)


def _samples(variant: Variant, given: Quantities) -> dict[str, tuple[float, ...]]:
    """For each quantity that is asked and not known, values that stand for every way it could fall among its limits."""
    limits: dict[str, set[float]] = {}
    for leaf in _all_leaves(variant):
        if leaf.comparison in WITHIN_BAND and _value(leaf.what, given) is None:
            limits.setdefault(leaf.what, set()).add(leaf.limit)
    samples: dict[str, tuple[float, ...]] = {}
    for what, found in limits.items():
        edges = sorted(found)
        middles = [(a + b) / 2 for a, b in itertools.pairwise(edges)]
        values = {-math.inf, *edges, *middles, math.inf}
        most = given.most.get(what, math.inf)
        samples[what] = tuple(sorted({min(value, most) for value in values}))
    if given.beyond_entrapment is Truth.UNKNOWN:
        samples[BEYOND] = (0.0, 1.0)
    return samples


def _possible(variant: Variant, given: Quantities, samples: Mapping[str, tuple[float, ...]]) -> frozenset[Class]:
    names = list(samples)
    found = set()
    for values in itertools.product(*(samples[n] for n in names)):
        found.add(_class(variant, given, dict(zip(names, values, strict=True))))
    return frozenset(found)


def _matters(variant: Variant, given: Quantities, samples: Mapping[str, tuple[float, ...]], what: str) -> bool:
    """Whether knowing `what` could narrow the classes that are open."""
    each = {_possible(variant, given, {**samples, what: (value,)}) for value in samples[what]}
    return len(each) > 1


def _class(variant: Variant, given: Quantities, world: Mapping[str, float]) -> Class:
    def met(leaf: Leaf) -> bool:
        if leaf.comparison == "in":
            return given.region in leaf.among
        value = world.get(leaf.what)
        if value is None:
            value = _value(leaf.what, given)
        assert value is not None  # every unknown quantity is in `world`
        return compare(value, leaf.comparison, leaf.limit)

    def holds(node: Node | Leaf | None) -> bool:
        if node is None:
            return False
        if isinstance(node, Leaf):
            return met(node)
        return all(map(holds, node.of)) if node.how == "all" else any(map(holds, node.of))

    if not all(map(met, variant.evaluable)):
        return Class.NOT_EVALUABLE
    if world.get(BEYOND) == 0.0 or not all(map(met, variant.needed)):
        return Class.NONE
    if holds(variant.definite):
        return Class.DEFINITE
    return Class.PROBABLE if holds(variant.probable) else Class.NONE


# ---- what is shown ------------------------------------------------------------------------------------------------


def _criteria(variant: Variant, given: Quantities) -> Iterator[Criterion]:
    for role, leaves in (
        ("evaluable", variant.evaluable),
        ("needed", variant.needed),
        ("definite", tuple(_leaves(variant.definite))),
        ("probable", tuple(_leaves(variant.probable))),
    ):
        seen: dict[str, int] = {}
        for leaf in leaves:
            seen[leaf.what] = seen.get(leaf.what, 0) + 1
            number = f".{seen[leaf.what]}" if seen[leaf.what] > 1 else ""
            yield _criterion(f"{role}.{leaf.what}{number}", leaf, role, given)
    yield Criterion(
        f"needed.{BEYOND}",
        BEYOND,
        given.beyond_entrapment,
        None,
        "is",
        None,
        "",
        "needed",
        "olney2003_aaem",
        "read-2nd",
    )


def _criterion(id: str, leaf: Leaf, role: str, given: Quantities) -> Criterion:
    facts: dict[str, Fact] = dict(given.facts.get(leaf.what, {}))
    value = given.known.get(leaf.what)
    if leaf.comparison == "in":
        facts |= {"region": given.region, "among": ", ".join(leaf.among)}
    if leaf.what == "duration_rise" and given.proximal_absent:
        facts["proximal_absent"] = True
    if value is None and leaf.what in given.most:
        facts["at_most"] = given.most[leaf.what]
    return Criterion(
        id=id,
        what=leaf.what,
        truth=truth(leaf, given),
        value=value if value is not None and math.isfinite(value) else None,
        comparison="is" if leaf.comparison == "in" else leaf.comparison,
        limit=None if leaf.comparison == "in" else leaf.limit,
        unit=leaf.unit,
        role=role,
        source=leaf.source,
        status=leaf.status,
        where=leaf.where,
        facts=facts,
    )
