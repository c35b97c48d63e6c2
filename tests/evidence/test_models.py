"""Populations as files: what is wrong with one is told all at once; what is right is read to the number."""

import math
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from ranvier.evidence.models import (
    ERRORS,
    FORMS,
    SCALES,
    family,
    population_of,
    read_population,
    schema,
    shipped,
)
from ranvier.exchange.population_file import population_text
from ranvier.ground.notes import InputError

SOUND = {
    "id": "clinic", "title": "Our clinic", "source": "invented", "kinetics": "one_compartment_oral",
    "parameters": {
        "absorption_rate": {"typical": 1.2},
        "clearance": {"typical": {"value": 0.3, "unit": "L/h", "source": None, "where": "invented", "status": "assumed"},
                      "spread": 0.3, "covariates": [{"column": "wt", "form": "power", "reference": 70, "exponent": 0.75}]},
        "central_volume": {"typical": 8.0, "variance": 0.04, "occasion": {"variance": 0.01}},
        "bioavailability": {"scale": "logit", "typical": 0.7, "spread": 0.5},
    },
    "correlations": [{"of": "clearance", "with": "central_volume", "number": 0.5}],
    "residual": {"concentration": {"error": "combined_root", "additive": 0.2, "proportional": 0.1}},
}  # fmt: skip


def test_a_sound_population_is_read_to_the_number():
    it = population_of(SOUND, "clinic.yaml")
    assert it.subject_names == ("clearance", "central_volume", "bioavailability")
    assert np.allclose(np.diag(it.omega), [0.09, 0.04, 0.25])
    assert it.omega[0, 1] == pytest.approx(0.5 * 0.3 * 0.2)
    assert it.occasion_names == ("central_volume",)
    assert it.occasion_column == "OCC"
    assert it.parameters["clearance"].number is not None
    assert it.covariates == ("WT",)


@pytest.mark.parametrize("form", ["power", "exponential", "linear", "factor"])
def test_the_slope_of_a_relation_is_its_derivative(form):
    base = {
        "power": {"exponent": 0.7},
        "exponential": {"effect": 0.02},
        "linear": {"effect": 0.01},
        "factor": {"effect": 0.3, "below": 60},
    }
    x = np.array([40.0, 65.0, 90.0])

    def relation(change):
        more = dict(base[form])
        key = "exponent" if form == "power" else "effect"
        more[key] += change
        item = {"column": "WT", "form": form, **more, **({} if form == "factor" else {"reference": 70})}
        parameters = SOUND["parameters"] | {"clearance": {"typical": 1.0, "covariates": [item]}}
        return (
            population_of(SOUND | {"parameters": parameters, "correlations": []}, "x")
            .parameters["clearance"]
            .relations[0]
        )

    slope = (np.log(relation(1e-6).factor(x)) - np.log(relation(-1e-6).factor(x))) / 2e-6
    assert np.allclose(relation(0.0).slope(x), slope, atol=1e-7)


def test_every_fault_of_a_file_is_told_at_once():
    faulty = {
        "id": "", "title": "x", "source": "y", "kinetics": "no_such", "response": "turnover", "colour": 1,
        "parameters": {"clearance": {"scale": "cubic", "typical": -1, "spread": 0.1, "variance": 0.2},
                       "volume": {"typical": "big"}},
        "correlations": [{"of": "a", "with": "b"}], "residual": {"concentration": {"error": "none"}},
    }  # fmt: skip
    with pytest.raises(InputError) as caught:
        population_of(faulty, "bad.yaml")
    places = " ".join(p.place for p in caught.value.problems)
    for word in (
        "id",
        "kinetics",
        "response",
        "colour",
        "clearance.scale",
        "clearance",
        "volume",
        "correlations[0]",
        "residual",
    ):
        assert word in places
    assert all(p.remedy for p in caught.value.problems)


@pytest.mark.parametrize(
    "rubbish", ["", "[1, 2", "just words", "- a\n- b\n", "id: {a: b}\nparameters: 7\n", "\x00\x01", "a: &x [*x]"]
)
def test_rubbish_is_refused_with_words(rubbish, tmp_path: Path):
    path = tmp_path / "rubbish.yaml"
    path.write_text(rubbish)
    with pytest.raises(InputError) as caught:
        read_population(path)
    assert caught.value.problems


@pytest.mark.parametrize(
    ("change", "place", "words"),
    [
        ({"interaction": "yes"}, "interaction", "true or false"),
        ({"compartments": {"depot": "first"}}, "compartments.depot", "a whole number"),
        ({"compartments": 3}, "compartments", "mapping"),
        ({"notes": 7}, "notes", "a list"),
        ({"notes": [7]}, "notes[0]", "text"),
        ({"provenance": "by hand"}, "provenance", "a group"),
        ({"outputs": {"concentration": "one"}}, "outputs.concentration", "a number"),
        ({"columns": {"DV": 3}}, "columns.DV", "text"),
        ({"correlations": [{"of": "clearance", "with": "central_volume"}]}, "correlations[0].number", "not a number"),
        ({"parameters": SOUND["parameters"] | {"absorption_rate": {"typical": {"value": 1.2, "unti": "1/h"}}}},
         "parameters.absorption_rate.typical", "unti is not known here"),
        ({"parameters": SOUND["parameters"] | {"absorption_rate": {"typical": {"value": 1.2, "status": "sure"}}}},
         "parameters.absorption_rate.typical.status", "not one of read, computed"),
    ],
)  # fmt: skip
def test_what_departs_from_the_published_schema_is_told_with_its_place_and_an_example(change, place, words):
    with pytest.raises(InputError) as caught:
        population_of(SOUND | change, "clinic.yaml")
    found = {p.place.removeprefix("clinic.yaml: "): p for p in caught.value.problems}
    assert place in found
    assert words in found[place].what
    assert found[place].remedy
    assert len(caught.value.problems) == 1  # once


def test_what_is_missing_is_told_once():
    places = [p.place.removeprefix("x: ") for p in problems_of({"id": "x", "kinetics": "one_compartment"})]
    assert sorted(places) == ["parameters.central_volume", "parameters.clearance", "residual", "source", "title"]


def test_every_example_of_the_schema_fits_the_schema():
    checked = 0

    def walk(node):
        nonlocal checked
        if isinstance(node, dict):
            for example in node.get("examples", ()):
                validator = Draft202012Validator(node | {"$defs": schema()["$defs"]})
                assert not list(validator.iter_errors(example)), example
                checked += 1
            for below in node.values():
                walk(below)
        elif isinstance(node, list):
            for below in node:
                walk(below)

    Draft202012Validator.check_schema(schema())
    walk(schema())
    assert checked > 30


def test_the_schema_knows_the_words_of_the_reader():
    parameter, relation, error = (schema()["$defs"][k]["properties"] for k in ("parameter", "relation", "error"))
    assert tuple(parameter["scale"]["enum"]) == SCALES
    assert tuple(relation["form"]["enum"]) == FORMS
    assert tuple(error["error"]["enum"]) == ERRORS


def test_what_a_fit_writes_and_the_template_begin_sound():
    it = population_of(SOUND, "clinic.yaml")
    text = population_text(it, fixed=("clearance", "between central_volume"), provenance={"made": "invented"})
    again = population_of(yaml.safe_load(text), "fitted.yaml")
    assert np.allclose(again.omega, it.omega)
    assert again.parameters["clearance"].relations == it.parameters["clearance"].relations


def problems_of(data):
    """What is told of this population; nothing where it is read."""
    try:
        population_of(data, "x")
    except InputError as error:
        return error.problems
    return ()


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers(-5, 5) | st.sampled_from(["", "log", "WT", "clearance", "factor"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["of", "with", "number", "value", "typical", "column", "form", "effect", "error", "additive", "spread"]),
        inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(key=st.sampled_from(sorted(schema()["properties"])), rubbish=JSON, inside=st.booleans())
def test_any_rubbish_at_any_key_is_refused_with_words_or_read(key, rubbish, inside):
    change = {key: rubbish}
    if inside and key == "parameters":
        change = {"parameters": SOUND["parameters"] | {"clearance": rubbish}}
    assert all(p.what and p.remedy for p in problems_of(SOUND | change))


def test_correlations_that_no_people_could_have_are_refused():
    with pytest.raises(InputError, match="cannot be used"):
        population_of(SOUND | {"correlations": [{"of": "clearance", "with": "central_volume", "number": 1.2}]}, "x")


def test_every_parameter_of_every_structure_is_explained():
    kinds = family()
    for structure in kinds.structures.values():
        assert set(structure.parameters) | set(structure.optional) <= set(kinds.parameters)


def test_published_populations_can_be_fitted_as_they_are():
    it = shipped()["tortorici2021"]
    assert it.kinetics == "two_compartment"
    assert it.omega[0, 0] == pytest.approx(math.log(1 + 0.28**2), rel=1e-3)
    assert it.covariates == ("WT",)
