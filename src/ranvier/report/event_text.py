"""Adverse events, the trace of a lot and what registries hold, on the screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ranvier.evidence.nouns import Knowledge
from ranvier.protection.event_nouns import EventView, LotTrace
from ranvier.report.order_text import filled
from ranvier.report.words import Words


def render(views: Sequence[EventView], knowledge: Knowledge, language: str = "en") -> str:
    """Every event of a person."""
    words = Words(knowledge, language)
    if not views:
        return words.text("events", "none") + "\n"
    lines: list[str] = []
    for view in views:
        lines += [*event(view, words), ""]
    cited = sorted({source for view in views for source in view.sources})
    lines.append(words.text("events", "sources"))
    for id in cited:
        lines += filled(f"[{id}] {knowledge.sources[id].citation}", "  ", "      ")
    return "\n".join(lines) + "\n"


def event(view: EventView, words: Words) -> list[str]:
    """One event: what, how bad, after which infusion, what made it likelier, what to test and do."""
    grade = words.text("events", "grade_unknown")
    if view.grade is not None:
        grade = words.text("events", "grade", grade=view.grade, means=view.grade_means or "")
    written = "" if view.what.casefold() == view.name.casefold() else f" ({view.what})"
    lines = filled(f"{words.date(view.on)}: {view.name}{written}; {grade}", "", "    ")
    lines += filled(words.text("events", f"related_{view.related}"), "    ")
    if view.product is not None:
        facts: Mapping[str, str] = {
            "product": view.product,
            "lot": view.lot or words.unknown,
            "day": words.unknown if view.given_on is None else words.date(view.given_on),
        }
        lines += filled(words.text("events", "lot", **facts), "    ")
    if view.kind is None:
        return lines + filled(words.text("events", "no_kind"), "    ")
    if view.also:
        lines += filled(words.text("events", "also", kinds=", ".join(view.also)), "    ")
    if view.serious:
        lines += filled(words.text("events", "report"), "    ")
    if view.triggers:
        lines.append(f"    {words.text('events', 'triggers')}")
        lines += [line for finding in view.triggers for line in filled(words.say(finding), "    - ", "      ")]
    if view.tests:
        lines.append(f"    {words.text('events', 'tests')}")
        for test in view.tests:
            lines += filled(
                words.text("events", "test", what=test.what, day=words.date(test.on)), "    [ ] ", "        "
            )
    lines.append(f"    {words.text('events', 'do')}")
    lines += [line for text in view.do for line in filled(text, "    - ", "      ")]
    return lines


def trace(it: LotTrace, records: int, knowledge: Knowledge, language: str = "en") -> str:
    """Where a lot has been."""
    words = Words(knowledge, language)
    lines: list[str] = []
    if not it.uses:
        lines += filled(words.text("events", "none_of_lot", lot=it.lot, n=records))
    else:
        facts: Mapping[str, object] = {
            "lot": it.lot,
            "uses": len(it.uses),
            "people": it.people,
            "grams": f"{it.grams:g}",
            "products": ", ".join(it.products),
        }
        lines += filled(words.text("events", "trace", **facts))
    for use in it.uses:
        after = "; ".join(f"{e.name} {words.date(e.on)}" for e in use.events)
        said: Mapping[str, str] = {
            "day": words.date(use.on),
            "who": use.pseudonym,
            "grams": f"{use.grams:g}",
            "product": use.product,
            "written": use.written,
            "after": words.text("events", "use_events", events=after) if after else "",
        }
        lines += filled(words.text("events", "use", **said), "  ", "      ")
    if it.near:
        lines += filled(words.text("events", "near", lots=", ".join(it.near)))
    if it.without_lot:
        lines += filled(words.text("events", "without", n=it.without_lot))
    return "\n".join(lines) + "\n"
