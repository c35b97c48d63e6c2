"""Letters from an assessment: clinic letter, infusion sheet, letter to the patient. Words and order only; no clinical rule.

Each gives a `Letter`, which `letter_html` and `letter_pdf` set.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ranvier.decision.forms import Form
from ranvier.decision.nouns import Assessment, Regimen
from ranvier.decision.starting import Start, day_of
from ranvier.evidence.nouns import Knowledge
from ranvier.record.nouns import Record, StrengthSeries
from ranvier.report import answer as answers
from ranvier.report import charts, svg
from ranvier.report import letter_words as w
from ranvier.report.answer import as_now, chosen
from ranvier.report.letter_nouns import Block, Heading, Items, Letter, Pairs, Picture, Sign, Table, Text, running_text
from ranvier.report.reading_age import reading_age
from ranvier.report.words import Words, fixed, number

LATEST = 8  # events named in a clinic letter
BLANK_ROWS = 6  # rows to write into, at the most, where the days are many


@dataclass(frozen=True, slots=True)
class Person:
    """Who a letter is about and who writes it; empty where a command line does not know.

    name : as it stands on the letter; number : of the hospital; site : name and address, one line each
    """

    name: str
    number: str = ""
    site: tuple[str, ...] = ()
    writer: str = ""


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided, in words, with its day; regimen : what will be given."""

    said: str
    day: date
    regimen: Regimen | None = None


def clinic(
    assessment: Assessment,
    record: Record,
    knowledge: Knowledge,
    language: str = "en",
    *,
    person: Person | None = None,
    decided: Decided | None = None,
    picture: bool = True,
) -> Letter:
    """The letter to colleagues: the answer first, then what it stands on, what is given, what was measured, what was decided."""
    words = Words(knowledge, language, assessment)
    who = person or Person(record.person.pseudonym)
    told = answers.write(assessment, words)

    def t(key: str, **facts: object) -> str:
        return w.say(language, f"clinic.{key}", **facts)

    blocks: list[Block] = [Heading(t("answer")), Text(w.decimals(language, told.headline), "lead")]
    course = answers.course(assessment, words)
    blocks += [Text(w.decimals(language, line)) for line in (*told.certainty, course) if line]
    if told.beside:
        blocks += [Heading(t("beside")), Items(tuple(w.decimals(language, line) for line in told.beside))]
    blocks += [Heading(t("treatment")), Pairs(tuple(_treatment(assessment, record, words, language)))]
    causes = _causes(record, assessment.at, words, language)
    if causes:
        blocks += [Heading(t("causes")), Items(tuple(causes))]
    rows = [_measured(series, words, language) for series in record.strength if series.values]
    blocks.append(Heading(t("measured")))
    heads = tuple(w.load("letters", language)["clinic"]["heads"])
    blocks.append(Table("", heads, tuple(rows), numeric=(1,)) if rows else Text(t("measured_none")))
    if picture and assessment.treatment.posterior is not None:
        drawn = svg.alone(
            charts.timeline(assessment, words, charts.WIDE),
            key="line",
            title=words.text("figures", "recent_title"),
            description=words.text("figures", "recent"),
        )
        blocks += [Heading(t("picture")), Picture(drawn, words.text("figures", "recent").strip())]
    blocks.append(Heading(t("decided")))
    blocks.append(Text(f"{decided.said} ({words.date(decided.day)})" if decided else t("decided_none")))
    blocks += [Sign(t("written") + (f" {who.writer}" if who.writer else "")), Text(t("closing"), "quiet")]
    return _letter("clinic", t("title"), assessment, words, language, who, blocks)


def _treatment(assessment: Assessment, record: Record, words: Words, language: str) -> list[tuple[str, str]]:
    def t(key: str, **facts: object) -> str:
        return w.say(language, f"clinic.{key}", **facts)

    treatment = assessment.treatment
    now = as_now(treatment.proposal)
    pairs = [(t("now"), _plan(now.regimen, words) if now and now.regimen.grams > 0 else t("none"))]
    given = [i for i in record.infusions if _day(i.start) <= assessment.at]
    if given:
        last = given[-1]
        said = t("last_said", grams=number(last.grams, 4), day=words.date(_day(last.start)))
        pairs.append((t("last"), f"{said}, {words.product(last.product)} {last.route}"))
    if now and now.regimen.grams > 0 and treatment.watch and treatment.watch.last:
        due = treatment.watch.last + timedelta(days=now.regimen.interval_days)
        pairs.append((t("next"), words.date(due)))
    weights = [x for x in record.person.weights if x.on <= assessment.at]
    if weights:
        kg = w.decimals(language, number(weights[-1].kg, 4))
        pairs.append((w.say(language, "infusion.weight"), t("weight", kg=kg, day=words.date(weights[-1].on))))
    return [(name, w.decimals(language, said)) for name, said in pairs]


def _plan(regimen: Regimen, words: Words) -> str:
    if regimen.grams <= 0:
        return words.plan(regimen)
    return f"{words.plan(regimen)}, {words.product(regimen.product)} {regimen.route}"


def _causes(record: Record, at: date, words: Words, language: str) -> list[str]:
    recent = [e for e in record.events if e.happened and at - timedelta(days=92) <= e.on <= at][-LATEST:]
    return [
        w.say(language, "clinic.cause", what=words.word("cause", e.what), day=words.date(e.on))
        + (f": {e.note}" if e.note else "")
        for e in recent
    ]


def _measured(series: StrengthSeries, words: Words, language: str) -> tuple[str, ...]:
    """Measure, n, first, last and best value of a series. Best is by the direction of its scale."""
    scale = words.knowledge.scales.get(series.device or series.measure)
    sign = scale.sign if scale else 1
    values = sorted(series.values, key=lambda v: (_day(v.at), str(v.at)))
    best = max(values, key=lambda v: sign * v.value)
    name = words.word("measure", series.measure)
    side = f"{words.word('side', series.side)} " if series.side else ""
    device = f", {scale.name}" if series.device and scale else ""
    unit = words.strength_unit(series.unit)

    def said(value: float, at: date) -> str:
        shown = w.decimals(language, number(value, 4))
        return w.say(language, "clinic.value_on", value=shown, unit=unit, day=words.date(_day(at)))

    first, last = values[0], values[-1]
    shown = (said(value.value, value.at) for value in (first, last, best))
    return (f"{side}{name}{device}", str(len(values)), *shown)


# ---- the infusion sheet ----------------------------------------------------------------------------------------------


def infusion(
    regimen: Regimen | None,
    due: date | None,
    knowledge: Knowledge,
    language: str = "en",
    *,
    at: date,
    person: Person,
    weight: float | None = None,
    start: Start | None = None,
    invented: bool = False,
    foot: str = "",
) -> Letter:
    """What the nurse needs at the bedside: what is to be given, how fast, and where to write what was given.

    Parameters
    ----------
    regimen : the one that was decided, else the one in force; None gives a sheet that says so
    weight : [kg]; start : rates of the same product for this person, whose highest rate is shown
    """
    words = Words(knowledge, language)
    texts = w.load("letters", language)["infusion"]

    def t(key: str, **facts: object) -> str:
        return w.say(language, f"infusion.{key}", **facts)

    blocks: list[Block] = []
    if regimen is None or regimen.grams <= 0:
        blocks.append(Text(t("no_plan"), "warn"))
        days = 1
    else:
        days = max(1, regimen.days)
        plan = w.decimals(language, words.plan(regimen))
        blocks.append(Text(t("for", plan=plan, day=words.date(due) if due else words.unknown), "lead"))
        pairs = [
            (t("product"), words.product(regimen.product)),
            (t("route"), words.word("route", regimen.route)),
            (t("dose"), w.decimals(language, words.grams(regimen.grams))),
            (t("vials"), w.decimals(language, words.vials(regimen)) or t("vials_none")),
            (t("spread"), t("one_day") if days == 1 else t("days", n=days)),
            (t("weight"), words.unknown if weight is None else w.decimals(language, f"{number(weight, 4)} kg")),
        ]
        blocks += [Heading(t("give")), Pairs(tuple(pairs))]
        blocks += _rates(regimen, start, words, language)
    rows = tuple((str(n), *[""] * (len(texts["heads"]) - 1)) for n in range(1, min(days, BLANK_ROWS) + 1))
    blocks += [Heading(t("given")), Table("", tuple(texts["heads"]), rows, tall=True)]
    blocks += [Heading(t("reaction")), Items(tuple(texts["reactions"]), "check"), Text(t("stop"), "warn")]
    blocks.append(Sign(t("signed")))
    return Letter(
        kind="infusion",
        language=language,
        title=t("title"),
        day=words.date(at),
        head=_head(person, language),
        blocks=tuple(blocks),
        foot=foot or w.say(language, "ui.notice"),
        invented=w.say(language, "ui.invented") if invented else "",
    )


def _rates(regimen: Regimen, start: Start | None, words: Words, language: str) -> list[Block]:
    """Limits of the rate and its steps on each day of this dose, as `decision.starting` counts them for this person."""

    def t(key: str, **facts: object) -> str:
        return w.say(language, f"infusion.{key}", **facts)

    blocks: list[Block] = [Heading(t("rate"))]
    begun = start.beginning if start else None
    if regimen.route != "IV" or begun is None or begun.product != regimen.product:
        return [*blocks, Text(t("rate_none"))] if regimen.route == "IV" else []
    if begun.ceiling.findings:
        blocks += [Items(tuple(words.say(f) for f in begun.ceiling.findings))]
    day = day_of(start, words.knowledge, regimen.grams / max(1, regimen.days)) if start else None
    if day is None or not day.steps:
        return [*blocks, Text(t("rate_none"))]
    used = begun.weights.kg
    rows = tuple(
        (
            fixed(s.begins, 0),
            w.decimals(language, number(s.ml_per_kg_h, 3)),
            fixed(s.ml_per_h, 0),
            "" if s.minutes is None else fixed(s.minutes, 0),
            "" if s.ml is None else fixed(s.ml, 0),
        )
        for s in day.steps
    )
    caption = t(
        "rate_day",
        kg="" if used is None else w.decimals(language, number(used, 4)),
        grams=w.decimals(language, number(day.grams, 4)),
        ml=fixed(day.ml, 0),
    )
    heads = tuple(w.load("letters", language)["infusion"]["rate_heads"])
    return [*blocks, Table(caption, heads, rows, numeric=tuple(range(5)))]


# ---- the commissioning form ------------------------------------------------------------------------------------------


def commissioning(form: Form, knowledge: Knowledge, language: str = "en", *, person: Person, foot: str = "") -> Letter:
    """A funder's form: each question with its answer, or with a line to write on and what would fill it.

    The questions and rules stand in the funder's own words; only the frame follows `language`.
    """
    words = Words(knowledge, language)

    def t(key: str, **facts: object) -> str:
        return w.say(language, f"commissioning.{key}", **facts)

    n, of = len(form.open), len(form.fields)
    lead = t("open", n=n, of=of) if n else t("filled", of=of)
    known = tuple((field.asks, field.value, field.why) for field in form.fields if field.value is not None)
    heads = tuple(w.load("letters", language)["commissioning"]["heads"])
    blocks: list[Block] = [Text(form.title, "lead"), Text(t("edition", edition=form.rules.edition)), Text(lead)]
    if known:
        blocks += [Heading(t("answered")), Table("", heads, known)]
    if form.open:
        left = tuple((field.asks, "", field.why) for field in form.open)
        blocks += [Heading(t("left")), Table("", heads, left, tall=True)]
    rules = [
        rule.says if rule.status in ("read", "computed") else f"{rule.says} [{words.word('status', rule.status)}]"
        for rule in form.rules.rules
    ]
    blocks += [Heading(t("rules")), Items(tuple(rules)), Text(t("check"), "warn"), Sign(t("signed"))]
    sources = dict.fromkeys(rule.source for rule in form.rules.rules if rule.source in knowledge.sources)
    return Letter(
        kind="commissioning",
        language=language,
        title=form.rules.title,
        day=words.date(form.at),
        head=_head(person, language),
        blocks=tuple(blocks),
        foot=foot or w.say(language, "ui.notice"),
        invented=w.say(language, "ui.invented") if form.invented else "",
        sources=tuple(knowledge.sources[id].citation for id in sources if id),
        sources_title=w.say(language, "ui.sources"),
    )


# ---- the letter to the patient ---------------------------------------------------------------------------------------


def patient(
    assessment: Assessment, record: Record, knowledge: Knowledge, language: str = "en", *, person: Person | None = None
) -> Letter:
    """The letter a patient can read: how strength is doing, what comes next, what to ask; no advice on doses."""
    words = Words(knowledge, language, assessment)
    who = person or Person(record.person.pseudonym)
    treatment = assessment.treatment
    texts = w.load("letters", language)["patient"]

    def t(key: str, **facts: object) -> str:
        return w.say(language, f"patient.{key}", **facts)

    blocks: list[Block] = [Text(f"{t('hello', who=who.name)} {t('intro')}"), Heading(t("see"))]
    ask: list[str] = []
    watch = treatment.watch
    n = sum(len(s.values) for s in record.strength)
    if treatment.posterior is None or watch is None or treatment.posterior.basis.value != "measured":
        blocks.append(Text(t("none"), "lead"))
        ask.append(t("ask_few"))
    else:
        lead, sure, first = _doing(assessment, t)
        blocks.append(Text(lead, "lead"))
        blocks += [Text(sure)] if sure else []
        blocks.append(Text(t("n", n=n)))
        ask.append(first)
        names = {f.name for top in watch.findings for f in top.walk()}
        falls = "trend.decline.likely" in names
        if falls:
            ask.append(t("ask_down"))
            blocks.append(Text(t("down")))
        elif "trend.mostly_prior" not in names:
            blocks.append(Text(t("steady")))
        blocks.append(Text(t("chance")))
    blocks += [Heading(t("treatment")), *(Text(line) for line in _given(assessment, record, words, language))]
    blocks += [Heading(t("do")), Items(tuple(texts["do_items"]), "do")]
    blocks += [Heading(t("ask")), Items((*ask, t("ask_work"), t("ask_side")))]
    blocks += [Heading(t("call")), Items(tuple(texts["call_items"]), "dont")]
    made = _letter("patient", t("title"), assessment, words, language, who, blocks)
    age = reading_age(running_text(made), language)
    closing: list[Block] = [Sign(t("closing")), Text(t("reading", age=round(age.age), formula=age.formula), "quiet")]
    return _letter("patient", t("title"), assessment, words, language, who, [*blocks, *closing])


def _doing(assessment: Assessment, t: object) -> tuple[str, str, str]:
    """What is said first, how sure it is, and the question that goes with it."""
    assert callable(t)
    watch = assessment.treatment.watch
    assert watch is not None
    off = watch.wearing_off
    if watch.response.name == "none" and watch.response.probability >= 0.5:
        return t("little"), t("sure", n=_tenths(watch.response.probability)), t("ask_few")
    if off is None:
        return t("off_unknown"), "", t("ask_few")
    if off.probability >= 0.5:
        day = round(off.day) if off.day is not None and off.day >= 1 and off.p_crosses >= 0.5 else None
        lead = t("off_yes") if day is None else t("off_yes_day", day=day)
        return lead, t("sure", n=_tenths(off.probability)), t("ask_off")
    return t("off_no"), t("sure", n=_tenths(1 - off.probability)), t("ask_steady")


def _tenths(p: float) -> int:
    """A chance in tenths, never none and never all."""
    return min(9, max(1, round(10 * p)))


def _given(assessment: Assessment, record: Record, words: Words, language: str) -> list[str]:
    def t(key: str, **facts: object) -> str:
        return w.say(language, f"patient.{key}", **facts)

    now, watch = as_now(assessment.treatment.proposal), assessment.treatment.watch
    given = [i for i in record.infusions if _day(i.start) <= assessment.at]
    last = [t("last", day=words.date(_day(given[-1].start)))] if given else []
    if now is None or now.regimen.grams <= 0:
        return [t("now_stopped" if given else "now_none"), *last, t("alone")]
    grams, name = w.decimals(language, number(now.regimen.grams, 4)), words.product(now.regimen.product)
    key = "now" if now.regimen.route == "IV" else "now_skin"
    lines = [t(key, grams=grams, product=name, days=now.regimen.interval_days), *last]
    if watch and watch.last:
        due = watch.last + timedelta(days=now.regimen.interval_days)
        lines.append(t("next" if due >= assessment.at else "next_late", day=words.date(due)))
    return [*lines, t("alone")]


# ---- what all have in common -----------------------------------------------------------------------------------------


def in_force(assessment: Assessment) -> tuple[Regimen | None, date | None]:
    """The regimen in force and the day of its next course; None where the record shows none."""
    now, watch = as_now(assessment.treatment.proposal), assessment.treatment.watch
    if now is None or now.regimen.grams <= 0:
        return None, None
    due = watch.last + timedelta(days=now.regimen.interval_days) if watch and watch.last else None
    return now.regimen, max(due, assessment.at) if due else None


def proposed(assessment: Assessment) -> Regimen | None:
    """What is proposed; None where nothing is."""
    best = chosen(assessment.treatment.proposal)
    return best.regimen if best else None


def stamp(assessment: Assessment, language: str) -> str:
    """From what an answer was made."""
    return w.say(
        language, "ui.stamp", record=assessment.record_digest[:12], knowledge=assessment.knowledge_version[:12],
        software=assessment.software_version, seed=assessment.seed,
    )  # fmt: skip


def _letter(
    kind: str, title: str, assessment: Assessment, words: Words, language: str, who: Person, blocks: list[Block]
) -> Letter:
    return Letter(
        kind=kind,
        language=language,
        title=title,
        day=words.date(assessment.at),
        head=_head(who, language),
        blocks=tuple(blocks),
        foot=f"{w.say(language, 'ui.notice')} {stamp(assessment, language)}" if kind != "patient" else "",
        invented=w.say(language, "ui.invented") if assessment.invented else "",
    )


def _head(who: Person, language: str) -> tuple[str, ...]:
    return tuple(line for line in (*who.site, who.name, who.number) if line)


def _day(at: date | datetime) -> date:
    return at.date() if isinstance(at, datetime) else at
