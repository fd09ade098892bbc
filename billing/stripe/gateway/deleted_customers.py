"""A deleted customer has no subscriptions: Stripe ends them with it.

https://docs.stripe.com/api/customers/delete. Their own events may come later, or never.
`date_purged` is when a customer was deleted.
"""

from datetime import datetime
from typing import Any

from djstripe.models import Customer, Subscription

from billing.calculations.stripe_event import customer_of
from billing.calculations.subscription import ENDED

Json = dict[str, Any]


def note_deletion(customer_id: str, at: datetime) -> None:
    """Remember when a stored customer was deleted; the first time counts."""
    Customer.objects.filter(id=customer_id, date_purged=None).update(date_purged=at)


def ended_with_customer(subscription: Json) -> Json:
    """Return the subscription, ended if its stored customer is deleted."""
    if subscription.get("status") in ENDED:
        return subscription
    deleted = Customer.objects.filter(
        id=customer_of(subscription), date_purged__isnull=False, stripe_data__deleted=True
    )
    at = deleted.values_list("date_purged", flat=True).first()
    if at is None:
        return subscription
    moment = int(at.timestamp())
    return subscription | {
        "status": "canceled",
        "canceled_at": subscription.get("canceled_at") or moment,
        "ended_at": moment,
    }


def end_subscriptions(customer_id: str) -> None:
    """End the stored subscriptions of a customer that is deleted."""
    for row in Subscription.objects.select_for_update().filter(customer_id=customer_id):
        ended = ended_with_customer(row.stripe_data)
        if ended is not row.stripe_data:
            Subscription.objects.filter(id=row.id).update(stripe_data=ended)
