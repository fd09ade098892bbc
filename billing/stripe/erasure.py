"""Erasing a person: what is stored of Stripe stays, for the books, but tells nobody's name."""

from collections.abc import Sequence

from billing.calculations.stripe_personal import anonymous_event
from billing.models import StripeCustomer, StripeEvent
from billing.stripe import gateway


def forget(person_ids: Sequence[int]) -> None:
    """Take e-mail addresses, names and the like out of the objects and events of persons.

    Called within the transaction that erases them. Stripe's own copy has to be erased at Stripe.
    """
    owned = StripeCustomer.objects.filter(distinct_id__person_id__in=person_ids)
    customer_ids = list(owned.values_list("pk", flat=True))
    if not customer_ids:
        return
    gateway.anonymize(customer_ids)
    for event in StripeEvent.objects.filter(customer_id__in=customer_ids).iterator():
        event.payload = anonymous_event(event.payload)
        event.save(update_fields=["payload"])
