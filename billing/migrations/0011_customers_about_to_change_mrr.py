from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False  # the ledger stays writable meanwhile

    dependencies = [
        ('billing', '0010_claims_of_notices'),
    ]

    operations = [
        AddIndexConcurrently('revenuecustomer', models.Index(condition=models.Q(models.Q(('at_risk', 0), _negated=True), models.Q(('with_tax', 0), _negated=True), models.Q(('scheduled_churn', 0), _negated=True), _connector='OR'), fields=['customer_id'], name='revenue_customer_outlook')),
    ]
