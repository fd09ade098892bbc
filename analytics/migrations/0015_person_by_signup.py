from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Ingest goes on meanwhile; the old index goes last."""

    atomic = False
    dependencies = [("analytics", "0014_the_last_day_by_minute")]
    operations = [
        AddIndexConcurrently(
            model_name="person",
            index=models.Index(
                fields=["signup_at"],
                include=("activated_at", "excluded", "has_profile"),
                name="person_by_signup",
            ),
        ),
        RemoveIndexConcurrently(model_name="person", name="analytics_p_signup__8dd372_idx"),
    ]
