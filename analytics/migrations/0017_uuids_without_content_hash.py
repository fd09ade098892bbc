from django.db import migrations

# Only the catalogue changes, whatever the size of the table.
FORGET = "ALTER TABLE analytics_eventuuid DROP COLUMN content_hash"
# What came before takes a repetition of an event from between for another event.
HAVE_AGAIN = "ALTER TABLE analytics_eventuuid ADD COLUMN content_hash bigint NOT NULL DEFAULT 0"


class Migration(migrations.Migration):
    """Whether a uuid's second event is the same is seen by the first one itself."""

    dependencies = [("analytics", "0016_last_active_without_index")]
    operations = [
        migrations.RunSQL(
            FORGET,
            HAVE_AGAIN,
            state_operations=[
                migrations.RemoveField(model_name="eventuuid", name="content_hash"),
            ],
        ),
    ]
