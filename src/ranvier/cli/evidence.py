"""`ranvier evidence`: what is believed, on what it stands, what nobody has verified, and what is new."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import click

from ranvier.ground.notes import ExitCode

HELP = """What is believed, and on what it stands.

\b
list        claims, treatments, contradictions, searches or sources
show        one of them in full; or a whole kind: show treatments
unverified  what was not read in its own source
update      trials and papers on MMN since the last review (needs a network)

Claims carry their certainty by the domains of GRADE. Contradictions are kept as contradictions. What was looked for and not
found is written down. Nothing here changes knowledge; a person does.

\b
Examples: ranvier evidence show treatments
          ranvier evidence show corticosteroids_no_help
          ranvier evidence show hahn2013 --json
          ranvier evidence list contradictions
          ranvier evidence unverified
"""
KINDS = ("claims", "treatments", "contradictions", "searches", "sources")

json_option = click.option(
    "--json", "as_json", is_flag=True, help="For machines: one JSON document on standard output."
)


@click.group(help=HELP, short_help="What is believed, and on what it stands.")
def command() -> None:
    """Hold the commands; the words are HELP."""


@command.command("list", short_help="Claims, treatments, contradictions, searches or sources.")
@click.argument("kind", type=click.Choice(KINDS), default="claims")
@json_option
def list_(kind: str, as_json: bool) -> int:
    """List one kind, a line each."""
    from ranvier import evidence
    from ranvier.report.order_text import filled
    from ranvier.report.plain import plain

    entries = getattr(evidence.load(), kind)
    if as_json:
        _echo_json([{"id": key, **plain(one)} for key, one in entries.items()])
        return ExitCode.OK
    for key, one in entries.items():
        said = next(
            str(getattr(one, name)) for name in ("says", "question", "asked", "citation", "name") if hasattr(one, name)
        )
        _echo(filled(f"{key}: {said}", "", "    "))
    return ExitCode.OK


@command.command("show", short_help="One claim, treatment, contradiction, search or source in full.")
@click.argument("name")
@json_option
def show(name: str, as_json: bool) -> int:
    """Show one entry, or a whole kind."""
    from importlib.resources import files

    from ranvier import evidence
    from ranvier.evidence.stated import standing_on
    from ranvier.report import evidence_text as text
    from ranvier.report.words import Words

    knowledge = evidence.load()
    words = Words(knowledge)
    if name in KINDS:
        entries = getattr(knowledge, name)
        if as_json:
            _echo_json([text.as_data(one) for one in entries.values()])
        elif name == "treatments":
            _echo(text.treatments_table(knowledge, words))
        else:
            for key in entries:
                _echo([*_one(key, words), ""])
        return ExitCode.OK
    kinds = [kind for kind in KINDS if name in getattr(knowledge, kind)]
    if not kinds:
        raise click.UsageError(f"There is nothing called '{name[:60]}'.{_near(name, knowledge)}")
    if as_json:
        data = [{"kind": kind, **text.as_data(getattr(knowledge, kind)[name])} for kind in kinds]
        if "sources" in kinds:
            data[kinds.index("sources")]["used_in"] = list(standing_on(files("ranvier.knowledge")).get(name, ()))
        _echo_json(data[0] if len(data) == 1 else data)
        return ExitCode.OK
    _echo(_one(name, words))
    return ExitCode.OK


def _one(name: str, words: Any) -> list[str]:
    """Everything of this name, of whichever kind."""
    from importlib.resources import files

    from ranvier.evidence.stated import standing_on
    from ranvier.report import evidence_text as text

    knowledge = words.knowledge
    lines: list[str] = []
    if name in knowledge.treatments:
        lines += text.treatment(knowledge.treatments[name], knowledge, words)
    if name in knowledge.claims:
        lines += text.claim(knowledge.claims[name], knowledge, words)
    if name in knowledge.contradictions:
        lines += text.contradiction(knowledge.contradictions[name], words)
    if name in knowledge.searches:
        lines += text.search(knowledge.searches[name], words)
    if name in knowledge.sources:
        used = standing_on(files("ranvier.knowledge")).get(name, ())
        lines += text.source(knowledge.sources[name], used, knowledge, words)
    return lines


@command.command("unverified", short_help="What was not read in its own source.")
@click.argument("file", required=False)
@json_option
def unverified(file: str | None, as_json: bool) -> int:
    """List every statement that is not read or computed; FILE narrows it to a folder or file of knowledge."""
    from importlib.resources import files

    from ranvier import evidence
    from ranvier.evidence.stated import VERIFIED, stated
    from ranvier.report import evidence_text as text
    from ranvier.report.words import Words

    found = [one for one in stated(files("ranvier.knowledge")) if one.status not in VERIFIED]
    if file is not None:
        every = sorted({one.file for one in found})
        found = [one for one in found if one.file.startswith(file)]
        if not found:
            raise click.UsageError(f"Nothing unverified in '{file[:80]}'. Files with such lines: {', '.join(every)}.")
    if as_json:
        _echo_json([text.as_data(one) for one in found])
    else:
        _echo(text.unverified(found, Words(evidence.load())))
    return ExitCode.OK


def _near(name: str, knowledge: Any) -> str:
    from difflib import get_close_matches

    every = [key for kind in KINDS for key in getattr(knowledge, kind)]
    near = get_close_matches(name, every, n=4, cutoff=0.5) or [key for key in every if name.casefold() in key][:4]
    return f" Did you mean: {', '.join(near)}?" if near else f" Kinds are: {', '.join(KINDS)}."


def _echo(lines: Iterable[str]) -> None:
    click.echo("\n".join(lines))


def _echo_json(data: Sequence[Any] | Any) -> None:
    click.echo(json.dumps(data, indent=2, ensure_ascii=False))
