"""Enqueue a Celery task by its name, so that no module has to import the tasks above it."""

import logging
from typing import Any

from celery import current_app
from django.core.cache import cache
from django.db import transaction
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


def enqueue(task_name: str, *arguments: Any, at_most_every: int | None = None) -> None:
    """Enqueue a task such as "billing.tasks.apply_stripe_event" once the transaction is committed.

    With `at_most_every` (seconds), the same task with the same arguments is enqueued only once in
    that time. If the broker is unavailable, nothing is enqueued and nothing fails: a scheduled job
    has to do the same work later.
    """
    transaction.on_commit(lambda: _send(task_name, arguments, at_most_every))


def _send(task_name: str, arguments: tuple[Any, ...], at_most_every: int | None) -> None:
    key = ":".join(["enqueued", task_name, *map(str, arguments)])
    try:
        if at_most_every is None or cache.add(key, True, at_most_every):
            current_app.send_task(task_name, arguments, retry=False)
    except (OperationalError, RedisError):
        logger.warning(
            "The broker is unavailable: %s is left to the next scheduled job.", task_name
        )
