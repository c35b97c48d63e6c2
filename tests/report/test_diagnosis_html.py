"""The page of the diagnosis: one file, no network, loud where it must be, said in words and not by colour alone."""

import re
from datetime import date
from functools import cache

import pytest
from tests.diagnosis.drawn import record_of, vignettes
from tests.report.test_html import Reader

from ranvier import evidence
from ranvier.decision.diagnose import diagnose
from ranvier.report.diagnosis_html import to_html


@cache
def page(name: str) -> str:
    letter = vignettes()[name]
    knowledge = evidence.load()
    return to_html(diagnose(record_of(name, letter), knowledge, at=date.fromisoformat(str(letter["at"]))), knowledge)


CASES = ("style_ulnar_mmn_studied_fully", "style_madsam_tingling_hand", "nothing_known", "mmn_old_and_still")


@pytest.mark.parametrize("name", CASES)
def test_the_page_is_well_formed_and_stands_alone(name):
    reader = Reader(page(name))
    assert len(reader.ids) == len(set(reader.ids))
    links = {a["href"][1:] for tag, a in reader.tags if tag == "a" and (a.get("href") or "").startswith("#")}
    assert links <= set(reader.ids)
    assert not [tag for tag, _ in reader.tags if tag in ("script", "link", "img", "iframe", "object")]
    outside = {a["href"] for tag, a in reader.tags if tag == "a" and not (a.get("href") or "").startswith("#")}
    assert all(href.startswith("https://doi.org/") for href in outside)


def test_red_flags_stand_before_the_answer():
    """A numb hand: whoever reads only the first lines must meet the stop."""
    text = page("style_madsam_tingling_hand")
    assert text.index('class="flag stop"') < text.index("<h1>")
    assert "Loss of sensation beyond minor loss of vibration in the legs is not MMN" in text


def test_no_flag_no_box():
    assert 'class="flag' not in page("style_ulnar_mmn_studied_fully")


def test_the_body_is_drawn_for_a_desk_and_for_a_phone_and_told_in_words():
    text = page("style_ulnar_mmn_studied_fully")
    assert text.count("<svg") == 2
    told = re.search(r'<desc id="body-wide-desc">(.*?)</desc>', text, re.S).group(1)
    assert "first dorsal interosseous right 2" in told
    assert "radial nerve left" in told


def test_a_class_that_waits_for_a_check_carries_a_star_and_says_which():
    text = page("style_madsam_tingling_hand")
    assert "exclude a Martin-Gruber crossing" in text
    assert 'data-class="definite">definite</span><abbr title="exclude a Martin-Gruber' in text


def test_every_item_of_the_criteria_is_ticked_crossed_or_open_in_words():
    text = page("style_ulnar_mmn_studied_fully")
    found = re.findall(r'class="truth" data-value="([a-z ]+)"><span aria-hidden="true">(.)</span> ([a-z ]+)<', text)
    assert set(found) == {
        ("met", "\u2713", "met"), ("not met", "\u2717", "not met"), ("unknown", "?", "not known"),
    }  # fmt: skip


def test_watching_has_dates_and_what_would_change_it():
    text = page("mmn_old_and_still")
    assert "Watch and wait" in text
    assert "Mon 1 Dec 2025" in text
    assert "A nerve becomes weak that was strong" in text


def test_the_same_record_gives_the_same_bytes():
    page.cache_clear()
    first = page("style_pma_slow")
    page.cache_clear()
    assert page("style_pma_slow") == first


def test_no_chance_is_none_or_sure():
    for name in CASES:
        assert not re.search(r"\b(0|100) %", re.sub(r"<style>.*?</style>", "", page(name), flags=re.S)), name
