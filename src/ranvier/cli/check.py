"""`ranvier check`: what was understood of a record, what is not known and what that costs, and what to mend."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import click

from ranvier import record as room
from ranvier.cli import words
from ranvier.ground.notes import ExitCode, InputError, Problem, must_mend
from ranvier.record.nouns import Record, StrengthSeries
from ranvier.record.until import day_of

HELP = """Read a record (YAML or JSON) and say what was understood.

Exit code 0: the record can be used. 3: something must be mended. 5: no such file.

\b
Examples: ranvier check heron.yaml
          ranvier check heron.yaml --json
"""


@click.command(help=HELP, short_help="Say what a record holds, what is missing, what to mend.")
@click.argument("file", type=click.Path(path_type=str))
@click.option("--json", "as_json", is_flag=True, help="For machines: one JSON object on standard output.")
def command(file: str, as_json: bool) -> int:
    """Read, then print; the words are HELP."""
    try:
        found, problems = room.read(file)
        problems += examined(found, file)
    except InputError as error:
        if not as_json:
            raise
        _print_json(file, ExitCode.INPUT, None, error.problems)
        return ExitCode.INPUT
    if as_json:
        _print_json(file, ExitCode.OK, summary(found), problems)
    else:
        click.echo(describe(found, problems))
    return ExitCode.OK


def examined(found: Record, file: str) -> tuple[Problem, ...]:
    """What the rooms of the diagnosis say about its examinations and nerve studies. Raises InputError with all of it."""
    if not (found.examinations or found.conduction_studies):
        return ()
    from ranvier.anatomy.read import read_findings
    from ranvier.conduction.read import from_record

    problems: list[Problem] = []
    for index, examination in enumerate(found.examinations):
        try:
            problems += read_findings(examination, at=f"examinations[{index}]")[1]
        except InputError as error:
            problems += error.problems
    try:
        problems += [p for study in from_record(found) for p in study.problems]
    except InputError as error:
        problems += error.problems
    if must_mend(tuple(problems)):
        raise InputError(f"{Path(file).name} cannot be used yet.", tuple(problems))
    return tuple(problems)


def _print_json(file: str, code: ExitCode, understood: dict[str, Any] | None, problems: Sequence[Problem]) -> None:
    answer = {
        "file": file,
        "usable": code is ExitCode.OK,
        "exit_code": int(code),
        "understood": understood,
        "problems": [words.problem_data(p) for p in problems],
    }
    click.echo(json.dumps(answer, indent=2, ensure_ascii=False))


def _gaps(days: Sequence[date]) -> tuple[int, int]:
    """Usual distance and longest distance between neighbouring days [d]."""
    steps = [(b - a).days for a, b in pairwise(days)]
    return (round(median(steps)), max(steps)) if steps else (0, 0)


def _many(n: int, thing: str) -> str:
    return f"{n} {thing}{'s' * (n != 1)}"


def _series(series: StrengthSeries) -> dict[str, Any]:
    days = sorted({day_of(v.at) for v in series.values})
    usual, longest = _gaps(days)
    return {
        "id": series.id,
        "measure": series.measure,
        "side": series.side,
        "device": series.device,
        "variant": series.variant,
        "unit": series.unit,
        "n": len(series.values),
        "days": len(days),
        "span_days": (days[-1] - days[0]).days + 1 if days else 0,
        "first": days[0].isoformat() if days else None,
        "last": days[-1].isoformat() if days else None,
        "usual_gap_days": usual,
        "longest_gap_days": longest,
    }


def summary(found: Record) -> dict[str, Any]:
    """What was understood, as plain data."""
    courses = sorted({day_of(i.start) for i in found.infusions})
    starts = [d for i, d in enumerate(courses) if i == 0 or (d - courses[i - 1]).days > 2]
    grams = round(sum(i.grams for i in found.infusions), 3)
    weight = found.person.weights[-1].kg if found.person.weights else None
    products: dict[str, int] = {}
    for infusion in found.infusions:
        products[infusion.product] = products.get(infusion.product, 0) + 1
    return {
        "digest": found.digest,
        "pseudonym": found.person.pseudonym,
        "invented": found.invented,
        "birth_year": found.person.birth_year,
        "sex": found.person.sex,
        "weight_kg": weight,
        "before": found.before.kind,
        "infusions": {
            "n": len(found.infusions),
            "courses": len(starts),
            "first": courses[0].isoformat() if courses else None,
            "last": courses[-1].isoformat() if courses else None,
            "grams": grams,
            "grams_per_kg_course": round(grams / len(starts) / weight, 3) if starts and weight else None,
            "usual_interval_days": _gaps(starts)[0] or None,
            "routes": sorted({i.route for i in found.infusions}),
            "products": products,
        },
        "igg": {
            "n": len(found.igg),
            "without_timing": sum(1 for g in found.igg if g.timing is None),
            "lowest": min((g.g_per_l for g in found.igg), default=None),
            "highest": max((g.g_per_l for g in found.igg), default=None),
        },
        "strength": [_series(s) for s in found.strength],
        "floors": [{"series": f.series, "value": f.value} for f in found.goals.floors],
        "unknown": [{"what": what, "cost": cost} for what, cost in unknown(found)],
    }


def unknown(found: Record) -> list[tuple[str, str]]:
    """What the record does not say, and what that costs."""
    gaps = []
    if not found.infusions:
        gaps.append(("No infusion is recorded.", "Nothing can be fitted: strength has no cause to follow."))
    if not any(s.values for s in found.strength):
        gaps.append(
            ("No strength is recorded.", "Response and wearing-off cannot be seen; record grip, daily if possible.")
        )
    if found.before.kind == "unknown":
        gaps.append(("What was given before the first infusion is unknown.", "The first weeks say less."))
    if not found.person.weights:
        gaps.append(("No body weight.", "Doses per kilogram cannot be checked, and limits by weight cannot be held."))
    if not found.igg:
        gaps.append(("No IgG level.", "Kinetics rests on other people's; one level before an infusion would help."))
    elif all(g.timing is None for g in found.igg):
        gaps.append(
            ("No IgG level says whether it was before or after an infusion.", "Levels of infusion days are not used.")
        )
    if found.infusions and not any(isinstance(i.start, datetime) for i in found.infusions):
        gaps.append(("Infusions have no time of day.", "Small, unless strength was measured on the same days."))
    if not found.goals.floors:
        gaps.append(
            ("No floor: the strength that matters to the person was not asked.", "One is assumed from their plateau.")
        )
    if found.goals.routes is None:
        gaps.append(("Accepted routes were not asked.", "Only the present route is looked at."))
    if found.person.birth_year is None:
        gaps.append(("No year of birth.", "Whether a model holds for this age cannot be told."))
    return gaps


NAMES = {
    "grip": "grip",
    "pinch": "pinch",
    "dynamometry": "dynamometry",
    "mrc_sum": "MRC sum",
    "mmn_rods": "MMN-RODS",
    "onls": "ONLS",
}


def describe(found: Record, problems: Sequence[Problem]) -> str:
    """The answer for a person: usable or not first, then what was understood, what is unknown, what to look at."""
    data = summary(found)
    about = [data["pseudonym"]]
    if data["invented"]:
        about.append("invented, no real person")
    if data["birth_year"]:
        about.append(f"born {data['birth_year']}")
    if data["sex"]:
        about.append(data["sex"])
    if data["weight_kg"] is not None:
        about.append(f"{data['weight_kg']:g} kg")
    verdict = "This record can be used"
    lines = [f"{verdict}; {words.counted(problems)}." if problems else f"{verdict}.", "", "Understood"]

    def row(head: str, text: str) -> None:
        lines.append(words.wrap(text, f"  {head:<11}", " " * 13))

    row("Person", ", ".join(about))
    given = data["infusions"]
    if given["n"]:
        kinds = ", ".join(f"{product} ({n})" for product, n in given["products"].items())
        interval = f", about every {given['usual_interval_days']} days" if given["usual_interval_days"] else ""
        courses = _many(given["courses"], "course")
        row("Infusions", f"{given['n']} in {courses}, {given['first']} to {given['last']}{interval}")
        per_kg = (
            f", {given['grams_per_kg_course']:.2g} g/kg per course"
            if given["grams_per_kg_course"] and len(given["routes"]) == 1
            else ""
        )
        row("", f"{given['grams']:g} g {'/'.join(given['routes'])}{per_kg}: {kinds}")
    past = {"none": "none, never had immunoglobulin", "unknown": "unknown"}.get(data["before"])
    before = found.before
    row("Before", past or f"{before.grams:g} g {before.product} every {before.interval_days:g} days ({before.route})")
    if data["igg"]["n"]:
        level = data["igg"]
        row("IgG", f"{_many(level['n'], 'level')}, {level['lowest']:g} to {level['highest']:g} g/L")
    for one in data["strength"]:
        what = " ".join(x for x in (NAMES[one["measure"]], one["side"], one["variant"]) if x)
        device = f", {one['device']}" if one["device"] else ", device unknown" if one["measure"] == "grip" else ""
        text = f"{one['id']}: {what}{device} [{one['unit']}], {_many(one['n'], 'value')}"
        if one["usual_gap_days"] == 1:
            text += f" on {one['days']} of {one['span_days']} days"
        if one["first"]:
            text += f", {one['first']} to {one['last']}"
        if one["longest_gap_days"] > max(3 * one["usual_gap_days"], 7):
            text += f"; longest gap {one['longest_gap_days']} days"
        row("Strength", text)
    for floor in found.goals.floors:
        unit = next(s.unit for s in found.strength if s.id == floor.series)
        row("Floor", f"{floor.series}: {floor.value:.3g} {unit}")
    row("Digest", found.digest[:16])
    if data["unknown"]:
        lines += ["", "Not known, and what that costs"]
        lines += [words.wrap(f"{gap['what']} {gap['cost']}", "  - ", "    ") for gap in data["unknown"]]
    if problems:
        lines += ["", words.problem_lines(problems)]
    return "\n".join(lines)
