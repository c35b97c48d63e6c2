"""The bounds are data that a clinician may edit: in order, with reasons, and of the same things as the scales."""

from importlib.resources import files

import pytest
import yaml

from ranvier.ground import units
from ranvier.record.plausible import plausibility
from ranvier.record.structure import schema

RAW = yaml.safe_load((files("ranvier.knowledge") / "record" / "plausibility.yaml").read_text(encoding="utf-8"))
SCALES = [
    scale
    for file in (files("ranvier.knowledge") / "scales").iterdir()
    if file.name.endswith(".yaml")
    for scale in yaml.safe_load(file.read_text(encoding="utf-8"))["scales"]
]


@pytest.mark.parametrize("name", sorted(RAW["limits"]))
def test_every_bound_has_a_unit_a_reason_and_an_order(name):
    bounds = plausibility().limits[name]
    assert bounds.hard_low <= bounds.soft_low < bounds.soft_high <= bounds.hard_high
    assert units.known(bounds.unit)
    assert RAW["limits"][name]["status"] in ("design", "assumed") or RAW["limits"][name]["source"]
    assert len(bounds.where) > 5


def test_every_measure_of_the_schema_has_its_rule():
    known = schema()["properties"]["strength"]["items"]["properties"]["measure"]["enum"]
    assert set(known) == set(plausibility().measures)


def test_devices_and_variants_are_those_of_the_scales():
    ids = {s["id"] for s in SCALES}
    for rule in plausibility().measures.values():
        assert {d.id for d in rule.devices} | set(rule.variants) <= ids


def test_no_measure_is_kept_in_a_unit_that_its_scale_does_not_have():
    scale_units: dict[str, set[str]] = {}
    for scale in SCALES:
        scale_units.setdefault(scale["measure"], set()).add(scale["unit"])
    for name, rule in plausibility().measures.items():
        assert set(rule.bounds) == scale_units[name]


def test_no_value_that_a_scale_allows_is_refused():
    for scale in SCALES:
        rule = plausibility().measures[scale["measure"]]
        bounds = rule.bounds[scale["unit"]]
        assert bounds.hard_low <= scale["range"]["low"]
        assert bounds.hard_high >= scale["range"]["high"]
        if scale["id"] in rule.variants:
            assert rule.variants[scale["id"]][1] >= scale["range"]["high"]


def test_the_schema_is_a_schema_and_its_examples_are_valid():
    from jsonschema import Draft202012Validator

    whole = schema()
    Draft202012Validator.check_schema(whole)

    def examples(node):
        if isinstance(node, dict):
            if "examples" in node and ("type" in node or "$ref" in node or "enum" in node):
                yield from ((node, example) for example in node["examples"])
            for below in node.values():
                yield from examples(below)
        elif isinstance(node, list):
            for below in node:
                yield from examples(below)

    checked = 0
    for node, example in examples(whole):
        Draft202012Validator({**node, "$defs": whole["$defs"]}).validate(example)
        checked += 1
    assert checked > 100
