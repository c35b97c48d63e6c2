"""Settings of one site. Everything that differs between sites comes from the environment or from its folder.

RANVIER_DATA : folder of this site: database, secrets, backups (default: out/clinic)
DATABASE_URL : postgresql://user:password@host/name; an SQLite file in the folder if left out
RANVIER_ADDRESS : the public address, as https://clinic.example.org (default: http://127.0.0.1:8000)
RANVIER_DEMO : 1 for invented patients only: no second factor is asked for
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONE, SELF

from ranvier_web import secrets
from ranvier_web.database import database

PACKAGE = Path(__file__).resolve().parent
DATA = Path(os.environ.get("RANVIER_DATA", "out/clinic")).absolute()
_SECRETS = secrets.ensure(DATA)
SECRET_KEY = _SECRETS["django"]
FIELD_KEYS = _SECRETS["fields"]
DEMO = os.environ.get("RANVIER_DEMO") == "1"
ADDRESS = os.environ.get("RANVIER_ADDRESS", "http://127.0.0.1:8000")
_PUBLIC = urlsplit(ADDRESS)
SECURE = _PUBLIC.scheme == "https"
DEBUG = False
ALLOWED_HOSTS = [_PUBLIC.hostname or "127.0.0.1", *(["localhost"] if not SECURE else [])]
CSRF_TRUSTED_ORIGINS = [f"{_PUBLIC.scheme}://{_PUBLIC.netloc}"] if SECURE else []

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
    "csp",
    "django_htmx",
    "ranvier_web.words",
    "ranvier_web.audit",
    "ranvier_web.people",
    "ranvier_web.clinic",
    "ranvier_web.diary",
    "ranvier_web.letters",
    "ranvier_web.connect",
    "ranvier_web.smart",
    "ranvier_web.api",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "ranvier_web.people.middleware.safe_headers",
    "csp.middleware.CSPMiddleware",
    "ranvier_web.smart.embedding.embedding",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "ranvier_web.smart.embedding.staying",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "ranvier_web.people.middleware.in_their_language",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "ranvier_web.people.middleware.SessionLimits",
    "ranvier_web.people.middleware.Policy",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "ranvier_web.urls"
WSGI_APPLICATION = "ranvier_web.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PACKAGE / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["ranvier_web.words.templatetags.say"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "ranvier_web.people.context.site",
            ],
        },
    }
]

DATABASES = {"default": database(os.environ.get("DATABASE_URL", ""), DATA)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = os.environ.get("RANVIER_TIMEZONE", "Europe/Amsterdam")
LANGUAGE_CODE = "en"
USE_I18N = (
    True  # for the sentences of Django and allauth; ours live in knowledge/languages, dates are written by them too
)
FORMAT_MODULE_PATH = ["ranvier_web.words.formats"]  # a bare number in a template is for machines: always with a point
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "ranvier"}}

STATIC_URL = "/static/"
STATIC_ROOT = DATA / "static"
STATICFILES_DIRS = [PACKAGE / "static", ("report", PACKAGE.parent / "ranvier" / "report" / "styles")]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},  # nothing is kept as a file
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_MAX_AGE = 31536000
DATA_UPLOAD_MAX_MEMORY_SIZE = 12 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 12 * 1024 * 1024
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000

# ---- who ------------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_FORMS = {"login": "ranvier_web.people.forms.SignIn"}
ACCOUNT_ADAPTER = "ranvier_web.people.adapter.Adapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_RATE_LIMITS = {
    "login_failed": "",  # failed sign-ins are counted by axes, for all workers together
    "login": "600/m/ip",  # a whole hospital comes from one address, and at eight o'clock; guessing is stopped per account
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "ranvier"
MFA_ADAPTER = "ranvier_web.people.adapter.SecondFactor"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # [h]
AXES_LOCKOUT_PARAMETERS = ["username"]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "people/locked.html"
AXES_DISABLE_ACCESS_LOG = True  # our own audit log keeps sign-ins
AXES_VERBOSE = False

SESSION_COOKIE_NAME = "__Host-session" if SECURE else "session"
SESSION_COOKIE_AGE = 12 * 3600  # [s] at the longest, whatever happens
SESSION_IDLE = 30 * 60  # [s] without a click: a desk in a ward is left, and the next to sit down is somebody else
# A patient may keep a device of their own signed in: who squeezes every morning would else type a password every morning, and
# stop. It opens one's own page only; the clinic ends it at once by closing the page or giving a new link (see docs/privacy.md).
SESSION_KEPT_IDLE = 90 * 24 * 3600  # [s] without opening the page: longer than a holiday or a stay in hospital
SESSION_KEPT_LONGEST = 365 * 24 * 3600  # [s] then the password is asked for once, whatever happens
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = SECURE
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE else "csrf"
CSRF_COOKIE_SECURE = SECURE
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_FAILURE_VIEW = "ranvier_web.people.views.csrf_failed"

# ---- the browser ----------------------------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "worker-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = False  # the proxy in front does it
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
SECURE_HSTS_SECONDS = 31536000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {"axes": {"level": "ERROR"}},
}
