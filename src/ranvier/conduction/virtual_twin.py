"""The readable twin of `kernels.py`: the same fibre as one set of differential equations, solved by SciPy.

Slow, and obvious: M dV/dt = (what flows in), with the gates beside it, by an adaptive stiff solver that knows nothing of
compartments in a row. Tests hold the compiled solver against it on a short fibre.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.integrate import solve_ivp

from ranvier.conduction import virtual
from ranvier.conduction.kernels import GATES, FloatArray


def node_potentials(
    kind: str,
    diameter: float,
    nodes: int,
    times: FloatArray,
    *,
    lesions: Mapping[int, virtual.Lesion] | None = None,
    amplitude: float,
    onset: float = 0.1,
    length: float = 0.1,
) -> FloatArray:
    """Membrane potential of every node at `times` [ms]: times × nodes [mV]. The pulse [nA] goes into the first node."""
    warmth = virtual.number("temperature")
    cable = virtual.cable(kind, diameter, nodes, lesions)
    n = cable.node.size
    at_node = cable.node == 1
    at_myelin = ~at_node

    # What flows between neighbours, as two matrices: (flows @ potential) is what leaves each compartment along the fibre.
    def along(conductance: FloatArray) -> FloatArray:
        out = np.zeros((n, n))
        for i, g in enumerate(conductance[:-1]):
            out[i, i] += g
            out[i + 1, i + 1] += g
            out[i, i + 1] -= g
            out[i + 1, i] -= g
        return out

    inside, under = along(cable.inside), along(cable.under) + np.diag(cable.myelin)
    # Charge: the axolemma lies between inside and under, the myelin between under and the bath. At nodes "under" is the bath.
    c, cm = np.diag(cable.capacitance), np.diag(cable.myelin_capacitance)
    mass = np.block([[c, -c], [-c, c + cm]])
    free = np.concatenate([np.ones(n, bool), at_myelin])
    inverse = np.linalg.inv(mass[np.ix_(free, free)])
    live = np.zeros((n, GATES), bool)
    live[at_node] = True
    live[at_myelin, :3] = (cable.slow > 0.0)[at_myelin, None]
    sodium, potassium, h = (virtual.number(f"{x}_potential") for x in ("sodium", "potassium", "h"))

    def slope(time: float, y: FloatArray) -> FloatArray:
        potential = np.zeros(2 * n)
        potential[free] = y[: inverse.shape[0]]
        gates = np.zeros((n, GATES))
        gates[live] = y[inverse.shape[0] :]
        v = potential[:n] - potential[n:]
        p, m, hh, s, k = gates.T
        node_current = (cable.persistent * p**3 + cable.sodium * m**3 * hh) * (v - sodium)
        node_current += (cable.slow * s + cable.fast * k**4) * (v - potassium)
        slow, fast, q = gates[:, 0], gates[:, 1], gates[:, 2]
        myelin_current = (cable.slow * slow + cable.fast * fast**4) * (v - potassium) + cable.h * q * (v - h)
        out = np.where(at_node, node_current, myelin_current) + cable.leak * v - cable.leak_current
        into = np.concatenate([-out - inside @ potential[:n], out - under @ potential[n:]])
        if onset <= time < onset + length:
            into[0] += amplitude
        found = virtual.gates_at(kind, v, warmth)
        d_gates = np.zeros((n, GATES))
        for names, here in (("pmhsn", at_node), ("snq", at_myelin)):
            for g, name in enumerate(names):
                aim, speed = found[name]
                d_gates[here, g] = ((aim - gates[:, g]) * speed)[here]
        return np.concatenate([inverse @ into[free], d_gates[live]])

    start = virtual.at_rest(kind, diameter, cable, nodes, lesioned=bool(lesions), parts=None, temperature=warmth)
    y = np.concatenate([np.concatenate([start.inside, start.under])[free], start.gates[live]])
    out = np.empty((times.size, nodes))
    # Piece by piece, so that the solver does not step over the pulse.
    for begin, end in ((times[0], onset), (onset, onset + length), (onset + length, times[-1])):
        here = (times >= begin) & (times <= end)
        solved = solve_ivp(slope, (begin, end), y, "BDF", np.unique([*times[here], end]), rtol=1e-6, atol=1e-6)
        y = solved.y[:, -1]
        potential = np.zeros((2 * n, solved.t.size))
        potential[free] = solved.y[: inverse.shape[0]]
        out[here] = (potential[:n] - potential[n:]).T[: here.sum()][:, at_node]
    return out
