"""Small things for tests: facts from what is present and absent, and what follows."""

from __future__ import annotations

from datetime import date
from typing import Any

from ranvier import diagnosis
from ranvier.diagnosis.facts import gather
from ranvier.diagnosis.nouns import Book, Facts, Judgement
from ranvier.record import dump, read_text
from ranvier.record.nouns import Record

BOOK = diagnosis.load()
AT = date(2025, 3, 3)


def record(**parts: Any) -> Record:
    """A record with these parts."""
    data = {"ranvier_record": 1, "invented": True, "person": {"pseudonym": "test"}, "before": {"kind": "unknown"}}
    return read_text(dump({**data, **parts}), "test.yaml")[0]


def history(present: str = "", absent: str = "", onset: str | None = None) -> Record:
    """A record with only a history, its findings written as words with spaces between them."""
    told: dict[str, Any] = {"present": present.split(), "absent": absent.split()}
    return record(history=told | ({"onset": onset} if onset else {}))


def facts(of: Record, at: date = AT, book: Book = BOOK) -> Facts:
    """Every finding of the catalogue in that record."""
    return gather(book, diagnosis.Known(of, at), block_rule="efns2010")[0]


def judged(of: Record, at: date = AT, book: Book = BOOK, **known: Any) -> Judgement:
    """The judgement of that record."""
    return diagnosis.judge(book, diagnosis.Known(of, at, **known))


TYPICAL = (
    "slowly_progressive asymmetric_weakness weakness_two_named_nerves duration_over_1_month sensory_conduction_normal"
)
CLEAN = "upper_motor_neuron_signs bulbar_signs sensory_loss rapid_symmetric_onset"
