"""The list of events: newest first, every one once, at a bounded cost."""

from base64 import urlsafe_b64encode
from datetime import timedelta

import pytest
from django.db import transaction

from analytics.ingestion.ingest import store
from analytics.models import Person
from tests.analytics.people_histories import at, did
from tests.api import get, refused
from tests.events import NOON, record

pytestmark = pytest.mark.django_db


def walk(path="analytics/events", **parameters):
    """Return the rows of all pages."""
    page, rows = get(path, **parameters), []
    while True:
        rows += page["results"]
        assert len(rows) < 1_000, "it goes round in circles"
        if page["next"] is None:
            return rows
        page = get(page["next"].split("/api/")[1])


def test_newest_first():
    did("ada", ("a", "2024-05-01 10:00"), ("c", "2024-05-03 10:00"), ("b", "2024-05-02 10:00"))
    assert [event["event"] for event in walk()] == ["c", "b", "a"]


@pytest.mark.parametrize("limit", [1, 7, 50])
def test_the_pages_together_return_every_event_once(limit):
    times = [NOON + timedelta(days=n // 9 * 11, hours=n % 3) for n in range(60)]
    with transaction.atomic():
        store([record("used", f"person {n % 7}", time) for n, time in enumerate(times)])
    rows = walk(limit=limit)
    assert len({event["uuid"] for event in rows}) == len(rows) == 60
    assert [event["timestamp"] for event in rows] == sorted(
        (event["timestamp"] for event in rows), reverse=True
    )


def test_many_events_at_the_same_time_are_paged():
    with transaction.atomic():
        store([record("used", f"person {n}") for n in range(25)])
    assert len({event["uuid"] for event in walk(limit=4)}) == 25


def test_events_of_a_name():
    did("ada", ("a", "2024-01-01 10:00"), ("b", "2024-03-01 10:00"), ("a", "2024-05-01 10:00"))
    assert [event["timestamp"][:10] for event in walk(event="a")] == ["2024-05-01", "2024-01-01"]


def test_events_of_a_person_by_any_distinct_id():
    did("ada", ("a", "2024-05-01 10:00"))
    did("ben", ("b", "2024-05-01 10:00"))
    person = Person.objects.get(distinct_ids__distinct_id="ada")
    person.distinct_ids.create(distinct_id="ada@example.com")
    assert [event["event"] for event in walk(distinct_id="ada@example.com")] == ["a"]


def test_an_unknown_person_has_no_events():
    assert walk(distinct_id="unknown") == []
    assert walk(event="nothing") == []


def test_p06_a_range_is_of_days_in_the_time_zone(settings):
    settings.PLUMBLINE_TIME_ZONE = "America/Los_Angeles"
    did("ada", ("a", "2024-05-02 06:59"), ("b", "2024-05-02 07:00"))
    assert [event["event"] for event in walk(to="2024-05-01")] == ["a"]
    assert [event["event"] for event in walk(from_="2024-05-02")] == ["b"]


def test_events_of_excluded_persons_are_listed_only_by_distinct_id():
    did("ada", ("a", "2024-05-01 10:00"))
    Person.objects.update(excluded=True)
    assert walk() == []
    assert len(walk(distinct_id="ada")) == 1


def test_an_event_has_all_its_fields():
    with transaction.atomic():
        store([record("paid", "ada", at("2024-05-01 10:00"), properties={"amount": 5})])
    [event] = walk()
    assert event["properties"] == {"amount": 5}
    assert (event["event"], event["distinct_id"]) == ("paid", "ada")
    assert event["timestamp"] == "2024-05-01T10:00:00Z"


UUID = "11111111-1111-1111-1111-111111111111"


@pytest.mark.parametrize(
    "text",
    ["nothing", "2024|1", f"2024-05-01T10:00:00|{UUID}", f"0001-01-01T00:00:00+14:00|{UUID}"],
)
def test_a_cursor_of_another_list_is_refused(text):
    cursor = urlsafe_b64encode(text.encode()).decode()
    assert refused("analytics/events", cursor=cursor)["errors"][0]["field"] == "cursor"


@pytest.mark.parametrize("cursor", ["x", "é", "////"])
def test_an_invalid_cursor_is_refused(cursor):
    assert refused("analytics/events", cursor=cursor)["errors"][0]["field"] == "cursor"


def test_only_days_that_are_needed_are_read(django_assert_num_queries):
    with transaction.atomic():
        store([record("used", "ada", NOON + timedelta(days=n)) for n in range(80)])
    with django_assert_num_queries(3) as queries:
        get("analytics/events", limit=10)
    assert "2024-07-09" in queries[-1]["sql"]
    assert "2024-05" not in queries[-1]["sql"]
