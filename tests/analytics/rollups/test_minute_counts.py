"""The last day to the minute: incremental equals rebuilt, and only those who count are active."""

from datetime import timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from analytics.ingestion.ingest import store
from analytics.insights import real_time
from analytics.models import DistinctId, EventMinute, LastActiveBlock, Person
from analytics.people import erasure, exclusions
from analytics.rollups import last_activity, minute_counts, rebuild
from analytics.rollups.person_cache import PersonCache
from tests.events import record
from tests.property_tests import examples

pytestmark = pytest.mark.django_db

minutes_ago = st.integers(0, 30 * 60)


@st.composite
def happenings(draw):
    """Events of the last 30 hours, some without profile, some that make two persons one."""
    now = timezone.now()
    found = []
    for ago in draw(st.lists(minutes_ago, max_size=20)):
        event = draw(st.sampled_from(["used", "used", "workflow_created", "$set", "$identify"]))
        other = draw(st.sampled_from(["anonymous-1", "anonymous-2"]))
        found.append(
            record(
                event,
                draw(st.sampled_from(["ada", "ben", other])),
                now - timedelta(minutes=ago, seconds=draw(st.integers(0, 59))),
                other_id=other if event == "$identify" else None,
                profile=draw(st.booleans()) or event == "$identify",
            )
        )
    return found


@examples(60)
@given(history=happenings(), change=st.sampled_from(["", "exclude", "erase"]), data=st.data())
def test_the_last_day_as_it_came_equals_the_last_day_rebuilt(history, change, data):
    with transaction.atomic():
        cache = PersonCache()
        while history:
            size = data.draw(st.integers(1, len(history)))
            store(history[:size], cache=cache)
            history = history[size:]
        somebody = list(Person.objects.values_list("pk", flat=True)[:1])
        if change == "exclude":
            exclusions.decide(somebody, excluded=True)
        elif change == "erase":
            erasure.erase(somebody)
        assert rebuild.check() == []
        transaction.set_rollback(True)


def test_persons_are_active_by_their_latest_qualifying_event_whatever_came_first():
    now = timezone.now()
    store([record("used", "ada", now - timedelta(minutes=5))])
    store([record("used", "ada", now - timedelta(hours=3))])  # late
    store([record("used", "ben", now - timedelta(hours=5))])
    store([record("$set", "cleo", now - timedelta(minutes=1))])  # no activity
    store([record("used", "dora", now - timedelta(hours=25))])
    found = real_time.activity(now, events=[])
    assert (found.active_hour, found.active_day) == (1, 2)


def test_events_are_counted_by_the_minute_in_which_they_happened():
    now = timezone.now().replace(second=30, microsecond=0)
    for ago in (0, 1, 1, 59, 60, 61):
        store([record("used", "ada", now - timedelta(minutes=ago))])
    store([record("workflow_created", "ada", now - timedelta(hours=23))])
    found = real_time.activity(now, events=["workflow_created", "never"])
    assert (found.events_per_minute, found.per_minute[0], sum(found.per_minute)) == (2, 1, 4)
    assert found.day_events == {"workflow_created": 1, "never": 0}


def test_who_is_excluded_or_without_a_profile_is_not_active():
    now = timezone.now()
    store([record("used", "ada", now), record("used", "ben", now, profile=False)])
    assert real_time.activity(now, events=["used"]).active_day == 1
    exclusions.decide(Person.objects.values_list("pk", flat=True), excluded=True)
    found = real_time.activity(now, events=["used"])
    assert (found.active_day, found.day_events["used"]) == (0, 0)


def test_an_old_event_that_brings_a_profile_makes_the_last_day_of_its_person_count():
    now = timezone.now()
    store([record("used", "ada", now, profile=False)])
    store([record("used", "ada", now - timedelta(days=2))])
    assert real_time.activity(now, events=[]).active_day == 1


def test_what_is_older_than_the_last_day_is_forgotten():
    now = timezone.now()
    store([record("used", "ada", now - timedelta(hours=1)), record("used", "ben", now)])
    old = now - timedelta(hours=27)
    EventMinute.objects.filter(minute__lt=now - timedelta(minutes=30)).update(minute=old)
    minute_counts.delete_old()
    assert not EventMinute.objects.filter(minute=old).exists()


def test_who_was_active_24_hours_ago_is_no_difference_though_a_check_takes_minutes():
    start = timezone.now().replace(second=30, microsecond=0)
    store([record("used", "ada", start - timedelta(hours=24) + timedelta(seconds=40))])
    with time_machine.travel(start, tick=False) as clock:
        assert rebuild.check(progress=lambda *_: clock.shift(60)) == []


def test_whoever_is_active_is_named_with_the_minute_in_whatever_block():
    now = timezone.now().replace(second=0, microsecond=0)
    store([record("used", f"p{n}", now - timedelta(minutes=n)) for n in range(300)])
    persons, minutes = last_activity.active_since(now - timedelta(minutes=200))
    wanted = {
        known.person_id: now.timestamp() // 60 - int(known.distinct_id[1:])
        for known in DistinctId.objects.all()
        if int(known.distinct_id[1:]) < 200
    }
    assert dict(zip(persons.tolist(), minutes.tolist(), strict=True)) == wanted


def test_the_migration_to_blocks_keeps_who_was_active_when_there_and_back():
    now = timezone.now()
    store([record("used", f"p{n}", now - timedelta(minutes=n)) for n in range(300)])  # 3 blocks
    blocks = {*LastActiveBlock.objects.values_list()}
    call_command("migrate", "analytics", "0017", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), count(DISTINCT at) FROM analytics_lastactive")
        assert cursor.fetchone() == (300, 300)
    call_command("migrate", "analytics", verbosity=0)
    assert {*LastActiveBlock.objects.values_list()} == blocks
    assert rebuild.check() == []


def test_history_that_is_imported_is_not_of_the_last_day():
    store([record("used", "ada")])
    assert not EventMinute.objects.exists()
    assert not LastActiveBlock.objects.exists()
