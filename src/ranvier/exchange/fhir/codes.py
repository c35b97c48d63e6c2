"""Our words and the codes of others, from knowledge/codes. What is ours alone has a code system of its own."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any

import yaml

from ranvier.evidence.safety import ingredients
from ranvier.exchange.words import plain

IMMUNOGLOBULIN = "J06BA"
"""Beginning of the ATC codes of normal human immunoglobulin: such a drug is read as an infusion."""
BASE = "https://ranvier.example/fhir"
"""Canonical address of what is ours alone. The name is reserved (RFC 2606): nobody answers there."""


def own(name: str) -> str:
    """The address of one of our own code systems."""
    return f"{BASE}/CodeSystem/{name}"


def extension(name: str) -> str:
    """The address of one of our own extensions."""
    return f"{BASE}/StructureDefinition/{name}"


@dataclass(frozen=True, slots=True)
class Analyte:
    """A value with a number: our word, its LOINC code and the units for which that code holds."""

    what: str
    aliases: frozenset[str]
    code: str
    display: str
    units: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DrugCode:
    """What a code of a drug means. now : the ATC code of today, where the code is a former one."""

    what: str
    immunoglobulin: bool
    now: str | None


@cache
def table(name: str) -> tuple[dict[str, str], ...]:
    """The rows of one table of knowledge/codes."""
    text = resources.files("ranvier.knowledge").joinpath("codes", f"{name}.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(line for line in text.splitlines() if line and not line.startswith("#")))


@cache
def _uris() -> dict[str, str]:
    return {row["id"]: row["uri"] for row in table("systems")}


def uri(system: str) -> str:
    """The address of a code system by our id."""
    return _uris()[system]


@cache
def _prefixes() -> dict[str, str]:
    return {row["uri"]: row["prefix"] for row in table("systems")}


def written(system: str | None, code: str) -> str:
    """A coding as one writes it into a record: ``ATC H02AB06``; a system we have no word for keeps its address."""
    if system is None:
        return code
    prefix = _prefixes().get(system)
    # Mondo, HPO and Uberon write their name into the code itself.
    return code if prefix and code.upper().startswith(prefix.upper() + ":") else f"{prefix or system} {code}"


def coding(text: str) -> dict[str, str] | None:
    """The coding that a record's code stands for; None where it names no system we know."""
    prefix, blank, code = text.partition(" ")
    for address, known in _prefixes().items():
        if blank and prefix == known and re.fullmatch(r"\S+", code) and written(address, code) == text:
            return {"system": address, "code": code}
        if re.fullmatch(re.escape(known) + r":\S+", text, re.IGNORECASE) and written(address, text) == text:
            return {"system": address, "code": text}
    return None


# ---- numbers


@cache
def analytes() -> tuple[Analyte, ...]:
    """Every value with a number that has a LOINC code here."""
    return tuple(
        Analyte(
            row["what"],
            frozenset(plain(w) for w in (row["what"], *row["aliases"].split("|")) if w),
            row["code"],
            row["display"],
            tuple(row["units"].split("|")),
        )
        for row in table("observations")
    )


def analyte_of(code: str) -> Analyte | None:
    """The value that a LOINC code stands for."""
    return next((a for a in analytes() if a.code == code), None)


def analyte_for(what: str, unit: str) -> Analyte | None:
    """The LOINC code for a value by its name, where the unit is one for which the code holds."""
    wanted = plain(what)
    return next((a for a in analytes() if wanted in a.aliases and unit in a.units), None)


@cache
def strength_codes() -> tuple[dict[str, str], ...]:
    """Grip on the wire: what we write, and what public code gets wrong."""
    return table("strength")


# ---- drugs, diseases, body


@cache
def drug_codes() -> dict[tuple[str, str], DrugCode]:
    """(address, code) → the drug it means, from knowledge/safety/ingredients.csv: codes of drugs have one home."""
    text = resources.files("ranvier.knowledge").joinpath("safety", "ingredients.csv").read_text(encoding="utf-8")
    found: dict[tuple[str, str], DrugCode] = {}
    for drug in ingredients(text):
        immunoglobulin = (drug.atc or "").startswith(IMMUNOGLOBULIN)
        today = DrugCode(drug.name, immunoglobulin, None)
        found |= {(uri("atc"), code): replace(today, now=drug.atc) for code in drug.former}
        found |= {(uri("atc"), drug.atc): today} if drug.atc else {}
        found |= {(uri("rxnorm"), drug.rxnorm): today} if drug.rxnorm else {}
    return found


@cache
def condition_codes() -> dict[tuple[str, str], dict[str, str]]:
    """(address, code) → row, for diseases whose code means them alone."""
    return {(uri(row["system"]), row["code"]): row for row in table("conditions") if row["code"] != "G61.8"}


def codings_of(kind: str, name: str) -> list[dict[str, str]]:
    """The codes of others for a route, side, muscle or nerve."""
    if kind in ("route", "side"):
        return [
            {"system": uri(r["system"]), "code": r["code"], "display": r["display"]}
            for r in table("qualifiers")
            if r["kind"] == kind and r["id"] == name
        ]
    return [
        {"system": uri(r["system"]), "code": r["code"]} for r in table("body") if r["kind"] == kind and r["id"] == name
    ]


@cache
def _meanings(kind: str) -> dict[tuple[str, str], str]:
    rows = table("qualifiers") if kind in ("route", "side", "drug_route") else table("body")
    found: dict[tuple[str, str], str] = {}
    for row in rows:
        if row["kind"] == kind:
            found.setdefault((uri(row["system"]), row["code"]), row["id"])
    return found


def meaning(kind: str, codings: Iterator[tuple[str | None, str]] | list[tuple[str | None, str]]) -> str | None:
    """What codings mean as a route, side, muscle or nerve: our own code first, else that of others."""
    known = list(codings)
    mine = next((code for system, code in known if system == own(kind)), None)
    if mine is not None:
        return mine
    return next((m for pair in known if (m := _meanings(kind).get((pair[0] or "", pair[1])))), None)


@cache
def _names(kind: str) -> dict[str, str]:
    """Every name of a muscle or nerve, plain → our id."""
    file = {"muscle": "muscles.csv", "nerve": "nerves.csv"}[kind]
    text = resources.files("ranvier.knowledge").joinpath("anatomy", file).read_text(encoding="utf-8")
    found: dict[str, str] = {}
    for row in csv.DictReader(line for line in text.splitlines() if line and not line.startswith("#")):
        for name in (row["id"], row["name"], *(row.get("aliases") or "").split("|")):
            if name:
                found.setdefault(plain(name), row["id"])
    return found


def part(kind: str, text: str) -> str | None:
    """Our id of a muscle or nerve by its name."""
    wanted = plain(text)
    names = _names(kind)
    return names.get(wanted) or names.get(wanted.removesuffix(f" {kind}").strip()) or names.get(f"{wanted} {kind}")


@cache
def devices() -> dict[str, str]:
    """Every spelling of a device, plain → our id."""
    folder = resources.files("ranvier.knowledge").joinpath("scales")
    found: dict[str, str] = {}
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if file.name.endswith(".yaml"):
            data: Any = yaml.load(file.read_text(encoding="utf-8"), yaml.CSafeLoader)
            for scale in data["scales"]:
                for name in (scale["id"], scale["name"], *scale.get("aliases", ())):
                    found.setdefault(plain(str(name)), scale["id"])
    return found
