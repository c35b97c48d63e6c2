"""Compiled solver of the double cable of a myelinated fibre. Its readable twin is `virtual_twin.py`.

Each compartment has an inside potential and one of the thin space under the myelin (at a node: outside, held at zero).
Per step: the membrane currents are linear in voltage while the gates stand still, so both potentials of all compartments come
from one symmetric block-tridiagonal system (2 × 2 blocks), solved by elimination from the first to the last compartment and back.
Then the gates move while the voltage stands still (exactly, exponentially).
Units: mV, ms, nA, uS, nF.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ranvier.ground.compiled import borrower, kernel

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

GATES = 5  # at a node p, m, h, s, n; under the myelin s, n, q
LOWEST, PER_MV, ROWS = -200.0, 10.0, 3501  # the rate tables: from -200 to +150 mV in steps of 0.1 mV


class Cable(NamedTuple):
    """One fibre, compartments in a row. All arrays have one entry per compartment.

    node : 1 at a node, 0 under the myelin
    capacitance, myelin_capacitance : [nF]
    leak, leak_current : conductance [uS] and conductance times reversal potential, plus steady current put in [nA]
    sodium, persistent, slow, fast, h : greatest conductances [uS]
    myelin : conductance through the myelin [uS]; at a node so large that the outside is at zero
    inside, under : conductance to the next compartment, within the axon and under the myelin [uS]; the last is 0
    """

    node: IntArray
    capacitance: FloatArray
    myelin_capacitance: FloatArray
    leak: FloatArray
    leak_current: FloatArray
    sodium: FloatArray
    persistent: FloatArray
    slow: FloatArray
    fast: FloatArray
    h: FloatArray
    myelin: FloatArray
    inside: FloatArray
    under: FloatArray


class Rates(NamedTuple):
    """Where each gate goes and how much of its way is left after one step, for each voltage of the table.

    node, internode : ROWS × (GATES aims, then GATES remainders), order of GATES
    sodium, potassium, h : reversal potentials [mV]
    """

    node: FloatArray
    internode: FloatArray
    sodium: float
    potassium: float
    h: float


class Pulse(NamedTuple):
    """Current put into one compartment: `amplitude` [nA] from `onset` for `length` [ms]."""

    site: int
    onset: float
    length: float
    amplitude: float


class State(NamedTuple):
    """Where the fibre is: inside and under the myelin [mV], and its gates (compartments × GATES). Changed in place."""

    inside: FloatArray
    under: FloatArray
    gates: FloatArray


@borrower
def move_gates(cable: Cable, rates: Rates, state: State) -> None:
    """Each gate goes its way for one step at the voltage that stands."""
    for i in range(cable.node.size):
        v = (state.inside[i] - state.under[i] - LOWEST) * PER_MV
        v = min(max(v, 0.0), ROWS - 1.001)
        row = int(v)
        part = v - row
        if cable.node[i] == 1:
            for g in range(GATES):
                aim = rates.node[row, g] + part * (rates.node[row + 1, g] - rates.node[row, g])
                left = rates.node[row, GATES + g] + part * (rates.node[row + 1, GATES + g] - rates.node[row, GATES + g])
                state.gates[i, g] = aim + (state.gates[i, g] - aim) * left
        elif cable.slow[i] > 0.0:
            for g in range(3):
                aim = rates.internode[row, g] + part * (rates.internode[row + 1, g] - rates.internode[row, g])
                left = rates.internode[row, GATES + g] + part * (
                    rates.internode[row + 1, GATES + g] - rates.internode[row, GATES + g]
                )
                state.gates[i, g] = aim + (state.gates[i, g] - aim) * left


@borrower
def move_voltage(
    cable: Cable, rates: Rates, state: State, step: float, implicit: float, site: int, current: float, work: FloatArray
) -> None:
    """Both potentials of every compartment, one step on.

    step : [ms]; implicit : 1 backward Euler, 0.5 Crank-Nicolson (half a step backward Euler, carried on for the other half)
    current : [nA] into compartment `site`; work : compartments × 5
    """
    n = cable.node.size
    h = step * implicit
    on = 1.0 / implicit
    i11 = i12 = i22 = ra = rb = 0.0  # inverse of the block above, and its right-hand side
    left_a = left_b = 0.0
    for i in range(n):
        v = state.inside[i] - state.under[i]
        if cable.node[i] == 1:
            p, m = state.gates[i, 0], state.gates[i, 1]
            na = cable.persistent[i] * p * p * p + cable.sodium[i] * m * m * m * state.gates[i, 2]
            f = state.gates[i, 4] * state.gates[i, 4]
            k = cable.slow[i] * state.gates[i, 3] + cable.fast[i] * f * f
            g = cable.leak[i] + na + k
            drive = cable.leak_current[i] + na * rates.sodium + k * rates.potassium
        elif cable.slow[i] > 0.0:
            f = state.gates[i, 1] * state.gates[i, 1]
            k = cable.slow[i] * state.gates[i, 0] + cable.fast[i] * f * f
            q = cable.h[i] * state.gates[i, 2]
            g = cable.leak[i] + k + q
            drive = cable.leak_current[i] + k * rates.potassium + q * rates.h
        else:
            g, drive = cable.leak[i], cable.leak_current[i]
        c = cable.capacitance[i] / h
        g += c
        drive += c * v
        cm = cable.myelin_capacitance[i] / h
        right_a, right_b = cable.inside[i], cable.under[i]
        d11 = g + left_a + right_a - left_a * left_a * i11
        d12 = -g - left_a * left_b * i12
        d22 = g + cm + cable.myelin[i] + left_b + right_b - left_b * left_b * i22
        b1 = drive + left_a * (i11 * ra + i12 * rb)
        b2 = cm * state.under[i] - drive + left_b * (i12 * ra + i22 * rb)
        if i == site:
            b1 += current
        inverse = 1.0 / (d11 * d22 - d12 * d12)
        i11, i12, i22 = d22 * inverse, -d12 * inverse, d11 * inverse
        ra, rb = b1, b2
        work[i, 0], work[i, 1], work[i, 2], work[i, 3], work[i, 4] = i11, i12, i22, ra, rb
        left_a, left_b = right_a, right_b
    x = y = 0.0
    for i in range(n - 1, -1, -1):
        ra = work[i, 3] + cable.inside[i] * x
        rb = work[i, 4] + cable.under[i] * y
        x = work[i, 0] * ra + work[i, 1] * rb
        y = work[i, 1] * ra + work[i, 2] * rb
        state.inside[i] += on * (x - state.inside[i])
        state.under[i] += on * (y - state.under[i])


@kernel
def relax(cable: Cable, rates: Rates, state: State, step: float, steps: int, still: float) -> float:
    """Let the fibre come to rest by backward Euler; ends when no potential moves more than `still` [mV] in a step.

    Gives the last movement [mV].
    """
    n = cable.node.size
    work = np.empty((n, 5))
    before = np.empty(n)
    moved = 0.0
    for _ in range(steps):
        before[:] = state.inside
        move_gates(cable, rates, state)
        move_voltage(cable, rates, state, step, 1.0, -1, 0.0, work)
        moved = 0.0
        for i in range(n):
            moved = max(moved, abs(state.inside[i] - before[i]))
        if moved < still:
            break
    return moved


@kernel
def propagate(
    cable: Cable,
    rates: Rates,
    state: State,
    step: float,
    steps: int,
    implicit: float,
    pulse: Pulse,
    threshold: float,
    quiet: float,
    spikes: FloatArray,
    trace: FloatArray,
) -> int:
    """Send one pulse along the fibre.

    threshold : a node has fired when its potential rises through this [mV]
    quiet : the run ends early once the pulse is over and no node is above this [mV]
    spikes : one per node; filled with the time at which it first fired [ms], NaN where it did not
    trace : steps × nodes, filled with node potentials [mV]; or 0 × 0: not kept

    Gives the number of steps made. The run ends early, too, once the last node has fired.
    """
    n = cable.node.size
    work = np.empty((n, 5))
    nodes = spikes.size
    where = np.empty(nodes, np.int64)
    before = np.empty(nodes)
    k = 0
    for i in range(n):
        if cable.node[i] == 1:
            where[k] = i
            k += 1
    keep = trace.shape[0] > 0
    spikes[:] = np.nan
    over = pulse.onset + pulse.length + 0.2
    for s in range(steps):
        middle = (s + 0.5) * step
        current = pulse.amplitude if pulse.onset <= middle < pulse.onset + pulse.length else 0.0
        for k in range(nodes):
            i = where[k]
            before[k] = state.inside[i] - state.under[i]
        move_voltage(cable, rates, state, step, implicit, pulse.site, current, work)
        move_gates(cable, rates, state)
        highest = -1e9
        for k in range(nodes):
            i = where[k]
            v = state.inside[i] - state.under[i]
            highest = max(highest, v)
            if v >= threshold and before[k] < threshold and np.isnan(spikes[k]):
                spikes[k] = (s + (threshold - before[k]) / (v - before[k])) * step
            if keep:
                trace[s, k] = v
        if not keep and (not np.isnan(spikes[nodes - 1]) or ((s + 1) * step > over and highest < quiet)):
            return s + 1
    return steps
