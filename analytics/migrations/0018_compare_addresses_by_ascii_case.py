from django.contrib.postgres.indexes import HashIndex
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations
from django.db.models.fields.json import KeyTextTransform

from common.postgres import LowerAscii


class Migration(migrations.Migration):

    atomic = False  # so that events are stored while the indexes are built

    dependencies = [
        ('analytics', '0017_times_of_properties'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='person',
            index=HashIndex(LowerAscii(KeyTextTransform('email', 'properties')), name='person_by_email'),
        ),
        AddIndexConcurrently(
            model_name='person',
            index=HashIndex(LowerAscii(KeyTextTransform('email', 'proved')), name='person_by_proved_email'),
        ),
        RemoveIndexConcurrently(model_name='person', name='person_email'),
        RemoveIndexConcurrently(model_name='person', name='person_proved_email'),
    ]
