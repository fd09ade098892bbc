"""Incremental roll-ups equal rebuilt ones, for any events in any order."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from analytics.calculations.cells import CounterName
from analytics.ingestion.ingest import store
from analytics.models import Counter, Person
from analytics.rollups import definitions, rebuild
from tests.events import NOON, record
from tests.independent_route import compare_everything
from tests.property_tests import examples

pytestmark = pytest.mark.django_db

START = datetime(2024, 2, 20, tzinfo=UTC)

events = st.lists(
    st.builds(
        record,
        event=st.sampled_from(["signed_up", "workflow_created", "used", "used", "$identify"]),
        distinct_id=st.sampled_from(["ada", "ben", "cleo"]),
        timestamp=st.integers(0, 75 * 24).map(lambda hours: START + timedelta(hours=hours)),
    ),
    max_size=30,
)
zones = st.sampled_from(["UTC", "America/Los_Angeles", "Asia/Kolkata"])


@examples(60)
@given(
    history=events,
    zone=zones,
    signup=st.sampled_from(["signed_up", "$first_event"]),
    data=st.data(),
)
def test_incremental_counters_equal_rebuilt_ones_and_the_raw_events(
    history, zone, signup, data, settings
):
    settings.PLUMBLINE_TIME_ZONE, settings.PLUMBLINE_SIGNUP_EVENT = zone, signup
    with transaction.atomic():
        remaining = history
        while remaining:
            size = data.draw(st.integers(1, len(remaining)))
            store(remaining[:size])
            remaining = remaining[size:]
        assert rebuild.check() == []
        compare_everything(first=START.date() - timedelta(days=9), as_of=date(2024, 6, 2))
        transaction.set_rollback(True)


def test_the_check_finds_a_counter_that_is_off():
    store([record()])
    Counter.objects.filter(name=CounterName.ACTIVE_DAY).update(value=2)
    assert [difference.rollup for difference in rebuild.check()] == ["counters"]
    assert Counter.objects.get(name=CounterName.ACTIVE_DAY).value == 2  # it changed nothing


def test_rebuilding_repairs_a_counter():
    store([record()])
    Counter.objects.update(value=7)
    rebuild.rebuild()
    assert Counter.objects.get(name=CounterName.ACTIVE_DAY).value == 1
    assert rebuild.check() == []


def test_a_changed_setting_is_reported_and_applies_after_the_rebuild(settings):
    store([record("joined"), record("joined", timestamp=NOON + timedelta(days=1))])
    settings.PLUMBLINE_SIGNUP_EVENT = "joined"
    assert "PLUMBLINE_SIGNUP_EVENT (signed_up -> joined)" in definitions.rebuild_needed()
    store([record("joined", "ben")])
    assert not Person.objects.exclude(signup_at=None).exists()  # the old definition is in force
    rebuild.rebuild()
    assert (definitions.rebuild_needed(), Person.objects.filter(signup_at=NOON).count()) == ("", 2)
