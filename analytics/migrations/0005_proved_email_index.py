from django.contrib.postgres.indexes import HashIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Lower


class Migration(migrations.Migration):

    atomic = False  # so that events are stored while the index is built

    dependencies = [
        ('analytics', '0004_mail_claims'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='person',
            index=HashIndex(Lower(KeyTextTransform('email', 'proved')), name='person_proved_email'),
        ),
    ]
