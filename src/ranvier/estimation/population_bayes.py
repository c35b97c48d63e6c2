"""The whole posterior of a population and its people at once, by the No-U-Turn sampler, under an informative prior.

Where only twenty people were ever measured their data cannot teach everything; a published population says what is usual.
Its numbers are the middle of the prior; how far ours may lie from them stands in knowledge/models/learning.yaml.

The sampler walks in coordinates in which the posterior is nearly round: numbers of the population whitened by their curvature
at the most probable ones, people's etas measured from where they would move when the numbers move (u, z as in
`population_kernels`): z = z^ + dz/du (u - u^) + C xi. The change of coordinates is linear, so it changes no density.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ranvier.estimation import population_kernels as P
from ranvier.estimation.checks import Mixing, mixing
from ranvier.estimation.population import Checkpoint, Objective, Prior, Search, digest_of, search, standard_errors
from ranvier.estimation.population_space import Space
from ranvier.evidence.models import PopulationModel, spreads

FloatArray = npt.NDArray[np.float64]

CHAINS, TUNE = 4, 500
AT_ONCE = 2  # chains that walk at the same time
WAIT = 0.2  # [s] between looks whether one has arrived


@dataclass(frozen=True, slots=True)
class Learnt:
    """What was learnt: natural numbers with median and 90 % interval beside the prior's; how well the chains mixed.

    vectors, natural : chains × draws × P, of the vector and of natural numbers; population : at the median vector
    """

    population: PopulationModel
    names: tuple[str, ...]
    median: FloatArray
    low: FloatArray
    high: FloatArray
    prior_low: FloatArray
    prior_high: FloatArray
    mixing: Mixing
    divergences: int
    draws: int
    vectors: FloatArray
    natural: FloatArray


def prior_of(space: Space, published: PopulationModel | None = None) -> Prior:
    """Around a published population of the same structure, or loosely around the start.

    Raises
    ------
    ValueError : the published population lacks a number of this one.
    """
    which, known = 0 if published is not None else 1, spreads()
    sd = np.array([known[place.kind][which] for place in space.places])
    if published is None:
        return Prior(space.start.copy(), sd)
    try:
        return Prior(space.vector(published), sd)
    except (KeyError, IndexError, ValueError, FloatingPointError):
        raise ValueError(f"{published.id} has not the same parameters, relations and errors as the model") from None


class Chains:
    """Finished chains, kept in a file beside a fit's checkpoint: each counts once, whenever it was made."""

    def __init__(self, path: Path | None, belongs_to: str) -> None:
        self.path, self.belongs_to = path, belongs_to
        self.done: dict[int, tuple[FloatArray, int]] = {}
        if path is not None and path.exists():
            with np.load(path, allow_pickle=False) as file:
                if str(file["belongs_to"]) != belongs_to:
                    raise ValueError(f"{path} belongs to another fit (other data, model, or settings)")
                for key in file.files:
                    if key.startswith("w"):
                        self.done[int(key[1:])] = (file[key], int(file["d" + key[1:]]))

    def add(self, chain: int, w: FloatArray, divergences: int) -> None:
        """One more; the file holds all of the old or all of the new, whatever happens in between."""
        self.done[chain] = (w, divergences)
        if self.path is None:
            return
        arrays = {f"w{k}": w for k, (w, _) in self.done.items()} | {
            f"d{k}": np.array(d) for k, (_, d) in self.done.items()
        }
        beside = self.path.with_suffix(self.path.suffix + ".part")
        with beside.open("wb") as file:
            np.savez(file, allow_pickle=False, belongs_to=np.array(self.belongs_to), **arrays)
        beside.replace(self.path)


def learn(
    space: Space,
    prior: Prior,
    *,
    draws: int = 1000,
    seed: int = 1,
    threads: int | None = None,
    checkpoint: Path | None = None,
    tell: Callable[[str], object] = lambda text: None,
) -> Learnt:
    """Draws of the population's numbers, `draws` from each of four chains, after the most probable ones were found.

    checkpoint : where to keep each step of the search, and beside it (`.chains`) each finished chain; a run begun before goes
    on from there, with the same result; tell : called with how far it is, in words

    Raises
    ------
    ValueError : the data are impossible under the model at its start, or the checkpoint is another fit's.
    """
    import nutpie
    from nutpie.compiled_pyfunc import from_pyfunc

    objective = Objective(space, threads, prior)
    own = digest_of(space, "bayes", prior.middle.tolist(), prior.sd.tolist())
    kept = Checkpoint(checkpoint, own) if checkpoint is not None else None
    beside = checkpoint.with_suffix(checkpoint.suffix + ".chains") if checkpoint is not None else None
    chains = Chains(beside, digest_of(space, own, draws, seed, TUNE))
    state = (kept.load()[1] if kept is not None else None) or Search(
        space.start.copy(), np.eye(len(space)), np.zeros_like(objective.z)
    )
    if not state.converged:
        for _ in search(space, objective, state):
            tell(f"most probable numbers, step {state.step}: objective {state.objective:.2f}")
            if kept is not None:
                kept.save([], state)
    if not np.isfinite(state.objective):
        raise ValueError("the data are impossible under the model at its start")
    objective.z[:] = state.z
    spread = standard_errors(space, objective, state.u).vector
    spread = np.where(np.isfinite(spread), spread, 0.0) + np.diag(
        np.where(np.isfinite(np.diag(spread)), 0.0, prior.sd**2)
    )
    root_u = np.linalg.cholesky(spread + 1e-12 * np.eye(len(space)))
    objective(state.u)
    best_z, moves = objective.z.copy(), objective.moves.copy()
    people, size = best_z.shape
    sizes = [space.problem.etas(i) for i in range(people)]
    roots = [
        np.sqrt(2.0) * np.linalg.inv(objective.roots[i, :n, :n]).T if n else np.zeros((0, 0))
        for i, n in enumerate(sizes)
    ]
    count = len(space)
    where = np.concatenate([[0], np.cumsum(sizes)]) + count
    dimensions = int(where[-1])

    def unfold(q: FloatArray) -> tuple[FloatArray, FloatArray]:
        u = state.u + root_u @ q[:count]
        z = best_z + np.einsum("ipd,p->id", moves, u - state.u)
        for i, n in enumerate(sizes):
            z[i, :n] += roots[i] @ q[where[i] : where[i + 1]]
        return u, z

    def logp() -> Callable[[FloatArray], tuple[float, FloatArray]]:
        problem = space.problem
        desk = problem.desk(size + space.structural)
        out, by_z = np.empty(people), np.zeros((people, size))
        by_number = np.zeros((people, count))

        def value(q: FloatArray) -> tuple[float, FloatArray]:
            u, z = unfold(q)
            try:
                at = space.at(u)
            except (FloatingPointError, np.linalg.LinAlgError):
                return -np.inf, np.zeros(dimensions)
            P.joint_range(
                problem.structure, problem.cohort, at.variability, at.typical, 0, people, desk, at.dx, at.alias, at.scale,
                at.d_sd, at.d_root, at.d_root_occasion, z, out, by_z, by_number,
            )  # fmt: skip
            away = (u - prior.middle) / prior.sd
            total = float(out.sum() + away @ away)
            if not np.isfinite(total):
                return -np.inf, np.zeros(dimensions)
            by_u = by_number.sum(axis=0) + 2.0 * away / prior.sd + np.einsum("ipd,id->p", moves, by_z)
            slope = np.empty(dimensions)
            slope[:count] = root_u.T @ by_u
            for i, n in enumerate(sizes):
                slope[where[i] : where[i + 1]] = roots[i].T @ by_z[i, :n]
            return -0.5 * total, -0.5 * slope

        return value

    def expand(*_: object) -> Callable[[FloatArray], dict[str, FloatArray]]:
        return lambda q: {"w": np.asarray(q[:count])}

    model = from_pyfunc(
        dimensions,
        logp,
        expand,
        [np.dtype("float64")],
        [(count,)],
        ["w"],
        make_initial_point_fn=lambda s: 0.3 * np.random.default_rng(s).standard_normal(dimensions),
    )
    for chain, trace in _sampled(nutpie, model, [c for c in range(CHAINS) if c not in chains.done], draws, seed):
        chains.add(
            chain,
            np.asarray(trace.posterior["w"].values)[0],
            int(np.asarray(trace.sample_stats["diverging"].values).sum()),
        )
        tell(f"{len(chains.done)} of {CHAINS} chains done")
    w = np.array([chains.done[c][0] for c in range(CHAINS)])
    vectors = state.u + w @ root_u.T
    natural = np.array([[space.natural(u)[1] for u in chain] for chain in vectors])
    low, median, high = np.quantile(natural.reshape(-1, count), [0.05, 0.5, 0.95], axis=0)
    rng = np.random.default_rng([seed, 1])
    before = [space.natural(prior.middle + prior.sd * rng.standard_normal(count))[1] for _ in range(2000)]
    prior_low, prior_high = np.quantile(before, [0.05, 0.95], axis=0)
    return Learnt(
        population=space.population(np.median(vectors.reshape(-1, count), axis=0)),
        names=space.names,
        median=median,
        low=low,
        high=high,
        prior_low=prior_low,
        prior_high=prior_high,
        mixing=mixing(natural),
        divergences=sum(d for _, d in chains.done.values()),
        draws=CHAINS * draws,
        vectors=vectors,
        natural=natural,
    )


def _sampled(nutpie: Any, model: Any, wanted: list[int], draws: int, seed: int) -> Iterator[tuple[int, Any]]:
    """Each wanted chain with its trace, as they finish; each with a seed of its own, so that it is the same in any company."""
    walking: dict[int, Any] = {}
    try:
        while wanted or walking:
            while wanted and len(walking) < AT_ONCE:
                chain = wanted.pop(0)
                walking[chain] = nutpie.sample(
                    model, draws=draws, tune=TUNE, chains=1, cores=1, seed=CHAINS * seed + chain, progress_bar=False,
                    target_accept=0.95, blocking=False,
                )  # fmt: skip
            time.sleep(WAIT)
            for chain in [c for c, walk in walking.items() if _arrived(walk)]:
                yield chain, walking.pop(chain).wait()
    finally:
        for walk in walking.values():
            with contextlib.suppress(Exception):  # what is stopped in the middle has nothing to say
                walk.cancel()


def _arrived(walk: Any) -> bool:
    try:
        return bool(walk.is_finished)
    except TimeoutError:  # the sampler is too busy to answer, so it is still on its way
        return False
