"""`ranvier decide`, `ranvier outcome`, `ranvier log`: the decision log of a record."""

from __future__ import annotations

import os
import tempfile
from datetime import date
from pathlib import Path

import click

from ranvier.cli import words
from ranvier.cli.plan import _to_day, at_option, read, seed_option, the_day
from ranvier.ground.notes import ExitCode
from ranvier.record.nouns import Agreed, Override, Result

REASONS = (
    "person_prefers", "examination_differs", "data_not_trusted", "other_illness", "not_tolerated", "safety_risk",
    "step_too_large", "step_too_small", "tried_before", "venous_access", "visits_or_travel", "supply", "funding_rule",
    "second_opinion", "urgent", "trial_or_study", "other",
)  # fmt: skip
RESULTS = ("success", "failure", "unclear", "stopped_early", "not_done")
LIST = "\n".join(f"  {', '.join(REASONS[i : i + 4])}" for i in range(0, len(REASONS), 4))

HELP = f"""Keep in the record what was decided about a proposal.

Makes the plan of that day, and writes proposal, decision, reason, what was fixed beforehand, and what the answer was made
from into the record, so that it can be made again (ranvier replay). Everything else in the file stays as it was written.

\b
accept   as proposed
change   something else: --dose, --every, and what differs of --days, --route,
         --product; with --reason
refuse   nothing changes; with --reason

\b
Reasons:
{LIST}

A limit that is exceeded must be overridden by name, with a reason: --override dose_step=urgent

\b
Exit code 0: kept. 3: the record has problems, or the decision cannot be
kept as it is; nothing was written. 5: no such file.

\b
Examples: ranvier decide heron.yaml accept --at 2025-11-03 --by neurologist
          ranvier decide heron.yaml refuse --reason person_prefers
          ranvier decide heron.yaml change --dose 50 --every 21 \\
            --reason visits_or_travel --at 2025-11-03
"""

MOST_GRAMS, MOST_DAYS = 1000.0, 400.0  # nobody means more than that; the record's own bounds are narrower
FORMS = {"accept": "accepted", "change": "changed", "refuse": "refused"}


def _to_overrides(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[Override, ...]:
    """LIMIT=REASON by name."""
    found = []
    for text in values:
        limit, sep, reason = text.partition("=")
        if not sep or reason not in REASONS:
            message = f"'{text}': write the limit and a reason, as in dose_step=urgent. Reasons: {', '.join(REASONS)}"
            raise click.BadParameter(message, ctx, param)
        found.append(Override(limit, reason))
    return tuple(found)


@click.command(help=HELP, short_help="Keep in the record what was decided about a proposal.")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("decided", type=click.Choice(tuple(FORMS)))
@at_option
@seed_option
@click.option("--reason", type=click.Choice(REASONS), metavar="CODE", help="Why it was changed or refused.")
@click.option("--dose", type=float, metavar="GRAMS", help="Grams per course, where changed.")
@click.option("--every", type=float, metavar="DAYS", help="Interval in days, where changed.")
@click.option("--days", type=click.IntRange(1), help="Infusion days of a course, where changed.")
@click.option("--route", type=click.Choice(("IV", "SC", "fSCIg")), help="Where changed.")
@click.option("--product", help="Where changed.")
@click.option("--override", "overrides", multiple=True, callback=_to_overrides, metavar="LIMIT=CODE",
              help="A limit that is knowingly exceeded, and why; may be repeated.")  # fmt: skip
@click.option("--by", metavar="ROLE", help="Who decided: a role or a pseudonym, no name.")
@click.option("--note", help="Anything worth keeping.")
@click.option("--print", "only_print", is_flag=True, help="Print the entry and write nothing.")
def command(
    file: Path,
    decided: str,
    at: date | None,
    seed: int,
    reason: str | None,
    dose: float | None,
    every: float | None,
    days: int | None,
    route: str | None,
    product: str | None,
    overrides: tuple[Override, ...],
    by: str | None,
    note: str | None,
    only_print: bool,
) -> int:
    """Plan, decide, keep; the words are HELP."""
    if decided == "change":
        _sane(dose, every, days, route, product)
    record = read(file)
    at = the_day(at)
    from ranvier import evidence
    from ranvier.decision.log import Choice, answer_of, decide, proposed
    from ranvier.record.append import as_text, with_decision
    from ranvier.report import steps
    from ranvier.report.replay import answered
    from ranvier.report.words import Words

    knowledge = evidence.load()
    assessment = answer_of(record, knowledge, at=at, seed=seed)
    regimen = None
    if decided == "change":
        regimen = _regimen(assessment, dose, every, days, route, product)
    shown = steps.shown(assessment, Words(knowledge, "en", assessment))
    criteria = {step.id: (step.success, step.stop) for step in shown.steps}
    choice = Choice(FORMS[decided], regimen, reason, overrides, by, note)
    made = answered(assessment, knowledge)
    decision = decide(assessment, choice, knowledge, record=record, answer=made, criteria=criteria)
    if only_print:
        click.echo(as_text(decision), nl=False)
        return ExitCode.OK
    _replace(file, with_decision(file.read_text("utf-8-sig"), file.name, decision))
    best = proposed(assessment)
    offered = "nothing" if best is None else best.id
    click.echo(words.wrap(f"Kept in {file.name}: {decision.decided} on {at.isoformat()} (proposed: {offered})."))
    if decision.judge_on is not None:
        click.echo(words.wrap(f"To be judged on {decision.judge_on.isoformat()}: {decision.success or ''}"))
    return ExitCode.OK


def _sane(dose: float | None, every: float | None, days: int | None, route: str | None, product: str | None) -> None:
    """Refuse what cannot be a change, before any work is done."""
    if all(one is None for one in (dose, every, days, route, product)):
        raise click.UsageError("Say what was changed: --dose, --every, --days, --route or --product.")
    if dose is not None and not 0 < dose <= MOST_GRAMS:
        raise click.UsageError(f"--dose {dose:g} is no dose. Write the grams of one course.")
    if every is not None and not 0 < every <= MOST_DAYS:
        raise click.UsageError(f"--every {every:g} is no interval. Write days.")


def _regimen(
    assessment: object,
    dose: float | None,
    every: float | None,
    days: int | None,
    route: str | None,
    product: str | None,
) -> Agreed:
    """What was agreed instead: what is not said stays as it is in force."""
    from ranvier.decision.nouns import Assessment

    assert isinstance(assessment, Assessment)
    proposal = assessment.treatment.proposal
    now = None if proposal is None else proposal.current
    if now is None and None in (dose, every, route, product):
        raise click.UsageError("No regimen is in force: say --dose, --every, --route and --product.")
    grams = dose if dose is not None else (now.grams if now else 0.0)
    interval = every if every is not None else float(now.interval_days if now else 0)
    return Agreed(
        product or (now.product if now else ""),
        route or (now.route if now else ""),
        grams,
        interval,
        days if days is not None else (now.days if now and dose is None else None),
    )


OUTCOME = """Keep in the record what came of a decision.

Held against what was fixed beforehand: success, failure, unclear, stopped_early, not_done.

\b
Example: ranvier outcome heron.yaml 2025-11-03 success --at 2026-01-12
"""


@click.command(help=OUTCOME, short_help="Keep in the record what came of a decision.")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("of_day", callback=_to_day, metavar="DAY")
@click.argument("result", type=click.Choice(RESULTS))
@at_option
@click.option("--note", help="Anything worth keeping.")
def outcome(file: Path, of_day: date, result: str, at: date | None, note: str | None) -> int:
    """Find the decision, add its outcome; the words are OUTCOME."""
    from dataclasses import replace

    from ranvier.record.append import with_decision

    record = read(file)
    at = the_day(at)
    found = next((d for d in record.decisions if d.on == of_day), None)
    if found is None:
        days = ", ".join(d.on.isoformat() for d in record.decisions) or "none"
        raise click.UsageError(f"There is no decision of {of_day.isoformat()} in {file.name}. Decisions: {days}.")
    judged = replace(found, outcome=Result(at, result, note))
    _replace(file, with_decision(file.read_text("utf-8-sig"), file.name, judged))
    click.echo(f"Kept in {file.name}: {result}, judged on {at.isoformat()}.")
    return ExitCode.OK


LOG = """The decisions of a record: proposed, decided, why, and what came of it.

\b
Examples: ranvier log heron.yaml
          ranvier log heron.yaml --at 2026-03-01     what is due by then
          ranvier log heron.yaml --json
"""


@click.command(help=LOG, short_help="The decisions of a record, and what came of them.")
@click.argument("file", type=click.Path(path_type=Path))
@at_option
@click.option("--json", "as_json", is_flag=True, help="Write JSON to standard output and nothing else.")
def log(file: Path, at: date | None, as_json: bool) -> int:
    """Read and tell; the words are LOG."""
    record = read(file)
    if as_json:
        import json

        from ranvier.record.decisions import as_data

        entries = [as_data(d) for d in record.decisions]
        click.echo(json.dumps(entries, indent=2, ensure_ascii=False, default=lambda day: day.isoformat()))
        return ExitCode.OK
    if not record.decisions:
        click.echo(
            words.wrap(f"{file.name} holds no decision yet. Keep one with: ranvier decide {file.name} accept --at DAY")
        )
    for d in record.decisions:
        offered = "nothing proposed" if d.proposed is None else f"proposed {_said(d.proposed)}"
        then = "" if d.regimen is None else f", agreed {_said(d.regimen)}"
        why = "" if d.reason is None else f" ({d.reason.replace('_', ' ')})"
        click.echo(words.wrap(f"{d.on.isoformat()}  {d.decided}{why}: {offered}{then}", "", "            "))
        for o in d.overrides:
            click.echo(words.wrap(f"limit {o.limit} overridden: {o.reason.replace('_', ' ')}", "            "))
        if d.success and d.judge_on:
            click.echo(words.wrap(f"judge on {d.judge_on.isoformat()}: {d.success}", "            "))
        if d.outcome is not None:
            click.echo(
                words.wrap(f"outcome {d.outcome.result.replace('_', ' ')}, {d.outcome.on.isoformat()}", "            ")
            )
        elif at is not None and d.judge_on is not None and d.judge_on <= at:
            due = f"DUE: to be judged since {d.judge_on.isoformat()}. ranvier outcome {file.name} {d.on.isoformat()} success"
            click.echo(words.wrap(due, "            "))
        if d.note:
            click.echo(words.wrap(d.note, "            "))
    return ExitCode.OK


def _said(regimen: Agreed) -> str:
    return f"{regimen.grams:g} g {regimen.route} every {regimen.interval_days:g} d"


def _replace(file: Path, text: str) -> None:
    """The file at once or not at all: written beside it, then put in its place."""
    handle, beside = tempfile.mkstemp(dir=file.resolve().parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
        Path(beside).chmod(file.stat().st_mode & 0o777)
        Path(beside).replace(file.resolve())
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
