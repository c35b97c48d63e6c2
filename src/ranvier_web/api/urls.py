"""Addresses of the REST interface. Each needs its line in `policy.py` beside it."""

from __future__ import annotations

from django.urls import path

from ranvier_web.api.app import api

urlpatterns = [path("api/v1/", api.urls)]
