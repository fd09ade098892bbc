from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0012_suppressed_notices'),
    ]

    operations = [
        migrations.AddField(
            model_name='mrrday',
            name='lost_customers',
            field=models.IntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name='mrrday',
            name='joined_and_left',
            field=models.IntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name='mrrday',
            name='lost_mrr',
            field=models.BigIntegerField(db_default=0, default=0),
        ),
    ]
