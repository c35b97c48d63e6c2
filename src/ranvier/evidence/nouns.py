"""What we believe, as frozen nouns: every number with its unit, source, place in the source and status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

STATUSES = ("read", "read-2nd", "memory", "computed", "assumed", "design")


@dataclass(frozen=True, slots=True)
class Number:
    """A number with a meaning.

    status : read (in the source itself), read-2nd (in a named transcription), memory (not re-checked), computed (from
        read numbers only), assumed (nobody measured it), design (our own choice, e.g. a threshold)
    """

    value: float
    unit: str
    source: str | None  # id in knowledge/evidence/sources.yaml; None only for assumed and design
    where: str  # place in the source, or the reason of an assumption
    status: str

    @property
    def verified(self) -> bool:
        """Whether the number was read in its source or computed from such numbers."""
        return self.status in ("read", "computed")


@dataclass(frozen=True, slots=True)
class Source:
    """A publication, label, guideline or registry entry."""

    id: str
    citation: str
    doi: str | None = None
    pmid: str | None = None
    kind: str = "study"  # study | trial | review | guideline | label | transcription | cohort | registry | web
    population: str | None = None
    n: int | None = None


@dataclass(frozen=True, slots=True)
class Covariate:
    """typical · (what / reference) ** exponent; what: weight [kg] or lean_mass [kg]."""

    what: str
    reference: Number
    exponent: Number


@dataclass(frozen=True, slots=True)
class Prior:
    """Distribution of one parameter over people.

    scale : log (log-normal), logit (logit-normal) or normal; `spread` is the SD on that scale (None: not reported)
    typical : on the natural scale (for logit: the fraction itself)
    """

    name: str
    scale: str
    typical: Number
    spread: Number | None
    covariate: Covariate | None = None


@dataclass(frozen=True, slots=True)
class Domain:
    """Where a model holds: low <= what <= high. hard: outside is refused; else warned."""

    what: str
    unit: str
    hard: bool
    low: float | None
    high: float | None
    why: str
    source: str | None = None
    status: str = "assumed"


@dataclass(frozen=True, slots=True)
class Population:
    """One published model, one file. structure: one_compartment | two_compartment (a function in ranvier.kinetics)."""

    id: str
    title: str
    structure: str
    disease: str
    n: int
    source: str
    parameters: Mapping[str, Prior]
    correlations: tuple[tuple[str, str, Number], ...]
    residual: Mapping[str, Number]  # proportional [1], additive [g/L], …
    covers: tuple[Domain, ...]
    left_out: tuple[tuple[str, str], ...]  # what was tested or printed and not used, and why
    notes: tuple[str, ...] = ()
    stated: Mapping[str, Number] = field(default_factory=dict)  # what the source says of itself, e.g. half_life [d]


@dataclass(frozen=True, slots=True)
class Composite:
    """The project's own prior: candidate kinetics with the spreads that papers do not report, and the response.

    kinetics : populations completed with our declared spreads
    parameters : endogenous, c50, kout, imax, decline, level (grip in kg), session_sd, persistence, unknown_excess
    constants : response_probability, tail (degrees of freedom of the residual), level_spread, igg_tail, …
    """

    id: str
    title: str
    kinetics: tuple[Population, ...]
    parameters: Mapping[str, Prior]
    constants: Mapping[str, Number]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RateStep:
    """One step of an infusion-rate scheme."""

    ml_per_kg_h: Number
    minutes: Number | None


@dataclass(frozen=True, slots=True)
class Label:
    """Whether MMN is on the label in a country. mmn: yes | no | unknown; where: the label's words, in short."""

    country: str
    mmn: str
    where: str
    source: str
    status: str


@dataclass(frozen=True, slots=True)
class Product:
    """An immunoglobulin product. vials in grams, as marketed; routes IV, SC or fSCIg.

    labels : country → whether MMN is on the label: yes | no | unknown; `label_facts` says where that stands
    """

    id: str
    name: str
    aliases: tuple[str, ...]
    concentration: Number  # g/L
    vials: tuple[Number, ...]
    routes: tuple[str, ...]
    labels: Mapping[str, str]
    rates: tuple[RateStep, ...] = ()
    notes: tuple[str, ...] = ()
    label_facts: tuple[Label, ...] = ()
    start_rate: Number | None = None  # mL/kg/h
    top_rate: Number | None = None  # mL/kg/h


@dataclass(frozen=True, slots=True)
class Scale:
    """A strength or disability measure: range, direction, error, smallest change that matters.

    sign : +1 more is better, -1 more is worse
    smallest_change : what sources call meaningful, in `unit` or as a fraction (unit 1); contradictions are kept
    session_sd : proportional SD of one session [1], or None; error : additive SD of one value in `unit`, or None
    """

    id: str
    measure: str
    name: str
    unit: str
    low: float | None
    high: float | None
    sign: int
    session_sd: Number | None
    error: Number | None
    smallest_change: tuple[Number, ...]
    resolution: float | None = None
    aliases: tuple[str, ...] = ()
    session_sd_clinic: Number | None = None  # proportional SD where the series was taken in clinic
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Limit:
    """A guardrail. absolute: never proposed beyond it; else recommended: proposed only with the limit shown."""

    id: str
    # grams_per_kg_course | grams_per_kg_month | grams_per_kg_week | grams_per_kg_day | grams_per_day | interval
    # | dose_step | interval_step | weekly_grams_step | changes_at_once | hold_cycles | measured_basis
    # | ml_per_kg_hour | ml_per_site | sc_ratio | sc_start
    what: str
    number: Number
    absolute: bool
    upper: bool  # True: at most; False: at least
    applies: Mapping[str, str] = field(default_factory=dict)  # route, risk or action; empty: always
    why: str = ""


@dataclass(frozen=True, slots=True)
class ResponseClass:
    """Gain of peak over untreated strength from `low` (inclusive) to `high`."""

    name: str
    low: Number
    high: Number | None


@dataclass(frozen=True, slots=True)
class Risk:
    """A risk that changes how immunoglobulin is given, and how to see it in a record.

    words : parts of a condition's name, lower case; icd10, atc : beginnings of codes; age_from : years
    """

    id: str
    says: str
    words: tuple[str, ...]
    icd10: tuple[str, ...]
    atc: tuple[str, ...]
    age_from: Number | None
    source: str
    status: str


TIERS = ("danger", "warning", "information")
"""How loudly something is said: danger interrupts, warning stands beside, information waits."""


@dataclass(frozen=True, slots=True)
class DrugCase:
    """When something else holds of a group of drugs. when : condition → values, any of which will do; all conditions hold.

    tier : danger | warning | information | none; do : what to do, None where nothing is said
    """

    id: str
    tier: str
    when: Mapping[str, tuple[str, ...]]
    says: str
    do: str | None = None


@dataclass(frozen=True, slots=True)
class DrugGroup:
    """Drugs or treatments that harm, do not help or disturb, and when.

    plan : refuse | warn where one that is taken is named in a plan, else None
    words : of names without a code; atc : beginnings of codes, former ones among them; cases : the first that fits decides
    """

    id: str
    name: str
    plan: str | None
    tier: str
    words: tuple[str, ...]
    atc: tuple[str, ...]
    says: str
    why: str
    instead: str
    stop: str
    claims: tuple[str, ...]
    source: str | None
    status: str
    cases: tuple[DrugCase, ...] = ()
    suppresses: bool = False  # weakens the immune system


@dataclass(frozen=True, slots=True)
class Asked:
    """A condition that is asked for by name before treatment. group : what it belongs to on a sheet of questions."""

    name: str
    group: str
    source: str
    status: str


@dataclass(frozen=True, slots=True)
class Ingredient:
    """A drug by its names and codes. former : ATC codes of earlier editions; rxnorm : id of the ingredient."""

    name: str
    atc: str | None
    former: tuple[str, ...]
    rxnorm: str | None
    also: tuple[str, ...]
    source: str
    status: str


@dataclass(frozen=True, slots=True)
class Indication:
    """Why a drug may be given, and how to see it. weak_words : count only where nothing else fits."""

    id: str
    says: str
    words: tuple[str, ...]
    weak_words: tuple[str, ...]
    icd10: tuple[str, ...]
    source: str | None
    status: str


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of evidence for or against a claim, in our words. directness : direct | indirect."""

    source: str
    direction: str
    directness: str
    says: str
    where: str
    status: str


@dataclass(frozen=True, slots=True)
class Certainty:
    """How certain a claim is, by the domains of GRADE.

    level : high | moderate | low | very low; each domain: none | serious | very serious | unclear; raised : what lifts it
    judged : who judged; `project` until two named people have
    """

    level: str
    bias: str
    inconsistency: str
    indirectness: str
    imprecision: str
    publication: str
    raised: str | None
    why: str
    judged: str


@dataclass(frozen=True, slots=True)
class Claim:
    """What is claimed, what speaks for and against it, and how certain it is. about : ids of treatments."""

    id: str
    says: str
    about: tuple[str, ...]
    certainty: Certainty
    evidence: tuple[Piece, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources it stands on, in their order."""
        return tuple(dict.fromkeys(piece.source for piece in self.evidence))


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a contradiction."""

    says: str
    sources: tuple[str, ...]
    status: str


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A question on which sources disagree; why they may, and what is done here meanwhile."""

    id: str
    question: str
    sides: tuple[Side, ...]
    why: str
    here: str


@dataclass(frozen=True, slots=True)
class Told:
    """A harm or a trial of a treatment, in our words, with its source."""

    says: str
    source: str
    status: str
    where: str


@dataclass(frozen=True, slots=True)
class Effect:
    """What a treatment does in absolute numbers: with it, and without it (None: nobody measured that).

    people : out of how many a share of people is told; None where it is an amount or a ratio
    """

    says: str
    with_it: Number
    without: Number | None
    people: int | None = None

    def told(self, number: Number) -> str:
        """A share of people as "7 of 9", a change as per cent, a ratio as it is, an amount with its unit."""
        if self.people is not None:
            return f"{round(number.value * self.people)} of {self.people}"
        if number.unit != "1":
            return f"{number.value:g} {number.unit.strip('{}')}"
        return f"{number.value:g}" if number.where.startswith("ratio") else f"{100 * number.value:.3g} %"


@dataclass(frozen=True, slots=True)
class TreatmentOption:
    """One treatment that has been used or is asked about. claims : ids; its certainty is that of its first claim."""

    id: str
    name: str
    standing: str
    effect: tuple[Effect, ...]
    harms: tuple[Told, ...]
    trials: tuple[Told, ...]
    claims: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Search:
    """What was looked for; found : what there was, "none" among it; here : what is done instead."""

    id: str
    asked: str
    where: tuple[str, ...]
    on: date
    found: str
    here: str


@dataclass(frozen=True, slots=True)
class StartCourse:
    """One way in which labels or guidelines begin or keep up treatment. kind : first | maintenance; intervals in days."""

    id: str
    kind: str
    says: str
    route: str
    grams_per_kg: Number
    days_low: Number
    days_high: Number
    interval_low: Number
    interval_high: Number
    judge: str


@dataclass(frozen=True, slots=True)
class WeightPolicy:
    """By which weight a dose is counted. uses : actual | ideal | adjusted | adjusted_if_obese."""

    id: str
    says: str
    uses: str
    source: str | None
    status: str


@dataclass(frozen=True, slots=True)
class Starting:
    """How treatment is begun: courses, weights and policies, how it is given, and how it goes under the skin.

    numbers : by group and name, e.g. ``subcutaneous.ratio``, ``weights.obese``
    """

    courses: Mapping[str, StartCourse]
    policies: Mapping[str, WeightPolicy]
    numbers: Mapping[str, Number]
    claims: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LabLimit:
    """A laboratory value that counts as a risk. what : names it may have, lower case."""

    what: tuple[str, ...]
    below: Number | None
    above: Number | None


@dataclass(frozen=True, slots=True)
class CheckRule:
    """One check before and during treatment. tests : (what, when), when: before | after_first; again : months or None."""

    id: str
    name: str
    why: str
    words: tuple[str, ...]
    icd10: tuple[str, ...]
    atc: tuple[str, ...]
    risk: str | None
    limits: tuple[LabLimit, ...]
    mitigate: tuple[str, ...]
    tests: tuple[tuple[str, str], ...]
    again: Number | None
    claims: tuple[str, ...]
    source: str | None
    status: str


@dataclass(frozen=True, slots=True)
class EventRule:
    """A kind of adverse event. window : days after an infusion; grades : the words of CTCAE 1 to 5; tests : (what, days after).

    report : whether it is always reported, whatever its grade
    """

    id: str
    name: str
    words: tuple[str, ...]
    window: Number
    triggers: tuple[str, ...]
    grades: tuple[str, ...]
    tests: tuple[tuple[str, int], ...]
    do: tuple[str, ...]
    report: bool
    claims: tuple[str, ...]
    source: str | None
    status: str


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Everything in `knowledge/`, loaded once. version: digest of the files' bytes."""

    version: str
    sources: Mapping[str, Source]
    populations: Mapping[str, Population]
    composite: Composite
    products: Mapping[str, Product]
    scales: Mapping[str, Scale]
    limits: tuple[Limit, ...]
    monitoring: Mapping[str, Number]  # thresholds of watch: swing, decline_per_year, …
    classes: tuple[ResponseClass, ...]
    loss: Mapping[str, Number]  # weights of the expected loss
    cautions: Mapping[str, Mapping[str, str]]  # id → {says, when, source, status}: DRIP and the like
    reviewed: Mapping[str, date] = field(default_factory=dict)  # file → day on which it is to be reviewed again
    risks: Mapping[str, Risk] = field(default_factory=dict)
    drugs: Mapping[str, DrugGroup] = field(default_factory=dict)
    drug_numbers: Mapping[str, Number] = field(default_factory=dict)  # windows and intervals of order checks
    ingredients: tuple[Ingredient, ...] = ()
    asked: tuple[Asked, ...] = ()
    indications: Mapping[str, Indication] = field(default_factory=dict)
    claims: Mapping[str, Claim] = field(default_factory=dict)
    contradictions: Mapping[str, Contradiction] = field(default_factory=dict)
    searches: Mapping[str, Search] = field(default_factory=dict)
    treatments: Mapping[str, TreatmentOption] = field(default_factory=dict)
    checks: Mapping[str, CheckRule] = field(default_factory=dict)
    starting: Starting = field(default_factory=lambda: Starting({}, {}, {}, ()))
    events: Mapping[str, EventRule] = field(default_factory=dict)
    event_numbers: Mapping[str, Number] = field(default_factory=dict)
    looked: Mapping[str, date] = field(default_factory=dict)  # file → day of its last review
