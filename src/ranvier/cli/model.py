"""`ranvier model`: the family of models, shipped populations, and whether a population file is sound."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from ranvier.cli.words import wrap
from ranvier.ground.notes import ExitCode

HELP = """The models that can be fitted: structures, populations, and the check of your own file.

\b
Examples: ranvier model list
          ranvier model show two_compartment
          ranvier model show tortorici2021
          ranvier model check clinic.yaml
"""
TEMPLATE = """id: my_population
title: What it describes
source: where its numbers come from
kinetics: {kinetics}
parameters:
{parameters}
residual:
  concentration: {{error: combined_root, additive: 0.5, proportional: 0.1}}
"""


@click.group(help=HELP, short_help="List, show and check the models and populations that can be fitted.")
def command() -> None:
    """Hold the three; the words are HELP."""


@command.command("list", help="All structures of kinetics and response, and the shipped populations.")
@click.option("--json", "as_json", is_flag=True, help="For machines: one JSON object on standard output.")
def list_(as_json: bool) -> int:
    """Names and titles."""
    from ranvier.evidence.models import family, shipped

    structures, populations = family().structures.values(), shipped()
    if as_json:
        found = {kind: {s.id: s.title for s in structures if s.kind == kind} for kind in ("kinetics", "response")} | {
            "populations": {p.id: p.title for p in populations.values()}
        }
        click.echo(json.dumps(found, ensure_ascii=False, indent=1))
        return ExitCode.OK
    for kind, words in (("kinetics", "Kinetics"), ("response", "Response, driven by any of the kinetics")):
        click.echo(f"{words}:")
        for s in structures:
            if s.kind == kind:
                click.echo(f"  {s.id:38} {s.title[:40]}")
        click.echo("")
    click.echo("Shipped populations:")
    for p in populations.values():
        click.echo(f"  {p.id:15} {p.title[:62]}")
    click.echo("\nMore of one: ranvier model show NAME. Your own file: ranvier model check FILE.")
    return ExitCode.OK


@command.command("show", help="Equations and parameters of a structure, or the numbers of a population (name or file).")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="For machines: one JSON object on standard output.")
def show(name: str, as_json: bool) -> int:
    """One structure or population."""
    from ranvier.cli.fit import population_named
    from ranvier.evidence.models import family

    kinds = family()
    if name not in kinds.structures:
        try:
            it = population_named(name)
        except click.UsageError as error:
            raise click.UsageError(f"There is no structure or population '{name}'. See: ranvier model list") from error
        click.echo(json.dumps(population_data(it), ensure_ascii=False, indent=1) if as_json else population_text(it))
        return ExitCode.OK
    s = kinds.structures[name]
    if as_json:
        found = {
            "id": s.id, "kind": s.kind, "title": s.title, "equations": list(s.equations), "parameters": list(s.parameters),
            "optional": list(s.optional), "notes": list(s.notes),
        }  # fmt: skip
        click.echo(json.dumps(found, ensure_ascii=False, indent=1))
        return ExitCode.OK
    click.echo(f"{s.title}\n({s.kind}: {s.id})\n")
    for line in s.equations:
        click.echo(f"  {line}")
    for words, names in (("Needed", s.parameters), ("May be given", s.optional)):
        if names:
            click.echo(f"\n{words}:")
        for n in names:
            kind = kinds.parameters[n]
            default = "" if kind.default is None or n in s.parameters else f"; else {kind.default:g}"
            click.echo(wrap(f"{n:31} {kind.says} [{kind.dimension}]{default}", "  ", 34 * " "))
    for note in s.notes:
        click.echo("\n" + wrap(note))
    if s.kind == "kinetics":
        rows = "\n".join(f"  {n}: {{scale: log, typical: 1.0, spread: 0.3}}" for n in s.parameters)
        click.echo("\nA population file to begin with:\n\n" + TEMPLATE.format(kinetics=s.id, parameters=rows))
    return ExitCode.OK


@command.command(
    "check",
    help="Whether a population file can be used: every problem, with its remedy. Schema: ranvier schema population",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="For machines: one JSON object on standard output.")
def check(file: Path, as_json: bool) -> int:
    """Sound or not."""
    from ranvier.cli import words
    from ranvier.evidence.models import read_population
    from ranvier.ground.notes import InputError

    try:
        it = read_population(file)
    except InputError as error:
        if not as_json:
            raise
        problems = [words.problem_data(p) for p in error.problems]
        click.echo(json.dumps({"sound": False, "problems": problems}, ensure_ascii=False, indent=1))
        return ExitCode.INPUT
    if as_json:
        click.echo(json.dumps({"sound": True, **population_data(it)}, ensure_ascii=False, indent=1))
    else:
        click.echo(f"{file.name} is sound.\n\n{population_text(it)}")
    return ExitCode.OK


def population_data(it: Any) -> dict[str, Any]:
    """A population as plain data."""
    return {
        "id": it.id, "title": it.title, "source": it.source, "kinetics": it.kinetics, "response": it.response, "scale": it.scale,
        "interaction": it.interaction,
        "parameters": {
            p.name: {
                "scale": p.scale, "typical": p.typical, "unit": p.number.unit if p.number else None, "variance": p.variance,
                "occasion_variance": p.occasion_variance, "from_column": p.from_column,
                "covariates": [
                    {"column": r.column, "form": r.form, "value": r.value, "reference": r.reference,
                     "condition": r.condition or None, "threshold": r.threshold if r.condition else None}
                    for r in p.relations
                ],
            }
            for p in it.parameters.values()
        },
        "omega": {"of": list(it.subject_names), "matrix": it.omega.tolist()},
        "occasion_omega": {"of": list(it.occasion_names), "matrix": it.occasion_omega.tolist(), "column": it.occasion_column},
        "residual": {o: {"error": e.error, "additive": e.additive, "proportional": e.proportional} for o, e in it.residual.items()},
        "columns": dict(it.columns), "notes": list(it.notes),
    }  # fmt: skip


def population_text(it: Any) -> str:
    """A population as a table: typical values, variability, relations, error."""
    lines = [
        f"{it.title} ({it.id})",
        f"{it.kinetics}{', ' + it.response if it.response else ''}; source: {it.source}",
        "",
    ]
    lines.append(f"  {'parameter':31} {'typical':>11} {'scale':6} {'SD between':>10} {'occasions':>9}")
    for p in it.parameters.values():
        between = f"{p.variance**0.5:.4g}" if p.variance else "-"
        occasion = f"{p.occasion_variance**0.5:.4g}" if p.occasion_variance else "-"
        value = f"from {p.from_column}" if p.from_column else f"{p.typical:.5g}"
        lines.append(f"  {p.name:31} {value:>11} {p.scale:6} {between:>10} {occasion:>9}")
        for r in p.relations:
            lines.append(f"    {relation_text(r)}")
    for names, omega in ((it.subject_names, it.omega), (it.occasion_names, it.occasion_omega)):
        for i in range(len(names)):
            for j in range(i):
                if omega[i, j]:
                    rho = omega[i, j] / (omega[i, i] * omega[j, j]) ** 0.5
                    lines.append(f"  correlation of {names[j]} with {names[i]}: {rho:.3g}")
    for output, e in it.residual.items():
        sizes = [f"{w} SD {v:.4g}" for w, v in (("additive", e.additive), ("proportional", e.proportional)) if v]
        lines.append(f"  error of {output}: {e.error}, {', '.join(sizes)}")
    lines += [wrap(note, "  ") for note in it.notes]
    return "\n".join(lines)


def relation_text(r: Any) -> str:
    """A covariate relation in words."""
    if r.form == "power":
        return f"· ({r.column} / {r.reference:g})^{r.value:g}"
    if r.form == "exponential":
        return f"· exp({r.value:g} · ({r.column} - {r.reference:g}))"
    if r.form == "linear":
        return f"· (1 + {r.value:g} · ({r.column} - {r.reference:g}))"
    return f"· {1 + r.value:g} where {r.column} {r.condition} {r.threshold:g}"
