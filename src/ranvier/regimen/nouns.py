"""What regimen hands up: the options side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from ranvier.estimation.nouns import FloatArray
from ranvier.ground.findings import Finding


@dataclass(frozen=True, slots=True)
class Regimen:
    """A repeated course: `grams` in whole `vials` ((size [g], count), …), over `days` days, every `interval_days`.

    No treatment at all has route and product ``none``, no grams and no days.
    """

    product: str
    route: str
    grams: float
    vials: tuple[tuple[float, int], ...]
    days: int
    interval_days: int


@dataclass(frozen=True, slots=True)
class Limits:
    """What the one who asks sets for this question. Guardrails and everything left out here come from knowledge/.

    weights : of the expected loss, by name, in place of those of knowledge/monitoring
    shown : how many options are laid side by side, at most
    bare : only what is proposed, without the other options, what is told of them, and what to measure next
    """

    weights: Mapping[str, float] = field(default_factory=dict)
    shown: int = 8
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Aim:
    """What the watch tells the proposal: what to hold, and how far the fit can be trusted.

    floor : strength that matters, on the primary measure, in its unit; None where there is none. agreed: by the person
    no_response : P(no gain worth the name); wearing_off : P(strength wears off within the cycle)
    prior : findings on what rests on the prior (``swing.mostly_prior``, ``timing.mostly_prior``)
    idle : P(the present regimen keeps no gain worth the name)
    falling : strength has fallen on all days of the cycle, or declines: less treatment is out of the question
    """

    floor: float | None
    agreed: bool
    no_response: float
    wearing_off: float = 1.0
    prior: tuple[Finding, ...] = ()
    idle: float = 0.0
    falling: bool = False


@dataclass(frozen=True, slots=True)
class Forecast:
    """Quantiles over draws of underlying strength; days from `at`."""

    measure: str
    unit: str
    days: FloatArray
    q05: FloatArray
    q25: FloatArray
    median: FloatArray
    q75: FloatArray
    q95: FloatArray


@dataclass(frozen=True, slots=True)
class Option:
    """One thing we could do, and what it would do.

    Strength figures are of the last full cycle within the horizon, on the primary measure, in its unit. `p_above_floor`
    is P(underlying strength stays above the floor all that cycle), None without a floor.
    action : no_change | reduce | longer_interval | increase | shorter_interval | change_both | switch_route
        | spread (the same over more days) | start (where no regimen is in force)
    loss, loss_se : posterior expected loss and its Monte-Carlo standard error
    tie : within Monte-Carlo error of the best
    """

    id: str
    action: str
    regimen: Regimen
    grams_per_week: float
    grams_per_kg: float | None
    visits_per_year: float
    trough: float
    trough_q05: float
    trough_q95: float
    mean: float
    mean_q05: float
    mean_q95: float
    peak: float
    peak_q05: float
    peak_q95: float
    p_above_floor: float | None
    loss: float
    loss_se: float
    tie: bool
    proposed: bool
    because: tuple[Finding, ...]
    limited_by: tuple[Finding, ...]
    forecasts: tuple[Forecast, ...]  # one per measure, primary first


@dataclass(frozen=True, slots=True)
class Measurement:
    """One thing that could be measured next, and what it would be worth to this decision.

    what : igg | strength | longer_interval; day, last_day : from today [d]; every_days : between values (0: one value)
    gain, gain_se : expected fall of the loss of what would then be chosen, and its Monte-Carlo error
    share : of what could be gained by knowing everything; p_change : how often it would change the choice
    """

    what: str
    day: int
    last_day: int
    every_days: int
    gain: float
    gain_se: float
    share: float
    p_change: float
    finding: Finding


@dataclass(frozen=True, slots=True)
class Guardrail:
    """The tightest limit on one quantity for this person; the lowest of several wins.

    id : of the limit that binds first; beside : ids of the looser limits on the same quantity
    value : of the proposed option, else of the present regimen; None where it cannot be known or nothing can exceed it
    binding : the value touches it, or an option was limited by it
    """

    what: str
    id: str
    bound: float
    unit: str
    upper: bool
    absolute: bool
    value: float | None
    binding: bool
    why: str
    beside: tuple[str, ...] = ()
    source: str | None = None
    status: str | None = None


@dataclass(frozen=True, slots=True)
class Fallback:
    """What holds where nothing is proposed: the last agreed regimen, or no advice; never a cruder formula.

    regimen : None: no advice; agreed_on : day of the decision behind it, None where it is what was really given
    """

    regimen: Regimen | None
    agreed_on: date | None
    because: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """All options laid side by side. refusal: why nothing is proposed, if so; fallback: what holds then.

    measure_next : what to measure next, best first, at most three; worth : what could be gained by measuring at all
    """

    current: Regimen | None
    options: tuple[Option, ...]
    refusal: tuple[Finding, ...]
    weights: tuple[tuple[str, float], ...]  # of the expected loss, as used
    findings: tuple[Finding, ...]
    measure_next: tuple[Measurement, ...] = ()
    worth: tuple[Finding, ...] = ()
    guardrails: tuple[Guardrail, ...] = ()
    fallback: Fallback | None = None
