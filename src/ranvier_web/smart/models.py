"""Hospital systems that may launch us, and which account somebody who signed in there has here."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from ranvier_web.clinic.fields import Sealed


class Server(models.Model):
    """A FHIR server with its authorization server, and how we are registered there. Only an administrator makes one."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    site = models.ForeignKey("people.Site", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=80)
    base = models.CharField(max_length=400, unique=True)  # of its FHIR server; `iss` of a launch
    issuer = models.CharField(max_length=400)  # `iss` of the identities it signs, letter by letter
    client_id = models.CharField(max_length=200)
    secret = Sealed(blank=True)  # at most one of secret and key
    key = Sealed(blank=True)  # private, PEM or JWK
    kid = models.CharField(max_length=200, blank=True)
    hosts = models.JSONField(default=list)  # of the authorization server, where they are others than the base's
    private = models.BooleanField(default=False)  # whether they may be machines of the own network
    scopes = models.JSONField(default=list)  # what is asked for besides who and whom
    identifiers = models.JSONField(default=list)  # systems of identifiers that are hospital numbers here
    embeds = models.JSONField(default=list)  # origins that may show us in a frame
    vouches = models.BooleanField(default=False)  # signing in there stands for our second factor too
    active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.name


class Known(models.Model):
    """Somebody of a hospital's system, and the account here that an administrator gave them."""

    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="known")
    who = models.CharField(max_length=420)  # sub:SUBJECT or fhirUser:Practitioner/1
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")

    class Meta:
        """One account each."""

        constraints = (models.UniqueConstraint(fields=("server", "who"), name="smart_known_once"),)

    def __str__(self) -> str:
        return f"{self.who} is {self.user}"
