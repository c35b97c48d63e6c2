"""Security, item by item: the checklist is honest, and what it says is met is shown here or in the test it names."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import pytest
import yaml
from django.conf import settings as live
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from ranvier_web import secrets, settings

ROOT = Path(__file__).resolve().parents[2]
ITEMS = yaml.safe_load(
    (ROOT / "docs/asvs.yaml").read_text("utf-8").replace("met: yes", "met: 'yes'").replace("met: no,", "met: 'no',")
)["items"]


def test_every_chapter_is_answered_and_every_test_that_is_named_is_there():
    assert {i["chapter"] for i in ITEMS} == {f"V{n}" for n in range(1, 18)}
    for item in ITEMS:
        assert item["met"] in ("yes", "part", "no", "not applicable"), item
        if item["met"] == "yes":
            assert all((ROOT / test).is_file() for test in item["shown_by"]), item
        else:
            assert isinstance(item["shown_by"], str), item


def test_headers_forbid_scripts_frames_and_caches(clinic, signed_in):
    answer = signed_in("nurse").get(reverse("worklist"))
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"


def test_no_page_carries_scripts_styles_or_other_hosts():
    for file in (ROOT / "src/ranvier_web").rglob("*.html"):
        text = file.read_text("utf-8")
        assert not re.search(r"\sstyle=|<style|\son[a-z]+=|javascript:", text), file
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), file
        hosts = re.findall(r"(?:src|href|action)=\"https?://([^/\"]+)", text)
        assert set(hosts) <= {"doi.org"}, file
    for file in (ROOT / "src/ranvier_web/static").glob("*.css"):
        assert not re.search(r"url\((?!\"?data:)|@import", file.read_text("utf-8")), file


def test_a_form_without_its_token_changes_nothing(clinic, settings):
    settings.DEMO = True
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(clinic.people["nurse"], backend="allauth.account.auth_backends.AuthenticationBackend")
    answer = browser.post(reverse("patient_new"), {"pseudonym": "intruder"})
    assert answer.status_code == 403
    assert "too old" in answer.content.decode()


def test_pages_that_change_something_refuse_get(clinic, signed_in):
    browser = signed_in("neurologist")
    for name in ("aside", "review", "consent", "import_take_back", "examination_seen", "conduction_judged"):
        assert browser.get(reverse(name, args=[clinic.heron.pk])).status_code == 405, name


def test_cookies_are_kept_from_scripts_and_from_other_sites():
    assert live.SESSION_COOKIE_HTTPONLY
    assert live.CSRF_COOKIE_HTTPONLY
    assert live.SESSION_COOKIE_SAMESITE == "Lax"
    assert live.CSRF_COOKIE_SAMESITE == "Strict"


def test_behind_tls_cookies_are_secure_and_bound_to_the_host():
    import subprocess
    import sys

    code = (
        "from ranvier_web import settings as s; "
        "assert s.SESSION_COOKIE_SECURE and s.CSRF_COOKIE_SECURE and s.SECURE_HSTS_SECONDS > 0; "
        "assert s.SESSION_COOKIE_NAME.startswith('__Host-'); assert s.ALLOWED_HOSTS == ['clinic.example.org']; print('ok')"
    )
    environment = {**os.environ, "RANVIER_ADDRESS": "https://clinic.example.org"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.stdout == "ok\n", done.stderr


def test_passwords_are_kept_as_argon2_and_weak_ones_refused():
    from django.contrib.auth.hashers import get_hasher
    from django.contrib.auth.password_validation import validate_password

    assert settings.PASSWORD_HASHERS == ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    assert get_hasher("default") is not None
    for weak in ("short", "elevenchars", "qwerty123456"):
        with pytest.raises(ValidationError):
            validate_password(weak)


def test_secrets_are_made_once_and_only_for_their_owner(tmp_path):
    made = secrets.ensure(tmp_path / "site")
    assert secrets.ensure(tmp_path / "site") == made
    file = tmp_path / "site" / "secrets.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o644)
    with pytest.raises(secrets.LooseSecretsError, match="chmod 600"):
        secrets.ensure(tmp_path / "site")


def test_a_fault_shows_no_details(clinic, signed_in, monkeypatch):
    from ranvier_web.clinic.pages import worklist

    monkeypatch.setattr(worklist, "numbers", lambda: 1 / 0)
    browser = signed_in("nurse")
    browser.raise_request_exception = False
    answer = browser.get(reverse("worklist"))
    assert answer.status_code == 500
    assert "ZeroDivisionError" not in answer.content.decode()
    assert "fault of the program" in answer.content.decode()
