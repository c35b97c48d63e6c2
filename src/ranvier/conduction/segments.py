"""From the responses of a nerve to its segments: what changes from the distal to the proximal site."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from ranvier.conduction.load import ConductionKnowledge, Entrapment
from ranvier.conduction.nouns import ConductionStudy, Response
from ranvier.ground.truth import Truth
from ranvier.ground.units import nine_digits

LONG = ("wrist_elbow", "elbow_axilla", "ankle_fibular_head")  # also judged as a whole where sites lie between


@dataclass(frozen=True, slots=True)
class Segment:
    """Two sites of one motor nerve. between : responses at sites between them, distal first."""

    study: ConductionStudy
    distal: Response
    proximal: Response
    region: str
    between: tuple[Response, ...] = ()

    @property
    def distance(self) -> float | None:
        """Between the two sites [mm]; None if any part of it was not measured."""
        parts = [r.distance for r in (*self.between, self.proximal)]
        return None if any(p is None for p in parts) else nine_digits(sum(p for p in parts if p is not None))

    @property
    def velocity(self) -> float | None:
        """Distance over difference of onset latencies [m/s], else as printed; None where neither is there."""
        if self.proximal.absent or self.distal.absent:
            return None
        if self.distance is not None and self.distal.latency is not None and self.proximal.latency is not None:
            later = self.proximal.latency - self.distal.latency
            return nine_digits(self.distance / later) if later > 0 else None
        return self.proximal.velocity if not self.between else None

    def change(self, what: str) -> float | None:
        """(proximal - distal) / distal of ``amplitude``, ``area`` or ``duration`` [1]; None if it cannot be computed.

        An absent proximal response has lost all of its amplitude and area, and has no duration.
        """
        if self.distal.absent:
            return None
        if self.proximal.absent:
            return None if what == "duration" else -1.0
        distal, proximal = getattr(self.distal, what), getattr(self.proximal, what)
        if distal is None or proximal is None or distal <= 0:
            return None
        return nine_digits((proximal - distal) / distal)


def in_order(knowledge: ConductionKnowledge, study: ConductionStudy) -> tuple[Response, ...]:
    """The responses distal first; sites that are not on the map are left out."""
    placed = [(p.at, r) for r in study.sites if (p := knowledge.place(study.nerve, r.site)) is not None]
    return tuple(r for _, r in sorted(placed, key=lambda pair: pair[0]))


def region(knowledge: ConductionKnowledge, nerve: str, distal: str, proximal: str) -> str:
    """The name of a segment: families of its ends; ``across_elbow`` or ``within_forearm`` inside one family."""
    low, high = knowledge.family(nerve, distal), knowledge.family(nerve, proximal)
    if (low, high) == ("fibular_head", "knee"):
        return "across_fibular_head"
    if low == high:
        return "across_elbow" if low == "elbow" else f"within_{low}"
    return f"{low}_{high}"


def segments(knowledge: ConductionKnowledge, study: ConductionStudy) -> Iterator[Segment]:
    """Neighbouring sites of a motor study; and the named long segments, where further sites lie between their ends."""
    sites = in_order(knowledge, study)
    for distal, proximal in pairwise(sites):
        yield Segment(study, distal, proximal, region(knowledge, study.nerve, distal.site, proximal.site))
    families = [knowledge.family(study.nerve, r.site) for r in sites]
    for i, distal in enumerate(sites):
        for j in range(i + 2, len(sites)):
            name = region(knowledge, study.nerve, distal.site, sites[j].site)
            inner = families[i + 1 : j]
            if name in LONG and families[i] not in inner and families[j] not in inner:
                yield Segment(study, distal, sites[j], name, sites[i + 1 : j])


def entrapment(knowledge: ConductionKnowledge, segment: Segment) -> tuple[Entrapment | None, Truth]:
    """The entrapment site of a segment, and whether the segment lies beyond it.

    NOT_MET: the whole segment lies at the site. UNKNOWN: the segment includes it, so a block may lie there or not.
    """
    ends = [knowledge.place(segment.study.nerve, r.site) for r in (segment.distal, segment.proximal)]
    if ends[0] is None or ends[1] is None:
        return None, Truth.UNKNOWN
    low, high = ends[0].at, ends[1].at
    part: Entrapment | None = None
    for zone in knowledge.entrapments:
        if zone.nerve != segment.study.nerve or min(high, zone.high) <= max(low, zone.low):
            continue
        if zone.low <= low and high <= zone.high:
            return zone, Truth.NOT_MET
        part = part or zone
    return (part, Truth.UNKNOWN) if part else (None, Truth.MET)


def ends_inside(knowledge: ConductionKnowledge, segment: Segment, zone: Entrapment) -> bool:
    """Whether an end of the segment lies inside an entrapment zone: a site was named too vaguely to tell on which side."""
    ends = (knowledge.place(segment.study.nerve, r.site) for r in (segment.distal, segment.proximal))
    return any(p is not None and zone.low < p.at < zone.high for p in ends)
