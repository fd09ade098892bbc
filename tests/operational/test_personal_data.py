"""S08: a person who is named in every place is erased, and a full dump has no trace of it."""

import json

import pytest
from django.contrib.auth.models import User
from django.db import connection
from rest_framework.test import APIClient

from analytics.extension_points import naming_stores, person_stores
from analytics.privacy import waiting
from analytics.privacy.own_stores import SEARCHED_ON_REQUEST
from analytics.rollups import rebuild
from billing.revenue import ledger_check
from tests import dumps, named_everywhere
from tests.billing.conftest import worker  # noqa: F401  a fixture
from tests.named_everywhere import EMAIL, ID, NEEDLES, event, send
from tests.personal_columns import (
    CLASSIFIED,
    STAFF_TABLES,
    STRIPE_IDS,
    SYSTEM_TABLES,
    UNUSED_TABLES,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def staff():
    client = APIClient()
    client.force_login(User.objects.create_superuser("eve"))
    return client


@pytest.fixture
def customer(staff, stripe_account, worker, client, tmp_path, settings):  # noqa: F811
    """The Stripe customer of a person who is named everywhere."""
    settings.PLUMBLINE_FORWARDING, settings.POSTHOG_HOST = True, "http://127.0.0.1:1"
    named_everywhere.capture()
    named_everywhere.import_line(tmp_path)
    customer = named_everywhere.bill(stripe_account, client, staff)
    named_everywhere.limit()
    named_everywhere.refer()
    named_everywhere.mail()
    named_everywhere.report(User.objects.get())
    send(event("late"), event("late", "ben-identified", to=EMAIL))  # wait in the inbox
    return customer


def all_stores():
    registered = [*person_stores, *naming_stores, waiting.STORES, SEARCHED_ON_REQUEST]
    return [store for stores in registered for store in stores]


def test_s08_no_dump_names_a_person_who_was_named_everywhere(customer, staff):
    packed = dumps.found_in(NEEDLES, dumps.unpacked())
    assert packed | dumps.found_in(NEEDLES, dumps.pg_dump()) == {*NEEDLES}
    path = f"/api/analytics/persons/{ID}?search_events=true"
    preview = staff.delete(f"{path}&dry_run=true").json()
    assert {store.name for store in all_stores()} - preview["removed"].keys() == set()
    receipt = staff.delete(path).json()
    assert receipt["removed"].keys() == preview["removed"].keys()
    assert f"customers/{customer}" in json.dumps(receipt["elsewhere"])
    for dump in (dumps.pg_dump(), dumps.rows(), dumps.unpacked(), dumps.valkey()):
        assert dumps.found_in(NEEDLES, dump) == set()
    assert rebuild.check() == []
    assert ledger_check.check() == []


def classified():
    groups = [*map(str.split, CLASSIFIED)]
    cleaned = [column for store in all_stores() for column in store.columns]
    return {column for group in [*groups, cleaned] for column in group}


def text_columns():
    """Return the columns that can hold a text, JSON or bytes; of partitions only the parent's."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname || '.' || attname FROM pg_attribute"
            " JOIN pg_class AS relation ON relation.oid = attrelid"
            " JOIN pg_type AS type ON type.oid = atttypid"
            " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
            " AND NOT relispartition AND attnum > 0 AND NOT attisdropped AND (typcategory = 'S'"
            " OR typname IN ('json', 'jsonb', 'bytea', 'inet', '_text', '_varchar'))"
        )
        return {column for (column,) in cursor.fetchall()}


def test_s08_every_column_that_can_hold_personal_data_is_classified():
    prefixes = tuple(f"{STAFF_TABLES} {SYSTEM_TABLES} {UNUSED_TABLES}".split())
    unclassified = {
        column
        for column in text_columns() - classified()
        if not column.startswith(prefixes) and column.partition(".")[2] not in STRIPE_IDS
    }
    assert unclassified == set(), "Add them to a store of personal data, or to personal_columns"
    assert classified() - text_columns() == set(), "These columns do not exist"


def test_s08_the_tables_of_dj_stripe_that_are_not_classified_stay_empty(customer):
    with connection.cursor() as cursor:
        for table in dumps.tables():
            if table.startswith(tuple(UNUSED_TABLES.split())):
                cursor.execute(f'SELECT count(*) FROM "{table}"')
                assert cursor.fetchone() == (0,), table
