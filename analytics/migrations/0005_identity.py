import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('analytics', '0004_ingestion_ledger'),
    ]

    operations = [
        migrations.CreateModel(
            name='Group',
            fields=[
                ('pk', models.CompositePrimaryKey('group_type', 'group_key', blank=True, editable=False, primary_key=True, serialize=False)),
                ('group_type', models.CharField(max_length=200)),
                ('group_key', models.CharField(max_length=200)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('properties', models.JSONField(default=dict)),
            ],
        ),
        migrations.AddField(
            model_name='person',
            name='has_profile',
            field=models.BooleanField(db_default=True, help_text='Without one, events are kept but nobody is counted'),
        ),
        migrations.AddField(
            model_name='person',
            name='is_identified',
            field=models.BooleanField(db_default=False, help_text='Named by the product, so never merged into somebody else'),
        ),
        migrations.CreateModel(
            name='PersonMerge',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('happened_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), db_index=True)),
                ('result', models.CharField(choices=[('merged', 'Merged'), ('undone', 'Undone'), ('cannot_merge_already_identified', 'Already Identified'), ('illegal_distinct_id', 'Illegal Id')], max_length=40)),
                ('cause', models.TextField(help_text='The event, or who did it in the admin')),
                ('event_uuid', models.UUIDField(null=True)),
                ('distinct_id', models.CharField(help_text='Whose person stays', max_length=200)),
                ('other_id', models.CharField(help_text='Whose person was to be merged into it', max_length=200)),
                ('person_id', models.BigIntegerField(help_text='The person that stays', null=True)),
                ('other_person_id', models.BigIntegerField(help_text='The person that went', null=True)),
                ('before', models.JSONField(default=dict, help_text='What an undo needs')),
                ('undone_at', models.DateTimeField(null=True)),
            ],
            options={
                'indexes': [models.Index(fields=['person_id'], name='analytics_p_person__65db68_idx'), models.Index(fields=['other_person_id'], name='analytics_p_other_p_db4d65_idx')],
            },
        ),
    ]
