"""The secrets of one site: made once, kept in one file that only its owner can read."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NAME = "secrets.json"
OWNER_ONLY = 0o600


class LooseSecretsError(RuntimeError):
    """The file of secrets can be read by others."""


def ensure(folder: Path) -> dict[str, Any]:
    """The secrets in `folder`, made if there are none.

    django : signs sessions and links; fields : keys of encrypted columns by id, the newest last; backup : key of backups

    Raises
    ------
    LooseSecretsError : somebody else than the owner may read the file
    """
    file = folder / NAME
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = {
            "django": secrets.token_urlsafe(64),
            "fields": {"1": AESGCM.generate_key(256).hex()},
            "backup": AESGCM.generate_key(256).hex(),
        }
        try:
            put(folder, made)
        except FileExistsError:  # another process was quicker
            return ensure(folder)
    if os.name == "posix" and file.stat().st_mode & 0o077:
        raise LooseSecretsError(f"{file} can be read by others. Mend it: chmod 600 {file}")
    read: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return read


def put(folder: Path, made: dict[str, Any]) -> None:
    """Write secrets where there are none. Raises FileExistsError."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(folder / NAME, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        json.dump(made, stream, indent=1)
        stream.flush()
        os.fsync(stream.fileno())
