from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('analytics', '0012_bound_stored_properties'),
    ]

    operations = [
        migrations.AddField(
            model_name='importrun',
            name='first_event_at',
            field=models.DateTimeField(help_text='Time of the earliest event', null=True),
        ),
        migrations.AddField(
            model_name='importrun',
            name='future_events',
            field=models.BigIntegerField(db_default=0, help_text='Events that lay in the future when they were imported'),
        ),
        migrations.AddField(
            model_name='importrun',
            name='last_event_at',
            field=models.DateTimeField(help_text='Time of the latest event', null=True),
        ),
        migrations.AddField(
            model_name='importrun',
            name='old_events',
            field=models.BigIntegerField(db_default=0, help_text='Events before the year 2000'),
        ),
        migrations.AddField(
            model_name='importrun',
            name='proved',
            field=models.BooleanField(db_default=False, help_text='Staff declared the file as coming from the backend'),
        ),
        migrations.AlterField(
            model_name='importrun',
            name='file_format',
            field=models.CharField(db_default='', help_text='The product that wrote the file', max_length=10),
        ),
        migrations.AlterField(
            model_name='importrun',
            name='fingerprint',
            field=models.CharField(help_text="SHA-256 of the file's content and of how it is read", max_length=64),
        ),
    ]
