"""The JSON that scripts rely on: its names, its shape, its bytes."""

import json
import math

import jsonschema
import numpy as np
import pytest
from tests.report import fake

from ranvier.report.as_json import dumps, schema, to_json

CASES = (fake.assessment, fake.crowded, fake.refused, fake.not_proposed)


@pytest.mark.parametrize("case", CASES)
def test_every_answer_is_valid_under_the_published_schema(case):
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.Draft202012Validator(schema()).validate(to_json(case(), fake.knowledge()))


def test_the_schema_refuses_an_answer_with_an_unknown_or_a_missing_name():
    document = to_json(fake.assessment(), fake.knowledge())
    validator = jsonschema.Draft202012Validator(schema())
    assert not validator.is_valid({**document, "surprise": 1})
    assert not validator.is_valid({k: v for k, v in document.items() if k != "sources"})
    document["treatment"]["options"][0]["p_above_floor"] = 1.2
    assert not validator.is_valid(document)


def test_the_names_that_scripts_rely_on_are_there():
    document = to_json(fake.assessment(), fake.knowledge())
    assert {"at", "seed", "record_digest", "knowledge_version", "software_version", "treatment", "forecast", "because",
            "sources", "unverified", "notice"} <= document.keys()  # fmt: skip
    treatment = document["treatment"]
    assert {"name", "unit", "median", "q05", "q95", "prior_median", "information"} == treatment["parameters"][0].keys()
    assert {"class", "probability"} <= treatment["response"].keys()
    assert {"probability", "day", "day_q05", "day_q95"} <= treatment["wearing_off"].keys()
    assert {"per_year", "q05", "q95"} <= treatment["trend"].keys()
    assert {"id", "action", "product", "route", "dose_g", "interval_days", "grams_per_week", "visits_per_year", "trough",
            "mean", "peak", "p_above_floor", "proposed", "because", "limited_by"} <= treatment["options"][0].keys()  # fmt: skip
    assert {"pareto_k", "optima", "converged"} <= treatment["diagnostics"].keys()
    assert {"option", "measure", "unit", "days", "q05", "q25", "median", "q75", "q95"} == document["forecast"][0].keys()


def test_the_same_assessment_gives_the_same_bytes():
    assert dumps(to_json(fake.assessment(), fake.knowledge())) == dumps(to_json(fake.assessment(), fake.knowledge()))


def test_the_text_is_the_document():
    document = to_json(fake.assessment(), fake.knowledge())
    assert json.loads(dumps(document)) == document


def test_a_number_that_is_not_finite_becomes_null_and_never_nan():
    assessment = fake.assessment()
    assert assessment.treatment.posterior is not None
    for model in assessment.treatment.posterior.models:
        object.__setattr__(model, "pareto_k", math.nan)
    object.__setattr__(assessment.treatment.posterior.models[0], "log_evidence", -np.inf)
    document = to_json(assessment, fake.knowledge())
    assert document["treatment"]["models"][0]["log_evidence"] is None
    assert "NaN" not in dumps(document)
    assert "Infinity" not in dumps(document)


def test_a_refusal_is_an_answer_with_its_reasons_and_nothing_made_up():
    document = to_json(fake.refused(), fake.knowledge())
    treatment = document["treatment"]
    assert len(treatment["refusal"]) == 2
    assert treatment["wearing_off"] is None
    assert treatment["options"] == document["forecast"] == []


def test_only_the_sources_that_were_used_are_cited():
    document = to_json(fake.assessment(), fake.knowledge())
    assert [s["id"] for s in document["sources"]] == ["drip2021", "li2024b", "tortorici2021"]
    assert document["sources"][1]["doi"] == "10.1002/acn3.52107"
