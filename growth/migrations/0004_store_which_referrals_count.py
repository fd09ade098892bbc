from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

# The task that derives referrals, which runs every minute, decides for those that exist.
DERIVE_AGAIN = """
INSERT INTO growth_referralcheck (person_id)
SELECT DISTINCT person_id FROM growth_referral JOIN analytics_distinctid USING (distinct_id)
"""


class Migration(migrations.Migration):

    atomic = False  # referrals stay writable meanwhile

    dependencies = [
        ('growth', '0003_spend'),
    ]

    operations = [
        migrations.AddField(
            model_name='referral',
            name='inviter_signup_at',
            field=models.DateTimeField(help_text='Empty unless it counts as an invitation within 30 days of it', null=True),
        ),
        migrations.AddField(
            model_name='referral',
            name='is_accepted',
            field=models.BooleanField(db_default=False, default=False, help_text="The referred person also signed up within 30 days of the inviter's signup"),
        ),
        AddIndexConcurrently(
            model_name='referral',
            index=models.Index(condition=models.Q(('inviter_signup_at__isnull', False)), fields=['inviter_signup_at'], include=('is_accepted',), name='referral_by_inviter_signup'),
        ),
        migrations.RunSQL(DERIVE_AGAIN, migrations.RunSQL.noop),
    ]
