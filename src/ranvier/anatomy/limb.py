"""The nerves of one arm or leg, with what was found there: trees, switches, and the walks through them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ranvier.anatomy.nouns import Anatomy, Variant
from ranvier.anatomy.strength import own_branch
from ranvier.anatomy.tree import Branching, Switch, Tree, Walk, components, joined, settings, shift_matrix, walk

Floats = NDArray[np.float64]
LIMBS = ("arm", "leg")
SIDES = ("left", "right")
MOST_SETTINGS = 200_000  # of all switches of a limb; beyond that, movements tested as a group go by their main muscle


@dataclass(frozen=True)
class Finding:
    """One grade of this limb. like: P(grade | level of the muscle), its largest value 1; shares as in `Group`."""

    name: str
    members: Mapping[str, float]
    like: Floats


@dataclass(frozen=True)
class Evidence:
    """A studied stretch. ratio: P(result | lesion in it) / P(result | none)."""

    name: str
    sites: tuple[str, ...]
    ratio: float


class Layout:
    """The part of the map that no examination changes: which site is in which tree, priors, tables of lesions."""

    def __init__(self, anatomy: Anatomy, nerves: Mapping[str, float]) -> None:
        self.anatomy = anatomy
        numbers, likelihood = anatomy.likelihood.numbers, anatomy.likelihood
        self.n = len(likelihood.levels)
        self.lesion = sum(s.share * shift_matrix(s.level, self.n) for s in likelihood.severities)
        self.worlds = np.array([numbers[f"share_{w}"] for w in ("early", "established", "wide")])
        self.worlds = self.worlds / self.worlds.sum()
        self.extents = np.array([numbers[f"extent_{w}"] for w in ("early", "established", "wide")])
        # Per world: the more lesions a person has, the more of them are on muscles' own branches.
        tables = [own_branch(likelihood, min(numbers["own_branch"] * extent, 0.5)) for extent in self.extents]
        self.without = np.stack([without for without, _ in tables])
        self.with_own = np.stack([with_own for _, with_own in tables])
        self.kernel = self.without + self.with_own
        affected = {id: nerves.get(id, nerve.affected) for id, nerve in anatomy.nerves.items()}
        length: dict[str, float] = {}
        for site in anatomy.sites.values():
            length[site.nerve] = length.get(site.nerve, 0.0) + site.length_cm
        # Lesions fall on a nerve like rain: so many per cm that the whole is hit with the stated probability.
        self.prior: dict[str, Floats] = {
            site.id: 1.0
            - (1.0 - np.clip(affected[site.nerve], 0.0, 0.999)) ** (self.extents * site.length_cm / length[site.nerve])
            for site in anatomy.sites.values()
        }
        self.branchings: dict[str, tuple[Branching, ...]] = {limb: self._branchings(limb) for limb in LIMBS}
        self.place: dict[str, tuple[int, int]] = {
            site: (t, v)
            for limb in LIMBS
            for t, branching in enumerate(self.branchings[limb])
            for v, site in enumerate(branching.sites)
        }
        self.moving: dict[str, tuple[Variant, ...]] = {}
        for variant in anatomy.variants.values():
            for muscle in variant.moves if variant.used else ():
                self.moving[muscle] = (*self.moving.get(muscle, ()), variant)
        # P(no site is lesioned anywhere, on both sides | world)
        self.nowhere = np.prod([(1.0 - prior) ** 2 for prior in self.prior.values()], axis=0)
        self._paths: dict[str, tuple[str, ...]] = {}
        self._steps: dict[str, tuple[Floats, Floats]] = {}
        for name, prior in self.prior.items():
            p = prior[:, None, None, None]
            whole = (1.0 - p) * np.eye(self.n)
            self._steps[name] = (whole + p * self.lesion, whole)
        # Trees in which nothing was tested: the same in every examination.
        self.silent = {limb: tuple(self._silent(b) for b in self.branchings[limb]) for limb in LIMBS}

    def _silent(self, branching: Branching) -> tuple[Tree, Walk]:
        found = np.ones((1, 1, len(branching.sites), self.n))
        steps = [self._steps[s] for s in branching.sites]
        tree = Tree(branching, (), found, [s for s, _ in steps], [w for _, w in steps])
        return tree, walk(tree)

    def _branchings(self, limb: str) -> tuple[Branching, ...]:
        sites = [s for s in self.anatomy.sites.values() if s.limb == limb]
        top: dict[str, str] = {}
        for site in sites:
            top[site.id] = top[site.parent] if site.parent else site.id
        trees = []
        for first in dict.fromkeys(top.values()):
            members = [s for s in sites if top[s.id] == first]
            at = {s.id: i for i, s in enumerate(members)}
            trees.append(Branching(tuple(at), tuple(at[s.parent] if s.parent else -1 for s in members)))
        return tuple(trees)

    def path(self, site: str) -> tuple[str, ...]:
        """The site and all above it, proximal first."""
        if site not in self._paths:
            parent = self.anatomy.sites[site].parent
            self._paths[site] = (*(self.path(parent) if parent else ()), site)
        return self._paths[site]

    def steps(self, site: str, ratio: float = 1.0) -> tuple[Floats, Floats]:
        """Tables of one site, (worlds, 1, levels, levels): all, and without a lesion. ratio weighs lesions."""
        step, whole = self._steps[site]
        return (step if ratio == 1.0 else whole + ratio * (step - whole)), whole


class Limb:
    """One limb on one side with its findings: everything that multiple mononeuropathy says about it, exactly."""

    def __init__(
        self,
        layout: Layout,
        limb: str,
        side: str,
        findings: Sequence[Finding],
        evidence: Sequence[Evidence] = (),
        *,
        variants: bool = True,
        most: int = MOST_SETTINGS,
    ) -> None:
        """variants=False: everybody is built as usual. most: limit of settings, beyond which groups are simplified."""
        self.use_variants, self.most = variants, most
        self.layout, self.limb, self.side = layout, limb, side
        self.findings, self.evidence = tuple(findings), tuple(evidence)
        self.single = {next(iter(f.members)): f for f in findings if len(f.members) == 1 and f.name in f.members}
        self.simplified: list[str] = []
        self._switches()
        touched = {layout.place[site][0] for f in self.findings for m in f.members for site in self._options(m)}
        touched |= {layout.place[site][0] for e in self.evidence for site in e.sites}
        self.touched = touched
        self._crossings: dict[str, _Crossing | None] = {}
        self._levels: dict[str, Floats] = {}
        self._owns: dict[str, Floats] = {}
        self._as_found: dict[int, Floats] = {}
        self.trees = [self._tree(t) if t in touched else silent for t, (silent, _) in enumerate(layout.silent[limb])]

    # ---- switches

    def _switches(self) -> None:
        """Which variants, groups and stretches tie something together, and which trees each touches."""
        layout = self.layout
        place = layout.place
        muscles = layout.anatomy.muscles
        self.switches: dict[str, Switch] = {}
        touches: dict[str, set[int]] = {}

        self.variants: dict[str, Variant] = {}
        for muscle in self.single:
            for variant in layout.moving.get(muscle, ()) if self.use_variants else ():
                self.variants[variant.id] = variant
        order = list(layout.anatomy.variants)
        self.variants = {id: self.variants[id] for id in order if id in self.variants}
        for id, variant in self.variants.items():
            f = variant.frequency * variant.dominance
            trees = {place[s][0] for m in variant.moves if m in self.single for s in self._options(m)}
            if variant.crossing:
                # One setting without the crossing, then one for each level at which its fibres leave the other nerve.
                self.switches[id] = Switch(id, np.array([1 - f] + [f] * layout.n))
                self.switches[f"{id}:joined"] = Switch(f"{id}:joined", np.ones(layout.n))
                touches[f"{id}:joined"] = {place[variant.crossing[1]][0]}
            else:
                self.switches[id] = Switch(id, np.array([1 - f, f]))
            touches[id] = trees

        self.group_sites: dict[str, tuple[tuple[str, float], ...]] = {}
        for finding in self.findings:
            if finding.name in self.single:
                continue
            shares: dict[str, float] = {}
            for member, share in finding.members.items():
                site = muscles[member].site
                shares[site] = shares.get(site, 0.0) + share
            self.group_sites[finding.name] = tuple(shares.items())
        for stretch in self.evidence:
            if len(stretch.sites) > 1:
                name = f"study:{stretch.name}"
                self.switches[name] = Switch(name, np.array([stretch.ratio] * len(stretch.sites) + [1.0]))
                touches[name] = {place[s][0] for s in stretch.sites}
        # The fewest settings first, so that what must be simplified is what has the most.
        count = math.prod(len(s.weights) for s in self.switches.values())
        for name, shares_ in sorted(self.group_sites.items(), key=lambda item: (len(item[1]), item[0])):
            if len(shares_) == 1:
                continue
            if count * len(shares_) > self.most:
                self.group_sites[name] = ((max(shares_, key=lambda s: s[1])[0], 1.0),)
                self.simplified.append(name)
                continue
            count *= len(shares_)
            self.switches[name] = Switch(name, np.array([share for _, share in shares_]))
            touches[name] = {place[site][0] for site, _ in shares_}
        self.touches = touches

    def _options(self, muscle: str) -> tuple[str, ...]:
        """The sites on which a muscle may hang: the usual one, then those of its variants."""
        layout = self.layout
        options = [layout.anatomy.muscles[muscle].site]
        for variant in layout.moving.get(muscle, ()):
            options += list(variant.crossing) if variant.crossing else [variant.moves[muscle]]
        return tuple(options)

    # ---- trees

    def _tree(self, t: int) -> Tree:
        layout = self.layout
        branching = layout.branchings[self.limb][t]
        switches = tuple(s for name, s in self.switches.items() if t in self.touches[name])
        index = settings(switches)
        count = math.prod(len(s.weights) for s in switches)
        found = np.ones((len(layout.worlds), count, len(branching.sites), layout.n))
        local = {site: v for v, site in enumerate(branching.sites)}
        tree = Tree(branching, switches, found, [], [], index=index)
        self._place_findings(tree, local, layout.kernel)
        self._place_evidence(tree, local)
        return tree

    def _place_findings(self, tree: Tree, local: Mapping[str, int], kernel: Floats, nerve: str | None = None) -> None:
        """Multiply P(grade | level) into `tree.found`.

        With `nerve`, what is there already is changed to what it would be if the own branches of that nerve's muscles
        were sound: by a ratio, which is finite because a slip makes every grade possible.
        """
        layout, muscles = self.layout, self.layout.anatomy.muscles
        found = tree.found
        n = found.shape[3]  # levels; one alone where nothing can be lesioned
        crossing = self._crossing(tree, local)

        def put(rows: NDArray[np.bool_], site: str, message: Floats) -> None:
            v = local[site]
            if crossing is None or not crossing.below[v]:
                found[:, rows, v] *= message[:, None, :n]
                return
            # Below a join, a level counted anew stands for a true level that depends on the setting.
            if rows is everywhere:
                found[:, :, v] *= message[:, crossing.counted[:, :n]]
            else:
                found[:, rows, v] *= message[:, crossing.counted[rows, :n]]

        everywhere = np.ones(found.shape[1], dtype=bool)
        plain: dict[str, Floats] = {}  # what hangs on a site in every setting, multiplied first and put once
        for finding in self.findings:
            if nerve is not None and (finding.name not in self.single or muscles[finding.name].nerve != nerve):
                continue
            if finding.name not in self.single:
                message = kernel @ finding.like
                for k, (site, _) in enumerate(self.group_sites[finding.name]):
                    if site in local and finding.name in tree.index:
                        put(tree.index[finding.name] == k, site, message)
                    elif site in local:
                        plain[site] = plain.get(site, 1.0) * message
                continue
            muscle = finding.name
            usual = muscles[muscle].site
            moving = [v for v in layout.moving.get(muscle, ()) if v.id in tree.index]
            if not moving and usual not in local:
                continue
            message = kernel @ finding.like
            if nerve is not None:
                message = (layout.without @ finding.like) / message
            if not moving:
                plain[usual] = plain.get(usual, 1.0) * message
                continue
            left = everywhere
            for variant in moving:
                on = left & (tree.index[variant.id] > 0)
                left = left & ~on
                if variant.crossing is None:
                    if variant.moves[muscle] in local:
                        put(on, variant.moves[muscle], message)
                elif crossing is not None and usual in local:
                    found[:, on, local[usual]] *= message[:, crossing.crossed[on, :n]]
            if usual in local:
                put(left, usual, message)
        for site, message in plain.items():
            if crossing is None or not crossing.below[local[site]]:
                found[:, :, local[site]] *= message[:, None, :n]
            else:
                put(everywhere, site, message)
        for variant in self.variants.values() if nerve is None else ():
            if variant.crossing is None or variant.id not in tree.index:
                continue
            leaves, joins = variant.crossing
            setting = tree.index[variant.id]
            if leaves in local:  # the settings fix the level at which the fibres leave
                on = setting > 0
                found[:, on, local[leaves]] *= np.eye(layout.n)[setting[on] - 1]
            if joins in local:  # and the level at which they join
                on = setting > 0
                above = tree.branching.parents[local[joins]]
                found[:, on, above] *= np.eye(layout.n)[tree.index[f"{variant.id}:joined"][on]]
                found[:, ~on, 0] /= layout.n  # without a crossing the second switch has nothing to say

    def _crossing(self, tree: Tree, local: Mapping[str, int]) -> _Crossing | None:
        """Settings in which fibres of another nerve join this tree; the same for all copies of a tree."""
        key = tree.branching.sites[0]
        if key not in self._crossings:
            self._crossings[key] = self._find_crossing(tree, local)
        return self._crossings[key]

    def _find_crossing(self, tree: Tree, local: Mapping[str, int]) -> _Crossing | None:
        for variant in self.variants.values():
            if variant.crossing is not None and variant.crossing[1] in local and variant.id in tree.index:
                top = local[variant.crossing[1]]
                below = [False] * len(tree.branching.sites)
                for v, parent in enumerate(tree.branching.parents):
                    below[v] = v == top or (parent >= 0 and below[parent])
                n = np.arange(self.layout.n)
                joined_level = tree.index[f"{variant.id}:joined"]
                crossed_level = np.maximum(tree.index[variant.id] - 1, 0)
                most = self.layout.n - 1
                true_level = np.minimum(joined_level[:, None] + n, most)
                return _Crossing(
                    on=tree.index[variant.id] > 0,
                    top=top,
                    below=below,
                    joined=true_level,
                    counted=np.where((tree.index[variant.id] > 0)[:, None], true_level, n),
                    crossed=np.minimum(crossed_level[:, None] + n, most),
                )
        return None

    def _place_evidence(self, tree: Tree, local: Mapping[str, int]) -> None:
        layout = self.layout
        ratios = dict.fromkeys(local, 1.0)
        for stretch in self.evidence:
            if len(stretch.sites) == 1 and stretch.sites[0] in local:
                ratios[stretch.sites[0]] *= stretch.ratio
        for site in local:
            step, whole = layout.steps(site, ratios[site])
            tree.step.append(step)
            tree.whole.append(whole)
        for stretch in self.evidence:
            name = f"study:{stretch.name}"
            if name not in tree.index:
                continue
            # Setting k: the first lesion of the stretch is at its site k. The last setting: there is none.
            setting = tree.index[name]
            for k, site in enumerate(stretch.sites):
                v = local[site]
                step, whole = tree.step[v], tree.whole[v]
                count = len(setting)
                step = np.broadcast_to(step, (step.shape[0], count, *step.shape[2:])).copy()
                whole = np.broadcast_to(whole, step.shape).copy()
                sound, lesioned = setting > k, setting == k
                step[:, sound] = whole[:, sound]
                step[:, lesioned] -= whole[:, lesioned]
                whole[:, lesioned] = 0.0
                tree.step[v], tree.whole[v] = step, whole
        crossing = self._crossing(tree, local)
        if crossing is not None:
            v = crossing.top
            for tables in (tree.step, tree.whole):
                table = np.broadcast_to(tables[v], (tables[v].shape[0], len(crossing.on), *tables[v].shape[2:])).copy()
                table[:, crossing.on] = table[:, crossing.on][:, :, :1, :]  # below the join, levels are counted anew
                tables[v] = table

    # ---- answers

    @cached_property
    def walks(self) -> list[Walk]:
        """One walk through every tree."""
        silent = self.layout.silent[self.limb]
        return [walk(tree) if t in self.touched else silent[t][1] for t, tree in enumerate(self.trees)]

    @cached_property
    def _joined(self) -> tuple[Floats, list[Floats]]:
        return joined([w.evidence for w in self.walks], self.trees, self.switches)

    @property
    def evidence_by_world(self) -> Floats:
        """P(findings of this limb | world)."""
        return self._joined[0]

    @property
    def rest(self) -> list[Floats]:
        """For each tree, the weight of everything else in the limb: (worlds, settings)."""
        return self._joined[1]

    def evidence_if_sound(self) -> Floats:
        """P(findings of this limb | no lesion of any site, world); branches of single muscles may be lesioned."""
        answer = np.ones(len(self.layout.worlds))
        for finding in self.findings:
            answer = answer * (self.layout.kernel @ finding.like)[:, 0]
        return answer

    def own_share(self, muscle: str) -> Floats:
        """P(lesion of the muscle's own branch | its grade, no site lesioned, world)."""
        return self._own(muscle)[:, 0]

    def _own(self, muscle: str) -> Floats:
        """P(lesion of the muscle's own branch | its grade, level of the nerve, world): (worlds, levels)."""
        if muscle not in self._owns:
            like = self.single[muscle].like
            self._owns[muscle] = (self.layout.with_own @ like) / (self.layout.kernel @ like)
        return self._owns[muscle]

    def own_sound_share(self, nerve: str) -> Floats:
        """P(no own branch of the nerve's singly tested muscles lesioned | grades, no site lesioned, world)."""
        muscles = self.layout.anatomy.muscles
        answer = np.ones(len(self.layout.worlds))
        for muscle in self.single:
            if muscles[muscle].nerve == nerve:
                answer = answer * (1 - self.own_share(muscle))
        return answer

    @cached_property
    def sound(self) -> dict[str, Floats]:
        """For each site P(findings, no lesion there | world)."""
        return {
            site: (self.rest[t] * self.walks[t].sound[v]).sum(axis=1)
            for t, tree in enumerate(self.trees)
            for v, site in enumerate(tree.branching.sites)
        }

    def without_nerve(self, nerve: str) -> Floats:
        """P(findings, no lesion of this nerve and of its muscles' own branches | world)."""
        layout = self.layout
        muscles = layout.anatomy.muscles
        t = next(
            t for t, tree in enumerate(self.trees)
            if any(layout.anatomy.sites[s].nerve == nerve for s in tree.branching.sites)
        )  # fmt: skip
        moved = any(muscles[m].nerve == nerve for v in self.variants.values() for m in v.moves if m in self.single)
        if not moved:
            tree = self.trees[t]
            if all(layout.anatomy.sites[s].nerve == nerve for s in tree.branching.sites):
                # Nothing of the tree is lesioned: no level but the first is reached, so nothing has to be walked.
                sound = tree.found[..., 0].prod(axis=2)
                for whole in tree.whole:
                    sound = sound * whole[..., 0, 0]
                return np.asarray((self.rest[t] * sound).sum(axis=1) * self.own_sound_share(nerve))
            sound = walk(self._clamped(tree, nerve), down=False).evidence
            return np.asarray((self.rest[t] * sound).sum(axis=1))
        # A muscle of this nerve may hang on another tree under a variant; its own branch is sound there too.
        about = [m for m in self.single if muscles[m].nerve == nerve]
        touched = {t} | {layout.place[site][0] for m in about for site in self._options(m)}
        tied = next(members for members in self._tied if t in members)
        clamped = {k: walk(self._clamped(self.trees[k], nerve), down=False).evidence for k in touched}
        if t not in self._as_found:
            self._as_found[t] = self._together(tied, {})
        return np.asarray(self.evidence_by_world * (self._together(tied, clamped) / self._as_found[t]))

    @cached_property
    def _tied(self) -> list[list[int]]:
        return components(self.trees)

    def _together(self, members: Sequence[int], instead: Mapping[int, Floats]) -> Floats:
        """P(findings in trees that switches tie together | world), with other tables for some of them."""
        evidences = [instead[k] if k in instead else self.walks[k].evidence for k in members]
        total, _ = joined(evidences, [self.trees[k] for k in members], self.switches, weigh=False)
        return total

    def _clamped(self, tree: Tree, nerve: str) -> Tree:
        """The tree with this nerve and the own branches of its muscles sound."""
        sites = self.layout.anatomy.sites
        local = {site: v for v, site in enumerate(tree.branching.sites)}
        step = [w if sites[s].nerve == nerve else f for s, f, w in zip(local, tree.step, tree.whole, strict=True)]
        found = tree.found
        if all(sites[site].nerve == nerve for site in local):  # then no level but the first is ever reached
            found, step = found[..., :1], [w[..., :1, :1] for w in step]
        copy = Tree(tree.branching, tree.switches, found.copy(), step, step, index=tree.index)
        self._place_findings(copy, local, self.layout.kernel, nerve)
        return copy

    def level(self, site: str) -> Floats:
        """P(findings, level of loss at the end of the site | world): (worlds, levels)."""
        if site not in self._levels:
            t, v = self.layout.place[site]
            self._levels[site] = self._level(t, v, self.walks[t].level[v])
        return self._levels[site]

    def _level(self, t: int, v: int, tables: Floats) -> Floats:
        tree = self.trees[t]
        weighed = self.rest[t][..., None] * tables
        crossing = self._crossing(tree, {site: i for i, site in enumerate(tree.branching.sites)})
        if crossing is None or not crossing.below[v]:
            return np.asarray(weighed.sum(axis=1))
        # Below a join, levels were counted anew: add the level that was reached before.
        answer = weighed[:, ~crossing.on].sum(axis=1)
        eye = np.eye(self.layout.n)
        for joined_level in range(self.layout.n):
            rows = crossing.on & (crossing.joined[:, 0] == joined_level)
            true = eye[np.minimum(np.arange(self.layout.n) + joined_level, self.layout.n - 1)]
            answer = answer + weighed[:, rows].sum(axis=1) @ true
        return np.asarray(answer)

    def own_lesion(self, muscle: str) -> Floats:
        """P(findings, a lesion of this tested muscle's own branch | world)."""
        share = self._own(muscle)
        usual = self.layout.anatomy.muscles[muscle].site
        if not any(v.id in self.switches for v in self.layout.moving.get(muscle, ())):
            return np.asarray((self.level(usual) * share).sum(axis=1))
        answer: Floats = np.zeros(len(self.layout.worlds))
        for t in {self.layout.place[site][0] for site in self._options(muscle)}:
            tree = self.trees[t]
            local = {site: v for v, site in enumerate(tree.branching.sites)}
            crossing = self._crossing(tree, local)
            left = np.ones(tree.found.shape[1], dtype=bool)
            placed: list[tuple[NDArray[np.bool_], str, Floats]] = []
            for variant in self.layout.moving.get(muscle, ()):
                if variant.id in tree.index:
                    on = left & (tree.index[variant.id] > 0)
                    left = left & ~on
                    if variant.crossing is None:
                        placed.append((on, variant.moves[muscle], share[:, None]))
                    elif crossing is not None:
                        placed.append((on, usual, share[:, crossing.crossed]))
            placed.append((left, usual, share[:, None]))
            for rows, site, shares in placed:
                if site in local:
                    v = local[site]
                    if shares.shape[1] == 1:
                        shares = np.broadcast_to(shares, (shares.shape[0], len(rows), shares.shape[2]))
                        if crossing is not None and crossing.below[v]:
                            shares = np.where(crossing.on[:, None], share[:, crossing.joined], shares)
                    weighed = self.rest[t][..., None] * self.walks[t].level[v]
                    answer = answer + (weighed[:, rows] * shares[:, rows]).sum(axis=(1, 2))
        return answer

    def variant_present(self, variant: str) -> Floats:
        """P(findings, the variant is present | world)."""
        t = min(self.touches[variant])
        on = self.trees[t].index[variant] > 0
        return np.asarray((self.rest[t] * self.walks[t].evidence)[:, on].sum(axis=1))


@dataclass(frozen=True)
class _Crossing:
    """Fibres of another nerve join at site `top`; `counted` is what holds below it in every setting.

    joined, crossed, counted: (settings, levels): true level by counted level.
    """

    on: NDArray[np.bool_]
    top: int
    below: list[bool]
    joined: NDArray[np.intp]
    counted: NDArray[np.intp]
    crossed: NDArray[np.intp]
