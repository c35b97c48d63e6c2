"""The leaflet for patients and families, from knowledge/leaflet and the claims and sources it names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from ranvier.evidence.nouns import Knowledge
from ranvier.report import letter_words as w
from ranvier.report.letter_nouns import Block, Heading, Items, Letter, Text
from ranvier.report.reading_age import reading_age
from ranvier.report.words import Words


@cache
def layout() -> Mapping[str, Any]:
    """knowledge/leaflet/leaflet.yaml."""
    text = files("ranvier.knowledge").joinpath("leaflet", "leaflet.yaml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return loaded


def sources_of(item: Mapping[str, Any], knowledge: Knowledge) -> tuple[str, ...]:
    """Ids of the sources an item stands on: its own, and of each claim the first that speak for it.

    Raises
    ------
    KeyError : no such claim or source
    """
    found = [knowledge.sources[id].id for id in item.get("sources", ())]
    for claim in item.get("claims", ()):
        found += [piece.source for piece in knowledge.claims[claim].evidence if piece.direction == "for"][:MOST]
    return tuple(dict.fromkeys(found))


def leaflet(knowledge: Knowledge, language: str = "en") -> Letter:
    """The whole leaflet; the number behind each sentence is that of its sources at the end."""
    texts = w.load("leaflet", language)
    numbers: dict[str, int] = {}
    blocks: list[Block] = []
    plain: list[str] = []
    for section in layout()["sections"]:
        own = texts[section["id"]]
        blocks.append(Heading(own["title"]))
        said = []
        for item in section["items"]:
            plain.append(own[item["id"]])
            ids = sources_of(item, knowledge)
            for id in ids:
                numbers.setdefault(id, len(numbers) + 1)
            said.append(f"{own[item['id']]}\N{NO-BREAK SPACE}{_marks([numbers[id] for id in ids])}")
        tone = section.get("tone", "plain")
        blocks += [Text(one) for one in said] if tone == "plain" else [Items(tuple(said), _tone(tone))]
    age = reading_age("\n".join(plain), language)
    reviewed = layout()["reviewed"]["last"]
    checked = reviewed if isinstance(reviewed, date) else date.fromisoformat(str(reviewed))
    day = Words(knowledge, language).date(checked)
    reading = w.say(language, "leaflet.reading", age=round(age.age), formula=age.formula)
    blocks.append(Text(f"{reading} {w.say(language, 'leaflet.checked', day=day)}", "quiet"))
    return Letter(
        kind="leaflet",
        language=language,
        title=w.say(language, "leaflet.title"),
        day=day,
        head=(w.say(language, "leaflet.sub"),),
        blocks=tuple(blocks),
        foot=w.say(language, "ui.notice"),
        sources=tuple(knowledge.sources[id].citation for id in numbers),
        sources_title=w.say(language, "ui.sources"),
    )


def text_of(language: str) -> str:
    """The leaflet's sentences without the marks of the sources: what a reader reads."""
    texts = w.load("leaflet", language)
    return "\n".join(texts[s["id"]][i["id"]] for s in layout()["sections"] for i in s["items"])


def _tone(tone: str) -> str:
    return tone if tone in ("do", "dont") else "plain"


_HIGH = str.maketrans("0123456789,", "⁰¹²³⁴⁵⁶⁷⁸⁹\N{THIN SPACE}")
MOST = 3  # sources named behind one sentence


def _marks(numbers: list[int]) -> str:
    """Numbers of sources as small raised figures, few enough to be looked up."""
    return ",".join(str(n) for n in sorted(numbers)).translate(_HIGH)
