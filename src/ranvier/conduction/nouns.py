"""What a nerve conduction study is, and what is found in it.

Canonical units: ms, mV (motor) or uV (sensory), mV.ms, mm, m/s, Cel. A change is a fraction of the distal response:
-0.6 means that the proximal response is 60 % smaller; duration +0.1 means 10 % longer.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from ranvier.ground.findings import Fact, Finding
from ranvier.ground.notes import Problem
from ranvier.ground.truth import Truth

KINDS = ("motor", "sensory", "f_wave")
SIDES = ("left", "right")


@dataclass(frozen=True, slots=True)
class Response:
    """What was recorded on stimulation at one site. None: not measured, which is not the same as absent.

    Attributes
    ----------
    site : our name of the site, e.g. ``wrist``; the site's own words where it has none in knowledge/conduction/sites.yaml
    latency : onset [ms]; in an F-wave study the shortest F latency [ms]
    amplitude : baseline to negative peak [mV]; sensory [uV]
    area, duration : of the negative peak [mV.ms], [ms]
    distance : to the next site distally; at the most distal site, to the recording electrode [mm]
    velocity : as the laboratory printed it [m/s]; never used where latencies and distance are known
    absent : the nerve was stimulated and no response could be had
    supramaximal : whether the laboratory says that stimulation was supramaximal; None: it does not say
    persistence : share of stimuli with an F wave [1]
    peak_latency : to the negative peak, as sensory studies often report [ms]
    place : where this stood in the input, for problems
    """

    site: str
    latency: float | None = None
    amplitude: float | None = None
    area: float | None = None
    duration: float | None = None
    distance: float | None = None
    velocity: float | None = None
    absent: bool = False
    supramaximal: bool | None = None
    persistence: float | None = None
    peak_latency: float | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class ConductionStudy:
    """One nerve on one side, recorded from one muscle (or, sensory, from one finger or skin nerve).

    Attributes
    ----------
    nerve : id in knowledge/conduction/sites.yaml, e.g. ``median``, ``ulnar``, ``fibular``
    side : left | right
    kind : motor | sensory | f_wave
    muscle : id of the recording muscle, e.g. ``apb``; None: not said
    sites : distal first
    temperature : skin [Cel]; None: not measured
    """

    nerve: str
    side: str
    kind: str
    muscle: str | None
    sites: tuple[Response, ...]
    temperature: float | None = None
    place: str = ""

    def at(self, site: str) -> Response | None:
        """The response at a site, or None if the site was not stimulated."""
        return next((r for r in self.sites if r.site == site), None)


@dataclass(frozen=True, slots=True)
class StudySet:
    """All nerves studied on one day.

    Attributes
    ----------
    on : day; None: not said
    age, height : [a], [cm]; None: not said, then only limits for all ages and heights are used
    problems : what was kept but deserves a look
    """

    studies: tuple[ConductionStudy, ...]
    on: date | None = None
    age: float | None = None
    height: float | None = None
    laboratory: str | None = None
    problems: tuple[Problem, ...] = ()


class Class(enum.Enum):
    """What a rule says of one segment."""

    DEFINITE = "definite"
    PROBABLE = "probable"
    NONE = "none"
    NOT_EVALUABLE = "not evaluable"  # the rule cannot be asked here; `Verdict.reason` says why
    UNKNOWN = "unknown"  # something was not measured; `Verdict.possible` says what is still open


@dataclass(frozen=True, slots=True)
class Criterion:
    """One condition of a rule: the number found, the limit, and whether it is met.

    Attributes
    ----------
    id : stable name within its rule, e.g. ``definite.area_fall``
    what : the quantity, e.g. ``area_fall`` [1], ``duration_rise`` [1], ``distal_amplitude`` [mV]
    value : as found in `unit`; None: not measured, or not a number
    comparison : ``>=``, ``>``, ``<=``, ``<`` or ``is``
    limit : as in the rule, in `unit`; None where the condition is not about a number
    role : evaluable (else the rule cannot be asked) | definite | probable (conditions of that class) | needed (else no block is
        called) | proviso (a check that the class waits for: unknown does not block it, not met does)
    facts : further numbers behind the value, e.g. the lower limit of normal
    source, where, status : of the limit
    """

    id: str
    what: str
    truth: Truth
    value: float | None
    comparison: str
    limit: float | None
    unit: str
    role: str
    source: str | None
    status: str
    where: str = ""
    facts: Mapping[str, Fact] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One rule's answer for one segment.

    Attributes
    ----------
    rule : id, e.g. ``efns2010``, ``aaem1999``, ``utrecht``, ``amplitude30``
    class_ : PROBABLE also stands for "at least probable" (then `possible` holds DEFINITE as well)
    possible : every class that is still open, given what was not measured
    criteria : all that were asked, in the order of the rule
    reason : why not evaluable: ``distal_too_small``, ``distal_absent``, ``not_covered``, ``at_entrapment``; else None
    provided : checks the class waits for, e.g. ``no_crossing``: definite *if* a Martin-Gruber crossing is excluded
    missing : quantities that were not measured and could change the class
    caveats : e.g. ``erb``, ``tibial_knee``, ``cold``; words in knowledge/conduction/caveats.yaml
    """

    rule: str
    class_: Class
    possible: tuple[Class, ...]
    criteria: tuple[Criterion, ...]
    reason: str | None = None
    provided: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    caveats: tuple[Finding, ...] = ()

    @property
    def block(self) -> Truth:
        """Whether this rule calls a block here, definite or probable."""
        if self.class_ in (Class.DEFINITE, Class.PROBABLE):
            return Truth.MET
        return Truth.NOT_MET if self.class_ is Class.NONE else Truth.UNKNOWN


@dataclass(frozen=True, slots=True)
class Crossing:
    """The Martin-Gruber check of an ulnar forearm segment: do fibres reach the muscle through the median nerve?

    Attributes
    ----------
    truth : MET: crossing accounts for the fall; NOT_MET: looked for, does not; UNKNOWN: not looked for
    hint : another study of the same arm makes a crossing likely (median elbow response larger than at the wrist)
    crossed_amplitude, crossed_area : median elbow minus median wrist, same muscle [mV], [mV.ms]
    amplitude_change, area_change : of the sum (ulnar below the elbow + crossed) against the ulnar wrist [1]
    """

    truth: Truth
    hint: bool = False
    crossed_amplitude: float | None = None
    crossed_area: float | None = None
    amplitude_change: float | None = None
    area_change: float | None = None


@dataclass(frozen=True, slots=True)
class SegmentFinding:
    """One segment of one motor nerve: what changes from the distal to the proximal site, judged by every rule.

    Attributes
    ----------
    from_, to : distal and proximal site
    region : e.g. ``wrist_elbow``, ``elbow_axilla``, ``across_elbow``, ``axilla_erb``, ``ankle_fibular_head``
    amplitude_change, area_change, duration_change : (proximal - distal) / distal [1]; None: cannot be computed
    velocity : [m/s]; None: no distance, or a latency is missing
    distance : [mm]
    distal_amplitude, proximal_amplitude : [mV]
    proximal_absent : stimulated proximally, no response
    entrapment : name of the common entrapment site that the segment holds, or None
    beyond_entrapment : MET: the segment lies away from it; NOT_MET: at it; UNKNOWN: it includes it
    verdicts : rule id → verdict
    caveats : that hold whatever the rule
    """

    nerve: str
    side: str
    muscle: str | None
    from_: str
    to: str
    region: str
    amplitude_change: float | None
    area_change: float | None
    duration_change: float | None
    velocity: float | None
    distance: float | None
    distal_amplitude: float | None
    proximal_amplitude: float | None
    proximal_absent: bool
    entrapment: str | None
    beyond_entrapment: Truth
    verdicts: Mapping[str, Verdict]
    crossing: Crossing | None = None
    caveats: tuple[Finding, ...] = ()
    place: str = ""

    @property
    def name(self) -> str:
        """``left median, wrist to elbow``."""
        return f"{self.side} {self.nerve}, {self.from_} to {self.to}".replace("_", " ")


OTHER_KINDS = (
    "temporal_dispersion",  # duration rise beyond the limit, motor segment
    "slow_velocity",  # motor segment
    "prolonged_distal_latency",  # motor
    "long_distal_duration",  # motor, most distal site
    "low_distal_amplitude",  # motor, most distal site
    "absent_motor",  # no response at the most distal site
    "absent_f",
    "prolonged_f",
    "sensory_amplitude",  # low or absent
    "sensory_velocity",  # slow
    "sensory_latency",  # late peak
)


@dataclass(frozen=True, slots=True)
class OtherFinding:
    """One comparison with a reference value or a published limit, other than block.

    Attributes
    ----------
    kind : one of OTHER_KINDS
    truth : MET: abnormal in this sense; NOT_MET: looked at, not abnormal; UNKNOWN: cannot be told
    grade : ``beyond_normal`` (outside the laboratory's limits) | ``demyelinating`` (so far outside that axon loss alone does not
        explain it, by the cited set) | ``absent``; several grades of one kind are several findings
    from_, to : sites of a segment; for a single site only `from_`
    value, limit, unit : as compared; value None: not measured or absent
    normal : the reference limit that `limit` was made from, where they differ (e.g. 75 % of it)
    """

    kind: str
    nerve: str
    side: str
    grade: str
    truth: Truth
    value: float | None
    limit: float | None
    unit: str
    from_: str | None = None
    to: str | None = None
    muscle: str | None = None
    normal: float | None = None
    source: str | None = None
    status: str = "computed"
    where: str = ""
    set: str | None = None  # id of the set of limits: ``reference``, ``utrecht``, ``cidp2010``
    caveats: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Tested:
    """How much was looked at, so that a single abnormal value can be weighed.

    Attributes
    ----------
    segments : motor segments between two sites
    evaluable : of these, evaluable by the first rule shown
    comparisons : reference limits that a value was held against
    chance_of_one : chance that at least one of these is exceeded in a healthy person, each at its percentile, taken as
        independent [1]; None where the reference does not state its percentile
    """

    segments: int
    evaluable: Mapping[str, int]  # rule id → number of segments the rule could be asked of
    comparisons: int
    chance_of_one: float | None


@dataclass(frozen=True, slots=True)
class Conduction:
    """Everything found in one set of studies.

    Attributes
    ----------
    rules : ids of the rules asked, in order of display
    reference : id and name of the reference values used
    unverified : limits that took part and were never read in their source: (what, source, status)
    """

    studies: StudySet
    segments: tuple[SegmentFinding, ...]
    others: tuple[OtherFinding, ...]
    tested: Tested
    rules: tuple[str, ...]
    reference: str
    unverified: tuple[tuple[str, str | None, str], ...] = ()
    notes: tuple[Finding, ...] = ()

    def blocks(self, rule: str, *, at_least: Class = Class.PROBABLE) -> tuple[SegmentFinding, ...]:
        """Segments that `rule` calls blocked: definite only, or at least probable."""
        wanted = (Class.DEFINITE,) if at_least is Class.DEFINITE else (Class.DEFINITE, Class.PROBABLE)
        return tuple(s for s in self.segments if rule in s.verdicts and s.verdicts[rule].class_ in wanted)

    def sensory_normal(self, nerve: str, side: str) -> Truth:
        """Whether sensory conduction of a nerve is normal: MET if something was compared and nothing was abnormal."""
        found = [o.truth for o in self.others if o.kind.startswith("sensory") and (o.nerve, o.side) == (nerve, side)]
        if Truth.MET in found:
            return Truth.NOT_MET
        return Truth.MET if Truth.NOT_MET in found else Truth.UNKNOWN

    def nerves_with_block(self, rule: str, *, at_least: Class = Class.PROBABLE) -> tuple[tuple[str, str], ...]:
        """(nerve, side) of each nerve with a block by `rule`, each once, sorted."""
        return tuple(sorted({(s.nerve, s.side) for s in self.blocks(rule, at_least=at_least)}))
