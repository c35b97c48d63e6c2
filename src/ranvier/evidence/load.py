"""From the files of `ranvier.knowledge` to frozen nouns, once per process."""

from __future__ import annotations

import functools
import hashlib
import importlib.resources
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from importlib.resources.abc import Traversable
from typing import Any

import yaml

from ranvier.evidence import safety
from ranvier.evidence.nouns import (
    Composite,
    Covariate,
    Domain,
    Knowledge,
    Label,
    Limit,
    Number,
    Population,
    Prior,
    Product,
    RateStep,
    ResponseClass,
    Risk,
    Scale,
    Source,
)
from ranvier.ground.notes import InputError, Problem

Data = Mapping[str, Any]

# The folders read here. Other rooms keep data beside them (languages, codes, maps of columns) and read their own.
FOLDERS = ("evidence/", "populations/", "products/", "scales/", "limits/", "monitoring/", "safety/")
COMPOSITE = "populations/composite.yaml"


@functools.cache
def load() -> Knowledge:
    """Everything in `ranvier.knowledge`, read once. Raises InputError naming every file that cannot be read."""
    return read(importlib.resources.files("ranvier.knowledge"))


def read(root: Traversable) -> Knowledge:
    """Knowledge from a folder laid out like `ranvier/knowledge`.

    Raises
    ------
    InputError : a file is missing or not laid out as it should be; carries one problem per such file
    """
    data_files = {path: file.read_bytes() for path, file in files(root)}
    parsed: dict[str, Data] = {}
    problems: list[Problem] = []
    for path, content in data_files.items():
        if path.startswith(FOLDERS) and path.endswith(".yaml"):
            try:
                data = yaml.load(content, yaml.CSafeLoader)
            except yaml.YAMLError as error:
                problems.append(_unreadable(path, f"is not YAML: {' '.join(str(error).split())}"))
                continue
            if isinstance(data, Mapping):
                parsed[path] = data
            else:
                problems.append(_unreadable(path, "holds no mapping of names to values"))

    def each(paths: Iterator[str], make: Callable[[Data], Any]) -> list[Any]:
        """`make` of every file, or a problem for it."""
        made = []
        for path in paths:
            try:
                made.append(make(parsed[path]))
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                problems.append(_unreadable(path, f"is not laid out as it should be: {error!r}"))
        return made

    def one(path: str, make: Callable[[Data], Any]) -> Any:
        """`make` of one file that must be there; None after a problem."""
        if path not in parsed:
            problems.append(_unreadable(path, "is missing"))
            return None
        return next(iter(each(iter([path]), make)), None)

    def table(path: str, make: Callable[[str], Any]) -> Any:
        """`make` of one table that must be there; None after a problem."""
        try:
            return make(data_files[path].decode("utf-8"))
        except KeyError as error:
            problems.append(_unreadable(path, "is missing" if path not in data_files else f"lacks the column {error}"))
        except (UnicodeDecodeError, TypeError, ValueError, AttributeError) as error:
            problems.append(_unreadable(path, f"is not laid out as it should be: {error!r}"))
        return None

    def under(folder: str) -> Iterator[str]:
        return (path for path in parsed if path.startswith(folder + "/") and path != COMPOSITE)

    raw_populations = {str(parsed[path].get("id")): parsed[path] for path in under("populations")}
    sources = one("evidence/sources.yaml", _sources)
    populations = each(under("populations"), _population)
    composite = one(COMPOSITE, lambda data: _composite(data, raw_populations))
    products = each(under("products"), _product)
    scales = [scale for group in each(under("scales"), _scales) for scale in group]
    limits = one("limits/guardrails.yaml", lambda data: tuple(_limit(item) for item in data["limits"]))
    cautions = one("limits/cautions.yaml", lambda data: {key: dict(value) for key, value in data["cautions"].items()})
    monitoring = one("monitoring/watch.yaml", lambda data: _numbers(data["thresholds"]))
    classes = one("monitoring/watch.yaml", lambda data: tuple(_response_class(item) for item in data["classes"]))
    loss = one("monitoring/watch.yaml", lambda data: _numbers(data["loss"]))
    risks = one("safety/risks.yaml", lambda data: {key: _risk(key, value) for key, value in data["risks"].items()})
    drugs = one("safety/drugs.yaml", lambda data: {k: safety.group(k, v) for k, v in data["drugs"].items()})
    drug_numbers = one("safety/drugs.yaml", lambda data: _numbers(data["numbers"]))
    indications = one(
        "safety/indications.yaml", lambda data: {k: safety.indication(k, v) for k, v in data["indications"].items()}
    )
    events = one("safety/events.yaml", lambda data: {k: safety.event(k, v) for k, v in data["events"].items()})
    event_numbers = one("safety/events.yaml", lambda data: _numbers(data["numbers"]))
    treatments = one(
        "evidence/treatments.yaml", lambda data: {k: safety.treatment(k, v) for k, v in data["treatments"].items()}
    )
    checks = one("safety/checks.yaml", lambda data: {k: safety.check(k, v) for k, v in data["checks"].items()})
    starting = one("limits/starting.yaml", safety.starting)
    ingredients = table("safety/ingredients.csv", safety.ingredients)
    asked = table("safety/asked.csv", safety.asked)
    claims = one("evidence/claims.yaml", lambda data: {k: safety.claim(k, v) for k, v in data["claims"].items()})
    contradictions = one(
        "evidence/contradictions.yaml",
        lambda data: {k: safety.contradiction(k, v) for k, v in data["contradictions"].items()},
    )
    searches = one("evidence/searches.yaml", lambda data: {k: safety.search(k, v) for k, v in data["searches"].items()})
    reviewed = {path: again for path in parsed for again in each(iter([path]), _review_again) if again is not None}
    if problems:
        raise InputError("The knowledge files cannot be used", tuple(problems))
    return Knowledge(
        version=version(data_files),
        sources=sources,
        populations={item.id: item for item in populations},
        composite=composite,
        products={item.id: item for item in products},
        scales={item.id: item for item in scales},
        limits=limits,
        monitoring=monitoring,
        classes=classes,
        loss=loss,
        cautions=cautions,
        reviewed=reviewed,
        risks=risks,
        drugs=drugs,
        drug_numbers=drug_numbers,
        ingredients=ingredients,
        asked=asked,
        indications=indications,
        claims=claims,
        contradictions=contradictions,
        searches=searches,
        treatments=treatments,
        checks=checks,
        events=events,
        event_numbers=event_numbers,
        looked={path: data["reviewed"]["last"] for path, data in parsed.items() if path in reviewed},
        starting=starting,
    )


def files(root: Traversable, prefix: str = "") -> Iterator[tuple[str, Traversable]]:
    """Every data file below `root` as (path with slashes, file), sorted by name. Code is left out."""
    for item in sorted(root.iterdir(), key=lambda item: item.name):
        if item.name.startswith((".", "__")) or item.name.endswith((".py", ".pyc")):
            continue
        if item.is_dir():
            yield from files(item, f"{prefix}{item.name}/")
        else:
            yield prefix + item.name, item


def version(contents: Mapping[str, bytes]) -> str:
    """``k-`` and the first 16 hexadecimal digits of the SHA-256 over all (path, bytes), sorted by path."""
    digest = hashlib.sha256()
    for path in sorted(contents):
        # Lengths keep (path, bytes) apart: moving a byte from one file to the next changes the digest.
        digest.update(f"{path}\0{len(contents[path])}\0".encode())
        digest.update(contents[path])
    return f"k-{digest.hexdigest()[:16]}"


def _unreadable(path: str, why: str) -> Problem:
    return Problem(
        place=f"knowledge/{path}",
        what=f"The file {why}",
        remedy="Run: make knowledge. It says line by line what to mend.",
    )


def _name(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a name")
    return value


def _number(data: Data) -> Number:
    return Number(float(data["value"]), data["unit"], data["source"], data["where"], data["status"])


def _maybe(data: Data | None) -> Number | None:
    return None if data is None else _number(data)


def _numbers(data: Mapping[str, Data]) -> dict[str, Number]:
    return {key: _number(value) for key, value in data.items()}


def _review_again(data: Data) -> date | None:
    if "reviewed" not in data:
        return None
    again = data["reviewed"]["again"]
    if not isinstance(again, date):
        raise TypeError("reviewed.again is not a date")
    return again


def _sources(data: Data) -> dict[str, Source]:
    return {key: Source(id=key, **value) for key, value in data["sources"].items()}


def _prior(name: str, data: Data) -> Prior:
    covariate = data.get("covariate")
    return Prior(
        name=name,
        scale=data["scale"],
        typical=_number(data["typical"]),
        spread=_maybe(data["spread"]),
        covariate=None
        if covariate is None
        else Covariate(covariate["what"], _number(covariate["reference"]), _number(covariate["exponent"])),
    )


def _priors(data: Mapping[str, Data]) -> dict[str, Prior]:
    return {name: _prior(name, value) for name, value in data.items()}


def _bound(value: float | None) -> float | None:
    return None if value is None else float(value)


def _population(data: Data) -> Population:
    return Population(
        id=_name(data["id"]),
        title=data["title"],
        structure=data["structure"],
        disease=data["disease"],
        n=data["n"],
        source=data["source"],
        parameters=_priors(data["parameters"]),
        correlations=tuple((c["of"], c["with"], _number(c["number"])) for c in data["correlations"]),
        residual=_numbers(data["residual"]),
        covers=tuple(
            Domain(
                d["what"], d["unit"], d["hard"], _bound(d["low"]), _bound(d["high"]), d["why"], d["source"], d["status"]
            )
            for d in data["covers"]
        ),
        left_out=tuple((item["what"], item["why"]) for item in data["left_out"]),
        notes=tuple(data["notes"]),
        stated=_numbers(data.get("stated", {})),
    )


def _composite(data: Data, populations: Mapping[str, Data]) -> Composite:
    return Composite(
        id=data["id"],
        title=data["title"],
        kinetics=tuple(_population(completed(own, populations[own["base"]])) for own in data["kinetics"]),
        parameters=_priors(data["parameters"]),
        constants=_numbers(data["constants"]),
        notes=tuple(data["notes"]),
    )


def completed(own: Data, base: Data) -> Data:
    """A published population with our declared completions laid over it.

    Parameters are merged key by key; what was left out is added to; any other key replaces.
    """
    merged = {**base, **{key: value for key, value in own.items() if key != "base"}}
    merged["parameters"] = _merged(base["parameters"], own["parameters"])
    merged["left_out"] = [*base["left_out"], *own.get("left_out", ())]
    return merged


def _merged(below: Data, above: Data) -> dict[str, Any]:
    result = dict(below)
    for key, value in above.items():
        # A number is replaced whole: half of one source's number and half of another's would be nobody's.
        deeper = isinstance(value, Mapping) and isinstance(below.get(key), Mapping) and "value" not in value
        result[key] = _merged(below[key], value) if deeper else value
    return result


def _product(data: Data) -> Product:
    labels = tuple(
        Label(country, label["mmn"], label["where"], label["source"], label["status"])
        for country, label in data["labels"].items()
    )
    return Product(
        id=_name(data["id"]),
        name=data["name"],
        aliases=tuple(data["aliases"]),
        concentration=_number(data["concentration"]),
        vials=tuple(_number(vial) for vial in data["vials"]),
        routes=tuple(data["routes"]),
        labels={label.country: label.mmn for label in labels},
        rates=tuple(RateStep(_number(step["rate"]), _maybe(step["minutes"])) for step in data.get("rates", ())),
        notes=tuple(data["notes"]),
        label_facts=labels,
        start_rate=_maybe(data["start_rate"]),
        top_rate=_maybe(data["top_rate"]),
    )


def _scales(data: Data) -> list[Scale]:
    return [
        Scale(
            id=_name(item["id"]),
            measure=item["measure"],
            name=item["name"],
            unit=item["unit"],
            low=_bound(item["range"]["low"]),
            high=_bound(item["range"]["high"]),
            sign=item["sign"],
            session_sd=_maybe(item["session_sd"]),
            error=_maybe(item["error"]),
            smallest_change=tuple(_number(change) for change in item["smallest_change"]),
            resolution=float(item["resolution"]["value"]),
            aliases=tuple(item["aliases"]),
            session_sd_clinic=_maybe(item["session_sd_clinic"]),
            notes=tuple(item["notes"]),
        )
        for item in data["scales"]
    ]


def _limit(data: Data) -> Limit:
    return Limit(
        id=data["id"],
        what=data["what"],
        number=_number(data["number"]),
        absolute=data["absolute"],
        upper={"most": True, "least": False}[data["bound"]],
        applies=dict(data["applies"]),
        why=data["why"],
    )


def _response_class(data: Data) -> ResponseClass:
    return ResponseClass(data["name"], _number(data["low"]), _maybe(data["high"]))


def _risk(key: str, data: Data) -> Risk:
    return Risk(
        id=key,
        says=data["says"],
        words=tuple(data["words"]),
        icd10=tuple(data["icd10"]),
        atc=tuple(data["atc"]),
        age_from=_maybe(data["age_from"]),
        source=data["source"],
        status=data["status"],
    )
