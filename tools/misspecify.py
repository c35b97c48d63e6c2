"""Hold forecasts against truths that no model of ours holds, and write docs/measured/misspecification.md.

Finished units of work are kept in out/misspecification, so that a run can be stopped and continued.
"""

from __future__ import annotations

import argparse
import sys
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
from calibrate import state

from ranvier.cohort.load import load
from ranvier.cohort.misspecified import COLUMNS, CYCLES, FIRST_ORIGIN, TRUTHS, judged
from ranvier.ground.work import Executor, Progress, unit

ROOT = Path(__file__).resolve().parents[1]
SEED = 53
BLOCK = 5  # people in one unit of work
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


def run(people: int, workers: int | None) -> dict[str, dict[str, FloatArray]]:
    """All forecasts by truth."""
    version = state()
    units = {}
    for name in TRUTHS:
        for first in range(0, people, BLOCK):
            one = unit(judged, name, first, min(first + BLOCK, people), SEED, of=(version, name, str(first), str(SEED)))
            units[one.id] = (name, one)
    found: dict[str, list[dict[str, FloatArray]]] = {name: [] for name in TRUTHS}

    def told(progress: Progress) -> None:
        print(f"\r{progress.done} of {len(units)} units", end="", file=sys.stderr, flush=True)

    with Executor(workers=workers) as executor:
        keep = ROOT / "out" / "misspecification"
        for id, result in executor.run((u for _, u in units.values()), keep=keep, total=len(units), told=told):
            found[units[id][0]].append(result)
    print(file=sys.stderr)
    return {name: {key: np.concatenate([p[key] for p in parts]) for key in parts[0]} for name, parts in found.items()}


def error(values: FloatArray, person: FloatArray) -> float:
    """Standard error of a mean whose values come in clusters, one for each person."""
    means = np.array([values[person == who].mean() for who in np.unique(person)])
    return float(means.std(ddof=1) / np.sqrt(means.size))


def page(found: dict[str, dict[str, FloatArray]], people: int) -> str:
    """The page's text."""

    def cell(name: str, kind: str, column: int, some: BoolArray | None = None) -> str:
        values, person = found[name][kind][:, column], found[name]["person"][:, 0]
        if some is not None:
            values, person = values[some], person[some]
        return f"{100 * values.mean():.0f} ± {100 * error(values, person):.0f}"

    title = {name: name.replace("_", " ") for name in found}
    cover = []
    for name in found:
        pairs = [f"{cell(name, 'plain', c)} → **{cell(name, 'widened', c)}**" for c in range(4)]
        cover.append(f"| {title[name]} | {' | '.join(pairs)} |")
    sudden = []
    for name, rows in found.items():
        calm = rows["calm"][:, 0] > 0
        if not calm.all():
            two = [f"{cell(name, 'plain', 1, some)} → **{cell(name, 'widened', 1, some)}**" for some in (calm, ~calm)]
            sudden.append(f"| {title[name]} | {np.sum(calm)} | {two[0]} | {np.sum(~calm)} | {two[1]} |")
    score = []
    for name, rows in found.items():
        plain, widened = rows["plain"][:, 4].mean(), rows["widened"][:, 4].mean()
        last, around = rows["last"].mean(), rows["around"].mean()
        person = rows["person"][:, 0]
        gain = (rows["widened"][:, 4] - rows["plain"][:, 4]) * 100
        score.append(
            f"| {title[name]} | {100 * last:.2f} | {100 * around:.2f} | {100 * plain:.2f} | **{100 * widened:.2f}** | "
            f"{gain.mean():+.2f} ± {error(gain, person):.2f} | {100 * (1 - widened / last):.0f} % | "
            f"{100 * (1 - widened / around):.0f} % |"
        )
    each = people * (CYCLES - FIRST_ORIGIN)
    return "\n".join(
        [
            "# When the truth is none of our models",
            "",
            f"Made by `make misspecification` on {date.today().isoformat()}, seed {SEED}, code and knowledge {state()}. "
            "Simulated people; no person's data.",
            "",
            f"{people} people under each truth, {each} forecasts: eight cycles with daily grip and five IgG levels, half of the "
            "people with one change of regimen on the way. At the start of each cycle from the fourth on the engine sees what was "
            "recorded by then and foretells the cycle that begins (rolling origin). ± is one standard error over people. The "
            "truths are computed by other code than the engine's; their numbers stand in `knowledge/cohort/truths.yaml`.",
            "",
            *(f"- *{title[name]}*: {load().truths[name].says}" for name in found),
            "",
            "## Days covered",
            "",
            "Per cent of days on which the truth lies within the interval: as the models have it → **widened by the person's own "
            "forecast errors**, which is what a plan shows. *Strength* is what the plan's bands show; *measured* adds the error of "
            "a session.",
            "",
            "| truth | strength, 50 % | strength, 90 % | measured, 50 % | measured, 90 % |",
            "|---|--:|--:|--:|--:|",
            *cover,
            "",
            "Where something changes within a cycle that nobody could foresee on its first day, a forecast can only miss it. "
            "Strength within the 90 % interval, in the cycles without and with such a day:",
            "",
            "| truth | cycles without | covered | cycles with | covered |",
            "|---|--:|--:|--:|--:|",
            *sudden,
            "",
            "## Score against the last cycle",
            "",
            "Continuous ranked probability score of measured values, in per cent of the person's strength; less is better. *Last "
            "cycle repeats*: the value of the same day of the last cycle, as a point. *Last two cycles, ± 2 days*: the ten values "
            "around that day as an ensemble, a harder rival. The error of a session itself (about 8 %) costs about 4.",
            "",
            "| truth | last cycle repeats | last two cycles, ± 2 days | models | **widened** | change by widening | "
            "better than last cycle by | than last two by |",
            "|---|--:|--:|--:|--:|--:|--:|--:|",
            *score,
            "",
            "## How the widening works, and what it does not mend",
            "",
            "The explanation that fits best is set back to earlier days of the person's own record, up to six windows of "
            "the length of a cycle; each time it is fitted anew to what was known then and foretells the window. Weekly means of "
            "its errors beyond what it had allowed for are read as strength that wanders, of a size and a time scale averaged "
            "over their posterior; the next error is drawn from these errors and from what the present fit leaves of the last "
            "twelve weeks, half of the draws each (`ranvier.estimation.discrepancy`, docs/adr/0053).",
            "",
            "A month of fatigue that has not begun cannot be foreseen from a person's errors, nor can the day on which a device "
            "breaks. Where strength does not know of IgG, an interval that was told size and time scale of the wandering in "
            "advance covered 80 to 82 % on other seeds: the rest is lost because level and wandering look alike in a few months. "
            "The median moves as a whole, so a wrong shape within the cycle is widened for, not mended. Where all is as believed "
            "the bands are too wide: the price of not taking the models' word.",
            "",
        ]
    )


def main() -> int:
    """Run what is missing, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=40, help="simulated people under each truth")
    parser.add_argument("--workers", type=int, help="processes (default: one per core)")
    chosen = parser.parse_args()
    found = run(chosen.people, chosen.workers)
    assert all(rows["plain"].shape[1] == len(COLUMNS) for rows in found.values())
    out = ROOT / "docs" / "measured" / "misspecification.md"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(page(found, chosen.people), "utf-8", newline="\n")
    print(f"{out.relative_to(ROOT)} written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
