"""How the command line says problems: what, where, and what to write instead; what must be mended first."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from typing import Any

from ranvier.ground.notes import InputError, Problem, Severity

WIDTH = 80
MOST = 60  # more than this nobody reads; --json gives all of them


def wrap(text: str, indent: str = "", hang: str | None = None) -> str:
    """`text` in lines of 80 columns, the later ones indented by `hang`. No control character reaches the screen."""
    # Spaces that hold a number and its unit together are no control characters, though `isprintable` denies them.
    spaced = text.replace("\u202f", " ").replace("\xa0", " ")
    safe = "".join(c if c.isprintable() else "?" for c in spaced)
    hang = indent if hang is None else hang
    return textwrap.fill(safe, WIDTH, initial_indent=indent, subsequent_indent=hang, break_on_hyphens=False)


def counted(problems: Sequence[Problem]) -> str:
    """``2 things to mend, 1 to look at``."""
    mend = sum(p.severity is Severity.MEND for p in problems)
    look = len(problems) - mend
    words = [f"{mend} thing{'s' * (mend != 1)} to mend"] if mend else []
    if look:
        words.append(f"{look} to look at" if mend else f"{look} thing{'s' * (look != 1)} to look at")
    return ", ".join(words)


def problem_lines(problems: Sequence[Problem]) -> str:
    """Each problem with its place, its line of the file and its remedy; those to be mended first."""
    ordered = sorted(problems, key=lambda p: p.severity is not Severity.MEND)
    paragraphs = []
    for p in ordered[:MOST]:
        look = "(look at) " if p.severity is Severity.LOOK else ""
        said = p.line is None or re.search(rf"\b(line|row) {p.line}\b", p.place) is not None
        line = "" if said else f" (line {p.line})"
        paragraphs.append(f"{wrap(f'{look}{p.place}{line}: {p.what}', '', '    ')}\n{wrap(p.remedy, '    ')}")
    if len(ordered) > MOST:
        paragraphs.append(f"... and {len(ordered) - MOST} more; `ranvier check FILE --json` lists them all.")
    return "\n".join(paragraphs)


def refusal(error: InputError) -> str:
    """The whole answer to an input that cannot be used."""
    return f"{wrap(f'{error.title} {counted(error.problems)}.')}\n\n{problem_lines(error.problems)}"


def problem_data(problem: Problem) -> dict[str, Any]:
    """A problem as plain data for --json."""
    return {
        "place": problem.place,
        "line": problem.line,
        "what": problem.what,
        "remedy": problem.remedy,
        "severity": problem.severity.name.lower(),
    }
