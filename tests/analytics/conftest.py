"""Fixtures of several files about persons."""

import pytest

from analytics.ingestion.ingest import store
from analytics.rollups import rebuild
from tests.analytics.merges import set_
from tests.analytics.people_histories import DAY
from tests.events import NOON, record


@pytest.fixture
def two_people():
    store([record("signed_up", "ada"), record("used", "ada", NOON + DAY)])
    store([record("used", "anon", NOON + DAY), record("used", "anon", NOON + 2 * DAY)])
    set_("ada", name="Ada", plan="pro")
    set_("anon", plan="free", browser="Firefox")


@pytest.fixture
def the_counters_equal_rebuilt_ones(db):
    yield
    assert rebuild.check() == []
