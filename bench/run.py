"""Measure what the program promises about speed, and write bench/latest.json.

Each figure is the median of several runs after a warm-up. The machines are shared and noisy: read ratios, and compare only
within one run. `ranvier` figures of whole commands are processes started anew.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from functools import partial
from importlib.resources import files
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.estimation.people import AT, Truth, someone  # noqa: E402
from tests.estimation.test_peers import BENCH, belief, people  # noqa: E402

from ranvier import record as record_room  # noqa: E402
from ranvier.decision import assess  # noqa: E402
from ranvier.estimation import estimate, history, kernels, model  # noqa: E402
from ranvier.estimation.nouns import Posterior  # noqa: E402
from ranvier.estimation.predict import FutureDoses, predict  # noqa: E402
from ranvier.estimation.sampling import importance  # noqa: E402
from ranvier.estimation.search import observed_curvature, search, starts  # noqa: E402
from ranvier.evidence import load  # noqa: E402
from ranvier.evidence.load import read as read_knowledge  # noqa: E402
from ranvier.ground import compiled  # noqa: E402

CASE = ROOT / "cases" / "wears-off-at-four-weeks.yaml"
CASE_AT = "2025-11-09"
RANVIER = Path(sys.executable).parent / "ranvier"

Row = dict[str, str | float | None]


def median_s(work: Callable[[], object], runs: int = 15) -> float:
    """Median seconds of `work` after one warm-up."""
    work()
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def row(name: str, value: float | None, unit: str, wanted: float | None, note: str) -> Row:
    """One figure, printed and kept."""
    shown = "not measured" if value is None else f"{value:.4g} {unit}"
    goal = "" if wanted is None else f"  (wanted at most {wanted:g})"
    print(f"{name:28} {shown:>16}{goal}  {note}", flush=True)
    return {
        "name": name,
        "value": None if value is None else float(f"{value:.4g}"),
        "unit": unit,
        "wanted": wanted,
        "note": note,
    }


def estimation() -> list[Row]:
    """One fit of 18 months of daily grip; one sparse fit; 1000 draws."""
    knowledge = load()
    person = someone(Truth(), days=546, n_igg=6)
    past = history.build(person, knowledge, AT)
    assert isinstance(past, history.History)
    candidate = model.candidates(past, knowledge, model.body_of(person, knowledge.composite, AT))[2]
    line = model.timeline(past)
    size = candidate.belief.centre.size
    gradient, hessian = np.empty(size), np.empty((size, size))

    def one_start() -> None:
        kernels.descend(candidate.belief.centre.copy(), line, candidate.belief, 200, 8.0, gradient, hessian)

    optimum = search(candidate, line)
    n = candidate.belief.free.size
    rows = [
        row("map_daily_18_months_ms", 1e3 * median_s(one_start), "ms", 3.0,
            f"26 infusions, 6 IgG, 546 daily grips, {n} parameters, two compartments; one start to convergence, one core"),
        row("map_daily_all_starts_ms", 1e3 * median_s(lambda: search(candidate, line)), "ms", None,
            f"the same with all {len(starts(candidate))} starts and the observed curvature, as a plan does it"),
        row("curvature_ms", 1e3 * median_s(lambda: observed_curvature(optimum.x, line, candidate.belief)), "ms", None,
            "observed curvature at the optimum from differences of the exact gradient"),
        row("posterior_ms", 1e3 * median_s(lambda: importance(candidate, line, optimum, np.random.default_rng(1))), "ms", 100.0,
            "importance sampling of that fit: 600 + 1400 proposals, smoothed, for 1000 draws; all cores"),
        row("estimate_ms", 1e3 * median_s(lambda: estimate(person, knowledge, at=AT, seed=1), 5), "ms", None,
            "the whole estimate of that person: two kinetics, with and without response, averaged"),
    ]  # fmt: skip
    if BENCH.exists():
        prior, everybody = belief(), [line for _, line in people()]
        g, h = np.empty(kernels.FIRST_MEASURE), np.empty((kernels.FIRST_MEASURE, kernels.FIRST_MEASURE))

        def all_of_them() -> None:
            for one in everybody:
                kernels.descend(prior.centre.copy(), one, prior, 200, 8.0, g, h)

        note = "10 infusions, 6 levels, two compartments; mean over the 200 people of ../shared/bench, one core"
        rows.append(row("map_sparse_us", 1e6 * median_s(all_of_them) / len(everybody), "us", 100.0, note))
    else:
        rows.append(row("map_sparse_us", None, "us", 100.0, "../shared/bench is not here"))
    return rows


def general() -> list[Row]:
    """The general engine on the problems of ../shared/bench, one core."""
    from tests.estimation import shared_bench

    if not shared_bench.BENCH.exists():
        wanted = (
            ("bench_pk_map_us", "us", 25.0),
            ("bench_pkpd_map_us", "us", 350.0),
            ("bench_sim_1000x180_ms", "ms", 12.0),
        )
        return [row(name, None, unit, most, "../shared/bench is not here") for name, unit, most in wanted]
    return [*_maps("pk", 25.0), *_maps("pkpd", 350.0), _simulation()]


def _maps(which: str, wanted: float) -> list[Row]:
    """Everybody's most probable etas: one search from the middle of the prior, and with all starts."""
    from tests.estimation import shared_bench

    from ranvier.estimation import individual_kernels as general_kernels
    from ranvier.estimation.individual import EXTRA_STARTS, MOST_EVALUATIONS, start_points

    problem = shared_bench.problem(which)
    n, size = len(problem), problem.most_etas
    eta, covariance = np.zeros((n, size)), np.zeros((n, size, size))
    value, count = np.zeros((n, 2)), np.zeros((n, 5), dtype=np.int64)
    points, desk = start_points(size), problem.desk()

    def fit(extra: int) -> None:
        general_kernels.fit_range(
            problem.structure, problem.cohort, problem.variability, problem.typical, 0, n, problem.moving, points, extra,
            MOST_EVALUATIONS, desk, eta, covariance, value, count,
        )  # fmt: skip

    seconds = median_s(partial(fit, 0), 31)
    off = float(np.abs(eta - shared_bench.reference(which)[0]).max())
    assert off < 1e-4, f"{which}: an eta is off by {off}"
    note = f"{n} people, {count[:, 0].mean():.1f} evaluations each, one core, warm; an eta differs by {off:.0e} at most"
    all_starts = median_s(partial(fit, EXTRA_STARTS), 3)
    return [
        row(f"bench_{which}_map_us", 1e6 * seconds / n, "us", wanted, note),
        row(f"bench_{which}_starts_us", 1e6 * all_starts / n, "us", None,
            f"the same with {EXTRA_STARTS + 1} starts and the screening of {len(points)}, as `ranvier fit` does it"),
    ]  # fmt: skip


def _simulation() -> Row:
    """Predictions of many virtual people under one schedule."""
    from tests.estimation import shared_bench

    from ranvier.estimation import individual_kernels as general_kernels

    problem, etas = shared_bench.year_half()
    desk, objective, f = problem.desk(), np.zeros(0), np.zeros((len(etas), 180))

    def simulate() -> None:
        general_kernels.look_at_rows(
            problem.structure, problem.cohort, 0, problem.variability, problem.typical, etas, 0, len(etas), problem.moving,
            desk, objective, f,
        )  # fmt: skip

    note = "1000 virtual people × 180 daily effects of the joint model, 35 g every ten days, one core, warm"
    return row("bench_sim_1000x180_ms", 1e3 * median_s(simulate, 31), "ms", 12.0, note)


def options() -> list[Row]:
    """100 regimens × 1000 draws × 26 weeks, daily."""
    knowledge = load()
    posterior = estimate(someone(Truth(), days=200), knowledge, at=AT, seed=1)
    assert isinstance(posterior, Posterior)
    days = np.arange(0.0, 183.0)
    regimens = [FutureDoses.of(np.arange(3.0, 182.0, float(step)), grams, length=0.2)
                for step in range(7, 57, 5) for grams in range(20, 120, 10)]  # fmt: skip
    assert len(regimens) == 100

    def all_of_them() -> None:
        for doses in regimens:
            predict(posterior.draws, doses, days)

    return [row("options_ms", 1e3 * median_s(all_of_them, 5), "ms", 1000.0,
                "100 regimens × 1000 draws × 26 weeks daily, infusions of five hours, all cores")]  # fmt: skip


def commands() -> list[Row]:
    """Whole commands, and assess in one process."""
    found, _ = record_room.read(CASE)
    knowledge = load()
    begin = time.perf_counter()
    assess(found, knowledge, at=date.fromisoformat(CASE_AT), seed=1)
    first = time.perf_counter() - begin
    warm = median_s(lambda: assess(found, knowledge, at=date.fromisoformat(CASE_AT), seed=1), 7)
    command = [str(RANVIER), "plan", str(CASE), "--at", CASE_AT, "--seed", "1", "--json"]

    # As people's machines are: Python keeps the byte code of its modules, and need not translate them each time.
    usual = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

    def plan() -> float:
        begin = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, env=usual)
        return time.perf_counter() - begin

    aside = compiled.FOLDER.with_suffix(".aside")
    shutil.move(compiled.FOLDER, aside)
    try:
        compiling = plan()
    finally:
        shutil.rmtree(compiled.FOLDER, ignore_errors=True)
        shutil.move(aside, compiled.FOLDER)
    cold = plan()
    return [
        row("plan_cold_s", cold, "s", 3.0, "whole command in a new process, the first after set-up has compiled the kernels"),
        row("plan_warm_s", statistics.median(plan() for _ in range(5)), "s", 3.0, "the same command again, median of 5 processes"),
        row("plan_compiling_s", compiling, "s", None, "the same with no compiled kernels: once per version, set-up does it"),
        row("assess_first_s", first, "s", None, "first assess in a process, kernels from disk"),
        row("assess_warm_s", warm, "s", 0.5, f"assess again in one process: {CASE.stem}, 252 days, two hands"),
    ]  # fmt: skip


def reading() -> list[Row]:
    """Reading all of knowledge/ anew, as each process does once."""
    seconds = median_s(lambda: read_knowledge(files("ranvier.knowledge")), 15)
    return [row("knowledge_read_ms", 1e3 * seconds, "ms", 60.0, "all files of knowledge/ read and checked anew")]


def localisation() -> list[Row]:
    """Median time of one localisation, tables made before."""
    from ranvier import anatomy
    from ranvier.anatomy.trial import bench_cases

    map_ = anatomy.load()
    rows = []
    for name, examination in bench_cases(map_):
        whole = name == "everything"
        rows.append(
            row(f"localise_{name}_ms", 1e3 * median_s(partial(anatomy.localise, examination, map_)), "ms", 50.0,
                f"{len(examination.findings)} grades, both sides, exact, one core"
                + ("; every muscle of the map, more than anyone examines" if whole else ""))
        )  # fmt: skip
    return rows


def virtual_nerve() -> list[Row]:
    """The virtual nerve beside NEURON; empty where the peer's module is not here."""
    if not (ROOT / "bench" / "nerve.py").exists():
        return []
    sys.path.insert(0, str(ROOT / "bench"))
    import nerve

    return [
        row(str(r["name"]), _number(r["value"]), str(r["unit"]), _number(r.get("wanted")), str(r["note"]))
        for r in nerve.rows()
    ]


def cohorts() -> list[Row]:
    """Virtual cohorts; their notes say what stands beside the clock."""
    sys.path.insert(0, str(ROOT / "bench"))
    import cohort

    return [
        row(str(r["name"]), _number(r["value"]), str(r["unit"]), _number(r.get("wanted")), str(r["note"]))
        for r in cohort.rows()
    ]


def _number(value: str | float | None) -> float | None:
    return float(value) if value is not None else None


def populations() -> list[Row]:
    """FOCEI of two public data sets from a guess, and full sampling of one person with daily grip."""
    from tests.estimation.golden import GOLDEN, basic, made

    from ranvier.estimation.population import fit_population
    from ranvier.estimation.population_space import Space
    from ranvier.estimation.sampling import nuts

    knowledge = load()
    person = someone(Truth(), days=182, n_igg=4)
    past = history.build(person, knowledge, AT)
    assert isinstance(past, history.History)
    candidate = model.candidates(past, knowledge, model.body_of(person, knowledge.composite, AT))[2]
    line = model.timeline(past)
    optimum = search(candidate, line)
    rows = [
        row("nuts_joint_daily_s", median_s(lambda: nuts(candidate, line, optimum, 1000, 1, k=0.0, keep=1000), 3), "s", 8.0,
            "NUTS, 4 chains x 1000 kept draws, 400 tuning steps: IgG and 182 daily grips, two compartments"),
    ]  # fmt: skip
    if not GOLDEN.exists():
        return [
            *rows,
            *(
                row(n, None, "s", w, "../shared/golden is not here")
                for n, w in (("focei_theophylline_s", 0.2), ("focei_turnover_s", 10.0))
            ),
        ]
    oral = {"absorption_rate": (1.0, 0.5), "central_volume": (0.5, 0.3), "clearance": (0.03, 0.3)}
    theophylline = basic(
        "theophylline", "one_compartment_oral", {n: {"typical": t, "spread": s} for n, (t, s) in oral.items()},
        {"concentration": {"error": "combined_sum", "additive": 0.5, "proportional": 0.1}}, columns={"DV": "CONC"},
    )  # fmt: skip
    start = {"transit_rate": 1.0, "absorption_rate": 1.0, "clearance": 0.1, "central_volume": 10.0, "ec50": 0.5, "kout": 0.05,
             "baseline": 100.0}  # fmt: skip
    turnover = basic(
        "warfarin", "one_compartment_transit",
        {n: {"typical": t, "spread": 0.7} for n, t in start.items()} | {"emax": {"scale": "logit", "typical": 0.8, "spread": 0.5}},
        {"concentration": {"error": "combined_root", "additive": 0.5, "proportional": 0.1},
         "response": {"error": "additive", "additive": 10.0}}, response="turnover_inhibit_production",
    )  # fmt: skip
    for name, path, it, wanted, runs in (
        ("focei_theophylline_s", "theophylline/data.txt", theophylline, 0.2, 5),
        ("focei_turnover_s", "warfarin-turnover/data.csv", turnover, 10.0, 1),
    ):
        space = Space(made(GOLDEN / path, it))
        found = fit_population(space, errors=False)
        seconds = median_s(lambda space=space: fit_population(space, errors=False), runs)  # type: ignore[misc]
        note = f"FOCEI from a guess, {len(space.problem)} people, {len(space)} numbers, objective {found.objective:.3f}; all cores"
        rows.append(row(name, seconds, "s", wanted, note))
    return rows


def main() -> int:
    print(f"{os.cpu_count()} cores; load {os.getloadavg()[0]:.1f} before the start\n")
    rows = [
        *estimation(),
        *general(),
        *options(),
        *commands(),
        *reading(),
        *localisation(),
        *virtual_nerve(),
        *cohorts(),
        *populations(),
    ]
    (ROOT / "bench" / "latest.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
