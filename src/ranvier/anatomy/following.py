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
from ranvier.anatomy.nouns import NextTest, SiteEvidence
from ranvier.anatomy.patterns import Answer, Place
from ranvier.anatomy.strength import GRADE_INDEX, WHOLE
from ranvier.anatomy.tree import Tree, walk
from ranvier.ground.findings import Finding as Reason

Floats = NDArray[np.float64]
Foreseen = Mapping[tuple[str, Place], Floats]
WANTED = 3
OPEN = 0.05  # a site this far from certainty is worth asking about
ROWS = [GRADE_INDEX[g] for g in WHOLE]
MOST_TIER = 2  # needle-only and variable muscles are not proposed


def information(prior: Floats, given: Floats) -> Floats:
    """Mutual information [bit] of a state and a result not yet seen.

    prior : P(state), (states,) or (states, n)
    given : P(result | state), (states, n, results)
    Returns one number for each of n questions.
    """
    if prior.ndim == 1:
        prior = prior[:, None]
    joint = prior[..., None] * given
    marginal = joint.sum(axis=0)
    return np.asarray(_entropy(marginal) - (prior * _entropy(given)).sum(axis=0))


def _entropy(p: Floats) -> Floats:
    """Entropy [bit] over the last axis."""
    return np.asarray(-(p * np.log2(np.maximum(p, 1e-300))).sum(axis=-1))


def most_telling(
    after: Many,
    answers: Mapping[str, Answer],
    weight: Mapping[str, float],
    foreseen: Foreseen,
    conduction: Sequence[SiteEvidence],
) -> tuple[NextTest, ...]:
    """The three that tell most; of muscles on the same branch only the best.

    foreseen : for each explanation and limb, P(grade | findings) of its muscles: (muscles, 16 grades)
    """
    names = list(weight)
    prior = np.array([weight[n] for n in names])
    many = names.index("multiple_mononeuropathy")
    found: list[tuple[float, NextTest, tuple[str, str]]] = []
    for limb in LIMBS:
        for side in SIDES:
            place = (limb, side)
            light = Limb(after.compiled.layout, limb, side, after.given.trees[place], variants=False, most=1)
            doubts = _Doubts(after, light, place)
            found += _muscles(after, foreseen, names, prior, many, place, doubts)
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
        worlds = after.compiled.layout.worlds
        self.outside = worlds / float(worlds @ light.evidence_by_world)
        self._sound = {k: float(self.outside @ v) for k, v in light.sound.items()}
        self._if_sound: dict[int, dict[int, list[Floats]]] = {}
        self._best: dict[str, float] = {}

    def level(self, t: int, v: int) -> Floats:
        """P(level at a site, world): (worlds, levels)."""
        site = self.light.trees[t].branching.sites[v]
        return np.asarray(self.outside[:, None] * self.light.level(site))

    def all_sound(self, t: int, sites: Sequence[str]) -> float:
        """P(no lesion of these sites of one tree)."""
        tree, layout = self.light.trees[t], self.after.compiled.layout
        if t not in self.light.touched:
            spared = np.prod([1.0 - layout.prior[site] for site in sites], axis=0)
            return float((self.light.evidence_by_world * spared) @ self.outside)
        step = [
            whole if site in sites else step
            for site, step, whole in zip(tree.branching.sites, tree.step, tree.whole, strict=True)
        ]
        walked = walk(Tree(tree.branching, tree.switches, tree.found, step, tree.whole, index=tree.index), down=False)
        return float((self.light.rest[t] * walked.evidence).sum(axis=1) @ self.outside)

    def open_sites(self, t: int) -> list[int]:
        """Sites of a tree whose state is in doubt."""
        sites = self.light.trees[t].branching.sites
        return [i for i, site in enumerate(sites) if OPEN < self._sound[site] < 1 - OPEN]

    def best_site(self, site: str, kernel: Floats) -> float:
        """The most that a grade of a muscle at `site` would tell about any one site of its tree [bit]."""
        if site not in self._best:
            self._best[site] = self._best_site(*self.after.compiled.layout.place[site], kernel)
        return self._best[site]

    def _best_site(self, t: int, v: int, kernel: Floats) -> float:
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
        if not self._if_sound[t]:
            return 0.0
        sound = np.stack([levels[v] for levels in self._if_sound[t].values()])  # (sites, worlds, levels)
        lesioned = np.maximum(self.level(t, v) - sound, 0.0)
        states = np.stack([sound.sum(axis=(1, 2)), lesioned.sum(axis=(1, 2))])
        if (states < 1e-9).any():
            return 0.0
        given = np.stack([np.tensordot(sound, kernel, 2), np.tensordot(lesioned, kernel, 2)]) / states[..., None]
        return float(information(states / states.sum(axis=0), given).max())


def _muscles(
    after: Many,
    foreseen: Foreseen,
    names: Sequence[str],
    prior: Floats,
    many: int,
    place: Place,
    doubts: _Doubts,
) -> list[tuple[float, NextTest, tuple[str, str]]]:
    limb, side = place
    layout, patterns = after.compiled.layout, after.compiled.patterns
    tested = {f.muscle for f in after.given.origin[place]}
    grades = after.compiled.levels[ROWS]
    kernel = layout.kernel @ (grades / grades.sum(axis=0)).T  # (worlds, level of the nerve, grade)
    tables = np.stack([foreseen[name, place][:, ROWS] for name in names])  # (explanations, muscles, grades)
    tables = tables / tables.sum(axis=2, keepdims=True)
    bits_of = information(prior, tables)
    found = []
    for muscle in after.anatomy.muscles.values():
        if muscle.limb != limb or muscle.tier > MOST_TIER or muscle.id in tested:
            continue
        about_explanation = float(bits_of[patterns.column[muscle.id]])
        about_site = float(prior[many]) * doubts.best_site(muscle.site, kernel)
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
        sound = doubts.all_sound(t, study.sites)
        lesion = np.zeros(len(names))
        lesion[many] = 1 - sound
        lesion[names.index("single_mononeuropathy")] = sum(single.get((s, side), 0.0) for s in study.sites)
        block = lesion * finds + (1 - lesion) * false
        about_explanation = float(information(prior, np.stack([block, 1 - block], axis=1)[:, None])[0])
        results = np.array([[[false, 1 - false]], [[finds, 1 - finds]]])
        # Of a nerve of which nothing was tested, any muscle tells as much and costs less.
        of_site = float(information(np.array([sound, 1 - sound]), results)[0]) if t in doubts.light.touched else 0.0
        about_site = float(prior[many]) * of_site
        bits = about_explanation + about_site
        reason = Reason(
            "anatomy.expected", {"about_explanation": round(about_explanation, 4), "about_site": round(about_site, 4)}
        )
        name = f"{after.anatomy.nerves[study.nerve].name}, {study.distal} to {study.proximal}"
        found.append((bits, NextTest("conduction", study.id, name, side, bits, (reason,)), (study.id, side)))
    return found
