import analytics.calculations.wire
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('analytics', '0003_inbox_requests_say_what_they_hold'),
    ]

    operations = [
        migrations.AlterField(
            model_name='rejectedevent',
            name='reason',
            field=models.CharField(choices=[(analytics.calculations.wire.Reason['MALFORMED'], 'malformed'), (analytics.calculations.wire.Reason['MISSING_FIELD'], 'missing field'), (analytics.calculations.wire.Reason['BAD_FIELD'], 'bad field'), (analytics.calculations.wire.Reason['BAD_TIMESTAMP'], 'bad timestamp'), (analytics.calculations.wire.Reason['TOO_OLD'], 'too old'), (analytics.calculations.wire.Reason['TOO_LARGE'], 'too large'), (analytics.calculations.wire.Reason['UUID_REUSED'], 'uuid reused'), (analytics.calculations.wire.Reason['UNSTORABLE'], 'unstorable')], max_length=40),
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
    ]
