"""From many people's data to the population they come from: FOCEI, with exact gradient, standard errors, resumable.

The objective is NONMEM's: the sum over people of what `population_kernels` computes, without the constant n ln 2 pi.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ranvier.estimation import population_kernels as P
from ranvier.estimation.individual import start_points
from ranvier.estimation.population_space import Space
from ranvier.evidence.models import PopulationModel

FloatArray = npt.NDArray[np.float64]

INNER = 200  # evaluations of one person's search
INNER_STARTS = 3  # further starts of each person's search, at the begin and at the end
MOST = 300  # steps of the outer search
LONGEST = 1.0  # of a step, in any number (logarithms mostly)
DONE = 1e-5  # objective that a full step still promises
SAME = 1e-3  # objectives that differ by less are one optimum
PORTIONS = 8  # that each core takes, one after the other: people on the solver's road cost many times as much as others
SPREAD = 0.4  # SD of further starts, on the scale of the vector
FAINT = 1e-4  # smallest SD between people that is looked for [1 on the parameter's scale]


@dataclass(frozen=True, slots=True)
class Step:
    """Progress: which start, which step, objective, and what a full step still promises."""

    start: int
    step: int
    objective: float
    promised: float


@dataclass(frozen=True, slots=True)
class Errors:
    """Covariance of the natural numbers by three roads, and what says how far to trust it.

    r : inverse of half the second derivatives of the objective; s : inverse of the sum of squared gradients of people;
    sandwich : R^-1 S R^-1; vector : R^-1 on the scale of the search. condition : largest over smallest eigenvalue of the
    correlation matrix of the estimates. positive : whether R is positive definite; without it r and sandwich are NaN.
    """

    r: FloatArray
    s: FloatArray
    sandwich: FloatArray
    vector: FloatArray
    condition: float
    positive: bool
    gradient: float  # largest |gradient| at the end, in standard errors


@dataclass(frozen=True, slots=True)
class PopulationFit:
    """What a population fit found.

    names, value : natural numbers; u : the vector; z : people's most probable whitened etas; parts : objective by person
    starts : objective reached from each start; steps : of the best one; observations : values that counted
    """

    population: PopulationModel
    names: tuple[str, ...]
    value: FloatArray
    u: FloatArray
    objective: float
    parts: FloatArray
    eta: FloatArray
    starts: tuple[float, ...]
    steps: int
    converged: bool
    observations: int
    errors: Errors | None

    @property
    def minus_two_log_likelihood(self) -> float:
        """With the constant n ln 2 pi that the objective leaves out."""
        return self.objective + self.observations * float(np.log(2.0 * np.pi))

    @property
    def aic(self) -> float:
        """Akaike's criterion."""
        return self.minus_two_log_likelihood + 2.0 * len(self.names)

    @property
    def bic(self) -> float:
        """Schwarz's criterion, with the number of observations."""
        return self.minus_two_log_likelihood + len(self.names) * float(np.log(self.observations))


@dataclass(frozen=True, slots=True)
class Prior:
    """What was believed of the population before: independent normal distributions of the vector, P each."""

    middle: FloatArray
    sd: FloatArray


class Objective:
    """The FOCEI objective and its gradient over a space; keeps each person's last optimum as the next start."""

    def __init__(self, space: Space, threads: int | None = None, prior: Prior | None = None) -> None:
        problem = space.problem
        self.space = space
        self.prior = prior
        self.people = len(problem)
        self.size = max(problem.most_etas, 1)
        self.workers = min(threads or os.cpu_count() or 1, max(self.people // 4, 1))
        self.desks = [problem.desk(self.size + space.structural) for _ in range(self.workers)]
        self.points = start_points(self.size)
        self.z = np.zeros((self.people, self.size))
        self.moves = np.zeros((self.people, len(space), self.size))
        self.roots = np.zeros((self.people, self.size, self.size))
        self._pool = ThreadPoolExecutor(self.workers) if self.workers > 1 else None

    def __call__(self, u: FloatArray, *, starts: int = 0, derivatives: bool = True) -> tuple[FloatArray, FloatArray]:
        """Parts of the objective by person (N) and their gradients (N × P). Infinite where u means no population.

        With a prior there is one part more: -2 log of its density, without its constant.
        """
        space, problem = self.space, self.space.problem
        rows = self.people + (self.prior is not None)
        parts, gradient = np.full(rows, np.inf), np.zeros((rows, len(space)))
        if self.prior is not None:
            away = (u - self.prior.middle) / self.prior.sd
            parts[-1], gradient[-1] = float(away @ away), 2.0 * away / self.prior.sd
        try:
            at = space.at(u)
        except (FloatingPointError, np.linalg.LinAlgError):
            return parts, gradient

        free = list(range(self.workers))
        portion = -(-self.people // (PORTIONS * self.workers)) if self._pool is not None else self.people

        def some(first: int) -> None:
            mine = free.pop()
            try:
                P.focei_range(
                    problem.structure, problem.cohort, at.variability, at.typical, first, min(first + portion, self.people),
                    problem.moving, self.points, starts, INNER, self.desks[mine], at.dx, at.alias, at.scale, at.d_sd, at.d_root,
                    at.d_root_occasion, derivatives, self.z, parts, gradient, self.moves, self.roots,
                )  # fmt: skip
            finally:
                free.append(mine)

        if self._pool is None:
            some(0)
        else:
            list(self._pool.map(some, range(0, self.people, portion)))
        return parts, gradient


@dataclass(slots=True)
class Search:
    """State of one descent: enough to go on after an interruption as if nothing had happened."""

    u: FloatArray
    inverse: FloatArray  # of the second derivatives, as believed so far
    z: FloatArray
    step: int = 0
    promised: float = float("inf")
    objective: float = float("inf")
    converged: bool = False


def search(space: Space, objective: Objective, state: Search) -> Iterator[Search]:
    """Quasi-Newton steps (BFGS, begun with the people's own squared gradients) until a full step promises nothing."""
    bounds = lowest(space)
    objective.z[:] = state.z
    parts, each = objective(state.u, starts=INNER_STARTS if state.step == 0 else 0)
    value, g = float(parts.sum()), each.sum(axis=0)
    if not np.isfinite(value):
        return
    if state.step == 0:
        state.inverse = _first(each)
    refreshed = state.step
    while state.step < MOST:
        held = (state.u <= bounds + 1e-9) & (g > 0)
        free = ~held
        d = np.zeros(len(space))
        d[free] = -state.inverse[np.ix_(free, free)] @ g[free]
        promised = -0.5 * float(g @ d)
        if not promised > 0.0:
            state.inverse = _first(each)
            d[free] = -state.inverse[np.ix_(free, free)] @ g[free]
            promised = -0.5 * float(g @ d)
        state.promised, state.objective = promised, value
        if promised < DONE:
            again, _ = objective(state.u, starts=INNER_STARTS, derivatives=False)
            if again.sum() > value - SAME:
                state.converged = True
                state.z = objective.z.copy()
                yield state
                return
            parts, each = objective(state.u)
            value, g = float(parts.sum()), each.sum(axis=0)
            continue
        d *= min(1.0, LONGEST / float(np.abs(d).max()))
        length, kept = 1.0, objective.z.copy()
        for _ in range(12):
            there = np.maximum(state.u + length * d, bounds)
            new, new_each = objective(there)
            total = float(new.sum())
            if total <= value + 1e-4 * float(g @ (there - state.u)):
                break
            objective.z[:] = kept
            slope = float(g @ d) * length
            bend = total - value - slope
            length *= float(np.clip(-0.5 * slope / bend, 0.1, 0.5)) if np.isfinite(total) and bend > 0 else 0.2
        else:
            if refreshed == state.step:  # the squared gradients themselves lead nowhere: as good as it gets
                state.converged = promised < 100.0 * DONE
                state.z = kept
                yield state
                return
            refreshed = state.step
            state.inverse = _first(each)
            continue
        moved, change = there - state.u, new_each.sum(axis=0) - g
        curved = float(moved @ change)
        if curved > 1e-12 * float(np.linalg.norm(moved) * np.linalg.norm(change)):
            left = np.eye(len(space)) - np.outer(moved, change) / curved
            state.inverse = left @ state.inverse @ left.T + np.outer(moved, moved) / curved
        state.u, value, g, each = there, total, new_each.sum(axis=0), new_each
        state.step += 1
        state.objective, state.z = value, objective.z.copy()
        yield state


def _first(each: FloatArray) -> FloatArray:
    """First belief about the inverse of the second derivatives: half the sum of squared gradients, kept positive."""
    squares = 0.5 * each.T @ each
    size = np.sqrt(np.maximum(np.diag(squares), 1e-8))
    correlation = squares / np.outer(size, size) + 0.05 * np.eye(len(size))
    return np.asarray(np.linalg.inv(correlation) / np.outer(size, size))


def standard_errors(space: Space, objective: Objective, u: FloatArray) -> Errors:
    """R by central differences of the exact gradient, S from the people's gradients, and the sandwich of both.

    A spread that ran to its lower bound is held there: it has no standard error (NaN), and the others are given without it.
    """
    p = len(space)
    inside = np.flatnonzero(u > lowest(space) + 1e-6)
    _, each = objective(u)
    kept = objective.z.copy()
    table = np.empty((inside.size, inside.size))
    h = 1e-3
    for row, i in enumerate(inside):
        up, down = u.copy(), u.copy()
        up[i] += h
        down[i] -= h
        change = objective(up)[1].sum(axis=0) - objective(down)[1].sum(axis=0)
        table[row] = change[inside] / (2.0 * h)
        objective.z[:] = kept
    r_matrix = 0.25 * (table + table.T)
    s_matrix = 0.25 * each[:, inside].T @ each[:, inside]

    def inverse(matrix: FloatArray) -> FloatArray:
        with np.errstate(all="ignore"):
            size = np.sqrt(np.abs(np.diag(matrix)))
            if not np.all(size > 0) or not np.all(np.isfinite(matrix)):
                return np.full_like(matrix, np.nan)
            scaled = matrix / np.outer(size, size)
            if np.linalg.eigvalsh(scaled)[0] < 1e-10:
                return np.full_like(matrix, np.nan)
            return np.asarray(np.linalg.inv(scaled) / np.outer(size, size))

    turn = space.slope(u)[np.ix_(inside, inside)]

    def natural(covariance: FloatArray) -> FloatArray:
        whole = np.full((p, p), np.nan)
        whole[np.ix_(inside, inside)] = turn @ covariance @ turn.T
        return whole

    r, s = inverse(r_matrix), inverse(s_matrix)
    positive = bool(np.all(np.isfinite(r)))
    condition = gradient = float("nan")
    if positive:
        covariance = turn @ r @ turn.T
        size = np.sqrt(np.diag(covariance))
        values = np.linalg.eigvalsh(covariance / np.outer(size, size))
        condition = float(values[-1] / values[0])
        gradient = float(np.max(np.abs(0.5 * each[:, inside].sum(axis=0)) * np.sqrt(np.diag(r))))
    vector = np.full((p, p), np.nan)
    vector[np.ix_(inside, inside)] = r
    return Errors(natural(r), natural(s), natural(r @ s_matrix @ r), vector, condition, positive, gradient)


def lowest(space: Space) -> FloatArray:
    """Lower bounds of the vector: spreads between people do not fall below `FAINT`."""
    bounds = np.full(len(space), -np.inf)
    for i, place in enumerate(space.places):
        if place.kind in ("between", "occasion") and place.at[0] == place.at[1]:
            bounds[i] = np.log(FAINT)
    return bounds


class Checkpoint:
    """A file that holds how far a fit has come. It belongs to one problem: another one's is not read."""

    def __init__(self, path: Path, belongs_to: str) -> None:
        self.path, self.belongs_to = path, belongs_to

    def save(self, finished: list[Search], now: Search | None) -> None:
        """Write beside and move into place, so that a kill in the middle leaves the last whole state."""
        states = [*finished, *([now] if now is not None else [])]
        arrays = {f"{k}.{name}": getattr(s, name) for k, s in enumerate(states) for name in ("u", "inverse", "z")}
        plain = [
            {"step": s.step, "promised": s.promised, "objective": s.objective, "converged": s.converged} for s in states
        ]
        head = json.dumps({"belongs_to": self.belongs_to, "finished": len(finished), "states": plain})
        beside = self.path.with_suffix(self.path.suffix + ".part")
        with beside.open("wb") as file:
            np.savez(file, allow_pickle=False, head=np.array(head), **arrays)
        beside.replace(self.path)

    def load(self) -> tuple[list[Search], Search | None]:
        """What was finished, and what was under way.

        Raises
        ------
        ValueError : the file belongs to another fit.
        """
        if not self.path.exists():
            return [], None
        with np.load(self.path, allow_pickle=False) as file:
            head = json.loads(str(file["head"]))
            if head["belongs_to"] != self.belongs_to:
                raise ValueError(f"{self.path} belongs to another fit (other data, model, or settings)")
            states = [
                Search(file[f"{k}.u"], file[f"{k}.inverse"], file[f"{k}.z"], **plain)
                for k, plain in enumerate(head["states"])
            ]
        done = states[: head["finished"]]
        return done, (states[head["finished"]] if len(states) > head["finished"] else None)


def digest_of(space: Space, *more: object) -> str:
    """What a checkpoint belongs to: the data, the start, what is fixed, and the settings."""
    sha = hashlib.sha256()
    d = space.problem.data
    for array in (d.first, d.time, d.event, d.amount, d.rate, d.value, *(v for _, v in sorted(d.covariates.items()))):
        sha.update(np.ascontiguousarray(array).tobytes())
    sha.update(repr((space.names, space.start.tolist(), sorted(space.fixed), more)).encode())
    return sha.hexdigest()[:20]


def fit_population(
    space: Space,
    *,
    starts: int = 1,
    seed: int = 1,
    errors: bool = True,
    checkpoint: Path | None = None,
    tell: Callable[[Step], object] | None = None,
    threads: int | None = None,
) -> PopulationFit:
    """FOCEI from one or several starts; the best is kept.

    starts : the model's own numbers, and further ones spread around them (`seed`)
    checkpoint : where to keep how far it has come; a fit begun before goes on from there, with the same result
    tell : called after each step

    Raises
    ------
    ValueError : no start leads anywhere (the data are impossible under the model), or the checkpoint is another fit's.
    """
    objective = Objective(space, threads)
    rng = np.random.default_rng(seed)
    begins = [space.start, *(space.start + SPREAD * rng.standard_normal(len(space)) for _ in range(starts - 1))]
    kept = Checkpoint(checkpoint, digest_of(space, "focei", starts, seed)) if checkpoint is not None else None
    finished, under_way = kept.load() if kept is not None else ([], None)
    for number in range(len(finished), starts):
        state = under_way or Search(begins[number].copy(), np.eye(len(space)), np.zeros_like(objective.z))
        under_way = None
        if not state.converged:
            for _ in search(space, objective, state):  # the state is moved in place
                if tell is not None:
                    tell(Step(number + 1, state.step, state.objective, state.promised))
                if kept is not None:
                    kept.save(finished, state)
        finished.append(state)
    best = min(finished, key=lambda s: s.objective)
    if not np.isfinite(best.objective):
        raise ValueError("the data are impossible under the model, from every start")
    objective.z[:] = best.z
    parts, _ = objective(best.u, starts=INNER_STARTS, derivatives=False)
    names, value = space.natural(best.u)
    eta = np.zeros_like(objective.z)
    root, root_occasion = space.roots(best.u)
    subjects, between = len(root), len(root_occasion)
    for i in range(len(space.problem)):
        eta[i, :subjects] = root @ objective.z[i, :subjects]
        for q in range(int(space.problem.typical.occasions[i])):
            own = slice(subjects + q * between, subjects + (q + 1) * between)
            eta[i, own] = root_occasion @ objective.z[i, own]
    return PopulationFit(
        population=space.population(best.u),
        names=names,
        value=value,
        u=best.u,
        objective=float(parts.sum()),
        parts=parts,
        eta=eta,
        starts=tuple(s.objective for s in finished),
        steps=best.step,
        converged=best.converged,
        observations=int(np.sum(space.problem.typical.skip == 0)),
        errors=standard_errors(space, objective, best.u) if errors else None,
    )
