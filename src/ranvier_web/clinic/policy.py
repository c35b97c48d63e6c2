"""Who may open the pages of the app `clinic`."""

from __future__ import annotations

from ranvier_web.people.rules import ADMINISTRATOR, NEUROLOGIST, NURSE, PHARMACIST, RESEARCHER, Rule, patient, site

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
    "examination": patient(NEUROLOGIST, NURSE),
    "examination_seen": patient(NEUROLOGIST, NURSE),
    "conduction": patient(NEUROLOGIST, NURSE),
    "conduction_judged": patient(NEUROLOGIST, NURSE),
    "diagnosis": patient(*CLINICIANS),
    "safety": patient(*CLINICIANS),
    "asked": patient(NEUROLOGIST, NURSE, PHARMACIST),
    "start": patient(*CLINICIANS),
    "lots": site(*CLINICIANS),
    "order": patient(*CLINICIANS),
    "evidence": site(*CLINICIANS),
    "source": site(*CLINICIANS),
    "import": patient(NEUROLOGIST, NURSE),
    "import_take_back": patient(NEUROLOGIST, NURSE),
    "consent": patient(NEUROLOGIST, NURSE),
    "research": site(RESEARCHER),
    "research_export": site(RESEARCHER),
    "erase": patient(ADMINISTRATOR),
    "what_if": patient(*CLINICIANS),
    "what_if_drawn": patient(*CLINICIANS),
    "decide": patient(NEUROLOGIST),
    "decisions": patient(*CLINICIANS),
    "decision_outcome": patient(NEUROLOGIST),
    "sheet": patient(*CLINICIANS),
}
