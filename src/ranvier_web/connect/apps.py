"""The app, for Django."""

from django.apps import AppConfig


class Connect(AppConfig):
    """Names the app."""

    name = "ranvier_web.connect"
    label = "connect"
