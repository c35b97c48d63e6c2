"""On a page nobody is told to edit a file or to type a command."""

from __future__ import annotations

import ast
import uuid
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

import ranvier
from ranvier_web.words.load import speaking
from ranvier_web.words.remedies import COMMAND, answers, here

ROOMS = Path(ranvier.__file__).parent
READS_FACTS = [  # what a page may run into: the record, imports, examinations and nerve studies
    *sorted((ROOMS / "record").glob("*.py")),
    *(ROOMS / "exchange" / f"{name}.py" for name in ("importing", "bundles", "strength", "infusions", "laboratory", "merge")),
    ROOMS / "anatomy" / "read.py",
    ROOMS / "conduction" / "read.py",
]  # fmt: skip


def sentences(file: Path) -> list[str]:
    """Every text of a module but its docstrings, blanks of f-strings as 'x'."""
    tree = ast.parse(file.read_text("utf-8"))
    docs = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    inside = {id(v) for n in ast.walk(tree) if isinstance(n, ast.JoinedStr) for v in n.values}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            found.append("".join(str(v.value) if isinstance(v, ast.Constant) else "x" for v in node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and not {id(node)} & (docs | inside):
            found.append(node.value)
    return found


COMMANDS = sorted({text for file in READS_FACTS for text in sentences(file) if COMMAND.search(text) and " " in text})


def test_the_search_finds_remedies_that_speak_of_commands():
    assert len(COMMANDS) >= 6


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("remedy", COMMANDS)
def test_a_remedy_that_speaks_of_a_command_is_said_for_the_page(remedy, language):
    with speaking(language):
        assert not COMMAND.search(here(remedy)), remedy


def test_a_remedy_without_a_command_stands_as_it_is():
    assert here("Check both days.") == "Check both days."


def test_a_table_without_headings_is_understood_once_its_columns_are_said_on_the_page(clinic, signed_in):
    browser, address = signed_in("nurse"), reverse("import", args=[clinic.heron.pk])
    page = browser.post(address, {"files": SimpleUploadedFile("grip.csv", b"2026-01-05;20.5\n2026-01-06;21.0\n")})
    text = page.content.decode()
    assert "--answer" not in text
    asked = {key: example for key, example, _ in page.context["told"]}
    assert asked == {"grip.csv.column.1": "date", "grip.csv.column.2": "grip right kg"}
    said = {f"a:{key}": example for key, example in asked.items()}
    again = browser.post(address, {"sent": page.context["sent"], **said})
    assert not any("no kind of table" in p.what for p in again.context["found"].problems)


def test_answers_are_read_out_of_a_remedy():
    assert answers("Say --answer 'a.b=3, 17' or --answer 'c=d'.") == [("a.b", "3, 17"), ("c", "d")]


def test_a_blood_test_named_igg_is_sent_to_its_own_form(clinic, signed_in):
    sent = {"key": str(uuid.uuid4()), "day": "2026-01-05", "what-0": "IgG", "value-0": "9", "unit-0": "g/L"}
    text = signed_in("nurse").post(reverse("fact_new", args=[clinic.heron.pk, "blood_test"]), sent).content.decode()
    assert "Type it into the form IgG" in text
    assert "{at:" not in text
