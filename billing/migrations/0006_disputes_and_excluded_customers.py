from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False  # the ledger stays writable meanwhile

    dependencies = [
        ('billing', '0005_meters_of_proved_events'),
    ]

    operations = [
        migrations.AlterField(
            model_name='cashentry',
            name='kind',
            field=models.CharField(choices=[('payment', 'payment'), ('refund', 'refund'), ('dispute', 'dispute'), ('credit_note', 'credit note')], max_length=12),
        ),
        AddIndexConcurrently('revenuecustomer', models.Index(condition=models.Q(('excluded', True)), fields=['customer_id'], name='revenue_customer_excluded')),
    ]
