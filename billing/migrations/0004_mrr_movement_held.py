from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Webhooks are applied meanwhile."""

    atomic = False
    dependencies = [("billing", "0003_stripe")]
    operations = [
        AddIndexConcurrently(
            model_name="mrrmovement",
            index=models.Index(
                fields=["currency", "day"],
                condition=models.Q(kind="held"),
                name="mrr_movement_held",
            ),
        ),
    ]
