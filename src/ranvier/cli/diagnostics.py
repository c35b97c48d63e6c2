"""`ranvier diagnostics`: does a population fit the people whose data these are?"""

from __future__ import annotations

import json
from datetime import date
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ranvier.cli.plan import at_option, read, the_day
from ranvier.ground.notes import ExitCode, InputError, Problem

if TYPE_CHECKING:
    from ranvier.estimation.population_checks import OutputCheck, PopulationChecks

HELP = """Does a population fit the people whose data these are? Does a fit hold for one person?

DATA is a NONMEM-style table, with --population a file as `ranvier population fit` writes it: each person is fitted, the whole
data set is simulated again and again, and both are compared. Or DATA is one person's record (.yaml, .json): fitted as for a
plan, with individual fit, residuals, NPDE against the population, posterior predictive check, k-hat, and R-hat with --nuts.

\b
What is shown:
  predictive check  quantiles of what was seen over the band of the same
                    quantiles in simulations, corrected for the dose and the
                    covariates of each value (pcVPC)
  NPDE              standard normal if the model is right; p below 0.01 is
                    a reason to look
  fits              each person's values, own fit, and typical prediction
  shrinkage         how far people's estimates are drawn to the typical
                    ones: above 30 %, plots of them mislead

\b
Examples:
  ranvier diagnostics clinic.csv --population clinic.yaml
  ranvier diagnostics clinic.csv --population clinic.yaml --html checks.html
  ranvier diagnostics heron.yaml --at 2025-11-03 --html heron-checks.html
"""
MOST_FITS = 24
RECORDS = (".yaml", ".yml", ".json")


@click.command(help=HELP, short_help="Does a population fit these people?")
@click.argument("data", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--population", "population_file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="Population file; needed for a table.",
)  # fmt: skip
@click.option(
    "--replicates", type=click.IntRange(50, 5000), default=300, show_default=True, help="Simulated data sets."
)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Start of the random numbers.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Pictures and tables.")
@click.option("--json", "as_json", is_flag=True, help="Write the numbers as JSON to standard output.")
@at_option
@click.option("--nuts", "by_nuts", is_flag=True, help="For a record: draw by NUTS as well, and say R-hat.")
def command(
    data: Path, population_file: Path | None, replicates: int, seed: int, html: Path | None, as_json: bool, at: date | None,
    by_nuts: bool,
) -> int:  # fmt: skip
    """Read, fit, simulate, compare; the words are HELP."""
    if data.suffix.lower() in RECORDS:
        return _of_record(data, the_day(at), seed, html, as_json=as_json, by_nuts=by_nuts)
    if population_file is None:
        raise click.UsageError(
            "A table needs --population FILE. (One person's record, .yaml or .json, is checked without.)"
        )
    from ranvier.estimation.cohort import build
    from ranvier.estimation.population_checks import check_population
    from ranvier.evidence.models import read_population
    from ranvier.exchange.datasets import read_dataset

    population = read_population(population_file)
    read, _ = read_dataset(data, columns=population.columns, covariates=population.covariates)
    try:
        found = check_population(build(read, population), replicates=replicates, seed=seed)
    except ValueError as error:
        problem = Problem(data.name, str(error), "Check DV, MDV and the outputs of the population.")
        raise InputError(f"{data.name} cannot be compared.", (problem,)) from None
    if html is not None:
        html.write_text(page(found, data.name, population.title), "utf-8", newline="\n")
    click.echo(json.dumps(as_data(found), indent=2) if as_json else text(found, html))
    return ExitCode.OK


def _of_record(data: Path, at: date, seed: int, html: Path | None, *, as_json: bool, by_nuts: bool) -> int:
    from ranvier.cli import record_diagnostics as told
    from ranvier.estimation.nouns import Refusal
    from ranvier.estimation.record_checks import check_record
    from ranvier.evidence import load
    from ranvier.record.until import until

    then, _ = until(read(data), at)
    found = check_record(then, load(), at=at, seed=seed, by_nuts=by_nuts)
    if isinstance(found, Refusal):
        problem = Problem(
            data.name, "no model can be fitted to this record on that day", "ranvier plan says why, and what to add."
        )
        raise InputError(f"{data.name} cannot be checked.", (problem,))
    if html is not None:
        html.write_text(told.page(found, data.name), "utf-8", newline="\n")
    click.echo(json.dumps(told.as_data(found), indent=2) if as_json else told.text(found))
    if html is not None and not as_json:
        click.echo(f"Pictures and tables: {html}")
    return ExitCode.OK


def as_data(found: PopulationChecks) -> dict[str, Any]:
    """The numbers as plain data."""
    return {
        "people": len(found.people),
        "replicates": found.replicates,
        "shrinkage": found.shrinkage,
        "residual_shrinkage": found.residual_shrinkage,
        "not_arrived": found.not_arrived,
        "several_minima": found.several,
        "left_out": found.left_out,
        "outputs": [
            {
                "output": one.output,
                "n": one.of_errors.n,
                "npde_mean": one.of_errors.mean,
                "npde_variance": one.of_errors.variance,
                "npde_p": one.of_errors.p,
                "vpc_corrected": one.check.corrected,
                "vpc_outside": one.check.outside,
                "predictive": {
                    name: {"seen": s, "q05": low, "q95": high, "place": place}
                    for name, (s, low, high, place) in one.predictive.items()
                },
            }
            for one in found.outputs
        ],
    }


def _verdict(one: OutputCheck) -> str:
    fine = one.of_errors.p > 0.01 and one.check.outside <= 0.25
    return "nothing speaks against the population" if fine else "the population does not fit these people"


def text(found: PopulationChecks, html: Path | None) -> str:
    """The answer first; 80 columns."""
    lines = []
    for one in found.outputs:
        e = one.of_errors
        lines += [
            f"{one.output.capitalize()}: {_verdict(one)} ({e.n} values, {len(found.people)} people).",
            f"  NPDE: mean {e.mean:+.2f}, variance {e.variance:.2f}, p {e.p:.2g}",
            f"  predictive check{', prediction-corrected' if one.check.corrected else ''}: "
            f"{100 * one.check.outside:.0f} % of quantiles outside their 90 % band",
        ]
        for name, (seen, low, high, place) in one.predictive.items():
            mark = "  <-- outside" if not 0.025 < place < 0.975 else ""
            lines.append(f"    {name:32}{seen:>9.3g}   simulated {low:.3g} to {high:.3g}{mark}")
    lines.append("")
    if found.shrinkage:
        shrunk = ", ".join(f"{n} {100 * s:.0f} %" for n, s in found.shrinkage.items())
        lines.append(f"Shrinkage: {shrunk};")
        lines.append(f"  of residuals {100 * found.residual_shrinkage:.0f} %.")
    if found.not_arrived or found.several:
        lines.append(f"Searches that did not arrive: {found.not_arrived}; people with several minima: {found.several}.")
    if found.left_out:
        lines.append(f"Left out (censored, or without meaning under the error): {found.left_out} values.")
    lines.append(f"{found.replicates} simulated data sets.")
    if html is not None:
        lines.append(f"Pictures and tables: {html}")
    return "\n".join(lines)


def page(found: PopulationChecks, data: str, title: str) -> str:
    """One self-contained page: answer, pictures, tables."""
    import importlib.resources

    import numpy as np

    from ranvier.report import diagnostic_charts as charts
    from ranvier.report import svg

    css = (importlib.resources.files("ranvier.report") / "templates" / "base.css").read_text("utf-8")
    parts = []
    for k, one in enumerate(found.outputs):
        check = one.check
        names = [f"{round(100 * q)} %" for q in check.quantiles]
        how = "prediction-corrected " if check.corrected else ""
        pictures = [
            (
                charts.predictive(
                    check.middle,
                    dict(zip(names, check.seen, strict=True)),
                    dict(zip(names, check.low, strict=True)),
                    dict(zip(names, check.high, strict=True)),
                    (check.x, check.y),
                    title=f"{one.output}, {how}predictive check, n = {one.seen.size}",
                    x_title="time",
                    y_title=f"{one.output}{', corrected' if check.corrected else ''}",
                ),
                f"Lines: 5th, 50th and 95th centile of what was seen. Bands: where 90 % of simulations have them. "
                f"{100 * check.outside:.0f} % lie outside.",
            ),
            (
                charts.beside(
                    [
                        charts.scatter(
                            one.time, one.npde, title="NPDE against time", x_title="time", y_title="NPDE", line="zero"
                        ),
                        charts.scatter(
                            one.typical, one.npde, title="NPDE against prediction", x_title="typical prediction",
                            y_title="NPDE", line="zero",
                        ),
                    ]
                ),
                "Standard normal and without a pattern, if the population is right.",
            ),
            (
                charts.beside(
                    [
                        charts.scatter(
                            one.fitted, one.seen, title="Seen against own fit", x_title="own fit", y_title="seen",
                            line="equal",
                        ),
                        charts.scatter(
                            one.fitted, one.weighted, title="Weighted residuals", x_title="own fit",
                            y_title="residual in SD", line="zero",
                        ),
                    ]
                ),
                "Individual fits flatter a model: what speaks against it stands above.",
            ),
        ]  # fmt: skip
        shown = list(dict.fromkeys(one.person.tolist()))[:MOST_FITS]
        people = []
        for i in shown:
            mine = one.person == i
            order = np.argsort(one.time[mine], kind="stable")
            t, seen, fitted, typical = (a[mine][order] for a in (one.time, one.seen, one.fitted, one.typical))
            people.append({"t": t, "seen": seen, "grid": t, "fit": fitted, "typical": typical})
        pictures.append(
            (
                charts.fits(people, [f"{found.people[i]}" for i in shown], x_title="time", y_title=one.output),
                f"Points: seen; line: own fit; dashed: typical prediction. {len(shown)} of {len(found.people)} people.",
            )
        )
        rows = "".join(
            f"<tr><th scope='row'>{escape(name)}</th><td>{s:.3g}</td><td>{low:.3g} to {high:.3g}</td></tr>"
            for name, (s, low, high, _) in one.predictive.items()
        )
        e = one.of_errors
        figures = "".join(
            f"<figure>{svg.draw(spec, key=f'o{k}p{n}', title=caption, description=one.output)}"
            f"<figcaption>{escape(caption)}</figcaption></figure>"
            for n, (spec, caption) in enumerate(pictures)
        )
        parts.append(
            f"<section><h2>{one.output.capitalize()}: {_verdict(one)}</h2>"
            f"<p>NPDE: mean {e.mean:+.2f}, variance {e.variance:.2f}, p {e.p:.2g} ({e.n} values).</p>{figures}"
            f"<div class='scroll'><table class='dense'><caption>Whole data set, seen and simulated</caption><thead><tr>"
            f"<th scope='col'>statistic</th><th scope='col'>seen</th><th scope='col'>simulated, 90 %</th></tr></thead>"
            f"<tbody>{rows}</tbody></table></div></section>"
        )
    shrunk = "".join(
        f"<tr><th scope='row'>{escape(n.replace('_', ' '))}</th><td>{100 * s:.0f} %</td></tr>"
        for n, s in found.shrinkage.items()
    )
    parts.append(
        f"<section><h2>Shrinkage</h2><table class='dense'><tbody>{shrunk}<tr><th scope='row'>residuals</th>"
        f"<td>{100 * found.residual_shrinkage:.0f} %</td></tr></tbody></table></section>"
    )
    return (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{escape(title)}: checks</title><style>{css}</style></head><body><div class='page'><main>"
        f"<div class='answer'><h1>{escape(title)}</h1><p class='certain'>{escape(data)}, {len(found.people)} people, "
        f"{found.replicates} simulated data sets.</p></div>{''.join(parts)}</main></div></body></html>\n"
    )
