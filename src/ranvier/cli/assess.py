"""`ranvier assess`: both wings, what it is and what helps, in one answer."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from ranvier.cli.plan import (
    at_option,
    check_target,
    html_option,
    language_option,
    read,
    seed_option,
    show,
    the_day,
    write,
)
from ranvier.ground.notes import ExitCode

HELP = """What is it, and what helps? The diagnosis and the plan in one answer.

How this person's strength answered immunoglobulin, as fitted, is evidence for the diagnosis: no response to a fair trial
opens it again.

\b
Exit code 0: assessed. 3: the record has problems to mend. 5: no such file.

\b
Examples: ranvier assess heron.yaml --at 2025-11-03
          ranvier assess heron.yaml --at 2025-11-03 --html heron.html
          ranvier assess heron.yaml --at 2025-11-03 --json > heron.json
"""


@click.command(help=HELP, short_help="Diagnosis and plan in one answer.")
@click.argument("file", type=click.Path(path_type=Path))
@at_option
@seed_option
@click.option("--json", "as_json", is_flag=True, help="Write JSON to standard output and nothing else.")
@html_option
@language_option
def command(file: Path, at: date | None, seed: int, as_json: bool, html_to: Path | None, language: str) -> int:
    """Read, assess, print; the words are HELP."""
    check_target("--html", html_to, file)
    record = read(file)
    at = the_day(at)
    from ranvier import evidence
    from ranvier.decision.both import assess_both
    from ranvier.ground.compiled import are_compiled

    if not are_compiled():
        click.echo("First run: compiling the kernels, about half a minute. Later runs start at once.", err=True)
    knowledge = evidence.load()
    assessment = assess_both(record, knowledge, at=at, seed=seed)
    if html_to is not None:
        from ranvier.report.diagnosis_html import both_to_html

        write(html_to, both_to_html(assessment, knowledge, language=language))
    if as_json:
        from ranvier.report.as_json import dumps
        from ranvier.report.diagnosis_json import assessment_json

        click.echo(dumps(assessment_json(assessment, knowledge, language=language)), nl=False)
        return ExitCode.OK
    from ranvier.report.diagnosis_words import render

    assert assessment.diagnosis is not None
    click.echo(render(assessment.diagnosis, knowledge, language))
    show(assessment, knowledge, language)
    return ExitCode.OK
