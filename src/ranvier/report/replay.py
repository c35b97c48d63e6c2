"""An answer of the past, made again: bit for bit where nothing changed, else what changed and what it changed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from ranvier import __version__
from ranvier.decision.log import answer_of, proposed
from ranvier.decision.nouns import Assessment
from ranvier.evidence.nouns import Knowledge
from ranvier.record.nouns import Answered, Decision, Record
from ranvier.record.until import before_decision
from ranvier.report.as_json import dumps, to_json


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of making an answer again.

    same : the answer is the same to the last bit; changed : what it was made from that is no longer the same
        (record | knowledge | software), with then and now; differences : name, then, now of what the answer came to
    """

    decision: Decision
    assessment: Assessment
    same: bool
    changed: tuple[tuple[str, str, str], ...]
    differences: tuple[tuple[str, str, str], ...]


def answered(assessment: Assessment, knowledge: Knowledge) -> Answered:
    """What an answer was made from, and what it came to, for the decision log."""
    return Answered(
        knowledge=assessment.knowledge_version,
        software=assessment.software_version,
        seed=assessment.seed,
        record=assessment.record_digest,
        digest=digest_of(assessment, knowledge),
        said=said(assessment),
    )


def digest_of(assessment: Assessment, knowledge: Knowledge) -> str:
    """SHA-256 of the answer as JSON, in hexadecimal."""
    return hashlib.sha256(dumps(to_json(assessment, knowledge)).encode()).hexdigest()


def said(assessment: Assessment) -> tuple[tuple[str, str], ...]:
    """What an answer came to, name by name: few enough to be kept, enough to see a difference."""
    treatment, best = assessment.treatment, proposed(assessment)
    watch, proposal = treatment.watch, treatment.proposal
    found: list[tuple[str, str]] = [("proposed", "none" if best is None else best.id)]
    if best is not None and best.p_above_floor is not None:
        found.append(("p_above_floor", f"{best.p_above_floor:.3f}"))
    if watch is not None and watch.wearing_off is not None:
        found.append(("wearing_off", f"{watch.wearing_off.probability:.3f}"))
        found.append(("swing", f"{watch.wearing_off.swing:.3f}"))
    if watch is not None:
        found.append(("response", watch.response.name))
        found.append(("decline", f"{watch.trend.p_decline:.3f}"))
        if watch.change is not None:
            found.append(("change", watch.change.verdict))
    if treatment.ladder is not None:
        found.append(("situation", treatment.ladder.situation.id))
    refusal = treatment.refusal or (proposal.refusal if proposal is not None else ())
    if refusal:
        found.append(("refused", ", ".join(finding.name for finding in refusal)))
    return tuple(found)


def replay(record: Record, decision: Decision, knowledge: Knowledge) -> Replay | None:
    """Make the answer of a decision again from the facts of that day; None where the log does not say what it was made from."""
    then = decision.answer
    if then is None:
        return None
    before = before_decision(record, decision.on)
    assessment = answer_of(record, knowledge, at=decision.on, seed=then.seed)
    changed = [
        (what, old, new)
        for what, old, new in (
            ("record", then.record, before.digest),
            ("knowledge", then.knowledge, knowledge.version),
            ("software", then.software, __version__),
        )
        if old != new
    ]
    now = dict(said(assessment))
    was = dict(then.said)
    differences = tuple(
        (name, was.get(name, "–"), now.get(name, "–"))
        for name in dict.fromkeys((*was, *now))
        if was.get(name) != now.get(name)
    )
    same = digest_of(assessment, knowledge) == then.digest
    return Replay(decision, assessment, same, tuple(changed), differences)
