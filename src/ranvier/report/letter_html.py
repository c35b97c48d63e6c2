"""A letter as HTML: a piece for a page that has its own frame, or a whole file that needs nothing else."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from markupsafe import Markup

from ranvier.report.html import environment
from ranvier.report.letter_nouns import Letter


def body(letter: Letter) -> Markup:
    """The letter as an `<article>`; its style is `styles/letter.css`."""
    kinds = [(type(block).__name__.lower(), block) for block in letter.blocks]
    return Markup(environment().get_template("letter_body.html.j2").render(letter=letter, blocks=kinds, Markup=Markup))


def page(letter: Letter) -> str:
    """A whole file: no script, no network, fit for print."""
    return environment().get_template("letter.html.j2").render(letter=letter, body=body(letter), style=style()) + "\n"


@cache
def style() -> Markup:
    """The style sheet of letters."""
    return Markup(files("ranvier.report").joinpath("styles", "letter.css").read_text(encoding="utf-8"))
