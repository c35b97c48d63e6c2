"""A funder's form filled from the record: what is known with where it stands, and what is not, visibly open.

The rules and the questions are data, one edition in one file (knowledge/commissioning). Nothing is guessed: a field without a fact
stays open, and says what would fill it.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from statistics import median
from typing import Any

import yaml

from ranvier.decision.diagnosed import Diagnosis
from ranvier.decision.nouns import Assessment
from ranvier.estimation.courses import InForce, courses_of, in_force
from ranvier.evidence.nouns import Knowledge, Scale
from ranvier.ground.truth import Truth
from ranvier.record.nouns import Record, StrengthSeries
from ranvier.record.until import day_of, until

BLOCK_RULE = "efns2010"
KINDS = ("request", "follow_up")
MONTH = 365.25 / 12  # [d]
RECENT, NEWEST = 90, 7  # days within which a value is of that time; values of which the median is taken


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule in words, with its source and status."""

    id: str
    says: str
    source: str | None
    status: str


@dataclass(frozen=True, slots=True)
class Rules:
    """One edition of one funder's rules; forms: kind → (title, ((id, question, what fills it), …))."""

    id: str
    title: str
    country: str
    edition: str
    rules: tuple[Rule, ...]
    improved: int
    review_months: float
    forms: Mapping[str, tuple[str, tuple[tuple[str, str, str], ...]]]


@dataclass(frozen=True, slots=True)
class Field:
    """One question: `value` in words, or None where it stays open; `why` says on what it stands, or what would fill it."""

    id: str
    asks: str
    value: str | None
    why: str


@dataclass(frozen=True, slots=True)
class Form:
    """One form for one person on one day."""

    rules: Rules
    kind: str
    title: str
    at: date
    pseudonym: str
    invented: bool
    fields: tuple[Field, ...]

    @property
    def open(self) -> tuple[Field, ...]:
        """What a person must still fill in."""
        return tuple(field for field in self.fields if field.value is None)


@cache
def editions() -> Mapping[str, Rules]:
    """All rules of knowledge/commissioning, by id."""
    folder = importlib.resources.files("ranvier.knowledge") / "commissioning"
    found = {}
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if file.name.endswith(".yaml"):
            one = _rules(yaml.load(file.read_text("utf-8"), yaml.CSafeLoader))
            found[one.id] = one
    return found


def _rules(data: Mapping[str, Any]) -> Rules:
    return Rules(
        id=data["id"],
        title=data["title"],
        country=data["country"],
        edition=data["edition"],
        rules=tuple(Rule(r["id"], r["says"], r["source"], r["status"]) for r in data["rules"]),
        improved=int(data["numbers"]["improved_measures"]["value"]),
        review_months=float(data["numbers"]["review_months"]["value"]),
        forms={
            kind: (form["title"], tuple((f["id"], f["asks"], f["from"]) for f in form["fields"]))
            for kind, form in data["forms"].items()
        },
    )


@dataclass(frozen=True, slots=True)
class _Known:
    """What the fillers read."""

    record: Record
    knowledge: Knowledge
    at: date
    rules: Rules
    current: InForce | None
    assessment: Assessment | None
    diagnosis: Diagnosis | None


Filled = tuple[str | None, str]


def fill(
    name: str,
    kind: str,
    record: Record,
    knowledge: Knowledge,
    *,
    at: date,
    assessment: Assessment | None = None,
    diagnosis: Diagnosis | None = None,
) -> Form:
    """The form of these rules for this person on this day.

    assessment, diagnosis : left out, what would come from them stays open

    Raises
    ------
    KeyError : there are no such rules, or they have no such form
    """
    rules = editions()[name]
    title, questions = rules.forms[kind]
    then, _ = until(record, at)
    current = in_force(then, knowledge, at)
    known = _Known(then, knowledge, at, rules, current if isinstance(current, InForce) else None, assessment, diagnosis)
    fields = []
    for id_, asks, source in questions:
        value, why = FILLERS[source](known)
        fields.append(Field(id_, asks, value, why))
    return Form(rules, kind, title, at, record.person.pseudonym, record.invented, tuple(fields))


# ------------------------------------------------------------------------------------------- what fills a field


def _ask(known: _Known) -> Filled:
    return None, "to be filled in by a person"


def _pseudonym(known: _Known) -> Filled:
    return known.record.person.pseudonym, "record; the name stays with the clinic"


def _sex_and_birth(known: _Known) -> Filled:
    p = known.record.person
    if p.sex is None or p.birth_year is None:
        return None, "record person.sex and person.birth_year"
    return f"{p.sex}, {p.birth_year}", "record"


def _weight(known: _Known) -> Filled:
    weights = sorted(known.record.person.weights, key=lambda w: w.on)
    if not weights:
        return None, "record a weight with its day"
    last = weights[-1]
    height = known.record.person.height_cm
    tall = "" if height is None else f", {height:g} cm"
    return f"{last.kg:g} kg{tall}", f"weighed on {last.on.isoformat()}"


def _diagnosis(known: _Known) -> Filled:
    verdicts = () if known.diagnosis is None else known.diagnosis.judgement.criteria
    leading = next((v for v in verdicts if v.class_ not in ("unknown", "not met")), None)
    if leading is None:
        best = next(
            (f"could be {v.could_be} ({v.title})" for v in verdicts if v.could_be not in ("unknown", "not met")), ""
        )
        return None, f"the criteria cannot be judged from this record{'; ' + best if best else ''}"
    return f"MMN, {leading.class_}", f"{leading.title}"


def _block(known: _Known) -> Filled:
    found = () if known.diagnosis is None else known.diagnosis.conduction
    said = []
    for study in found:
        on = "no day" if study.studies.on is None else study.studies.on.isoformat()
        for segment in study.blocks(BLOCK_RULE):
            said.append(f"{segment.side} {segment.nerve}, {segment.from_} to {segment.to} ({on})".replace("_", " "))
    if said:
        return "; ".join(said[:4]), "at least probable by EFNS/PNS 2010, from the nerve studies of the record"
    if found:
        return "none in what was studied", "nerve studies of the record, by EFNS/PNS 2010"
    return None, "enter the nerve conduction study, or say which nerve"


def _anti_gm1(known: _Known) -> Filled:
    own = [s for s in known.record.investigations if s.what.startswith("anti_gm1")]
    if not own:
        return None, "record the result under investigations"
    last = own[-1]
    on = "" if last.on is None else f", {last.on.isoformat()}"
    return f"{'positive' if last.present else 'negative'}{on}", "record"


def _disability(known: _Known) -> Filled:
    scores = [s for s in known.record.strength if s.measure in ("onls", "mmn_rods") and s.values]
    if not scores:
        return None, "record ONLS or MMN-RODS, and which activities are hindered"
    said = [f"{s.measure.replace('_', '-').upper()} {s.values[-1].value:g}" for s in scores]
    return ", ".join(said), f"last values up to {known.at.isoformat()}; describe the activities"


def _baseline(known: _Known) -> Filled:
    found = [(s, _before(s, known)) for s in known.record.strength]
    said = [f"{_name(s)} {value:g} {_unit(s)}" for s, value in found if value is not None]
    if not said:
        return None, "no measure lies before the first course: measure before treatment, or find old values"
    more = "" if len(said) >= known.rules.improved else f"; at least {known.rules.improved} are asked for"
    return "; ".join(said), f"median within {RECENT} days before the first course{more}"


def _product(known: _Known) -> Filled:
    if known.current is None:
        return None, "no regimen in force can be read from the record"
    product = known.knowledge.products.get(known.current.product)
    return (product.name if product else known.current.product), "last course"


def _dose(known: _Known) -> Filled:
    c = known.current
    if c is None:
        return None, "no regimen in force can be read from the record"
    weights = sorted(known.record.person.weights, key=lambda w: w.on)
    days = len(c.daily)
    over = f" over {days} days" if days > 1 else " in 1 day"
    if not weights:
        return f"{c.grams:g} g{over}; per kg open (no weight)", "courses as given"
    return f"{c.grams:g} g ({c.grams / weights[-1].kg:.2f} g/kg){over}", "courses as given"


def _monthly(known: _Known) -> Filled:
    weights = sorted(known.record.person.weights, key=lambda w: w.on)
    if known.current is None or not weights:
        return None, "needs a regimen in force and a weight"
    per_month = known.current.grams / known.current.interval_days * MONTH
    return (
        f"{per_month / weights[-1].kg:.2f} g/kg",
        f"{known.current.grams:g} g every {known.current.interval_days:g} days",
    )


def _interval(known: _Known) -> Filled:
    if known.current is None:
        return None, "no regimen in force can be read from the record"
    return f"{known.current.interval_days:g} days", "courses as given"


def _given(known: _Known) -> Filled:
    courses = courses_of(known.record, known.knowledge.monitoring)
    if not courses:
        return None, "no course is recorded"
    year = sum(i.grams for i in known.record.infusions if day_of(i.start) > known.at - timedelta(days=365))
    since = courses[0].first.isoformat()
    before = known.record.before
    if before.kind == "regimen":
        since = before.since.isoformat() if before.since else f"before {since}"
    elif before.kind == "unknown":
        since = f"{since} or earlier (not known)"
    return f"{since}; {len(courses)} courses recorded; {year:g} g in 365 days", "record"


def _change(known: _Known) -> Filled:
    said = []
    for series in known.record.strength:
        before, now = _before(series, known), _now(series, known)
        if before is None and now is None:
            continue
        then = "open" if before is None else f"{before:g}"
        last = "open" if now is None else f"{now:g}"
        said.append(f"{_name(series)} {then} → {last} {_unit(series)}")
    if not said:
        return None, "record the measures before treatment and now"
    return "; ".join(said), f"medians within {RECENT} days before the first course, and of the newest values"


def improvements(known: _Known) -> dict[str, Truth]:
    """Each kind of measure: gained at least what counts, did not, or cannot be told (sources disagree, or a value is missing)."""
    found: dict[str, Truth] = {}
    for series in known.record.strength:
        gained = _gained(series, known)
        told = found.get(series.measure)
        # One side that gained is a gain of the measure; not known is not no.
        if told is None or gained is Truth.MET or (told is Truth.NOT_MET and gained is Truth.UNKNOWN):
            found[series.measure] = gained if told is not Truth.MET else told
    return found


def _gained(series: StrengthSeries, known: _Known) -> Truth:
    before, now = _before(series, known), _now(series, known)
    scale = _scale(series, known.knowledge)
    if before is None or now is None or scale is None:
        return Truth.UNKNOWN
    needed = [
        c.value * (before if c.unit == "1" else 1.0) for c in scale.smallest_change if c.unit in ("1", series.unit)
    ]
    if not needed:
        return Truth.UNKNOWN
    gain = scale.sign * (now - before)
    if gain >= max(needed):
        return Truth.MET
    return Truth.NOT_MET if gain < min(needed) else Truth.UNKNOWN


def _improved(known: _Known) -> Filled:
    found = improvements(known)
    met = [name for name, truth in found.items() if truth is Truth.MET]
    open_ = [name for name, truth in found.items() if truth is Truth.UNKNOWN]
    words = f"improved: {_listed(met) or 'none'}; cannot be told: {_listed(open_) or 'none'}"
    if len(met) >= known.rules.improved:
        return f"yes, {len(met)} of at least {known.rules.improved}", words
    if found and len(met) + len(open_) < known.rules.improved:
        measured = "" if len(found) >= known.rules.improved else f"; only {len(found)} kinds of measure were taken"
        return (None if measured else f"no, {len(met)} of at least {known.rules.improved}"), words + measured
    return None, words


def _response(known: _Known) -> Filled:
    watch = None if known.assessment is None else known.assessment.treatment.watch
    if watch is None or watch.response.name == "not_observed":
        return None, "no response could be fitted yet"
    return (
        f"{watch.response.name.replace('_', ' ')}, gain at the peak {100 * watch.response.gain:.0f} %",
        f"fitted; probability of the class {watch.response.probability:.2f}",
    )


def _reductions(known: _Known) -> Filled:
    tried = [
        d for d in known.record.decisions if d.step in ("reduce_dose", "lengthen_interval") and d.decided != "refused"
    ]
    if not tried:
        return None, "no reduction stands in the decision log: say whether one was tried, or why not"
    said = [f"{d.on.isoformat()}: {d.outcome.result.replace('_', ' ') if d.outcome else 'under way'}" for d in tried]
    return "; ".join(said), "decision log"


def _withdrawals(known: _Known) -> Filled:
    tried = [d for d in known.record.decisions if d.step == "withdrawal_trial" and d.decided != "refused"]
    if not tried:
        return None, "no withdrawal stands in the decision log: say whether one was tried, or why not"
    failed = sum(d.outcome is not None and d.outcome.result in ("failure", "stopped_early") for d in tried)
    return f"{len(tried)} tried, {failed} failed", "decision log"


def _reactions(known: _Known) -> Filled:
    found = [(day_of(i.start), r) for i in known.record.infusions for r in i.reactions]
    if not found:
        return None, "none is recorded; whether there were none, a person must say"
    said = [f"{on.isoformat()} {r.what}{'' if r.grade is None else f' (grade {r.grade})'}" for on, r in found[-5:]]
    return "; ".join(said), f"record, the last {len(said)} of {len(found)}"


def _review(known: _Known) -> Filled:
    due = known.at + timedelta(days=round(known.rules.review_months * MONTH))
    return f"by {due.isoformat()}", f"{known.rules.review_months:g} months from this form"


FILLERS: Mapping[str, Callable[[_Known], Filled]] = {
    "ask": _ask,
    "pseudonym": _pseudonym,
    "sex_and_birth": _sex_and_birth,
    "weight": _weight,
    "diagnosis": _diagnosis,
    "block": _block,
    "anti_gm1": _anti_gm1,
    "disability": _disability,
    "baseline": _baseline,
    "product": _product,
    "dose": _dose,
    "monthly": _monthly,
    "interval": _interval,
    "given": _given,
    "change": _change,
    "improved": _improved,
    "response": _response,
    "reductions": _reductions,
    "withdrawals": _withdrawals,
    "reactions": _reactions,
    "review": _review,
}
"""What fills a field, by the name in the data; each gives words or None, and why."""


def _first_course(known: _Known) -> date | None:
    """The first course of a life; None where treatment began before the record, or nobody knows."""
    if known.record.before.kind != "none" or not known.record.infusions:
        return None
    return min(day_of(i.start) for i in known.record.infusions)


def _before(series: StrengthSeries, known: _Known) -> float | None:
    first = _first_course(known)
    if first is None:
        untreated = known.record.before.kind == "none" and not known.record.infusions
        return _now(series, known) if untreated else None
    own = [v.value for v in series.values if 0 <= (first - day_of(v.at)).days <= RECENT]
    return float(median(own[-NEWEST:])) if own else None


def _now(series: StrengthSeries, known: _Known) -> float | None:
    own = [v.value for v in series.values if 0 <= (known.at - day_of(v.at)).days <= RECENT]
    return float(median(own[-NEWEST:])) if own else None


def _scale(series: StrengthSeries, knowledge: Knowledge) -> Scale | None:
    for key in (series.variant, series.device, series.measure):
        if key is not None and key in knowledge.scales:
            return knowledge.scales[key]
    return None


def _name(series: StrengthSeries) -> str:
    return f"{series.side + ' ' if series.side else ''}{series.measure.replace('_', ' ')}"


def _unit(series: StrengthSeries) -> str:
    return "" if series.unit == "{score}" else series.unit


def _listed(names: list[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in names)
