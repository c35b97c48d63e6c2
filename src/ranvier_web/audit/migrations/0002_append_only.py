"""Rows of the audit log cannot be changed or removed."""

from django.db import migrations

from ranvier_web.audit.guards import forbid


class Migration(migrations.Migration):
    """Triggers of the audit log."""

    dependencies = (("audit", "0001_initial"),)
    operations = (forbid("audit_entry", "UPDATE"), forbid("audit_entry", "DELETE"))
