"""Letters: every sentence in every language, readable from about twelve, and what is in them comes from the record."""

from __future__ import annotations

import string
from datetime import date
from importlib.resources import files

import pytest
import yaml

from ranvier import evidence
from ranvier.report import letter_words, letters
from ranvier.report.leaflet import layout, leaflet, sources_of, text_of
from ranvier.report.letter_html import page
from ranvier.report.letter_nouns import Heading, Items, Letter, Pairs, Sign, Table, Text
from ranvier.report.letter_pdf import pdf
from ranvier.report.letter_text import render
from ranvier.report.reading_age import goal, reading_age, rules, syllables

ROOT = files("ranvier.knowledge").joinpath("languages")
OTHERS = sorted({f.name.removesuffix(".yaml") for f in ROOT.joinpath("letters").iterdir()} - {"en"})


def flat(thing, path=()):
    """Every sentence of a file by its path."""
    if isinstance(thing, dict):
        for key, value in thing.items():
            yield from flat(value, (*path, str(key)))
    elif isinstance(thing, list) and all(isinstance(x, str) for x in thing):
        for n, value in enumerate(thing):
            yield (*path, str(n)), value
    else:
        yield path, thing


def sentences(*parts):
    return dict(flat(yaml.safe_load(ROOT.joinpath(*parts).read_text("utf-8"))))


def blanks(text):
    if not isinstance(text, str):
        return set()
    return {(name, spec) for _, name, spec, _ in string.Formatter().parse(text) if name is not None}


WHOLE = [("letters",), ("leaflet",)]
PAGES = ["diary", "letters"]


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("folder", [f[0] for f in WHOLE])
def test_no_sentence_of_the_letters_is_missing_in_a_language(language, folder):
    english, other = sentences(folder, "en.yaml"), sentences(folder, f"{language}.yaml")
    assert other.keys() == english.keys()


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("area", PAGES)
def test_no_sentence_of_the_patients_pages_is_missing_in_a_language(language, area):
    english, other = sentences("web", "en", f"{area}.yaml"), sentences("web", language, f"{area}.yaml")
    assert other.keys() == english.keys()


@pytest.mark.parametrize("language", ["en", *OTHERS])
def test_every_sentence_is_text_and_none_became_true_or_false(language):
    parts = [
        ("letters", f"{language}.yaml"),
        ("leaflet", f"{language}.yaml"),
        *(("web", language, f"{a}.yaml") for a in PAGES),
    ]
    odd = [(p, name) for p in parts for name, text in sentences(*p).items() if not isinstance(text, str) or not text]
    assert not odd


@pytest.mark.parametrize("language", OTHERS)
def test_the_blanks_of_a_sentence_agree_in_all_languages(language):
    files_of = [
        ("letters", "{}.yaml"),
        ("leaflet", "{}.yaml"),
        ("{}.yaml",),
        *(("web", "{}", f"{a}.yaml") for a in PAGES),
    ]
    for parts in files_of:
        english = sentences(*(p.format("en") for p in parts))
        other = sentences(*(p.format(language) for p in parts))
        for name in other.keys() & english.keys():
            assert blanks(other[name]) == blanks(english[name]), f"{parts}: {'.'.join(name)}"


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_has_no_sentence_that_english_lacks(language):
    english, other = sentences("en.yaml"), sentences(f"{language}.yaml")
    ours = {name for name in other.keys() - english.keys() if name[0] not in ("language",)}
    assert not ours


# ---- reading age -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "language", "count"),
    [
        ("nerves", "en", 1), ("needed", "en", 2), ("moved", "en", 1), ("people", "en", 2), ("little", "en", 2),
        ("immunoglobulin", "en", 6), ("diary", "en", 3), ("infusion", "en", 3), ("strength", "en", 1), ("idea", "en", 3),
        ("Nerven", "de", 2), ("Immunglobulin", "de", 5), ("Infusion", "de", 4), ("Drähte", "de", 2), ("heilt", "de", 1),
        ("Patient", "de", 3),
    ],
)  # fmt: skip
def test_syllables_are_counted_as_they_are_spoken(word, language, count):
    assert syllables(word, language) == count


def test_the_english_formula_gives_what_is_published_for_a_known_sentence():
    # 13 words, 24 syllables, one sentence: grade 11.3 in the article on the Flesch-Kincaid tests.
    told = "The Australian platypus is seemingly a hybrid of a mammal and reptilian creature."
    found = reading_age(told, "en")
    assert (found.words, found.sentences) == (13, 1)
    spoken = sum(syllables(word.strip("."), "en") for word in told.split())
    assert abs(spoken - 24) <= 2  # "Australian" and "reptilian" have a syllable more when they are spoken slowly
    assert found.year == pytest.approx(0.39 * 13 + 11.8 * spoken / 13 - 15.59)
    assert pytest.approx(11.3, abs=0.05) == 0.39 * 13 + 11.8 * 24 / 13 - 15.59


def test_the_german_formula_is_the_published_one():
    # Two sentences of four words; 1 of 8 words has three syllables or more, 2 have seven letters or more, 4 have one syllable.
    told = "Der Nerv geht weiter. Messen zeigen Behandlung gestern."
    found = reading_age(told, "de")
    many, long, one = 100 * 1 / 8, 100 * 2 / 8, 100 * 3 / 8
    by_hand = 0.1935 * many + 0.1672 * 4 + 0.1297 * long - 0.0327 * one - 0.875
    assert found.year == pytest.approx(max(4.0, by_hand))
    assert found.age == pytest.approx(found.year + 6)


def test_a_harder_text_asks_for_an_older_reader():
    easy, hard = (
        "The hand is weak. We look again.",
        "Demyelination interrupts saltatory conduction multifocally, notwithstanding regeneration.",
    )
    assert reading_age(easy, "en").age < goal() < reading_age(hard, "en").age
    with pytest.raises(ValueError, match="no word"):
        reading_age("21.4", "en")


@pytest.mark.parametrize("language", sorted(set(rules()) & {"en", "de"}))
def test_leaflet_letter_and_diary_can_be_read_from_about_twelve(language):
    diary = [t for n, t in sentences("web", language, "diary.yaml").items() if not n[0].startswith("access")]
    letter = letter_words.load("letters", language)["patient"]
    texts = [text_of(language), "\n".join(str(t) for _, t in flat(letter)), "\n".join(map(str, diary))]
    for text in texts:
        assert reading_age(text, language).age <= goal() + 0.5


# ---- the leaflet -----------------------------------------------------------------------------------------------------


def test_every_sentence_of_the_leaflet_stands_on_claims_or_sources_that_are_known():
    knowledge = evidence.load()
    for section in layout()["sections"]:
        for item in section["items"]:
            assert sources_of(item, knowledge), f"{section['id']}.{item['id']} stands on nothing"


@pytest.mark.parametrize("language", letter_words.languages())
def test_the_leaflet_says_what_each_reader_asks(language):
    made = leaflet(evidence.load(), language)
    headings = [b.text for b in made.blocks if isinstance(b, Heading)]
    assert len(headings) == len(layout()["sections"])
    assert made.sources
    assert "<h1>" in page(made)


# ---- one way to every form -------------------------------------------------------------------------------------------


HOSTILE = "#eval(1) *bold* $x$ <script>alert(1)</script> {{ 7*7 }} \\ @ref Łukasz Đặng-" + "W" * 90


def invented_letter(name=HOSTILE, rows=3):
    table = Table("", ("a", "b"), tuple((str(n), name) for n in range(rows)), numeric=(0,))
    blocks = (Heading(name), Text(name, "lead"), Items((name,), "check"), Pairs(((name, name),)), table, Sign(name))
    return Letter("clinic", "en", name, "Mon 2 Mar 2026", (name,), blocks, name, name, (name,), "Sources")


def test_no_text_of_a_record_is_read_as_markup_and_long_names_are_set():
    made = invented_letter()
    html = page(made)
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert pdf(made).startswith(b"%PDF-")
    assert all(len(line) <= 100 for line in render(made).splitlines() if "W" not in line)


def test_a_pdf_is_the_same_to_the_byte():
    assert pdf(invented_letter("heron")) == pdf(invented_letter("heron"))


def test_a_sheet_without_a_regimen_says_so_and_can_be_written_into():
    made = letters.infusion(None, None, evidence.load(), at=date(2026, 3, 2), person=letters.Person("heron"))
    assert "No regimen" in render(made)
    assert any(isinstance(b, Table) and b.tall for b in made.blocks)


# ---- the report's sentences that a letter can hold -------------------------------------------------------------------

SECTIONS = (
    "action", "answer", "basis", "calendar", "cause", "certainty", "chance", "class", "measure", "route", "seen", "side",
    "then", "watch",
)  # fmt: skip


@pytest.mark.parametrize("language", OTHERS)
def test_what_a_clinic_letter_can_say_is_there_in_every_language(language):
    from ranvier.report.answer import BESIDE

    english, other = sentences("en.yaml"), sentences(f"{language}.yaml")
    needed = {name for name in english if name[0] in SECTIONS}
    for name in english:
        if name[0] == "findings" and (name[-1] in BESIDE or name[-1].startswith(("refusal.", "fallback."))):
            needed.add(name)
    assert not sorted(".".join(name) for name in needed - other.keys())


def test_the_time_line_is_drawn_in_the_language_of_the_letter():
    from ranvier.report.words import Words

    assert Words(evidence.load(), "de").text("charts", "floor", floor="13 kg") == "Schwelle 13 kg"
