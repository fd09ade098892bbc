from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False  # the journal stays writable meanwhile

    dependencies = [
        ('analytics', '0008_excluded_persons'),
    ]

    operations = [
        AddIndexConcurrently('personmerge', models.Index(fields=['distinct_id'], name='merge_by_distinct_id')),
        AddIndexConcurrently('personmerge', models.Index(fields=['other_id'], name='merge_by_other_id')),
    ]
