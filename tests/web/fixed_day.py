"""A clinic in which it is always the same day: `python -m tests.web.fixed_day PORT`. For pictures only."""

from __future__ import annotations

import os
import socketserver
import sys
from datetime import UTC, date, datetime
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

NOW = datetime(2026, 6, 17, 8, 30, tzinfo=UTC)
ASSESSED = ("heron", "newcomer")


class Then(date):
    """A calendar that stands still."""

    @classmethod
    def today(cls) -> date:
        """The fixed day."""
        return NOW.date()


class Server(socketserver.ThreadingMixIn, WSGIServer):
    """Each request in a thread of its own, as pages ask for several things at once."""

    daemon_threads = True


class Quiet(WSGIRequestHandler):
    """Says nothing."""

    def log_message(self, *_: object) -> None:
        """Nothing."""


def main(port: int) -> None:
    """Fill an empty database, assess, and answer until somebody ends it."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "ranvier_web.settings_test"
    import django
    from django.conf import settings
    from django.utils import timezone

    timezone.now = lambda: NOW
    django.setup()
    settings.DEMO = True
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = False
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    from ranvier_web import demo

    demo.date = Then
    call_command("migrate", verbosity=0)
    demo.load(lambda _: None, few=True)
    from ranvier_web.clinic.assessing import assess_patient
    from ranvier_web.clinic.models import Patient

    for patient in Patient.objects.filter(pseudonym__in=ASSESSED):
        assess_patient(patient)
        print(patient.pseudonym, patient.pk, flush=True)
    server = Server(("127.0.0.1", port), Quiet)
    server.set_app(StaticFilesHandler(get_wsgi_application()))
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]))
