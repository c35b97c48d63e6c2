"""A funder's form: filled from the record, with what is not known visibly open."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from tests.regimen.made import AT, KNOWLEDGE, record

from ranvier.decision.forms import FILLERS, editions, fill
from ranvier.record.nouns import Before, Decision, Result, Strength, StrengthSeries
from ranvier.report.forms import as_data, text


def person(before=10.0, now=16.0, *, n=6, device="jamar", unit="kg", **more):
    case = record(before=Before("none"), n=n, **more)
    first = case.infusions[0].start
    values = [Strength(first - timedelta(days=d), before) for d in (20, 10, 5)]
    values += [Strength(AT - timedelta(days=d), now) for d in (20, 10, 5)]
    grip = StrengthSeries("grip", "grip", unit, tuple(sorted(values, key=lambda v: v.at)), side="right", device=device)
    return replace(case, strength=(grip,))


def field(form, name):
    return next(f for f in form.fields if f.id == name)


def filled(name, kind, case):
    return fill(name, kind, case, KNOWLEDGE, at=AT)


@pytest.mark.parametrize("name", sorted(editions()))
@pytest.mark.parametrize("kind", ["request", "follow_up"])
def test_every_form_can_be_filled_from_any_record_and_says_what_is_open(name, kind):
    for case in (person(), record(infusions=(), weight=None)):
        form = filled(name, kind, case)
        assert len({f.id for f in form.fields}) == len(form.fields)
        assert all(f.why for f in form.fields)
        assert [f["id"] for f in as_data(form)["fields"] if f["value"] is None] == as_data(form)["open"]
        lines = text(form).splitlines()
        assert sum(line.startswith("[ ]") for line in lines) == len(form.open)
        assert max(map(len, lines)) <= 80


def test_every_question_of_every_form_has_a_filler():
    named = {source for rules in editions().values() for _, fields in rules.forms.values() for _, _, source in fields}
    assert named == set(FILLERS)


def test_what_only_a_person_can_say_stays_open():
    form = filled("nhs_england", "request", person())
    assert field(form, "nhs_number").value is None
    assert field(form, "consultant").value is None


def test_the_dose_is_written_in_grams_and_per_kilogram_and_without_a_weight_the_latter_stays_open():
    assert field(filled("nhs_england", "request", person()), "dose").value == "80 g (1.00 g/kg) in 1 day"
    light = field(filled("nhs_england", "request", person(weight=None)), "dose")
    assert light.value == "80 g in 1 day; per kg open (no weight)"


def test_before_and_now_are_medians_of_what_was_measured():
    assert "right grip 10 → 16 kg" in field(filled("australia", "follow_up", person()), "measures").value


@pytest.mark.parametrize(
    ("now", "answer"),
    [(17.0, "yes, 1 of at least 1"), (12.0, "no, 0 of at least 1"), (15.0, None)],
)
def test_an_improvement_counts_where_every_source_agrees_and_stays_open_where_they_disagree(now, answer):
    """4 kg by one source, 6.5 kg by another: 7 kg is a gain, 2 kg is none, 5 kg cannot be told."""
    assert field(filled("australia", "follow_up", person(10.0, now)), "outcome").value == answer


def test_three_of_six_measures_cannot_be_met_nor_denied_with_one_measured():
    form = field(filled("nhs_england", "follow_up", person()), "outcome")
    assert form.value is None
    assert "only 1 kinds" in form.why


def test_a_baseline_under_treatment_is_no_baseline():
    treated = replace(person(), before=Before("regimen", "kiovig", 80.0, 28.0, "IV"))
    assert field(filled("australia", "request", treated), "disability").value is None


def test_reductions_and_withdrawals_come_from_the_decision_log_and_are_open_without_one():
    assert field(filled("nhs_england", "follow_up", person()), "reductions").value is None
    log = (
        Decision(on=date(2025, 11, 3), decided="accepted", step="reduce_dose", outcome=Result(AT, "success")),
        Decision(on=date(2025, 12, 3), decided="refused", step="withdrawal_trial", reason="person_prefers"),
    )
    form = filled("nhs_england", "follow_up", replace(person(), decisions=log))
    assert field(form, "reductions").value == "2025-11-03: success"
    assert field(form, "withdrawals").value is None


def test_rules_that_were_not_read_in_the_original_say_so_on_the_form():
    assert "check the original" in " ".join(text(filled("nhs_england", "request", person())).split())
