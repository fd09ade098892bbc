import analytics.calculations.cells
import analytics.models.capture
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


CREATE_EVENT = """
CREATE TABLE analytics_event (
    person_id bigint NOT NULL,
    timestamp timestamptz NOT NULL,
    uuid uuid NOT NULL,
    event text NOT NULL,
    distinct_id text NOT NULL,
    properties jsonb NOT NULL,
    PRIMARY KEY (person_id, timestamp, uuid)
) PARTITION BY RANGE (timestamp);
CREATE INDEX analytics_event_timestamp ON analytics_event USING brin (timestamp);
"""

# Bodies are JSON that is read once: compressing them in place would only cost time.
STORE_BODIES_AS_THEY_ARE = "ALTER TABLE analytics_inboxrequest ALTER body SET STORAGE EXTERNAL"

ALTER_BACK = "ALTER TABLE analytics_inboxrequest ALTER body SET STORAGE EXTENDED"


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Counter',
            fields=[
                ('pk', models.CompositePrimaryKey('name', 'number', 'day', blank=True, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(choices=[(analytics.calculations.cells.CounterName['ACTIVE_DAY'], analytics.calculations.cells.CounterName['ACTIVE_DAY']), (analytics.calculations.cells.CounterName['ACTIVE_WEEK'], analytics.calculations.cells.CounterName['ACTIVE_WEEK']), (analytics.calculations.cells.CounterName['ACTIVE_MONTH'], analytics.calculations.cells.CounterName['ACTIVE_MONTH']), (analytics.calculations.cells.CounterName['TRAILING_7'], analytics.calculations.cells.CounterName['TRAILING_7']), (analytics.calculations.cells.CounterName['TRAILING_30'], analytics.calculations.cells.CounterName['TRAILING_30']), (analytics.calculations.cells.CounterName['MONTH_NEW'], analytics.calculations.cells.CounterName['MONTH_NEW']), (analytics.calculations.cells.CounterName['MONTH_RETAINED'], analytics.calculations.cells.CounterName['MONTH_RETAINED']), (analytics.calculations.cells.CounterName['MONTH_RESURRECTED'], analytics.calculations.cells.CounterName['MONTH_RESURRECTED']), (analytics.calculations.cells.CounterName['MONTH_CHURNED'], analytics.calculations.cells.CounterName['MONTH_CHURNED']), (analytics.calculations.cells.CounterName['SIGNUP'], analytics.calculations.cells.CounterName['SIGNUP']), (analytics.calculations.cells.CounterName['SIGNUP_RETAINED'], analytics.calculations.cells.CounterName['SIGNUP_RETAINED']), (analytics.calculations.cells.CounterName['SIGNUP_WEEK'], analytics.calculations.cells.CounterName['SIGNUP_WEEK']), (analytics.calculations.cells.CounterName['SIGNUP_WEEK_RETAINED'], analytics.calculations.cells.CounterName['SIGNUP_WEEK_RETAINED']), (analytics.calculations.cells.CounterName['ACTIVATED'], analytics.calculations.cells.CounterName['ACTIVATED']), (analytics.calculations.cells.CounterName['ACTIVATED_QUICKLY'], analytics.calculations.cells.CounterName['ACTIVATED_QUICKLY']), (analytics.calculations.cells.CounterName['FIRST_EVENT'], analytics.calculations.cells.CounterName['FIRST_EVENT']), (analytics.calculations.cells.CounterName['FIRST_EVENT_RETAINED'], analytics.calculations.cells.CounterName['FIRST_EVENT_RETAINED']), (analytics.calculations.cells.CounterName['FIRST_EVENT_WEEK'], analytics.calculations.cells.CounterName['FIRST_EVENT_WEEK']), (analytics.calculations.cells.CounterName['FIRST_EVENT_WEEK_RETAINED'], analytics.calculations.cells.CounterName['FIRST_EVENT_WEEK_RETAINED'])], max_length=32)),
                ('number', models.IntegerField(help_text='Day or week number of a cohort, else 0')),
                ('day', models.DateField(help_text='The day, or the first day of the week or month')),
                ('value', models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name='EventDay',
            fields=[
                ('pk', models.CompositePrimaryKey('event', 'day', blank=True, editable=False, primary_key=True, serialize=False)),
                ('event', models.TextField()),
                ('day', models.DateField()),
                ('value', models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name='EventUuid',
            fields=[
                ('uuid', models.UUIDField(primary_key=True, serialize=False)),
                ('timestamp', models.DateTimeField()),
                ('content_hash', models.BigIntegerField(help_text='Tells a retry from another event')),
            ],
        ),
        migrations.CreateModel(
            name='ProjectKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100, unique=True)),
                ('token', models.CharField(default=analytics.models.capture.new_token, editable=False, max_length=64, unique=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('revoked_at', models.DateTimeField(blank=True, help_text='From then on, events with this key are refused (401).', null=True)),
            ],
        ),
        migrations.CreateModel(
            name='RollupDefinition',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('built_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('time_zone', models.CharField(max_length=64)),
                ('signup_event', models.TextField()),
                ('activation_event', models.TextField()),
                ('passive_events', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), size=None)),
                ('formula_version', models.IntegerField()),
            ],
        ),
        migrations.CreateModel(
            name='ImportRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('fingerprint', models.CharField(help_text="SHA-256 of the file's content and the column mapping", max_length=64)),
                ('file_name', models.CharField(max_length=255)),
                ('started_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('finished_at', models.DateTimeField(null=True)),
                ('lines', models.BigIntegerField(default=0, help_text='Lines read and committed')),
                ('stored', models.BigIntegerField(default=0)),
                ('duplicates', models.BigIntegerField(default=0)),
                ('rejected', models.BigIntegerField(default=0)),
            ],
            options={
                'indexes': [models.Index(fields=['fingerprint'], name='analytics_i_fingerp_d71600_idx')],
            },
        ),
        migrations.CreateModel(
            name='Person',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), help_text='When Plumbline first knew them')),
                ('first_seen_at', models.DateTimeField(help_text='First event of any kind', null=True)),
                ('first_event_at', models.DateTimeField(help_text='First qualifying event', null=True)),
                ('signup_at', models.DateTimeField(help_text='First signup event', null=True)),
                ('activated_at', models.DateTimeField(help_text='First activation event', null=True)),
                ('excluded', models.BooleanField(default=False, help_text='Test, internal or bot: counted nowhere')),
                ('is_demo', models.BooleanField(default=False, help_text='Made by the demo, removed with it')),
                ('properties', models.JSONField(default=dict)),
            ],
            options={
                'indexes': [models.Index(fields=['signup_at'], name='analytics_p_signup__8dd372_idx'), models.Index(condition=models.Q(('is_demo', True)), fields=['is_demo'], name='person_demo'), django.contrib.postgres.indexes.GinIndex(fields=['properties'], name='person_properties', opclasses=['jsonb_path_ops'])],
            },
        ),
        # The event table is partitioned by month; partitions are made on demand.
        migrations.RunSQL(
            sql=CREATE_EVENT,
            reverse_sql="DROP TABLE analytics_event",
            state_operations=[
                migrations.CreateModel(
                    name='Event',
                    fields=[
                        ('pk', models.CompositePrimaryKey('person_id', 'timestamp', 'uuid', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('timestamp', models.DateTimeField()),
                        ('uuid', models.UUIDField()),
                        ('event', models.TextField()),
                        ('distinct_id', models.TextField()),
                        ('properties', models.JSONField()),
                        ('person', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, to='analytics.person')),
                    ],
                ),
            ],
        ),
        migrations.CreateModel(
            name='DistinctId',
            fields=[
                ('distinct_id', models.CharField(max_length=200, primary_key=True, serialize=False)),
                ('person', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='distinct_ids', to='analytics.person')),
            ],
        ),
        migrations.CreateModel(
            name='InboxRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('received_at', models.DateTimeField()),
                ('body', models.BinaryField(help_text='JSON as received, decompressed')),
                ('project_key', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='analytics.projectkey')),
            ],
            options={
                'verbose_name_plural': 'inbox',
            },
        ),
        migrations.CreateModel(
            name='PersonDay',
            fields=[
                ('pk', models.CompositePrimaryKey('person_id', 'day', blank=True, editable=False, primary_key=True, serialize=False)),
                ('day', models.DateField()),
                ('person', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='days', to='analytics.person')),
            ],
            options={
                'indexes': [models.Index(fields=['day'], name='analytics_p_day_0b7348_idx')],
            },
        ),
        migrations.CreateModel(
            name='RejectedEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rejected_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), db_index=True)),
                ('reason', models.CharField(choices=[('malformed', 'malformed'), ('missing_field', 'missing field'), ('bad_field', 'bad field'), ('bad_timestamp', 'bad timestamp'), ('uuid_reused', 'uuid reused'), ('unstorable', 'unstorable')], max_length=20)),
                ('detail', models.TextField(help_text='What is wrong, naming the field')),
                ('payload', models.BinaryField(help_text='The event as received')),
                ('line', models.BigIntegerField(help_text='Line number in the imported file', null=True)),
                ('import_run', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, to='analytics.importrun')),
                ('project_key', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, to='analytics.projectkey')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('import_run', 'line'), name='rejected_once_per_line')],
            },
        ),
        migrations.RunSQL(STORE_BODIES_AS_THEY_ARE, ALTER_BACK),
    ]
