"""What a key may be good for."""

from __future__ import annotations

from collections.abc import Mapping

SCOPES: Mapping[str, str] = {
    "patients.read": "who there is, the work list",
    "patients.write": "new patients, consent, reviews, lines of the work list",
    "facts.read": "facts and records",
    "facts.write": "new facts, corrections, imports",
    "advice.read": "assessments, what-if, diagnosis, checks, evidence",
    "decisions.write": "accept, change or refuse a proposal",
    "letters.read": "letters and the infusion sheet",
    "diary.read": "a patient's own values, next infusion and letter",
    "diary.write": "entries of a patient's own diary",
    "research.read": "the pseudonymised export",
    "audit.read": "the audit log and its check",
    "accounts.write": "invite, let in, keep out, forget a person",
}
"""What a key may be good for. The role of its account must allow it too."""
