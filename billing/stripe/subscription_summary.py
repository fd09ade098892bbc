"""The few fields of a Stripe subscription that pages and the API show."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from billing.calculations.stripe_completion import completed
from billing.calculations.stripe_fields import UnusableStripeObject, id_of
from billing.calculations.stripe_partial import (
    Json,
    items_in,
    moment_in,
    number_in,
    object_in,
    period_in,
    price_in,
    text_in,
)
from billing.calculations.stripe_price import sold_in
from billing.stripe import gateway


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionItemSummary:
    id: str
    price: str
    product: str | None
    name: Annotated[str, "Name of the product."]
    quantity: Annotated[int | None, "null: metered."]
    unit_amount: Annotated[int | None, "Minor units; null: tiered."]
    currency: str | None
    interval: str | None
    interval_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionSummary:
    id: str
    status: str
    created: datetime | None
    current_period_start: datetime | None
    current_period_end: datetime | None
    cancel_at_period_end: bool
    cancel_at: datetime | None
    ended_at: datetime | None
    trial_end: datetime | None
    items: tuple[SubscriptionItemSummary, ...]


def summary_of(subscription: Json) -> SubscriptionSummary:
    """Return the summary of a subscription, with amounts in its currency.

    Held ones lack what is unusable.
    """
    start, end = period_in(subscription)
    complete = completed(subscription, discounts={}, stored=gateway.stored)
    currency = text_in(subscription, "currency")
    return SubscriptionSummary(
        id=subscription["id"],
        status=str(subscription.get("status")),
        created=moment_in(subscription, "created"),
        current_period_start=start,
        current_period_end=end,
        cancel_at_period_end=bool(subscription.get("cancel_at_period_end")),
        cancel_at=moment_in(subscription, "cancel_at"),
        ended_at=moment_in(subscription, "ended_at"),
        trial_end=moment_in(subscription, "trial_end"),
        items=tuple(_item(row, currency) for row in items_in(complete)),
    )


def _item(row: Json, currency: str | None) -> SubscriptionItemSummary:
    price = _in_currency(price_in(row), currency)
    recurring = object_in(price, "recurring") or price
    product = id_of(price.get("product"), "product", default="")
    stored = gateway.stored("product", product) if product else None
    return SubscriptionItemSummary(
        id=text_in(row, "id") or "",
        price=text_in(price, "id") or "",
        product=product or None,
        name=(stored or {}).get("name") or "",
        quantity=number_in(row, "quantity"),
        unit_amount=number_in(price, "unit_amount"),
        currency=text_in(price, "currency"),
        interval=text_in(recurring, "interval"),
        interval_count=number_in(recurring, "interval_count") or 1,
    )


def _in_currency(price: Json, currency: str | None) -> Json:
    """Return a price as it is sold in a currency, or as it is where that is unknown."""
    try:
        return sold_in(price, currency) if currency else price
    except UnusableStripeObject:
        return price
