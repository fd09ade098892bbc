import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.deletion
import django.db.models.fields.json
import django.db.models.functions.datetime
import django.db.models.functions.text
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


def _store_as_received(table):
    """Bodies are compressed already, or read only once: compressing them would only take time."""
    alter = f"ALTER TABLE {table} ALTER body SET STORAGE"
    return migrations.RunSQL(f"{alter} EXTERNAL", f"{alter} EXTENDED")


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Counter',
            fields=[
                ('pk', models.CompositePrimaryKey('name', 'number', 'day', blank=True, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(choices=[('active_day', 'active_day'), ('active_week', 'active_week'), ('active_month', 'active_month'), ('trailing_7', 'trailing_7'), ('trailing_30', 'trailing_30'), ('month_new', 'month_new'), ('month_retained', 'month_retained'), ('month_resurrected', 'month_resurrected'), ('month_churned', 'month_churned'), ('signup', 'signup'), ('signup_retained', 'signup_retained'), ('signup_week', 'signup_week'), ('signup_week_retained', 'signup_week_retained'), ('activated', 'activated'), ('activated_quickly', 'activated_quickly'), ('first_event', 'first_event'), ('first_event_retained', 'first_event_retained'), ('first_event_week', 'first_event_week'), ('first_event_week_retained', 'first_event_week_retained')], max_length=32)),
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
            name='EventMinute',
            fields=[
                ('pk', models.CompositePrimaryKey('event', 'minute', blank=True, editable=False, primary_key=True, serialize=False)),
                ('event', models.TextField()),
                ('minute', models.DateTimeField()),
                ('value', models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name='EventUuid',
            fields=[
                ('uuid', models.UUIDField(primary_key=True, serialize=False)),
                ('timestamp', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='ForwardingBatch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('events', models.IntegerField()),
                ('size', models.IntegerField(help_text='Bytes, decompressed')),
                ('body', models.BinaryField(help_text='A JSON array of events, zstd')),
            ],
        ),
        migrations.CreateModel(
            name='ForwardingState',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('forwarded', models.BigIntegerField(default=0, help_text='Events that PostHog has accepted')),
                ('last_success_at', models.DateTimeField(null=True)),
                ('failures', models.IntegerField(default=0, help_text='Failed attempts since the last success')),
                ('failing_since', models.DateTimeField(null=True)),
                ('last_error', models.TextField(default='')),
                ('next_attempt_at', models.DateTimeField(help_text='The earliest time after a failure', null=True)),
            ],
        ),
        migrations.CreateModel(
            name='LastActiveBlock',
            fields=[
                ('block', models.BigIntegerField(help_text="The persons' ids, divided by 128", primary_key=True, serialize=False)),
                ('minutes', models.BinaryField(help_text='Per person the minute since 1970 of the latest qualifying event, if counted: 4 bytes, big-endian; 0: none')),
            ],
        ),
        migrations.CreateModel(
            name='ProjectKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100, unique=True)),
                ('token', models.CharField(editable=False, max_length=64, unique=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('last_used_at', models.DateTimeField(blank=True, help_text='To the minute', null=True)),
                ('revoked_at', models.DateTimeField(blank=True, help_text='Events sent with this key since then are refused (401).', null=True)),
                ('rate_limit', models.PositiveIntegerField(blank=True, help_text='Events per second; more are refused (429), and SDKs send them again. Empty: no limit.', null=True, validators=[django.core.validators.MinValueValidator(1)])),
                ('daily_quota', models.PositiveBigIntegerField(blank=True, help_text='Events per UTC day; more are dropped permanently. Empty: no quota.', null=True, validators=[django.core.validators.MinValueValidator(1)])),
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
            name='ExclusionRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100, unique=True)),
                ('email_domain', models.CharField(blank=True, help_text='For example example.com: excludes persons with an e-mail address at it, as property “email” or as distinct id. Subdomains need their own rules.', max_length=253)),
                ('property_name', models.CharField(blank=True, help_text='For example is_staff: a property of the person', max_length=200)),
                ('property_value', models.JSONField(blank=True, help_text='A text, a number, true or false', null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('property_name', ''), ('property_value__isnull', True), models.Q(('email_domain', ''), _negated=True)), models.Q(('email_domain', ''), ('property_value__isnull', False), models.Q(('property_name', ''), _negated=True)), _connector='OR'), name='exclusion_rule_of_one_kind', violation_error_message='Enter either an e-mail domain, or the name of a property and its value.')],
            },
        ),
        migrations.CreateModel(
            name='Group',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('group_type', models.CharField(max_length=200)),
                ('group_key', models.CharField(max_length=200)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('properties', models.JSONField(default=dict)),
            ],
            options={
                'verbose_name': 'customer group',
                'constraints': [models.UniqueConstraint(fields=('group_type', 'group_key'), name='group_by_its_key')],
            },
        ),
        migrations.CreateModel(
            name='ImportRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('fingerprint', models.CharField(help_text="SHA-256 of the file's content and the column mapping", max_length=64)),
                ('file_name', models.CharField(max_length=255)),
                ('file_format', models.CharField(db_default='', help_text='jsonl or csv', max_length=5)),
                ('columns', models.JSONField(help_text='The names of the columns or fields', null=True)),
                ('started_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('finished_at', models.DateTimeField(null=True)),
                ('lines', models.BigIntegerField(default=0, help_text='Lines read and committed')),
                ('stored', models.BigIntegerField(default=0)),
                ('duplicates', models.BigIntegerField(default=0)),
                ('rejected', models.BigIntegerField(default=0)),
            ],
            options={
                'verbose_name_plural': 'imports',
                'indexes': [models.Index(fields=['fingerprint'], name='analytics_i_fingerp_d71600_idx')],
            },
        ),
        migrations.CreateModel(
            name='Person',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), help_text='When Plumbline created them')),
                ('first_seen_at', models.DateTimeField(help_text='First event of any kind', null=True)),
                ('first_event_at', models.DateTimeField(help_text='First qualifying event', null=True)),
                ('signup_at', models.DateTimeField(help_text='First signup event', null=True)),
                ('activated_at', models.DateTimeField(help_text='First activation event', null=True)),
                ('excluded', models.BooleanField(default=False, help_text='Test, internal or bot: excluded from all metrics')),
                ('excluded_by_hand', models.BooleanField(blank=True, help_text='A decision by staff; empty: the exclusion rules decide', null=True)),
                ('is_identified', models.BooleanField(db_default=False, help_text='Identified by the product, so never merged into another person')),
                ('has_profile', models.BooleanField(db_default=True, help_text='Without one, events are stored but the person is not counted')),
                ('is_demo', models.BooleanField(default=False, help_text='Created by the demo, removed with it')),
                ('properties', models.JSONField(default=dict)),
            ],
            options={
                'indexes': [models.Index(fields=['signup_at'], include=('activated_at', 'excluded', 'has_profile'), name='person_by_signup'), django.contrib.postgres.indexes.HashIndex(django.db.models.functions.text.Lower(django.db.models.fields.json.KeyTextTransform('email', 'properties')), name='person_email'), models.Index(condition=models.Q(('is_demo', True)), fields=['is_demo'], name='person_demo'), django.contrib.postgres.indexes.GinIndex(fields=['properties'], name='person_properties', opclasses=['jsonb_path_ops'])],
            },
        ),
        # Partitioned by month; partitions are made on demand.
        migrations.RunSQL(
            CREATE_EVENT,
            "DROP TABLE analytics_event",
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
            name='PersonMerge',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('happened_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), db_index=True)),
                ('result', models.CharField(choices=[('merged', 'Merged'), ('undone', 'Merged, and undone'), ('cannot_merge_already_identified', 'Refused: already identified'), ('illegal_distinct_id', 'Refused: the id is a placeholder')], max_length=40)),
                ('cause', models.TextField(help_text='The event, or the staff user in the admin')),
                ('event_uuid', models.UUIDField(null=True)),
                ('distinct_id', models.CharField(help_text='Identifies the person that is kept', max_length=200)),
                ('other_id', models.CharField(help_text='Identifies the person to be merged into it', max_length=200)),
                ('person_id', models.BigIntegerField(help_text='The kept person', null=True)),
                ('other_person_id', models.BigIntegerField(help_text='The merged person', null=True)),
                ('before', models.JSONField(default=dict, help_text='Data for an undo')),
                ('undone_at', models.DateTimeField(null=True)),
                ('undone_by', models.TextField(db_default='', help_text='The staff user in the admin')),
            ],
            options={
                'verbose_name': 'merge',
                'verbose_name_plural': 'merge journal',
                'indexes': [models.Index(fields=['person_id'], name='analytics_p_person__65db68_idx'), models.Index(fields=['other_person_id'], name='analytics_p_other_p_db4d65_idx')],
            },
        ),
        migrations.CreateModel(
            name='InboxRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('received_at', models.DateTimeField()),
                ('body', models.BinaryField(help_text='As received: JSON, possibly compressed')),
                ('events', models.IntegerField(db_default=1, help_text='Events in the request, as counted when accepted')),
                ('size', models.IntegerField(db_default=0, help_text='Bytes, decompressed')),
                ('sent_at', models.DateTimeField(help_text="By the sender's clock, from a v1 header", null=True)),
                ('sdk', models.TextField(db_default='', help_text='Library and version, from a v1 header')),
                ('project_key', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, to='analytics.projectkey')),
            ],
            options={
                'verbose_name_plural': 'inbox',
            },
        ),
        migrations.CreateModel(
            name='CaptureHour',
            fields=[
                ('pk', models.CompositePrimaryKey('hour', 'project_key_id', 'outcome', 'reason', blank=True, editable=False, primary_key=True, serialize=False)),
                ('hour', models.DateTimeField()),
                ('outcome', models.CharField(choices=[('accepted', 'Accepted'), ('stored', 'Stored'), ('duplicate', 'Duplicate'), ('rejected', 'Rejected'), ('refused', 'Refused'), ('limited', 'Limited')], max_length=10)),
                ('reason', models.CharField(default='', max_length=40)),
                ('events', models.BigIntegerField()),
                ('project_key', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, to='analytics.projectkey')),
            ],
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
                ('reason', models.CharField(choices=[('malformed', 'malformed'), ('missing_field', 'missing field'), ('bad_field', 'bad field'), ('bad_timestamp', 'bad timestamp'), ('too_old', 'too old'), ('too_large', 'too large'), ('uuid_reused', 'uuid reused'), ('unstorable', 'unstorable'), ('forwarding_refused', 'forwarding refused')], max_length=40)),
                ('detail', models.TextField(help_text='The problem, naming the field')),
                ('payload', models.BinaryField(help_text='As received, or as edited since')),
                ('holds', models.CharField(choices=[('event', 'as received'), ('read_event', 'as read, with corrected time'), ('request', 'a whole unreadable request')], db_default='event', max_length=10, verbose_name='payload is')),
                ('events', models.IntegerField(db_default=1, help_text='Events in the payload; each of several follows its position')),
                ('outcome', models.CharField(choices=[('rejected', 'Rejected'), ('refused', 'Refused')], db_default='rejected', help_text='Its outcome in the ingestion ledger', max_length=10)),
                ('received_at', models.DateTimeField(db_index=True, null=True)),
                ('sent_at', models.DateTimeField(help_text="By the sender's clock", null=True)),
                ('sdk', models.TextField(db_default='')),
                ('position', models.IntegerField(db_default=0, help_text='Position in its request, from 0')),
                ('line', models.BigIntegerField(help_text='Line number in the imported file', null=True)),
                ('import_run', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, to='analytics.importrun')),
                ('project_key', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, to='analytics.projectkey')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('import_run', 'line'), name='rejected_once_per_line')],
            },
        ),
        _store_as_received("analytics_inboxrequest"),
        _store_as_received("analytics_forwardingbatch"),
        # Free space on each page for the next version of its rows, without new index entries.
        migrations.RunSQL(
            "ALTER TABLE analytics_lastactiveblock SET (fillfactor = 50)", migrations.RunSQL.noop
        ),
        # A sequence: others must see it raised before the transaction that raised it ends.
        migrations.RunSQL(
            "CREATE SEQUENCE analytics_rollup_epoch", "DROP SEQUENCE analytics_rollup_epoch"
        ),
    ]
