"""What is abnormal besides block: slow velocity, late or long responses, F waves, sensory responses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ranvier.conduction.limits import Limit, caveat, limit
from ranvier.conduction.load import ConductionKnowledge, Number, Reference
from ranvier.conduction.nouns import ConductionStudy, OtherFinding, Response, StudySet
from ranvier.conduction.segments import Segment, entrapment, in_order, segments
from ranvier.ground.findings import Finding
from ranvier.ground.truth import Truth
from ranvier.ground.units import nine_digits

SLOWED = ("slow_velocity", "prolonged_distal_latency", "prolonged_f", "sensory_velocity", "sensory_latency", "temporal_dispersion",
          "long_distal_duration")  # fmt: skip


class _Asking:
    """One set of studies against one reference."""

    def __init__(self, studies: StudySet, knowledge: ConductionKnowledge, reference: Reference) -> None:
        self.studies, self.knowledge, self.reference = studies, knowledge, reference

    def limit(self, study: ConductionStudy, what: str, region: str | None = None) -> Limit | None:
        return limit(
            self.reference, self.knowledge, study, what, age=self.studies.age, height=self.studies.height, region=region
        )

    def compared(
        self, kind: str, study: ConductionStudy, value: float | None, found: Limit | None, unit: str, site: Response,
        to: str | None = None, marks: tuple[Finding, ...] = (),
    ) -> Iterator[OtherFinding]:  # fmt: skip
        """Against the laboratory's limit, then against each set that multiplies it."""
        if value is None and found is None:
            return
        if found is None:
            yield OtherFinding(
                kind, study.nerve, study.side, "beyond_normal", Truth.UNKNOWN, value, None, unit, site.site, to,
                study.muscle, set="reference",
                caveats=(*marks, self.no_limit(kind, study)),
            )  # fmt: skip
            return
        entry = found.entry
        if found.assumed_muscle:
            marks = (*marks, caveat(self.knowledge, "muscle_not_said", muscle=found.assumed_muscle))
        tolerance = self.knowledge.thresholds["distance_tolerance"].value
        if entry.distance is not None and site.distance is not None and abs(site.distance - entry.distance) > tolerance:
            marks = (
                *marks,
                caveat(self.knowledge, "distance_differs", standard=entry.distance, distance=site.distance),
            )
        lower = entry.side == "lower"
        yield OtherFinding(
            kind, study.nerve, study.side, "beyond_normal", _beyond(value, found.value, lower), value, found.value, unit,
            site.site, to, study.muscle, None, entry.source, entry.status, entry.where, "reference", marks,
        )  # fmt: skip
        for far in self.knowledge.demyelinating:
            if far.kind == kind and (far.of == "lower") == lower:
                edge = nine_digits(found.value * far.number.value)
                yield OtherFinding(
                    kind, study.nerve, study.side, "demyelinating", _beyond(value, edge, lower), value, edge, unit,
                    site.site, to, study.muscle, found.value, far.number.source,
                    _weaker(far.number.status, entry.status), far.number.where, far.set, marks,
                )  # fmt: skip

    def no_limit(self, kind: str, study: ConductionStudy) -> Finding:
        what, muscle = kind.replace("_", " "), study.muscle or "an unnamed muscle"
        return caveat(self.knowledge, "muscle_unknown_to_reference", what=what, nerve=study.nerve, muscle=muscle)

    def absent(self, kind: str, study: ConductionStudy, site: Response, unit: str) -> OtherFinding:
        return OtherFinding(
            kind, study.nerve, study.side, "absent", Truth.MET, None, None, unit, site.site, None, study.muscle
        )


def _beyond(value: float | None, edge: float, lower: bool) -> Truth:
    if value is None:
        return Truth.UNKNOWN
    return Truth.MET if (value < edge if lower else value > edge) else Truth.NOT_MET


def _weaker(one: str, other: str) -> str:
    order = ("read", "computed", "read-2nd", "design", "memory", "assumed")
    return max(one, other, key=order.index)


def others(studies: StudySet, knowledge: ConductionKnowledge, reference: Reference) -> tuple[OtherFinding, ...]:
    """Every comparison that could be made, abnormal or not, in the order of the studies."""
    asking = _Asking(studies, knowledge, reference)
    found: list[OtherFinding] = []
    for study in studies.studies:
        if is_check(study, knowledge):
            continue
        one = {"motor": _motor, "sensory": _sensory, "f_wave": _f_wave}[study.kind]
        found += (_warmed(o, study, knowledge) for o in one(asking, study))
    return tuple(found)


def is_check(study: ConductionStudy, knowledge: ConductionKnowledge) -> bool:
    """Whether the muscle belongs to another nerve: a recording that looks for crossed fibres, not for this nerve's health."""
    nerve = knowledge.nerves.get(study.nerve)
    return study.kind == "motor" and nerve is not None and study.muscle in nerve.foreign


def _warmed(finding: OtherFinding, study: ConductionStudy, knowledge: ConductionKnowledge) -> OtherFinding:
    """The finding, with a mark where the limb was cold and the finding is one that cold makes."""
    mark = cold(study, knowledge)
    if mark is None or finding.truth is not Truth.MET or finding.kind not in SLOWED:
        return finding
    return replace(finding, caveats=(*finding.caveats, mark))


def cold(study: ConductionStudy, knowledge: ConductionKnowledge) -> Finding | None:
    """The mark of a study done on a cold limb."""
    nerve = knowledge.nerves.get(study.nerve)
    if study.temperature is None or nerve is None:
        return None
    edge = knowledge.thresholds[f"cold_{nerve.limb}"].value
    return caveat(knowledge, "cold", temperature=study.temperature, limit=edge) if study.temperature < edge else None


def _motor(asking: _Asking, study: ConductionStudy) -> Iterator[OtherFinding]:
    sites = in_order(asking.knowledge, study)
    if not sites:
        return
    first = sites[0]
    if first.absent:
        yield asking.absent("absent_motor", study, first, "mV")
    else:
        yield from asking.compared(
            "low_distal_amplitude", study, first.amplitude, asking.limit(study, "amplitude"), "mV", first
        )
        if asking.knowledge.family(study.nerve, first.site) in ("wrist", "ankle"):
            found = asking.limit(study, "latency")
            yield from asking.compared("prolonged_distal_latency", study, first.latency, found, "ms", first)
        longest = asking.knowledge.distal_duration.get(study.nerve)
        if longest is not None and first.duration is not None:
            yield _long(asking, study, first, longest)
    for segment in segments(asking.knowledge, study):
        if not segment.between:
            yield from _segment(asking, segment)


def _long(asking: _Asking, study: ConductionStudy, first: Response, longest: Number) -> OtherFinding:
    assert first.duration is not None
    met = Truth.MET if first.duration >= longest.value else Truth.NOT_MET
    return OtherFinding(
        "long_distal_duration", study.nerve, study.side, "demyelinating", met, first.duration, longest.value, "ms", first.site,
        None, study.muscle, None, longest.source, longest.status, longest.where, "cidp2010",
        (caveat(asking.knowledge, "duration_measure"),),
    )  # fmt: skip


def _segment(asking: _Asking, segment: Segment) -> Iterator[OtherFinding]:
    knowledge, study = asking.knowledge, segment.study
    zone, beyond = entrapment(knowledge, segment)
    marks: tuple[Finding, ...] = ()
    if zone is not None:
        where = "entrapment_at" if beyond is Truth.NOT_MET else "entrapment_within"
        marks = (caveat(knowledge, where, name=zone.name),)
    rise = segment.change("duration")
    if rise is not None:
        for name, number in knowledge.dispersion:
            yield OtherFinding(
                "temporal_dispersion", study.nerve, study.side, "demyelinating",
                Truth.MET if rise > number.value else Truth.NOT_MET, rise, number.value, "1", segment.distal.site,
                segment.proximal.site, study.muscle, None, number.source, number.status, number.where, name, marks,
            )  # fmt: skip
    if segment.velocity is not None:
        found = asking.limit(study, "velocity", segment.region)
        if found is not None:
            low = replace(segment.proximal, site=segment.distal.site)
            yield from asking.compared(
                "slow_velocity", study, segment.velocity, found, "m/s", low, segment.proximal.site, marks
            )


def _sensory(asking: _Asking, study: ConductionStudy) -> Iterator[OtherFinding]:
    if not study.sites:
        return
    first, *_ = in_order(asking.knowledge, study) or study.sites
    if first.absent:
        yield asking.absent("sensory_amplitude", study, first, "uV")
        return
    found = asking.limit(study, "amplitude")
    if first.amplitude is not None:
        yield from asking.compared("sensory_amplitude", study, first.amplitude, found, "uV", first)
    velocity = first.distance / first.latency if first.distance and first.latency else first.velocity
    limit_of = asking.limit(study, "velocity")
    if velocity is not None and limit_of is not None:
        yield from asking.compared("sensory_velocity", study, nine_digits(velocity), limit_of, "m/s", first)
    late = asking.limit(study, "peak_latency")
    if first.peak_latency is not None and late is not None:
        yield from asking.compared("sensory_latency", study, first.peak_latency, late, "ms", first)


def _f_wave(asking: _Asking, study: ConductionStudy) -> Iterator[OtherFinding]:
    for site in study.sites[:1]:
        if site.absent or site.persistence == 0:
            yield asking.absent("absent_f", study, site, "ms")
            return
        yield replace(
            asking.absent("absent_f", study, site, "ms"), truth=Truth.NOT_MET if site.latency else Truth.UNKNOWN
        )
        if site.latency is not None:
            yield from asking.compared("prolonged_f", study, site.latency, asking.limit(study, "latency"), "ms", site)
