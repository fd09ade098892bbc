import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='AlertChannel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100, unique=True)),
                ('url', models.CharField(help_text='For example slack://TokenA/TokenB/TokenC/ or jsons://hooks.example.com/alerts', max_length=1000, verbose_name='Apprise URL')),
                ('enabled', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
            ],
        ),
        migrations.CreateModel(
            name='Heartbeat',
            fields=[
                ('process', models.CharField(max_length=32, primary_key=True, serialize=False)),
                ('at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='QualityRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(db_index=True)),
                ('score', models.PositiveSmallIntegerField(help_text='None: no data', null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Alert',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('kpi', 'KPI'), ('health', 'system health')], max_length=6)),
                ('subject', models.CharField(help_text='The KPI, or the component of the system', max_length=64)),
                ('needed', models.PositiveSmallIntegerField(default=2, help_text='How many of the latest readings must breach a threshold to fire')),
                ('window', models.PositiveSmallIntegerField(default=3, help_text='How many readings are considered', verbose_name='latest readings')),
                ('margin', models.FloatField(default=0.02, help_text='How far a value must pass its threshold to resolve: 0.02 is 2 %', verbose_name='recovery margin')),
                ('reminder_days', models.PositiveSmallIntegerField(default=3, help_text='Days between reminders until it is acknowledged; 0: none')),
                ('status', models.CharField(choices=[('ok', 'ok'), ('pending', 'pending'), ('warning', 'warning'), ('critical', 'critical'), ('no_data', 'no data'), ('held', 'held')], default='ok', max_length=8)),
                ('firing', models.CharField(choices=[('ok', 'ok'), ('warning', 'warning'), ('critical', 'critical')], default='ok', max_length=8)),
                ('episode', models.PositiveIntegerField(default=0, help_text='How often it has fired')),
                ('since', models.DateTimeField(null=True)),
                ('fired_at', models.DateTimeField(help_text='When the last episode began', null=True)),
                ('cleared', models.BigIntegerField(default=0)),
                ('acknowledged', models.BooleanField(default=False)),
                ('silenced_until', models.DateTimeField(blank=True, null=True)),
                ('silence_reason', models.CharField(blank=True, max_length=200)),
                ('notified_episode', models.PositiveIntegerField(default=0)),
                ('notified_severity', models.CharField(choices=[('ok', 'ok'), ('warning', 'warning'), ('critical', 'critical')], default='ok', max_length=8)),
                ('notified_at', models.DateTimeField(null=True)),
                ('latest', models.TextField(blank=True, help_text='The latest reading in words')),
                ('recent', models.JSONField(default=list, help_text="The latest readings of a component's health")),
                ('checked_at', models.DateTimeField(null=True)),
                ('acknowledged_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='AlertChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('was', models.CharField(choices=[('ok', 'ok'), ('pending', 'pending'), ('warning', 'warning'), ('critical', 'critical'), ('no_data', 'no data'), ('held', 'held')], max_length=8)),
                ('status', models.CharField(choices=[('ok', 'ok'), ('pending', 'pending'), ('warning', 'warning'), ('critical', 'critical'), ('no_data', 'no data'), ('held', 'held')], max_length=8)),
                ('notification', models.CharField(blank=True, choices=[('firing', 'firing'), ('worse', 'worse'), ('better', 'better'), ('resolved', 'resolved'), ('reminder', 'reminder')], max_length=8)),
                ('detail', models.TextField(blank=True)),
                ('alert', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='changes', to='operational.alert')),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(help_text='Identifies the message, so that it is sent once', max_length=300, unique=True)),
                ('kind', models.CharField(choices=[('alert', 'Alert'), ('daily report', 'Daily Report'), ('weekly report', 'Weekly Report'), ('test', 'Test')], max_length=13)),
                ('email', models.EmailField(blank=True, max_length=254)),
                ('subject', models.CharField(max_length=300)),
                ('text', models.TextField()),
                ('html', models.TextField(blank=True)),
                ('headers', models.JSONField(default=dict)),
                ('status', models.CharField(choices=[('waiting', 'Waiting'), ('sending', 'Sending'), ('sent', 'Sent'), ('failed', 'failed: gave up'), ('expired', 'expired: too late to be useful')], default='waiting', max_length=7)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('created_at', models.DateTimeField()),
                ('due_at', models.DateTimeField(help_text='The next attempt, or the end of a claim', null=True)),
                ('expires_at', models.DateTimeField(help_text='Not sent after this time')),
                ('sent_at', models.DateTimeField(null=True)),
                ('problem', models.TextField(blank=True, help_text='Why the last attempt failed')),
                ('channel', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, to='operational.alertchannel')),
            ],
            options={
                'verbose_name_plural': 'deliveries',
            },
        ),
        migrations.CreateModel(
            name='JobRun',
            fields=[
                ('task_id', models.CharField(help_text="The task's id in Celery", max_length=64, primary_key=True, serialize=False)),
                ('job', models.CharField(help_text='The name of the schedule', max_length=200)),
                ('started_at', models.DateTimeField()),
                ('finished_at', models.DateTimeField(null=True)),
                ('outcome', models.CharField(choices=[('running', 'Running'), ('ok', 'Ok'), ('failed', 'Failed')], default='running', max_length=7)),
                ('problem', models.TextField(blank=True, help_text='Why it failed')),
            ],
            options={
                'verbose_name_plural': 'job history',
                'indexes': [models.Index(fields=['job', '-started_at'], name='job_run_by_job'), models.Index(fields=['started_at'], name='job_run_by_start')],
            },
        ),
        migrations.CreateModel(
            name='KpiGoal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kpi', models.CharField(max_length=32)),
                ('version', models.PositiveIntegerField()),
                ('target', models.FloatField(help_text='Full score at this value. Rates as fractions: 0.25 = 25 %')),
                ('weight', models.PositiveSmallIntegerField(help_text="Share of the alignment score, relative to the other KPIs' weights")),
                ('warning', models.FloatField(blank=True, help_text='A value worse than this is a warning', null=True)),
                ('critical', models.FloatField(blank=True, help_text='A value worse than this is critical', null=True)),
                ('basis', models.CharField(blank=True, help_text='What growth is measured on, for the growth KPI', max_length=16)),
                ('note', models.CharField(blank=True, help_text='Why it was changed', max_length=200)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'goal',
            },
        ),
        migrations.CreateModel(
            name='KpiReading',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kpi', models.CharField(max_length=32)),
                ('day', models.DateField(help_text='The last complete day it covers')),
                ('status', models.CharField(choices=[('ok', 'ok'), ('low_sample', 'low_sample'), ('held', 'held'), ('no_data', 'no_data')], max_length=16)),
                ('reason', models.TextField(blank=True)),
                ('value', models.FloatField(null=True)),
                ('numerator', models.FloatField(null=True)),
                ('denominator', models.FloatField(null=True)),
                ('low', models.FloatField(help_text='95 % interval, lower end', null=True)),
                ('high', models.FloatField(help_text='95 % interval, upper end', null=True)),
                ('window_from', models.DateField(null=True)),
                ('window_to', models.DateField(null=True)),
                ('basis', models.CharField(blank=True, max_length=16)),
                ('exclusions', models.JSONField(default=list)),
                ('formula_version', models.PositiveIntegerField()),
                ('goal_version', models.PositiveIntegerField(help_text='In force when it was first reported')),
                ('recorded_at', models.DateTimeField(help_text='When the value was last computed')),
                ('first_value', models.FloatField(help_text='As first reported', null=True)),
                ('first_recorded_at', models.DateTimeField()),
            ],
            options={
                'verbose_name': 'KPI reading',
                'indexes': [models.Index(fields=['day'], name='operational_day_7273f6_idx')],
                'constraints': [models.UniqueConstraint(fields=('kpi', 'day'), name='one_reading_per_kpi_and_day')],
            },
        ),
        migrations.CreateModel(
            name='PriorityAction',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('kpi', 'KPI'), ('quality', 'data quality'), ('health', 'system health')], max_length=7)),
                ('subject', models.CharField(help_text='The KPI, the check or the component', max_length=64)),
                ('state', models.CharField(choices=[('open', 'Open'), ('taken', 'Taken'), ('done', 'Done'), ('dismissed', 'Dismissed'), ('settled', 'resolved automatically')], default='open', max_length=9)),
                ('title', models.CharField(max_length=200)),
                ('detail', models.TextField(blank=True)),
                ('severity', models.CharField(choices=[('ok', 'ok'), ('warning', 'warning'), ('critical', 'critical')], default='ok', max_length=8)),
                ('points_lost', models.FloatField(default=0, help_text='Of the alignment score')),
                ('reach', models.FloatField(default=1, help_text='The share of the gap that it is expected to close')),
                ('people', models.PositiveIntegerField(help_text='People affected', null=True)),
                ('opened_at', models.DateTimeField()),
                ('refreshed_at', models.DateTimeField()),
                ('due', models.DateField(blank=True, null=True)),
                ('notes', models.TextField(blank=True)),
                ('closed_at', models.DateTimeField(null=True)),
                ('reason', models.CharField(blank=True, help_text='Why it was dismissed', max_length=200)),
                ('kpi_before', models.FloatField(help_text='When it was taken', null=True)),
                ('kpi_after', models.FloatField(help_text='When it was done, and up to 30 days later', null=True)),
                ('kpi_after_day', models.DateField(null=True)),
                ('target', models.FloatField(help_text='When it was done', null=True)),
                ('owner', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='QualityIgnore',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('check_slug', models.CharField(max_length=64, verbose_name='check')),
                ('reason', models.CharField(max_length=200)),
                ('until', models.DateField(help_text='The last day on which it is ignored')),
                ('most', models.PositiveBigIntegerField(blank=True, help_text='Counts again when more rows are affected', null=True, verbose_name='up to')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('created_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'ignored finding',
            },
        ),
        migrations.CreateModel(
            name='QualityResult',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('check_slug', models.CharField(max_length=64)),
                ('verdict', models.CharField(choices=[('pass', 'pass'), ('warning', 'warning'), ('fail', 'fail'), ('no_data', 'no data')], max_length=7)),
                ('affected', models.BigIntegerField(default=0)),
                ('detail', models.TextField(blank=True)),
                ('examples', models.JSONField(default=list, help_text='Text, page and argument of each')),
                ('ignored', models.BooleanField(default=False)),
                ('seconds', models.FloatField(help_text='Duration')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='results', to='operational.qualityrun')),
            ],
        ),
        migrations.CreateModel(
            name='Report',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('daily', 'Daily'), ('weekly', 'Weekly')], max_length=6)),
                ('day', models.DateField(help_text='The last day of the period')),
                ('made_at', models.DateTimeField()),
                ('content', models.JSONField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('kind', 'day'), name='one_report_per_period')],
            },
        ),
        migrations.CreateModel(
            name='ReportSubscriber',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('email', models.EmailField(max_length=254, unique=True)),
                ('time_zone', models.CharField(default='UTC', help_text='For example Europe/Berlin', max_length=64)),
                ('daily', models.BooleanField(default=True, verbose_name='daily report')),
                ('weekly', models.BooleanField(default=True, verbose_name='weekly report')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('user', models.ForeignKey(blank=True, help_text='Their account, if they have one. Reports stop when it is deactivated.', null=True, on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.AddConstraint(
            model_name='alert',
            constraint=models.UniqueConstraint(fields=('kind', 'subject'), name='one_alert_per_subject'),
        ),
        migrations.AddIndex(
            model_name='alertchange',
            index=models.Index(fields=['alert', '-at'], name='alert_change_by_alert'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('due_at__isnull', False)), fields=['due_at'], name='delivery_due'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(fields=['-created_at'], name='delivery_by_age'),
        ),
        migrations.AddConstraint(
            model_name='kpigoal',
            constraint=models.UniqueConstraint(fields=('kpi', 'version'), name='one_goal_per_kpi_and_version'),
        ),
        migrations.AddIndex(
            model_name='priorityaction',
            index=models.Index(fields=['kind', 'subject', '-closed_at'], name='action_by_subject'),
        ),
        migrations.AddConstraint(
            model_name='priorityaction',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['open', 'taken'])), fields=('kind', 'subject'), name='one_active_action_per_subject'),
        ),
        migrations.AddConstraint(
            model_name='qualityresult',
            constraint=models.UniqueConstraint(fields=('run', 'check_slug'), name='one_result_per_check'),
        ),
    ]
