"""Tables drawn in a test, brought to the importer as bytes."""

import textwrap
from pathlib import Path

import yaml

from ranvier.exchange.importing import import_files

SAMPLES = Path(__file__).parents[3] / "shared" / "samples"
WHO = {"person.pseudonym": "heron"}


def bring(text, *, file="diary.csv", encoding="utf-8", existing=None, memory=None, **answers):
    """Import one table; answers with points in their key are given as a dict in `also`."""
    also = answers.pop("also", {})
    data = textwrap.dedent(text).lstrip("\n").encode(encoding)
    return import_files([(file, data)], answers=WHO | answers | also, existing=existing, memory=memory)


def facts(imported, kind):
    return [f for s in imported.sheets for f in s.facts if f.kind == kind]


def values(imported, side="right"):
    """The values of one hand as (day, value), in order."""
    return sorted((str(f.when), f.data["value"]) for f in facts(imported, "strength") if f.series[0] == side)


def keys(imported):
    return [q.key for q in imported.questions]


def fates(imported):
    return {f.line: f.end for s in imported.sheets for f in s.fates.values()}


def plain(imported):
    """The record that would be written, as plain data."""
    return yaml.load(imported.text, Loader=yaml.BaseLoader)
