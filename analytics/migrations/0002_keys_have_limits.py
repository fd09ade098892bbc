import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('analytics', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='projectkey',
            name='daily_quota',
            field=models.PositiveBigIntegerField(blank=True, help_text='Events a UTC day; what is beyond is dropped for good. Empty: no quota.', null=True, validators=[django.core.validators.MinValueValidator(1)]),
        ),
        migrations.AddField(
            model_name='projectkey',
            name='last_used_at',
            field=models.DateTimeField(blank=True, help_text='To the minute', null=True),
        ),
        migrations.AddField(
            model_name='projectkey',
            name='rate_limit',
            field=models.PositiveIntegerField(blank=True, help_text='Events a second; what is beyond is refused (429) and sent again by the SDKs. Empty: no limit.', null=True, validators=[django.core.validators.MinValueValidator(1)]),
        ),
    ]
