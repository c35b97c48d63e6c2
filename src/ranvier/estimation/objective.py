"""The readable twin of `kernels.misfit`: the same number, one observation at a time, the way one would on paper."""

from __future__ import annotations

import numpy as np

from ranvier.estimation import kernels as K
from ranvier.estimation.nouns import FloatArray
from ranvier.kinetics.disposition import ORDER, Doses, expose, expose_readably, modes
from ranvier.response.turnover import balance, respond


def natural_values(x: FloatArray, belief: K.Belief) -> FloatArray:
    """Parameters on their natural scale."""
    logistic = 1.0 / (1.0 + np.exp(-x))
    return np.where(belief.scale == K.LOG, np.exp(x), np.where(belief.scale == K.LOGIT, logistic, x))


def excess_at_observations(x: FloatArray, timeline: K.Timeline, belief: K.Belief) -> FloatArray:
    """IgG above the person's own level [g/L] at each observation, just before it. Shape O."""
    theta = natural_values(x, belief)
    disposition = modes(
        belief.compartments,
        {name: float(v) for name, v in zip(ORDER[belief.compartments], theta[:8], strict=True) if name},
    )
    at = timeline.at - 1e-9
    since_begin = np.maximum(at - timeline.begin, 0.0)
    left = np.exp(-disposition.rate * since_begin[:, None]) @ disposition.coefficient[3]
    excess = expose(at, _doses(timeline), disposition) + left
    return np.repeat(excess, np.diff(timeline.pointer))


def predicted(x: FloatArray, timeline: K.Timeline, belief: K.Belief) -> FloatArray:
    """What each observation should be: IgG [g/L], or the capacity of its measure [its unit]. Shape O."""
    theta = natural_values(x, belief)
    disposition = modes(
        belief.compartments,
        {name: float(v) for name, v in zip(ORDER[belief.compartments], theta[:8], strict=True) if name},
    )
    doses = _doses(timeline)

    def excess(t: float) -> float:
        left = float(np.sum(disposition.coefficient[3] * np.exp(-disposition.rate * (t - timeline.begin))))
        return float(expose_readably(np.array([t]), doses, disposition)[0]) + left

    c50, kout, decline = theta[K.C50], theta[K.KOUT], theta[K.DECLINE] / K.YEAR
    strength: dict[int, FloatArray] = {}
    ends = timeline.slot >= 0
    for m in range((x.size - K.FIRST_MEASURE) // K.PER_MEASURE):
        first = K.FIRST_MEASURE + K.PER_MEASURE * m
        imax = theta[first + 1] * belief.responds
        # `respond` counts decline from its start; here it counts from day 0.
        already = float(np.exp(-decline * timeline.begin))
        start = balance(excess(timeline.begin), c50=c50, imax=imax)
        r = respond(
            excess,
            timeline.length.tolist(),
            start=timeline.begin,
            relative=start / already,
            kout=kout,
            c50=c50,
            imax=imax,
            decline=decline,
        )
        strength[m] = theta[first] * already * r[ends]
    values = []
    for time in range(timeline.at.size):
        for o in range(timeline.pointer[time], timeline.pointer[time + 1]):
            m = int(timeline.kind[o])
            # A level at the very start of a dose is the level before it.
            before = timeline.at[time] - 1e-9
            values.append(theta[K.OWN] + excess(before) if m < 0 else strength[m][time])
    return np.array(values)


def _doses(timeline: K.Timeline) -> Doses:
    """The steps' inflows and boluses, and the earlier boluses, as one list of doses."""
    start, stop, grams, channel = [], [], [], []
    at = timeline.begin + np.concatenate([[0.0], np.cumsum(timeline.length)[:-1]])
    for j, length in enumerate(timeline.length):
        for c in range(3):
            if timeline.inflow[j, c]:
                start.append(at[j])
                stop.append(at[j] + length)
                grams.append(timeline.inflow[j, c] * length)
                channel.append(c)
            if timeline.bolus[j, c]:
                start.append(at[j])
                stop.append(at[j])
                grams.append(timeline.bolus[j, c])
                channel.append(c)
    return Doses(
        np.concatenate([timeline.early_at, np.array(start)]),
        np.concatenate([timeline.early_at, np.array(stop)]),
        np.concatenate([timeline.early_grams, np.array(grams)]),
        np.concatenate([timeline.early_channel, np.array(channel, dtype=np.int64)]).astype(np.int64),
    )


def misfit_readably(x: FloatArray, timeline: K.Timeline, belief: K.Belief) -> float:
    r"""Negative log posterior without constants.

    .. math::
        e_i = (y_i - f_i) / s_i, \quad s_i^2 = (\sigma f_i)^2 + a^2, \quad \rho_i = \phi^{\max(t_i - t_{i-1},\, 1\,h)}

        z_i = \frac{e_i - \rho_i e_{i-1}}{\sqrt{1 - \rho_i^2}}, \quad
        -\log p = \sum_i \Big[ \tfrac{\nu + 1}{2} \log\Big(1 + \frac{z_i^2}{\nu - 2}\Big)
        + \log s_i + \tfrac12 \log(1 - \rho_i^2) \Big] + \tfrac12 (x - \mu)^T \Omega^{-1} (x - \mu)

    with one chain of e for each measure, the first of it with rho = 0; IgG levels are independent of each other.
    """
    theta = natural_values(x, belief)
    f = predicted(x, timeline, belief)
    total = 0.5 * float((x - belief.centre) @ belief.precision @ (x - belief.centre))
    last: dict[int, tuple[float, float]] = {}
    when = np.repeat(timeline.at, np.diff(timeline.pointer))
    for o, (t, y) in enumerate(zip(when, timeline.value, strict=True)):
        m = int(timeline.kind[o])
        if m < 0:
            sd = np.hypot(belief.igg_proportional * f[o], belief.igg_add)
            total += _minus_log((y - f[o]) / sd, belief.igg_tail) + np.log(sd)
            continue
        first = K.FIRST_MEASURE + K.PER_MEASURE * m
        sigma, phi = theta[first + 2], theta[first + 3]
        sd = np.hypot(sigma * f[o] if belief.proportional[m] else sigma, belief.add[m])
        e = (y - f[o]) / sd
        rho = phi ** max(t - last[m][0], K.SHORTEST_GAP) if m in last else 0.0
        z = (e - rho * last[m][1]) / np.sqrt(1.0 - rho**2) if m in last else e
        total += _minus_log(z, belief.tail) + np.log(sd) + 0.5 * np.log(1.0 - rho**2)
        last[m] = (t, e)
    return float(total)


def _minus_log(z: float, tail: float) -> float:
    return float(0.5 * z**2 if tail == 0 else 0.5 * (tail + 1.0) * np.log1p(z**2 / (tail - 2.0)))
