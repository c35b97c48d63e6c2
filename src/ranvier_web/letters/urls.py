"""Addresses of the app `letters`. Each needs its line in `policy.py` beside it."""

from __future__ import annotations

from django.urls import path

from ranvier_web.letters import views

urlpatterns = [
    path("patients/<uuid:patient>/letters/", views.choose, name="letters"),
    path("patients/<uuid:patient>/letters/<slug:kind>/", views.letter, name="letter"),
    path("leaflet/", views.leaflet, name="leaflet"),
    path("leaflet.pdf", views.leaflet_pdf, name="leaflet_pdf"),
]
