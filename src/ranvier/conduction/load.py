"""From `knowledge/conduction` to frozen nouns, once per process; and a laboratory's own reference file, with every fault named."""

from __future__ import annotations

import hashlib
import importlib.resources
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ranvier.ground.notes import InputError, Problem

Data = Mapping[str, Any]

COMPARISONS = (">=", ">", "<=", "<", "in")
STATUSES = ("read", "read-2nd", "memory", "computed", "assumed", "design")
LARGEST = 2_000_000  # bytes of a reference file; ours have a hundredth of it
REFERENCE_UNITS: Mapping[tuple[str, str], str] = {
    ("motor", "amplitude"): "mV", ("motor", "latency"): "ms", ("motor", "velocity"): "m/s", ("motor", "duration"): "ms",
    ("sensory", "amplitude"): "uV", ("sensory", "latency"): "ms", ("sensory", "peak_latency"): "ms", ("sensory", "velocity"): "m/s",
    ("f_wave", "latency"): "ms",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Leaf:
    """One condition of a rule: quantity, comparison, limit (or a list of regions), where it stands."""

    what: str
    comparison: str
    limit: float
    unit: str
    among: tuple[str, ...]
    source: str | None
    status: str
    where: str


@dataclass(frozen=True, slots=True)
class Node:
    """All of, or any of, further nodes and leaves."""

    how: str  # all | any
    of: tuple[Node | Leaf, ...]


@dataclass(frozen=True, slots=True)
class Variant:
    """The limits for some nerves and regions; empty: all. caveat: said whenever this variant is used."""

    nerves: tuple[str, ...]
    regions: tuple[str, ...]
    evaluable: tuple[Leaf, ...]
    needed: tuple[Leaf, ...]
    definite: Node | Leaf | None
    probable: Node | Leaf | None
    caveat: str | None = None

    def fits(self, nerve: str, region: str) -> bool:
        """Whether the variant speaks of this nerve and region."""
        return (not self.nerves or nerve in self.nerves) and (not self.regions or region in self.regions)


@dataclass(frozen=True, slots=True)
class Rule:
    """One published rule of conduction block. kind: criterion | screen."""

    id: str
    name: str
    short: str
    kind: str
    variants: tuple[Variant, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One reference limit. ages [a] and heights [cm] with both ends included; distance of a distal latency [mm]."""

    nerve: str
    kind: str
    muscle: str | None
    region: str | None
    what: str
    side: str  # lower | upper
    value: float
    unit: str
    source: str | None
    status: str
    where: str
    ages: tuple[float, float] | None = None
    heights: tuple[float, float] | None = None
    distance: float | None = None
    height_slope: float | None = None
    height_from: float | None = None
    age_slope: float | None = None
    age_from: float | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """A laboratory's limits. percentile: share of healthy people beyond one limit [1]; None: not stated."""

    id: str
    name: str
    percentile: float | None
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Number:
    """A limit of our own or of a source."""

    value: float
    unit: str
    source: str | None
    status: str
    where: str


@dataclass(frozen=True, slots=True)
class Demyelinating:
    """A limit as a fraction of the laboratory's own."""

    set: str
    kind: str
    of: str  # lower | upper
    number: Number


@dataclass(frozen=True, slots=True)
class Caveat:
    """What a person must know beside a number, and what would settle it."""

    id: str
    says: str
    do: str
    source: str | None
    status: str


@dataclass(frozen=True, slots=True)
class Place:
    """A stimulation site: where on the line along the limb, and its family."""

    at: float
    family: str


@dataclass(frozen=True, slots=True)
class Nerve:
    """A nerve: its limb, its usual recording muscle, site families of its own, and muscles that it reaches by crossing only."""

    id: str
    limb: str
    muscle: str | None
    families: Mapping[str, str]
    foreign: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entrapment:
    """A common entrapment site: a zone on the line along the limb."""

    nerve: str
    name: str
    low: float
    high: float
    source: str | None
    status: str


@dataclass(frozen=True, slots=True)
class Bound:
    """What a quantity can be at all."""

    low: float
    high: float
    unit: str
    why: str


@dataclass(frozen=True, slots=True)
class ConductionKnowledge:
    """Everything in `knowledge/conduction`. version: digest of the files' bytes."""

    version: str
    sites: Mapping[str, Mapping[str, Place]]  # limb → site → place
    nerves: Mapping[str, Nerve]
    entrapments: tuple[Entrapment, ...]
    rules: tuple[Rule, ...]
    references: Mapping[str, Reference]
    demyelinating: tuple[Demyelinating, ...]
    dispersion: tuple[tuple[str, Number], ...]
    distal_duration: Mapping[str, Number]
    thresholds: Mapping[str, Number]
    caveats: Mapping[str, Caveat]
    bounds: Mapping[str, Bound]
    shape: tuple[float, float]
    words: Data = field(repr=False)
    units: Data = field(repr=False)

    def place(self, nerve: str, site: str) -> Place | None:
        """Where a site lies along the limb of a nerve; None if the nerve or the site is not known."""
        known = self.nerves.get(nerve)
        return self.sites[known.limb].get(site) if known else None

    def family(self, nerve: str, site: str) -> str:
        """The family of a site on a nerve, e.g. ``elbow`` for ``below_elbow``; the site itself where it is not known."""
        place = self.place(nerve, site)
        return self.nerves[nerve].families.get(site, place.family) if place else site


DEFAULT_REFERENCE = "chen2016"
RULE_ORDER = ("efns2010", "aaem1999", "utrecht", "amplitude30")


@cache
def load() -> ConductionKnowledge:
    """The shipped knowledge. Raises KeyError or TypeError only if a shipped file is broken (a test holds them whole)."""
    sha = hashlib.sha256()
    files: dict[str, Any] = {}
    root = importlib.resources.files("ranvier.knowledge").joinpath("conduction")
    for folder in ("", "rules", "reference"):
        for file in sorted((root / folder if folder else root).iterdir(), key=lambda f: f.name):
            if file.name.endswith(".yaml"):
                raw = file.read_bytes()
                name = f"{folder}/{file.name}" if folder else file.name
                sha.update(name.encode() + b"\0" + raw)
                files[name] = yaml.load(raw, yaml.CSafeLoader)
    limits, sites = files["limits.yaml"], files["sites.yaml"]
    rules = {r.id: r for r in (_rule(files[n]) for n in files if n.startswith("rules/"))}
    order = [*(i for i in RULE_ORDER if i in rules), *(i for i in rules if i not in RULE_ORDER)]
    return ConductionKnowledge(
        version=sha.hexdigest(),
        sites={limb: {s: Place(**p) for s, p in d["sites"].items()} for limb, d in sites["limbs"].items()},
        nerves={
            i: Nerve(i, d["limb"], d.get("muscle"), d.get("families", {}), tuple(d.get("foreign", ())))
            for i, d in sites["nerves"].items()
        },
        entrapments=tuple(
            Entrapment(d["nerve"], d["name"], d["from"], d["to"], d["source"], d["status"])
            for d in sites["entrapments"]
        ),
        rules=tuple(rules[i] for i in order),
        references={files[n]["id"]: reference_from(files[n], n) for n in files if n.startswith("reference/")},
        demyelinating=tuple(
            Demyelinating(d["set"], d["kind"], d["of"], Number(**d["number"])) for d in limits["demyelinating"]
        ),
        dispersion=tuple((d["set"], Number(**d["number"])) for d in limits["dispersion"]),
        distal_duration={d["nerve"]: Number(**d["number"]) for d in limits["distal_duration"]},
        thresholds={name: Number(**d) for name, d in limits["thresholds"].items()},
        caveats={
            i: Caveat(i, d["says"], d["do"], d["source"], d["status"])
            for i, d in files["caveats.yaml"]["caveats"].items()
        },
        bounds={q: Bound(**d) for q, d in files["plausible.yaml"]["bounds"].items()},
        shape=(files["plausible.yaml"]["shape"]["low"], files["plausible.yaml"]["shape"]["high"]),
        words=files["words.yaml"],
        units=files["units.yaml"],
    )


def _rule(data: Data) -> Rule:
    variants = []
    for d in data["variants"]:
        fits = d.get("for", {})
        variants.append(
            Variant(
                nerves=tuple(fits.get("nerves", ())),
                regions=tuple(fits.get("regions", ())),
                evaluable=tuple(_leaf(x) for x in d.get("evaluable", ())),
                needed=tuple(_leaf(x) for x in d.get("needed", ())),
                definite=_node(d["definite"]) if "definite" in d else None,
                probable=_node(d["probable"]) if "probable" in d else None,
                caveat=d.get("caveat"),
            )
        )
    return Rule(data["id"], data["name"], data["short"], data["kind"], tuple(variants))


def _node(data: Data) -> Node | Leaf:
    for how in ("all", "any"):
        if how in data:
            return Node(how, tuple(_node(x) for x in data[how]))
    return _leaf(data)


def _leaf(data: Data) -> Leaf:
    if data["is"] not in COMPARISONS:
        raise ValueError(f"'{data['is']}' is no comparison; use one of {', '.join(COMPARISONS)}")
    among = tuple(data.get("among", ()))
    limit = math.nan if among else float(data["value"])
    return Leaf(
        data["what"], data["is"], limit, data.get("unit", ""), among, data["source"], data["status"], data["where"]
    )


# ---- reference values ---------------------------------------------------------------------------------------------

ENTRY_KEYS = frozenset(
    [
        "nerve", "kind", "muscle", "region", "what", "side", "value", "unit", "source", "status", "where", "age", "height",
        "distance", "height_slope", "height_from", "age_slope", "age_from",
    ]
)  # fmt: skip


def read_reference(path: str | Path) -> Reference:
    """A laboratory's reference file (YAML), or a shipped one by its id.

    Raises InputError with every problem; FileNotFoundError where there is neither a shipped set nor a file of that name.
    """
    shipped = load().references
    if str(path) in shipped:
        return shipped[str(path)]
    file = Path(path)
    if file.is_dir():
        raise InputError(
            "These reference values cannot be used.", (Problem(file.name, "this is a folder", "Name one file."),)
        )
    with file.open("rb") as stream:
        raw = stream.read(LARGEST + 1)
    remedy = "Begin with a copy of the shipped file: ranvier conduction --show-reference"
    if len(raw) > LARGEST:
        raise InputError(
            "These reference values cannot be used.", (Problem(file.name, "the file is too large", remedy),)
        )
    try:
        data = yaml.load(raw, yaml.CSafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        what = f"this is not YAML: {getattr(error, 'problem', None) or type(error).__name__}"
        problem = Problem(file.name, what, remedy, line=None if line is None else line + 1)
        raise InputError("These reference values cannot be used.", (problem,)) from None
    return reference_from(data, file.name)


def reference_from(data: Any, name: str) -> Reference:
    """Reference values from parsed YAML. Raises InputError with every problem, each with its place and remedy."""
    problems: list[Problem] = []

    def mend(place: str, what: str, remedy: str) -> None:
        problems.append(Problem(f"{name}: {place}", what, remedy))

    if not isinstance(data, Mapping):
        problem = Problem(
            name, "this is no set of reference values", "Write id, name and entries; see docs/conduction.md."
        )
        raise InputError("These reference values cannot be used.", (problem,))
    for key in ("id", "name"):
        if not isinstance(data.get(key), str):
            mend(key, "is missing", "Name the set: it is printed with every answer that uses it.")
    percentile = data.get("percentile")
    if percentile is not None and not (_is_number(percentile) and 0 < percentile < 0.5):
        mend(
            "percentile",
            f"{percentile!r} is not the share of healthy people beyond a limit",
            "Write 0.025, or leave it out.",
        )
    rows = data.get("entries")
    if not isinstance(rows, Sequence) or isinstance(rows, str) or not rows:
        mend(
            "entries",
            "is no list of limits",
            "Write one line per limit: - {nerve: median, kind: motor, what: amplitude, ...}",
        )
        rows = ()
    entries = [e for i, row in enumerate(rows) if (e := _entry(row, f"entries[{i}]", mend)) is not None]
    if problems:
        raise InputError("These reference values cannot be used.", tuple(problems))
    return Reference(data["id"], data["name"], percentile, tuple(entries))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _entry(row: Any, place: str, mend: Any) -> Entry | None:
    if not isinstance(row, Mapping):
        mend(
            place,
            "is no limit",
            "Write {nerve: median, kind: motor, what: amplitude, side: lower, value: 4.1, unit: mV, ...}",
        )
        return None
    fine = True

    def bad(key: str, what: str, remedy: str) -> None:
        nonlocal fine
        fine = False
        mend(f"{place}.{key}", what, remedy)

    for key in sorted(str(k) for k in row if k not in ENTRY_KEYS):
        bad(key, "is not known here", f"Use one of: {', '.join(sorted(ENTRY_KEYS))}.")
    for key in ("nerve", "kind", "what", "side", "value", "unit", "where", "status"):
        if row.get(key) is None:
            bad(
                key,
                "is missing",
                "Every limit says its nerve, kind, quantity, side, value, unit, where it comes from and its status.",
            )
    kind, what, unit = row.get("kind"), row.get("what"), row.get("unit")
    wanted = REFERENCE_UNITS.get((kind, what)) if isinstance(kind, str) and isinstance(what, str) else None
    if wanted is None and kind is not None and what is not None:
        choices = ", ".join(f"{k} {w}" for k, w in REFERENCE_UNITS)
        bad("what", f"'{kind} {what}' is not compared with limits", f"Use one of: {choices}.")
    elif unit is not None and wanted is not None and unit != wanted:
        bad("unit", f"'{unit}' is not the unit of {kind} {what} here", f"Write the limit in {wanted}.")
    if row.get("side") not in ("lower", "upper", None):
        bad("side", f"'{row.get('side')}' is neither lower nor upper", "Say which side of the limit is abnormal.")
    value = row.get("value")
    if value is not None and not (_is_number(value) and value > 0):
        bad("value", f"{value!r} is not a number above zero", "Write the number as printed, with a point.")
    if row.get("status") not in (*STATUSES, None):
        bad("status", f"'{row.get('status')}' is not a status", f"Write one of: {', '.join(STATUSES)}.")
    ranges: dict[str, tuple[float, float] | None] = {}
    for key in ("age", "height"):
        pair = row.get(key)
        ranges[key] = None
        if pair is not None:
            if isinstance(pair, list) and len(pair) == 2 and all(_is_number(x) for x in pair) and pair[0] < pair[1]:
                ranges[key] = (float(pair[0]), float(pair[1]))
            else:
                bad(key, f"{pair!r} is no range", f"Write {key}: [40, 59], both ends included.")
    for key in ("distance", "height_slope", "height_from", "age_slope", "age_from"):
        if row.get(key) is not None and not _is_number(row[key]):
            bad(key, f"{row[key]!r} is not a number", "Write a number, or leave it out.")
    for base in ("height", "age"):
        if (row.get(f"{base}_slope") is None) != (row.get(f"{base}_from") is None):
            bad(
                f"{base}_slope",
                f"needs {base}_from beside it",
                f"limit = value + {base}_slope x ({base} - {base}_from).",
            )
    if not fine:
        return None
    return Entry(
        nerve=str(row["nerve"]), kind=str(kind), muscle=row.get("muscle"), region=row.get("region"), what=str(what),
        side=row["side"], value=float(row["value"]), unit=str(unit), source=row.get("source"), status=row["status"],
        where=str(row["where"]), ages=ranges["age"], heights=ranges["height"], distance=row.get("distance"),
        height_slope=row.get("height_slope"), height_from=row.get("height_from"),
        age_slope=row.get("age_slope"), age_from=row.get("age_from"),
    )  # fmt: skip
