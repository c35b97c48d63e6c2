"""`ranvier demo`: plans for the shipped, invented cases, on the screen and as pages."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import click

from ranvier.cli import words
from ranvier.cli.plan import assess
from ranvier.ground.notes import ExitCode
from ranvier.record.nouns import Record, When

HELP = """Plan the shipped cases (all invented) and write a page for each.

\b
Example: ranvier demo --out out/demo
"""


@click.command(help=HELP, short_help="Plan the shipped, invented cases: a good first look.")
@click.option("--cases", type=click.Path(path_type=Path), help="Folder of case files; the shipped ones if left out.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("out/demo"), show_default=True, help="Where to.")
def command(cases: Path | None, out: Path) -> int:
    """Plan every case; the words are HELP."""
    folder = cases or shipped()
    files = sorted(folder.glob("*.yaml")) if folder and folder.is_dir() else []
    if not files:
        click.echo(
            f"There are no cases in {folder}." if folder else "The cases are not part of an installed package.",
            err=True,
        )
        click.echo("Run this in a copy of the source (there is a folder 'cases'), or give --cases FOLDER.", err=True)
        return ExitCode.NOT_FOUND
    from ranvier import record as room
    from ranvier.report import answer
    from ranvier.report.html import to_html, to_index
    from ranvier.report.words import Words

    out.mkdir(parents=True, exist_ok=True)
    entries, knowledge, example = [], None, ""
    for number, file in enumerate(files, start=1):
        begin = time.perf_counter()
        found, _ = room.read(file)
        knowledge, assessment = assess(found, last_day(found), 1)
        sentences = answer.write(assessment, Words(knowledge))
        page = out / f"{file.stem}.html"
        page.write_text(to_html(assessment, knowledge), encoding="utf-8")
        took = time.perf_counter() - begin
        click.echo(f"{number}/{len(files)}  {file.stem}  ({assessment.at.isoformat()}, {took:.1f} s)")
        for told in (sentences.headline, " ".join(sentences.certainty[:2])):
            click.echo(words.wrap(told.replace(" %", "\N{NO-BREAK SPACE}%"), "     "))
        click.echo()
        example = example or f"{_program()} plan {file} --at {assessment.at.isoformat()}"
        entries.append(
            {
                "href": page.name,
                "title": file.stem.replace("-", " "),
                "story": found.notes[0] if found.notes else "",
                "answer": sentences.headline,
            }
        )
    assert knowledge is not None
    (out / "index.html").write_text(to_index(entries, knowledge), encoding="utf-8")
    click.echo(f"All of these people are invented. Open {out / 'index.html'} in a browser to see the plans.")
    click.echo(f"One on the screen:  {example}")
    return ExitCode.OK


def _program() -> str:
    """How this program is called from here: by its name if the shell finds it, else by its path."""
    if shutil.which("ranvier"):
        return "ranvier"
    path = Path(sys.argv[0])
    return str(path.relative_to(Path.cwd())) if path.is_absolute() and path.is_relative_to(Path.cwd()) else str(path)


def shipped() -> Path | None:
    """The folder of cases: of the working folder, or beside the source; None in an installed package."""
    source = Path(__file__).resolve().parents[3] / "cases"
    return next((folder for folder in (Path("cases"), source) if folder.is_dir()), None)


def last_day(record: Record) -> date:
    """The day of the last fact: an infusion, an IgG level or a strength value."""
    return max(_days(record))


def _days(record: Record) -> Iterator[date]:
    for infusion in record.infusions:
        yield _day(infusion.start)
    for level in record.igg:
        yield _day(level.at)
    for series in record.strength:
        for value in series.values:
            yield _day(value.at)


def _day(when: When) -> date:
    return when.date() if isinstance(when, datetime) else when
