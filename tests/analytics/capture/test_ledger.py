"""The ingestion ledger adds up, whatever arrives."""

import json
import logging
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from django.db.models import Sum
from hypothesis import given
from hypothesis import strategies as st

from analytics.capture import capture, ledger
from analytics.ingestion.inbox import Inbox
from analytics.models import (
    CaptureHour,
    Event,
    EventOutcome,
    InboxRequest,
    ProjectKey,
    RejectedEvent,
)
from tests import sdk
from tests.property_tests import examples

pytestmark = pytest.mark.django_db

NOW = datetime(2024, 6, 1, 12, 30, tzinfo=UTC)
DAY = NOW.date()


def event(kind, number):
    """Return the JSON of an event of a kind; the same number gives the same event."""
    fields = {"event": "used", "distinct_id": f"p{number % 3}", "uuid": str(UUID(int=number))}
    if kind == "bad":
        del fields["distinct_id"]
    text = json.dumps(fields | {"properties": {"kind": kind, "n": number}})
    return text.replace('"unstorable"', "1e999999")


events = st.builds(
    event, st.sampled_from(["good", "good", "other", "bad", "unstorable"]), st.integers(1, 12)
)
requests = st.lists(st.lists(events, min_size=1, max_size=6), min_size=1, max_size=8)
ingest_after = st.lists(st.integers(0, 4), min_size=8, max_size=8)  # requests of a batch; 0: none


def whole():
    """Return the ledger's sum, which must add up."""
    entry = ledger.total(ledger.entries(first=DAY, last=DAY), first=DAY, last=DAY)
    assert entry.missing == 0
    return entry


def rejected_rows(outcome):
    rows = RejectedEvent.objects.filter(outcome=outcome)
    return dict(rows.values_list("reason").annotate(events=Sum("events")))


def run(bodies, batches):
    """Send requests, ingest some of them after each, and return the events acknowledged."""
    acknowledged = 0
    for body, size in zip(bodies, batches, strict=False):
        text = f'{{"api_key":"{sdk.key()}","batch":[{",".join(body)}]}}'
        acknowledged += len(body) * (sdk.post("/batch/", text).status_code == 200)
        if size:
            Inbox(requests=size).process_batch()
        assert whole().accepted == acknowledged
    return acknowledged


@examples(60)
@given(requests, ingest_after)
def test_the_ledger_adds_up_and_matches_the_tables_for_any_events_in_any_batches(
    time_machine, bodies, batches
):
    time_machine.move_to(NOW, tick=False)
    with transaction.atomic():
        capture.project_keys.forget()
        acknowledged = run(bodies, batches)
        entry = whole()
        waiting = sum(InboxRequest.objects.values_list("events", flat=True))
        assert (entry.accepted, entry.waiting) == (acknowledged, waiting)
        assert entry.stored == Event.objects.count()
        assert entry.rejected == rejected_rows(EventOutcome.REJECTED)
        assert entry.refused == rejected_rows(EventOutcome.REFUSED)
        transaction.set_rollback(True)


def line(hours_ago=0, outcome=EventOutcome.ACCEPTED, reason="", key=1, events=1):
    hour = ledger.start_of_hour(NOW) - timedelta(hours=hours_ago)
    CaptureHour.objects.create(
        hour=hour, project_key_id=key, outcome=outcome, reason=reason, events=events
    )


def test_entries_come_newest_first_by_hour_or_day_and_key():
    shop, blog = (ProjectKey.objects.create(name=name).pk for name in ("Shop", "Blog"))
    for hours_ago, key in [(0, shop), (0, blog), (13, shop), (1, shop)]:
        line(hours_ago, key=key)
    period: dict[str, Any] = {"first": DAY - timedelta(days=1), "last": DAY}
    hours = [
        (entry.start.hour, entry.project_key) for entry in ledger.entries(grain="hour", **period)
    ]
    assert hours == [(12, "Blog"), (12, "Shop"), (11, "Shop"), (23, "Shop")]
    days = [
        (entry.start.day, entry.accepted) for entry in ledger.entries(project_key_id=shop, **period)
    ]
    assert days == [(1, 2), (31, 1)]


def test_an_acknowledged_event_without_outcome_is_missing():
    line(events=5)
    line(outcome=EventOutcome.STORED, events=2)
    line(outcome=EventOutcome.REJECTED, reason="too_old", events=2)
    line(outcome=EventOutcome.LIMITED, reason="rate_limit", events=9)
    (entry,) = ledger.entries(first=DAY, last=DAY)
    assert (entry.missing, entry.limited) == (1, Counter(rate_limit=9))


def test_a_line_that_dropped_to_zero_is_omitted():
    line(outcome=EventOutcome.REJECTED, reason="too_old", events=0)
    (entry,) = ledger.entries(first=DAY, last=DAY)
    assert entry.rejected == {}


def test_events_missing_from_a_request_are_logged_and_counted_as_missing(caplog):
    body = b'{"event":"used","distinct_id":"ada"}'
    key = capture.ensure_default_project_key()
    InboxRequest.objects.create(project_key=key, received_at=NOW, body=body, events=3)
    with caplog.at_level(logging.ERROR):
        Inbox().process_batch()
    (entry,) = ledger.entries(first=DAY, last=DAY)
    assert (entry.accepted, entry.stored, entry.missing) == (3, 1, 2)
    assert "3 events acknowledged, 1 read" in caplog.text
