"""The app, for Django."""

from django.apps import AppConfig


class Audit(AppConfig):
    """Names the app."""

    name = "ranvier_web.audit"
    label = "audit"
