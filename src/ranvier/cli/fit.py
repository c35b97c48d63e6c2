"""`ranvier fit`: the most probable parameters of every person in a data set, under a population."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ranvier.cli.plan import seed_option
from ranvier.ground.notes import ExitCode, Problem

if TYPE_CHECKING:
    from ranvier.estimation.cohort import Problem as FitProblem
    from ranvier.estimation.individual_posterior import EtaDraws
    from ranvier.estimation.individual_result import PersonResult
    from ranvier.evidence.models import PopulationModel

HELP = """Fit every person of a data set under a population: who is like the typical patient, and who is not?

DATA is NONMEM-style: a CSV, tab-separated or blank-separated table with ID, TIME, DV and what else is needed (AMT, EVID,
MDV, CMT, RATE, SS, II, ADDL, CENS, DVID, covariates). A point means missing. Every dosing record of NONMEM is understood.

The population is a YAML file (see: ranvier model show) or the name of a shipped one (ranvier model list).

\b
Methods: map        the most probable parameters, with Laplace's covariance
         posterior  draws by importance sampling around them; says k-hat
         nuts       draws by the No-U-Turn sampler; says R-hat and divergences

\b
Examples: ranvier fit levels.csv --population clinic.yaml
          ranvier fit levels.csv --population tortorici2021 --json fits.json
          ranvier fit levels.txt --population clinic.yaml \\
                  --columns DV=CONC,WT=KG
          ranvier fit hospital.csv --population clinic.yaml --out fits.parquet

With --out people are read, fitted and written a few at a time, so that memory does not grow with their number. A .parquet has
one row per person; a .jsonl has one line per person with everything that --json gives.
"""
SHOWN = 20


@click.command(help=HELP, short_help="Fit every person of a NONMEM-style data set under a population.")
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--population", required=True, metavar="FILE", help="A population file, or the name of a shipped one.")
@click.option(
    "--method",
    type=click.Choice(["map", "posterior", "nuts"]),
    default="map",
    show_default=True,
    help="How sure to be.",
)
@click.option(
    "--columns", multiple=True, metavar="OURS=THEIRS", help="Names of columns that differ; several with commas."
)
@click.option(
    "--draws",
    type=click.IntRange(50, 100_000),
    default=1000,
    show_default=True,
    help="Draws per person (posterior, nuts).",
)
@click.option(
    "--starts", type=click.IntRange(1, 50), default=7, show_default=True, help="Starts of the search for each person."
)
@seed_option
@click.option(
    "--json",
    "json_to",
    type=click.Path(path_type=Path),
    metavar="OUT",
    help="Everything, into this file; - for the screen.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="One person after the other into this file: .jsonl or .parquet.",
)
@click.option("--quiet", is_flag=True, help="No progress.")
def command(
    data: Path, population: str, method: str, columns: tuple[str, ...], draws: int, starts: int, seed: int, json_to: Path | None,
    out: Path | None, quiet: bool,
) -> int:  # fmt: skip
    """Read, fit, print; the words are HELP."""
    names = _columns(columns)
    if out is not None:
        if json_to is not None:
            raise click.UsageError(
                "--out and --json: choose one; a .jsonl given to --out has the same for each person."
            )
        from ranvier.cli.fit_stream import stream

        it, tell = population_named(population), _progress(0, quiet=quiet)
        return stream(data, it, names, out, method=method, draws=draws, starts=starts, seed=seed, tell=tell)
    if json_to is not None and str(json_to) != "-" and not json_to.parent.is_dir():
        raise click.UsageError(f"--json: there is no folder {json_to.parent}. Make it first, or name another.")
    from ranvier.cli import words
    from ranvier.estimation.cohort import build
    from ranvier.exchange.datasets import read_dataset
    from ranvier.ground.notes import must_mend

    it = population_named(population)
    table, notes = read_dataset(data, columns={**it.columns, **names}, covariates=needed(it))
    problem = build(table, it)
    notes = (*notes, *problem.notes)
    assert not must_mend(notes)
    if notes:
        click.echo(words.problem_lines(notes), err=True)
    results, sampled = run(problem, method, draws, starts, seed, tell=_progress(len(table), quiet=quiet))
    found = as_data(problem, results, sampled, method, seed, notes)
    if json_to is not None and str(json_to) == "-":
        click.echo(json.dumps(found, ensure_ascii=False))
        return ExitCode.OK
    _show(problem, results, sampled)
    if json_to is not None:
        json_to.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        click.echo(f"\nWritten: {json_to}")
    return ExitCode.OK


def needed(it: PopulationModel) -> tuple[str, ...]:
    """Columns that the data must have besides ID, TIME and DV."""
    extra = [it.occasion_column.upper()] if it.occasion_column else []
    if it.output_column and it.output_column not in ("DVID", "CMT"):
        extra.append(it.output_column)
    return (*it.covariates, *extra)


def population_named(name: str) -> PopulationModel:
    """A population from a file, or a shipped one."""
    from ranvier.evidence.models import read_population, shipped

    known = shipped()
    if name in known:
        return known[name]
    path = Path(name)
    if not path.exists() and path.suffix.lower() not in (".yaml", ".yml"):
        raise click.UsageError(
            f"--population {name} is neither a file nor a shipped population. Shipped are: {', '.join(known)}."
        )
    return read_population(path)


def _columns(given: tuple[str, ...]) -> dict[str, str]:
    names = {}
    for one in (part for text in given for part in text.split(",")):
        ours, sign, theirs = one.partition("=")
        if not sign or not ours.strip() or not theirs.strip():
            raise click.UsageError(f"--columns '{one}' is not OURS=THEIRS, such as DV=CONC.")
        names[ours.strip().upper()] = theirs.strip()
    return names


def _progress(total: int, *, quiet: bool) -> Callable[[str, int], None]:
    """Says how far it is, at most every second, on a terminal's stderr only."""
    last = [time.monotonic()]
    shown = sys.stderr.isatty() and not quiet

    def tell(what: str, done: int) -> None:
        if shown and (time.monotonic() - last[0] > 1.0 or done == total):
            last[0] = time.monotonic()
            whole = f" of {total}" if total else ""
            click.echo(f"\r{what}: {done}{whole} people", nl=done == total, err=True)

    return tell


def run(
    problem: FitProblem,
    method: str,
    draws: int,
    starts: int,
    seed: int,
    *,
    tell: Callable[[str, int], None],
    before: int = 0,
) -> tuple[list[PersonResult], list[EtaDraws] | None]:
    """Everybody's fit, and draws where the method makes them. before : people that were fitted in earlier parts."""
    import os
    from concurrent.futures import ThreadPoolExecutor

    from ranvier.estimation.individual import Bench, fit
    from ranvier.estimation.individual_posterior import importance, nuts
    from ranvier.estimation.individual_result import person
    from ranvier.ground import compiled

    if not any(compiled.FOLDER.rglob("individual_kernels.fit_range-*.nbc")):
        click.echo("First run: compiling the engine, a minute or two. Later runs start at once.", err=True)
    fits = fit(problem, extra=starts - 1, tell=lambda done: tell("fitted", done))
    bench = Bench(problem)
    results = [person(problem, bench, fits, i) for i in range(len(problem))]
    if method == "map":
        return results, None
    if method == "nuts":
        out = []
        for i in range(len(problem)):
            out.append(nuts(problem, bench, i, fits, draws, seed, before=before))
            tell("sampled", i + 1)
        return results, out
    workers = os.cpu_count() or 1
    benches = [Bench(problem) for _ in range(workers)]

    def some(w: int) -> list[tuple[int, EtaDraws]]:
        mine = range(w, len(problem), workers)
        return [(i, importance(problem, benches[w], i, fits, draws, seed, before=before)) for i in mine]

    with ThreadPoolExecutor(workers) as pool:
        made = dict(pair for part in pool.map(some, range(workers)) for pair in part)
    return results, [made[i] for i in range(len(problem))]


def as_data(
    problem: FitProblem,
    results: list[PersonResult],
    sampled: list[EtaDraws] | None,
    method: str,
    seed: int,
    notes: tuple[Problem, ...],
) -> dict[str, Any]:
    """Everything, as plain data. None is what cannot be said (a value that was left out)."""
    from ranvier.cli import words

    it = problem.population
    return {
        "population": it.id, "title": it.title, "source": it.source, "kinetics": it.kinetics, "response": it.response,
        "data": problem.data.name, "method": method, "seed": seed if sampled is not None else None,
        "notes": [words.problem_data(n) for n in notes],
        "objective": sum(r.objective for r in results),
        "people": [person_data(problem, i, r, sampled[i] if sampled else None) for i, r in enumerate(results)],
    }  # fmt: skip


def person_data(problem: FitProblem, i: int, r: PersonResult, draws: EtaDraws | None) -> dict[str, Any]:
    """One person, as plain data."""
    import numpy as np

    from ranvier.estimation.individual_result import natural_draws

    data = problem.data

    def numbers(x: Any) -> list[float | None]:
        return [float(v) if np.isfinite(v) else None for v in x]

    found: dict[str, Any] = {
        "id": r.id, "eta": dict(zip(r.names, map(float, r.eta), strict=True)), "parameters": dict(r.parameters),
        "covariance": {"of": list(r.names), "matrix": [[float(v) for v in row] for row in r.covariance]},
        "objective": r.objective if np.isfinite(r.objective) else None, "arrived": r.arrived,
        "minima": r.minima, "starts": r.starts,
        "observations": {
            "line": [int(n) for n in data.line[r.rows]], "time": numbers(data.time[r.rows]), "dv": numbers(r.y),
            "left_out": [bool(b) for b in r.left_out], "pred": numbers(r.pred), "ipred": numbers(r.ipred), "res": numbers(r.res),
            "ires": numbers(r.ires), "wres": numbers(r.wres), "cwres": numbers(r.cwres), "iwres": numbers(r.iwres),
        },
    }  # fmt: skip
    if draws is not None:
        natural = natural_draws(problem, i, draws.eta)
        found["posterior"] = {
            "pareto_k": draws.pareto_k, "effective": draws.effective, "rhat": draws.rhat, "divergences": draws.divergences,
            "eta_mean": numbers(draws.eta.mean(axis=0)), "eta_sd": numbers(draws.eta.std(axis=0)),
            "parameters": {
                n: {"mean": float(v.mean()), "sd": float(v.std()), "q05": q[0], "q50": q[1], "q95": q[2]}
                for n, v in natural.items() for q in [np.quantile(v, (0.05, 0.5, 0.95)).tolist()]
            },
        }  # fmt: skip
    return found


def _show(problem: FitProblem, results: list[PersonResult], sampled: list[EtaDraws] | None) -> None:
    """The answer, then a table: 80 columns."""
    lost = [r.id for r in results if not r.arrived]
    several = [r.id for r in results if r.minima > 1]
    values = sum(int((~r.left_out).sum()) for r in results)
    click.echo(f"{len(results)} people, {values} values, under {problem.population.id}: {problem.population.title}")
    click.echo("Every search arrived." if not lost else f"NOT arrived, do not use: {_some(lost)}.")
    if several:
        click.echo(f"More than one valley, the lowest is told: {_some(several)}.")
    click.echo(f"Sum of the individual objectives: {sum(r.objective for r in results):.4f}")
    if sampled is not None:
        ks = [d.pareto_k for d in sampled if d.pareto_k is not None]
        if ks:
            bad = [r.id for r, d in zip(results, sampled, strict=True) if (d.pareto_k or 0.0) > 0.7]
            click.echo(
                f"Importance sampling: largest k-hat {max(ks):.2f}."
                + (f" Not to be trusted (above 0.7): {_some(bad)}; use --method nuts." if bad else "")
            )
        hats = [d.rhat for d in sampled if d.rhat is not None]
        if hats:
            click.echo(f"NUTS: largest R-hat {max(hats):.3f}, {sum(d.divergences or 0 for d in sampled)} divergences.")
    varied = [n for n in problem.slots if any(n == e.split("@")[0] for r in results for e in r.names)]
    click.echo("")
    width = 80
    columns = varied[: max(1, (width - 12) // 13)]
    click.echo("ID".ljust(10) + "".join(_short(n).rjust(13) for n in columns))
    for r in results[:SHOWN]:
        click.echo(r.id[:9].ljust(10) + "".join(f"{r.parameters[n]:13.5g}" for n in columns))
    if len(results) > SHOWN or len(columns) < len(varied):
        click.echo(f"... {len(results)} people and {len(varied)} parameters in all: --json OUT holds everything.")


def _short(name: str) -> str:
    """A parameter's name in twelve letters."""
    return name if len(name) <= 12 else "".join(w[:5] + "_" for w in name.split("_")).rstrip("_")[:12]


def _some(ids: list[str]) -> str:
    return ", ".join(ids[:10]) + (f" and {len(ids) - 10} more" if len(ids) > 10 else "")
