"""What to measure next, as a reader meets it: on the screen, on the page and as data."""

from dataclasses import replace

import jsonschema
import pytest
from tests.report import fake

from ranvier.ground.findings import Finding
from ranvier.regimen.nouns import Measurement
from ranvier.report import text
from ranvier.report.as_json import schema, to_json
from ranvier.report.html import to_html


def measurement(what, name, **facts):
    told = {"on": "2026-03-09", "cycle_day": 2, "interval": 35, "every": 3, "weeks": 4, "gain": 0.041, "se": 0.004,
            "share": 0.36, "p_change": 0.5, "measure": "grip-right"} | facts  # fmt: skip
    return Measurement(
        what, 7, 34, told["every"], 0.041, 0.004, 0.36, 0.5, Finding(f"worth.{name}", told, status="computed")
    )


def assessment(measure_next=(), worth=()):
    whole = fake.assessment()
    proposal = replace(whole.treatment.proposal, measure_next=measure_next, worth=worth)
    return replace(whole, treatment=replace(whole.treatment, proposal=proposal))


THREE = (
    measurement("longer_interval", "longer_interval"),
    measurement("igg", "igg"),
    measurement("strength", "strength_daily", every=1),
)
MOST = (Finding("worth.most", {"most": 0.11}, status="design"),)


def test_the_screen_names_day_gain_and_its_error():
    said = text.render(assessment(THREE, MOST), fake.knowledge())
    one_line = " ".join(said.split())
    assert "What to measure next" in said
    assert "Knowing everything about this person would lower the expected loss by 0.11" in one_line
    assert "One cycle deliberately lengthened to 35 days" in one_line
    assert "36 % of what could be gained by knowing more (loss 0.041 ± 0.004 lower)" in one_line
    assert "IgG on Mon 9 Mar 2026, 2 days after the next course" in one_line
    assert max(map(len, said.splitlines())) <= 80


def test_the_page_says_the_same_and_what_is_left_out():
    page = to_html(assessment(THREE, MOST), fake.knowledge()).replace("\N{NO-BREAK SPACE}", " ")
    assert '<h2 id="next">What to measure next</h2>' in page
    assert "the trouble of measuring is not in it" in page
    assert page.count("of what could be gained by knowing more") == 3


def test_the_data_hold_every_figure_and_fit_the_published_schema():
    document = to_json(assessment(THREE, MOST), fake.knowledge())
    jsonschema.Draft202012Validator(schema()).validate(document)
    first = document["treatment"]["measure_next"][0]
    assert (first["what"], first["day"], first["gain"], first["gain_se"]) == ("longer_interval", 7, 0.041, 0.004)


@pytest.mark.parametrize("name", ["settled", "none"])
def test_that_measuring_would_not_help_is_said_too(name):
    found = (Finding(f"worth.{name}", {"most": 0.002}, status="design"),)
    said = " ".join(text.render(assessment((), found), fake.knowledge()).split())
    assert ("hardly change" if name == "settled" else "No single measurement") in said


def test_where_nothing_was_asked_nothing_is_said():
    assert "What to measure next" not in text.render(assessment(), fake.knowledge())
    assert "What to measure next" not in to_html(assessment(), fake.knowledge())
