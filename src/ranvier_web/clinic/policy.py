"""Who may open the pages of the app `clinic`."""

from __future__ import annotations

from ranvier_web.people.rules import NEUROLOGIST, NURSE, PHARMACIST, Rule, patient, site

CLINICIANS = (NEUROLOGIST, NURSE, PHARMACIST)

RULES: dict[str, Rule] = {
    "worklist": site(*CLINICIANS),
    "patients": site(*CLINICIANS),
    "patient_new": site(NEUROLOGIST, NURSE),
    "patient": patient(*CLINICIANS),
    "patient_status": patient(*CLINICIANS),
    "reasons": patient(*CLINICIANS),
    "facts": patient(*CLINICIANS),
    "fact_new": patient(NEUROLOGIST, NURSE, PHARMACIST),
    "fact_correct": patient(NEUROLOGIST, NURSE, PHARMACIST),
    "fact_withdraw": patient(NEUROLOGIST, NURSE, PHARMACIST),
    "aside": patient(*CLINICIANS),
    "review": patient(NEUROLOGIST),
    "what_if": patient(*CLINICIANS),
    "what_if_drawn": patient(*CLINICIANS),
    "decide": patient(NEUROLOGIST),
    "decisions": patient(*CLINICIANS),
    "sheet": patient(*CLINICIANS),
}
