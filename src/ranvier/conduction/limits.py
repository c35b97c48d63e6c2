"""Which reference limit holds for this nerve, muscle, age and height; and the words that stand beside a number."""

from __future__ import annotations

from dataclasses import dataclass

from ranvier.conduction.load import ConductionKnowledge, Entry, Reference
from ranvier.conduction.nouns import ConductionStudy
from ranvier.ground.findings import Fact, Finding
from ranvier.ground.units import nine_digits


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit that holds for a person. entry : where it stands; value : after age and height; assumed_muscle : see `limit`."""

    entry: Entry
    value: float
    assumed_muscle: str | None = None


def caveat(knowledge: ConductionKnowledge, id: str, **facts: Fact) -> Finding:
    """One caveat of knowledge/conduction/caveats.yaml with its facts. Raises KeyError for an unknown id."""
    known = knowledge.caveats[id]
    return Finding(id, facts, source=known.source, status=known.status)


def limit(
    reference: Reference,
    knowledge: ConductionKnowledge,
    study: ConductionStudy,
    what: str,
    *,
    age: float | None,
    height: float | None,
    region: str | None = None,
) -> Limit | None:
    """The most specific limit that holds; None if the set has none.

    A limit for one recording muscle is not used for another, except for velocity, which belongs to the nerve. Where the
    study names no muscle, the nerve's usual one is taken and `assumed_muscle` says so. Limits by age or height are used
    only where age or height are known.

    age : [a]
    height : [cm]
    """
    nerve = knowledge.nerves.get(study.nerve)
    usual = nerve.muscle if nerve else None
    muscle = study.muscle or usual
    best: tuple[int, Limit] | None = None
    for entry in reference.entries:
        if (entry.nerve, entry.kind, entry.what) != (study.nerve, study.kind, what):
            continue
        by_muscle = entry.muscle is not None and what != "velocity"
        if by_muscle and entry.muscle != muscle:
            continue
        if entry.region is not None and entry.region != region:
            continue
        if not (_within(entry.ages, age) and _within(entry.heights, height)):
            continue
        value = entry.value
        for slope, start, now in (
            (entry.height_slope, entry.height_from, height),
            (entry.age_slope, entry.age_from, age),
        ):
            if slope is None or start is None:
                continue
            if now is None:
                break
            value += slope * (now - start)
        else:
            score = (
                8 * (entry.region is not None)
                + 4 * by_muscle
                + 2 * (entry.ages is not None)
                + (entry.heights is not None)
            )
            assumed = muscle if by_muscle and study.muscle is None else None
            if value > 0 and (best is None or score > best[0]):
                best = (score, Limit(entry, nine_digits(value), assumed))
    return best[1] if best else None


def _within(band: tuple[float, float] | None, value: float | None) -> bool:
    return band is None or (value is not None and band[0] <= value <= band[1])
