"""People whose truth our models do not hold, and how well their next cycle is foretold all the same.

Which truths there are, and their numbers, stand in knowledge/cohort/truths.yaml, as for virtual lives; here each is computed on
a fine grid, by other code than theirs and than the engine's. Each person is followed through several cycles; at the
start of each of the later ones the engine sees what had been recorded by then and foretells the cycle that begins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ranvier.cohort.calibration import BODY, INFUSED, LASTING, MORNING, ORIGIN
from ranvier.cohort.load import Described
from ranvier.cohort.load import load as load_book
from ranvier.estimation import model
from ranvier.estimation.history import History, Points
from ranvier.estimation.model import Body
from ranvier.estimation.nouns import Draws, FloatArray, Measure
from ranvier.estimation.posterior import draws_now
from ranvier.estimation.predict import predict
from ranvier.estimation.replicate import innovations
from ranvier.evidence import load
from ranvier.evidence.nouns import Knowledge
from ranvier.kinetics.disposition import Doses, expose, modes

FINE = 0.05  # [d], the grid of truth
CYCLES, FIRST_ORIGIN = 8, 3
FIRST_DOSE = 10.0  # [d]
FARTHEST = 10.0  # [d] that an infusion is written beside its day: never before the one before it
REGIMENS = ((40.0, 21.0), (60.0, 21.0), (80.0, 28.0), (60.0, 28.0))  # grams, days
IGG_DAYS = (9.0, 24.0, 45.0, 80.0, 120.0)


@dataclass(frozen=True, slots=True)
class Nature:
    """What one person is like: parameters drawn from the prior (natural scale), and chance of their own."""

    clearance: float
    volumes: tuple[float, float, float]  # central, intercompartmental clearance, peripheral
    own: float
    c50: float
    kout: float
    imax: float
    level: float
    decline: float  # 1/d
    sd: float
    persistence: float


@dataclass(frozen=True, slots=True)
class Truth:
    """IgG above the own level and relative strength on the fine grid, as the device reads it; days on which it breaks off."""

    excess: FloatArray
    strength: FloatArray
    breaks: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Followed:
    """One person's whole record: doses given and as recorded, daily values measured and true, levels measured.

    breaks : days [d] on which something changed that nobody could foresee
    """

    given: Doses
    recorded: Doses
    days: FloatArray
    measured: FloatArray
    true: FloatArray
    igg: FloatArray
    breaks: tuple[float, ...]


def _turnover(excess: FloatArray, nature: Nature, kout: float) -> FloatArray:
    """Relative strength on the fine grid: exact for an excess that is constant within each step of it."""
    share = nature.imax * excess / (nature.c50 + excess)
    r = np.empty(excess.size)
    now = 1.0
    for i, s in enumerate(share):
        r[i] = now
        rest = 1.0 / (1.0 - s)
        now = rest + (now - rest) * np.exp(-kout * (1.0 - s) * FINE)
    return r


def _linear(given: Doses, grid: FloatArray, nature: Nature) -> FloatArray:
    names = ("central_volume", "intercompartmental_clearance", "peripheral_volume")
    disposition = modes(2, {"clearance": nature.clearance, **dict(zip(names, nature.volumes, strict=True))})
    return expose(grid, given, disposition)


def as_believed(given: Doses, grid: FloatArray, nature: Nature, it: Described, rng: np.random.Generator) -> Truth:
    """The engine's own model: what the others are held against."""
    excess = _linear(given, grid, nature)
    return Truth(excess, _turnover(excess, nature, nature.kout))


def two_phases(given: Doses, grid: FloatArray, nature: Nature, it: Described, rng: np.random.Generator) -> Truth:
    """A part of the gain comes and goes at a slow rate of its own."""
    excess, share = _linear(given, grid, nature), it["share"]
    slow = it["slow"] * np.exp(it["slow_spread"] * rng.standard_normal())
    return Truth(
        excess, (1.0 - share) * _turnover(excess, nature, nature.kout) + share * _turnover(excess, nature, slow)
    )


def saturable(given: Doses, grid: FloatArray, nature: Nature, it: Described, rng: np.random.Generator) -> Truth:
    """All IgG is lost at a rate that rises with its level: k = k0 (C / c0)^gamma, in one compartment."""
    volume = nature.volumes[0] + nature.volumes[2]
    k0, c0, gamma = it["k0"] * np.exp(it["k0_spread"] * rng.standard_normal()), it["c0"], it["gamma"]
    made = k0 * (nature.own / c0) ** gamma * nature.own
    inflow = np.zeros(grid.size)
    for start, stop, grams in zip(given.start, given.stop, given.grams, strict=True):
        inside = np.clip(np.minimum(grid + FINE, stop) - np.maximum(grid, start), 0.0, None) / FINE
        inflow += inside * grams / (stop - start) / volume
    total = np.empty(grid.size)
    now = nature.own
    for i in range(grid.size):
        total[i] = now
        middle = now + 0.5 * FINE * (made + inflow[i] - k0 * (now / c0) ** gamma * now)
        now += FINE * (made + inflow[i] - k0 * (middle / c0) ** gamma * middle)
    excess = np.maximum(total - nature.own, 0.0)
    return Truth(excess, _turnover(excess, nature, nature.kout))


def no_relation(given: Doses, grid: FloatArray, nature: Nature, it: Described, rng: np.random.Generator) -> Truth:
    """Strength wanders by itself and does not know of any infusion."""
    rho = np.exp(-FINE / it["memory"])
    z = rng.standard_normal(grid.size)
    walk = np.empty(grid.size)
    now = z[0]
    for i in range(grid.size):
        walk[i] = now
        now = rho * now + np.sqrt(1.0 - rho**2) * z[i]
    return Truth(_linear(given, grid, nature), np.exp(it["wander"] * walk))


def tired_month(given: Doses, grid: FloatArray, nature: Nature, it: Described, rng: np.random.Generator) -> Truth:
    """As believed, but weaker for a month from some day on."""
    truth = as_believed(given, grid, nature, it, rng)
    begin = rng.uniform(60.0, grid[-1] - it["days"])
    tired = (grid >= begin) & (grid < begin + it["days"])
    return Truth(truth.excess, truth.strength * np.where(tired, 1.0 - it["depth"], 1.0), (begin, begin + it["days"]))


def broken_dynamometer(
    given: Doses, grid: FloatArray, nature: Nature, it: Described, rng: np.random.Generator
) -> Truth:
    """As believed, but from some day on the device reads too little."""
    truth = as_believed(given, grid, nature, it, rng)
    begin = rng.uniform(60.0, grid[-1] - 30.0)
    return Truth(truth.excess, truth.strength * np.where(grid >= begin, it["reads"], 1.0), (begin,))


WRONG_DAY = "wrong_day"
"""Some infusions are recorded on another day than theirs; strength is as believed."""
TRUTHS: Mapping[str, Callable[[Doses, FloatArray, Nature, Described, np.random.Generator], Truth]] = {
    "model": as_believed,
    "two_phase": two_phases,
    "saturable": saturable,
    "no_relation": no_relation,
    "tired_month": tired_month,
    "broken_dynamometer": broken_dynamometer,
    WRONG_DAY: as_believed,
}


def draw_nature(knowledge: Knowledge, body: Body, rng: np.random.Generator) -> Nature:
    """A responder from the prior, with the kinetics of CIDP (two compartments)."""
    population = next(p for p in knowledge.composite.kinetics if p.structure == "two_compartment")
    own = knowledge.composite.parameters

    def drawn(name: str) -> float:
        prior = own[name] if name in own else population.parameters[name]
        assert prior.spread is not None
        z = prior.spread.value * rng.standard_normal()
        if prior.scale == "logit":
            typical = prior.typical.value
            return float(1.0 / (1.0 + (1.0 - typical) / typical * np.exp(-z)))
        return float(model.typical(prior, body) * np.exp(z))

    return Nature(
        clearance=drawn("clearance"),
        volumes=(drawn("central_volume"), drawn("intercompartmental_clearance"), drawn("peripheral_volume")),
        own=drawn("endogenous"),
        c50=drawn("c50"),
        kout=drawn("kout"),
        imax=drawn("imax"),
        level=drawn("level"),
        decline=drawn("decline") / 365.25,
        sd=drawn("session_sd"),
        persistence=drawn("persistence"),
    )


def follow(name: str, knowledge: Knowledge, rng: np.random.Generator) -> Followed:
    """One person under one truth: eight cycles, in half of the people with one change of regimen on the way."""
    nature, it = draw_nature(knowledge, BODY, rng), load_book().truths[name]
    first, second = rng.choice(len(REGIMENS), 2)
    change = int(rng.integers(3, CYCLES)) if rng.random() < 0.5 else CYCLES
    starts, grams = [FIRST_DOSE], []
    for cycle in range(CYCLES):
        amount, interval = REGIMENS[first if cycle < change else second]
        grams.append(amount)
        starts.append(starts[-1] + interval)
    days = np.arange(0.0, starts[-1]) + MORNING
    given = Doses.of(np.array(starts[:-1]) + INFUSED, grams, length=LASTING)
    recorded = given
    if name == WRONG_DAY:
        beside = np.round(it["error"] * rng.standard_normal(CYCLES)) * (rng.random(CYCLES) < it["part"])
        beside = np.clip(beside, -FARTHEST, FARTHEST)
        recorded = Doses.of(given.start + beside, grams, length=LASTING)
    grid = np.arange(0.0, starts[-1] + 1.0, FINE)
    truth = TRUTHS[name](given, grid, nature, it, rng)
    true = nature.level * np.exp(-nature.decline * days) * np.interp(days, grid, truth.strength)
    tail = knowledge.composite.constants["tail"].value
    e, noise = 0.0, np.empty(days.size)
    for i in range(days.size):
        z = innovations(tail, 1, rng)[0]
        e = z if i == 0 else nature.persistence * e + np.sqrt(1.0 - nature.persistence**2) * z
        noise[i] = e
    at = np.array(IGG_DAYS) + MORNING
    level = np.interp(at, grid, truth.excess) + nature.own
    constants = knowledge.composite.constants
    error = np.hypot(constants["igg_proportional"].value * level, constants["igg_additive"].value)
    igg = level + error * innovations(constants["igg_tail"].value, at.size, rng)
    return Followed(given, recorded, days, true * (1.0 + nature.sd * noise), true, igg, truth.breaks)


def seen_until(person: Followed, day: float) -> History:
    """What the record holds on the morning of `day`, before that day's infusion."""
    igg_days = np.array(IGG_DAYS) + MORNING

    def points(days: FloatArray, values: FloatArray) -> Points:
        kept = days <= day + 1e-6
        return Points(days[kept], values[kept], values[kept] > 0)

    grip = points(person.days, person.measured)
    before = person.recorded.start < day
    doses = Doses(*(getattr(person.recorded, f)[before] for f in ("start", "stop", "grams", "channel")))
    return History(
        origin=ORIGIN,
        at_day=day,
        begin=MORNING,
        doses=doses,
        early=Doses.of([], []),
        past="none",
        igg=points(igg_days, person.igg),
        measures=(Measure("right", "grip", "right", "digital_grip", "kg", grip.days.size),),
        variants=(None,),
        points=(grip,),
        primary=0,
        findings=(),
    )


@dataclass(frozen=True, slots=True)
class Told:
    """Forecast of one cycle, as the models have it and widened: draws of strength and of measured values (n × days).

    true, seen : what came; last : the cycle before, day by day; around : values of the last two cycles within two days of
    the same day of the cycle (10 × days); calm : nothing changed within the cycle that nobody could foresee
    """

    strength: tuple[FloatArray, FloatArray]
    measured: tuple[FloatArray, FloatArray]
    true: FloatArray
    seen: FloatArray
    last: FloatArray
    around: FloatArray
    calm: bool


def foretell(person: Followed, cycle: int, knowledge: Knowledge, seed: int) -> Told:
    """The forecast of a cycle from the morning of its infusion, under the doses as they will be recorded."""
    starts = np.append(np.floor(person.given.start), person.days[-1] - MORNING + 1.0) + MORNING
    start, end, before = starts[cycle], starts[cycle + 1], starts[cycle - 1]
    coming = (person.days > start + 1e-6) & (person.days <= end + 1e-6)
    ahead = person.recorded.start >= start
    future = Doses(
        person.recorded.start[ahead] - start,
        person.recorded.stop[ahead] - start,
        person.recorded.grams[ahead],
        person.recorded.channel[ahead],
    )
    strength, measured = [], []
    for draws in draws_now(seen_until(person, start), BODY, knowledge, seed):
        strength.append(predict(draws, future, person.days[coming] - start).capacity[0])
        measured.append(strength[-1] + _noise(draws, strength[-1], knowledge, np.random.default_rng([seed, 8])))
    into = (person.days[coming] - start) % (start - before)  # a longer cycle: the last one repeats from its beginning
    around = [
        np.interp(np.minimum(begin + into + shift, start), person.days, person.measured)
        for begin in (before, starts[cycle - 2])
        for shift in (-2.0, -1.0, 0.0, 1.0, 2.0)
    ]
    return Told(
        (strength[0], strength[1]),
        (measured[0], measured[1]),
        person.true[coming],
        person.measured[coming],
        np.interp(before + into, person.days, person.measured),
        np.array(around),
        not any(start < day <= end for day in person.breaks),
    )


def covered(draws: FloatArray, came: FloatArray, share: float) -> float:
    """Share of the days on which what came lies within the central interval of that share [1]."""
    low, high = np.quantile(draws, [0.5 * (1.0 - share), 0.5 * (1.0 + share)], axis=0)
    return float(np.mean((came >= low) & (came <= high)))


COLUMNS = ("strength 50", "strength 90", "measured 50", "measured 90", "score")
"""Of a forecast: days covered by its 50 and 90 % intervals, of strength itself and of measured values, and its score."""


def judged(name: str, first: int, last: int, seed: int) -> dict[str, FloatArray]:
    """A unit of work: the people first to last - 1 under one truth, each cycle foretold and held against what came.

    Returns `person` and `calm` (F forecasts; calm: 1 where nothing changed suddenly), F × 5 `plain` and `widened` (see COLUMNS;
    scores as a share of the person's mean strength), and the scores F of `last`, the last cycle repeated, and `around`, its
    values and their neighbours.
    """
    knowledge = load()
    rows: dict[str, list[list[float]]] = {
        "person": [],
        "calm": [],
        "plain": [],
        "widened": [],
        "last": [],
        "around": [],
    }
    for number in range(first, last):
        person = follow(name, knowledge, np.random.default_rng([seed, number]))
        for cycle in range(FIRST_ORIGIN, CYCLES):
            told = foretell(person, cycle, knowledge, number)
            scale = float(told.true.mean())
            for kind, strength, measured in zip(("plain", "widened"), told.strength, told.measured, strict=True):
                cover = [
                    covered(d, c, p) for d, c in ((strength, told.true), (measured, told.seen)) for p in (0.5, 0.9)
                ]
                rows[kind].append([*cover, float(crps(measured, told.seen).mean()) / scale])
            rows["person"].append([float(number)])
            rows["calm"].append([float(told.calm)])
            rows["last"].append([float(np.abs(told.last - told.seen).mean()) / scale])
            rows["around"].append([float(crps(told.around, told.seen).mean()) / scale])
    return {key: np.array(value) for key, value in rows.items()}


def _noise(draws: Draws, strength: FloatArray, knowledge: Knowledge, rng: np.random.Generator) -> FloatArray:
    tail = knowledge.composite.constants["tail"].value
    e = np.empty_like(strength)
    phi = draws.persistence[:, 0]
    for t in range(strength.shape[1]):
        z = innovations(tail, len(strength), rng)
        e[:, t] = z if t == 0 else phi * e[:, t - 1] + np.sqrt(1.0 - phi**2) * z
    return e * np.hypot(draws.sd[:, [0]] * strength, draws.add[:, [0]])


def crps(ensemble: FloatArray, seen: FloatArray) -> FloatArray:
    """Continuous ranked probability score of n draws (n × T) for T values: mean |x - y| - mean |x - x'| / 2."""
    n = len(ensemble)
    ordered = np.sort(ensemble, axis=0)
    rank = 2.0 * np.arange(1, n + 1) - n - 1.0
    spread = rank @ ordered / n**2
    return np.asarray(np.abs(ensemble - seen).mean(axis=0) - spread)
