"""Checks before the first dose and again later: what was looked at, what is open, what is due."""

from datetime import date

import pytest
from tests.protection.made import AT, KNOWLEDGE, person

from ranvier.ground.truth import Truth
from ranvier.protection.checks import checks, due, risks
from ranvier.record import read_text


def one(id, **about):
    return next(c for c in checks(person(**about), KNOWLEDGE, about.pop("at", AT)) if c.id == id)


def test_what_nobody_looked_at_is_open_and_its_risk_unknown():
    found = checks(person(), KNOWLEDGE, AT)
    assert {c.state for c in found} == {"open"}
    assert {c.risk for c in found} == {Truth.UNKNOWN}
    assert len(found) == len(KNOWLEDGE.checks)


def test_a_clear_check_is_clear_until_it_is_due_again():
    more = "safety_checks: [{check: kidney, on: 2025-03-01, result: clear}]"
    assert one("kidney", more=more).state == "clear"
    assert one("kidney", more=more).again == date(2026, 3, 1)
    later = next(c for c in checks(person(more=more), KNOWLEDGE, date(2026, 3, 2)) if c.id == "kidney")
    assert later.state == "due"
    assert later.risk is Truth.NOT_MET


def test_a_date_written_in_the_record_wins_over_the_rule():
    more = "safety_checks: [{check: kidney, on: 2025-03-01, result: clear, again: 2025-09-01}]"
    assert one("kidney", more=more).state == "due"


@pytest.mark.parametrize(
    ("id", "about"),
    [
        ("thrombosis", {"conditions": ["pulmonary embolism 2018"]}),
        ("kidney", {"conditions": ["type 2 diabetes mellitus"]}),
        ("heart", {"conditions": ["heart failure, ejection fraction 35 %"]}),
        ("headache", {"conditions": ["migraine with aura"]}),
        ("iga", {"more": "blood_tests: [{at: 2025-10-01, what: IgA, value: 0.02, unit: g/L}]"}),
        ("kidney", {"more": "blood_tests: [{at: 2025-10-01, what: eGFR, value: 41, unit: 'mL/min/{1.73_m2}'}]"}),
        ("pregnancy", {"more": "events: [{on: 2025-08-01, what: pregnancy}]"}),
        ("allergy", {"more": "allergies: [{to: immunoglobulin, severity: severe}]"}),
        ("headache", {"more": "adverse_events: [{what: aseptic meningitis, on: 2025-06-01, grade: 3}]"}),
    ],
)
def test_the_record_itself_may_show_a_risk(id, about):
    found = one(id, **about)
    assert found.state == "risk"
    assert found.risk is Truth.MET
    assert found.mitigate
    assert found.because


def test_a_normal_value_is_shown_but_is_no_clearance():
    """A filtration of 88 does not exclude diabetes or age: the check as a whole stays open."""
    found = one("kidney", more="blood_tests: [{at: 2025-10-01, what: eGFR, value: 88, unit: 'mL/min/{1.73_m2}'}]")
    assert found.state == "open"
    assert any(test.value == "eGFR 88 mL/min/{1.73_m2}" for test in found.tests)


def test_a_value_in_another_unit_is_not_judged():
    found = one("iga", more="blood_tests: [{at: 2025-10-01, what: IgA, value: 2, unit: mg/dL}]")
    assert found.state == "open"


def test_a_newer_abnormal_value_overrules_an_older_clear_check():
    more = (
        "safety_checks: [{check: kidney, on: 2025-03-01, result: clear}]\n"
        "blood_tests: [{at: 2025-10-01, what: eGFR, value: 41, unit: 'mL/min/{1.73_m2}'}]"
    )
    assert one("kidney", more=more).state == "risk"


def test_facts_of_later_days_do_not_count():
    more = "safety_checks: [{check: kidney, on: 2025-12-01, result: clear}]"
    assert one("kidney", more=more).state == "open"


def test_blood_group_o_clears_haemolysis_and_the_others_do_not():
    def group(letter):
        return next(c for c in checks(_with_group(letter), KNOWLEDGE, AT) if c.id == "haemolysis")

    assert group("O").state == "clear"
    assert group("AB").state == "risk"


def _with_group(letter):
    text = f"ranvier_record: 1\nperson: {{pseudonym: tern, blood_group: {letter}}}\nbefore: {{kind: none}}\n"
    return read_text(text, "tern.yaml")[0]


def test_risks_reach_whoever_doses():
    assert risks(person(), KNOWLEDGE, AT) == {"thrombosis": Truth.UNKNOWN, "kidney": Truth.UNKNOWN}
    more = "safety_checks: [{check: kidney, on: 2025-03-01, result: clear}, {check: thrombosis, on: 2025-03-01, result: clear}]"
    assert risks(person(more=more), KNOWLEDGE, AT) == {"thrombosis": Truth.NOT_MET, "kidney": Truth.NOT_MET}


def test_what_is_due_by_a_day_is_listed_soonest_first():
    every = "\n".join(f"  - {{check: {id}, on: 2025-03-01, result: clear}}" for id in KNOWLEDGE.checks)
    record = person(more=f"safety_checks:\n{every}")
    assert due(record, KNOWLEDGE, date(2026, 1, 1), AT) == ()
    named = [check.id for check in due(record, KNOWLEDGE, date(2026, 4, 1), AT)]
    assert "kidney" in named
    assert "serology" not in named


def test_every_check_cites_sources_that_exist():
    for check in checks(person(), KNOWLEDGE, AT):
        assert set(check.sources) <= set(KNOWLEDGE.sources)


def excluded(*names):
    lines = "\n".join(f'  - {{what: "{name}", present: false}}' for name in names)
    return person(more=f"conditions:\n{lines}\n")


def check_of(record, id):
    return next(c for c in checks(record, KNOWLEDGE, AT) if c.id == id)


def test_no_stroke_is_not_no_thrombosis():
    """One excluded condition leaves the others unknown: the check stays open."""
    one = check_of(excluded("stroke or transient ischaemic attack"), "thrombosis")
    assert (one.state, one.risk) == ("open", Truth.UNKNOWN)


def test_a_risk_is_excluded_once_each_condition_that_is_asked_for_was_excluded():
    every = [one.name for one in KNOWLEDGE.asked]
    for id in ("thrombosis", "kidney", "heart", "headache", "viscosity"):
        assert check_of(excluded(*every), id).risk is Truth.NOT_MET
    assert check_of(excluded("migraine", "aseptic meningitis"), "headache").risk is Truth.NOT_MET
    assert check_of(excluded("selective IgA deficiency"), "iga").risk is Truth.NOT_MET  # the only one that is asked


@pytest.mark.parametrize("name", [one.name for one in KNOWLEDGE.asked])
def test_each_condition_that_is_asked_for_is_seen_by_a_check(name):
    found = [c.id for c in checks(person(conditions=[name]), KNOWLEDGE, AT) if c.risk is Truth.MET]
    assert found != []
