"""Both wings: what helps is asked first, because how strength answered is evidence for what it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from ranvier.decision.diagnose import diagnose
from ranvier.decision.join import assess
from ranvier.decision.nouns import Assessment, Treatment
from ranvier.diagnosis import Trial
from ranvier.evidence.nouns import Knowledge
from ranvier.ground.findings import Finding
from ranvier.ground.truth import Truth
from ranvier.record.nouns import Record
from ranvier.regimen.nouns import Limits

# What the other wing says of a trial: name of its finding → improved, adequate. It holds the thresholds.
TOLD = {
    "refusal.no_response": (Truth.NOT_MET, Truth.MET),
    "refusal.trial_incomplete": (Truth.UNKNOWN, Truth.NOT_MET),
}
GAINS = ("moderate", "large", "very_large")  # classes of response that are an improvement


def assess_both(
    record: Record, knowledge: Knowledge, limits: Limits | None = None, *, at: date, seed: int
) -> Assessment:
    """The assessment with its diagnosis. Calls no clock and no network."""
    assessment = assess(record, knowledge, limits, at=at, seed=seed)
    found = diagnose(record, knowledge, at=at, trial=trial_of(assessment.treatment))
    return replace(assessment, diagnosis=found)


def trial_of(treatment: Treatment) -> Trial:
    """What the other wing says of immunoglobulin as a trial; unknown where it could fit nothing."""
    watch, proposal = treatment.watch, treatment.proposal
    if watch is None or proposal is None or treatment.posterior is None or not treatment.posterior.observed:
        return Trial()
    for finding in _all(proposal.refusal):
        if finding.name in TOLD:
            return Trial(*TOLD[finding.name], (finding,))
    seen = tuple(f for f in watch.findings if f.name == "response.class")
    if seen and watch.response.name in GAINS:
        return Trial(Truth.MET, Truth.UNKNOWN, seen)
    return Trial()


def _all(findings: tuple[Finding, ...]) -> list[Finding]:
    return [each for finding in findings for each in finding.walk()]
