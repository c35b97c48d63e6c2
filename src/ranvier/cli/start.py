"""`ranvier start`: what to check before the first dose, and how it could be given."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import click

from ranvier.cli.check_order import at_option, read_or_tell, today_if_none
from ranvier.ground.notes import ExitCode

HELP = """Begin immunoglobulin: checks before the first dose, courses, rates.

FILE is the person's record. Says which checks are open, clear, due again or show a risk, with tests and what to do; counts
the first course and maintenance from label and guideline by a named weight policy, in whole vials, by day, with rate steps
and times; lays the same grams under the skin beside it. What nobody has looked at counts as a risk until a safety check in
the record says otherwise.

\b
Exit code 0: answered. 3: the record has problems. 5: no such file.
6: sound, but no course can be counted (no weight, unknown product).

\b
Examples: ranvier start heron.yaml --product Kiovig --at 2025-11-03
          ranvier start heron.yaml --product Privigen --vials 10,20
          ranvier start heron.yaml --product Kiovig --policy label --days 5
          ranvier start heron.yaml --product Kiovig --sheet sheet.html
          ranvier start heron.yaml --product Kiovig --json
"""


def _to_sizes(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[float, ...]:
    """Vials in stock [g]."""
    if value is None:
        return ()
    try:
        sizes = tuple(float(part) for part in value.replace("g", "").split(","))
    except ValueError:
        raise click.BadParameter(f"'{value}' is no list of vials. Write grams: --vials 10,20", ctx, param) from None
    if not all(0 < size < 1000 for size in sizes):
        raise click.BadParameter(f"'{value}': vials hold more than 0 g", ctx, param)
    return sizes


@click.command(help=HELP, short_help="Begin immunoglobulin: checks, courses, rates.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--product", required=True, metavar="NAME", help="The product, as on the vial.")
@click.option(
    "--policy", default="ontario", show_default=True, metavar="NAME", help="By which weight: ontario, label, …"
)
@click.option("--vials", "sizes", callback=_to_sizes, metavar="GRAMS", help="Only these vials are in stock, as 10,20.")
@click.option("--days", type=click.IntRange(1, 14), help="Infusion days of the first course.")
@click.option(
    "--sheet", type=click.Path(path_type=Path, dir_okay=False), metavar="PATH", help="Write the nurse's sheet."
)
@click.option("--course", default="induction", metavar="ID", help="Which course the sheet is for.")
@at_option
@click.option("--json", "as_json", is_flag=True, help="For machines: one JSON object on standard output.")
def command(
    file: Path,
    product: str,
    policy: str,
    sizes: tuple[float, ...],
    days: int | None,
    sheet: Path | None,
    course: str,
    at: date | None,
    as_json: bool,
) -> int:
    """Read, count, print; the words are HELP."""
    from ranvier import evidence
    from ranvier.decision.starting import start

    knowledge = evidence.load()
    policies, courses = knowledge.starting.policies, knowledge.starting.courses
    if policy not in policies:
        told = "; ".join(f"{name}: {one.says}" for name, one in policies.items())
        raise click.UsageError(f"There is no policy '{policy}'. {told}")
    if course not in courses:
        raise click.UsageError(f"There is no course '{course}'. Courses are: {', '.join(courses)}.")
    if sheet is not None and (not sheet.parent.is_dir() or (sheet.exists() and file.exists() and sheet.samefile(file))):
        raise click.UsageError(f"--sheet {sheet}: no such folder, or the record itself. Give another name.")
    record = read_or_tell(file, as_json)
    if record is None:
        return ExitCode.INPUT
    answer = start(record, knowledge, at=today_if_none(at), product=product, policy=policy, sizes=sizes, days=days)
    if as_json:
        from ranvier.report.plain import plain

        click.echo(json.dumps({"format": "ranvier-start/1", **plain(answer)}, indent=2, ensure_ascii=False))
    else:
        from ranvier.report.start_text import render

        click.echo(render(answer, knowledge), nl=False)
    if sheet is not None:
        from ranvier.report.start_html import to_html

        sheet.write_text(to_html(answer, knowledge, plan=course), encoding="utf-8")
        click.echo(f"Written: {sheet}", err=True)
    return ExitCode.REFUSED if answer.beginning.refusal else ExitCode.OK
