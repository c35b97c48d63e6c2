"""Who may open the pages of the app `connect`."""

from __future__ import annotations

from ranvier_web.people.rules import Rule, token

RULES: dict[str, Rule] = {
    "cds_services": token(),
    "cds_service": token(),
    "cds_feedback": token(),
    "fhir_metadata": token(),
    "fhir_search": token(),
    "fhir_search_post": token(),
    "fhir_read": token(),
}
