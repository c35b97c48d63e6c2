"""Addresses of the app `connect`. Each needs its line in `policy.py` beside it."""

from __future__ import annotations

from django.urls import path

from ranvier_web.connect import cds

urlpatterns = [
    path("cds-services", cds.services, name="cds_services"),
    path("cds-services/<slug:service>", cds.called, name="cds_service"),
    path("cds-services/<slug:service>/feedback", cds.feedback, name="cds_feedback"),
]
