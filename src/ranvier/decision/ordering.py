"""The join for orders that somebody else's system shows us: what harms, and what is outside the guardrails."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ranvier.evidence.nouns import Knowledge
from ranvier.ground.findings import Finding
from ranvier.protection import Order, OrderCheck, check_order
from ranvier.record.nouns import Record
from ranvier.regimen.ordered import Ordered, exceeded

__all__ = ["Judged", "Ordered", "judge_order"]


@dataclass(frozen=True, slots=True)
class Judged:
    """One order: what the safety rules say, and, for immunoglobulin, which guardrails it exceeds."""

    check: OrderCheck
    limits: tuple[Finding, ...] = ()


def judge_order(
    record: Record, order: Order, ordered: Ordered | None, knowledge: Knowledge, *, at: date
) -> Judged:  # fmt: skip
    """Everything to be said of one order for one person on one day.

    ordered : the dose, where the order is immunoglobulin; None for every other drug
    """
    check = check_order(record, order, knowledge, at)
    return Judged(check, () if ordered is None else exceeded(record, ordered, knowledge, at))
