"""`ranvier lot` and `ranvier events`: adverse events, and where a lot of immunoglobulin has been."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import click

from ranvier.cli import words
from ranvier.cli.check_order import at_option, json_option, read_or_tell, today_if_none
from ranvier.ground.notes import ExitCode, InputError
from ranvier.record.nouns import Record

LOT = """Where has a lot of immunoglobulin been?

\b
trace  every infusion of a lot in the records, with what happened after it
list   every lot written in the records

Spaces, hyphens and capitals do not matter; a lot that differs in one letter is named, never merged.

\b
Examples: ranvier lot trace LE12X041 records/*.yaml
          ranvier lot trace LE12X041 records/ --json
          ranvier lot list records/
"""
MOST_SAID = 5  # files that cannot be read are named up to here, then counted
EVENTS = """Adverse events of a person: how bad, after which infusion and lot, what made it likelier, what to test and when.

FILE is the person's record. A grade that nobody wrote is not guessed.

\b
Example: ranvier events heron.yaml --at 2025-11-03
"""


@click.group(help=LOT, short_help="Where has a lot of immunoglobulin been?")
def command() -> None:
    """Hold the commands; the words are LOT."""


@command.command("trace", short_help="Every infusion of a lot, and what happened after it.")
@click.argument("lot")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@json_option
def trace(lot: str, files: tuple[Path, ...], as_json: bool) -> int:
    """Trace one lot; a record that cannot be read is said, and the exit code tells."""
    from ranvier import evidence
    from ranvier.protection.events import plain_lot, trace_lot
    from ranvier.report.event_text import trace as told
    from ranvier.report.plain import plain

    if not plain_lot(lot):
        raise click.UsageError(f"'{lot[:60]}' is no lot: it has neither letters nor digits.")
    records, unread = _records(files)
    knowledge = evidence.load()
    answer = trace_lot(lot, records, knowledge)
    if as_json:
        data = {"format": "ranvier-lot/1", **plain(answer), "records": len(records), "unread": unread}
        click.echo(json.dumps(data, indent=2, ensure_ascii=False))
    else:
        click.echo(told(answer, len(records), knowledge), nl=False)
    return ExitCode.INPUT if unread else ExitCode.OK


@command.command("list", short_help="Every lot written in the records.")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@json_option
def list_(files: tuple[Path, ...], as_json: bool) -> int:
    """List lots with the number of their infusions."""
    from ranvier.protection.events import lots

    records, unread = _records(files)
    found = lots(records)
    if as_json:
        click.echo(json.dumps({"lots": found, "records": len(records), "unread": unread}, indent=2, ensure_ascii=False))
    else:
        for lot, n in found.items():
            click.echo(words.wrap(f"{lot}: {n}"))
    return ExitCode.INPUT if unread else ExitCode.OK


def _records(files: tuple[Path, ...]) -> tuple[list[Record], list[str]]:
    """All records of files and folders; those that cannot be read are said on stderr, and the others are still looked at."""
    from ranvier import record as room

    paths: list[Path] = []
    for file in files:
        inside = (path for path in sorted(file.rglob("*")) if path.suffix in (".yaml", ".yml", ".json"))
        paths += list(inside) if file.is_dir() else [file]
    records: list[Record] = []
    unread: list[str] = []
    for path in dict.fromkeys(paths):
        try:
            found, _ = room.read(path)
        except InputError as error:
            unread.append(str(path))
            if len(unread) <= MOST_SAID:
                said = f"Not read: {path}: {words.counted(error.problems)}. See: ranvier check {path}"
                click.echo(words.wrap(said), err=True)
            continue
        records.append(found)
    if len(unread) > MOST_SAID:
        click.echo(f"... and {len(unread) - MOST_SAID} more not read; --json lists them.", err=True)
    return records, unread


@click.command(help=EVENTS, short_help="Adverse events: how bad, which lot, what to test.")
@click.argument("file", type=click.Path(path_type=Path))
@at_option
@json_option
def events_command(file: Path, at: date | None, as_json: bool) -> int:
    """Read, look, print; the words are EVENTS."""
    from ranvier import evidence
    from ranvier.protection.events import events
    from ranvier.record.until import until
    from ranvier.report.event_text import render
    from ranvier.report.plain import plain

    record = read_or_tell(file, as_json)
    if record is None:
        return ExitCode.INPUT
    day = today_if_none(at)
    then, _ = until(record, day)
    knowledge = evidence.load()
    views = events(then, knowledge)
    if as_json:
        answer = {
            "format": "ranvier-events/1",
            "at": day.isoformat(),
            "record": record.digest,
            "knowledge": knowledge.version,
            "events": plain(views),
        }
        click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
    else:
        click.echo(render(views, knowledge), nl=False)
    return ExitCode.OK
