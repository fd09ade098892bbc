"""387,690 events of real students: every answer, recomputed from the raw events, is the same."""

from datetime import date

import pytest
from django.db import connection
from django.test import override_settings

from analytics.models import Event
from analytics.rollups import rebuild
from tests.independent_route import compare_everything
from tests.real_data import imported, needed

FILE = "events_oulad/events.jsonl.gz"

pytestmark = [pytest.mark.django_db, pytest.mark.slow, needed(FILE)]


@pytest.fixture(scope="module", autouse=True)
def data(django_db_setup, django_db_blocker):
    with imported(
        FILE,
        django_db_blocker,
        PLUMBLINE_TIME_ZONE="UTC",
        PLUMBLINE_SIGNUP_EVENT="signed_up",
        PLUMBLINE_ACTIVATION_EVENT="vle_oucontent",
        PLUMBLINE_PASSIVE_EVENTS=["unregistered"],
    ):
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE analytics_event, analytics_person, analytics_personday")
        yield


def test_every_event_is_stored():
    assert Event.objects.count() == 387_690


@pytest.mark.parametrize("as_of", [date(2013, 3, 31), date(2014, 10, 15), date(2015, 6, 30)])
def test_the_counters_agree_with_the_raw_events(as_of):
    compare_everything(first=date(2012, 6, 15), as_of=as_of)


def test_they_agree_after_a_rebuild_in_another_time_zone():
    with override_settings(PLUMBLINE_TIME_ZONE="Pacific/Auckland"):  # noon in UTC is past midnight
        rebuild.rebuild()
        compare_everything(first=date(2012, 6, 15), as_of=date(2015, 6, 30))
