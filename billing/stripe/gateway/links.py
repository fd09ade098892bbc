"""Checkout links, which call Stripe only when they are followed."""

from typing import NamedTuple

from django.conf import settings
from django.core import signing
from django.urls import reverse

from analytics.models import Person
from billing.stripe.gateway.calls import is_set_up

_SALT = "plumbline.checkout"
VALID_SECONDS = 30 * 24 * 3600


class CheckoutLink(NamedTuple):
    person_id: int
    price_id: str


def checkout_url(person: Person, price_id: str) -> str:
    """Return a link for a person to buy a price; "" if Stripe is not set up."""
    if not is_set_up():
        return ""
    token = signing.dumps([person.pk, price_id], salt=_SALT)
    return settings.PLUMBLINE_URL + reverse("billing:checkout", args=[token])


def read_checkout_token(token: str) -> CheckoutLink | None:
    """Return person and price of a link, None if it is forged or too old."""
    try:
        person_id, price_id = signing.loads(token, salt=_SALT, max_age=VALID_SECONDS)
    except signing.BadSignature:
        return None
    return CheckoutLink(person_id, price_id)
