from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False  # the journal stays writable meanwhile

    dependencies = [
        ('analytics', '0021_short_properties_of_large_events'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='personmerge',
            index=models.Index(condition=models.Q(('undone_at__isnull', False)), fields=['undone_at'], name='merge_by_undone_at'),
        ),
    ]
