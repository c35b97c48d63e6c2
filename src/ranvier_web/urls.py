"""All addresses. Each name must stand in a table of `people.rules`; the tests hold one against the other."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("", include("ranvier_web.people.urls")),
    path("", include("ranvier_web.clinic.urls")),
    path("", include("ranvier_web.diary.urls")),
    path("", include("ranvier_web.letters.urls")),
    path("", include("ranvier_web.connect.urls")),
    path("", include("ranvier_web.smart.urls")),
    path("", include("ranvier_web.api.urls")),
]
handler400 = "ranvier_web.people.views.bad_request"
handler403 = "ranvier_web.people.views.forbidden"
handler404 = "ranvier_web.people.views.not_found"
handler500 = "ranvier_web.people.views.failed"
