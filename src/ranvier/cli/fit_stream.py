"""`ranvier fit --out`: from the data to a file, a few people at a time, so that memory does not grow with their number."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from ranvier.cli import words
from ranvier.cli.fit import needed, person_data, run
from ranvier.cli.tables import Rows
from ranvier.estimation.cohort import build
from ranvier.exchange.datasets import parts_of
from ranvier.ground.notes import ExitCode

if TYPE_CHECKING:
    from ranvier.evidence.models import PopulationModel

PART = 200  # people that are held at a time


class Lines:
    """A file of JSON lines, one per person; it appears when it is whole."""

    def __init__(self, target: Path) -> None:
        self.target, self.unfinished = target, target.with_name(target.name + ".unfinished")

    def __enter__(self) -> Lines:
        self.file = self.unfinished.open("w", encoding="utf-8", newline="\n")
        return self

    def add(self, people: list[dict[str, Any]]) -> None:
        """Some more people."""
        self.file.writelines(json.dumps(one, ensure_ascii=False) + "\n" for one in people)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.file.close()
        if kind is None:
            self.unfinished.replace(self.target)
        else:
            self.unfinished.unlink()


class Table:
    """A Parquet file with a row per person: numbers that everybody has; predictions and residuals are in JSON only."""

    SAYS: Mapping[str, str] = {
        "id": "person",
        "objective": "-2 log of likelihood and prior at the mode",
        "arrived": "whether the search arrived; do not use where it did not",
        "minima": "valleys that were found; the lowest is told",
        "values": "values that the model explains",
    }

    def __init__(self, target: Path, it: PopulationModel, asked: Mapping[str, Any]) -> None:
        self.names = it.subject_names
        says = dict(self.SAYS) | dict.fromkeys(it.parameters, "parameter, on its natural scale, at the last record")
        says |= {f"eta_{name}": "distance from the typical value, on the scale of the parameter" for name in self.names}
        says |= {f"sd_{name}": "SD of that eta a posteriori" for name in self.names}
        self.rows = Rows(target, says, asked)

    def __enter__(self) -> Table:
        self.rows.__enter__()
        return self

    def add(self, people: list[dict[str, Any]]) -> None:
        """Some more people; etas of an occasion are left out, since not everybody has as many."""

        def numbers(values: list[float | None]) -> np.typing.NDArray[np.float64]:
            return np.array([np.nan if v is None else v for v in values], dtype=np.float64)

        columns: dict[str, Any] = {
            "id": np.array([p["id"] for p in people]),
            "objective": numbers([p["objective"] for p in people]),
            "arrived": np.array([p["arrived"] for p in people]),
            "minima": np.array([p["minima"] for p in people], dtype=np.int64),
            "values": np.array([len(p["observations"]["dv"]) for p in people], dtype=np.int64),
        }
        for name in people[0]["parameters"]:
            columns[name] = numbers([p["parameters"][name] for p in people])
        for name in self.names:
            columns[f"eta_{name}"] = numbers([p["eta"][name] for p in people])
            places = [p["covariance"]["of"].index(name) for p in people]
            sds = [p["covariance"]["matrix"][k][k] ** 0.5 for p, k in zip(people, places, strict=True)]
            columns[f"sd_{name}"] = numbers(sds)
        drawn = people[0].get("posterior")
        if drawn is not None:
            for what in ("pareto_k", "effective", "rhat"):
                columns[what] = numbers([p["posterior"][what] for p in people])
            for name in drawn["parameters"]:
                for q in ("q05", "q50", "q95"):
                    columns[f"{name}_{q}"] = numbers([p["posterior"]["parameters"][name][q] for p in people])
        self.rows.add(columns)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.rows.__exit__(kind, error, trace)
        if kind is not None:
            self.rows.unfinished.unlink(missing_ok=True)


def stream(
    data: Path, it: PopulationModel, names: Mapping[str, str], out: Path, *, method: str, draws: int, starts: int, seed: int,
    tell: Callable[[str, int], None],
) -> int:  # fmt: skip
    """Read, fit and write part by part; a summary on the screen."""
    if out.suffix.lower() not in (".jsonl", ".parquet"):
        raise click.UsageError(f"--out {out}: let the name end in .jsonl or .parquet.")
    if not out.parent.is_dir():
        raise click.UsageError(f"--out: there is no folder {out.parent}. Make it first, or name another.")
    asked = {"population": it.id, "data": data.name, "method": method, "seed": seed if method != "map" else None}
    done, values, objective, lost = 0, 0, 0.0, 0
    target = Lines(out) if out.suffix.lower() == ".jsonl" else Table(out, it, asked)
    with target:
        for table, notes in parts_of(data, people=PART, columns={**it.columns, **names}, covariates=needed(it)):
            problem = build(table, it)
            if notes or problem.notes:
                click.echo(words.problem_lines((*notes, *problem.notes)), err=True)
            results, sampled = run(problem, method, draws, starts, seed, tell=lambda what, n: None, before=done)
            target.add([person_data(problem, i, r, sampled[i] if sampled else None) for i, r in enumerate(results)])
            done += len(results)
            values += sum(int((~r.left_out).sum()) for r in results)
            objective += sum(r.objective for r in results)
            lost += sum(not r.arrived for r in results)
            tell("fitted", done)
    click.echo(f"{done} people, {values} values, under {it.id}: {it.title}")
    click.echo("Every search arrived." if not lost else f"{lost} searches did NOT arrive: 'arrived' says whose.")
    click.echo(f"Sum of the individual objectives: {objective:.4f}\n\nWritten: {out}")
    return ExitCode.OK
