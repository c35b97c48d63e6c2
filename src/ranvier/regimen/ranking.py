"""Which of the options looked at may be proposed, which cannot be told apart, and which are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from ranvier.estimation.courses import InForce
from ranvier.estimation.nouns import FloatArray, Posterior
from ranvier.evidence.nouns import Knowledge
from ranvier.ground.findings import Finding
from ranvier.record.nouns import Record
from ranvier.regimen.candidates import Candidate
from ranvier.regimen.guard import Person
from ranvier.regimen.nouns import Aim, Limits
from ranvier.regimen.outcome import Outcome

ERRORS = 2.0  # Monte-Carlo standard errors of a paired difference within which two options are ties
ALWAYS = ("no_change", "reduce", "longer_interval")
ORDER = (
    *ALWAYS,
    "earlier",
    "earlier_grams",
    "spread",
    "start_course",
    "start_dose",
    "increase",
    "shorter_interval",
    "switch_SC",
    "switch_fSCIg",
    "switch_IV",
    "shorter_same_total",
    "longer_same_total",
    "more",
    "less",
)
"""Kinds of options in the order in which the best of each is shown."""
MORE = ("increase", "shorter_interval")
ADVICE = ("limit.how_to_give", "limit.sites")
"""What stands beside an option without limiting it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: for whom, on which day, on what it stands. current : None where no regimen is in force.

    distinct : draws that count in an error (`distinct_draws`)
    """

    posterior: Posterior
    current: InForce | None
    record: Record
    knowledge: Knowledge
    person: Person
    aim: Aim
    limits: Limits
    at: date
    distinct: int


@dataclass(frozen=True, slots=True)
class Looked:
    """A candidate after everything about it was looked at.

    eligible : it may be proposed; allowed : the guardrails alone would allow it
    """

    candidate: Candidate
    result: Outcome
    eligible: bool
    allowed: bool
    limited_by: tuple[Finding, ...]

    @property
    def loss(self) -> float:
        """Posterior expected loss."""
        return float(np.mean(self.result.loss))

    @property
    def p_above(self) -> float:
        """P(strength stays above the floor all through the cycle that is judged)."""
        return float(np.mean(~self.result.below))


@dataclass(frozen=True, slots=True)
class Ranking:
    """Indices: best has the least expected loss of the eligible; ties cannot be told from it; chosen is preferred.

    towards : an option that is better still and only more than one step away; then chosen is a step to it, else None
    """

    best: int
    ties: frozenset[int]
    chosen: int
    towards: int | None = None


def ranking(looked: Sequence[Looked], distinct: int, rows: npt.NDArray[np.bool_] | None = None) -> Ranking | None:
    """The eligible candidates by mean loss over the draws (or some `rows` of them); None where none is eligible.

    Candidates share their draws, so differences are paired. Among ties no change comes first, then fewer grams; unless an
    option that is clearly better than all of them is only more than one step away: then the best step towards it comes
    first, for a small step whose own gain cannot be told from none may be the only way there.
    """
    able = [i for i, one in enumerate(looked) if one.eligible]
    if not able:
        return None
    every = slice(None) if rows is None else rows
    loss = {i: looked[i].result.loss[every] for i in able}
    # Equal losses are told apart by name, so that the order of the candidates has no say.
    best = min(able, key=lambda i: (float(np.mean(loss[i])), looked[i].candidate.id))
    ties = frozenset(i for i in able if _tied(loss[i], loss[best], distinct))

    def preference(i: int) -> tuple[bool, float, str]:
        candidate = looked[i].candidate
        return candidate.action != "no_change", candidate.grams_per_week, candidate.id

    chosen = min(ties, key=preference)
    towards = _beyond_one_step(looked, best, every, distinct)
    if towards is None:
        return Ranking(best, ties, chosen)
    most = looked[towards].candidate.grams_per_week
    steps = [i for i in ties if looked[i].candidate.action in MORE and looked[i].candidate.grams_per_week <= most]
    if not steps:
        return Ranking(best, ties, chosen)
    return Ranking(best, ties, min(steps, key=lambda i: (float(np.mean(loss[i])), looked[i].candidate.id)), towards)


def _beyond_one_step(
    looked: Sequence[Looked], best: int, rows: slice | npt.NDArray[np.bool_], distinct: int
) -> int | None:
    """The best option of more treatment that nothing limits but the size of one step, if clearly better than `best`."""
    now = looked[0].candidate.grams_per_week
    far = [
        i
        for i, one in enumerate(looked)
        if one.candidate.grams_per_week > now + 1e-9
        and not one.eligible
        and all(f.name in ("limit.one_step", *ADVICE) for f in one.limited_by)
    ]
    if not far:
        return None
    found = min(far, key=lambda i: (float(np.mean(looked[i].result.loss[rows])), looked[i].candidate.id))
    return None if _tied(looked[best].result.loss[rows], looked[found].result.loss[rows], distinct) else found


def distinct_draws(posterior: Posterior) -> int:
    """How many draws count in an error: no more than differ, and no more than the weighted draws were worth."""
    draws = posterior.draws
    different = len(np.unique(np.column_stack([draws.c50, draws.kout, draws.level]), axis=0))
    return max(min(different, int(posterior.diagnostics.effective)), 2)


def difference(a: FloatArray, b: FloatArray, distinct: int) -> tuple[float, float]:
    """Mean of the paired difference a - b, and its Monte-Carlo standard error."""
    paired = a - b
    return float(np.mean(paired)), standard_error(paired, min(distinct, paired.size))


def standard_error(values: FloatArray, distinct: int) -> float:
    """Monte-Carlo standard error of a mean; none where the values differ by rounding only."""
    spread = float(np.std(values))
    return 0.0 if spread < 1e-12 else spread / float(np.sqrt(distinct))


def _tied(a: FloatArray, b: FloatArray, distinct: int) -> bool:
    mean, error = difference(a, b, distinct)
    return mean <= ERRORS * error


def shown(looked: Sequence[Looked], rank: Ranking | None, most: int) -> list[int]:
    """Indices of the options laid side by side: no change, less, longer; the proposed one; then the best of each kind."""
    picked: dict[str, int] = {}
    for kind in ORDER:
        of_kind = [i for i, one in enumerate(looked) if one.candidate.kind == kind]
        if of_kind:
            picked[kind] = _best_of_kind(looked, of_kind)
    always = [picked[kind] for kind in ALWAYS if kind in picked]
    proposed = [] if rank is None else [rank.chosen, rank.best]
    wanted = list(dict.fromkeys([*always, *proposed, *picked.values()]))
    room = wanted[: max(most, len({*always, *proposed}))]
    return sorted(room, key=lambda i: (i != 0, ORDER.index(looked[i].candidate.kind), i))


def _best_of_kind(looked: Sequence[Looked], of_kind: Sequence[int]) -> int:
    """The best that may be proposed; else the largest step the guardrails allow in dose, the nearest in time."""
    able = [i for i in of_kind if looked[i].eligible]
    if able:
        return min(able, key=lambda i: (looked[i].loss, looked[i].candidate.id))
    allowed = [i for i in of_kind if looked[i].allowed] or of_kind[:1]
    return allowed[-1] if looked[allowed[0]].candidate.kind in ("reduce", "increase") else allowed[0]
