"""The diagnosis as one self-contained HTML page in the style of the plan: red flags, answer, what to do, why.

No network, no script, light and dark by the reader's setting, fit for print, from a phone to a desk. The same input
gives the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from markupsafe import Markup

from ranvier import __version__
from ranvier.decision.diagnose import body_of
from ranvier.decision.diagnosed import Candidate, Conduction, Diagnosis, SegmentFinding, Suggestion, Verdict, Weight
from ranvier.decision.nouns import Assessment
from ranvier.evidence.nouns import Knowledge
from ranvier.ground.findings import Finding
from ranvier.report import html
from ranvier.report.diagnosis_json import sources as sources_of_diagnosis
from ranvier.report.diagnosis_words import class_word, headline
from ranvier.report.html import DOUBTFUL, Table
from ranvier.report.words import MINUS, Words, retold

SHOWN = 0.01  # a condition less likely than this is only counted
NERVES = 0.2  # a nerve less likely than this is not listed
OPEN = 0.05  # what speaks for and against a condition less likely than this waits for a click
CANDIDATES = 6
MOST_CHANGES = 4
MOST_WEIGHTS = 8
FULL = math.log(50.0)  # a bar is full where a finding speaks as loud as one may


def to_html(diagnosis: Diagnosis, knowledge: Knowledge, *, language: str = "en") -> str:
    """The whole page as text (UTF-8)."""
    words = Words(knowledge, language)
    context = {"t": words.texts, "j": words.texts["judgement"], "language": words.code}
    page = html.environment().get_template("diagnosis.html.j2")
    return page.render(**context, d=context_of(diagnosis, words)) + "\n"


def to_body(diagnosis: Diagnosis, knowledge: Knowledge, *, language: str = "en") -> str:
    """What stands between head and foot of the page, for a door that has its own."""
    words = Words(knowledge, language)
    context = {"t": words.texts, "j": words.texts["judgement"], "language": words.code}
    return html.environment().get_template("diagnosis_body.html.j2").render(**context, d=context_of(diagnosis, words))


def both_to_html(assessment: Assessment, knowledge: Knowledge, *, language: str = "en") -> str:
    """Both wings on one page: what it is, then what helps."""
    words = Words(knowledge, language)
    found = assessment.diagnosis
    return html.to_html(
        assessment,
        knowledge,
        language=language,
        diagnosis=None if found is None else context_of(found, words),
    )


def context_of(diagnosis: Diagnosis, words: Words) -> dict[str, Any]:
    """Everything the templates ask for, as text."""
    diagnosis = retold(diagnosis, words)
    judgement = diagnosis.judgement
    names = {c.condition: c.name for c in judgement.differential}
    shown = [c for i, c in enumerate(judgement.differential[:CANDIDATES]) if c.probability >= SHOWN or i < 3]
    rest = judgement.differential[len(shown) :]
    return {
        "pseudonym": diagnosis.pseudonym,
        "date": words.date(diagnosis.at),
        "invented": diagnosis.invented,
        "headline": headline(diagnosis, words),
        "thin": judgement.thin,
        "settings": _text(words, "settings", setting=judgement.setting.replace("_", " ")),
        "stops": any(flag.grade == "stop" for flag in judgement.red_flags),
        "flags": tuple(
            {
                "grade": flag.grade, "says": flag.says, "do": flag.do,
                "think_of": _text(words, "think_of", names=", ".join(names.get(c, c) for c in flag.think_of)),
                "source": flag.because.source, "status": _doubt(flag.because.status, words),
            }
            for flag in judgement.red_flags
        ),
        "problems": tuple(f"{p.place}: {p.what}. {p.remedy}" for p in diagnosis.problems),
        "plan": _plan(diagnosis, words),
        "next": tuple(_next(one, diagnosis, names, words) for one in judgement.next),
        "candidates": tuple(_candidate(c, words) for c in shown),
        "more_candidates": _text(words, "others", n=len(rest), p=words.per_cent(rest[0].probability))
        if rest
        else "",
        "criteria": tuple(_verdict(v, words) for v in judgement.criteria),
        **_nerves(diagnosis, words),
        **_segments(diagnosis, words),
        "unverified": tuple(
            {"says": words.say(f), "source": f.source, "status": words.word("status", f.status)}
            for f in judgement.unverified
        ),
        "sources": tuple(html.source(s, words) for s in sources_of_diagnosis(diagnosis)),
        "stamp": _text(
            words, "stamp", record=diagnosis.record_digest, knowledge=diagnosis.knowledge_version, software=__version__
        ),
    }  # fmt: skip


def _text(words: Words, name: str, /, **facts: Any) -> str:
    return words.text("judgement", name, **facts)


def _doubt(status: str | None, words: Words) -> str | None:
    return words.word("status", status) if status in DOUBTFUL else None


def _width(p: float) -> str:
    return f"{100 * min(0.99, max(0.01, p)):.0f}"


def _reason(finding: Finding, words: Words) -> dict[str, Any]:
    """A finding as a branch of the tree; `value` is met, not met, unknown, or nothing."""
    value = finding.facts.get("value")
    return {
        "says": words.say(finding),
        "value": value if value in ("met", "not met", "unknown") else None,
        "source": finding.source,
        "status": _doubt(finding.status, words),
        "because": tuple(_reason(below, words) for below in finding.because),
    }


def _branch(finding: Finding, words: Words) -> dict[str, Any]:
    """As `_reason`, but said by its mark and its words alone, so that no branch says "met" twice."""
    told = _reason(finding, words)
    if told["value"] and "says" in finding.facts:
        told["says"] = str(finding.facts["says"])
    told["because"] = tuple(_branch(below, words) for below in finding.because)
    return told


def _plan(diagnosis: Diagnosis, words: Words) -> dict[str, Any]:
    plan = diagnosis.judgement.plan
    says = plan.says
    if plan.kind == "other":
        says = _text(words, "other_leads", name=diagnosis.judgement.differential[0].name)
    told: dict[str, Any] = {"says": says, "steps": ()}
    if plan.kind not in ("settle", "think_again", "other"):  # there the steps are the next tests
        told["steps"] = tuple(
            {"on": words.date(s.on) if s.on else _text(words, "now"), "says": s.says} for s in plan.steps
        )
    for name, findings in (("success", plan.success), ("would_change", plan.would_change), ("because", plan.because)):
        told[name] = tuple(_reason(f, words) for f in findings)
    return told


def _next(one: Suggestion, diagnosis: Diagnosis, names: dict[str, str], words: Words) -> dict[str, Any]:
    more = []
    if one.class_could_become:
        title = diagnosis.judgement.criteria[0].title
        more.append(
            _text(words, "class_could_become", title=title, **{"class": class_word(one.class_could_become, words)})
        )
    if one.outcomes:
        stated = diagnosis.judgement.facts.get(one.outcomes[0].finding)
        question = str(stated.because.facts.get("says", stated.id)) if stated else one.outcomes[0].finding
        yes, no = (f"{names[o.leading]} {words.per_cent(o.leading_probability)}" for o in one.outcomes)
        more.append(_text(words, "if_met", question=question, yes=yes, no=no))
    return {
        "says": one.says,
        "bits": _text(words, "bits", x=words.number(one.bits, 2), cost=one.cost, harm=one.harm),
        "more": tuple(more),
    }


def _candidate(candidate: Candidate, words: Words) -> dict[str, Any]:
    return {
        "name": candidate.name,
        "said": words.chance(candidate.probability),
        "width": _width(candidate.probability),
        "prior": _text(words, "prior", p=words.per_cent(candidate.prior)),
        "open": candidate.probability >= OPEN,
        "for_": tuple(_weight(w, words) for w in candidate.for_[:MOST_WEIGHTS]),
        "against": tuple(_weight(w, words) for w in candidate.against[:MOST_WEIGHTS]),
    }


def _weight(weight: Weight, words: Words) -> dict[str, Any]:
    speaks_for = weight.ratio >= 1
    times = words.number(weight.ratio if speaks_for else 1 / weight.ratio, 2)
    return {
        "says": weight.says if weight.truth.value == "met" else _text(words, "not", says=weight.says),
        "kind": "for" if speaks_for else "against",
        "width": _width(abs(math.log(weight.ratio)) / FULL),
        "said": _text(words, "times_for" if speaks_for else "times_against", x=times),
        "source": weight.because.source,
        "status": _doubt(weight.because.status, words),
    }


def _verdict(verdict: Verdict, words: Words) -> dict[str, Any]:
    better = verdict.could_be not in (verdict.class_, "not met")
    return {
        "title": verdict.title,
        "class_": verdict.class_,
        "said": class_word(verdict.class_, words),
        "could_be": _text(words, "could_be", **{"class": class_word(verdict.could_be, words)}) if better else "",
        "changes": tuple(
            f"{c.says}: {_text(words, 'if_so', **{'class': class_word(c.if_met, words)})}; "
            f"{_text(words, 'if_not', **{'class': class_word(c.if_not_met, words)})}"
            for c in verdict.would_change[:MOST_CHANGES]
        ),
        "unchecked": _text(words, "unchecked", n=len(verdict.unverified)) if verdict.unverified else "",
        "ticks": _items(verdict),
        "because": tuple(_branch(f, words) for f in verdict.because),
        "unknown": tuple(str(f.facts["says"]) for f in verdict.unknown),
    }


def _items(verdict: Verdict) -> tuple[dict[str, str], ...]:
    """The items that the classes are made of, each once, as a list to tick off."""
    items: dict[str, dict[str, str]] = {}
    for tree in verdict.because:
        for finding in tree.walk():
            says, made_of = str(finding.facts.get("says", "")), [f for f in finding.walk() if f.name == finding.name]
            if finding.name == "diagnosis.item" and len(made_of) == 1:
                items.setdefault(says, {"says": says, "value": str(finding.facts["value"])})
    return tuple(items.values())


def _nerves(diagnosis: Diagnosis, words: Words) -> dict[str, Any]:
    found, graded = diagnosis.localisation, diagnosis.examination
    drawn = [body_of(diagnosis, stacked=s, key=f"body-{n}") for s, n in ((False, "wide"), (True, "narrow"))]
    if found is None or graded is None or None in drawn:
        return {"pictures": ()}
    heads = tuple(_text(words, name) for name in ("muscle", "side", "grade"))
    rows = sorted(graded.findings, key=lambda f: (f.value, f.muscle, f.side))
    return {
        "pictures": tuple(Markup(svg) for svg in drawn if svg is not None),
        "grades": Table(
            _text(words, "body_table"),
            heads,
            tuple((f.muscle.upper().replace("_", " "), words.word("side", f.side), f.grade) for f in rows),
        ),
        "nerves": tuple(
            {
                "name": words.text("ui", "sided", side=words.word("side", n.side), measure=n.name),
                "p": words.per_cent(n.probability),
                "width": _width(n.probability),
                "for_": _muscles(n.muscles_for),
                "against": _muscles(n.muscles_against),
            }
            for n in found.nerves
            if n.probability >= NERVES
        ),
        "explanations": tuple(
            {"name": e.title, "p": words.per_cent(e.probability), "width": _width(e.probability)}
            for e in found.explanations
            if e.probability >= 0.01
        ),
        "asymmetry": _text(words, "asymmetry", value=words.texts["judgement"]["met"][found.asymmetry.found.value]),
        "caveats": tuple(_reason(f, words) for f in found.caveats),
    }


def _muscles(names: Iterable[str]) -> str:
    return ", ".join(name.upper().replace("_", " ") for name in names)


def _segments(diagnosis: Diagnosis, words: Words) -> dict[str, Any]:
    return segments_of(diagnosis.conduction, words)


def segments_of(studies: Sequence[Conduction], words: Words) -> dict[str, Any]:
    """The rules that were asked, and each segment with its changes, its verdicts and their criteria, in words."""
    rules = list(dict.fromkeys(rule for study in studies for rule in study.rules))
    named = words.texts["judgement"]["rule"]
    return {
        "rules": tuple(named.get(rule, rule) for rule in rules),
        "segments": tuple(_segment(segment, rules, words) for study in studies for segment in study.segments),
    }


def _segment(one: SegmentFinding, rules: list[str], words: Words) -> dict[str, Any]:
    texts = words.texts["judgement"]
    waits = list(dict.fromkeys(p for v in one.verdicts.values() for p in v.provided))
    provisos = [str(texts["proviso"].get(p, p.replace("_", " "))) for p in waits]
    verdicts = []
    for rule in rules:
        verdict = one.verdicts.get(rule)
        class_ = verdict.class_.value if verdict else "not evaluable"
        star = ", ".join(texts["proviso"].get(p, p) for p in verdict.provided) if verdict else ""
        verdicts.append({"class_": class_, "said": texts["called"][class_], "star": star})
    rows = []
    for rule in rules:
        for c in one.verdicts[rule].criteria if rule in one.verdicts else ():
            limit = "" if c.limit is None else f"{c.comparison} {words.number(c.limit)} {words.unit(c.unit)}".strip()
            value = (
                texts["not_measured"] if c.value is None else f"{words.number(c.value)} {words.unit(c.unit)}".strip()
            )
            role = f"{c.role}: {c.what.replace('_', ' ')}"
            rows.append((str(texts["rule"].get(rule, rule)), role, value, limit, texts["met"][c.truth.value]))
    return {
        "name": one.name,
        "area": _change(one.area_change, words),
        "amplitude": _change(one.amplitude_change, words),
        "duration": _change(one.duration_change, words),
        "verdicts": tuple(verdicts),
        "notes": tuple(f"* {texts['provided']}: {p}." for p in provisos),
        "criteria": Table(one.name, tuple(texts["criterion_heads"]), tuple(rows)),
    }


def _change(change: float | None, words: Words) -> str:
    if change is None:
        return str(words.texts["judgement"]["not_measured"])
    sign = MINUS if change < 0 else "+"
    return f"{sign}{abs(change) * 100:.0f} %"
