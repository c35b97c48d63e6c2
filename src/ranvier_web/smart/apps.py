"""The app, for Django."""

from django.apps import AppConfig


class Smart(AppConfig):
    """Names the app."""

    name = "ranvier_web.smart"
    label = "smart"
