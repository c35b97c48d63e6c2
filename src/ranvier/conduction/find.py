"""Find the blocks: every segment of every motor nerve, judged by every rule, with what must be known beside it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ranvier.conduction import crossing as crossed_fibres
from ranvier.conduction.limits import caveat, limit
from ranvier.conduction.load import DEFAULT_REFERENCE, ConductionKnowledge, Reference, Rule, load
from ranvier.conduction.nouns import (
    Class,
    Conduction,
    ConductionStudy,
    Criterion,
    Crossing,
    SegmentFinding,
    StudySet,
    Tested,
    Verdict,
)
from ranvier.conduction.others import cold, is_check, others
from ranvier.conduction.rules import Quantities, judge
from ranvier.conduction.segments import Segment, ends_inside, entrapment, segments
from ranvier.ground.findings import Fact, Finding
from ranvier.ground.truth import Truth
from ranvier.ground.units import nine_digits

CALLED = (Class.DEFINITE, Class.PROBABLE)
RANK = {Class.DEFINITE: 2, Class.PROBABLE: 1}
SURE = ("read", "computed", "design")


def find_blocks(
    studies: StudySet, knowledge: ConductionKnowledge | None = None, reference: Reference | None = None
) -> Conduction:
    """Everything found in one set of studies.

    knowledge : None: the shipped one
    reference : the laboratory's limits; None: the shipped default
    """
    knowledge = knowledge or load()
    reference = reference or knowledge.references[DEFAULT_REFERENCE]
    found = tuple(
        _finding(segment, studies, knowledge, reference)
        for study in studies.studies
        if study.kind == "motor" and not is_check(study, knowledge)
        for segment in segments(knowledge, study)
    )
    rest = others(studies, knowledge, reference)
    comparisons = [o for o in rest if o.set == "reference" and o.truth is not Truth.UNKNOWN]
    tested = Tested(
        segments=len(found),
        evaluable={
            r.id: sum(s.verdicts[r.id].class_ not in (Class.NOT_EVALUABLE, Class.UNKNOWN) for s in found)
            for r in knowledge.rules
        },
        comparisons=len(comparisons),
        chance_of_one=nine_digits(1 - (1 - reference.percentile) ** len(comparisons)) if reference.percentile else None,
    )
    unverified: dict[tuple[str, str | None, str], None] = {}
    for segment in found:
        for verdict in segment.verdicts.values():
            if verdict.reason != "not_covered":
                for c in verdict.criteria:
                    status = c.facts.get("lln_status", c.status)
                    if c.status not in SURE and c.limit is not None:
                        unverified[(f"{verdict.rule}: {c.what}", c.source, c.status)] = None
                    if isinstance(status, str) and status not in SURE and "lln" in c.facts:
                        source = c.facts.get("lln_source")
                        what = f"lower limit of {segment.nerve} amplitude"
                        unverified[(what, source if isinstance(source, str) else None, status)] = None
    for other in rest:
        if other.truth is not Truth.UNKNOWN and other.status not in SURE:
            unverified[(f"{other.kind}, {other.nerve}", other.source, other.status)] = None
    return Conduction(
        studies=studies,
        segments=found,
        others=rest,
        tested=tested,
        rules=tuple(r.id for r in knowledge.rules),
        reference=f"{reference.id}: {reference.name}",
        unverified=tuple(unverified),
        notes=_notes(studies, found, knowledge),
    )


def _notes(studies: StudySet, found: Sequence[SegmentFinding], knowledge: ConductionKnowledge) -> tuple[Finding, ...]:
    notes = []
    without = sum(s.temperature is None for s in studies.studies)
    if without:
        notes.append(caveat(knowledge, "temperature_missing", n=without, of=len(studies.studies)))
    if any(v.class_ in CALLED for s in found for v in s.verdicts.values()):
        notes.append(caveat(knowledge, "acute_axon_loss"))
    if len(found) > knowledge.thresholds["many_segments"].value:
        notes.append(caveat(knowledge, "many_segments", n=len(found)))
    return tuple(notes)


def _finding(
    segment: Segment, studies: StudySet, knowledge: ConductionKnowledge, reference: Reference
) -> SegmentFinding:
    study, distal, proximal = segment.study, segment.distal, segment.proximal
    zone, beyond = entrapment(knowledge, segment)
    # "elbow" of the ulnar nerve, without above or below, ends inside the groove: the class waits for the exact site.
    vague = beyond is Truth.UNKNOWN and zone is not None and ends_inside(knowledge, segment, zone)
    given, lln_marks = _quantities(segment, studies, knowledge, reference, Truth.MET if vague else beyond)
    verdicts = {rule.id: judge(rule, study.nerve, given) for rule in knowledge.rules}
    check: Crossing | None = None
    marks = [*_marks(segment, knowledge, zone.name if zone else None, beyond), *lln_marks]
    if crossed_fibres.concerns(knowledge, segment):
        verdicts, check, more = _with_crossing(segment, studies, knowledge, given, verdicts)
        marks += more
    if vague:
        verdicts = {i: _proviso(v, "beyond_entrapment") for i, v in verdicts.items()}
    if segment.region.endswith(("_erb", "_root")) and proximal.supramaximal is not True:
        verdicts = {i: _proviso(v, "supramaximal") for i, v in verdicts.items()}
    verdicts = {
        rule.id: replace(
            verdicts[rule.id], caveats=_variant_caveats(rule, study, segment, verdicts[rule.id], knowledge)
        )
        for rule in knowledge.rules
    }
    return SegmentFinding(
        nerve=study.nerve,
        side=study.side,
        muscle=study.muscle,
        from_=distal.site,
        to=proximal.site,
        region=segment.region,
        amplitude_change=segment.change("amplitude"),
        area_change=segment.change("area"),
        duration_change=segment.change("duration"),
        velocity=segment.velocity,
        distance=segment.distance,
        distal_amplitude=distal.amplitude,
        proximal_amplitude=proximal.amplitude,
        proximal_absent=proximal.absent,
        entrapment=zone.name if zone else None,
        beyond_entrapment=beyond,
        verdicts=verdicts,
        crossing=check,
        caveats=tuple(marks),
        place=proximal.place or study.place,
    )


def _quantities(
    segment: Segment, studies: StudySet, knowledge: ConductionKnowledge, reference: Reference, beyond: Truth
) -> tuple[Quantities, list[Finding]]:
    """What the rules may ask of a segment, and marks that say how the lower limit of normal was found."""
    distal, marks = segment.distal, []
    facts: dict[str, dict[str, Fact]] = {}
    found = limit(reference, knowledge, segment.study, "amplitude", age=studies.age, height=studies.height)
    share: float | None = None
    if found is not None:
        facts["distal_amplitude_of_lln"] = {
            "lln": found.value, "lln_source": found.entry.source, "lln_status": found.entry.status, "lln_where": found.entry.where,
        }  # fmt: skip
        if distal.amplitude is not None:
            share = nine_digits(distal.amplitude / found.value)
            if found.assumed_muscle:
                marks.append(caveat(knowledge, "muscle_not_said", muscle=found.assumed_muscle))
    elif distal.amplitude is not None:
        bound = knowledge.thresholds["highest_lln"].value
        # Larger than a fifth of any limit that could be meant: met, whatever the limit is.
        if distal.amplitude > 0.2 * bound:
            share = math.inf
            marks.append(caveat(knowledge, "lln_bounded", amplitude=distal.amplitude, bound=bound))
    fall, most = segment.change("amplitude"), {}
    if fall is not None and segment.change("area") is None and not segment.proximal.absent:
        most["area_fall"] = nine_digits(max(0.0, -fall) + knowledge.thresholds["area_beyond_amplitude"].value)
    distance = segment.distance
    if distance is None and "within" not in segment.region:
        distance = math.inf  # between two levels of a limb: longer than a step of inching, whatever it is
    falls = {f"{w}_fall": None if (c := segment.change(w)) is None else -c for w in ("amplitude", "area")}
    known: dict[str, float | None] = {
        **falls,
        "duration_rise": segment.change("duration"),
        "distal_amplitude": distal.amplitude,
        "distal_amplitude_of_lln": share,
        "distance": distance,
    }
    given = Quantities(
        known=known,
        region=segment.region,
        beyond_entrapment=beyond,
        proximal_absent=segment.proximal.absent,
        distal_absent=distal.absent,
        submaximal=segment.proximal.supramaximal is False,
        facts=facts,
        most=most,
    )
    return given, marks


def _marks(segment: Segment, knowledge: ConductionKnowledge, zone: str | None, beyond: Truth) -> list[Finding]:
    """Caveats of a segment that hold whatever the rule."""
    marks: list[Finding] = []
    amplitude, area, rise = (segment.change(w) for w in ("amplitude", "area", "duration"))
    if segment.proximal.absent and not segment.distal.absent:
        marks.append(caveat(knowledge, "complete"))
    if amplitude is not None and area is None:
        most = max(0.0, -amplitude) + knowledge.thresholds["area_beyond_amplitude"].value
        marks.append(caveat(knowledge, "amplitude_only", most=round(100 * most)))
    elif (amplitude is not None or area is not None) and rise is None and not segment.proximal.absent:
        marks.append(caveat(knowledge, "no_duration"))
    spread = knowledge.dispersion[0][1].value
    if rise is not None and rise > spread:
        marks.append(caveat(knowledge, "dispersion_mimics", rise=round(100 * rise)))
    if zone is not None:
        marks.append(caveat(knowledge, "entrapment_at" if beyond is Truth.NOT_MET else "entrapment_within", name=zone))
    if segment.region.endswith(("_erb", "_root")):
        marks.append(caveat(knowledge, "erb"))
    if segment.study.nerve == "tibial" and segment.region.endswith("_knee"):
        marks.append(caveat(knowledge, "tibial_knee"))
    if amplitude is not None and amplitude > knowledge.thresholds["proximal_larger"].value:
        accessory = segment.study.nerve == "fibular" and segment.region.startswith("ankle")
        name = "accessory_fibular" if accessory else "proximal_larger"
        marks.append(caveat(knowledge, name, percent=round(100 * amplitude)))
    if (mark := cold(segment.study, knowledge)) is not None:
        marks.append(mark)
    return marks


def _variant_caveats(
    rule: Rule, study: ConductionStudy, segment: Segment, verdict: Verdict, knowledge: ConductionKnowledge
) -> tuple[Finding, ...]:
    variant = next((v for v in rule.variants if v.fits(study.nerve, segment.region)), None)
    if variant is None or variant.caveat is None or verdict.class_ in (Class.NONE, Class.NOT_EVALUABLE):
        return ()
    return (caveat(knowledge, variant.caveat),)


# ---- checks that a class waits for --------------------------------------------------------------------------------


def _proviso(verdict: Verdict, name: str) -> Verdict:
    """The verdict, waiting for a check that was not made; only where a block is called or still open."""
    if not any(c in CALLED for c in verdict.possible):
        return verdict
    asked = Criterion(f"proviso.{name}", name, Truth.UNKNOWN, None, "is", None, "", "proviso", None, "design")
    kept = tuple(c for c in verdict.criteria if c.what != name)
    return replace(verdict, criteria=(*kept, asked), provided=(*verdict.provided, name))


def _with_crossing(
    segment: Segment,
    studies: StudySet,
    knowledge: ConductionKnowledge,
    given: Quantities,
    verdicts: Mapping[str, Verdict],
) -> tuple[dict[str, Verdict], Crossing, list[Finding]]:
    """The verdicts after the Martin-Gruber check, the check itself, and what to say of it."""
    study = segment.study
    total = crossed_fibres.crossed(segment, studies.studies)
    hint = crossed_fibres.hint(knowledge, study.side, studies.studies, study.muscle)
    open_ = any(c in CALLED for v in verdicts.values() for c in v.possible)
    marks: list[Finding] = []
    if total is None:
        if open_:
            muscle = study.muscle.upper() if study.muscle else "the same muscle"
            marks.append(caveat(knowledge, "crossing_unchecked", muscle=muscle))
            if hint is not None:
                marks.append(caveat(knowledge, "crossing_hinted", elbow=hint[0], wrist=hint[1]))
        waiting = {i: _proviso(v, "no_crossing") for i, v in verdicts.items()}
        return waiting, Crossing(Truth.UNKNOWN, hint is not None), marks
    falls = {
        "amplitude_fall": None if total.amplitude_change is None else -total.amplitude_change,
        "area_fall": None if total.area_change is None else -total.area_change,
    }
    # With nothing left proximally the sum has a duration after all, but nobody measured it.
    summed = replace(given, known={**given.known, **falls}, proximal_absent=False)
    if given.proximal_absent and not (total.amplitude or total.area):
        summed = given
    after: dict[str, Verdict] = {}
    for rule in knowledge.rules:
        before = verdicts[rule.id]
        after[rule.id] = _after_sum(before, judge(rule, study.nerve, summed), falls)
    called = [i for i, v in verdicts.items() if any(c in CALLED for c in v.possible)]
    explained = [i for i in called if after[i].class_ is Class.NONE]
    truth = Truth.MET if explained else Truth.NOT_MET
    change = total.area_change if total.area_change is not None else total.amplitude_change
    if called and change is not None:
        what = "area" if total.area_change is not None else "amplitude"
        name = "crossing_explains" if explained else "crossing_excluded"
        marks.append(caveat(knowledge, name, change=f"{100 * change:+.0f} % ({what})".replace("-", "−")))
    check = Crossing(truth, hint is not None, total.amplitude, total.area, total.amplitude_change, total.area_change)
    return after, check, marks


def _after_sum(before: Verdict, summed: Verdict, falls: Mapping[str, float | None]) -> Verdict:
    """The verdict once the crossed response is added: never more than before, and none where the sum shows no block."""
    if not any(c in CALLED for c in before.possible):
        return before
    facts: dict[str, Fact] = {f"sum_{name}": value for name, value in falls.items()}
    held = Truth.MET
    if summed.class_ is Class.NONE:
        held = Truth.NOT_MET
    elif summed.class_ not in CALLED:
        held = Truth.UNKNOWN
    asked = Criterion(
        "proviso.no_crossing",
        "no_crossing",
        held,
        None,
        "is",
        None,
        "",
        "proviso",
        "roy2016",
        "design",
        facts=facts,
    )
    criteria = (*before.criteria, asked)
    if RANK.get(summed.class_, 0) < RANK.get(before.class_, 3) and summed.class_ is not Class.NOT_EVALUABLE:
        return replace(
            before, class_=summed.class_, possible=summed.possible, missing=summed.missing, criteria=criteria
        )
    return replace(before, criteria=criteria)
