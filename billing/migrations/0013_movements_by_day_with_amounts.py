from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False  # the ledger stays writable meanwhile

    dependencies = [
        ('billing', '0012_suppressed_notices'),
    ]

    operations = [
        RemoveIndexConcurrently('mrrmovement', 'mrr_movement_by_day'),
        AddIndexConcurrently('mrrmovement', models.Index(fields=['day'], include=('customer_id', 'kind', 'amount', 'opening', 'closing'), name='mrr_movement_by_day')),
    ]
