"""The response of strength to IgG above the person's own level: readable twin of the kernels, and a second road by ODE."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ranvier.kinetics.disposition import Doses
from ranvier.response import kernels

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Schedule:
    """Steps of time between which input is constant, short enough for the scheme (see `kernels.LONGEST_STEP`).

    Shapes: S steps. start, length [d]; inflow, bolus S × 3 [g/d], [g] by channel; slot: index of the output time at the end
    of the step, or -1. The first steps may have length 0 (an output or a bolus at the very start).
    """

    start: FloatArray
    length: FloatArray
    inflow: FloatArray
    bolus: FloatArray
    slot: npt.NDArray[np.int64]


def schedule(doses: Doses, times: FloatArray, *, begin: float, fine: bool = True) -> Schedule:
    """Cut time from `begin` to the last of `times` [d, increasing, >= begin] at doses, outputs and the longest step.

    Doses that began before `begin` count only for what of them runs after it. At the very time of a bolus an output shows
    the value before it (a trough is measured before the infusion). `fine` False leaves out the longest step: enough for IgG
    alone, which is exact over any step.

    Raises
    ------
    ValueError : if times are not increasing or begin later than the first.
    """
    at = np.asarray(times, dtype=np.float64)
    if at.size and (at[0] < begin or np.any(np.diff(at) <= 0)):
        raise ValueError("output times must increase and not lie before the beginning")
    end = float(at[-1]) if at.size else begin
    edges = [np.array([begin, end]), at]
    edges += [e[(e > begin) & (e < end)] for e in (doses.start, doses.stop)]
    corners = np.unique(np.concatenate(edges))
    gaps = np.diff(corners)
    middle = corners[:-1] + 0.5 * gaps
    flow = np.zeros((gaps.size, 3))
    for s, e, grams, channel in zip(doses.start, doses.stop, doses.grams, doses.channel, strict=True):
        if e > s:
            flow[(middle > s) & (middle < e), channel] += grams / (e - s)
    longest = np.where(flow.any(axis=1), kernels.LONGEST_STEP_OF_INFUSION, kernels.LONGEST_STEP)
    pieces = (
        np.maximum(np.ceil(gaps / longest - 1e-9), 1).astype(np.int64) if fine else np.ones(gaps.size, dtype=np.int64)
    )
    ends = np.cumsum(pieces) - 1  # the step that ends at each corner but the first
    length = np.repeat(gaps / pieces, pieces)
    inflow = np.repeat(flow, pieces, axis=0)
    start = np.repeat(corners[:-1], pieces) + length * (np.arange(length.size) - np.repeat(ends + 1 - pieces, pieces))

    slot = np.full(length.size, -1, dtype=np.int64)
    wanted = at[at > begin]
    slot[ends[np.searchsorted(corners[1:], wanted)]] = np.arange(at.size - wanted.size, at.size)
    bolus = np.zeros((length.size, 3))
    for s, e, grams, channel in zip(doses.start, doses.stop, doses.grams, doses.channel, strict=True):
        if e == s and begin <= s < end:
            corner = np.searchsorted(corners, s)
            bolus[ends[corner - 1] + 1 if corner else 0, channel] += grams
    if at.size and at[0] == begin:  # an output before anything happens
        start = np.concatenate([[begin], start])
        length = np.concatenate([[0.0], length])
        slot = np.concatenate([np.zeros(1, dtype=np.int64), slot])
        inflow = np.concatenate([np.zeros((1, 3)), inflow])
        bolus = np.concatenate([np.zeros((1, 3)), bolus])
    return Schedule(start, np.ascontiguousarray(length), inflow, bolus, slot)


def effect(excess: FloatArray, *, c50: float, imax: float) -> FloatArray:
    r"""Fraction by which IgG above the own level inhibits the loss of strength.

    .. math:: E = I_{max} \frac{X}{C_{50} + X}

    Parameters
    ----------
    excess : IgG above the person's own level, X [g/L]
    c50 : X at half of the largest effect [g/L]
    imax : largest inhibition [1]

    References
    ----------
    Li Z et al. Ann Clin Transl Neurol 2024;11:1977. doi:10.1002/acn3.52107
    """
    return imax * excess / (c50 + excess)


def balance(excess: float, *, c50: float, imax: float) -> float:
    r"""Relative strength in balance with a constant IgG excess: :math:`1 / (1 - E)` [1].

    The ceiling is 1 / (1 - imax).

    Parameters
    ----------
    excess : IgG above the person's own level [g/L]
    c50 : excess at half of the largest effect [g/L]
    imax : largest inhibition [1]

    Examples
    --------
    >>> print(f"{balance(10.0, c50=9.41, imax=0.6066):.2f}")
    1.45
    """
    return float(1.0 / (1.0 - imax * excess / (c50 + excess)))


def respond(
    excess: Callable[[float], float],
    lengths: Sequence[float],
    *,
    start: float,
    relative: float,
    kout: float,
    c50: float,
    imax: float,
    decline: float = 0.0,
) -> FloatArray:
    r"""Relative strength at the end of each step: the readable twin of the compiled scheme.

    .. math:: \dot r = k_{out} \left[ e^{-\delta t} - (1 - E(t))\, r \right]

    Parameters
    ----------
    excess : function of time [d] that gives IgG above the own level [g/L]
    lengths : lengths of the steps [d]
    start : time at which the first step begins; decline counts from it [d]
    relative : strength at the start relative to its untreated level [1]
    kout : rate of the response [1/d]
    c50 : excess at half of the largest effect [g/L]
    imax : largest inhibition of loss [1]
    decline : slow irreversible decline [1/d]

    References
    ----------
    Li Z et al. Ann Clin Transl Neurol 2024;11:1977, with a slow decline added. doi:10.1002/acn3.52107
    """
    nodes, weights = np.array(kernels.NODES), np.array(kernels.WEIGHTS)
    values, t, v = [], start, relative - 1.0  # the gain over the untreated strength
    for h in lengths:
        at = t + nodes * h
        inhibited = effect(np.array([excess(float(u)) for u in at]), c50=c50, imax=imax)
        loss = kout * (1.0 - inhibited)
        to_node = h * kernels.PARTIAL @ loss
        whole = float(h * weights @ loss)
        gain = kout * (np.expm1(-decline * (at - start)) + inhibited)
        v = float(np.exp(-whole) * v + h * np.sum(weights * np.exp(to_node - whole) * gain))
        t += h
        values.append(1.0 + v)
    return np.array(values)


def respond_by_ode(
    times: FloatArray,
    excess: Callable[[float], float],
    breaks: Sequence[float],
    *,
    relative: float,
    kout: float,
    c50: float,
    imax: float,
    decline: float = 0.0,
    rtol: float = 1e-11,
) -> FloatArray:
    """The second road: the same differential equation, solved numerically from break to break (doses start or stop there).

    `times` [d] increase; the first is the start, where strength is `relative`. Other parameters as in `respond`.
    """
    from scipy.integrate import solve_ivp  # slow to import, and only this road needs it

    def slope(t: float, r: FloatArray) -> FloatArray:
        x = excess(t)
        return np.array([kout * (np.exp(-decline * (t - times[0])) - (1.0 - imax * x / (c50 + x)) * r[0])])

    corners = np.unique(np.concatenate([[b for b in breaks if times[0] < b < times[-1]], times]))
    values, r = {float(times[0]): relative}, relative
    for here, there in pairwise(corners):
        inside = here + 1e-12 * max(1.0, abs(here))  # just after a bolus at `here`, just before one at `there`
        outside = there - 1e-12 * max(1.0, abs(there))
        r = float(solve_ivp(slope, (inside, outside), [r], method="DOP853", rtol=rtol, atol=1e-13).y[0, -1])
        values[float(there)] = r
    return np.array([values[float(t)] for t in times])
