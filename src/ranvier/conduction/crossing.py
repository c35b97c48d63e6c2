"""Martin-Gruber: do fibres reach the ulnar muscle through the median nerve? Asked before any ulnar forearm block.

At the wrist the ulnar nerve carries all fibres of the muscle; below the elbow those that cross in the forearm still run
in the median nerve. What a median stimulus at the elbow adds beyond the same stimulus at the wrist has crossed:

    proximal response = ulnar (below the elbow) + [median (elbow) - median (wrist)], same muscle

Amplitudes add only as far as the waves coincide, so area is the better sum.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ranvier.conduction.load import ConductionKnowledge
from ranvier.conduction.nouns import ConductionStudy, Response
from ranvier.conduction.segments import Segment
from ranvier.ground.units import nine_digits

ELBOW = ("elbow", "below_elbow", "above_elbow", "upper_arm", "axilla")


@dataclass(frozen=True, slots=True)
class Sum:
    """What crosses [mV], [mV.ms], and the change of the summed response against the ulnar wrist response [1]."""

    amplitude: float | None
    area: float | None
    amplitude_change: float | None
    area_change: float | None


def concerns(knowledge: ConductionKnowledge, segment: Segment) -> bool:
    """Whether a crossing could make this segment's response fall: an ulnar segment that holds the mid-forearm."""
    if segment.study.nerve != "ulnar":
        return False
    low = knowledge.place("ulnar", segment.distal.site)
    high = knowledge.place("ulnar", segment.proximal.site)
    below = knowledge.place("ulnar", "below_elbow")
    return low is not None and high is not None and below is not None and low.at < below.at <= high.at


def crossed(segment: Segment, studies: Iterable[ConductionStudy]) -> Sum | None:
    """The sum of responses; None where the median nerve was not stimulated at wrist and elbow for the same muscle."""
    ulnar = segment.study
    for study in studies:
        if (study.nerve, study.side, study.kind) != ("median", ulnar.side, "motor"):
            continue
        if study.muscle is None or study.muscle != ulnar.muscle:
            continue
        elbow = next((r for site in ELBOW if (r := study.at(site)) is not None), None)
        if elbow is None:
            continue
        if elbow.absent:
            return _sum(segment, 0.0, 0.0)
        wrist = study.at("wrist")
        if wrist is None:
            continue
        return _sum(segment, _extra(elbow, wrist, "amplitude"), _extra(elbow, wrist, "area"))
    return None


def _extra(elbow: Response, wrist: Response, what: str) -> float | None:
    high, low = getattr(elbow, what), 0.0 if wrist.absent else getattr(wrist, what)
    return None if high is None or low is None else nine_digits(max(0.0, high - low))


def _sum(segment: Segment, amplitude: float | None, area: float | None) -> Sum | None:
    if amplitude is None and area is None:
        return None
    return Sum(amplitude, area, _change(segment, "amplitude", amplitude), _change(segment, "area", area))


def _change(segment: Segment, what: str, extra: float | None) -> float | None:
    distal = getattr(segment.distal, what)
    proximal = 0.0 if segment.proximal.absent else getattr(segment.proximal, what)
    if extra is None or distal is None or proximal is None or distal <= 0:
        return None
    return nine_digits((proximal + extra - distal) / distal)


def hint(
    knowledge: ConductionKnowledge, side: str, studies: Iterable[ConductionStudy], ulnar_muscle: str | None
) -> tuple[float, float] | None:
    """Median amplitudes at elbow and wrist [mV] where the elbow's is clearly larger, as with a crossing; else None."""
    limit = knowledge.thresholds["crossing_hint"].value
    for study in studies:
        if (study.nerve, study.side, study.kind) != ("median", side, "motor"):
            continue
        if study.muscle is not None and study.muscle == ulnar_muscle:
            continue  # that is the check itself
        wrist, elbow = study.at("wrist"), next((r for s in ELBOW if (r := study.at(s)) is not None), None)
        if wrist is None or elbow is None or wrist.absent or wrist.amplitude is None or elbow.amplitude is None:
            continue
        if elbow.amplitude > wrist.amplitude * (1 + limit):
            return elbow.amplitude, wrist.amplitude
    return None
