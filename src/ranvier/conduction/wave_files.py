"""Files of waveforms: CSV with a column of time, and ABF. Each wave says its side, nerve, muscle and site in words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from ranvier.conduction import numbers, words
from ranvier.conduction.load import load
from ranvier.conduction.tables import LARGEST, Row, decode, refuse, tables
from ranvier.conduction.waves import FloatArray, Wave
from ranvier.ground.notes import InputError, Problem

MOST_MV = 10_000.0  # [mV] a stimulus artefact may be large, but amplifiers end far below this
SEEN = 0.3  # [mV] span from which a sweep holds more than noise
REPEATS = 0.2  # sweeps whose span differs by more than this share are no repeats of one response
TITLE = "These waveforms cannot be used yet."
FEWEST = 50  # samples of a wave
VOLT_TO_MV = {"V": 1000.0, "mV": 1.0, "uV": 0.001}
TIME_WORDS = ("time", "zeit", "t", "temps", "tijd", "tiempo", "tempo")


def _time_unit(text: str) -> tuple[bool, str | None]:
    """Whether a heading is the column of time, and its unit."""
    bare = words.plain(text)
    hit = re.match(r"^([a-z]+)\b(.*)$", bare)
    if not hit or hit.group(1) not in TIME_WORDS:
        return False, None
    return True, words.unit_of("latency", hit.group(2).strip(" ,/:"))


def is_wave_file(path: Path) -> bool:
    """Whether a file holds waves: ABF by its name, or a table whose first heading is time."""
    if path.suffix.casefold() == ".abf":
        return True
    if path.suffix.casefold() not in (".csv", ".tsv", ".txt") or not path.is_file():
        return False
    with path.open("rb") as stream:
        head = stream.read(4096)
    try:
        text = decode(path.name, head)
    except InputError:
        return False
    return any(_time_unit(re.split(r"[;,\t|]", line, maxsplit=1)[0].strip(' "'))[0] for line in text.splitlines()[:20])


def read_waves(paths: Sequence[Path], *, invert: bool = False, gain: float = 1.0) -> tuple[Wave, ...]:
    """All waves of all files.

    invert : numbers are positive where the potential is positive (drawn downward)
    gain : every sample is multiplied by it, for files that keep raw numbers

    Raises InputError with every problem; FileNotFoundError if a file is missing.
    """
    waves: list[Wave] = []
    problems: list[Problem] = []
    for path in paths:
        if path.is_dir():
            problems.append(Problem(path.name, "this is a folder", "Name the files in it."))
            continue
        try:
            waves += _abf(path) if path.suffix.casefold() == ".abf" else _csv(path)
        except InputError as error:
            problems += error.problems
    seen: dict[tuple[str, str, str | None, str], str] = {}
    for wave in waves:
        key = (wave.nerve, wave.side, wave.muscle, wave.site)
        if key in seen:
            what = f"the same nerve, muscle and site as '{seen[key]}'"
            problems.append(Problem(wave.name, what, "Keep one of the two, or name the sites apart."))
        seen[key] = wave.name
        if (most := float(np.max(np.abs(wave.samples * gain)))) > MOST_MV:
            what = f"a sample of {most:.3g} mV cannot be: no amplifier of nerve responses reaches {MOST_MV:g} mV"
            problems.append(Problem(wave.name, what, "Check the unit and --gain."))
    if problems:
        raise InputError(TITLE, tuple(problems))
    factor = (-1.0 if invert else 1.0) * gain
    if factor == 1.0:
        return tuple(waves)
    return tuple(
        Wave(w.nerve, w.side, w.muscle, w.site, w.samples * factor, w.start, w.step, w.name, w.supramaximal)
        for w in waves
    )


def _named(text: str, place: str, problems: list[Problem]) -> tuple[str, str, str | None, str] | None:
    """Nerve, side, muscle and site that a heading or a file name says; None with problems where one is missing."""
    said = words.phrase(re.sub(r"[_\-.]", " ", text))
    missing = [w for w, v in (("nerve", said.nerve), ("side", said.side), ("site", said.sites)) if not v]
    if missing:
        what = f"'{text}' does not say {', '.join(missing)}"
        problems.append(Problem(place, what, "Name each wave like this: left median APB wrist (mV)."))
        return None
    assert said.nerve is not None
    assert said.side is not None
    if load().place(said.nerve, said.sites[0]) is None:
        what = f"the {said.nerve} nerve is not stimulated at {said.sites[0].replace('_', ' ')}"
        problems.append(Problem(place, what, "Mend the name of the wave."))
        return None
    return said.nerve, said.side, said.muscle, said.sites[0]


# ---- CSV ----------------------------------------------------------------------------------------------------------


def _csv(path: Path) -> list[Wave]:
    with path.open("rb") as stream:
        data = stream.read(LARGEST + 1)

    def score(rows: Sequence[Row]) -> float:
        return float(max((len(r.cells) for r in rows[:20] if r.cells and _time_unit(r.cells[0])[0]), default=0))

    table = tables(path.name, data, score)[0]
    head = next((i for i, r in enumerate(table.rows) if r.cells and _time_unit(r.cells[0])[0]), None)
    if head is None:
        raise refuse(path.name, "there is no column of time", "Begin with: time (ms), left median APB wrist (mV), ...")
    problems: list[Problem] = []
    titles = table.rows[head].cells
    unit = _time_unit(titles[0])[1]
    if unit is None:
        problems.append(Problem(f"{path.name}, time", "the time has no unit", "Write: time (ms)."))
    columns = _columns(titles, path.name, problems)
    comma = next(
        (c for r in table.rows[head + 1 : head + 50] for x in r.cells if (c := numbers.shows_comma(x)) is not None),
        None,
    )
    body = np.array(
        [[_float(c, comma) for c in _padded(r.cells, len(titles))] for r in table.rows[head + 1 :] if r.filled],
        dtype=np.float64,
    )
    if len(body) < FEWEST:
        problems.append(Problem(path.name, f"{len(body)} samples are no wave", f"At least {FEWEST} are needed."))
        raise InputError(TITLE, tuple(problems))
    for row, column in np.argwhere(~np.isfinite(body))[:5]:
        used = column == 0 or int(column) in columns
        if used:
            line = table.rows[head + 1 + int(row)].line
            problems.append(
                Problem(
                    f"{path.name} row {line}",
                    f"'{titles[int(column)].strip()}' holds no number",
                    "Export all samples.",
                    line=line,
                )
            )
    times = words.convert(1.0, unit or "ms", "latency") * body[:, 0]
    step = _step(times, path.name, problems)
    if problems:
        raise InputError(TITLE, tuple(problems))
    return [
        Wave(*name, body[:, i] * VOLT_TO_MV[volts], float(times[0]), step, titles[i].strip())
        for i, (name, volts) in columns.items()
    ]


def _padded(cells: tuple[str, ...], n: int) -> tuple[str, ...]:
    return (*cells, *[""] * n)[:n]


def _float(text: str, comma: bool | None) -> float:
    bare = text.strip()
    try:
        return float(bare.replace(",", ".") if comma else bare)
    except ValueError:
        return float("nan")


def _columns(
    titles: Sequence[str], file: str, problems: list[Problem]
) -> dict[int, tuple[tuple[str, str, str | None, str], str]]:
    """Column → what it is and its unit of voltage."""
    found = {}
    for i, title in enumerate(titles[1:], start=1):
        if not title.strip():
            continue
        hit = re.search(r"[(\[]\s*([^()\[\]]+?)\s*[)\]]\s*$", title)
        volts = words.unit_of("amplitude", hit.group(1)) if hit else None
        place = f"{file}, {title.strip()}"
        if volts is None:
            problems.append(Problem(place, "the wave has no unit", "Write it at the end: left median APB wrist (mV)."))
        name = _named(title[: hit.start()] if hit else title, place, problems)
        if name is not None and volts is not None:
            found[i] = (name, volts)
    if not found and not problems:
        problems.append(Problem(file, "there is no wave beside the time", "Add a column: left median APB wrist (mV)."))
    return found


def _step(times: FloatArray, file: str, problems: list[Problem]) -> float:
    steps = np.diff(times)
    step = float(np.median(steps))
    if not step > 0 or np.max(np.abs(steps - step)) > 0.02 * step + 1e-6:
        problems.append(
            Problem(f"{file}, time", "the times do not rise in even steps", "Export the samples as they were recorded.")
        )
        return 1.0
    if step > 0.5:
        problems.append(
            Problem(
                f"{file}, time",
                f"a sample every {step:g} ms is too coarse",
                "At least 2 samples per ms; is the unit right?",
            )
        )
    return step


# ---- ABF ----------------------------------------------------------------------------------------------------------


def _library() -> Any:
    """The library that reads ABF; imported only here, because few need it."""
    try:
        return import_module("pyabf")
    except ImportError:
        remedy = "Install it (pip install pyabf), or export the traces as CSV with a column 'time (ms)'."
        raise InputError(TITLE, (Problem("ABF", "the library pyabf is not installed", remedy),)) from None


def _differ(spans: Sequence[float], to_mv: float) -> bool:
    """Whether the spans of sweeps are too unlike for repeats; sweeps of noise alone may differ as they like."""
    return max(spans) * to_mv > SEEN and max(spans) - min(spans) > REPEATS * max(spans)


def _abf(path: Path) -> list[Wave]:
    """One wave per ABF file: the mean of its sweeps in the first channel. The file's name says what it is.

    Sweeps are averaged only where they are repeats: responses of different size in one file (two sites, rising stimuli)
    are refused, because their mean is the response of nobody. Time 0 is the first sample.
    """
    if not path.is_file():
        raise FileNotFoundError(2, "No such file", str(path))
    library = _library()
    problems: list[Problem] = []
    name = _named(path.stem, path.name, problems)
    try:
        file = library.ABF(str(path))
        sweeps = []
        for number in file.sweepList:
            file.setSweep(number, channel=0)
            sweeps.append(np.array(file.sweepY, dtype=np.float64))
        rate, unit = float(file.dataRate), str(file.adcUnits[0]).strip()
    except Exception as error:  # the library raises many kinds for damaged files; all mean the same to the user
        what = f"this is no readable ABF file ({type(error).__name__})"
        raise InputError(TITLE, (*problems, Problem(path.name, what, "Export it again, or as CSV."))) from None
    volts = words.unit_of("amplitude", unit)
    if volts is None:
        problems.append(Problem(path.name, f"its unit is '{unit}', which is no voltage", "Export it in mV, or as CSV."))
    if len({len(s) for s in sweeps}) != 1 or len(sweeps[0]) < FEWEST:
        problems.append(
            Problem(path.name, "its sweeps are too short or of different length", "Export one response per file.")
        )
    elif not all(np.all(np.isfinite(s)) for s in sweeps):
        problems.append(Problem(path.name, "samples are missing in it", "Export the samples as they were recorded."))
    elif volts is not None and _differ(spans := [float(np.ptp(s)) for s in sweeps], VOLT_TO_MV[volts]):
        what = f"its {len(sweeps)} sweeps differ in size ({min(spans):.3g} to {max(spans):.3g} {unit}): no repeats"
        problems.append(Problem(path.name, what, "Export one response per file."))
    if problems or name is None or volts is None:
        raise InputError(TITLE, tuple(problems))
    return [Wave(*name, np.mean(sweeps, axis=0) * VOLT_TO_MV[volts], 0.0, 1000.0 / rate, path.name)]
