import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import uuid
from django.conf import settings
from django.db import migrations, models


def _belongs_to_a_distinct_id(table):
    """Erasing removes distinct ids in SQL, so the database removes what belongs to them."""
    return migrations.RunSQL(
        f"""
        ALTER TABLE billing_{table} ADD CONSTRAINT {table}_of_a_distinct_id
        FOREIGN KEY (distinct_id) REFERENCES analytics_distinctid (distinct_id) ON DELETE CASCADE
        """,
        f"ALTER TABLE billing_{table} DROP CONSTRAINT {table}_of_a_distinct_id",
    )


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('djstripe', '0001_initial'),  # its tables are read together with these
        ('analytics', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='CashEntry',
            fields=[
                ('stripe_id', models.CharField(max_length=255, primary_key=True, serialize=False, verbose_name='Stripe object')),
                ('customer_id', models.CharField(blank=True, db_index=True, max_length=255, verbose_name='customer')),
                ('kind', models.CharField(choices=[('payment', 'payment'), ('refund', 'refund'), ('credit_note', 'credit note')], max_length=12)),
                ('happened_at', models.DateTimeField(db_index=True)),
                ('amount', models.BigIntegerField(help_text='In minor units of the currency, never below 0')),
                ('currency', models.CharField(max_length=3)),
            ],
            options={
                'verbose_name_plural': 'cash',
            },
        ),
        migrations.CreateModel(
            name='IdempotentRequest',
            fields=[
                ('key', models.CharField(max_length=255, primary_key=True, serialize=False)),
                ('fingerprint', models.CharField(help_text='SHA-256 of path and body', max_length=64)),
                ('status', models.PositiveSmallIntegerField(help_text='Empty: still in progress', null=True)),
                ('answer', models.JSONField(null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name='MrrDay',
            fields=[
                ('day', models.DateField(primary_key=True, serialize=False)),
                ('new', models.BigIntegerField()),
                ('reactivation', models.BigIntegerField()),
                ('expansion', models.BigIntegerField()),
                ('contraction', models.BigIntegerField(help_text='Positive, as it is subtracted')),
                ('churn', models.BigIntegerField(help_text='Positive, as it is subtracted')),
                ('new_customers', models.IntegerField()),
                ('reactivated_customers', models.IntegerField()),
                ('churned_customers', models.IntegerField()),
            ],
            options={
                'verbose_name': 'MRR of a day',
            },
        ),
        migrations.CreateModel(
            name='RevenueSettings',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reporting_currency', models.CharField(default='usd', help_text="Stripe's code, for example usd. A change rebuilds the ledger with the exchange rates of each movement's day.", max_length=3)),
                ('gross_margin_percent', models.DecimalField(blank=True, decimal_places=2, help_text='Share of revenue left after the cost of delivering it, used for LTV. Empty: 100 % is used, and LTV says so.', max_digits=5, null=True, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(100)], verbose_name='gross margin, in %')),
                ('built_currency', models.CharField(blank=True, editable=False, max_length=3)),
                ('built_time_zone', models.CharField(blank=True, editable=False, max_length=64)),
            ],
            options={
                'verbose_name_plural': 'revenue settings',
            },
        ),
        migrations.CreateModel(
            name='UsageMeter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(help_text='Name in the API, for example workflow_runs. Do not change it.', unique=True)),
                ('name', models.CharField(help_text='As shown to your customers, for example “Workflow runs”', max_length=60)),
                ('event', models.CharField(blank=True, help_text='Name of the counted event. Empty: every event.', max_length=200)),
                ('aggregation', models.CharField(choices=[('count', 'the events'), ('distinct', 'distinct values of a property'), ('sum', 'the sum of a property')], default='count', max_length=10, verbose_name='counts')),
                ('property', models.CharField(blank=True, help_text='The property whose values count. A sum adds positive numbers only; the usage page of a person shows how many events were ignored.', max_length=200)),
                ('period', models.CharField(choices=[('month', 'calendar month'), ('billing', 'billing period (without a subscription: calendar month)'), ('lifetime', 'lifetime')], default='month', help_text='When usage resets. Months follow PLUMBLINE_TIME_ZONE.', max_length=10)),
            ],
            options={
                'ordering': ['slug'],
            },
        ),
        migrations.CreateModel(
            name='FxRate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('currency', models.CharField(help_text='For example eur', max_length=3)),
                ('into', models.CharField(help_text='The reporting currency, for example usd', max_length=3)),
                ('day', models.DateField(help_text='Applies until there is a newer rate, for at most 7 days')),
                ('rate', models.DecimalField(decimal_places=10, help_text='For 1 EUR = 1.0835 USD enter 1.0835', max_digits=20, validators=[django.core.validators.MinValueValidator(1e-10)])),
            ],
            options={
                'verbose_name': 'exchange rate',
                'constraints': [models.UniqueConstraint(fields=('currency', 'into', 'day'), name='one_rate_per_currencies_and_day', violation_error_message='These currencies already have a rate on this day.')],
            },
        ),
        migrations.CreateModel(
            name='HeldObject',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('customer_id', models.CharField(max_length=255, verbose_name='customer')),
                ('stripe_id', models.CharField(max_length=255, verbose_name='Stripe object')),
                ('field', models.CharField(max_length=100)),
                ('reason', models.TextField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('customer_id', 'stripe_id', 'reason'), name='held_object_once')],
            },
        ),
        migrations.CreateModel(
            name='MrrMovement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('customer_id', models.CharField(max_length=255, verbose_name='customer')),
                ('day', models.DateField()),
                ('kind', models.CharField(choices=[('new', 'new'), ('reactivation', 'reactivation'), ('expansion', 'expansion'), ('contraction', 'contraction'), ('churn', 'churn'), ('held', 'held')], max_length=12)),
                ('amount', models.BigIntegerField(help_text='Negative if MRR went down')),
                ('currency', models.CharField(max_length=3)),
                ('original_amount', models.BigIntegerField(help_text='In minor units of the original currency')),
                ('fx_rate', models.DecimalField(decimal_places=10, help_text='Rate of the day, kept permanently. Empty in the reporting currency and if MRR went down.', max_digits=20, null=True, verbose_name='exchange rate')),
                ('opening', models.BigIntegerField(help_text="The customer's MRR before the day")),
                ('closing', models.BigIntegerField(help_text="The customer's MRR after the day")),
                ('sources', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), help_text='Ids of the Stripe objects that caused it', size=None)),
            ],
            options={
                'verbose_name': 'MRR movement',
                'indexes': [models.Index(fields=['day'], name='mrr_movement_by_day'), models.Index(condition=models.Q(('kind', 'held')), fields=['currency', 'day'], name='mrr_movement_held')],
                'constraints': [models.UniqueConstraint(fields=('customer_id', 'day', 'currency'), name='one_movement_per_customer_day_currency')],
            },
        ),
        migrations.CreateModel(
            name='Plan',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(help_text='Name in the API, in events and responses. Do not change it.', unique=True)),
                ('name', models.CharField(help_text='As shown to your customers', max_length=60)),
                ('rank', models.PositiveSmallIntegerField(help_text='Higher is better: upgrades are suggested upwards, and customers with several plans get the highest', unique=True)),
                ('is_default', models.BooleanField(default=False, help_text='The plan for everyone without a paid plan. There is exactly one.', verbose_name='default')),
                ('offered', models.BooleanField(default=True, help_text='Suggest it as an upgrade. Turn off for plans you no longer sell.')),
                ('emails', models.BooleanField(default=True, help_text='E-mail people at 80 % and 100 % of a limit, once per period', verbose_name='e-mails')),
                ('features', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=200), blank=True, default=list, help_text='One per line', size=None)),
            ],
            options={
                'ordering': ['rank'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_default', True)), fields=('is_default',), name='one_default_plan', violation_error_message='Another plan is already the default.')],
            },
        ),
        migrations.CreateModel(
            name='PlanPrice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('price_id', models.CharField(error_messages={'unique': 'Another plan already has this price.'}, help_text='For example price_1Q2w3E. Upgrade links sell the first price.', max_length=255, unique=True, validators=[django.core.validators.RegexValidator('^price_\\w+$|^plan_\\w+$', 'A Stripe price id starts with price_.')], verbose_name='Stripe price')),
                ('plan', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='prices', to='billing.plan')),
            ],
            options={
                'verbose_name': 'Stripe price',
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='RevenueCustomer',
            fields=[
                ('customer_id', models.CharField(max_length=255, primary_key=True, serialize=False)),
                ('mrr', models.BigIntegerField()),
                ('at_risk', models.BigIntegerField(help_text='MRR whose payment is past due')),
                ('scheduled_churn', models.BigIntegerField(help_text='MRR scheduled to cancel')),
                ('ends_on', models.DateField(help_text='First day on which scheduled MRR ends', null=True)),
                ('changes_on', models.DateField(help_text='When MRR changes on its own, for example at the end of a discount', null=True)),
                ('signup_month', models.DateField(help_text='Signup month of the person; empty: unknown', null=True)),
                ('excluded', models.BooleanField(help_text='Belongs to a test or internal person: not included in any total')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('changes_on__isnull', False)), fields=['changes_on'], name='revenue_customer_changes')],
            },
        ),
        migrations.CreateModel(
            name='StripeCustomer',
            fields=[
                ('customer_id', models.CharField(max_length=255, primary_key=True, serialize=False, verbose_name='Stripe customer')),
                ('distinct_id', models.ForeignKey(db_column='distinct_id', db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='analytics.distinctid')),
            ],
        ),
        migrations.CreateModel(
            name='StripeEvent',
            fields=[
                ('event_id', models.CharField(max_length=255, primary_key=True, serialize=False)),
                ('type', models.CharField(max_length=250)),
                ('object_id', models.CharField(blank=True, max_length=255, verbose_name='object')),
                ('customer_id', models.CharField(blank=True, max_length=255, verbose_name='customer')),
                ('happened_at', models.DateTimeField(help_text="Stripe's time of the event")),
                ('received_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('fingerprint', models.CharField(help_text='SHA-256 of type, time and data', max_length=64)),
                ('payload', models.JSONField(help_text='The event; its object is completed with the objects it refers to')),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('applied', 'Applied'), ('ignored', 'Ignored'), ('failed', 'failed, to be retried'), ('refused', 'Refused')], default='waiting', max_length=10)),
                ('reason', models.TextField(blank=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('due_at', models.DateTimeField(help_text='Empty: nothing left to do', null=True, verbose_name='next attempt')),
            ],
            options={
                'verbose_name': 'Stripe event',
                'indexes': [models.Index(condition=models.Q(('due_at__isnull', False)), fields=['due_at'], name='stripe_event_due'), models.Index(fields=['customer_id', 'happened_at'], name='stripe_event_of_customer'), models.Index(django.contrib.postgres.indexes.OpClass('object_id', 'text_pattern_ops'), name='stripe_event_of_object')],
            },
        ),
        migrations.CreateModel(
            name='SubscriptionStart',
            fields=[
                ('subscription_id', models.CharField(max_length=255, primary_key=True, serialize=False)),
                ('customer_id', models.CharField(max_length=255)),
                ('created_at', models.DateTimeField(db_index=True)),
            ],
            options={
                'indexes': [models.Index(fields=['customer_id'], name='subscription_start_customer')],
            },
        ),
        migrations.CreateModel(
            name='PlanLimit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amount', models.PositiveBigIntegerField(help_text='Per period of the meter. 0: not included in the plan. For no limit, delete it.', validators=[django.core.validators.MaxValueValidator(1000000000000000)], verbose_name='limit')),
                ('hard', models.BooleanField(default=True, help_text='Refuse requests over the limit (402). A soft limit only warns.')),
                ('grace_percent', models.PositiveSmallIntegerField(default=0, help_text='How far over a hard limit requests are still allowed', validators=[django.core.validators.MaxValueValidator(1000)], verbose_name='grace, in %')),
                ('grace', models.PositiveBigIntegerField(default=0, help_text='The same as a number; the larger of the two applies', validators=[django.core.validators.MaxValueValidator(1000000000000000)], verbose_name='grace, as a number')),
                ('plan', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='limits', to='billing.plan')),
                ('meter', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='limits', to='billing.usagemeter')),
            ],
            options={
                'verbose_name': 'limit',
                'ordering': ['plan__rank', 'meter__slug'],
                'constraints': [models.UniqueConstraint(fields=('plan', 'meter'), name='one_limit_per_plan_and_meter', violation_error_message='This plan already has a limit on this meter.')],
            },
        ),
        migrations.CreateModel(
            name='LimitException',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amount', models.PositiveBigIntegerField(blank=True, help_text="Replaces the plan's limit on that meter if it is higher. Empty: no limit.", null=True, validators=[django.core.validators.MaxValueValidator(1000000000000000)], verbose_name='limit')),
                ('ends_on', models.DateField(help_text='Last day, inclusive', verbose_name='until')),
                ('reason', models.CharField(help_text='Shown to other staff', max_length=200)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL)),
                ('distinct_id', models.ForeignKey(db_column='distinct_id', db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='analytics.distinctid')),
                ('plan', models.ForeignKey(blank=True, help_text='Their plan until then, unless they pay for a higher plan', null=True, on_delete=django.db.models.deletion.CASCADE, to='billing.plan')),
                ('meter', models.ForeignKey(blank=True, help_text='Or the meter on which they get another limit', null=True, on_delete=django.db.models.deletion.CASCADE, to='billing.usagemeter')),
            ],
            options={
                'verbose_name': 'exception',
                'constraints': [models.CheckConstraint(condition=models.Q(('plan', None), ('meter', None), _connector='XOR'), name='exception_of_a_plan_or_a_meter')],
            },
        ),
        migrations.CreateModel(
            name='UsageNotice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('period_start', models.DateTimeField()),
                ('resets_at', models.DateTimeField(null=True)),
                ('threshold', models.PositiveSmallIntegerField(help_text='Percent of the limit')),
                ('used', models.DecimalField(decimal_places=10, max_digits=40)),
                ('limit', models.PositiveBigIntegerField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('email', models.CharField(choices=[('waiting', 'Waiting'), ('sending', 'Sending: delivery is unknown if this does not change'), ('sent', 'Sent'), ('failed', 'Failed: the next run retries'), ('no_address', 'Not sent: no e-mail address'), ('outdated', 'Not sent: no longer true'), ('plan_without', 'Not sent: turned off for the plan'), ('demo', 'Not sent: demo person'), ('off', 'Not sent: PLUMBLINE_EMAIL_FROM is not set')], default='waiting', max_length=12, verbose_name='e-mail')),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('distinct_id', models.ForeignKey(db_column='distinct_id', db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='analytics.distinctid')),
                ('meter', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='billing.usagemeter')),
                ('plan', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='billing.plan')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('email__in', ['waiting', 'failed'])), fields=['email'], name='notice_to_send')],
                'constraints': [models.UniqueConstraint(fields=('distinct_id', 'meter', 'plan', 'period_start', 'threshold'), name='one_notice_per_period_and_threshold')],
            },
        ),
        migrations.CreateModel(
            name='UsageReservation',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ('period_start', models.DateTimeField()),
                ('amount', models.PositiveBigIntegerField()),
                ('up_to', models.DecimalField(decimal_places=10, max_digits=40)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('expires_at', models.DateTimeField(db_index=True)),
                ('idempotency_key', models.CharField(max_length=255, null=True)),
                ('distinct_id', models.ForeignKey(db_column='distinct_id', db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='analytics.distinctid')),
                ('meter', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='billing.usagemeter')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('distinct_id', 'meter', 'idempotency_key'), name='one_reservation_per_idempotency_key')],
            },
        ),
        _belongs_to_a_distinct_id("limitexception"),
        _belongs_to_a_distinct_id("usagenotice"),
        _belongs_to_a_distinct_id("usagereservation"),
        _belongs_to_a_distinct_id("stripecustomer"),
    ]
