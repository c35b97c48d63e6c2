"""`ranvier check-order`: would this drug harm this person?"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import click

from ranvier.cli import words
from ranvier.ground.notes import ExitCode, InputError
from ranvier.record.nouns import Record

HELP = """Would this drug harm this person?

FILE is the person's record. DRUG is its name (also with strength and form), its ATC code (former codes too), or its
RxNorm number as 'RxNorm 8640'. A name that is not quite right becomes a question, never a guess.

An alert has a tier: danger (do not give before it is cleared), warning, information. It says why, on what evidence, what
to do instead, and never to stop a drug that is already taken on one's own. Another illness, a local route, replacement of
missing hormone are respected: say them with --for and --route.

\b
Exit code 0: answered, with or without alerts. 3: the record has problems.
4: a question must be answered first. 5: no such file.

\b
Examples: ranvier check-order heron.yaml prednisolone
          ranvier check-order heron.yaml prednisolone --for asthma
          ranvier check-order heron.yaml "triamcinolone injection" \\
                  --route intra-articular
          ranvier check-order heron.yaml L04AA58
          ranvier check-order heron.yaml "MMR vaccine" --start 2026-02-01
          ranvier check-order heron.yaml ibuprofen --json
"""


def to_day(ctx: click.Context, param: click.Parameter, value: str | None) -> date | None:
    """The date, or the reason why it is none, with a remedy."""
    try:
        return None if value is None else date.fromisoformat(value)
    except ValueError:
        message = f"'{value}' is not a day. Write year, month, day: 2025-11-03"
        raise click.BadParameter(message, ctx, param) from None


at_option = click.option("--at", callback=to_day, metavar="DAY", help="The day of the check, YYYY-MM-DD; else today.")
json_option = click.option("--json", "as_json", is_flag=True, help="For machines: one JSON object on standard output.")


@click.command(help=HELP, short_help="Would this drug harm this person?")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("drug", nargs=-1, required=True)
@click.option("--for", "reason", metavar="WHY", help="What the drug is for, in words.")
@click.option(
    "--for-code", "reason_codes", multiple=True, metavar="ICD10", help="The reason as a code; may be repeated."
)
@click.option("--code", "codes", multiple=True, metavar="CODE", help="A further code of the drug, as 'ATC H02AB06'.")
@click.option("--route", metavar="ROUTE", help="How it is given: oral, inhaled, topical, …")
@click.option(
    "--start", callback=to_day, metavar="DAY", help="First day of the drug; the day of the check if left out."
)
@at_option
@json_option
def command(
    file: Path,
    drug: tuple[str, ...],
    reason: str | None,
    reason_codes: tuple[str, ...],
    codes: tuple[str, ...],
    route: str | None,
    start: date | None,
    at: date | None,
    as_json: bool,
) -> int:
    """Read, check, print; the words are HELP."""
    from ranvier import evidence
    from ranvier.protection import Order, check_order, plain

    record = read_or_tell(file, as_json)
    if record is None:
        return ExitCode.INPUT
    knowledge = evidence.load()
    order = Order(
        drug=" ".join(drug),
        codes=codes,
        route=_route(route),
        for_what=reason,
        for_codes=reason_codes,
        start=start,
    )
    answer = check_order(record, order, knowledge, today_if_none(at))
    if as_json:
        click.echo(json.dumps(plain.order_check(answer, knowledge), indent=2, ensure_ascii=False))
    else:
        from ranvier.report.order_text import render

        click.echo(render(answer, knowledge), nl=False)
    return ExitCode.OK if answer.question is None else ExitCode.QUESTION


def read_or_tell(file: Path, as_json: bool) -> Record | None:
    """The record; None after its problems were told as JSON. What deserves a look goes to stderr."""
    from ranvier.cli.plan import read

    if not as_json:
        return read(file)
    try:
        return read(file)
    except InputError as error:
        answer = {"file": str(file), "usable": False, "problems": [words.problem_data(p) for p in error.problems]}
        click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
        return None


def today_if_none(at: date | None) -> date:
    """The day asked for; left out, it is today, and that is said."""
    if at is not None:
        return at
    today = date.today()
    click.echo(f"No --at was given: for today, {today.isoformat()}.", err=True)
    return today


def _route(route: str | None) -> str | None:
    """The route as the record's schema names it."""
    from difflib import get_close_matches

    from ranvier.record.structure import schema

    if route is None:
        return None
    known = {str(name).casefold(): str(name) for name in schema()["$defs"]["drug_route"]["enum"]}
    wanted = route.strip().casefold()
    if wanted in known:
        return known[wanted]
    near = get_close_matches(wanted, known, n=1, cutoff=0.6)
    hint = f" Did you mean '{known[near[0]]}'?" if near else f" Routes are: {', '.join(known.values())}."
    raise click.UsageError(f"'{route[:60]}' is not a route.{hint}")
