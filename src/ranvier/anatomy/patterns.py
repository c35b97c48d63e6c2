"""Explanations that foresee a fixed pattern: one nerve, roots, plexus, motor neurons, length of fibres, muscle, effort.

Each is a list of hypotheses per limb. A hypothesis says how much every muscle has lost; the explanation's scatter says
how far muscles may differ from that. Limbs are joined by the explanation's own rule. All hypotheses are summed: the
answer is P(all findings | explanation) exactly, and the weight of each hypothesis.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ranvier.anatomy.limb import LIMBS, SIDES, Evidence, Layout
from ranvier.anatomy.load import ROOTS
from ranvier.anatomy.nouns import Anatomy
from ranvier.anatomy.strength import GRID, curve, grades_at_loss, loss_of, on_grid

Floats = NDArray[np.float64]
Place = tuple[str, str]  # limb, side

# Shapes of the hypotheses. How often each is met is in likelihood.yaml; these only say how finely the space is cut.
ROOT_LOSSES = (0.4, 0.75, 0.97)
PLEXUS_LOSSES = (0.4, 0.75, 0.97, 1.0)
NERVE_LOSSES = (0.4, 0.75, 0.97, 1.0)
REGION_LOSSES = (0.4, 0.75, 0.95)
REGION_WIDTHS = (0.6, 1.0, 2.0, 6.0)  # segments; the widest is a limb weak all over, as late or flail
LENGTHS = (35.0, 50.0, 65.0, 80.0, 95.0)  # cm from the spine at which loss is half of its most
LENGTH_STEEP = 6.0  # cm
TO_NERVE = {"arm": 14.0, "leg": 22.0}  # cm from the spine to where the tree begins
MUSCLE_LOSSES = (0.5, 0.8, 0.95)
EFFORT_LOSSES = (0.4, 0.75, 0.92)
HAND_CENTRES = ("C7", "C8", "T1")  # regions in which the hand's own patterns can be seen
CENTRES = {"arm": ("C5", "C6", "C7", "C8", "T1"), "leg": ("L2", "L3", "L4", "L5", "S1", "S2")}


@dataclass(frozen=True)
class Seen:
    """One grade as patterns see it. lost: loss added by lack of leverage, with its probability; 0 if none."""

    grade: int  # row of the curves
    members: tuple[tuple[str, float], ...]
    moved: bool = False  # a single muscle: variants may move it
    leverage: tuple[float, float] = (0.0, 0.0)  # (probability, extra loss)
    scale: float = 1.0  # factor on the likelihood, the same for every explanation: keeps long products within floats

    @property
    def plain(self) -> bool:
        """One muscle, tested with full leverage."""
        return len(self.members) == 1 and not self.leverage[0]


Findings = Mapping[Place, Sequence[Seen]]


@dataclass(frozen=True)
class Table:
    """Hypotheses of one explanation for one limb: loss [nat] per muscle, prior weights (sum 1), names."""

    loss: Floats  # (hypotheses, muscles)
    weights: Floats
    names: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """evidence: P(findings | explanation). parts: (name, side) → P(part | findings, explanation).

    weights : for a limb, P(each hypothesis of its table | findings, explanation); what is missing to 1 is a sound limb
    """

    evidence: float
    parts: Mapping[tuple[str, str | None], float]
    weights: Mapping[Place, Floats] = field(default_factory=dict)


class Patterns:
    """All tables, made once per anatomy."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        anatomy = layout.anatomy
        self.anatomy: Anatomy = anatomy
        self.numbers = anatomy.likelihood.numbers
        self.muscles = {limb: [m for m in anatomy.muscles.values() if m.limb == limb] for limb in LIMBS}
        self.column = {m.id: i for limb in LIMBS for i, m in enumerate(self.muscles[limb])}
        self.curves = {name: curve(anatomy.likelihood, name) for name in anatomy.likelihood.scatter}
        self.curves["no_weakness"] = grades_at_loss(anatomy.likelihood, GRID)
        self.tables: dict[tuple[str, str], Table] = {}
        for limb in LIMBS:
            self.tables["radiculopathy", limb] = self._roots(limb)
            self.tables["plexopathy", limb] = self._plexus(limb)
            self.tables["motor_neuron_disease", limb] = self._regions(limb)
            self.tables["symmetric_polyneuropathy", limb] = self._lengths(limb)
            self.tables["inclusion_body_myositis", limb] = self._muscle(limb)
            self.tables["functional_weakness", limb] = self._effort(limb)
            self.tables["single_mononeuropathy", limb] = self._single(limb)
        # Table index by grid point, so that a finding is one look-up.
        self.indices = {key: on_grid(table.loss) for key, table in self.tables.items()}
        self.step = float(GRID[1] - GRID[0])

    # ---- tables

    def _shares(self, limb: str, shift: int = 0, c8_extensors: bool = False) -> Floats:
        """Share of each root in each muscle, sharpened and shifted: (muscles, ROOTS).

        c8_extensors : finger extensors hang mainly on C8, as in people with a drop finger from that root
        """
        special = self.anatomy.profiles["c8_finger_extensors"] if c8_extensors else {}
        power = self.numbers["root_sharpness"]
        shares = np.zeros((len(self.muscles[limb]), len(ROOTS)))
        for i, muscle in enumerate(self.muscles[limb]):
            c8 = special.get(muscle.id)
            roots = muscle.roots if c8 is None else {"C7": 1 - c8, "C8": c8}
            for root, share in roots.items():
                at = ROOTS.index(root)
                moved = at + shift if limb == "arm" and 4 <= at <= 8 and 4 <= at + shift <= 8 else at
                shares[i, moved] += share**power
        return np.asarray(shares / shares.sum(axis=1, keepdims=True))

    def _roots(self, limb: str) -> Table:
        centres = CENTRES[limb]
        second = self.numbers["root_second"]
        extensors = self.numbers["root_c8_extensors"] if limb == "arm" else 0.0
        shifts = {0: 1.0}
        for variant in self.anatomy.variants.values():
            if variant.used and variant.shift and limb == "arm":
                shifts[variant.shift] = variant.frequency * variant.dominance
                shifts[0] -= variant.frequency * variant.dominance
        loss, weights, names = [], [], []
        builds = [(shift, False, p) for shift, p in shifts.items()]
        if extensors:
            builds = [*((shift, False, p * (1 - extensors)) for shift, p in shifts.items()), (0, True, extensors)]
        for shift, c8_extensors, p_shift in builds:
            shares = self._shares(limb, shift, c8_extensors)
            hit: list[tuple[dict[str, float], float, str]] = []
            for root, z in itertools.product(centres, ROOT_LOSSES):
                hit.append(({root: z}, (1 - second) / (len(centres) * len(ROOT_LOSSES)), root))
            pairs = list(itertools.pairwise(centres))
            for (a, b), z, y in itertools.product(pairs, ROOT_LOSSES, ROOT_LOSSES):
                hit.append(({a: z, b: y}, second / (len(pairs) * len(ROOT_LOSSES) ** 2), f"{a} and {b}"))
            for lesion, weight, name in hit:
                left = np.ones(shares.shape[0])
                for root, z in lesion.items():
                    left -= shares[:, ROOTS.index(root)] * z
                loss.append(loss_of(left))
                weights.append(p_shift * weight)
                names.append(name)
        return Table(np.array(loss), np.array(weights), tuple(names))

    def _plexus(self, limb: str) -> Table:
        shares = self._shares(limb)
        through: dict[str, Floats] = {}
        for element in self.anatomy.plexus.values():
            if element.limb != limb:
                continue
            part = np.zeros(len(self.muscles[limb]))
            for i, muscle in enumerate(self.muscles[limb]):
                if muscle.nerve in element.nerves:
                    roots = element.nerves[muscle.nerve]
                    part[i] = shares[i, [ROOTS.index(r) for r in roots]].sum() if roots else 1.0
            through[element.name] = part
        loss, names = [], []
        for name, part in through.items():
            for z in PLEXUS_LOSSES:
                loss.append(loss_of(1 - part * z))
                names.append(name)
        for (a, part_a), (b, part_b) in itertools.combinations(through.items(), 2):
            if ("trunk" in a) != ("trunk" in b):
                continue
            for z in PLEXUS_LOSSES:
                loss.append(loss_of(1 - np.minimum(part_a + part_b, 1) * z))
                names.append(f"{a} and {b}")
        singles = len(PLEXUS_LOSSES) * len(through)
        weights = np.array([0.8 / singles] * singles + [0.2 / max(len(names) - singles, 1)] * (len(names) - singles))
        return Table(np.array(loss), weights / weights.sum(), tuple(names))

    def _regions(self, limb: str) -> Table:
        """Groups of REGION_LOSSES rows share centre, width and kind of hand: the other side has the same ones."""
        shares = self._shares(limb)
        split, first = self.numbers["mnd_split_hand"], self.numbers["mnd_hand_first"]
        ways: list[tuple[str | None, str, float]] = [(None, "", 1.0)]
        in_hand = [
            (None, "", 1 - split - first),
            ("split_hand", ", split hand", split),
            ("hand_first", ", hand first", first),
        ]
        loss, weights, names = [], [], []
        for centre, width in itertools.product(CENTRES[limb], REGION_WIDTHS):
            away = np.array([ROOTS.index(r) - ROOTS.index(centre) for r in ROOTS], dtype=float)
            reach = np.exp(-0.5 * (away / width) ** 2)
            for profile, words, p in in_hand if centre in HAND_CENTRES else ways:
                values = self.anatomy.profiles[profile] if profile else {}
                factor = np.array([values.get(m.id, 1.0) for m in self.muscles[limb]])
                for z in REGION_LOSSES:
                    plain = loss_of(1 - shares @ reach * z)
                    loss.append(np.minimum(plain * factor, GRID[-1]))
                    weights.append(p / len(REGION_LOSSES))
                    names.append(f"segments around {centre}{words}")
        total = np.array(weights)
        return Table(np.array(loss), total / total.sum(), tuple(names))

    def _lengths(self, limb: str) -> Table:
        away = np.array(
            [
                TO_NERVE[limb] + sum(self.anatomy.sites[s].length_cm for s in self.layout.path(m.site))
                for m in self.muscles[limb]
            ]
        )
        loss, names, weights = [], [], []
        for length, z in itertools.product(LENGTHS, REGION_LOSSES):
            loss.append(loss_of(1 - z / (1 + np.exp(-(away - length) / LENGTH_STEEP))))
            names.append("longest fibres first")
            weights.append(0.7 / (len(LENGTHS) * len(REGION_LOSSES)))
        alike = (*REGION_LOSSES, 1.0)  # acute polyneuropathy may leave no movement at all
        for z in alike:
            loss.append(loss_of(np.full(len(away), 1 - z)))
            names.append("near and far alike")
            weights.append(0.3 / len(alike))
        return Table(np.array(loss), np.array(weights), tuple(names))

    def _muscle(self, limb: str) -> Table:
        profile = self.anatomy.profiles["inclusion_body_myositis"]
        part = np.array([profile.get(m.id, 0.05) for m in self.muscles[limb]])
        return Table(
            np.array([loss_of(1 - part * z) for z in MUSCLE_LOSSES]),
            np.full(len(MUSCLE_LOSSES), 1 / len(MUSCLE_LOSSES)),
            ("finger flexors, quadriceps",) * len(MUSCLE_LOSSES),
        )

    def _effort(self, limb: str) -> Table:
        n = len(self.muscles[limb])
        return Table(
            np.array([loss_of(np.full(n, 1 - z)) for z in EFFORT_LOSSES]),
            np.full(len(EFFORT_LOSSES), 1 / len(EFFORT_LOSSES)),
            (f"whole {limb}",) * len(EFFORT_LOSSES),
        )

    def _single(self, limb: str) -> Table:
        loss, weights, names = [], [], []
        for site in self.anatomy.sites.values():
            if site.limb != limb or site.entrapment <= 0:
                continue
            below = np.array([site.id in self.layout.path(m.site) for m in self.muscles[limb]])
            for z in NERVE_LOSSES:
                loss.append(np.where(below, loss_of(np.array(1 - z)), 0.0))
                weights.append(site.entrapment / len(NERVE_LOSSES))
                names.append(site.id)
        return Table(np.array(loss), np.array(weights), tuple(names))

    # ---- likelihoods

    def likelihoods(self, name: str, limb: str, seen: Sequence[Seen]) -> Floats:
        """P(findings of a limb | each hypothesis): (hypotheses,)."""
        index = self.indices[name, limb]
        answer = self._of_plain(self.curves[name], index, [f for f in seen if f.plain])
        for finding in seen:
            if not finding.plain:
                answer = answer * self._of_one(self.curves[name], index, finding)
        return answer

    def _of_plain(self, curves: Floats, index: NDArray[np.intp], seen: Sequence[Seen]) -> Floats:
        """The product of `_of_one` over plain findings, all at once: (hypotheses,)."""
        if not seen:
            return np.ones(index.shape[0])
        at = index[:, [self.column[f.members[0][0]] for f in seen]]
        scales = np.array([f.members[0][1] * f.scale for f in seen])
        like = curves[np.array([f.grade for f in seen]), at] * scales
        return np.asarray(like.prod(axis=1))

    def _of_one(self, curves: Floats, index: NDArray[np.intp], finding: Seen) -> Floats:
        row = curves[finding.grade] * finding.scale
        p_leverage, extra = finding.leverage
        total = np.zeros(index.shape[0])
        for muscle, share in finding.members:
            at = index[:, self.column[muscle]]
            like = row[at]
            if p_leverage:
                less = np.minimum(at + round(extra / self.step), len(GRID) - 1)
                like = (1 - p_leverage) * like + p_leverage * row[less]
            total = total + share * like
        return total

    def foreseen(self, name: str, answer: Answer, place: Place) -> Floats:
        """P(grade | findings, explanation) of every muscle of a limb: (muscles, 16 grades)."""
        n, points = len(self.muscles[place[0]]), len(GRID)
        weights = answer.weights.get(place)
        if weights is None:
            return np.tile(self.curves["no_weakness"][:, 0], (n, 1))
        at = self.indices[name, place[0]] + points * np.arange(n)
        # Per muscle, the weight of each loss on the grid.
        spread = np.bincount(at.ravel(), np.repeat(weights, n), minlength=n * points).reshape(n, points)
        sound = 1.0 - float(weights.sum())
        return np.asarray(spread @ self.curves[name].T + sound * self.curves["no_weakness"][:, 0])

    def healthy_likelihood(self, limb: str, seen: Sequence[Seen], curves: str = "no_weakness") -> float:
        """P(findings of a limb | nothing is wrong there)."""
        plain = [f for f in seen if f.plain]
        scales = np.array([f.members[0][1] * f.scale for f in plain])
        answer = float(np.prod(self.curves[curves][[f.grade for f in plain], 0] * scales)) if plain else 1.0
        for finding in seen:
            if finding.plain:
                continue
            row = self.curves[curves][finding.grade] * finding.scale
            p_leverage, extra = finding.leverage
            less = min(round(extra / self.step), len(GRID) - 1)
            like = (1 - p_leverage) * row[0] + p_leverage * row[less]
            answer *= float(like) * sum(share for _, share in finding.members)
        return answer

    # ---- explanations

    def limbs_apart(self, name: str, findings: Findings, p_limb: float) -> Answer:
        """Each limb by itself, at least one of them affected."""
        table_parts: dict[tuple[str, str | None], float] = {}
        healthy = {place: self.healthy_likelihood(place[0], seen) for place, seen in findings.items()}
        hit: dict[Place, Floats] = {}
        for (limb, side), seen in findings.items():
            table = self.tables[name, limb]
            hit[limb, side] = table.weights * self.likelihoods(name, limb, seen)
        both = {place: (1 - p_limb) * healthy[place] + p_limb * float(hit[place].sum()) for place in findings}
        everything = float(np.prod(list(both.values())))
        nothing = float(np.prod([(1 - p_limb) * h for h in healthy.values()]))
        at_least_one = 1 - (1 - p_limb) ** len(findings)
        evidence = (everything - nothing) / at_least_one
        after: dict[Place, Floats] = {}
        for place, weights in hit.items():
            others = float(np.prod([b for p, b in both.items() if p != place]))
            after[place] = _shares(p_limb * weights * others / at_least_one, evidence)
            _collect(table_parts, self.tables[name, place[0]].names, place[1], after[place])
        return Answer(evidence, table_parts, after)

    def radiculopathy(self, findings: Findings) -> Answer:
        """Roots of one limb or several."""
        return self.limbs_apart("radiculopathy", findings, self.numbers["root_limb"])

    def plexopathy(self, findings: Findings) -> Answer:
        """Trunks, cords, lumbar and sacral plexus."""
        return self.limbs_apart("plexopathy", findings, self.numbers["plexus_limb"])

    def functional_weakness(self, findings: Findings) -> Answer:
        """Reduced effort of whole limbs, or here and there."""
        limbs = self.limbs_apart("functional_weakness", findings, self.numbers["functional_limb"])
        share = self.numbers["functional_scattered"]
        scattered = 1.0
        curves = self.curves["functional_weakness"]
        at = on_grid(loss_of(1 - np.array(EFFORT_LOSSES)))
        for seen in findings.values():
            for finding in seen:
                row = curves[finding.grade] * finding.scale
                scattered *= 0.7 * float(row[0]) + 0.3 * float(row[at].mean())
        evidence = (1 - share) * limbs.evidence + share * scattered
        in_limbs = (1 - share) * limbs.evidence / evidence if evidence > 0 else 0.0
        parts = {k: v * in_limbs for k, v in limbs.parts.items()}
        parts["scattered, following no limb", None] = 1 - in_limbs
        weights = {place: w * in_limbs for place, w in limbs.weights.items()}
        return Answer(evidence, parts, weights)

    def motor_neuron_disease(self, findings: Findings) -> Answer:
        """Regions of segments: the two sides share centre, width and split hand, not severity; or one side alone."""
        contralateral, region = self.numbers["mnd_contralateral"], self.numbers["mnd_other_region"]
        parts: dict[tuple[str, str | None], float] = {}
        of_limb: dict[str, tuple[float, float]] = {}
        kept: dict[str, dict[tuple[str, str | None], float]] = {}
        after: dict[Place, Floats] = {}
        for limb in LIMBS:
            table = self.tables["motor_neuron_disease", limb]
            n = len(REGION_LOSSES)
            like = {
                side: self.likelihoods("motor_neuron_disease", limb, findings.get((limb, side), ())).reshape(-1, n)
                for side in SIDES
            }
            fine = {side: self.healthy_likelihood(limb, findings.get((limb, side), ())) for side in SIDES}
            weights = table.weights.reshape(-1, n).sum(axis=1)
            mean = {side: like[side].mean(axis=1) for side in SIDES}
            two = contralateral * weights * mean["left"] * mean["right"]
            one = {
                "left": (1 - contralateral) / 2 * weights * mean["left"] * fine["right"],
                "right": (1 - contralateral) / 2 * weights * mean["right"] * fine["left"],
            }
            affected = float((two + one["left"] + one["right"]).sum())
            of_limb[limb] = (fine["left"] * fine["right"], affected)
            names = table.names[::n]
            own: dict[tuple[str, str | None], float] = {}
            for side in SIDES:
                group = _shares(two + one[side], affected)
                _collect(own, names, side, group)
                severity = _shares(like[side], like[side].sum(axis=1, keepdims=True))
                after[limb, side] = (group[:, None] * severity).ravel()
            kept[limb] = own
        arm, leg = of_limb["arm"], of_limb["leg"]
        at_least_one = 1 - (1 - region) ** 2
        only_arm, only_leg = region * (1 - region) * arm[1] * leg[0], region * (1 - region) * arm[0] * leg[1]
        both = region**2 * arm[1] * leg[1]
        total = only_arm + only_leg + both
        evidence = total / at_least_one
        for limb, weight in (("arm", only_arm + both), ("leg", only_leg + both)):
            here = weight / total if total > 0 else 0.0
            for side in SIDES:
                after[limb, side] = after[limb, side] * here
            for key, value in kept[limb].items():
                parts[key] = parts.get(key, 0.0) + value * here
        return Answer(evidence, parts, after)

    def symmetric_polyneuropathy(self, findings: Findings) -> Answer:
        """The same loss on both sides, and in arms and legs by the same rule."""
        name = "symmetric_polyneuropathy"
        table = self.tables[name, "arm"]
        like = table.weights.copy()
        for (limb, _), seen in findings.items():
            like = like * self.likelihoods(name, limb, seen)
        evidence = float(like.sum())
        parts: dict[tuple[str, str | None], float] = {}
        share = _shares(like, evidence)
        _collect(parts, table.names, None, share)
        return Answer(evidence, parts, {(limb, side): share for limb in LIMBS for side in SIDES})

    def inclusion_body_myositis(self, findings: Findings) -> Answer:
        """One profile of muscles; each side has its own severity."""
        name = "inclusion_body_myositis"
        evidence = 1.0
        after: dict[Place, Floats] = {}
        for side in SIDES:
            like = self.tables[name, "arm"].weights.copy()
            for limb in LIMBS:
                like = like * self.likelihoods(name, limb, findings.get((limb, side), ()))
            evidence *= float(like.sum())
            for limb in LIMBS:
                after[limb, side] = _shares(like, like.sum())
        return Answer(evidence, {("finger flexors, quadriceps", None): 1.0}, after)

    def no_weakness(self, findings: Findings) -> Answer:
        """Full strength everywhere, and slips of the examiner."""
        return Answer(float(np.prod([self.healthy_likelihood(p[0], seen) for p, seen in findings.items()])), {})

    def single_mononeuropathy(
        self, findings: Findings, evidence: Mapping[Place, Sequence[Evidence]] | None = None
    ) -> Answer:
        """Exactly one lesion, at one site of one limb; variants summed out; a studied stretch counts where it lies."""
        name = "single_mononeuropathy"
        healthy = {place: self.healthy_likelihood(place[0], seen) for place, seen in findings.items()}
        places = [(limb, side) for limb in LIMBS for side in SIDES]
        weights: dict[Place, Floats] = {}
        whole = 0.0
        for place in places:
            limb, _ = place
            table = self.tables[name, limb]
            like = table.weights * self._single_likelihood(limb, findings.get(place, ()))
            for stretch in (evidence or {}).get(place, ()):
                like = like * np.where([n in stretch.sites for n in table.names], stretch.ratio, 1.0)
            others = float(np.prod([h for p, h in healthy.items() if p != place]))
            weights[place] = like * others
            whole += float(table.weights.sum())
        total = sum(float(w.sum()) for w in weights.values())
        parts: dict[tuple[str, str | None], float] = {}
        shares = {place: _shares(weight, total) for place, weight in weights.items()}
        for place, share in shares.items():
            _collect(parts, self.tables[name, place[0]].names, place[1], share)
        return Answer(total / whole, parts, shares)

    def _single_likelihood(self, limb: str, seen: Sequence[Seen]) -> Floats:
        """As `likelihoods`, with the variants of singly tested muscles summed out."""
        name = "single_mononeuropathy"
        index = self.indices[name, limb]
        table = self.tables[name, limb]
        moving = self.layout.moving
        untied: list[Seen] = []
        answer = np.ones(index.shape[0])
        tied: list[tuple[set[str], list[Seen]]] = []  # variants that share muscles, with those muscles
        for finding in seen:
            muscle = finding.members[0][0]
            variants = {v.id for v in moving.get(muscle, ())} if finding.moved else set()
            if not variants:
                if finding.plain:
                    untied.append(finding)
                else:
                    answer = answer * self._of_one(self.curves[name], index, finding)
                continue
            mates = [finding]
            apart = []
            for names, members in tied:
                if names & variants:
                    variants, mates = variants | names, members + mates
                else:
                    apart.append((names, members))
            tied = [*apart, (variants, mates)]
        answer = answer * self._of_plain(self.curves[name], index, untied)
        for names, mates in tied:
            order = [id for id in self.anatomy.variants if id in names]
            total = np.zeros(index.shape[0])
            for present in itertools.product((False, True), repeat=len(order)):
                on = dict(zip(order, present, strict=True))
                product = np.ones(index.shape[0])
                for id, there in on.items():
                    variant = self.anatomy.variants[id]
                    f = variant.frequency * variant.dominance
                    product *= f if there else 1 - f
                for finding in mates:
                    muscle = finding.members[0][0]
                    path = set(self.layout.path(self.anatomy.muscles[muscle].site))
                    for variant in moving[muscle]:
                        if on[variant.id]:
                            path = self._moved(muscle, variant.id)
                            break
                    below = np.array([n in path for n in table.names])
                    moved = index.copy()
                    moved[:, self.column[muscle]] = np.where(below, index.max(axis=1), 0)
                    product = product * self._of_one(self.curves[name], moved, finding)
                total = total + product
            answer = answer * total
        return answer

    def _moved(self, muscle: str, id: str) -> set[str]:
        """The sites through which the fibres run under a variant."""
        variant, usual = self.anatomy.variants[id], self.anatomy.muscles[muscle].site
        if variant.crossing is None:
            return set(self.layout.path(variant.moves[muscle]))
        leaves, joins = variant.crossing
        path = self.layout.path(usual)
        return set(self.layout.path(leaves)) | set(path[path.index(joins) :])

    def answers(
        self, findings: Findings, evidence: Mapping[Place, Sequence[Evidence]] | None = None
    ) -> dict[str, Answer]:
        """Every explanation but multiple mononeuropathy."""
        plain: dict[str, Callable[[Findings], Answer]] = {
            "radiculopathy": self.radiculopathy,
            "plexopathy": self.plexopathy,
            "motor_neuron_disease": self.motor_neuron_disease,
            "symmetric_polyneuropathy": self.symmetric_polyneuropathy,
            "inclusion_body_myositis": self.inclusion_body_myositis,
            "functional_weakness": self.functional_weakness,
            "no_weakness": self.no_weakness,
        }
        found = {name: verb(findings) for name, verb in plain.items()}
        found["single_mononeuropathy"] = self.single_mononeuropathy(findings, evidence)
        return found


def _shares(weights: Floats, total: float | Floats) -> Floats:
    """Weights over their total; all zero where an explanation fits so badly that nothing is left of it."""
    return np.asarray(np.divide(weights, total, out=np.zeros_like(weights), where=np.asarray(total) > 0))


def _collect(
    into: dict[tuple[str, str | None], float], names: Sequence[str], side: str | None, weights: Floats
) -> None:
    for name, weight in zip(names, weights, strict=True):
        into[name, side] = into.get((name, side), 0.0) + float(weight)
