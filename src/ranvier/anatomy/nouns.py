"""What the room takes and gives: an examination and, for it, sites, nerves and explanations with their probabilities.

Ids (muscles, sites, nerves, explanations) are those of `ranvier/knowledge/anatomy`. All nouns are frozen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from ranvier.ground.findings import Finding
from ranvier.ground.truth import Truth

# ---- what was examined ------------------------------------------------------------------------------------------

# How a grade may be written, and the number it stands for where grades are subtracted (thirds within a grade).
GRADES: Mapping[str, float] = {
    "0": 0.0, "0+": 1 / 3, "1-": 2 / 3, "1": 1.0, "1+": 4 / 3, "2-": 5 / 3, "2": 2.0, "2+": 7 / 3,
    "3-": 8 / 3, "3": 3.0, "3+": 10 / 3, "4-": 11 / 3, "4": 4.0, "4+": 13 / 3, "5-": 14 / 3, "5": 5.0,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class StrengthFinding:
    """The strength of one muscle, or of one group of muscles, on one side.

    Attributes
    ----------
    muscle : id of a muscle or of a group (`Anatomy.muscles`, `Anatomy.groups`)
    side : left | right
    grade : MRC grade as written: a key of `GRADES`
    """

    muscle: str
    side: str
    grade: str

    @property
    def value(self) -> float:
        """The grade as a number [MRC grade], thirds within a grade."""
        return GRADES[self.grade]

    @property
    def weak(self) -> bool:
        """Whether anything less than full strength was found."""
        return self.grade != "5"


@dataclass(frozen=True, slots=True)
class Examination:
    """Strengths found on one day. A muscle that is not listed was not tested: that is not the same as normal."""

    findings: tuple[StrengthFinding, ...]
    on: date | None = None

    def grade(self, muscle: str, side: str) -> str | None:
        """The grade of a muscle or group on a side, or None where it was not tested."""
        return next((f.grade for f in self.findings if f.muscle == muscle and f.side == side), None)


@dataclass(frozen=True, slots=True)
class SiteEvidence:
    """What a nerve study (or an image) says about a stretch of one nerve, for the same tree as the examination.

    Attributes
    ----------
    sites : ids of the sites that the stretch covers, on one path, proximal to distal; one or more
    side : left | right
    found : MET (block present), NOT_MET (studied, no block) or UNKNOWN (not evaluable: no effect)
    ratio : P(this result | a lesion in the stretch) / P(this result | none there); above 1 speaks for a lesion
    because : the finding of the other room that it came from
    """

    sites: tuple[str, ...]
    side: str
    found: Truth
    ratio: float
    because: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Prior:
    """What the caller believes beforehand, in place of the numbers of the knowledge.

    explanations : id → weight (any positive scale); those not named keep the knowledge's weight
    nerves : nerve id → probability that this nerve is affected on a given side, in multiple mononeuropathy
    """

    explanations: Mapping[str, float] = field(default_factory=dict)
    nerves: Mapping[str, float] = field(default_factory=dict)


# ---- what was concluded -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SitePosterior:
    """One site of the tree, if the explanation is a multiple mononeuropathy.

    site : id, e.g. ``radial_arm``, or ``own_fdi`` for the branch of one muscle
    probability : P(lesion there | examination, conduction, multiple mononeuropathy); never 0 or 1
    because : `anatomy.for` and `anatomy.against`, each with muscle and grade
    """

    site: str
    name: str
    nerve: str
    side: str
    probability: float
    because: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class NervePosterior:
    """One nerve on one side: P(a lesion anywhere on it that shows), the muscles for and against, the likeliest site.

    probability : averaged over the explanations that put lesions on nerves (multiple and single mononeuropathy)
    likeliest : site ids with their share of this nerve's lesions, likeliest first (share sums to at most 1)
    """

    nerve: str
    name: str
    side: str
    probability: float
    muscles_for: tuple[str, ...] = ()
    muscles_against: tuple[str, ...] = ()
    likeliest: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """What an explanation would consist of here: e.g. root C8 on the right."""

    name: str
    side: str | None
    probability: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """One way to explain the pattern of strength.

    Attributes
    ----------
    name : multiple_mononeuropathy | single_mononeuropathy | radiculopathy | plexopathy | motor_neuron_disease
           | symmetric_polyneuropathy | inclusion_body_myositis | functional_weakness | no_weakness
    title : the same for people
    probability : posterior, with the prior in use; sums to 1 over all explanations; never 0 or 1
    bayes_factor : P(examination | this) / P(examination | multiple_mononeuropathy); 1 for that explanation itself
    prior : the prior probability that was used
    parts : its likeliest parts, if this is the explanation
    because : what speaks for and against it
    """

    name: str
    title: str
    probability: float
    bayes_factor: float
    prior: float
    parts: tuple[Part, ...] = ()
    because: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """A muscle or group with grades on both sides, compared by the guideline's rule."""

    muscle: str
    left: str
    right: str
    difference: float  # left minus right [MRC grade]
    needed: float  # what the rule asks for at this strength [MRC grade]
    asymmetric: bool


@dataclass(frozen=True, slots=True)
class Asymmetry:
    """Whether strength differs between the sides: MET, NOT_MET, or UNKNOWN where no muscle was graded on both."""

    found: Truth
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class NextTest:
    """A muscle to grade, or a stretch of nerve to study, and how much that would tell.

    kind : muscle | conduction
    target : muscle id, or site id
    information : expected information about explanation and nerves [bit]
    """

    kind: str
    target: str
    name: str
    side: str
    information: float
    because: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Localisation:
    """The answer of `localise`. `sites`, `nerves` and `explanations` are ordered, likeliest first.

    variants : variant id with side → P(present | data), only those that some tested muscle speaks to
    caveats : pseudo-weakness, fascicular lesions, few muscles tested, …
    unverified : ids of rows of knowledge that took part and whose status is neither read nor read-2nd
    """

    sites: tuple[SitePosterior, ...]
    nerves: tuple[NervePosterior, ...]
    explanations: tuple[Explanation, ...]
    asymmetry: Asymmetry
    next: tuple[NextTest, ...]
    variants: Mapping[str, float] = field(default_factory=dict)
    caveats: tuple[Finding, ...] = ()
    log_evidence: float = 0.0  # of all explanations together, with the prior in use [nat]
    unverified: tuple[str, ...] = ()


# ---- what is known ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Muscle:
    """One muscle (or compartment) per side. roots: root → share of its motor fibres, sums to 1."""

    id: str
    name: str
    aliases: tuple[str, ...]
    movement: str
    limb: str  # arm | leg
    tier: int  # 1 bedside core, 2 detailed localisation, 3 needle or variable
    nerve: str
    site: str  # the last site of its path before its own branch
    order: int  # along the nerve
    roots: Mapping[str, float]
    uberon: str
    fma: str
    source: str | None
    status: str


@dataclass(frozen=True, slots=True)
class Site:
    """A stretch of nerve between take-offs. A lesion there takes everything distal to it."""

    id: str
    name: str
    nerve: str
    limb: str
    parent: str | None
    length_cm: float
    entrapment: float  # relative weight as a place of single mononeuropathy; 0: hardly ever
    source: str | None
    status: str


@dataclass(frozen=True, slots=True)
class Variant:
    """A way in which people differ: under it the named muscles hang on another site. Frequencies are per limb [1]."""

    id: str
    name: str
    frequency: float  # of the variant, as published
    dominance: float  # of these, the share in which the moved muscles really hang on the other site
    moves: Mapping[str, str]  # muscle → site
    crossing: tuple[str, str] | None  # leaves the one nerve after the first site, joins the other above the second
    shift: int  # all roots of the arm one level higher (-1) or lower (+1); else 0
    used: bool  # whether it takes part in the inference
    says: str
    source: str | None
    status: str


@dataclass(frozen=True, slots=True)
class Group:
    """A movement tested as one. members: muscle → share of its force, sums to 1."""

    id: str
    name: str
    aliases: tuple[str, ...]
    members: Mapping[str, float]
    source: str | None
    status: str


@dataclass(frozen=True, slots=True)
class Nerve:
    """A named nerve, as it is reported.

    affected : P(affected on one given side), in established multiple mononeuropathy
    """

    id: str
    name: str
    limb: str
    affected: float
    source: str | None
    status: str


@dataclass(frozen=True, slots=True)
class Dependence:
    """Mechanical: while the driver is weak, the dependent muscle tests weaker than it is.

    driver, dependent : id of a muscle or a group
    left : share of the dependent's force that is left to it
    """

    driver: str
    dependent: str
    left: float
    source: str | None
    status: str


@dataclass(frozen=True, slots=True)
class PlexusElement:
    """A trunk, cord or plexus. nerves: nerve → roots whose fibres to it run through the element; empty: all."""

    id: str
    name: str
    limb: str
    nerves: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Study:
    """A stretch of nerve that nerve studies compare: stimulated at `distal` and at `proximal`."""

    id: str
    nerve: str
    distal: str
    proximal: str
    sites: tuple[str, ...]
    source: str | None
    status: str


@dataclass(frozen=True, slots=True)
class Severity:
    """What a lesion does. level: levels of loss that it adds; share: among lesions, sums to 1."""

    name: str
    level: int
    share: float


@dataclass(frozen=True, slots=True)
class Likelihood:
    """How strength follows from lesions (likelihood.yaml).

    emission : (surviving fraction, (P(grade 0), …, P(grade 5))), from whole to none
    levels : surviving fraction at each level of loss, 1 first, 0 last
    scatter : explanation → (factor on the log of the fraction, weight) pairs
    """

    emission: tuple[tuple[float, tuple[float, ...]], ...]
    levels: tuple[float, ...]
    severities: tuple[Severity, ...]
    scatter: Mapping[str, tuple[tuple[float, float], ...]]
    numbers: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Anatomy:
    """Everything of `knowledge/anatomy`. `sites` hold nerves' stretches only, each after its parent.

    explanations : id → (title, prior weight)
    profiles : profile (split_hand, …) → muscle → value
    status : row (``muscles.fdi``, ``numbers.lapse`` …) → its status
    """

    version: str
    muscles: Mapping[str, Muscle]
    sites: Mapping[str, Site]
    nerves: Mapping[str, Nerve]
    variants: Mapping[str, Variant]
    groups: Mapping[str, Group]
    studies: Mapping[str, Study]
    plexus: Mapping[str, PlexusElement]
    dependences: tuple[Dependence, ...]
    explanations: Mapping[str, tuple[str, float]]
    profiles: Mapping[str, Mapping[str, float]]
    likelihood: Likelihood
    status: Mapping[str, str] = field(default_factory=dict)
