"""How numbers are said: only digits that are known, never sure, never none."""

import re
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.report import fake

import ranvier
from ranvier.ground.findings import Finding
from ranvier.regimen.nouns import Regimen
from ranvier.report.words import Words, decimals_known, fixed, number, simulation_range

WORDS = Words(fake.knowledge())
SOURCE = Path(ranvier.__file__).parent


@pytest.mark.parametrize(
    ("p", "said"),
    [
        (0.0, "fewer than 1 in 100"),
        (0.02, "about 1 in 50 (1–4 %)"),
        (0.5, "about 5 in 10 (45–55 %)"),
        (0.9, "about 9 in 10 (87–93 %)"),
        (1.0, "more than 99 in 100"),
    ],
)
def test_a_chance_is_said_in_words_with_the_error_of_the_simulation(p, said):
    assert WORDS.chance(p, draws=300) == said


@given(st.floats(0, 1), st.integers(50, 4000))
def test_no_chance_is_ever_none_or_sure(p, draws):
    said = WORDS.chance(p, draws)
    assert not re.search(r"(?<![\d.])0 %|(?<!\d)0[–-]|100 %|[–-]100|0 in 10\b|10 in 10\b", said)


@given(st.floats(0, 1), st.integers(10, 4000))
def test_the_range_of_a_chance_holds_the_chance(p, draws):
    low, high = simulation_range(p, draws)
    assert 0 <= low <= p + 1e-12
    assert p - 1e-12 <= high <= 1


def test_a_surer_chance_never_sounds_less_sure():
    order = [WORDS.odds(p / 1000) for p in range(1001)]
    assert len([a for a, b in pairwise(order) if a != b]) == len(set(order)) - 1


def test_a_date_has_its_weekday():
    assert WORDS.date(date(2026, 3, 2)) == "Mon 2 Mar 2026"


def test_numbers_keep_the_digits_that_are_known():
    assert [number(x) for x in (0.0123456, 12.3456, 12345.6, -0.5)] == ["0.0123", "12.3", "12300", "\N{MINUS SIGN}0.5"]
    assert number(float("nan")) == "not known"
    assert fixed(-0.04, 1) == "0.0"
    assert decimals_known([0.8, 5.0]) == 1
    assert decimals_known([2.5, 5.0]) == 0


def test_a_dose_is_said_in_grams_first_and_then_in_vials():
    regimen = Regimen("kiovig", "IV", 80.0, ((30.0, 2), (20.0, 1)), 2, 28)
    assert WORDS.plan(regimen) == "80 g over 2 days every 28 days"
    assert WORDS.vials(regimen) == "2 × 30 g + 1 × 20 g"
    assert WORDS.plan(Regimen("none", "none", 0.0, (), 0, 0)) == "no treatment"


def test_a_finding_without_a_sentence_is_spelt_out_with_all_its_facts():
    said = WORDS.say(Finding("never.heard_of", {"size_kg": 1.25, "sure": True, "who": None}))
    assert said == "Never: heard of (size kg 1.25, sure yes, who not known)."


def test_a_sentence_whose_fact_is_missing_says_so_and_does_not_fail():
    for room in WORDS.texts["findings"].values():
        for name in room or {}:
            assert WORDS.say(Finding(name))


def test_every_finding_named_in_the_code_has_a_sentence():
    """A name without a sentence would reach the reader as a machine word. Rooms that have sentences are looked at."""
    named = {
        match
        for room in WORDS.texts["findings"]
        for path in (SOURCE / room).glob("*.py")
        for match in re.findall(r'(?:Finding|_note)\(\s*"([a-z0-9_.]+)"', path.read_text(encoding="utf-8"))
    }
    assert len(named) > 20
    assert sorted(name for name in named if not WORDS.knows(name)) == []


def test_no_name_stands_twice_in_the_file_of_sentences():
    """YAML keeps the last of two equal names and says nothing."""

    class Strict(yaml.SafeLoader):
        pass

    def once(loader, node):
        names = [loader.construct_object(key) for key, _ in node.value]
        assert sorted({n for n in names if names.count(n) > 1}) == []
        return loader.construct_mapping(node, deep=True)

    Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, once)
    assert yaml.load((SOURCE / "knowledge/languages/en.yaml").read_text(encoding="utf-8"), Loader=Strict)


def test_rooms_and_their_sentences_stand_in_alphabetical_order():
    rooms = WORDS.texts["findings"]
    assert list(rooms) == sorted(rooms)
    for room in rooms.values():
        assert list(room or {}) == sorted(room or {})
