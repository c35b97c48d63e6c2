"""Virtual people, what a clinic sees of them, what a policy orders, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from ranvier.estimation.nouns import FloatArray
from ranvier.regimen.nouns import Regimen

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class People:
    """n virtual people: the truth about each, one entry per person.

    Attributes
    ----------
    numbers : of the people, n; their random numbers follow from it
    men, age [a], height [cm], weight [kg], lean [kg] : n
    kind : LINEAR or SATURABLE kinetics; rate n × 3 [1/d], coefficient n × 3 × 3 [1/L] as in `Draws`; volume [L]
    own : IgG without treatment [g/L]; k0 [1/d] : fractional loss at c0 where kinetics saturate
    c50 [g/L], kout [1/d], decline [1/d], imax [1], level [kg] : response; slow [1/d], share [1] : second phase
    wave : n × 4, what strength follows instead of IgG (see `kernels.live`); zeros: it follows IgG
    sd [1], persistence [1] : of a session's error; device : index; resolution [kg]
    dip : n × 3, first day, days, depth [1] of a weakness of another cause; days count from the first recorded day
    reads_from [d], reads [1] : from when the device reads what part of the truth
    grams : first course's grams; responds : whether imax > 0
    """

    numbers: IntArray
    men: BoolArray
    age: FloatArray
    height: FloatArray
    weight: FloatArray
    lean: FloatArray
    kind: IntArray
    rate: FloatArray
    coefficient: FloatArray
    volume: FloatArray
    own: FloatArray
    k0: FloatArray
    c50: FloatArray
    kout: FloatArray
    decline: FloatArray
    imax: FloatArray
    level: FloatArray
    slow: FloatArray
    share: FloatArray
    wave: FloatArray
    sd: FloatArray
    persistence: FloatArray
    device: IntArray
    resolution: FloatArray
    dip: FloatArray
    reads_from: FloatArray
    reads: FloatArray
    grams: FloatArray
    c0: float = 12.0
    gamma: float = 0.0

    @property
    def n(self) -> int:
        """How many."""
        return int(self.level.size)

    def some(self, which: IntArray) -> People:
        """Those at these places, in this order."""
        every: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        chosen: dict[str, Any] = {
            name: np.ascontiguousarray(value[which]) if isinstance(value, np.ndarray) else value
            for name, value in every.items()
        }
        return People(**chosen)


@dataclass(frozen=True, slots=True)
class Seen:
    """All that a clinic knows of one virtual person on a day. Days count from the first recorded day; nothing lies later.

    number : of the person; floor : strength below which life gets hard, as the person says [kg]
    dose_days, grams, routes : infusion days as written down; routes: IV | SC | fSCIg
    strength_days, strength : one hand's grip [kg]; igg_days, igg : total IgG [g/L]
    in_force : the regimen in force; before : the one before anything was recorded (the same for long)
    orders : what the policy ordered so far, with its days
    """

    number: int
    man: bool
    age: float
    height: float
    weight: float
    lean: float
    device: str
    resolution: float
    floor: float
    day: float
    dose_days: FloatArray
    grams: FloatArray
    routes: tuple[str, ...]
    strength_days: FloatArray
    strength: FloatArray
    igg_days: FloatArray
    igg: FloatArray
    in_force: Regimen
    before: Regimen
    orders: tuple[tuple[float, Order], ...]


@dataclass(frozen=True, slots=True)
class Order:
    """What a policy orders: the regimen for the next course and those after it, until it is asked again.

    No treatment is the regimen ``none`` (see `none`). abstains : the policy says it cannot tell, and leaves all as it is
    why : one word or sentence for tables; memo : whatever the policy wants to find again in `Seen.orders`
    """

    regimen: Regimen
    abstains: bool = False
    why: str = ""
    memo: Any = field(default=None, compare=False)


@runtime_checkable
class Policy(Protocol):
    """Whoever decides. A policy is a pure function of what a clinic has seen; it keeps nothing between calls (see `memo`).

    id : short name; steady : True where it always orders what it ordered first (then it is asked once, for speed)
    """

    @property
    def id(self) -> str:
        """Short name."""
        ...

    @property
    def steady(self) -> bool:
        """Whether it always orders what it ordered first."""
        ...

    def decide(self, seen: Seen, day: float) -> Order:
        """What to give from this day on. Asked in the morning of a course, at most once a month."""
        ...


def none(every: float) -> Regimen:
    """No treatment; the next decision after `every` days."""
    return Regimen("none", "none", 0.0, (), 0, max(round(every), 1))


def per_week(regimen: Regimen) -> float:
    """Grams per week [g/wk]."""
    return 7.0 * regimen.grams / regimen.interval_days


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What came of it, one entry per person, over `days` judged days from the first decision on.

    table : name → n values; the names and units are in OUTCOMES
    strength, excess : n × D underlying strength [kg] and IgG excess [g/L] by judged day, where asked for
    """

    days: int
    table: Mapping[str, npt.NDArray[Any]]
    strength: FloatArray | None = None
    excess: FloatArray | None = None


OUTCOMES: Mapping[str, tuple[str, str]] = {
    "person": ("1", "number of the person"),
    "weight": ("kg", "body weight"),
    "level": ("kg", "untreated strength on the first day of all"),
    "floor": ("kg", "strength below which life gets hard"),
    "responds": ("1", "whether immunoglobulin does anything"),
    "strength": ("kg", "mean underlying strength"),
    "gain": ("1", "mean underlying strength over untreated strength, less 1"),
    "swing": ("1", "mean over four-week blocks of (highest - lowest) / highest"),
    "below": ("d/a", "days a year below the floor"),
    "blocks_below": ("1", "part of four-week blocks that touch the floor"),
    "shortfall": ("1", "mean depth below the floor, as a part of it"),
    "grams": ("g/wk", "grams per week"),
    "visits": ("1/a", "infusion days a year that need a visit"),
    "changes": ("1/a", "changes of the regimen a year"),
    "false_up": ("1/a", "changes to more a year that gained nothing in the truth"),
    "false_down": ("1/a", "changes to less, or neither, a year that cost strength in the truth"),
    "abstained": ("1", "part of decisions in which the policy said it cannot tell"),
    "peak": ("g/L", "largest IgG excess"),
    "high_days": ("d/a", "days a year with a high IgG excess in the morning: a stand-in for harm"),
    "large_days": ("d/a", "infusion days a year with a large dose: a stand-in for harm"),
    "loss": ("1", "grams, strength below the floor, visits and large courses, weighed as a plan weighs them"),
    "regret": ("1", "loss above that of the best constant regimen, chosen knowing the truth"),
}
