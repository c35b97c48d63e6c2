"""What to look at next: the muscle or the stretch of nerve whose result is expected to tell most.

Expected information [bit] = how much the result would tell about which explanation holds, plus, weighed with the
probability of a multiple mononeuropathy, how much it would tell about the site that is most in doubt. Both are mutual
informations between what is unknown and a result not yet seen. Variants are taken as usual here, to keep it quick.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ranvier.anatomy.limb import LIMBS, SIDES, Limb
from ranvier.anatomy.many import Many
from ranvier.anatomy.nouns import NextTest, SiteEvidence, StrengthFinding
from ranvier.anatomy.patterns import Answer, Patterns, Place
from ranvier.anatomy.strength import GRADE_INDEX, WHOLE
from ranvier.anatomy.tree import Tree, walk
from ranvier.ground.findings import Finding as Reason

Floats = NDArray[np.float64]
WANTED = 3
OPEN = 0.03  # a site this far from certainty is worth asking about
ROWS = [GRADE_INDEX[g] for g in WHOLE]
MOST_TIER = 2  # needle-only and variable muscles are not proposed


def information(prior: Floats, given: Floats) -> float:
    """Mutual information [bit] of a state with `prior` (states,) and a result with P(result | state) (states, results)."""
    joint = prior[:, None] * given
    marginal = joint.sum(axis=0)
    outer = prior[:, None] * marginal
    at = joint > 0
    return float((joint[at] * np.log2(joint[at] / outer[at])).sum())


def most_telling(
    patterns: Patterns,
    after: Many,
    answers: Mapping[str, Answer],
    weight: Mapping[str, float],
    origin: Mapping[Place, Sequence[StrengthFinding]],
    conduction: Sequence[SiteEvidence],
) -> tuple[NextTest, ...]:
    """The three that tell most; of muscles on the same branch only the best."""
    names = list(weight)
    prior = np.array([weight[n] for n in names])
    many = names.index("multiple_mononeuropathy")
    found: list[tuple[float, NextTest, tuple[str, str]]] = []
    for limb in LIMBS:
        for side in SIDES:
            place = (limb, side)
            light = Limb(after.compiled.layout, limb, side, after.given.trees[place], variants=False, most=1)
            doubts = _Doubts(after, light, place)
            found += _muscles(patterns, after, answers, names, prior, many, origin[place], place, doubts)
            found += _studies(after, answers, names, prior, many, place, doubts, conduction)
    found.sort(key=lambda item: (-round(item[0], 9), item[1].kind, item[1].target, item[1].side))
    chosen: list[NextTest] = []
    taken: set[tuple[str, str]] = set()
    for _, test, branch in found:
        if branch not in taken:
            taken.add(branch)
            chosen.append(test)
        if len(chosen) == WANTED:
            break
    return tuple(chosen)


class _Doubts:
    """Sites of one limb that might or might not be lesioned, and what would follow from each being sound."""

    def __init__(self, after: Many, light: Limb, place: Place) -> None:
        self.after, self.light, self.place = after, light, place
        self.weights = after.compiled.layout.worlds * 1.0
        self.weights = self.weights * light.evidence_by_world
        self.outside = self.weights / light.evidence_by_world / self.weights.sum()
        self._sound = {k: float(self.outside @ v) for k, v in light.sound.items()}
        self._if_sound: dict[int, dict[int, list[Floats]]] = {}

    def level(self, t: int, v: int) -> Floats:
        """P(level at a site, world): (worlds, levels)."""
        site = self.light.trees[t].branching.sites[v]
        return np.asarray(self.outside[:, None] * self.light.level(site))

    def open_sites(self, t: int) -> list[int]:
        """Sites of a tree whose state is in doubt."""
        sites = self.light.trees[t].branching.sites
        return [i for i, site in enumerate(sites) if OPEN < self._sound[site] < 1 - OPEN]

    def best_site(self, t: int, v: int, kernel: Floats) -> float:
        """The most that a grade of a muscle at site v would tell about any one site of the tree [bit]."""
        if t not in self.light.touched:
            return 0.0
        if t not in self._if_sound:
            tree = self.light.trees[t]
            self._if_sound[t] = {}
            for i in self.open_sites(t):
                step = list(tree.step)
                step[i] = tree.whole[i]
                walked = walk(Tree(tree.branching, tree.switches, tree.found, step, tree.whole, index=tree.index))
                rest = self.light.rest[t][..., None] * self.outside[:, None, None]
                self._if_sound[t][i] = [(rest * level).sum(axis=1) for level in walked.level]
        whole = self.level(t, v)
        best = 0.0
        for levels in self._if_sound[t].values():
            sound = levels[v]
            lesioned = np.maximum(whole - sound, 0.0)
            states = np.array([sound.sum(), lesioned.sum()])
            if states.min() < 1e-9:
                continue
            given = np.stack(
                [np.tensordot(sound, kernel, 2) / states[0], np.tensordot(lesioned, kernel, 2) / states[1]]
            )
            best = max(best, information(states / states.sum(), given))
        return best


def _muscles(
    patterns: Patterns,
    after: Many,
    answers: Mapping[str, Answer],
    names: Sequence[str],
    prior: Floats,
    many: int,
    findings: Sequence[StrengthFinding],
    place: Place,
    doubts: _Doubts,
) -> list[tuple[float, NextTest, tuple[str, str]]]:
    limb, side = place
    layout = after.compiled.layout
    tested = {f.muscle for f in findings}
    grades = after.compiled.levels[ROWS]
    grades = grades / grades.sum(axis=0)
    kernel = layout.kernel @ grades.T  # (worlds, level of the nerve, grade)
    found = []
    for muscle in after.anatomy.muscles.values():
        if muscle.limb != limb or muscle.tier > MOST_TIER or muscle.id in tested:
            continue
        t, v = layout.place[muscle.site]
        given = np.empty((len(names), len(ROWS)))
        for i, name in enumerate(names):
            if i == many:
                given[i] = np.tensordot(doubts.level(t, v), kernel, 2)
            else:
                given[i] = patterns.foreseen(name, answers[name], place, muscle.id, ROWS)
        given = given / given.sum(axis=1, keepdims=True)
        about_explanation = information(prior, given)
        about_site = float(prior[many]) * doubts.best_site(t, v, kernel)
        bits = about_explanation + about_site
        reason = Reason(
            "anatomy.expected", {"about_explanation": round(about_explanation, 4), "about_site": round(about_site, 4)}
        )
        test = NextTest("muscle", muscle.id, muscle.name, side, bits, (reason,))
        found.append((bits, test, (muscle.site, side)))
    return found


def _studies(
    after: Many,
    answers: Mapping[str, Answer],
    names: Sequence[str],
    prior: Floats,
    many: int,
    place: Place,
    doubts: _Doubts,
    conduction: Sequence[SiteEvidence],
) -> list[tuple[float, NextTest, tuple[str, str]]]:
    limb, side = place
    layout, numbers = after.compiled.layout, after.anatomy.likelihood.numbers
    finds, false = numbers["study_finds"], numbers["study_false"]
    single = answers["single_mononeuropathy"].parts
    done = {(site, s.side) for s in conduction for site in s.sites}
    found = []
    for study in after.anatomy.studies.values():
        t, _ = layout.place[study.sites[0]]
        if after.anatomy.sites[study.sites[0]].limb != limb or any((s, side) in done for s in study.sites):
            continue
        tree = doubts.light.trees[t]
        step = [
            whole if site in study.sites else step
            for site, step, whole in zip(tree.branching.sites, tree.step, tree.whole, strict=True)
        ]
        walked = walk(Tree(tree.branching, tree.switches, tree.found, step, tree.whole, index=tree.index), down=False)
        sound = float((doubts.light.rest[t] * walked.evidence).sum(axis=1) @ doubts.outside)
        lesion = np.zeros(len(names))
        lesion[many] = 1 - sound
        lesion[names.index("single_mononeuropathy")] = sum(single.get((s, side), 0.0) for s in study.sites)
        block = lesion * finds + (1 - lesion) * false
        about_explanation = information(prior, np.stack([block, 1 - block], axis=1))
        states = np.array([sound, 1 - sound])
        about_site = float(prior[many]) * information(states, np.array([[false, 1 - false], [finds, 1 - finds]]))
        bits = about_explanation + about_site
        reason = Reason(
            "anatomy.expected", {"about_explanation": round(about_explanation, 4), "about_site": round(about_site, 4)}
        )
        name = f"{after.anatomy.nerves[study.nerve].name}, {study.distal} to {study.proximal}"
        found.append((bits, NextTest("conduction", study.id, name, side, bits, (reason,)), (study.id, side)))
    return found
