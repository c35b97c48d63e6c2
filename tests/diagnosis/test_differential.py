"""What else it could be: unknown is neutral, one item per kind of test, no probability of 0 or 1."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.diagnosis.made import BOOK, facts, history, judged, record

from ranvier import diagnosis
from ranvier.diagnosis import differential
from ranvier.diagnosis.nouns import Pattern
from ranvier.ground.findings import Finding
from ranvier.ground.notes import InputError
from ranvier.ground.truth import Truth

SETTING = BOOK.settings[diagnosis.DEFAULT_SETTING]
REPORTED = sorted(q.id for q in BOOK.questions.values() if q.reported)


def chance(condition: str, present: str = "", absent: str = "") -> float:
    found = judged(history(present, absent)).differential
    return next(c.probability for c in found if c.condition == condition)


def test_with_nothing_known_the_priors_stand() -> None:
    found = judged(record())
    assert all(c.probability == pytest.approx(c.prior) for c in found.differential)
    assert not any(c.for_ or c.against for c in found.differential)


def test_upper_motor_neuron_signs_speak_for_als_and_against_mmn() -> None:
    found = judged(history("upper_motor_neuron_signs")).differential
    als, mmn = (next(c for c in found if c.condition == name) for name in ("als", "mmn"))
    assert als.probability > als.prior
    assert mmn.probability < mmn.prior
    assert [w.finding for w in als.for_] == [w.finding for w in mmn.against] == ["upper_motor_neuron_signs"]


def test_each_weight_says_where_its_number_stands() -> None:
    found = judged(history("weaker_in_the_cold")).differential
    mmn = next(c for c in found if c.condition == "mmn")
    assert (mmn.for_[0].because.source, mmn.for_[0].because.status) == ("straver2011", "computed")
    assert mmn.for_[0].ratio > 1


def test_findings_of_one_nerve_study_are_not_multiplied() -> None:
    """Block, dispersion and late F waves come from the same afternoon."""
    one = facts(history("definite_block_1_nerve"))
    three = facts(history("definite_block_1_nerve temporal_dispersion f_waves_late_or_absent"))
    used, behind = differential.evidence_of(BOOK, SETTING, three, None)
    assert len([i for i in used if i.group == "conduction"]) == 1
    assert {i.group for i in behind} == {"conduction"}
    alone, _ = differential.evidence_of(BOOK, SETTING, one, None)
    best = max(math.exp(i.log["mmn"] - i.log["als"]) for i in (*alone, *used, *behind))
    both = differential.posterior(BOOK, SETTING, used)
    assert both["mmn"] / both["als"] <= best * SETTING.priors["mmn"].value / SETTING.priors["als"].value * 1.01


def test_no_groups_item_is_used_twice() -> None:
    used, _ = differential.evidence_of(BOOK, SETTING, facts(history(" ".join(REPORTED[::3]))), None)
    groups = [item.group for item in used]
    assert len(groups) == len(set(groups))


def test_absence_that_means_nobody_looked_counts_nothing() -> None:
    assert chance("mmn", absent="anti_gm1_igm_high") == pytest.approx(SETTING.priors["mmn"].value)
    assert chance("mmn", present="anti_gm1_igm_high") > 10 * SETTING.priors["mmn"].value


def test_no_item_speaks_louder_than_its_cap_except_a_gene() -> None:
    cap = BOOK.numbers["ratio_cap"].value
    stated = facts(record())
    for name in BOOK.likelihoods:
        for truth in (Truth.MET, Truth.NOT_MET):
            item = differential.item_of(BOOK, {**stated, name: replace(stated[name], truth=truth)}, name)
            if item is not None and not BOOK.likelihoods[name].decisive:
                assert max(item.log.values()) - min(item.log.values()) <= math.log(cap) + 1e-9


def test_an_examination_by_muscles_speaks_as_one_item() -> None:
    pattern = Pattern(
        {"multiple_mononeuropathy": 1.0, "radiculopathy": 1e-4, "motor_neuron_disease": 1e-5}, Finding("x")
    )
    item = differential.pattern_item(BOOK, pattern)
    assert item.log["mmn"] > item.log["als"]
    assert item.log["madsam"] > item.log["radiculopathy"]
    reversed_ = Pattern(
        {"multiple_mononeuropathy": 1e-5, "radiculopathy": 1e-4, "motor_neuron_disease": 1.0}, Finding("x")
    )
    item = differential.pattern_item(BOOK, reversed_)
    assert item.log["als"] > item.log["mmn"]


@settings(max_examples=40, deadline=None)
@given(st.sets(st.sampled_from(REPORTED), max_size=25), st.sets(st.sampled_from(REPORTED), max_size=25))
def test_whatever_is_known_the_probabilities_sum_to_one_and_none_is_certain(
    there: set[str], not_there: set[str]
) -> None:
    found = judged(history(" ".join(sorted(there)), " ".join(sorted(not_there - there))))
    chances = [c.probability for c in found.differential]
    assert math.fsum(chances) == pytest.approx(1.0)
    floor = BOOK.numbers["wrong_model"].value
    assert all(p >= floor * c.prior * 0.999 for p, c in zip(chances, found.differential, strict=True))
    assert max(chances) < 1.0


@settings(max_examples=20, deadline=None)
@given(st.permutations(["upper_motor_neuron_signs", "cramps_or_fasciculations", "weaker_in_the_cold", "sensory_loss"]))
def test_the_order_in_which_findings_are_written_does_not_matter(order: list[str]) -> None:
    found = judged(history(" ".join(order))).differential
    usual = judged(history(" ".join(sorted(order)))).differential
    assert [(c.condition, c.probability) for c in found] == [(c.condition, c.probability) for c in usual]


# ---- priors


def test_a_prior_can_be_changed_and_the_others_make_room() -> None:
    setting = diagnosis.with_priors(BOOK, "neuromuscular_clinic", {"mmn": 0.4})
    assert setting.priors["mmn"].value == 0.4
    assert math.fsum(c.value for c in setting.priors.values()) == pytest.approx(1.0)
    ratio = SETTING.priors["als"].value / SETTING.priors["cmt"].value
    assert setting.priors["als"].value / setting.priors["cmt"].value == pytest.approx(ratio)


@pytest.mark.parametrize(
    ("setting", "changed", "said"),
    [
        ("moon", {}, "there is no setting 'moon'"),
        ("suspected_mmn", {"mnn": 0.2}, "there is no condition 'mnn'"),
        ("suspected_mmn", {"mmn": 1.0}, "is no probability"),
        ("suspected_mmn", {"mmn": 0.6, "als": 0.5}, "sum to 1 or more"),
        ("suspected_mmn", {"mmn": float("nan")}, "is no probability"),
    ],
)
def test_impossible_priors_are_refused_with_a_remedy(setting: str, changed: dict[str, float], said: str) -> None:
    with pytest.raises(InputError) as error:
        diagnosis.with_priors(BOOK, setting, changed)
    assert said in error.value.problems[0].what
    assert error.value.problems[0].remedy


# ---- the data


def test_every_number_of_the_differential_lies_between_0_and_1_and_says_where_it_stands() -> None:
    for likelihood in BOOK.likelihoods.values():
        for cell in (likelihood.others, *likelihood.cells.values()):
            assert 0 < cell.value < 1
            assert cell.backing.where
            assert cell.backing.source or cell.backing.status in ("assumed", "design")


def test_mmn_to_als_is_one_to_twenty_in_a_neuromuscular_clinic() -> None:
    assert SETTING.priors["als"].value / SETTING.priors["mmn"].value == pytest.approx(20.0)


def test_the_published_ratios_come_out_of_the_table() -> None:
    """Area falls by 30 %: 19 for MMN against motor neuron disease; anti-GM1: 3.8; neurofilament: above 16."""

    def ratio(finding: str, met: bool = True) -> float:
        mmn, als = (BOOK.likelihoods[finding].of(c).value for c in ("mmn", "als"))
        return mmn / als if met else (1 - mmn) / (1 - als)

    assert ratio("probable_block_1_nerve") == pytest.approx(19, abs=0.5)
    assert ratio("probable_block_1_nerve", False) == pytest.approx(0.37, abs=0.01)
    assert ratio("definite_block_1_nerve") == pytest.approx(31, abs=0.5)
    assert ratio("amplitude_block_30") == pytest.approx(7.9, abs=0.1)
    assert ratio("anti_gm1_igm") == pytest.approx(3.8, abs=0.05)
    assert ratio("anti_gm1_igm", False) == pytest.approx(0.69, abs=0.01)
    assert 16 <= ratio("nfl_over_44", False) <= 19


def test_an_absence_that_only_follows_from_what_was_found_is_not_counted_again() -> None:
    """Several slow sites of entrapment: that it is not one site alone is no evidence against entrapment."""
    several = facts(history("slowing_at_entrapment_sites_only"))
    assert several["slowing_at_one_entrapment_site"].truth is Truth.NOT_MET
    assert differential.item_of(BOOK, several, "slowing_at_one_entrapment_site") is None
    assert differential.item_of(BOOK, several, "slowing_at_entrapment_sites_only") is not None
