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
        _flags(diagnosis),
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
    priors = f"priors: {diagnosis.judgement.setting.replace('_', ' ')}"
    return _fold(f"Diagnosis: {diagnosis.pseudonym} · {words.date(diagnosis.at)} · {priors}{invented}")


def _flags(diagnosis: Diagnosis) -> str:
    lines = []
    for flag in diagnosis.judgement.red_flags:
        mark = "!! STOP  " if flag.grade == "stop" else "!  SLOW  "
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
    lines = ["Criteria"]
    for verdict in diagnosis.judgement.criteria:
        mark = " *" if verdict.unverified else ""
        lines.append(f"  {verdict.title:<15} {_class(verdict, words)}{mark}")
    leads = diagnosis.judgement.criteria[0]
    if leads.would_change:
        lines.append(f"  One answer that would change {leads.title}:")
    for change in leads.would_change[:REASONS]:
        lines.append(_fold(f"{change.says}. If so: {change.if_met}; if not: {change.if_not_met}.", "  - "))
    if any(v.unverified for v in diagnosis.judgement.criteria):
        lines.append("  * some of its wording was not checked against the source")
    return "\n".join(lines)


def _differential(diagnosis: Diagnosis, words: Words) -> str:
    lines = ["What it could be"]
    for place, candidate in enumerate(diagnosis.judgement.differential[:CANDIDATES]):
        if place and candidate.probability < LEAST:
            break
        bar = "#" * max(1, round(candidate.probability * BAR))
        lines.append(_fold(candidate.name, f"  {words.per_cent(candidate.probability):>5} {bar:<{BAR}} "))
        if place < 2:
            lines += _reasons(candidate)
    return "\n".join(lines)


def _reasons(candidate: Candidate) -> Iterator[str]:
    for word, weights in (("for", candidate.for_), ("against", candidate.against)):
        if weights:
            said = [("" if w.truth.value == "met" else "not: ") + _low(w.says) for w in weights[:REASONS]]
            yield _fold("; ".join(said), f"        {word:<8}")


def _low(text: str) -> str:
    """A sentence inside a list begins small, but not an abbreviation."""
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def _nerves(diagnosis: Diagnosis, words: Words) -> str:
    found = diagnosis.localisation
    if found is None:
        return ""
    lines = ["Nerves that fit the weakness (with the nerve studies)"]
    for nerve in [n for n in found.nerves if n.probability >= SHOWN][:NERVES]:
        muscles = ", ".join(nerve.muscles_for).upper()
        lines.append(
            _fold(f"{words.per_cent(nerve.probability):>5} {nerve.side} {nerve.name}: {muscles}", "  ", " " * 8)
        )
    if len(lines) == 1:
        lines.append("  none stands out")
    best = found.explanations[:2]
    lines.append(_fold("; ".join(f"{e.title} {words.odds(e.probability)}" for e in best), "  as a whole: "))
    return "\n".join(lines)


def _segments(diagnosis: Diagnosis, words: Words) -> str:
    rows = [s for study in diagnosis.conduction for s in study.segments if _telling(s)]
    if not diagnosis.conduction:
        return ""
    lines = ["Nerve conduction"]
    texts = words.texts["judgement"]
    named, called = texts["rule"], texts["called"]
    waits: list[str] = []
    for segment in rows:
        change = segment.area_change if segment.area_change is not None else segment.amplitude_change
        what = "area" if segment.area_change is not None else "amplitude"
        fall = "" if change is None else f": {what} {'falls' if change < 0 else 'grows'} by {abs(change) * 100:.0f} %"
        said = "; ".join(
            f"{named.get(rule, rule)} {called[v.class_.value]}{'*' if v.provided else ''}"
            for rule, v in segment.verdicts.items()
        )
        lines.append(_fold(f"{segment.name}{fall} ({said})", "  ", "    "))
        waits += [p for v in segment.verdicts.values() for p in v.provided]
    for name in dict.fromkeys(waits):
        lines.append(_fold(str(texts["proviso"].get(name, name.replace("_", " "))), "  * to settle: "))
    if not rows:
        total = sum(len(study.segments) for study in diagnosis.conduction)
        lines.append(f"  no block in {total} segments")
    return "\n".join(lines)


def _telling(segment: SegmentFinding) -> bool:
    return any(v.class_.value in ("definite", "probable", "unknown") for v in segment.verdicts.values())


def _next(diagnosis: Diagnosis, words: Words) -> str:
    names = {c.condition: c.name for c in diagnosis.judgement.differential}
    lines = ["What would tell most next"]
    for place, one in enumerate(diagnosis.judgement.next, start=1):
        lines.append(_fold(one.says, f"  {place}. "))
        told = [f"{words.number(one.bits, 2)} bit"]
        if one.class_could_become:
            told.append(f"{diagnosis.judgement.criteria[0].title} could become {one.class_could_become}")
        if one.outcomes:
            asked = _question(diagnosis, one.outcomes[0].finding)
            yes, no = (f"{names[o.leading]} {words.per_cent(o.leading_probability)}" for o in one.outcomes)
            told.append(f"{asked}: if so, {yes}; if not, {no}")
        lines.append(_fold("; ".join(told), "     "))
    return "\n".join(lines) if len(lines) > 1 else ""


def _question(diagnosis: Diagnosis, finding: str) -> str:
    stated = diagnosis.judgement.facts.get(finding)
    return _low(str(stated.because.facts.get("says", finding))) if stated else finding


def _plan(diagnosis: Diagnosis, words: Words) -> str:
    plan = diagnosis.judgement.plan
    lines = [_fold(plan.says)]
    if plan.kind not in ("settle", "think_again", "other"):  # there the steps are those named above
        for step in plan.steps:
            on = "now" if step.on is None else words.date(step.on)
            lines.append(_fold(f"{on}: {step.says}", "  - "))
    for title, findings in (("Success is", plan.success), ("What would change this", plan.would_change)):
        if findings:
            lines.append(f"  {title}")
            lines += [_fold(str(f.facts["says"]), "  - ") for f in findings]
    return "\n".join(lines)


def _unverified(diagnosis: Diagnosis, words: Words) -> str:
    found = diagnosis.judgement.unverified
    if not found:
        return ""
    lines = ["Took part, but was not checked against its source"]
    by_set = Counter(str(f.facts["name"]).split(", ")[0] for f in found if f.name == "diagnosis.unverified_wording")
    lines += [f"  - {title}: {n} items of its wording" for title, n in by_set.items()]
    numbers = [_low(str(f.facts["says"])) for f in found if f.name == "diagnosis.unverified_number"]
    if numbers:
        lines.append(_fold("how often these occur where it leads: " + "; ".join(numbers), "  - "))
    lines.append("  Each is named in --json.")
    return "\n".join(lines)
