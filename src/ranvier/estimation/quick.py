"""A quick posterior: one descent per explanation from where the last one ended, and Laplace's approximation, unweighted.

For virtual people, who are fitted by the ten thousand; a real person gets `estimate`. How often the two lead to the same
proposal is measured in docs/measured/cohort.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ranvier.estimation import history as past
from ranvier.estimation import kernels as K
from ranvier.estimation.coordinates import Coordinates, log_clearance
from ranvier.estimation.days import Doubt, in_doubt
from ranvier.estimation.discrepancy import look_back
from ranvier.estimation.history import History
from ranvier.estimation.model import Body, Candidate, candidates, timeline
from ranvier.estimation.nouns import Basis, Diagnostics, Draws, FloatArray, ModelWeight, Posterior
from ranvier.estimation.posterior import Explained, bring_to_now, strayed, told
from ranvier.estimation.predict import run
from ranvier.estimation.sampling import Sample, laplace_evidence
from ranvier.estimation.search import MOST_EVALUATIONS, REACH, Optimum
from ranvier.estimation.states import at_beginning
from ranvier.evidence.nouns import Knowledge
from ranvier.kinetics.disposition import Doses

SHARE = 0.02  # an explanation less probable than this gets no draws
HOPELESS = 1e-6  # an explanation that was less probable than this at the last fit is not fitted again
FORETELL = 100  # draws that foretell a past window
SPARE = 3  # as many proposals as draws that are wanted: some belong to no parameters


@dataclass(frozen=True, slots=True)
class Quick:
    """A posterior for forecasting only, and where the search ended for each explanation (to begin the next one there).

    ends : None for an explanation that is out of the question
    """

    posterior: Posterior
    ends: tuple[FloatArray | None, ...]


def estimate_quickly(
    history: History, knowledge: Knowledge, body: Body, *, draws: int, rng: np.random.Generator,
    starts: Sequence[FloatArray | None] | None = None, careful: bool = False,
) -> Quick:  # fmt: skip
    """Posterior draws of this history, all explanations mixed by their evidence as Laplace's approximation gives it.

    starts : `ends` of an earlier fit of the same person; one of another shape is not used
    careful : held against the recorded days and widened by the person's own past errors, as `estimate` does it; slower
    """
    line = timeline(history)
    explanations = candidates(history, knowledge, body)
    before: Sequence[FloatArray | None] = [None] * len(explanations)
    if starts is not None:
        hopeful = [i for i, x in enumerate(starts) if x is not None]
        explanations, before = tuple(explanations[i] for i in hopeful), [starts[i] for i in hopeful]
    else:
        hopeful = list(range(len(explanations)))
    optima = [_descended(c, line, x) for c, x in zip(explanations, before, strict=True)]
    log = np.array(
        [laplace_evidence(c, o) + np.log(c.prior_probability) for c, o in zip(explanations, optima, strict=True)]
    )
    able = [i for i, c in enumerate(explanations) if c.responds]
    best = max(able, key=lambda i: float(log[i]), default=None)
    doubts: tuple[Doubt, ...] = ()
    if careful and best is not None:
        history, doubts = in_doubt(history, knowledge, explanations[best], optima[best].x)
    if doubts:
        line = timeline(history)
        optima = [_descended(c, line, o.x) for c, o in zip(explanations, optima, strict=True)]
        log = np.array(
            [laplace_evidence(c, o) + np.log(c.prior_probability) for c, o in zip(explanations, optima, strict=True)]
        )
    probability = np.exp(log - log.max())
    ends: list[FloatArray | None] = [None] * (len(hopeful) if starts is None else len(starts))
    for i, o, p in zip(hopeful, optima, probability, strict=True):
        ends[i] = o.x if p >= HOPELESS else None
    probability = np.where(probability / probability.sum() < SHARE, 0.0, probability)
    probability /= probability.sum()
    ticks = np.searchsorted(np.cumsum(probability), (np.arange(draws) + rng.random()) / draws * (1.0 - 1e-12))
    counts = np.bincount(ticks, minlength=len(explanations))
    rows = [
        _drawn(c, line, o, int(n), rng) if n else np.empty((0, c.belief.centre.size))
        for c, o, n in zip(explanations, optima, counts, strict=True)
    ]
    explained = tuple(
        Explained(c, o, Sample(r, np.full(len(r), 1.0 / max(len(r), 1)), float(e), float("nan")), float(p))
        for c, o, r, e, p in zip(explanations, optima, rows, log, probability, strict=True)
    )
    has_igg = bool(history.igg.used.any())
    order = rng.permutation(draws)
    now, _ = bring_to_now(history, explained, rows, order, np.empty(0), has_igg)
    if careful:
        now = _widened(now, history, explained, rows, order, line, knowledge, rng)
    posterior = Posterior(
        basis=Basis.MEASURED if history.measures != (past.UNMEASURED,) else Basis.COVARIATES,
        origin=history.origin.isoformat(),
        at_day=history.at_day,
        has_igg=has_igg,
        measures=history.measures,
        primary=history.primary,
        parameters=(),
        models=tuple(
            ModelWeight(e.candidate.population.id, e.candidate.responds, e.probability, float(v), float("nan"))
            for e, v in zip(explained, log, strict=True)
        ),
        draws=now,
        observed=(),
        fitted=(),
        diagnostics=Diagnostics(
            float("nan"), 1, all(o.converged for o in optima), "laplace", 1, effective=float(draws)
        ),
        findings=(*history.findings, *told(doubts, history, knowledge)),
    )
    return Quick(posterior, tuple(ends))


def _widened(
    draws: Draws, history: History, explained: Sequence[Explained], rows: list[FloatArray], order: K.IntArray, line: K.Timeline,
    knowledge: Knowledge, rng: np.random.Generator,
) -> Draws:  # fmt: skip
    """As `posterior.widen`, with fits that begin where the present one ended, and Laplace's approximation."""
    best = max(explained, key=lambda e: e.probability)

    def fit(before: K.Timeline, rng: np.random.Generator) -> FloatArray:
        optimum = _descended(best.candidate, before, best.optimum.x)
        return _drawn(best.candidate, before, optimum, FORETELL, rng)

    errors = look_back(history, best.candidate, line, int(rng.integers(2**31)), fit=fit)
    fits = [(r, e.candidate.belief) for r, e in zip(rows, explained, strict=True)]
    return strayed(draws, history, errors, fits, order, knowledge.composite.constants["discrepancy"].value, rng)


def _descended(candidate: Candidate, line: K.Timeline, start: FloatArray | None) -> Optimum:
    """One descent; again from the prior's centre where the start has led nowhere."""
    belief = candidate.belief
    size = belief.centre.size
    gradient, hessian = np.empty(size), np.empty((size, size))
    x = belief.centre.copy()
    if start is not None and start.size == size:
        x[belief.free] = start[belief.free]
    misfit, spent, converged = K.descend(x, line, belief, MOST_EVALUATIONS, REACH, gradient, hessian)
    if start is not None and not (converged and np.isfinite(misfit)):
        return _descended(candidate, line, None)
    return Optimum(x, misfit, hessian[np.ix_(belief.free, belief.free)], 1, 1, 1, bool(converged), spent)


def _drawn(candidate: Candidate, line: K.Timeline, optimum: Optimum, n: int, rng: np.random.Generator) -> FloatArray:
    """`n` rows from the normal around the optimum, in the coordinates in which the posterior is nearly normal."""
    belief = candidate.belief
    free = belief.free
    coordinates = _coordinates(line, belief, optimum.x)
    turn = np.linalg.inv(coordinates.slope(optimum.x, free))
    root = np.linalg.cholesky(np.linalg.inv(turn.T @ optimum.curvature @ turn))
    y = np.tile(coordinates.forward(optimum.x[None])[0], (SPARE * n, 1))
    y[:, free] += rng.standard_normal((SPARE * n, free.size)) @ root.T
    x, _, possible = coordinates.backward(y)
    kept: FloatArray = x[possible & np.all(np.isfinite(x), axis=1)][:n]
    if len(kept) == n:
        return kept
    # Rarely the data allow hardly any effect that parameters could give: the usual parameters as they are, then.
    rest = np.tile(optimum.x, (n - len(kept), 1))
    rest[:, free] += (
        rng.standard_normal((len(rest), free.size)) @ np.linalg.cholesky(np.linalg.inv(optimum.curvature)).T
    )
    return np.concatenate([kept, rest])


def _coordinates(line: K.Timeline, belief: K.Belief, x: FloatArray) -> Coordinates:
    """As `Coordinates.choices` with the effect, the usual excess by the kernel."""
    early = Doses(line.early_at, line.early_at, line.early_grams, line.early_channel)
    state = at_beginning(x[None], belief, line.begin, early)
    excess, _ = run(state, line, line.at.size, modes=state.modes, relative=state.relative, decline=state.decline)
    when = np.repeat(np.arange(line.at.size), np.diff(line.pointer))
    free = set(belief.free.tolist())
    ceilings = []
    for m, i in enumerate(range(K.FIRST_MEASURE + 1, x.size, K.PER_MEASURE)):
        usual = excess[0, when[line.kind == m]]
        if i in free and usual.size and usual.mean() > 0:
            ceilings.append((i, float(usual.mean())))
    clearance = float(log_clearance(x[None], belief.compartments)[0])
    return Coordinates(belief.compartments, tuple(ceilings), clearance, bool(ceilings))
