"""A fitted population as a file that `ranvier fit` and `ranvier population` read, with where its numbers come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from ranvier.evidence.models import PopulationModel, Relation

FloatArray = npt.NDArray[np.float64]
DIGITS = 8  # significant digits of an estimate


def _number(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def _relation(relation: Relation) -> dict[str, Any]:
    key = "exponent" if relation.form == "power" else "effect"
    told: dict[str, Any] = {"column": relation.column, "form": relation.form, key: _number(relation.value)}
    if relation.form == "factor":
        return told | {relation.condition: relation.threshold}
    return told | {"reference": relation.reference}


def _pairs(names: Sequence[str], omega: FloatArray) -> list[dict[str, Any]]:
    return [
        {"of": names[j], "with": names[i], "covariance": _number(omega[i, j])}
        for i in range(len(names))
        for j in range(i)
        if omega[i, j] != 0.0
    ]


def population_text(
    population: PopulationModel, *, fixed: Sequence[str] = (), provenance: Mapping[str, Any], title: str | None = None
) -> str:
    """The file's text (YAML).

    fixed : names of numbers that were held (kept as `fixed: true`); provenance : how it was made, plain data
    """
    held = set(fixed)

    def told(value: float, name: str) -> Any:
        return {"value": _number(value), "fixed": True} if name in held else _number(value)

    parameters: dict[str, Any] = {}
    for name, one in population.parameters.items():
        if one.from_column is not None:
            parameters[name] = {"from_column": one.from_column, "scale": one.scale, "typical": one.typical}
            continue
        item: dict[str, Any] = {"scale": one.scale, "typical": told(one.typical, name)}
        if one.variance:
            item["variance"] = told(one.variance, f"between {name}")
        if one.occasion_variance:
            item["occasion"] = {"variance": _number(one.occasion_variance)}
        if one.relations:
            item["covariates"] = []
            for k, relation in enumerate(one.relations):
                given = _relation(relation)
                key = "exponent" if relation.form == "power" else "effect"
                given[key] = told(relation.value, f"{name}.{relation.column}" + (f".{k}" if k else ""))
                item["covariates"].append(given)
        parameters[name] = item
    data: dict[str, Any] = {
        "id": population.id,
        "title": title or population.title,
        "source": population.source,
        "kinetics": population.kinetics,
    }
    if population.response:
        data["response"] = population.response
    data |= {"scale": population.scale, "interaction": population.interaction}
    if population.columns:
        data["columns"] = dict(population.columns)
    if population.output_column:
        outputs: dict[str, Any] = {"column": population.output_column}
        for value, kind in population.outputs.items():
            outputs[kind] = value if kind not in outputs else [*np.atleast_1d(outputs[kind]).tolist(), value]
        data["outputs"] = outputs
    if population.compartments:
        data["compartments"] = dict(population.compartments)
    data["parameters"] = parameters
    if pairs := _pairs(population.subject_names, population.omega):
        data["correlations"] = pairs
    if population.occasion_names:
        data["occasion"] = {"column": population.occasion_column}
        if pairs := _pairs(population.occasion_names, population.occasion_omega):
            data["occasion"]["correlations"] = pairs
    residual: dict[str, Any] = {}
    for output, error in population.residual.items():
        residual[output] = {"error": error.error}
        for key in ("additive", "proportional"):
            if getattr(error, key) > 0:
                residual[output][key] = told(getattr(error, key), f"{output}.{key}")
    data["residual"] = residual
    if population.notes:
        data["notes"] = list(population.notes)
    data["provenance"] = dict(provenance)
    text: str = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=120)
    return text
