"""The app, for Django."""

from django.apps import AppConfig


class Api(AppConfig):
    """Names the app."""

    name = "ranvier_web.api"
    label = "api"
