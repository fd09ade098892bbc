"""Tasks are enqueued by name, after the commit, and never fail their caller."""

import pytest
from django.core.cache import cache
from kombu.exceptions import OperationalError
from redis.exceptions import ConnectionError as RedisConnectionError

from common import queueing
from config.celery import app

pytestmark = pytest.mark.django_db
TASK = "billing.tasks.apply_stripe_event"


@pytest.fixture
def queue(monkeypatch, settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    sent = []
    monkeypatch.setattr(app, "send_task", lambda name, args, **_: sent.append((name, *args)))
    yield sent
    cache.clear()


def test_a_task_is_enqueued_after_the_commit(queue, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        queueing.enqueue(TASK, "evt_1")
        assert queue == []
    assert queue == [(TASK, "evt_1")]


def test_the_same_task_is_enqueued_once_in_a_while(queue, django_capture_on_commit_callbacks):
    for argument in ("evt_1", "evt_1", "evt_2"):
        with django_capture_on_commit_callbacks(execute=True):
            queueing.enqueue(TASK, argument, at_most_every=60)
    assert queue == [(TASK, "evt_1"), (TASK, "evt_2")]


@pytest.mark.parametrize("error", [OperationalError, RedisConnectionError])
def test_without_a_broker_a_warning_is_logged(
    error, queue, monkeypatch, caplog, django_capture_on_commit_callbacks
):
    def unavailable(*_, **__):
        raise error

    monkeypatch.setattr(app, "send_task", unavailable)
    with django_capture_on_commit_callbacks(execute=True):
        queueing.enqueue(TASK, "evt_1")
    assert f"The broker is unavailable: {TASK}" in caplog.text
