"""Complete a subscription by what it only names: discounts, their coupons, tiers of its prices.

Stripe's events leave these out, and lists allow too few levels of `expand`.
"""

from collections.abc import Callable, Mapping
from typing import Any

Json = Mapping[str, Any]
Stored = Callable[[str, str], dict[str, Any] | None]  # kind and id -> the object


def discounts_of(subscription: Json) -> dict[str, Any]:
    """Return the discounts that a subscription and its items hold, by id."""
    rows = [*_list(subscription.get("discounts"))]
    for item in _list((subscription.get("items") or {}).get("data")):
        rows += _list(item.get("discounts"))
    return {row["id"]: row for row in rows if isinstance(row, dict) and row.get("id")}


def completed(subscription: Json, *, discounts: Json, stored: Stored) -> dict[str, Any]:
    """Return a subscription with everything that is known of what it names."""
    found = dict(subscription)
    if isinstance(found.get("discounts"), list):
        found["discounts"] = [_discount(row, discounts, stored) for row in found["discounts"]]
    items = found.get("items")
    if isinstance(items, dict) and isinstance(items.get("data"), list):
        rows = [_item(row, discounts, stored) for row in items["data"]]
        found["items"] = {**items, "data": rows}
    return found


def _item(item: Any, discounts: Json, stored: Stored) -> Any:
    if not isinstance(item, dict):
        return item
    found = dict(item)
    if isinstance(found.get("discounts"), list):
        found["discounts"] = [_discount(row, discounts, stored) for row in found["discounts"]]
    price = found.get("price")
    if isinstance(price, dict) and price.get("billing_scheme") == "tiered" and "tiers" not in price:
        tiers = (stored("price", price.get("id") or "") or {}).get("tiers")
        found["price"] = {**price, "tiers": tiers} if tiers else price
    return found


def _discount(row: Any, discounts: Json, stored: Stored) -> Any:
    found = discounts.get(row, row) if isinstance(row, str) else row
    source = found.get("source") if isinstance(found, dict) else None
    if isinstance(source, dict) and isinstance(source.get("coupon"), str):
        coupon = stored("coupon", source["coupon"])
        return {**found, "source": {**source, "coupon": coupon}} if coupon else found
    return found


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
