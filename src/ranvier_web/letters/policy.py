"""Who may open the pages of the app `letters`."""

from __future__ import annotations

from ranvier_web.people.rules import NEUROLOGIST, NURSE, PHARMACIST, Rule, patient, public

RULES: dict[str, Rule] = {
    "letters": patient(NEUROLOGIST, NURSE, PHARMACIST),
    "letter": patient(NEUROLOGIST, NURSE, PHARMACIST),
    "leaflet": public(),  # what MMN is: nothing of anybody
    "leaflet_pdf": public(),
}
