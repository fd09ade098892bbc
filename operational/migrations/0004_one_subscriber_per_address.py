from django.db import migrations, models
from django.db.models.functions import Lower

# Of several subscribers whose addresses differ in case, the oldest stays; unsubscribing prevails.
MERGE = """
    UPDATE operational_reportsubscriber AS subscriber
    SET daily = same.daily, weekly = same.weekly
    FROM (
        SELECT min(id) AS id, bool_and(daily) AS daily, bool_and(weekly) AS weekly
        FROM operational_reportsubscriber GROUP BY lower(email)
    ) AS same
    WHERE subscriber.id = same.id;
    DELETE FROM operational_reportsubscriber
    WHERE id NOT IN (SELECT min(id) FROM operational_reportsubscriber GROUP BY lower(email));
"""


class Migration(migrations.Migration):

    dependencies = [
        ('operational', '0003_login_limits'),
    ]

    operations = [
        migrations.RunSQL(MERGE, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name='reportsubscriber',
            name='email',
            field=models.EmailField(max_length=254),
        ),
        migrations.AddConstraint(
            model_name='reportsubscriber',
            constraint=models.UniqueConstraint(Lower('email'), name='one_subscriber_per_address', violation_error_message='This address is subscribed already.'),
        ),
    ]
