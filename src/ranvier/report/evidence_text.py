"""What is believed and on what it stands, on the screen and as plain data: claims, treatments, contradictions, gaps, sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ranvier.evidence.nouns import Claim, Contradiction, Effect, Knowledge, Search, Source, TreatmentOption
from ranvier.evidence.stated import Stated
from ranvier.report.order_text import filled
from ranvier.report.plain import plain
from ranvier.report.words import Words

DOMAINS = ("bias", "inconsistency", "indirectness", "imprecision", "publication")


def claim(it: Claim, knowledge: Knowledge, words: Words) -> list[str]:
    """A claim, its certainty by domain, and every piece for and against."""
    lines = filled(it.says)
    sure = it.certainty
    lines += filled(words.text("evidence", "certainty", level=sure.level, why=sure.why), "  ")
    domains = ", ".join(f"{name} {getattr(sure, name)}" for name in DOMAINS)
    raised = words.text("evidence", "raised", what=sure.raised) if sure.raised else ""
    lines += filled(words.text("evidence", "domains", domains=domains, raised=raised, judged=sure.judged), "  ")
    for direction in ("for", "against"):
        pieces = [piece for piece in it.evidence if piece.direction == direction]
        if pieces:
            lines.append(f"  {words.text('evidence', direction)}")
        for piece in pieces:
            source = knowledge.sources[piece.source]
            about = words.text("evidence", "about", **_about(source))
            lines += filled(
                f"{piece.says} [{piece.source}: {about}; {piece.directness}, {piece.status}, {piece.where}]",
                "  - ",
                "    ",
            )
    return lines


def treatment(it: TreatmentOption, knowledge: Knowledge, words: Words) -> list[str]:
    """A treatment in full."""
    lines = filled(it.name)
    lines += filled(it.standing, "  ")
    if not it.effect:
        lines += filled(words.text("evidence", "no_effect"), "  ")
    for effect in it.effect:
        lines += filled(
            _effect(effect, words),
            "  - ",
            "    ",
        )
    for name, told in (("harms", it.harms), ("trials", it.trials)):
        lines += [f"  {words.text('evidence', name)}"] if told else []
        for one in told:
            lines += filled(f"{one.says} [{one.source}, {one.status}]", "  - ", "    ")
    for key in it.claims:
        lines += ["", *claim(knowledge.claims[key], knowledge, words)]
    return lines


def treatments_table(knowledge: Knowledge, words: Words) -> list[str]:
    """All treatments in short: effect, certainty, standing."""
    lines: list[str] = []
    for it in knowledge.treatments.values():
        level = knowledge.claims[it.claims[0]].certainty.level
        lines += filled(f"{it.id}: {it.name} ({words.text('orders', 'certainty', level=level)})", "", "    ")
        first = it.effect[0] if it.effect else None
        said = words.text("evidence", "no_effect") if first is None else _effect(first, words)  # fmt: skip
        lines += filled(said, "    ")
        lines += filled(it.standing, "    ")
    return lines


def contradiction(it: Contradiction, words: Words) -> list[str]:
    """A question with its sides."""
    lines = filled(it.question)
    for side in it.sides:
        lines += filled(f"{side.says} [{', '.join(side.sources)}; {side.status}]", "  - ", "    ")
    lines += filled(words.text("evidence", "may_be", why=it.why), "  ")
    lines += filled(words.text("evidence", "here", here=it.here), "  ")
    return lines


def search(it: Search, words: Words) -> list[str]:
    """A search and what it found."""
    facts: Mapping[str, Any] = {
        "asked": it.asked,
        "where": ", ".join(it.where),
        "day": it.on.isoformat(),
        "found": it.found,
    }
    return filled(words.text("evidence", "searched", **facts)) + filled(
        words.text("evidence", "here", here=it.here), "  "
    )


def source(it: Source, used: Sequence[str], knowledge: Knowledge, words: Words) -> list[str]:
    """A source, and what stands on it."""
    lines = filled(f"[{it.id}] {it.citation}")
    links = [text for text in (f"doi:{it.doi}" if it.doi else "", f"PubMed {it.pmid}" if it.pmid else "") if text]
    lines += filled(f"{words.text('evidence', 'about', **_about(it))}{'; ' if links else ''}{', '.join(links)}", "  ")
    for key, one in knowledge.claims.items():
        lines += [
            line
            for piece in one.evidence
            if piece.source == it.id
            for line in filled(f"{words.text('evidence', piece.direction)} {key}: {piece.says}", "  - ", "    ")
        ]
    lines += filled(words.text("evidence", "stands", files=", ".join(used) or words.texts["ui"]["none"]), "  ")
    return lines


def unverified(found: Sequence[Stated], words: Words) -> list[str]:
    """What was not read in its own source, file by file."""
    lines = filled(words.text("evidence", "unverified", n=len(found)))
    file = ""
    for one in found:
        if one.file != file:
            file = one.file
            lines += ["", file]
        value = "" if one.value is None else f" = {one.value:g} {'' if one.unit in (None, '1') else one.unit}".rstrip()
        stands = f" [{one.source}]" if one.source else ""
        lines += filled(f"{one.place}{value} ({one.status}){stands}: {one.says}", "  ", "      ")
    return lines


def as_data(it: Any) -> Any:
    """Any noun of the evidence as plain data."""
    return plain(it)


def _about(it: Source) -> dict[str, str]:
    return {"kind": it.kind, "population": it.population or "", "n": f", n = {it.n}" if it.n else ""}


def _effect(it: Effect, words: Words) -> str:
    """One effect, with and without."""
    other = words.text("evidence", "unmeasured")
    if it.without is not None:
        other = f"{it.told(it.without)} [{it.without.source}]"
    with_it = f"{it.told(it.with_it)} [{it.with_it.source}, {it.with_it.where}]"
    return words.text("evidence", "effect", says=it.says, with_it=with_it, without=other)
