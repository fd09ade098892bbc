"""Staff hears within minutes when events exclude unusually many persons."""

from datetime import timedelta

import pytest
from django.utils import timezone

from analytics.ingestion.ingest import store
from analytics.models import ExclusionRule, Person
from analytics.people import exclusions
from operational.monitoring import watchdog
from operational.monitoring.watchdog import Outages
from tests.clocks import stopped
from tests.events import record

pytestmark = pytest.mark.django_db

CLAIM = {"$set": {"is_staff": True}}


@pytest.fixture
def claims(db):
    """Strangers claim that 30 persons are internal."""
    exclusions.save_rule(ExclusionRule(name="Staff", property_name="is_staff", property_value=True))
    store([record(distinct_id=f"p{number}", properties=CLAIM) for number in range(30)])


def texts(mail_server) -> list[str]:
    """Return the messages about exclusions; others are about servers that tests do not run."""
    every = [mail_server.text(number) for number in range(len(mail_server.messages))]
    return [text for text in every if "Exclusions" in text]


def watch(minutes: int) -> None:
    now = timezone.now()
    for minute in range(minutes):
        watchdog.check(Outages(), clock=stopped(now + timedelta(minutes=minute)))


def test_s10b_staff_is_notified_within_two_minutes_with_a_link_to_the_page(claims, mail_server):
    watch(2)
    [text] = texts(mail_server)
    assert "30 persons became excluded within an hour" in text
    assert "Rule “Staff”, by claimed values: 30." in text
    assert "/admin/analytics/exclusion/" in text


def test_s10b_staff_is_notified_once_the_persons_are_included_again(claims, mail_server):
    watch(2)
    exclusions.decide(Person.objects.values_list("pk", flat=True), excluded=False, by="eve")
    watch(3)
    assert "Exclusions: resolved" in texts(mail_server)[-1]
