"""`ranvier explain`: the tree of reasons behind one name of a plan."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from ranvier.cli import words
from ranvier.cli.plan import assess, at_option, read, seed_option, the_day
from ranvier.decision.nouns import Assessment
from ranvier.ground.notes import ExitCode

HELP = """The tree of reasons behind one name of a plan.

NAME is a conclusion (answer, wearing_off, trend, response, change, ladder, proposal), an option, a parameter or a
finding. Without a NAME, everything that can be explained is listed.

\b
Examples: ranvier explain heron.yaml --at 2025-11-03
          ranvier explain heron.yaml wearing_off --at 2025-11-03
"""


@click.command(help=HELP, short_help="The tree of reasons behind one conclusion of a plan.")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("name", required=False)
@at_option
@seed_option
def command(file: Path, name: str | None, at: date | None, seed: int) -> int:
    """Assess, then print the tree; the words are HELP."""
    from ranvier.report import reasons

    record = read(file)
    knowledge, assessment = assess(record, the_day(at), seed)
    if name is None:
        click.echo(listing(assessment))
        return ExitCode.OK
    trees = reasons.explain(assessment, knowledge, name)
    if not trees:
        near = reasons.nearest(assessment, name)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        click.echo(f"Nothing in this plan is called '{name}'.{hint}\n\n{listing(assessment)}", err=True)
        return ExitCode.USAGE
    for tree in trees:
        for depth, sentence in reasons.lines(tree):
            mark = "" if depth == 0 else "· "
            click.echo(words.wrap(sentence, "  " * depth + mark, "  " * depth + " " * len(mark)))
    return ExitCode.OK


def listing(assessment: Assessment) -> str:
    """What can be explained, by kind."""
    from ranvier.report import reasons

    parts = ["What can be explained:"]
    for kind, found in reasons.names(assessment):
        parts.append(words.wrap(", ".join(found), f"  {kind + ':':<14}", " " * 16))
    return "\n".join(parts)
