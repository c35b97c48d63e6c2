"""The page about importing tells the truth: its example is run as it stands."""

import re
import shlex
from pathlib import Path

from tests.exchange.drawn import keys, plain

from ranvier.exchange.importing import import_files

PAGE = (Path(__file__).parents[2] / "docs/import.md").read_text(encoding="utf-8")
DIARY = re.search(r"```csv\n(.*?)```", PAGE, re.S)[1]


def test_the_example_asks_exactly_the_questions_of_the_page():
    asked = import_files([("diary.csv", DIARY.encode())], answers={})
    listed = re.findall(r"^\| `([a-z][\w.]+)` \| (.+) \|$", PAGE, re.M)
    assert [key for key, _ in listed] == keys(asked)
    doubted = next(q for q in asked.questions if q.key == "diary.csv.line6.right")
    assert dict(listed)["diary.csv.line6.right"] == doubted.because


def test_the_answers_of_the_page_make_a_record():
    command = re.search(r"```text\n(ranvier import diary.csv.*?)```", PAGE, re.S)[1]
    words = shlex.split(command)
    answers = dict(words[i + 1].split("=", 1) for i, w in enumerate(words) if w == "--answer")
    found = import_files([("diary.csv", DIARY.encode())], answers=answers)
    assert not found.questions
    right, left = plain(found)["strength"]
    assert right["values"][1] == {"at": "2025-03-04", "value": "5", "below": "true"}
    assert len(left["values"]) == 6
    assert any("no infusion is known" in p.what for p in found.problems)
