from django.db import migrations, models

# The task that derives referrals, which runs every minute, decides for those that exist.
DERIVE_AGAIN = """
INSERT INTO growth_referralcheck (person_id)
SELECT DISTINCT person_id FROM growth_referral JOIN analytics_distinctid USING (distinct_id)
"""


class Migration(migrations.Migration):

    dependencies = [
        ('growth', '0005_suppressions_cover_mailboxes'),
    ]

    operations = [
        migrations.AddField(
            model_name='referral',
            name='proved_since',
            field=models.DateTimeField(help_text='Where it is proved who brought the person: payments from then on count', null=True),
        ),
        migrations.RunSQL(DERIVE_AGAIN, migrations.RunSQL.noop),
    ]
