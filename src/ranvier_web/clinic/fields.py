"""Columns that are encrypted in the database: AES-256-GCM, with the id of the key, so that keys can be changed."""

from __future__ import annotations

import base64
import os
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import models

_NONCE = 12  # [bytes]


def seal(text: str) -> str:
    """Encrypted with the newest key: ``key id:base64``."""
    id = max(settings.FIELD_KEYS, key=int)
    nonce = os.urandom(_NONCE)
    sealed = AESGCM(bytes.fromhex(settings.FIELD_KEYS[id])).encrypt(nonce, text.encode(), id.encode())
    return f"{id}:{base64.b64encode(nonce + sealed).decode()}"


def unseal(text: str) -> str:
    """What was encrypted.

    Raises
    ------
    ValueError : its key is not there, or it was changed
    """
    id, _, body = text.partition(":")
    if id not in settings.FIELD_KEYS:
        raise ValueError(f"the key {id!r} of an encrypted column is not in the secrets of this site")
    raw = base64.b64decode(body)
    try:
        opened = AESGCM(bytes.fromhex(settings.FIELD_KEYS[id])).decrypt(raw[:_NONCE], raw[_NONCE:], id.encode())
    except InvalidTag:
        raise ValueError("an encrypted column was changed, or belongs to another site") from None
    return opened.decode()


class Sealed(models.TextField):  # type: ignore[type-arg]
    """Text that the database sees encrypted only. Empty stays empty; it cannot be searched."""

    def get_prep_value(self, value: Any) -> Any:
        """On its way in."""
        return seal(str(value)) if value else ""

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> str:
        """On its way out."""
        return unseal(value) if value else ""
