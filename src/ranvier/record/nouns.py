"""The record: dated facts of one person with MMN, in canonical units, without interpretation.

Canonical units: g, kg, g/L, kPa, N, cm, day. kg and kPa of grip are different measures and are never converted into
each other. A time is a time-zone aware datetime or a plain date.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

LATER = {"later": True}
"""Marks a field that came after the first records: it is a fact only where it says something, so digests stay."""

When = date | datetime  # datetime is always aware


@dataclass(frozen=True, slots=True)
class Weight:
    """Body weight on a day [kg]."""

    on: date
    kg: float


@dataclass(frozen=True, slots=True)
class Person:
    """Who; pseudonymous. None is unknown."""

    pseudonym: str
    birth_year: int | None = None
    sex: str | None = None  # female | male
    height_cm: float | None = None
    weights: tuple[Weight, ...] = ()
    dominant_hand: str | None = None  # left | right | both
    blood_group: str | None = field(default=None, metadata=LATER)  # A | B | AB | O


@dataclass(frozen=True, slots=True)
class Reaction:
    """An adverse reaction to an infusion, in the recorder's words; grade 1 to 5 (CTCAE) if stated."""

    what: str
    grade: int | None = None


@dataclass(frozen=True, slots=True)
class Infusion:
    """One immunoglobulin administration as really given.

    `start` may be a plain date; `stop` is None when not recorded. Days of one course share `course`.
    day_checked : somebody held the day against the infusion chart; it is not doubted again
    """

    product: str
    grams: float
    start: When
    stop: datetime | None
    route: str  # IV | SC | fSCIg
    lot: str | None = None
    course: str | None = None
    reactions: tuple[Reaction, ...] = ()
    note: str | None = None
    day_checked: bool = False


@dataclass(frozen=True, slots=True)
class Before:
    """What was given before the first recorded infusion.

    kind : ``none`` (never had immunoglobulin), ``regimen`` (the rest is filled) or ``unknown``
    """

    kind: str
    product: str | None = None
    grams: float | None = None  # per course
    interval_days: float | None = None
    route: str | None = None
    since: date | None = None  # None: unknown, long enough for steady state
    last: date | None = None  # last dose before the record; None: one interval before the first recorded infusion


@dataclass(frozen=True, slots=True)
class IgGLevel:
    """Serum IgG [g/L]. timing: ``before``, ``after`` or ``between`` infusions, or None when nobody wrote it down."""

    at: When
    g_per_l: float
    timing: str | None = None
    below: bool = False  # reported as "less than"


@dataclass(frozen=True, slots=True)
class Strength:
    """One value of a series, in the series' unit; `tries` keeps what was measured when the value is a summary."""

    at: When
    value: float
    tries: tuple[float, ...] = ()
    below: bool = False
    note: str | None = None


@dataclass(frozen=True, slots=True)
class StrengthSeries:
    """Repeated values of one measure, by one device, on one side.

    measure : grip | pinch | dynamometry | mrc_sum | mmn_rods | onls
    side : left | right | None
    device : id in knowledge/scales (jamar, vigorimeter, …) or None
    variant : named variant of an MRC sum, id in knowledge/scales
    unit : canonical UCUM unit of the values: kg, kPa, N or {score}
    """

    id: str
    measure: str
    unit: str
    values: tuple[Strength, ...]
    side: str | None = None
    device: str | None = None
    muscle: str | None = None
    variant: str | None = None
    place: str | None = None  # home | clinic


@dataclass(frozen=True, slots=True)
class OtherDrug:
    """Another drug, as recorded."""

    name: str
    code: str | None = None  # e.g. ATC H02AB06
    start: When | None = None
    stop: When | None = None
    for_what: str | None = None
    route: str | None = field(default=None, metadata=LATER)  # oral, inhaled, … as in the schema


@dataclass(frozen=True, slots=True)
class Allergy:
    """What the person must not get again, in the recorder's words. severity: mild | moderate | severe | anaphylaxis."""

    to: str
    reaction: str | None = None
    severity: str | None = None
    on: date | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Immunisation:
    """A vaccine as given, with its lot; given False: offered and not given."""

    vaccine: str
    on: date
    code: str | None = None
    lot: str | None = None
    given: bool = True
    note: str | None = None


@dataclass(frozen=True, slots=True)
class AdverseEvent:
    """Something bad that happened, whether or not a drug caused it; reactions during an infusion stand with the infusion.

    grade : 1 to 5 (CTCAE) if stated; product, lot : of the immunoglobulin held responsible, None where unknown
    """

    what: str
    on: date
    grade: int | None = None
    until: date | None = None
    product: str | None = None
    lot: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class SafetyCheck:
    """A check before or during treatment, by its id in knowledge/safety/checks.yaml, and when it is due again.

    result : clear | risk | pending; clear means looked for and not found
    """

    check: str
    on: date
    result: str
    again: date | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class BloodTest:
    """A laboratory value other than IgG, in the unit as reported (UCUM)."""

    at: When
    what: str
    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition of the person: present True, excluded False; not listed is unknown."""

    what: str
    present: bool = True
    since: date | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Floor:
    """The strength below which life gets hard, as the person says: on one series, in its unit."""

    series: str
    value: float


@dataclass(frozen=True, slots=True)
class Goals:
    """What the person wants and accepts. None is not asked yet."""

    floors: tuple[Floor, ...] = ()
    routes: tuple[str, ...] | None = None  # accepted routes: IV, SC, fSCIg
    max_visits_per_year: float | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Sign:
    """A symptom, sign, test result or event by its name: present True, looked for and not found False."""

    what: str
    present: bool
    on: date | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class History:
    """How it began, and what is there or was looked for. onset: a year, month or day as written; None is unknown."""

    onset: str | None = None
    signs: tuple[Sign, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """Something that can make a hand weaker or stronger; happened False: it was asked and did not happen.

    what : cold | illness | pain | injury | training | device_change | missed_infusion | product_switch | pregnancy
        | operation | travel | wearing_off_felt | other
    """

    on: date
    what: str
    until: date | None = None
    happened: bool = True
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Agreed:
    """A regimen as proposed or agreed: `grams` per course over `days` infusion days (None: not said)."""

    product: str
    route: str
    grams: float
    interval_days: float
    days: int | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """What an answer was made from, and what it came to: enough to make it again and to show a difference.

    record : digest of the record as it stood before the decision; digest : SHA-256 of the answer as JSON
    said : (name, text) pairs
    """

    knowledge: str
    software: str
    seed: int
    record: str
    digest: str
    said: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Override:
    """A limit of knowledge/limits that was knowingly exceeded, with its coded reason."""

    limit: str
    reason: str


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a decision, held against what was fixed beforehand.

    result : success | failure | unclear | stopped_early | not_done
    """

    on: date
    result: str
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What was proposed, what was decided and why, what was fixed beforehand, and what came of it.

    decided : accepted | changed | refused; reason : coded, needed unless accepted
    proposed : None where nothing was proposed; regimen : what was agreed, None where nothing changes
    situation, step : of the ladder; success, stop, rescue : fixed beforehand; judge_on : when it is to be judged
    """

    on: date
    decided: str
    proposed: Agreed | None = None
    regimen: Agreed | None = None
    reason: str | None = None
    overrides: tuple[Override, ...] = ()
    situation: str | None = None
    step: str | None = None
    judge_on: date | None = None
    success: str | None = None
    stop: str | None = None
    rescue: Agreed | None = None
    by: str | None = None
    answer: Answered | None = None
    outcome: Result | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One person, all facts. `examinations`, `conduction_studies` and `imaging` are kept as validated data for later.

    digest : SHA-256 of the canonical form; the same facts give the same digest
    """

    person: Person
    before: Before
    infusions: tuple[Infusion, ...]
    igg: tuple[IgGLevel, ...]
    strength: tuple[StrengthSeries, ...]
    digest: str
    timezone: str | None = None
    invented: bool = False  # a made-up case, never a real person
    drugs: tuple[OtherDrug, ...] = ()
    blood_tests: tuple[BloodTest, ...] = ()
    conditions: tuple[Condition, ...] = ()
    goals: Goals = field(default_factory=Goals)
    history: History = field(default_factory=History)
    investigations: tuple[Sign, ...] = ()  # tests with a yes-or-no result
    events: tuple[Event, ...] = ()  # earliest first
    decisions: tuple[Decision, ...] = ()  # earliest first
    allergies: tuple[Allergy, ...] = field(default=(), metadata=LATER)
    immunisations: tuple[Immunisation, ...] = field(default=(), metadata=LATER)  # earliest first
    adverse_events: tuple[AdverseEvent, ...] = field(default=(), metadata=LATER)  # earliest first
    safety_checks: tuple[SafetyCheck, ...] = field(default=(), metadata=LATER)  # earliest first
    examinations: tuple[dict[str, Any], ...] = ()
    conduction_studies: tuple[dict[str, Any], ...] = ()
    imaging: tuple[dict[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
