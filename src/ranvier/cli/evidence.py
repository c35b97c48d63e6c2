"""`ranvier evidence`: what is believed, on what it stands, what nobody has verified, and what is new."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import click

from ranvier.cli.words import wrap
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
            folders = sorted({name.partition("/")[0] + "/" for name in every})
            raise click.UsageError(
                f"Nothing unverified in '{file[:80]}'. Folders with such lines: {', '.join(folders)}."
            )
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


UPDATE = """Trials and papers on MMN since the last review, for a person to accept. Never changes knowledge.

Asks ClinicalTrials.gov (API v2) and Europe PMC, and nobody else. Raw pages are kept with their day, so that a gathering that
broke off is continued. Without a network nothing is lost: every other command works offline.

\b
Exit code 0: asked. 6: a registry could not be asked; the other one's answer
is still shown.

\b
Examples: ranvier evidence update
          ranvier evidence update --since 2026-01-01 --json > new.json
"""


@command.command("update", help=UPDATE, short_help="Trials and papers on MMN since the last review.")
@click.option("--since", metavar="DAY", help="From this day on; else since the claims were last reviewed.")
@click.option("--until", "last", metavar="DAY", help="Papers up to this day; else today.")
@click.option("--condition", default="multifocal motor neuropathy", show_default=True, help="What is asked for.")
@click.option("--trials-url", metavar="URL", help="Another address of the registry of trials, such as a mirror.")
@click.option("--papers-url", metavar="URL", help="Another address of Europe PMC.")
@click.option("--keep", metavar="FOLDER", help="Where raw pages are kept; else in the program's own folder.")
@json_option
def update(
    since: str | None,
    last: str | None,
    condition: str,
    trials_url: str | None,
    papers_url: str | None,
    keep: str | None,
    as_json: bool,
) -> int:
    """Ask both registries; what one does not answer does not stop the other."""
    from datetime import date
    from pathlib import Path

    import ranvier_net as net
    from ranvier import evidence
    from ranvier.exchange import registries
    from ranvier.report.plain import plain

    knowledge = evidence.load()
    for option, url in (("--trials-url", trials_url), ("--papers-url", papers_url)):
        if url is not None and not url.startswith(("https://", "http://")):
            raise click.UsageError(f"{option}: '{url[:60]}' is no address. Write https://host or https://host:port.")
    begins = _day(since) or knowledge.looked["evidence/claims.yaml"]
    ends = _day(last) or date.today()
    archive = net.Archive(Path(keep) if keep else Path(click.get_app_dir("ranvier")) / "gathered")
    bases = (trials_url or net.TRIALS, papers_url or net.PAPERS)
    raw: dict[str, list[bytes]] = {"trials": [], "papers": []}
    refused: list[str] = []
    for name, base in zip(raw, bases, strict=True):
        try:
            with net.Client(net.Policy(hosts=net.hosts_of([base]))) as client:
                pages = (
                    net.trials(client, condition, since=begins, base=base, archive=archive)
                    if name == "trials"
                    else net.papers(client, condition, since=begins, until=ends, base=base, archive=archive)
                )
                for page in pages:
                    raw[name].append(page.body)
                    click.echo(f"{name}: page {len(raw[name])}", err=True)
        except net.NetworkError as error:
            refused.append(f"{name}: {error.what} {error.remedy}")
    trials, problems = registries.read_trials(raw["trials"])
    papers, more = registries.read_papers(raw["papers"])
    new = registries.compare(trials, papers, knowledge, begins, problems + more)
    if as_json:
        _echo_json({"format": "ranvier-update/1", **plain(new), "not_asked": refused})
    else:
        _echo(_news(new, knowledge, refused))
    for line in refused:
        click.echo(wrap(line), err=True)
    return ExitCode.REFUSED if refused else ExitCode.OK


def _news(new: Any, knowledge: Any, refused: Sequence[str]) -> list[str]:
    """What registries hold, for a person to look through; of one that was not asked nothing is said to be new or not."""
    from ranvier.exchange.registries import as_source
    from ranvier.report.order_text import filled
    from ranvier.report.words import Words

    words = Words(knowledge)

    def trial(it: Any) -> list[str]:
        facts = {
            "id": it.id,
            "title": it.title,
            "status": it.status.replace("_", " ").casefold(),
            "phases": ", ".join(it.phases) or words.unknown,
            "people": words.unknown if it.people is None else it.people,
            "interventions": ", ".join(it.interventions) or words.unknown,
            "primary": "; ".join(it.primary) or words.unknown,
            "changed": it.changed or words.unknown,
        }
        why = f"; {words.text('update', 'stopped', why=it.stopped)}" if it.stopped else ""
        return filled(words.text("update", "trial", **facts) + why, "  - ", "    ")

    lines = filled(words.text("update", "head", since=new.since, trials=len(new.trials), papers=len(new.papers)))
    if refused:
        names = ", ".join(line.partition(":")[0] for line in refused)
        lines += filled(words.text("update", "not_asked", names=names))
    elif not (new.trials or new.papers or new.changed):
        lines += filled(words.text("update", "nothing"))
    for name, group in (("trials", new.trials), ("changed", new.changed)):
        if group:
            lines += ["", words.text("update", name, n=len(group)), *(line for it in group for line in trial(it))]
    if new.papers:
        lines += ["", words.text("update", "papers", n=len(new.papers))]
        for paper in new.papers:
            link = f"doi:{paper.doi}" if paper.doi else f"PubMed {paper.pmid}" if paper.pmid else paper.id
            said = f"{paper.published or ''} {paper.title} {paper.authors or ''} {paper.journal or ''} {link}"
            lines += filled(" ".join(said.split()), "  - ", "    ")
        lines += ["", *filled(words.text("update", "accept")), *as_source(new.papers[0]).splitlines()]
    if new.known:
        lines += filled(words.text("update", "known", n=new.known))
    if new.problems:
        lines += ["", words.text("update", "problems", n=len(new.problems))]
        lines += [line for p in new.problems for line in filled(f"{p.place}: {p.what}. {p.remedy}", "  - ", "    ")]
    return [*lines, "", *filled(words.text("update", "still"))]


def _day(text: str | None) -> Any:
    from datetime import date

    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"'{text}' is not a day. Write year, month, day: 2026-01-31") from None
