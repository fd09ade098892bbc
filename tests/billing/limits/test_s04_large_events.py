"""S04: events of megabytes that anyone claims make no usage check slower."""

import random

import pytest
from django.db import connection, transaction

from analytics.calculations.records import Proof
from analytics.ingestion.ingest import store
from analytics.insights import event_totals
from analytics.models import PersonMerge
from analytics.people import unmerging
from billing.limits import usage, usage_limits
from billing.models import UsageMeter
from tests.billing.limited_usage import NOW, ada, ran
from tests.events import record

pytestmark = pytest.mark.django_db

LONG = random.Random(1).randbytes(500_000).hex()  # which no compression makes small
BLOCKS_AN_EVENT = 10  # at most; of 8 kB each
BLOCKS_A_PERSON = 5  # at most, to read whether a distinct id is proved


def exported(times=1, **properties):
    ran(times, event="export", properties={"text": LONG} | properties)


def create_meter(aggregation):
    UsageMeter.objects.create(
        slug="mine", name="Mine", event="export", aggregation=aggregation, property="size"
    )


def meter_usage():
    return usage_limits.check("ada", "mine", now=NOW).meter_usage


def blocks_read():
    """Return how many blocks of the database PostgreSQL reads for ada's usage."""
    row = meter_usage()
    total = usage.total_of(row.meter, row.window)
    parameters = event_totals.parameters_of(total) | {"person": ada()}
    with connection.cursor() as cursor:
        select = event_totals.person_total_sql(total)
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {select}", parameters)
        plan = cursor.fetchone()[0][0]["Plan"]
    return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] - BLOCKS_A_PERSON


@pytest.mark.parametrize(("aggregation", "used"), [("sum", 20), ("distinct", 1)])
def test_reading_usage_reads_no_large_event(aggregation, used):
    create_meter(aggregation)
    exported(10, size=2)
    assert meter_usage().usage.used == used
    assert blocks_read() < 10 * BLOCKS_AN_EVENT


def test_what_is_not_an_amount_in_a_large_event_is_ignored_as_in_a_small_one():
    create_meter("sum")
    for size in (0.5, -1, "2", None, LONG, 10**15 + 1):
        exported(size=size)
    exported()
    assert (float(meter_usage().usage.used), meter_usage().usage.ignored) == (0.5, 6)


def test_merging_and_undoing_it_keep_that():
    create_meter("sum")
    exported(size=2)
    ran(event="export", person="laptop", properties={"text": LONG, "size": 3})
    with transaction.atomic():
        store([record("$merge_dangerously", "ada", NOW, other_id="laptop", proof=Proof.PROVED)])
    assert (meter_usage().usage.used, blocks_read() < 2 * BLOCKS_AN_EVENT) == (5, True)
    unmerging.undo(PersonMerge.objects.get().pk, by="staff", now=NOW)
    assert (meter_usage().usage.used, blocks_read() < BLOCKS_AN_EVENT) == (2, True)
