"""`ranvier diagnose`: which nerves, is there block, is it MMN, what else, what next."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ranvier.cli import words
from ranvier.cli.plan import at_option, check_target, html_option, language_option, read, the_day, write
from ranvier.ground.notes import ExitCode, InputError, Problem

if TYPE_CHECKING:
    from ranvier.decision.diagnosed import Setting

HELP = """Is it MMN, what else could it be, and what would tell most next?

Reads history, examination, nerve conduction and tests of a record; holds them against published criteria, each item
met, not met or unknown; weighs what else it could be; says which red flags are up. What nobody looked for is unknown,
never absent.

\b
Exit code 0: judged. 3: the record has problems to mend. 5: no such file.

\b
Examples: ranvier diagnose heron.yaml --at 2025-11-03
          ranvier diagnose heron.yaml --at 2025-11-03 --json
          ranvier diagnose heron.yaml --at 2025-11-03 --html heron.html
          ranvier diagnose heron.yaml --prior mmn=0.2 --prior als=0.1
          ranvier diagnose heron.yaml --setting suspected_mmn
          ranvier diagnose --findings
"""


@click.command(help=HELP, short_help="Is it MMN, what else, what next?")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@at_option
@click.option("--json", "as_json", is_flag=True, help="Write JSON to standard output and nothing else.")
@html_option
@language_option
@click.option("--setting", metavar="NAME", help="Where the patient is seen: decides how common each condition is.")
@click.option("--prior", "changed", multiple=True, metavar="CONDITION=P", help="How common a condition is here.")
@click.option("--priors", type=click.Path(path_type=Path), help="The same from a YAML file of condition: probability.")
@click.option("--findings", is_flag=True, help="List what a record can state, by name, and stop.")
def command(
    file: Path | None,
    at: date | None,
    as_json: bool,
    html_to: Path | None,
    setting: str | None,
    changed: tuple[str, ...],
    priors: Path | None,
    findings: bool,
    language: str,
) -> int:
    """Read, judge, print; the words are HELP."""
    if findings:
        click.echo(catalogue())
        return ExitCode.OK
    if file is None:
        raise click.UsageError("Name a FILE, or use --findings to see what a record can state.")
    chosen = settings(setting, changed, priors)
    check_target("--html", html_to, file)
    record = read(file)
    at = the_day(at)
    from ranvier import evidence
    from ranvier.decision.diagnose import diagnose

    knowledge = evidence.load()
    found = diagnose(record, knowledge, at=at, setting=chosen)
    if html_to is not None:
        from ranvier.report.diagnosis_html import to_html

        write(html_to, to_html(found, knowledge, language=language))
    if as_json:
        from ranvier.report.as_json import dumps
        from ranvier.report.diagnosis_json import to_json

        click.echo(dumps(to_json(found, knowledge, language=language)), nl=False)
        return ExitCode.OK
    from ranvier.report.diagnosis_words import render

    if found.problems:
        click.echo(words.problem_lines(found.problems) + "\n", err=True)
    click.echo(render(found, knowledge, language), nl=False)
    return ExitCode.OK


def settings(setting: str | None, changed: tuple[str, ...], priors: Path | None) -> Setting | None:
    """The setting with its changed priors; None where nothing was asked for. Raises InputError with every fault."""
    if setting is None and not changed and priors is None:
        return None
    from ranvier.decision.diagnose import setting_of

    given: dict[str, float] = {}
    problems: list[Problem] = []
    for place, name, value in (*_from_file(priors), *(_pair(text) for text in changed)):
        try:
            given[name] = float(value)
        except (TypeError, ValueError):
            problems.append(Problem(place, f"'{value}' is no number", "Write a probability, as in mmn=0.2."))
    if problems:
        raise InputError("These priors cannot be used", tuple(problems))
    return setting_of(setting, given)


def _pair(text: str) -> tuple[str, str, Any]:
    name, separator, value = text.partition("=")
    return "--prior", name.strip(), value if separator else "nothing"


def _from_file(path: Path | None) -> list[tuple[str, str, Any]]:
    """Rows of a file of priors. Raises InputError where it holds none."""
    if path is None:
        return []
    import yaml

    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError):
        data = None
    if not isinstance(data, dict):
        problem = Problem(path.name, "this file holds no priors", "Write lines such as  mmn: 0.2")
        raise InputError("These priors cannot be used", (problem,))
    return [(path.name, str(name), value) for name, value in data.items()]


def catalogue() -> str:
    """Every finding that a record can state, by kind, with its words."""
    from ranvier.decision.diagnose import catalogue as findings

    lines = ["Findings that a record can state, under history: present / absent, or investigations."]
    kind = None
    for name, says, of_kind in findings():
        if of_kind != kind:
            kind = of_kind
            lines += ["", kind]
        lines += [f"  {name}", f"      {says}"]
    return "\n".join(lines)
