"""Triggers that forbid to change or remove rows, for both databases, as operations of a migration."""

from __future__ import annotations

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def forbid(table: str, verb: str, *, unless: str = "") -> migrations.RunPython:
    """An operation: `verb` (UPDATE or DELETE) on `table` fails.

    unless : an SQL condition on OLD under which it is allowed, as after a person asked to be erased
    """
    name = f"{table}_no_{verb.lower()}"
    what = f"{table} is append-only"

    def forwards(apps: Any, editor: BaseDatabaseSchemaEditor) -> None:
        condition = f"NOT ({unless})" if unless else ""
        if editor.connection.vendor == "sqlite":
            when = f"WHEN {condition}" if condition else ""
            editor.execute(
                f"CREATE TRIGGER {name} BEFORE {verb} ON {table} {when} BEGIN SELECT RAISE(ABORT, '{what}'); END"
            )
            return
        test = f"IF {condition} THEN RAISE EXCEPTION '{what}'; END IF;" if condition else f"RAISE EXCEPTION '{what}';"
        back = "NEW" if verb == "UPDATE" else "OLD"
        editor.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger AS $$ BEGIN {test} RETURN {back}; END $$ LANGUAGE plpgsql"
        )
        editor.execute(f"CREATE TRIGGER {name} BEFORE {verb} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")

    def backwards(apps: Any, editor: BaseDatabaseSchemaEditor) -> None:
        if editor.connection.vendor == "sqlite":
            editor.execute(f"DROP TRIGGER {name}")
        else:
            editor.execute(f"DROP TRIGGER {name} ON {table}")
            editor.execute(f"DROP FUNCTION {name}()")

    return migrations.RunPython(forwards, backwards)
