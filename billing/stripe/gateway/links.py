"""Checkout links that need no call to Stripe until somebody follows them."""

from django.conf import settings
from django.core import signing
from django.urls import reverse

from analytics.models import Person
from billing.stripe.gateway.calls import is_set_up

_SALT = "plumbline.checkout"
VALID_SECONDS = 30 * 24 * 3600


def checkout_url(person: Person, price_id: str) -> str:
    """Return a link for this person to buy a price; "" where Stripe is not set up."""
    if not is_set_up():
        return ""
    token = signing.dumps([person.pk, price_id], salt=_SALT)
    return settings.PLUMBLINE_URL + reverse("billing:checkout", args=[token])


def read_checkout_token(token: str) -> tuple[int, str] | None:
    """Return person and price of a link, None where it is not ours or too old."""
    try:
        person_id, price_id = signing.loads(token, salt=_SALT, max_age=VALID_SECONDS)
    except signing.BadSignature:
        return None
    return person_id, price_id
