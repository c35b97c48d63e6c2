"""A virtual nerve: fibres of many sizes to one muscle, a focal lesion that stops or slows some, and the waves one would record.

Each fibre's velocity, and what a lesion does to it, come from the fibre model (`virtual.py`); a wave is the sum of what the
units that arrive add to it, each at its own time. So block, slowing and dispersion are not put in as such: they come out.
(Where a slider wants them put in, `put_in` does so, and says so by its name.)
"""

from __future__ import annotations

import importlib.resources
import math
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

import numpy as np
import yaml

from ranvier.conduction import virtual
from ranvier.conduction.kernels import FloatArray
from ranvier.conduction.nouns import ConductionStudy, Response
from ranvier.conduction.virtual import Lesion
from ranvier.conduction.waves import Wave, measure
from ranvier.ground.units import nine_digits

WINDOW = 31  # nodes of the stretch that is simulated around a lesion
BEFORE = 8  # sound nodes before it, where the pulse starts, so that it arrives in its final shape
COARSE = {"step": 0.01, "parts": 1}  # for populations: velocities differ by a few per cent, delays are differences
THREADS = 2  # the kernels release the lock; more threads than cores gain nothing


@dataclass(frozen=True, slots=True, eq=False)
class Nerve:
    """Fibres of one nerve to one muscle (or, sensory, from one finger).

    Attributes
    ----------
    id : of nerve.yaml, e.g. ``median`` or ``median_sensory``
    kind : motor | sensory
    sites : (name, distance from the recording electrode [mm]), distal first
    diameters : [um]; velocities : [m/s]; sizes : share of the sound response, sums to 1; widths : factor on the potential's width;
        terminals : delay of the last branches [ms]. One entry per fibre.
    scale : of a unit of size 1, so that the sound distal response has the height wanted [mV]; sensory [uV]
    """

    id: str
    kind: str
    muscle: str | None
    sites: tuple[tuple[str, float], ...]
    diameters: FloatArray
    velocities: FloatArray
    sizes: FloatArray
    widths: FloatArray
    terminals: FloatArray
    scale: float

    @property
    def name(self) -> str:
        """The nerve as conduction studies call it: without what kind of fibre it is."""
        return self.id.removesuffix("_sensory")

    def distance(self, site: str) -> float:
        """From the recording electrode [mm]. Raises KeyError for a site that this nerve has not."""
        return dict(self.sites)[site]


@dataclass(frozen=True, slots=True, eq=False)
class Effect:
    """What happens to each fibre in one stretch: stopped or not, and the extra delay of those that pass [ms]."""

    blocked: np.ndarray[Any, np.dtype[np.bool_]]
    delay: FloatArray

    def share(self, nerve: Nerve) -> float:
        """Share of the response whose fibres are stopped [1]."""
        return float(nerve.sizes[self.blocked].sum())


@cache
def knowledge() -> Mapping[str, Any]:
    """`nerve.yaml` as parsed."""
    file = importlib.resources.files("ranvier.knowledge").joinpath("conduction", "virtual", "nerve.yaml")
    data: Mapping[str, Any] = yaml.load(file.read_bytes(), yaml.CSafeLoader)
    return data


@cache
def tables() -> Mapping[str, Any]:
    """`tables.yaml` as parsed: velocities that the fibre model was found to have."""
    file = importlib.resources.files("ranvier.knowledge").joinpath("conduction", "virtual", "tables.yaml")
    data: Mapping[str, Any] = yaml.load(file.read_bytes(), yaml.CSafeLoader)
    return data


def tabulated_velocity(kind: str, diameters: FloatArray) -> FloatArray:
    """Velocity [m/s] of sound fibres of these diameters [um]: straight lines between the tabulated ones."""
    table = tables()["velocities"]
    return np.asarray(np.interp(diameters, table["diameters"], table["kinds"][kind]["values"]))


def make_nerve(name: str, seed: int, *, height: float | None = None) -> Nerve:
    """One person's nerve, drawn from `nerve.yaml`.

    height : of the sound distal response [mV, sensory uV]; None: drawn
    Raises ValueError for a name that nerve.yaml has not.
    """
    known = knowledge()["nerves"]
    if name not in known:
        raise ValueError(f"there is no virtual nerve '{name}'; use one of {', '.join(known)}")
    data, rng = known[name], np.random.default_rng(seed)
    kind = data["kind"]
    bare = fibres(kind, int(data["units"]), rng, limb=data["limb"])
    drawn = float(data["height"]) * math.exp(float(data["height_sd"]) * float(np.clip(rng.standard_normal(), -2, 2)))
    nerve = replace(bare, id=name, muscle=data["muscle"], sites=tuple((s, float(mm)) for s, mm in data["sites"]))
    sound = float(_sum(nerve, nerve.sites[0][0], {}, _clock(nerve)).max())
    return replace(nerve, scale=(drawn if height is None else height) / sound)


def fibres(kind: str, n: int, rng: np.random.Generator, *, limb: str = "arm") -> Nerve:
    """Fibres alone, drawn from `nerve.yaml`: no place, no muscle, no wave yet."""
    number = {key: float(value["value"]) for key, value in knowledge()["fibres"][kind].items()}
    z = np.clip(rng.standard_normal(n), -2.5, 2.5)
    r = number["size_with_diameter"]
    sizes = np.exp(number["size_sd"] * (r * z + math.sqrt(1.0 - r * r) * rng.standard_normal(n)))
    diameters = number["diameter_mean"] + number["diameter_sd"] * z
    widths = np.exp(float(knowledge()["potentials"][kind]["width_sd"]["value"]) * rng.standard_normal(n))
    return Nerve(
        id="",
        kind=kind,
        muscle=None,
        sites=(),
        diameters=diameters,
        velocities=tabulated_velocity(kind, diameters) * float(knowledge()["slower"][limb]),
        sizes=sizes / sizes.sum(),
        widths=widths,
        terminals=np.maximum(number["terminal"] + number["terminal_sd"] * rng.standard_normal(n), 0.1),
        scale=1.0,
    )


# ---- what a lesion does ---------------------------------------------------------------------------------------------


def lesion_of(what: str, severity: float) -> Lesion:
    """A lesion of one sort at one severity, on the scale of nerve.yaml."""
    if what == "sodium":
        return Lesion(sodium=min(severity, 1.0))
    if what == "seal":
        return Lesion(seal=2.0**severity)
    if what == "myelin":
        return Lesion(myelin=1.0 - 0.5**severity)
    if what == "depolarisation":
        return Lesion(polarisation=severity)
    if what == "hyperpolarisation":
        return Lesion(polarisation=-severity)
    raise ValueError(f"'{what}' is no lesion; use one of {', '.join(knowledge()['lesions'])}")


def nodes_within(diameter: float, length: float) -> int:
    """How many nodes of a fibre [um] lie in a stretch [mm]: at least one."""
    return max(1, round(length * 1000.0 / virtual.geometry(diameter).spacing))


def passage(kind: str, diameter: float, lesion: Lesion, nodes: int, **how: Any) -> float | None:
    """Time through the stretch around a lesion of so many nodes [ms]; None: the pulse does not pass."""
    total = max(WINDOW, nodes + 2 * BEFORE + 6)
    middle = range(BEFORE, BEFORE + nodes)
    found = virtual.run(
        kind, diameter, nodes=total, lesions=dict.fromkeys(middle, lesion), duration=12.0, **{**COARSE, **how}
    )
    return found.delay(BEFORE // 2, total - 4)


@lru_cache(maxsize=4096)
def _sound(kind: str, diameter: float, nodes: int) -> float:
    time = passage(kind, diameter, virtual.SOUND, nodes)
    assert time is not None, "a sound fibre conducts"
    return time


def extra_delay(kind: str, diameter: float, lesion: Lesion, nodes: int) -> float | None:
    """What the lesion adds to the passage [ms]; None: block."""
    time = passage(kind, diameter, lesion, nodes)
    return None if time is None else max(0.0, time - _sound(kind, diameter, nodes))


def lesion_exactly(nerve: Nerve, what: str, severities: FloatArray, length: float) -> Effect:
    """Every fibre simulated through its own lesion, two at a time.

    severities : one per fibre, on the scale of nerve.yaml; length : of the lesion [mm]
    """

    def one(i: int) -> float | None:
        diameter = float(nerve.diameters[i])
        return extra_delay(nerve.kind, diameter, lesion_of(what, float(severities[i])), nodes_within(diameter, length))

    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(one, range(nerve.diameters.size)))
    return Effect(np.array([d is None for d in found]), np.array([d or 0.0 for d in found]))


@lru_cache(maxsize=32)
def _grid(kind: str, what: str, length: float) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Diameters [um], severities, extra delay [ms] (diameters × severities), and the severity that blocks each diameter."""
    data = knowledge()["lesions"][what]
    diameters = np.array(virtual.diameters())
    severities = np.linspace(float(data["sound"]), float(data["worst"]), 21)
    delays = np.zeros((diameters.size, severities.size))
    limits = np.full(diameters.size, np.inf)
    for i, d in enumerate(diameters):
        for j, s in enumerate(severities):
            delay = extra_delay(kind, float(d), lesion_of(what, float(s)), nodes_within(float(d), length))
            if delay is None:
                limits[i] = 0.5 * (severities[j - 1] + s)
                delays[i, j:] = delays[i, j - 1]
                break
            delays[i, j] = delay
    return diameters, severities, delays, limits


def lesion_by_table(nerve: Nerve, what: str, severities: FloatArray, length: float) -> Effect:
    """The same from a table of simulated fibres (made once per process): for many nerves.

    severities : one per fibre; length : of the lesion [mm]
    """
    diameters, steps, delays, limits = _grid(nerve.kind, what, length)
    worst = np.minimum(limits, 10.0 * steps[-1])
    blocked = severities >= np.interp(nerve.diameters, diameters, worst)
    column = np.clip(np.searchsorted(steps, severities) - 1, 0, steps.size - 2)
    part = np.clip((severities - steps[column]) / (steps[1] - steps[0]), 0.0, 1.0)
    row = np.clip(np.searchsorted(diameters, nerve.diameters) - 1, 0, diameters.size - 2)
    share = (nerve.diameters - diameters[row]) / (diameters[row + 1] - diameters[row])
    low = delays[row, column] * (1 - part) + delays[row, column + 1] * part
    high = delays[row + 1, column] * (1 - part) + delays[row + 1, column + 1] * part
    return Effect(blocked, np.asarray(low * (1 - share) + high * share))


def put_in(nerve: Nerve, blocked: float, dispersion: float, seed: int) -> Effect:
    """Block and dispersion put in, not simulated: fibres taken at random until their share of the response is reached.

    blocked : share of the response [1]; dispersion : SD of extra delays, half of a normal bell [ms]
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(nerve.sizes.size)
    reached = np.cumsum(nerve.sizes[order]) - 0.5 * nerve.sizes[order]
    out = np.zeros(nerve.sizes.size, bool)
    out[order] = reached < blocked
    return Effect(out, np.abs(rng.standard_normal(nerve.sizes.size)) * dispersion)


# ---- waves and studies -----------------------------------------------------------------------------------------------


def arrivals(nerve: Nerve, site: str, effects: Mapping[str, Effect]) -> tuple[FloatArray, Any]:
    """When each unit's potential begins [ms], and which units arrive, on stimulation at a site.

    effects : proximal end of a stretch → what happens in that stretch; those at or distal to the site count
    """
    far = nerve.distance(site)
    time = far / nerve.velocities + nerve.terminals
    alive = np.ones(nerve.sizes.size, bool)
    for name, mm in nerve.sites:
        if mm <= far and name in effects:
            alive &= ~effects[name].blocked
            time = time + effects[name].delay
    return time, alive


def potential(kind: str, time: FloatArray, width: FloatArray) -> FloatArray:
    """One unit's potential at times since it began [ms], its height 1; width : factor on its width [1]."""
    p = {k: float(v["value"]) for k, v in knowledge()["potentials"][kind].items()}
    x = time / width
    begin = 3.0 * p["first_width"]  # the first bell has risen to 1 % of its height when the potential begins
    first = np.exp(-0.5 * ((x - begin) / p["first_width"]) ** 2)
    second = np.exp(-0.5 * ((x - begin - p["second_at"]) / p["second_width"]) ** 2)
    return np.asarray(first - p["second_depth"] * second)


def _clock(nerve: Nerve) -> FloatArray:
    """Times [ms] that hold the whole wave from the most proximal site, with 25 ms of delay to spare (sensory: 5)."""
    step = float(knowledge()["recording"]["step"]["value"])
    slowest = nerve.sites[-1][1] / nerve.velocities.min() + nerve.terminals.max()
    last = slowest + (45.0 if nerve.kind == "motor" else 10.0)
    return np.arange(0.0, last, step)


def _lasts(kind: str) -> float:
    """How long a unit's potential of ordinary width lasts [ms]."""
    p = {k: float(v["value"]) for k, v in knowledge()["potentials"][kind].items()}
    return 3.0 * p["first_width"] + p["second_at"] + 3.5 * p["second_width"]


def _sum(nerve: Nerve, site: str, effects: Mapping[str, Effect], times: FloatArray) -> FloatArray:
    """What all arriving units add up to; each is evaluated only while it lasts."""
    begin, alive = arrivals(nerve, site, effects)
    if not alive.any():
        return np.zeros_like(times)
    step = times[1] - times[0]
    first = np.ceil(begin[alive] / step).astype(np.int64)
    count = math.ceil(_lasts(nerve.kind) * float(nerve.widths.max()) / step)
    index = first[:, None] + np.arange(count)[None, :]
    shape = (
        potential(nerve.kind, index * step - begin[alive, None], nerve.widths[alive, None]) * nerve.sizes[alive, None]
    )
    inside = index < times.size
    return np.asarray(np.bincount(index[inside], shape[inside], minlength=times.size), dtype=np.float64)


def samples(nerve: Nerve, site: str, effects: Mapping[str, Effect] | None = None) -> tuple[FloatArray, FloatArray]:
    """Times since the stimulus [ms] and the wave without noise [mV, sensory uV]; upwards is negative, as machines draw it."""
    times = _clock(nerve)
    return times, nerve.scale * _sum(nerve, site, effects or {}, times)


def wave(
    nerve: Nerve,
    site: str,
    effects: Mapping[str, Effect] | None = None,
    *,
    side: str = "right",
    seed: int | None = None,
) -> Wave:
    """The motor wave as a machine would have recorded it. seed : of the noise; None: no noise."""
    times, values = samples(nerve, site, effects)
    if seed is not None:
        values = values + float(knowledge()["recording"]["noise"]["value"]) * np.random.default_rng(
            seed
        ).standard_normal(times.size)
    return Wave(nerve.name, side, nerve.muscle, site, values, 0.0, float(times[1] - times[0]), supramaximal=True)


def study(
    nerve: Nerve,
    effects: Mapping[str, Effect] | None = None,
    *,
    side: str = "right",
    seed: int | None = None,
    sites: tuple[str, ...] | None = None,
) -> ConductionStudy:
    """Every site stimulated, measured as the room measures any wave. seed : of noise and measuring error; None: neither."""
    rng = None if seed is None else np.random.default_rng(seed)
    out, before = [], 0.0
    for site, mm in nerve.sites:
        if sites is not None and site not in sites:
            continue
        own = None if rng is None else int(rng.integers(2**31))
        factor = 1.0
        if rng is not None:
            factor = math.exp(float(knowledge()["recording"]["measuring_error"]["value"]) * rng.standard_normal())
        out.append(_response(nerve, site, mm - before, effects or {}, side, own, factor))
        before = mm
    kind = "motor" if nerve.kind == "motor" else "sensory"
    return ConductionStudy(nerve.name, side, kind, nerve.muscle, tuple(out), temperature=33.0)


def _response(
    nerve: Nerve, site: str, distance: float, effects: Mapping[str, Effect], side: str, seed: int | None, factor: float
) -> Response:
    if nerve.kind == "sensory":
        times, values = samples(nerve, site, effects)
        noise = float(knowledge()["recording"]["sensory_noise"]["value"]) if seed is not None else 0.0
        peak = int(np.argmax(values))
        if values[peak] * factor <= max(3.0 * noise, 1e-6):
            return Response(site, distance=distance, absent=True)
        onset = times[np.flatnonzero(values[: peak + 1] < 0.1 * values[peak])[-1]]
        return Response(
            site, latency=nine_digits(float(onset)), amplitude=nine_digits(float(values[peak]) * factor), distance=distance,
            peak_latency=nine_digits(float(times[peak])),
        )  # fmt: skip
    found = measure(wave(nerve, site, effects, side=side, seed=seed), copies=0)
    if found.absent or found.amplitude is None or found.area is None:
        return Response(site, distance=distance, absent=True, supramaximal=True)
    return Response(
        site, latency=found.onset, amplitude=nine_digits(found.amplitude * factor), area=nine_digits(found.area * factor),
        duration=found.duration, distance=distance, supramaximal=True,
    )  # fmt: skip
