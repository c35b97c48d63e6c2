"""`ranvier form`: a funder's request or follow-up form, filled from a record as far as it can be."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from ranvier.cli import words
from ranvier.cli.plan import at_option, read, seed_option, the_day
from ranvier.ground.notes import ExitCode

HELP = """Fill a funder's request or follow-up form from a record.

What the record holds is filled in, with where it comes from. What it does not hold stays open, and says what would fill it.
Nothing is guessed. Rules and forms are data, each with its edition and how far it was checked.

\b
Exit code 0: nothing is open. 6: something is left for a person to fill in.
3: the record has problems. 5: no such file.

\b
Examples: ranvier form list
          ranvier form nhs_england heron.yaml --at 2025-11-03
          ranvier form nhs_england heron.yaml --follow-up --at 2025-11-03
          ranvier form australia heron.yaml --json
"""


@click.command(help=HELP, short_help="Fill a funder's request or follow-up form from a record.")
@click.argument("rules")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--follow-up", is_flag=True, help="The form of a review; left out, the request.")
@at_option
@seed_option
@click.option("--json", "as_json", is_flag=True, help="Write JSON to standard output and nothing else.")
def command(rules: str, file: Path | None, follow_up: bool, at: date | None, seed: int, as_json: bool) -> int:
    """Read, fill, print; the words are HELP."""
    from ranvier.decision.forms import editions, fill

    known = editions()
    if rules == "list":
        for one in known.values():
            click.echo(f"{one.id:<14}{one.title}")
            click.echo(words.wrap(f"edition: {one.edition}", "              "))
        return ExitCode.OK
    if rules not in known:
        raise click.UsageError(f"There are no rules '{rules}'. There are: {', '.join(known)}. See: ranvier form list")
    if file is None:
        raise click.UsageError(f"Name the record: ranvier form {rules} heron.yaml")
    record = read(file)
    at = the_day(at)
    from ranvier import evidence
    from ranvier.decision.both import assess_both

    knowledge = evidence.load()
    assessment = assess_both(record, knowledge, at=at, seed=seed)
    kind = "follow_up" if follow_up else "request"
    form = fill(rules, kind, record, knowledge, at=at, assessment=assessment, diagnosis=assessment.diagnosis)
    from ranvier.report import forms as report

    if as_json:
        import json

        click.echo(json.dumps(report.as_data(form), indent=2, ensure_ascii=False))
    else:
        click.echo(report.text(form), nl=False)
    return ExitCode.REFUSED if form.open else ExitCode.OK
