"""Who may open the pages of the app `smart`."""

from __future__ import annotations

from ranvier_web.people.rules import NEUROLOGIST, NURSE, PHARMACIST, Rule, patient, public, site

RULES: dict[str, Rule] = {
    "smart": public(),  # who begins is not signed in yet
    "smart_launch": public(),
    "smart_begin": public(),
    "smart_callback": public(),
    "smart_keys": public(),
    "smart_open": site(NEUROLOGIST, NURSE, PHARMACIST),
    "smart_bring": patient(NEUROLOGIST, NURSE),
}
