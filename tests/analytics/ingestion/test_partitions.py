"""The event table has its partitions before their events arrive."""

import logging
from datetime import UTC, date, datetime

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection, transaction

from analytics.ingestion import partitions
from analytics.ingestion.ingest import store
from analytics.models import Event
from analytics.tasks import make_partitions
from tests.events import record

pytestmark = pytest.mark.django_db

NOW = datetime(2031, 11, 30, 23, 59, tzinfo=UTC)
AHEAD = [date(2031, 11, 1), date(2031, 12, 1), date(2032, 1, 1), date(2032, 2, 1)]


def missing():
    return partitions.missing(AHEAD)


def test_the_job_creates_this_month_and_the_next_three(time_machine):
    time_machine.move_to(NOW, tick=False)
    assert missing() == AHEAD
    make_partitions()
    assert missing() == []
    assert partitions.missing([date(2032, 3, 1)])


def test_existing_partitions_are_unchanged():
    store([record(timestamp=NOW)])
    partitions.make_ahead(NOW)
    partitions.make_ahead(NOW)
    assert (missing(), Event.objects.count()) == ([], 1)


def test_the_command_reports_the_last_partition(time_machine, capsys):
    time_machine.move_to(NOW, tick=False)
    call_command("make_partitions")
    assert capsys.readouterr().out == "The event table has partitions up to February 2032.\n"


def test_a_failed_month_leaves_no_partition_and_is_logged(time_machine, caplog):
    time_machine.move_to(NOW, tick=False)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {partitions.partition_name(AHEAD[2])} ()")
    with pytest.raises(psycopg.Error), transaction.atomic():
        make_partitions()
    assert missing() == AHEAD
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_a_migrated_database_has_partitions():
    assert partitions.missing(partitions.months_ahead(datetime.now(UTC))) == []


@pytest.mark.django_db(transaction=True)
def test_events_are_read_and_written_while_partitions_are_created():
    later = NOW.replace(year=2041)
    other = psycopg.connect(**connection.get_connection_params() | {"cursor_factory": None})
    with other, other.cursor() as cursor:
        cursor.execute("DELETE FROM analytics_event")  # still open, and so are its locks
        partitions.make_ahead(later)
        assert partitions.missing(partitions.months_ahead(later)) == []
