"""Run simulation-based calibration on many people, and write docs/measured/calibration.md from the results.

Each person's result is one line in out/calibration, so that a run can be stopped and continued; lines belong to one state
of the code and of the knowledge, and are not used for another.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from ranvier.cohort.calibration import DESIGNS, draw_case, places, places_by_nuts
from ranvier.evidence import load
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
)
SEED = 2026
BINS = 20
LEVEL = 0.01
CHUNK = 20  # people of one design before the next design's turn


FloatArray = npt.NDArray[np.float64]


def state() -> str:
    """Digest of the code and the knowledge that the results depend on."""
    sha = hashlib.sha256(load().version.encode())
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


def tasks(people: int, by_nuts: int) -> Iterator[tuple[str, bool, int]]:
    """(design, whether by NUTS, number of the person), in an order that keeps all designs level."""
    for first in range(0, people, CHUNK):
        for design in DESIGNS:
            for number in range(first, min(first + CHUNK, people)):
                yield design, False, number
                if by_nuts and number % max(people // by_nuts, 1) == 0:
                    yield design, True, number


def run(folder: Path, people: int, by_nuts: int) -> None:
    """All that is still missing."""
    folder.mkdir(parents=True, exist_ok=True)
    knowledge = load()
    numbers = {d: n for n, d in enumerate(DESIGNS)}
    paths = {(d, nuts): folder / f"{d}{'-nuts' if nuts else ''}.jsonl" for d in DESIGNS for nuts in (False, True)}
    done = {key: {line["person"] for line in read_lines(path)} for key, path in paths.items()}
    missing = [t for t in tasks(people, by_nuts) if t[2] not in done[t[0], t[1]]]
    begin = time.perf_counter()
    for count, (design, nuts, number) in enumerate(missing, start=1):
        case = draw_case(DESIGNS[design], knowledge, np.random.default_rng([SEED, numbers[design], number]))
        seed = 10 * number + numbers[design]
        result = places_by_nuts(case, knowledge, seed) if nuts else places(case, knowledge, seed)
        with paths[design, nuts].open("a", encoding="utf-8") as file:
            file.write(json.dumps({"person": number} | dataclasses.asdict(result)) + "\n")
        if count % 100 == 0 or count == len(missing):
            spent = time.perf_counter() - begin
            left = spent / count * (len(missing) - count)
            print(f"{count} of {len(missing)} people, {spent / 60:.0f} min, about {left / 60:.0f} min left", flush=True)


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


def page(folder: Path, out: Path) -> list[tuple[str, float]]:
    """Write the page and its pictures; returns every test's name and p."""
    out.mkdir(parents=True, exist_ok=True)
    tests: list[tuple[str, float]] = []
    parts: list[str] = []
    for design, title in TITLES.items():
        lines, by_nuts = read_lines(folder / f"{design}.jsonl"), read_lines(folder / f"{design}-nuts.jsonl")
        if not lines:
            continue
        parameters, decisions = _tests(_column(lines, "parameters")), _tests(_column(lines, "decisions"))
        nuts_rows = _tests(_column(by_nuts, "parameters") | _column(by_nuts, "decisions"))
        tests += [(f"{title}: {n}", p) for n, _, ks, chi in parameters + decisions for p in (ks, chi)]
        tests += [(f"{title}, NUTS: {n}", p) for n, _, ks, chi in nuts_rows for p in (ks, chi)]
        k = np.array([line["pareto_k"] for line in lines])
        sampled = np.mean([line["sampler"] == "nuts" for line in lines])
        names = [f"{design}-ranks.svg", f"{design}-nuts-ranks.svg", f"{design}-chances.svg"]
        pictures = [
            charts.ranks({n: u for n, u, _, _ in parameters + decisions}),
            charts.ranks({n: u for n, u, _, _ in nuts_rows}),
        ]
        said = []
        chance_rows = []
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
            if what == "trough above the floor":
                first = charts.reliability(p, f, error, n, what)
            else:
                second = charts.reliability(p, f, error, n, what)
        pictures.append(charts.beside([first, second]))
        for name, spec in zip(names, pictures, strict=True):
            drawn = svg.alone(spec, key=name.split(".")[0], title=title, description="Simulated people.")
            (out / "calibration" / name).parent.mkdir(exist_ok=True)
            (out / "calibration" / name).write_text(drawn, "utf-8", newline="\n")
        seconds = float(np.median([line["seconds"] for line in lines]))
        parts += [
            f"## {title}",
            "",
            f"{len(lines)} people, all four explanations fitted and mixed for each; median {1e3 * seconds:.0f} ms a person on one "
            f"core. k̂ median {np.median(k):.2f}, 95th centile {np.quantile(k, 0.95):.2f}; full sampling took over in "
            f"{100 * sampled:.1f} %.",
            "",
            f"![Places of the truth, {title}](calibration/{names[0]})",
            "",
            *_table(parameters + decisions),
            "",
            f"Stated chances beside what came true ({'; '.join(said)}):",
            "",
            f"![Stated chances, {title}](calibration/{names[2]})",
            "",
            "| event | stated | came true | expected error | people |",
            "|---|--:|--:|--:|--:|",
            *chance_rows,
            "",
            f"By NUTS alone, under the true explanation, {len(by_nuts)} people (4 chains, 300 kept draws each); "
            f"R-hat at most 1.01 in {100 * np.mean([line['rhat'] <= 1.01 for line in by_nuts]):.0f} %, largest "
            f"{max(line['rhat'] for line in by_nuts):.3f}; divergences in "
            f"{sum(line['divergences'] > 0 for line in by_nuts)} people:",
            "",
            f"![Places of the truth by NUTS, {title}](calibration/{names[1]})",
            "",
            *_table(nuts_rows),
            "",
        ]
    tests.sort(key=lambda t: t[1])
    failing = [t for i, t in enumerate(tests) if t[1] < LEVEL / (len(tests) - i)]
    verdict = (
        f"Of {len(tests)} tests none fails at {LEVEL:g} after Holm's correction for their number"
        if not failing
        else f"Of {len(tests)} tests {len(failing)} fail at {LEVEL:g} after Holm's correction: "
        + "; ".join(f"{n} (p {p:.1e})" for n, p in failing)
    )
    head = [
        "# Would our intervals tell the truth?",
        "",
        f"Made by `make calibration` on {date.today().isoformat()}, seed {SEED}, code and knowledge {folder.name}. "
        "Simulated people; no person's data.",
        "",
        "A person is drawn from our own prior (which of the four explanations holds, and its parameters), measured as the "
        "design says with the model's own errors, and fitted as a real person would be. Where the truth lies among the "
        "posterior draws must then be uniform between 0 and 1, for each parameter under the true explanation and for what "
        "decides under the mixture. Grey: where 99 of 100 bars would stay.",
        "",
        f"**{verdict}.** Smallest p: "
        + ", ".join(f"{p:.2g} ({n})" for n, p in tests[:3])
        + f"; the smallest of {len(tests)} would be about {1 / (len(tests) + 1):.1g} if all were well.",
        "",
        "The whole estimate is Laplace's approximation corrected by importance sampling (PSIS); how often full sampling took over "
        "stands with each design. NUTS alone takes seconds a person, so it was run for fewer people, and with short chains: an "
        "R-hat above 1.01 is common at 300 kept draws.",
        "",
        "What this cannot show: whether the priors are right, and whether people are like any of the four explanations. "
        "For that see [misspecification](misspecification.md).",
        "",
    ]
    (out / "calibration.md").write_text("\n".join(head + parts), "utf-8", newline="\n")
    return failing


def main() -> int:
    """Run what is missing, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=2000, help="simulated people for each design")
    parser.add_argument("--nuts", type=int, default=500, help="of these, fitted by NUTS alone as well")
    parser.add_argument("--folder", type=Path, help="where results are kept (default: out/calibration/STATE)")
    parser.add_argument("--page-only", action="store_true", help="write the page from what is there")
    chosen = parser.parse_args()
    folder = chosen.folder or ROOT / "out" / "calibration" / state()
    if not chosen.page_only:
        run(folder, chosen.people, chosen.nuts)
    failing = page(folder, ROOT / "docs" / "measured")
    print("docs/measured/calibration.md written;", "; ".join(f"{n}: p {p:.1e}" for n, p in failing) or "nothing fails")
    return int(bool(failing))


if __name__ == "__main__":
    sys.exit(main())
