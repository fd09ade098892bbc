"""S08: late events, retries and imports do not bring erased persons back."""

import gzip
import json

import pytest

from analytics.capture import erased_ids, ledger
from analytics.health import capture_health
from analytics.ingestion import importing, ingest, retrying
from analytics.models import (
    CaptureHour,
    DistinctId,
    Erasure,
    Event,
    EventOutcome,
    EventUuid,
    PersonMerge,
    RejectedEvent,
)
from analytics.rollups import rebuild
from analytics.rollups.person_cache import PersonCache
from tests import sdk
from tests.events import NOON, record

pytestmark = pytest.mark.django_db(transaction=True)

ADA = "ada-lovelace"


@pytest.fixture(autouse=True)
def ada_was_erased():
    erased_ids.remember([ADA], Erasure.objects.create(persons=1))


def send(*events):
    assert sdk.post("/batch/", {"api_key": sdk.key(), "batch": events}).status_code == 200
    sdk.ingest()


def test_s08_an_event_of_an_erased_id_is_dropped_and_its_batch_is_stored():
    results = ingest.store([record(distinct_id=ADA), record(distinct_id="ben")])
    assert results == [EventOutcome.ERASED, EventOutcome.STORED]
    assert DistinctId.objects.get().pk == "ben"
    assert EventUuid.objects.count() == 1
    assert rebuild.check() == []


@pytest.mark.parametrize("event", ["$identify", "$create_alias", "$merge_dangerously"])
@pytest.mark.parametrize("distinct_id", ["ben", "anonymous"])
def test_s08_an_event_that_links_an_erased_id_to_another_is_dropped(event, distinct_id):
    results = ingest.store([record(event, distinct_id, other_id=ADA), record("used", distinct_id)])
    assert results == [EventOutcome.ERASED, EventOutcome.STORED]
    assert DistinctId.objects.get().pk == distinct_id
    assert not PersonMerge.objects.exists()


def test_s08_an_event_of_an_erased_id_that_links_another_creates_no_person():
    assert ingest.store([record("$identify", ADA, other_id="anon-1")]) == [EventOutcome.ERASED]
    assert not DistinctId.objects.exists()


def test_s08_the_ledger_counts_erased_events_and_adds_up():
    send({"event": "used", "distinct_id": ADA}, {"event": "used", "distinct_id": "ben"})
    totals = ledger.LedgerEntry(NOON, NOON)
    for row in CaptureHour.objects.all():
        totals.add(row.outcome, row.reason, row.events)
    assert (totals.accepted, totals.stored, totals.erased, totals.missing) == (2, 1, 1, 0)


def invalid(distinct_id):
    return {"event": "used", "distinct_id": distinct_id, "properties": 7}


def test_s08_an_invalid_event_of_an_erased_id_is_not_kept():
    send(invalid(ADA), invalid("ben"), {"event": "used", "distinct_id": "ben"})
    assert b"ben" in bytes(RejectedEvent.objects.get().payload)
    outcomes = dict(CaptureHour.objects.values_list("outcome", "events"))
    assert outcomes == {"accepted": 3, "stored": 1, "rejected": 1, "erased": 1}


def test_s08_a_refused_request_that_names_an_erased_id_is_not_kept():
    for distinct_id in (ADA, "ben"):
        body = {"api_key": sdk.key(), "batch": [invalid(distinct_id)]}
        assert sdk.post("/batch/", body).status_code == 400
    assert b"ben" in bytes(RejectedEvent.objects.get().payload)


EVENT = b'{"event": "used", "distinct_id": "ada-lovelace", "properties": {"n": [0123456789]'


@pytest.mark.parametrize(
    "payload",
    [
        EVENT,
        EVENT.replace(b"used", b'used, "'),
        gzip.compress(EVENT + bytes(range(256)) * 9)[:-20],
        b'{"user": "ada\\u002dlovelace"}',
    ],
    ids=["valid", "a quote too many", "broken gzip", "escaped"],
)
def test_s08_a_payload_that_names_an_erased_id_is_recognized(payload):
    assert erased_ids.naming_erased([payload]) == [True]


def test_s08_a_payload_that_names_another_id_is_kept():
    assert erased_ids.naming_erased([EVENT.replace(b"ada", b"eda")]) == [False]


def test_s08_an_import_skips_erased_ids_and_counts_them(tmp_path):
    file = tmp_path / "events.jsonl"
    lines = [{"event": "used", "distinct_id": id_, "timestamp": "2024-05-01"} for id_ in (ADA, "b")]
    file.write_text("\n".join(map(json.dumps, lines)))
    run = importing.import_file(file)
    assert (run.lines, run.stored, run.erased) == (2, 1, 1)


def test_s08_a_retried_event_of_an_erased_id_is_dropped_and_counted():
    send(invalid("ben"), {"event": "used", "distinct_id": "ben"})
    payload = json.dumps(invalid(ADA) | {"properties": {}}).encode()
    RejectedEvent.objects.update(payload=payload)  # by staff
    assert retrying.retry(RejectedEvent.objects.all()).erased == 1
    assert not RejectedEvent.objects.exists()
    assert not Event.objects.filter(distinct_id=ADA).exists()


def test_s08_an_id_that_staff_allows_again_is_stored_by_every_process():
    inbox_cache = PersonCache()
    ingest.store([record(distinct_id=ADA)], cache=inbox_cache)
    assert erased_ids.forget(ADA)
    assert ingest.store([record(distinct_id=ADA)], cache=inbox_cache) == [EventOutcome.STORED]


def test_s08_persons_who_exist_cost_no_query_about_erased_ids(monkeypatch):
    checked, among = [], erased_ids.among
    monkeypatch.setattr(erased_ids, "among", lambda ids: checked.extend(ids) or among(ids))
    cache = PersonCache()
    for _ in range(2):
        ingest.store([record(distinct_id="ben")], cache=cache)
    assert checked == ["ben"]


def test_s08_ids_stay_erased_after_a_new_secret_key(settings):
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another" * 10
    assert erased_ids.among([ADA, "ben"]) == {ADA}
    assert not erased_ids.any_with_unknown_key()
    settings.SECRET_KEY_FALLBACKS = []
    assert any("SECRET_KEY" in problem.why for problem in capture_health(NOON).problems)
