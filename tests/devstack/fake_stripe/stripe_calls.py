"""What the tests of the fake Stripe often ask of it, through the real library.

Subscriptions are Any: fields that can be expanded hold an id or an object.
"""

from datetime import UTC, datetime
from typing import Any

import stripe

from devstack.fake_stripe import FakeStripe


def seconds(text: str) -> int:
    """Unix seconds of a moment in UTC such as 2026-01-31."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def new_customer(card: str = "pm_card_visa", **parameters: Any) -> stripe.Customer:
    if card:
        parameters |= {"payment_method": card}
        parameters |= {"invoice_settings": {"default_payment_method": card}}
    return stripe.Customer.create(**parameters)


def customer_at(day: str, card: str = "pm_card_visa") -> stripe.Customer:
    """A customer with a test clock of its own."""
    clock = stripe.test_helpers.TestClock.create(frozen_time=seconds(day))
    return new_customer(card, test_clock=clock.id)


def new_price(amount: int | None = 1000, interval: str = "month", **more: Any) -> stripe.Price:
    recurring: Any = {"interval": interval, **more.pop("recurring", {})}
    if amount is not None:
        more["unit_amount"] = amount
    return stripe.Price.create(
        currency="usd", product_data={"name": "Pro"}, recurring=recurring, **more
    )


def subscribe(
    customer: stripe.Customer, price: stripe.Price | None = None, quantity: int = 1, **more: Any
) -> Any:
    items: Any = [{"price": (price or new_price()).id, "quantity": quantity}]
    return stripe.Subscription.create(customer=customer.id, items=items, **more)


def change(subscription: stripe.Subscription, price: stripe.Price, **more: Any) -> Any:
    items: Any = [{"id": item_of(subscription).id, "price": price.id}]
    return stripe.Subscription.modify(subscription.id, items=items, **more)


def item_of(subscription: stripe.Subscription) -> stripe.SubscriptionItem:
    return subscription["items"].data[0]


def advance(fake: FakeStripe, customer: stripe.Customer, day: str) -> None:
    assert isinstance(customer.test_clock, str)
    fake.advance(customer.test_clock, seconds(day))


def again(subscription: stripe.Subscription, **more: Any) -> Any:
    return stripe.Subscription.retrieve(subscription.id, **more)


def totals(customer: stripe.Customer) -> list[int]:
    """Of the customer's invoices, oldest first."""
    return [invoice.total for invoice in stripe.Invoice.list(customer=customer.id, limit=100).data][
        ::-1
    ]


def amounts(invoice: Any) -> list[int]:
    return [line.amount for line in invoice.lines.data]


def types(fake: FakeStripe) -> list[str]:
    return [event["type"] for event in fake.events]
