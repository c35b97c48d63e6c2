"""Plans for many people: a stream of records, one row for each, in units of work. A record that cannot be used is a row too."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np

from ranvier import record as records
from ranvier.decision.join import assess
from ranvier.decision.nouns import Assessment
from ranvier.evidence import load
from ranvier.ground.notes import InputError, Problem, Severity
from ranvier.ground.work import Result, Unit, unit
from ranvier.record.nouns import Record
from ranvier.record.until import day_of

PEOPLE = 4  # in a unit: about two seconds of work
FILES = (".yaml", ".yml", ".json")
LINES = (".jsonl", ".ndjson")
NUMBER, TEXT = float("nan"), ""

WORDS = ("file", "at", "pseudonym", "status", "why", "digest", "action", "product", "route", "measure", "unit")
COLUMNS: Mapping[str, str] = {
    "file": "1: file, or file and line",
    "at": "1: the day planned for",
    "pseudonym": "1: of the person",
    "status": "1: planned, nothing proposed, refused, or cannot be read",
    "why": "1: names of the reasons where nothing is proposed; the first problem where the record cannot be read",
    "problems": "1: things to mend or to look at in the record",
    "digest": "1: of the record",
    "action": "1: what is proposed",
    "product": "1: proposed",
    "route": "1: proposed",
    "grams": "g: of a course, proposed",
    "days": "d: of a course, proposed",
    "interval": "d: proposed",
    "grams_per_week": "g/wk: proposed",
    "trough": "1: proposed; median of the weakest day, in the unit of the measure",
    "p_above_floor": "1: proposed; probability of staying above the floor all cycle",
    "loss": "1: of what is proposed",
    "loss_se": "1: its Monte-Carlo error",
    "loss_now": "1: of no change",
    "measure": "1: that decides",
    "unit": "1: of the measure",
    "wearing_off": "1: probability",
    "swing": "1: fall within the cycle",
    "trend": "1/a: of the untreated level",
    "responds": "1: probability that immunoglobulin does something",
    "pareto_k": "1: how far the computation can be trusted; above 0.7 another sampler took over",
}


LAST = "last"  # in place of a day: the day of each record's own last fact


def units(source: Path, at: str, seed: int) -> Iterator[Unit]:
    """Units of a folder of records (one person, one file) or of a file with one record in JSON per line (also .gz).

    Records are read from disk as the units are taken. at : a day (ISO), or LAST

    Raises
    ------
    InputError : the source is neither.
    FileNotFoundError : there is no such file or folder.
    """
    knowledge = load().version
    stream = _texts(source)
    while batch := tuple(islice(stream, PEOPLE)):
        sha = hashlib.sha256()
        for name, text in batch:
            sha.update(f"{len(name)}:{name}{len(text)}:{text}".encode())
        yield unit(part, batch, at, seed, of=(knowledge, sha.hexdigest(), at, str(seed)))


def count(source: Path) -> int:
    """How many records there are, without reading what they hold."""
    if source.is_dir():
        return sum(1 for _ in _files(source))
    with _open(source) as lines:
        return sum(1 for line in lines if line.strip())


def part(batch: tuple[tuple[str, str], ...], at: str, seed: int) -> Result:
    """Rows of some records (name, text): a column per name in COLUMNS."""
    rows = [row(name, text, at, seed) for name, text in batch]
    return {
        name: np.array([one[name] for one in rows], dtype=None if name in WORDS else np.float64) for name in COLUMNS
    }


def row(name: str, text: str, at: str, seed: int) -> dict[str, Any]:
    """One record planned, or why it is not."""
    empty: dict[str, Any] = {column: TEXT if column in WORDS else NUMBER for column in COLUMNS}
    empty |= {"file": name, "problems": 0}
    try:
        found, problems = records.read_text(text, name)
        day = _last(found) if at == LAST else date.fromisoformat(at)
        assessment = assess(found, load(), at=day, seed=seed)
    except InputError as error:
        first = error.problems[0]
        why = f"{first.place}: {first.what}"
        return empty | {"status": "cannot be read", "why": why, "problems": len(error.problems)}
    told = {
        "at": day.isoformat(),
        "pseudonym": found.person.pseudonym,
        "digest": found.digest,
        "problems": len(problems),
    }
    return empty | told | _of(assessment)


def _of(assessment: Assessment) -> dict[str, Any]:
    treatment = assessment.treatment
    posterior, watched, proposal = treatment.posterior, treatment.watch, treatment.proposal
    if posterior is None or watched is None or proposal is None:
        return {"status": "refused", "why": ", ".join(f.name for f in treatment.refusal)}
    measure, off = posterior.measures[posterior.primary], watched.wearing_off
    now = next((o for o in proposal.options if o.action == "no_change"), None)
    told: dict[str, Any] = {
        "status": "nothing proposed",
        "why": ", ".join(f.name for f in proposal.refusal),
        "measure": measure.id,
        "unit": measure.unit,
        "wearing_off": NUMBER if off is None else off.probability,
        "swing": NUMBER if off is None else off.swing,
        "trend": NUMBER if watched.trend is None else watched.trend.per_year,
        "responds": sum(m.probability for m in posterior.models if m.responds),
        "pareto_k": posterior.diagnostics.pareto_k,
        "loss_now": NUMBER if now is None else now.loss,
    }
    best = next((o for o in proposal.options if o.proposed), None)
    if best is None:
        return told
    r = best.regimen
    return told | {
        "status": "planned", "action": best.action, "product": r.product, "route": r.route, "grams": r.grams, "days": r.days,
        "interval": r.interval_days, "grams_per_week": best.grams_per_week, "trough": best.trough, "loss": best.loss,
        "loss_se": best.loss_se, "p_above_floor": NUMBER if best.p_above_floor is None else best.p_above_floor,
    }  # fmt: skip


def _last(record: Record) -> date:
    """The day of the last fact; without any, that of the first weight, else the first of all days."""
    days = [day_of(i.start) for i in record.infusions] + [day_of(g.at) for g in record.igg]
    days += [day_of(v.at) for series in record.strength for v in series.values]
    return max(days, default=record.person.weights[0].on if record.person.weights else date.min)


def _texts(source: Path) -> Iterator[tuple[str, str]]:
    """Names and texts, one record after the other."""
    if source.is_dir():
        for path in _files(source):
            yield path.name, path.read_text("utf-8-sig", errors="replace")
        return
    with _open(source) as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield f"{source.name}:{number}", line


def _files(folder: Path) -> Iterator[Path]:
    return iter(sorted(p for p in folder.iterdir() if p.suffix.lower() in FILES and p.is_file()))


def _open(source: Path) -> IO[str]:
    suffixes = [s.lower() for s in source.suffixes]
    if suffixes[-1:] == [".gz"] and suffixes[-2:-1] and suffixes[-2] in LINES:
        return gzip.open(source, "rt", encoding="utf-8-sig", errors="replace")
    if suffixes[-1:] and suffixes[-1] in LINES:
        return source.open(encoding="utf-8-sig", errors="replace")
    if not source.exists():
        raise FileNotFoundError(2, "No such file or folder", str(source))
    what = "this is neither a folder of records nor a file with one record per line"
    remedy = f"Give a folder with {', '.join(FILES)} files, or a file ending in {', '.join(LINES)} (or that and .gz)."
    raise InputError("Nothing can be planned from this.", (Problem(source.name, what, remedy, Severity.MEND),))
