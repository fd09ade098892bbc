"""What an ingest process caches about persons is dropped when another process changes them."""

import numpy as np
import pytest
from django.db import connection

from analytics.capture import erased_ids
from analytics.ingestion.inbox import Inbox
from analytics.models import DistinctId, Event, Person
from analytics.privacy import erasure
from analytics.rollups import milestones, person_days, rebuild, rollups
from analytics.rollups.person_cache import PERSON_STATE, CachedPersons, empty_everywhere
from tests import sdk

pytestmark = pytest.mark.django_db(transaction=True)


def send(*distinct_ids):
    batch = [{"event": "used", "distinct_id": distinct_id} for distinct_id in distinct_ids]
    assert sdk.post("/batch/", {"api_key": sdk.key(), "batch": batch}).status_code == 200


@pytest.fixture
def inbox():
    """An inbox whose process has cached ada and ben."""
    inbox = Inbox()
    send("ada", "ben")
    inbox.process_batch()
    with connection.cursor() as cursor:
        assert set(inbox.cache.current(cursor.cursor).person_of) == {"ada", "ben"}
    return inbox


def person(distinct_id):
    return DistinctId.objects.get(pk=distinct_id).person


def test_an_erased_person_whom_staff_allows_again_is_a_new_person(inbox):
    erased = person("ada").pk
    erasure.erase([erased])
    assert erased_ids.forget("ada")
    send("ada")
    inbox.process_batch()
    assert person("ada").pk != erased
    assert Event.objects.filter(person=person("ada")).count() == 1
    assert rebuild.check() == []


def test_events_after_a_merge_elsewhere_go_to_the_person_that_stayed(inbox):
    send("ada")
    event = {"event": "$create_alias", "distinct_id": "ben", "properties": {"alias": "ada"}}
    sdk.post("/batch/", {"api_key": sdk.key(), "batch": [event]})
    sdk.ingest()  # by another process
    send("ada")
    inbox.process_batch()
    assert person("ada") == person("ben")
    assert Event.objects.filter(person=person("ben")).count() == 5
    assert Person.objects.count() == 1
    assert rebuild.check() == []


def test_persons_stored_in_an_epoch_that_has_ended_are_dropped(inbox):
    with connection.cursor() as cursor:
        before = inbox.cache.current(cursor.cursor)
        empty_everywhere(cursor.cursor)
        after = inbox.cache.current(cursor.cursor)
        before.person_of["cleo"] = 7  # by a transaction that began before
        assert inbox.cache.current(cursor.cursor) is after
    assert after.person_of == {}


def test_cached_states_are_returned_whatever_their_number():
    cached, persons = CachedPersons(), list(range(7, 5_000, 2))
    states = np.zeros(len(persons), PERSON_STATE)
    states["last_minute"] = persons
    cached.store(persons[:100], states[:100])
    cached.store(persons[50:], states[50:])
    stored, missing = cached.states([4_999, 8, 7, 4_997])
    assert (stored["last_minute"][[0, 2, 3]].tolist(), missing) == ([4_999, 7, 4_997], [1])


def store(inbox, name, *, day, hour=10, distinct_id="ada"):
    timestamp = f"2024-05-{day:02}T{hour}:00:00Z"
    event = {"event": name, "distinct_id": distinct_id, "timestamp": timestamp}
    sdk.post("/batch/", {"api_key": sdk.key(), "batch": [event]})
    inbox.process_batch()


def test_an_earlier_first_event_counts_although_the_person_is_cached(inbox):
    for day in (2, 1):
        store(inbox, "used", day=day)
        assert person("ada").first_event_at.day == day
    assert rebuild.check() == []


@pytest.mark.parametrize(
    ("name", "milestone"), [("signed_up", "signup_at"), ("workflow_created", "activated_at")]
)
def test_an_earlier_signup_or_activation_counts_although_it_is_not_the_first_event(
    inbox, name, milestone
):
    store(inbox, "used", day=1)
    for day in (4, 3):
        store(inbox, name, day=day)
        assert getattr(person("ada"), milestone).day == day
    assert rebuild.check() == []


def test_an_activation_after_the_first_reads_no_person_from_the_database(inbox, monkeypatch):
    store(inbox, "workflow_created", day=1, hour=10, distinct_id="cleo")
    read_ids, read = [], milestones.read_milestones
    monkeypatch.setattr(
        rollups, "read_milestones", lambda cursor, ids: read_ids.extend(ids) or read(cursor, ids)
    )
    store(inbox, "workflow_created", day=1, hour=11, distinct_id="cleo")
    assert (Event.objects.filter(event="workflow_created").count(), read_ids) == (2, [])


def test_a_cached_day_before_the_latest_is_not_added_again(inbox, monkeypatch):
    days, add = [], person_days.add
    monkeypatch.setattr(
        person_days, "add", lambda cursor, new: days.append(dict(new)) or add(cursor, new)
    )
    for hour, day in enumerate((1, 3, 1, 2), start=10):
        store(inbox, "used", day=day, hour=hour, distinct_id="cleo")
    assert [bool(new) for new in days] == [True, True, False, True]
    assert rebuild.check() == []
