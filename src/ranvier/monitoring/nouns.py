"""What monitoring hands up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ranvier.ground.findings import Finding


@dataclass(frozen=True, slots=True)
class Floor:
    """The strength that matters, on the primary measure.

    agreed : stated by the person; else assumed from their own plateau
    """

    measure: str
    value: float
    unit: str
    agreed: bool


@dataclass(frozen=True, slots=True)
class WearingOff:
    """Loss of strength within a cycle under the regimen in force.

    probability : P(swing within a cycle > threshold)
    day, day_q05, day_q95 : day of the cycle on which strength crosses the floor; all None where more than half of the
        draws do not cross before the next course; the bounds look beyond it, None where it stays above for 12 weeks
    p_crosses : P(the floor is crossed before the next infusion)
    swing, swing_q05, swing_q95 : (peak - trough) / peak of the underlying strength [1]
    threshold : larger of 10 % and this person's measurement error [1]
    swing_information, timing_information : what measuring taught about the size of the swing and about the day on which
        half of the gain is lost, 1 - posterior variance / prior variance; None where there is no prior to compare with
    """

    probability: float
    day: float | None
    day_q05: float | None
    day_q95: float | None
    p_crosses: float
    swing: float
    swing_q05: float
    swing_q95: float
    threshold: float
    swing_information: float | None = None
    timing_information: float | None = None


@dataclass(frozen=True, slots=True)
class Trend:
    """Slow change of the untreated level, as a fraction per year (negative: decline)."""

    per_year: float
    q05: float
    q95: float
    p_decline: float  # P(decline faster than the threshold of knowledge/monitoring)


@dataclass(frozen=True, slots=True)
class Response:
    """Response class (none, minimal, moderate, large, very large) with its probability and those of all classes.

    It is the response to the best of what was given: the present regimen, the one before, or the largest course.
    """

    name: str
    probability: float
    all: tuple[tuple[str, float], ...]
    gain: float  # median of peak gain over untreated strength [1]


@dataclass(frozen=True, slots=True)
class Watch:
    """The answer of monitoring.

    interval_days : None where no regimen in force can be read from the record
    idle : P(the present regimen keeps no gain worth the name), whatever more would do
    last : first day of the last course
    """

    floor: Floor | None
    interval_days: float | None
    wearing_off: WearingOff | None
    trend: Trend
    response: Response
    findings: tuple[Finding, ...]
    idle: float = 0.0
    last: date | None = None
