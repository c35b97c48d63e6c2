"""Nouns of the diagnosis: what is stated, what a set of criteria says to it, what else it could be, what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from ranvier.ground.findings import Finding
from ranvier.ground.truth import Truth

# What is known in general -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Backing:
    """Where a statement stands: id of the source (None only for assumed and design), place in it, how well checked."""

    source: str | None
    where: str
    status: str

    @property
    def verified(self) -> bool:
        """Whether the words were read in the source itself."""
        return self.status in ("read", "computed")


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that can be asked of a patient and be met, not met or unknown.

    Attributes
    ----------
    id : its name, used in criteria, likelihoods and records
    says : the statement in words
    kind : history | examination | conduction | emg | antibody | csf | blood | imaging | genetics | treatment
    group : findings of one group come from one kind of test; the differential uses at most one of them
    reported : whether a record may state it directly (``history.present`` or ``history.absent``)
    implies : what else is met wherever this is met
    excludes : what cannot be met wherever this is met
    derived : how it is computed from other parts of the record; None: only stated. See `ranvier.diagnosis.facts`
    """

    id: str
    says: str
    kind: str
    group: str
    reported: bool = True
    implies: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    derived: Mapping[str, object] | None = None
    presumed_absent: bool = False  # counts as not met unless it is stated


Rule = str | Mapping[str, object]  # a name, or one of all_of, any_of, at_least {n, of}, not


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a set of criteria: a named combination of findings, in words, with its place in the source."""

    id: str
    says: str
    kind: str  # core | supportive | exclusion | conduction
    rule: Rule
    backing: Backing


@dataclass(frozen=True, slots=True)
class ClassRule:
    """One class of a set and the combination of items that makes it."""

    name: str  # definite | probable | possible
    says: str
    rule: Rule
    backing: Backing


@dataclass(frozen=True, slots=True)
class CriteriaSet:
    """One edition of one set of criteria; classes from the strictest to the loosest.

    block_rule : id of the conduction-block rule whose verdicts this edition counts; None: reports only
    leads : the set that plans and suggestions go by
    """

    set: str
    edition: str
    title: str
    source: str
    items: Mapping[str, Item]
    classes: tuple[ClassRule, ...]
    block_rule: str | None = None
    leads: bool = False
    notes: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Set and edition in one word."""
        return f"{self.set}_{self.edition}"


@dataclass(frozen=True, slots=True)
class Cell:
    """P(finding is met | condition), with where it stands."""

    value: float
    backing: Backing


@dataclass(frozen=True, slots=True)
class Likelihood:
    """How often one finding is met in each condition; `others` serves the conditions without a cell of their own."""

    finding: str
    others: Cell
    cells: Mapping[str, Cell]
    weak_absence: bool = False  # its absence is often only that nobody looked: then it counts nothing
    silenced_by: str | None = None  # counts nothing where this finding is met
    decisive: bool = False  # settles more than other tests: capped later

    def of(self, condition: str) -> Cell:
        """The cell of a condition."""
        return self.cells.get(condition, self.others)


@dataclass(frozen=True, slots=True)
class Disease:
    """A condition of the differential. `settles`: ids of the tests that settle it; `patterns`: explanation → share."""

    id: str
    name: str
    settles: tuple[str, ...]
    patterns: Mapping[str, float]
    patterns_backing: Backing
    note: str = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """Where the patient is seen, and how common each condition is there. Shares sum to 1."""

    id: str
    says: str
    priors: Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class Flag:
    """A finding that should stop anyone from calling it MMN, and what to do about it."""

    finding: str
    grade: str  # stop | slow
    says: str
    think_of: tuple[str, ...]
    do: str
    backing: Backing
    met: bool = True  # False: the flag is up where the finding is not met
    unless: str | None = None  # a finding that takes the flag down


@dataclass(frozen=True, slots=True)
class Procedure:
    """An examination or test: which findings it answers; cost and harm as ordinals 0 (none) to 4 (high)."""

    id: str
    says: str
    answers: tuple[str, ...]
    cost: int
    harm: int
    backing: Backing


@dataclass(frozen=True, slots=True)
class Amount:
    """A number of the plan with unit and backing."""

    value: float
    unit: str
    backing: Backing


@dataclass(frozen=True, slots=True)
class Book:
    """Everything this room knows.

    numbers : thresholds and weights of the room by name
    success : what counts as success of a trial; watch, change: sentences of watchful waiting
    """

    questions: Mapping[str, Question]
    sets: tuple[CriteriaSet, ...]
    diseases: Mapping[str, Disease]
    settings: Mapping[str, Setting]
    likelihoods: Mapping[str, Likelihood]
    flags: tuple[Flag, ...]
    procedures: tuple[Procedure, ...]
    numbers: Mapping[str, Amount]
    sentences: Mapping[str, tuple[tuple[str, Backing], ...]]


# What is known of this person ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stated:
    """One finding in this person: met, not met or unknown, and from what in the record."""

    id: str
    truth: Truth
    because: Finding


Facts = Mapping[str, Stated]


@dataclass(frozen=True, slots=True)
class Pattern:
    """What the pattern of weakness speaks for: explanation → how many times likelier than the least likely one."""

    evidence: Mapping[str, float]
    because: Finding


# What follows -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """One unknown whose answer would change the class: the class if it were met, and if it were not."""

    finding: str
    says: str
    if_met: str
    if_not_met: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one edition of a set of criteria says.

    class_ : definite | probable | possible | not met | unknown
    could_be : the best class that is still open; equal to `class_` where nothing better is
    because : one tree per class, strictest first
    unknown : findings not known that take part in a class still open
    unverified : items and classes of this edition that took part and whose wording could not be checked
    """

    set: str
    edition: str
    title: str
    class_: str
    could_be: str
    because: tuple[Finding, ...]
    unknown: tuple[Finding, ...]
    would_change: tuple[Change, ...]
    unverified: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Weight:
    """One finding that took part in the differential.

    ratio : how many times likelier the finding is in this condition than in all the others together
    """

    finding: str
    says: str
    truth: Truth
    ratio: float
    because: Finding


@dataclass(frozen=True, slots=True)
class Candidate:
    """One condition with its probability before and after, and the findings for and against it, strongest first."""

    condition: str
    name: str
    prior: float
    probability: float
    for_: tuple[Weight, ...]
    against: tuple[Weight, ...]


@dataclass(frozen=True, slots=True)
class RedFlag:
    """A red flag that is up."""

    finding: str
    grade: str
    says: str
    do: str
    think_of: tuple[str, ...]
    because: Finding


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one result of a suggested test would mean."""

    finding: str
    met: bool
    probability: float
    leading: str
    leading_probability: float


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An examination or test that is worth doing next.

    bits : expected information on the differential [bit]; a lower bound where the test answers several findings
    """

    test: str
    says: str
    bits: float
    cost: int
    harm: int
    answers: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    class_could_become: str | None
    because: Finding


@dataclass(frozen=True, slots=True)
class Step:
    """A thing to do on a day; `on` None: now."""

    says: str
    on: date | None
    because: Finding


@dataclass(frozen=True, slots=True)
class Plan:
    """Treat, watch, settle first, or think again.

    kind : trial | watch | settle | think_again | continue | other
    success : what counts as success of a trial, to be agreed before it begins
    would_change : what would change this plan
    """

    kind: str
    says: str
    steps: tuple[Step, ...]
    success: tuple[Finding, ...]
    would_change: tuple[Finding, ...]
    because: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """Is it MMN, what else, what next?

    setting : the setting whose priors were used
    unused : findings that are known but stood behind a stronger one of their group
    items : how many items of evidence took part in the differential
    thin : fewer than would make it more than the priors
    """

    at: date
    setting: str
    red_flags: tuple[RedFlag, ...]
    criteria: tuple[Verdict, ...]
    differential: tuple[Candidate, ...]
    next: tuple[Suggestion, ...]
    plan: Plan
    because: tuple[Finding, ...]
    unverified: tuple[Finding, ...]
    unused: tuple[Finding, ...] = ()
    items: int = 0
    thin: bool = False
    facts: Facts = field(default_factory=dict)
