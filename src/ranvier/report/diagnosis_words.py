"""The diagnosis on a terminal: red flags first, then the answer, criteria, the differential, nerves, what next."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator

from ranvier.decision.diagnosed import Candidate, Diagnosis, SegmentFinding, Verdict
from ranvier.evidence.nouns import Knowledge
from ranvier.report.words import Words, retold

WIDTH = 80
CANDIDATES = 5
REASONS = 4
NERVES = 6
LEAST = 0.02  # a condition less likely than this is not shown on the screen
SHOWN = 0.3  # a nerve less likely than this is not shown
BAR = 12  # columns


def headline(diagnosis: Diagnosis, words: Words) -> str:
    """The answer in a sentence: what leads, what the leading criteria say, and whether a red flag is up."""
    judgement = diagnosis.judgement
    first, leads = judgement.differential[0], judgement.criteria[0]
    stops = sum(flag.grade == "stop" for flag in judgement.red_flags)
    warned = ""
    if stops:
        warned = " " + words.text("judgement", "one_stop" if stops == 1 else "stops", n=stops)
    class_ = f"{leads.title}: {_class(leads, words)}."
    if judgement.thin:
        told = words.text("judgement", "thin")
    elif first.probability >= 0.5:
        told = words.text("judgement", "leads", name=first.name, chance=words.chance(first.probability))
    else:
        second = judgement.differential[1]
        told = words.text(
            "judgement", "nobody_leads", first=first.name, first_chance=words.odds(first.probability),
            second=second.name, second_chance=words.odds(second.probability),
        )  # fmt: skip
    return f"{told} {class_}{warned}"


def render(diagnosis: Diagnosis, knowledge: Knowledge, language: str = "en") -> str:
    """The whole answer as text of at most 80 columns."""
    words = Words(knowledge, language)
    diagnosis = retold(diagnosis, words)
    blocks = [
        _title(diagnosis, words),
        _flags(diagnosis, words),
        _fold(headline(diagnosis, words)),
        _criteria(diagnosis, words),
        _differential(diagnosis, words),
        _nerves(diagnosis, words),
        _segments(diagnosis, words),
        _next(diagnosis, words),
        _plan(diagnosis, words),
        _unverified(diagnosis, words),
        _fold(words.text("ui", "notice")),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _fold(text: str, first: str = "", rest: str | None = None) -> str:
    return textwrap.fill(
        " ".join(text.split()),
        WIDTH,
        initial_indent=first,
        subsequent_indent=" " * len(first) if rest is None else rest,
        break_on_hyphens=False,
    )


def _title(diagnosis: Diagnosis, words: Words) -> str:
    invented = f" · {words.text('ui', 'invented')}" if diagnosis.invented else ""
    setting = diagnosis.judgement.setting.replace("_", " ")
    said = _text(words, "title", who=diagnosis.pseudonym, day=words.date(diagnosis.at), setting=setting)
    return _fold(f"{said}{invented}")


def _text(words: Words, name: str, /, **facts: object) -> str:
    return words.text("terminal", name, **facts)


def _flags(diagnosis: Diagnosis, words: Words) -> str:
    lines = []
    for flag in diagnosis.judgement.red_flags:
        mark = _text(words, "stop" if flag.grade == "stop" else "slow") + "  "
        lines.append(_fold(f"{flag.says} {flag.do}", mark))
    return "\n".join(lines)


def class_word(name: str, words: Words) -> str:
    """The word of a class of a set of criteria."""
    return str(words.texts["judgement"]["class"].get(name, name))


def _class(verdict: Verdict, words: Words) -> str:
    open_ = verdict.could_be not in (verdict.class_, "not met")
    facts = {"class": class_word(verdict.class_, words), "could": class_word(verdict.could_be, words)}
    return words.text("judgement", "verdict_open" if open_ else "verdict", **facts)


def _criteria(diagnosis: Diagnosis, words: Words) -> str:
    lines = [_text(words, "criteria")]
    for verdict in diagnosis.judgement.criteria:
        mark = " *" if verdict.unverified else ""
        lines.append(f"  {verdict.title:<15} {_class(verdict, words)}{mark}")
    leads = diagnosis.judgement.criteria[0]
    if leads.would_change:
        lines.append("  " + _text(words, "one_answer", title=leads.title))
    for change in leads.would_change[:REASONS]:
        yes, no = class_word(change.if_met, words), class_word(change.if_not_met, words)
        lines.append(_fold(_text(words, "change", says=change.says, yes=yes, no=no), "  - "))
    if any(v.unverified for v in diagnosis.judgement.criteria):
        lines.append("  * " + _text(words, "unchecked"))
    return "\n".join(lines)


def _differential(diagnosis: Diagnosis, words: Words) -> str:
    lines = [words.text("judgement", "differential")]
    for place, candidate in enumerate(diagnosis.judgement.differential[:CANDIDATES]):
        if place and candidate.probability < LEAST:
            break
        bar = "#" * max(1, round(candidate.probability * BAR))
        lines.append(_fold(candidate.name, f"  {words.per_cent(candidate.probability):>5} {bar:<{BAR}} "))
        if place < 2:
            lines += _reasons(candidate, words)
    return "\n".join(lines)


def _reasons(candidate: Candidate, words: Words) -> Iterator[str]:
    for word, weights in (("for", candidate.for_), ("against", candidate.against)):
        if weights:
            said = [
                _low(w.says, words)
                if w.truth.value == "met"
                else words.text("judgement", "not", says=_low(w.says, words))
                for w in weights[:REASONS]
            ]
            yield _fold("; ".join(said), f"        {_text(words, word):<8}")


def _low(text: str, words: Words) -> str:
    """A sentence inside a list begins small in English, but not an abbreviation."""
    if words.code != "en":
        return text
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def _nerves(diagnosis: Diagnosis, words: Words) -> str:
    found = diagnosis.localisation
    if found is None:
        return ""
    lines = [_text(words, "nerves")]
    for nerve in [n for n in found.nerves if n.probability >= SHOWN][:NERVES]:
        muscles = ", ".join(nerve.muscles_for).upper()
        name = words.text("ui", "sided", side=words.word("side", nerve.side), measure=nerve.name)
        lines.append(_fold(f"{words.per_cent(nerve.probability):>5} {name}: {muscles}", "  ", " " * 8))
    if len(lines) == 1:
        lines.append("  " + _text(words, "none"))
    best = found.explanations[:2]
    lines.append(
        _fold("; ".join(f"{e.title} {words.odds(e.probability)}" for e in best), f"  {_text(words, 'whole')} ")
    )
    return "\n".join(lines)


def _segments(diagnosis: Diagnosis, words: Words) -> str:
    rows = [s for study in diagnosis.conduction for s in study.segments if _telling(s)]
    if not diagnosis.conduction:
        return ""
    lines = [_text(words, "conduction")]
    texts = words.texts["judgement"]
    named, called = texts["rule"], texts["called"]
    waits: list[str] = []
    for segment in rows:
        change = segment.area_change if segment.area_change is not None else segment.amplitude_change
        what = words.text("judgement", "area" if segment.area_change is not None else "amplitude")
        fall = ""
        if change is not None:
            fall = f": {_text(words, 'falls' if change < 0 else 'grows', what=what, by=words.percent(abs(change)))}"
        said = "; ".join(
            f"{named.get(rule, rule)} {called[v.class_.value]}{'*' if v.provided else ''}"
            for rule, v in segment.verdicts.items()
        )
        lines.append(_fold(f"{segment.name}{fall} ({said})", "  ", "    "))
        waits += [p for v in segment.verdicts.values() for p in v.provided]
    for name in dict.fromkeys(waits):
        lines.append(_fold(str(texts["proviso"].get(name, name.replace("_", " "))), f"  * {_text(words, 'settle')} "))
    if not rows:
        total = sum(len(study.segments) for study in diagnosis.conduction)
        lines.append("  " + _text(words, "no_block", n=total))
    return "\n".join(lines)


def _telling(segment: SegmentFinding) -> bool:
    return any(v.class_.value in ("definite", "probable", "unknown") for v in segment.verdicts.values())


def _next(diagnosis: Diagnosis, words: Words) -> str:
    names = {c.condition: c.name for c in diagnosis.judgement.differential}
    lines = [words.text("judgement", "next")]
    for place, one in enumerate(diagnosis.judgement.next, start=1):
        lines.append(_fold(one.says, f"  {place}. "))
        told = [_text(words, "bit", x=words.number(one.bits, 2))]
        if one.class_could_become:
            facts = {"title": diagnosis.judgement.criteria[0].title, "class": class_word(one.class_could_become, words)}
            told.append(words.text("judgement", "class_could_become", **facts))
        if one.outcomes:
            asked = _question(diagnosis, one.outcomes[0].finding, words)
            yes, no = (f"{names[o.leading]} {words.per_cent(o.leading_probability)}" for o in one.outcomes)
            told.append(words.text("judgement", "if_met", question=asked, yes=yes, no=no))
        lines.append(_fold("; ".join(told), "     "))
    return "\n".join(lines) if len(lines) > 1 else ""


def _question(diagnosis: Diagnosis, finding: str, words: Words) -> str:
    stated = diagnosis.judgement.facts.get(finding)
    return _low(str(stated.because.facts.get("says", finding)), words) if stated else finding


def _plan(diagnosis: Diagnosis, words: Words) -> str:
    plan = diagnosis.judgement.plan
    says = plan.says
    if plan.kind == "other":
        says = words.text("judgement", "other_leads", name=diagnosis.judgement.differential[0].name)
    lines = [_fold(says)]
    if plan.kind not in ("settle", "think_again", "other"):  # there the steps are those named above
        for step in plan.steps:
            on = words.text("judgement", "now") if step.on is None else words.date(step.on)
            lines.append(_fold(f"{on}: {step.says}", "  - "))
    for title, findings in (("success", plan.success), ("would_change_plan", plan.would_change)):
        if findings:
            lines.append("  " + words.text("judgement", title))
            lines += [_fold(str(f.facts["says"]), "  - ") for f in findings]
    return "\n".join(lines)


def _unverified(diagnosis: Diagnosis, words: Words) -> str:
    found = diagnosis.judgement.unverified
    if not found:
        return ""
    lines = [words.text("judgement", "unverified")]
    by_set = Counter(str(f.facts["name"]).split(", ")[0] for f in found if f.name == "diagnosis.unverified_wording")
    lines += ["  - " + _text(words, "wording", title=title, n=n) for title, n in by_set.items()]
    numbers = [_low(str(f.facts["says"]), words) for f in found if f.name == "diagnosis.unverified_number"]
    if numbers:
        lines.append(_fold(_text(words, "how_often", which="; ".join(numbers)), "  - "))
    lines.append("  " + _text(words, "more"))
    return "\n".join(lines)
