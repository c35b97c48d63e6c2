"""What became of the cards of one patient, for the log of decisions."""

from __future__ import annotations

from typing import Any

from ranvier.exchange.cds import reasons
from ranvier_web.clinic.models import Patient
from ranvier_web.connect.models import Feedback

MOST = 200


def reactions(patient: Patient) -> list[Any]:
    """The newest answers to cards, each with its reason in words (`why`); a reason of the client's own list as sent."""
    rows = list(Feedback.objects.filter(card__patient=patient).select_related("card")[:MOST])
    for row in rows:
        row.why = reasons().get(row.reason, row.reason)  # type: ignore[attr-defined]
    return rows
