"""`ranvier population`: learn a population from many people's data."""

from __future__ import annotations

import hashlib
import json
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ranvier.ground.notes import ExitCode, InputError, Problem

if TYPE_CHECKING:
    from ranvier.estimation.population import PopulationFit
    from ranvier.estimation.population_bayes import Learnt
    from ranvier.estimation.population_space import Space

HELP = """Populations: how people differ, learnt from a clinic's own data.

\b
Begin with one of these:
  ranvier population fit clinic.csv --model start.yaml --out clinic.yaml
  ranvier population fit clinic.csv --model start.yaml --method bayes \\
                         --prior published.yaml --out clinic.yaml
"""

FIT = """From data of many people and a model to the population they come from.

DATA is a NONMEM-style table (see `ranvier fit --help`); --model is a population file whose numbers are the start. Numbers
written as {value: 1, fixed: true} stay as they are. The result is such a file too, with where its numbers come from; it can
be used at once: ranvier fit DATA --population OUT.

\b
Methods:
  focei   the most probable numbers: first-order conditional estimation
          with interaction (foce where the model says interaction: false),
          objective as NONMEM reports it, exact gradient
  bayes   the whole posterior by NUTS, with a prior: what a rare disease
          needs, where 20 people must suffice

\b
Standard errors (focei): R, from second derivatives of the objective; S,
from the people's gradients; and the sandwich of both, which holds where
the model is somewhat wrong. The condition number is that of the
correlation matrix of the estimates; above 1000 some numbers cannot be
told apart.

A fit can take long. With --checkpoint FILE it can be stopped and goes on where it was, to the same result. With --out and bayes
the draws are kept beside the population, as OUT.draws.parquet: one row a draw, with chain and draw number.
"""


@click.group(help=HELP, short_help="Learn a population from many people's data.")
def command() -> None:
    """Hold the commands; the words are HELP."""


@command.command("fit", help=FIT, short_help="From data and a model to a population.")
@click.argument("data", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--model", "model_file", type=click.Path(path_type=Path, dir_okay=False), required=True, metavar="FILE",
    help="Population file: structure and start.",
)  # fmt: skip
@click.option("--method", type=click.Choice(["focei", "bayes"]), default="focei", show_default=True)
@click.option(
    "--prior", "prior_file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="For bayes: a published population whose numbers are the prior's middle; the model's own if left out.",
)  # fmt: skip
@click.option("--fix", multiple=True, metavar="NAME", help="Hold this number as well, e.g. clearance.WT (repeatable).")
@click.option("--starts", type=click.IntRange(1, 100), default=1, show_default=True, help="For focei: how many starts.")
@click.option(
    "--draws", type=click.IntRange(50), default=1000, show_default=True, help="For bayes: of each of 4 chains."
)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Start of the random numbers.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="The population, as a file."
)
@click.option(
    "--checkpoint", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="Keep how far it has come here (bayes: finished chains in FILE.chains).",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Write the result as JSON to standard output.")
@click.option("--no-errors", is_flag=True, help="For focei: leave out the standard errors.")
def fit(
    data: Path, model_file: Path, method: str, prior_file: Path | None, fix: tuple[str, ...], starts: int, draws: int,
    seed: int, out: Path | None, checkpoint: Path | None, as_json: bool, no_errors: bool,
) -> int:  # fmt: skip
    """Read, fit, say, write; the words are FIT."""
    space, digest = _space(data, model_file, fix)
    shared = {
        "data": data.name,
        "data_digest": digest,
        "start": model_file.name,
        "people": len(space.problem),
        "method": method,
        "seed": seed,
    }
    if method == "bayes":
        return _bayes(
            space, shared, prior_file, draws=draws, seed=seed, out=out, checkpoint=checkpoint, as_json=as_json
        )
    from ranvier.estimation.population import Step, fit_population

    def told(step: Step) -> None:
        if sys.stderr.isatty():
            click.echo(f"\rstart {step.start}, step {step.step}: objective {step.objective:.4f}   ", nl=False, err=True)

    try:
        found = fit_population(space, starts=starts, seed=seed, errors=not no_errors, checkpoint=checkpoint, tell=told)
    except ValueError as error:
        problem = Problem(
            model_file.name,
            str(error),
            "Choose another start, or another file for --checkpoint.",
        )
        raise InputError("The population could not be fitted.", (problem,)) from None
    if sys.stderr.isatty():
        click.echo("\r\033[K", nl=False, err=True)
    told_data = _focei_data(found, space) | shared
    _write(out, found.population, space, told_data)
    click.echo(json.dumps(told_data, indent=2) if as_json else _focei_text(found, space, out))
    return ExitCode.OK


def _space(data: Path, model_file: Path, fix: tuple[str, ...]) -> tuple[Space, str]:
    import yaml

    from ranvier.estimation.cohort import build
    from ranvier.estimation.population_space import Space, fixed_numbers
    from ranvier.evidence.models import read_population
    from ranvier.exchange.datasets import read_dataset

    model = read_population(model_file)
    fixed = fixed_numbers(yaml.load(model_file.read_bytes(), yaml.CSafeLoader))
    read, _ = read_dataset(data, columns=model.columns, covariates=model.covariates)
    problem = build(read, model)
    if len(problem) < 2:
        raise InputError(
            f"{data.name} cannot teach a population.",
            (
                Problem(
                    data.name, f"holds {len(problem)} people", "At least two people are needed; twenty teach something."
                ),
            ),
        )
    try:
        space = Space(problem, fixed | set(fix))
    except ValueError as error:
        raise InputError(
            f"{model_file.name} cannot be fitted.", (Problem(model_file.name, str(error), "Mend --fix or 'fixed'."),)
        ) from None
    return space, hashlib.sha256(data.read_bytes()).hexdigest()[:16]


def _focei_data(found: PopulationFit, space: Space) -> dict[str, Any]:
    import numpy as np

    from ranvier.estimation.checks import shrinkage

    errors = found.errors
    table = []
    for k, name in enumerate(found.names):
        row: dict[str, Any] = {"name": name, "value": float(found.value[k])}
        if errors is not None:
            for kind in ("r", "s", "sandwich"):
                variance = float(getattr(errors, kind)[k, k])
                row[f"se_{kind}"] = float(np.sqrt(variance)) if variance > 0 else None
        table.append(row)
    names = space.problem.population.subject_names
    sd = np.sqrt(np.diag(found.population.omega))
    shrunk = shrinkage(found.eta[:, : len(names)], sd) if names else np.empty(0)

    def known(value: float) -> float | None:
        return float(value) if np.isfinite(value) else None

    return {
        "objective": found.objective,
        "minus_two_log_likelihood": found.minus_two_log_likelihood,
        "aic": found.aic,
        "bic": found.bic,
        "observations": found.observations,
        "converged": found.converged,
        "steps": found.steps,
        "starts": list(found.starts),
        "fixed": sorted(space.fixed),
        "numbers": table,
        "condition_number": known(errors.condition) if errors else None,
        "r_positive": errors.positive if errors else None,
        "shrinkage": {name: float(s) for name, s in zip(names, shrunk, strict=True)},
    }


def _focei_text(found: PopulationFit, space: Space, out: Path | None) -> str:
    """The answer first, then the table; 80 columns."""
    data = _focei_data(found, space)
    ended = "converged" if found.converged else "did NOT converge: do not use it as it is"
    lines = [
        f"Objective {found.objective:.4f} (-2 log likelihood {found.minus_two_log_likelihood:.3f}); {ended} after",
        f"{found.steps} steps. {len(space.problem)} people, {found.observations} values, {len(found.names)} numbers. "
        f"AIC {found.aic:.2f}, BIC {found.bic:.2f}.",
    ]
    if len(found.starts) > 1:
        agreed = sum(abs(s - min(found.starts)) < 0.01 for s in found.starts)
        lines.append(f"{agreed} of {len(found.starts)} starts ended within 0.01 of the best.")
    if found.errors is not None:
        if not found.errors.positive:
            lines.append("R is not positive definite: the numbers cannot all be told apart by these data.")
        else:
            lines.append(f"Condition number {found.errors.condition:.1f}.")
    lines += ["", f"{'':34}{'estimate':>11}{'SE (R)':>10}{'RSE':>7}{'sandwich':>10}"]
    for row in data["numbers"]:
        se, sandwich = row.get("se_r"), row.get("se_sandwich")
        relative = f"{100 * se / abs(row['value']):.0f} %" if se and row["value"] else "-"
        lines.append(
            f"{row['name'][:33]:34}{row['value']:>11.5g}{f'{se:.3g}' if se else '-':>10}{relative:>7}"
            f"{f'{sandwich:.3g}' if sandwich else '-':>10}"
        )
    if space.fixed:
        lines.append(f"Held: {', '.join(sorted(space.fixed))}.")
    if data["shrinkage"]:
        lines += ["", "Shrinkage: " + ", ".join(f"{n} {100 * s:.0f} %" for n, s in data["shrinkage"].items()) + "."]
    lines.append("'between' are variances and covariances between people; a dash: not known, or at")
    lines.append("its bound.")
    if out is not None:
        lines.append(f"Written to {out}; use it with:\n  ranvier fit DATA --population {out}")
    return "\n".join(lines)


def _write(out: Path | None, population: Any, space: Space, told: dict[str, Any]) -> None:
    if out is None:
        return
    from dataclasses import replace

    from ranvier import __version__
    from ranvier.exchange.population_file import population_text

    method = "FOCEI" if told["method"] == "focei" else "NUTS"
    population = replace(
        population,
        id=f"{population.id.removesuffix('_start')}_fitted",
        source=f"{told['data']}: {told['people']} people, by {method} (ranvier {__version__}); start {told['start']}",
    )
    provenance = {"made_by": f"ranvier {__version__}", "made_on": date.today().isoformat()} | told
    out.write_text(population_text(population, fixed=sorted(space.fixed), provenance=provenance), "utf-8", newline="\n")


def _bayes(
    space: Space,
    shared: dict[str, Any],
    prior_file: Path | None,
    *,
    draws: int,
    seed: int,
    out: Path | None,
    checkpoint: Path | None,
    as_json: bool,
) -> int:
    from ranvier.estimation.population_bayes import learn, prior_of
    from ranvier.evidence.models import read_population

    def tell(text: str) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r\033[K{text}", nl=False, err=True)

    try:
        prior = prior_of(space, read_population(prior_file) if prior_file is not None else None)
        found = learn(space, prior, draws=draws, seed=seed, checkpoint=checkpoint, tell=tell)
    except ValueError as error:
        problem = Problem(
            shared["start"], str(error), "Choose another start or prior, or another file for --checkpoint."
        )
        raise InputError("The population could not be learnt.", (problem,)) from None
    if sys.stderr.isatty():
        click.echo("\r\033[K", nl=False, err=True)
    told = _bayes_data(found) | shared | {"prior": prior_file.name if prior_file else "the model's own numbers"}
    if out is not None:
        told |= _keep_draws(found, out)
    _write(out, found.population, space, told)
    click.echo(json.dumps(told, indent=2) if as_json else _bayes_text(found, space, out))
    return ExitCode.OK


def _keep_draws(found: Learnt, out: Path) -> dict[str, Any]:
    """Write every draw of every number beside the population; where, and with which digest, for its provenance."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    chains, draws, _ = found.natural.shape
    table = pa.table(
        {"chain": np.repeat(np.arange(chains), draws), "draw": np.tile(np.arange(draws), chains)}
        | {name: found.natural[:, :, k].ravel() for k, name in enumerate(found.names)}
    )
    path = out.with_suffix(".draws.parquet")
    pq.write_table(table, path)
    return {
        "draws_file": path.name,
        "draws_digest": hashlib.sha256(path.read_bytes()).hexdigest()[:16],
        "chains": chains,
        "draws": draws,
    }


def _bayes_data(found: Learnt) -> dict[str, Any]:
    return {
        "divergences": found.divergences,
        "numbers": [
            {
                "name": name,
                "value": float(found.median[k]),
                "q05": float(found.low[k]),
                "q95": float(found.high[k]),
                "prior_q05": float(found.prior_low[k]),
                "prior_q95": float(found.prior_high[k]),
                "rhat": float(found.mixing.rhat[k]),
                "ess_bulk": float(found.mixing.bulk[k]),
                "ess_tail": float(found.mixing.tail[k]),
            }
            for k, name in enumerate(found.names)
        ],
    }


def _bayes_text(found: Learnt, space: Space, out: Path | None) -> str:
    worst, fewest = float(found.mixing.rhat.max()), float(min(found.mixing.bulk.min(), found.mixing.tail.min()))
    good = worst < 1.01 and fewest > 400 and found.divergences == 0
    lines = [
        f"{len(space.problem)} people, {found.draws} draws. The chains {'agree' if good else 'do NOT agree well enough'}: "
        f"R-hat {worst:.3f},",
        f"at least {fewest:.0f} effective draws, {found.divergences} divergences.",
        "",
        f"{'':34}{'median':>10}{'90 % interval':>21}{'prior':>15}",
    ]
    for k, name in enumerate(found.names):
        interval = f"{found.low[k]:.3g} to {found.high[k]:.3g}"
        before = f"{found.prior_low[k]:.2g}-{found.prior_high[k]:.2g}"
        lines.append(f"{name[:33]:34}{found.median[k]:>10.4g}{interval:>21}{before:>15}")
    if space.fixed:
        lines.append(f"Held: {', '.join(sorted(space.fixed))}.")
    if out is not None:
        lines.append(f"All draws: {out.with_suffix('.draws.parquet')}")
        lines.append(f"Written to {out} (medians); use it with:\n  ranvier fit DATA --population {out}")
    return "\n".join(lines)
