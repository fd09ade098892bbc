"""Find Stripe's objects by the distinct id in their metadata: few have one in most accounts."""

from django.db import migrations

_TABLES = ("customer", "subscription", "session")


def _index(table):
    name = f"djstripe_{table}_names_a_person"
    return migrations.RunSQL(
        f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON djstripe_{table}"
        " ((stripe_data -> 'metadata' ->> 'distinct_id'))"
        " WHERE stripe_data -> 'metadata' ->> 'distinct_id' IS NOT NULL",
        f"DROP INDEX IF EXISTS {name}",
    )


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("billing", "0006_disputes_and_excluded_customers"),
        ("djstripe", "0001_initial"),
    ]

    operations = [_index(table) for table in _TABLES]
