"""Addresses of the REST interface are open to programs; each operation asks for a key itself (`door.enter`)."""

from __future__ import annotations

from ranvier_web.people.rules import Rule, public, token

NAMES = (
    "patients", "patient", "work", "aside", "consent", "audit", "audit_check", "accounts", "account_switch", "erase", "facts",
    "fact_withdraw", "record", "import", "import_take_back", "review", "diary", "assessment", "what_if", "decisions",
    "diagnosis", "examination", "conduction", "order", "safety", "start", "lot", "evidence", "letter", "research",
    "patient_new", "fact_new", "decide", "invite", "safety_done", "decision_outcome", "own_page", "glass", "glass_seen", "my_curve",
    "my_letter",
)  # fmt: skip
RULES: dict[str, Rule] = {
    **{f"api:{name}": token() for name in NAMES},
    "api:openapi-json": public(),
    "api:api-root": public(),
}
