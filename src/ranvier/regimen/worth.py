"""What to measure next: by how much one more measurement would improve this very decision (preposterior analysis).

Each draw of the posterior is taken in turn as if it were the truth: the measurement is invented from it, the draws are weighed
by how well they explain what was invented, and the option is chosen that is best by those weights. What the choice loses less
than today's choice, averaged over the invented measurements, is the measurement's worth (the expected value of sample
information). The choice is made with one half of the draws and judged by the other, and the other way round: with the same
draws it would praise itself.

Left out: the trouble of measuring, what a measurement would teach for later decisions, and the tails of errors (taken as
normal). Values of one week are taken together, as their mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from ranvier.estimation.courses import WEEK
from ranvier.estimation.nouns import Draws, FloatArray, Posterior
from ranvier.evidence.nouns import Knowledge
from ranvier.ground.findings import Fact, Finding
from ranvier.regimen.nouns import Measurement
from ranvier.regimen.ranking import ERRORS, Asked, Looked, Ranking

SEED = 20  # the same posterior gives the same answer
INVENTED = 250  # measurements invented for each design
SHOWN = 3
LEAST = 0.005  # a gain in loss below this is none: half a percentage point of being below the floor
SPREAD_OF_VOLUME = "central_volume"


@dataclass(frozen=True, slots=True)
class Design:
    """One possible measurement: what it would show under each draw.

    what : igg | strength | longer_interval; day, last : first and last day from today; after : day of the next cycle
    every : days between values (0: one value); interval : from the next course to the one after it [d]
    middle : n × P, expected log values by draw and point; spread : P, SD of their errors on that scale
    """

    what: str
    day: int
    last: int
    after: int
    every: int
    interval: int
    middle: FloatArray
    spread: FloatArray


def worth(
    asked: Asked, looked: Sequence[Looked], rank: Ranking | None
) -> tuple[tuple[Measurement, ...], tuple[Finding, ...]]:
    """The measurements worth most, best first, at most three; and what could be gained at all.

    Nothing where no regimen is in force, or where fewer than two options are open.
    """
    if asked.current is None or not asked.posterior.measures[asked.posterior.primary].n:
        return (), ()
    # Where nothing may be proposed yet, the question is which of the allowed regimens a measurement would speak for.
    open_ = [one for one in looked if (one.eligible if rank is not None else one.allowed)]
    if len(open_) < 2:
        return (), ()
    rng = np.random.default_rng(SEED)
    loss = np.column_stack([one.result.loss for one in open_])
    now = _chosen(loss, looked, open_, rank)
    most = float(np.mean(loss[:, now]) - np.mean(loss.min(axis=1)))
    if most < LEAST:
        return (), (Finding("worth.settled", {"most": most}, status="design"),)
    picked = rng.choice(len(loss), size=min(INVENTED, len(loss)), replace=False)
    found = []
    for design in designs(asked, looked):
        gain, error, changes = gain_of(design.middle, design.spread, loss, now, picked, rng)
        found.append(_measurement(design, gain, error, changes, most, asked))
    told = [m for m in sorted(found, key=lambda m: -m.gain) if m.gain > max(ERRORS * m.gain_se, LEAST)]
    facts: dict[str, Fact] = {"most": most}
    if not told:
        return (), (Finding("worth.none", facts, status="design"),)
    return tuple(told[:SHOWN]), (Finding("worth.most", facts, status="design"),)


def gain_of(
    middle: FloatArray, spread: FloatArray, loss: FloatArray, now: int, picked: np.typing.NDArray[np.int64],
    rng: np.random.Generator,
) -> tuple[float, float, float]:  # fmt: skip
    r"""Expected gain of a measurement, its Monte-Carlo error, and how often it would change the choice.

    .. math:: G = E_y\left[ E_{\theta | y} L(a_0) - E_{\theta | y} L\left(a^*(y)\right) \right]

    Parameters
    ----------
    middle : expected log values, draws × points [1]
    spread : SD of their errors, by point [1]
    loss : of each option, draws × options [1]
    now : index of the option chosen today [1]
    picked : draws from which measurements are invented [1]

    References
    ----------
    Raiffa H, Schlaifer R. Applied Statistical Decision Theory, 1961, chapter 4 (preposterior analysis).
    """
    order = rng.permutation(len(loss))
    place = np.argsort(order)[picked]  # where the draws that are taken as the truth stand after mixing
    scaled, loss = (middle / spread)[order], loss[order]
    seen = scaled[place] + rng.standard_normal((picked.size, spread.size))
    weight = seen @ scaled.T
    weight -= 0.5 * np.sum(scaled**2, axis=1)
    weight[np.arange(picked.size), place] = -np.inf  # a draw must not recognise itself
    weight -= weight.max(axis=1, keepdims=True)
    np.exp(weight, out=weight)
    middle_of = len(loss) // 2
    means = []
    for part in (slice(0, middle_of), slice(middle_of, None)):
        w = weight[:, part]
        means.append((w @ loss[part]) / np.maximum(w.sum(axis=1, keepdims=True), 1e-300))
    rows = np.arange(picked.size)
    gains, changed = np.zeros(picked.size), np.zeros(picked.size)
    for choosing, judging in (means, means[::-1]):
        best = np.argmin(choosing, axis=1)
        gains += 0.5 * (judging[:, now] - judging[rows, best])
        changed += 0.5 * (best != now)
    return float(gains.mean()), float(gains.std() / np.sqrt(picked.size)), float(changed.mean())


def designs(asked: Asked, looked: Sequence[Looked]) -> Iterator[Design]:
    """IgG on some days of the next cycle, strength at some rhythms, and once a longer interval where that may be proposed."""
    posterior, rules = asked.posterior, asked.knowledge.monitoring
    now = next(one for one in looked if one.candidate.action == "no_change").result
    first, interval = now.plan.first, now.plan.candidate.regimen.interval_days
    days = [0, *(round(rules[name].value) for name in ("igg_after", "igg_middle", "igg_late"))]
    own, extra = _own_igg(posterior, asked.knowledge)
    for after in days:
        if after < interval and first + after < now.excess.shape[1]:
            total = own + np.maximum(now.excess[:, first + after], 0.0)
            yield Design(
                "igg",
                first + after,
                first + after,
                after,
                0,
                interval,
                np.log(total)[:, None],
                _igg_error(total, extra, asked),
            )
    capacity = now.capacity[posterior.primary]
    for every in (round(rules[name].value) for name in ("grip_often", "grip_some", "grip_seldom")):
        yield _strength("strength", capacity, first, first + interval, every, posterior)
    longer = next((one for one in looked if one.candidate.action == "longer_interval" and one.eligible), None)
    if longer is not None:
        extended = longer.candidate.regimen.interval_days
        end = min(first + extended, longer.result.capacity.shape[2] - 1)
        often = round(rules["grip_often"].value)
        yield _strength("longer_interval", longer.result.capacity[posterior.primary], first, end, often, posterior)


def _strength(what: str, capacity: FloatArray, first: int, end: int, every: int, posterior: Posterior) -> Design:
    """Weekly means of log strength measured every so many days, from day `first` on; their errors are correlated in a week."""
    d, m = posterior.draws, posterior.primary
    end = min(end, capacity.shape[1])
    middle, spread = [], []
    level = np.median(capacity[:, first:end])
    sd = float(np.median(np.sqrt(d.sd[:, m] ** 2 + (d.add[:, m] / max(level, 1e-9)) ** 2)))
    persistence = float(np.median(d.persistence[:, m])) ** every
    for week in range(first, end, max(WEEK, every)):
        days = np.arange(week, min(week + max(WEEK, every), end), every)
        n = days.size
        lags = np.arange(1, n)
        variance = (n + 2.0 * np.sum((n - lags) * persistence**lags)) / n**2
        middle.append(np.log(np.maximum(capacity[:, days], 1e-9)).mean(axis=1))
        spread.append(sd * np.sqrt(variance))
    return Design(what, first, end - 1, 0, every, end - first, np.column_stack(middle), np.array(spread))


def _own_igg(posterior: Posterior, knowledge: Knowledge) -> tuple[FloatArray, float]:
    """Own IgG by draw [g/L], and the SD of the log that a level has beyond its own error where none was ever measured.

    Without a level, volumes stand at their typical value and own IgG is not among the parameters: a first level would have to
    teach those too, so it is taken as that much less exact.
    """
    draws: Draws = posterior.draws
    if posterior.has_igg:
        return draws.endogenous, 0.0
    own = knowledge.composite.parameters["endogenous"]
    volume = [p.parameters[SPREAD_OF_VOLUME].spread for p in knowledge.composite.kinetics]
    spreads = [own.spread, *volume]
    extra = float(np.sqrt(sum(s.value**2 for s in spreads[:2] if s is not None)))
    return np.full(draws.c50.size, own.typical.value), extra


def _igg_error(total: FloatArray, extra: float, asked: Asked) -> FloatArray:
    c = asked.knowledge.composite.constants
    level = float(np.median(total))
    own = c["igg_proportional"].value ** 2 + (c["igg_additive"].value / level) ** 2
    return np.array([np.sqrt(own + extra**2)])


def _chosen(loss: FloatArray, looked: Sequence[Looked], open_: Sequence[Looked], rank: Ranking | None) -> int:
    """Today's choice among the open options: the one proposed; else the best by expected loss."""
    if rank is not None:
        return next(i for i, one in enumerate(open_) if one is looked[rank.chosen])
    return int(np.argmin(loss.mean(axis=0)))


def _measurement(design: Design, gain: float, error: float, changes: float, most: float, asked: Asked) -> Measurement:
    share = min(max(gain / most, 0.0), 1.0)
    facts: dict[str, Fact] = {
        "on": (asked.at + timedelta(days=design.day)).isoformat(), "cycle_day": design.after, "interval": design.interval,
        "every": design.every, "weeks": max(round((design.last - design.day + 1) / WEEK), 1), "gain": gain, "se": error,
        "share": share, "p_change": changes, "measure": asked.posterior.measures[asked.posterior.primary].id,
    }  # fmt: skip
    name = design.what
    if design.what == "igg" and design.after == 0:
        name = "igg_before"
    elif design.what == "strength" and design.every == 1:
        name = "strength_daily"
    return Measurement(
        what=design.what,
        day=design.day,
        last_day=design.last,
        every_days=design.every,
        gain=gain,
        gain_se=error,
        share=share,
        p_change=changes,
        finding=Finding(f"worth.{name}", facts, status="computed"),
    )
