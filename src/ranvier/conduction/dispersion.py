r"""Block and temporal dispersion, estimated together: the proximal wave as a spread and reduced copy of the distal one.

.. math:: p(t) = m \int h(\tau)\, d(t - \tau)\, d\tau + \varepsilon, \qquad h \ge 0, \quad \int h = 1, \quad m = 1 - \text{block}

d and p are the distal and proximal waves (both phases, not only the negative peak); h is the density of the extra delays of
those fibres that arrive. Falls of amplitude or area count every cancelled phase as block; the mass m does not.

h is one hump: a shift and a gamma density, from an exponential to nearly a normal one. A kernel free in every delay was
tried and left out: a biphasic wave spread evenly over many ms cancels, so such a kernel hides any mass where no wave can
see it (block 50 % was returned as 17 %). Shift, width, shape and mass are walked on a grid; every point is weighed by its
misfit, so the interval is wide where the waves cannot tell block from dispersion.

Limits, which the answer repeats: one kernel for all fibres, large and small units alike; dispersion in two humps, as when
one fascicle is slowed and another is not, is not one kernel (high misfit); a wave spread far beyond its own length cancels
almost wholly, and its mass is hardly seen; a submaximal proximal stimulus looks like block; a crossed or co-stimulated
nerve adds what no kernel can explain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from ranvier.ground.units import nine_digits

FloatArray = NDArray[np.float64]

STEP = 0.1  # [ms] grid of the waves and kernels
WIDTHS = np.concatenate(
    [np.arange(0.0, 2.0, 0.1), np.arange(2.0, 6.0, 0.25), np.arange(6.0, 15.01, 0.5)]
)  # [ms] SD of delays
SHAPES = (1.0, 1.5, 2.5, 5.0, 20.0)  # of the gamma density: exponential ... nearly normal
SHIFTS = (-4.0, 4.0)  # [ms] of the kernel's beginning, against aligned onsets
LONGEST = 60.0  # [ms] of a kernel
MASSES = np.linspace(0.0, 1.3, 261)
MODEL_ERROR = 0.03  # of the proximal peak: no wave is exactly the sum of equal, equally spread units
CORRELATION = 3.0  # [ms] over which the residual is one number, not many: what does not fit lasts as long as the wave
MISFIT = 3.0  # residual over its expected size, above which the kernel does not explain the wave
WIDE = 0.4  # width of the interval of block from which on it is called wide
CREDIBLE = 0.9
NEGLIGIBLE = 14.0  # log-weight below the best from which on a kernel is left out: less than a millionth


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """Block and dispersion of one segment with their 90 % intervals.

    Attributes
    ----------
    block : share of the distal wave that does not arrive [1]; negative: more arrives than was evoked distally
    spread : SD of the extra delays of the fibres that arrive [ms]
    misfit : root mean square of the residual over its expected size [1]; about 1 or less is good
    delays, kernel : (k,) [ms], (k,) [1] of the best fit; the kernel's sum is 1 - block at the best fit
    fitted : (n,) the proximal wave as the kernel makes it [mV], one sample each STEP
    warnings : ``does not fit``, ``interval is wide``, ``more proximal than distal``
    """

    block: float
    block_low: float
    block_high: float
    spread: float
    spread_low: float
    spread_high: float
    misfit: float
    delays: FloatArray
    kernel: FloatArray
    fitted: FloatArray
    warnings: tuple[str, ...]


def estimate(distal: FloatArray, proximal: FloatArray, step: float, *, noise: float) -> Estimate:
    """Block and dispersion from two waves.

    distal, proximal : (n,), (m,) [mV], without artefact and drift, each beginning the same time before its own onset
    step : between samples [ms]
    noise : SD of the baseline [mV]

    Raises ValueError where a wave is too short or flat, or the step is not above zero.
    """
    if not (np.isfinite(step) and step > 0) or len(distal) < 5 or len(proximal) < 5:
        raise ValueError("two waves of at least five samples and a step above zero are needed")
    d, p = _thin(distal, step), _thin(proximal, step)
    top = float(np.max(np.abs(p)))
    if not (np.max(np.abs(d)) > 0 and top > 0):
        raise ValueError("a flat wave has nothing to estimate")
    scale = float(np.hypot(noise, MODEL_ERROR * top))
    shifts = np.arange(round(SHIFTS[0] / STEP), round(SHIFTS[1] / STEP) + 1)
    pairs = [(w, k) for w in WIDTHS for k in (SHAPES if w > 0 else SHAPES[:1])]
    kernels = np.array([density(w, k) for w, k in pairs])
    n = len(p)
    size = 1 << int(np.ceil(np.log2(n + len(d) + kernels.shape[1] + 2 * len(shifts))))
    spread_out = np.fft.irfft(np.fft.rfft(kernels, size) * np.fft.rfft(d, size), size)
    # For every kernel and shift: y = shifted wave on the samples of p; the best mass and its misfit are closed forms.
    cross, power = np.empty((len(pairs), len(shifts))), np.empty((len(pairs), len(shifts)))
    for column, shift in enumerate(shifts):
        y = _shifted(spread_out, int(shift), n)
        cross[:, column] = y @ p
        power[:, column] = np.einsum("ij,ij->i", y, y)
    total = float(p @ p)
    # squared residual(m) = total - 2 m cross + m^2 power, so the best mass of each kernel and shift is a closed form;
    # only those near the best of all carry any weight.
    ideal = np.clip(cross / np.maximum(power, 1e-300), MASSES[0], MASSES[-1])
    least = total - 2 * ideal * cross + ideal**2 * power
    # Where even the best kernel leaves more than expected, the expectation was too small: the interval grows with it.
    expected = max(scale**2, float(least.min()) / n)
    sharp = 0.5 * STEP / CORRELATION / expected
    i, j = np.unravel_index(int(np.argmin(least)), least.shape)
    near = np.nonzero(sharp * (least - least.min()) < NEGLIGIBLE)
    cost = total - 2 * MASSES * cross[near][:, None] + MASSES**2 * power[near][:, None]
    weight = np.exp(-sharp * (cost - least.min())) * _spacing(pairs)[near[0]][:, None]
    weight /= weight.sum()
    by_mass = weight.sum(axis=0)
    by_pair = np.zeros(len(pairs))
    np.add.at(by_pair, near[0], weight.sum(axis=1))
    widths = np.array([w for w, _ in pairs])
    low, high = _interval(MASSES, by_mass)
    spread_low, spread_high = _interval(widths, by_pair)
    mean = float(by_mass @ MASSES)
    mass = float(ideal[i, j])
    fitted = mass * _shifted(spread_out[i : i + 1], int(shifts[j]), n)[0]
    misfit = float(np.sqrt(np.mean((p - fitted) ** 2)) / scale)
    warnings = []
    if misfit > MISFIT:
        warnings.append("does not fit")
    if high - low > WIDE:
        warnings.append("interval is wide")
    if low > 1.0:
        warnings.append("more proximal than distal")
    delays = STEP * np.arange(int(shifts[j]), int(shifts[j]) + kernels.shape[1], dtype=np.float64)
    return Estimate(
        block=nine_digits(1 - mean), block_low=nine_digits(1 - high), block_high=nine_digits(1 - low),
        spread=nine_digits(float(by_pair @ widths)), spread_low=nine_digits(spread_low), spread_high=nine_digits(spread_high),
        misfit=nine_digits(misfit), delays=delays, kernel=mass * kernels[i], fitted=fitted, warnings=tuple(warnings),
    )  # fmt: skip


def density(width: float, shape: float) -> FloatArray:
    """A gamma density of delays with this SD [ms], sampled each STEP, with sum 1. width 0: no spread at all.

    Examples
    --------
    >>> k = density(2.0, 1.0)
    >>> print(f"{k.sum():.3f}")
    1.000
    """
    n = round(LONGEST / STEP)
    kernel = np.zeros(n)
    scale = width / np.sqrt(shape)
    if scale < STEP / 4:
        kernel[0] = 1.0
        return kernel
    t = STEP * (np.arange(n) + 0.5)
    log = (shape - 1) * np.log(t / scale) - t / scale - gammaln(shape)
    kernel = np.exp(log - log.max())
    return np.asarray(kernel / kernel.sum(), dtype=np.float64)


def _shifted(waves: FloatArray, shift: int, n: int) -> FloatArray:
    """(k, n): each wave moved by `shift` samples, zero where nothing was."""
    moved = np.zeros((len(waves), n))
    if shift >= 0:
        moved[:, shift:] = waves[:, : n - shift]
    else:
        part = waves[:, -shift : n - shift]
        moved[:, : part.shape[1]] = part
    return moved


def _spacing(pairs: list[tuple[float, float]]) -> FloatArray:
    """Prior weight of each (width, shape): even over widths, shared by the shapes."""
    steps = np.gradient(WIDTHS)
    by_width = dict(zip(WIDTHS.tolist(), steps.tolist(), strict=True))
    return np.array([by_width[float(w)] / (len(SHAPES) if w > 0 else 1) for w, _ in pairs])


def _thin(samples: FloatArray, step: float) -> FloatArray:
    """The wave on the grid of STEP: means where it is finer, interpolated where it is coarser."""
    times = step * np.arange(len(samples))
    grid = np.arange(0.0, times[-1] + 1e-9, STEP)
    if step < STEP / 2:
        width = round(STEP / step)
        samples = np.convolve(samples, np.ones(width) / width, mode="same")
    return np.interp(grid, times, samples)


def _interval(values: FloatArray, weights: FloatArray) -> tuple[float, float]:
    """The central 90 % of weighted values."""
    order = np.argsort(values)
    summed = np.cumsum(weights[order])
    tail = (1 - CREDIBLE) / 2
    low = values[order][min(int(np.searchsorted(summed, tail)), len(values) - 1)]
    high = values[order][min(int(np.searchsorted(summed, 1 - tail)), len(values) - 1)]
    return float(low), float(high)
