"""Who may open the pages of the app `diary`. A patient's pages name no patient: they show the one of the account."""

from __future__ import annotations

from ranvier_web.people.rules import NEUROLOGIST, NURSE, PATIENT, Rule, account, patient, public

RULES: dict[str, Rule] = {
    "diary": account(PATIENT),
    "diary_save": account(PATIENT),
    "diary_sync": account(PATIENT),
    "diary_state": account(PATIENT),
    "diary_device": account(PATIENT),
    "diary_curve": account(PATIENT),
    "diary_letter": account(PATIENT),
    "diary_letter_pdf": account(PATIENT),
    "diary_language": account(PATIENT),
    "diary_offline": public(),  # these three hold nothing of anybody
    "diary_worker": public(),
    "diary_manifest": public(),
    "diary_access": patient(NEUROLOGIST, NURSE),
}
