"""A small sound record to start from, and what the reader says about it."""

from __future__ import annotations

import copy
from typing import Any

from ranvier.ground.notes import InputError, Problem, Severity
from ranvier.record import dump, read_text
from ranvier.record.nouns import Record

HERON: dict[str, Any] = {
    "ranvier_record": 1,
    "invented": True,
    "person": {
        "pseudonym": "heron",
        "birth_year": 1968,
        "sex": "male",
        "height": {"value": 181, "unit": "cm"},
        "weights": [{"on": "2025-03-01", "value": 75.0, "unit": "kg"}],
    },
    "timezone": "Europe/Amsterdam",
    "before": {"kind": "none"},
    "infusions": [
        {
            "product": "Kiovig",
            "dose": {"value": 30, "unit": "g"},
            "start": f"2025-03-{d}T09:30",
            "route": "IV",
            "lot": f"L{d}",
        }
        for d in (14, 15)
    ],
    "igg": [{"at": "2025-03-14", "value": 12.1, "unit": "g/L", "timing": "before"}],
    "strength": [
        {
            "id": "grip-right",
            "measure": "grip",
            "side": "right",
            "device": "jamar",
            "unit": "kg",
            "values": [[f"2025-03-{d:02d}T08:00", 14.0 + d / 10] for d in range(10, 25)],
        }
    ],
    "goals": {"floors": [{"series": "grip-right", "value": 12, "unit": "kg"}]},
}


def heron() -> dict[str, Any]:
    """A copy that may be written to."""
    return copy.deepcopy(HERON)


def read(data: dict[str, Any]) -> tuple[Record, tuple[Problem, ...]]:
    """The record, by way of text, as a user's file goes."""
    return read_text(dump(data), "heron.yaml")


def told(data: dict[str, Any]) -> list[Problem]:
    """Everything the reader says about `data`, whether it refuses it or not."""
    try:
        return list(read(data)[1])
    except InputError as error:
        return list(error.problems)


def only(data: dict[str, Any], severity: Severity) -> Problem:
    """The one thing the reader says, of that severity."""
    problems = told(data)
    assert [p.severity for p in problems] == [severity], problems
    return problems[0]
