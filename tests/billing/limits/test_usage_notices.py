"""A person is notified once at 80 % and once at 100 %."""

from datetime import timedelta
from uuid import NAMESPACE_URL, uuid5

import pytest
from django.core import mail
from django.core.cache import cache
from django.utils import timezone
from kombu.exceptions import OperationalError

from analytics.models import Event, PersonDay
from analytics.privacy import erasure
from analytics.rollups import rebuild
from billing import tasks
from billing.limits import usage_limits, usage_notices
from billing.models import UsageNotice
from config.celery import app
from tests.analytics.people_histories import at
from tests.api import staff_client
from tests.billing.limited_usage import NOW, ada, identify, limit, notify, price, ran

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sender")]

Email = UsageNotice.Email


def notified_events():
    return list(
        Event.objects.filter(event__startswith="usage_limit_")
        .order_by("timestamp")
        .values_list("event", flat=True)
    )


def test_at_80_and_at_100_percent_there_is_an_event_and_an_e_mail():
    limit(10)
    identify()
    ran(7)
    assert notify() == []
    ran(1, at=at("2024-05-02"))
    assert notify() == [80]
    ran(2, at=at("2024-05-03"))
    assert notify(NOW + timedelta(hours=1)) == [100]
    assert notified_events() == ["usage_limit_warning", "usage_limit_reached"]
    assert [message.subject for message in mail.outbox] == [
        "Workflow runs: 80 % of your Free plan used",
        "Workflow runs: nothing left in your Free plan",
    ]


def test_once_in_a_period_whichever_job_runs():
    limit(10)
    identify()
    ran(8)
    tasks.send_usage_notices(ada())
    for _ in "12":
        notify()
        usage_notices.notify_all(now=NOW)
    assert (len(mail.outbox), len(notified_events()), UsageNotice.objects.count()) == (1, 1, 1)


def test_s13_the_uuid_of_its_event_does_not_derive_from_what_is_public():
    limit(10)
    identify()
    ran(8)
    assert notify() == [80]
    event, notice = Event.objects.get(event="usage_limit_warning"), UsageNotice.objects.get()
    assert event.uuid != uuid5(NAMESPACE_URL, f"plumbline:usage-notice:{notice.pk}")


def test_again_in_the_next_period():
    limit(10)
    identify()
    ran(8)
    ran(8, at=at("2024-06-10"))
    assert [notify(), notify(at("2024-06-11")), notify(at("2024-06-12"))] == [[80], [80], []]


def test_a_jump_to_100_percent_gives_only_that_notice():
    limit(10)
    identify()
    ran(12)
    assert (notify(), notified_events()) == ([100], ["usage_limit_reached"])


def test_p40_after_an_upgrade_the_new_limit_is_notified_too(paying):
    limit(10)
    limit(20, plan="pro")
    price("price_pro")
    identify()
    ran(10)
    assert notify() == [100]
    paying.subscribes(ada(), "price_pro")
    assert notify() == []
    ran(6, at=at("2024-05-02"))
    assert notify() == [80]


def test_a_merged_person_is_not_notified_again():
    limit(10)
    identify()
    ran(8)
    notify()
    ran(event="seen", person="phone")
    ran(event="$create_alias", person="phone", other_id="ada")
    assert notify() == []


def test_the_hourly_run_notifies_recent_heavy_users():
    limit(10)
    identify()
    ran(8)
    ran(8, person="ben")
    ran(2, person="cleo")
    assert usage_notices.notify_all(now=NOW) == 2


def test_the_hourly_run_covers_lifetimes_and_billing_periods(paying):
    identify()
    limit(3, meter="workflows")
    ran(3, event="workflow_created", at=NOW)
    ran(3, event="workflow_created", at=at("2020-01-01"), person="ben")  # long ago, quiet since
    assert usage_notices.notify_all(now=NOW) == 1


def test_plumblines_own_events_are_neither_usage_nor_activity():
    limit(10, meter="events")
    identify()
    ran(8)
    notify(NOW + timedelta(days=3))
    notify(NOW + timedelta(days=4))
    usage = usage_limits.check("ada", "events", now=NOW).meter_usage.usage
    assert (usage.used, PersonDay.objects.count()) == (9, 1)
    assert rebuild.check() == []


def test_an_erased_person_leaves_no_notice():
    limit(10)
    identify()
    ran(8)
    notify()
    person_id = ada()
    erasure.erase([person_id])
    assert not UsageNotice.objects.exists()
    assert usage_notices.notify(person_id, now=NOW) == []


class TestRequestingNotices:
    """A check that sees a passed threshold has a worker notify the person."""

    @pytest.fixture(autouse=True)
    def own_cache(self, settings):
        backend = "django.core.cache.backends.locmem.LocMemCache"
        settings.CACHES = {"default": {"BACKEND": backend}}
        yield
        cache.clear()

    @pytest.fixture
    def queue(self, monkeypatch):
        sent = []
        monkeypatch.setattr(
            app, "send_task", lambda name, arguments, **_: sent.append((name, *arguments))
        )
        return sent

    def notice_for_ada(self):
        return (tasks.send_usage_notices.name, ada())

    def check(self, capture):
        with capture(execute=True):
            response = staff_client().post(
                "/api/billing/usage/check",
                {"distinct_id": "ada", "meter": "workflow_runs"},
                format="json",
            )
        assert response.status_code == 200

    def test_it_requests_a_notice_until_it_is_created(
        self, queue, django_capture_on_commit_callbacks
    ):
        limit(10)
        ran(8, at=timezone.now())
        for _ in "12":
            cache.clear()
            self.check(django_capture_on_commit_callbacks)
        assert queue == [self.notice_for_ada(), self.notice_for_ada()]
        notify(timezone.now())
        cache.clear()
        self.check(django_capture_on_commit_callbacks)
        assert len(queue) == 2

    def test_many_checks_request_a_single_notice_per_minute(
        self, queue, django_capture_on_commit_callbacks
    ):
        limit(10)
        ran(8, at=timezone.now())
        for _ in range(5):
            self.check(django_capture_on_commit_callbacks)
        assert queue == [self.notice_for_ada()]

    def test_below_80_percent_it_requests_nothing(self, queue, django_capture_on_commit_callbacks):
        limit(10)
        ran(7, at=timezone.now())
        self.check(django_capture_on_commit_callbacks)
        assert queue == []

    def test_p35_without_a_broker_a_check_succeeds(
        self, monkeypatch, caplog, django_capture_on_commit_callbacks
    ):
        def unavailable(*_, **__):
            raise OperationalError

        monkeypatch.setattr(app, "send_task", unavailable)
        limit(10)
        ran(8, at=timezone.now())
        self.check(django_capture_on_commit_callbacks)
        assert "left to the next scheduled job" in caplog.text
