"""The app, for Django."""

from django.apps import AppConfig


class People(AppConfig):
    """Names the app, and listens to sign-ins."""

    name = "ranvier_web.people"
    label = "people"

    def ready(self) -> None:
        """Listen."""
        from ranvier_web.people import signals

        assert signals
