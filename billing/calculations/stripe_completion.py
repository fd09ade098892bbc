"""Complete a subscription with the stored objects it refers to: discounts, coupons and prices.

Stripe includes some fields only where they are expanded, and lists allow too few levels of that.
What a payload leaves out is unknown, so the stored object fills it in.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

Json = Mapping[str, Any]
Stored = Callable[[str, str], Json | None]  # kind and id -> the object

# Fields that Stripe sends only if they are expanded.
EXPANDABLE = {
    "coupon": ("applies_to", "currency_options"),
    "price": ("tiers", "currency_options"),
}


def discounts_in(owner: Json) -> dict[str, Any]:
    """Return the discounts of a subscription and its items, or of a customer, by id."""
    rows = [*_list(owner.get("discounts")), owner.get("discount")]
    for item in _list((owner.get("items") or {}).get("data")):
        rows += _list(item.get("discounts"))
    return {row["id"]: row for row in rows if isinstance(row, dict) and row.get("id")}


def with_discounts(subscription: Json, discounts: Json) -> dict[str, Any]:
    """Return a subscription with those of its discounts that are only ids, by id."""

    def expanded(owner: Any) -> Any:
        rows = owner.get("discounts") if isinstance(owner, dict) else None
        if not isinstance(rows, list):
            return owner
        return {**owner, "discounts": [discounts.get(r, r) if _is_id(r) else r for r in rows]}

    items = subscription.get("items")
    complete: dict[str, Any] = expanded(dict(subscription))
    if isinstance(items, dict) and isinstance(items.get("data"), list):
        complete["items"] = {**items, "data": [expanded(item) for item in items["data"]]}
    return complete


def completed(subscription: Json, *, discounts: Json, stored: Stored) -> Json:
    """Return a subscription with the stored objects that it refers to."""
    complete = _with_discounts(subscription, discounts, stored)
    currency = complete.get("currency")
    items = complete.get("items")
    if not isinstance(items, dict) or not isinstance(items.get("data"), list):
        return complete
    rows = [_item(row, currency, discounts, stored) for row in items["data"]]
    if all(row is before for row, before in zip(rows, items["data"], strict=True)):
        return complete  # as most are, and copying costs
    return {**complete, "items": {**items, "data": rows}}


def completed_discount(row: Any, *, discounts: Json, stored: Stored) -> Any:
    """Return a discount, also one that is only an id, with its coupon."""
    discount = discounts.get(row) or stored("discount", row) or row if _is_id(row) else row
    if not isinstance(discount, dict):
        return discount
    complete = dict(discount)
    if complete.get("coupon"):
        complete["coupon"] = _coupon(complete["coupon"], stored)
    source = complete.get("source")
    if isinstance(source, dict) and source.get("coupon"):
        complete["source"] = {**source, "coupon": _coupon(source["coupon"], stored)}
    return complete


def completed_price(price: Any, currency: Any, *, stored: Stored) -> Any:
    """Return a price, also one that is only an id, with what its amount in a currency takes."""
    if _is_id(price):
        price = stored("price", price) or price
    if not isinstance(price, dict):
        return price
    missing = []
    if price.get("billing_scheme") == "tiered":
        missing += ["tiers"]
    if currency and price.get("currency") not in (None, currency):
        missing += ["currency_options"]
    return _filled(price, "price", missing, stored)


def keeping_expanded(new: Json, kept: Json) -> dict[str, Any]:
    """Return a version of an object with the expandable fields of another, where it lacks them."""
    if not _is_same(new, kept):
        return dict(new)
    names = EXPANDABLE.get(str(new.get("object")), ())
    return {**new} | {name: kept[name] for name in names if name not in new and name in kept}


def without_expandable(stripe_json: Json) -> dict[str, Any]:
    """Return the fields of an object that every version of it has."""
    names = EXPANDABLE.get(str(stripe_json.get("object")), ())
    return {name: value for name, value in stripe_json.items() if name not in names}


def _with_discounts(owner: Json, discounts: Json, stored: Stored) -> Json:
    def complete(row: Any) -> Any:
        return completed_discount(row, discounts=discounts, stored=stored)

    if (rows := owner.get("discounts")) and isinstance(rows, list):
        owner = {**owner, "discounts": [complete(row) for row in rows]}
    if discount := owner.get("discount"):
        owner = {**owner, "discount": complete(discount)}
    return owner


def _item(item: Any, currency: Any, discounts: Json, stored: Stored) -> Any:
    if not isinstance(item, dict):
        return item
    complete = _with_discounts(item, discounts, stored)
    for name in ("price", "plan"):  # the older name of the same object
        price = complete.get(name)
        if price and (full := completed_price(price, currency, stored=stored)) is not price:
            complete = {**complete, name: full}
    return complete


def _coupon(coupon: Any, stored: Stored) -> Any:
    if _is_id(coupon):
        return stored("coupon", coupon) or coupon
    if not isinstance(coupon, dict):
        return coupon
    return _filled(coupon, "coupon", EXPANDABLE["coupon"], stored)


def _filled(
    part: dict[str, Any], kind: str, names: Iterable[str], stored: Stored
) -> dict[str, Any]:
    """Return a part of a payload with those of the fields it lacks that the stored object has."""
    missing = [name for name in names if part.get(name) is None]
    full = stored(kind, part["id"]) if missing and _is_id(part.get("id")) else None
    if not full or not _is_same(part, full):
        return part
    return {**part, **{name: full[name] for name in missing if full.get(name) is not None}}


def _is_same(version: Json, other: Json) -> bool:
    """Whether two versions are of the same object: the id of a deleted coupon can be used again."""
    return None in (created := {version.get("created"), other.get("created")}) or len(created) == 1


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
