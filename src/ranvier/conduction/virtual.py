"""One virtual myelinated fibre: from its diameter and kind to an action potential that travels, is slowed, or stops.

The double cable of McIntyre, Richardson and Grill (2002): node, paranode, juxtaparanode and internode, each with the axon's
membrane, the thin space under the myelin, and the myelin. Kinds `mrg`, `motor`, `sensory` differ in their currents only.
All numbers stand in knowledge/conduction/virtual/fibre.yaml.
"""

from __future__ import annotations

import importlib.resources
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np
import yaml

from ranvier.conduction.kernels import (
    GATES,
    LOWEST,
    PER_MV,
    ROWS,
    Cable,
    FloatArray,
    Pulse,
    Rates,
    State,
    propagate,
    relax,
)

KINDS = ("mrg", "motor", "sensory")
METHODS = {"backward_euler": 1.0, "crank_nicolson": 0.5}
STEP = 0.005  # [ms], the step of the published simulations
THRESHOLD = -30.0  # [mV]; any value on the upstroke gives the same velocity
QUIET = -60.0  # [mV]; below this everywhere after the pulse, nothing can come any more
GROUND = 1e6  # [uS]; a node's outside is the bath
UM2_TO_CM2 = 1e-8


@dataclass(frozen=True, slots=True)
class Lesion:
    """What is wrong at one node and beside it.

    Attributes
    ----------
    sodium : share of nodal sodium channels (fast and persistent) that is lost [1]
    seal : how many times wider the space under the myelin is at the paranode and juxtaparanode on both sides, and how many
        times better the myelin conducts there [1]; 1 is sound
    myelin : share of the lamellae that is lost over the internode that follows [1]
    polarisation : steady current at the node [mA/cm2 of nodal membrane]; above 0 it depolarises, as while a pump fails
    """

    sodium: float = 0.0
    seal: float = 1.0
    myelin: float = 0.0
    polarisation: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if not 0.0 <= self.sodium <= 1.0:
            raise ValueError(f"sodium {self.sodium} is no share; use 0 (none lost) to 1 (all lost)")
        if not (math.isfinite(self.seal) and self.seal >= 1.0):
            raise ValueError(f"seal {self.seal} is no widening; use 1 (sound) or more")
        if not 0.0 <= self.myelin < 1.0:
            raise ValueError(f"myelin {self.myelin} is no share that can be lost; use 0 (none) to below 1")
        if not math.isfinite(self.polarisation):
            raise ValueError("polarisation must be a number [mA/cm2]")


SOUND = Lesion()


@dataclass(frozen=True, slots=True)
class Geometry:
    """Measures of one fibre [um], and its number of lamellae."""

    fibre: float
    node: float
    axon: float
    spacing: float
    juxtaparanode: float
    lamellae: float


@dataclass(frozen=True, slots=True)
class Run:
    """One pulse along one fibre.

    Attributes
    ----------
    spikes : time at which each node fired [ms]; NaN where it did not
    spacing : node to node [mm]
    traces : steps × nodes [mV], or None
    step : [ms]
    """

    spikes: FloatArray
    spacing: float
    step: float
    traces: FloatArray | None = None

    @property
    def arrived(self) -> bool:
        """Whether the last node fired."""
        return bool(np.isfinite(self.spikes[-1]))

    def delay(self, first: int, last: int) -> float | None:
        """Time from one node's spike to another's [ms]; None where either did not fire."""
        time = float(self.spikes[last] - self.spikes[first])
        return time if math.isfinite(time) else None


@cache
def knowledge() -> Mapping[str, Any]:
    """`fibre.yaml` as parsed."""
    file = importlib.resources.files("ranvier.knowledge").joinpath("conduction", "virtual", "fibre.yaml")
    data: Mapping[str, Any] = yaml.load(file.read_bytes(), yaml.CSafeLoader)
    return data


def number(name: str) -> float:
    """One number of `fibre.yaml`, in the unit that stands beside it there."""
    return float(knowledge()["numbers"][name]["value"])


def diameters() -> tuple[float, ...]:
    """The diameters of the published table [um]."""
    return tuple(float(row[0]) for row in knowledge()["geometry"]["rows"])


def geometry(diameter: float) -> Geometry:
    """Measures of a fibre of this outer diameter [um]: straight lines between the rows of the published table.

    Raises ValueError outside the table.
    """
    rows = np.array(knowledge()["geometry"]["rows"], dtype=float)
    if not rows[0, 0] <= diameter <= rows[-1, 0]:
        raise ValueError(
            f"no fibre of {diameter:g} um; the published geometry covers {rows[0, 0]:g} to {rows[-1, 0]:g} um"
        )
    return Geometry(*(float(np.interp(diameter, rows[:, 0], column)) for column in rows.T))


def rate(voltage: FloatArray, form: str, a: float, b: float, c: float) -> FloatArray:
    """Opening or closing rate [1/ms] at voltages [mV]; forms as in `fibre.yaml`.

    >>> float(rate(np.array([-21.4]), "linear_up", 1.86, 21.4, 10.3)[0])
    19.158
    """
    x = (voltage + b) / c
    if form == "exponential":
        return np.asarray(a * np.exp(x))
    if form == "sigmoid":
        return np.asarray(a / (1.0 + np.exp(-x)))
    sign = {"linear_up": 1.0, "linear_down": -1.0}[form]
    y = sign * x
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        return np.asarray(a * c * np.where(np.abs(y) < 1e-6, 1.0 + y / 2.0, y / -np.expm1(-y)))


def gates_at(kind: str, voltage: FloatArray, temperature: float) -> dict[str, tuple[FloatArray, FloatArray]]:
    """Gate → (where it goes [1], how fast [1/ms]) at voltages [mV]. temperature : [Cel]."""
    table = knowledge()["rates"][knowledge()["kinds"][kind]["rates"]]
    fast, slow = (temperature - 20.0) / 10.0, (temperature - 36.0) / 10.0
    speed = {
        "m": number("q10_activation") ** fast, "p": number("q10_activation") ** fast,
        "h": number("q10_inactivation") ** fast,
        "s": number("q10_potassium") ** slow, "n": number("q10_potassium") ** slow, "q": number("q10_potassium") ** slow,
    }  # fmt: skip
    out = {}
    for gate in ("p", "m", "h", "s", "n", "q"):
        if gate not in table:
            out[gate] = (np.zeros_like(voltage), np.ones_like(voltage))
            continue
        opens = rate(voltage, *table[gate]["opens"]) * speed[gate]
        closes = rate(voltage, *table[gate]["closes"]) * speed[gate]
        out[gate] = (opens / (opens + closes), opens + closes)
    return out


@lru_cache(maxsize=32)
def rates(kind: str, step: float, temperature: float) -> Rates:
    """The kernel's tables for one step [ms] at one temperature [Cel]."""
    voltage = LOWEST + np.arange(ROWS) / PER_MV
    found = gates_at(kind, voltage, temperature)
    node, internode = np.zeros((ROWS, 2 * GATES)), np.zeros((ROWS, 2 * GATES))
    for table, names in ((node, "pmhsn"), (internode, "snq")):
        for g, name in enumerate(names):
            aim, speed = found[name]
            table[:, g], table[:, GATES + g] = aim, np.exp(-step * speed)
    return Rates(node, internode, number("sodium_potential"), number("potassium_potential"), number("h_potential"))


def gates_in(kind: str, voltage: FloatArray, node: Any, temperature: float) -> FloatArray:
    """Gates at rest at the voltages of the compartments [mV]: compartments × GATES."""
    found = gates_at(kind, voltage, temperature)
    out = np.zeros((voltage.size, GATES))
    for names, here in (("pmhsn", node == 1), ("snq", node == 0)):
        for g, name in enumerate(names):
            out[here, g] = found[name][0][here]
    return out


def cable(
    kind: str, diameter: float, nodes: int, lesions: Mapping[int, Lesion] | None = None, parts: int | None = None
) -> Cable:
    """The compartments of a fibre with `nodes` nodes.

    diameter : with its myelin [um]
    lesions : node → what is wrong there
    parts : compartments of each internode between its juxtaparanodes; None: as published (6). One gives nearly the same velocity.
    """
    g, data = geometry(diameter), knowledge()["kinds"][kind]
    parts = int(number("internode_parts")) if parts is None else parts
    long = number("paranode_length")
    rest = g.spacing - number("node_length") - 2 * long - 2 * g.juxtaparanode
    # what each compartment of one stretch is: length, axon's diameter, width of the space, all [um]
    narrow, wide = number("paranode_space"), number("internode_space")
    stretch = [
        ("node", number("node_length"), g.node, narrow), ("paranode", long, g.node, narrow),
        ("internode", g.juxtaparanode, g.axon, wide), *[("internode", rest / parts, g.axon, wide)] * parts,
        ("internode", g.juxtaparanode, g.axon, wide), ("paranode", long, g.node, narrow),
    ]  # fmt: skip
    row = (stretch * nodes)[: (nodes - 1) * len(stretch) + 1]
    what = np.array([r[0] for r in row])
    length, across, space = (np.array([r[k] for r in row]) for k in (1, 2, 3))
    node = (what == "node").astype(np.int64)

    axolemma = math.pi * across * length * UM2_TO_CM2  # [cm2]
    outer = math.pi * g.fibre * length * UM2_TO_CM2
    meant = np.where(node == 1, axolemma, axolemma if data["scaled"] == "axon" else outer)
    lamellae = 2.0 * g.lamellae
    myelin = np.where(node == 1, GROUND, 1e6 * outer * number("lamella_conductance") / lamellae)
    myelin_capacitance = np.where(node == 1, 0.0, 1e3 * outer * number("lamella_capacitance") / lamellae)

    def conductance(name: str) -> FloatArray:
        """[S/cm2] of the kind to [uS] of each compartment."""
        of = {part: data[part].get(name, 0.0) for part in ("node", "paranode", "internode")}
        return np.array([of[w] for w in what]) * meant * 1e6

    leak = conductance("leak")
    potential = np.array([data[w]["leak_potential"] for w in what])
    sodium, persistent = conductance("sodium"), conductance("persistent")
    leak_current = leak * potential
    space = space.copy()
    for k, lesion in (lesions or {}).items():
        at = k * len(stretch)
        sodium[at] *= 1.0 - lesion.sodium
        persistent[at] *= 1.0 - lesion.sodium
        leak_current[at] += lesion.polarisation * axolemma[at] * 1e6  # mA to nA
        for beside in (at - 2, at - 1, at + 1, at + 2):  # juxtaparanode, paranode, paranode, juxtaparanode
            if 0 <= beside < what.size:
                space[beside] *= lesion.seal
                myelin[beside] *= lesion.seal
        after = slice(at + 1, at + len(stretch))
        myelin[after] /= 1.0 - lesion.myelin
        myelin_capacitance[after] /= 1.0 - lesion.myelin
    # resistance of half a compartment [MOhm], from resistivity [Ohm.m = MOhm.um] and measures [um]
    rho = number("axoplasm_resistivity")
    half_inside = 0.5 * rho * length / (math.pi * across**2 / 4.0)
    half_under = 0.5 * rho * length / (math.pi * ((across / 2.0 + space) ** 2 - (across / 2.0) ** 2))
    return Cable(
        node=node,
        capacitance=number("membrane_capacitance") * axolemma * 1e3,
        myelin_capacitance=myelin_capacitance,
        leak=leak,
        leak_current=leak_current,
        sodium=sodium,
        persistent=persistent,
        slow=conductance("slow"),
        fast=conductance("fast"),
        h=conductance("h"),
        myelin=myelin,
        inside=np.append(1.0 / (half_inside[:-1] + half_inside[1:]), 0.0),
        under=np.append(1.0 / (half_under[:-1] + half_under[1:]), 0.0),
    )


@lru_cache(maxsize=1024)
def _resting_stretch(
    kind: str, diameter: float, parts: int | None, temperature: float
) -> tuple[FloatArray, FloatArray]:
    """Potentials of one stretch, node to before the next node, in an endless sound fibre at rest [mV]."""
    whole = cable(kind, diameter, 2, parts=parts)
    # By symmetry nothing flows through the middle of a node: half a node closes each end.
    half = np.ones(whole.node.size)
    half[0] = half[-1] = 0.5
    one = whole._replace(
        **{name: getattr(whole, name) * half for name in
           ("capacitance", "leak", "leak_current", "sodium", "persistent", "slow", "fast", "h")}
    )  # fmt: skip
    state = _uniform(kind, one, temperature)
    for step in (0.02, 5.0):  # a quick start, then the slow currents
        relax(one, rates(kind, step, temperature), state, step, 2000, 1e-6)
    return state.inside[:-1].copy(), state.under[:-1].copy()


def _uniform(kind: str, fibre: Cable, temperature: float) -> State:
    voltage = np.full(fibre.node.size, float(knowledge()["kinds"][kind]["rest"]))
    return State(voltage, np.zeros_like(voltage), gates_in(kind, voltage, fibre.node, temperature))


def at_rest(
    kind: str, diameter: float, fibre: Cable, nodes: int, *, lesioned: bool, parts: int | None, temperature: float
) -> State:
    """The fibre at rest. A lesioned one is let settle from the sound fibre's rest, for as long as it moves."""
    inside, under = _resting_stretch(kind, diameter, parts, temperature)
    n = fibre.node.size
    a, b = np.tile(inside, nodes)[:n].copy(), np.tile(under, nodes)[:n].copy()
    state = State(a, b, gates_in(kind, a - b, fibre.node, temperature))
    if lesioned:
        for step in (0.02, 0.5):
            relax(fibre, rates(kind, step, temperature), state, step, 400, 1e-4)
    return state


def run(
    kind: str,
    diameter: float,
    *,
    nodes: int = 21,
    lesions: Mapping[int, Lesion] | None = None,
    stimulate: int = 0,
    duration: float = 10.0,
    step: float = STEP,
    method: str = "crank_nicolson",
    parts: int | None = None,
    temperature: float | None = None,
    amplitude: float | None = None,
    length: float = 0.1,
    onset: float = 0.1,
    traces: bool = False,
) -> Run:
    """Send one action potential along a fibre.

    kind : mrg | motor | sensory
    diameter : [um], within the published table
    nodes : number of nodes of Ranvier
    lesions : node → lesion
    stimulate : node into which current is put
    duration, step : [ms]; it ends early once the last node has fired or nothing moves any more, unless traces are kept
    method : crank_nicolson (second order) | backward_euler (first order, as most published simulations were run)
    parts : compartments per internode; None: as published
    temperature : [Cel]; None: that of the published model. Moves the gates only.
    amplitude : [nA]; None: what surely excites a sound fibre of this size
    length, onset : of the pulse [ms]
    traces : keep the potential of every node at every step

    Raises ValueError with what to write instead.
    """
    if kind not in KINDS:
        raise ValueError(f"'{kind}' is no kind of fibre; use one of {', '.join(KINDS)}")
    if method not in METHODS:
        raise ValueError(f"'{method}' is no method; use one of {', '.join(METHODS)}")
    if nodes < 2 or not 0 <= stimulate < nodes:
        raise ValueError("a fibre has at least 2 nodes, and one of them is stimulated")
    for node in lesions or {}:
        if not 0 <= node < nodes:
            raise ValueError(f"there is no node {node} to be lesioned; nodes are 0 to {nodes - 1}")
    warmth = number("temperature") if temperature is None else temperature
    fibre = cable(kind, diameter, nodes, lesions, parts)
    state = at_rest(kind, diameter, fibre, nodes, lesioned=bool(lesions), parts=parts, temperature=warmth)
    steps = math.ceil(duration / step)
    spikes = np.empty(nodes)
    kept = np.empty((steps, nodes)) if traces else np.empty((0, 0))
    site = int(np.flatnonzero(fibre.node)[stimulate])
    strength = STRONG * geometry(diameter).node if amplitude is None else amplitude
    pulse = Pulse(site, onset, length, float(strength))
    done = propagate(
        fibre, rates(kind, step, warmth), state, step, steps, METHODS[method], pulse, THRESHOLD, QUIET, spikes, kept
    )
    return Run(spikes, geometry(diameter).spacing / 1000.0, step, kept[:done] if traces else None)


STRONG = 1.0  # [nA per um of nodal diameter] for 0.1 ms: about twice what a sound fibre needs


def velocity(kind: str, diameter: float, **how: Any) -> float | None:
    """Conduction velocity [m/s] between a quarter and three quarters of a sound fibre's length; None if it does not conduct.

    how : as in `run`
    """
    found = run(kind, diameter, **how)
    last = found.spikes.size - 1
    first, second = round(0.25 * last), round(0.75 * last)
    time = found.delay(first, second)
    return None if time is None or time <= 0 else (second - first) * found.spacing / time
