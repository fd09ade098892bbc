"""Change, cancel and resume a subscription.

Stripe decides; its answer is stored at once, so that limits and the ledger follow before its
webhook arrives. `key` is the caller's idempotency key, passed on to Stripe.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from billing.calculations.stripe_event import customer_of
from billing.calculations.stripe_fields import id_of
from billing.calculations.stripe_partial import items_in
from billing.calculations.stripe_price import price_of
from billing.stripe import events, gateway, subscriptions
from billing.stripe.subscriptions import InvalidSubscriptionRequest, SubscriptionConflict

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SubscriptionChange:
    """Another price, another quantity, or both; None leaves it unchanged."""

    price_id: str | None
    quantity: int | None
    proration_behavior: str
    proration_date: int | None  # Unix seconds; None: now


def preview(subscription: Json, change: SubscriptionChange, *, item: str | None = None) -> Json:
    """Return the invoice that a change would cause; nothing is changed."""
    return gateway.call(
        "post",
        "/v1/invoices/create_preview",
        customer=customer_of(subscription),
        subscription=subscription["id"],
        subscription_details=_parameters(subscription, change, item),
    )


def change_plan(
    subscription: Json, change: SubscriptionChange, *, item: str | None = None, key: str = ""
) -> Json:
    """Change what is subscribed to; if the payment fails, nothing changes."""
    parameters = _parameters(subscription, change, item)
    return _update(subscription, "post", key, **parameters, payment_behavior="error_if_incomplete")


def cancel(subscription: Json, *, now: bool, key: str = "") -> Json:
    """Cancel a subscription now, or at the end of the paid period."""
    if now:
        return _update(subscription, "delete", key)
    return _update(subscription, "post", key, cancel_at_period_end=True)


def resume(subscription: Json, *, key: str = "") -> Json:
    """Withdraw a scheduled cancellation, or resume a paused subscription."""
    if subscription.get("status") == "paused":
        return _update(subscription, "post", key, path="/resume")
    if subscription.get("cancel_at_period_end"):
        return _update(subscription, "post", key, cancel_at_period_end=False)
    if subscription.get("cancel_at"):
        return _update(subscription, "post", key, cancel_at="")
    if subscription.get("pause_collection"):
        return _update(subscription, "post", key, pause_collection="")
    raise SubscriptionConflict("The subscription is neither ending nor paused.")


def add_coupon(subscription: Json, coupon_id: str, *, note: str, key: str = "") -> Json:
    """Add a coupon to the discounts of a subscription, and a note of it to its metadata."""
    kept = [{"discount": id_of(row, "discounts")} for row in subscription.get("discounts") or []]
    return _update(
        subscription,
        "post",
        key,
        discounts=[*kept, {"coupon": coupon_id}],
        metadata={note: coupon_id},
    )


def _parameters(subscription: Json, change: SubscriptionChange, item_id: str | None) -> Json:
    """Return Stripe's parameters of a change."""
    item = _item(subscription, item_id)
    same_price = change.price_id in {None, price_of(item).get("id")}
    if same_price and change.quantity in {None, item.get("quantity")}:
        raise SubscriptionConflict("The subscription already has this price and quantity.")
    price_id = change.price_id or price_of(item).get("id") or ""
    if change.quantity is not None and subscriptions.is_metered(price_id):
        raise InvalidSubscriptionRequest(
            "quantity", f"The price {price_id!r} is metered: it has no quantity."
        )
    new_item: Json = {"id": id_of(item.get("id"), "items.id")}
    if change.price_id:
        new_item["price"] = change.price_id
    if change.quantity is not None:
        new_item["quantity"] = change.quantity
    parameters: Json = {
        "items": [new_item],
        "proration_behavior": change.proration_behavior,
    }
    if change.proration_date is not None:
        parameters["proration_date"] = change.proration_date
    return parameters


def _item(subscription: Json, item_id: str | None) -> Mapping[str, Any]:
    items = items_in(subscription)
    if item_id:
        items = [item for item in items if item.get("id") == item_id]
        if not items:
            raise InvalidSubscriptionRequest("item", f"The subscription has no item {item_id!r}.")
    if len(items) > 1:
        ids = ", ".join(id_of(item.get("id"), "items.id") for item in items)
        raise SubscriptionConflict(
            f"The subscription has several items. Choose one with `item`: {ids}."
        )
    if not items:
        raise SubscriptionConflict("The subscription has no items.")
    return items[0]


def _update(
    subscription: Json, method: str, key: str, *, path: str = "", **parameters: Any
) -> Json:
    """Change a subscription at Stripe, store the result, and have the ledger follow."""
    answer = gateway.call(
        method,
        f"{gateway.path_of('subscription', subscription['id'])}{path}",
        idempotency_key=key,
        **parameters,
    )
    updated = gateway.refresh("subscription", answer["id"]) or answer
    events.enqueue_update(customer_of(updated))
    return updated
