"""Exact inference in the trees of nerves: lesions of sites, each with a severity, add up along the way to a muscle.

A level of loss runs from 0 (nothing) to K (everything); levels add and stop at K. The level that reaches a site is all
that the sites below need to know of those above: so each nerve is a tree of small tables, and one walk up and one walk
down give the probability of the findings and of every site exactly.

Things that join trees or sites (an anatomical variant, a movement tested as a group, a stretch that was studied) are
switches. A tree is computed for every setting of the switches that touch it, and the settings are summed out.

Axes of arrays are always (worlds, settings, levels). `worlds` are alternatives under which site priors differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Switch:
    """Something unknown that touches one tree or several. weights: one per setting; they need not sum to 1."""

    name: str
    weights: Floats


@dataclass(frozen=True)
class Branching:
    """The shape of one tree: sites in order, each after its parent. parent -1: the top."""

    sites: tuple[str, ...]
    parents: tuple[int, ...]

    @cached_property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """For each site the sites right below it."""
        return tuple(tuple(c for c, p in enumerate(self.parents) if p == v) for v in range(len(self.sites)))


@dataclass
class Tree:
    """One tree with what was found in it.

    switches : those that touch it; the settings of all of them, in this order, make the settings axis
    found : (1 or worlds, settings, sites, levels): P(what was found right at the end of a site | level there)
    step : per site (worlds, 1 or settings, levels, levels): P(level at its end and lesion or not | level above)
    whole : the part of `step` without a lesion of the site
    """

    branching: Branching
    switches: tuple[Switch, ...]
    found: Floats
    step: list[Floats]
    whole: list[Floats]
    index: dict[str, NDArray[np.intp]] = field(default_factory=dict)

    def setting(self, switch: str) -> NDArray[np.intp]:
        """For each entry of the settings axis, the setting of that switch."""
        return self.index[switch]


def settings(switches: Sequence[Switch]) -> dict[str, NDArray[np.intp]]:
    """For each switch, its setting at every entry of the common axis; the last switch runs fastest."""
    sizes = [len(s.weights) for s in switches]
    grids = np.indices(sizes).reshape(len(sizes), -1) if sizes else np.zeros((0, 1), dtype=np.intp)
    return {switch.name: grid for switch, grid in zip(switches, grids, strict=True)}


def shift_matrix(level: int, n: int) -> Floats:
    """The table that adds `level` to a level, stopping at the last of `n`."""
    return np.asarray(np.eye(n)[np.minimum(np.arange(n) + level, n - 1)])


def add(step: Floats, messages: Floats) -> Floats:
    """Expected message over the steps of a site: (worlds, settings, levels) -> the same, by the level above."""
    if step.shape[1] == 1:
        return np.asarray(messages @ step[:, 0].transpose(0, 2, 1))
    return np.asarray((step @ messages[..., None])[..., 0])


def push(step: Floats, above: Floats) -> Floats:
    """The level after a site, from the level above it."""
    if step.shape[1] == 1:
        return np.asarray(above @ step[:, 0])
    return np.asarray((above[..., None, :] @ step)[..., 0, :])


@dataclass
class Walk:
    """What the walks give: all tables hold P(findings in the tree and …), not yet divided by P(findings).

    evidence : (worlds, settings)
    level : per site (worlds, settings, levels): … and the level at its end
    sound : per site (worlds, settings): … and no lesion of that site
    """

    evidence: Floats
    level: list[Floats]
    sound: list[Floats]


def walk(tree: Tree, *, down: bool = True) -> Walk:
    """Once up and, if wanted, once down."""
    branching = tree.branching
    n = len(branching.sites)
    children = branching.children
    worlds = max(s.shape[0] for s in tree.step)
    count, levels = tree.found.shape[1], tree.found.shape[3]
    below: list[Floats] = [np.empty(0)] * n  # everything found at the end of a site or below, by the level there
    up: list[Floats] = [np.empty(0)] * n  # the same, by the level above the site
    for v in range(n - 1, -1, -1):
        here = tree.found[:, :, v]
        for child in children[v]:
            here = here * up[child]
        below[v] = here
        up[v] = add(tree.step[v], here)
    evidence = up[0][..., 0]
    if not down:
        return Walk(evidence, [], [])
    level: list[Floats] = [np.empty(0)] * n
    sound: list[Floats] = [np.empty(0)] * n
    above: list[Floats] = [np.empty(0)] * n
    start = np.zeros((worlds, count, levels))
    start[..., 0] = 1.0
    above[0] = start
    for v in range(n):
        reached = push(tree.step[v], above[v])
        level[v] = reached * below[v]
        sound[v] = (push(tree.whole[v], above[v]) * below[v]).sum(axis=-1)
        for child in children[v]:
            rest = reached * tree.found[:, :, v]
            for other in children[v]:
                if other != child:
                    rest = rest * up[other]
            above[child] = rest
    return Walk(evidence, level, sound)


def joined(
    evidences: Sequence[Floats], trees: Sequence[Tree], switches: Mapping[str, Switch], *, weigh: bool = True
) -> tuple[Floats, list[Floats]]:
    """P(findings) per world, and for each tree the weight of the rest of the limb: (worlds, settings).

    weigh=False leaves the weights out, where only P(findings) is wanted.

    The weight of a tree's setting is everything outside that tree, other switches summed out, with the weights of the
    tree's own switches included. So `sum(rest * evidence)` over settings is P(findings), for every tree alike.
    """
    shaped = [
        evidence.reshape(-1, *(len(s.weights) for s in tree.switches))
        for evidence, tree in zip(evidences, trees, strict=True)
    ]
    worlds = max(e.shape[0] for e in evidences)
    parts: list[Floats] = []  # P(findings of a component | world)
    component_of = components(trees)
    rest: list[Floats] = [np.empty(0)] * len(trees)
    for members in component_of:
        names = list(dict.fromkeys(s.name for i in members for s in trees[i].switches))
        uses = {name: sum(any(s.name == name for s in trees[i].switches) for i in members) for name in names}
        shared = [name for name in names if uses[name] > 1]
        # What touches one tree only is summed out within that tree; the others get an axis each, in a common order.
        own, reduced = [], []
        for i in members:
            weight = np.ones(1)
            for axis, switch in enumerate(trees[i].switches, start=1):
                if switch.name not in shared:
                    weight = weight * _along(switch.weights, axis, shaped[i].ndim)
            own.append(weight)
            private = tuple(a for a, s in enumerate(trees[i].switches, start=1) if s.name not in shared)
            table = (shaped[i] * weight).sum(axis=private)
            kept = [s.name for s in trees[i].switches if s.name in shared]
            table = table.transpose(0, *(1 + kept.index(name) for name in shared if name in kept))
            reduced.append(table.reshape(worlds, *(len(switches[n].weights) if n in kept else 1 for n in shared)))
        weights = np.ones(1)
        for axis, name in enumerate(shared, start=1):
            weights = weights * _along(switches[name].weights, axis, 1 + len(shared))
        before, after = [weights], [np.ones(1)]
        for table in reduced[:-1]:
            before.append(before[-1] * table)
        parts.append((before[-1] * reduced[-1]).reshape(worlds, -1).sum(axis=1))
        if not weigh:
            continue
        for table in reversed(reduced[1:]):
            after.append(after[-1] * table)
        sizes = [len(switches[name].weights) for name in shared]
        for k, i in enumerate(members):
            others = np.broadcast_to(before[k] * after[len(members) - 1 - k], (worlds, *sizes))
            kept = [s.name for s in trees[i].switches if s.name in shared]
            others = others.sum(axis=tuple(a for a, name in enumerate(shared, start=1) if name not in kept))
            order = [name for name in shared if name in kept]
            others = others.transpose(0, *(1 + order.index(name) for name in kept))
            expanded = others.reshape(
                worlds, *(len(s.weights) if s.name in shared else 1 for s in trees[i].switches)
            )  # fmt: skip
            rest[i] = np.broadcast_to(expanded * own[k], (worlds, *shaped[i].shape[1:])).reshape(worlds, -1)
    total = np.ones(worlds)
    for part in parts:
        total = total * part
    for c, members in enumerate(component_of if weigh else ()):
        elsewhere = np.ones(worlds)
        for k, part in enumerate(parts):
            if k != c:
                elsewhere = elsewhere * part
        for i in members:
            rest[i] = rest[i] * elsewhere[:, None]
    return total, rest


def _along(weights: Floats, axis: int, ndim: int) -> Floats:
    """A vector as an array of `ndim` axes that varies along one of them."""
    shape = [1] * ndim
    shape[axis] = len(weights)
    return weights.reshape(shape)


def components(trees: Sequence[Tree]) -> list[list[int]]:
    """Trees that switches tie together."""
    groups: list[tuple[set[str], list[int]]] = []
    for i, tree in enumerate(trees):
        names, members = {s.name for s in tree.switches}, [i]
        apart = []
        for other_names, other in groups:
            if names & other_names:
                names, members = names | other_names, other + members
            else:
                apart.append((other_names, other))
        groups = [*apart, (names, members)]
    return [members for _, members in groups]
