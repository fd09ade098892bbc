"""Celery entry points."""

import logging

from celery import shared_task
from django.utils import timezone

from billing.limits import usage_limits, usage_notices
from billing.revenue import ledger, ledger_check
from billing.stripe import events, idempotency
from billing.stripe.signals import stripe_changed

logger = logging.getLogger(__name__)


@shared_task  # type: ignore[untyped-decorator]
def tell_of_usage(person_id: int) -> None:
    """Tell a person of the limits that they have passed."""
    usage_notices.tell(person_id, now=timezone.now())


@shared_task  # type: ignore[untyped-decorator]
def tell_everybody_of_usage() -> None:
    """Tell everybody else, and forget reservations that nobody asks about any more."""
    usage_notices.tell_everybody(now=timezone.now())
    usage_limits.forget_expired(timezone.now())


@shared_task  # type: ignore[untyped-decorator]
def recount_due_revenue() -> None:
    """Recount customers whose MRR changes by itself or waits for a rate; follow new settings."""
    ledger.recount_due(now=timezone.now())


@shared_task  # type: ignore[untyped-decorator]
def check_revenue() -> None:
    """Check that the MRR ledger adds up on every day."""
    for imbalance in ledger_check.check():
        logger.error("The MRR ledger does not add up: %s", imbalance)


@shared_task  # type: ignore[untyped-decorator]
def apply_stripe_event(event_id: str) -> None:
    """Apply one event of Stripe's."""
    events.apply(event_id, now=timezone.now())


@shared_task  # type: ignore[untyped-decorator]
def follow_stripe(customer_id: str) -> None:
    """Let everything derived follow a customer's stored objects."""
    stripe_changed.send(sender=None, customer_ids={customer_id})


@shared_task  # type: ignore[untyped-decorator]
def apply_due_stripe_events() -> None:
    """Apply events that failed before, or that no worker was told of."""
    events.apply_due(now=timezone.now())
    idempotency.forget_old(timezone.now())
