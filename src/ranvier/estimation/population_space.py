"""The numbers of a population as one vector without bounds, and back: what a population fit searches over.

Order of the vector u: typical values on their own scales (log, logit or plain) each followed by its covariate relations;
logarithms of residual SDs; roots of the covariances between people, then between occasions (logarithms on the diagonal,
plain below it). Parameters that vary together form a block whose covariances are all free.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ranvier.estimation import individual_kernels as K
from ranvier.estimation.cohort import Problem, population_tangents
from ranvier.estimation.cohort import _typical as typical_rows
from ranvier.evidence.models import OUTPUTS, ModelParameter, PopulationModel

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Place:
    """One number of the vector. kind: typical | relation | residual | between | occasion; `at`: which one of its kind."""

    name: str
    kind: str
    at: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class At:
    """A population at one vector, in the form that the kernels read.

    dx : sets × SLOTS × K, derivatives of typical values by the structural numbers; d_sd P × 4; d_root P × n × n and d_root_occasion
    P × m × m : derivatives of residual SDs and of roots by every number; alias, scale : see `population_kernels.focei_range`
    """

    population: PopulationModel
    variability: K.Variability
    typical: K.Typical
    dx: FloatArray
    d_sd: FloatArray
    d_root: FloatArray
    d_root_occasion: FloatArray
    alias: IntArray
    scale: FloatArray


def to_scale(value: float, scale: str) -> float:
    """A natural value on the scale of its parameter."""
    if scale == "log":
        return float(np.log(value))
    return float(np.log(value / (1.0 - value))) if scale == "logit" else value


def from_scale(x: float, scale: str) -> float:
    """The natural value of a number on a scale."""
    if scale == "log":
        return float(np.exp(x))
    return float(1.0 / (1.0 + np.exp(-x))) if scale == "logit" else x


def fixed_numbers(data: Any) -> frozenset[str]:
    """Names of the numbers that a population file (as plain data) marks `fixed: true`, as in {value: 1, fixed: true}."""

    def fixed(number: object) -> bool:
        return isinstance(number, Mapping) and bool(number.get("fixed", False))

    found = set()
    for name, item in (data.get("parameters") or {}).items():
        if fixed(item.get("typical")):
            found.add(name)
        if fixed(item.get("spread")) or fixed(item.get("variance")):
            found.add(f"between {name}")
        for k, relation in enumerate(item.get("covariates") or ()):
            if fixed(relation.get("exponent")) or fixed(relation.get("effect")):
                found.add(_relation(name, str(relation.get("column")).upper(), k))
    for output, item in (data.get("residual") or {}).items():
        found |= {f"{output}.{key}" for key in ("additive", "proportional") if fixed(item.get(key))}
    return frozenset(found)


def _relation(name: str, column: str, k: int) -> str:
    return f"{name}.{column}" + (f".{k}" if k else "")


def _pattern(omega: FloatArray) -> npt.NDArray[np.bool_]:
    """Which covariances are free: all within a block of parameters that hang together."""
    joined = omega != 0.0
    for _ in range(len(omega)):
        joined = (joined.astype(int) @ joined.astype(int)) > 0
    return np.asarray(joined)


class Space:
    """The free numbers of one population, for one problem.

    fixed : names that stay as they are (see `fixed_numbers`)

    Raises
    ------
    ValueError : a fixed name is not one of the population's numbers, or nothing is left to estimate.
    """

    def __init__(self, problem: Problem, fixed: Iterable[str] = ()) -> None:
        self.problem = problem
        population = problem.population
        self.fixed = frozenset(fixed)
        self.places: list[Place] = []
        names = set()
        self._columns: list[int] = []  # of population_tangents

        def add(place: Place) -> bool:
            names.add(place.name)
            if place.name in self.fixed:
                return False
            self.places.append(place)
            return True

        column = 0
        for name, parameter in population.parameters.items():
            if parameter.from_column is not None:
                continue
            if add(Place(name, "typical", (name,))):
                self._columns.append(column)
            column += 1
            for k, relation in enumerate(parameter.relations):
                if add(Place(_relation(name, relation.column, k), "relation", (name, k))):
                    self._columns.append(column)
                column += 1
        self.structural = len(self.places)
        for k, output in enumerate(OUTPUTS):
            if output in population.residual:
                for j, key in enumerate(("additive", "proportional")):
                    if getattr(population.residual[output], key) > 0:
                        add(Place(f"{output}.{key}", "residual", (output, key, 2 * k + j)))
        for kind, who, omega in (
            ("between", population.subject_names, population.omega),
            ("occasion", population.occasion_names, population.occasion_omega),
        ):
            pattern = _pattern(omega)
            alone = [int(row.sum()) == 1 for row in pattern]
            for d in range(len(who)):
                for k in range(d + 1):
                    if pattern[d, k]:
                        name = f"{kind} {who[d]}" if d == k else f"{kind} {who[k]}, {who[d]}"
                        if name in self.fixed and not alone[d]:
                            raise ValueError(f"{name} cannot be fixed: it varies together with others")
                        add(Place(name, kind, (d, k)))
        if unknown := self.fixed - names:
            raise ValueError(
                f"no such number to fix: {', '.join(sorted(unknown))}; there are {', '.join(sorted(names))}"
            )
        if not self.places:
            raise ValueError("every number is fixed: there is nothing to estimate")
        self.start = self.vector(population)

    def __len__(self) -> int:
        return len(self.places)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the numbers, in order."""
        return tuple(p.name for p in self.places)

    def vector(self, population: PopulationModel) -> FloatArray:
        """The vector of a population of the same structure."""
        roots = {
            "between": np.linalg.cholesky(population.omega) if population.omega.size else population.omega,
            "occasion": np.linalg.cholesky(population.occasion_omega)
            if population.occasion_omega.size
            else population.occasion_omega,
        }
        u = np.empty(len(self.places))
        for i, place in enumerate(self.places):
            if place.kind == "typical":
                parameter = population.parameters[place.at[0]]
                u[i] = to_scale(parameter.typical, parameter.scale)
            elif place.kind == "relation":
                u[i] = population.parameters[place.at[0]].relations[place.at[1]].value
            elif place.kind == "residual":
                u[i] = np.log(getattr(population.residual[place.at[0]], place.at[1]))
            else:
                d, k = place.at
                value = roots[place.kind][d, k]
                u[i] = np.log(value) if d == k else value
        return u

    def roots(self, u: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Roots of the covariances between people and between occasions."""
        population = self.problem.population
        found = {}
        for kind, omega in (("between", population.omega), ("occasion", population.occasion_omega)):
            root = np.linalg.cholesky(omega) if omega.size else np.zeros((0, 0))
            for value, place in zip(u, self.places, strict=True):
                if place.kind == kind:
                    d, k = place.at
                    root[d, k] = np.exp(value) if d == k else value
            found[kind] = np.ascontiguousarray(root)
        return found["between"], found["occasion"]

    def population(self, u: FloatArray) -> PopulationModel:
        """The population with the numbers of a vector."""
        old = self.problem.population
        parameters: dict[str, ModelParameter] = dict(old.parameters)
        residual = dict(old.residual)
        for value, place in zip(u, self.places, strict=True):
            number = float(value)
            if place.kind == "typical":
                one = parameters[place.at[0]]
                parameters[place.at[0]] = replace(one, typical=from_scale(number, one.scale))
            elif place.kind == "relation":
                one = parameters[place.at[0]]
                relations = list(one.relations)
                relations[place.at[1]] = replace(relations[place.at[1]], value=number)
                parameters[place.at[0]] = replace(one, relations=tuple(relations))
            elif place.kind == "residual":
                output, key, _ = place.at
                value_ = float(np.exp(number))
                old_error = residual[output]
                residual[output] = (
                    replace(old_error, additive=value_)
                    if key == "additive"
                    else replace(old_error, proportional=value_)
                )
        root, root_occasion = self.roots(u)
        omega, occasion = root @ root.T, root_occasion @ root_occasion.T
        for d, name in enumerate(old.subject_names):
            parameters[name] = replace(parameters[name], variance=float(omega[d, d]))
        for d, name in enumerate(old.occasion_names):
            parameters[name] = replace(parameters[name], occasion_variance=float(occasion[d, d]))
        return replace(old, parameters=parameters, residual=residual, omega=omega, occasion_omega=occasion)

    def at(self, u: FloatArray) -> At:
        """Everything that the kernels need at a vector. Raises FloatingPointError where it means no population."""
        problem = self.problem
        population = self.population(u)
        here = replace(problem, population=population)
        rows = typical_rows(problem.data, population, problem.slots, [])
        x = np.ascontiguousarray(rows[problem.sets])
        if not np.all(np.isfinite(x)):
            raise FloatingPointError("a typical value has left its range")
        _, tangents = population_tangents(here)
        dx = np.ascontiguousarray(tangents[:, :, self._columns])
        root, root_occasion = self.roots(u)
        variability = problem.variability._replace(root_subject=root, root_occasion=root_occasion)
        p = len(self.places)
        d_sd = np.zeros((p, 4))
        d_root, d_occasion = np.zeros((p, *root.shape)), np.zeros((p, *root_occasion.shape))
        for i, place in enumerate(self.places):
            if place.kind == "residual":
                d_sd[i, place.at[2]] = np.exp(u[i])
            elif place.kind in ("between", "occasion"):
                d, k = place.at
                (d_root if place.kind == "between" else d_occasion)[i, d, k] = np.exp(u[i]) if d == k else 1.0
        alias, scale = self._aliases(dx)
        return At(population, variability, problem.typical._replace(x=x), dx, d_sd, d_root, d_occasion, alias, scale)

    def _aliases(self, dx: FloatArray) -> tuple[IntArray, FloatArray]:
        """Where a structural number moves a person exactly as one of the etas does, up to a factor."""
        c, subject = self.problem.cohort, self.problem.variability.subject
        n = len(self.problem)
        alias = np.full((n, self.structural), -1, dtype=np.int64)
        scale = np.zeros((n, self.structural))
        first = c.set_ptr[:-1]
        for k in range(self.structural):
            slot = self.problem.slots[self.places[k].at[0]]
            if subject[slot] < 0:
                continue
            by = dx[:, slot, k]
            same = np.array([np.all(by[a:b] == by[a]) for a, b in zip(first, c.set_ptr[1:], strict=True)])
            alias[same, k] = subject[slot]
            scale[same, k] = by[first[same]]
        return alias, scale

    def natural(self, u: FloatArray) -> tuple[tuple[str, ...], FloatArray]:
        """Numbers as people read them: typical values, relations, residual SDs, variances and covariances."""
        root, root_occasion = self.roots(u)
        omega = {"between": root @ root.T, "occasion": root_occasion @ root_occasion.T}
        values = []
        for value, place in zip(u, self.places, strict=True):
            if place.kind == "typical":
                values.append(from_scale(float(value), self.problem.population.parameters[place.at[0]].scale))
            elif place.kind == "relation":
                values.append(float(value))
            elif place.kind == "residual":
                values.append(float(np.exp(value)))
            else:
                values.append(float(omega[place.kind][place.at]))
        return self.names, np.array(values)

    def slope(self, u: FloatArray) -> FloatArray:
        """Derivatives of the natural numbers by the vector, P × P."""
        p = len(self.places)
        table = np.empty((p, p))
        for i in range(p):
            up, down = u.copy(), u.copy()
            up[i] += 1e-6
            down[i] -= 1e-6
            table[:, i] = (self.natural(up)[1] - self.natural(down)[1]) / 2e-6
        return table
