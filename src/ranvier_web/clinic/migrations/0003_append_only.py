"""Facts, assessments and decisions cannot be changed; they go only with a person who asked to be forgotten."""

from django.db import migrations

from ranvier_web.audit.guards import forbid

ERASED = "EXISTS (SELECT 1 FROM clinic_erasure e WHERE e.patient_id = OLD.patient_id)"


class Migration(migrations.Migration):
    """Triggers of what was seen, answered and decided."""

    dependencies = (("clinic", "0002_initial"),)
    operations = tuple(
        forbid(table, verb, unless=unless)
        for table in ("clinic_fact", "clinic_assessment", "clinic_decision")
        for verb, unless in (("UPDATE", ""), ("DELETE", ERASED))
    )
