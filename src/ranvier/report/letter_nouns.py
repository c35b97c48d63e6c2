"""What a letter is made of: plain blocks in their order, which HTML and PDF both set. No layout, no rule, no number."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of a section."""

    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph. tone : plain | lead (the answer) | quiet | warn"""

    text: str
    tone: str = "plain"


@dataclass(frozen=True, slots=True)
class Items:
    """A list. tone : plain | do | dont | check (a box to tick)"""

    items: tuple[str, ...]
    tone: str = "plain"


@dataclass(frozen=True, slots=True)
class Pairs:
    """A summary: names and what they are."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Heads and rows of text. numeric : columns set to the right; tall : rows high enough to write into by hand."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[int, ...] = ()
    tall: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing that stands by itself (SVG), what it shows, and for which page it is: screen, paper or both."""

    svg: str
    caption: str


@dataclass(frozen=True, slots=True)
class Sign:
    """A line to sign on."""

    label: str


Block = Heading | Text | Items | Pairs | Table | Picture | Sign


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter as it is read.

    kind : clinic | infusion | patient | leaflet | commissioning
    day : the day on it, in words; head : lines above the title (who it is about, who writes)
    foot : the small line on every page: what it was made from
    sources : citations, numbered from one
    """

    kind: str
    language: str
    title: str
    day: str
    head: tuple[str, ...]
    blocks: tuple[Block, ...]
    foot: str
    invented: str = ""
    sources: tuple[str, ...] = ()
    sources_title: str = ""


def running_text(letter: Letter) -> str:
    """What is read in lines: paragraphs and lists, each ended by a full stop. Tables, headings and sources are not."""
    parts: list[str] = []
    for block in letter.blocks:
        if isinstance(block, Text) and block.tone != "quiet":
            parts.append(block.text)
        elif isinstance(block, Items):
            parts += block.items
    return "\n".join(part if part.rstrip().endswith((".", "!", "?")) else f"{part}." for part in parts)
