"""Is strength falling: within the cycle of the regimen in force, or over the years? And does it respond at all?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ranvier.estimation.courses import Course, InForce, planned
from ranvier.estimation.measures import as_capacity, visible
from ranvier.estimation.nouns import Basis, Draws, FloatArray, Measure, Posterior
from ranvier.estimation.predict import as_value, cycle, predict
from ranvier.evidence.cautions import cautions
from ranvier.evidence.nouns import Knowledge, Number, ResponseClass
from ranvier.ground.findings import Fact, Finding
from ranvier.monitoring.nouns import Floor, Response, Trend, Watch, WearingOff

YEAR = 365.25  # [d]
WEEK = 7.0  # [d]
STEP = 0.5  # [d], the grid on which a cycle is looked at; a crossing is interpolated within it
FEW = 20  # responding draws below which a spread means nothing
HALF = 0.5  # more likely than not
RATIO = ("grip", "dynamometry", "pinch")  # measures of which a percentage means something
SWING_PARAMETERS = ("c50", "imax", "kout")
"""What size and timing of the swing hang on; asked only where no prior draws came with the posterior."""
RESTS_ON_PRIOR = ("swing.mostly_prior", "timing.mostly_prior")

Rules = Mapping[str, Number]
Facts = dict[str, Fact]


@dataclass(frozen=True, slots=True)
class _Cycle:
    """The steady cycle of the primary measure by draw, and what follows if the next course does not come.

    days T; capacity n × T; untreated, peak, trough n; peak_at n, an index into days; interval [d]
    """

    days: FloatArray
    capacity: FloatArray
    untreated: FloatArray
    peak: FloatArray
    trough: FloatArray
    peak_at: npt.NDArray[np.int64]
    interval: float

    @property
    def swing(self) -> FloatArray:
        """(peak - trough) / peak by draw [1]; none where there is no strength to lose."""
        return np.where(self.peak > 0, (self.peak - self.trough) / np.maximum(self.peak, 1e-12), 0.0)


def watch(
    posterior: Posterior,
    current: InForce | tuple[Finding, ...],
    knowledge: Knowledge,
    *,
    courses: Sequence[Course] = (),
) -> Watch:
    """Wearing-off within the cycle, slow trend, and class of response, each with its probability.

    current : the regimen in force, or the findings that say why none can be read; then nothing is said about a cycle
    courses : all courses given; without a regimen in force, response is judged on the largest
    """
    rules = knowledge.monitoring
    measure = posterior.measures[posterior.primary]
    trend, of_trend = _trend(posterior, rules)
    if not isinstance(current, InForce):
        none = Finding("watch.no_regimen", because=current)
        response, of_response = _without_regimen(posterior, courses, knowledge)
        return Watch(_stated_floor(measure), None, None, trend, response, (none, *of_trend, *of_response))
    course = _steady(posterior.draws, posterior.primary, measure, current, rules["look_ahead"].value)
    plateau = float(np.median(course.peak))
    threshold, of_threshold = _threshold(posterior, posterior.primary, plateau, rules)
    floor, of_floor = _floor(measure, plateau, float(np.median(threshold)))
    learnt = _information(posterior, course, current, rules)
    off = _wearing_off(course, as_capacity(measure, floor.value), threshold, learnt)
    because = (of_threshold, of_floor, *current.findings)
    of_swing = _wearing_off_findings(off, course, floor, measure, knowledge, because)
    of_prior = _what_is_prior(posterior, off, rules)
    response, of_response, idle = _best_response(posterior, course, current, courses, knowledge)
    others = () if off.probability >= HALF else _others(posterior, current, rules)
    findings = (*of_swing, *others, *of_prior, *of_trend, *of_response, *_old(posterior, rules))
    return Watch(floor, current.interval_days, off, trend, response, findings, idle, current.last)


def aim_of(watched: Watch) -> tuple[float | None, bool, float, float, tuple[Finding, ...], float, bool]:
    """What a proposal needs to know of a watch.

    The floor and whether it was agreed, P(no gain worth the name), P(wearing-off), what rests on the prior, P(the present
    regimen keeps no gain worth the name), and whether strength falls.
    """
    floor = watched.floor
    silent = dict(watched.response.all).get("none", 0.0)
    prior = tuple(finding for finding in watched.findings if finding.name in RESTS_ON_PRIOR)
    off = 0.0 if watched.wearing_off is None else watched.wearing_off.probability
    value, agreed = (None, False) if floor is None else (floor.value, floor.agreed)
    falling = watched.change is not None and watched.change.verdict == "decline"
    return value, agreed, silent, off, prior, watched.idle, falling


def difference_bound(sd: FloatArray, persistence: FloatArray, z: float, averaged: int) -> FloatArray:
    r"""Smallest fall between two means of `averaged` successive daily values that noise alone rarely makes.

    For residuals with standard deviation :math:`\sigma` and correlation :math:`\varphi^k` at k days (AR(1)), the
    variance of a mean of n days is

    .. math:: v_n = \frac{\sigma^2}{n^2} \Big( n + 2 \sum_{k=1}^{n-1} (n - k)\,\varphi^k \Big)

    and the one-sided bound of the difference of two such means, far apart in the cycle, is :math:`z \sqrt{2 v_n}`.

    Parameters
    ----------
    sd : standard deviation of one day's value, as a fraction of strength [1]
    persistence : correlation of the residuals of one day and the next, phi [1]
    z : one-sided quantile of the normal distribution [1]
    averaged : days in each mean, n [d]; 1 compares single values

    Returns
    -------
    The fall, as a fraction of strength [1].

    Notes
    -----
    Without correlation, 8 % noise gives the bound of about 11 % that the rule for home grip rests on.

    Examples
    --------
    >>> print(f"{difference_bound(np.array(0.08), np.array(0.0), 1.645, 3):.3f}")
    0.107
    >>> print(f"{difference_bound(np.array(0.08), np.array(0.3), 1.645, 3):.3f}")
    0.130
    """
    n = averaged
    correlated = sum((n - k) * persistence**k for k in range(1, n))
    variance = sd**2 * (n + 2.0 * correlated) / n**2
    return np.asarray(z * np.sqrt(2.0 * variance))


def _steady(draws: Draws, primary: int, measure: Measure, current: InForce, look_ahead: float) -> _Cycle:
    """The regimen in force, repeated until nothing changes any more; after its interval the next course is left out."""
    interval = current.interval_days
    doses = planned(current.daily, interval, current.route, first=0.0, until=interval, length=current.length)
    inside = np.append(np.arange(0.0, interval, STEP), interval)
    beyond = np.arange(interval + STEP, max(look_ahead, interval) + STEP / 2, STEP)
    days = np.concatenate([inside, beyond])
    capacity = visible(measure, cycle(draws, doses, interval, days).capacity[primary])
    within = capacity[:, : inside.size]
    return _Cycle(
        days=days,
        capacity=capacity,
        untreated=visible(measure, draws.level[:, primary]),
        peak=within.max(axis=1),
        trough=within.min(axis=1),
        peak_at=within.argmax(axis=1),
        interval=interval,
    )


def _threshold(posterior: Posterior, index: int, plateau: float, rules: Rules) -> tuple[FloatArray, Finding]:
    """The person's threshold by draw [1] for the measure at `index`, and what it was made of."""
    draws = posterior.draws
    smallest, z = rules["swing"], rules["error_z"]
    days = _days_of(posterior, posterior.measures[index].id)
    daily = days.size > 1 and float(np.median(np.diff(days))) <= rules["daily_gap"].value
    averaged = int(rules["error_days"].value) if daily else 1
    sd = np.sqrt(draws.sd[:, index] ** 2 + (draws.add[:, index] / max(plateau, 1e-9)) ** 2)
    error = difference_bound(sd, draws.persistence[:, index], z.value, averaged)
    threshold = np.maximum(smallest.value, error)
    facts: Facts = {
        "threshold": float(np.median(threshold)),
        "error": float(np.median(error)),
        "smallest": smallest.value,
        "sd": float(np.median(sd)),
        "persistence": float(np.median(draws.persistence[:, index])),
        "averaged": averaged,
    }
    name = "threshold.means_of_days" if daily else "threshold.single_values"
    weak = _weak_hand(posterior.measures[index], plateau, rules)
    return threshold, Finding(name, facts, weak, source=smallest.source, status=smallest.status)


def _weak_hand(measure: Measure, plateau: float, rules: Rules) -> tuple[Finding, ...]:
    """Said where a hand is so weak that percentages mislead."""
    bound = {"kg": rules["weak_hand_kg"], "kPa": rules["weak_hand_kpa"]}.get(measure.unit)
    if bound is None or plateau >= bound.value:
        return ()
    facts: Facts = {"measure": measure.id, "plateau": plateau, "bound": bound.value, "unit": measure.unit}
    return (Finding("threshold.weak_hand", facts, status=bound.status),)


def _days_of(posterior: Posterior, measure: str) -> FloatArray:
    for series in posterior.observed:
        if series.id == measure:
            return np.unique(series.days)
    return np.empty(0)


def _stated_floor(measure: Measure) -> Floor | None:
    return None if measure.floor is None else Floor(measure.id, measure.floor, measure.unit, agreed=True)


def _floor(measure: Measure, plateau: float, threshold: float) -> tuple[Floor, Finding]:
    """The person's own floor; else the strength one threshold below their own plateau, and said to be assumed."""
    facts: Facts = {"measure": measure.id, "unit": measure.unit}
    stated = _stated_floor(measure)
    if stated is not None:
        return stated, Finding("floor.agreed", {**facts, "value": stated.value})
    value = float(as_value(measure, np.array(plateau * (1.0 - threshold))))
    best = float(as_value(measure, np.array(plateau)))
    facts |= {"value": value, "plateau": best, "threshold": threshold}
    return Floor(measure.id, value, measure.unit, agreed=False), Finding("floor.assumed", facts, status="assumed")


def _first_below(course: _Cycle, floor: FloatArray) -> FloatArray:
    """First day after the peak on which strength lies below `floor` (n), by draw.

    0 if strength never rises above it; infinity if it stays above for as long as we look.
    """
    rows, index = np.arange(course.peak.size), np.arange(course.days.size)
    below = (course.capacity < floor[:, None]) & (index > course.peak_at[:, None])
    first = np.maximum(below.argmax(axis=1), 1)
    before, after = course.capacity[rows, first - 1], course.capacity[rows, first]
    fall = np.where(before > after, before - after, 1.0)
    part = np.clip((before - floor) / fall, 0.0, 1.0)
    day = course.days[first - 1] + part * (course.days[first] - course.days[first - 1])
    return np.where(course.peak < floor, 0.0, np.where(below.any(axis=1), day, np.inf))


def _order_statistic(sorted_days: FloatArray, q: float) -> float | None:
    """A quantile of days of which some are infinite: one of the values, never a mean of two; None where infinite."""
    day = float(sorted_days[int(np.floor(q * (sorted_days.size - 1)))])
    return day if np.isfinite(day) else None


def _wearing_off(
    course: _Cycle, floor: float, threshold: FloatArray, learnt: tuple[float | None, float | None]
) -> WearingOff:
    swing = course.swing
    crossing = np.sort(_first_below(course, np.full(course.peak.size, floor)))
    p_crosses = float(np.mean(crossing <= course.interval))
    day, early, late = (_order_statistic(crossing, q) if p_crosses >= 0.5 else None for q in (0.5, 0.05, 0.95))
    low, middle, high = (float(q) for q in np.quantile(swing, (0.05, 0.5, 0.95)))
    return WearingOff(
        probability=float(np.mean(swing > threshold)),
        day=day,
        day_q05=early,
        day_q95=late,
        p_crosses=p_crosses,
        swing=middle,
        swing_q05=low,
        swing_q95=high,
        threshold=float(np.median(threshold)),
        swing_information=learnt[0],
        timing_information=learnt[1],
    )


def _wearing_off_findings(
    off: WearingOff,
    course: _Cycle,
    floor: Floor,
    measure: Measure,
    knowledge: Knowledge,
    because: tuple[Finding, ...],
) -> tuple[Finding, ...]:
    rules = knowledge.monitoring
    shared: Facts = {
        "floor": floor.value,
        "unit": floor.unit,
        "measure": floor.measure,
        "interval": course.interval,
        "agreed": floor.agreed,
    }
    swing: Facts = {
        "probability": off.probability,
        "swing": off.swing,
        "q05": off.swing_q05,
        "q95": off.swing_q95,
        "threshold": off.threshold,
        "interval": course.interval,
    }
    likely, unlikely = rules["wearing_off_likely"], rules["wearing_off_unlikely"]
    name = _graded("wearing_off", off.probability, likely.value, unlikely.value)
    found = [Finding(name, swing, (*because, *cautions(knowledge, name)), status=likely.status)]
    level = as_capacity(measure, floor.value)
    p_below = float(np.mean(course.peak < level))
    if p_below >= 0.5:
        return (*found, Finding("floor.below_all_cycle", {**shared, "probability": p_below}))
    if off.day is not None:
        days: Facts = {"day": off.day, "q05": off.day_q05, "q95": off.day_q95, "probability": off.p_crosses}
        return (*found, Finding("wearing_off.crosses", {**shared, **days}))
    found.append(Finding("wearing_off.stays_above", {**shared, "probability": 1.0 - off.p_crosses}))
    would = _order_statistic(np.sort(_first_below(course, np.full(course.peak.size, level))), 0.5)
    if would is not None:
        found.append(Finding("wearing_off.would_cross", {**shared, "day": would}))
    else:
        found.append(Finding("wearing_off.would_not_cross", {**shared, "weeks": rules["look_ahead"].value / WEEK}))
    return tuple(found)


def _graded(name: str, probability: float, likely: float, unlikely: float) -> str:
    if probability >= likely:
        return f"{name}.likely"
    return f"{name}.unlikely" if probability <= unlikely else f"{name}.possible"


def _others(posterior: Posterior, current: InForce, rules: Rules) -> tuple[Finding, ...]:
    """Measures beside the deciding one that swing by more than their own threshold: no hand may hide another."""
    able = [i for i, m in enumerate(posterior.measures) if i != posterior.primary and m.n and m.measure in RATIO]
    if not able:
        return ()
    interval = current.interval_days
    doses = planned(current.daily, interval, current.route, first=0.0, until=interval, length=current.length)
    capacity = cycle(posterior.draws, doses, interval, np.append(np.arange(0.0, interval, STEP), interval)).capacity
    found = []
    for i in able:
        peak, trough = capacity[i].max(axis=1), capacity[i].min(axis=1)
        threshold, _ = _threshold(posterior, i, float(np.median(peak)), rules)
        swing = 1.0 - trough / np.maximum(peak, 1e-12)
        probability = float(np.mean(swing > threshold))
        if probability >= HALF:
            facts: Facts = {
                "measure": posterior.measures[i].id,
                "probability": probability,
                "swing": float(np.median(swing)),
                "threshold": float(np.median(threshold)),
                "interval": interval,
            }
            found.append(Finding("wearing_off.other_measure", facts, status=rules["swing"].status))
    return tuple(found)


def _information(
    posterior: Posterior, course: _Cycle, current: InForce, rules: Rules
) -> tuple[float | None, float | None]:
    """How much measuring taught about size and timing of the swing: 1 - posterior variance / prior variance.

    Only draws with a response count, so that learning whether there is one is not taken for learning how it runs.
    Timing is the day on which half of the gain over untreated strength is lost again.
    """
    if posterior.prior is None:
        return None, None
    measure = posterior.measures[posterior.primary]
    before = _steady(posterior.prior, posterior.primary, measure, current, rules["look_ahead"].value)
    own, old = posterior.draws.responds, posterior.prior.responds
    if min(own.sum(), old.sum()) < FEW:
        return None, None
    return (
        _learnt(course.swing[own], before.swing[old]),
        _learnt(_half_gone(course)[own], _half_gone(before)[old]),
    )


def _half_gone(course: _Cycle) -> FloatArray:
    half = course.untreated + 0.5 * (course.peak - course.untreated)
    return np.asarray(np.minimum(_first_below(course, half), course.days[-1]))


def _learnt(now: FloatArray, before: FloatArray) -> float | None:
    spread = float(np.var(before))
    return None if spread == 0 else 1.0 - float(np.var(now)) / spread


def _what_is_prior(posterior: Posterior, off: WearingOff, rules: Rules) -> tuple[Finding, ...]:
    """What of the forecast rests on the prior more than on this person's measurements."""
    found: tuple[Finding, ...] = ()
    if posterior.prior is None:
        return _mostly_prior(posterior, SWING_PARAMETERS, "swing.mostly_prior", rules["swing_mostly_prior"])
    known = (("swing", off.swing_information), ("timing", off.timing_information))
    for what, information in known:
        needed = rules[f"{what}_mostly_prior"]
        if information is not None and information < needed.value:
            facts: Facts = {"information": max(information, 0.0), "needed": needed.value}
            found += (Finding(f"{what}.mostly_prior", facts, status=needed.status),)
    return found


def _old(posterior: Posterior, rules: Rules) -> tuple[Finding, ...]:
    """Said where the last value of the deciding measure is long past."""
    measure, limit = posterior.measures[posterior.primary], rules["strength_old"]
    days = _days_of(posterior, measure.id)
    if not days.size or posterior.at_day - days[-1] <= limit.value:
        return ()
    facts: Facts = {"measure": measure.id, "days": float(posterior.at_day - days[-1]), "bound": limit.value}
    return (Finding("watch.strength_old", facts, status=limit.status),)


def _mostly_prior(posterior: Posterior, names: tuple[str, ...], finding: str, needed: Number) -> tuple[Finding, ...]:
    """A finding where the measurements taught us too little about the best known of these parameters."""
    known = [p.information for p in posterior.parameters if p.name.startswith(names)]
    best = max(known, default=0.0)
    if posterior.basis is Basis.MEASURED and best >= needed.value:
        return ()
    return (Finding(finding, {"information": max(best, 0.0), "needed": needed.value}, status=needed.status),)


def _trend(posterior: Posterior, rules: Rules) -> tuple[Trend, tuple[Finding, ...]]:
    """Slow change of the untreated level, as a fraction per year: exp(-365.25 decline) - 1."""
    per_year = np.expm1(-YEAR * posterior.draws.decline)
    low, middle, high = (float(q) for q in np.quantile(per_year, (0.05, 0.5, 0.95)))
    limit = rules["decline_per_year"]
    p = float(np.mean(per_year < -limit.value))
    facts: Facts = {"per_year": middle, "q05": low, "q95": high, "probability": p, "threshold": limit.value}
    prior = _mostly_prior(posterior, ("decline",), "trend.mostly_prior", rules["decline_mostly_prior"])
    name = _graded("trend.decline", p, rules["wearing_off_likely"].value, rules["wearing_off_unlikely"].value)
    trend = Trend(middle, low, high, p)
    return trend, (Finding(name, facts, prior, source=limit.source, status=limit.status),)


def _without_regimen(
    posterior: Posterior, courses: Sequence[Course], knowledge: Knowledge
) -> tuple[Response, tuple[Finding, ...]]:
    if courses:
        largest = max(courses, key=lambda c: c.grams)
        return _response(_gain_after(posterior, largest, knowledge), "largest_course", knowledge, posterior)
    expected = float(np.mean(posterior.draws.responds))
    said = Finding("response.not_observed", {"expected": expected}, status="assumed")
    return Response("not_observed", 1.0, (("not_observed", 1.0),), 0.0), (said,)


def _best_response(
    posterior: Posterior, now: _Cycle, current: InForce, courses: Sequence[Course], knowledge: Knowledge
) -> tuple[Response, tuple[Finding, ...], float]:
    """The response to the best of what was given, and P(the present regimen keeps no gain worth the name).

    Judged on the present regimen alone, too low a dose would make a non-responder of a person who responds.
    """
    measure = posterior.measures[posterior.primary]
    gains = {"current_cycle": now.peak / now.untreated - 1.0}
    largest = max(courses, key=lambda c: c.grams, default=None)
    if largest is not None and largest.grams > current.grams * (1.0 + knowledge.monitoring["same_weekly_grams"].value):
        gains["largest_course"] = _gain_after(posterior, largest, knowledge)
    if current.earlier is not None:
        before = replace(current, **{n: getattr(current.earlier, n) for n in ("daily", "interval_days", "route")})
        cycle_then = _steady(posterior.draws, posterior.primary, measure, before, before.interval_days)
        gains["earlier_regimen"] = cycle_then.peak / cycle_then.untreated - 1.0
    seen = max(gains, key=lambda name: (float(np.median(gains[name])), name == "current_cycle"))
    response, found = _response(gains[seen], seen, knowledge, posterior)
    present = np.where(posterior.draws.responds, gains["current_cycle"], 0.0)
    kinds = {kind.name: kind for kind in knowledge.classes}
    idle = float(np.mean(_inside(present, kinds["none"])))
    unlikely = knowledge.monitoring["no_response"]
    if idle >= unlikely.value and dict(response.all).get("none", 0.0) < HALF:
        facts: Facts = {"probability": idle, "now": float(np.median(present)), "gain": response.gain, "seen": seen}
        found += (Finding("response.not_kept", facts, status=unlikely.status),)
    return response, found, idle


def _gain_after(posterior: Posterior, course: Course, knowledge: Knowledge) -> FloatArray:
    """Peak gain by draw [1] of one course given to the untreated person, as long as effects are looked for."""
    primary, measure, draws = posterior.primary, posterior.measures[posterior.primary], posterior.draws
    span = knowledge.monitoring["look_ahead"].value
    untreated = replace(draws, modes=np.zeros_like(draws.modes), relative=np.ones_like(draws.relative))
    doses = planned(course.daily, span, course.route, first=0.0, until=span, length=None)
    peak = visible(measure, predict(untreated, doses, np.arange(0.0, span, 1.0)).capacity[primary]).max(axis=1)
    return np.asarray(peak / visible(measure, draws.level[:, primary]) - 1.0)


def _response(
    gain: FloatArray, seen: str, knowledge: Knowledge, posterior: Posterior
) -> tuple[Response, tuple[Finding, ...]]:
    """The class of the peak gain over untreated strength, and which definition was used.

    A draw of a model without response has no gain, whatever the regimen.
    """
    own = np.where(posterior.draws.responds, gain, 0.0)
    chances = tuple((kind.name, float(np.mean(_inside(own, kind)))) for kind in knowledge.classes)
    name, probability = max(chances, key=lambda chance: chance[1])
    kind = next(kind for kind in knowledge.classes if kind.name == name)
    bounds: Facts = {"class": name, "low": kind.low.value, "high": kind.high.value if kind.high else None, "seen": seen}
    definition = Finding("response.definition", bounds, source=kind.low.source, status=kind.low.status)
    silent = float(np.mean(~posterior.draws.responds))
    middle = float(np.median(own))
    facts: Facts = {
        "class": name,
        "probability": probability,
        "gain": middle,
        "seen": seen,
        "bound": knowledge.classes[0].high.value if knowledge.classes[0].high else None,
        "no_response": silent,
    }
    finding = Finding("response.class", facts, (definition, *cautions(knowledge, "response.class")))
    return Response(name, probability, chances, middle), (finding,)


def _inside(gain: FloatArray, kind: ResponseClass) -> npt.NDArray[np.bool_]:
    high = np.inf if kind.high is None else kind.high.value
    return (gain >= kind.low.value) & (gain < high)


@dataclass(frozen=True, slots=True)
class Decisive:
    """What decides about a regimen, by draw: trough [unit of the measure], swing [1], first day below the floor [d]."""

    trough: FloatArray
    swing: FloatArray
    day_below: FloatArray


def decisive(draws: Draws, primary: int, measure: Measure, current: InForce, floor: float, rules: Rules) -> Decisive:
    """The quantities `watch` decides by, draw by draw, for one regimen and a floor [unit of the measure]."""
    course = _steady(draws, primary, measure, current, rules["look_ahead"].value)
    below = np.full(course.peak.size, as_capacity(measure, floor))
    return Decisive(course.trough, course.swing, _first_below(course, below))
