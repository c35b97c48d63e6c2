"""One pass over one file: single things made of text, and what is wrong with them, each with its place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from ranvier.ground import units
from ranvier.ground.notes import Problem, Severity
from ranvier.record import structure
from ranvier.record.nouns import When
from ranvier.record.plausible import Bounds, plausibility
from ranvier.record.text import Document, Path, place


class Reading:
    """The data of one file, and everything said about it so far.

    Whatever cannot be made into a fact is None, and has been complained about; so the rest is still looked at.
    """

    def __init__(self, document: Document, problems: Sequence[Problem]) -> None:
        self.document = document
        self.problems = list(problems)
        self.data: dict[str, Any] = structure.without_nothing(document.data)
        self.rules = plausibility()
        self.zone: ZoneInfo | None = None
        self.zoneless: list[Path] = []
        # For each place with something wrong in it: the steps that lead further down to what is wrong.
        self.spoilt: dict[Path, set[str | int]] = {}
        already = {p.place for p in problems}
        for path, problem in structure.check(document, self.data):
            for depth, step in enumerate(path):
                self.spoilt.setdefault(path[:depth], set()).add(step)
            if problem.place not in already:
                self.problems.append(problem)

    # ---- saying

    def say(self, path: Path, what: str, remedy: str, severity: Severity = Severity.MEND) -> None:
        """Complain about what stands at `path`."""
        self.problems.append(Problem(place(path), what, remedy, severity, self.document.line(path)))

    def look(self, path: Path, what: str, remedy: str) -> None:
        """Point out what stands at `path`; it is kept."""
        self.say(path, what, remedy, Severity.LOOK)

    # ---- finding

    def at(self, path: Path) -> Any:
        """What stands at `path`, well-shaped or not; None if nothing does."""
        here: Any = self.data
        for step in path:
            try:
                here = here[step]
            except (KeyError, IndexError, TypeError):
                return None
        return here

    def fields(self, *path: str | int) -> dict[str, Any]:
        """The well-shaped fields of the group at `path`."""
        here, spoilt = self.at(path), self.spoilt.get(path, ())
        return {k: v for k, v in here.items() if k not in spoilt} if isinstance(here, dict) else {}

    def each(self, *path: str) -> list[tuple[Path, dict[str, Any]]]:
        """The entries of the list at `path`, each with its well-shaped fields."""
        here = self.at(path)
        return [((*path, i), self.fields(*path, i)) for i in range(len(here))] if isinstance(here, list) else []

    def missing(self, path: Path, key: str) -> bool:
        """Whether the group at `path` lacks `key` altogether; a spoilt field is there."""
        here = self.at(path)
        return not isinstance(here, dict) or key not in here

    # ---- reading single things

    def bounded(self, path: Path, value: float, bounds: Bounds, what: str, remedy: str = "") -> bool:
        """Hold `value` against its bounds. False if it must be mended."""
        unit = "" if bounds.unit in ("1", "{score}", "a", "1/a") else f" {bounds.unit}"
        remedy = remedy or "Check number and unit."
        if not bounds.hard_low <= value <= bounds.hard_high:
            limit, side = (bounds.hard_low, "less") if value < bounds.hard_low else (bounds.hard_high, "more")
            self.say(path, f"{what} {value:.4g}{unit} cannot be: {side} than {limit:g}{unit}", remedy)
            return False
        if not bounds.soft_low <= value <= bounds.soft_high:
            limit, side = (bounds.soft_low, "less") if value < bounds.soft_low else (bounds.soft_high, "more")
            self.look(path, f"{what} {value:.4g}{unit} is unusual: {side} than {limit:g}{unit}", f"Kept. {remedy}")
        return True

    def quantity(self, path: Path, given: dict[str, Any] | None, as_: str) -> float | None:
        """A number with its unit, in the canonical unit."""
        return None if given is None else self.number(path, given["value"], given["unit"], as_)

    def number(self, path: Path, value: float | None, unit: str | None, as_: str) -> float | None:
        """`value` [`unit`] in the canonical unit `as_`; None if one is not there or they do not fit."""
        if value is None or unit is None:
            return None
        try:
            return units.enter(value, unit, as_=as_)
        except units.UnitError as error:
            meant = f"Write {error.meant}" if error.meant else f"Use one of: {', '.join(error.accepted)}"
            remedy = f"{meant}; nothing is converted by guess."
            if as_ == "g" and unit.lower() in ("ml", "l"):
                remedy = "Write grams: millilitres times the concentration of the product on the chart."
            self.say((*path, "unit"), f"'{unit[:40]}' cannot be read as {as_}", remedy)
        except (ValueError, OverflowError):
            self.say((*path, "value"), f"{value} is not a number that can be measured", "Leave out what is not known.")
        return None

    def when(self, path: Path, text: str | None) -> When | None:
        """A plain date, or a time with its zone."""
        if text is None:
            return None
        try:
            if len(text) == 10:
                return self.in_time(path, date.fromisoformat(text))
            moment = datetime.fromisoformat(text.replace(" ", "T"))
        except ValueError:
            self.say(path, f"there is no such day or time as {text}", "Check day, month, hour and minute.")
            return None
        try:
            if moment.tzinfo is not None:
                return self.in_time(path, moment.astimezone(self.zone) if self.zone else moment)
            if self.zone is not None:
                return self.in_time(path, self.local(path, moment))
        except OverflowError:
            self.say(path, f"{text} cannot be: the year is out of range", "Check the year.")
            return None
        self.zoneless.append(path)
        return None

    def day(self, path: Path, text: str | None) -> date | None:
        """A plain date."""
        return self.when(path, text)

    def local(self, path: Path, moment: datetime) -> datetime:
        """A wall-clock time in the file's zone; the two odd hours of a year are pointed out."""
        here = moment.replace(tzinfo=self.zone)
        first, second = here.utcoffset(), here.replace(fold=1).utcoffset()
        assert first is not None
        assert second is not None
        if first < second:
            remedy = "Check date and time, or add the offset."
            self.say(path, f"{moment} did not exist: the clocks went forward", remedy)
        elif first > second:
            remedy = "Taken as the first; add the offset to say which."
            self.look(path, f"{moment} came twice: the clocks went back", remedy)
        return here

    def in_time(self, path: Path, found: When) -> When | None:
        """`found`, unless its year has a digit wrong."""
        bounds = self.rules.limits["year"]
        if bounds.hard_low <= found.year <= bounds.hard_high:
            return found
        self.say(path, f"the year {found.year} cannot be", "Check the year; it is never guessed.")
        return None

    def ucum(self, path: Path, unit: str) -> None:
        """Complain unless `unit` is a UCUM code."""
        if not units.known(unit):
            meant = units.SPOKEN.get(unit.strip())
            remedy = f"Write {meant}." if meant else "Write it as UCUM, as in g/dL, 10*9/L, umol/L, mV, mV.ms, ms, m/s."
            self.say((*path, "unit"), f"'{unit[:40]}' is not a UCUM unit", remedy)
