"""S04: a request of thousands of bad events costs a few rows, and none of the events is lost."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db.models import Sum

from analytics.capture import erased_ids, rejections
from analytics.ingestion.retrying import retry
from analytics.models import Erasure, Event, RejectedEvent
from tests import ledger, sdk

pytestmark = pytest.mark.django_db

GOOD = {"event": "used", "distinct_id": "ada", "timestamp": "2024-05-01T10:00:00Z"}
NAMELESS = {"event": "used"}
MANY = 10_000


def send(*events, **fields):
    sdk.post("/batch/", {"api_key": sdk.key(), "batch": events, **fields})
    sdk.ingest()


def with_one_uuid(number):
    """Return different events with the same uuid, of which only the first is stored."""
    return [GOOD | {"uuid": str(UUID(int=1)), "event": f"used {n}"} for n in range(number)]


def rows():
    return dict(RejectedEvent.objects.values_list("reason").annotate(Sum("events")))


def assert_adds_up():
    totals = ledger.totals()
    outcomes = totals["stored"] + totals["duplicate"] + totals["rejected"] + totals["erased"]
    assert totals["accepted"] == outcomes
    assert totals["rejected"] == sum(rows().values())


def test_ten_thousand_bad_events_after_a_good_one_are_one_row_for_each_reason():
    send(GOOD, *[NAMELESS] * MANY, *with_one_uuid(1 + MANY))
    assert RejectedEvent.objects.count() == 2
    assert rows() == {"missing_field": MANY, "uuid_reused": MANY}
    assert ledger.totals()["stored"] == 2
    assert_adds_up()


def test_each_of_many_small_requests_has_its_rows():
    for _ in range(2):
        send(GOOD, *[NAMELESS] * rejections.MOST_ROWS)
    assert RejectedEvent.objects.filter(events=1).count() == 2 * rejections.MOST_ROWS
    assert_adds_up()


def test_events_of_erased_persons_are_not_among_those_kept_together():
    erased_ids.remember(["gone"], Erasure.objects.create(persons=1))
    gone = GOOD | {"distinct_id": "gone", "timestamp": "1889-01-01"}
    send(GOOD, gone, *[NAMELESS] * (rejections.MOST_ROWS + 1))
    assert rows() == {"missing_field": rejections.MOST_ROWS + 1}
    assert ledger.totals()["erased"] == 1
    assert_adds_up()


def test_events_kept_together_are_retried_as_of_their_arrival(settings, time_machine):
    settings.PLUMBLINE_EVENT_RETENTION_DAYS = 90
    time_machine.move_to("2024-06-01T12:30:00Z", tick=False)
    old = [GOOD | {"timestamp": f"2023-01-01T10:00:00.{n:06}Z"} for n in range(200)]
    send(GOOD, *old)
    settings.PLUMBLINE_EVENT_RETENTION_DAYS = 0
    assert retry(RejectedEvent.objects.all()).stored == len(old)
    send(GOOD, *old)  # a client that got no response: the same uuids, by content and position
    assert Event.objects.count() == 1 + len(old)
    assert ledger.totals()["duplicate"] == 1 + len(old)
    assert_adds_up()


def test_events_kept_together_that_are_rejected_again_have_a_row_each():
    number = rejections.MOST_ROWS + 1
    send(GOOD, *[NAMELESS] * number)
    assert retry(RejectedEvent.objects.all()).rejected == {"distinct_id: missing": number}
    assert RejectedEvent.objects.filter(events=1).count() == number
    assert_adds_up()


def test_times_that_were_corrected_are_not_corrected_again(time_machine):
    time_machine.move_to("2024-06-01T12:30:00Z", tick=False)
    number = rejections.MOST_ROWS + 1
    send(*with_one_uuid(1 + number), sent_at="2024-06-01T11:30:00Z")  # a clock an hour behind
    row = RejectedEvent.objects.get()
    uuids = [str(UUID(int=2 + n)) for n in range(number)]
    events = [
        json.loads(event) | {"uuid": new}
        for new, (_, event) in zip(uuids, rejections.events_of(row), strict=True)
    ]
    row.payload = json.dumps([(0, event) for event in events]).encode()
    row.save()
    assert retry(RejectedEvent.objects.all()).stored == number
    assert set(Event.objects.values_list("timestamp", flat=True)) == {
        datetime(2024, 5, 1, 11, tzinfo=UTC)
    }
