"""Celery entry points."""

import logging

from celery import shared_task
from django.utils import timezone

from analytics.forwarding import forwarding
from analytics.ingestion import partitions

logger = logging.getLogger(__name__)


@shared_task  # type: ignore[untyped-decorator]
def forward_to_posthog() -> None:
    """Forward to PostHog what was captured."""
    forwarding.forward_due(now=timezone.now())


@shared_task  # type: ignore[untyped-decorator]
def make_partitions() -> None:
    """Make the event table's partitions of the months ahead."""
    try:
        partitions.make_ahead(timezone.now())
    except Exception:
        logger.exception("The event table's partitions of the months ahead could not be made")
        raise
