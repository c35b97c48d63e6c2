"""Addresses of the clinic. Each needs its line in `policy.py` beside it."""

from __future__ import annotations

from django.urls import path

from ranvier_web.clinic.pages import (
    asked,
    conduction,
    decisions,
    diagnosis,
    entry,
    examination,
    importing,
    lots,
    order,
    patient,
    research,
    safety,
    starting,
    whatif,
    worklist,
)

ONE = "patients/<uuid:patient>/"

urlpatterns = [
    path("work/", worklist.worklist, name="worklist"),
    path("patients/", worklist.patients, name="patients"),
    path("patients/new/", worklist.patient_new, name="patient_new"),
    path("research/", research.research, name="research"),
    path("research/export/", research.export, name="research_export"),
    path(f"{ONE}consent/", research.consent, name="consent"),
    path(f"{ONE}erase/", research.erase, name="erase"),
    path(ONE, patient.page, name="patient"),
    path(f"{ONE}status/", patient.status, name="patient_status"),
    path(f"{ONE}reasons/", patient.reasons, name="reasons"),
    path(f"{ONE}review/", patient.review, name="review"),
    path(f"{ONE}aside/", worklist.aside, name="aside"),
    path(f"{ONE}facts/", entry.facts, name="facts"),
    path(f"{ONE}facts/new/<slug:kind>/", entry.new, name="fact_new"),
    path(f"{ONE}facts/<int:fact>/correct/", entry.correct, name="fact_correct"),
    path(f"{ONE}facts/<int:fact>/withdraw/", entry.withdraw, name="fact_withdraw"),
    path(f"{ONE}examination/", examination.examination, name="examination"),
    path(f"{ONE}examination/seen/", examination.seen, name="examination_seen"),
    path(f"{ONE}conduction/", conduction.conduction, name="conduction"),
    path(f"{ONE}conduction/judged/", conduction.judged, name="conduction_judged"),
    path(f"{ONE}diagnosis/", diagnosis.diagnosis, name="diagnosis"),
    path(f"{ONE}safety/", safety.safety, name="safety"),
    path(f"{ONE}asked/", asked.asked, name="asked"),
    path(f"{ONE}start/", starting.page, name="start"),
    path("lots/", lots.page, name="lots"),
    path(f"{ONE}order/", order.order, name="order"),
    path("evidence/", order.evidence, name="evidence"),
    path("evidence/<slug:source>/", order.source, name="source"),
    path(f"{ONE}import/", importing.importing, name="import"),
    path(f"{ONE}import/take-back/", importing.take_back, name="import_take_back"),
    path(f"{ONE}what-if/", whatif.page, name="what_if"),
    path(f"{ONE}what-if/drawn/", whatif.drawn, name="what_if_drawn"),
    path(f"{ONE}decide/", decisions.decide, name="decide"),
    path(f"{ONE}decisions/", decisions.log, name="decisions"),
    path(f"{ONE}decisions/<int:decision>/outcome/", decisions.judge, name="decision_outcome"),
    path(f"{ONE}sheet/<int:decision>/", decisions.sheet, name="sheet"),
]
