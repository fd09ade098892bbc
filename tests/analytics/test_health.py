"""Problems of capture are reported, with their start and a remedy."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection

from analytics import health
from analytics.capture import capture
from analytics.forwarding.forwarding import forward_due
from analytics.ingestion import ingest, partitions
from analytics.models import ForwardingBatch, InboxRequest, RejectedEvent
from tests.events import NOON, record
from tests.posthog_server import answering

pytestmark = pytest.mark.django_db

PAGE = "/admin/analytics/capture-health/"


@pytest.fixture(autouse=True)
def now(time_machine):
    time_machine.move_to(NOON, tick=False)
    partitions.make_ahead(NOON)


def problems(later=timedelta()):
    return list(health.capture_health(NOON + later).problems)


def waits(*, since):
    key = capture.ensure_default_project_key()
    return InboxRequest.objects.create(project_key=key, received_at=since, body=b"{}")


def rejected(reason, *, at=NOON):
    RejectedEvent.objects.create(reason=reason, detail="no", payload=b"{}", rejected_at=at)


def page_text(client, address=PAGE):
    return " ".join(client.get(address).content.decode().split())


def test_an_idle_installation_has_no_problems():
    assert problems() == []


def test_requests_may_wait_for_a_minute():
    waits(since=NOON - timedelta(seconds=59))
    assert problems() == []


@pytest.mark.django_db(transaction=True)  # ingest's threads have connections of their own
def test_a_request_that_waits_longer_needs_ingest():
    oldest = NOON - timedelta(seconds=60)
    waits(since=oldest)
    waits(since=NOON)
    (problem,) = problems()
    assert problem.summary == "2 requests wait in the inbox."
    assert (problem.since, problem.command) == (oldest, "python manage.py ingest")
    call_command("ingest", once=True)
    assert not any("inbox" in problem.summary for problem in problems(timedelta(hours=2)))


def test_failing_forwarding_has_the_error_of_posthog(posthog):
    posthog.answer = answering(503, b"maintenance")
    ingest.store([record()], forward=True)
    forward_due(now=NOON)
    (problem,) = problems()
    assert problem.summary == "Events do not reach PostHog: 1 event waits."
    assert problem.why == f"{posthog.url} responded with 503: maintenance."
    assert (problem.since, problem.command) == (NOON, "python manage.py forward_backlog")


def test_a_backlog_that_is_not_sent_needs_worker_and_beat(posthog):
    ingest.store([record()], forward=True)
    ForwardingBatch.objects.update(created_at=NOON)
    assert problems(timedelta(minutes=10)) == []
    (problem,) = problems(timedelta(minutes=10, seconds=1))
    assert (problem.since, problem.why) == (NOON, "A worker and beat must be running.")


def test_a_backlog_that_is_being_sent_is_not_a_problem(posthog):
    ingest.store([record()], forward=True)
    forward_due(now=NOON)
    ingest.store([record()], forward=True)
    ForwardingBatch.objects.update(created_at=NOON - timedelta(hours=1))
    assert problems() == []


def test_events_waiting_while_forwarding_is_off_are_not_a_problem(posthog, settings):
    ingest.store([record()], forward=True)
    settings.PLUMBLINE_FORWARDING = False
    assert problems(timedelta(days=1)) == []


def test_a_missing_partition_of_next_month_is_a_problem():
    june = partitions.partition_name(NOON.date().replace(month=6, day=1))
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {june}")
    (problem,) = problems()
    assert problem.summary == "The event table has no partition for June 2024."
    call_command(problem.command.split()[-1])
    assert problems() == []


def test_rejected_events_of_the_last_hour_are_counted_by_reason():
    rejected("too_old", at=NOON - timedelta(minutes=60))
    rejected("too_old", at=NOON - timedelta(minutes=59))
    rejected("malformed")
    rejected("malformed")
    (problem,) = problems()
    assert (problem.summary, problem.why) == (
        "3 events were rejected.",
        "Malformed: 2, too old: 1.",
    )
    assert problem.since == NOON - timedelta(minutes=59)


@pytest.mark.parametrize("address", [PAGE, "/admin/operational/"])
def test_problems_are_displayed_with_their_remedy(admin_client, address):
    ingest.store([record()])
    waits(since=NOON - timedelta(minutes=5))
    text = page_text(admin_client, address)
    assert "1 request waits in the inbox." in text
    assert "<code>python manage.py ingest</code>" in text
    assert 'href="/admin/analytics/inboxrequest/"' in text


def test_the_page_says_that_all_is_well(admin_client):
    text = page_text(admin_client)
    assert "All is well." in text
    assert "Set <code>POSTHOG_HOST</code>" in text


def test_the_page_has_the_state_of_forwarding(admin_client, posthog):
    posthog.answer = answering(401, b"<b>bad key</b>")
    ingest.store([record(), record()], forward=True)
    forward_due(now=NOON)
    text = page_text(admin_client)
    assert "Failing" in text
    assert "responded with 401: &lt;b&gt;bad key&lt;/b&gt;" in text
    assert "<dt>Waiting events</dt><dd>2</dd>" in text
    assert "<dt>Next attempt</dt><dd>1 May 2024, 12:00:30</dd>" in text


def test_the_page_links_to_rejected_events_of_a_reason(admin_client):
    rejected("too_old")
    address = "/admin/analytics/rejectedevent/?reason=too_old"
    assert f'href="{address}"' in page_text(admin_client)
    assert admin_client.get(address).status_code == 200
