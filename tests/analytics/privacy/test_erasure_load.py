"""S08: erasing many persons, or one with very many events, while events arrive."""

import threading

import pytest
from django.db import connection

from analytics.capture import erased_ids
from analytics.ingestion import ingest
from analytics.ingestion.partitions import lock_and_ensure_partitions, month_of
from analytics.models import DistinctId, Erasure, Event, EventUuid, Person
from analytics.privacy import erasure
from analytics.rollups import rebuild
from analytics.rollups.person_cache import PersonCache
from common.postgres import raw_cursor
from tests.events import NOON, record

pytestmark = pytest.mark.django_db(transaction=True)

PERSONS = 1_000
EVENTS = 1_000_000
KEPT = 50  # persons

_MANY_EVENTS = """
WITH added AS (
    INSERT INTO analytics_event (person_id, timestamp, uuid, event, distinct_id, properties)
    SELECT %(person)s, %(noon)s + n * interval '1 second', gen_random_uuid(), 'used', 'fat', '{}'
    FROM generate_series(1, %(events)s) AS n RETURNING uuid, timestamp
)
INSERT INTO analytics_eventuuid (uuid, timestamp) SELECT uuid, timestamp FROM added
"""


class Arrivals(threading.Thread):
    """Stores events of everyone, again and again, until it is stopped."""

    def __init__(self, distinct_ids):
        super().__init__()
        self.distinct_ids, self.stop = distinct_ids, threading.Event()
        self.batches, self.error = 0, None

    def run(self):
        cache = PersonCache()
        try:
            while not self.stop.is_set():
                ingest.store([record(distinct_id=id_) for id_ in self.distinct_ids], cache=cache)
                self.batches += 1
        except Exception as error:
            self.error = error
        finally:
            connection.close()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.join()
        assert self.error is None


def person_ids(distinct_ids):
    return DistinctId.objects.filter(pk__in=distinct_ids).values_list("person_id", flat=True)


@pytest.mark.slow
def test_s08_a_thousand_persons_are_erased_while_events_arrive():
    gone, kept = ([f"{kind}-{n:04}" for n in range(PERSONS)] for kind in ("gone", "kept"))
    ingest.store([record(event, id_) for id_ in gone + kept for event in ("signed_up", "used")])
    with Arrivals(gone + kept) as arrivals:
        receipt = erasure.erase(person_ids(gone))
        arrivals.stop.wait(2)  # events of erased persons go on
    assert receipt.persons == PERSONS
    assert arrivals.batches > 1
    assert not Event.objects.filter(distinct_id__in=gone).exists()
    assert not DistinctId.objects.filter(pk__in=gone).exists()
    assert Person.objects.count() == PERSONS
    assert Event.objects.count() == EventUuid.objects.count()
    assert rebuild.check() == []


@pytest.mark.slow
def test_s08_a_person_with_a_million_events_does_not_stop_ingest():
    ingest.store([record(distinct_id="fat")])
    fat = Person.objects.get()
    with connection.cursor() as cursor:
        lock_and_ensure_partitions(raw_cursor(), {month_of(NOON)})
        cursor.execute(_MANY_EVENTS, {"person": fat.pk, "noon": NOON, "events": EVENTS})
    rebuild.rebuild()
    with Arrivals([f"kept-{n:04}" for n in range(KEPT)]) as arrivals:
        receipt = erasure.erase([fat.pk])
    assert receipt.removed["Events"] == EVENTS + 1
    assert Event.objects.count() == EventUuid.objects.count() == arrivals.batches * KEPT
    assert rebuild.check() == []


def test_s08_an_interrupted_erasure_is_finished_later(monkeypatch):
    ingest.store([record(distinct_id="ada"), record(distinct_id="ben")])
    monkeypatch.setattr(erasure, "EVENTS_PER_TRANSACTION", -1)  # PostgreSQL refuses it
    with pytest.raises(Exception, match="LIMIT"):
        erasure.erase(person_ids(["ada"]))
    monkeypatch.undo()
    assert rebuild.check() == []  # the person is in no number
    assert Event.objects.count() == 2
    assert erasure.resume() == 1
    assert Event.objects.get().distinct_id == "ben"
    assert Erasure.objects.get().finished_at
    assert erased_ids.among(["ada"])
    assert rebuild.check() == []
