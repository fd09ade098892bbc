import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('analytics', '0002_keys_have_limits'),
    ]

    operations = [
        migrations.AddField(
            model_name='inboxrequest',
            name='events',
            field=models.IntegerField(db_default=1, help_text='Events in it, as counted when accepted'),
        ),
        migrations.AddField(
            model_name='inboxrequest',
            name='sdk',
            field=models.TextField(db_default='', help_text='Library and version, from a v1 header'),
        ),
        migrations.AddField(
            model_name='inboxrequest',
            name='sent_at',
            field=models.DateTimeField(help_text="By the sender's clock, from a v1 header", null=True),
        ),
        migrations.AddField(
            model_name='inboxrequest',
            name='size',
            field=models.IntegerField(db_default=0, help_text='Bytes, decompressed'),
        ),
        migrations.AlterField(
            model_name='inboxrequest',
            name='body',
            field=models.BinaryField(help_text='As received: JSON, possibly compressed'),
        ),
        migrations.AlterField(
            model_name='inboxrequest',
            name='project_key',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, to='analytics.projectkey'),
        ),
    ]
