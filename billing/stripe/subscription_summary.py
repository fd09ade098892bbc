"""The few fields of a Stripe subscription that pages and the API show."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from billing.calculations.stripe_price import price_of
from billing.stripe import gateway, subscriptions

Json = dict[str, Any]


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
    """Return the summary of a subscription as Stripe gives it."""
    return SubscriptionSummary(
        id=subscription["id"],
        status=str(subscription.get("status")),
        created=moment_of(subscription.get("created")),
        current_period_start=subscriptions.period_of(subscription, "start"),
        current_period_end=subscriptions.period_of(subscription, "end"),
        cancel_at_period_end=bool(subscription.get("cancel_at_period_end")),
        cancel_at=moment_of(subscription.get("cancel_at")),
        ended_at=moment_of(subscription.get("ended_at")),
        trial_end=moment_of(subscription.get("trial_end")),
        items=tuple(_item(row) for row in subscriptions.items_of(subscription)),
    )


def moment_of(seconds: Any) -> datetime | None:
    """Return the moment of a Unix time; None where Stripe gives none."""
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int) else None


def _item(row: Json) -> SubscriptionItemSummary:
    price = price_of(row)
    recurring = price.get("recurring") or price
    product = price.get("product")
    product_id = product.get("id") if isinstance(product, dict) else product
    stored = gateway.stored("product", product_id) if product_id else None
    return SubscriptionItemSummary(
        id=row.get("id") or "",
        price=price.get("id") or "",
        product=product_id,
        name=(stored or {}).get("name") or "",
        quantity=row.get("quantity"),
        unit_amount=price.get("unit_amount"),
        currency=price.get("currency"),
        interval=recurring.get("interval"),
        interval_count=recurring.get("interval_count") or 1,
    )
