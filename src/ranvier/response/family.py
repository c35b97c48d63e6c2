"""The general family of models, the readable way: its differential equations written as one would on paper, solved by SciPy.

The twin of `closed_kernels.py` and `solver_kernels.py`; tests hold them together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ranvier.kinetics import linear_kernels as L

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Given:
    """One dose: `amount` from `start`, over `length` (0: at once), into the central compartment or the depot."""

    start: float
    amount: float
    length: float = 0.0
    depot: bool = False


def loss(concentration: float, s: L.Structure, theta: FloatArray) -> float:
    r"""What leaves the central compartment for good, in amount per time.

    .. math::
        CL\,C; \qquad CL\,C + \frac{V_{max} C}{K_m + C}; \qquad CL\,C \left(1 - \rho \frac{K}{K + C}\right)

    Parameters
    ----------
    concentration : C, in the unit of the data [concentration]
    s : structure: linear, Michaelis-Menten, or IgG protected by FcRn [-]
    theta : natural parameters of the family, SLOTS [-]

    References
    ----------
    Saturable: Gibaldi M, Perrier D. Pharmacokinetics, 2nd ed., 1982, chapter 7. FcRn: Xiao JJ. J Biomed Biotechnol
    2012;2012:282989 (capacity-limited return of what was taken up).
    """
    amount_per_time = theta[L.CL] * concentration / s.scale
    if s.by_rate:
        amount_per_time *= theta[L.V1]
    if s.elimination == L.MICHAELIS_MENTEN:
        amount_per_time += theta[L.VMAX] * concentration / (theta[L.KM] + concentration)
    if s.elimination == L.FCRN:
        amount_per_time *= 1.0 - theta[L.RESCUE] * theta[L.RESCUE_HALF] / (theta[L.RESCUE_HALF] + concentration)
    return float(amount_per_time)


def saturation(driver: float, theta: FloatArray) -> float:
    r"""Share of the largest effect: :math:`g = X^\gamma / (EC_{50}^\gamma + X^\gamma)`.

    Parameters
    ----------
    driver : concentration above the own level, or that of the effect site, X [concentration]
    theta : natural parameters of the family, SLOTS [-]
    """
    x = max(driver, 0.0) ** theta[L.HILL]
    return float(x / (theta[L.EC50] ** theta[L.HILL] + x))


def turnover(response: float, g: float, s: L.Structure, theta: FloatArray) -> float:
    r"""Rate of a turnover response.

    .. math:: \dot R = k_{out} R_0 (1 \pm E g) - k_{out} R \quad\text{or}\quad k_{out} R_0 - k_{out} (1 \pm E g) R

    Parameters
    ----------
    response : R [response]
    g : share of the largest effect [1]
    s : structure: what is inhibited or stimulated [-]
    theta : natural parameters of the family, SLOTS [-]

    References
    ----------
    Dayneka NL, Garg V, Jusko WJ. J Pharmacokinet Biopharm 1993;21:457-78 (the four indirect responses).
    """
    inhibits = s.response in (L.INHIBIT_PRODUCTION, L.INHIBIT_LOSS)
    factor = 1.0 - theta[L.EMAX] * g if inhibits else 1.0 + theta[L.EMAX] * g
    production = theta[L.KOUT] * theta[L.BASELINE]
    if s.response in (L.INHIBIT_PRODUCTION, L.STIMULATE_PRODUCTION):
        return float(production * factor - theta[L.KOUT] * response)
    return float(production - theta[L.KOUT] * factor * response)


def course_by_ode(
    s: L.Structure, theta: FloatArray, doses: Sequence[Given], times: FloatArray, *, rtol: float = 1e-10
) -> tuple[FloatArray, FloatArray]:
    """Concentration and response at `times` (increasing; before what is given at that very time), from time 0.

    theta : natural parameters of the family, SLOTS; bioavailability and lag of each compartment are applied to its doses.
    The response is NaN where the structure has none.
    """
    from scipy.integrate import solve_ivp  # slow to import, and only this road needs it

    saturable_igg = s.elimination == L.FCRN
    own = theta[L.ENDOGENOUS]
    volumes = [theta[L.V1], theta[L.V2], theta[L.V3]][: s.compartments]
    exchange = [theta[L.Q2], theta[L.Q3]]
    chain = {L.NO_ABSORPTION: 0, L.FIRST_ORDER: 1, L.TRANSIT: 2}[s.absorption]
    production = loss(own, s, theta) if saturable_igg else 0.0

    def slope(inflow: tuple[float, float]) -> Callable[[float, FloatArray], FloatArray]:
        central_in, depot_in = inflow

        def rate(_: float, y: FloatArray) -> FloatArray:
            out = np.zeros_like(y)
            absorbed = 0.0
            if chain == 1:
                absorbed = theta[L.KA] * y[0]
                out[0] = depot_in - absorbed
            elif chain == 2:
                absorbed = theta[L.KA] * y[1]
                out[0] = depot_in - theta[L.KTR] * y[0]
                out[1] = theta[L.KTR] * y[0] - absorbed
            level = y[chain] / volumes[0]
            out[chain] = central_in + absorbed + production - loss(s.scale * level, s, theta)
            for side in range(s.compartments - 1):
                across = exchange[side] * (level - y[chain + 1 + side] / volumes[1 + side])
                out[chain] -= across
                out[chain + 1 + side] = across
            above = s.scale * level - (own if saturable_igg else 0.0)
            place = chain + s.compartments
            if s.effect_site:
                out[place] = theta[L.KE0] * (above - y[place])
                above = y[place]
                place += 1
            if s.response > L.DIRECT_INHIBITION:
                out[place] = turnover(y[place], saturation(above, theta), s, theta)
            return out

        return rate

    def observe(y: FloatArray) -> tuple[float, float]:
        level = s.scale * y[chain] / volumes[0]
        driver = y[chain + s.compartments] if s.effect_site else level - (own if saturable_igg else 0.0)
        effect = float("nan")
        if s.response > L.DIRECT_INHIBITION:
            effect = float(y[-1])
        elif s.response == L.DIRECT:
            effect = float(theta[L.BASELINE] + theta[L.EMAX] * saturation(driver, theta))
        elif s.response == L.DIRECT_INHIBITION:
            effect = float(theta[L.BASELINE] * (1.0 - theta[L.EMAX] * saturation(driver, theta)))
        return float(level if saturable_igg else level + own), effect

    y = np.zeros(chain + s.compartments + s.effect_site + (1 if s.response > L.DIRECT_INHIBITION else 0))
    start = theta[L.INITIAL] + (own if saturable_igg else 0.0)
    y[chain] = start * volumes[0] / s.scale
    if saturable_igg:
        for side in range(s.compartments - 1):
            y[chain + 1 + side] = own * volumes[1 + side] / s.scale
    if s.response > L.DIRECT_INHIBITION:
        y[-1] = theta[L.BASELINE]
    late = [(d.start + theta[L.LAG + int(d.depot)], d.amount * theta[L.F + int(d.depot)], d) for d in doses]
    corners = {0.0, *map(float, times), *(t for t, _, _ in late), *(t + d.length for t, _, d in late)}
    ordered = sorted(t for t in corners if t <= times[-1])
    concentration, response = [], []
    for here, there in zip(ordered, [*ordered[1:], ordered[-1]], strict=True):
        if here in times:
            c, r = observe(y)
            concentration.append(c)
            response.append(r)
        inflow = [0.0, 0.0]
        for begin, amount, dose in late:
            if dose.length == 0.0 and begin == here:
                y[0 if dose.depot else chain] += amount
            elif begin <= here < begin + dose.length:
                inflow[int(dose.depot)] += amount / dose.length
        if there > here:
            found = solve_ivp(slope((inflow[0], inflow[1])), (here, there), y, method="DOP853", rtol=rtol, atol=1e-12)
            y = found.y[:, -1].copy()
    return np.array(concentration), np.array(response)
