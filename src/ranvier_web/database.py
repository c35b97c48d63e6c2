"""Where the data lie: an SQLite file by default, PostgreSQL by a URL."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

PRAGMAS = (
    "PRAGMA journal_mode=WAL;"
    "PRAGMA synchronous=FULL;"  # what was acknowledged survives a power cut
    "PRAGMA foreign_keys=ON;"
    "PRAGMA busy_timeout=20000;"
    "PRAGMA cache_size=-64000;"
    "PRAGMA mmap_size=1073741824;"
)


def database(url: str, folder: Path) -> dict[str, Any]:
    """Django's description of a database.

    url : ``postgresql://user:password@host:port/name``, ``sqlite:///path`` or empty for a file in `folder`

    Raises
    ------
    ValueError : another kind of database
    """
    if not url:
        return _sqlite(folder / "clinic.sqlite3")
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return _sqlite(Path(unquote(parts.path)))
    if parts.scheme not in ("postgresql", "postgres"):
        raise ValueError(f"DATABASE_URL begins with '{parts.scheme}:'. Write postgresql://... or sqlite:///...")
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", parts.hostname or ""),
        "PORT": str(parts.port or query.pop("port", "")),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": query,
    }


def _sqlite(file: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(file),
        "CONN_MAX_AGE": None,
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "init_command": PRAGMAS, "timeout": 20},
    }
