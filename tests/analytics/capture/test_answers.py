"""Answers to many events at once equal answers to each, and refusing many costs one row."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.calculations.records import Arrival, Rejection
from analytics.capture import answers, rejections
from analytics.ingestion import retrying
from analytics.models import EventOutcome, RejectedEvent
from tests import ledger, sdk
from tests.analytics.calculations.test_ordinary import NOW, ORDINARY, bodies

V1 = "/i/v1/analytics/events"
BAD = {"event": "used", "distinct_id": ""}


def separately(raws, arrival):
    """Return the result of each event as the reader of single events has it."""
    for event in answers.read(raws, arrival):
        if isinstance(event, Rejection):
            yield "drop"
        else:
            yield "warning" if event.ignores_timestamp else "ok"


@given(bodies, st.sampled_from(["", "posthog-python/7.91.1"]))
def test_answers_to_many_events_equal_answers_to_each(body, sdk_name):
    fields, sent_at = body
    arrival = Arrival(NOW, sent_at, sdk_name)
    raws = [msgspec.json.encode(ORDINARY | some) for some in fields]
    together = answers.answer(raws, arrival)
    rejected = [event for event in answers.read(raws, arrival) if isinstance(event, Rejection)]
    assert [result for result, _ in together.results] == list(separately(raws, arrival))
    assert together.rejected == rejected


def bad_payload(number, **fields):
    return json.dumps(
        [(n, BAD | fields | {"properties": {"n": n}}) for n in range(number)]
    ).encode()


def refuse(number):
    batch = {"batch": [BAD | {"properties": {"n": n}} for n in range(number)]}
    return sdk.post(V1, batch, HTTP_AUTHORIZATION=f"Bearer {sdk.key()}")


@pytest.mark.django_db
def test_s04_a_request_of_many_bad_events_is_kept_as_one_row():
    number = rejections.MOST_ROWS + 1
    assert refuse(number).status_code == 200
    row = RejectedEvent.objects.get()
    assert (row.events, row.outcome, row.detail) == (
        number,
        EventOutcome.REFUSED,
        "distinct_id: missing",
    )
    assert [position for position, _ in rejections.events_of(row)] == list(range(number))
    assert ledger.totals()["refused"] == number


@pytest.mark.django_db
def test_s04_a_request_of_a_few_bad_events_has_a_row_for_each():
    refuse(rejections.MOST_ROWS)
    assert RejectedEvent.objects.filter(events=1).count() == rejections.MOST_ROWS


@pytest.mark.django_db
def test_many_refused_events_are_retried_each():
    number = rejections.MOST_ROWS + 1
    refuse(number)
    RejectedEvent.objects.update(payload=bad_payload(number, distinct_id="ada"))
    assert retrying.retry(RejectedEvent.objects.all()).stored == number
    totals = ledger.totals()
    assert (totals["refused"], totals["accepted"], totals["stored"]) == (0, number, number)
