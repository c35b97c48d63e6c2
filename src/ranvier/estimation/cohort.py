"""From a data set and a population to what the compiled engine reads; the interface for everything that fits many people.

`build` gives a `Problem`: the structure, everybody's events, the typical parameters of every row that differs, and the
variability. With it:

- `individual.fit` finds each person's most probable eta, with covariance, predictions and residuals;
- `individual_kernels.predict(structure, cohort, i, varying, active, theta, tangents, directions, True, desk, f, a)` gives
  predictions and exact derivatives by any directions: put dtheta / d(direction) into `tangents` (sets × SLOTS ×
  directions). `individual_kernels.naturals` fills theta and tangents for etas; `population_tangents` here gives the
  derivatives of the typical values by population parameters, from which those by theta follow by the chain rule;
- `individual_kernels.misfit` is one person's objective with gradient and curvature by eta.

Time-varying covariates follow NONMEM: the parameters of a record hold from the record before it up to it (the next
observation carried backward). Parameters of a dose are those of its own record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ranvier.estimation import individual_kernels as K
from ranvier.evidence.models import ERRORS, SCALES, PopulationModel, family
from ranvier.ground.notes import InputError, Severity
from ranvier.ground.notes import Problem as Note
from ranvier.kinetics import linear_kernels as L
from ranvier.record.dataset import DOSE, RESET, RESET_AND_DOSE, Dataset
from ranvier.response import closed_kernels, solver_kernels
from ranvier.response.events_kernels import Cohort, Line

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

ABSORPTION = {
    "none": L.NO_ABSORPTION,
    "zero_order": L.NO_ABSORPTION,
    "first_order": L.FIRST_ORDER,
    "transit": L.TRANSIT,
}
ELIMINATION = {"linear": L.LINEAR, "michaelis_menten": L.MICHAELIS_MENTEN, "fcrn": L.FCRN}
RESPONSE = {
    "direct": L.DIRECT,
    "direct_inhibition": L.DIRECT_INHIBITION,
    "inhibit_production": L.INHIBIT_PRODUCTION,
    "inhibit_loss": L.INHIBIT_LOSS,
    "stimulate_production": L.STIMULATE_PRODUCTION,
    "stimulate_loss": L.STIMULATE_LOSS,
}
DOSE_SLOTS = range(L.F, L.INITIAL)  # they matter at a dose only


@dataclass(frozen=True, slots=True)
class Problem:
    """Everything that the engine needs to fit people.

    slots : slot of each parameter of the population; etas : names, subject first; observations : rows of the data set, in
    the order of `cohort`; sets : rows (of the data set) from which each row of `typical.x` was made; moving : events may
    move in time (lag, modelled rate or duration, bioavailability of infusions)
    """

    data: Dataset
    population: PopulationModel
    structure: L.Structure
    cohort: Cohort
    variability: K.Variability
    typical: K.Typical
    slots: dict[str, int]
    observations: IntArray
    sets: IntArray
    moving: bool
    notes: tuple[Note, ...]

    def __len__(self) -> int:
        return len(self.data)

    def etas(self, i: int) -> int:
        """Number of etas of person i."""
        return int(self.variability.n_subject + self.variability.n_occasion * self.typical.occasions[i])

    @property
    def most_etas(self) -> int:
        """The largest number of etas of anybody."""
        most = int(self.typical.occasions.max(initial=0))
        return int(self.variability.n_subject + self.variability.n_occasion * most)

    def desk(self, directions: int | None = None) -> K.Desk:
        """Scratch for one thread; `directions`: more than the etas, where derivatives by other things are wanted too."""
        d = max(self.most_etas, directions or 0, 1)
        c = self.cohort
        rows = int(np.diff(c.set_ptr).max(initial=1))
        seen = int(np.diff(c.obs_ptr).max(initial=0)) + 1
        events = _most_events(c)
        theta = np.tile(self.defaults(), (rows, 1))

        def whole(n: int) -> IntArray:
            return np.zeros(n, dtype=np.int64)

        return K.Desk(
            theta, np.zeros((rows, L.SLOTS, d)), np.zeros(L.SLOTS, dtype=np.int64), np.zeros(seen), np.zeros((seen, d)),
            np.zeros((seen, L.SLOTS)), np.zeros(seen), np.zeros((d, d)), np.zeros((d, d)), np.zeros(d), np.zeros(2, dtype=np.int64),
            Line(np.zeros(events), whole(events), whole(events), whole(events), np.zeros(events), whole(events), whole(1)),
            closed_kernels.new_room(), solver_kernels.new_solver(d),
        )  # fmt: skip

    def defaults(self) -> FloatArray:
        """Natural parameters that nobody gives: no effect."""
        theta = np.zeros(L.SLOTS)
        theta[[L.F, L.F + 1, L.HILL]] = 1.0
        return theta


def _most_events(c: Cohort) -> int:
    """Room for one person's events: doses count twice, steady states for what still runs of their past."""
    most = 0
    for i in range(c.begin.size):
        rows = slice(int(c.dose_ptr[i]), int(c.dose_ptr[i + 1]))
        steady = c.d_steady[rows] > 0
        many = int(
            c.obs_ptr[i + 1]
            - c.obs_ptr[i]
            + c.reset_ptr[i + 1]
            - c.reset_ptr[i]
            + c.record_ptr[i + 1]
            - c.record_ptr[i]
        )
        many += 3 * int(c.dose_ptr[i + 1] - c.dose_ptr[i]) + 400 * int(steady.sum())
        most = max(most, many)
    return most + 8


def structure_of(population: PopulationModel) -> tuple[L.Structure, dict[str, int]]:
    """The kernels' structure, and the slot of each parameter."""
    parts = family().structures
    kinetics = parts[population.kinetics].options
    response = parts[population.response].options["response"] if population.response else None
    structure = L.Structure(
        int(kinetics["compartments"]),
        ABSORPTION[kinetics["absorption"]],
        ELIMINATION[kinetics["elimination"]],
        int("elimination_rate" in population.parameters),
        RESPONSE[response] if response else L.NO_RESPONSE,
        int("effect_rate" in population.parameters),
        population.scale,
    )
    names = {name: slot for slot, name in enumerate(L.SLOT_NAMES)} | {"elimination_rate": L.CL}
    if structure.absorption == L.NO_ABSORPTION:  # one place only: the plain names mean the central compartment
        for name, slot in (("bioavailability", L.F), ("lag_time", L.LAG), ("duration", L.DURATION), ("rate", L.RATE)):
            names[name] = slot
    return structure, {name: names[name] for name in population.parameters}


def build(data: Dataset, population: PopulationModel) -> Problem:
    """Raises InputError with every problem that stands between this data set and this population."""
    notes: list[Note] = []
    structure, slots = structure_of(population)
    zero_order = family().structures[population.kinetics].options["absorption"] == "zero_order"
    channel = _channels(data, population, structure, zero_order, notes)
    kind = _outputs(data, population, structure, notes)
    x = _typical(data, population, slots, notes)
    occasion = _occasions(data, population, notes)
    if any(n.severity is Severity.MEND for n in notes):
        raise InputError(f"{data.name} and {population.id} do not fit together.", tuple(notes))

    active = np.array(sorted({*slots.values(), *_residual_slots(population)}), dtype=np.int64)
    subject, between = np.full(L.SLOTS, -1, dtype=np.int64), np.full(L.SLOTS, -1, dtype=np.int64)
    for index, name in enumerate(population.subject_names):
        subject[slots[name]] = index
    for index, name in enumerate(population.occasion_names):
        between[slots[name]] = index
    transform = np.full(L.SLOTS, K.NORMAL, dtype=np.int64)
    for name, parameter in population.parameters.items():
        transform[slots[name]] = SCALES.index(parameter.scale)
    kinds = np.array(
        [
            ERRORS.index(population.residual[o].error) if o in population.residual else K.ADDED
            for o in ("concentration", "response")
        ],
        dtype=np.int64,
    )
    variability = K.Variability(
        transform, subject, between, len(population.subject_names), len(population.occasion_names),
        _root(population.omega),
        _root(population.occasion_omega),
        kinds, int(population.interaction), active,
    )  # fmt: skip
    writer = _Writer(data, channel, kind, x, occasion, zero_order)
    for i in range(len(data)):
        writer.person(i)
    cohort, typical_x, set_occasion, set_rows, occasions = writer.done()
    varying = _varying(cohort, typical_x, set_occasion, variability, slots)
    skip = _skip(cohort, population, kinds, structure, slots, writer.before_dose, notes)
    moving = any(s in DOSE_SLOTS for s in slots.values()) or bool(np.any(cohort.d_rate < 0))
    typical = K.Typical(typical_x, set_occasion, occasions, varying, skip)
    return Problem(
        data, population, structure, cohort, variability, typical, slots, np.array(writer.obs_rows, dtype=np.int64), set_rows,
        moving, tuple(notes),
    )  # fmt: skip


def _root(omega: FloatArray) -> FloatArray:
    """Lower triangle L with L L' = omega."""
    return np.asarray(np.linalg.cholesky(omega), dtype=np.float64) if omega.size else np.zeros((0, 0))


def _residual_slots(population: PopulationModel) -> list[int]:
    return [
        L.ADDITIVE + 2 * k + j
        for k, o in enumerate(("concentration", "response"))
        if o in population.residual
        for j in (0, 1)
    ]


def _lines(data: Dataset, rows: npt.NDArray[np.bool_]) -> str:
    """The first lines at which something holds, in words."""
    lines = data.line[np.flatnonzero(rows)]
    shown = ", ".join(str(n) for n in lines[:5])
    return (
        f"line {shown}"
        if lines.size == 1
        else f"lines {shown}{f' and {lines.size - 5} more' if lines.size > 5 else ''}"
    )


def _channels(
    data: Dataset, population: PopulationModel, s: L.Structure, zero_order: bool, notes: list[Note]
) -> IntArray:
    """0 central or 1 depot for every row that doses."""
    doses = (data.event == DOSE) | (data.event == RESET_AND_DOSE)
    central = {L.NO_ABSORPTION: 1, L.FIRST_ORDER: 2, L.TRANSIT: 3}[s.absorption]
    central = population.compartments.get("central", central)
    depot = population.compartments.get("depot", 1) if s.absorption != L.NO_ABSORPTION else None
    channel = np.where(data.compartment == central, L.CENTRAL, L.DEPOT if depot is not None else L.CENTRAL)
    allowed = [0, central] + ([depot] if depot is not None else [])
    wrong = doses & ~np.isin(data.compartment, allowed)
    if wrong.any():
        where = f"{data.name}, {_lines(data, wrong)}, CMT"
        notes.append(
            Note(where, f"doses into a compartment that {population.kinetics} does not have",
                 f"It doses into: {', '.join(map(str, allowed[1:]))}. Numbers may be told under 'compartments' in the population.")
        )  # fmt: skip
    for code, name, first in ((-1.0, "rate", L.RATE), (-2.0, "duration", L.DURATION)):
        asked = doses & (data.rate == code)
        have = set(structure_of(population)[1].values())
        for c in (L.CENTRAL, L.DEPOT):
            lacking = asked & (channel == c)
            if lacking.any() and first + c not in have:
                suffix = "_central" if c == L.CENTRAL and depot is not None else ("_central" if depot is None else "")
                notes.append(
                    Note(f"{data.name}, {_lines(data, lacking)}, RATE", f"asks for a modelled {name}, and the population has none",
                         f"Add the parameter {name}{suffix} to the population, or write a rate.")
                )  # fmt: skip
    if s.elimination == L.FCRN and np.any(data.steady == 2):
        notes.append(
            Note(data.name, "SS 2 adds a second steady state, which has no meaning where IgG is saturable", "Use SS 1.")
        )
    return channel


def _outputs(data: Dataset, population: PopulationModel, s: L.Structure, notes: list[Note]) -> IntArray:
    """0 concentration, 1 response, -1 not an observation that is used."""
    seen = data.missing == 0
    kind = np.where(seen, 0, -1)
    if population.output_column is not None:
        named = {"DVID": data.kind.astype(np.float64), "CMT": data.compartment.astype(np.float64)}
        column = named.get(population.output_column, data.covariates.get(population.output_column))
        if column is None:
            notes.append(
                Note(
                    data.name,
                    f"has no column {population.output_column}, which tells the outputs apart",
                    "Mend 'outputs'.",
                )
            )
            return kind
        kind[:] = -1
        for value, name in population.outputs.items():
            kind[seen & (column == value)] = 0 if name == "concentration" else 1
        left = seen & (kind < 0)
        if left.any():
            notes.append(
                Note(f"{data.name}, {_lines(data, left)}", f"{int(left.sum())} values are neither of its outputs; left out",
                     f"{population.output_column} is told under 'outputs' in the population.", Severity.LOOK)
            )  # fmt: skip
    elif s.response != L.NO_RESPONSE:
        if np.any(data.kind[seen] != 0):
            wrong = seen & ~np.isin(data.kind, (0, 1, 2))
            kind[seen & (data.kind == 2)] = 1
        else:
            central = {L.NO_ABSORPTION: 1, L.FIRST_ORDER: 2, L.TRANSIT: 3}[s.absorption]
            number = population.compartments.get("response", central + s.compartments)
            wrong = seen & ~np.isin(data.compartment, (0, 1, central, number))
            kind[seen & (data.compartment == number)] = 1
        if wrong.any():
            notes.append(
                Note(f"{data.name}, {_lines(data, wrong)}", "it is not clear whether the value is a concentration or a response",
                     "Write DVID 1 or 2, or say it under 'outputs' in the population.")
            )  # fmt: skip
    for code, name in ((0, "concentration"), (1, "response")):
        if name not in population.residual and np.any(kind == code):
            lacking = kind == code
            notes.append(
                Note(f"{data.name}, {_lines(data, lacking)}", f"the population has no residual error for {name}",
                     f"Add residual.{name}, or leave those rows out with 'outputs'.")
            )  # fmt: skip
    return kind


def _typical(data: Dataset, population: PopulationModel, slots: dict[str, int], notes: list[Note]) -> FloatArray:
    """Typical parameters of every row on their scales (R × SLOTS)."""
    rows = data.line.size
    x = np.zeros((rows, L.SLOTS))
    for name, parameter in population.parameters.items():
        value = np.full(rows, parameter.typical)
        if parameter.from_column is not None:
            value = data.covariates[parameter.from_column] * parameter.typical
        for relation in parameter.relations:
            with np.errstate(all="ignore"):
                value = value * relation.factor(data.covariates[relation.column])
        bad = ~np.isfinite(value)
        if parameter.scale == "log":
            bad |= value <= 0
        elif parameter.scale == "logit":
            bad |= (value <= 0) | (value >= 1)
        if bad.any():
            columns = ", ".join([r.column for r in parameter.relations] or [parameter.from_column or ""])
            notes.append(
                Note(f"{data.name}, {_lines(data, bad)}, {columns}", f"makes an impossible {name}",
                     "Check the covariate's value and unit, and the relation in the population.")
            )  # fmt: skip
            continue
        with np.errstate(all="ignore"):
            if parameter.scale == "log":
                value = np.log(value)
            elif parameter.scale == "logit":
                value = np.log(value / (1.0 - value))
        x[:, slots[name]] = value
    for k, output in enumerate(("concentration", "response")):
        if output in population.residual:
            x[:, L.ADDITIVE + 2 * k] = population.residual[output].additive
            x[:, L.ADDITIVE + 2 * k + 1] = population.residual[output].proportional
    return x


def population_tangents(problem: Problem) -> tuple[tuple[str, ...], FloatArray]:
    """Names of the population's free numbers, and d x / d number for every set (sets × SLOTS × numbers).

    Numbers: the typical value of each parameter on its own scale (so that its derivative is 1), each relation's exponent or
    effect, each residual SD. x is `typical.x`; multiply by d theta / d x (log: theta; logit: theta (1 - theta)).
    """
    data, population = problem.data, problem.population
    names: list[str] = []
    columns: list[FloatArray] = []
    rows = problem.sets
    for name, parameter in population.parameters.items():
        if parameter.from_column is not None:
            continue
        slot = problem.slots[name]
        one = np.zeros((rows.size, L.SLOTS))
        factor = np.ones(rows.size)
        for relation in parameter.relations:
            factor = factor * relation.factor(data.covariates[relation.column][rows])
        # d transform(typical · factor) / d transform(typical)
        if parameter.scale == "log":
            by = np.ones(rows.size)
        elif parameter.scale == "logit":
            value = parameter.typical * factor
            by = factor * parameter.typical * (1 - parameter.typical) / (value * (1 - value))
        else:
            by = factor
        one[:, slot] = by
        names.append(name)
        columns.append(one)
        for k, relation in enumerate(parameter.relations):
            one = np.zeros((rows.size, L.SLOTS))
            relative = relation.slope(data.covariates[relation.column][rows])
            value = parameter.typical * factor
            if parameter.scale == "log":
                by = relative
            elif parameter.scale == "logit":
                by = relative / (1 - value)
            else:
                by = relative * value
            one[:, slot] = by
            names.append(f"{name}.{relation.column}" + (f".{k}" if k else ""))
            columns.append(one)
    for k, output in enumerate(("concentration", "response")):
        if output in population.residual:
            for j, key in enumerate(("additive", "proportional")):
                if getattr(population.residual[output], key) > 0:
                    one = np.zeros((rows.size, L.SLOTS))
                    one[:, L.ADDITIVE + 2 * k + j] = 1.0
                    names.append(f"{output}.{key}")
                    columns.append(one)
    return tuple(names), np.stack(columns, axis=2) if columns else np.zeros((rows.size, L.SLOTS, 0))


def _occasions(data: Dataset, population: PopulationModel, notes: list[Note]) -> IntArray:
    """Number of the occasion within the person, for every row."""
    occasion = np.zeros(data.line.size, dtype=np.int64)
    if population.occasion_column is None:
        return occasion
    column = data.covariates.get(population.occasion_column.upper())
    if column is None:
        notes.append(
            Note(data.name, f"has no column {population.occasion_column} for the occasions",
                 f"Say which it is: --columns {population.occasion_column}=NAME.")
        )  # fmt: skip
        return occasion
    if np.isnan(column).any():
        notes.append(
            Note(f"{data.name}, {_lines(data, np.isnan(column))}", "has no occasion", "Write its number in every row.")
        )
        return occasion
    for begin, end in zip(data.first[:-1], data.first[1:], strict=True):
        _, occasion[begin:end] = np.unique(column[begin:end], return_inverse=True)
    return occasion


def _varying(c: Cohort, x: FloatArray, occasion: IntArray, b: K.Variability, slots: dict[str, int]) -> IntArray:
    """1 for people whose kinetics or response change with time."""
    steady = np.array([p for p in b.active if p not in DOSE_SLOTS and p < L.ADDITIVE], dtype=np.int64)
    moved = np.array(
        [p for p in b.active if p in DOSE_SLOTS and (b.subject[p] >= 0 or b.occasion[p] >= 0)], dtype=np.int64
    )
    out = np.zeros(c.begin.size, dtype=np.int64)
    for i in np.flatnonzero(np.diff(c.set_ptr) > 1):
        rows = slice(int(c.set_ptr[i]), int(c.set_ptr[i + 1]))
        differs = np.any(x[rows][:, steady] != x[rows][:1, steady])
        differs |= moved.size > 0 and bool(np.any(x[rows][:, moved] != x[rows][:1, moved]))
        differs |= b.n_occasion > 0 and np.unique(occasion[rows]).size > 1
        out[i] = int(differs)
    return out


def _skip(
    c: Cohort,
    population: PopulationModel,
    kinds: IntArray,
    s: L.Structure,
    slots: dict[str, int],
    before: Sequence[bool],
    notes: list[Note],
) -> IntArray:
    """Values that say nothing under an error without an additive part: a zero, or anything before the first dose."""
    relative = (
        np.isin(kinds, (K.PROPORTIONAL_ERROR, K.LOG_ERROR))[c.o_kind] if c.o_kind.size else np.zeros(0, dtype=np.bool_)
    )
    zero = relative & (c.o_censored == 0) & (c.o_value <= 0)
    nothing = relative & np.array(before, dtype=np.bool_) & (c.o_kind == 0)
    if {L.ENDOGENOUS, L.INITIAL} & set(slots.values()):
        nothing[:] = False
    for which, words in (
        (zero, "are zero or less"),
        (nothing & ~zero, "stand before the first dose, where the model predicts zero"),
    ):
        if which.any():
            notes.append(
                Note(population.id, f"{int(which.sum())} values {words}; left out, as the error has no additive part",
                     "Give them as censored (CENS 1, DV the limit), or add an additive part.", Severity.LOOK)
            )  # fmt: skip
    return np.asarray(zero | nothing, dtype=np.int64)


class _Writer:
    """Writes one person after the other into growing lists, then arrays."""

    def __init__(
        self, data: Dataset, channel: IntArray, kind: IntArray, x: FloatArray, occasion: IntArray, zero_order: bool
    ) -> None:
        self.data, self.channel, self.kind, self.x, self.occasion, self.zero_order = (
            data,
            channel,
            kind,
            x,
            occasion,
            zero_order,
        )
        self.doses: list[tuple[float, ...]] = []
        self.obs: list[tuple[float, ...]] = []
        self.resets: list[tuple[float, ...]] = []
        self.records: list[tuple[float, ...]] = []
        self.begin: list[float] = []
        self.pointers: list[tuple[int, int, int, int, int]] = [(0, 0, 0, 0, 0)]
        self.sets: list[int] = []
        self.occasions: list[int] = []
        self.obs_rows: list[int] = []
        self.before_dose: list[bool] = []

    def person(self, i: int) -> None:
        d = self.data
        rows = range(int(d.first[i]), int(d.first[i + 1]))
        block = slice(rows.start, rows.stop)
        what = np.column_stack([self.x[block], self.occasion[block]])
        if np.all(what == what[0]):
            number = np.zeros(len(rows), dtype=np.int64)
            firsts = np.array([0])
        else:
            _, firsts, number = np.unique(what, axis=0, return_index=True, return_inverse=True)
            number = number.reshape(-1)
        self.sets += [rows.start + int(f) for f in firsts]
        several = firsts.size > 1
        time = d.time[block].copy()
        shift = 0.0
        for k in range(1, time.size):  # a reset may begin a new count of time
            time[k] += shift
            if time[k] < time[k - 1]:
                shift += time[k - 1] - time[k]
                time[k] = time[k - 1]
        self.begin.append(float(time[0]))
        own: list[list[float]] = []
        resets: list[tuple[float, float]] = []
        dosed = False
        for k, row in enumerate(rows):
            at, rank = float(time[k]), 4 * k
            event = d.event[row]
            if event in (RESET, RESET_AND_DOSE):
                resets.append((at, rank - 2))
                self._cut(own, at)
            if event in (DOSE, RESET_AND_DOSE):
                dosed = True
                steady = int(d.steady[row])
                if steady == 1:
                    self._cut(own, at)
                rate = float(d.rate[row])
                if self.zero_order and rate == 0.0:
                    rate = -2.0
                every = float(d.interval[row])
                head = [
                    float(d.amount[row]),
                    rate,
                    float(self.channel[row]),
                    float(number[k]),
                    float(steady),
                    every,
                    float(rank),
                    at,
                ]
                own.append([at, *head, np.inf])
                for n in range(1, int(d.additional[row]) + 1):
                    then = at + n * every
                    near = np.searchsorted(time, then - 1e-9 * max(1.0, abs(then)))
                    if near < time.size and abs(time[near] - then) <= 1e-9 * max(1.0, abs(then)):
                        then = float(time[near])
                    own.append([then, *head, np.inf])
            elif self.kind[row] >= 0:
                self.obs.append(
                    (
                        at,
                        float(d.value[row]),
                        float(self.kind[row]),
                        float(d.censored[row]),
                        float(rank),
                        float(number[k]),
                    )
                )
                self.obs_rows.append(row)
                self.before_dose.append(not dosed)
            if several:
                self.records.append((at, float(number[k]), float(rank + 2)))
        self.doses += [tuple(o) for o in own]
        self.resets += resets
        self.occasions.append(int(self.occasion[block].max()) + 1 if len(rows) else 1)
        self.pointers.append((len(self.doses), len(self.obs), len(self.resets), len(self.records), len(self.sets)))

    @staticmethod
    def _cut(own: list[list[float]], at: float) -> None:
        """A reset ends what was given before."""
        for dose in own:
            dose[-1] = min(dose[-1], at)

    def done(self) -> tuple[Cohort, FloatArray, IntArray, IntArray, IntArray]:
        def table(rows: list[tuple[float, ...]], width: int) -> FloatArray:
            return np.array(rows, dtype=np.float64).reshape(-1, width)

        doses, obs = table(self.doses, 10), table(self.obs, 6)
        resets, records = table(self.resets, 2), table(self.records, 3)
        pointer = np.array(self.pointers, dtype=np.int64)

        def number(a: FloatArray | IntArray) -> IntArray:
            return np.ascontiguousarray(a).astype(np.int64)

        def real(a: FloatArray) -> FloatArray:
            return np.ascontiguousarray(a)

        o, r, c = pointer[:, 1], pointer[:, 2], pointer[:, 3]
        cohort = Cohort(
            np.array(self.begin),
            number(pointer[:, 0]), real(doses[:, 0]), real(doses[:, 1]), real(doses[:, 2]), number(doses[:, 3]),
            number(doses[:, 4]), number(doses[:, 5]), real(doses[:, 6]), number(doses[:, 7]), real(doses[:, 8]), real(doses[:, 9]),
            number(o), real(obs[:, 0]), real(obs[:, 1]), number(obs[:, 2]), number(obs[:, 3]), number(obs[:, 4]), number(obs[:, 5]),
            number(r), real(resets[:, 0]), number(resets[:, 1]),
            number(c), real(records[:, 0]), number(records[:, 1]), number(records[:, 2]), number(pointer[:, 4]),
        )  # fmt: skip
        rows = np.array(self.sets, dtype=np.int64)
        return (
            cohort,
            np.ascontiguousarray(self.x[rows]),
            self.occasion[rows].astype(np.int64),
            rows,
            np.array(self.occasions, dtype=np.int64),
        )
