"""Addresses of the app `connect`. Each needs its line in `policy.py` beside it."""

from __future__ import annotations

from django.urls import path

from ranvier_web.connect import cds, face

urlpatterns = [
    path("cds-services", cds.services, name="cds_services"),
    path("cds-services/<slug:service>", cds.called, name="cds_service"),
    path("cds-services/<slug:service>/feedback", cds.feedback, name="cds_feedback"),
    path("fhir/metadata", face.metadata, name="fhir_metadata"),
    path("fhir/<str:kind>", face.search, name="fhir_search"),
    path("fhir/<str:kind>/_search", face.search, name="fhir_search_post"),
    path("fhir/<str:kind>/<str:name>", face.read, name="fhir_read"),
]
