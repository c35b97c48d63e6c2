"""Addresses of the app `smart`. Each needs its line in `policy.py` beside it."""

from __future__ import annotations

from django.urls import path

from ranvier_web.smart import opening, views

urlpatterns = [
    path("smart/", views.choose, name="smart"),
    path("smart/launch", views.launch, name="smart_launch"),
    path("smart/begin/<uuid:server>/", views.begin, name="smart_begin"),
    path("smart/callback", views.callback, name="smart_callback"),
    path("smart/keys.json", views.keys, name="smart_keys"),
    path("smart/open/", opening.opened, name="smart_open"),
    path("patients/<uuid:patient>/smart/", opening.bring, name="smart_bring"),
]
