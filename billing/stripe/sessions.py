"""Stripe's hosted pages: checkout sessions, and sessions of the customer portal."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.urls import reverse

from analytics.models import Person
from billing.calculations.stripe_event import customer_of
from billing.stripe import customers, gateway, open_checkouts, subscriptions
from billing.stripe.subscriptions import SubscriptionConflict

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CheckoutLine:
    """A price to sell. `quantity` is None for metered prices: Stripe bills what is used."""

    price_id: str
    quantity: int | None


def checkout_session(
    person: Person,
    distinct_id: str,
    lines: Sequence[CheckoutLine],
    *,
    success_url: str = "",
    cancel_url: str = "",
    key: str = "",
    shows_customer: bool = True,
    trial_days: int | None = None,
    **more: Any,
) -> Json:
    """Return the person's open session of this offer, or a new one, the only one that can be paid.

    It is for people without a subscription. `key` is the caller's idempotency key, passed on to
    Stripe. Stripe shows the stored address of a person's customer, and perhaps a card, to everyone
    who opens the session: without `shows_customer` it is for a new customer without any. Each one
    names the person from its creation on, whatever address the buyer enters.
    """
    if current := subscriptions.current(person):
        raise SubscriptionConflict(
            f"The person already has a subscription ({current[0]['id']}): use change-plan."
        )
    details: Json = {"metadata": {customers.METADATA: distinct_id}}
    if trial_days:
        details["trial_period_days"] = trial_days
    parameters = {
        **({"customer": customers.ensure_customer(person, distinct_id)} if shows_customer else {}),
        "client_reference_id": distinct_id,
        "line_items": [_line_item(line) for line in lines],
        "subscription_data": details,
        "success_url": success_url or return_url("checkout-done"),
        "cancel_url": cancel_url or return_url("checkout-canceled"),
        **more,
    }
    offer = open_checkouts.offer_of(parameters)
    return open_checkouts.reusable(person, offer) or _new(
        person, distinct_id, key, offer, parameters
    )


def _new(person: Person, distinct_id: str, key: str, offer: str, parameters: Json) -> Json:
    # A key that led to a session that has ended must not lead there again.
    attempt = f"{key}-{gateway.count_sessions_of(person.pk)}" if key else ""
    if "customer" not in parameters:
        its_key = f"{attempt}-customer" if attempt else ""
        parameters |= {"customer": customers.create_customer(distinct_id, key=its_key)}
    session = gateway.call(
        "post",
        "/v1/checkout/sessions",
        idempotency_key=attempt,
        mode="subscription",
        metadata={customers.METADATA: distinct_id, open_checkouts.OFFER: offer},
        **parameters,
    )
    return open_checkouts.keep_newest(person, session)


def _line_item(line: CheckoutLine) -> Json:
    return {"price": line.price_id} | ({"quantity": line.quantity} if line.quantity else {})


def checkout_line(price_id: str, quantity: int | None) -> CheckoutLine:
    """Return the line of a stored price; a licensed one is sold once if no quantity is named."""
    if not subscriptions.is_metered(price_id):
        return CheckoutLine(price_id, quantity or 1)
    if quantity is not None:
        raise subscriptions.InvalidSubscriptionRequest(
            "quantity", f"The price {price_id!r} is metered: it has no quantity."
        )
    return CheckoutLine(price_id, None)


def portal_session(person: Person, *, back_to: str = "", key: str = "") -> Json:
    """Return a session of Stripe's customer portal."""
    paying = [customer_of(subscription) for subscription in subscriptions.current(person)]
    customer_ids = paying or gateway.customer_ids_of(person.pk)
    if not customer_ids:
        raise SubscriptionConflict(
            "The person is not linked to a Stripe customer: create a checkout session."
        )
    return gateway.call(
        "post",
        "/v1/billing_portal/sessions",
        idempotency_key=key,
        customer=customer_ids[0],
        return_url=back_to or return_url("checkout-done"),
    )


def return_url(page: str) -> str:
    """Return where Stripe sends people back to: the product, or else a page of Plumbline."""
    own_page = settings.PLUMBLINE_URL + reverse(f"billing:{page}")
    return settings.PLUMBLINE_CHECKOUT_RETURN_URL or own_page
