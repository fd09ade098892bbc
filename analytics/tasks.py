"""Celery entry points."""

import logging

from celery import shared_task
from django.utils import timezone

from analytics.forwarding import forwarding
from analytics.ingestion import partitions, retry_queue

logger = logging.getLogger(__name__)


@shared_task  # type: ignore[untyped-decorator]
def forward_to_posthog() -> None:
    """Forward captured events to PostHog."""
    forwarding.forward_due(now=timezone.now())


@shared_task  # type: ignore[untyped-decorator]
def retry_rejected_events() -> None:
    """Retry the rejected events that staff requested."""
    retry_queue.retry_requested()


@shared_task  # type: ignore[untyped-decorator]
def make_partitions() -> None:
    """Create the event table's partitions for the months ahead."""
    try:
        partitions.make_ahead(timezone.now())
    except Exception:
        logger.exception("The event table's partitions for the months ahead could not be created")
        raise
