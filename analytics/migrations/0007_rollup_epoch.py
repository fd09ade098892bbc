from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("analytics", "0006_exclusion_rules")]

    # A sequence: raising it must be seen by others even before the transaction that did it ends.
    operations = [
        migrations.RunSQL(
            "CREATE SEQUENCE analytics_rollup_epoch", "DROP SEQUENCE analytics_rollup_epoch"
        )
    ]
