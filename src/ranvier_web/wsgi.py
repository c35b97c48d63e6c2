"""The application, for gunicorn. What every process reads is read before they part: once, and not at somebody's first click."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ranvier_web.settings")
application = get_wsgi_application()


def _read_once() -> None:
    from django.urls import get_resolver

    from ranvier_web.clinic.knowledge import knowledge
    from ranvier_web.words.load import languages, words

    _ = get_resolver().url_patterns
    knowledge()
    for code, _name in languages():
        words(code)


_read_once()
