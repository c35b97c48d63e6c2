"""The whole posterior of a population and its people at once, by the No-U-Turn sampler, under an informative prior.

Where only twenty people were ever measured their data cannot teach everything; a published population says what is usual.
Its numbers are the middle of the prior; how far ours may lie from them is `SPREADS`.

The sampler walks in coordinates in which the posterior is nearly round: numbers of the population whitened by their curvature
at the most probable ones, people's etas measured from where they would move when the numbers move (u, z as in
`population_kernels`): z = z^ + dz/du (u - u^) + C xi. The change of coordinates is linear, so it changes no density.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ranvier.estimation import population_kernels as P
from ranvier.estimation.checks import Mixing, mixing
from ranvier.estimation.population import Objective, Prior, Search, search, standard_errors
from ranvier.estimation.population_space import Space
from ranvier.evidence.models import PopulationModel

FloatArray = npt.NDArray[np.float64]

CHAINS, TUNE = 4, 500
SPREADS = {
    # SD of the prior on the scale of the vector: (around a published population, around a mere start)
    "typical": (0.3, 1.0),  # a factor of 1.35, or of 2.7
    "relation": (0.3, 1.0),
    "residual": (0.5, 1.0),
    "between": (0.4, 0.7),  # of the log of an SD between people
    "occasion": (0.4, 0.7),
}
"""Our own choice (design), said in every answer by the prior's interval beside the posterior's."""


@dataclass(frozen=True, slots=True)
class Learnt:
    """What was learnt: natural numbers with median and 90 % interval beside the prior's; how well the chains mixed.

    vectors : chains × draws × P, of the vector; population : at the median vector
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


def prior_of(space: Space, published: PopulationModel | None = None) -> Prior:
    """Around a published population of the same structure, or loosely around the start.

    Raises
    ------
    ValueError : the published population lacks a number of this one.
    """
    which = 0 if published is not None else 1
    sd = np.array([SPREADS[place.kind][which] for place in space.places])
    if published is None:
        return Prior(space.start.copy(), sd)
    try:
        return Prior(space.vector(published), sd)
    except (KeyError, IndexError, ValueError, FloatingPointError):
        raise ValueError(f"{published.id} has not the same parameters, relations and errors as the model") from None


def learn(space: Space, prior: Prior, *, draws: int = 1000, seed: int = 1, threads: int | None = None) -> Learnt:
    """Draws of the population's numbers, `draws` from each of four chains, after the most probable ones were found.

    Raises
    ------
    ValueError : the data are impossible under the model at its start.
    """
    import nutpie
    from nutpie.compiled_pyfunc import from_pyfunc

    objective = Objective(space, threads, prior)
    state = Search(space.start.copy(), np.eye(len(space)), np.zeros_like(objective.z))
    for _ in search(space, objective, state):
        pass
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
    trace = nutpie.sample(
        model, draws=draws, tune=TUNE, chains=CHAINS, cores=2, seed=seed, progress_bar=False, target_accept=0.95
    )
    w = np.asarray(trace.posterior["w"].values)
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
        divergences=int(np.asarray(trace.sample_stats["diverging"].values).sum()),
        draws=CHAINS * draws,
        vectors=vectors,
    )
