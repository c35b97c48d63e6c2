"""Virtual cohorts, timed. `rows()` for bench/run.py; alone: python bench/cohort.py

Rows {name, value, unit, wanted, note}. Processor time stands beside the clock where all cores work: on a shared machine the
clock measures the neighbours.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from ranvier.cohort.parts import Question, part, units  # noqa: E402
from ranvier.ground.work import Executor  # noqa: E402

Row = dict[str, str | float | None]
MODEL_PEOPLE = int(os.environ.get("BENCH_MODEL_PEOPLE", 1000))


def _row(name: str, value: float, unit: str, wanted: float | None, note: str) -> Row:
    return {"name": name, "value": float(f"{value:.4g}"), "unit": unit, "wanted": wanted, "note": note}


def _used() -> float:
    """Processor seconds of this process and of workers that have ended."""
    own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime


def _exponent(sizes: list[int], seconds: list[float]) -> float:
    """Slope of log time on log size."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def rows() -> list[Row]:
    """All figures; about a minute and a half on two free cores."""
    return [*_fixed(), *_model(), *_linear()]


def _fixed() -> list[Row]:
    part(Question("fixed"), 0, 10)
    clock, used = [], []
    for _ in range(3):
        begin, before = time.perf_counter(), time.process_time()
        part(Question("fixed"), 0, 10_000)
        clock.append(time.perf_counter() - begin)
        used.append(time.process_time() - before)
    note = "10,000 virtual people, fixed regimens, a year of daily strength, IgG and diary after 36 weeks before it; one core"
    return [
        _row("cohort_fixed_10000_s", min(clock), "s", 3.0, note),
        _row("cohort_fixed_10000_cpu_s", min(used), "s", None, "processor seconds of the same"),
    ]


def _model() -> list[Row]:
    people = MODEL_PEOPLE
    part(Question("model"), 0, 2)
    begin, before = time.perf_counter(), _used()
    with Executor() as executor:
        for _ in executor.run(units(Question("model"), people)):
            pass
    clock, used = time.perf_counter() - begin, _used() - before
    cores = os.cpu_count() or 1
    note = f"{people} virtual people, model-based dosing, a quick fit of all daily values and a proposal each month; all cores"
    return [
        _row("cohort_model_1000_s", clock * 1000 / people, "s", 60.0, f"{note}, starting workers included"),
        _row(
            "cohort_model_1000_cpu_s",
            used / cores * 1000 / people,
            "s",
            None,
            f"processor seconds of the same over {cores} cores",
        ),
    ]


def _linear() -> list[Row]:
    """Fitted exponents of processor time, best of several, in people and in observations."""

    def cpu(question: Question, people: int, repeat: int) -> float:
        best = np.inf
        for _ in range(repeat):
            begin = time.process_time()
            part(question, 0, people)
            best = min(best, time.process_time() - begin)
        return float(best)

    fixed, model = Question("fixed"), Question("model", years=0.5)
    part(model, 0, 2)
    many = [500, 1000, 2000, 4000]
    by_people = _exponent(many, [cpu(fixed, n, 4) for n in many])
    few = [20, 40, 80]
    by_people_model = _exponent(few, [cpu(model, n, 1) for n in few])
    years = [1, 2, 4, 8]
    days = [365 * y + 252 for y in years]
    by_days = _exponent(days, [cpu(replace(fixed, years=float(y)), 1000, 4) for y in years])
    note = "exponent of processor time over"
    return [
        _row("cohort_exponent_people", by_people, "1", 1.05, f"{note} {many[0]} to {many[-1]} people under fixed regimens"),
        _row("cohort_exponent_people_model", by_people_model, "1", 1.05,
             f"{note} {few[0]} to {few[-1]} people, model-based dosing"),
        _row("cohort_exponent_days", by_days, "1", 1.05, f"{note} {days[0]} to {days[-1]} days of daily values of 1000 people"),
        _row("fit_exponent_values", _fit_exponent(), "1", 1.05,
             "exponent of the time of a fit's objective with derivatives, 90 to 1440 daily values"),
    ]  # fmt: skip


def _fit_exponent() -> float:
    from datetime import timedelta

    from tests.estimation.people import START, Truth, someone

    from ranvier.estimation import history, kernels, model
    from ranvier.evidence import load

    knowledge = load()
    sizes, seconds = [90, 180, 360, 720, 1440], []
    for days in sizes:
        person, at = someone(Truth(), days=days), (START + timedelta(days=days)).date()
        past = history.build(person, knowledge, at)
        assert isinstance(past, history.History)
        candidate = model.candidates(past, knowledge, model.body_of(person, knowledge.composite, at))[2]
        line = model.timeline(past)
        size = candidate.belief.centre.size
        gradient, hessian = np.empty(size), np.empty((size, size))
        best = np.inf
        for _ in range(60):
            begin = time.perf_counter()
            kernels.misfit(candidate.belief.centre, line, candidate.belief, True, gradient, hessian)
            best = min(best, time.perf_counter() - begin)
        seconds.append(best)
    return _exponent(sizes, seconds)


def main() -> int:
    for r in rows():
        goal = "" if r["wanted"] is None else f"(wanted at most {r['wanted']:g})"
        print(f"{r['name']:30} {r['value']:>10g} {r['unit']} {goal} {r['note']}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
