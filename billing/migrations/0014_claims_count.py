"""Replaces the choice of counting only proved events by that of letting claims count.

Of persons with a proved id claims do not count from here on, for any existing meter: those of
only proved events did not count them, and those without that choice had it by default.
"""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0013_churn_by_day'),
    ]

    operations = [
        migrations.RemoveField(
            model_name='usagemeter',
            name='proved_only',
        ),
        migrations.AddField(
            model_name='usagemeter',
            name='claims_count',
            field=models.BooleanField(db_default=False, help_text='Count events sent with a public key for everyone. Everyone who reads the key in your pages can then use up the limit of any person whose distinct id they know, and have that person notified. Without it such events count only for persons without a proved id.', verbose_name='claims count'),
        ),
    ]
