"""`ranvier plan`: from a record to a plan for the next infusions, on the screen, as JSON, as a page."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import click

from ranvier.cli import words
from ranvier.decision.nouns import Assessment
from ranvier.evidence.nouns import Knowledge
from ranvier.ground.notes import ExitCode
from ranvier.record.nouns import Record

HELP = """From a record to a plan for the next infusions.

Fits this person's own response, says whether strength wears off and when, and lays the possible regimens side by side
with what each would do. The same record, date and seed give the same answer to the letter.

\b
Exit code 0: planned. 3: the record has problems to mend. 5: no such file.
6: the record is sound, but nothing can be fitted to it yet.

\b
Examples: ranvier plan heron.yaml --at 2025-11-03
          ranvier plan heron.yaml --at 2025-11-03 --html plan.html
          ranvier plan heron.yaml --at 2025-11-03 --json > plan.json
          ranvier plan heron.yaml --at 2025-11-03 --weight visits_per_year=0.1
"""


def _to_day(ctx: click.Context, param: click.Parameter, value: str | None) -> date | None:
    """The date, or the reason why it is none, with a remedy."""
    try:
        return None if value is None else date.fromisoformat(value)
    except ValueError:
        message = f"'{value}' is not a day. Write year, month, day: --at 2025-11-03"
        raise click.BadParameter(message, ctx, param) from None


def _to_weights(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, float]:
    """NAME=VALUE by name; a name that is no weight, or a value that is none, is refused with those there are."""
    from ranvier import evidence

    weights: dict[str, float] = {}
    known = {name: number.value for name, number in evidence.load().loss.items()} if values else {}
    for text in values:
        name, _, value = text.partition("=")
        try:
            weights[name] = float(value)
        except ValueError:
            message = f"'{text}' is not a weight. Write its name and a number: --weight visits_per_year=0.01"
            raise click.BadParameter(message, ctx, param) from None
        if name not in known:
            there = ", ".join(f"{n} ({known[n]:g})" for n in sorted(known))
            raise click.BadParameter(f"there is no weight '{name}'. There are: {there}", ctx, param)
        if not 0 <= weights[name] < float("inf"):
            raise click.BadParameter(f"'{text}': a weight is a number of at least 0", ctx, param)
    return weights


at_option = click.option(
    "--at", callback=_to_day, metavar="DAY", help="The day to plan for, as YYYY-MM-DD; today if left out."
)
seed_option = click.option(
    "--seed", type=click.IntRange(0), default=1, show_default=True, help="Start of the random numbers."
)


def _to_language(ctx: click.Context, param: click.Parameter, value: str) -> str:
    """A language that there are words in; those there are, where it is none."""
    from ranvier.report.words import languages

    if value not in languages():
        message = f"there is no language '{value[:20]}'. Languages are: {', '.join(languages())}"
        raise click.BadParameter(message, ctx, param)
    return value


language_option = click.option(
    "--language",
    default="en",
    callback=_to_language,
    metavar="CODE",
    show_default=True,
    help="Of the answer: en or de.",
)
html_option = click.option(
    "--html", "html_to", type=click.Path(path_type=Path), metavar="PATH", help="Write a page to PATH."
)


@click.command(help=HELP, short_help="From a record to a plan for the next infusions.")
@click.argument("file", type=click.Path(path_type=Path))
@at_option
@seed_option
@click.option(
    "--json",
    "json_to",
    is_flag=False,
    flag_value="-",
    metavar="[PATH]",
    help="Write JSON to PATH, or to standard output and nothing else.",
)
@html_option
@language_option
@click.option(
    "--weight",
    "weights",
    multiple=True,
    callback=_to_weights,
    metavar="NAME=VALUE",
    help="What a visit, a gram, a day below the floor weighs, in place of our own choice; may be repeated.",
)
def command(
    file: Path,
    at: date | None,
    seed: int,
    json_to: str | None,
    html_to: Path | None,
    weights: dict[str, float],
    language: str,
) -> int:
    """Read, assess, write; the words are HELP."""
    for option, target in (("--json", None if json_to in (None, "-") else Path(str(json_to))), ("--html", html_to)):
        check_target(option, target, file)
    record = read(file)
    at = the_day(at)
    knowledge, assessment = assess(record, at, seed, weights)
    if json_to is not None:
        from ranvier.report.as_json import dumps, to_json

        text = dumps(to_json(assessment, knowledge, language=language))
        if json_to == "-":
            click.echo(text, nl=False)
        else:
            write(Path(json_to), text)
    if json_to != "-":
        show(assessment, knowledge, language)
    if html_to is not None:
        from ranvier.report.html import to_html

        write(html_to, to_html(assessment, knowledge, language=language))
    return ExitCode.REFUSED if assessment.treatment.posterior is None else ExitCode.OK


def read(file: Path) -> Record:
    """The record; what deserves a look is said on stderr."""
    from ranvier import record as room

    found, problems = room.read(file)
    if problems:
        click.echo(words.problem_lines(problems) + "\n", err=True)
    return found


def the_day(at: date | None) -> date:
    """The day asked for. Only a door has a clock: left out, it is today, and that is said."""
    if at is not None:
        return at
    today = date.today()
    click.echo(f"No --at was given: planning for today, {today.isoformat()}.", err=True)
    return today


def assess(
    record: Record, at: date, seed: int, weights: Mapping[str, float] | None = None
) -> tuple[Knowledge, Assessment]:
    """What is known, and the assessment, with other weights of the loss if given; the first run of all says why it is slow."""
    from ranvier import evidence
    from ranvier.ground.compiled import are_compiled, mark_compiled

    if not are_compiled():
        click.echo("First run: compiling the kernels, about half a minute. Later runs start at once.", err=True)
    from ranvier.decision import Limits
    from ranvier.decision import assess as verb

    knowledge = evidence.load()
    assessment = verb(record, knowledge, Limits(weights=dict(weights or {})), at=at, seed=seed)
    mark_compiled()
    return knowledge, assessment


def show(assessment: Assessment, knowledge: Knowledge, language: str = "en") -> None:
    """The summary on the screen: colour on a terminal only."""
    from rich.console import Console

    from ranvier.report import text

    terminal = sys.stdout.isatty()
    if not terminal:
        click.echo(text.render(assessment, knowledge, language=language), nl=False)
        return
    console = Console(highlight=False, emoji=False)
    text.print_to(console, assessment, knowledge, language=language)


def check_target(option: str, target: Path | None, file: Path) -> None:
    """No output may land on the record itself or in a folder that is not there; said before any work is done."""
    if target is None:
        return
    if target.exists() and file.exists() and target.samefile(file):
        raise click.UsageError(f"{option} {target} would overwrite the record itself. Give another name.")
    if target.is_dir():
        raise click.UsageError(f"{option} {target} is a folder. Give the name of a file in it.")
    if not target.parent.is_dir():
        raise click.UsageError(f"{option}: there is no folder {target.parent}. Make it first, or name another.")


def write(target: Path, text: str) -> None:
    """Write a page or a file and say so on stderr."""
    target.write_text(text, encoding="utf-8")
    click.echo(f"Written: {target}", err=True)
