"""Vignettes: clinic letters with what they say drawn as small tables, and the records that these tables mean."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ranvier import record as records
from ranvier.record.nouns import Record

FOLDER = Path(__file__).parent / "vignettes"
COLUMNS = ("latency", "amplitude", "area", "duration", "distance")
UNITS = {"latency": "ms", "area": "mV.ms", "duration": "ms", "distance": "mm"}


def vignettes() -> dict[str, dict[str, Any]]:
    """Every vignette by the name of its file."""
    return {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.yaml"))}


def record_of(name: str, vignette: Mapping[str, Any]) -> Record:
    """The record that a vignette stands for; it must be accepted without a word."""
    record, problems = records.read_text(text_of(name, vignette), f"{name}.yaml")
    assert problems == (), problems
    return record


def text_of(name: str, vignette: Mapping[str, Any]) -> str:
    """The file that a vignette stands for."""
    data = {
        "ranvier_record": 1,
        "invented": True,
        "person": {"pseudonym": name.replace("_", "-"), **vignette["person"]},
        "before": {"kind": "unknown"},
        **{key: vignette[key] for key in ("history", "investigations", "blood_tests", "imaging") if key in vignette},
    }
    if "series" in vignette:
        data["strength"] = vignette["series"]
    if "strength" in vignette:
        data["examinations"] = [{"on": str(vignette["at"]), "findings": strength(vignette["strength"])}]
    if "conduction" in vignette:
        nerves = conduction(vignette["conduction"])
        warm = {"value": 33, "unit": "Cel"}
        data["conduction_studies"] = [{"on": str(vignette["at"]), "limb_temperature": warm, "nerves": nerves}]
    return records.dump(data)


def strength(table: str) -> list[dict[str, Any]]:
    """Rows `muscle | left | right`; a dash is not tested."""
    rows = [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()][1:]
    return [
        {"muscle": row[0], "side": side, "mrc": int(grade) if grade.isdigit() else grade}
        for row in rows
        for side, grade in zip(("left", "right"), row[1:], strict=True)
        if grade != "-"
    ]


def conduction(table: str) -> list[dict[str, Any]]:
    """Rows `nerve side muscle-or-finger | site latency amplitude area duration distance | …`; motor in mV, sensory in uV."""
    nerves = []
    for line in table.strip().splitlines():
        head, *sites = (part.split() for part in line.split("|"))
        nerve, side, where = head
        kind = {"digit2": "sensory", "digit5": "sensory", "f_wave": "f_wave"}.get(where, "motor")
        entry: dict[str, Any] = {"nerve": nerve, "side": side, "kind": kind}
        if kind != "f_wave":
            entry["muscle"] = where
        entry["sites"] = [_site(words, kind) for words in sites]
        nerves.append(entry)
    return nerves


def _site(words: list[str], kind: str) -> dict[str, Any]:
    site: dict[str, Any] = {"site": words[0].replace("_", " ")}
    for column, word in zip(COLUMNS, words[1:], strict=False):
        if word != "-":
            unit = UNITS.get(column, "uV" if kind == "sensory" else "mV")
            site[column] = {"value": float(word), "unit": unit}
    return site
