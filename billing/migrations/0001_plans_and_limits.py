import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import uuid
from django.conf import settings
from django.db import migrations, models


# Erasing removes distinct ids in SQL, so it is the database that lets what belongs to them go.
def _belongs_to_a_distinct_id(table):
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
        ('analytics', '0013_persons_by_email'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='UsageMeter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(help_text='How the API names it, such as workflow_runs: keep it.', unique=True)),
                ('name', models.CharField(help_text='As your customers read it: “Workflow runs”', max_length=60)),
                ('event', models.CharField(blank=True, help_text='The events that count. Empty: every event.', max_length=200)),
                ('aggregation', models.CharField(choices=[('count', 'the events'), ('distinct', 'different values of a property'), ('sum', 'the sum of a property')], default='count', max_length=10, verbose_name='counts')),
                ('property', models.CharField(blank=True, help_text="Whose values count. For a sum only positive numbers do; another value adds nothing, and the person's usage page says how often that was so.", max_length=200)),
                ('period', models.CharField(choices=[('month', 'calendar month'), ('billing', 'billing period (without a subscription: calendar month)'), ('lifetime', 'lifetime')], default='month', help_text='When the count begins anew. Months are those of PLUMBLINE_TIME_ZONE.', max_length=10)),
            ],
            options={
                'ordering': ['slug'],
            },
        ),
        migrations.CreateModel(
            name='Plan',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(help_text='How the API names it. Events and answers carry it: keep it.', unique=True)),
                ('name', models.CharField(help_text='As your customers read it', max_length=60)),
                ('rank', models.PositiveSmallIntegerField(help_text='A higher one is the better plan: upgrades are suggested upwards, and who pays for several has the highest', unique=True)),
                ('is_default', models.BooleanField(default=False, help_text='Of everybody who pays for no plan. There is one.', verbose_name='default')),
                ('offered', models.BooleanField(default=True, help_text='Suggested as an upgrade; not so for plans that you sell no more')),
                ('emails', models.BooleanField(default=True, help_text='At 80 and 100 % of its limits people get an e-mail, once in each period', verbose_name='e-mails')),
                ('features', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=200), blank=True, default=list, help_text='One a line', size=None)),
            ],
            options={
                'ordering': ['rank'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_default', True)), fields=('is_default',), name='one_default_plan', violation_error_message='Another plan is the default already.')],
            },
        ),
        migrations.CreateModel(
            name='PlanPrice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('price_id', models.CharField(error_messages={'unique': 'Another plan has this price already.'}, help_text='Such as price_1Q2w3E. The first one is what an upgrade link sells.', max_length=255, unique=True, validators=[django.core.validators.RegexValidator('^price_\\w+$|^plan_\\w+$', 'A Stripe price id begins with price_.')], verbose_name='Stripe price')),
                ('plan', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='prices', to='billing.plan')),
            ],
            options={
                'verbose_name': 'Stripe price',
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='PlanLimit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amount', models.PositiveBigIntegerField(help_text='In one period of the meter. 0: the plan does not have it at all. No limit: delete this one.', validators=[django.core.validators.MaxValueValidator(1000000000000000)], verbose_name='limit')),
                ('hard', models.BooleanField(default=True, help_text='Requests beyond it are refused (402). A soft limit only warns.')),
                ('grace_percent', models.PositiveSmallIntegerField(default=0, help_text='How far beyond a hard limit requests are still let through', validators=[django.core.validators.MaxValueValidator(1000)], verbose_name='grace, in %')),
                ('grace', models.PositiveBigIntegerField(default=0, help_text='The same as a number; the larger of the two holds', validators=[django.core.validators.MaxValueValidator(1000000000000000)], verbose_name='grace, as a number')),
                ('plan', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='limits', to='billing.plan')),
                ('meter', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='limits', to='billing.usagemeter')),
            ],
            options={
                'verbose_name': 'limit',
                'ordering': ['plan__rank', 'meter__slug'],
                'constraints': [models.UniqueConstraint(fields=('plan', 'meter'), name='one_limit_per_plan_and_meter', violation_error_message='This plan has a limit of this meter already.')],
            },
        ),
        migrations.CreateModel(
            name='LimitException',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amount', models.PositiveBigIntegerField(blank=True, help_text="Instead of the plan's limit of that meter, where it is more. Empty: no limit.", null=True, validators=[django.core.validators.MaxValueValidator(1000000000000000)], verbose_name='limit')),
                ('ends_on', models.DateField(help_text='The last day on which it holds', verbose_name='until')),
                ('reason', models.CharField(help_text='For those who ask later', max_length=200)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL)),
                ('distinct_id', models.ForeignKey(db_column='distinct_id', db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='analytics.distinctid')),
                ('plan', models.ForeignKey(blank=True, help_text='The plan they have until then, unless they pay for a higher one', null=True, on_delete=django.db.models.deletion.CASCADE, to='billing.plan')),
                ('meter', models.ForeignKey(blank=True, help_text='Or: the meter of which they have another limit', null=True, on_delete=django.db.models.deletion.CASCADE, to='billing.usagemeter')),
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
                ('email', models.CharField(choices=[('waiting', 'Waiting'), ('sending', 'Sending: whether it arrived is unknown if it stays so'), ('sent', 'Sent'), ('failed', 'Failed: tried again by the next run'), ('no_address', 'Not sent: no e-mail address is known'), ('outdated', 'Not sent: it was not so any more'), ('plan_without', 'Not sent: the plan sends none'), ('demo', 'Not sent: a person of the demo'), ('off', 'Not sent: PLUMBLINE_EMAIL_FROM is not set')], default='waiting', max_length=12, verbose_name='e-mail')),
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
        _belongs_to_a_distinct_id('limitexception'),
        _belongs_to_a_distinct_id('usagenotice'),
        _belongs_to_a_distinct_id('usagereservation'),
    ]
