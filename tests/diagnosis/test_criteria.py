"""Criteria are counted in three values: not known is not no."""

from __future__ import annotations

import shutil
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.diagnosis.made import BOOK, CLEAN, TYPICAL, facts, history, judged

from ranvier.diagnosis import criteria, rules
from ranvier.diagnosis.load import read
from ranvier.ground.notes import InputError
from ranvier.ground.truth import Truth

MET, NOT_MET, UNKNOWN = Truth.MET, Truth.NOT_MET, Truth.UNKNOWN
TRUTHS = st.sampled_from(list(Truth))
EFNS = next(s for s in BOOK.sets if s.id == "efns_pns_2010")


def verdict(present: str, absent: str, set_: str = "efns_pns_2010"):
    found = judged(history(present, absent)).criteria
    return next(v for v in found if f"{v.set}_{v.edition}" == set_)


def test_definite_block_in_one_nerve_and_a_typical_picture_is_definite() -> None:
    found = verdict(f"{TYPICAL} definite_block_1_nerve", CLEAN)
    assert (found.class_, found.could_be) == ("definite", "definite")
    assert found.unknown == found.would_change == ()


def test_the_first_edition_asked_for_two_nerves() -> None:
    """A woman with one blocked nerve is definite by the revision and was not by the first edition."""
    absent = f"{CLEAN} probable_block_2_nerves improved_after_immunoglobulin"
    assert verdict(f"{TYPICAL} definite_block_1_nerve", absent).class_ == "definite"
    assert verdict(f"{TYPICAL} definite_block_1_nerve", absent, "efns_pns_2006").class_ == "not met"


def test_probable_block_in_one_nerve_needs_two_supports() -> None:
    block = "probable_block_1_nerve"
    no_more = f"{CLEAN} definite_block_1_nerve probable_block_2_nerves"
    one = f"{no_more} plexus_mri_swelling improved_after_immunoglobulin csf_protein_raised"
    assert verdict(f"{TYPICAL} {block} anti_gm1_igm", one).class_ == "not met"
    two = verdict(f"{TYPICAL} {block} anti_gm1_igm plexus_mri_swelling", no_more)
    assert two.class_ == "probable"


def test_csf_protein_supports_only_where_it_is_raised_and_below_one_gram() -> None:
    item = EFNS.items["b_csf"].rule
    for present, absent, truth in (
        ("csf_protein_raised", "csf_protein_over_1", MET),
        ("csf_protein_over_1", "", NOT_MET),
        ("", "csf_protein_raised", NOT_MET),
        ("", "", UNKNOWN),
    ):
        truths = {name: each.truth for name, each in facts(history(present, absent)).items()}
        assert rules.truth_of(item, truths) is truth


def test_one_nerve_only_can_be_possible_at_best() -> None:
    present = TYPICAL.replace("weakness_two_named_nerves", "weakness_one_nerve")
    found = verdict(f"{present} definite_block_1_nerve", f"{CLEAN} weakness_two_nerves improved_after_immunoglobulin")
    assert (found.class_, found.could_be) == ("possible", "possible")


def test_an_examination_that_nobody_made_leaves_the_class_open_and_is_named() -> None:
    """Nobody wrote down whether the plantar responses were extensor."""
    absent = CLEAN.replace("upper_motor_neuron_signs ", "")
    found = verdict(f"{TYPICAL} definite_block_1_nerve", absent)
    assert (found.class_, found.could_be) == ("unknown", "definite")
    change = next(c for c in found.would_change if c.finding == "upper_motor_neuron_signs")
    assert (change.if_met, change.if_not_met) == ("not met", "definite")


@pytest.mark.parametrize("finding", CLEAN.split())
def test_each_exclusion_takes_the_class_away(finding: str) -> None:
    absent = CLEAN.replace(finding, "").strip()
    assert verdict(f"{TYPICAL} definite_block_2_nerves {finding}", absent).class_ == "not met"


def test_sensory_loss_that_came_later_does_not_take_an_established_diagnosis_away() -> None:
    present = f"{TYPICAL} definite_block_1_nerve sensory_loss diagnosed_before_sensory_loss"
    assert verdict(present, CLEAN.replace("sensory_loss ", "")).class_ == "definite"


def test_the_american_set_wants_two_named_nerves_with_definite_block_and_three_normal_sensory_nerves() -> None:
    present = f"{TYPICAL} definite_block_2_nerves sensory_conduction_normal_3_nerves"
    assert verdict(present, CLEAN, "aaem_2003").class_ == "definite"
    weaker = verdict(f"{TYPICAL} definite_block_2_nerves", f"{CLEAN} sensory_conduction_normal_3_nerves", "aaem_2003")
    assert weaker.class_ == "probable"


def test_wording_that_could_not_be_checked_is_named() -> None:
    found = verdict(f"{TYPICAL} definite_block_1_nerve", CLEAN)
    assert any("table 4" in str(f.facts["where"]) for f in found.unverified)
    assert all(f.status not in ("read", "computed") for f in found.unverified)


def test_the_tree_of_reasons_reaches_the_patient() -> None:
    tree = verdict(f"{TYPICAL} definite_block_1_nerve", CLEAN).because[0]
    below = list(tree.walk())
    assert tree.name == "diagnosis.class_rule"
    assert {"diagnosis.item", "diagnosis.stated", "diagnosis.not"} <= {f.name for f in below}
    assert {f.source for f in below if f.name == "diagnosis.item"} >= {"efns2010", "efns2010_tables"}


# ---- a coming edition


TOY = """
set: toy
edition: "2031"
title: Toy 2031
source: efns2010
reviewed: {last: 2026-11-23, again: 2027-11-30}
findings:
  toy_sign: {says: The toy sign, kind: examination, group: toy}
items:
  weak:
    {says: Weak and toy, kind: core, rule: {all_of: [weakness_two_nerves, toy_sign]}, source: efns2010, where: p 1, status: read}
classes:
  - {name: definite, says: Weak, rule: weak, source: efns2010, where: page 1, status: read}
  - {name: possible, says: Toy, rule: {any_of: [toy_sign, weak]}, source: efns2010, where: page 1, status: memory}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("criteria", "differential"):
        shutil.copytree(str(files("ranvier.knowledge") / name), tmp_path / name)
    return tmp_path


def test_a_coming_edition_is_one_more_file(folder: Path) -> None:
    (folder / "criteria" / "toy_2031.yaml").write_text(TOY)
    book = read(folder)
    found = next(v for v in judged(history("weakness_two_nerves"), book=book).criteria if v.set == "toy")
    assert (found.class_, found.could_be, found.title) == ("unknown", "definite", "Toy 2031")
    assert [(c.finding, c.if_met, c.if_not_met) for c in found.would_change] == [("toy_sign", "definite", "not met")]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("rule: weak,", "rule: weary,", "there is no finding or item 'weary'"),
        ("all_of: [weak", "most_of: [weak", "'most_of' is not one of all_of, any_of, at_least, not"),
        ("name: possible", "name: definite", "the strictest first, each once"),
        ("status: read}\nclasses", "status: memorry, extra: 1}\nclasses", "'extra' is no key here"),
        ("{any_of: [toy_sign, weak]}", "{at_least: {n: 3, of: [toy_sign, weak]}}", "n runs from 1"),
        ("items:", "items: [", "not YAML"),
        ("kind: examination", "kind: dowsing", "kind 'dowsing' is not one of"),
    ],
)
def test_a_file_with_a_fault_is_refused_with_its_place(folder: Path, old: str, new: str, said: str) -> None:
    (folder / "criteria" / "toy_2031.yaml").write_text(TOY.replace(old, new))
    with pytest.raises(InputError) as error:
        read(folder)
    assert any(said in p.what and "toy_2031" in p.place for p in error.value.problems)


# ---- laws


@given(st.lists(TRUTHS, min_size=1, max_size=5), st.data())
def test_an_answer_never_turns_what_is_settled(truths: list[Truth], data: st.DataObject) -> None:
    """Filling in an unknown may settle a rule; it never turns a settled one around."""
    names = [str(i) for i in range(len(truths))]
    leaf = st.sampled_from(names)
    rule = data.draw(
        st.recursive(
            leaf,
            lambda below: st.one_of(
                st.builds(lambda parts: {"all_of": parts}, st.lists(below, min_size=1, max_size=3)),
                st.builds(lambda parts: {"any_of": parts}, st.lists(below, min_size=1, max_size=3)),
                st.builds(lambda part: {"not": part}, below),
                st.lists(below, min_size=2, max_size=3).map(lambda parts: {"at_least": {"n": 2, "of": parts}}),
            ),
            max_leaves=8,
        )
    )
    known = dict(zip(names, truths, strict=True))
    before = rules.truth_of(rule, known)
    assert rules.judge(rule, lambda name: (known[name], facts_of(name)))[0] is before
    for name in names:
        if known[name] is UNKNOWN:
            for answer in (MET, NOT_MET):
                after = rules.truth_of(rule, {**known, name: answer})
                assert before is UNKNOWN or after is before


def facts_of(name: str):
    from ranvier.ground.findings import Finding

    return Finding(name)


@given(
    st.sets(st.sampled_from(sorted(BOOK.questions)), max_size=12),
    st.sets(st.sampled_from(sorted(BOOK.questions)), max_size=12),
)
def test_what_follows_never_overrules_what_is_stated(met: set[str], not_met: set[str]) -> None:
    stated = dict.fromkeys(not_met, NOT_MET) | dict.fromkeys(met, MET)
    known = criteria.closed(stated, BOOK.questions)
    assert all(known[name] is truth for name, truth in stated.items())
    assert criteria.closed(known, BOOK.questions) == known


@given(st.dictionaries(st.sampled_from(sorted(BOOK.questions)), TRUTHS, max_size=20))
def test_the_class_is_one_of_five_and_never_better_than_what_is_open(truths: dict[str, Truth]) -> None:
    known = criteria.closed(truths, BOOK.questions)
    order = ["definite", "probable", "possible", "not met"]
    for each in BOOK.sets:
        class_, open_ = criteria.class_of(each, known)
        assert class_ in (*order, "unknown")
        if class_ != "unknown":
            assert order.index(open_) <= order.index(class_)
