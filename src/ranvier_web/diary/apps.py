"""The app, for Django."""

from django.apps import AppConfig


class Diary(AppConfig):
    """Names the app."""

    name = "ranvier_web.diary"
    label = "diary"
