"""What one examination brings: sorted by limb and side, in the forms that the kinds of explanation need."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ranvier.anatomy.limb import LIMBS, SIDES, Evidence, Finding, Layout
from ranvier.anatomy.nouns import GRADES, Anatomy, Dependence, Examination, SiteEvidence, StrengthFinding
from ranvier.anatomy.patterns import Patterns, Place, Seen
from ranvier.anatomy.strength import GRADE_INDEX, grades_at_loss, level_grades, loss_of
from ranvier.ground.truth import Truth


class Compiled:
    """All that depends on the map and on the prior of nerves, not on the person."""

    def __init__(self, anatomy: Anatomy, nerves: Mapping[str, float]) -> None:
        self.anatomy = anatomy
        self.nerves = dict(nerves)
        self.layout = Layout(anatomy, nerves)
        self.patterns = Patterns(self.layout)
        self.levels = level_grades(anatomy.likelihood)
        self.losses = loss_of(np.array(anatomy.likelihood.levels))


_KEPT: list[Compiled] = []
_MOST_KEPT = 4


def compiled_for(anatomy: Anatomy, nerves: Mapping[str, float]) -> Compiled:
    """The tables of this map and prior, made at the first call and kept for the next."""
    for kept in _KEPT:
        if kept.anatomy is anatomy and kept.nerves == dict(nerves):
            return kept
    made = Compiled(anatomy, nerves)
    _KEPT.append(made)
    del _KEPT[:-_MOST_KEPT]
    return made


@dataclass(frozen=True)
class Given:
    """The examination, sorted by limb and side, in the two forms that the two kinds of explanation need."""

    trees: Mapping[Place, tuple[Finding, ...]]
    seen: Mapping[Place, tuple[Seen, ...]]
    evidence: Mapping[Place, tuple[Evidence, ...]]
    origin: Mapping[Place, tuple[StrengthFinding, ...]]
    leverage: tuple[tuple[StrengthFinding, Dependence, str], ...]  # what lacked leverage, on what, and its grade
    redundant: tuple[StrengthFinding, ...]
    log_scale: float


def sort_input(examination: Examination, compiled: Compiled, conduction: Sequence[SiteEvidence]) -> Given:
    """The examination and the studied stretches by limb and side, in one order whatever the order of the input."""
    anatomy = compiled.anatomy
    _refuse_nonsense(examination, anatomy, conduction)
    places: list[Place] = [(limb, side) for limb in LIMBS for side in SIDES]
    trees: dict[Place, list[Finding]] = {p: [] for p in places}
    seen: dict[Place, list[Seen]] = {p: [] for p in places}
    origin: dict[Place, list[StrengthFinding]] = {p: [] for p in places}
    leverage, redundant = [], []
    tested = {(f.muscle, f.side) for f in examination.findings}
    log_scale = 0.0
    # One order for all, whatever order the examiner wrote in: then sums come out the same to the last digit.
    order = {name: i for i, name in enumerate((*anatomy.muscles, *anatomy.groups))}
    for finding in sorted(examination.findings, key=lambda f: (order[f.muscle], f.side)):
        members = _members(finding, anatomy, tested)
        if not members:
            redundant.append(finding)
            continue
        place = (anatomy.muscles[next(iter(members))].limb, finding.side)
        lacking = _leverage(finding, examination, anatomy)
        chance = anatomy.likelihood.numbers["pseudo_weakness"] if lacking else 0.0
        extra = -math.log(lacking[0].left) if lacking else 0.0
        grade = GRADE_INDEX[finding.grade]
        like = compiled.levels[grade]
        if chance:
            weaker = grades_at_loss(anatomy.likelihood, compiled.losses + extra)[grade]
            like = (1 - chance) * like + chance * weaker
            if finding.weak and lacking:
                leverage.append((finding, *lacking))
        top = float(like.max())
        log_scale += math.log(top)
        trees[place].append(Finding(finding.muscle, members, like / top))
        seen[place].append(
            Seen(grade, tuple(members.items()), finding.muscle in anatomy.muscles, (chance, extra), 1 / top)
        )
        origin[place].append(finding)
    evidence: dict[Place, list[Evidence]] = {p: [] for p in places}
    for i, stretch in enumerate(conduction):
        if stretch.found is not Truth.UNKNOWN:
            limb = anatomy.sites[stretch.sites[0]].limb
            evidence[limb, stretch.side].append(Evidence(str(i), stretch.sites, stretch.ratio))
    return Given(
        {p: tuple(v) for p, v in trees.items()},
        {p: tuple(v) for p, v in seen.items()},
        {p: tuple(v) for p, v in evidence.items()},
        {p: tuple(v) for p, v in origin.items()},
        tuple(leverage),
        tuple(redundant),
        log_scale,
    )


def _refuse_nonsense(examination: Examination, anatomy: Anatomy, conduction: Sequence[SiteEvidence]) -> None:
    """Faults of a calling program, not of a person's file (`read_text` sorts those out): the first one is raised."""
    seen = set()
    for f in examination.findings:
        if f.muscle not in anatomy.muscles and f.muscle not in anatomy.groups:
            raise KeyError(f"no muscle or movement {f.muscle!r} on the map")
        if f.side not in SIDES or f.grade not in GRADES:
            raise ValueError(f"{f.muscle}: {f.side!r} and {f.grade!r} are no side and grade")
        if (f.muscle, f.side) in seen:
            raise ValueError(f"{f.muscle} on the {f.side} is graded twice")
        seen.add((f.muscle, f.side))
    place = _tops(anatomy)
    for stretch in conduction:
        unknown = [s for s in stretch.sites if s not in anatomy.sites]
        if unknown or not stretch.sites:
            raise KeyError(f"no site {', '.join(unknown) or '(none named)'} on the map")
        if len({place[s] for s in stretch.sites}) > 1 or len(set(stretch.sites)) < len(stretch.sites):
            raise ValueError(f"{', '.join(stretch.sites)} are no stretch of one nerve")
        if stretch.side not in SIDES:
            raise ValueError(f"{stretch.side!r} is no side")
        if stretch.found is not Truth.UNKNOWN and not (math.isfinite(stretch.ratio) and stretch.ratio > 0):
            raise ValueError(f"a ratio of {stretch.ratio} says nothing; give a positive number")


def _tops(anatomy: Anatomy) -> dict[str, str]:
    """For each site the top of its tree."""
    top: dict[str, str] = {}
    for site in anatomy.sites.values():
        top[site.id] = top[site.parent] if site.parent else site.id
    return top


def _members(finding: StrengthFinding, anatomy: Anatomy, tested: set[tuple[str, str]]) -> dict[str, float]:
    """Muscles that the grade speaks of. A group says nothing about members that were tested by themselves."""
    if finding.muscle in anatomy.muscles:
        return {finding.muscle: 1.0}
    members = {m: s for m, s in anatomy.groups[finding.muscle].members.items() if (m, finding.side) not in tested}
    total = sum(members.values())
    return {m: s / total for m, s in members.items()}


def _leverage(finding: StrengthFinding, examination: Examination, anatomy: Anatomy) -> tuple[Dependence, str] | None:
    """What the test may have lacked leverage from, with the grade of that; of several, what costs most force."""
    found = None
    for dependence in anatomy.dependences:
        if dependence.dependent != finding.muscle:
            continue
        members = anatomy.groups[dependence.driver].members if dependence.driver in anatomy.groups else ()
        grades = [g for m in members if (g := examination.grade(m, finding.side)) is not None]
        # The strongest member holds the joint: a wrist that one extensor lifts is no dropped wrist.
        grade = max(grades, key=lambda g: GRADES[g]) if grades else examination.grade(dependence.driver, finding.side)
        if grade is None or GRADES[grade] > anatomy.likelihood.numbers["pseudo_from"]:
            continue
        if found is None or dependence.left < found[0].left:
            found = (dependence, grade)
    return found
