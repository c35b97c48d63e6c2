"""A simulated person: fibres lost or blocked along the nerves, and from the same fibres both strength and conduction study.

The truth is known, so localisation and criteria can be held against it. The generator is fibre physics and chance
(`person.yaml`); it shares no formula with the localiser. Where nerves run is told from outside (`Wires`): this room knows no
anatomy.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np
import yaml

from ranvier.conduction import virtual_nerve as vn
from ranvier.conduction.kernels import FloatArray
from ranvier.conduction.nouns import ConductionStudy, StudySet
from ranvier.conduction.virtual_criteria import severities

SIDES = ("left", "right")
CONDITIONS = (
    "multiple_mononeuropathy", "single_mononeuropathy", "radiculopathy", "motor_neuron_disease", "symmetric_polyneuropathy",
    "no_weakness",
)  # fmt: skip
SPLIT_HAND = ("apb", "fdi")
VISIBLE = 0.5  # a muscle with less than this share of its force left is weak in truth


@dataclass(frozen=True, slots=True)
class Wires:
    """Where nerves run, in plain words of the caller's map.

    Attributes
    ----------
    paths : muscle → sites that its fibres run through, from the root outward
    limbs : muscle → arm | leg
    roots : muscle → root → share of its fibres
    nerves : site → nerve
    lengths : site → [cm]
    entrapments : site → weight as a place of entrapment
    """

    paths: Mapping[str, tuple[str, ...]]
    limbs: Mapping[str, str]
    roots: Mapping[str, Mapping[str, float]]
    nerves: Mapping[str, str]
    lengths: Mapping[str, float]
    entrapments: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class NerveLesion:
    """A focal lesion: at a site of the map, on a side; what, how bad on average and how long as in `nerve.yaml`.

    axon_loss : share of the fibres through it that are lost for good [1]
    fascicle : SD of the mean severity between muscles, as a share of the scale [1]
    sensory : share of the severity that sensory fibres suffer [1]
    """

    site: str
    side: str
    what: str
    severity: float
    length: float = 5.0
    axon_loss: float = 0.0
    fascicle: float = 0.0
    sensory: float = 1.0


@dataclass(frozen=True, slots=True)
class Truth:
    """What is true of a simulated person.

    Attributes
    ----------
    condition : one of CONDITIONS
    nerves : (nerve, side) that carry a lesion
    weak_nerves : of these, those through which a weak muscle's fibres run, at or below the lesion
    left : (muscle, side) → share of force left [1]
    blocked : (nerve, side, proximal site) → share of the response blocked in that stretch of the study [1]
    """

    condition: str
    lesions: tuple[NerveLesion, ...]
    nerves: frozenset[tuple[str, str]]
    weak_nerves: frozenset[tuple[str, str]]
    left: Mapping[tuple[str, str], float]
    blocked: Mapping[tuple[str, str, str], float] = field(default_factory=dict)


@cache
def knowledge() -> Mapping[str, Any]:
    """`person.yaml` as parsed."""
    file = importlib.resources.files("ranvier.knowledge").joinpath("conduction", "virtual", "person.yaml")
    data: Mapping[str, Any] = yaml.load(file.read_bytes(), yaml.CSafeLoader)
    return data


def simulate_person(
    seed: int,
    wires: Wires,
    muscles: Sequence[str],
    *,
    condition: str = "multiple_mononeuropathy",
    lesions: Sequence[NerveLesion] | None = None,
) -> tuple[Mapping[tuple[str, str], str], StudySet, Truth]:
    """One person examined on both sides and studied, and the truth.

    Parameters
    ----------
    seed : everything follows from it
    wires : where nerves run
    muscles : that are examined
    condition : one of CONDITIONS; what is drawn follows from it
    lesions : in place of drawn ones; for the two mononeuropathies only

    Returns
    -------
    (muscle, side) → MRC grade as written; the studies; the truth

    Raises
    ------
    ValueError : an unknown condition or site
    """
    if condition not in CONDITIONS:
        raise ValueError(f"there is no simulated '{condition}'; use one of {', '.join(CONDITIONS)}")
    for lesion in lesions or ():
        if lesion.site not in wires.nerves or lesion.side not in SIDES:
            raise ValueError(
                f"there is no site '{lesion.site}' on the {lesion.side}; sites are ids of the map, sides left and right"
            )
    rng = np.random.default_rng(seed)
    made = tuple(lesions) if lesions is not None else draw_lesions(condition, wires, rng)
    survival = _survival(condition, wires, rng)
    recorded = {(vn.knowledge()["nerves"][n]["muscle"], side): n for n in knowledge()["studied"] for side in SIDES}
    left: dict[tuple[str, str], float] = {}
    blocked: dict[tuple[str, str, str], float] = {}
    studies: list[ConductionStudy] = []
    everyone = dict.fromkeys([*muscles, *(m for m, _ in recorded)])
    for side in SIDES:
        for muscle in everyone:
            name = recorded.get((muscle, side))
            own = int(rng.integers(2**31))
            if name is not None:
                nerve = vn.make_nerve(name, own)
            else:
                nerve = vn.fibres(
                    "motor", int(knowledge()["units"]["value"]), np.random.default_rng(own), limb=wires.limbs[muscle]
                )
            alive, effects = _through(nerve, muscle, side, wires, made, rng)
            alive &= rng.random(alive.size) < survival(muscle, side)
            pass_ = alive.copy()
            for effect in effects.values():
                pass_ &= ~effect.blocked
            left[muscle, side] = min(1.0, float(nerve.sizes[pass_].sum()))
            if name is not None:
                there = _as_stretches(name, effects)
                distal = there.pop("distal", None)
                if distal is not None:  # beyond the first electrode: what is stopped there is never seen at all
                    alive &= ~distal.blocked
                thinned = replace(nerve, sizes=nerve.sizes * alive)
                studies.append(vn.study(thinned, there, side=side, seed=int(rng.integers(2**31))))
                whole = max(float(thinned.sizes.sum()), 1e-9)
                blocked.update({(name, side, site): e.share(thinned) / whole for site, e in there.items()})
        studies += [_sensory(n, side, wires, made, rng) for n in knowledge()["sensory"]]
    grades = {(m, side): _grade(left[m, side], rng) for m in muscles for side in SIDES}
    weak = frozenset(
        (wires.nerves[x.site], x.side)
        for x in made
        if any(x.site in wires.paths[m] and left[m, x.side] < VISIBLE for m in muscles)
    )
    truth = Truth(condition, made, frozenset((wires.nerves[x.site], x.side) for x in made), weak, left, blocked)
    return grades, StudySet(tuple(studies)), truth


# ---- what is wrong -----------------------------------------------------------------------------------------------------


def draw_lesions(condition: str, wires: Wires, rng: np.random.Generator) -> tuple[NerveLesion, ...]:
    """Focal lesions of the two mononeuropathies; none of the others."""
    if condition == "multiple_mononeuropathy":
        data = knowledge()[condition]
        weights = [
            (nerve, side, w * side_weight) for nerve, w in data["nerves"].items() for side, side_weight in _handed(rng)
        ]
        count = int(rng.integers(data["fewest"], data["most"] + 1))
        p = np.array([w for *_, w in weights])
        chosen = rng.choice(len(weights), size=min(count, len(weights)), replace=False, p=p / p.sum())
        out = []
        for k in chosen:
            nerve, side, _ = weights[int(k)]
            for site in _somewhere(nerve, wires, rng, 1 + int(rng.random() < 0.25)):
                what = str(rng.choice(list(data["lesions"])))
                low, high, length = data["lesions"][what]
                loss = data["axon_loss"] * float(rng.random()) ** 3
                mean = float(rng.uniform(low, high))
                out.append(NerveLesion(site, side, what, mean, length, loss, data["fascicle"], data["sensory"]))
        return tuple(out)
    if condition == "single_mononeuropathy":
        data = knowledge()[condition]
        sites = [s for s, w in wires.entrapments.items() if w > 0.5 and any(s in path for path in wires.paths.values())]
        p = np.array([wires.entrapments[s] for s in sites])
        site = str(rng.choice(sites, p=p / p.sum()))
        what, (low, high, length) = next(iter(data["lesions"].items()))
        loss = float(rng.uniform(*data["axon_loss"]))
        return (NerveLesion(site, str(rng.choice(SIDES)), what, float(rng.uniform(low, high)), length, loss),)
    return ()


def _handed(rng: np.random.Generator) -> tuple[tuple[str, float], ...]:
    """One side is worse than the other."""
    worse = str(rng.choice(SIDES))
    return tuple((side, 1.0 if side == worse else 0.4) for side in SIDES)


def _somewhere(nerve: str, wires: Wires, rng: np.random.Generator, n: int) -> list[str]:
    """Sites of a nerve that a muscle's fibres run through, evenly per cm."""
    used = {s for path in wires.paths.values() for s in path}
    sites = [s for s, own in wires.nerves.items() if own == nerve and s in used]
    p = np.array([wires.lengths[s] for s in sites])
    return [str(s) for s in rng.choice(sites, size=min(n, len(sites)), replace=False, p=p / p.sum())]


def _survival(condition: str, wires: Wires, rng: np.random.Generator) -> Any:
    """(muscle, side) → share of motor neurons or axons alive, by conditions that are not focal."""
    if condition == "motor_neuron_disease":
        data = knowledge()[condition]
        onset = (str(rng.choice(("arm", "leg"))), str(rng.choice(SIDES)))
        limbs = {
            (limb, side): float(rng.uniform(*data["onset_left" if (limb, side) == onset else "other_left"]))
            for limb in ("arm", "leg")
            for side in SIDES
        }

        def neurons(muscle: str, side: str) -> float:
            power = float(np.exp(data["scatter"] * rng.standard_normal())) * (
                data["split_hand"] if muscle in SPLIT_HAND else 1.0
            )
            return float(limbs[wires.limbs[muscle], side] ** power)

        return neurons
    if condition == "radiculopathy":
        data = knowledge()[condition]
        roots = list(data["roots"])
        p = np.array([data["roots"][r] for r in roots])
        root, side_hit, loss = (
            str(rng.choice(roots, p=p / p.sum())),
            str(rng.choice(SIDES)),
            float(rng.uniform(*data["loss"])),
        )

        def rooted(muscle: str, side: str) -> float:
            return 1.0 - loss * wires.roots[muscle].get(root, 0.0) * (side == side_hit)

        return rooted
    if condition == "symmetric_polyneuropathy":
        data = knowledge()[condition]
        half = float(rng.uniform(*data["half_at"]))

        def by_length(muscle: str, side: str) -> float:
            far = (
                sum(wires.lengths[s] for s in wires.paths[muscle]) + 20.0
            )  # cm within the trunk, before the map begins
            return float(1.0 / (1.0 + np.exp((far - half) / data["width"])))

        return by_length
    return lambda muscle, side: 1.0


# ---- from lesions to fibres, waves and grades ----------------------------------------------------------------------------


def _through(
    nerve: vn.Nerve, muscle: str, side: str, wires: Wires, lesions: Sequence[NerveLesion], rng: np.random.Generator
) -> tuple[Any, dict[str, vn.Effect]]:
    """Which fibres of a muscle are alive, and what each lesion on their way does to them: site → effect."""
    alive = np.ones(nerve.sizes.size, bool)
    effects: dict[str, vn.Effect] = {}
    for lesion in lesions:
        if lesion.side != side or lesion.site not in wires.paths[muscle]:
            continue
        worst = float(vn.knowledge()["lesions"][lesion.what]["worst"])
        mean = lesion.severity + lesion.fascicle * worst * float(rng.standard_normal())
        drawn = severities(nerve, lesion.what, mean, int(rng.integers(2**31)))
        alive &= rng.random(alive.size) >= lesion.axon_loss
        effects[lesion.site] = _joined(
            effects.get(lesion.site), vn.lesion_by_table(nerve, lesion.what, drawn, lesion.length)
        )
    return alive, effects


def _joined(a: vn.Effect | None, b: vn.Effect) -> vn.Effect:
    return b if a is None else vn.Effect(a.blocked | b.blocked, a.delay + b.delay)


def _as_stretches(name: str, effects: Mapping[str, vn.Effect]) -> dict[str, vn.Effect]:
    """Effects by site of the map → by proximal end of the study's stretch; ``distal`` beyond the first electrode.

    What lies nearer to the root than the most proximal electrode is left out: no stimulus goes through it.
    """
    stretches = knowledge()["stretches"][name]
    out: dict[str, vn.Effect] = {}
    for site, effect in effects.items():
        where = next((end for end, sites in stretches.items() if site in sites), None)
        if where is None:
            where = "distal" if not _is_central(name, site) else None
        if where is not None:
            out[where] = _joined(out.get(where), effect)
    return out


CENTRAL = {
    "fibular": ("sciatic", "fibular_division"),
    "tibial": ("sciatic", "tibial_division"),
}  # map sites of these nerves that lie nearer to the root than any electrode


def _is_central(name: str, site: str) -> bool:
    return site in CENTRAL.get(name, ())


def _sensory(
    name: str, side: str, wires: Wires, lesions: Sequence[NerveLesion], rng: np.random.Generator
) -> ConductionStudy:
    """The sensory study of a nerve whose stretches may be lesioned."""
    nerve = vn.make_nerve(name, int(rng.integers(2**31)))
    stretches = knowledge()["stretches"][nerve.name]
    effects: dict[str, vn.Effect] = {}
    alive = np.ones(nerve.sizes.size, bool)
    for lesion in lesions:
        if lesion.side != side or wires.nerves[lesion.site] != nerve.name:
            continue
        drawn = severities(nerve, lesion.what, lesion.severity * lesion.sensory, int(rng.integers(2**31)))
        effect = vn.lesion_by_table(nerve, lesion.what, drawn, lesion.length)
        alive &= rng.random(alive.size) >= lesion.axon_loss * lesion.sensory
        where = next((end for end, sites in stretches.items() if lesion.site in sites), None)
        if where is not None and where in dict(nerve.sites):
            effects[where] = _joined(effects.get(where), effect)
    thinned = replace(nerve, sizes=nerve.sizes * alive)
    return vn.study(thinned, effects, side=side, seed=int(rng.integers(2**31)))


def _grade(left: float, rng: np.random.Generator) -> str:
    """The grade that one examiner writes for a share of force left [1]."""
    cuts = [(str(g), float(c)) for g, c in knowledge()["grades"]["cuts"]]
    felt = left * float(np.exp(float(knowledge()["examiner"]["noise"]["value"]) * rng.standard_normal()))
    felt = max(felt, left if left >= VISIBLE * 1.6 else 0.0)  # nobody finds a strong muscle weak by noise alone
    k = next(i for i, (_, cut) in enumerate(cuts) if felt >= cut)
    if rng.random() < float(knowledge()["examiner"]["slip"]["value"]):
        k = min(max(k + int(rng.choice((-1, 1))), 0), len(cuts) - 1)
    return cuts[k][0]


def fractions(truth: Truth) -> FloatArray:
    """Shares of force left over all muscles and sides [1]."""
    return np.array(list(truth.left.values()))
