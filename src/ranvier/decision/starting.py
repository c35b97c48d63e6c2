"""The join for beginning treatment: what to check first, and how it could be given. Computes nothing itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version

from ranvier.estimation.courses import InForce, in_force
from ranvier.evidence.nouns import Knowledge
from ranvier.ground.findings import Finding
from ranvier.protection.check_nouns import Check, Test
from ranvier.protection.checks import checks, risks
from ranvier.record.nouns import Record
from ranvier.record.until import until
from ranvier.regimen.start_nouns import Beginning, Ceiling, GivingDay, SkinPlan, StartPlan, Step, Weights
from ranvier.regimen.starting import begin, one_day

__all__ = [
    "Beginning",
    "Ceiling",
    "Check",
    "GivingDay",
    "SkinPlan",
    "Start",
    "StartPlan",
    "Step",
    "Test",
    "Weights",
    "day_of",
    "start",
]


@dataclass(frozen=True, slots=True)
class Start:
    """What must be known before treatment is begun, for one person on one day with one product.

    sources : exactly the ids used; unverified : findings that stand on what was not read in its source
    """

    at: date
    pseudonym: str
    invented: bool
    record_digest: str
    knowledge_version: str
    software_version: str
    beginning: Beginning
    checks: tuple[Check, ...]
    sources: tuple[str, ...]
    unverified: tuple[Finding, ...]


def start(
    record: Record,
    knowledge: Knowledge,
    *,
    at: date,
    product: str,
    policy: str = "ontario",
    sizes: Sequence[float] = (),
    days: int | None = None,
) -> Start:
    """Checks and courses for one person on one day. The same record, knowledge and day give the same answer.

    Parameters
    ----------
    product : name, alias or id in knowledge/products; policy : id in knowledge/limits/starting.yaml
    sizes : vials in stock [g]; empty: all of the product; days : infusion days of the first course; None: as limits allow

    Raises
    ------
    KeyError : no such policy
    """
    then, _ = until(record, at)
    looked = checks(record, knowledge, at)
    now = in_force(then, knowledge, at)
    weekly = None
    if isinstance(now, InForce):
        known = knowledge.products.get(now.product)
        weekly = (now.grams / now.interval_days * 7.0, f"{known.name if known else now.product}, as given now")
    beginning = begin(
        then,
        product,
        knowledge,
        at,
        risks=risks(record, knowledge, at),
        policy=policy,
        sizes=sizes,
        days=days,
        weekly=weekly,
    )
    found = _findings(beginning, knowledge)
    cited = {f.source for f in found if f.source} | {s for check in looked for s in check.sources}
    return Start(
        at=at,
        pseudonym=record.person.pseudonym,
        invented=record.invented,
        record_digest=record.digest,
        knowledge_version=knowledge.version,
        software_version=version("ranvier"),
        beginning=beginning,
        checks=looked,
        sources=tuple(sorted(cited)),
        unverified=tuple(f for f in found if f.status not in (None, "read", "computed")),
    )


def day_of(start: Start, knowledge: Knowledge, grams: float) -> GivingDay | None:
    """One day of so many grams of the same product, at the rates that hold for this person; None without a weight or a product."""
    it = start.beginning
    product = knowledge.products.get(it.product)
    if product is None or it.weights.kg is None or grams <= 0:
        return None
    return one_day(product, grams, it.weights.kg, knowledge, it.ceiling)


def _findings(it: Beginning, knowledge: Knowledge) -> tuple[Finding, ...]:
    """Everything the beginning stands on: its findings, and the numbers of the plans and products that it used."""
    found = [*it.findings, *it.refusal, *it.weights.findings, *it.ceiling.findings]
    for plan in it.plans:
        course = knowledge.starting.courses[plan.id]
        for name in ("grams_per_kg", "days_low", "days_high", "interval_low", "interval_high"):
            number = getattr(course, name)
            facts = {"what": f"{plan.id}.{name}", "value": number.value, "unit": number.unit, "where": number.where}
            found.append(Finding("number.used", facts, source=number.source, status=number.status))
        found += plan.findings
    product = knowledge.products.get(it.product)
    if product is not None:
        numbers = [("concentration", product.concentration), *((f"vial {v.value:g} g", v) for v in product.vials)]
        numbers += [(f"rate {s.ml_per_kg_h.value:g} mL/kg/h", s.ml_per_kg_h) for s in product.rates]
        numbers += [("start rate", product.start_rate)] if product.start_rate and not product.rates else []
        for what, number in numbers:
            facts = {
                "what": f"{product.name}: {what}",
                "value": number.value,
                "unit": number.unit,
                "where": number.where,
            }
            found.append(Finding("number.used", facts, source=number.source, status=number.status))
        found += [
            Finding(
                "label.used", {"country": f.country, "mmn": f.mmn, "where": f.where}, source=f.source, status=f.status
            )
            for f in product.label_facts
        ]
    if it.skin is not None:
        found += it.skin.findings
        for claim in knowledge.starting.claims:
            found += [
                Finding("claim.used", {"claim": claim, "says": p.says}, source=p.source, status=p.status)
                for p in knowledge.claims[claim].evidence
            ]
    return tuple(found)
