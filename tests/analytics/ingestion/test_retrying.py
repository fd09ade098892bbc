"""Rejected events are retried, and the ledger is updated."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import zstandard
from django.core.management import call_command

from analytics.calculations import event_properties
from analytics.capture import ledger
from analytics.capture.capture import ensure_default_project_key
from analytics.ingestion.inbox import Inbox
from analytics.ingestion.retrying import retry
from analytics.models import Event, ImportRun, InboxRequest, Person, RejectedEvent
from tests import sdk

pytestmark = pytest.mark.django_db

NOW = datetime(2024, 6, 1, 12, 30, tzinfo=UTC)
GOOD = {"event": "used", "distinct_id": "ada", "timestamp": "2024-05-01T10:00:00Z"}
OLD = GOOD | {"timestamp": "2023-01-01T10:00:00Z"}


@pytest.fixture(autouse=True)
def frozen(time_machine, settings):
    settings.PLUMBLINE_EVENT_RETENTION_DAYS = 90
    time_machine.move_to(NOW, tick=False)


def send(*events, **fields):
    """Send events in a body with these other fields, and ingest them."""
    sdk.post("/batch/", {"api_key": sdk.key(), "batch": events, **fields})
    Inbox().process_batch()


def edit(**fields):
    """Edit the payload of the only rejected event."""
    row = RejectedEvent.objects.get()
    row.payload = json.dumps(json.loads(bytes(row.payload)) | fields).encode()
    row.save()


def counted():
    """Return the ledger's only entry, which must add up."""
    (entry,) = ledger.entries(first=NOW.date(), last=NOW.date())
    assert entry.missing == 0
    return entry


def test_an_event_that_can_be_stored_now_is_stored(settings):
    send(GOOD, OLD)
    settings.PLUMBLINE_EVENT_RETENTION_DAYS = 0
    assert retry(RejectedEvent.objects.all()).stored == 1
    assert (Event.objects.count(), RejectedEvent.objects.count()) == (2, 0)
    assert (counted().accepted, counted().stored, counted().rejected) == (2, 2, {})


def test_a_retried_event_is_read_as_of_its_arrival(settings, time_machine):
    send(GOOD, OLD, sent_at=(NOW - timedelta(hours=1)).isoformat())  # a clock an hour behind
    settings.PLUMBLINE_EVENT_RETENTION_DAYS = 0
    time_machine.move_to(NOW + timedelta(days=3), tick=False)
    retry(RejectedEvent.objects.all())
    earliest = Event.objects.order_by("timestamp")[0]
    assert earliest.timestamp == datetime(2023, 1, 1, 11, tzinfo=UTC)


def test_a10_a_retried_event_does_not_set_back_what_was_set_since(settings):
    send(GOOD, OLD | {"properties": {"$set": {"plan": "free", "city": "Kyiv"}}})
    send(GOOD | {"properties": {"$set": {"plan": "pro"}}})
    settings.PLUMBLINE_EVENT_RETENTION_DAYS = 0
    retry(RejectedEvent.objects.all())
    assert Person.objects.get().properties == {"plan": "pro", "city": "Kyiv"}


def test_a_retried_event_has_the_uuid_of_its_arrival(settings):
    send(GOOD, OLD)
    settings.PLUMBLINE_EVENT_RETENTION_DAYS = 0
    retry(RejectedEvent.objects.all())
    send(GOOD, OLD)  # a client that got no response
    assert (Event.objects.count(), counted().duplicate) == (2, 2)


def test_an_event_without_time_happened_when_it_arrived(time_machine):
    send(GOOD, {"event": "used"})
    edit(distinct_id="ben")
    time_machine.move_to(NOW + timedelta(days=3), tick=False)
    retry(RejectedEvent.objects.all())
    assert Event.objects.get(distinct_id="ben").timestamp == NOW


def test_an_event_that_is_rejected_again_stays_with_its_new_reason():
    send(GOOD, {"event": "used"})
    edit(distinct_id="ben", timestamp="1889-01-01")
    retried = retry(RejectedEvent.objects.all())
    assert retried.rejected == {"timestamp: before 1990": 1}
    assert RejectedEvent.objects.get().reason == "bad_timestamp"
    assert counted().rejected == {"bad_timestamp": 1}


def test_an_event_stored_meanwhile_is_a_duplicate(settings):
    send(GOOD, OLD)
    settings.PLUMBLINE_EVENT_RETENTION_DAYS = 0
    send(GOOD, OLD)
    assert retry(RejectedEvent.objects.all()).duplicates == 1
    assert (counted().accepted, counted().stored, counted().duplicate) == (4, 2, 2)


def test_a_refused_event_counts_as_accepted_once_it_is_stored():
    send({"event": "used"})
    assert (counted().accepted, counted().refused) == (0, {"missing_field": 1})
    edit(distinct_id="ben")
    retry(RejectedEvent.objects.all())
    assert (counted().accepted, counted().stored, counted().refused) == (1, 1, {})


def test_a_time_that_was_corrected_is_not_corrected_again():
    uuid = "0190163d-8694-739b-aea5-966c26f8ad91"
    sent_at = (NOW - timedelta(hours=1)).isoformat()
    send(GOOD | {"uuid": uuid}, GOOD | {"uuid": uuid, "event": "paid"}, sent_at=sent_at)
    edit(uuid="0190163d-8694-739b-aea5-966c26f8ad92")
    assert retry(RejectedEvent.objects.all()).stored == 1
    times = set(Event.objects.values_list("timestamp", flat=True))
    assert times == {datetime(2024, 5, 1, 11, tzinfo=UTC)}


def test_an_event_that_the_database_refuses_again_does_not_affect_the_others(settings, monkeypatch):
    # Otherwise reading would make the properties storable.
    monkeypatch.setattr(event_properties, "stored_object", lambda properties: properties)
    unstorable = json.dumps(OLD | {"properties": {"x": -1}}).replace("-1", "1e999999")
    batch = f'{{"api_key":"{sdk.key()}","batch":[{json.dumps(GOOD)},{unstorable}]}}'
    sdk.post("/batch/", batch)
    Inbox().process_batch()
    send(GOOD, OLD)
    settings.PLUMBLINE_EVENT_RETENTION_DAYS = 0
    retried = retry(RejectedEvent.objects.all())
    assert (retried.stored, retried.rejected.total()) == (1, 1)
    assert counted().rejected == {"unstorable": 1}


def test_an_unreadable_request_counts_all_its_events_and_returns_to_the_inbox():
    arrival = {"project_key": ensure_default_project_key(), "received_at": NOW, "size": 9}
    InboxRequest.objects.create(body=b'{"batch":[', events=3, **arrival)
    Inbox().process_batch()
    assert (counted().accepted, counted().rejected) == (3, {"malformed": 3})
    RejectedEvent.objects.update(payload=json.dumps({"batch": [GOOD] * 3}).encode())
    assert retry(RejectedEvent.objects.all()).waiting == 3
    assert (counted().accepted, counted().waiting, counted().rejected) == (3, 3, {})
    Inbox().process_batch()
    assert (counted().accepted, counted().stored) == (3, 3)


def test_an_unreadable_request_stays_rejected_while_it_is_unreadable():
    arrival = {"project_key": ensure_default_project_key(), "received_at": NOW, "size": 9}
    InboxRequest.objects.create(body=b'{"batch":[', events=3, **arrival)
    Inbox().process_batch()
    assert retry(RejectedEvent.objects.all()).rejected.total() == 3
    assert (counted().accepted, counted().rejected) == (3, {"malformed": 3})


def test_an_unreadable_request_is_kept_decompressed():
    arrival = {"project_key": ensure_default_project_key(), "received_at": NOW, "size": 9}
    InboxRequest.objects.create(body=zstandard.compress(b'{"batch":['), events=3, **arrival)
    Inbox().process_batch()
    assert bytes(RejectedEvent.objects.get().payload) == b'{"batch":['


def test_a_rejected_event_without_an_arrival_cannot_be_retried():
    RejectedEvent.objects.create(reason="too_old", detail="old", payload=json.dumps(OLD).encode())
    (reason,) = retry(RejectedEvent.objects.all()).rejected
    assert reason == "its time of arrival or its project key is unknown: send it again"
    assert RejectedEvent.objects.get().detail == "old"


@pytest.fixture
def visits(tmp_path):
    """Import a CSV file with a bad line, under other column names."""
    file = tmp_path / "visits.csv"
    file.write_text("when,who\n2024-05-01,ada\nnever,ben\n")
    columns = ["--timestamp-column", "when", "--distinct-id-column", "who", "--event", "visited"]
    with pytest.raises(SystemExit):
        call_command("import_events", str(file), *columns)
    return ImportRun.objects.get()


def test_an_imported_line_is_read_with_the_columns_of_its_import(visits):
    edit(when="2024-05-02")
    assert retry(RejectedEvent.objects.all()).stored == 1
    assert Event.objects.filter(event="visited", distinct_id="ben").exists()
    visits.refresh_from_db()
    assert (visits.stored, visits.rejected) == (2, 0)


def test_an_imported_line_whose_columns_are_unknown_cannot_be_retried(visits):
    ImportRun.objects.update(columns=None)
    edit(when="2024-05-02")
    (reason,) = retry(RejectedEvent.objects.all()).rejected
    assert reason == "the columns of its file are no longer known: import the file again"
    assert not Event.objects.filter(distinct_id="ben").exists()


def test_a_line_of_an_unfinished_import_cannot_be_retried(visits):
    ImportRun.objects.update(finished_at=None)
    (reason,) = retry(RejectedEvent.objects.all()).rejected
    assert reason == "its import is not finished: run the import again first"


def test_many_events_are_retried_in_several_transactions(settings, monkeypatch):
    monkeypatch.setattr("analytics.ingestion.retrying.ROWS_PER_TRANSACTION", 2)
    send(GOOD, *(OLD | {"distinct_id": f"p{number}"} for number in range(5)))
    settings.PLUMBLINE_EVENT_RETENTION_DAYS = 0
    assert retry(RejectedEvent.objects.all()).stored == 5
    assert counted().stored == 6
