"""What if we gave this instead? What the other rooms keep ready for it, and the answer while somebody drags a slider."""

from __future__ import annotations

from datetime import date

from ranvier.decision.nouns import Option, Treatment
from ranvier.estimation.courses import InForce, in_force
from ranvier.evidence.nouns import Knowledge
from ranvier.monitoring.watch import aim_of
from ranvier.record.nouns import Record
from ranvier.record.until import until
from ranvier.regimen.nouns import Aim
from ranvier.regimen.what_if import Bench, Choices, Ready, bench, choices, ready, what_if

__all__ = ["Bench", "Choices", "Option", "Ready", "choices", "prepare", "ready", "what_if"]


def prepare(record: Record, treatment: Treatment, knowledge: Knowledge, *, at: date) -> Bench | None:
    """What a what-if needs, from an assessment that was made; None where nothing could be fitted."""
    if treatment.posterior is None or treatment.watch is None:
        return None
    then, _ = until(record, at)
    current = in_force(then, knowledge, at)
    present = current if isinstance(current, InForce) else None
    return bench(treatment.posterior, present, then, Aim(*aim_of(treatment.watch)), at=at)
