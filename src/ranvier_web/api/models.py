"""Keys of accounts."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models


class Key(models.Model):
    """A secret with which a program acts as an account, within scopes and for a time. Only its digest is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="keys")
    name = models.CharField(max_length=80)
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)  # see `keys.SCOPES`
    made_at = models.DateTimeField(auto_now_add=True)
    until = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """A name is used once by each account."""

        constraints = (models.UniqueConstraint(fields=("user", "name"), name="key_once"),)

    def __str__(self) -> str:
        return self.name
