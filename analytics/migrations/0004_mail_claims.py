from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('analytics', '0003_erasure'),
    ]

    operations = [
        migrations.CreateModel(
            name='MailClaim',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('mailbox', models.CharField(help_text='Keyed hash of the mailbox', max_length=64)),
                ('key', models.CharField(help_text='What is sent: once to each mailbox', max_length=200)),
                ('claimed_at', models.DateTimeField()),
            ],
            options={
                'indexes': [models.Index(fields=['claimed_at', 'mailbox'], name='mail_claim_by_time')],
                'constraints': [models.UniqueConstraint(fields=('mailbox', 'key'), name='one_mail_per_mailbox_and_key')],
            },
        ),
    ]
