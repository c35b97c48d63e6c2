"""One row per thing that somebody did or saw."""

from __future__ import annotations

from django.db import models


class Entry(models.Model):
    """A link of the chain: `hash` covers everything in the row and the hash of the row before."""

    id = models.BigIntegerField(primary_key=True)  # counted by us, without a gap: a missing row shows
    at = models.DateTimeField()
    who = models.CharField(max_length=150)  # user name, or the name of a command
    role = models.CharField(max_length=20, blank=True)
    site = models.CharField(max_length=80, blank=True)
    action = models.CharField(max_length=60, db_index=True)
    patient = models.CharField(max_length=36, blank=True, db_index=True)
    details = models.JSONField(default=dict)
    previous = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        """The order of the chain."""

        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.id} {self.at:%Y-%m-%d %H:%M} {self.who} {self.action}"
