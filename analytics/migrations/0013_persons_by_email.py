from django.contrib.postgres.indexes import HashIndex
from django.db import migrations
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Lower


class Migration(migrations.Migration):

    dependencies = [
        ("analytics", "0012_exclusion_rules_have_one_kind"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="person",
            index=HashIndex(Lower(KeyTextTransform("email", "properties")), name="person_email"),
        ),
    ]
