"""Patients, their facts, and what was assessed and decided.

Facts, assessments and decisions are never changed: triggers in the database forbid it. A fact is corrected by a new one.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from ranvier_web.clinic.fields import Sealed
from ranvier_web.words.load import language


class Kind(models.TextChoices):
    """What a fact is about. The first ones are parts of a record; the last ones are of the clinic only."""

    PERSON = "person"
    WEIGHT = "weight"
    BEFORE = "before"
    INFUSION = "infusion"
    IGG = "igg"
    SERIES = "series"
    STRENGTH = "strength"
    DRUG = "drug"
    BLOOD_TEST = "blood_test"
    CONDITION = "condition"
    GOALS = "goals"
    HISTORY = "history"
    INVESTIGATION = "investigation"
    EXAMINATION = "examination"
    CONDUCTION = "conduction"
    IMAGING = "imaging"
    ALLERGY = "allergy"
    IMMUNISATION = "immunisation"
    ADVERSE = "adverse"  # an adverse event, with product and lot
    SAFETY = "safety"  # a check before or during treatment
    EVENT = "event"  # what else can make a hand weaker or stronger
    NOTE = "note"
    DIARY = "diary"  # how it is going, in words
    CONSENT = "consent"  # to research
    REVIEW = "review"  # somebody looked at the whole


ONE_EACH = (Kind.PERSON, Kind.BEFORE, Kind.GOALS, Kind.HISTORY, Kind.CONSENT)
"""Kinds of which one is in force: a new one takes the place of the former."""


class Patient(models.Model):
    """One person. What is known of them are facts; here stands only who they are for this site."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    site = models.ForeignKey("people.Site", on_delete=models.PROTECT, related_name="patients")
    pseudonym = models.CharField(max_length=60)
    name = Sealed(blank=True)
    number = Sealed(blank=True)  # of the hospital
    timezone = models.CharField(max_length=40, default="Europe/Amsterdam")
    invented = models.BooleanField(default=False)
    closed = models.BooleanField(default=False)  # only for the team, or with a reason
    made_at = models.DateTimeField(auto_now_add=True)
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """A pseudonym is unique at its site."""

        constraints = (models.UniqueConstraint(fields=("site", "pseudonym"), name="pseudonym_once"),)

    def __str__(self) -> str:
        return self.pseudonym


class Fact(models.Model):
    """What somebody saw, measured or gave on a day, in the form of a record file."""

    key = models.UUIDField(unique=True)  # made by the form or the phone: sent twice, kept once
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="facts")
    kind = models.CharField(max_length=16)  # one of `Kind`
    day = models.DateField()
    body = models.JSONField()
    replaces = models.OneToOneField("self", on_delete=models.CASCADE, null=True, related_name="replaced_by")
    withdrawn = models.BooleanField(default=False)  # it takes back what it replaces
    why = models.CharField(max_length=400, blank=True)
    origin = models.CharField(max_length=40, default="form")  # form | diary | import | demo | fhir
    batch = models.UUIDField(null=True, db_index=True)  # of one import, so that it can be taken back whole
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """By day, the newest last."""

        indexes = (
            models.Index(fields=("patient", "kind", "day")),
            # The last fact of somebody who was quiet for years: PostgreSQL would else walk back through everybody's.
            models.Index(fields=("patient", "-id"), name="fact_last"),
            models.Index(fields=("patient", "-day", "-id"), name="fact_recent"),
            # Nearly all facts replace none: without this one, statistics of the database talk it out of the unique index.
            models.Index(fields=("replaces",), name="replaced", condition=Q(replaces__isnull=False)),
        )

    def __str__(self) -> str:
        return f"{self.kind} of {self.day}"


class Assessment(models.Model):
    """What was answered on a day: from which facts, which knowledge, which seed, which version."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="assessments")
    made_at = models.DateTimeField(auto_now_add=True)
    at = models.DateField()
    seed = models.PositiveIntegerField()
    record_digest = models.CharField(max_length=64)
    knowledge_version = models.CharField(max_length=64)
    software_version = models.CharField(max_length=40)
    upto = models.BigIntegerField()  # id of the last fact it knows
    answer = models.JSONField()  # as `ranvier plan --json` writes it

    class Meta:
        """The newest first."""

        ordering = ("-id",)
        indexes = (models.Index(fields=("patient", "-id")),)

    def __str__(self) -> str:
        return f"assessment of {self.at}"


class Frozen(models.Model):
    """The objects of an assessment, so that nothing must be fitted again. Can be made anew at any time."""

    assessment = models.OneToOneField(Assessment, on_delete=models.CASCADE, primary_key=True, related_name="frozen")
    data = models.BinaryField()


class Drawing(models.Model):
    """A picture of an assessment. Can be made anew at any time."""

    assessment = models.ForeignKey(Assessment, on_delete=models.CASCADE, related_name="drawings")
    key = models.CharField(max_length=40)
    language = models.CharField(max_length=8, default="en")
    svg = models.TextField()

    class Meta:
        """Each picture once."""

        constraints = (models.UniqueConstraint(fields=("assessment", "key", "language"), name="drawing_once"),)

    def __str__(self) -> str:
        return self.key


class Verdict(models.TextChoices):
    """What was done with a proposal."""

    ACCEPTED = "accepted"
    CHANGED = "changed"
    REFUSED = "refused"


class Decision(models.Model):
    """What somebody decided, on which assessment, and why."""

    key = models.UUIDField(unique=True)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="decisions")
    assessment = models.ForeignKey(Assessment, on_delete=models.CASCADE, related_name="decisions")
    verdict = models.CharField(max_length=10, choices=Verdict.choices)
    proposed = models.JSONField(null=True)  # the regimen that was proposed
    decided = models.JSONField(null=True)  # the regimen that will be given
    outlook = models.JSONField(null=True)  # what was forecast for it
    reason = models.TextField(blank=True)
    code = models.CharField(max_length=40, blank=True)  # of the reason
    entry = models.JSONField(null=True)  # as the record keeps it (`decisions` of a record file)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    withdraws = models.OneToOneField("self", on_delete=models.CASCADE, null=True, related_name="withdrawn_by")

    class Meta:
        """The newest first."""

        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.verdict} on {self.at:%Y-%m-%d}"


class Outcome(models.Model):
    """What came of a decision, held against what was fixed beforehand."""

    decision = models.OneToOneField(Decision, on_delete=models.CASCADE, related_name="outcome")
    on = models.DateField()
    result = models.CharField(max_length=20)  # as in a record file
    note = models.CharField(max_length=400, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.result


class State(models.Model):
    """Where a patient stands, kept ready so that lists need not compute. Made from facts; can be made anew."""

    patient = models.OneToOneField(Patient, on_delete=models.CASCADE, primary_key=True, related_name="state")
    assessment = models.OneToOneField(Assessment, on_delete=models.SET_NULL, null=True, related_name="state_of")
    upto = models.BigIntegerField(default=0)  # last fact that was written
    done = models.BigIntegerField(default=0)  # last fact that was assessed
    since = models.DateTimeField(null=True)  # since when work waits
    working = models.DateTimeField(null=True)  # since when somebody works on it
    trouble = models.JSONField(default=list)  # what must be mended before anything can be assessed
    headline = models.TextField(blank=True)
    headlines = models.JSONField(default=dict)  # the same in each other language
    wearing_off = models.FloatField(null=True)
    decline = models.FloatField(null=True)
    regimen = models.CharField(max_length=80, blank=True)
    last_infusion = models.DateField(null=True)
    next_infusion = models.DateField(null=True)
    last_diary = models.DateField(null=True)

    class Meta:
        """Waiting work is found at once."""

        indexes = (models.Index(fields=("since",), name="waiting", condition=Q(since__isnull=False)),)

    def __str__(self) -> str:
        return f"state of {self.patient_id}"

    @property
    def told(self) -> str:
        """The headline in the language of whoever looks."""
        return str(self.headlines.get(language(), self.headline))


class Task(models.Model):
    """One line of the work list: what, for whom, from which day on. Made from facts; can be made anew."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="tasks")
    site = models.ForeignKey("people.Site", on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20)
    since = models.DateField()  # it is shown from this day on
    due = models.DateField(null=True)
    weight = models.FloatField(default=0)  # the heavier, the earlier
    facts = models.JSONField(default=dict)  # of its sentence

    class Meta:
        """One of a kind for each patient."""

        constraints = (models.UniqueConstraint(fields=("patient", "kind"), name="task_once"),)
        indexes = (models.Index(fields=("site", "since", "-weight")),)

    def __str__(self) -> str:
        return f"{self.kind} since {self.since}"


class Aside(models.Model):
    """Somebody dealt with a line of the work list: it rests until a day."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="asides")
    kind = models.CharField(max_length=20)
    until = models.DateField()
    reason = models.CharField(max_length=400)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.kind} until {self.until}"


class Erasure(models.Model):
    """A person asked to be forgotten. Only with this row may facts be deleted; it stays, without a name."""

    patient_id = models.UUIDField(primary_key=True)
    at = models.DateTimeField(auto_now_add=True)
    reason = models.TextField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"erased {self.at:%Y-%m-%d}"
