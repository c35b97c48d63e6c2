"""Settings of tests and of the type checker: secrets of their own in a folder that is thrown away."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

if "RANVIER_TEST_DATA" not in os.environ:
    os.environ["RANVIER_TEST_DATA"] = tempfile.mkdtemp(prefix="ranvier-test-")
    atexit.register(shutil.rmtree, os.environ["RANVIER_TEST_DATA"], ignore_errors=True)
os.environ["RANVIER_DATA"] = os.environ["RANVIER_TEST_DATA"]
os.environ.pop("RANVIER_DEMO", None)

from ranvier_web.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick; what is kept is tested with the real one
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_AUTOREFRESH = True
