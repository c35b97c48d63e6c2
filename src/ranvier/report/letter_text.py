"""A letter as plain text for a terminal of 80 columns."""

from __future__ import annotations

import textwrap

from ranvier.report.letter_nouns import Heading, Items, Letter, Pairs, Sign, Table, Text

WIDTH = 80
MARKS = {"do": "+", "dont": "!", "check": "[ ]"}


def render(letter: Letter) -> str:
    """The letter, wrapped; pictures are left out."""
    lines = [*([letter.invented, ""] if letter.invented else []), *letter.head, letter.day, "", letter.title.upper()]
    for block in letter.blocks:
        if isinstance(block, Heading):
            lines += ["", block.text, "-" * min(WIDTH, len(block.text))]
        elif isinstance(block, Text):
            lines += _wrap(block.text)
        elif isinstance(block, Items):
            mark = MARKS.get(block.tone, "-")
            for item in block.items:
                lines += _wrap(item, f"{mark} ", " " * (len(mark) + 1))
        elif isinstance(block, Pairs):
            for name, what in block.pairs:
                lines += _wrap(what, f"{name}: ", "  ")
        elif isinstance(block, Table):
            lines += [block.caption] if block.caption else []
            for row in block.rows:
                said = "; ".join(f"{head} {cell or '____'}" for head, cell in zip(block.heads, row, strict=True))
                lines += _wrap(said, "  ", "    ")
        elif isinstance(block, Sign):
            lines += ["", "_" * 30, block.label]
    if letter.sources:
        lines += ["", letter.sources_title]
        for n, one in enumerate(letter.sources, start=1):
            lines += _wrap(one, f"{n:>3}. ", "     ")
    lines += ["", *_wrap(letter.foot)] if letter.foot else []
    return "\n".join(lines) + "\n"


def _wrap(text: str, first: str = "", rest: str = "") -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=rest) or [first.rstrip()]
