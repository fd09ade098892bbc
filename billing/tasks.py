"""Celery entry points."""

from celery import shared_task
from django.utils import timezone

from billing import usage_limits, usage_notices


@shared_task  # type: ignore[untyped-decorator]
def tell_of_usage(person_id: int) -> None:
    """Tell a person of the limits that they have passed."""
    usage_notices.tell(person_id, now=timezone.now())


@shared_task  # type: ignore[untyped-decorator]
def tell_everybody_of_usage() -> None:
    """Tell everybody else, and forget reservations that nobody asks about any more."""
    usage_notices.tell_everybody(now=timezone.now())
    usage_limits.forget_expired(timezone.now())
