"""Events become persons, person days and counters, each once."""

import uuid
from datetime import timedelta

import msgspec
import pytest

from analytics.calculations.cells import CounterName
from analytics.calculations.records import Reason
from analytics.ingestion.ingest import store
from analytics.models import Counter, Event, EventDay, EventOutcome, Person, PersonDay
from analytics.rollups import rebuild
from tests.events import NOON, record

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def counters():
    return {(row.name, row.day, row.number): row.value for row in Counter.objects.exclude(value=0)}


def test_a_stored_event_has_its_person_day_and_count():
    assert store([record(properties={"plan": "pro"})]) == [EventOutcome.STORED]
    event = Event.objects.get()
    assert (event.event, event.timestamp, event.properties) == ("used", NOON, {"plan": "pro"})
    assert PersonDay.objects.get().day == NOON.date()
    assert EventDay.objects.get().value == 1
    assert counters()[CounterName.ACTIVE_DAY, NOON.date(), 0] == 1


def test_p02_a_retried_batch_changes_nothing():
    batch = [record(), record(event="signed_up"), record(distinct_id="ben")]
    store(batch)
    before = counters()
    assert store(batch) == [EventOutcome.DUPLICATE] * 3
    assert (Event.objects.count(), counters()) == (3, before)


def test_p02_a_retry_with_a_corrected_time_is_still_the_same_event():
    identity = uuid.uuid4()
    store([record(identity=identity)])
    again = store([record(identity=identity, timestamp=NOON + timedelta(milliseconds=40))])
    assert (again, Event.objects.count()) == ([EventOutcome.DUPLICATE], 1)


def test_p03_another_event_with_the_same_uuid_is_rejected_and_the_first_stays():
    identity = uuid.uuid4()
    store([record(identity=identity)])
    (rejected,) = store([record("paid", identity=identity)])
    assert rejected.reason == Reason.UUID_REUSED
    assert Event.objects.get().event == "used"


def test_p03_the_same_uuid_twice_in_one_batch_stores_the_first():
    identity = uuid.uuid4()
    stored, rejected = store([record(name, identity=identity) for name in ("first", "second")])
    assert (stored, rejected.reason) == (EventOutcome.STORED, Reason.UUID_REUSED)
    assert Event.objects.get().event == "first"


def test_p01_an_event_that_the_database_refuses_is_isolated():
    good = [record(distinct_id=f"p{number}") for number in range(9)]
    bad = record(distinct_id="poison", properties=msgspec.Raw(rb'{"x":"\ud800"}'))
    results = store([*good[:4], bad, *good[4:]])
    assert results.pop(4).reason == Reason.UNSTORABLE
    assert results == [EventOutcome.STORED] * 9
    assert not Person.objects.filter(distinct_ids__distinct_id="poison").exists()


def test_p09_a_late_earlier_signup_moves_the_person_to_its_cohort():
    store([record("signed_up", timestamp=NOON), record("used", timestamp=NOON + DAY)])
    store([record("signed_up", timestamp=NOON - 3 * DAY)])
    cohort = (NOON - 3 * DAY).date()
    cells = counters()
    assert cells[CounterName.SIGNUP, cohort, 0] == 1
    assert cells[CounterName.SIGNUP_RETAINED, cohort, 4] == 1
    assert (CounterName.SIGNUP, NOON.date(), 0) not in cells


def test_a_passive_event_is_stored_but_is_not_activity():
    store([record("$identify"), record("email_opened")])
    assert (Event.objects.count(), PersonDay.objects.count()) == (2, 0)


def test_events_of_an_excluded_person_count_nowhere():
    store([record()])
    Person.objects.update(excluded=True)
    rebuild.rebuild()
    store([record(), record(timestamp=NOON + DAY)])
    assert (counters(), EventDay.objects.count()) == ({}, 0)
    assert rebuild.check() == []


def test_set_wins_by_the_latest_and_set_once_by_the_first():
    store([record(properties={"$set": {"plan": "free"}, "$set_once": {"ref": "a"}})])
    later = record(
        timestamp=NOON + DAY, properties={"$set": {"plan": "pro"}, "$set_once": {"ref": "b"}}
    )
    store([later])
    assert Person.objects.get().properties == {"plan": "pro", "ref": "a"}


def test_events_of_any_month_find_a_partition():
    times = [NOON.replace(year=year, month=month) for year in (1995, 2031) for month in (1, 12)]
    store([record(timestamp=time) for time in times])
    assert Event.objects.count() == 4


def test_text_with_tabs_newlines_and_backslashes_is_unchanged():
    odd = "tab\t newline\n return\r back\\slash \\N"
    store([record(odd, odd, properties={"odd": odd})])
    event = Event.objects.get()
    assert (event.event, event.distinct_id, event.properties) == (odd, odd, {"odd": odd})
