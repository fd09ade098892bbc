from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # so that events are stored while the index is built

    dependencies = [("analytics", "0007_exclusions")]

    operations = [
        AddIndexConcurrently(
            "person",
            models.Index(
                condition=models.Q(("excluded", True)), fields=["id"], name="person_excluded"
            ),
        ),
    ]
