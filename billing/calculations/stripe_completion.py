"""Complete a subscription with objects it only refers to: discounts, coupons, tiers of prices.

Stripe's events omit these, and lists allow too few levels of `expand`.
"""

from collections.abc import Callable, Mapping
from typing import Any

Json = Mapping[str, Any]
Stored = Callable[[str, str], dict[str, Any] | None]  # kind and id -> the object


def discounts_of(subscription: Json) -> dict[str, Any]:
    """Return the discounts of a subscription and its items, by id."""
    rows = [*_list(subscription.get("discounts"))]
    for item in _list((subscription.get("items") or {}).get("data")):
        rows += _list(item.get("discounts"))
    return {row["id"]: row for row in rows if isinstance(row, dict) and row.get("id")}


def completed(subscription: Json, *, discounts: Json, stored: Stored) -> dict[str, Any]:
    """Return a subscription with the stored objects that it refers to."""
    complete = dict(subscription)
    if isinstance(complete.get("discounts"), list):
        complete["discounts"] = [_discount(row, discounts, stored) for row in complete["discounts"]]
    items = complete.get("items")
    if isinstance(items, dict) and isinstance(items.get("data"), list):
        rows = [_item(row, discounts, stored) for row in items["data"]]
        complete["items"] = {**items, "data": rows}
    return complete


def _item(item: Any, discounts: Json, stored: Stored) -> Any:
    if not isinstance(item, dict):
        return item
    complete = dict(item)
    if isinstance(complete.get("discounts"), list):
        complete["discounts"] = [_discount(row, discounts, stored) for row in complete["discounts"]]
    price = complete.get("price")
    if isinstance(price, dict) and price.get("billing_scheme") == "tiered" and "tiers" not in price:
        tiers = (stored("price", price.get("id") or "") or {}).get("tiers")
        complete["price"] = {**price, "tiers": tiers} if tiers else price
    return complete


def _discount(row: Any, discounts: Json, stored: Stored) -> Any:
    complete = discounts.get(row, row) if isinstance(row, str) else row
    source = complete.get("source") if isinstance(complete, dict) else None
    if isinstance(source, dict) and isinstance(source.get("coupon"), str):
        coupon = stored("coupon", source["coupon"])
        return {**complete, "source": {**source, "coupon": coupon}} if coupon else complete
    return complete


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
