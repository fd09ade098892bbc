from django.db import migrations, models

from common.postgres import LowerAscii


class Migration(migrations.Migration):

    dependencies = [
        ('operational', '0007_alert_changes_in_order'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='reportsubscriber',
            name='one_subscriber_per_address',
        ),
        migrations.AddConstraint(
            model_name='reportsubscriber',
            constraint=models.UniqueConstraint(LowerAscii('email'), name='one_subscriber_per_address', violation_error_message='This address is subscribed already.'),
        ),
    ]
