"""`ranvier localise`: from an examination of strength to nerves, sites and kinds of explanation."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from ranvier.cli import words
from ranvier.ground.findings import Finding
from ranvier.ground.notes import ExitCode, InputError, Problem

HELP = """Which nerves do these weak muscles point to, where, and what else could explain them?

FILE is a record (its latest examination, or the one of --on), or a small file with grades: CSV with the columns
muscle, side and mrc (or muscle, left, right), or YAML. Grades are 0 to 5, also 4-, 4+, 5-. A muscle that is left out
was not tested, which is not the same as normal.

\b
Examples: ranvier localise examination.csv
          ranvier localise heron.yaml --on 2025-03-14 --svg body.svg
          ranvier localise examination.yaml --json
"""
LIKELY = 0.15  # nerves less likely than this are not shown on the screen
SILENT = 0.5  # the same for nerves none of whose muscles is weak
NERVES = 6
SITES = 3
EXPLANATIONS = 4
BAR = 20  # columns


class NothingGradedError(Exception):
    """The record is sound, but there is nothing in it to localise from."""


@click.command(help=HELP, short_help="Which nerves, where, and what else could it be?")
@click.argument("file", type=click.Path(path_type=str), required=False)
@click.option("--on", "day", metavar="DATE", help="The examination of this day, out of a record.")
@click.option("--json", "as_json", is_flag=True, help="For machines: one JSON object on standard output.")
@click.option("--svg", type=click.Path(path_type=Path, dir_okay=False), help="Draw muscles and nerves to this file.")
@click.option("--muscles", is_flag=True, help="List the muscles and movements that can be named, and stop.")
def command(file: str | None, day: str | None, as_json: bool, svg: Path | None, muscles: bool) -> int:
    """Read, localise, print; the words are HELP."""
    from ranvier.anatomy import load, localise, plain

    anatomy = load()
    if muscles:
        click.echo(_catalogue(anatomy))
        return ExitCode.OK
    if file is None:
        raise click.UsageError("Name a FILE, or use --muscles to see which names are known.")
    try:
        seen, problems = read(file, day, anatomy)
    except InputError as error:
        if not as_json:
            raise
        answer = {"file": file, "usable": False, "problems": [words.problem_data(p) for p in error.problems]}
        click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
        return ExitCode.INPUT
    except NothingGradedError as refusal:
        if as_json:
            click.echo(json.dumps({"file": file, "usable": False, "refused": str(refusal)}, indent=2))
        else:
            click.echo(words.wrap(str(refusal)), err=True)
        return ExitCode.REFUSED
    found = localise(seen, anatomy)
    if svg is not None:
        from ranvier.anatomy.picture import body

        svg.write_text(body(seen, found, anatomy), encoding="utf-8")
    if as_json:
        answer = {
            "file": file,
            "usable": True,
            "anatomy_version": anatomy.version,
            "examination": plain.examination(seen, anatomy),
            "localisation": plain.localisation(found),
            "problems": [words.problem_data(p) for p in problems],
        }
        click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
        return ExitCode.OK
    click.echo(describe(seen, found, anatomy))
    if svg is not None:
        click.echo(f"\nThe picture is in {svg}.")
    if problems:
        click.echo(words.problem_lines(problems), err=True)
    return ExitCode.OK


def read(file: str, day: str | None, anatomy: Any) -> tuple[Any, tuple[Problem, ...]]:
    """The examination in a record or a small file. Raises InputError, FileNotFoundError."""
    from ranvier import record as room
    from ranvier.anatomy.read import read_findings, read_text

    wanted = _day(day)
    raw = Path(file).read_bytes()
    name = Path(file).name
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        remedy = "Save the table as CSV (UTF-8): muscle,side,mrc."
        raise InputError(f"{name} cannot be used yet.", (Problem("file", "is not text", remedy),)) from None
    if not name.lower().endswith((".csv", ".tsv", ".txt")) and "ranvier_record" in text:
        found, problems = room.read(file)
        return _of_record(found.examinations, wanted, name, anatomy, read_findings, problems)
    seen, problems = read_text(text, name, anatomy)
    if wanted is not None and seen.on != wanted:
        told = seen.on.isoformat() if seen.on else "no day"
        what = f"the examination is of {told}, not of {wanted.isoformat()}"
        raise InputError(f"{name} cannot be used yet.", (Problem("on", what, "Leave --on out, or name its day."),))
    return seen, problems


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"--on: '{text}' is not a day. Write it as year-month-day, as in 2026-03-14.") from None


def _of_record(
    examinations: Sequence[Mapping[str, Any]],
    wanted: date | None,
    name: str,
    anatomy: Any,
    read_findings: Any,
    problems: tuple[Problem, ...],
) -> tuple[Any, tuple[Problem, ...]]:
    """The latest examination with grades, or the one of the wanted day."""
    graded = [(i, e) for i, e in enumerate(examinations) if e.get("findings")]

    def on(examination: Mapping[str, Any]) -> date:
        told = examination["on"]
        return told if isinstance(told, date) and not isinstance(told, datetime) else date.fromisoformat(str(told)[:10])

    if wanted is not None:
        graded = [(i, e) for i, e in graded if on(e) == wanted]
    if not graded:
        days = ", ".join(sorted({on(e).isoformat() for e in examinations if e.get("findings")})) or "none"
        raise NothingGradedError(
            f"{name} holds no examination with grades{f' of {wanted.isoformat()}' if wanted else ''}. Days with grades: "
            f"{days}. A grade is written {{muscle: FDI, side: right, mrc: 4}} under findings of an examination."
        )
    index, latest = max(graded, key=lambda item: (on(item[1]), item[0]))
    seen, more = read_findings(latest, anatomy, at=f"examinations[{index}]")
    return seen, (*problems, *more)


def about(p: float) -> str:
    """A probability in words and per cent; never 0 or 100 %."""
    percent = min(max(round(100 * p), 1), 99)
    return f"{percent} %" if 1 < percent < 99 else "under 2 %" if percent <= 1 else "over 98 %"


def _bar(p: float) -> str:
    full = round(p * BAR)
    return "█" * full + "·" * (BAR - full)


def describe(seen: Any, found: Any, anatomy: Any) -> str:
    """The answer for a person: a sentence, how sure, nerves, explanations, what to test next, what to mind."""
    name = _namer(anatomy)
    weak = sum(f.weak for f in seen.findings)
    day = f", {seen.on.isoformat()}" if seen.on else ""
    lines = [words.wrap(_headline(found)), ""]
    tested = len(seen.findings)
    sides = sorted({f.side for f in seen.findings})
    grades = "grade" if tested == 1 else "grades"
    lines.append(words.wrap(f"From {tested} {grades} ({weak} weak; {' and '.join(sides) or 'no side'}{day})."))
    lines.append("")
    nerves = [n for n in found.nerves if n.probability >= (LIKELY if n.muscles_for else SILENT)][:NERVES]
    if nerves:
        lines.append("Nerves")
        for n in nerves:
            lines.append(f"  {n.side:<5} {n.name:<30.30} {_bar(n.probability)} {about(n.probability)}")
            if n.muscles_for:
                lines.append(words.wrap("weak: " + _grades(n.muscles_for, n.side, seen, name), " " * 8, " " * 14))
            if n.muscles_against:
                lines.append(words.wrap("full: " + ", ".join(map(name, n.muscles_against)), " " * 8, " " * 14))
            where = _where(n, anatomy)
            if where:
                lines.append(words.wrap(f"where: {where}", " " * 8, " " * 15))
        lines.append("")
    lines.append("Explanations")
    for e in found.explanations[:EXPLANATIONS]:
        factor = "" if e.name == "multiple_mononeuropathy" else f"  Bayes factor {_factor(e.bayes_factor)}"
        lines.append(f"  {_bar(e.probability)} {about(e.probability):>9}  {e.title}")
        parts = "; ".join(f"{p.name}{f', {p.side}' if p.side else ''} {about(p.probability)}" for p in e.parts[:2])
        if parts or factor:
            lines.append(words.wrap(f"{parts}{factor}".strip(), " " * 34))
    lines.append("")
    lines.append(words.wrap(_asymmetry(found, name)))
    if found.next:
        lines += ["", "What would tell most next"]
        for t in found.next:
            what = f"nerve study, {t.name}" if t.kind == "conduction" else t.name
            how = "" if t.kind == "conduction" else f": {anatomy.muscles[t.target].movement}"
            lines.append(words.wrap(f"{t.side} {what}{how} ({t.information:.2f} bit)", "  - ", "    "))
    pseudo = [c for c in found.caveats if c.name == "anatomy.pseudo_weakness"]
    caveats = [*_pseudo(pseudo, name), *(_caveat(c, name) for c in found.caveats if c not in pseudo)]
    if caveats:
        lines += ["", "Mind"]
        lines += [words.wrap(text, "  - ", "    ") for text in caveats]
    lines += ["", words.wrap(
        f"Bayes factors compare with multiple mononeuropathy. {len(found.unverified)} rows and numbers that took part "
        "were not checked against their source (--json lists them). For professionals; no diagnosis."
    )]  # fmt: skip

    return "\n".join(lines)


def _headline(found: Any) -> str:
    first, second = found.explanations[:2]
    sure = "Most likely" if first.probability >= 0.7 else "More likely than not" if first.probability >= 0.5 else "Open"
    if sure == "Open":
        return (
            f"Open: {first.title} ({about(first.probability)}) or {second.title} ({about(second.probability)}); "
            "the muscles tested do not tell them apart."
        )
    parts = [f"{p.name}, {p.side}" if p.side else p.name for p in first.parts]
    many = first.name == "multiple_mononeuropathy"
    shown = "; ".join(parts if many else parts[:1])
    return f"{sure} {first.title}{f': {shown}' if shown else ''} ({about(first.probability)})."


def _factor(value: float) -> str:
    if value >= 1000:
        return "over 1000"
    return f"{value:.2g}" if value >= 0.001 else "under 0.001"


def _namer(anatomy: Any) -> Any:
    def name(id: str) -> str:
        noun = anatomy.muscles.get(id) or anatomy.groups.get(id)
        return str(noun.name) if noun else id

    return name


def _grades(muscles: Sequence[str], side: str, seen: Any, name: Any) -> str:
    return ", ".join(f"{name(m)} {seen.grade(m, side)}" for m in muscles)


def _where(nerve: Any, anatomy: Any) -> str:
    found = []
    for site, share in nerve.likeliest[:SITES]:
        if share < 0.1:
            continue
        own = site.removeprefix("own_")
        text = anatomy.sites[site].name if site in anatomy.sites else f"branch to {anatomy.muscles[own].name} alone"
        found.append(f"{text} ({about(share)})")
    return "; ".join(found)


def _asymmetry(found: Any, name: Any) -> str:
    differences = [d for d in found.asymmetry.differences if d.asymmetric]
    if found.asymmetry.found.value == "unknown":
        return "Asymmetry: unknown; no muscle was graded on both sides."
    if not differences:
        return "Asymmetry: none by the guideline's rule (1 grade if above 3, else 2)."
    shown = ", ".join(f"{name(d.muscle)} (left {d.left}, right {d.right})" for d in differences[:4])
    more = f" and {len(differences) - 4} more" if len(differences) > 4 else ""
    return f"Asymmetry by the guideline's rule (1 grade if above 3, else 2): {shown}{more}."


def _pseudo(caveats: Sequence[Finding], name: Any) -> list[str]:
    """One sentence for all tests that lacked the same leverage."""
    by_driver: dict[tuple[str, str, str], list[str]] = {}
    for caveat in caveats:
        f = caveat.facts
        key = (str(f["driver"]), str(f["driver_grade"]), str(f["side"]))
        by_driver.setdefault(key, []).append(f"{name(str(f['muscle']))} ({f['grade']})")
    told = []
    for (driver, grade, side), muscles in by_driver.items():
        how = "the foot held up" if driver == "ta" else "wrist and fingers supported"
        told.append(
            f"On the {side}, {' and '.join(muscles)} may only look weak, as {name(driver)} graded {grade} "
            f"{'give' if driver.endswith('s') else 'gives'} no hold. Test again with {how}."
        )
    return told


def _caveat(caveat: Finding, name: Any) -> str:
    """The sentence of a caveat."""
    facts = dict(caveat.facts)
    kind = caveat.name.removeprefix("anatomy.")
    if kind == "few_muscles":
        return f"Only {facts['n']} grades; a pattern needs {facts['wanted']} or more, strong muscles included."
    if kind == "other_side_not_tested":
        return f"The {facts['side']} side was not tested: asymmetry and roots against nerves stay open."
    if kind == "fascicular":
        return (
            f"Weakness of posterior interosseous muscles alone ({facts['side']}) does not say that the lesion is at the "
            "supinator: most lay in the radial trunk at the upper arm, in the fascicles of that branch."
        )
    if kind == "group_adds_nothing":
        return f"{name(str(facts['group']))} ({facts['side']}) adds nothing: its muscles were tested one by one."
    if kind == "group_simplified":
        return f"{name(str(facts['group']))} ({facts['side']}) was read as its main muscle: too many movements at once."
    if kind == "nothing_weak":
        return "No tested muscle is weak. Lesions that leave strength full cannot be seen here."
    return kind.replace("_", " ")


def _catalogue(anatomy: Any) -> str:
    """All muscles and movements with their short names."""
    lines = ["Muscles"]
    for m in anatomy.muscles.values():
        lines.append(f"  {m.id.upper():<7} {m.name}: {m.movement}"[:100])
    lines += ["", "Movements"]
    for g in anatomy.groups.values():
        lines.append(words.wrap(f"{g.name}: {', '.join(x.upper() for x in g.members)}", "  ", "    "))
    return "\n".join(lines)
