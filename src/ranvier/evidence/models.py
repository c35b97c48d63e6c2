"""Models as data: a structure of the family, and a population that gives its parameters, variability, error and source.

A population file (YAML) that `ranvier fit` and `ranvier population` read::

    id: theophylline_oral
    title: Theophylline by mouth
    source: where the numbers come from, in words (or a source's id in knowledge/evidence/sources.yaml)
    kinetics: one_compartment_oral          # names: ranvier model list
    response: turnover_inhibit_production   # may be left out
    scale: 1                                # concentration = scale · amount / volume
    interaction: true                       # residual variance follows the person's own prediction (FOCEI); false: FOCE
    columns: {DV: CONC, OCC: VISIT}         # our name: the file's, where they differ
    outputs: {column: DVID, concentration: 1, response: 2}     # which rows are which; other values are left out, and said
    compartments: {depot: 1, central: 2}    # numbers in CMT, where they differ from the structure's own
    parameters:
      clearance:
        scale: log                          # log (log-normal), logit (logit-normal) or normal
        typical: 2.8                        # on the natural scale; or {value, unit, source, where, status}
        spread: 0.27                        # SD between people on that scale; or variance: 0.073; left out: none
        occasion: {spread: 0.1}             # SD (or variance) between occasions of one person
        covariates:
          - {column: WT, form: power, reference: 70, exponent: 0.75}
          - {column: APGR, form: factor, below: 5, effect: 0.15}      # · (1 + effect) where the condition holds
      lag_time: {from_column: LAGT}         # read from the data, not estimated
    correlations: [{of: clearance, with: central_volume, number: 0.3}]      # or covariance: in place of number
    occasion: {column: OCC, correlations: []}
    residual:
      concentration: {error: combined_sum, additive: 0.43, proportional: 0.054}
      response: {error: additive, additive: 3.7}

Forms of a covariate relation, all multiplying the typical value: power (x / reference)^exponent, exponential
exp(effect (x - reference)), linear 1 + effect (x - reference), factor 1 + effect where x is below, above or equals a value.
Errors: additive, proportional, combined_sum (SD = a + b f), combined_root (SD = sqrt(a² + b² f²)), log (SD of the logarithm);
additive and proportional are SDs. A number may be written alone or with unit, source, place and status. The published schema is
population.schema.json; what it cannot say (which parameters a structure has, that a covariance is possible) is checked here.
"""

from __future__ import annotations

import functools
import importlib.resources
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from ranvier.evidence.load import load as load_knowledge
from ranvier.evidence.nouns import Number, Population
from ranvier.ground.notes import InputError, Problem, Severity, must_mend

SCALES = ("log", "logit", "normal")
FORMS = ("power", "exponential", "linear", "factor")
ERRORS = ("additive", "proportional", "combined_sum", "combined_root", "log")
OUTPUTS = ("concentration", "response")
CONDITIONS = ("below", "above", "equals")


@dataclass(frozen=True, slots=True)
class StructurePart:
    """One kinetic or response structure of the family (knowledge/models/family.yaml).

    id, title, equations (as lines of TeX); parameters : needed; optional : may be given, else `default` of the parameter
    options : what the kernels need to know of it
    """

    id: str
    kind: str  # kinetics | response
    title: str
    equations: tuple[str, ...]
    parameters: tuple[str, ...]
    optional: tuple[str, ...]
    options: Mapping[str, Any]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ParameterKind:
    """A parameter of the family: name, what it is, its dimension in words, the value it has where nobody gives one."""

    name: str
    says: str
    dimension: str
    default: float | None


@dataclass(frozen=True, slots=True)
class Family:
    """All structures and parameters there are."""

    structures: Mapping[str, StructurePart]
    parameters: Mapping[str, ParameterKind]


@dataclass(frozen=True, slots=True)
class Relation:
    """How a column of the data multiplies a typical value.

    value : exponent or effect; reference : for power, exponential, linear; condition, threshold : for factor
    """

    column: str
    form: str
    value: float
    reference: float = 1.0
    condition: str = ""
    threshold: float = 0.0

    def factor(self, x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """What the typical value is multiplied with, for covariate values x."""
        if self.form == "power":
            return np.asarray((x / self.reference) ** self.value)
        if self.form == "exponential":
            return np.asarray(np.exp(self.value * (x - self.reference)))
        if self.form == "linear":
            return np.asarray(1.0 + self.value * (x - self.reference))
        return np.asarray(np.where(self.holds(x), 1.0 + self.value, 1.0))

    def slope(self, x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Derivative of ln(factor) by the value."""
        if self.form == "power":
            return np.asarray(np.log(x / self.reference))
        if self.form == "exponential":
            return np.asarray(x - self.reference)
        if self.form == "linear":
            return np.asarray((x - self.reference) / self.factor(x))
        return np.asarray(np.where(self.holds(x), 1.0 / (1.0 + self.value), 0.0))

    def holds(self, x: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        """Where the condition of a factor holds."""
        compare = {"below": np.less, "above": np.greater, "equals": np.equal}[self.condition]
        return np.asarray(compare(x, self.threshold))


@dataclass(frozen=True, slots=True)
class ModelParameter:
    """One parameter of a population. typical: natural scale; variance, occasion_variance: on `scale` (None: none)."""

    name: str
    scale: str
    typical: float
    variance: float | None = None
    occasion_variance: float | None = None
    relations: tuple[Relation, ...] = ()
    from_column: str | None = None
    number: Number | None = None  # unit, source and status of the typical value, where the file gives them


@dataclass(frozen=True, slots=True)
class ResidualError:
    """error: one of ERRORS; additive and proportional as SD (0 where the kind has none)."""

    error: str
    additive: float
    proportional: float


@dataclass(frozen=True, slots=True)
class PopulationModel:
    """A population that can be fitted to data: a structure with numbers.

    subject_names, omega : parameters that differ between people, and their covariance on their scales
    occasion_names, occasion_omega : the same between occasions; occasion_column : of the data
    columns : our name → the file's; outputs : values of `output_column` → concentration | response
    """

    id: str
    title: str
    kinetics: str
    response: str | None
    scale: float
    interaction: bool
    parameters: Mapping[str, ModelParameter]
    subject_names: tuple[str, ...]
    omega: npt.NDArray[np.float64]
    occasion_names: tuple[str, ...]
    occasion_omega: npt.NDArray[np.float64]
    occasion_column: str | None
    residual: Mapping[str, ResidualError]
    source: str
    columns: Mapping[str, str] = field(default_factory=dict)
    output_column: str | None = None
    outputs: Mapping[float, str] = field(default_factory=dict)
    compartments: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def covariates(self) -> tuple[str, ...]:
        """Columns of the data that the parameters depend on, each once."""
        found = [r.column for p in self.parameters.values() for r in p.relations]
        found += [p.from_column for p in self.parameters.values() if p.from_column]
        return tuple(dict.fromkeys(found))


@functools.cache
def family() -> Family:
    """The family of structures, read once."""
    return read_family((importlib.resources.files("ranvier.knowledge") / "models" / "family.yaml").read_bytes())


def read_family(text: bytes) -> Family:
    """The family from the text of `knowledge/models/family.yaml`."""
    data = yaml.load(text, yaml.CSafeLoader)
    structures = {
        key: StructurePart(
            key,
            kind,
            item["title"],
            tuple(item["equations"]),
            tuple(item["parameters"]),
            tuple(item.get("optional", ())),
            dict(item["options"]),
            tuple(item.get("notes", ())),
        )
        for kind in ("kinetics", "response")
        for key, item in data[kind].items()
    }
    parameters = {
        key: ParameterKind(key, item["says"], item["dimension"], item.get("default"))
        for key, item in data["parameters"].items()
    }
    return Family(structures, parameters)


@functools.cache
def spreads() -> dict[str, tuple[float, float]]:
    """SDs of the prior of a population that is learnt, by kind of number: around a published one, around a mere start.

    From `knowledge/models/learning.yaml`, where each has its reason.
    """
    text = (importlib.resources.files("ranvier.knowledge") / "models" / "learning.yaml").read_bytes()
    kinds = yaml.load(text, yaml.CSafeLoader)["spreads"]
    return {kind: (float(two["published"]["value"]), float(two["start"]["value"])) for kind, two in kinds.items()}


@functools.cache
def schema() -> dict[str, Any]:
    """The published JSON Schema (2020-12) of a population file. Not to be written to."""
    text = (importlib.resources.files("ranvier.evidence") / "population.schema.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


class _Reader:
    """Collects every problem of one population file."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.problems: list[Problem] = []

    def mend(self, place: str, what: str, remedy: str) -> None:
        self.problems.append(Problem(f"{self.name}: {place}" if place else self.name, what, remedy))

    def number(self, data: Any, place: str, *, low: float | None = None) -> float:
        """A number, written alone or with its unit and source. NaN after a problem."""
        value = data.get("value") if isinstance(data, Mapping) else data
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self.mend(place, f"{value!r} is not a number", "Write a number, alone or as {value: …, unit: …}.")
            return math.nan
        if low is not None and value < low:
            self.mend(place, f"{value:g} is less than {low:g}", f"Write a number of at least {low:g}.")
        return float(value)

    def mapping(self, data: Any, place: str) -> Mapping[str, Any]:
        if isinstance(data, Mapping):
            return data
        self.mend(place, "is not a mapping of names to values", "Write it as 'name: value' lines, indented below it.")
        return {}

    def known(self, data: Mapping[str, Any], place: str, names: tuple[str, ...]) -> None:
        for key in data:
            if key not in names:
                self.mend(
                    f"{place}.{key}" if place else str(key), "is not known here", f"Use one of: {', '.join(names)}."
                )


_TOP = (
    "id", "title", "source", "kinetics", "response", "scale", "interaction", "columns", "outputs", "compartments", "parameters",
    "correlations", "occasion", "residual", "notes", "provenance",
)  # fmt: skip
_PARAMETER = ("scale", "typical", "spread", "variance", "occasion", "covariates", "from_column")


def read_population(path: Path) -> PopulationModel:
    """A population file. Raises InputError with all its problems, or FileNotFoundError."""
    text = path.read_bytes()
    try:
        data = yaml.load(text, yaml.CSafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
        problem = Problem(path.name, f"is not YAML: {' '.join(str(error).split())}", "Mend the line it names.")
        raise InputError(f"{path.name} cannot be used.", (problem,)) from None
    return population_of(data, path.name)


def population_of(data: Any, name: str) -> PopulationModel:
    """A population from plain data (of a file called `name`). Raises InputError with every problem."""
    reader = _Reader(name)
    made = _population(reader, data)
    if must_mend(tuple(reader.problems)) or made is None:
        raise InputError(f"{name} cannot be used.", tuple(reader.problems))
    return made


def _population(reader: _Reader, data: Any) -> PopulationModel | None:
    if not isinstance(data, Mapping):
        reader.mend("", "holds no population", "Begin with lines such as 'id: …', 'kinetics: …', 'parameters: …'.")
        return None
    reader.known(data, "", _TOP)
    kinds = family()
    for key in ("id", "title", "source"):
        if not isinstance(data.get(key), str) or not data[key].strip():
            reader.mend(key, "is missing", f"Write '{key}: …' in words.")
    kinetics, response = data.get("kinetics"), data.get("response")
    for key, value, must in (("kinetics", kinetics, True), ("response", response, False)):
        choices = [s.id for s in kinds.structures.values() if s.kind == key]
        if (value is not None or must) and value not in choices:
            reader.mend(key, f"{value!r} is not a structure of the family", f"Use one of: {', '.join(choices)}.")
    parts = [kinds.structures[k] for k in (kinetics, response) if isinstance(k, str) and k in kinds.structures]
    parameters = _parameters(reader, reader.mapping(data.get("parameters", {}), "parameters"), parts)
    subject, omega = _covariance(
        reader,
        {p.name: p.variance for p in parameters.values() if p.variance},
        data.get("correlations", ()),
        "correlations",
    )
    between = reader.mapping(data.get("occasion", {}), "occasion")
    reader.known(between, "occasion", ("column", "correlations"))
    occasions, occasion_omega = _covariance(
        reader,
        {p.name: p.occasion_variance for p in parameters.values() if p.occasion_variance},
        between.get("correlations", ()),
        "occasion.correlations",
    )
    column = between.get("column", "OCC") if occasions else None
    residual = _residual(reader, data.get("residual", {}), response)
    column_names = {str(k).upper(): str(v) for k, v in reader.mapping(data.get("columns", {}), "columns").items()}
    outputs = reader.mapping(data.get("outputs", {}), "outputs")
    reader.known(outputs, "outputs", ("column", *OUTPUTS))
    compartments = reader.mapping(data.get("compartments", {}), "compartments")
    reader.known(compartments, "compartments", ("depot", "central", "response"))
    scale = reader.number(data.get("scale", 1.0), "scale")
    if scale <= 0:
        reader.mend("scale", f"{scale:g} is not positive", "Write a positive number, e.g. 1000 for mg and ug/L.")
    _shape(reader, data)
    if must_mend(tuple(reader.problems)):
        return None
    return PopulationModel(
        id=str(data["id"]),
        title=str(data["title"]),
        kinetics=str(kinetics),
        response=response,
        scale=scale,
        interaction=bool(data.get("interaction", True)),
        parameters=parameters,
        subject_names=subject,
        omega=omega,
        occasion_names=occasions,
        occasion_omega=occasion_omega,
        occasion_column=column,
        residual=residual,
        source=str(data["source"]),
        columns=column_names,
        output_column=str(outputs["column"]).upper() if "column" in outputs else None,
        outputs={
            float(v): k
            for k in OUTPUTS
            for v in np.atleast_1d(outputs.get(k, ())).tolist()
            if isinstance(v, int | float)
        },
        compartments={str(k): int(v) for k, v in compartments.items()},
        notes=tuple(str(n) for n in data.get("notes", ())),
        provenance=dict(data.get("provenance", {})),
    )


def _shape(reader: _Reader, data: Any) -> None:
    """Departures from the schema at places of which nothing has been said yet; what has been said knows the structure too."""
    from jsonschema import Draft202012Validator  # imported here: a tenth of a second

    told = [problem.place.removeprefix(f"{reader.name}: ") for problem in reader.problems]
    for error in Draft202012Validator(schema()).iter_errors(data):
        at = ""
        for step in error.absolute_path:
            at += f"[{step}]" if isinstance(step, int) else f".{step}" if at else str(step)
        if not at and error.validator == "required":  # said already, each in its own words
            continue
        if any(
            place == at or place.startswith((f"{at}.", f"{at}[")) or (at and at.startswith(place)) for place in told
        ):
            continue
        rule: Mapping[str, Any] = error.schema if isinstance(error.schema, Mapping) else {}
        if "$ref" in rule:
            rule = {**schema()["$defs"][str(rule["$ref"]).rsplit("/", 1)[-1]], **rule}
        examples = rule.get("examples") or _examples(list(error.absolute_path))
        remedy = f"Write, for instance: {_one_line(examples[0])}" if examples else "See: ranvier schema population"
        reader.mend(at, _departure(error), remedy)
        told.append(at)


def _examples(path: list[Any]) -> list[Any]:
    """The schema's examples of what stands at this place, or the nearest above it that has some."""
    node: Any = schema()
    found: list[Any] = []
    for step in path:
        node = node.get("then", node) if "properties" not in node and "if" in node else node
        below = node.get("items") if isinstance(step, int) else node.get("properties", {}).get(step)
        node = below if isinstance(below, Mapping) else node.get("additionalProperties")
        if not isinstance(node, Mapping):
            break
        if "$ref" in node:
            node = {**schema()["$defs"][node["$ref"].rsplit("/", 1)[-1]], **node}
        found = list(node.get("examples", found))
    return found


def _departure(error: Any) -> str:
    """What is wrong, in words."""
    value, wanted = _one_line(error.instance), error.validator_value
    if error.validator == "type":
        return f"{value} is not {' or '.join(_KINDS[k] for k in ([wanted] if isinstance(wanted, str) else wanted))}"
    if error.validator == "enum":
        return f"{value} is not one of {', '.join(map(str, wanted))}"
    if error.validator == "additionalProperties":
        extra = sorted(str(k) for k in error.instance if k not in error.schema.get("properties", {}))
        return f"{', '.join(extra)} is not known here"
    if error.validator == "required":
        return f"{', '.join(k for k in wanted if k not in error.instance)} is missing"
    if error.validator in ("minimum", "minItems", "minProperties", "minLength"):
        return f"{value} is too little: at least {wanted}"
    if error.validator == "oneOf":
        return f"{value} needs one of two: number or covariance"
    return f"{value} does not fit the format"


_KINDS = {
    "object": "a group of names with values", "array": "a list", "string": "text", "number": "a number",
    "integer": "a whole number", "boolean": "true or false", "null": "nothing",
}  # fmt: skip


def _one_line(value: Any) -> str:
    """As one would write it in YAML, on one line and not too long."""
    try:
        words = json.dumps(value, ensure_ascii=False, default=str).replace('"', "")
    except (ValueError, TypeError):  # an alias that holds itself, a key that is no text
        words = "this"
    return words if len(words) <= 80 else words[:77] + "..."


def _parameters(reader: _Reader, data: Mapping[str, Any], parts: list[StructurePart]) -> dict[str, ModelParameter]:
    allowed = tuple(dict.fromkeys(name for part in parts for name in (*part.parameters, *part.optional)))
    made: dict[str, ModelParameter] = {}
    for name in (n for part in parts for n in part.parameters):
        if name not in data and not (name == "clearance" and "elimination_rate" in data):
            says = family().parameters[name].says
            reader.mend(f"parameters.{name}", f"is missing: {says}", "The structure needs it; write its typical value.")
    for key, item in data.items():
        name, place = str(key), f"parameters.{key}"
        if parts and name not in allowed:
            reader.mend(place, "is no parameter of this structure", f"Use: {', '.join(allowed)}.")
            continue
        item = reader.mapping(item, place)
        reader.known(item, place, _PARAMETER)
        column = item.get("from_column")
        scale = item.get("scale", "normal" if column else "log")
        if scale not in SCALES:
            reader.mend(f"{place}.scale", f"{scale!r} is not known", f"Use one of: {', '.join(SCALES)}.")
            scale = "normal"
        if column is None and "typical" not in item:
            reader.mend(f"{place}.typical", "is missing", "Write the typical value on its natural scale.")
        typical = reader.number(item.get("typical", 1.0), f"{place}.typical")
        if (scale == "log" and typical <= 0) or (scale == "logit" and not 0 < typical < 1):
            reader.mend(
                f"{place}.typical", f"{typical:g} is impossible on the scale {scale}",
                "log needs a positive value, logit one between 0 and 1.",
            )  # fmt: skip
        variance = _variance(reader, item, place)
        between = reader.mapping(item.get("occasion", {}), f"{place}.occasion")
        if column is not None and (variance or between):
            reader.mend(place, "is read from the data and cannot differ besides", "Leave out spread and occasion.")
        relations = item.get("covariates", ())
        if not isinstance(relations, list | tuple):
            reader.mend(f"{place}.covariates", "is not a list", "Write one '- {column: …, form: …}' line per relation.")
            relations = ()
        given = item.get("typical")
        number = (
            Number(**given)
            if isinstance(given, Mapping) and {"unit", "source", "where", "status"} <= set(given)
            else None
        )
        made[name] = ModelParameter(
            name,
            scale,
            typical,
            variance,
            _variance(reader, between, f"{place}.occasion"),
            tuple(
                r
                for i, one in enumerate(relations)
                if (r := _relation(reader, one, f"{place}.covariates[{i}]")) is not None
            ),
            str(column).upper() if column else None,
            number,
        )
    return made


def _variance(reader: _Reader, item: Mapping[str, Any], place: str) -> float | None:
    if item.get("variance") is not None and item.get("spread") is not None:
        reader.mend(place, "gives both spread and variance", "Keep one: spread is the SD, variance its square.")
    if item.get("variance") is not None:
        return reader.number(item["variance"], f"{place}.variance", low=0.0)
    if item.get("spread") is not None:
        return reader.number(item["spread"], f"{place}.spread", low=0.0) ** 2
    return None


def _relation(reader: _Reader, data: Any, place: str) -> Relation | None:
    data = reader.mapping(data, place)
    reader.known(data, place, ("column", "form", "reference", "exponent", "effect", *CONDITIONS))
    form, column = data.get("form"), data.get("column")
    if form not in FORMS or not isinstance(column, str):
        reader.mend(place, "needs a column and a form", f"Forms: {', '.join(FORMS)}.")
        return None
    key = "exponent" if form == "power" else "effect"
    if key not in data:
        reader.mend(f"{place}.{key}", "is missing", f"The form {form} needs it.")
        return None
    value = reader.number(data[key], f"{place}.{key}")
    if form != "factor":
        default = 1.0 if form == "power" else 0.0
        return Relation(
            column.upper(), form, value, reader.number(data.get("reference", default), f"{place}.reference")
        )
    condition = [c for c in CONDITIONS if c in data]
    if len(condition) != 1:
        reader.mend(place, "needs one condition", "Add below, above or equals.")
        return None
    threshold = reader.number(data[condition[0]], f"{place}.{condition[0]}")
    return Relation(column.upper(), form, value, 1.0, condition[0], threshold)


def _covariance(
    reader: _Reader, variances: Mapping[str, float | None], pairs: Any, place: str
) -> tuple[tuple[str, ...], npt.NDArray[np.float64]]:
    names = tuple(variances)
    omega = np.diag([float(variances[n] or 0.0) for n in names])
    if not isinstance(pairs, list | tuple):
        reader.mend(place, "is not a list", "Write one '- {of: …, with: …, number: …}' line per pair.")
        pairs = ()
    for k, pair in enumerate(pairs):
        pair = reader.mapping(pair, f"{place}[{k}]")
        reader.known(pair, f"{place}[{k}]", ("of", "with", "number", "covariance"))
        of, other = pair.get("of"), pair.get("with")
        if of not in names or other not in names or of == other:
            reader.mend(
                f"{place}[{k}]", "names no two parameters that differ between people", f"Use: {', '.join(names)}."
            )
            continue
        i, j = names.index(of), names.index(other)
        if "covariance" in pair:
            value = reader.number(pair["covariance"], f"{place}[{k}].covariance")
        else:
            correlation = reader.number(pair.get("number"), f"{place}[{k}].number")
            value = correlation * math.sqrt(omega[i, i] * omega[j, j])
        omega[i, j] = omega[j, i] = value
    if names and np.all(np.isfinite(omega)) and np.any(np.linalg.eigvalsh(omega) <= 0):
        reader.mend(
            place, "the covariance is not positive definite", "Check that no correlation reaches 1, and their signs."
        )
    return names, np.asarray(omega, dtype=np.float64)


def _residual(reader: _Reader, data: Any, response: Any) -> dict[str, ResidualError]:
    made: dict[str, ResidualError] = {}
    found = reader.mapping(data, "residual")
    reader.known(found, "residual", OUTPUTS)
    if not found:
        reader.mend(
            "residual", "is missing", "Write 'concentration: {error: …, additive: …, proportional: …}' below it."
        )
    for output, item in found.items():
        place = f"residual.{output}"
        item = reader.mapping(item, place)
        reader.known(item, place, ("error", "additive", "proportional"))
        error = item.get("error")
        if error not in ERRORS:
            reader.mend(f"{place}.error", f"{error!r} is not known", f"Use one of: {', '.join(ERRORS)}.")
            continue
        if output == "response" and response is None:
            reader.mend(place, "there is no response in this model", "Leave it out, or name a response.")
        values = {"additive": 0.0, "proportional": 0.0}
        needed = {"log": ("additive",), "additive": ("additive",), "proportional": ("proportional",)}.get(
            error, ("additive", "proportional")
        )
        for key in values:
            if key in needed and key not in item:
                reader.mend(f"{place}.{key}", "is missing", f"The error {error} needs it, as an SD.")
            elif key in item and key not in needed:
                reader.mend(f"{place}.{key}", f"does not belong to the error {error}", "Leave it out.")
            elif key in item:
                values[key] = reader.number(item[key], f"{place}.{key}", low=0.0)
        if not any(values.values()):
            reader.mend(place, "the residual error is zero", "Give an SD above zero.")
        made[str(output)] = ResidualError(str(error), values["additive"], values["proportional"])
    return made


def shipped() -> dict[str, PopulationModel]:
    """Published populations of the knowledge, as models that can be fitted to intravenous data (days, g, g/L)."""
    found = load_knowledge().populations
    return {key: _published(population) for key, population in found.items()}


_COLUMN = {"weight": "WT", "lean_mass": "LBM"}


def _published(it: Population) -> PopulationModel:
    """Kinetics only: own IgG is a parameter, without variability where the source reports none."""
    allowed = set(family().structures[it.structure].parameters) | set(family().structures[it.structure].optional)
    parameters = {}
    for name, prior in it.parameters.items():
        if name not in allowed:
            continue
        relation = (
            ()
            if prior.covariate is None
            else (
                Relation(
                    _COLUMN[prior.covariate.what],
                    "power",
                    prior.covariate.exponent.value,
                    prior.covariate.reference.value,
                ),
            )
        )
        parameters[name] = ModelParameter(
            name,
            prior.scale,
            prior.typical.value,
            None if prior.spread is None else prior.spread.value**2,
            None,
            relation,
            None,
            prior.typical,
        )
    names = tuple(n for n, p in parameters.items() if p.variance)
    omega = np.diag([float(parameters[n].variance or 0.0) for n in names])
    for a, b, number in it.correlations:
        if a in names and b in names:
            i, j = names.index(a), names.index(b)
            omega[i, j] = omega[j, i] = number.value * math.sqrt(omega[i, i] * omega[j, j])
    share = it.residual["igg_proportional"].value if "igg_proportional" in it.residual else 0.0
    add = it.residual["igg_additive"].value if "igg_additive" in it.residual else 0.0
    error = "combined_root" if share and add else ("proportional" if share else "additive")
    return PopulationModel(
        id=it.id, title=it.title, kinetics=it.structure, response=None, scale=1.0, interaction=True, parameters=parameters,
        subject_names=names, omega=np.asarray(omega, dtype=np.float64), occasion_names=(), occasion_omega=np.zeros((0, 0)),
        occasion_column=None, residual={"concentration": ResidualError(error, add, share)}, source=it.source, notes=it.notes,
    )  # fmt: skip


__all__ = [
    "Family",
    "ModelParameter",
    "PopulationModel",
    "Severity",
    "family",
    "population_of",
    "read_population",
    "schema",
    "shipped",
    "spreads",
]
