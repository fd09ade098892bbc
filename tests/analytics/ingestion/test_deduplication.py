"""When an event is the same event."""

import json

import pytest

from analytics.models import Event, EventOutcome, RejectedEvent
from tests import sdk
from tests.ledger import totals

pytestmark = pytest.mark.django_db

UUID = "018f0000-0000-7000-8000-000000000001"
EVENT = {"event": "used", "distinct_id": "ada", "timestamp": "2024-05-01T10:00:00Z"}


def send(*events, **fields):
    body = {"api_key": sdk.key(), "batch": events} | fields
    assert sdk.post("/batch/", body).json() == {"status": 1}


def stored():
    sdk.ingest()
    return Event.objects.count()


@pytest.mark.parametrize("identity", [{"uuid": UUID}, {}], ids=["uuid", "no uuid"])
def test_p02_a_request_sent_twice_counts_once(identity):
    for _ in range(2):
        send(EVENT | identity, EVENT | {"event": "other"})
    assert (stored(), totals()[EventOutcome.DUPLICATE]) == (2, 2)


@pytest.mark.parametrize("identity", [{"uuid": UUID}, {}], ids=["uuid", "no uuid"])
def test_p02_a_request_sent_twice_with_another_sent_at_counts_once(identity):
    for second in range(2):
        send(EVENT | identity, sent_at=f"2024-05-01T10:00:0{second}Z")
    assert (stored(), totals()[EventOutcome.DUPLICATE]) == (1, 1)


def test_p02_events_sent_again_in_another_order_count_once():
    names = {"first": "3", "second": "1", "third": "2"}  # not in the order of their uuids
    events = [EVENT | {"event": name, "uuid": UUID[:-1] + digit} for name, digit in names.items()]
    send(*events)
    assert stored() == 3
    send(*reversed(events))
    assert (stored(), totals()[EventOutcome.DUPLICATE]) == (3, 3)


def test_p02_a_uuid_in_another_notation_is_the_same():
    for notation in (UUID, UUID.upper(), UUID.replace("-", ""), f"{{{UUID}}}"):
        send(EVENT | {"uuid": notation})
    assert stored() == 1


def test_p03_another_event_with_the_same_uuid_changes_nothing_and_is_rejected():
    send(EVENT | {"uuid": UUID})
    send(EVENT | {"uuid": UUID, "event": "paid"}, EVENT)
    assert stored() == 2
    rejected = RejectedEvent.objects.get()
    assert (rejected.reason, json.loads(bytes(rejected.payload))["event"]) == (
        "uuid_reused",
        "paid",
    )
    assert not Event.objects.filter(event="paid").exists()


@pytest.mark.parametrize("other", [{"distinct_id": "ben"}, {"properties": {"plan": "pro"}}])
def test_p03_any_different_event_with_the_same_uuid_is_rejected(other):
    send(EVENT | {"uuid": UUID})
    send({"event": "used", "distinct_id": "ben", "timestamp": EVENT["timestamp"]})
    assert stored() == 2
    send(EVENT | {"uuid": UUID} | other)
    assert (stored(), RejectedEvent.objects.get().reason) == (2, "uuid_reused")


def test_p02_a_repetition_is_recognized_after_its_person_was_merged():
    send(EVENT | {"uuid": UUID}, EVENT | {"distinct_id": "ben"})
    merge = {"event": "$create_alias", "distinct_id": "ben", "properties": {"alias": "ada"}}
    send(merge, EVENT | {"uuid": UUID})
    assert (stored(), totals()[EventOutcome.DUPLICATE]) == (3, 1)
    send(EVENT | {"uuid": UUID})
    assert (stored(), totals()[EventOutcome.DUPLICATE]) == (3, 2)


def test_p03_another_id_of_the_same_person_cannot_reuse_the_uuid():
    send({"event": "$create_alias", "distinct_id": "ada", "properties": {"alias": "ben"}})
    send(EVENT | {"uuid": UUID})
    assert stored() == 2
    send(EVENT | {"uuid": UUID, "distinct_id": "ben"})
    assert (stored(), RejectedEvent.objects.get().reason) == (2, "uuid_reused")


def test_p03_the_same_holds_within_a_request():
    send(EVENT | {"uuid": UUID}, EVENT | {"uuid": UUID, "event": "paid"})
    assert (stored(), Event.objects.get().event) == (1, "used")


def test_two_positions_in_a_request_are_two_events():
    send(EVENT, EVENT)
    assert stored() == 2


def test_another_event_at_the_same_position_of_another_request_is_not_a_repetition():
    for amount in (1, 2):
        send(EVENT | {"properties": {"amount": amount}})
    assert stored() == 2


def test_without_uuid_and_time_each_arrival_is_an_event(time_machine):
    for time in ("2024-05-01T10:00:00Z", "2024-05-01T10:00:01Z"):
        time_machine.move_to(time, tick=False)
        send({"event": "used", "distinct_id": "ada"})
    assert stored() == 2


def test_an_id_that_is_not_a_uuid_still_identifies_the_event():
    for name in ("first", "second", "first"):
        send(EVENT | {"uuid": name})
    assert (stored(), totals()[EventOutcome.DUPLICATE]) == (2, 1)
