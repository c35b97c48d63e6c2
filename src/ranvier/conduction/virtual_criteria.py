"""Where each rule of conduction block errs: nerves whose truth is known, measured and judged as any study is.

Also, as far as the fibre model can say it: what stops a motor fibre before a sensory one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ranvier.conduction import virtual_nerve as vn
from ranvier.conduction.find import find_blocks
from ranvier.conduction.kernels import FloatArray
from ranvier.conduction.load import load
from ranvier.conduction.nouns import Class, StudySet

CALLED = (Class.DEFINITE, Class.PROBABLE)
MIN_BLOCK = 0.3  # a share of the response below this is not what any rule is meant to find
SIMULATED = (
    ("sodium", 0.80, 5.0),
    ("sodium", 0.88, 5.0),
    ("seal", 4.0, 5.0),
    ("myelin", 3.5, 10.0),
    ("depolarisation", 4.0, 5.0),
)
SPREAD = 0.12  # SD of severity between the fibres of one nerve, as a share of the scale's length (assumed)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One sort of nerve.

    what : ``put in`` (then blocked [1] and dispersion [ms] hold) or a lesion of nerve.yaml (then severity and length [mm] hold)
    """

    name: str
    what: str
    blocked: float = 0.0
    dispersion: float = 0.0
    severity: float = 0.0
    length: float = 0.0


@dataclass(frozen=True, slots=True)
class Judged:
    """One simulated nerve: what is true of it, what was measured, what each rule said."""

    scenario: str
    truth: float  # share of the response that is blocked [1]
    amplitude_change: float
    area_change: float
    duration_change: float
    classes: Mapping[str, Class]


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """All nerves of one scenario. called, definite : rule → share of nerves called (at least probable; definite) [1].

    truth, amplitude, area, duration : means over the nerves [1]; block : whether there is a block to be found (mean truth)
    """

    scenario: str
    nerves: int
    truth: float
    amplitude: float
    area: float
    duration: float
    block: bool
    called: Mapping[str, float]
    definite: Mapping[str, float]


def scenarios() -> tuple[Scenario, ...]:
    """Dispersion alone, block alone, both, and lesions of the fibre model."""
    out = [Scenario("sound", "put in")]
    out += [Scenario(f"dispersion {d:g} ms, no block", "put in", 0.0, d) for d in (1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0)]
    out += [Scenario(f"block {b:.0%}", "put in", b, 0.0) for b in (0.2, 0.3, 0.4, 0.5, 0.6, 0.8)]
    out += [
        Scenario(f"block {b:.0%}, dispersion {d:g} ms", "put in", b, d)
        for b in (0.3, 0.5, 0.7)
        for d in (2.0, 4.0, 8.0)
    ]
    for what, severity, length in SIMULATED:
        says = vn.knowledge()["lesions"][what]["says"]
        out.append(Scenario(f"{severity:g} {says}, over {length:g} mm", what, severity=severity, length=length))
    return tuple(out)


def effect_of(scenario: Scenario, nerve: vn.Nerve, seed: int) -> vn.Effect:
    """What happens to the fibres of one nerve; severities differ between fibres."""
    if scenario.what == "put in":
        return vn.put_in(nerve, scenario.blocked, scenario.dispersion, seed)
    return vn.lesion_by_table(
        nerve, scenario.what, severities(nerve, scenario.what, scenario.severity, seed), scenario.length
    )


def severities(nerve: vn.Nerve, what: str, mean: float, seed: int, *, spread: float = SPREAD) -> FloatArray:
    """One severity per fibre around the mean of the lesion, on the scale of nerve.yaml."""
    sort = vn.knowledge()["lesions"][what]
    worst = float(sort["worst"])
    drawn = mean + spread * worst * np.random.default_rng(seed).standard_normal(nerve.sizes.size)
    return np.asarray(np.clip(drawn, float(sort["sound"]), worst))


def judge_nerve(scenario: Scenario, seed: int, segment: str = "forearm") -> Judged:
    """One nerve drawn, stimulated at both ends of the stretch with noise, measured and judged."""
    where = vn.knowledge()["segments"][segment]
    nerve = vn.make_nerve(where["nerve"], seed)
    effect = effect_of(scenario, nerve, seed + 1)
    made = vn.study(nerve, {where["to"]: effect}, seed=seed + 2, sites=(where["from"], where["to"]))
    found = find_blocks(StudySet((made,))).segments[0]

    def change(value: float | None) -> float:
        return float("nan") if value is None else value

    return Judged(
        scenario.name, effect.share(nerve), change(found.amplitude_change), change(found.area_change),
        change(found.duration_change), {rule: verdict.class_ for rule, verdict in found.verdicts.items()},
    )  # fmt: skip


def criteria_errors(nerves: int = 40, seed: int = 1, only: Sequence[Scenario] | None = None) -> tuple[ErrorRow, ...]:
    """For each scenario, how often each rule calls a block.

    nerves : simulated per scenario; seed : of everything; only : None: all `scenarios`
    """
    rules = tuple(rule.id for rule in load().rules)
    rows = []
    for k, scenario in enumerate(scenarios() if only is None else only):
        found = [judge_nerve(scenario, seed + 1000 * k + 10 * i) for i in range(nerves)]
        truth = float(np.mean([j.truth for j in found]))
        rows.append(
            ErrorRow(
                scenario=scenario.name,
                nerves=nerves,
                truth=truth,
                amplitude=float(np.nanmean([j.amplitude_change for j in found])),
                area=float(np.nanmean([j.area_change for j in found])),
                duration=float(np.nanmean([j.duration_change for j in found])),
                block=truth >= MIN_BLOCK,
                called={r: float(np.mean([j.classes[r] in CALLED for j in found])) for r in rules},
                definite={r: float(np.mean([j.classes[r] is Class.DEFINITE for j in found])) for r in rules},
            )
        )
    return tuple(rows)


# ---- why only motor fibres? -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Threshold:
    """The severity from which on a fibre [um] no longer conducts through so many lesioned nodes; None: it does at the worst."""

    what: str
    nodes: int
    diameter: float
    motor: float | None
    sensory: float | None


def blocking_severity(kind: str, what: str, diameter: float, nodes: int, halvings: int = 9) -> float | None:
    """By halving the interval: the severity (scale of nerve.yaml) at which a fibre stops to conduct; None: not at the worst."""
    low, high = (float(vn.knowledge()["lesions"][what][end]) for end in ("sound", "worst"))
    if vn.passage(kind, diameter, vn.lesion_of(what, high), nodes) is not None:
        return None
    for _ in range(halvings):
        middle = 0.5 * (low + high)
        if vn.passage(kind, diameter, vn.lesion_of(what, middle), nodes) is None:
            high = middle
        else:
            low = middle
    return 0.5 * (low + high)


def thresholds(diameter: float = 10.0, nodes: Sequence[int] = (3, 5, 9)) -> tuple[Threshold, ...]:
    """Each sort of lesion over each number of nodes: motor and sensory fibres of the same size under the same lesion."""
    return tuple(
        Threshold(what, n, diameter, *(blocking_severity(kind, what, diameter, n) for kind in ("motor", "sensory")))
        for what in vn.knowledge()["lesions"]
        for n in nodes
    )


# ---- the page ----------------------------------------------------------------------------------------------------------


def page(nerves: int = 40, seed: int = 1) -> str:
    """Markdown: velocities, thresholds and errors, made anew. About 15 s on two cores with 40 nerves per scenario."""
    rules = {rule.id: rule.short for rule in load().rules}
    lines = [
        "# The virtual nerve in numbers",
        "",
        "Made by running the model (`ranvier.conduction.virtual_criteria.page`). Simulated, not measured in people.",
        "",
        "## Velocity of sound fibres [m/s]",
        "",
        "| fibre with its myelin [um] | " + " | ".join(f"{d:g}" for d in vn.tables()["velocities"]["diameters"]) + " |",
        "|---|" + "--:|" * len(vn.tables()["velocities"]["diameters"]),
    ]
    for kind, row in vn.tables()["velocities"]["kinds"].items():
        lines.append(f"| {kind} | " + " | ".join(f"{v:.1f}" for v in row["values"]) + " |")
    lines += [
        "", "## What stops a motor and a sensory fibre of 10 um", "",
        "The severity from which on nothing passes; the same lesion, the same geometry, only the currents differ.", "",
        "| lesion | nodes | motor | sensory | stops first |", "|---|--:|--:|--:|---|",
    ]  # fmt: skip
    lines += threshold_lines()
    lines += [
        "", "## Where each rule errs", "",
        f"Median nerve, wrist to elbow, {nerves} nerves per row. *truly blocked*: share of the response whose fibres are stopped.",
        "*called*: share of nerves in which the rule says at least probable block (definite in brackets). Where nothing is",
        f"blocked every call is false; where {MIN_BLOCK:.0%} or more is blocked every silence is.", "",
        "| nerve | truly blocked | amplitude | area | duration | " + " | ".join(rules.values()) + " |",
        "|---|--:|--:|--:|--:|" + "--:|" * len(rules),
    ]  # fmt: skip
    for r in criteria_errors(nerves, seed):
        cells = " | ".join(f"{r.called[i]:.0%} ({r.definite[i]:.0%})" for i in rules)
        lines.append(
            f"| {r.scenario} | {r.truth:.0%} | {r.amplitude:+.0%} | {r.area:+.0%} | {r.duration:+.0%} | {cells} |"
        )
    return "\n".join(lines) + "\n"


def threshold_lines(nodes: Sequence[int] = (3, 5, 9)) -> list[str]:
    """The table of thresholds, line by line."""
    lines = []
    for t in thresholds(nodes=nodes):
        says = vn.knowledge()["lesions"][t.what]["says"]
        lines.append(f"| {says} | {t.nodes} | {_number(t.motor)} | {_number(t.sensory)} | {first_stopped(t)} |")
    return lines


def _number(value: float | None) -> str:
    return "passes" if value is None else f"{value:.3g}"


def first_stopped(t: Threshold) -> str:
    """Which fibre the lesion stops first: motor, sensory, or both about equally (within 2 %)."""
    if t.motor is None and t.sensory is None:
        return "neither"
    if t.sensory is None:
        return "motor"
    if t.motor is None:
        return "sensory"
    if abs(t.motor - t.sensory) <= 0.02 * max(t.motor, t.sensory):
        return "both alike"
    return "motor" if t.motor < t.sensory else "sensory"


def neighbours(nerve: vn.Nerve) -> tuple[tuple[str, str], ...]:
    """The stretches between neighbouring sites, distal first."""
    return tuple(pairwise(site for site, _ in nerve.sites))
