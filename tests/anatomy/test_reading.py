"""What people write, what is understood, and what is sent back with a remedy."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.anatomy.build import anatomy

from ranvier.anatomy import read_findings, read_text
from ranvier.anatomy.names import Names
from ranvier.anatomy.nouns import GRADES
from ranvier.ground.notes import InputError


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("FDI", "fdi"), ("first dorsal interosseus", "fdi"), ("1st dorsal interosseous", "fdi"), ("APB", "apb"),
        ("m. abductor pollicis brevis", "apb"), ("ADM", "adm"), ("Tibialis anterior", "ta"), ("EDC", "edc"),
        ("biceps", "bb"), ("peroneus longus", "plb"), ("finger extension", "finger_extensors"),
        ("extension of the fingers", "finger_extensors"), ("foot dorsiflexion", "ankle_dorsiflexors"),
        ("FDP", "deep_finger_flexors"), ("FDP IV/V", "fdp45"), ("hip flexion", "ip"), ("quadriceps", "qf"),
        ("great toe extension", "big_toe_extensors"), ("supinator", "sup"), ("supination", "supinators"),
        ("elbow extension", "tri"), ("knee flexion", "knee_flexors"), ("gastrocnemius", "gc"),
    ],
)  # fmt: skip
def test_names(written, meant):
    assert Names(anatomy()).find(written) == meant


def test_no_name_means_two_things():
    assert Names(anatomy()).clashes == []


def problems(text: str, name: str = "x.csv") -> tuple:
    with pytest.raises(InputError) as caught:
        read_text(text, name, anatomy())
    return caught.value.problems


def test_all_faults_at_once_each_with_its_remedy():
    found = problems("muscle,side,mrc\nFDJ,right,4\nADM,middle,4\nAPB,left,6\nFPL,left,4.5\nEDC,right,5+\nFDI,left,4")
    assert [p.line for p in found] == [2, 3, 4, 5, 6]
    said = " ".join(f"{p.what} {p.remedy}" for p in found)
    for words in ("FDJ", "Did you mean", "left, right or both", "run from 0", "4+ or 5-", "highest grade is 5"):
        assert words in said, words


def test_a_muscle_with_two_grades_is_a_question_for_the_examiner():
    assert "5 here and 3" in problems("muscle,side,mrc\nFDI,left,3\nfirst dorsal interosseous,left,5")[0].what.replace(
        "is 5", "5"
    )


def test_the_same_grade_twice_is_kept_once():
    seen, notes = read_text("muscle,side,mrc\nFDI,left,3\nFDI,left,3", "x.csv", anatomy())
    assert len(seen.findings) == 1
    assert len(notes) == 1


def test_not_tested_is_left_out():
    seen, _ = read_text("muscle;left;right\nFDI;3;NT\nADM;;5", "x.csv", anatomy())
    assert {(f.muscle, f.side) for f in seen.findings} == {("fdi", "left"), ("adm", "right")}


@pytest.mark.parametrize("text", ["4-", "4−", "4 -", "MRC 4-", "4-/5", "M4-"])
def test_ways_to_write_four_minus(text):
    seen, _ = read_text(f"muscle,side,mrc\nFDI,left,{text}", "x.csv", anatomy())
    assert seen.findings[0].grade == "4-"


def test_yaml_by_side_and_by_list():
    by_side, _ = read_text("on: 2026-03-14\nright:\n  FDI: 2\n  ADM: 4+\nboth: {TA: 5}", "x.yaml", anatomy())
    by_list, _ = read_text(
        "on: 2026-03-14\nfindings:\n- {muscle: FDI, side: r, mrc: 2}\n- {muscle: ADM, side: right, mrc: 4+}\n"
        "- {muscle: TA, side: both, mrc: 5}",
        "x.yaml",
        anatomy(),
    )
    assert by_side == by_list
    assert by_side.on is not None
    assert by_side.on.isoformat() == "2026-03-14"


def test_an_entry_of_a_record():
    seen, _ = read_findings({"on": "2025-03-14", "findings": [{"muscle": "FDI", "side": "left", "mrc": 3}]}, anatomy())
    assert seen.findings[0].grade == "3"
    with pytest.raises(InputError) as caught:
        read_findings(
            {"on": "2025-03-14", "findings": [{"muscle": "FDY", "side": "left", "mrc": 3.5}]},
            anatomy(),
            at="examinations[0]",
        )
    assert {p.place for p in caught.value.problems} == {"examinations[0].findings[0]"}


@pytest.mark.parametrize(
    "text", ["", "\n\n", "muscle", "a,b,c\n1,2,3", "muscle,side,mrc\n", "muscle,side,mrc\nFDI,left", '"', "\x00\x00"]
)
def test_empty_and_broken_tables_say_what_to_write(text):
    assert all(p.remedy for p in problems(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4",
        "[]",
        "{}",
        "[1, 2]",
        "right: FDI",
        "findings: 3",
        "nerves: {FDI: 2}",
        "{a: [",
        "on: soon\nleft: {FDI: 3}",
    ],
)
def test_empty_and_broken_files_say_what_to_write(text):
    assert all(p.remedy for p in problems(text, "x.yaml"))


def grades_or_faults(text: str, name: str) -> tuple[tuple, tuple]:
    """What was read, or the problems; anything else that is raised is a fault of ours."""
    try:
        return read_text(text, name, anatomy())[0].findings, ()
    except InputError as error:
        return (), error.problems


def sound(findings: tuple, faults: tuple) -> bool:
    """Each grade is one, on a side; each problem says where, what and what to do; and there is one or the other."""
    good = all(f.grade in GRADES and f.side in ("left", "right") for f in findings)
    return good and all(p.place and p.what and p.remedy for p in faults)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200), st.sampled_from(("x.csv", "x.yaml", "x.json")))
def test_rubbish_is_refused_politely(text, name):
    """Whatever is thrown at the reader, it answers, or it refuses with place and remedy."""
    assert sound(*grades_or_faults(text, name))


cells = st.one_of(
    st.sampled_from(("FDI", "left", "5", "4-", "", "6", "both", "-1", "1e3", "NaN", "0x3")), st.text(max_size=12)
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(cells, cells, cells), max_size=6))
def test_rubbish_in_a_table(rows):
    out = io.StringIO()
    csv.writer(out).writerows([("muscle", "side", "mrc"), *rows])
    assert sound(*grades_or_faults(out.getvalue(), "x.csv"))


def test_tables_with_german_or_french_headings():
    """Muscles have Latin names everywhere; sides and headings do not."""
    german, none = grades_or_faults("Muskel;links;rechts\nM. deltoideus;5;4+\nFDP5;NT;3/5\n", "x.csv")
    assert none == ()
    assert {(f.muscle, f.side, f.grade) for f in german} == {
        ("del", "left", "5"), ("del", "right", "4+"), ("fdp45", "right", "3")
    }  # fmt: skip
    french, none = grades_or_faults("Muscle,Côté,Force\nFDI,droit,4-\nFDI,gauche,5\n", "x.csv")
    assert none == ()
    assert [(f.side, f.grade) for f in french] == [("left", "5"), ("right", "4-")]


def test_faults_are_told_in_the_order_of_the_file():
    _, faults = grades_or_faults("muscle,side,mrc\nfoo,right,5\nFDI,right\nADM,up,7\n", "x.csv")
    assert [p.line for p in faults] == [2, 3, 4, 4]
    _, faults = grades_or_faults("\n", "x.csv")
    assert faults[0].what == "is empty"
