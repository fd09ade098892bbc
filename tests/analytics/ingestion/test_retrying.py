"""Rejected events are tried again, and the ledger follows."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import zstandard
from django.core.management import call_command

from analytics.calculations import wire
from analytics.capture import ledger
from analytics.capture.capture import default_project_key
from analytics.ingestion.inbox import Inbox
from analytics.ingestion.retrying import try_again
from analytics.models import Event, ImportRun, InboxRequest, RejectedEvent
from tests import sdk

pytestmark = pytest.mark.django_db

NOW = datetime(2024, 6, 1, 12, 30, tzinfo=UTC)
GOOD = {"event": "used", "distinct_id": "ada", "timestamp": "2024-05-01T10:00:00Z"}
OLD = GOOD | {"timestamp": "2023-01-01T10:00:00Z"}


@pytest.fixture(autouse=True)
def frozen(time_machine, settings):
    settings.PLUMBLINE_EVENT_RETENTION_DAYS = 90
    time_machine.move_to(NOW, tick=False)


def send(*events, **beside):
    """Send events and let ingest have them."""
    sdk.post("/batch/", {"api_key": sdk.key(), "batch": events, **beside})
    Inbox().process_batch()


def edit(**fields):
    """Change the payload of the only rejected event as staff would."""
    row = RejectedEvent.objects.get()
    row.payload = json.dumps(json.loads(bytes(row.payload)) | fields).encode()
    row.save()


def counted():
    """Return the ledger's only entry, which must add up."""
    (entry,) = ledger.entries(first=NOW.date(), last=NOW.date())
    assert entry.missing == 0
    return entry


def test_an_event_that_can_be_stored_now_moves_from_the_rejected_to_the_stored(settings):
    send(GOOD, OLD)
    settings.PLUMBLINE_EVENT_RETENTION_DAYS = 0
    assert try_again(RejectedEvent.objects.all()).stored == 1
    assert (Event.objects.count(), RejectedEvent.objects.count()) == (2, 0)
    assert (counted().accepted, counted().stored, counted().rejected) == (2, 2, {})


def test_it_is_read_as_it_would_have_been_at_its_arrival(settings, time_machine):
    send(GOOD, OLD, sent_at=(NOW - timedelta(hours=1)).isoformat())  # a clock an hour behind
    settings.PLUMBLINE_EVENT_RETENTION_DAYS = 0
    time_machine.move_to(NOW + timedelta(days=3), tick=False)
    try_again(RejectedEvent.objects.all())
    earliest = Event.objects.order_by("timestamp")[0]
    assert earliest.timestamp == datetime(2023, 1, 1, 11, tzinfo=UTC)


def test_its_uuid_is_the_one_that_it_would_have_had(settings):
    send(GOOD, OLD)
    settings.PLUMBLINE_EVENT_RETENTION_DAYS = 0
    try_again(RejectedEvent.objects.all())
    send(GOOD, OLD)  # a client that had no answer
    assert (Event.objects.count(), counted().duplicate) == (2, 2)


def test_an_event_without_time_happened_when_it_arrived(time_machine):
    send(GOOD, {"event": "used"})
    edit(distinct_id="ben")
    time_machine.move_to(NOW + timedelta(days=3), tick=False)
    try_again(RejectedEvent.objects.all())
    assert Event.objects.get(distinct_id="ben").timestamp == NOW


def test_one_that_is_rejected_again_stays_with_its_new_reason():
    send(GOOD, {"event": "used"})
    edit(distinct_id="ben", timestamp="yesterday")
    tried = try_again(RejectedEvent.objects.all())
    assert tried.rejected == {"timestamp: 'yesterday' is not a valid ISO 8601 time": 1}
    assert RejectedEvent.objects.get().reason == "bad_timestamp"
    assert counted().rejected == {"bad_timestamp": 1}


def test_one_that_was_stored_meanwhile_is_a_duplicate(settings):
    send(GOOD, OLD)
    settings.PLUMBLINE_EVENT_RETENTION_DAYS = 0
    send(GOOD, OLD)
    assert try_again(RejectedEvent.objects.all()).duplicates == 1
    assert (counted().accepted, counted().stored, counted().duplicate) == (4, 2, 2)


def test_a_refused_event_counts_as_accepted_once_it_is_stored():
    send({"event": "used"})
    assert (counted().accepted, counted().refused) == (0, {"missing_field": 1})
    edit(distinct_id="ben")
    try_again(RejectedEvent.objects.all())
    assert (counted().accepted, counted().stored, counted().refused) == (1, 1, {})


def test_a_time_that_was_corrected_is_not_corrected_again():
    uuid = "0190163d-8694-739b-aea5-966c26f8ad91"
    sent_at = (NOW - timedelta(hours=1)).isoformat()
    send(GOOD | {"uuid": uuid}, GOOD | {"uuid": uuid, "event": "paid"}, sent_at=sent_at)
    edit(uuid="0190163d-8694-739b-aea5-966c26f8ad92")
    assert try_again(RejectedEvent.objects.all()).stored == 1
    times = set(Event.objects.values_list("timestamp", flat=True))
    assert times == {datetime(2024, 5, 1, 11, tzinfo=UTC)}


def test_an_event_that_the_database_refuses_again_is_no_harm_to_the_others(settings, monkeypatch):
    monkeypatch.setattr(wire, "_readable", lambda properties: properties)  # it would refuse, too
    unstorable = json.dumps(OLD | {"properties": {"x": -1}}).replace("-1", "1e999999")
    batch = f'{{"api_key":"{sdk.key()}","batch":[{json.dumps(GOOD)},{unstorable}]}}'
    sdk.post("/batch/", batch)
    Inbox().process_batch()
    send(GOOD, OLD)
    settings.PLUMBLINE_EVENT_RETENTION_DAYS = 0
    tried = try_again(RejectedEvent.objects.all())
    assert (tried.stored, tried.rejected.total()) == (1, 1)
    assert counted().rejected == {"unstorable": 1}


def test_an_unreadable_request_counts_all_its_events_and_goes_back_to_the_inbox():
    arrival = {"project_key": default_project_key(), "received_at": NOW, "size": 9}
    InboxRequest.objects.create(body=b'{"batch":[', events=3, **arrival)
    Inbox().process_batch()
    assert (counted().accepted, counted().rejected) == (3, {"malformed": 3})
    RejectedEvent.objects.update(payload=json.dumps({"batch": [GOOD] * 3}).encode())
    assert try_again(RejectedEvent.objects.all()).waiting == 3
    assert (counted().accepted, counted().waiting, counted().rejected) == (3, 3, {})
    Inbox().process_batch()
    assert (counted().accepted, counted().stored) == (3, 3)


def test_an_unreadable_request_stays_rejected_while_it_is_unreadable():
    arrival = {"project_key": default_project_key(), "received_at": NOW, "size": 9}
    InboxRequest.objects.create(body=b'{"batch":[', events=3, **arrival)
    Inbox().process_batch()
    assert try_again(RejectedEvent.objects.all()).rejected.total() == 3
    assert (counted().accepted, counted().rejected) == (3, {"malformed": 3})


def test_an_unreadable_request_can_be_read_by_people_though_it_waited_compressed():
    arrival = {"project_key": default_project_key(), "received_at": NOW, "size": 9}
    InboxRequest.objects.create(body=zstandard.compress(b'{"batch":['), events=3, **arrival)
    Inbox().process_batch()
    assert bytes(RejectedEvent.objects.get().payload) == b'{"batch":['


def test_what_was_rejected_before_arrivals_were_kept_says_so():
    RejectedEvent.objects.create(reason="too_old", detail="old", payload=json.dumps(OLD).encode())
    (why,) = try_again(RejectedEvent.objects.all()).rejected
    assert why == "when and with which key it arrived is not known: send it again"
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
    assert try_again(RejectedEvent.objects.all()).stored == 1
    assert Event.objects.filter(event="visited", distinct_id="ben").exists()
    visits.refresh_from_db()
    assert (visits.stored, visits.rejected) == (2, 0)


def test_an_imported_line_whose_columns_are_not_known_any_more_says_so(visits):
    ImportRun.objects.update(columns=None)
    edit(when="2024-05-02")
    (why,) = try_again(RejectedEvent.objects.all()).rejected
    assert why == "the columns of its file are not known any more: import the file again"
    assert not Event.objects.filter(distinct_id="ben").exists()


def test_a_line_of_an_unfinished_import_waits_for_its_end(visits):
    ImportRun.objects.update(finished_at=None)
    (why,) = try_again(RejectedEvent.objects.all()).rejected
    assert why == "its import has not finished: run it again first"


def test_many_are_tried_in_several_transactions(settings, monkeypatch):
    monkeypatch.setattr("analytics.ingestion.retrying.ROWS_PER_TRANSACTION", 2)
    send(GOOD, *(OLD | {"distinct_id": f"p{number}"} for number in range(5)))
    settings.PLUMBLINE_EVENT_RETENTION_DAYS = 0
    assert try_again(RejectedEvent.objects.all()).stored == 5
    assert counted().stored == 6
