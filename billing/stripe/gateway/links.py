"""Checkout links, which call Stripe only when they are followed."""

from datetime import UTC, datetime
from typing import NamedTuple

from django.conf import settings
from django.core import signing
from django.urls import reverse
from django.utils import timezone

from analytics.models import Person
from billing.stripe.gateway.calls import call, is_set_up

_SALT = "plumbline.checkout"
VALID_HOURS = 72


class CheckoutLinkExpired(Exception):
    """The link was made by us, more than `VALID_HOURS` ago."""


class CheckoutLink(NamedTuple):
    person_id: int
    price_id: str
    made_at: datetime


def checkout_url(person: Person, price_id: str) -> str:
    """Return a link for a person to buy a price; "" if Stripe is not set up."""
    if not is_set_up():
        return ""
    made_at = int(timezone.now().timestamp())
    token = signing.dumps([person.pk, price_id, made_at], salt=_SALT)
    return settings.PLUMBLINE_URL + reverse("billing:checkout", args=[token])


def read_checkout_token(token: str) -> CheckoutLink | None:
    """Return what a link says, None if it is forged; raise `CheckoutLinkExpired`."""
    try:
        person_id, price_id, made_at = signing.loads(token, salt=_SALT, max_age=VALID_HOURS * 3600)
    except signing.SignatureExpired as error:
        raise CheckoutLinkExpired from error
    except (signing.BadSignature, ValueError):  # or made before links had a time
        return None
    return CheckoutLink(person_id, price_id, datetime.fromtimestamp(made_at, UTC))


def portal_login_url() -> str:
    """Return the page where customers log in to Stripe's portal by e-mail; "" if it is off."""
    configurations = call(
        "get", "/v1/billing_portal/configurations", active=True, is_default=True, limit=1
    )
    for configuration in configurations["data"]:
        login_page = configuration.get("login_page") or {}
        if login_page.get("enabled"):
            return str(login_page.get("url") or "")
    return ""
