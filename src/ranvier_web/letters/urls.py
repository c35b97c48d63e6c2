"""Addresses of the app `letters`. Each needs its line in `policy.py` beside it."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
