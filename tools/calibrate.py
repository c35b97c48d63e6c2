"""Simulation-based calibration on many people: writes docs/measured/calibration.md and calibration-nuts.md.

Each person's result is one line in out/calibration, so that a run can be stopped and continued; lines belong to one state
of the code and of the knowledge. Lines of another state are taken over (--carry-on) where people of it, computed again by
the present code, give the same numbers; the page says how many were taken over, and how many came out the same.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from ranvier.cohort.calibration import ACCEPT, DESIGNS, KEEP, TUNE, draw_case, places, places_by_nuts
from ranvier.estimation.posterior import DRAWS
from ranvier.evidence import load
from ranvier.ground.work import one_thread
from ranvier.report import diagnostic_charts as charts
from ranvier.report import svg

ROOT = Path(__file__).resolve().parents[1]
SOURCES = (
    "estimation/*.py",
    "kinetics/*.py",
    "response/*.py",
    "monitoring/watch.py",
    "cohort/calibration.py",
    "cohort/misspecified.py",
    "knowledge/populations/*",
    "knowledge/monitoring/*",
    "knowledge/scales/*",
    "knowledge/cohort/truths.yaml",
)
SEED = 2026
BINS = 20
LEVEL = 0.01
PEOPLE = 2000  # of each design
CHUNK = 20  # people of one design before the next design's turn
BY_NUTS = ("pk", "joint", "k-pd")  # designs that are fitted by NUTS alone as well
AGAIN = 10  # people of each file that are computed again before the file is taken over


FloatArray = npt.NDArray[np.float64]


def state() -> str:
    """Digest of the code and the knowledge that the results depend on."""
    sha = hashlib.sha256()
    for pattern in SOURCES:
        for path in sorted((ROOT / "src" / "ranvier").glob(pattern)):
            sha.update(path.read_bytes())
    return sha.hexdigest()[:10]


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Whole lines of a results file; one that was cut off when the run was stopped is left out."""
    lines = []
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                lines.append(json.loads(line))
            except json.JSONDecodeError:
                continue
    return lines


Task = tuple[str, bool, int]
"""Design, whether by NUTS alone, number of the person."""


def tasks(people: int, by_nuts: int) -> Iterator[Task]:
    """All of them, in an order that keeps the designs level."""
    for first in range(0, max(people, by_nuts), CHUNK):
        for design in DESIGNS:
            for nuts, most in ((False, people), (True, by_nuts if design in BY_NUTS else 0)):
                yield from ((design, nuts, number) for number in range(first, min(first + CHUNK, most)))


def one(task: Task) -> dict[str, Any]:
    """One person's result, as a line of the file."""
    design, nuts, number = task
    knowledge, which = load(), list(DESIGNS).index(design)
    case = draw_case(DESIGNS[design], knowledge, np.random.default_rng([SEED, which, number]))
    result = (places_by_nuts if nuts else places)(case, knowledge, 10 * number + which)
    return {"person": number} | dataclasses.asdict(result)


def run(folder: Path, people: int, by_nuts: int, workers: int | None, minutes: float) -> None:
    """All that is still missing, or as much of it as can be done in so many minutes."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {(d, nuts): folder / f"{d}{'-nuts' if nuts else ''}.jsonl" for d in DESIGNS for nuts in (False, True)}
    done = {key: {line["person"] for line in read_lines(path)} for key, path in paths.items()}
    missing = [t for t in tasks(people, by_nuts) if t[2] not in done[t[0], t[1]]]
    begin = time.perf_counter()
    with ProcessPoolExecutor(workers, initializer=one_thread) as pool:
        count = 0
        for first in range(0, len(missing), CHUNK):
            part = missing[first : first + CHUNK]
            for task, result in zip(part, pool.map(one, part), strict=True):
                with paths[task[:2]].open("a", encoding="utf-8") as file:
                    file.write(json.dumps(result) + "\n")
            count += len(part)
            spent = (time.perf_counter() - begin) / 60
            print(f"{count} of {len(missing)} people, {spent:.0f} min, about {spent / count * (len(missing) - count):.0f} min left",
                  flush=True)  # fmt: skip
            if spent > minutes:
                break


def carry_on(folder: Path, older: Path, workers: int | None) -> None:
    """Take over what is missing from another state of the code, file by file; some people of each are computed again.

    At least half of these must come out the same to the last digit: kernels that were compiled in a process and kernels read
    from the cache may differ in the last bit, which chains make large, so not all of them do.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(workers, initializer=one_thread) as pool:
        for design in DESIGNS:
            for nuts in (False, True):
                name = f"{design}{'-nuts' if nuts else ''}.jsonl"
                there = {line["person"] for line in read_lines(folder / name)}
                lines = [line for line in read_lines(older / name) if line["person"] not in there]
                some = lines[:: max(len(lines) // AGAIN, 1)][:AGAIN]
                if not some:
                    continue
                again = list(pool.map(one, [(design, nuts, line["person"]) for line in some]))
                same = sum(_numbers(was) == _numbers(now) for was, now in zip(some, again, strict=True))
                if 2 * same < len(some):
                    raise SystemExit(f"{name}: {same} of {len(some)} people give the numbers of before; begin anew")
                apart = max(_apart(was, now) for was, now in zip(some, again, strict=True))
                mark = {"from": older.name, "again": len(some), "same": same, "apart": apart}
                with (folder / name).open("a", encoding="utf-8") as file:
                    file.writelines(json.dumps(mark | line) + "\n" for line in lines)
                print(
                    f"{name}: {len(lines)} people taken over; {same} of {len(some)} the same, {apart:.3f} apart",
                    flush=True,
                )


def _numbers(line: dict[str, Any]) -> str:
    """A line without what may differ from run to run."""
    return json.dumps({key: value for key, value in line.items() if key != "seconds"})


def _apart(one_: dict[str, Any], other: dict[str, Any]) -> float:
    """The largest difference between two places of the same truth."""
    kinds = ("parameters", "decisions")
    return max(abs(float(value) - float(other[kind][name])) for kind in kinds for name, value in one_[kind].items())


TITLES = {
    "pk": "IgG alone",
    "joint": "IgG and daily strength",
    "k-pd": "Daily strength without IgG (K-PD)",
    "visits": "IgG and strength on infusion days only",
}
GROUPS = 10  # of stated chances


def _column(lines: list[dict[str, Any]], kind: str) -> dict[str, FloatArray]:
    """Places by name, over all people in whose explanation the name occurs."""
    names = list(dict.fromkeys(name for line in lines for name in line[kind]))
    return {n: np.array([line[kind][n] for line in lines if n in line[kind]]) for n in names}


def _tests(places_: dict[str, FloatArray]) -> list[tuple[str, FloatArray, float, float]]:
    """(name, places, p by Kolmogorov and Smirnov, p by chi-square over 20 bins)."""
    rows = []
    for name, u in places_.items():
        counts, _ = np.histogram(u, bins=BINS, range=(0.0, 1.0))
        rows.append((name, u, float(stats.kstest(u, "uniform").pvalue), float(stats.chisquare(counts).pvalue)))
    return rows


def _table(rows: list[tuple[str, FloatArray, float, float]]) -> list[str]:
    out = [
        "| quantity | people | in 50 % interval | in 90 % interval | mean place | p (KS) | p (chi²) |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for name, u, ks, chi in rows:
        half, most = np.mean((u > 0.25) & (u < 0.75)), np.mean((u > 0.05) & (u < 0.95))
        out.append(f"| {name} | {u.size} | {half:.3f} | {most:.3f} | {u.mean():.3f} | {ks:.3f} | {chi:.3f} |")
    return out


def _chances(stated: FloatArray, came: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, list[int], float]:
    """Groups of equal width: mean stated chance, share that came true, its error, people; and z of the whole."""
    group = np.minimum((stated * GROUPS).astype(int), GROUPS - 1)
    kept = [g for g in range(GROUPS) if np.sum(group == g) >= 5]
    p = np.array([stated[group == g].mean() for g in kept])
    f = np.array([came[group == g].mean() for g in kept])
    n = [int(np.sum(group == g)) for g in kept]
    error = np.array(
        [np.sqrt(np.mean(stated[group == g] * (1 - stated[group == g])) / k) for g, k in zip(kept, n, strict=True)]
    )
    variance = np.sum(stated * (1.0 - stated))
    z = float(np.sum(came - stated) / np.sqrt(variance)) if variance > 0 else 0.0
    return p, f, error, n, z


def verdict(tests: list[tuple[str, float]]) -> tuple[list[str], list[tuple[str, float]]]:
    """What all tests (name, p) say together, as lines; and those that fail after Holm's correction."""
    tests = sorted(tests, key=lambda t: t[1])
    failing = [t for i, t in enumerate(tests) if t[1] < LEVEL / (len(tests) - i)]
    said = (
        f"Of {len(tests)} tests none fails at {LEVEL:g} after Holm's correction for their number"
        if not failing
        else f"Of {len(tests)} tests {len(failing)} fail at {LEVEL:g} after Holm's correction: "
        + "; ".join(f"{n} (p {p:.1e})" for n, p in failing)
    )
    smallest = ", ".join(f"{p:.2g} ({n})" for n, p in tests[:3])
    return [
        f"**{said}.** Smallest p: {smallest}; the smallest of {len(tests)} would be about {1 / (len(tests) + 1):.1g} if all were "
        "well.",
        "",
    ], failing


def head(folder: Path, command: str, files: list[str]) -> list[str]:
    """How the page came to be."""
    taken = [(file, line) for file in files for line in read_lines(folder / file) if "from" in line]
    marks = list(dict(taken).values())
    older = [
        f"{len(taken)} of the people were computed by an earlier state of the code ({', '.join({m['from'] for m in marks})}). "
        f"Of {sum(m['again'] for m in marks)} of them that were computed again {sum(m['same'] for m in marks)} gave the same "
        f"numbers to the last digit; no place of the others moved by more than {max(m['apart'] for m in marks):.3f} (chains "
        "enlarge a last bit, in which kernels just compiled and kernels read from the cache may differ).",
        "",
    ] if marks else []  # fmt: skip
    return [
        f"Made by `{command}` on {date.today().isoformat()}, seed {SEED}, code and knowledge {folder.name}. "
        "Simulated people; no person's data.",
        "",
        "A person is drawn from our own prior (which of the four explanations holds, and its parameters), measured as the "
        "design says with the model's own errors, and fitted as a real person would be. Where the truth lies among the "
        "posterior draws must then be uniform between 0 and 1. Grey: where 99 of 100 bars would stay.",
        "",
        *older,
    ]


def draw(out: Path, name: str, spec: dict[str, Any], title: str) -> str:
    """A picture beside the page; returns the line that shows it."""
    drawn = svg.alone(spec, key=name, title=title, description="Simulated people.")
    (out / "calibration").mkdir(exist_ok=True)
    (out / "calibration" / f"{name}.svg").write_text(drawn, "utf-8", newline="\n")
    return f"![Places of the truth, {title}](calibration/{name}.svg)"


def whole_page(folder: Path, out: Path) -> list[tuple[str, float]]:
    """Write the page on the whole estimate and its pictures; returns the tests that fail, with their p."""
    tests: list[tuple[str, float]] = []
    parts: list[str] = []
    for design, title in TITLES.items():
        lines = read_lines(folder / f"{design}.jsonl")
        if not lines:
            continue
        parameters, decisions = _tests(_column(lines, "parameters")), _tests(_column(lines, "decisions"))
        tests += [(f"{title}: {n}", p) for n, _, ks, chi in parameters + decisions for p in (ks, chi)]
        k = np.array([line["pareto_k"] for line in lines])
        sampled = np.mean([line["sampler"] == "nuts" for line in lines])
        said, chance_rows, drawn = [], [], []
        for what, p_name, y_name in (
            ("trough above the floor", "p_above", "above"),
            ("strength responds", "p_responds", "responds"),
        ):
            stated = np.array([line[p_name] for line in lines])
            came = np.array([float(line[y_name]) for line in lines])
            p, f, error, n, z = _chances(stated, came)
            tests.append((f"{title}: chance that {what}", float(2 * stats.norm.sf(abs(z)))))
            said.append(f"{what}: z {z:+.2f}, Brier score {np.mean((stated - came) ** 2):.3f}")
            chance_rows += [
                f"| {what} | {a:.2f} | {b:.2f} | {c:.2f} | {m} |" for a, b, c, m in zip(p, f, error, n, strict=True)
            ]
            drawn.append(charts.reliability(p, f, error, n, what))
        seconds = float(np.median([line["seconds"] for line in lines]))
        parts += [
            f"## {title}",
            "",
            f"{len(lines)} people, all four explanations fitted and mixed for each; median {1e3 * seconds:.0f} ms a person on one "
            f"core. k̂ median {np.median(k):.2f}, 95th centile {np.quantile(k, 0.95):.2f}; full sampling took over in "
            f"{100 * sampled:.1f} %.",
            "",
            draw(out, f"{design}-ranks", charts.ranks({n: u for n, u, _, _ in parameters + decisions}), title),
            "",
            *_table(parameters + decisions),
            "",
            f"Stated chances beside what came true ({'; '.join(said)}):",
            "",
            draw(out, f"{design}-chances", charts.beside(drawn), title).replace(
                "Places of the truth", "Stated chances"
            ),
            "",
            "| event | stated | came true | expected error | people |",
            "|---|--:|--:|--:|--:|",
            *chance_rows,
            "",
        ]
    if not parts:
        return []
    said, failing = verdict(tests)
    fewest = min(len(read_lines(folder / f"{design}.jsonl")) for design in DESIGNS)
    if fewest < PEOPLE:
        said += [
            f"**{fewest} of {PEOPLE} people a design were reached** when this page was written; `make calibration` goes on.",
            "",
        ]
    top = [
        "# Would our intervals tell the truth?",
        "",
        *head(folder, "make calibration", [f"{design}.jsonl" for design in DESIGNS]),
        *said,
        "Parameters are held against draws under the true explanation, what decides against the mixture of all four. The whole "
        "estimate is Laplace's approximation corrected by importance sampling (PSIS); how often full sampling took over "
        "stands with each design. The No-U-Turn sampler by itself: [calibration-nuts](calibration-nuts.md).",
        "",
        "The estimate is taken as the models give it: recorded days of infusions are not doubted, and forecasts are not widened by "
        "past errors, as a plan does besides (ADR 0037, 0015, 0053).",
        "",
        "What this cannot show: whether the priors are right, and whether people are like any of the four explanations. "
        "For that see [misspecification](misspecification.md).",
        "",
    ]
    (out / "calibration.md").write_text("\n".join(top + parts), "utf-8", newline="\n")
    return failing


def nuts_page(folder: Path, out: Path) -> list[tuple[str, float]]:
    """Write the page on NUTS alone and its pictures; returns the tests that fail, with their p."""
    tests: list[tuple[str, float]] = []
    parts: list[str] = []
    for design in BY_NUTS:
        lines, title = read_lines(folder / f"{design}-nuts.jsonl"), TITLES[design]
        if not lines:
            continue
        rows = _tests(_column(lines, "parameters") | _column(lines, "decisions"))
        tests += [(f"{title}: {n}", p) for n, _, ks, chi in rows for p in (ks, chi)]
        rhat = np.array([line["rhat"] for line in lines])
        parts += [
            f"## {title}",
            "",
            f"{len(lines)} people; R-hat at most 1.01 in {100 * np.mean(rhat <= 1.01):.0f} %, 99th centile "
            f"{np.quantile(rhat, 0.99):.3f}, largest {rhat.max():.3f}; divergences in "
            f"{sum(line['divergences'] > 0 for line in lines)} people.",
            "",
            draw(out, f"{design}-nuts-ranks", charts.ranks({n: u for n, u, _, _ in rows}), f"{title}, by NUTS"),
            "",
            *_table(rows),
            "",
        ]
    if not parts:
        return []
    said, failing = verdict(tests)
    fewest = min(len(read_lines(folder / f"{design}-nuts.jsonl")) for design in BY_NUTS)
    if fewest < PEOPLE:
        said += [
            f"**{fewest} of {PEOPLE} people a model were reached** when this page was written. `make calibration` goes on where "
            "a run was stopped, if code and knowledge are the same; otherwise it begins anew. 2000 people of each model take "
            "about 100 minutes of two busy cores.",
            "",
        ]
    top = [
        "# Would the intervals of NUTS tell the truth?",
        "",
        *head(folder, "make calibration", [f"{design}-nuts.jsonl" for design in BY_NUTS]),
        *said,
        "All draws by the No-U-Turn sampler under the true explanation: four chains of "
        f"{TUNE} draws to warm up and {KEEP} kept, on parameters whitened by the curvature at the optimum, target "
        f"acceptance {ACCEPT:g}; {DRAWS} of them, evenly spaced, give the place of the truth. "
        "R-hat is the largest over all parameters (rank-normalised, split and folded).",
        "",
    ]
    (out / "calibration-nuts.md").write_text("\n".join(top + parts), "utf-8", newline="\n")
    return failing


def main() -> int:
    """Run what is missing, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=PEOPLE, help="simulated people for each design")
    parser.add_argument("--nuts", type=int, default=PEOPLE, help="simulated people for each model fitted by NUTS alone")
    parser.add_argument("--workers", type=int, help="processes (default: one per core)")
    parser.add_argument(
        "--minutes", type=float, default=float("inf"), help="stop after so many; the same command goes on"
    )
    parser.add_argument("--folder", type=Path, help="where results are kept (default: out/calibration/STATE)")
    parser.add_argument(
        "--carry-on", type=Path, metavar="FOLDER", help="take over what an earlier state of the code computed"
    )
    parser.add_argument("--run-only", action="store_true", help="run, and write no page")
    parser.add_argument("--page-only", action="store_true", help="write the page from what is there")
    chosen = parser.parse_args()
    folder = chosen.folder or ROOT / "out" / "calibration" / state()
    if chosen.carry_on:
        carry_on(folder, chosen.carry_on, chosen.workers)
    if not chosen.page_only:
        run(folder, chosen.people, chosen.nuts, chosen.workers, chosen.minutes)
    if chosen.run_only:
        return 0
    out = ROOT / "docs" / "measured"
    failing = whole_page(folder, out) + nuts_page(folder, out)
    print(
        "docs/measured/calibration.md and calibration-nuts.md written;",
        "; ".join(f"{n}: p {p:.1e}" for n, p in failing) or "nothing fails",
    )
    return int(bool(failing))


if __name__ == "__main__":
    sys.exit(main())
