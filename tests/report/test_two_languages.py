"""Two languages: every sentence exists in both, fills the same blanks, and is a sentence."""

import re
from collections.abc import Iterator
from datetime import date
from importlib.resources import files
from pathlib import Path
from string import Formatter

import pytest
import yaml

from ranvier import evidence
from ranvier.decision.diagnose import diagnose
from ranvier.record import read as read_record
from ranvier.report.diagnosis_words import render
from ranvier.report.words import Words, retold, said_in

CASE = Path(__file__).resolve().parents[2] / "cases" / "naive-responder.yaml"
LANGUAGES = files("ranvier.knowledge").joinpath("languages")
WEB = sorted(f.name for f in LANGUAGES.joinpath("web", "en").iterdir())
PAIRS = [
    ("en.yaml", "de.yaml"),
    *((f"{part}/en.yaml", f"{part}/de.yaml") for part in ("letters", "leaflet")),
    *((f"web/en/{name}", f"web/de/{name}") for name in WEB),
]
NUMBERS = {"from"}  # the lower end of a likelihood


def read(name: str) -> object:
    return yaml.safe_load(LANGUAGES.joinpath(*name.split("/")).read_text(encoding="utf-8"))


def leaves(value: object, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield from leaves(part, (*place, str(name)))
    elif isinstance(value, list):
        for n, part in enumerate(value):
            yield from leaves(part, (*place, str(n)))
    else:
        yield place, value


def blanks(text: str) -> set[str]:
    return {f"{name}:{written}" for _, name, written, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize(("english", "german"), PAIRS)
def test_every_sentence_is_there_in_both_languages_with_the_same_blanks_written_alike(
    english: str, german: str
) -> None:
    ours, theirs = dict(leaves(read(english))), dict(leaves(read(german)))
    assert sorted(theirs.keys() ^ ours.keys()) == []
    assert [
        (place, blanks(str(ours[place])) ^ blanks(str(theirs[place])))
        for place in ours
        if blanks(str(ours[place])) != blanks(str(theirs[place]))
    ] == []


@pytest.mark.parametrize("name", [name for pair in PAIRS for name in pair])
def test_no_word_is_read_as_a_yes_a_no_or_a_number(name: str) -> None:
    """YAML reads a bare yes, no, on or off as true or false, as a value and as a name alike."""
    accidents = [
        (place, value) for place, value in leaves(read(name)) if not isinstance(value, str) and place[-1] not in NUMBERS
    ]
    assert accidents == []
    assert [place for place, _ in leaves(read(name)) if {"True", "False", "None"} & set(place)] == []


def test_a_language_has_no_area_that_the_other_lacks() -> None:
    assert sorted(f.name for f in LANGUAGES.joinpath("web", "de").iterdir()) == WEB


@pytest.mark.parametrize("german", [pair[1] for pair in PAIRS])
def test_german_sentences_are_not_english_ones_left_standing(german: str) -> None:
    """A few English function words cannot stand in a German sentence."""
    english = re.compile(r"\b(?:the|of|and|with|from|which|their|there|this|that|has|have|your|you|is|are|not)\b")
    assert [
        (place, text) for place, text in leaves(read(german)) if english.search(re.sub(r"{.*?}", "", str(text)))
    ] == []


def sentences(value: object, keys: tuple[str, ...] = ("says", "name", "title", "do")) -> Iterator[str]:
    """What knowledge says to a reader: its sentences, names and titles."""
    if isinstance(value, dict):
        for name, part in value.items():
            if name in keys and isinstance(part, str):
                yield part
            else:
                yield from sentences(part, keys)
    elif isinstance(value, list):
        for part in value:
            yield from sentences(part, keys)


def knowledge_of(*folders: str) -> set[str]:
    root = files("ranvier.knowledge")
    found = [f for folder in folders for f in root.joinpath(folder).iterdir() if f.name.endswith(".yaml")]
    return {text for file in found for text in sentences(yaml.safe_load(file.read_text(encoding="utf-8")))}


CODES = {"definite", "probable", "possible", "CIDP"}  # classes have words of their own; a name that is the same in both


def test_what_the_diagnosis_says_is_there_in_german() -> None:
    titles = {"AAEM 2003", "EFNS/PNS 2006", "EFNS/PNS 2010", "Utrecht 2000"}
    assert sorted(knowledge_of("criteria", "differential") - said_in("de").keys() - CODES - titles) == []


def test_what_the_ladder_says_is_there_in_german_with_the_same_blanks() -> None:
    ladder = yaml.safe_load(files("ranvier.knowledge").joinpath("ladder", "ladder.yaml").read_text(encoding="utf-8"))
    said = set(sentences(ladder, ("says", "means", "not", "success", "stop")))
    assert len(said) > 100
    assert sorted(said - said_in("de").keys()) == []
    blanks = re.compile(r"{.*?}")
    assert [text for text in said if sorted(blanks.findall(text)) != sorted(blanks.findall(said_in("de")[text]))] == []


def test_what_is_said_of_drugs_and_checks_is_there_in_german() -> None:
    keys = ("says", "why", "instead", "stop", "do", "name")
    read = files("ranvier.knowledge").joinpath("safety")
    said = {
        text
        for name in ("drugs", "checks", "risks", "indications", "events")
        for text in sentences(yaml.safe_load(read.joinpath(f"{name}.yaml").read_text(encoding="utf-8")), keys)
    }
    assert len(said) > 150
    assert sorted(said - said_in("de").keys()) == []


def test_what_is_claimed_is_there_in_german() -> None:
    file = files("ranvier.knowledge").joinpath("evidence", "claims.yaml")
    claims = yaml.safe_load(file.read_text(encoding="utf-8"))["claims"]
    assert sorted({claim["says"] for claim in claims.values()} - said_in("de").keys()) == []


def test_no_code_is_translated_as_if_it_were_a_sentence() -> None:
    codes = {"met", "not met", "unknown", "definite", "probable", "possible", "stop", "slow", "right", "left"}
    assert codes & said_in("de").keys() == set()


def test_a_diagnosis_reads_german_throughout_and_keeps_its_numbers() -> None:
    words = {code: Words(evidence.load(), code) for code in ("en", "de")}
    record, _ = read_record(CASE)
    found = diagnose(record, evidence.load(), at=date(2026, 1, 1))
    told = {code: render(found, evidence.load(), code) for code in words}
    assert re.findall(r"\d+ %", told["en"]) == re.findall(r"\d+ %", told["de"])
    english = re.compile(r"\b(?:the|of|and|with|which|weakness|nerve|if so|could)\b")
    assert english.findall(told["de"]) == []
    assert retold(found, words["en"]) is found
    assert retold(found, words["de"]).judgement.criteria[0].class_ == found.judgement.criteria[0].class_
