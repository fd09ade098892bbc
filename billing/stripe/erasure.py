"""Erasing a person: stored Stripe data stays for accounting, but without personal data."""

from collections.abc import Sequence

from billing.calculations.stripe_personal import anonymous_event
from billing.models import StripeCustomer, StripeEvent
from billing.stripe import gateway


def anonymize(person_ids: Sequence[int]) -> None:
    """Remove e-mail addresses, names and other personal data from objects and events of persons.

    Called within the transaction that erases them. Stripe's own copy must be erased at Stripe.
    """
    owned = StripeCustomer.objects.filter(distinct_id__person_id__in=person_ids)
    customer_ids = list(owned.values_list("pk", flat=True))
    if not customer_ids:
        return
    gateway.anonymize(customer_ids)
    for event in StripeEvent.objects.filter(customer_id__in=customer_ids).iterator():
        event.payload = anonymous_event(event.payload)
        event.save(update_fields=["payload"])
