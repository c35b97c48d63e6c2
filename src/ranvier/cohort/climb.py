"""The sourced ladder as a policy: the chart's alarms and one change at a time, as knowledge/ladder has it, without a model.

Wearing-off: a week sooner first, then a fifth more. A fall on all days: back to what was given before the last reduction, else a
fifth more. Quiet for as many cycles as a change is held: a fifth less, and back for good where it does not hold.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from ranvier.cohort.nouns import Order, Seen, per_week
from ranvier.cohort.people import nearest
from ranvier.estimation.courses import InForce
from ranvier.evidence.nouns import Knowledge
from ranvier.monitoring import kernels as C
from ranvier.monitoring.change import followed, shape_of
from ranvier.regimen.ladder import cycles_held
from ranvier.regimen.nouns import Regimen

WEEK = 7
FEWEST = 5  # values for the mean of the last week


@dataclass(frozen=True, slots=True)
class Climb:
    """sizes : of the vials [g]; shortest [d], least and most [g/kg] : within which it stays."""

    knowledge: Knowledge
    sizes: tuple[float, ...]
    shortest: float
    least: float
    most: float
    id: str = "climb"
    steady: bool = False

    def decide(self, seen: Seen, day: float) -> Order:
        """One step, or none while the last one is held."""
        now = seen.in_force
        if now.grams == 0:
            return Order(now)
        changes = [(at, order) for at, order in seen.orders if order.why not in ("holds", "waits")]
        since = day - changes[-1][0] if changes else math.inf
        fall, off, late = self._look(seen, day)
        failed = any(order.why == "back" for _, order in changes)
        if fall and changes and changes[-1][1].why == "less" and changes[-1][1].memo is not None:
            return Order(changes[-1][1].memo, why="back")
        if since < cycles_held(self.knowledge)[0] * now.interval_days:
            return Order(now, why="waits")
        low = late is not None and late < seen.floor
        if (off or low) and changes and changes[-1][1].why == "less" and changes[-1][1].memo is not None:
            return Order(changes[-1][1].memo, why="back")
        if (off or low) and now.interval_days - WEEK >= self.shortest:
            return Order(replace(now, interval_days=now.interval_days - WEEK), why="sooner")
        if fall or off or low:
            more = self._dosed(now, now.grams * (1.0 + self._step), seen.weight)
            return Order(more, why="more") if per_week(more) > per_week(now) else Order(now, why="holds")
        if late is not None and not failed:
            less = self._dosed(now, now.grams * (1.0 - self._step), seen.weight)
            if per_week(less) < per_week(now):
                return Order(less, why="less", memo=now)
        return Order(now, why="holds")

    @property
    def _step(self) -> float:
        return next(limit.number.value for limit in self.knowledge.limits if limit.id == "dose_step")

    def _look(self, seen: Seen, day: float) -> tuple[bool, bool, float | None]:
        """Whether the level has fallen, whether strength wears off, and the mean of the last week before today."""
        days, values = seen.strength_days, seen.strength
        last = values[days > day - WEEK]
        late = float(np.mean(last)) if last.size >= FEWEST else None
        starts = seen.dose_days[np.flatnonzero(np.diff(seen.dose_days, prepend=-9.0) > 1)]
        number = np.searchsorted(starts, days, side="right") - 1
        used = (number >= 0) & (values > 0)
        if used.sum() < FEWEST:
            return False, False, late
        now = seen.in_force
        regimen = InForce(now.product, now.route, (now.grams,), float(now.interval_days), date.min, None, (), 9, 9)
        shape = shape_of(regimen, self.knowledge)
        within = days[used] - starts[number[used]]
        column = np.zeros(within.size) if shape is None else np.interp(within, np.arange(shape.size) / 2.0, shape)
        state, raised = followed(
            days[used], np.log(values[used]), column, number[used].astype(np.int64), self.knowledge
        )
        asked = seen.orders[-1][0] if seen.orders else -math.inf
        fresh = days[used] > asked
        back = (raised == C.BACK) & fresh
        fall = bool(((raised == C.FALL) & fresh).any()) and not bool(back.any())
        return fall, bool(state[-1, 6] >= self.knowledge.monitoring["chart_wearing_off"].value), late

    def _dosed(self, now: Regimen, grams: float, weight: float) -> Regimen:
        whole = nearest(min(max(grams, self.least * weight), self.most * weight), self.sizes)
        days = max(1, math.ceil(whole / weight - 0.1))
        return replace(now, grams=whole, days=days, vials=())
