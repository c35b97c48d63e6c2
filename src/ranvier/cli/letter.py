"""`ranvier letter`: letters, sheets and the leaflet, as pages and as PDF."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ranvier.cli.plan import assess, at_option, check_target, read, seed_option, the_day
from ranvier.ground.notes import ExitCode

if TYPE_CHECKING:
    from ranvier.record.nouns import Record
    from ranvier.report.letter_nouns import Letter

KINDS = ("clinic", "infusion", "patient", "commissioning", "leaflet")

HELP = """Write a letter: to colleagues, for the infusion, to the patient.

\b
KIND is one of
  clinic    the letter to colleagues: the answer, treatment, measurements
  infusion  the sheet for the bedside: what to give, how fast, room to write
  patient   a letter the patient can read; its reading age stands on it
  commissioning  a funder's form; name the funder with --funder
  leaflet   what MMN is, for patients and families; needs no FILE

Without --html or --pdf the text is printed. Letters to patients hold no advice on doses.

\b
Exit code 0: written. 3: the record has problems. 5: no such file.

\b
Examples: ranvier letter clinic heron.yaml --at 2025-11-03 --pdf letter.pdf
          ranvier letter patient heron.yaml --language de --html brief.html
          ranvier letter infusion heron.yaml --pdf sheet.pdf
          ranvier letter leaflet --language de --pdf leaflet.pdf
"""


@click.command(help=HELP, short_help="Letters, infusion sheet, leaflet: page or PDF.")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--language", default="en", show_default=True, metavar="CODE", help="en or de.")
@click.option("--html", "html_to", type=click.Path(path_type=Path), metavar="PATH", help="Write a page to PATH.")
@click.option("--pdf", "pdf_to", type=click.Path(path_type=Path), metavar="PATH", help="Write a PDF to PATH.")
@click.option("--funder", metavar="ID", help="For commissioning: whose form. See: ranvier form list")
@click.option("--follow-up", is_flag=True, help="For commissioning: the form of a review.")
@at_option
@seed_option
def command(
    kind: str,
    file: Path | None,
    language: str,
    html_to: Path | None,
    pdf_to: Path | None,
    funder: str | None,
    follow_up: bool,
    at: date | None,
    seed: int,
) -> int:
    """Read, assess, set; the words are HELP."""
    from ranvier.report.letter_words import languages

    if language not in languages():
        raise click.UsageError(f"There is no language '{language[:20]}'. Languages are: {', '.join(languages())}.")
    if kind != "leaflet" and file is None:
        raise click.UsageError(f"A {kind} letter needs a record: ranvier letter {kind} heron.yaml")
    if kind == "commissioning":
        from ranvier.decision.forms import editions

        if funder not in editions():
            raise click.UsageError(f"Say whose form: --funder with one of {', '.join(editions())}.")
    for option, target in (("--html", html_to), ("--pdf", pdf_to)):
        check_target(option, target, file or Path())
    form = ("follow_up" if follow_up else "request", funder or "")
    letter = _make(kind, file, language, at, seed, form)
    if html_to is not None:
        from ranvier.report.letter_html import page

        html_to.write_text(page(letter), encoding="utf-8")
        click.echo(f"Written: {html_to}", err=True)
    if pdf_to is not None:
        from ranvier.report.letter_pdf import pdf

        pdf_to.write_bytes(pdf(letter))
        click.echo(f"Written: {pdf_to}", err=True)
    if html_to is None and pdf_to is None:
        from ranvier.report.letter_text import render

        click.echo(render(letter), nl=False)
    return ExitCode.OK


def _make(kind: str, file: Path | None, language: str, at: date | None, seed: int, form: tuple[str, str]) -> Letter:
    from ranvier import evidence
    from ranvier.report import letters

    if kind == "leaflet" or file is None:
        from ranvier.report.leaflet import leaflet

        return leaflet(evidence.load(), language)
    record = read(file)
    day = the_day(at)
    if kind == "commissioning":
        return _form(record, day, seed, language, form)
    knowledge, assessment = assess(record, day, seed, {})
    if kind == "clinic":
        return letters.clinic(assessment, record, knowledge, language)
    if kind == "patient":
        return letters.patient(assessment, record, knowledge, language)
    from ranvier.decision.starting import start

    regimen, due = letters.in_force(assessment)
    begun = start(record, knowledge, at=day, product=regimen.product) if regimen else None
    weights = [x for x in record.person.weights if x.on <= day]
    return letters.infusion(
        regimen, due, knowledge, language, at=day, person=letters.Person(record.person.pseudonym),
        weight=weights[-1].kg if weights else None, start=begun, invented=record.invented,
        foot=letters.stamp(assessment, language),
    )  # fmt: skip


def _form(record: Record, day: date, seed: int, language: str, form: tuple[str, str]) -> Letter:
    from ranvier import evidence
    from ranvier.decision.both import assess_both
    from ranvier.decision.forms import fill
    from ranvier.report import letters

    knowledge = evidence.load()
    found = assess_both(record, knowledge, at=day, seed=seed)
    filled = fill(form[1], form[0], record, knowledge, at=day, assessment=found, diagnosis=found.diagnosis)
    person = letters.Person(record.person.pseudonym)
    return letters.commissioning(filled, knowledge, language, person=person, foot=letters.stamp(found, language))
