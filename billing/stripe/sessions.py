"""Stripe's hosted pages: checkout sessions, and sessions of the customer portal."""

from typing import Any

from django.conf import settings
from django.urls import reverse

from analytics.models import Person
from billing.calculations.stripe_event import customer_of
from billing.stripe import customers, gateway, subscriptions
from billing.stripe.subscriptions import SubscriptionConflict

Json = dict[str, Any]


def checkout_session(
    person: Person,
    distinct_id: str,
    price_id: str,
    *,
    quantity: int | None = 1,
    success_url: str = "",
    cancel_url: str = "",
    key: str = "",
    shows_customer: bool = True,
    trial_days: int | None = None,
    **more: Any,
) -> Json:
    """Return a new Stripe checkout session, for people without a subscription.

    `key` is the caller's idempotency key, passed on to Stripe. Stripe shows the stored address of a
    person's customer, and perhaps a card, to everyone who opens the session: without
    `shows_customer` the buyer becomes a new customer.
    """
    if current := subscriptions.current(person):
        raise SubscriptionConflict(
            f"The person already has a subscription ({current[0]['id']}): use change-plan."
        )
    line: Json = {"price": price_id} | ({"quantity": quantity} if quantity else {})
    details: Json = {"metadata": {customers.METADATA: distinct_id}}
    if trial_days:
        details["trial_period_days"] = trial_days
    return gateway.call(
        "post",
        "/v1/checkout/sessions",
        idempotency_key=key,
        mode="subscription",
        **({"customer": customers.ensure_customer(person, distinct_id)} if shows_customer else {}),
        client_reference_id=distinct_id,
        line_items=[line],
        metadata={customers.METADATA: distinct_id},
        subscription_data=details,
        success_url=success_url or return_url("checkout-done"),
        cancel_url=cancel_url or return_url("checkout-canceled"),
        **more,
    )


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
