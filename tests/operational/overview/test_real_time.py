"""GET /api/operational/real-time-metrics reports what is happening right now."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from analytics.ingestion.ingest import store
from analytics.models import InboxRequest, ProjectKey
from billing.calculations.cash import CashKind
from billing.models import CashEntry
from tests.api import get
from tests.events import record

PATH = "operational/real-time-metrics"

pytestmark = pytest.mark.django_db


def paid(number, amount, *, ago, currency="eur", kind=CashKind.PAYMENT):
    CashEntry.objects.create(
        stripe_id=f"in_{number}",
        customer_id="cus_1",
        kind=kind,
        happened_at=timezone.now() - ago,
        amount=amount,
        currency=currency,
    )


def test_an_empty_installation_has_zeros_and_no_revenue():
    body = get(PATH)
    assert body["active_persons_24h"] == body["events_per_minute"] == 0
    assert body["events_last_60_minutes"] == [0] * 60
    assert (body["revenue_24h"], body["behind_seconds"]) == ({}, 0)


def test_everything_is_counted_in_its_window():
    now = timezone.now()
    store([record("workflow_created", "ada", now - timedelta(hours=2))])
    store([record("suggestion_applied", "ben", now - timedelta(minutes=2))])
    store([record("suggestion_applied", "ben", now - timedelta(hours=25))])
    paid(1, 5_000, ago=timedelta(hours=23))
    paid(2, 1_000, ago=timedelta(hours=1), kind=CashKind.REFUND)
    paid(3, 7_000, ago=timedelta(hours=25))
    body = get(PATH + "/")
    assert (body["active_persons_1h"], body["active_persons_24h"]) == (1, 2)
    assert (body["workflows_created_24h"], body["suggestions_applied_24h"]) == (1, 1)
    assert sum(body["events_last_60_minutes"]) == 1
    assert body["revenue_24h"] == {"eur": 4_000}


def test_the_numbers_say_how_old_they_are():
    received_at = timezone.now() - timedelta(seconds=90)
    key = ProjectKey.objects.create(name="web")
    InboxRequest.objects.create(project_key=key, received_at=received_at, body=b"{}")
    assert 90 <= get(PATH)["behind_seconds"] < 150


def test_it_takes_few_queries_even_if_jobs_are_late():
    PeriodicTask.objects.update(date_changed=timezone.now() - timedelta(days=9))
    get(PATH)
    with CaptureQueriesContext(connection) as queries:
        get(PATH)
    assert len(queries) <= 24, [query["sql"][:150] for query in queries]


def test_only_staff_see_it(client):
    assert client.get(f"/api/{PATH}").status_code == 401
