"""From facts read anywhere (a table, YAML, a record) to studies: units, sides, order of sites, what can be true at all.

Every problem is collected with its place and remedy; nothing is repaired and no unit is assumed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import pairwise

from ranvier.conduction.load import ConductionKnowledge, load
from ranvier.conduction.nouns import ConductionStudy, Response, StudySet
from ranvier.conduction.segments import Segment, in_order, region
from ranvier.conduction.tables import TITLE
from ranvier.conduction.words import canonical, convert, units_for
from ranvier.ground.notes import InputError, Problem, Severity, must_mend
from ranvier.ground.units import nine_digits

PLACES: Mapping[str, str] = {"f_latency": "latency"}  # quantity → attribute of Response, where they differ
VALUES = ("latency", "f_latency", "peak_latency", "amplitude", "area", "duration", "velocity", "persistence")


@dataclass(slots=True)
class Row:
    """Facts of one stimulation site, or of one segment, as they stood in the input. values : quantity → (number, unit)."""

    place: str
    line: int | None = None
    nerve: str | None = None
    side: str | None = None
    kind: str | None = None
    muscle: str | None = None
    site: str | None = None
    values: dict[str, tuple[float, str | None]] = field(default_factory=dict)
    absent: bool = False
    supramaximal: bool | None = None
    temperature: tuple[float, str | None] | None = None


class Builder:
    """Collects rows and problems, then makes the set of studies."""

    def __init__(self) -> None:
        self.knowledge: ConductionKnowledge = load()
        self.rows: list[Row] = []
        self.problems: list[Problem] = []
        self.complained: set[tuple[str, str]] = (
            set()
        )  # (place, nerve | side | kind | site) that were written, but not understood
        self.no_warmth: set[tuple[float, str | None]] = set()
        self.on: date | None = None
        self.age: float | None = None
        self.height: float | None = None
        self.laboratory: str | None = None

    # ---- problems

    def mend(self, place: str, what: str, remedy: str, line: int | None = None) -> None:
        """Something that refuses the input."""
        self.problems.append(Problem(place, what, remedy, line=line))

    def look(self, place: str, what: str, remedy: str, line: int | None = None) -> None:
        """Something that is kept and deserves a look."""
        self.problems.append(Problem(place, what, remedy, Severity.LOOK, line))

    # ---- numbers

    def number(self, quantity: str, value: float, unit: str | None, place: str, line: int | None) -> float | None:
        """The number in its canonical unit, or None with a problem: no unit, a wrong unit, or what cannot be."""
        choices = units_for(quantity)
        if unit is None:
            self.mend(
                place, f"{quantity.replace('_', ' ')} {value:g} has no unit",
                f"Write the unit in the heading or in the cell, e.g. {value:g} {canonical(quantity)}.", line,
            )  # fmt: skip
            return None
        if unit not in choices:
            self.mend(
                place,
                f"'{unit}' is no unit of {quantity.replace('_', ' ')}",
                f"Use one of: {', '.join(choices)}.",
                line,
            )
            return None
        entered = nine_digits(convert(value, unit, quantity))
        bound = self.knowledge.bounds[quantity]
        if not bound.low <= entered <= bound.high:
            name = quantity.replace("_", " ").removeprefix("sensory ")
            if entered == 0 and quantity in (
                "amplitude",
                "sensory_amplitude",
                "area",
                "sensory_area",
                "latency",
                "duration",
            ):
                what, remedy = (
                    f"{name} is 0",
                    "If no response could be had, write NR; if it was not measured, leave it empty.",
                )
            else:
                what = f"{name} {value:g} {unit} cannot be: {bound.why}"
                remedy = (
                    f"Between {bound.low:g} and {bound.high:g} {bound.unit} is possible. Check the number and its unit."
                )
            self.mend(place, what, remedy, line)
            return None
        return entered

    # ---- studies

    def studies(self) -> StudySet:
        """The set of studies. Raises InputError with every problem if at least one must be mended."""
        groups = self._groups()
        made = [s for key, rows in groups.items() if (s := self._study(*key, rows)) is not None]
        if not self.rows and not must_mend(tuple(self.problems)):
            self.mend(
                "study", "no response of any nerve was found", "Write a row per nerve and site; see docs/conduction.md."
            )
        found = tuple(sorted(self.problems, key=lambda p: (p.severity is not Severity.MEND, p.line or 0)))
        if must_mend(found):
            raise InputError(TITLE, found)
        return StudySet(tuple(made), self.on, self.age, self.height, self.laboratory, found)

    def _groups(self) -> dict[tuple[str, str, str, str | None], list[Row]]:
        """Rows by nerve, side, kind and muscle. A row that names no muscle belongs to the only one of its nerve."""
        rows = []
        for r in self.rows:
            if self._whole(r):
                rows.append(r)
            else:
                self._numbers(r)
        muscles: dict[tuple[str | None, ...], dict[str, None]] = {}
        for r in rows:
            known = muscles.setdefault((r.nerve, r.side, r.kind), {})
            if r.muscle is not None:
                known[r.muscle] = None
        groups: dict[tuple[str, str, str, str | None], list[Row]] = {}
        for r in rows:
            assert r.nerve is not None
            assert r.side is not None
            assert r.kind is not None
            only = muscles[(r.nerve, r.side, r.kind)]
            muscle = r.muscle or (next(iter(only)) if len(only) == 1 else None)
            if muscle is None and len(only) > 1:
                self.mend(
                    r.place, f"{r.side} {r.nerve} was recorded from {' and '.join(only)}; this row names neither",
                    "Name the recording muscle in every row.", r.line,
                )  # fmt: skip
                continue
            groups.setdefault((r.nerve, r.side, r.kind, muscle), []).append(r)
        return groups

    def _whole(self, row: Row) -> bool:
        missing = [
            ("nerve", "which nerve", f"Write one of: {', '.join(self.knowledge.nerves)}."),
            ("side", "which side", "Write left or right (or l, r, links, rechts, gauche, droite ...)."),
            (
                "kind",
                "whether this is motor, sensory or F wave",
                "Add a column 'kind', or a title row such as 'Motor NCS'.",
            ),
        ]
        fine = True
        for key, what, remedy in missing:
            if getattr(row, key) is None:
                fine = False
                if (row.place, key) not in self.complained:
                    self.mend(row.place, f"it is not said {what}", remedy, row.line)
        return fine

    def _numbers(self, row: Row) -> None:
        """Complains of what cannot be in a row that has no place in a study, so that all is said at once."""
        kind = row.kind or "motor"
        values = {k: v for k, v in row.values.items() if row.kind is not None or k not in ("amplitude", "area")}
        self._response(replace(row, values=values), kind, row.site or "")
        self._temperature([row])

    def _study(self, nerve: str, side: str, kind: str, muscle: str | None, rows: list[Row]) -> ConductionStudy | None:
        seen: dict[str, Row] = {}
        distances: dict[str, float] = {}
        velocities: dict[str, float] = {}
        made: list[Response] = []
        for row in rows:
            site = row.site
            if site is None and kind == "f_wave":
                site = "wrist" if self.knowledge.nerves[nerve].limb == "arm" else "ankle"
            if site is None:
                if (row.place, "site") not in self.complained:
                    self.mend(
                        row.place, "it is not said where the nerve was stimulated",
                        "Write the site: wrist, below elbow, axilla, Erb, ankle, fibular head, knee ...", row.line,
                    )  # fmt: skip
                self._numbers(row)
                continue
            if self.knowledge.place(nerve, site) is None:
                limb = self.knowledge.nerves[nerve].limb
                self.mend(
                    row.place, f"the {nerve} nerve is not stimulated at '{site.replace('_', ' ')}'",
                    f"Write one of: {', '.join(self.knowledge.sites[limb]).replace('_', ' ')}.", row.line,
                )  # fmt: skip
                self._numbers(row)
                continue
            response = self._response(row, kind, site)
            only_segment = not row.absent and set(row.values) <= {"distance", "velocity"} and row.values
            if only_segment:
                # A row about a segment: its distance and velocity belong to the response at its proximal end.
                if response.distance is not None:
                    distances[site] = response.distance
                if response.velocity is not None:
                    velocities[site] = response.velocity
                continue
            if site in seen:
                self.mend(
                    row.place, f"{side} {nerve} {site.replace('_', ' ')} stands twice (first at {seen[site].place})",
                    "Keep the better response, or name the two sites apart.", row.line,
                )  # fmt: skip
                continue
            seen[site] = row
            made.append(response)
        made = [
            replace(r, distance=r.distance if r.distance is not None else distances.get(r.site),
                    velocity=r.velocity if r.velocity is not None else velocities.get(r.site))
            for r in made
        ]  # fmt: skip
        if not made:
            return None
        study = ConductionStudy(nerve, side, kind, muscle, tuple(made), self._temperature(rows), rows[0].place)
        study = replace(study, sites=in_order(self.knowledge, study))
        self._check(study, seen)
        return study

    def _temperature(self, rows: list[Row]) -> float | None:
        found = []
        for r in rows:
            if r.temperature is None or r.temperature in self.no_warmth:
                continue
            warmth = self.number("temperature", *r.temperature, r.place, r.line)
            if warmth is None:
                self.no_warmth.add(r.temperature)  # a temperature above a table stands in every row: said once
            else:
                found.append(warmth)
        return min(found) if found else None

    def _response(self, row: Row, kind: str, site: str) -> Response:
        values: dict[str, float | None] = {}
        for quantity, (value, unit) in row.values.items():
            name = f"sensory_{quantity}" if kind == "sensory" and quantity in ("amplitude", "area") else quantity
            if kind == "f_wave" and quantity == "latency":
                name = "f_latency"
            entered = self.number(name, value, unit, f"{row.place}, {quantity.replace('_', ' ')}", row.line)
            values[PLACES.get(quantity, quantity)] = entered
        measured = [q for q in row.values if q in VALUES and q not in ("velocity", "persistence")]
        if row.absent and measured:
            self.mend(
                row.place, f"the response is called absent, but {measured[0].replace('_', ' ')} is given",
                "Write NR alone, or the numbers alone.", row.line,
            )  # fmt: skip
        fields = {k: v for k, v in values.items() if k in Response.__dataclass_fields__}
        return Response(site, absent=row.absent, supramaximal=row.supramaximal, place=row.place, **fields)

    # ---- what can be true

    def _check(self, study: ConductionStudy, rows: Mapping[str, Row]) -> None:
        name = f"{study.side} {study.nerve}"
        for distal, proximal in pairwise(study.sites):
            row = rows[proximal.site]
            low, high = distal.site.replace("_", " "), proximal.site.replace("_", " ")
            if study.kind != "f_wave" and distal.latency is not None and proximal.latency is not None:
                if proximal.latency <= distal.latency:
                    what = (
                        f"{name}: the response from the {high} ({proximal.latency:g} ms) comes no later than that from the {low} "
                        f"({distal.latency:g} ms)"
                    )
                    self.mend(
                        row.place, what, "Were the sites swapped? Mend the site names or the latencies.", row.line
                    )
                    continue
                self._velocity(study, distal, proximal, row, name)
            if distal.absent and not proximal.absent and proximal.amplitude is not None:
                self.look(
                    row.place, f"{name}: a response from the {high} but none from the {low}",
                    "Were the sites swapped, or is it a crossing or a neighbouring nerve?", row.line,
                )  # fmt: skip
        for response in study.sites:
            self._shape(study, response, rows[response.site])

    def _velocity(self, study: ConductionStudy, distal: Response, proximal: Response, row: Row, name: str) -> None:
        segment = Segment(study, distal, proximal, region(self.knowledge, study.nerve, distal.site, proximal.site))
        computed, printed = segment.velocity, proximal.velocity
        if computed is None or segment.distance is None:
            return
        bound = self.knowledge.bounds["velocity"]
        if not bound.low <= computed <= bound.high:
            later = (proximal.latency or 0) - (distal.latency or 0)
            what = f"{name}: {segment.distance:g} mm in {later:.3g} ms is {computed:.0f} m/s; {bound.why}"
            self.mend(row.place, what, "Check the distance (mm or cm?) and the latencies.", row.line)
            return
        tolerance = self.knowledge.thresholds["velocity_tolerance"].value
        if printed is not None and abs(printed - computed) > max(tolerance * computed, 1.5):
            self.look(
                row.place, f"{name}: {printed:g} m/s is printed, but distance and latencies give {computed:.0f} m/s",
                f"Kept; {computed:.0f} m/s is used. Check distance and latencies.", row.line,
            )  # fmt: skip

    def _shape(self, study: ConductionStudy, response: Response, row: Row) -> None:
        if study.kind != "motor" or not (response.amplitude and response.area and response.duration):
            return
        low, high = self.knowledge.shape
        filled = response.area / (response.amplitude * response.duration)
        if not low <= filled <= high:
            what = (
                f"{study.side} {study.nerve}: area {response.area:g} mV.ms does not fit amplitude {response.amplitude:g} mV "
                f"and duration {response.duration:g} ms"
            )
            self.look(row.place, what, "Kept. Check whether area and duration are of the negative peak.", row.line)
