from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('analytics', '0008_forwarding_to_posthog'),
    ]

    operations = [
        migrations.AddField(
            model_name='importrun',
            name='columns',
            field=models.JSONField(help_text='Which column or field holds what', null=True),
        ),
        migrations.AddField(
            model_name='importrun',
            name='file_format',
            field=models.CharField(db_default='', help_text='jsonl or csv', max_length=5),
        ),
        migrations.AddField(
            model_name='rejectedevent',
            name='events',
            field=models.IntegerField(db_default=1, help_text='Events in the payload'),
        ),
        migrations.AddField(
            model_name='rejectedevent',
            name='holds',
            field=models.CharField(choices=[('event', 'an event as received'), ('read_event', 'an event as read: its time corrected'), ('request', 'a whole request that could not be read')], db_default='event', max_length=10, verbose_name='payload is'),
        ),
        migrations.AddField(
            model_name='rejectedevent',
            name='outcome',
            field=models.CharField(choices=[('rejected', 'Rejected'), ('refused', 'Refused')], db_default='rejected', help_text='Where the ingestion ledger counts it', max_length=10),
        ),
        migrations.AddField(
            model_name='rejectedevent',
            name='position',
            field=models.IntegerField(db_default=0, help_text='Place in its request, from 0'),
        ),
        migrations.AddField(
            model_name='rejectedevent',
            name='received_at',
            field=models.DateTimeField(db_index=True, null=True),
        ),
        migrations.AddField(
            model_name='rejectedevent',
            name='sdk',
            field=models.TextField(db_default=''),
        ),
        migrations.AddField(
            model_name='rejectedevent',
            name='sent_at',
            field=models.DateTimeField(help_text="By the sender's clock", null=True),
        ),
        migrations.AlterField(
            model_name='rejectedevent',
            name='payload',
            field=models.BinaryField(help_text='As received, or as edited since'),
        ),
    ]
