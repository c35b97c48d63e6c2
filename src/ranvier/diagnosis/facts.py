"""Every finding of the catalogue, met, not met or unknown, from what the record states and from what it holds as numbers.

What a person stated and what a table of numbers shows are kept apart until the end. Where they contradict each other,
numbers win over words; only for the examination do words win, because there the numbers are an inference. Either
way the contradiction is said.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from ranvier.anatomy.nouns import Examination, Localisation
from ranvier.conduction.nouns import Class, Conduction, OtherFinding, SegmentFinding
from ranvier.diagnosis.criteria import closed
from ranvier.diagnosis.nouns import Book, Facts, Pattern, Question, Stated
from ranvier.diagnosis.rules import truth_of
from ranvier.ground.findings import Fact, Finding
from ranvier.ground.truth import Truth
from ranvier.record.history import onset_days
from ranvier.record.nouns import BloodTest, Record, When

COMBINED = "findings"  # derived from other findings of the catalogue
DAYS_PER_MONTH = 30.4375
NAMED_NERVES = ("median", "ulnar", "radial", "fibular", "peroneal", "tibial")
PART_OF = {
    "pin": "radial",
    "ain": "median",
    "posterior_interosseous": "radial",
    "anterior_interosseous": "median",
    "deep_fibular": "fibular",
    "superficial_fibular": "fibular",
    "common_fibular": "fibular",
    "medial_plantar": "tibial",
    "lateral_plantar": "tibial",
}
LEG_PLACES = ("foot", "toe", "hallux", "ankle", "malleol", "shin", "knee", "leg", "heel", "sole", "thigh", "calf")
ARM_PLACES = ("hand", "finger", "thumb", "arm", "wrist", "elbow", "palm", "digit", "shoulder")
LEG_REFLEXES = ("knee", "ankle", "patell", "achilles", "quadriceps")


@dataclass(frozen=True, slots=True)
class Trial:
    """What is known of treatment as evidence, told by the caller: this room knows no drugs.

    improved : objective improvement after immunoglobulin
    adequate : whether it was tried adequately
    """

    improved: Truth = Truth.UNKNOWN
    adequate: Truth = Truth.UNKNOWN
    because: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """Everything that the other rooms found in one record.

    limbs : muscle or group → arm | leg
    studies : earliest first
    """

    record: Record
    at: date
    examination: Examination | None = None
    localisation: Localisation | None = None
    limbs: Mapping[str, str] | None = None
    studies: tuple[Conduction, ...] = ()
    trial: Trial = Trial()


Derived = tuple[Truth, Finding]


def gather(book: Book, known: Known, *, block_rule: str) -> tuple[Facts, tuple[Finding, ...]]:
    """Every finding of the catalogue, closed under what follows from what; and the contradictions.

    Parameters
    ----------
    block_rule : the conduction-block rule by which blocks are counted
    """
    stated = _stated(book, known)
    found: dict[str, Stated] = {}
    contradictions = []
    for name, question in book.questions.items():
        computed = _computed(book, question, known, block_rule)
        said = stated.get(name)
        if computed is not None and said is not None and computed[0] is not said[0] and _sure(computed):
            contradictions.append(
                Finding("diagnosis.contradiction", {"finding": name, "says": question.says}, (said[1], computed[1]))
            )
            chosen = said if question.kind == "examination" else computed
        elif computed is not None and _sure(computed):
            chosen = computed
        else:
            chosen = said or computed or _not_stated(question)
        found[name] = Stated(name, *chosen)
    return _closed(book, found), tuple(contradictions)


def pattern_of(localisation: Localisation | None) -> Pattern | None:
    """The explanations' Bayes factors as one item; None where no muscle was graded."""
    if localisation is None or not localisation.explanations:
        return None
    evidence = {e.name: max(e.bayes_factor, 1e-12) for e in localisation.explanations}
    best = max(evidence.values())
    ranked = sorted(evidence, key=lambda name: -evidence[name])
    facts: dict[str, Any] = {"explanation": ranked[0], "value": "met"}
    if len(ranked) > 1:
        facts |= {"second": ranked[1], "ratio": best / evidence[ranked[1]]}
    return Pattern({n: v / best for n, v in evidence.items()}, Finding("diagnosis.pattern", facts, status="computed"))


# ---- stated ---------------------------------------------------------------------------------------------------------


def _stated(book: Book, known: Known) -> dict[str, Derived]:
    """What the record or the caller says outright; the latest day wins, and a dated statement over an undated one."""
    found: dict[str, Derived] = {}
    for place, signs in (("history", known.record.history.signs), ("investigations", known.record.investigations)):
        for sign in sorted(signs, key=lambda s: s.on or date.min):
            if sign.on is not None and sign.on > known.at:
                continue
            truth = Truth.MET if sign.present else Truth.NOT_MET
            facts = _told(book, place, sign.what, truth)
            if sign.on is not None:
                facts["on"] = sign.on.isoformat()
            found[sign.what] = truth, Finding("diagnosis.stated", facts)
    trial = known.trial
    for name, truth in (
        ("improved_after_immunoglobulin", trial.improved),
        ("immunoglobulin_trial_adequate", trial.adequate),
    ):
        if name not in found and truth is not Truth.UNKNOWN:
            facts = _told(book, "treatment", name, truth)
            found[name] = truth, Finding("diagnosis.stated", facts, trial.because)
    improved, adequate = (found.get(n) for n in ("improved_after_immunoglobulin", "immunoglobulin_trial_adequate"))
    name = "no_response_to_adequate_trial"
    if name not in found and improved is not None and adequate is not None:
        none = improved[0] is Truth.NOT_MET and adequate[0] is Truth.MET
        truth = Truth.MET if none else Truth.NOT_MET
        facts = _told(book, "treatment", name, truth)
        found[name] = truth, Finding("diagnosis.stated", facts, (improved[1], adequate[1]))
    return found


def _told(book: Book, place: str, name: str, truth: Truth) -> dict[str, Fact]:
    """Where it is recorded, and what it says. A name that this edition of the catalogue does not know says itself."""
    says = book.questions[name].says if name in book.questions else name.replace("_", " ")
    return {"place": place, "finding": name, "says": says, "value": truth.value}


def _not_stated(question: Question) -> Derived:
    truth = Truth.NOT_MET if question.presumed_absent else Truth.UNKNOWN
    facts = {"finding": question.id, "says": question.says, "value": truth.value}
    return truth, Finding("diagnosis.not_stated", facts)


def _sure(derived: Derived) -> bool:
    return derived[0] is not Truth.UNKNOWN


def _closed(book: Book, found: Mapping[str, Stated]) -> Facts:
    """The findings with everything that follows from them; what followed says so."""
    truths = closed({name: each.truth for name, each in found.items()}, book.questions)
    for name, question in book.questions.items():  # findings that are combinations of others
        rule = question.derived.get("rule") if question.derived and question.derived["from"] == COMBINED else None
        if isinstance(rule, str | Mapping) and truths[name] is Truth.UNKNOWN:
            truths[name] = truth_of(rule, truths)
    truths = closed(truths, book.questions)
    result = {}
    for name, each in found.items():
        if each.truth is truths[name]:
            result[name] = each
            continue
        facts = {"finding": name, "says": book.questions[name].says, "value": truths[name].value}
        result[name] = Stated(name, truths[name], Finding("diagnosis.follows", facts))
    return result


# ---- computed -------------------------------------------------------------------------------------------------------


def _computed(book: Book, question: Question, known: Known, block_rule: str) -> Derived | None:
    """What the numbers of the record say to one finding; None where nothing is computed for it."""
    if question.derived is None:
        return None
    rule = dict(question.derived)
    kind = str(rule.pop("from"))
    if kind == COMBINED:
        return None  # see `_closed`
    answer = WAYS[kind](book, known, {**rule, "block_rule": block_rule})
    if answer is None:
        return None
    truth, facts = answer
    told = {"finding": question.id, "says": question.says, "value": truth.value, "way": kind, **facts}
    return truth, Finding("diagnosis.computed", told)


Answer = tuple[Truth, dict[str, Any]]


def _truth(value: bool | None) -> Truth:
    return Truth.UNKNOWN if value is None else Truth.MET if value else Truth.NOT_MET


def _within(low: float, high: float, over: float | None, under: float | None) -> bool | None:
    """Whether everything between low and high lies over and under the limits; None where some does and some does not."""
    answers = []
    if over is not None:
        answers.append(True if low > over else False if high <= over else None)
    if under is not None:
        answers.append(True if high < under else False if low >= under else None)
    if any(a is False for a in answers):
        return False
    return True if all(a is True for a in answers) else None


def _duration(book: Book, known: Known, rule: Mapping[str, Any]) -> Answer | None:
    days = _onset(known)
    if days is None:
        return None
    longest, shortest = ((known.at - day).days / DAYS_PER_MONTH for day in days)
    if longest < 0:
        return None
    value = _within(max(0.0, shortest), longest, rule["over_months"], None)
    return _truth(value), {"months": round(longest, 1), "over_months": rule["over_months"]}


def _onset_age(book: Book, known: Known, rule: Mapping[str, Any]) -> Answer | None:
    days, born = _onset(known), known.record.person.birth_year
    if days is None or born is None:
        return None
    youngest, oldest = days[0].year - born - 1, days[1].year - born
    value = _within(youngest, oldest, rule.get("over"), rule.get("under"))
    return _truth(value), {"age": oldest}


def _onset(known: Known) -> tuple[date, date] | None:
    return None if known.record.history.onset is None else onset_days(known.record.history.onset)


def _sex(book: Book, known: Known, rule: Mapping[str, Any]) -> Answer | None:
    sex = known.record.person.sex
    return None if sex is None else (_truth(sex == rule["is"]), {"sex": sex})


def _blood_test(book: Book, known: Known, rule: Mapping[str, Any]) -> Answer | None:
    tests = [t for t in known.record.blood_tests if " ".join(t.what.casefold().split()) in rule["names"]]
    tests = [t for t in tests if t.unit in rule["units"] and _day(t.at) <= known.at]
    if not tests:
        return None
    latest: BloodTest = max(tests, key=lambda t: _day(t.at))
    value = latest.value * float(rule["units"][latest.unit])
    met = value > rule["over"] if "over" in rule else value >= rule["at_least"]
    return _truth(met), {"number": latest.value, "unit": latest.unit, "on": _day(latest.at).isoformat()}


def _day(when: When) -> date:
    return when.date() if isinstance(when, datetime) else when


def _disability(book: Book, known: Known, rule: Mapping[str, Any]) -> Answer | None:
    values = [(_day(v.at), v.value) for s in known.record.strength if s.measure == "onls" for v in s.values]
    values = [each for each in values if each[0] <= known.at]
    if not values:
        return None
    on, value = max(values)
    return _truth(value <= book.numbers["onls_mild"].value), {"number": value, "on": on.isoformat()}


def _ultrasound(book: Book, known: Known, rule: Mapping[str, Any]) -> Answer | None:
    """The short protocol: median nerve at forearm and upper arm, and a root or trunk of the plexus."""
    limits = {
        place: book.numbers[f"csa_{place}"].value for place in ("forearm", "upper_arm", "root")
    }  # [mm2], above which a nerve is enlarged
    seen: dict[str, float] = {}
    for image in known.record.imaging:
        if image["kind"] != "ultrasound" or date.fromisoformat(str(image["on"])) > known.at:
            continue
        for finding in image.get("findings", ()):
            size, words = finding.get("size"), str(finding["structure"]).casefold()
            place = _ultrasound_place(words)
            if place is None or not isinstance(size, dict) or size.get("unit") not in ("mm2", "cm2"):
                continue
            mm2 = float(size["value"]) * (100 if size["unit"] == "cm2" else 1)
            seen[place] = max(mm2, seen.get(place, 0.0))
    if not seen:
        return None
    above = [place for place, mm2 in seen.items() if mm2 > limits[place]]
    met = True if above else False if {"forearm", "upper_arm"} <= set(seen) else None
    return _truth(met), {"places": ", ".join(sorted(above)) or None}


def _ultrasound_place(words: str) -> str | None:
    if "root" in words or "trunk" in words or any(f"c{n}" in words for n in (5, 6, 7, 8)):
        return "root"
    if "median" not in words:
        return None
    return "forearm" if "forearm" in words else "upper_arm" if "upper arm" in words else None


# ---- computed from the examination


def _examination(book: Book, known: Known, rule: Mapping[str, Any]) -> Answer | None:
    where, graded = known.localisation, known.examination
    if where is None or graded is None or not graded.findings:
        return None
    what = rule["what"]
    if what in ("nerves", "named_nerves"):
        return _nerves(book, known, int(rule["n"]), named=what == "named_nerves")
    if what == "asymmetric":
        found = where.asymmetry.found
        differing = [d.muscle for d in where.asymmetry.differences if d.asymmetric]
        return found, {"n": len(differing), "muscles": ", ".join(differing[:4]) or None}
    if what == "picked_out":
        return _picked_out(graded, rule)
    return _arms_weaker(known)


def _nerves(book: Book, known: Known, n: int, *, named: bool) -> Answer:
    """Whether at least n nerves are weak. Spared is only said after an examination that is wide enough."""
    assert known.localisation is not None
    assert known.examination is not None
    counted: dict[tuple[str, str], float] = {}
    for each in known.localisation.nerves:
        whole = PART_OF.get(each.nerve, each.nerve)
        if not named or whole in NAMED_NERVES:
            counted[whole, each.side] = max(each.probability, counted.get((whole, each.side), 0.0))
    ranked = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    nth = ranked[n - 1][1] if len(ranked) >= n else 0.0
    if nth >= book.numbers["nerve_weak"].value:
        met: bool | None = True
    elif nth <= book.numbers["nerve_spared"].value and len(known.examination.findings) >= _enough(book):
        met = False
    else:
        met = None
    shown = ", ".join(f"{side} {nerve}" for (nerve, side), p in ranked[: max(n, 2)] if p >= 0.5)
    return _truth(met), {"nerves": shown or None, "probability": nth, "n": n}


def _picked_out(graded: Examination, rule: Mapping[str, Any]) -> Answer:
    """Whether a nerve is weak alone while its neighbours, which share its roots, are much stronger.

    Of a territory every tested muscle must be at most `weak_to`, and at least two neighbours must be tested, all of them
    at least `gap` grades above the strongest of it. Not met is only said where every muscle of every territory was full.
    """
    grades = {(f.muscle, f.side): f.value for f in graded.findings}
    found, full = [], True
    for territory in rule["territories"]:
        for side in ("left", "right"):
            own = [grades.get((muscle, side)) for muscle in territory["muscles"]]
            tested = [value for value in own if value is not None]
            near = [grades[m, side] for m in territory["neighbours"] if (m, side) in grades]
            full = full and len(tested) == len(own) and all(value >= 5 for value in tested)
            if len(tested) < len(own) or max(tested) > rule["weak_to"] or len(near) < 2:
                continue
            if min(near) - max(tested) >= rule["gap"]:
                found.append(f"{side} {territory['nerve']}")
    return _truth(True if found else False if full else None), {"nerves": ", ".join(found) or None}


def _enough(book: Book) -> float:
    return book.numbers["muscles_enough"].value


def _arms_weaker(known: Known) -> Answer | None:
    """Mean loss of grades in the arms above that in the legs; unknown where one of them was not graded."""
    assert known.examination is not None
    lost: dict[str, list[float]] = {"arm": [], "leg": []}
    for finding in known.examination.findings:
        limb = (known.limbs or {}).get(finding.muscle)
        if limb in lost:
            lost[limb].append(5 - finding.value)
    if not lost["arm"] or not lost["leg"]:
        return None
    arms, legs = (sum(lost[limb]) / len(lost[limb]) for limb in ("arm", "leg"))
    return _truth(arms > legs), {"arms": round(arms, 2), "legs": round(legs, 2)}


def _latest_with(known: Known, key: str) -> list[dict[str, Any]]:
    """The entries under `key` of the latest examination that has any."""
    exams = [e for e in known.record.examinations if e.get(key) and date.fromisoformat(str(e["on"])) <= known.at]
    return list(max(exams, key=lambda e: str(e["on"]))[key]) if exams else []


def _reflexes(book: Book, known: Known, rule: Mapping[str, Any]) -> Answer | None:
    """Grades of reflexes: 2 is normal, below it reduced, above it brisk."""
    entries = _latest_with(known, "reflexes")
    if not entries:
        return None
    if rule["what"] == "all_reduced":
        return _truth(all(e["grade"] < 2 for e in entries) if len(entries) >= 4 else None), {"n": len(entries)}
    weak = {
        ((known.limbs or {}).get(f.muscle), f.side)
        for f in (known.examination.findings if known.examination else ())
        if f.weak
    }
    here = [e["grade"] for e in entries if (_reflex_limb(e), e["side"]) in weak]
    if not here:
        return None
    met = any(g < 2 for g in here) if rule["what"] == "reduced_in_weak_limb" else any(g > 2 for g in here)
    return _truth(met), {"n": len(here)}


def _reflex_limb(entry: Mapping[str, Any]) -> str:
    return "leg" if any(word in str(entry["reflex"]).casefold() for word in LEG_REFLEXES) else "arm"


def _sensation(book: Book, known: Known, rule: Mapping[str, Any]) -> Answer | None:
    """Any loss beyond vibration in the legs. Normal is only said where at least two places were examined."""
    entries = _latest_with(known, "sensation")
    if not entries:
        return None
    in_arms = [e for e in entries if _is_place(e, ARM_PLACES) and not _is_place(e, LEG_PLACES)]
    of_interest = in_arms if rule["what"] == "loss_in_arms" else entries
    lost = [e for e in of_interest if not e["normal"] and not _minor(e)]
    met = True if lost else False if len(of_interest) >= 2 else None
    return _truth(met), {"places": ", ".join(str(e["place"]) for e in lost) or None, "n": len(of_interest)}


def _is_place(entry: Mapping[str, Any], words: Sequence[str]) -> bool:
    return any(word in str(entry["place"]).casefold() for word in words)


def _minor(entry: Mapping[str, Any]) -> bool:
    return "vibration" in str(entry["quality"]).casefold() and _is_place(entry, LEG_PLACES)


# ---- computed from nerve conduction


def _segments(known: Known) -> list[SegmentFinding]:
    """Every segment, from the latest study of its nerve, side and muscle."""
    latest: dict[tuple[str, str, str | None], list[SegmentFinding]] = {}
    for study in known.studies:
        by_nerve: dict[tuple[str, str, str | None], list[SegmentFinding]] = {}
        for segment in study.segments:
            by_nerve.setdefault((segment.nerve, segment.side, segment.muscle), []).append(segment)
        latest |= by_nerve
    return [segment for segments in latest.values() for segment in segments]


def _others(known: Known, *kinds: str) -> list[OtherFinding]:
    """Comparisons of these kinds, from the latest study of each nerve and side."""
    latest: dict[tuple[str, str, str], list[OtherFinding]] = {}
    for study in known.studies:
        found: dict[tuple[str, str, str], list[OtherFinding]] = {}
        for other in study.others:
            if other.kind in kinds:
                found.setdefault((other.kind, other.nerve, other.side), []).append(other)
        latest |= found
    return [other for others in latest.values() for other in others]


def _block(book: Book, known: Known, rule: Mapping[str, Any]) -> Answer | None:
    """Nerves with a block by the rule. A block that waits for a check (a crossing to be excluded) is still open.

    Not met is only said after a study that could have shown it: as many motor nerves judged as are asked for, two at
    least, and among them every named nerve that the examination calls weak. A nerve nobody stimulated is not known.
    """
    name, n = str(rule.get("rule", rule["block_rule"])), int(rule["nerves"])
    wanted = {Class.DEFINITE} if rule["grade"] == "definite" else {Class.DEFINITE, Class.PROBABLE}
    sure: set[tuple[str, str]] = set()
    open_: set[tuple[str, str]] = set()
    judged: set[tuple[str, str]] = set()
    for segment in _segments(known):
        verdict = segment.verdicts.get(name)
        if verdict is None:
            continue
        nerve = segment.nerve, segment.side
        if verdict.class_ is not Class.NOT_EVALUABLE:
            judged.add((PART_OF.get(segment.nerve, segment.nerve), segment.side))
        if verdict.class_ in wanted and not verdict.provided:
            sure.add(nerve)
        elif wanted & {*verdict.possible, verdict.class_} and verdict.class_ is not Class.NOT_EVALUABLE:
            open_.add(nerve)
    if not judged:
        return None
    left_out = _weak_nerves(book, known) - judged
    wide = len(judged) >= max(2, n) and not left_out
    met = True if len(sure) >= n else None if len(sure | open_) >= n or not wide else False
    shown = ", ".join(f"{side} {nerve}" for nerve, side in sorted(sure))
    not_studied = ", ".join(f"{side} {nerve}" for nerve, side in sorted(left_out))
    return _truth(met), {
        "rule": name, "nerves": shown or None, "n": len(sure), "open": len(open_ - sure),
        "not_studied": not_studied or None,
    }  # fmt: skip


def _weak_nerves(book: Book, known: Known) -> set[tuple[str, str]]:
    """The named nerves, with their side, that the examination calls weak."""
    if known.localisation is None:
        return set()
    return {
        (PART_OF.get(each.nerve, each.nerve), each.side)
        for each in known.localisation.nerves
        if PART_OF.get(each.nerve, each.nerve) in NAMED_NERVES
        and each.muscles_for
        and each.probability >= book.numbers["nerve_weak"].value
    }


def _conduction(book: Book, known: Known, rule: Mapping[str, Any]) -> Answer | None:
    if not known.studies:
        return None
    what = rule["what"]
    if what == "sensory_normal":
        return _sensory_normal(known, int(rule["n"]))
    if what == "no_block_though_studied":
        return _no_block(book, known, str(rule["block_rule"]))
    if what == "split_hand_index":
        return _split_hand(known, float(rule["under"]))
    if what == "entrapment_sites":
        return _entrapment(known, str(rule["block_rule"]), one=bool(rule["one"]))
    if what == "uniform_slowing":
        return _uniform(known, rule)
    if what == "normal":
        return _normal_motor(known, str(rule["block_rule"]))
    kinds = {
        "temporal_dispersion": ("temporal_dispersion",),
        "f_waves_late_or_absent": ("absent_f", "prolonged_f"),
        "slowing": ("slow_velocity", "prolonged_distal_latency"),
    }[what]
    found = _others(known, *kinds)
    if what == "slowing":  # slowing at a site of entrapment says nothing about demyelination elsewhere
        at_entrapment = {(s.nerve, s.side, s.from_, s.to) for s in _segments(known) if s.entrapment}
        found = [
            f
            for f in found
            if f.grade != "beyond_normal"
            and (f.nerve, f.side, f.from_, f.to) not in at_entrapment
            and not (f.kind == "prolonged_distal_latency" and f.nerve == "median")
        ]
    elif what == "f_waves_late_or_absent":
        found = [f for f in found if f.kind == "absent_f" or f.grade != "beyond_normal"] or found
    if not found:
        return None
    truths = [f.truth for f in found]
    met = True if Truth.MET in truths else False if Truth.UNKNOWN not in truths else None
    shown = ", ".join(f"{f.side} {f.nerve}" for f in found if f.truth is Truth.MET)
    return _truth(met), {"nerves": shown or None, "n": len(found)}


def _sensory_normal(known: Known, n: int) -> Answer | None:
    """At least n sensory nerves studied, none abnormal. One abnormal nerve makes it not met."""
    found = _others(known, "sensory_amplitude", "sensory_velocity", "sensory_latency")
    by_nerve: dict[tuple[str, str], list[Truth]] = {}
    for each in found:
        by_nerve.setdefault((each.nerve, each.side), []).append(each.truth)
    if not by_nerve:
        return None
    abnormal = sorted(nerve for nerve, truths in by_nerve.items() if Truth.MET in truths)
    normal = [nerve for nerve, truths in by_nerve.items() if Truth.NOT_MET in truths and Truth.MET not in truths]
    met = False if abnormal else True if len(normal) >= n else None
    shown = ", ".join(f"{side} {nerve}" for nerve, side in abnormal)
    return _truth(met), {"nerves": shown or None, "n": len(normal)}


def _reaches_shoulder(segment: SegmentFinding) -> bool:
    return "axilla" in segment.region or "erb" in segment.region


def _no_block(book: Book, known: Known, rule: str) -> Answer | None:
    """No block by the rule, and at least two nerves of the arms studied up to the axilla or Erb's point."""
    segments = [s for s in _segments(known) if rule in s.verdicts]
    classes = [s.verdicts[rule].class_ for s in segments]
    if any(c in (Class.DEFINITE, Class.PROBABLE) for c in classes):
        return Truth.NOT_MET, {"rule": rule}
    far = {(s.nerve, s.side) for s in segments if _reaches_shoulder(s)}
    if len(far) < 2 or Class.UNKNOWN in classes:
        return None
    return Truth.MET, {"rule": rule, "n": len(far)}


def _split_hand(known: Known, under: float) -> Answer | None:
    """APB times FDI by ADM, distal amplitudes [mV], the lower of both hands."""
    indices = []
    for side in ("left", "right"):
        size: dict[str, float] = {}
        for study in known.studies:
            for each in study.studies.studies:
                if each.kind == "motor" and each.side == side and each.muscle and each.sites:
                    amplitude = 0.0 if each.sites[0].absent else each.sites[0].amplitude
                    if amplitude is not None:
                        size[each.muscle] = max(amplitude, size.get(each.muscle, 0.0))
        if {"apb", "fdi", "adm"} <= set(size) and size["adm"] > 0:
            indices.append(size["apb"] * size["fdi"] / size["adm"])
    return None if not indices else (_truth(min(indices) < under), {"number": round(min(indices), 1)})


def _entrapment(known: Known, rule: str, *, one: bool) -> Answer | None:
    """Slowing or block at common sites of entrapment, and no block elsewhere: at one site, or in several nerves."""
    segments = _segments(known)
    if not segments:
        return None
    slow = {(f.nerve, f.side, f.from_, f.to) for f in _others(known, "slow_velocity") if f.truth is Truth.MET}
    hit = {(s.nerve, s.side) for s in segments if s.entrapment and (s.nerve, s.side, s.from_, s.to) in slow}
    hit |= {(s.nerve, s.side) for s in segments if s.entrapment and _falls(s)}
    late = [f for f in _others(known, "prolonged_distal_latency") if f.truth is Truth.MET and f.nerve == "median"]
    hit |= {(f.nerve, f.side) for f in late}
    elsewhere = [s for s in segments if rule in s.verdicts and s.verdicts[rule].class_ is Class.DEFINITE]
    if elsewhere:
        return Truth.NOT_MET, {"n": len(hit)}
    shown = ", ".join(f"{side} {nerve}" for nerve, side in sorted(hit))
    return _truth(len(hit) == 1 if one else len(hit) >= 2), {"nerves": shown or None, "n": len(hit)}


def _falls(segment: SegmentFinding) -> bool:
    """Half of the response lost across the segment."""
    change = segment.area_change if segment.area_change is not None else segment.amplitude_change
    return change is not None and change <= -0.5


def _uniform(known: Known, rule: Mapping[str, Any]) -> Answer | None:
    """The forearms' velocities all slow and all alike."""
    speeds = {
        (s.nerve, s.side): s.velocity
        for s in _segments(known)
        if s.velocity is not None and not s.entrapment and "wrist" in s.region and "elbow" in s.region
    }
    if len(speeds) < int(rule["nerves"]):
        return None
    low, high = min(speeds.values()), max(speeds.values())
    met = high < float(rule["below"]) and high - low <= float(rule["spread"])
    return _truth(met), {"low": round(low, 1), "high": round(high, 1), "n": len(speeds)}


def _normal_motor(known: Known, rule: str) -> Answer | None:
    """At least two motor nerves, no block, nothing beyond the limits of normal."""
    kinds = ("temporal_dispersion", "slow_velocity", "prolonged_distal_latency", "long_distal_duration")
    found = _others(known, *kinds, "low_distal_amplitude", "absent_motor", "absent_f", "prolonged_f")
    segments = _segments(known)
    classes = [s.verdicts[rule].class_ for s in segments if rule in s.verdicts]
    if any(c in (Class.DEFINITE, Class.PROBABLE) for c in classes) or any(f.truth is Truth.MET for f in found):
        return Truth.NOT_MET, {}
    if Class.UNKNOWN in classes:
        return None
    nerves = {(s.nerve, s.side) for s in segments}
    return (Truth.MET, {"n": len(nerves)}) if len(nerves) >= 2 and found else None


WAYS: Mapping[str, Callable[[Book, Known, Mapping[str, Any]], Answer | None]] = {
    "duration": _duration,
    "onset_age": _onset_age,
    "sex": _sex,
    "blood_test": _blood_test,
    "disability": _disability,
    "ultrasound": _ultrasound,
    "examination": _examination,
    "reflexes": _reflexes,
    "sensation": _sensation,
    "block": _block,
    "conduction": _conduction,
}
