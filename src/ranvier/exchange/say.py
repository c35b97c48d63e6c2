"""What an import understood, in words and as plain data: shown before anything is written."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from ranvier.exchange.dates import written
from ranvier.exchange.found import Fact, Sheet, day
from ranvier.exchange.importing import Imported
from ranvier.ground.notes import Question

WIDTH = 80
_ENDS = {
    "used": "used",
    "note": "kept as note",
    "blank": "blank or without values",
    "title": "title",
    "heading": "heading",
    "total": "total",
    "copy": "exact copy",
    "left out": "left out",
    "other person": "of other people",
    "open": "open until answered or mended",
}
_KINDS = {
    "strength": "values of strength",
    "infusion": "infusions",
    "igg": "IgG levels",
    "weight": "body weights",
    "blood_test": "other blood tests",
    "drug": "other drugs",
    "note": "notes",
    "condition": "conditions",
    "finding": "findings",
    "allergy": "allergies",
    "vaccine": "vaccines",
    "adverse event": "adverse events",
    "safety check": "safety checks",
    "event": "events",
    "decision": "decisions",
    "examination": "examinations",
    "nerve study": "nerve studies",
    "image": "images of nerves",
    "person": "facts about the person",
}
_TOLD = ("note", "title", "total", "copy", "left out", "open", "other person")


def _wrapped(text: str, indent: str, first: str | None = None) -> list[str]:
    return (
        textwrap.wrap(
            text,
            WIDTH,
            initial_indent=indent if first is None else first,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
        or []
    )


def understood(imported: Imported) -> str:
    """What was read from each table, for the person who confirms it."""
    lines: list[str] = []
    if imported.questions and imported.sheets:
        lines += [*_wrapped("As far as it can be understood before the questions below are answered:", ""), ""]
    for sheet in imported.sheets:
        lines += [*_sheet(sheet), ""]
    kinds = [*_KINDS, *sorted(imported.added.keys() - _KINDS.keys())]
    counts = [f"{n} {_KINDS.get(k, k)}" for k in kinds if (n := imported.added[k])]
    already = sum(imported.already.values())
    if imported.sheets:
        new = ", ".join(counts) if counts else "nothing"
        lines += _wrapped(f"New for the record: {new}." + (f" Already there: {already} facts." if already else ""), "")
    return "\n".join(lines)


def _sheet(sheet: Sheet) -> list[str]:
    lines = _wrapped(f"{sheet.name}: {sheet.kind} ({sheet.encoding}, {sheet.delimiter})", "    ", "")
    lines += [f"  {heading[:34]:<34} → {meaning}" for heading, meaning in sheet.columns]
    counts = Counter(f.end for f in sheet.fates.values())
    lines += _wrapped(
        f"{sum(counts.values())} rows: " + ", ".join(f"{counts[e]} {_ENDS[e]}" for e in _ENDS if counts[e]),
        "    ",
        "  ",
    )
    for said in sheet.said:
        lines += _wrapped(said, "    ", "  ")
    for text in (*_series(sheet.facts), *_rest(sheet)):
        lines += _wrapped(text, "    ", "  ")
    for end in _TOLD:
        fates = [f for f in sorted(sheet.fates.values(), key=lambda f: f.line) if f.end == end]
        if end == "other person" and len(fates) > 3:
            continue
        for fate in fates[:6]:
            lines += _wrapped(f"row {fate.line}, {_ENDS[end]}: {fate.why[:100]}", "    ", "  ")
        if len(fates) > 6:
            lines.append(f"  and {len(fates) - 6} more rows, {_ENDS[end]}")
    return lines


def _series(facts: Sequence[Fact]) -> list[str]:
    """One line per kind of fact, or per series: how many, from when to when, first and last."""
    groups: dict[tuple[str, object], list[Fact]] = {}
    for fact in facts:
        if fact.kind != "note":
            groups.setdefault((fact.kind, fact.series or fact.data.get("what")), []).append(fact)
    lines = []
    for (kind, _), group in groups.items():
        ordered = sorted((f for f in group if f.when is not None), key=lambda f: day(f.when or date.min))
        if not ordered:
            continue
        name = _KINDS[kind]
        if group[0].series:
            side, device, unit, place = group[0].series
            name = f"grip {side}, {device}, {_shown(unit)}" + (f", {place}" if place else "")
        elif kind == "blood_test":
            name = str(group[0].data["what"])
        span = f"{day(ordered[0].when or date.min)} to {day(ordered[-1].when or date.min)}"
        lines.append(f"{name}: {len(group)}, {span}; first {_value(ordered[0])}, last {_value(ordered[-1])}")
    return lines


def _rest(sheet: Sheet) -> list[str]:
    """What a bundle brought besides: its series and the parts that no table holds."""
    lines = []
    for series in sheet.rest.get("strength", ()):
        values = series["values"]
        words = " ".join(str(series[k]) for k in ("measure", "side", "device", "muscle", "variant") if k in series)
        lines.append(f"{series['id']}: {words}, {_shown(series['unit'])}: {len(values)} values")
    for part, value in sheet.rest.items():
        if part not in ("strength", "person") and isinstance(value, list) and value:
            lines.append(f"{part.replace('_', ' ')}: {len(value)}")
    return lines


def _shown(unit: str) -> str:
    return "lb" if unit == "[lb_av]" else unit


def _value(fact: Fact) -> str:
    data = fact.data
    if fact.kind == "infusion":
        what = f"{data['product']} {data['dose']['value']:g} {data['dose']['unit']} {data['route']}"
    elif fact.kind == "drug":
        what = str(data["name"])
    else:
        unit = fact.series[2] if fact.series else data.get("unit", "")
        what = f"{'<' if data.get('below') else ''}{data['value']:g} {_shown(unit)}"
    return f"{what} ({written(fact.when) if fact.when else '?'})"


def questions(asked: Sequence[Question]) -> str:
    """The questions as a numbered list, with the key of each answer."""
    count = len(asked)
    lines = [f"{count} {'thing' if count == 1 else 'things'} only a person can answer:"]
    for number, question in enumerate(asked, start=1):
        lines += _wrapped(question.ask, "     ", f"{number:>3}. ")
        if question.choices:
            lines += _wrapped(" | ".join(question.choices), "       ", "     ")
        if question.because:
            lines += _wrapped(f"because {question.because}", "       ", "     ")
        if question.place not in ("record", "") and not question.key.startswith(question.place):
            lines += _wrapped(f"at {question.place}", "       ", "     ")
        lines.append(f"     --answer {_quoted(question.key)}=…")
    return "\n".join(lines)


def _quoted(key: str) -> str:
    return f"'{key}'" if any(c in key for c in " ()#&|;<>$") else key


def answers_file(imported: Imported, given: Mapping[str, str]) -> str:
    """A file to fill in: every question with its choices, what was answered already, and what may be told besides."""
    lines = ["# Answers for `ranvier import --answers`. Fill in behind each colon; a blank stays a question.", ""]
    for question in imported.questions:
        lines += _commented(question)
        lines += [f"{_yaml(question.key)}: {_yaml(given[question.key]) if question.key in given else ''}".rstrip(), ""]
    if imported.offers:
        lines += ["# Not needed, but may be told:", ""]
        for question in imported.offers:
            lines += [*_commented(question), f"# {_yaml(question.key)}:", ""]
    asked = {q.key for q in imported.questions}
    kept = {k: v for k, v in given.items() if k not in asked}
    if kept:
        lines += ["# Answered already:", "", *(f"{_yaml(k)}: {_yaml(v)}" for k, v in kept.items()), ""]
    return "\n".join(lines)


def _commented(question: Question) -> list[str]:
    text = [question.ask, *([" | ".join(question.choices)] if question.choices else [])]
    text += [f"because {question.because}"] if question.because else []
    text += [f"at {question.place}"] if question.place not in ("record", "") else []
    return [line for t in text for line in textwrap.wrap(t, 100, initial_indent="# ", subsequent_indent="#   ")]


def _yaml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def as_data(imported: Imported) -> dict[str, Any]:
    """All of it but the problems as plain data, for --json."""
    return {
        "understood": [
            {
                "table": s.name,
                "kind": s.kind,
                "encoding": s.encoding,
                "delimiter": s.delimiter,
                "columns": [{"heading": h, "meaning": m} for h, m in s.columns],
                "rows": dict(sorted(Counter(f.end for f in s.fates.values()).items())),
                "fates": [
                    {"line": f.line, "end": f.end, "why": f.why}
                    for f in sorted(s.fates.values(), key=lambda f: f.line)
                    if f.end != "used"
                ],
                "said": s.said,
                "facts": _series(s.facts),
            }
            for s in imported.sheets
        ],
        "added": dict(sorted(imported.added.items())),
        "already": dict(sorted(imported.already.items())),
        "questions": [_question(q) for q in imported.questions],
        "offers": [_question(q) for q in imported.offers],
        "unused_answers": list(imported.unused),
    }


def _question(question: Question) -> dict[str, Any]:
    return {
        "key": question.key,
        "place": question.place,
        "ask": question.ask,
        "choices": list(question.choices),
        "because": question.because,
    }
