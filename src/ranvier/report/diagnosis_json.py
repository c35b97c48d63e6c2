"""The diagnosis as JSON: the names scripts rely on, plain numbers, no probability of 0 or 1, the same bytes each time.

The shape is published as `diagnosis.schema.json` (JSON Schema 2020-12) beside this file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

from ranvier import __version__
from ranvier.decision.diagnosed import (
    Candidate,
    Conduction,
    Diagnosis,
    Localisation,
    Plan,
    SegmentFinding,
    Suggestion,
    Verdict,
    Weight,
)
from ranvier.decision.nouns import Assessment
from ranvier.evidence.nouns import Knowledge
from ranvier.ground.findings import Finding, sources_of
from ranvier.report import as_json
from ranvier.report.as_json import tree
from ranvier.report.diagnosis_words import headline
from ranvier.report.words import Words

DIGITS = 4  # probabilities are not known better
MOST_SITES = 40


def schema() -> dict[str, Any]:
    """The published JSON Schema of the answer of `ranvier diagnose --json`."""
    text = files("ranvier.report").joinpath("diagnosis.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def to_json(diagnosis: Diagnosis, knowledge: Knowledge, *, language: str = "en") -> dict[str, Any]:
    """The whole answer as plain data, valid under `schema()`."""
    words = Words(knowledge, language)
    return {
        "at": diagnosis.at.isoformat(),
        "record_digest": diagnosis.record_digest,
        "knowledge_version": diagnosis.knowledge_version,
        "software_version": __version__,
        "pseudonym": diagnosis.pseudonym,
        "invented": diagnosis.invented,
        "answer": headline(diagnosis, words),
        "diagnosis": part(diagnosis, words),
        "sources": [as_json.source(s, knowledge) for s in sources(diagnosis)],
        "notice": words.text("ui", "notice"),
    }


def assessment_json(assessment: Assessment, knowledge: Knowledge, *, language: str = "en") -> dict[str, Any]:
    """The assessment of both wings as plain data: that of the plan, with `diagnosis` after `treatment`."""
    plan = as_json.to_json(assessment, knowledge, language=language)
    found = assessment.diagnosis
    if found is None:
        return plan
    told = {source["id"] for source in plan["sources"]}
    more = [as_json.source(s, knowledge) for s in sources(found) if s not in told]
    plan["sources"] = sorted([*plan["sources"], *more], key=lambda source: str(source["id"]))
    document: dict[str, Any] = {}
    for key, value in plan.items():
        document[key] = value
        if key == "treatment":
            document["diagnosis"] = part(found, Words(knowledge, language))
    return document


def part(diagnosis: Diagnosis, words: Words) -> dict[str, Any]:
    """What stands under `diagnosis`, here and in an assessment."""
    judgement = diagnosis.judgement
    return {
        "setting": judgement.setting,
        "items": judgement.items,
        "thin": judgement.thin,
        "red_flags": [
            {
                "finding": flag.finding,
                "grade": flag.grade,
                "says": flag.says,
                "do": flag.do,
                "think_of": list(flag.think_of),
                "because": [tree(below, words) for below in flag.because.because],
                "source": flag.because.source,
                "status": flag.because.status,
            }
            for flag in judgement.red_flags
        ],
        "localisation": _localisation(diagnosis.localisation, words),
        "explanations": [
            {"name": e.name, "title": e.title, "probability": _p(e.probability), "bayes_factor": _g(e.bayes_factor)}
            for e in (diagnosis.localisation.explanations if diagnosis.localisation else ())
        ],
        "conduction": _conduction(diagnosis.conduction, words),
        "criteria": [_verdict(verdict, words) for verdict in judgement.criteria],
        "differential": [_candidate(candidate) for candidate in judgement.differential],
        "next": [_suggestion(suggestion) for suggestion in judgement.next],
        "plan": _plan(judgement.plan, words),
        "because": [tree(finding, words) for finding in judgement.because],
        "unverified": [
            {
                "name": str(f.facts.get("name")),
                "says": words.say(f),
                "where": f.facts.get("where"),
                "source": f.source,
                "status": f.status,
            }
            for f in judgement.unverified
        ],
        "look_at": [{"place": p.place, "what": p.what, "remedy": p.remedy} for p in diagnosis.problems],
    }


def sources(diagnosis: Diagnosis) -> tuple[str, ...]:
    """Ids of exactly the sources that this answer used, sorted."""
    return sources_of(tuple(_everything(diagnosis)))


def _everything(diagnosis: Diagnosis) -> Iterator[Finding]:
    judgement = diagnosis.judgement
    yield from judgement.because
    yield from judgement.unverified
    for flag in judgement.red_flags:
        yield flag.because
    for verdict in judgement.criteria:
        yield from verdict.because
    for candidate in judgement.differential:
        yield from (w.because for w in (*candidate.for_, *candidate.against))
    plan = judgement.plan
    yield from (*plan.success, *plan.would_change, *plan.because, *(s.because for s in plan.steps))
    for study in diagnosis.conduction:
        for segment in study.segments:
            for each in segment.verdicts.values():
                yield from (Finding(c.id, source=c.source, status=c.status) for c in each.criteria)


def _p(probability: float) -> float:
    """A probability as it is known; never 0 or 1."""
    least = float(f"1e-{DIGITS}")
    return min(max(round(probability, DIGITS), least), 1 - least)


def _g(value: float) -> float:
    """A ratio to three digits."""
    return float(f"{value:.3g}")


def _localisation(found: Localisation | None, words: Words) -> dict[str, Any]:
    if found is None:
        return {"sites": [], "nerves": [], "asymmetric": "unknown", "next": [], "caveats": []}
    return {
        "sites": [
            {
                "site": s.site,
                "name": s.name,
                "nerve": s.nerve,
                "side": s.side,
                "probability": _p(s.probability),
                "because": [tree(f, words) for f in s.because],
            }
            for s in found.sites[:MOST_SITES]
        ],
        "nerves": [
            {
                "nerve": n.nerve,
                "name": n.name,
                "side": n.side,
                "probability": _p(n.probability),
                "for": list(n.muscles_for),
                "against": list(n.muscles_against),
            }
            for n in found.nerves
        ],
        "asymmetric": found.asymmetry.found.value,
        "next": [{"kind": t.kind, "name": t.name, "side": t.side, "bits": _g(t.information)} for t in found.next],
        "caveats": [tree(f, words) for f in found.caveats],
    }


def _conduction(studies: tuple[Conduction, ...], words: Words) -> dict[str, Any]:
    return {
        "rules": list(dict.fromkeys(rule for study in studies for rule in study.rules)),
        "references": list(dict.fromkeys(study.reference for study in studies)),
        "segments": [
            _segment(segment, study.studies.on.isoformat() if study.studies.on else None, words)
            for study in studies
            for segment in study.segments
        ],
    }


def _segment(one: SegmentFinding, on: str | None, words: Words) -> dict[str, Any]:
    return {
        "on": on,
        "nerve": one.nerve,
        "side": one.side,
        "muscle": one.muscle,
        "from": one.from_,
        "to": one.to,
        "amplitude_change": one.amplitude_change,
        "area_change": one.area_change,
        "duration_change": one.duration_change,
        "velocity": one.velocity,
        "entrapment": one.entrapment,
        "verdicts": {
            rule: {
                "class": verdict.class_.value,
                "possible": [c.value for c in verdict.possible],
                "reason": verdict.reason,
                "provided": list(verdict.provided),
                "missing": list(verdict.missing),
                "criteria": [
                    {
                        "id": c.id,
                        "what": c.what,
                        "met": c.truth.value,
                        "value": c.value,
                        "comparison": c.comparison,
                        "limit": c.limit,
                        "unit": c.unit,
                        "source": c.source,
                        "status": c.status,
                    }
                    for c in verdict.criteria
                ],
            }
            for rule, verdict in one.verdicts.items()
        },
        "caveats": [tree(f, words) for f in one.caveats],
    }


def _verdict(verdict: Verdict, words: Words) -> dict[str, Any]:
    return {
        "set": verdict.set,
        "edition": verdict.edition,
        "title": verdict.title,
        "class": verdict.class_,
        "could_be": verdict.could_be,
        "because": [tree(f, words) for f in verdict.because],
        "unknown": [{"finding": str(f.facts["finding"]), "says": str(f.facts["says"])} for f in verdict.unknown],
        "would_change": [
            {"finding": c.finding, "says": c.says, "if_met": c.if_met, "if_not_met": c.if_not_met}
            for c in verdict.would_change
        ],
        "unverified": [
            {"name": str(f.facts["name"]), "says": str(f.facts["says"]), "source": f.source, "status": f.status}
            for f in verdict.unverified
        ],
    }


def _candidate(candidate: Candidate) -> dict[str, Any]:
    return {
        "condition": candidate.condition,
        "name": candidate.name,
        "prior": _p(candidate.prior),
        "probability": _p(candidate.probability),
        "for": [_weight(w) for w in candidate.for_],
        "against": [_weight(w) for w in candidate.against],
    }


def _weight(weight: Weight) -> dict[str, Any]:
    return {
        "finding": weight.finding,
        "says": weight.says,
        "met": weight.truth.value,
        "ratio": _g(weight.ratio),
        "where": weight.because.facts.get("where"),
        "source": weight.because.source,
        "status": weight.because.status,
    }


def _suggestion(one: Suggestion) -> dict[str, Any]:
    return {
        "test": one.test,
        "says": one.says,
        "bits": _g(one.bits),
        "cost": one.cost,
        "harm": one.harm,
        "answers": list(one.answers),
        "class_could_become": one.class_could_become,
        "outcomes": [
            {
                "finding": o.finding,
                "met": o.met,
                "probability": _p(o.probability),
                "leading": o.leading,
                "leading_probability": _p(o.leading_probability),
            }
            for o in one.outcomes
        ],
    }


def _plan(plan: Plan, words: Words) -> dict[str, Any]:
    return {
        "kind": plan.kind,
        "says": plan.says,
        "steps": [{"says": s.says, "on": s.on.isoformat() if s.on else None} for s in plan.steps],
        "success": [tree(f, words) for f in plan.success],
        "would_change": [tree(f, words) for f in plan.would_change],
        "because": [tree(f, words) for f in plan.because],
    }
