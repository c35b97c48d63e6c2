"""What a start is made of: the weight it is counted by, courses in whole vials, days with their steps."""

from __future__ import annotations

from dataclasses import dataclass

from ranvier.ground.findings import Finding


@dataclass(frozen=True, slots=True)
class Weights:
    """Body weights side by side [kg], and the one that is used. None: cannot be said, `findings` say why.

    used : actual | ideal | adjusted; policy : id in knowledge/limits/starting.yaml; says : the policy in words
    """

    actual: float | None
    ideal: float | None
    adjusted: float | None
    bmi: float | None
    used: str
    kg: float | None
    policy: str
    says: str
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the rate: from this minute on, for so many minutes (None: to the end is not known)."""

    begins: float  # [min]
    minutes: float | None
    ml_per_kg_h: float
    ml_per_h: float
    ml: float | None


@dataclass(frozen=True, slots=True)
class GivingDay:
    """One infusion day. vials : (grams, count), largest first; minutes : None where the steps are not known.

    at_least, at_most : minutes between which the day lies where the steps between first and last rate are not known
    """

    day: int
    grams: float
    vials: tuple[tuple[float, int], ...]
    ml: float
    steps: tuple[Step, ...]
    minutes: float | None
    at_least: float | None
    at_most: float | None


@dataclass(frozen=True, slots=True)
class StartPlan:
    """One course as it would be given.

    target : grams asked for by weight; grams : in whole vials; next_up : the next larger amount of whole vials
    interval : (shortest, longest) days to the next; monthly : g/kg in a month at the shortest and longest interval
    """

    id: str
    kind: str
    says: str
    grams_per_kg: float
    target: float
    grams: float
    next_up: float | None
    days: tuple[GivingDay, ...]
    interval: tuple[float, float]
    monthly: tuple[float, float]
    judge: str
    findings: tuple[Finding, ...]
    source: str | None
    status: str


@dataclass(frozen=True, slots=True)
class SkinPlan:
    """The same grams under the skin. from_grams_per_week : what they are counted from."""

    product: str
    name: str
    from_what: str
    grams_per_week: float
    half_grams_per_week: float
    doses_per_week: int
    grams: float
    vials: tuple[tuple[float, int], ...]
    ml: float
    first_sites: int
    later_sites: int
    first_minutes: float
    later_minutes: float
    start_after_days: float
    review_days: float
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The highest rate for this person and why. bound : [mL/kg/h], None where the product's own top rate holds or is unknown."""

    bound: float | None
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Beginning:
    """How treatment could be begun with one product; `refusal` says why nothing can be counted."""

    product: str
    name: str
    grams_per_l: float
    label: tuple[tuple[str, str, str], ...]  # country, yes | no | unknown, the label's words
    weights: Weights
    ceiling: Ceiling
    plans: tuple[StartPlan, ...] = ()
    skin: SkinPlan | None = None
    findings: tuple[Finding, ...] = ()
    refusal: tuple[Finding, ...] = ()
