"""`ranvier replay` and `ranvier backtest`: past answers made again, and the advice looked back upon."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import Any

import click

from ranvier.cli import words
from ranvier.cli.plan import _to_day, check_target, read, seed_option
from ranvier.ground.notes import ExitCode

REPLAY = """Make the answer behind a decision again, bit for bit.

The log holds what each answer was made from: knowledge and software version, seed, and the digest of the record as it stood.
Where all of them are the same, so is the answer, to the last bit. Where one has changed, it is said which, and what it
changed.

\b
Exit code 0: the same. 1: different although nothing changed: a fault of ours.
3: the record has problems. 6: something changed, or nothing was kept to
replay.

\b
Examples: ranvier replay heron.yaml                 every decision
          ranvier replay heron.yaml --of 2025-11-03
          ranvier replay heron.yaml --json
"""


@click.command(help=REPLAY, short_help="Make the answer behind a decision again, bit for bit.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--of", "of_day", callback=_to_day, metavar="DAY", help="Only the decision of this day.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON to standard output and nothing else.")
def replay(file: Path, of_day: date | None, as_json: bool) -> int:
    """Read, answer again, compare; the words are REPLAY."""
    record = read(file)
    from ranvier import evidence
    from ranvier.report.replay import replay as again

    chosen = [d for d in record.decisions if of_day is None or d.on == of_day]
    if not chosen:
        days = ", ".join(d.on.isoformat() for d in record.decisions) or "none"
        none = f"{file.name} holds no decision yet, so there is nothing to replay."
        said = f"There is no such decision in {file.name}. Decisions: {days}." if record.decisions else none
        click.echo(words.wrap(said), err=True)
        return ExitCode.REFUSED
    knowledge = evidence.load()
    told: list[dict[str, Any]] = []
    code = ExitCode.OK
    for decision in chosen:
        found = again(record, decision, knowledge)
        if found is None:
            told.append({"on": decision.on.isoformat(), "same": None, "changed": [], "differences": []})
            code = ExitCode.REFUSED if code == ExitCode.OK else code
            continue
        if not found.same:
            code = ExitCode.REFUSED if found.changed else ExitCode.FAILED
        told.append(
            {
                "on": decision.on.isoformat(),
                "same": found.same,
                "changed": [{"what": what, "then": then, "now": now} for what, then, now in found.changed],
                "differences": [{"name": name, "then": then, "now": now} for name, then, now in found.differences],
            }
        )
    if as_json:
        import json

        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return code
    for one in told:
        click.echo(words.wrap(f"{one['on']}: {_sentence(one)}", "", "  "))
        for change in one["changed"]:
            click.echo(words.wrap(f"{change['what']}: then {change['then'][:20]}, now {change['now'][:20]}", "  "))
        for d in one["differences"]:
            click.echo(words.wrap(f"{d['name'].replace('_', ' ')}: then {d['then']}, now {d['now']}", "  "))
    return code


def _sentence(one: dict[str, Any]) -> str:
    if one["same"] is None:
        return "the log does not say what the answer was made from; nothing can be replayed."
    if one["same"]:
        return "the same answer, to the last bit."
    if not one["changed"]:
        return "a different answer although nothing has changed. This is a fault of the program; report it."
    if one["differences"]:
        return "another answer, because what it was made from has changed:"
    return "the same in all that was kept, but not to the last bit, because what it was made from has changed:"


BACKTEST = """Run the advice over a person's past, at each decision day.

Each line uses only the facts known on its day; beside it stands what was given and what strength did. It shows how the advice
would have behaved, not what would have happened had it been followed.

\b
Examples: ranvier backtest heron.yaml
          ranvier backtest heron.yaml --from 2025-06-01 --every 2
          ranvier backtest heron.yaml --svg past.svg --json > past.json
"""


@click.command(help=BACKTEST, short_help="Run the advice over a person's past.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--from", "first", callback=_to_day, metavar="DAY", help="Not before this day.")
@click.option("--until", "last", callback=_to_day, metavar="DAY", help="Not after this day.")
@click.option("--every", type=click.IntRange(1), default=1, show_default=True, help="Only each so many-th course.")
@seed_option
@click.option("--json", "as_json", is_flag=True, help="Write JSON to standard output and nothing else.")
@click.option("--svg", "svg_to", type=click.Path(path_type=Path), metavar="PATH", help="Write the picture to PATH.")
def backtest(
    file: Path, first: date | None, last: date | None, every: int, seed: int, as_json: bool, svg_to: Path | None
) -> int:
    """Read, look back day by day, show; the words are BACKTEST."""
    check_target("--svg", svg_to, file)
    record = read(file)
    from ranvier import evidence
    from ranvier.decision.log import decision_days, look_back
    from ranvier.report import backtest as report
    from ranvier.report.words import Words

    knowledge = evidence.load()
    every_day = decision_days(record, knowledge, every=every)
    days = [d for d in every_day if (first is None or d >= first) and (last is None or d <= last)]
    if not days:
        why = "this record has fewer than three courses, and no decision in its log."
        if every_day:
            why = f"those of this record run from {every_day[0].isoformat()} to {every_day[-1].isoformat()}."
        click.echo(words.wrap(f"No decision day lies there: {why}"), err=True)
        return ExitCode.REFUSED
    backs = []
    for number, back in enumerate(look_back(record, knowledge, days, seed=seed), start=1):
        backs.append(back)
        if sys.stderr.isatty() and len(days) > 3:
            click.echo(f"\r{number} of {len(days)} days", nl=number == len(days), err=True)
    said = Words(knowledge, "en", backs[-1].said)
    if as_json:
        import json

        whole = {
            "pseudonym": record.person.pseudonym,
            "record_digest": record.digest,
            "knowledge_version": knowledge.version,
            "seed": seed,
            "days": report.rows(backs, said),
        }
        click.echo(json.dumps(whole, indent=2, ensure_ascii=False))
    else:
        click.echo(report.text(backs, said), nl=False)
    if svg_to is not None:
        svg_to.write_text(report.picture(record, backs, said), encoding="utf-8")
        click.echo(f"Written: {svg_to}", err=True)
    return ExitCode.OK
