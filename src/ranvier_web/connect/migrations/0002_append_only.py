"""A card that was shown and an answer to it cannot be changed; they go only with a person who asked to be forgotten."""

from django.db import migrations

from ranvier_web.audit.guards import forbid

CARD = "OLD.patient_id IS NOT NULL AND EXISTS (SELECT 1 FROM clinic_erasure e WHERE e.patient_id = OLD.patient_id)"
ANSWER = "EXISTS (SELECT 1 FROM connect_card c JOIN clinic_erasure e ON e.patient_id = c.patient_id WHERE c.id = OLD.card_id)"


class Migration(migrations.Migration):
    """Triggers of cards and of what became of them."""

    dependencies = (("connect", "0001_initial"), ("clinic", "0003_append_only"))
    operations = (
        forbid("connect_card", "UPDATE"),
        forbid("connect_card", "DELETE", unless=CARD),
        forbid("connect_feedback", "UPDATE"),
        forbid("connect_feedback", "DELETE", unless=ANSWER),
    )
