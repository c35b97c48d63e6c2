"""Compiled response: how relative strength r follows the IgG excess X. The readable twins are in `turnover.py`.

dr/dt = kout (s(t) - (1 - E(t)) r), E = Imax X / (C50 + X), written for the gain v = r - 1 over the untreated strength, so
that an untreated person stays exactly where she is: dv/dt = kout (s(t) - 1 + E(t)) - kout (1 - E(t)) v. Over one step of
length h the loss rate a(t) = kout (1 - E) is read at three Gauss nodes and integrated as the parabola through them,
A(t) = integral of a; then, exactly, v(h) = exp(-A(h)) v(0) + integral of exp(A(t) - A(h)) kout (s(t) - 1 + E(t)) dt, the
integral again by the three nodes.
"""

import numpy as np
import numpy.typing as npt

from ranvier.ground.compiled import borrower, kernel

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

LONGEST_STEP = 1.0  # [d]
LONGEST_STEP_OF_INFUSION = 0.05  # [d]; IgG climbs steeply there. With both, the ODE road agrees to 1e-6 (tested)

_ROOT = np.sqrt(15.0) / 10.0
NODES = (0.5 - _ROOT, 0.5, 0.5 + _ROOT)
WEIGHTS = (5.0 / 18.0, 8.0 / 18.0, 5.0 / 18.0)


def _partial_integrals() -> FloatArray:
    """M[q, i]: integral from 0 to node q of the parabola that is 1 at node i and 0 at the other two."""
    table = np.empty((3, 3))
    for i in range(3):
        others = [NODES[j] for j in range(3) if j != i]
        parabola = np.poly1d(others, r=True) / np.prod([NODES[i] - o for o in others])
        table[:, i] = np.polyint(parabola)(np.array(NODES))
    return table


PARTIAL = _partial_integrals()
N0, N1, N2 = NODES
W0, W1, W2 = WEIGHTS
(
    (M00, M01, M02),
    (M10, M11, M12),
    (M20, M21, M22),
) = tuple(tuple(float(v) for v in row) for row in PARTIAL)


@borrower
def decays(rate: float, h: float, out: FloatArray) -> None:
    """exp(-rate t) at the three nodes and the end of a step of length h, by two exponentials: the nodes are symmetric."""
    first, half = np.exp(-rate * N0 * h), np.exp(-0.5 * rate * h)
    out[0], out[1], out[3] = first, half, half * half
    out[2] = out[3] / first


@kernel
def paths(
    rate: FloatArray,
    coefficient: FloatArray,
    modes: FloatArray,
    c50: FloatArray,
    kout: FloatArray,
    decline: FloatArray,
    imax: FloatArray,
    relative: FloatArray,
    length: FloatArray,
    inflow: FloatArray,
    bolus: FloatArray,
    slot: IntArray,
    first: int,
    last: int,
    excess: FloatArray,
    strength: FloatArray,
) -> None:
    """IgG excess and relative strength along a schedule of steps, for the draws first to last - 1.

    Shapes: n draws, m measures, S steps, T output times. rate n × 3; coefficient n × 3 × 3 (channel, mode); modes n × 3;
    c50, kout, decline n; imax, relative n × m; length S [d]; inflow S × 3 [g/d] and bolus S × 3 [g] by channel;
    slot S: output index at the END of the step, or -1. Fills excess n × T [g/L] and strength m × n × T [1].
    """
    steps, measures = length.size, imax.shape[1]
    d = np.ones((3, 3))  # decay to the nodes, by node and mode; an unused mode (rate 0) stays empty
    f = np.zeros((3, 3))  # what a constant inflow gives by then
    dh = np.ones(3)
    fh = np.zeros(3)
    e = np.empty(4)
    z = np.empty(3)
    flow = np.empty(3)
    v = np.empty(measures)  # gain over the untreated strength
    for n in range(first, last):
        for k in range(3):
            z[k] = modes[n, k]
        for m in range(measures):
            v[m] = relative[n, m] - 1.0
        s = 1.0
        previous = -1.0
        half = c50[n]
        for j in range(steps):
            h = length[j]
            given = False
            for k in range(3):
                flow[k] = 0.0
            for c in range(3):
                if inflow[j, c] != 0.0:
                    given = True
                    for k in range(3):
                        flow[k] += inflow[j, c] * coefficient[n, c, k]
                if bolus[j, c] != 0.0:
                    for k in range(3):
                        z[k] += bolus[j, c] * coefficient[n, c, k]
            if h > 0.0:
                if h != previous:
                    previous = h
                    for k in range(3):
                        lam = rate[n, k]
                        if lam > 0.0:
                            decays(lam, h, e)
                            d[0, k], d[1, k], d[2, k], dh[k] = e[0], e[1], e[2], e[3]
                            fh[k] = (1.0 - e[3]) / lam
                            for q in range(3):
                                f[q, k] = (1.0 - e[q]) / lam
                    decays(decline[n], h, e)
                    s0n, s1n, s2n, ds = e[0], e[1], e[2], e[3]
                x0 = z[0] * d[0, 0] + z[1] * d[0, 1] + z[2] * d[0, 2]
                x1 = z[0] * d[1, 0] + z[1] * d[1, 1] + z[2] * d[1, 2]
                x2 = z[0] * d[2, 0] + z[1] * d[2, 1] + z[2] * d[2, 2]
                if given:
                    x0 += flow[0] * f[0, 0] + flow[1] * f[0, 1] + flow[2] * f[0, 2]
                    x1 += flow[0] * f[1, 0] + flow[1] * f[1, 1] + flow[2] * f[1, 2]
                    x2 += flow[0] * f[2, 0] + flow[1] * f[2, 1] + flow[2] * f[2, 2]
                g0, g1, g2 = x0 / (half + x0), x1 / (half + x1), x2 / (half + x2)
                kh = kout[n] * h
                for m in range(measures):
                    i = imax[n, m]
                    a0, a1, a2 = kh * (1.0 - i * g0), kh * (1.0 - i * g1), kh * (1.0 - i * g2)
                    total = W0 * a0 + W1 * a1 + W2 * a2
                    e0 = np.exp(M00 * a0 + M01 * a1 + M02 * a2 - total)
                    e1 = np.exp(M10 * a0 + M11 * a1 + M12 * a2 - total)
                    e2 = np.exp(M20 * a0 + M21 * a1 + M22 * a2 - total)
                    p0, p1, p2 = s * s0n - 1.0 + i * g0, s * s1n - 1.0 + i * g1, s * s2n - 1.0 + i * g2
                    v[m] = np.exp(-total) * v[m] + kh * (W0 * e0 * p0 + W1 * e1 * p1 + W2 * e2 * p2)
                s *= ds
                for k in range(3):
                    z[k] = z[k] * dh[k] + flow[k] * fh[k]
            t = slot[j]
            if t >= 0:
                excess[n, t] = z[0] + z[1] + z[2]
                for m in range(measures):
                    strength[m, n, t] = 1.0 + v[m]
