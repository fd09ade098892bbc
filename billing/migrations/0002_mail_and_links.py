import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('analytics', '0004_mail_claims'),
        ('billing', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='stripecustomer',
            name='proof',
            field=models.CharField(choices=[('metadata', 'The metadata at Stripe names the person'), ('email', 'Same e-mail address, which is proved'), ('staff', 'Linked by staff')], default='staff', editable=False, max_length=8),
        ),
        migrations.AlterField(
            model_name='usagenotice',
            name='email',
            field=models.CharField(choices=[('waiting', 'Waiting'), ('sending', 'Sending: delivery is unknown if this does not change'), ('sent', 'Sent'), ('failed', 'Failed: the next run retries'), ('no_address', 'Not sent: no e-mail address'), ('unproved', 'Not sent: the address is only claimed'), ('duplicate', 'Not sent: the address got the same e-mail for another person'), ('capped', 'Not sent: the address got its e-mails of the day'), ('outdated', 'Not sent: no longer true'), ('plan_without', 'Not sent: turned off for the plan'), ('demo', 'Not sent: demo person'), ('off', 'Not sent: PLUMBLINE_EMAIL_FROM is not set')], default='waiting', max_length=12, verbose_name='e-mail'),
        ),
        migrations.CreateModel(
            name='RefusedLink',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('customer_id', models.CharField(max_length=255)),
                ('refused_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('refused_by', models.TextField(help_text='The staff user in the admin')),
                ('distinct_id', models.ForeignKey(db_column='distinct_id', db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='analytics.distinctid')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('customer_id', 'distinct_id'), name='one_refusal_per_customer_and_id')],
            },
        ),
        # Erasing removes distinct ids in SQL, so the database removes what belongs to them.
        migrations.RunSQL(
            """
            ALTER TABLE billing_refusedlink ADD CONSTRAINT refusedlink_of_a_distinct_id
            FOREIGN KEY (distinct_id) REFERENCES analytics_distinctid (distinct_id) ON DELETE CASCADE
            """,
            "ALTER TABLE billing_refusedlink DROP CONSTRAINT refusedlink_of_a_distinct_id",
        ),
    ]
