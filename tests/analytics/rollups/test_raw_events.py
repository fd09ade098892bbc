"""Random histories: every answer of the API is what plain SQL over the raw events gives."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from analytics.ingestion.ingest import store
from tests.events import record
from tests.independent_route import compare_everything
from tests.property_tests import examples

pytestmark = pytest.mark.django_db

START = datetime(2024, 2, 20, tzinfo=UTC)

events = st.lists(
    st.builds(
        record,
        event=st.sampled_from(["signed_up", "workflow_created", "used", "seen", "$set"]),
        distinct_id=st.sampled_from(["ada", "ben", "cleo", "dan"]),
        timestamp=st.integers(0, 75 * 24).map(lambda hours: START + timedelta(hours=hours)),
    ),
    max_size=40,
)


@examples(25)
@given(
    history=events,
    zone=st.sampled_from(["UTC", "America/Los_Angeles", "Asia/Kolkata", "Pacific/Auckland"]),
    signup=st.sampled_from(["signed_up", "$first_event"]),
    days=st.integers(0, 90),
)
def test_counters_and_raw_events_agree(settings, history, zone, signup, days):
    settings.PLUMBLINE_TIME_ZONE = zone
    settings.PLUMBLINE_SIGNUP_EVENT = signup
    settings.PLUMBLINE_PASSIVE_EVENTS = ["seen"]
    with transaction.atomic():
        store(history)
        compare_everything(first=date(2024, 2, 10), as_of=date(2024, 2, 20) + timedelta(days=days))
        transaction.set_rollback(True)
