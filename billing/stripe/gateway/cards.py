"""Which cards customers paid with."""

from collections.abc import Collection

from djstripe.models import Charge

_PATH = "stripe_data__payment_method_details__card__fingerprint"


def card_fingerprints(customer_ids: Collection[str]) -> set[str]:
    """Return Stripe's fingerprints of the cards behind the stored charges of customers.

    Equal cards have equal fingerprints within a Stripe account, for any customer.
    """
    charges = Charge.objects.filter(customer_id__in=customer_ids)
    values = charges.values_list(_PATH, flat=True).distinct()
    return {value for value in values if isinstance(value, str) and value}
