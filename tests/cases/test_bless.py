"""Blessing: a changed answer is seen, said in words, and never written without a yes."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest
from tests.cases.tools import bless

GOOD = {
    "response.class": "moderate",
    "response.probability": [0.9, 0.04],
    "wearing_off.day": [21.0, 0.6],
    "pareto_k": {"at_most": 0.7},
    "proposed.id": "a-80g",
    "refused": [],
}


def answer(**changed):
    out = dict.fromkeys(bless.NAMES)
    out |= {
        "response.class": "moderate",
        "response.probability": 0.91,
        "wearing_off.day": 21.2,
        "pareto_k": 0.4,
        "proposed.id": "a-80g",
        "refused": [],
    }
    return out | {name.replace("__", "."): value for name, value in changed.items()}


def blessed(**changed):
    known = GOOD | {name.replace("__", "."): value for name, value in changed.items()}
    others = {name: "not of interest here" for name in bless.NAMES if name not in known}
    return bless.Blessed("someone", date(2025, 11, 9), 1, "A story.", known, others)


def test_a_number_within_its_bounds_is_no_difference() -> None:
    assert bless.differences(blessed(), answer()) == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"response__class": "large"}, "response.class: moderate blessed, now large"),
        ({"response__probability": 0.6}, "response.probability: 0.9 ± 0.04 blessed, now 0.6"),
        ({"wearing_off__day": None}, "wearing_off.day: 21.0 ± 0.6 blessed, now nothing"),
        ({"pareto_k": 0.8}, "pareto_k: at most 0.7 blessed, now 0.8"),
        ({"proposed__id": None}, "proposed.id: a-80g blessed, now nothing"),
        ({"refused": ["refusal.no_response"]}, "refused: nothing blessed, now refusal.no_response"),
    ],
)
def test_a_change_of_meaning_is_said_in_words(changed: dict[str, object], said: str) -> None:
    assert bless.differences(blessed(), answer(**changed)) == [said]


def test_all_differences_are_said_at_once() -> None:
    assert len(bless.differences(blessed(), answer(response__class="none", proposed__id="b", pareto_k=None))) == 3


def test_a_quantity_that_was_neither_blessed_nor_left_out_is_a_difference() -> None:
    nothing_left_out = bless.Blessed("someone", date(2025, 11, 9), 1, "A story.", GOOD, {})
    said = bless.differences(nothing_left_out, answer())
    assert "basis: never blessed; now nothing" in said


def test_a_bound_is_four_spreads_wide_but_never_wide_enough_to_hide_a_change_of_meaning() -> None:
    calm = [answer(response__probability=p) for p in (0.90, 0.91, 0.90, 0.89)]
    out, against = bless.blessing(calm, {})
    assert out["response.probability"] == [0.9, pytest.approx(0.033, abs=0.001)]
    assert against == []
    wild = [answer(response__probability=p) for p in (0.9, 0.5, 0.7, 0.2)]
    out, against = bless.blessing(wild, {})
    assert out["response.probability"][1] == bless.PROBABILITY.most
    assert "response.probability: moves by" in against[0]


def test_a_word_that_changes_with_the_seed_is_blessed_as_a_choice() -> None:
    out, _ = bless.blessing([answer(proposed__id="a"), answer(proposed__id="b")], {})
    assert out["proposed.id"] == {"any_of": ["a", "b"]}
    known = blessed(proposed__id=out["proposed.id"])
    assert bless.differences(known, answer(proposed__id="b")) == []
    assert bless.differences(known, answer(proposed__id="c")) == ["proposed.id: one of a, b blessed, now c"]


def test_what_is_left_out_is_not_blessed() -> None:
    out, _ = bless.blessing([answer()], {"proposed.id": "nobody agreed with it"})
    assert "proposed.id" not in out


def test_a_file_comes_back_as_it_was_written_and_keeps_story_and_reasons(tmp_path: Path) -> None:
    known = blessed()
    bless.write(tmp_path / "someone.yaml", known)
    assert bless.read(tmp_path / "someone.yaml") == known


def test_a_file_without_a_story_or_with_an_unknown_name_says_what_to_write(tmp_path: Path) -> None:
    file = tmp_path / "someone.yaml"
    file.write_text("at: 2025-11-09\nseed: 1\n", "utf-8")
    with pytest.raises(ValueError, match="story missing"):
        bless.read(file)
    file.write_text("at: 2025-11-09\nseed: 1\nstory: A story.\nanswer: {wearing_of.day: 3}\n", "utf-8")
    with pytest.raises(ValueError, match=r"nothing is called wearing_of\.day"):
        bless.read(file)


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One case whose answer was never blessed."""
    (tmp_path / "cases/answers").mkdir(parents=True)
    shutil.copy(bless.CASES / "nothing-measured-yet.yaml", tmp_path / "cases")
    (tmp_path / "cases/answers/nothing-measured-yet.yaml").write_text(
        "at: 2025-04-06\nseed: 1\nstory: Nothing can be said.\n", "utf-8"
    )
    monkeypatch.setattr(bless, "ROOT", tmp_path)
    monkeypatch.setattr(bless, "CASES", tmp_path / "cases")
    monkeypatch.setattr(bless, "ANSWERS", tmp_path / "cases/answers")
    monkeypatch.setattr(bless, "SEEDS", 2)
    return tmp_path


def test_without_a_yes_nothing_is_written_and_with_one_all_is(house: Path) -> None:
    file, said = house / "cases/answers/nothing-measured-yet.yaml", []
    before = file.read_text("utf-8")
    assert bless.main([], said.append, ask=lambda question: "n") == 1
    assert file.read_text("utf-8") == before
    assert "  basis: never blessed; now covariates" in said
    assert bless.main(["--yes", "nothing-measured-yet"], said.append, ask=lambda question: "n") == 0
    assert "Nothing can be said." in file.read_text("utf-8")
    said.clear()
    assert bless.main([], said.append, ask=lambda question: "n") == 0
    assert said == ["nothing-measured-yet: as blessed"]


def test_a_name_that_is_no_case_is_refused(house: Path) -> None:
    said: list[str] = []
    assert bless.main(["--yes", "somebody-else"], said.append) == 2
    assert said == ["There is no case somebody-else. Cases: nothing-measured-yet."]
