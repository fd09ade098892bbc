"""Funnels, as the API answers them, and against a plain reference on random histories."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise, permutations

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from analytics.ingestion.ingest import store
from analytics.insights.funnels import funnel
from analytics.models import Person
from tests.analytics.people_histories import did
from tests.api import get, refused
from tests.events import record
from tests.property_tests import examples

pytestmark = pytest.mark.django_db


def persons(steps, **parameters):
    parameters = {"as_of": "2024-06-30"} | parameters
    return [step["persons"] for step in get("analytics/funnel", steps=steps, **parameters)["steps"]]


def test_p10_three_steps():
    did("ada", ("a", "2024-05-01 10:00"), ("b", "2024-05-01 11:00"), ("c", "2024-05-01 12:00"))
    did("ben", ("a", "2024-05-01 10:00"), ("b", "2024-05-01 11:00"))
    did("cleo", ("a", "2024-05-01 10:00"), ("c", "2024-05-01 11:00"))
    assert persons("a,b,c") == [3, 2, 1]


def test_conversion_is_from_the_first_and_from_the_previous_step():
    did("ada", ("a", "2024-05-01 10:00"), ("b", "2024-05-01 11:00"), ("c", "2024-05-01 12:00"))
    did("ben", ("a", "2024-05-01 10:00"), ("b", "2024-05-01 11:00"))
    did("cleo", ("a", "2024-05-01 10:00"), ("c", "2024-05-01 11:00"))
    *_, last = get("analytics/funnel", steps="a,b,c", as_of="2024-06-30")["steps"]
    assert last["from_first"]["rate"] == 1 / 3
    assert last["from_previous"]["rate"] == 1 / 2
    assert last["from_previous"]["status"] == "low_sample"


def test_steps_out_of_order_do_not_count():
    did("ada", ("b", "2024-05-01 10:00"), ("a", "2024-05-01 11:00"))
    assert persons("a,b") == [1, 0]


def test_p09_the_first_step_is_the_first_ever():
    did("ada", ("a", "2024-04-01 10:00"), ("a", "2024-05-01 10:00"), ("b", "2024-05-01 11:00"))
    assert persons("a,b", from_="2024-05-01") == [0, 0]
    assert persons("a,b", to="2024-04-30") == [1, 0]


def test_only_entries_whose_window_is_over_count():
    did("ada", ("a", "2024-05-01 10:00"), ("b", "2024-05-01 11:00"))
    assert persons("a,b", within_hours=24, as_of="2024-05-01") == [0, 0]
    assert persons("a,b", within_hours=24, as_of="2024-05-02") == [1, 1]


def test_a_window_that_ends_with_the_day_is_over():
    did("ada", ("a", "2024-05-01 00:00"), ("b", "2024-05-01 11:00"))
    assert persons("a,b", within_hours=24, as_of="2024-05-01") == [1, 1]


def test_the_window_includes_its_end():
    did("ada", ("a", "2024-05-01 10:00"), ("b", "2024-05-01 20:00"), ("c", "2024-05-02 10:00"))
    did("ben", ("a", "2024-05-01 10:00"), ("b", "2024-05-01 20:00"), ("c", "2024-05-02 10:01"))
    assert persons("a,b,c", within_hours=24) == [2, 2, 1]


def test_equal_times_count_as_in_order():
    did("ada", ("b", "2024-05-01 10:00"), ("a", "2024-05-01 10:00"))
    assert persons("a,b") == [1, 1]


def test_a_repeated_step_requires_a_second_event():
    did("ada", ("a", "2024-05-01 10:00"))
    did("ben", ("a", "2024-05-01 10:00"), ("a", "2024-05-02 10:00"))
    did("cleo", ("a", "2024-05-01 10:00"), ("a", "2024-05-01 10:00"))
    assert persons("a,a") == [3, 2]
    assert persons("a,a,a") == [3, 2, 0]


def test_p06_the_range_is_of_days_in_the_time_zone(settings):
    settings.PLUMBLINE_TIME_ZONE = "America/Los_Angeles"
    did("ada", ("a", "2024-05-02 03:00"), ("b", "2024-05-02 03:00"))  # 1 May, 20:00
    assert persons("a,b", from_="2024-05-01", to="2024-05-01") == [1, 1]
    assert persons("a,b", from_="2024-05-02") == [0, 0]


def test_excluded_persons_are_not_counted():
    did("ada", ("a", "2024-05-01 10:00"), ("b", "2024-05-01 11:00"))
    did("ben", ("a", "2024-05-01 10:00"), ("b", "2024-05-01 11:00"))
    Person.objects.filter(distinct_ids__distinct_id="ada").update(excluded=True)
    assert persons("a,b") == [1, 1]


def test_an_unknown_event_is_named_with_similar_events():
    did("ada", ("signed_up", "2024-05-01 10:00"))
    [error] = refused("analytics/funnel", steps="signed_up,sing_up")["errors"]
    assert error["field"] == "steps"
    assert "'sing_up'" in error["message"]
    assert "'signed_up'" in error["message"]


def test_a_funnel_needs_two_steps():
    did("ada", ("a", "2024-05-01 10:00"))
    [error] = refused("analytics/funnel", steps="a")["errors"]
    assert error["field"] == "steps"


# --- Against a reference that tries every choice of events ---------------------------------------

START = datetime(2024, 5, 1, tzinfo=UTC)
Event = tuple[str, int]  # name, hours after START

histories = st.lists(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 72)), max_size=6),
    min_size=1,
    max_size=3,
)


@examples(80)
@given(
    people=histories,
    steps=st.lists(st.sampled_from("abc"), min_size=2, max_size=4),
    hours=st.integers(1, 48),
    first=st.none() | st.integers(0, 2),
    last=st.none() | st.integers(0, 2),
    as_of=st.integers(0, 4),
)
def test_sql_and_a_search_through_all_choices_agree(people, steps, hours, first, last, as_of):
    with transaction.atomic():
        store(
            [
                record(name, f"person {number}", START + timedelta(hours=hour))
                for number, events in enumerate(people)
                for name, hour in events
            ]
        )
        answer = funnel(
            steps=steps,
            within=timedelta(hours=hours),
            entered_from=day(first),
            entered_to=day(last),
            as_of=START.date() + timedelta(days=as_of),
        )
        transaction.set_rollback(True)
    entered = [
        events
        for events in people
        if enters(events, steps[0], first=first, last=last, latest=24 * (as_of + 1) - hours)
    ]
    assert [step.persons for step in answer] == [
        sum(reaches(events, steps[: number + 1], hours) for events in entered)
        for number in range(len(steps))
    ]


def day(number: int | None) -> date | None:
    return None if number is None else START.date() + timedelta(days=number)


def enters(
    events: Sequence[Event], step: str, *, first: int | None, last: int | None, latest: int
) -> bool:
    entry = min((hour for name, hour in events if name == step), default=None)
    if entry is None or entry > latest:
        return False
    return (first is None or entry >= 24 * first) and (last is None or entry < 24 * (last + 1))


def reaches(events: Sequence[Event], steps: Sequence[str], hours: int) -> bool:
    """Return whether some choice of different events does the steps in order and in time."""
    entry = min(hour for name, hour in events if name == steps[0])
    return any(
        [name for name, _ in chosen] == list(steps)
        and chosen[0][1] == entry
        and all(a[1] <= b[1] for a, b in pairwise(chosen))
        and chosen[-1][1] <= entry + hours
        for chosen in permutations(events, len(steps))
    )
