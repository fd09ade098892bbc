"""Many rejected events are retried by a worker, not while a request waits."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User

from analytics.ingestion import retry_queue, retrying
from analytics.models import Event, RejectedEvent
from analytics.tasks import retry_rejected_events
from tests.analytics.ingestion.test_retrying import GOOD, OLD, counted, send

pytestmark = pytest.mark.django_db
NOW = datetime(2024, 6, 1, 12, 30, tzinfo=UTC)
LIST = "/admin/analytics/rejectedevent/"
MANY = retry_queue.AT_ONCE + 1


@pytest.fixture(autouse=True)
def frozen(time_machine, settings):
    settings.PLUMBLINE_EVENT_RETENTION_DAYS = 90
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def queued(monkeypatch):
    """The names of the tasks that were enqueued."""
    names = []
    monkeypatch.setattr("common.queueing._send", lambda name, *_: names.append(name))
    return names


@pytest.fixture
def admin(client):
    client.force_login(User.objects.create_superuser("eve"))
    return client


def reject(number, **fields):
    """Send events that can be stored once the retention period is longer."""
    send(*(OLD | {"distinct_id": f"p{person}", **fields} for person in range(number)), GOOD)


def select_all(admin):
    rows = list(RejectedEvent.objects.values_list("pk", flat=True))
    action = {"action": "retry", "_selected_action": rows}
    return admin.post(LIST, action, follow=True).content.decode()


def test_a_page_of_events_is_left_to_a_worker(
    admin, settings, queued, django_capture_on_commit_callbacks
):
    reject(MANY)
    settings.PLUMBLINE_EVENT_RETENTION_DAYS = 0
    with django_capture_on_commit_callbacks(execute=True):
        page = select_all(admin)
    assert queued == ["analytics.tasks.retry_rejected_events"]
    assert f"A worker retries the {MANY} rows" in page
    assert (Event.objects.count(), RejectedEvent.objects.count()) == (1, MANY)
    assert f"<strong>{MANY} rows</strong> still wait" in page
    assert page.count("Waits for a worker") == MANY
    retry_rejected_events()
    assert (Event.objects.count(), RejectedEvent.objects.count()) == (MANY + 1, 0)
    assert counted().rejected == {}
    assert "still wait" not in admin.get(LIST).content.decode()


def test_a_row_of_many_events_is_left_to_a_worker_too(admin, settings, queued):
    reject(150)
    settings.PLUMBLINE_EVENT_RETENTION_DAYS = 0
    row = RejectedEvent.objects.get()
    admin.post(f"{LIST}{row.pk}/change/")
    assert Event.objects.count() == 1
    retry_rejected_events()
    assert (Event.objects.count(), RejectedEvent.objects.count()) == (151, 0)


def test_events_that_cannot_be_stored_stay_and_wait_no_longer(admin, queued):
    reject(MANY)
    select_all(admin)
    retry_rejected_events()
    assert RejectedEvent.objects.count() == MANY
    assert retry_queue.waiting_rows() == 0


def test_a_few_events_are_retried_at_once_whatever_else_waits(admin, settings, queued):
    reject(MANY)
    retry_queue.request_retry(RejectedEvent.objects.all(), now=NOW)
    settings.PLUMBLINE_EVENT_RETENTION_DAYS = 0
    row = RejectedEvent.objects.first()
    action = {"action": "retry", "_selected_action": [row.pk]}
    assert "Retried: 1 stored." in admin.post(LIST, action, follow=True).content.decode()
    assert retry_queue.waiting_rows() == MANY - 1


def test_an_event_whose_retry_breaks_does_not_keep_the_others_waiting(
    settings, monkeypatch, queued, caplog
):
    reject(2 * MANY)
    settings.PLUMBLINE_EVENT_RETENTION_DAYS = 0
    broken = RejectedEvent.objects.earliest("pk").pk
    retry = retrying.retry

    def breaks(rows):
        if rows.filter(pk=broken).exists():
            raise ValueError("broken")
        return retry(rows)

    monkeypatch.setattr(retrying, "retry", breaks)
    retry_queue.request_retry(RejectedEvent.objects.all(), now=NOW)
    retry_rejected_events()
    assert retry_queue.waiting_rows() == 0
    assert RejectedEvent.objects.count() == retry_queue.AT_ONCE
    assert "could not be retried" in caplog.text


def test_a_run_that_ends_in_time_leaves_the_rest_to_the_next(settings, monkeypatch, queued):
    reject(MANY)
    settings.PLUMBLINE_EVENT_RETENTION_DAYS = 0
    retry_queue.request_retry(RejectedEvent.objects.all(), now=NOW)
    monkeypatch.setattr(retry_queue, "SECONDS", 0)
    retry_rejected_events()
    assert retry_queue.waiting_rows() == MANY
    monkeypatch.setattr(retry_queue, "SECONDS", 50)
    retry_rejected_events()
    assert retry_queue.waiting_rows() == 0
