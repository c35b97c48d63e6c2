"""Into a record that exists: facts are added, none is changed, the same file twice adds nothing."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.exchange.drawn import bring, keys, plain

from ranvier.exchange.importing import import_files
from ranvier.exchange.memory import answers_from, dump, load
from ranvier.ground.notes import InputError
from ranvier.record import structure
from ranvier.record.text import parse

JAMAR = {"device": "jamar"}
MARCH = "date,right (kg)\n2025-03-13,12\n2025-03-14,13\n"


def record_of(imported):
    document, _ = parse(imported.text, "record", structure.text_keys())
    return dict(document.data)


def test_the_next_export_adds_only_what_is_new_and_asks_nothing():
    first = bring(MARCH, **JAMAR)
    longer = bring(MARCH + "2025-03-15,14\n", existing=record_of(first), memory=first.memory)
    assert not longer.questions
    assert (longer.added["strength"], longer.already["strength"]) == (1, 2)
    assert len(plain(longer)["strength"]) == 1


def test_the_same_file_twice_adds_nothing():
    first = bring(MARCH, **JAMAR)
    again = bring(MARCH, existing=record_of(first), memory=first.memory)
    assert again.nothing_new
    assert again.text == first.text


def test_a_record_written_by_hand_keeps_every_fact():
    first = bring(MARCH, **JAMAR)
    own = record_of(first) | {
        "goals": {"floors": [{"series": "grip-right", "value": 9, "unit": "kg"}]},
        "notes": ["kept by hand"],
    }
    own["strength"][0]["values"] = [["2025-03-13", 12], ["2025-03-01", 11]]
    found = bring(MARCH, existing=own, memory=first.memory)
    assert plain(found)["goals"]["floors"][0]["value"] == "9"
    assert plain(found)["notes"] == ["kept by hand"]
    assert found.added["strength"] == 1
    assert [v[0] if isinstance(v, list) else v["at"] for v in plain(found)["strength"][0]["values"]] == [
        "2025-03-01",
        "2025-03-13",
        "2025-03-14",
    ]


def test_a_contradiction_is_listed_and_not_added():
    first = bring(MARCH, **JAMAR)
    found = bring(MARCH.replace("14,13", "14,15"), existing=record_of(first), memory=first.memory)
    assert found.nothing_new
    conflict = found.problems[0]
    assert conflict.what == "grip-right 15 kg at 2025-03-14, yet the record has 13 there"
    assert conflict.place == "diary.csv line 3, right (kg)"


def test_kilograms_and_pounds_become_two_series():
    first = bring(MARCH, **JAMAR)
    found = bring("date,right (lb)\n2025-04-13,30\n", existing=record_of(first), **JAMAR)
    assert [(s["id"], s["unit"]) for s in plain(found)["strength"]] == [
        ("grip-right", "kg"),
        ("grip-right-jamar", "[lb_av]"),
    ]


def test_two_lists_of_the_same_infusion_are_asked_about():
    pharmacy = b"date given,drug,grams\n2025-03-13,Privigen,40\n"
    ward = b"date given,start,drug,grams\n2025-03-13,9:30,Privigen,40\n2025-04-13,9:30,Privigen,40\n"
    files = [("pharmacy.csv", pharmacy), ("ward.csv", ward)]
    answers = {"person.pseudonym": "x", "timezone": "Europe/Berlin"}
    assert keys(import_files(files, answers=answers)) == ["ward.csv.overlap"]
    same = import_files(files, answers=answers | {"overlap": "the same"})
    assert len(plain(same)["infusions"]) == 2
    further = import_files(files, answers=answers | {"overlap": "further ones"})
    assert len(plain(further)["infusions"]) == 3


def test_a_diary_and_a_list_that_disagree_about_infusion_days():
    diary = b"date,right (kg),note\n2025-03-13,12,infusion today\n2025-03-20,13,infusion today\n2025-03-21,13,after infusion\n"
    given_ = b"date given,drug,grams\n2025-03-13,Privigen,40\n"
    found = import_files([("d.csv", diary), ("i.csv", given_)], answers={"person.pseudonym": "x", **JAMAR})
    assert [p.place for p in found.problems] == ["d.csv line 3"]
    assert "nearest: 2025-03-13" in found.problems[0].what


def test_the_memory_comes_back_from_its_file():
    text = "date,right\nyesterday,12\n03 Mar 25,13\n"
    first = bring(text, unit="kg", two_digit_year="20xx", also={"line2.date": "2025-03-02"}, **JAMAR)
    written = dump(first.memory)
    assert "yesterday" not in written
    again = bring(text, memory=load(written, "x"))
    assert not again.questions
    assert again.text == first.text
    assert dump(again.memory) == written


def test_a_remembered_answer_that_no_longer_fits_is_asked_again():
    first = bring("date,right\n2025-03-13,12\n", unit="kg", **JAMAR)
    first.memory.shapes[next(iter(first.memory.shapes))]["unit"] = "stone"
    assert keys(bring("date,right\n2025-03-13,12\n", memory=first.memory)) == ["diary.csv.unit"]


def test_two_files_of_one_shape_do_not_borrow_each_others_answers():
    """One file for each hand, the same headings: what is true of one is never taken for the other, today or next time."""
    right, left = ("r.csv", b"date,grip (kg)\n2025-03-13,12\n"), ("l.csv", b"date,grip (kg)\n2025-03-13,20\n")
    one = {"person.pseudonym": "x", "r.csv.hand": "right", "r.csv.device": "jamar"}
    assert set(keys(import_files([right, left], answers=one))) == {"l.csv.device", "l.csv.hand"}
    both = import_files([right, left], answers=one | {"l.csv.hand": "left", "l.csv.device": "digital_grip"})
    assert sorted((s["side"], s["device"]) for s in plain(both)["strength"]) == [
        ("left", "digital_grip"),
        ("right", "jamar"),
    ]
    memory = load(dump(both.memory), "x")
    again = import_files([right, left], answers={}, memory=memory, existing=record_of(both))
    assert not again.questions
    assert again.nothing_new
    first = import_files([right], answers=one)
    later = import_files([left], answers={}, memory=first.memory, existing=record_of(first))
    assert keys(later) == ["l.csv.hand"]


def test_with_several_files_an_answer_about_a_row_must_name_its_file():
    a, b = ("a.csv", b"date,right (kg)\nyesterday,12\n"), ("b.csv", b"date,left (kg)\nyesterday,20\n")
    answers = {"person.pseudonym": "x", "line2.date": "2025-03-12", **JAMAR}
    found = import_files([a, b], answers=answers)
    assert keys(found) == ["a.csv.line2.date", "b.csv.line2.date"]
    assert found.unused == ("line2.date",)


def test_what_is_told_later_about_the_person_is_added_but_never_changed():
    first = bring(MARCH, **JAMAR)
    told = {"person.weight": "72 kg on 2025-03-01", "person.sex": "female", "place": "home"}
    found = bring(MARCH, existing=record_of(first), memory=first.memory, also=told)
    assert found.added == {"person": 2}
    assert plain(found)["person"]["weights"] == [{"on": "2025-03-01", "value": "72", "unit": "kg"}]
    assert len(plain(found)["strength"]) == 1
    again = bring(MARCH, existing=record_of(found), memory=first.memory, also=told | {"person.sex": "male"})
    assert again.nothing_new


def test_the_record_of_another_person_is_not_added_to():
    first = bring(MARCH, **JAMAR)
    found = bring(MARCH, existing=record_of(first), also={"person.pseudonym": "elk"}, **JAMAR)
    assert found.text is None
    assert "that of 'heron'" in found.problems[0].what


@pytest.mark.parametrize("text", ["[", "a: 1", "ranvier_import: 1\ntables: [{shape: 1, answers: 3}, 5]", "- 1"])
def test_a_spoilt_mapping_file_is_refused(text):
    with pytest.raises(InputError):
        load(text, "x.import.yaml")


def test_answers_keep_their_words():
    assert answers_from("a: yes\nb: 2025-03-01\nc: 1.50\nd:\n", "x") == {"a": "yes", "b": "2025-03-01", "c": "1.50"}
    for rubbish in ("- a", "a: [1]", "[", "word"):
        with pytest.raises(InputError):
            answers_from(rubbish, "x")


days = st.lists(st.tuples(st.integers(1, 28), st.floats(8, 16).map(lambda x: round(x, 1))), min_size=1, max_size=20)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(days, days)
def test_importing_twice_never_adds_and_importing_more_never_removes(early, late):
    """Any two exports of one diary, in any order, with any overlap."""
    answers = JAMAR | {"duplicates": "once"}
    table = "date,right (kg)\n" + "".join(f"2025-03-{d:02d},{v}\n" for d, v in early)
    more = table + "".join(f"2025-04-{d:02d},{v}\n" for d, v in late)
    first = bring(table, **answers)
    assert first.text is not None
    assert bring(table, existing=record_of(first), **answers).text == first.text
    second = bring(more, existing=record_of(first), **answers)
    assert second.text is not None
    before, after = ({tuple(v.values()) for v in plain(r)["strength"][0]["values"]} for r in (first, second))
    assert before <= after
