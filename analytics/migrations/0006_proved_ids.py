from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # the index is made while ingest continues

    dependencies = [("analytics", "0005_proved_email_index")]

    operations = [
        AddIndexConcurrently(
            "distinctid",
            models.Index(
                condition=models.Q(("proved", True)), fields=["person"], name="distinct_id_proved"
            ),
        ),
    ]
