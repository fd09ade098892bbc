from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('analytics', '0018_compare_addresses_by_ascii_case'),
    ]

    operations = [
        migrations.AlterField(
            model_name='projectkey',
            name='mail_claimed_addresses',
            field=models.BooleanField(db_default=False, help_text='Usage e-mails then also go to addresses that only this public key has set. Everyone who reads the key in your pages can set one, for any person without a proved address: strangers may receive mail in your name, and facts about that person’s usage. Such e-mails have no link to upgrade, and take at most half of the caps on e-mails.', verbose_name='addresses claimed with this key may be mailed'),
        ),
    ]
