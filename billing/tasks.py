"""Celery entry points."""

import logging

from celery import shared_task
from django.utils import timezone

from analytics.people import mail_caps
from billing.limits import reservations, usage_notices
from billing.revenue import ledger, ledger_check
from billing.stripe import applying, customers, idempotency, open_checkouts
from billing.stripe.signals import stripe_changed

logger = logging.getLogger(__name__)


@shared_task  # type: ignore[untyped-decorator]
def send_usage_notices(person_id: int) -> None:
    """Notify a person of the usage thresholds they have passed."""
    usage_notices.notify(person_id, now=timezone.now())


@shared_task  # type: ignore[untyped-decorator]
def send_due_usage_notices() -> None:
    """Send the usage notices that are still missing, and delete expired reservations."""
    usage_notices.notify_all(now=timezone.now())
    reservations.delete_expired(timezone.now())
    mail_caps.delete_old(timezone.now())


@shared_task  # type: ignore[untyped-decorator]
def recount_due_revenue() -> None:
    """Recount customers whose MRR changes on its own or waits for a rate; apply new settings."""
    ledger.recount_due(now=timezone.now())


@shared_task  # type: ignore[untyped-decorator]
def check_revenue() -> None:
    """Check that the MRR ledger adds up on every day."""
    for imbalance in ledger_check.check():
        logger.error("The MRR ledger does not add up: %s", imbalance)


@shared_task  # type: ignore[untyped-decorator]
def apply_stripe_event(event_id: str) -> None:
    """Apply one Stripe event."""
    applying.apply(event_id, now=timezone.now())


@shared_task  # type: ignore[untyped-decorator]
def update_stripe_customer(customer_id: str) -> None:
    """Update everything derived from a customer's stored Stripe objects."""
    stripe_changed.send(sender=None, customer_ids={customer_id})


@shared_task  # type: ignore[untyped-decorator]
def apply_pending_stripe_events() -> None:
    """Apply the Stripe events that failed earlier or were never enqueued, and link late persons.

    Checkouts that were opened before a merge was undone are expired, too.
    """
    applying.apply_due(now=timezone.now())
    customers.link_late()
    idempotency.delete_old(timezone.now())
    open_checkouts.expire_of_undone_merges(now=timezone.now())  # last: Stripe may be unavailable
