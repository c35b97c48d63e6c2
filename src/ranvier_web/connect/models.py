"""Other programs that may ask, who a person is for them, and what became of the cards they were shown."""

from __future__ import annotations

import uuid

from django.db import models


class Caller(models.Model):
    """A system that may call our CDS Hooks services, for one site."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    site = models.ForeignKey("people.Site", on_delete=models.PROTECT, related_name="callers")
    name = models.CharField(max_length=80)
    issuer = models.CharField(max_length=400, unique=True)  # `iss` of its tokens
    jku = models.CharField(max_length=400, blank=True)  # where it says its keys are; never asked while it calls
    keys = models.JSONField(default=dict)  # its public keys, a JSON Web Key Set
    origins = models.JSONField(default=list)  # of browsers that may call, e.g. https://ehr.example.org
    servers = models.JSONField(default=list)  # FHIR servers that may be asked when it sends too little
    active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.name


class Spent(models.Model):
    """A token that was shown: it opens nothing a second time."""

    caller = models.ForeignKey(Caller, on_delete=models.CASCADE, related_name="+")
    jti = models.CharField(max_length=200)
    until = models.DateTimeField(db_index=True)  # it may be forgotten then: the token itself has ended

    class Meta:
        """Once is enough."""

        constraints = (models.UniqueConstraint(fields=("caller", "jti"), name="token_once"),)

    def __str__(self) -> str:
        return self.jti


class Elsewhere(models.Model):
    """One of our patients on somebody else's FHIR server."""

    patient = models.ForeignKey("clinic.Patient", on_delete=models.CASCADE, related_name="elsewhere")
    server = models.CharField(max_length=400)
    name = models.CharField(max_length=64)  # the id there

    class Meta:
        """One person each."""

        constraints = (models.UniqueConstraint(fields=("server", "name", "patient"), name="elsewhere_once"),)

    def __str__(self) -> str:
        return f"{self.server}/Patient/{self.name}"


class Card(models.Model):
    """A card that was shown, and of whom; so that an answer to it finds its person."""

    id = models.UUIDField(primary_key=True)
    site = models.ForeignKey("people.Site", on_delete=models.PROTECT, related_name="+")
    patient = models.ForeignKey("clinic.Patient", on_delete=models.CASCADE, null=True, related_name="cards")
    service = models.CharField(max_length=40)
    summary = models.CharField(max_length=140)
    indicator = models.CharField(max_length=10)
    user = models.CharField(max_length=120, blank=True)  # who looked, as the client names them
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.summary


class Feedback(models.Model):
    """What somebody did with a card. Told again, it is a new row: nothing is changed."""

    card = models.ForeignKey(Card, on_delete=models.CASCADE, related_name="feedback")
    outcome = models.CharField(max_length=10)
    reason = models.CharField(max_length=100, blank=True)
    comment = models.TextField(blank=True)
    suggestions = models.JSONField(default=list)
    told_at = models.DateTimeField()  # by the client's clock
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """The newest first; the same answer sent twice is kept once."""

        ordering = ("-id",)
        constraints = (models.UniqueConstraint(fields=("card", "outcome", "reason", "told_at"), name="feedback_once"),)

    def __str__(self) -> str:
        return f"{self.outcome}: {self.card}"


class Ticket(models.Model):
    """A secret with which a program may read: the FHIR face. Only its digest is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    site = models.ForeignKey("people.Site", on_delete=models.PROTECT, related_name="tickets")
    name = models.CharField(max_length=80)
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)  # as SMART writes them: system/Observation.rs, system/*.rs
    made_at = models.DateTimeField(auto_now_add=True)
    until = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name
