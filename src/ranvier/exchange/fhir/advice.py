"""An assessment as FHIR: the options laid side by side, what is predicted, what to beware of, and what all of it came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from ranvier.decision.nouns import Assessment, Option, Regimen, Watch
from ranvier.evidence.nouns import Knowledge
from ranvier.exchange.fhir import codes
from ranvier.exchange.fhir.build import Json, Writer, concept, extension, ours, quantity, some
from ranvier.exchange.fhir.drugs import immunoglobulin, route
from ranvier.exchange.fhir.states import MMN, mmn
from ranvier.exchange.fhir.wire import exact
from ranvier.ground.findings import Finding
from ranvier.report.answer import write as answer_of
from ranvier.report.words import Words

LIBRARY = f"{codes.BASE}/Library/ranvier"
BEWARE = ("drug.refuse", "drug.warn", "risk.present")
SEVERITY = {"drug.refuse": "high", "drug.warn": "moderate", "risk.present": "moderate"}
PARTICIPANT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"


def write(w: Writer, document: Mapping[str, Any], assessment: Assessment, knowledge: Knowledge) -> None:
    """GuidanceResponse, RequestGroup with its MedicationRequests, CarePlan, RiskAssessments, DetectedIssues, Provenance.

    Nothing in here orders anything: every request is a draft, an option or a proposal, for a professional to accept.
    """
    before = len(w.resources)
    words = Words(knowledge, "en", assessment)
    at = assessment.at.isoformat()
    proposal, watch = assessment.treatment.proposal, assessment.treatment.watch
    group = None
    if proposal is not None and proposal.options:
        actions = [_action(w, words, option, at) for option in proposal.options]
        chosen = {"title": "What could be done next", "selectionBehavior": "at-most-one", "action": actions}
        group = w.add(
            "RequestGroup", status="draft", intent="option", authoredOn=at, instantiatesCanonical=[module(assessment)],
            reasonCode=[mmn()], action=[chosen],
            note=[{"text": words.say(finding)} for finding in proposal.refusal] or None,
        )  # fmt: skip
    for horizon in _predictions(assessment, watch, words):
        w.add("RiskAssessment", status="final", occurrenceDateTime=at, method=_method(assessment), prediction=[horizon])
    for finding in _beware(assessment):
        detected_issue(w, finding, words.say(finding), at, knowledge)
    answer = answer_of(assessment, words)
    said = [answer.headline, *answer.certainty, *answer.beside]
    refused = [words.say(f) for f in assessment.treatment.refusal]
    w.add(
        "GuidanceResponse",
        moduleCanonical=module(assessment),
        status="data-required" if refused else "success",
        occurrenceDateTime=at,
        reasonCode=[mmn()],
        note=[{"text": text} for text in (*said, *refused, words.text("ui", "notice"))],
        result={"reference": group} if group else None,
    )
    if group is not None:
        conditions = [
            {"reference": f"{r['resourceType']}/{r['id']}"}
            for r in w.resources
            if r["resourceType"] == "Condition" and r["code"].get("text", "").casefold() == MMN
        ]
        goals = [{"reference": f"{r['resourceType']}/{r['id']}"} for r in w.resources if r["resourceType"] == "Goal"]
        w.add(
            "CarePlan", status="draft", intent="proposal", title="Immunoglobulin in multifocal motor neuropathy", created=at,
            description=answer.headline, addresses=conditions or None, goal=goals or None,
            activity=[{"reference": {"reference": group}}],
        )  # fmt: skip
    _provenance(w, assessment, [f"{r['resourceType']}/{r['id']}" for r in w.resources[before:]])


def module(assessment: Assessment) -> str:
    """Which rules, and which edition of them."""
    return f"{LIBRARY}|{assessment.software_version}-{assessment.knowledge_version}"


def _method(assessment: Assessment) -> Json:
    return concept(
        [ours("method", "posterior-draws")], f"ranvier {assessment.software_version}: share of posterior draws"
    )


def dosage(regimen: Regimen, words: str) -> Json:
    """A regimen as dosage instruction: grams per day of a course, so many days per interval.

    >>> dosage(Regimen("kiovig", "IV", 60.0, (), 2, 28), "60 g")["timing"]["repeat"]
    {'frequency': 2, 'period': 28, 'periodUnit': 'd'}
    """
    repeat = {"frequency": regimen.days, "period": regimen.interval_days, "periodUnit": "d"}
    per_day = quantity(round(regimen.grams / regimen.days, 3), "g")
    return {
        "text": words,
        "timing": {"repeat": repeat},
        "route": route(regimen.route),
        "doseAndRate": [{"doseQuantity": per_day}],
        "maxDosePerAdministration": per_day,
    }


def _action(w: Writer, words: Words, option: Option, at: str) -> Json:
    regimen = option.regimen
    plan = words.plan(regimen)
    says = " ".join(words.say(finding) for finding in (*option.because, *option.limited_by))
    title = ("Proposed: " if option.proposed else "") + plan
    action = some(title=title, description=says or None, code=[concept([ours("action", option.action)], option.action)])
    if regimen.days and regimen.grams:
        request = w.add(
            "MedicationRequest", status="draft", intent="option", authoredOn=at,
            medicationCodeableConcept=immunoglobulin(words.product(regimen.product), regimen.route),
            reasonCode=[mmn()], dosageInstruction=[dosage(regimen, plan)],
        )  # fmt: skip
        return {**action, "resource": {"reference": request}}
    return action


def _percent(probability: float) -> Decimal | int:
    # FHIR writes probabilities as per cent, at most 100 (constraint ras-2).
    return exact(round(100.0 * probability, 1))


def _predictions(assessment: Assessment, watch: Watch | None, words: Words) -> Iterator[Json]:
    """What is predicted, with the chance of each and until when."""
    at, proposal = assessment.at, assessment.treatment.proposal

    def one(code: str, text: str, p: float, days: float | None) -> Json:
        until = None if not days else {"start": at.isoformat(), "end": (at + timedelta(round(days))).isoformat()}
        return some(outcome=concept([ours("outcome", code)], text), probabilityDecimal=_percent(p), whenPeriod=until)

    if watch is not None and watch.wearing_off is not None:
        text = "Strength wears off within the cycle under the present regimen"
        yield one("wearing-off", text, watch.wearing_off.probability, watch.interval_days)
    if watch is not None:
        yield one("decline", "The untreated level declines slowly", watch.trend.p_decline, None)
    for option in proposal.options if proposal is not None else ():
        if option.p_above_floor is not None:
            text = f"Strength stays above the floor for a whole cycle of: {words.plan(option.regimen)}"
            yield one("above-floor", text, option.p_above_floor, None)


def _beware(assessment: Assessment) -> list[Finding]:
    proposal = assessment.treatment.proposal
    tops = (*assessment.because, *(proposal.findings if proposal is not None else ()))
    found: dict[str, Finding] = {}
    for finding in (f for top in tops for f in top.walk() if f.name in BEWARE):
        found.setdefault(f"{finding.name} {sorted(finding.facts.items(), key=str)}", finding)
    return list(found.values())


def detected_issue(w: Writer, finding: Finding, text: str, at: str, knowledge: Knowledge) -> str:
    """Something to beware of: a drug that harms, a risk of immunoglobulin. text : the finding in words"""
    source = knowledge.sources.get(finding.source or "")
    evidence = [{"code": [concept(text=f"{source.citation} ({finding.status})")]}] if source is not None else None
    return w.add(
        "DetectedIssue", status="final", code=concept([ours("issue", finding.name)], finding.name.replace(".", ": ")),
        severity=SEVERITY.get(finding.name, "low"), identifiedDateTime=at, detail=text, evidence=evidence,
    )  # fmt: skip


def _provenance(w: Writer, assessment: Assessment, targets: list[str]) -> None:
    """Who computed what from what: software, record, knowledge and seed, so that it can be computed again."""
    program = some(
        identifier={"system": f"{codes.BASE}/software", "value": f"ranvier {assessment.software_version}"},
        display=f"ranvier {assessment.software_version}",
    )
    used = (
        ("record", assessment.record_digest),
        ("knowledge", assessment.knowledge_version),
        ("seed", str(assessment.seed)),
    )
    w.add(
        "Provenance",
        extension=[extension("seed", valueInteger=assessment.seed)],
        target=[{"reference": target} for target in targets],
        recorded=f"{_day(assessment.at)}T00:00:00Z",
        agent=[{"type": concept([{"system": PARTICIPANT, "code": "assembler"}]), "who": program}],
        entity=[
            {
                "role": "source",
                "what": {"identifier": {"system": f"{codes.BASE}/{name}", "value": value}, "display": name},
            }
            for name, value in used
        ],
    )


def _day(at: date) -> str:
    return at.isoformat()
