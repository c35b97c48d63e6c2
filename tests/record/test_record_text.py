"""From text to plain data: nothing hostile is built, nothing is taken for something else."""

import json

import pytest

from ranvier.ground.notes import InputError
from ranvier.record.text import Document, parse


def data(text: str) -> object:
    document, problems = parse(text, "case", frozenset({"lot"}))
    assert problems == []
    return document.data


def refusal(text: str) -> str:
    with pytest.raises(InputError) as refused:
        parse(text, "case", frozenset())
    return refused.value.problems[-1].what


def test_plain_words_stay_words():
    text = "a: yes\nb: off\nc: 12:30\nd: 2025-03-14\ne: 012\nf: 1_000\ng: 0x1F\nh: '5'\ni: =\nj: <<"
    assert data(text) == dict(
        zip("abcdefghij", ["yes", "off", "12:30", "2025-03-14", "012", "1_000", "0x1F", "5", "=", "<<"], strict=True)
    )


def test_numbers_truths_and_nothing():
    assert data("[1, -2.5, +3, 4., 1e-3, true, False, null, ~]") == [1, -2.5, 3, 4.0, 0.001, True, False, None, None]


def test_a_lot_number_is_text():
    assert data("lot: 007\nother: 7") == {"lot": "007", "other": 7}
    assert data("lot:\nother: 7") == {"lot": None, "other": 7}


@pytest.mark.parametrize("number", [".nan", "NaN", ".inf", "-.Inf", "Infinity", "1e999", "-1e999"])
def test_a_number_that_is_none_is_refused(number):
    _, problems = parse(f"a: {number}", "case", frozenset())
    assert [p.place for p in problems] == ["a"]


def test_a_key_that_stands_twice_is_told_with_both_lines():
    document, problems = parse("a: 1\nb: 2\na: 3\n", "case", frozenset())
    assert document.data == {"a": 1, "b": 2}
    assert (problems[0].line, "line 1" in problems[0].what) == (3, True)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: &x 1\nb: *x", "anchor"),
        ("a: [&x [1, 1], *x]", "anchor"),
        ("b: *x", "refers to another place"),
        ("a: !!python/object:os.system x", "tag"),
        ("--- \na: 1\n---\nb: 2", "second document"),
        ("? [a]\n: 1", "key is expected"),
        ("a: [1", "not readable"),
        ("a: 1\n b: 2", "not readable"),
        ("\x00", "not readable"),
        ("\ud800", "not readable"),
        ("[" * 100_000, "nested deeper"),
        ("- " * 5_000 + "1", "nested deeper"),
        ("{a: " * 100_000, "nested deeper"),
    ],
)
def test_tricks_are_refused_and_named(text, says):
    assert says in refusal(text)


def test_a_file_of_a_whole_hospital_is_refused():
    assert "more than one person" in refusal("x" * 8_000_001)


def test_json_is_read_by_the_same_road():
    thing = {"a": [1, 2.5, "x\ty\n", None, True], "b": {"c": "😀 \u2028 \x7f \x85 é", "lot": "007"}, "d": "2025-03-14"}
    for text in (json.dumps(thing), json.dumps(thing, indent="\t"), json.dumps(thing, ensure_ascii=False, indent=1)):
        assert data(text) == thing


def test_every_thing_knows_its_line():
    document, _ = parse("a:\n  - [x, 1]\n  - b: 2\n    c: {d: 3}\n", "case", frozenset())
    assert isinstance(document, Document)
    where = {("a",): 1, ("a", 0): 2, ("a", 0, 1): 2, ("a", 1, "b"): 3, ("a", 1, "c", "d"): 4, ("a", 1, "lost"): 3}
    assert {path: document.line(path) for path in where} == where
