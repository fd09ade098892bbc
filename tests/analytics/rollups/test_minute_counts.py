"""The last day by minute: incremental equals rebuilt, and only counted persons are active."""

from datetime import timedelta

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from analytics.ingestion.ingest import store
from analytics.insights import real_time
from analytics.models import DistinctId, EventMinute, LastActiveBlock, Person
from analytics.people import exclusions
from analytics.privacy import erasure
from analytics.rollups import last_activity, minute_counts, rebuild
from analytics.rollups.person_cache import PersonCache
from tests.events import record
from tests.property_tests import examples

pytestmark = pytest.mark.django_db

minutes_ago = st.integers(0, 30 * 60)


@st.composite
def histories(draw):
    """Events of the last 30 hours, some without profile, some that make two persons one."""
    now = timezone.now()
    records = []
    for ago in draw(st.lists(minutes_ago, max_size=20)):
        event = draw(st.sampled_from(["used", "used", "workflow_created", "$set", "$identify"]))
        other = draw(st.sampled_from(["anonymous-1", "anonymous-2"]))
        records.append(
            record(
                event,
                draw(st.sampled_from(["ada", "ben", other])),
                now - timedelta(minutes=ago, seconds=draw(st.integers(0, 59))),
                other_id=other if event == "$identify" else None,
                profile=draw(st.booleans()) or event == "$identify",
            )
        )
    return records


@examples(60)
@given(history=histories(), change=st.sampled_from(["", "exclude", "erase"]), data=st.data())
def test_the_incremental_last_day_equals_the_rebuilt_one(history, change, data):
    with transaction.atomic():
        cache = PersonCache()
        while history:
            size = data.draw(st.integers(1, len(history)))
            store(history[:size], cache=cache)
            history = history[size:]
        person_ids = list(Person.objects.values_list("pk", flat=True)[:1])
        if change == "exclude":
            exclusions.decide(person_ids, excluded=True)
        elif change == "erase":
            erasure.erase(person_ids)
        assert rebuild.check() == []
        transaction.set_rollback(True)


def test_persons_are_active_by_their_latest_qualifying_event_in_any_order():
    now = timezone.now()
    store([record("used", "ada", now - timedelta(minutes=5))])
    store([record("used", "ada", now - timedelta(hours=3))])  # late
    store([record("used", "ben", now - timedelta(hours=5))])
    store([record("$set", "cleo", now - timedelta(minutes=1))])  # not activity
    store([record("used", "dora", now - timedelta(hours=25))])
    activity = real_time.activity(now, events=[])
    assert (activity.active_hour, activity.active_day) == (1, 2)


def test_events_are_counted_by_the_minute_of_their_time():
    now = timezone.now().replace(second=30, microsecond=0)
    for ago in (0, 1, 1, 59, 60, 61):
        store([record("used", "ada", now - timedelta(minutes=ago))])
    store([record("workflow_created", "ada", now - timedelta(hours=23))])
    activity = real_time.activity(now, events=["workflow_created", "never"])
    assert (activity.events_per_minute, activity.per_minute[0], sum(activity.per_minute)) == (
        2,
        1,
        4,
    )
    assert activity.day_events == {"workflow_created": 1, "never": 0}


def test_persons_excluded_or_without_a_profile_are_not_active():
    now = timezone.now()
    store([record("used", "ada", now), record("used", "ben", now, profile=False)])
    assert real_time.activity(now, events=["used"]).active_day == 1
    exclusions.decide(Person.objects.values_list("pk", flat=True), excluded=True)
    activity = real_time.activity(now, events=["used"])
    assert (activity.active_day, activity.day_events["used"]) == (0, 0)


def test_an_old_event_that_creates_a_profile_makes_the_last_day_of_its_person_count():
    now = timezone.now()
    store([record("used", "ada", now, profile=False)])
    store([record("used", "ada", now - timedelta(days=2))])
    assert real_time.activity(now, events=[]).active_day == 1


def test_counts_older_than_the_last_day_are_deleted():
    now = timezone.now()
    store([record("used", "ada", now - timedelta(hours=1)), record("used", "ben", now)])
    old = now - timedelta(hours=27)
    EventMinute.objects.filter(minute__lt=now - timedelta(minutes=30)).update(minute=old)
    minute_counts.delete_old()
    assert not EventMinute.objects.filter(minute=old).exists()


def test_a_check_that_takes_minutes_finds_no_difference_in_activity_24_hours_ago():
    start = timezone.now().replace(second=30, microsecond=0)
    store([record("used", "ada", start - timedelta(hours=24) + timedelta(seconds=40))])
    with time_machine.travel(start, tick=False) as clock:
        assert rebuild.check(progress=lambda *_: clock.shift(60)) == []


def test_active_persons_of_every_block_come_with_their_minute():
    now = timezone.now().replace(second=0, microsecond=0)
    store([record("used", f"p{n}", now - timedelta(minutes=n)) for n in range(300)])
    persons, minutes = last_activity.active_since(now - timedelta(minutes=200))
    wanted = {
        row.person_id: now.timestamp() // 60 - int(row.distinct_id[1:])
        for row in DistinctId.objects.all()
        if int(row.distinct_id[1:]) < 200
    }
    assert dict(zip(persons.tolist(), minutes.tolist(), strict=True)) == wanted


def test_imported_history_is_not_part_of_the_last_day():
    store([record("used", "ada")])
    assert not EventMinute.objects.exists()
    assert not LastActiveBlock.objects.exists()
