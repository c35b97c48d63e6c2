"""From a recorded wave to onset, amplitude, area and duration of its negative peak.

Conventions, the same for every wave:

- Numbers count as machines draw them: positive is negativity of the recording electrode, upward. Time is from the stimulus.
- The stimulus artefact is blanked for `BLANK` ms. What it leaves behind (a decay, a drift) is fitted on the stretch between
  the blank and the first deflection and taken away.
- Onset: going back from the negative peak, the last time the wave is below the larger of 3 SD of the noise and 2 % of the
  peak, interpolated between samples.
- Negative peak: from the onset to the first return to the baseline after it. Where a spread-out wave returns to the baseline
  and rises again, the peaks are counted in `peaks`, and `end_of_last` is the end of the last of them.
- Amplitude: baseline to negative peak. Area: under the negative peak, baseline to wave. Duration: of the negative peak.
- Uncertainty: stretches of the wave's own baseline noise are added again and again, and everything is measured anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.conduction.dispersion import Estimate, estimate
from ranvier.conduction.load import load
from ranvier.conduction.nouns import ConductionStudy, Response, StudySet
from ranvier.conduction.segments import in_order
from ranvier.ground.notes import InputError, Problem
from ranvier.ground.units import nine_digits

FloatArray = NDArray[np.float64]

BLANK = 1.5  # [ms] after the stimulus
ABSENT_SD = 5.0  # a peak smaller than this many SD of the noise is no response
FLOOR_MV = 0.02  # [mV] nor is a smaller one: no motor unit's potential is
ONSET_SD = 3.0
ONSET_SHARE = 0.02  # of the peak
LATE_PEAK = 0.05  # a later hump counts as a further negative peak from this share of the largest on


@dataclass(frozen=True, slots=True, eq=False)
class Wave:
    """One recorded response.

    Attributes
    ----------
    samples : (n,) [mV], positive is negative potential of the recording electrode
    start : of the first sample, from the stimulus [ms]
    step : between samples [ms]
    supramaximal : as in `Response`
    """

    nerve: str
    side: str
    muscle: str | None
    site: str
    samples: FloatArray
    start: float
    step: float
    name: str = ""
    supramaximal: bool | None = None

    @property
    def times(self) -> FloatArray:
        """(n,) [ms] from the stimulus."""
        return self.start + self.step * np.arange(len(self.samples), dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """What was measured on one wave.

    Attributes
    ----------
    onset, peak, end : [ms] from the stimulus; None where absent
    amplitude, area, duration : of the negative peak [mV], [mV.ms], [ms]
    peaks : number of negative peaks; more than one in a spread-out wave
    end_of_last : end of the last negative peak [ms]
    noise : SD of the baseline [mV]
    sd : SD of onset, amplitude, area and duration over re-measured copies with other noise
    flags : ``initial_positivity``, ``clipped``, ``cut_off``, ``drift``, ``mostly_positive``
    corrected : (n,) [mV] without artefact and drift; zero while blanked
    baseline : (n,) [mV] what was taken away
    """

    absent: bool
    onset: float | None
    peak: float | None
    end: float | None
    amplitude: float | None
    area: float | None
    duration: float | None
    peaks: int
    end_of_last: float | None
    noise: float
    sd: dict[str, float]
    flags: tuple[str, ...]
    corrected: FloatArray
    baseline: FloatArray


def measure(wave: Wave, *, copies: int = 100, seed: int = 0) -> Measurement:
    """Measure one wave by the conventions of this module.

    copies : re-measured copies behind `sd`; 0: none
    seed : of the noise in the copies

    Raises ValueError where the wave is too short or not finite.
    """
    if wave.samples.ndim != 1 or len(wave.samples) < 20 or not np.all(np.isfinite(wave.samples)):
        raise ValueError("a wave needs at least 20 finite samples")
    if not (np.isfinite(wave.step) and wave.step > 0):
        raise ValueError("the time between samples must be above zero")
    first = _once(wave)
    if first.absent or copies <= 0 or first.noise <= 0:
        return first
    rng = np.random.default_rng(seed)
    quiet = _quiet(wave, first)
    found: dict[str, list[float]] = {"onset": [], "amplitude": [], "area": [], "duration": []}
    for _ in range(copies):
        again = _once(replace(wave, samples=wave.samples + _noise(rng, quiet, len(wave.samples))), first.baseline)
        for name, values in found.items():
            value = getattr(again, name)
            if value is not None:
                values.append(value)
    sd = {name: nine_digits(float(np.std(values))) for name, values in found.items() if len(values) > 1}
    return replace(first, sd=sd)


def _quiet(wave: Wave, found: Measurement) -> FloatArray:
    """The noise before the onset, without what was fitted to it."""
    assert found.onset is not None
    inside = (wave.times > BLANK) & (wave.times < found.onset - 0.3)
    noise = found.corrected[inside]
    return noise if len(noise) > 5 else np.array([-found.noise, found.noise])


def _noise(rng: np.random.Generator, quiet: FloatArray, n: int) -> FloatArray:
    """Noise of length n made of stretches of the quiet part, so that its colour is kept."""
    length = max(2, len(quiet) // 3)
    starts = rng.integers(0, max(1, len(quiet) - length + 1), size=n // length + 1)
    signs = rng.choice([-1.0, 1.0], size=len(starts))
    pieces = [sign * quiet[s : s + length] for s, sign in zip(starts, signs, strict=True)]
    return np.concatenate(pieces)[:n] if pieces else np.zeros(n)


def _once(wave: Wave, under: FloatArray | None = None) -> Measurement:
    """Measure once. under : (n,) a baseline already found [mV]; None: find it."""
    t, raw = wave.times, wave.samples
    usable = t >= BLANK
    if usable.sum() < 10:
        raise ValueError(f"the wave ends before {BLANK} ms; nothing is left beside the stimulus artefact")
    flags: list[str] = []
    first = int(np.argmax(usable))
    base, quiet_end, drift = _baseline(t, raw, first, wave.step) if under is None else (under, 0, False)
    if drift:
        flags.append("drift")
    x = np.where(usable, raw - base, 0.0)
    before = t < -0.1
    quiet = np.concatenate([x[first:quiet_end], (raw - base)[before]])
    noise = _sd(quiet) if len(quiet) >= 10 else _sd(np.diff(x[usable])) / np.sqrt(2)
    peak = int(np.argmax(x))
    height, depth = float(x[peak]), float(-np.min(x))
    if height < max(ABSENT_SD * noise, FLOOR_MV):
        return Measurement(
            True, None, None, None, None, None, None, 0, None, nine_digits(noise), {}, tuple(flags), x, base
        )
    threshold = max(ONSET_SD * noise, ONSET_SHARE * height)
    # A spread-out wave may return to the baseline before its highest hump: begin with its first hump.
    humps = _humps(x, max(threshold, LATE_PEAK * height), first)
    top_of_first = humps[0][2] if humps else peak
    start, stop = _back(x, top_of_first, threshold), _forward(x, top_of_first)
    onset = _cross(t, x, start, threshold)
    end = _cross(t, x, stop, 0.0) if stop < len(x) - 1 else float(t[-1])
    if stop >= len(x) - 1:
        flags.append("cut_off")
    last = _forward(x, humps[-1][2]) if humps else stop
    lead = x[first:start]
    if len(lead) and -lead.min() > max(ONSET_SD * noise, 0.05 * height):
        flags.append("initial_positivity")
    if depth > 1.5 * height:
        flags.append("mostly_positive")
    if int(np.sum(raw == raw[peak])) > 3 and raw[peak] == raw.max():
        flags.append("clipped")
    inside = (t >= onset) & (t <= end)
    top = float(np.max(x[inside])) if inside.any() else height
    return Measurement(
        False, nine_digits(onset), nine_digits(float(t[peak])), nine_digits(end), nine_digits(top),
        nine_digits(_area(t, np.maximum(x, 0.0), onset, end)), nine_digits(end - onset), max(1, len(humps)),
        nine_digits(float(t[min(last, len(t) - 1)])), nine_digits(noise), {}, tuple(flags), x, base,
    )  # fmt: skip


def _baseline(t: FloatArray, raw: FloatArray, first: int, step: float) -> tuple[FloatArray, int, bool]:
    """The baseline under the whole wave, the end of the quiet stretch after the blank, and whether an artefact was taken away.

    The stretch grows from the blank on as long as the next half millisecond follows what was fitted before; so it ends
    at the first deflection, whichever its sign.
    """
    before = raw[t < -0.1]
    level = float(np.median(before)) if len(before) * step >= 0.5 else None
    spread = float(np.ptp(raw[first:]))
    noise = _sd(before) if level is not None else _sd(np.diff(raw[first:])) / np.sqrt(2)
    tolerance = 5.0 * noise + 0.01 * spread
    ahead, grown = max(1, round(0.5 / step)), max(4, round(0.6 / step))
    longest = min(len(raw) - first, round(25.0 / step))
    fitted = _fit(t, raw, first, first + grown, level)
    while grown < longest:
        after = slice(first + grown, min(first + grown + ahead, len(raw)))
        if np.max(np.abs(raw[after] - fitted[0][after])) > tolerance:
            break
        grown += ahead
        fitted = _fit(t, raw, first, min(first + grown, len(raw)), level)
    return fitted[0], first + min(grown, longest), fitted[1]


DECAYS = (0.2, 0.3, 0.45, 0.7, 1.0, 1.5, 2.2, 3.3, 5.0, 7.5)  # [ms] of what a stimulus leaves in the amplifier


def _fit(t: FloatArray, raw: FloatArray, start: int, end: int, level: float | None) -> tuple[FloatArray, bool]:
    """A level, or a level with a decay where that leaves less than half; (n,) and whether a decay was needed.

    level : from before the stimulus, then it is kept [mV]; None: found here
    """
    y, x = raw[start:end], t[start:end] - t[start]
    at = float(np.median(y)) if level is None else level
    best, cost, decays = np.full_like(raw, at), float(np.sum((y - at) ** 2)), False
    for tau in DECAYS:
        shape = np.exp(-x / tau)
        if level is None:
            columns = np.column_stack([np.ones_like(x), shape])
            (base, size), *_ = np.linalg.lstsq(columns, y, rcond=None)
        else:
            base, size = level, float(shape @ (y - level) / (shape @ shape))
        left = float(np.sum((y - base - size * shape) ** 2))
        if left < 0.5 * cost:
            best = base + size * np.exp(-np.maximum(t - t[start], 0.0) / tau)
            cost, decays = left, True
    return best, decays


def _sd(values: FloatArray) -> float:
    """SD by the median absolute deviation, which single spikes do not move."""
    return float(1.4826 * np.median(np.abs(values - np.median(values)))) if len(values) else 0.0


def _back(x: FloatArray, peak: int, threshold: float) -> int:
    """The last sample before `peak` that is at or below the threshold."""
    below = np.nonzero(x[: peak + 1] <= threshold)[0]
    return int(below[-1]) if len(below) else 0


def _forward(x: FloatArray, peak: int) -> int:
    """The last sample above the baseline after `peak`."""
    below = np.nonzero(x[peak:] <= 0.0)[0]
    return peak + int(below[0]) - 1 if len(below) else len(x) - 1


def _cross(t: FloatArray, x: FloatArray, i: int, level: float) -> float:
    """Where the wave crosses `level` between samples i and i + 1."""
    if i + 1 >= len(x) or x[i + 1] == x[i]:
        return float(t[i])
    share = (level - x[i]) / (x[i + 1] - x[i])
    return float(t[i] + min(max(share, 0.0), 1.0) * (t[i + 1] - t[i]))


def _humps(x: FloatArray, threshold: float, first: int) -> list[tuple[int, int, int]]:
    """Stretches above the baseline whose top exceeds the threshold: (begin, end, top)."""
    above = x > 0.0
    above[:first] = False
    edges = np.diff(np.concatenate([[0], above.astype(np.int8), [0]]))
    found = []
    for begin, end in zip(np.nonzero(edges == 1)[0], np.nonzero(edges == -1)[0], strict=True):
        top = int(begin + np.argmax(x[begin:end]))
        if x[top] > threshold:
            found.append((int(begin), int(end), top))
    return found


def _area(t: FloatArray, x: FloatArray, start: float, end: float) -> float:
    """Area under x from start to end [mV.ms], by trapezes, with interpolated ends."""
    inside = (t > start) & (t < end)
    times = np.concatenate([[start], t[inside], [end]])
    values = np.concatenate([[float(np.interp(start, t, x))], x[inside], [float(np.interp(end, t, x))]])
    return float(np.trapezoid(values, times))


# ---- all waves of a file ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Joint:
    """Block and dispersion of one segment, estimated together from its two waves."""

    name: str
    nerve: str
    side: str
    from_: str
    to: str
    estimate: Estimate


@dataclass(frozen=True, slots=True, eq=False)
class Traces:
    """Waves with their measurements, the studies made of them, and the joint estimates."""

    waves: tuple[Wave, ...]
    measurements: tuple[Measurement, ...]
    studies: StudySet
    joint: tuple[Joint, ...]


def measure_all(waves: Sequence[Wave], *, copies: int = 50, seed: int = 0) -> Traces:
    """Measure every wave, put the waves of one nerve and muscle into a study, and estimate neighbouring sites jointly.

    Raises InputError where a wave cannot be measured at all.
    """
    knowledge = load()
    measured, problems = [], []
    for i, w in enumerate(waves):
        try:
            measured.append(measure(w, copies=copies, seed=seed + i))
        except ValueError as error:
            problems.append(Problem(w.name or w.site, str(error), "Export the whole response, from the stimulus on."))
    if problems:
        raise InputError("These waveforms cannot be used yet.", tuple(problems))
    found = tuple(measured)
    groups: dict[tuple[str, str, str | None], list[tuple[Wave, Measurement]]] = {}
    for w, m in zip(waves, found, strict=True):
        groups.setdefault((w.nerve, w.side, w.muscle), []).append((w, m))
    studies, joint = [], []
    for (nerve, side, muscle), members in groups.items():
        study = ConductionStudy(nerve, side, "motor", muscle, tuple(_response(w, m) for w, m in members))
        study = replace(study, sites=in_order(knowledge, study))
        studies.append(study)
        by_site = {w.site: (w, m) for w, m in members}
        for distal, proximal in zip(study.sites, study.sites[1:], strict=False):
            (wd, md), (wp, mp) = by_site[distal.site], by_site[proximal.site]
            if md.absent or mp.absent or abs(wd.step - wp.step) > 1e-9:
                continue
            name = f"{side} {nerve}, {distal.site} to {proximal.site}".replace("_", " ")
            made = estimate(_tail(wd, md), _tail(wp, mp), wd.step, noise=max(md.noise, mp.noise))
            joint.append(Joint(name, nerve, side, distal.site, proximal.site, made))
    return Traces(tuple(waves), found, StudySet(tuple(studies)), tuple(joint))


def _response(wave: Wave, m: Measurement) -> Response:
    return Response(
        wave.site, latency=m.onset, amplitude=m.amplitude, area=m.area, duration=m.duration, absent=m.absent,
        supramaximal=wave.supramaximal, place=wave.name,
    )  # fmt: skip


def _tail(wave: Wave, m: Measurement) -> FloatArray:
    """The corrected wave from a little before its onset, so that kernels are short."""
    assert m.onset is not None
    return m.corrected[wave.times >= m.onset - 1.0]


def traces_data(traces: Traces) -> dict[str, Any]:
    """Measurements and joint estimates as plain data."""
    return {
        "measured": [
            {
                "name": w.name, "nerve": w.nerve, "side": w.side, "muscle": w.muscle, "site": w.site, "absent": m.absent,
                "onset_ms": m.onset, "peak_ms": m.peak, "end_ms": m.end, "amplitude_mv": m.amplitude, "area_mv_ms": m.area,
                "duration_ms": m.duration, "negative_peaks": m.peaks, "noise_mv": m.noise, "sd": m.sd, "flags": list(m.flags),
            }
            for w, m in zip(traces.waves, traces.measurements, strict=True)
        ],
        "joint": [
            {
                "nerve": j.nerve, "side": j.side, "from": j.from_, "to": j.to, "block": j.estimate.block,
                "block_interval": [j.estimate.block_low, j.estimate.block_high], "spread_ms": j.estimate.spread,
                "spread_interval": [j.estimate.spread_low, j.estimate.spread_high], "misfit": j.estimate.misfit,
                "warnings": list(j.estimate.warnings), "basis": "measurement",
            }
            for j in traces.joint
        ],
    }  # fmt: skip
