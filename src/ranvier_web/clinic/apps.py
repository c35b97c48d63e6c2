"""The app, for Django."""

from django.apps import AppConfig


class Clinic(AppConfig):
    """Names the app."""

    name = "ranvier_web.clinic"
    label = "clinic"
