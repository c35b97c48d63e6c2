"""Answers of this room as plain data for JSON, under the published schema; nothing is left out of a value that is there."""

from __future__ import annotations

from typing import Any

from ranvier.evidence.nouns import Knowledge
from ranvier.ground.findings import Finding
from ranvier.ground.notes import Question
from ranvier.protection.nouns import Alert, OrderCheck, Support


def order_check(check: OrderCheck, knowledge: Knowledge) -> dict[str, Any]:
    """One answered order. `ranvier schema order-check` describes it."""
    order, drug = check.order, check.drug
    return {
        "format": "ranvier-order-check/1",
        "at": check.at.isoformat(),
        "record": check.record,
        "knowledge": check.knowledge,
        "order": {
            "drug": order.drug,
            "codes": list(order.codes),
            "route": order.route,
            "for_what": order.for_what,
            "for_codes": list(order.for_codes),
            "start": None if order.start is None else order.start.isoformat(),
        },
        "drug": None if drug is None else {"name": drug.name, "atc": drug.atc, "route": drug.route, "was": drug.was},
        "question": None if check.question is None else question(check.question),
        "alerts": [alert(one) for one in check.alerts],
        "quiet": list(check.quiet),
        "unknown": list(check.unknown),
        "sources": [source(id, knowledge) for id in check.sources],
    }


def alert(one: Alert) -> dict[str, Any]:
    """One alert."""
    return {
        "id": one.id,
        "tier": one.tier,
        "summary": one.summary,
        "why": one.why,
        "do": one.do,
        "instead": one.instead,
        "do_not_stop": one.do_not_stop,
        "taken": one.taken,
        "because": [finding(f) for f in one.because],
        "unless": list(one.unless),
        "support": [support(s) for s in one.support],
        "sources": list(one.sources),
        "unverified": list(one.unverified),
    }


def support(one: Support) -> dict[str, Any]:
    """A claim behind an alert."""
    return {
        "claim": one.claim,
        "says": one.says,
        "certainty": one.certainty,
        "why": one.why,
        "for": list(one.supports),
        "against": list(one.against),
        "unverified": one.unverified,
    }


def finding(one: Finding) -> dict[str, Any]:
    """A finding with those below it."""
    return {
        "name": one.name,
        "facts": dict(one.facts),
        "because": [finding(below) for below in one.because],
        "source": one.source,
        "status": one.status,
    }


def question(one: Question) -> dict[str, Any]:
    """What a person must answer first."""
    return {
        "key": one.key,
        "place": one.place,
        "ask": one.ask,
        "choices": list(one.choices),
        "because": one.because,
    }


def source(id: str, knowledge: Knowledge) -> dict[str, Any]:
    """A source as it is cited."""
    one = knowledge.sources[id]
    return {
        "id": one.id,
        "citation": one.citation,
        "doi": one.doi,
        "pmid": one.pmid,
        "kind": one.kind,
        "population": one.population,
        "n": one.n,
    }
