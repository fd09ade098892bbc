from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('analytics', '0015_exclude_subdomains'),
    ]

    operations = [
        migrations.AddField(
            model_name='group',
            name='set_at',
            field=models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict, help_text='When each property was set or removed, in microseconds; negative: set once'),
        ),
        migrations.AddField(
            model_name='person',
            name='proved_set_at',
            field=models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict, help_text='The same of what is proved'),
        ),
        migrations.AddField(
            model_name='person',
            name='set_at',
            field=models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict, help_text='When each property was set or removed, in microseconds; negative: set once'),
        ),
    ]
