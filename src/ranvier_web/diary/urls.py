"""Addresses of the app `diary`. Each needs its line in `policy.py` beside it."""

from __future__ import annotations

from django.urls import path

from ranvier_web.diary import access, views

urlpatterns = [
    path("my/", views.today, name="diary"),
    path("my/save/", views.save, name="diary_save"),
    path("my/sync/", views.sync, name="diary_sync"),
    path("my/state/", views.state, name="diary_state"),
    path("my/device/", views.device, name="diary_device"),
    path("my/curve/", views.curve, name="diary_curve"),
    path("my/letter/", views.letter, name="diary_letter"),
    path("my/letter.pdf", views.letter_pdf, name="diary_letter_pdf"),
    path("my/language/", views.language, name="diary_language"),
    path("my/offline/", views.offline, name="diary_offline"),
    path("my/worker.js", views.worker, name="diary_worker"),
    path("my/app.webmanifest", views.manifest, name="diary_manifest"),
    path("patients/<uuid:patient>/own-page/", access.page, name="diary_access"),
]
