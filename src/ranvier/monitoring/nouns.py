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
class Noise:
    """How one person measures with one device: estimated from the series itself, with other people's values as prior.

    sd : residual SD of one session as a fraction of strength [1]; persistence : correlation of two days in a row [1]
    learning, learning_se : how much lower the first session was than later ones, as a fraction [1]
    """

    sd: float
    persistence: float
    learning: float
    learning_se: float


@dataclass(frozen=True, slots=True)
class Alarm:
    """A fall of the level on all days of the cycle, as the chart saw it on the day it was raised.

    since : day of the first value after the change; fall, q05, q95 : as a fraction of strength [1]
    statistic : t of the change; answered : a decision on decline was recorded on or after the day it was raised
    withdrawn : day on which the change was gone again; None while it holds
    """

    series: str
    raised: date
    since: date
    fall: float
    q05: float
    q95: float
    statistic: float
    answered: bool = False
    withdrawn: date | None = None


@dataclass(frozen=True, slots=True)
class Charted:
    """One series on the chart.

    swing, swing_se : fall from the plateau to the end of the cycle, as the series itself shows it [1]; None without a cycle
    p_wearing_off : P(swing > threshold); 0 until enough cycles were seen; cycles : complete cycles with values
    depends : log10 of the Bayes factor of a dependence on the time since the infusion against none; None without a cycle
    alarms : all that were raised, earliest first; active : the newest, if it still stands
    first_wearing_off : day on which wearing-off was first certain enough
    """

    series: str
    measure: str
    side: str | None
    device: str | None
    unit: str
    n: int
    last: date
    noise: Noise
    swing: float | None
    swing_se: float | None
    p_wearing_off: float
    cycles: int
    depends: float | None
    alarms: tuple[Alarm, ...] = ()
    active: Alarm | None = None
    first_wearing_off: date | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """What else could explain a change. state : recorded | excluded | ask (nobody wrote it down)."""

    what: str
    state: str
    on: date | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """Has strength changed? Three answers with three consequences, and the one that the values do not suffice.

    verdict : decline | wearing_off | noise | not_enough; decline goes first, and `wearing_off` says whether that is there too
    decline : the alarm that stands, if any; slow : the fit says that untreated strength declines year by year
    causes : to be excluded before a change is believed; empty where there is none
    silent : days since the last value of any charted series; None where there is no value
    """

    verdict: str
    wearing_off: bool
    decline: Alarm | None
    series: tuple[Charted, ...]
    causes: tuple[Cause, ...]
    silent: int | None
    findings: tuple[Finding, ...] = ()
    slow: bool = False


@dataclass(frozen=True, slots=True)
class Watch:
    """The answer of monitoring.

    interval_days : None where no regimen in force can be read from the record
    idle : P(the present regimen keeps no gain worth the name), whatever more would do
    last : first day of the last course
    change : what the chart says, apart from the fit; None where it was not asked
    """

    floor: Floor | None
    interval_days: float | None
    wearing_off: WearingOff | None
    trend: Trend
    response: Response
    findings: tuple[Finding, ...]
    idle: float = 0.0
    last: date | None = None
    change: Change | None = None
