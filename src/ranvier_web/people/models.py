"""Accounts and sites."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.crypto import salted_hmac


class Site(models.Model):
    """A clinic. Its people see its patients, and no others."""

    name = models.CharField(max_length=80, unique=True)
    address = models.TextField(blank=True)  # stands on letters

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    """What somebody is here."""

    NEUROLOGIST = "neurologist"
    NURSE = "nurse"
    PHARMACIST = "pharmacist"
    PATIENT = "patient"
    RESEARCHER = "researcher"
    ADMINISTRATOR = "administrator"


class User(AbstractUser):
    """Somebody with one role at one site."""

    site = models.ForeignKey(Site, on_delete=models.PROTECT, null=True, blank=True)
    role = models.CharField(max_length=20, choices=Role.choices)
    patient = models.OneToOneField(  # whose own page this is; only for the role of a patient
        "clinic.Patient", on_delete=models.CASCADE, null=True, blank=True, related_name="account"
    )
    language = models.CharField(max_length=8, default="en")
    epoch = models.PositiveIntegerField(default=0)  # one more ends every session that is open

    def __str__(self) -> str:
        return self.get_full_name() or self.username

    def _get_session_auth_hash(self, secret: Any = None) -> str:
        """What an open session is held against: a new password or a new epoch ends it."""
        return salted_hmac("ranvier.session", f"{self.password}/{self.epoch}", secret, algorithm="sha256").hexdigest()


class Invitation(models.Model):
    """A way in for one person, once: a link that is handed over or sent."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="invitations")
    digest = models.CharField(max_length=64)  # of the secret in the link; the secret itself is not kept
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    until = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"invitation of {self.user}"


class BreakGlass(models.Model):
    """Somebody opened a closed record, and said why."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    patient = models.ForeignKey("clinic.Patient", on_delete=models.CASCADE, related_name="+")
    reason = models.TextField()
    at = models.DateTimeField(auto_now_add=True)
    until = models.DateTimeField()
    seen_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    def __str__(self) -> str:
        return f"{self.user}: {self.reason[:40]}"


class Care(models.Model):
    """Somebody who may open a closed record without breaking the glass."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    patient = models.ForeignKey("clinic.Patient", on_delete=models.CASCADE, related_name="team")

    class Meta:
        """Each person once."""

        constraints = (models.UniqueConstraint(fields=("user", "patient"), name="care_once"),)

    def __str__(self) -> str:
        return f"{self.user}"
