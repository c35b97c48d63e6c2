"""Adverse events: how bad, after which infusion and lot, what made them likelier, what to test when; and where a lot has been."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.protection.made import KNOWLEDGE

from ranvier.ground.truth import Truth
from ranvier.protection.checks import risks
from ranvier.protection.events import events, lots, plain_lot, trace_lot
from ranvier.record import read_text

INFUSIONS = """
infusions:
  - {product: Privigen, dose: {value: 40, unit: g}, start: 2025-05-06, route: IV, lot: PX12-441, course: first}
  - {product: Privigen, dose: {value: 40, unit: g}, start: 2025-05-07, route: IV, lot: PX12-441, course: first}
  - {product: Privigen, dose: {value: 80, unit: g}, start: 2025-06-17, route: IV, lot: PX12-990}
"""


def person(more="", name="tern", infusions=INFUSIONS, before="none", about=""):
    weights = "weights: [{on: 2025-01-10, value: 80, unit: kg}]"
    head = f"ranvier_record: 1\ninvented: true\nperson: {{pseudonym: {name}, {weights}{about}}}\n"
    return read_text(f"{head}before: {{kind: {before}}}\n{infusions}{more}\n", f"{name}.yaml")[0]


def one(more, **about):
    (view,) = events(person(more, **about), KNOWLEDGE)
    return view


def test_a_clot_nine_days_after_the_first_course_names_product_lot_triggers_and_tests():
    view = one("adverse_events: [{what: deep vein thrombosis left leg, on: 2025-05-16, grade: 3}]")
    assert (view.kind, view.grade, view.serious) == ("thrombosis", 3, True)
    assert view.grade_means == "deep vein, treated at home"
    assert (view.product, view.lot, view.given_on) == ("Privigen", "PX12-441", date(2025, 5, 7))
    assert view.related == "possible"
    assert {f.name for f in view.triggers} == {"event.first_course", "event.dose"}
    assert view.tests[0].on == date(2025, 5, 16)
    assert "rajabally_kafer2011" in view.sources


def test_a_clot_long_after_an_infusion_is_not_laid_on_it():
    view = one("adverse_events: [{what: deep vein thrombosis, on: 2025-06-10, grade: 3}]")
    assert view.related == "unlikely"
    assert view.lot is None


def test_an_event_is_no_risk_of_itself_but_it_is_one_for_what_comes_later():
    record = person("adverse_events: [{what: pulmonary embolism, on: 2025-05-16, grade: 4}]")
    (view,) = events(record, KNOWLEDGE)
    assert "event.risk" not in {f.name for f in view.triggers}
    assert risks(record, KNOWLEDGE, date(2025, 11, 3))["thrombosis"] is Truth.MET
    assert risks(record, KNOWLEDGE, date(2025, 5, 15))["thrombosis"] is Truth.UNKNOWN


def test_the_share_of_clots_is_quoted_for_clots_only():
    chills = "lot: PX12-441, course: first, reactions: [{what: chills}]}"
    infusions = INFUSIONS.replace("lot: PX12-441, course: first}", chills, 1)
    names = {f.name for v in events(person(infusions=infusions), KNOWLEDGE) for f in v.triggers}
    assert names == {"event.first_of_all"}


def test_the_lot_written_with_the_event_wins_over_the_last_infusion():
    view = one("adverse_events: [{what: haemolysis, on: 2025-06-18, grade: 2, lot: px12 441}]")
    assert view.given_on == date(2025, 5, 7)


def test_a_grade_that_nobody_wrote_is_not_guessed():
    view = one("adverse_events: [{what: headache, on: 2025-06-18}]")
    assert view.grade is None
    assert view.grade_means is None


def test_words_that_fit_no_kind_are_kept_and_not_interpreted():
    view = one("adverse_events: [{what: felt odd, on: 2025-06-18, grade: 1}]")
    assert (view.kind, view.do, view.tests) == (None, (), ())


def test_denied_events_are_no_events_of_that_kind():
    assert one("adverse_events: [{what: no thrombosis on ultrasound, on: 2025-06-18, grade: 1}]").kind is None


def test_reactions_during_an_infusion_are_events_of_its_lot():
    infusions = INFUSIONS.replace("lot: PX12-990}", "lot: PX12-990, reactions: [{what: chills and fever, grade: 2}]}")
    (view,) = events(person(infusions=infusions), KNOWLEDGE)
    assert (view.kind, view.lot, view.related) == ("infusion_reaction", "PX12-990", "possible")
    assert view.grade_means.startswith("interrupted")


def test_blood_group_and_product_make_haemolysis_likelier():
    view = one("adverse_events: [{what: haemolysis, on: 2025-06-22, grade: 3}]", about=", blood_group: A")
    assert {f.name for f in view.triggers} >= {"event.risk", "event.product"}


def test_before_the_first_infusion_nothing_is_held_responsible():
    assert one("adverse_events: [{what: stroke, on: 2025-04-01, grade: 4}]").related == "unknown"


def test_a_lot_is_found_across_people_whatever_its_spaces_and_capitals():
    other = INFUSIONS.replace("PX12-441", "px12 441").replace("course: first", "course: a")
    people = [
        person("adverse_events: [{what: deep vein thrombosis, on: 2025-05-16, grade: 3}]"),
        person(name="rail", infusions=other),
        person(name="crane", infusions=""),
    ]
    found = trace_lot("PX12441", people, KNOWLEDGE)
    assert (len(found.uses), found.people, found.grams) == (4, 2, 160.0)
    assert {use.written for use in found.uses} == {"PX12-441", "px12 441"}
    assert [e.kind for use in found.uses for e in use.events] == ["thrombosis"]


def test_a_lot_one_letter_off_is_named_and_never_merged():
    found = trace_lot("PX12-44l", [person()], KNOWLEDGE)
    assert found.uses == ()
    assert found.near == ("PX12-441",)
    assert trace_lot("PX12-414", [person()], KNOWLEDGE).near == ("PX12-441",)


def test_infusions_of_the_product_without_a_lot_are_counted():
    infusions = INFUSIONS + "  - {product: Privigen, dose: {value: 80, unit: g}, start: 2025-07-29, route: IV}\n"
    assert trace_lot("PX12-441", [person(infusions=infusions)], KNOWLEDGE).without_lot == 1


def test_all_lots_are_listed_with_their_infusions():
    assert lots([person()]) == {"PX12-441": 2, "PX12-990": 1}


@given(st.text(max_size=80))
def test_any_text_may_be_asked_for_as_a_lot(text):
    trace_lot(text, [PERSON], KNOWLEDGE)
    assert plain_lot(text) == plain_lot(text.lower().upper()) or not text.isascii()


@given(st.text(min_size=1, max_size=200).filter(lambda t: t.strip()), st.integers(0, 400))
def test_any_words_of_an_event_are_looked_at_without_a_fall(text, days):
    from ranvier.protection.events import view
    from ranvier.record.nouns import AdverseEvent

    seen = view(PERSON, AdverseEvent(text, date(2025, 4, 1) + timedelta(days=days)), KNOWLEDGE)
    assert seen.related in ("possible", "unlikely", "unknown")


PERSON = person()


def test_grades_of_every_kind_have_five_words_and_every_trigger_can_be_looked_at():
    for kind in KNOWLEDGE.events.values():
        assert len(kind.grades) == 5
    text = "adverse_events: " + str(
        [{"what": rule.words[0], "on": "2025-06-18", "grade": 3} for rule in KNOWLEDGE.events.values()]
    ).replace("'", '"')
    assert len(events(person(text), KNOWLEDGE)) == len(KNOWLEDGE.events)


@pytest.mark.parametrize("bad", ["grade: 9", "grade: mild", "on: yesterday", "until: 2025-01-01"])
def test_rubbish_in_an_adverse_event_is_refused_with_its_place(bad):
    from ranvier.ground.notes import InputError

    fields = {"what": "stroke", "on": "2025-06-18"}
    fields.update([bad.split(": ")])
    text = "adverse_events: [{" + ", ".join(f"{k}: {v}" for k, v in fields.items()) + "}]"
    with pytest.raises(InputError) as refused:
        person(text)
    assert any("adverse_events[0]" in problem.place for problem in refused.value.problems)
