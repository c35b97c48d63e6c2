"""A NONMEM-style data set of many people: CSV, tab-separated or in columns of blanks; all problems at once, with line and remedy.

Columns, in any case of letters: ID, TIME, DV; and where needed AMT, EVID, MDV, CMT, RATE, SS, II, ADDL, CENS (1 below DV, the
limit of quantification; -1 above it) or BLQ with LLOQ, DVID. Others are covariates. `columns` names those that are called
differently. A point, blank or NA is missing. A row with text in a column C, or beginning with #, is a comment.

Where there is no EVID, a row with an amount is a dose and any other an observation; where there is no MDV, a row without a
value is no observation. Time may go back only at a reset (EVID 3 or 4).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from ranvier.ground.notes import InputError, Problem, Severity, must_mend
from ranvier.record.dataset import DOSE, OBSERVATION, RESET, RESET_AND_DOSE, Dataset

STANDARD = (
    "ID",
    "TIME",
    "DV",
    "AMT",
    "EVID",
    "MDV",
    "CMT",
    "RATE",
    "SS",
    "II",
    "ADDL",
    "CENS",
    "BLQ",
    "LLOQ",
    "DVID",
    "C",
)
MISSING = {"", ".", "NA", "NAN", "N/A", "NULL", "-99999"}
MOST_BYTES = 2_000_000_000
MOST_PROBLEMS = 200
MOST_ADDITIONAL = 100_000


def read_dataset(
    path: Path, *, columns: Mapping[str, str] | None = None, covariates: Sequence[str] = ()
) -> tuple[Dataset, tuple[Problem, ...]]:
    """The data set of a file, and what is worth a look.

    columns : our name → the file's; covariates : columns (our names) that must be there

    Raises
    ------
    InputError : with every problem, each with its line; FileNotFoundError
    """
    if path.stat().st_size > MOST_BYTES:
        problem = Problem(path.name, "is larger than two gigabytes", "Split it by people.")
        raise InputError(f"{path.name} cannot be used.", (problem,))
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return parse_dataset(text, path.name, columns=columns, covariates=covariates)


def parse_dataset(
    text: str, name: str, *, columns: Mapping[str, str] | None = None, covariates: Sequence[str] = ()
) -> tuple[Dataset, tuple[Problem, ...]]:
    """As `read_dataset`, from text."""
    return _parsed(_written(text.splitlines()), name, columns, covariates)


def parts_of(
    path: Path, *, people: int, columns: Mapping[str, str] | None = None, covariates: Sequence[str] = ()
) -> Iterator[tuple[Dataset, tuple[Problem, ...]]]:
    """The data set of a file in parts of so many people, each read when it is asked for; no more than a part is held.

    Of the people before only a number each is remembered, so that one whose rows do not stand together is found. `columns` and
    `covariates` as in `read_dataset`; raises as it does, with the problems of the part that is read.
    """
    with path.open("rb") as file:
        lines = _written(_decoded(file))
        header = next(lines, None)
        if header is None:
            _parsed((), path.name, columns, covariates)
            return
        sign = _sign(header[1])
        names = [h.strip().strip('"').strip().upper() for h in _cells(header[1], sign)]
        wanted = next((t for ours, t in (columns or {}).items() if ours.upper() == "ID"), "ID").upper()
        at = names.index(wanted) if wanted in names else 0  # where there is none the parser says so
        before: set[int] = set()
        part, count, who = [header], 0, None
        for line in lines:
            cells = _cells(line[1], sign)
            new = cells[at].strip() if at < len(cells) else who
            if new != who:
                if hash(new) in before:
                    what = f"person {new} began further up; others stand between"
                    place = f"{path.name}, line {line[0]}, ID"
                    problem = Problem(place, what, "Sort the rows by person, then time.", line=line[0])
                    raise InputError(f"{path.name} cannot be used yet.", (problem,))
                if count == people:
                    yield _parsed(part, path.name, columns, covariates)
                    part, count = [header], 0
                before.add(hash(new))
                who, count = new, count + 1
            part.append(line)
        yield _parsed(part, path.name, columns, covariates)


def _decoded(file: Iterable[bytes]) -> Iterator[str]:
    for number, raw in enumerate(file):
        try:
            yield raw.decode("utf-8-sig" if number == 0 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError:
            yield raw.decode("latin-1").rstrip("\r\n")


def _written(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Lines with something on them, and their numbers."""
    return ((n, s) for n, s in enumerate(lines, start=1) if s.strip() and not s.lstrip().startswith("#"))


def _sign(header: str) -> str | None:
    """What separates columns; None: blanks."""
    sign = max(",;\t", key=header.count)
    return sign if header.count(sign) else None


def _cells(line: str, sign: str | None) -> list[str]:
    return re.split(r"\s+", line.strip()) if sign is None else next(csv.reader(io.StringIO(line), delimiter=sign))


def _parsed(
    lines: Iterable[tuple[int, str]], name: str, columns: Mapping[str, str] | None, covariates: Sequence[str]
) -> tuple[Dataset, tuple[Problem, ...]]:
    work = _Parse(name, dict(columns or {}), tuple(covariates))
    made = work.run(lines)
    problems = tuple(work.problems[:MOST_PROBLEMS])
    if len(work.problems) > MOST_PROBLEMS:
        more = len(work.problems) - MOST_PROBLEMS
        problems += (Problem(name, f"{more} more problems are not shown", "Mend those above first."),)
    if made is None or must_mend(problems):
        raise InputError(f"{name} cannot be used yet.", problems)
    return made, problems


class _Parse:
    def __init__(self, name: str, columns: dict[str, str], covariates: tuple[str, ...]) -> None:
        self.name, self.columns, self.covariates = name, columns, covariates
        self.problems: list[Problem] = []

    def mend(self, line: int | None, what: str, remedy: str, column: str = "") -> None:
        place = self.name + (f", line {line}" if line else "") + (f", {column}" if column else "")
        self.problems.append(Problem(place, what, remedy, line=line))

    def look(self, what: str, remedy: str, line: int | None = None) -> None:
        self.problems.append(Problem(self.name, what, remedy, Severity.LOOK, line))

    def run(self, numbered: Iterable[tuple[int, str]]) -> Dataset | None:
        rows = self._rows(list(numbered))
        if rows is None:
            return None
        header, body = rows
        at = self._header(header)
        if at is None:
            return None
        kept = [(line, row) for line, row in body if self._is_data(line, row, header, at)]
        if not kept:
            self.mend(None, "holds no rows of data", "Write one row per dose and per observation below the header.")
            return None
        lines = np.array([line for line, _ in kept], dtype=np.int64)
        number = {key: self._numbers(kept, index, key) for key, index in at.items() if key not in ("ID", "C")}
        people, ids = self._people(kept, at["ID"])
        return self._events(lines, number, people, ids)

    # ---- rows and header

    def _rows(self, numbered: list[tuple[int, str]]) -> tuple[list[str], list[tuple[int, list[str]]]] | None:
        if not numbered:
            self.mend(None, "is empty", "Name a file with a header line and one row per record.")
            return None
        sign = _sign(numbered[0][1])
        try:
            split = [(n, _cells(s, sign)) for n, s in numbered]
        except csv.Error as error:
            self.mend(None, f"cannot be split into columns: {error}", "Save it as CSV.")
            return None
        header = [h.strip().strip('"').strip() for h in split[0][1]]
        return header, split[1:]

    def _header(self, header: list[str]) -> dict[str, int] | None:
        """Our name → column. Names that are mapped away are not taken by accident."""
        upper = [h.upper() for h in header]
        twice = {h for h in upper if h and upper.count(h) > 1}
        if twice:
            self.mend(1, f"names {', '.join(sorted(twice))} twice", "Give every column its own name.")
            return None
        at: dict[str, int] = {}
        renamed = {}
        for ours, theirs in self.columns.items():
            if theirs.upper() in upper:
                renamed[ours.upper()] = upper.index(theirs.upper())
            else:
                self.mend(
                    1, f"has no column {theirs} (wanted as {ours})",
                    f"Columns are: {', '.join(header)}. Name the right one with --columns {ours}=NAME.",
                )  # fmt: skip
        taken = set(renamed.values())
        for index, found in enumerate(upper):
            if index not in taken and found and found not in renamed:
                at[found] = index
        at |= renamed
        for needed in ("ID", "TIME", "DV"):
            if needed not in at and not self._named(needed):
                self.mend(
                    1, f"has no column {needed}",
                    f"Columns are: {', '.join(header)}. Say which it is: --columns {needed}=NAME.",
                )  # fmt: skip
        for needed in self.covariates:
            if needed not in at and not self._named(needed):
                self.mend(
                    1, f"has no column {needed}, on which the population's parameters depend",
                    f"Columns are: {', '.join(header)}. Say which it is: --columns {needed}=NAME.",
                )  # fmt: skip
        return at if not must_mend(tuple(self.problems)) else None

    def _named(self, ours: str) -> bool:
        return any(k.upper() == ours for k in self.columns)

    def _is_data(self, line: int, row: list[str], header: list[str], at: dict[str, int]) -> bool:
        if len(row) != len(header):
            if len(row) < len(header) and not any(c.strip() for c in row):
                return False
            self.mend(
                line,
                f"has {len(row)} cells; the header has {len(header)}",
                "Fill the missing cells with a point, or quote commas.",
            )
            return False
        comment = at.get("C")
        return comment is None or row[comment].strip().upper() in MISSING

    def _numbers(self, kept: list[tuple[int, list[str]]], index: int, key: str) -> np.typing.NDArray[np.float64]:
        out = np.empty(len(kept))
        wanted = key in STANDARD or key in self.covariates
        bad = False
        for n, (line, row) in enumerate(kept):
            cell = row[index].strip()
            try:
                value = float(cell)
                out[n] = value
                if not np.isfinite(value) and cell.upper() not in MISSING:
                    raise ValueError
            except ValueError:
                out[n] = np.nan
                if cell.upper() not in MISSING:
                    if wanted:
                        self.mend(
                            line,
                            f"'{cell[:40]}' is not a number",
                            "Write a number, or a point where it is missing.",
                            key,
                        )
                    bad = True
        if bad and not wanted:
            out[:] = np.nan  # a column of words: no covariate
        return out

    def _people(self, kept: list[tuple[int, list[str]]], index: int) -> tuple[list[int], list[str]]:
        """First row of each person, and the identifiers. Rows of one person must stand together."""
        first: list[int] = []
        ids: list[str] = []
        seen: dict[str, int] = {}
        previous = None
        for n, (line, row) in enumerate(kept):
            who = row[index].strip()
            if who.upper() in MISSING:
                self.mend(line, "names nobody", "Write the person's ID.", "ID")
            if who != previous:
                if who in seen:
                    self.mend(
                        line, f"person {who} began on line {seen[who]}; others stand between",
                        "Sort the rows by person, then time.", "ID",
                    )  # fmt: skip
                seen[who] = line
                first.append(n)
                ids.append(who)
                previous = who
        return first, ids

    # ---- what the rows mean

    def _events(
        self,
        lines: np.typing.NDArray[np.int64],
        number: dict[str, np.typing.NDArray[np.float64]],
        first: list[int],
        ids: list[str],
    ) -> Dataset | None:
        rows = lines.size

        def get(key: str, default: float) -> np.typing.NDArray[np.float64]:
            found = number.get(key)
            return np.full(rows, default) if found is None else np.where(np.isnan(found), default, found)

        def whole(key: str, default: int, allowed: Sequence[int] | None = None) -> np.typing.NDArray[np.int64]:
            raw = get(key, float(default))
            for n in np.flatnonzero(raw != np.round(raw)):
                self.mend(int(lines[n]), f"{raw[n]:g} is not a whole number", "Mend it.", key)
            found = np.nan_to_num(np.round(raw), posinf=0, neginf=0).astype(np.int64)
            if allowed is not None:
                for n in np.flatnonzero(~np.isin(found, allowed)):
                    self.mend(
                        int(lines[n]), f"{found[n]} is not one of {', '.join(map(str, allowed))}", "Mend it.", key
                    )
            return found

        time, value = number["TIME"], number["DV"].copy()
        amount, rate, interval = get("AMT", 0.0), get("RATE", 0.0), get("II", 0.0)
        additional, steady = whole("ADDL", 0), whole("SS", 0, (0, 1, 2))
        compartment, kind = whole("CMT", 0), whole("DVID", 0)
        constant = (steady > 0) & (rate > 0)
        given = (amount > 0) | constant
        event = whole("EVID", 0, (0, 1, 2, 3, 4)) if "EVID" in number else np.where(given, DOSE, OBSERVATION)
        missing = whole("MDV", 0) if "MDV" in number else np.isnan(value).astype(np.int64)
        missing = np.where((event != OBSERVATION) | (missing != 0), 1, 0)
        for n in np.flatnonzero(np.isnan(time)):
            self.mend(int(lines[n]), "has no time", "Write the time of the record.", "TIME")
        for n in np.flatnonzero((missing == 0) & np.isnan(value)):
            if "MDV" in number:
                self.mend(int(lines[n]), "is an observation without a value", "Write DV, or MDV 1.", "DV")
            missing[n] = 1
        doses = (event == DOSE) | (event == RESET_AND_DOSE)
        for n in np.flatnonzero(given & ~doses & (event == OBSERVATION)):
            self.mend(int(lines[n]), f"gives {amount[n]:g} but EVID is 0", "Write EVID 1, or AMT 0.", "EVID")
        for n in np.flatnonzero(doses & ~given):
            self.mend(int(lines[n]), "is a dose without an amount", "Write AMT, or EVID 2.", "AMT")
        for n in np.flatnonzero(amount < 0):
            self.mend(int(lines[n]), f"an amount of {amount[n]:g} cannot be given", "Mend it.", "AMT")
        for n in np.flatnonzero(doses & (rate < 0) & (rate != -1) & (rate != -2)):
            self.mend(
                int(lines[n]),
                f"{rate[n]:g} is no rate",
                "Write a rate, 0, -1 (modelled) or -2 (modelled duration).",
                "RATE",
            )
        for n in np.flatnonzero(
            doses & ((additional > 0) | ((steady > 0) & ~(constant & (amount == 0)))) & ~(interval > 0)
        ):
            self.mend(int(lines[n]), "repeats a dose without an interval", "Write II.", "II")
        for n in np.flatnonzero(doses & (additional > MOST_ADDITIONAL)):
            self.mend(int(lines[n]), f"{additional[n]} additional doses are no regimen", "Mend ADDL.", "ADDL")
        ends = [*first[1:], rows]
        for begin, end in zip(first, ends, strict=True):
            t = time[begin:end]
            back = np.flatnonzero((np.diff(t) < 0) & ~np.isin(event[begin + 1 : end], (RESET, RESET_AND_DOSE)))
            for k in back:
                at = begin + int(k) + 1
                self.mend(
                    int(lines[at]),
                    f"time goes back from {time[at - 1]:g} to {time[at]:g}",
                    "Sort by time, or reset (EVID 3, 4).",
                    "TIME",
                )
        censored = np.zeros(rows, dtype=np.int64)
        if "CENS" in number:
            censored = whole("CENS", 0, (-1, 0, 1))
        elif "BLQ" in number:
            censored = np.where(whole("BLQ", 0, (0, 1)) == 1, 1, 0)
            if "LLOQ" in number:
                value = np.where((censored == 1) & ~np.isnan(number["LLOQ"]), number["LLOQ"], value)
        own = set(STANDARD)
        covariates = {key: v for key, v in number.items() if key not in own or key in self.covariates}
        for key in self.covariates:
            column = number.get(key)
            if column is not None:
                for begin, end in zip(first, ends, strict=True):
                    gone = np.flatnonzero(np.isnan(column[begin:end]))
                    if gone.size:
                        self.mend(
                            int(lines[begin + gone[0]]),
                            f"is missing in {gone.size} of {end - begin} rows of this person, and parameters depend on it",
                            "Fill it in for every row.",
                            key,
                        )
        return Dataset(
            name=self.name, people=tuple(ids), first=np.array([*first, rows], dtype=np.int64), line=lines, time=time, event=event,
            amount=np.where(doses, amount, 0.0), rate=np.where(doses, rate, 0.0), interval=interval,
            additional=np.where(doses, additional, 0),
            steady=np.where(doses, steady, 0), compartment=compartment, value=value, missing=missing, censored=censored, kind=kind,
            covariates=covariates,
        )  # fmt: skip
