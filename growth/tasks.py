"""Celery entry points."""

from celery import shared_task
from django.utils import timezone

from growth.referrals import attribution, running


@shared_task  # type: ignore[untyped-decorator]
def update_referrals() -> None:
    """Derive referrals from new events, and make, settle and send the rewards for them."""
    running.run(now=timezone.now())


@shared_task  # type: ignore[untyped-decorator]
def rebuild_referrals() -> None:
    """Derive the referrals of everyone, such as after a program was set up."""
    attribution.rebuild()
