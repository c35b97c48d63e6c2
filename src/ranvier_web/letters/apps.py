"""The app, for Django."""

from django.apps import AppConfig


class Letters(AppConfig):
    """Names the app."""

    name = "ranvier_web.letters"
    label = "letters"
