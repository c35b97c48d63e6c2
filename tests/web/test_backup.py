"""Backups: encrypted, whole, and the restored site equals the original row by row."""

from __future__ import annotations

import os
import uuid

import pytest
from django.db import connection
from django.utils import timezone

from ranvier_web import backup
from ranvier_web.clinic.actions import add_patient, decide
from ranvier_web.clinic.assessing import assess_patient
from ranvier_web.clinic.models import Aside, Patient

KEY = bytes(range(32))


@pytest.fixture
def lived_in(measured, clinic):
    """A site in which everything happened that is kept."""
    from ranvier_web.clinic.actions import Actor
    from ranvier_web.people.actions import break_glass, invite

    neurologist = clinic.people["neurologist"]
    made = assess_patient(measured)
    decide(
        measured, made, "refused", Actor.of(neurologist), key=uuid.uuid4(), proposed=None, decided=None, reason="no",
    )  # fmt: skip
    add_patient("plover", clinic.here, clinic.by, name="Jane Invented")
    Aside.objects.create(patient=measured, kind="review", until=timezone.localdate(), reason="seen", by=neurologist)
    break_glass(neurologist, clinic.shut, "unconscious in the emergency room")
    invite("newnurse", "nurse", clinic.here, Actor.of(clinic.people["administrator"]))
    return measured


def test_every_table_is_kept_after_those_it_points_to():
    from django.apps import apps

    order = backup.order()
    assert {"clinic.Fact", "people.User", "audit.Entry", "mfa.Authenticator"} <= set(order)
    for name in order:
        for field in apps.get_model(name)._meta.concrete_fields:
            target = field.related_model
            if target and target._meta.label != name and target._meta.label in order:
                assert order.index(target._meta.label) < order.index(name), (name, field.name)


def test_what_is_restored_equals_what_was_backed_up(lived_in, tmp_path):
    file = tmp_path / "one.ranvier"
    made = backup.back_up(file, KEY, {"x": 1})
    assert b"heron" not in file.read_bytes()
    assert file.stat().st_mode & 0o077 == 0
    _empty()
    assert not Patient.objects.exists()
    again = backup.restore(file, KEY)
    assert (again.rows, again.digest) == (made.rows, made.digest)
    assert Patient.objects.get(pseudonym="plover").name == "Jane Invented"
    from ranvier_web.audit import chain

    assert chain.verify()[2] is None
    assert backup.secrets_of(file, KEY) == {"x": 1}


def _empty() -> None:
    """An empty database, as a new site has; only a test may drop the triggers."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            triggers = cursor.fetchall()
            for name, _ in triggers:
                cursor.execute(f"DROP TRIGGER {name}")
            cursor.execute("PRAGMA defer_foreign_keys = ON")
            for name in reversed(backup.order()):
                cursor.execute(f"DELETE FROM {backup._model(name)._meta.db_table}")
            for _, sql in triggers:
                cursor.execute(sql)
        else:
            tables = ", ".join(backup._model(name)._meta.db_table for name in backup.order())
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(f"TRUNCATE {tables} CASCADE")


@pytest.mark.parametrize("harm", ["changed", "cut", "longer", "key", "other"])
def test_a_backup_that_is_not_whole_is_refused_and_nothing_is_written(clinic, tmp_path, harm):
    file = tmp_path / "one.ranvier"
    backup.back_up(file, KEY, {})
    data = bytearray(file.read_bytes())
    key = KEY
    if harm == "changed":
        data[len(data) // 2] ^= 1
    elif harm == "cut":
        del data[-40:]
    elif harm == "longer":
        data += b"x"
    elif harm == "key":
        key = os.urandom(32)
    else:
        data = bytearray(b"PK" + bytes(100))
    file.write_bytes(bytes(data))
    rows = Patient.objects.count()
    with pytest.raises(backup.BadBackupError):
        backup.restore(file, key)
    assert Patient.objects.count() == rows
