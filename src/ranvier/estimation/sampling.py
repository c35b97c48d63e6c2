"""Posterior draws of one explanation: Laplace's approximation corrected by Pareto-smoothed importance sampling, or NUTS."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ranvier.estimation import kernels as K
from ranvier.estimation.coordinates import Coordinates
from ranvier.estimation.model import Candidate
from ranvier.estimation.nouns import FloatArray
from ranvier.estimation.pareto import smooth
from ranvier.estimation.predict import workers
from ranvier.estimation.search import Optimum

PROPOSAL_TAIL = 10.0  # degrees of freedom of the proposal: heavier than the Gaussian, or far draws would dominate
CHUNK = 64
SIZES = (600, 1400)  # proposals of each round
SECOND_TRY = (800, 1600, 3000)  # and where the first try's weights cannot be trusted
CHAINS, TUNE, KEEP, ACCEPT = 4, 400, 300, 0.9


def effective(weight: FloatArray) -> float:
    """How many draws the weights are worth; 0 where nothing is possible."""
    squares = float(np.sum(weight**2))
    return 1.0 / squares if squares > 0 else 0.0


def _log_sum(log: FloatArray) -> float:
    """Log of the sum of exp."""
    return float(np.logaddexp.reduce(log))


@dataclass(frozen=True, slots=True)
class Sample:
    """Weighted draws of one explanation.

    x : N × P, on the estimation scale, fixed parameters at their centre; weight : N, sums to 1
    log_evidence : of the data under this explanation (constants that all explanations share left out)
    pareto_k : shape of the tail of the importance weights; trusted below 0.7
    sampler : psis | nuts; rhat, divergences : of NUTS, None otherwise
    """

    x: FloatArray
    weight: FloatArray
    log_evidence: float
    pareto_k: float
    sampler: str = "psis"
    rhat: float | None = None
    divergences: int | None = None


def log_prior_constant(candidate: Candidate) -> float:
    """Log of the normalising constant of the normal prior on the free parameters."""
    n = candidate.belief.free.size
    return float(-0.5 * n * np.log(2.0 * np.pi) - np.sum(np.log(np.diag(candidate.chol))))


def laplace_evidence(candidate: Candidate, optimum: Optimum) -> float:
    """Laplace's approximation to the log evidence, to decide which explanations deserve draws."""
    n = candidate.belief.free.size
    _, logdet = np.linalg.slogdet(optimum.curvature)
    return float(-optimum.misfit + log_prior_constant(candidate) + 0.5 * n * np.log(2.0 * np.pi) - 0.5 * logdet)


def misfits(x: FloatArray, timeline: K.Timeline, belief: K.Belief) -> FloatArray:
    """The misfit of each row of `x` (N × P), on all cores."""
    out = np.empty(x.shape[0])

    def part(first: int) -> None:
        K.misfits(x, timeline, belief, first, min(first + CHUNK, x.shape[0]), out)

    list(workers().map(part, range(0, x.shape[0], CHUNK)))
    return out


def importance(
    candidate: Candidate,
    timeline: K.Timeline,
    optimum: Optimum,
    rng: np.random.Generator,
    *,
    sizes: tuple[int, ...] = SIZES,
    exactly: bool = False,
) -> Sample:
    """Weighted draws: a multivariate t around the optimum with its curvature, then one fitted to those draws' own weights.

    `sizes`: proposals of each round; the last round's are returned, with the tail of their weights smoothed. `exactly`: in
    coordinates that run the model once more for each proposal.

    References
    ----------
    Vehtari A et al. Pareto smoothed importance sampling. J Mach Learn Res 2024;25:1-58.
    """
    choices = Coordinates.choices(timeline, candidate.belief, optimum.x, exactly=exactly)
    shapes = [_Shape.around(candidate, optimum, c) for c in choices]
    for round_, draws in enumerate(sizes):
        tried = [(*_propose(candidate, timeline, s, draws // len(shapes), rng), s) for s in shapes]
        x, y, log_weight, weight, k, shape = max(tried, key=lambda t: effective(t[3]))
        if round_ + 1 < len(sizes):
            shapes = [shape.refined(y, weight, candidate.belief.free)]
    return Sample(x, weight, _log_sum(log_weight) - math.log(weight.size), k)


@dataclass(frozen=True, slots=True)
class _Shape:
    """A multivariate t over the free parameters: its coordinates, middle (P), spread (F × F), and the first, Laplace's."""

    coordinates: Coordinates
    middle: FloatArray
    spread: FloatArray
    laplace: FloatArray

    @classmethod
    def around(cls, candidate: Candidate, optimum: Optimum, coordinates: Coordinates) -> _Shape:
        """With the optimum's curvature, seen in these coordinates."""
        turn = np.linalg.inv(coordinates.slope(optimum.x, candidate.belief.free))
        laplace = np.asarray(np.linalg.inv(turn.T @ optimum.curvature @ turn))
        return cls(coordinates, coordinates.forward(optimum.x[None])[0], laplace, laplace)

    def refined(self, y: FloatArray, weight: FloatArray, free: np.typing.NDArray[np.int64]) -> _Shape:
        """With mean and covariance of weighted draws, the covariance trusted as far as the draws are effective."""
        trust = effective(weight) / (effective(weight) + 2.0 * free.size)
        mean = np.asarray(weight @ y)
        away = (y - mean)[:, free]
        spread = trust * (away.T * weight) @ away + (1.0 - trust) * self.laplace
        return _Shape(self.coordinates, mean, spread, self.laplace)


def _propose(
    candidate: Candidate, timeline: K.Timeline, shape: _Shape, draws: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, float]:
    """Draws from a shape: parameters, coordinates, log weights, smoothed normalised weights, k."""
    free = candidate.belief.free
    n = free.size
    root = np.linalg.cholesky(shape.spread)
    u = rng.standard_normal((draws, n)) * np.sqrt(PROPOSAL_TAIL / rng.chisquare(PROPOSAL_TAIL, draws))[:, None]
    y = np.tile(shape.middle, (draws, 1))
    y[:, free] += u @ root.T
    x, log_change, possible = shape.coordinates.backward(y)
    log_proposal = (
        math.lgamma(0.5 * (PROPOSAL_TAIL + n))
        - math.lgamma(0.5 * PROPOSAL_TAIL)
        - 0.5 * n * np.log(PROPOSAL_TAIL * np.pi)
        - np.sum(np.log(np.diag(root)))
        - 0.5 * (PROPOSAL_TAIL + n) * np.log1p(np.sum(u**2, axis=1) / PROPOSAL_TAIL)
        + log_change
    )
    log_weight = log_prior_constant(candidate) - misfits(x, timeline, candidate.belief) - log_proposal
    log_weight = np.where(possible & np.isfinite(log_weight), log_weight, -np.inf)
    weight, k = smooth(log_weight)
    return x, y, log_weight, weight, k


def evidence_around(
    candidate: Candidate, timeline: K.Timeline, optimum: Optimum, x: FloatArray, rng: np.random.Generator, draws: int
) -> float:
    """Log evidence by importance sampling from a t with mean and covariance of posterior draws `x` (N × P)."""
    free = candidate.belief.free
    logs = []
    for coordinates in Coordinates.choices(timeline, candidate.belief, optimum.x, exactly=True):
        shape = _Shape.around(candidate, optimum, coordinates)
        shape = shape.refined(coordinates.forward(x), np.full(len(x), 1.0 / len(x)), free)
        _, _, log_weight, weight, k = _propose(candidate, timeline, shape, draws, rng)
        logs.append((k, _log_sum(log_weight) - math.log(weight.size)))
    return min(logs)[1]


def nuts(
    candidate: Candidate,
    timeline: K.Timeline,
    optimum: Optimum,
    draws: int,
    seed: int,
    *,
    k: float,
    keep: int = KEEP,
    tune: int = TUNE,
    accept: float = ACCEPT,
) -> Sample:
    """Draws by the No-U-Turn sampler (nutpie), on parameters whitened by the curvature at the optimum.

    The evidence, which NUTS does not give, is estimated around its draws; `k` is that of the importance sampling that
    could not be trusted. `tune`, `keep`: draws of each of four chains, for warming up and kept; `accept`: the acceptance
    that the step is tuned for.
    """
    import nutpie
    from nutpie.compiled_pyfunc import from_pyfunc

    belief = candidate.belief
    free = belief.free
    n, size = free.size, belief.centre.size
    root = np.linalg.cholesky(np.linalg.inv(optimum.curvature))
    middle, back = optimum.x[free], -root.T

    def logp() -> Callable[[FloatArray], tuple[float, FloatArray]]:
        x, gradient, hessian = belief.centre.copy(), np.empty(size), np.empty((size, size))

        def value(z: FloatArray) -> tuple[float, FloatArray]:
            x[free] = middle + root @ z
            misfit = K.misfit(x, timeline, belief, True, gradient, hessian)
            if not math.isfinite(misfit):  # nothing is possible there; an exception would end the sampler
                return -np.inf, np.zeros(n)
            return -misfit, back @ gradient[free]

        return value

    def expand(*_: object) -> Callable[[FloatArray], dict[str, FloatArray]]:
        return lambda z: {"z": np.asarray(z)}

    model = from_pyfunc(
        n,
        logp,
        expand,
        [np.dtype("float64")],
        [(n,)],
        ["z"],
        make_initial_point_fn=lambda s: 0.1 * np.random.default_rng(s).standard_normal(n),
    )
    trace = nutpie.sample(
        model, draws=keep, tune=tune, chains=CHAINS, cores=2, seed=seed, progress_bar=False, target_accept=accept
    )
    z = np.asarray(trace.posterior["z"].values)
    from arviz_stats.base import array_stats

    rhat = float(max(array_stats.rhat(z[:, :, i], chain_axis=0, draw_axis=1) for i in range(n)))
    diverging = int(np.asarray(trace.sample_stats["diverging"].values).sum())
    flat = z.reshape(-1, n)
    pick = np.linspace(0, flat.shape[0] - 1, min(draws, flat.shape[0])).astype(np.int64)
    x = np.tile(belief.centre, (pick.size, 1))
    x[:, free] = optimum.x[free] + flat[pick] @ root.T
    weight = np.full(pick.size, 1.0 / pick.size)
    log_evidence = evidence_around(candidate, timeline, optimum, x, np.random.default_rng([seed, 4]), SECOND_TRY[-1])
    return Sample(x, weight, log_evidence, k, "nuts", rhat, diverging)


def resample(sample: Sample, n: int, rng: np.random.Generator) -> FloatArray:
    """`n` equally weighted rows, systematically (one random offset), in random order."""
    if n == 0:
        return sample.x[:0]
    ticks = (np.arange(n) + rng.random()) / n
    chosen = np.searchsorted(np.cumsum(sample.weight), ticks * (1.0 - 1e-12))
    return sample.x[rng.permutation(np.minimum(chosen, sample.x.shape[0] - 1))]


def from_prior(candidate: Candidate, n: int, rng: np.random.Generator) -> FloatArray:
    """`n` draws from the prior, on the estimation scale (n × P)."""
    free = candidate.belief.free
    x = np.tile(candidate.belief.centre, (n, 1))
    x[:, free] += rng.standard_normal((n, free.size)) @ candidate.chol.T
    return x
