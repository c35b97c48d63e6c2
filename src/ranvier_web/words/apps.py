"""The app, for Django."""

from django.apps import AppConfig


class Words(AppConfig):
    """Names the app."""

    name = "ranvier_web.words"
    label = "words"
