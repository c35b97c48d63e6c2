"""A letter as PDF, set by Typst: no network, no packages. Texts travel as data, so nothing in a record is read as markup."""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib.resources import files
from typing import Any

from ranvier.report import letter_words as w
from ranvier.report.letter_nouns import Letter


def pdf(letter: Letter) -> bytes:
    """The letter as PDF 1.7 with tags, title and language. The same letter gives the same bytes.

    Latin, Greek and Cyrillic letters come from the font inside Typst; others from the fonts of the machine, if it has them.
    """
    import typst  # costs a little: only who asks for a PDF pays for it

    template = files("ranvier.report").joinpath("templates", "letter.typ").read_bytes()
    made = typst.compile(template, format="pdf", sys_inputs={"letter": json.dumps(data(letter))}, timestamp=0)
    assert isinstance(made, bytes)
    return made


def data(letter: Letter) -> dict[str, Any]:
    """What the template reads: plain lists and text."""
    blocks = [{"kind": type(block).__name__.lower(), **asdict(block)} for block in letter.blocks]
    whole = asdict(letter) | {"blocks": blocks}
    whole["page"] = w.say(letter.language, "ui.page", n="\x01", all="\x02")
    return whole
